import { failure } from '../shared/errors.js';
import { checkChoice, checkKeys, checkNumber } from '../shared/options.js';
import { describeClass } from './labels.js';
import { change, forCall, LOADING, startSession, VIEW, VisionModel } from './vision_model.js';

/**
 * @typedef {import('./types.js').ClassifierOptions} ClassifierOptions
 * @typedef {import('./types.js').ClassifierSettings} ClassifierSettings
 * @typedef {import('./types.js').ClassifyOptions} ClassifyOptions
 * @typedef {import('./types.js').ClassifyResult} ClassifyResult
 * @typedef {import('./types.js').Head} Head
 * @typedef {import('./types.js').Input} Input
 * @typedef {import('./types.js').ClassifySettings} ClassifySettings
 * @typedef {import('./types.js').Scores} Scores
 */

export const TOP_K = { min: 1, max: 1e6, integer: true };
export const DEFAULT_TOP_K = 5;
const SCORES = /** @type {const} */ (['softmax', 'sigmoid', 'none']);

const OPTIONS = [...LOADING, 'labels', 'scores', 'topK'];
const NO_THRESHOLD = {
  'a classifier has no threshold: compare the scores of its result': [
    'scoreThreshold',
    'threshold',
    'minScore',
  ],
};
const TO_CREATE = { 'pass it to create': OPTIONS };

/**
 * Classifies images with a classifier that you pass as `model`; the package contains none.
 *
 * ```js
 * const classifier = await ImageClassifier.create({ model: 'mobilenet.tflite', labels: 'labels.txt' });
 * const { classes } = await classifier.classify('photo.jpg');
 * classifier.close();
 * ```
 */
export class ImageClassifier extends VisionModel {
  /** What the user set. @type {ClassifySettings} */
  #given;

  /**
   * Use {@link ImageClassifier.create}.
   * @param {import('./types.js').Session} session
   * @param {ClassifierOptions} options
   */
  constructor(session, options) {
    super(session, options, 'ImageClassifier');
    this.#given = { topK: options.topK };
  }

  /** @param {ClassifierOptions} [options] */
  static async create(options = {}) {
    checkKeys('options', options, OPTIONS, { ...NO_THRESHOLD, ...forCall('classify') });
    const { model, scores } = options;
    checkTopK(options);
    if (model === undefined)
      throw failure('INVALID_OPTION', 'model is missing: the package contains no classifier');
    if (scores !== undefined) checkChoice('scores', scores, SCORES);
    return new ImageClassifier(await startSession({ ...options, task: 'classify' }), options);
  }

  /** Names and ids of the model's classes, by class number. */
  get labels() {
    return this.session.facts.labels.map((label) => ({ ...label }));
  }

  /**
   * Changes options of a running classifier. A call that fails changes nothing.
   * @param {ClassifierSettings} options `undefined` leaves an option as it is, `null` sets its default
   */
  async setOptions(options) {
    checkKeys('options', options, ['topK'], { ...NO_THRESHOLD, ...forCall('classify'), ...TO_CREATE });
    const given = change(this.#given, options);
    checkTopK(given);
    if (this.isClosed) throw failure('CLOSED');
    this.#given = given;
  }

  /**
   * Returns the most probable classes.
   * @param {Input} image see {@link ObjectDetector.detect}; also float pixels `{data, shape}`, or `{tensor}`: the
   *   values of the network's input
   * @param {ClassifyOptions} [options]
   * @returns {Promise<ClassifyResult>} best first
   */
  async classify(image, options = {}) {
    checkKeys('options', options, [...VIEW, 'topK'], { ...NO_THRESHOLD, ...TO_CREATE });
    const { topK: wanted, ...view } = options;
    const topK = checkTopK(wanted === undefined ? this.#given : { topK: wanted });
    const { output, scores, calibration } =
      /** @type {NonNullable<import('./types.js').Facts['classifier']>} */ (this.facts.classifier);
    const { result, run } = await this.run('heads', [image], view);
    const probabilities = toProbabilities(dequantize(result[output]), scores);
    const { calibrate } = (calibration && (await import('./spec/calibration.js'))) || {};
    const calibrated =
      calibrate && calibration
        ? probabilities.map((score, labelId) => calibrate(calibration, labelId, score))
        : probabilities;
    const classes = Array.from(calibrated, (score, labelId) => ({ labelId, score }))
      .sort((a, b) => b.score - a.score || a.labelId - b.labelId)
      .slice(0, topK)
      .map(({ labelId, score }) => ({ ...describeClass(this.facts.labels, labelId), score }));
    return { classes, ...this.describe(run) };
  }
}

/** @param {ClassifySettings} options */
function checkTopK({ topK = DEFAULT_TOP_K }) {
  return checkNumber('topK', topK, TOP_K);
}

/** @param {Head} head @returns {number[]} the real values of the first image's row */
function dequantize({ data, shape, quantization }) {
  const { scale, zeroPoint } = quantization ?? { scale: 1, zeroPoint: 0 };
  const row = data.subarray(0, shape.at(-1));
  return Array.from(/** @type {ArrayLike<number>} */ (row), (stored) => (stored - zeroPoint) * scale + 0);
}

/**
 * @param {number[]} values
 * @param {Scores} scores
 */
function toProbabilities(values, scores) {
  if (values.length === 1) return ofTwoClasses(values[0], scores);
  if (scores === 'none') return values;
  if (scores === 'sigmoid') return values.map((value) => 1 / (1 + Math.exp(-value)));
  const max = values.reduce((a, b) => Math.max(a, b));
  const exps = values.map((value) => Math.exp(value - max));
  const sum = exps.reduce((a, b) => a + b);
  return exps.map((value) => value / sum);
}

/**
 * A network with one output has two classes; the output is the probability of the second one, or its logit.
 * @param {number} value
 * @param {Scores} scores
 */
function ofTwoClasses(value, scores) {
  const second = scores === 'none' ? value : 1 / (1 + Math.exp(-value));
  return [1 - second, second];
}
