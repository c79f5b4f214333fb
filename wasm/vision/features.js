import { failure } from '../shared/errors.js';
import { splitFloatImages } from './float_image.js';
import { isFloatImages } from './input.js';
import { withLimit } from './limits.js';
import { toNumbers } from '../shared/numbers.js';
import { checkBoolean, checkKeys } from '../shared/options.js';
import { tagOf } from '../shared/platform.js';
import { emptyRun } from './session.js';
import { change, checkView, forCall, LOADING, startSession, VIEW, VisionModel } from './vision_model.js';

/**
 * @typedef {import('./types.js').ExtractOptions} ExtractOptions
 * @typedef {import('./types.js').ExtractorOptions} ExtractorOptions
 * @typedef {import('./types.js').ExtractSettings} ExtractSettings
 * @typedef {import('./types.js').FloatImages} FloatImages
 * @typedef {import('./types.js').Input} Input
 */

/** Of one array of features; 1 GiB. */
const MAX_NUMBERS = 2 ** 28;
const OPTIONS = [...LOADING, 'layer', 'l2Normalize'];
const TO_CREATE = { 'pass it to create': OPTIONS };

/**
 * Turns images into feature vectors.
 *
 * ```js
 * const extractor = await FeatureExtractor.create();
 * const [a, b] = [await extractor.extract(photo), await extractor.extract(other)];
 * cosineSimilarity(a.features, b.features);
 * extractor.close();
 * ```
 */
export class FeatureExtractor extends VisionModel {
  /** What the user set. @type {ExtractSettings} */
  #given;

  /**
   * Use {@link FeatureExtractor.create}.
   * @param {import('./types.js').Session} session
   * @param {ExtractorOptions} options
   */
  constructor(session, options) {
    super(session, options, 'FeatureExtractor');
    this.#given = { l2Normalize: options.l2Normalize };
  }

  /**
   * Loads a model: any MobileNet whose output is a vector, or any network with a feature map inside.
   * @param {ExtractorOptions} [options]
   */
  static async create(options = {}) {
    checkKeys('options', options, OPTIONS, forCall('extract'));
    checkSettings(options);
    if (options.layer !== undefined && typeof options.layer !== 'string')
      throw failure('INVALID_OPTION', 'layer must be a string');
    return new FeatureExtractor(await startSession({ ...options, task: 'features' }), options);
  }

  /** The multiply-adds of one image. */
  get multiplyAdds() {
    return this.session.facts.multiplyAdds;
  }

  /** The length of a feature vector. */
  get length() {
    return this.session.facts.length;
  }

  /**
   * Changes options of a running extractor. A call that fails changes nothing.
   * @param {import('./types.js').ExtractorSettings} options `undefined` leaves an option as it is, `null` sets its default
   */
  async setOptions(options) {
    checkKeys('options', options, ['l2Normalize'], { ...forCall('extract'), ...TO_CREATE });
    const given = change(this.#given, options);
    checkSettings(given);
    if (this.isClosed) throw failure('CLOSED');
    this.#given = given;
  }

  /**
   * Returns the features of one image.
   * @param {Input} image see {@link ObjectDetector.detect}; also float pixels `{data, shape}`, or `{tensor}`: the
   *   values of the network's input for this image
   * @param {ExtractOptions} [options]
   * @returns {Promise<import('./types.js').ExtractResult>}
   */
  async extract(image, options = {}) {
    const { data, run } = await this.#extract([image], this.#settle(options));
    return { features: toNumbers(data), ...this.describe(run) };
  }

  /**
   * Returns the features of several images. If the model accepts any batch size, ocelli runs 2 to 8 images at once, as
   * many as fit the CPU cache; otherwise as many as the model's batch.
   * @param {readonly Input[] | FloatImages | Float32Array} images a list of images, or one float array
   *   [N, height, width, 3] of RGB in [0, 1], as TensorFlow Hub's modules take it. Without `shape` the images have the
   *   model's input size
   * @param {ExtractOptions} [options] apply to every image
   * @returns {Promise<import('./types.js').BatchResult>}
   */
  async extractBatch(images, options = {}) {
    const settings = this.#settle(options);
    const inputs = this.#toInputs(images);
    const { data, run } = await this.#extract(inputs, settings);
    const { size, ...about } = this.describe(run);
    return { data, shape: [inputs.length, this.facts.length], ...about };
  }

  /**
   * @param {readonly Input[] | FloatImages | Float32Array} images
   * @returns {readonly Input[]}
   */
  #toInputs(images) {
    if (Array.isArray(images)) return [...images];
    if (isFloatImages(images)) return splitFloatImages(images);
    if (tagOf(images) !== 'Float32Array')
      throw failure('INVALID_INPUT', 'a batch must be a list of images, {data, shape} or a Float32Array');
    const { width, height } = this.facts.inputSize;
    const data = /** @type {Float32Array} */ (images);
    const count = data.length / (width * height * 3);
    if (count === 0) return [];
    return splitFloatImages({ data, shape: [Math.ceil(count), height, width, 3] });
  }

