// The element's shadow tree: picture or video, boxes over it, a button for the camera, a line of text.
import { paint } from '../draw/paint.js';

/**
 * @typedef {import('./media.js').Media} Media
 * @typedef {import('../vision/types.js').Detection} Detection
 */

const FONT_PX = 14;
const LINE_PX = 3;
/** A screen reader cannot say more. */
const SPEECH_PAUSE_MS = 2000;

// System colours follow `color-scheme`, which a page may set for the element.
const CSS = `
:host { display: block; color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; color: CanvasText; }
:host([hidden]) { display: none; }
[part=stage] { position: relative; min-height: 60px; background: color-mix(in srgb, CanvasText 10%, Canvas); }
:focus-visible { outline: 3px solid Highlight; outline-offset: 2px; }
[part=media] { display: block; width: 100%; height: auto; }
[part=media].mirrored { transform: scaleX(-1); }
[part=boxes] { position: absolute; inset: 0; width: 100%; height: 100%; pointer-events: none; }
[part=button] { position: absolute; right: 8px; bottom: 8px; min-width: 80px; min-height: 44px; font: inherit; }
[part=status] { margin: 0; padding: 8px; overflow-wrap: anywhere; background: Canvas; }
[part=status][data-state=error]::before { content: '⚠ ' / ''; }
`;

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {string} part
 * @param {Record<string, string>} [attributes]
 */
function create(name, part, attributes = {}) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries({ part, ...attributes })) element.setAttribute(key, value);
  return element;
}

export class View {
  #stage = create('div', 'stage', { tabindex: '0', role: 'application' });
  #canvas = create('canvas', 'boxes', { 'aria-hidden': 'true' });
  #button = create('button', 'button', { type: 'button' });
  #status = create('p', 'status', { role: 'status' });
  /** @type {Media | undefined} */
  #media;
  /** @type {readonly Detection[]} */
  #detections = [];
  #resizing = new ResizeObserver(() => this.#draw());
  #text = '';
  #label = '';
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #speaking;

  /**
   * @param {ShadowRoot} root
   * @param {(key: string) => boolean} onKey returns whether it did something
   */
  constructor(root, onKey) {
    // A style sheet of this kind needs no exception in the page's Content-Security-Policy.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    root.adoptedStyleSheets = [sheet];
    this.#stage.append(this.#canvas);
    root.append(this.#stage, this.#status);
    this.#stage.addEventListener('keydown', (event) => {
      // The video's own controls have keys of their own.
      if (event.target !== this.#stage || event.ctrlKey || event.altKey || event.metaKey) return;
      if (onKey(event.key)) event.preventDefault();
    });
    this.#button.addEventListener('click', () => this.togglePlay());
    this.#resizing.observe(this.#stage);
  }

  /** @param {string} label of the picture or video, for screen readers */
  name(label) {
    this.#label = label;
    this.#stage.setAttribute('aria-label', label);
    if (this.#media?.shown instanceof HTMLImageElement) this.#media.shown.alt = label;
  }

  /** @param {Media | undefined} media */
  show(media) {
    this.#media?.shown.remove();
    this.#button.remove();
    this.#media = media;
    this.#detections = [];
    if (media) this.#place(media);
    this.#draw();
  }

  /** @param {Media} media */
  #place({ shown, isLive, isMirrored }) {
    shown.setAttribute('part', 'media');
    shown.classList.toggle('mirrored', isMirrored === true);
    this.#stage.prepend(shown);
    this.name(this.#label);
    if (!(shown instanceof HTMLVideoElement)) return;
    for (const type of ['play', 'pause']) shown.addEventListener(type, () => this.#nameButton(shown));
    if (isLive) this.#stage.append(this.#button);
    this.#nameButton(shown);
    // Who wants less motion starts the video; a camera was asked for.
    if (isLive || !matchMedia('(prefers-reduced-motion: reduce)').matches) play(shown);
  }

  /** @param {HTMLVideoElement} video */
  #nameButton(video) {
    this.#button.textContent = video.paused ? 'Resume' : 'Pause';
  }

  /** Whether the picture stands still. */
  get isStill() {
    const shown = this.#media?.shown;
    return shown instanceof HTMLImageElement || (shown instanceof HTMLVideoElement && shown.paused);
  }

  /** Returns whether there is something to pause. */
  togglePlay() {
    const shown = this.#media?.shown;
    if (!(shown instanceof HTMLVideoElement)) return false;
    if (shown.paused) play(shown);
    else shown.pause();
    return true;
  }

  /** @param {readonly Detection[]} detections */
  box(detections) {
    this.#detections = detections;
    this.#draw();
  }

  #draw() {
    const density = devicePixelRatio;
    const width = Math.round(this.#canvas.clientWidth * density);
    const height = Math.round(this.#canvas.clientHeight * density);
    Object.assign(this.#canvas, { width, height }); // which clears it
    const context = this.#canvas.getContext('2d');
    if (!context || !this.#media) return;
    const scale = width / widthOf(this.#media.shown);
    if (!(scale > 0 && scale < Infinity)) return; // one of them has no size yet
    paint(context, [...this.#detections], {
      scale,
      mirror: this.#media.isMirrored === true,
      fontSize: FONT_PX * density,
      lineWidth: LINE_PX * density,
    });
  }

  /**
   * Shows a text, which screen readers say. While objects come and go, the text changes at most every two seconds.
   * @param {string} text
   * @param {{isError?: boolean, isUrgent?: boolean}} [how]
   */
  say(text, { isError = false, isUrgent = isError } = {}) {
    this.#text = text;
    const speak = () => {
      this.#speaking = undefined;
      if (this.#status.textContent !== this.#text) this.#status.textContent = this.#text;
    };
    if (isUrgent) {
      clearTimeout(this.#speaking);
      speak();
    } else if (this.#speaking === undefined) {
      speak();
      this.#speaking = setTimeout(speak, SPEECH_PAUSE_MS);
    }
    this.#status.dataset.state = isError ? 'error' : '';
  }
}

/** Browsers may refuse to start a video by itself; its controls start it then. @param {HTMLVideoElement} video */
const play = (video) => void video.play().catch(() => {});

/** @param {Media['shown']} shown */
const widthOf = (shown) => (shown instanceof HTMLImageElement ? shown.naturalWidth : shown.videoWidth);
