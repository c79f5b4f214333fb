// Helpers for the page's elements, its state notice and its error texts.

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {{new (): T}} type
 * @returns {T}
 */
export function element(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`no #${id}`);
  return found;
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown>} [properties]
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  Object.assign(made, properties);
  made.append(...children);
  return made;
}

/**
 * Names an element for screen readers; the pointer shows the name, too.
 * @param {HTMLElement} element
 * @param {string} name
 */
export function setLabel(element, name) {
  element.setAttribute('aria-label', name);
  element.title = name;
}

/** @param {number} count @param {string} one @param {string} [many] */
export const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** @param {string} color */
export function makeDot(color) {
  const dot = make('span', { className: 'dot' });
  dot.style.background = color;
  return dot;
}

/**
 * <dt> and <dd> elements of a list of facts.
 * @param {Record<string, string>} facts
 */
export function makeFacts(facts) {
  return Object.entries(facts).flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]);
}

/**
 * Shows a slider's value, and gives it to screen readers in the same words.
 * @param {HTMLInputElement} slider
 * @param {string} text
 */
export function showValue(slider, text) {
  element(`${slider.id}-value`, HTMLElement).textContent = text;
  slider.setAttribute('aria-valuetext', text);
}

/** @param {number} value */
export const percent = (value) => `${Math.round(100 * value)} %`;

const stage = element('stage', HTMLElement);
const progress = element('progress', HTMLProgressElement);
const button = element('remedy', HTMLButtonElement);

/**
 * @param {'loading' | 'empty' | 'ready' | 'failed'} state
 * @param {string} [title]
 * @param {string} [text]
 * @param {{name: string, run: () => void}} [remedy] what the user may do about a failure
 */
export function showState(state, title = '', text = '', remedy) {
  stage.dataset.state = state;
  element('notice-title', HTMLElement).textContent = title;
  element('notice-text', HTMLElement).textContent = text;
  progress.hidden = state !== 'loading';
  progress.removeAttribute('value');
  button.hidden = !remedy;
  button.textContent = remedy?.name ?? '';
  button.onclick = () => {
    // The button will be gone: the focus stays where it was.
    stage.focus();
    remedy?.run();
  };
}

/** @param {{loaded: number, total?: number}} bytes */
export function showProgress({ loaded, total }) {
  if (!total) return;
  progress.value = loaded / total;
  const text = `${(total / 1e6).toFixed(1)} MB`;
  const notice = element('notice-text', HTMLElement);
  if (progress.hidden || notice.textContent === text) return;
  notice.textContent = text;
}

/**
 * An error as a title and a text for the user.
 * @param {any} error
 * @returns {[title: string, text: string]}
 */
export function explain(error) {
  switch (error.name === 'OcelliError' ? error.code : error.name) {
    case 'NO_WASM_SIMD':
      return ['This browser is too old', 'It has no WebAssembly SIMD, which every current browser has.'];
    case 'MODEL_NOT_FOUND':
    case 'MODULE_NOT_FOUND':
      return navigator.onLine
        ? ['The model could not be loaded', error.message]
        : ['You are offline', 'The model could not be loaded. Loading it the first time needs the network.'];
    case 'UNSUPPORTED_IMAGE_FORMAT':
      return ['This picture cannot be read', error.message];
    case 'NotFoundError':
      return ['No camera found', 'Connect one, or open a photo or a video instead.'];
    case 'NotAllowedError':
      return [
        'The camera is blocked',
        'Allow it for this page in your browser’s address bar, then try again.',
      ];
    case 'NotReadableError':
      return ['The camera is in use', 'Another program may be using it.'];
    default:
      return ['Something went wrong', error.message ?? String(error)];
  }
}
