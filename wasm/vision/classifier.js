import { failure } from '../shared/errors.js';
import { checkChoice, checkKeys, checkNumber } from '../shared/options.js';
import { LOADING, startSession, VIEW, VisionModel } from './vision_model.js';

/**
 * @typedef {import('./types.js').Classification} Classification
 * @typedef {import('./types.js').ClassifierOptions} ClassifierOptions
 * @typedef {import('./types.js').Head} Head
 * @typedef {import('./types.js').Input} Input
 * @typedef {import('./types.js').Scores} Scores
 * @typedef {import('./types.js').ViewOptions} ViewOptions
 */

export const TOP_K = { min: 1, max: 1e6, integer: true };
export const DEFAULT_TOP_K = 5;
const SCORES = /** @type {const} */ (['softmax', 'sigmoid', 'none']);

/**
 * Classifies images with a classifier that you pass as `model`; the package contains none.
 *
 * ```js
 * const classifier = await ImageClassifier.create({ model: 'mobilenet.tflite', labels: 'labels.txt' });
 * const [{ label, score }] = await classifier.classify(await readFile('photo.jpg'));
 * classifier.close();
 * ```
 */
export class ImageClassifier extends VisionModel {
  /** @param {ClassifierOptions} [options] */
  static async create(options = {}) {
    checkKeys('options', options, [...LOADING, 'labels', 'scores']);
    const { model, scores } = options;
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
   * Returns the most probable classes.
   * @param {Input} image see {@link ObjectDetector.detect}; also float pixels `{data, shape}`, or `{tensor}`: the
   *   values of the network's input
   * @param {ViewOptions & {topK?: number}} [options] topK: the most
   *   classes to return; 1 to 1 000 000, default 5
   * @returns {Promise<Classification[]>} best first
   */
  async classify(image, options = {}) {
    checkKeys('options', options, [...VIEW, 'topK']);
    const { topK = DEFAULT_TOP_K, ...view } = options;
    checkNumber('topK', topK, TOP_K);
    const { output, scores } = /** @type {{output: number, scores: Scores}} */ (this.facts.classifier);
    const { result } = await this.run('heads', [image], view);
    const probabilities = toProbabilities(dequantize(result[output]), scores);
    return Array.from(probabilities, (score, labelId) => ({ labelId, score }))
      .sort((a, b) => b.score - a.score || a.labelId - b.labelId)
      .slice(0, topK)
      .map(({ labelId, score }) => {
        const { name, mid } = this.facts.labels[labelId] ?? { name: `class ${labelId}` };
        return { label: name, labelId, ...(mid && { mid }), score };
      });
  }
}

/** @param {Head} head @returns {number[]} the real values of the first image's row */
function dequantize({ data, shape, quantization }) {
  const { scale, zeroPoint } = quantization ?? { scale: 1, zeroPoint: 0 };
  const row = data.subarray(0, shape.at(-1));
  return Array.from(/** @type {ArrayLike<number>} */ (row), (stored) => (stored - zeroPoint) * scale);
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
