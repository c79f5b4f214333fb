// The page's elements, and what is said where.

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

/** @param {string} color */
export function makeDot(color) {
  const dot = make('span', { className: 'dot' });
  dot.style.background = color;
  return dot;
}

const stage = element('stage', HTMLElement);
const progress = element('progress', HTMLProgressElement);
const retry = element('retry', HTMLButtonElement);

/**
 * @param {'loading' | 'ready' | 'failed'} state
 * @param {string} [title]
 * @param {string} [text]
 * @param {() => void} [tryAgain]
 */
export function showState(state, title = '', text = '', tryAgain) {
  stage.dataset.state = state;
  element('notice-title', HTMLElement).textContent = title;
  element('notice-text', HTMLElement).textContent = text;
  progress.hidden = state !== 'loading';
  retry.hidden = !tryAgain;
  retry.onclick = tryAgain ?? null;
}

/** @param {{loaded: number, total?: number}} bytes */
export function showProgress({ loaded, total }) {
  if (total) progress.value = loaded / total;
}

/**
 * What went wrong, in words for the person before the screen.
 * @param {any} error
 * @returns {[title: string, text: string]}
 */
export function explain(error) {
  if (!navigator.onLine)
    return ['You are offline', 'The detector could not be loaded. It needs the network once.'];
  switch (error.name === 'OcelliError' ? error.code : error.name) {
    case 'NO_WASM_SIMD':
      return ['This browser is too old', 'It has no WebAssembly SIMD, which every current browser has.'];
    case 'MODEL_NOT_FOUND':
    case 'MODULE_NOT_FOUND':
      return ['The detector could not be loaded', error.message];
    case 'UNSUPPORTED_IMAGE_FORMAT':
      return ['This is not a picture that can be read', error.message];
    case 'NotFoundError':
      return ['No camera found', 'Connect one, or open a photo or a video instead.'];
    case 'NotAllowedError':
      return [
        'The camera is blocked',
        'Allow it for this page in your browser’s address bar, then try again.',
      ];
    case 'NotReadableError':
      return ['The camera is in use', 'Another program seems to have it.'];
    default:
      return ['That did not work', error.message ?? String(error)];
  }
}
