// The photos of a detector's learner, with what they show.
import { crc32c } from '../../convert/source/crc32c.js';
import { failure as generalFailure } from '../../shared/errors.js';
import { decodeImage } from '../../vision/image.js';
import { toPixels, toRepeatable } from '../../vision/input.js';
import { failure } from '../errors.js';
import { checkLabels } from '../labels.js';
import { plural } from '../../shared/text.js';

/**
 * @typedef {import('../../vision/input.js').ImageInput} ImageInput
 *
 * @typedef {object} ExampleBox an object in a photo, in pixels of the upright image, as `detect` gives it
 * @property {string} label
 * @property {{x: number, y: number, width: number, height: number}} box
 * @property {boolean} [ignore] neither a detection here nor a miss counts, as for COCO's crowds
 *
 * @typedef {object} Photo
 * @property {string} name for messages
 * @property {() => ImageInput | Promise<ImageInput>} read
 * @property {number} width
 * @property {number} height
 * @property {number} checksum of its pixels
 * @property {boolean} [isOtherSize] the data set says another size, so that its boxes are probably wrong
 * @property {Target[]} targets
 *
 * @typedef {object} Target
 * @property {number} label number of the class that is learnt
 * @property {[ymin: number, xmin: number, ymax: number, xmax: number]} box as shares of the photo
 * @property {boolean} ignore
 *
 * @typedef {object} Rgb
 * @property {Uint8Array} data RGB, row by row
 * @property {number} width
 * @property {number} height
 *
 * @typedef {{count: number, checksum: number}} PhotosState the checksum is of pixels and boxes, in the order of the photos
 */

/** A class with fewer boxes is noted. */
const FEW = 3;
/** How far outside the photo a box may reach: rounding of other tools. */
const SLACK = 0.01;

export class Photos {
  /** @type {Photo[]} */ list = [];
  /** @type {string[]} */ #labels;
  #isFixed;

  /** @param {readonly string[] | undefined} labels the only classes that boxes may have; default: any */
  constructor(labels) {
    if (labels !== undefined) checkLabels(labels);
    this.#labels = [...(labels ?? [])];
    this.#isFixed = labels !== undefined;
  }

  /** Names the classes before boxes do. @param {readonly string[]} labels */
  name(labels) {
    this.#labels = [...labels];
  }

  /** The classes that are learnt. */
  get labels() {
    return this.#labels;
  }

  /** The number of photos, and of boxes in total and per class. */
  get counts() {
    const counts = this.#labels.map(() => 0);
    for (const { targets } of this.list)
      for (const { label, ignore } of targets) if (!ignore) counts[label]++;
    const classes = this.#labels.map((label, i) => ({ label, count: counts[i] }));
    return { count: this.list.length, boxes: counts.reduce((a, b) => a + b, 0), classes };
  }

