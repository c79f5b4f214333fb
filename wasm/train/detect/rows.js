// The feature maps of the views of all photos, as float16. What fits the limit of memory is kept; the rest is computed again
// whenever it is needed.
import { sizeOf } from '../../shared/numbers.js';
import { numberToHalf } from '../../tflite/tensor.js';
import { augment } from './augment.js';
import { toRgb } from './examples.js';

/**
 * @typedef {import('./examples.js').Photo} Photo
 * @typedef {import('./examples.js').Rgb} Rgb
 * @typedef {import('./examples.js').Target} Target
 * @typedef {{maps: Uint16Array, targets: readonly Target[]}} Row
 *
 * @typedef {object} ViewPlan
 * @property {number} views of each photo; the first is the photo itself
 * @property {boolean} freshViews whether the other views are new ones in each epoch
 * @property {import('./augment.js').Augmentation} augmentation
 * @property {number} maxMemory bytes
 * @property {number} seed
 */

/** Views of a photo that one stream of random numbers can have. */
const MAX_VIEWS = 1 << 12;

/**
 * @param {readonly number[][]} inputs shapes of the maps
 * @param {number} rows
 * @param {number} maxMemory
 */
export function planMemory(inputs, rows, maxMemory) {
  const rowBytes = inputs.reduce((sum, shape) => sum + sizeOf(shape), 0) * 2;
  const keptRows = Math.min(rows, Math.floor(maxMemory / rowBytes));
  return { rows, rowBytes, bytes: rows * rowBytes, keptRows, keptBytes: keptRows * rowBytes };
}

export class Rows {
  #extractor;
  #options;
  /** @type {Map<string, Row>} */ #kept = new Map();
  #keptBytes = 0;
  /** Of the last photo that was decoded: its views follow each other. @type {{photo: Photo, rgb: Rgb} | undefined} */
  #decoded;

  /**
   * @param {import('../../vision/features.js').FeatureExtractor} extractor of the maps
   * @param {import('../../vision/image.js').DecodeOptions} options
   */
  constructor(extractor, options) {
    this.#extractor = extractor;
    this.#options = options;
  }

  get keptBytes() {
    return this.#keptBytes;
  }

  /** Forgets all that is kept. */
  clear() {
    this.#kept.clear();
    this.#keptBytes = 0;
  }

  /**
   * @param {Photo} photo
   * @param {number} photoIndex
   * @param {number} view
   * @param {ViewPlan} plan
   * @param {number} epoch
   * @returns {Promise<Row>}
   */
  async get(photo, photoIndex, view, plan, epoch) {
    const isFresh = plan.freshViews && view > 0;
    const stream = photoIndex * MAX_VIEWS + view + (isFresh ? (epoch + 1) * 0x3c6ef372 : 0);
    const key =
      view === 0
        ? `${photoIndex}`
        : `${photoIndex} ${view} ${plan.seed} ${JSON.stringify(plan.augmentation)}`;
    const known = isFresh ? undefined : this.#kept.get(key);
    if (known) return known;
    const rgb = await this.#decode(photo);
    const { image, targets } =
      view === 0
        ? { image: rgb, targets: photo.targets }
        : augment(rgb, photo.targets, plan.augmentation, { seed: plan.seed, stream });
    const row = { maps: await this.#extract(image), targets };
    const bytes = row.maps.byteLength;
    if (!isFresh && this.#keptBytes + bytes <= plan.maxMemory) {
      this.#kept.set(key, row);
      this.#keptBytes += bytes;
    }
    return row;
  }

  /** @param {Photo} photo */
  async #decode(photo) {
    if (this.#decoded?.photo !== photo)
      this.#decoded = { photo, rgb: await toRgb(await photo.read(), this.#options) };
    return this.#decoded.rgb;
  }

  /** @param {Rgb} image */
  async #extract({ data, width, height }) {
    const pixels = { data, width, height, channels: /** @type {const} */ (3) };
    const { data: maps } = await this.#extractor.extractBatch([pixels]);
    return Uint16Array.from(maps, numberToHalf);
  }

  close() {
    this.clear();
    this.#extractor.close();
  }
}