  /**
   * The options of a call, with those that are set now.
   * @param {ExtractOptions} options
   */
  #settle(options) {
    checkKeys('options', options, [...VIEW, 'l2Normalize'], TO_CREATE);
    checkView(options);
    const { l2Normalize = this.#given.l2Normalize } = options;
    return { ...options, l2Normalize: checkSettings({ l2Normalize }) };
  }

  /**
   * @param {readonly Input[]} inputs
   * @param {ExtractOptions & {l2Normalize: boolean}} settings
   */
  async #extract(inputs, { l2Normalize, signal, timeoutMs, ...view }) {
    const { batch, length } = this.session.facts;
    if (inputs.length * length > MAX_NUMBERS)
      throw failure('INVALID_INPUT', `the features of ${inputs.length} images are too large for one array`);
    const data = new Float32Array(inputs.length * length);
    let run = emptyRun();
    const { ms } = run;
    // Without them no AbortController is needed, which edge workers do not allow while they start.
    const isLimited = signal !== undefined || timeoutMs !== undefined;
    await withLimit({ signal, timeoutMs }, async (limit) => {
      for (let first = 0; first < inputs.length; first += batch) {
        limit.check();
        const limited = isLimited ? { ...view, signal: limit.signal } : view;
        const { result, run: part } = await this.run('features', inputs.slice(first, first + batch), limited);
        data.set(result, first * length);
        for (const stage of /** @type {(keyof typeof ms)[]} */ (Object.keys(ms))) ms[stage] += part.ms[stage];
        run = { ...run, ...part, ms };
      }
    });
    if (l2Normalize)
      for (let row = 0; row < data.length; row += length) normalize(data.subarray(row, row + length));
    return { data, run };
  }
}

/** @param {ExtractSettings} options */
function checkSettings({ l2Normalize = false }) {
  return checkBoolean('l2Normalize', l2Normalize);
}

/**
 * The cosine of the angle between two vectors, in [-1, 1]; 0 if one of them is all zeros.
 * @param {ArrayLike<number>} a
 * @param {ArrayLike<number>} b
 */
export function cosineSimilarity(a, b) {
  if (!(a?.length > 0 && a.length === b?.length))
    throw failure(
      'INVALID_INPUT',
      `the vectors must have one length above 0, but have ${a?.length} and ${b?.length}`,
    );
  const [x, y] = [toScale(a), toScale(b)];
  const norms = Math.sqrt(dot(x, x) * dot(y, y));
  return norms > 0 ? Math.min(Math.max(dot(x, y) / norms, -1), 1) : 0;
}

/**
 * The vector divided by a power of two, so that its largest number is about 1: squares of numbers beyond 1e154 are
 * infinite, and of those below 1e-162 zero.
 * @param {ArrayLike<number>} vector
 */
function toScale(vector) {
  const numbers = Float64Array.from(vector);
  const largest = numbers.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scale = 2 ** Math.min(Math.floor(Math.log2(largest)), 1023);
  return largest > 0 && largest < Infinity ? numbers.map((value) => value / scale) : numbers;
}

/**
 * @param {ArrayLike<number>} a
 * @param {ArrayLike<number>} b
 */
function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** @param {Float32Array} vector scaled in place to length 1; a zero vector stays as it is */
function normalize(vector) {
  const norm = Math.sqrt(dot(vector, vector));
  if (norm > 0) for (let i = 0; i < vector.length; i++) vector[i] /= norm;
}