  /**
   * Adds a photo with its boxes, or nothing if one is wrong.
   * @param {Omit<Photo, 'targets'>} photo
   * @param {readonly ExampleBox[]} boxes none: the photo shows no object of these classes
   */
  add(photo, boxes) {
    if (!Array.isArray(boxes)) throw failure('INVALID_EXAMPLE', `${photo.name}: boxes must be a list`);
    const labels = [...this.#labels];
    const targets = boxes.map((box, i) =>
      toTarget(box, `${photo.name}: box ${i}`, photo, this.#idOf(labels)),
    );
    this.#labels = labels;
    this.list.push({ ...photo, targets });
  }

  /**
   * @param {ImageInput} image
   * @param {Rgb} rgb
   * @param {readonly ExampleBox[]} boxes
   */
  addImage(image, rgb, boxes) {
    this.add({ name: `photo ${this.list.length}`, read: () => image, ...measure(rgb) }, boxes);
  }

  /** @returns {PhotosState} */
  get state() {
    const facts = this.list.map(({ width, height, checksum, targets }) => [width, height, checksum, targets]);
    return { count: facts.length, checksum: crc32c(new TextEncoder().encode(JSON.stringify(facts))) };
  }

  /** @param {PhotosState} expected */
  requireSame(expected) {
    const { count, checksum } = this.state;
    if (count !== expected.count)
      throw failure('STATE_MISMATCH', `found ${count} photos, expected ${expected.count}`);
    if (checksum !== expected.checksum)
      throw failure(
        'STATE_MISMATCH',
        'the photos, their order or their boxes are not those that the fit began with',
      );
  }

  /** @param {string[]} labels extended by a class that is new @returns {(label: string) => number} */
  #idOf(labels) {
    return (label) => {
      const known = labels.indexOf(label);
      if (known >= 0) return known;
      if (this.#isFixed) throw failure('INVALID_LABEL', `'${label}' is not a class`);
      checkLabels([label]);
      return labels.push(label) - 1;
    };
  }

  requireTrainable() {
    if (this.list.length === 0) throw failure('NO_EXAMPLES');
    const { boxes, classes } = this.counts;
    if (boxes === 0) throw failure('NO_EXAMPLES', 'no photo has a box');
    const empty = classes.find(({ count }) => count === 0);
    if (empty) throw failure('EMPTY_CLASS', empty.label);
  }

  /** What makes a good result unlikely. @returns {string[]} */
  get warnings() {
    const few = this.counts.classes.filter(({ count }) => count > 0 && count < FEW);
    const resized = this.list.filter(({ isOtherSize }) => isOtherSize);
    return [
      ...few.map(
        ({ label, count }) => `class '${label}' has ${plural(count, 'box', 'boxes')}; give it ${FEW} or more`,
      ),
      ...resized
        .slice(0, 1)
        .map(
          ({ name }) =>
            `the sizes of ${resized.length} of ${this.list.length} photos are not those that the data set says, such as ` +
            `'${name}': their boxes are probably wrong`,
        ),
    ];
  }
}

/** What is kept of the pixels of a photo. @param {Rgb} rgb */
export function measure({ data, width, height }) {
  return { width, height, checksum: crc32c(data) };
}

/**
 * @param {ExampleBox} given
 * @param {string} name
 * @param {{width: number, height: number}} size
 * @param {(label: string) => number} idOf
 * @returns {Target}
 */
function toTarget(given, name, { width, height }, idOf) {
  const { label, box, ignore = false } = given ?? {};
  const numbers = [box?.x, box?.y, box?.width, box?.height];
  if (!numbers.every(Number.isFinite))
    throw failure(
      'INVALID_EXAMPLE',
      `${name} must be {label, box: {x, y, width, height}} with finite numbers`,
    );
  if (typeof ignore !== 'boolean') throw failure('INVALID_EXAMPLE', `${name}: ignore must be true or false`);
  if (!(box.width > 0 && box.height > 0)) throw failure('INVALID_EXAMPLE', `${name} has no area`);
  const corners = [box.y / height, box.x / width, (box.y + box.height) / height, (box.x + box.width) / width];
  if (corners.some((value) => value < -SLACK || value > 1 + SLACK))
    throw failure('INVALID_EXAMPLE', `${name} is not inside the photo of ${width} x ${height} pixels`);
  const [ymin, xmin, ymax, xmax] = corners.map((value) => Math.min(Math.max(value, 0), 1));
  if (ymin >= ymax || xmin >= xmax)
    throw failure('INVALID_EXAMPLE', `${name} is not inside the photo of ${width} x ${height} pixels`);
  return { label: idOf(label), box: [ymin, xmin, ymax, xmax], ignore };
}

/**
 * An image as upright RGB pixels.
 * @param {ImageInput} image
 * @param {import('../../vision/image.js').DecodeOptions} options
 * @returns {Promise<Rgb>}
 */
export async function toRgb(image, options) {
  const given = await toPixels(await toRepeatable(image), { maxPixels: options.maxPixels });
  if (given instanceof Uint8Array) return decodeImage(given, options);
  const { data, width, height, channels, stride } = given;
  if (data.length < stride * (height - 1) + width * channels)
    throw generalFailure('INVALID_INPUT', `${data.length} bytes are too few for ${width} x ${height} pixels`);
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 3) {
      const from = y * stride + x * channels;
      for (let c = 0; c < 3; c++) rgb[to + c] = data[from + (channels === 1 ? 0 : c)];
    }
  }
  given.release?.();
  return { data: rgb, width, height };
}

/**
 * What is kept of an example: a file as its bytes, anything else as pixels.
 * @param {ImageInput} image
 * @param {Rgb} rgb
 * @returns {ImageInput}
 */
export function keepImage(image, { data, width, height }) {
  if (image instanceof Uint8Array) return image.slice();
  return { data, width, height, channels: 3 };
}
