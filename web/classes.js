// A card for each class to train: its name, its examples and the controls that add examples.
import { make, makeDot, setLabel } from './page.js';
import { colorOf } from './stage.js';

/** The least time between two captures while the button is held: frames in between look much the same. */
const CAPTURE_MS = 100;
/** Canvas size, two pixels for each CSS pixel. */
const THUMBNAIL = { width: 128, height: 96 };

/**
 * @typedef {object} Events
 * @property {() => void} onChange the name or the examples changed
 * @property {() => void} onPress the user asked for a capture of the current picture
 * @property {(files: File[]) => void} onFiles
 * @property {() => void} onRemove
 */

export class ClassCard {
  /** @type {Float32Array[]} the features of each example */ examples = [];
  #isHeld = false;
  #isCapturePending = false;
  #lastCapture = 0;
  #events;
  #name = make('input', { type: 'text', maxLength: 60, required: true });
  #count = make('span', { className: 'muted' });
  #status = make('p', { className: 'muted note', role: 'status' });
  #thumbnails = make('ul', { className: 'thumbnails', role: 'list' });
  #capture = makeButton('Hold to capture', 'small capture');
  #photos = makeButton('Add photos', 'small');
  #remove = makeButton('✕', 'small plain');
  #chooser = make('input', { type: 'file', accept: 'image/*', multiple: true, hidden: true });

  /**
   * @param {number} number of the class, from 0; selects its colour
   * @param {Events} events
   */
  constructor(number, events) {
    this.#events = events;
    this.color = colorOf(number);
    this.#name.value = `Class ${number + 1}`;
    setLabel(this.#name, 'Name of the class');
    this.#capture.disabled = true;
    const head = [makeDot(this.color), this.#name, this.#count, this.#remove];
    const controls = [this.#capture, this.#photos, this.#chooser];
    const rows = [head, controls].map((row) => make('div', { className: 'row' }, ...row));
    this.element = make('li', { className: 'card' }, ...rows, this.#thumbnails, this.#status);
    this.#listen();
    this.#show();
  }

  get name() {
    return this.#name.value.trim();
  }

  /** @param {boolean} isWrong whether the name is empty or that of another class */
  markName(isWrong) {
    this.#name.setAttribute('aria-invalid', String(isWrong));
  }

  /** Whether the next picture becomes an example of this class. */
  get wantsPicture() {
    return this.#isCapturePending || (this.#isHeld && performance.now() - this.#lastCapture >= CAPTURE_MS);
  }

  /** @param {boolean} hasSource whether there is something to capture */
  setSource(hasSource) {
    this.#capture.disabled = !hasSource;
    if (!hasSource) this.dropPress();
  }

  /** Forgets a press that has not been answered by a picture. */
  dropPress() {
    this.#isCapturePending = false;
  }

  /**
   * @param {Float32Array} features
   * @param {ImageBitmap} [picture]
   */
  add(features, picture) {
    this.#isCapturePending = false;
    this.#lastCapture = performance.now();
    this.examples.push(features);
    const button = make('button', { type: 'button' }, drawThumbnail(picture));
    const thumbnail = make('li', {}, button);
    button.addEventListener('click', () => this.#removeExample(features, thumbnail));
    this.#thumbnails.prepend(thumbnail);
    this.#show();
    this.#events.onChange();
  }

  /**
   * @param {Float32Array} features
   * @param {HTMLElement} thumbnail
   */
  #removeExample(features, thumbnail) {
    const neighbour = thumbnail.nextElementSibling ?? thumbnail.previousElementSibling;
    this.examples.splice(this.examples.indexOf(features), 1);
    thumbnail.remove();
    (neighbour?.querySelector('button') ?? this.#photos).focus();
    this.#show();
    this.#events.onChange();
  }

  /** @param {string} text */
  showStatus(text) {
    this.#status.textContent = text;
  }

  /** Puts the focus on the name, ready to be overwritten. */
  focus() {
    this.#name.focus();
    this.#name.select();
  }

  /** Says how many examples there are, and gives each button a name that says what it is for. */
  #show() {
    const { length } = this.examples;
    const whose = `“${this.name || 'no name'}”`;
    this.#count.textContent = length === 1 ? '1 example' : `${length} examples`;
    this.#thumbnails.hidden = length === 0;
    setLabel(this.#thumbnails, `Examples of ${whose}`);
    setLabel(this.#capture, `Hold to capture ${whose}`);
    setLabel(this.#photos, `Add photos to ${whose}`);
    setLabel(this.#remove, `Remove the class ${whose}`);
    // The newest comes first.
    for (const [i, button] of this.#thumbnails.querySelectorAll('button').entries())
      setLabel(button, `Remove example ${length - i} of ${whose}`);
  }

  #listen() {
    this.#name.addEventListener('input', () => {
      this.#show();
      this.#events.onChange();
    });
    this.#remove.addEventListener('click', this.#events.onRemove);
    this.#photos.addEventListener('click', () => this.#chooser.click());
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

  /** The button can be held by pointer or key, or only clicked, as assistive technology does. */
  #listenForHolding() {
    const press = () => {
      this.#isHeld = true;
      this.#isCapturePending = true;
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
    // Prevent the click that follows a key press: it would be a second press. A click without pointer or key
    // (`detail` is 0) counts as a press.
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
    // A long touch must not open a menu.
    this.#capture.addEventListener('contextmenu', (event) => event.preventDefault());
  }
}

/**
 * @param {string} text
 * @param {string} className
 */
const makeButton = (text, className) => make('button', { type: 'button', className }, text);

/**
 * The bitmap for a thumbnail; undefined if the browser cannot decode the image (the module may still read it).
 * @param {Blob | HTMLVideoElement} image
 */
export function toPicture(image) {
  return createImageBitmap(image, { resizeHeight: THUMBNAIL.height }).catch(() => undefined);
}

/**
 * A canvas with the middle of the picture; an empty canvas if there is no picture.
 * @param {ImageBitmap} [picture]
 */
export function drawThumbnail(picture) {
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
