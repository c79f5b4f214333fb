// The feature maps of the views of all photos, as float16. What fits the limit of memory is kept; the rest is computed again
// whenever it is needed.
import { sizeOf } from '../../shared/numbers.js';
import { toHalves } from '../../tflite/tensor.js';
import { uniforms } from '../random.js';
import { augment } from './augment.js';
import { toRgb } from './examples.js';
import { measureStandard, standardizer } from './standard.js';

/**
 * @typedef {import('./examples.js').Photo} Photo
 * @typedef {import('./examples.js').Rgb} Rgb
 * @typedef {import('./examples.js').Target} Target
 * @typedef {import('./standard.js').Standard} Standard
 * @typedef {{maps: Uint16Array<ArrayBuffer>, targets: readonly Target[]}} Row
 * @typedef {(index: number, epoch: number) => Promise<Row>} RowOf
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
/** Rows that are kept lie in blocks of about so many numbers: among what is thrown away, they would leave gaps in the memory. */
const BLOCK = 2 ** 23;
/** Bytes of decoded photos to keep: views follow each other, and take parts of other photos. */
const MAX_DECODED = 2 ** 27;

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

/** What else than photo, view and donor a view depends on. @param {ViewPlan} plan */
const wayOf = ({ seed, augmentation }) => `${seed} ${JSON.stringify(augmentation)}`;

export class Rows {
  #extractor;
  #options;
  #maxDecoded;
  /** @type {Map<string, Row & {view: number, way: string}>} */ #kept = new Map();
  #keptBytes = 0;
  /** Memory of rows that are not kept any more. @type {Uint16Array<ArrayBuffer>[]} */ #free = [];
  /** Memory that no row has had yet. */ #room = new Uint16Array(0);
  /** @type {Standard | undefined} */ #standard;
  /** Changes a row in place. @type {((maps: Uint16Array) => void) | undefined} */ #finish;
  /** The last one that was used is the last one. @type {Map<Photo, Rgb>} */ #decoded = new Map();

  /**
   * @param {import('../../vision/features.js').FeatureExtractor} extractor of the maps
   * @param {import('../../vision/image.js').DecodeOptions} options
   * @param {number} [maxDecoded] bytes of decoded photos to keep
   */
  constructor(extractor, options, maxDecoded = MAX_DECODED) {
    this.#extractor = extractor;
    this.#options = options;
    this.#maxDecoded = maxDecoded;
  }

  get keptBytes() {
    return this.#keptBytes;
  }

  /**
   * Standardizes joined maps, from now on, and those that are kept.
   * @param {import('./model.js').DetectorFile} file
   * @param {{plan: ViewPlan, standard?: Standard}} model its standard is taken if it has one
   * @param {Uint32Array} train
   * @param {RowOf} rowOf
   * @param {AbortSignal} [signal]
   * @returns {Promise<Standard>} the same for all trainings
   */
  async standardize(file, { plan, standard }, train, rowOf, signal) {
    if (this.#standard) return this.#standard;
    this.#standard = standard ?? (await measureStandard(file, train, plan.views, rowOf, signal));
    this.#finish = standardizer(file, this.#standard);
    for (const { maps } of this.#kept.values()) this.#finish(maps);
    return this.#standard;
  }

  /** Forgets all that is kept. */
  clear() {
    this.#kept.clear();
    this.#keptBytes = 0;
    this.#free = [];
    this.#room = new Uint16Array(0);
  }

  /** Forgets views that a fit does not have. @param {ViewPlan} plan */
  forgetOthers(plan) {
    for (const [key, { view, way, maps }] of this.#kept) {
      if (view === 0 || (way === wayOf(plan) && view < plan.views)) continue;
      this.#kept.delete(key);
      this.#keptBytes -= maps.byteLength;
      this.#free.push(maps);
    }
  }

  /**
   * @param {Photo} photo
   * @param {number} photoIndex
   * @param {number} view
   * @param {ViewPlan} plan
   * @param {number} epoch
   * @param {readonly Photo[]} [donors] whose parts may be pasted on the view; default: the photo itself
   * @returns {Promise<Row>}
   */
  async get(photo, photoIndex, view, plan, epoch, donors = [photo]) {
    const isFresh = plan.freshViews && view > 0;
    const stream = photoIndex * MAX_VIEWS + view + (isFresh ? (epoch + 1) * 0x3c6ef372 : 0);
    const donor = donors[Math.floor(uniforms(plan.seed, -stream)() * donors.length)];
    const way = wayOf(plan);
    const key = view === 0 ? `${photoIndex}` : `${photoIndex} ${view} ${way} ${donor.name}`;
    const known = isFresh ? undefined : this.#kept.get(key);
    if (known) return known;
    const bytes = 2 * this.#extractor.length;
    const isKept = !isFresh && this.#keptBytes + bytes <= plan.maxMemory;
    const isReadAgain = plan.views > 1 || !isKept;
    const { image, targets } =
      view === 0
        ? { image: await this.#decode(photo, isReadAgain), targets: photo.targets }
        : await this.#augment(photo, donor, plan, stream);
    const values = await this.#extract(image);
    const maps = toHalves(values, isKept ? this.#allocate() : undefined);
    this.#finish?.(maps);
    const row = { maps, targets, view, way };
    if (isKept) {
      this.#kept.set(key, row);
      this.#keptBytes += bytes;
    }
    return row;
  }

  /**
   * @param {Photo} photo
   * @param {Photo} donor
   * @param {ViewPlan} plan
   * @param {number} stream
   */
  async #augment(photo, donor, plan, stream) {
    const { augmentation, seed } = plan;
    const rgb = await this.#decode(photo, true);
    const from = augmentation.paste
      ? { image: await this.#decode(donor, true), targets: donor.targets }
      : undefined;
    return augment(rgb, photo.targets, augmentation, { seed, stream }, from);
  }

  /** @param {Photo} photo @param {boolean} isReadAgain whether to keep it */
  async #decode(photo, isReadAgain) {
    const rgb = this.#decoded.get(photo) ?? (await toRgb(await photo.read(), this.#options));
    if (!isReadAgain) return rgb;
    this.#decoded.delete(photo);
    this.#decoded.set(photo, rgb);
    let bytes = [...this.#decoded.values()].reduce((sum, { data }) => sum + data.length, 0);
    for (const [old, { data }] of this.#decoded) {
      if (bytes <= this.#maxDecoded || old === photo) break;
      this.#decoded.delete(old);
      bytes -= data.length;
    }
    return rgb;
  }

  /** @param {Rgb} image */
  async #extract({ data, width, height }) {
    const pixels = { data, width, height, channels: /** @type {const} */ (3) };
    return (await this.#extractor.extractBatch([pixels])).data;
  }

  /** Memory for a row. @returns {Uint16Array<ArrayBuffer>} */
  #allocate() {
    const free = this.#free.pop();
    if (free) return free;
    const { length } = this.#extractor;
    if (this.#room.length === 0)
      this.#room = new Uint16Array(Math.max(Math.floor(BLOCK / length), 1) * length);
    const row = this.#room.subarray(0, length);
    this.#room = this.#room.subarray(length);
    return row;
  }

  close() {
    this.clear();
    this.#extractor.close();
  }
}
