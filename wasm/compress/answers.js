// How many of a network's answers stay when its weights are compressed: of a detector its detections, of a classifier
// the best class, of a feature extractor the direction of the features.
import { compareDetections } from '../quantize/detections.js';
import { Runner } from '../quantize/runner.js';

/**
 * @typedef {import('../quantize/file.js').Model} Model
 * @typedef {import('../quantize/detections.js').DetectionReport} DetectionReport
 * @typedef {import('../quantize/detections.js').File} File
 * @typedef {import('../vision/input.js').ImageInput} ImageInput
 * @typedef {import('../engine/engine.js').InputSpec} InputSpec
 *
 * @typedef {object} Answers
 * @property {number} share of answers that stay. Detections: those found again and those found before, whichever is
 *   less; a classifier: images with the same best class; features: mean cosine
 * @property {number} difference mean absolute difference of scores (detector, classifier); features: mean length of the
 *   difference, in parts of the features' length
 * @property {DetectionReport} [detections] only if both networks found any
 */

/**
 * @typedef {object} Pair
 * @property {File[]} files before and after
 * @property {Model[]} models the same
 * @property {import('./task.js').Task} task
 * @property {Float32Array[]} inputs of the kept images
 * @property {ImageInput[]} images
 * @property {InputSpec} input
 */

/** @param {Pair} pair @returns {Promise<Answers>} */
export async function compareAnswers({ files, models, task, inputs, images, input }) {
  const detections = task.kind === 'detector' ? await compareDetections(files, images, input) : undefined;
  if (detections) return { ...ofDetections(detections), detections };
  const outputs = task.outputs;
  const runners = [await Runner.create(models[0], outputs), await Runner.create(models[1], outputs)];
  try {
    const all = inputs.map((one) => {
      const [before, after] = runners.map((runner) => Array.from(runner.run(one), ({ values }) => values));
      return before.map((values, i) => (task.kind === 'classifier' ? ofScores : ofVectors)(values, after[i]));
    });
    return average(all.flat());
  } finally {
    for (const runner of runners) runner.close();
  }
}

/** @param {DetectionReport} report */
function ofDetections({ before, after, scoreDifference }) {
  const shares = [before, after].map(({ found, matched }) => (found === 0 ? 1 : matched / found));
  return { share: Math.min(...shares), difference: scoreDifference };
}

/** @param {Float32Array} before @param {Float32Array} after @returns {Answers} */
function ofScores(before, after) {
  const best = (/** @type {Float32Array} */ scores) =>
    scores.indexOf(scores.reduce((a, b) => Math.max(a, b)));
  const sum = before.reduce((total, score, i) => total + Math.abs(score - after[i]), 0);
  return { share: Number(best(before) === best(after)), difference: sum / before.length };
}

/** @param {Float32Array} before @param {Float32Array} after @returns {Answers} */
function ofVectors(before, after) {
  const product = (/** @type {(i: number) => number} */ term) =>
    before.reduce((sum, _, i) => sum + term(i), 0);
  const [length, other] = [before, after].map((values) => Math.sqrt(product((i) => values[i] ** 2)));
  const away = Math.sqrt(product((i) => (before[i] - after[i]) ** 2));
  if (length === 0 || other === 0)
    return { share: Number(length === other), difference: Number(length !== other) };
  return { share: product((i) => before[i] * after[i]) / length / other, difference: away / length };
}

/** @param {Answers[]} all */
function average(all) {
  const mean = (/** @type {(one: Answers) => number} */ of) =>
    all.reduce((sum, one) => sum + of(one), 0) / Math.max(all.length, 1);
  return { share: mean((one) => one.share), difference: mean((one) => one.difference) };
}
