// The classes that are taught: a card for each, with its name, its examples and the ways to add some.
import { make, makeDot } from './page.js';
import { colorOf } from './stage.js';

/** The least time between two pictures of a button that is held: those in between are much the same. */
const CAPTURE_MS = 100;
/** In pixels, two for each of CSS. */
const THUMBNAIL = { width: 128, height: 96 };

/**
 * @typedef {object} Events
 * @property {() => void} onChange of names or examples
 * @property {() => void} onPress a picture of what is shown is wanted
 * @property {(files: File[]) => void} onFiles
 * @property {() => void} onRemove
 */

export class ClassCard {
  /** @type {Float32Array[]} Features, in the thumbnails' order. */ examples = [];
  #isHeld = false;
  #isOwed = false;
  #lastCapture = 0;
  #events;
  #name = make('input', { type: 'text', maxLength: 60, required: true });
  #count = make('span', { className: 'muted' });
  #status = make('p', { className: 'muted note', role: 'status' });
  #thumbnails = make('div', { className: 'thumbnails', role: 'group' });
  #capture = make(
    'button',
    { type: 'button', className: 'small capture', disabled: true },
    'Hold to capture',
  );
  #chooser = make('input', { type: 'file', accept: 'image/*', multiple: true, hidden: true });

  /**
   * @param {number} number of the class, from 0, which its colour comes from
   * @param {Events} events
   */
  constructor(number, events) {
    this.#events = events;
    this.color = colorOf(number);
    this.#name.value = `Class ${number + 1}`;
    this.#name.setAttribute('aria-label', 'Name of the class');
    const photos = make('button', { type: 'button', className: 'small' }, 'Add photos');
    const remove = make(
      'button',
      { type: 'button', className: 'small plain', title: 'Remove the class' },
      '✕',
    );
    remove.setAttribute('aria-label', 'Remove the class');
    const head = make('div', { className: 'row' }, makeDot(this.color), this.#name, this.#count, remove);
    const ways = make('div', { className: 'row' }, this.#capture, photos, this.#chooser);
    this.element = make('li', { className: 'card' }, head, ways, this.#thumbnails, this.#status);
    this.#listen(photos, remove);
    this.#show();
  }

  get name() {
    return this.#name.value.trim();
  }

  /** Whether the next picture is one of its examples. */
  get wantsPicture() {
    return this.#isOwed || (this.#isHeld && performance.now() - this.#lastCapture >= CAPTURE_MS);
  }

  /** @param {boolean} isThere whether there is something to capture */
  setSource(isThere) {
    this.#capture.disabled = !isThere;
    this.#isOwed = false;
  }

  /**
   * @param {Float32Array} features
   * @param {ImageBitmap} [picture]
   */
  add(features, picture) {
    this.#isOwed = false;
    this.#lastCapture = performance.now();
    this.examples.push(features);
    const thumbnail = make(
      'button',
      { type: 'button', title: 'Remove this example' },
      drawThumbnail(picture),
    );
    thumbnail.setAttribute('aria-label', 'Remove this example');
    thumbnail.addEventListener('click', () => {
      this.examples.splice(this.examples.indexOf(features), 1);
      thumbnail.remove();
      this.#show();
      this.#events.onChange();
    });
    this.#thumbnails.prepend(thumbnail);
    this.#show();
    this.#events.onChange();
  }

  /** @param {string} text */
  say(text) {
    this.#status.textContent = text;
  }

  focus() {
    this.#name.select();
  }

  #show() {
    const { length } = this.examples;
    this.#count.textContent = length === 1 ? '1 example' : `${length} examples`;
    this.#thumbnails.hidden = length === 0;
    this.#thumbnails.setAttribute('aria-label', `Examples of ${this.name}`);
  }

  /**
   * @param {HTMLButtonElement} photos
   * @param {HTMLButtonElement} remove
   */
  #listen(photos, remove) {
    this.#name.addEventListener('input', this.#events.onChange);
    this.#name.addEventListener('change', () => this.#show());
    remove.addEventListener('click', this.#events.onRemove);
    photos.addEventListener('click', () => this.#chooser.click());
    this.#chooser.addEventListener('change', () => {
      this.#events.onFiles([...(this.#chooser.files ?? [])]);
      this.#chooser.value = '';
    });
    this.element.addEventListener('dragover', (event) => event.preventDefault());
    this.element.addEventListener('drop', (event) => {
      event.preventDefault();
      this.#events.onFiles([...(event.dataTransfer?.files ?? [])]);
    });
    this.#listenForHolding();
  }

  /** A button that is held by pointer or key, or only clicked, as assistive technology does. */
  #listenForHolding() {
    const press = () => {
      this.#isHeld = true;
      this.#isOwed = true;
      this.#capture.classList.add('held');
      this.#events.onPress();
    };
    const release = () => {
      this.#isHeld = false;
      this.#capture.classList.remove('held');
    };
    const isKey = (/** @type {KeyboardEvent} */ { key }) => key === ' ' || key === 'Enter';
    this.#capture.addEventListener('pointerdown', (event) => {
      if (event.button === 0) press();
    });
    // A key's own click would be a second press; one that neither key nor pointer made is a press of its own.
    this.#capture.addEventListener('keydown', (event) => {
      if (!isKey(event)) return;
      event.preventDefault();
      if (!event.repeat) press();
    });
    this.#capture.addEventListener('keyup', (event) => {
      if (isKey(event)) event.preventDefault();
      release();
    });
    this.#capture.addEventListener('click', ({ detail }) => {
      if (detail > 0) return;
      press();
      release();
    });
    for (const type of ['pointerup', 'pointerleave', 'pointercancel', 'blur'])
      this.#capture.addEventListener(type, release);
    // A long touch would open a menu.
    this.#capture.addEventListener('contextmenu', (event) => event.preventDefault());
  }
}

/**
 * What a thumbnail is drawn from; undefined for what the module can read and the browser cannot.
 * @param {Blob | HTMLVideoElement} image
 */
export function toPicture(image) {
  return createImageBitmap(image, { resizeHeight: THUMBNAIL.height }).catch(() => undefined);
}

/**
 * The middle of a picture, or an empty one where the browser cannot show it.
 * @param {ImageBitmap} [picture]
 */
function drawThumbnail(picture) {
  const canvas = make('canvas', THUMBNAIL);
  if (!picture) return canvas;
  const { width, height } = picture;
  const scale = Math.max(THUMBNAIL.width / width, THUMBNAIL.height / height);
  const [cropWidth, cropHeight] = [THUMBNAIL.width / scale, THUMBNAIL.height / scale];
  const crop = [(width - cropWidth) / 2, (height - cropHeight) / 2, cropWidth, cropHeight];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  context.drawImage(picture, crop[0], crop[1], crop[2], crop[3], 0, 0, THUMBNAIL.width, THUMBNAIL.height);
  return canvas;
}
