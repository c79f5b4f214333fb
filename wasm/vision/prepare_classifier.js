// Engine and options -> what a classifier needs: the output with the class scores, the labels, and how the scores
// become probabilities.
import { failure } from '../shared/errors.js';
import { withoutBackground, wrongCount } from './labels.js';
import { resolveLabels } from './model_spec.js';
import { findStep, findVector } from './prepare_features.js';

/**
 * @typedef {import('../engine/engine.js').Engine} Engine
 * @typedef {import('./labels.js').Label} Label
 * @typedef {import('./prepare.js').LabelSource} LabelSource
 */

const PROBABILITIES = ['SOFTMAX', 'LOGISTIC'];
/** Operators that may follow and keep the values. */
const VALUE_PRESERVING = ['RESHAPE', 'SQUEEZE', 'QUANTIZE', 'DEQUANTIZE'];

export const UNSUITABLE = 'MODEL_IS_NOT_A_CLASSIFIER';

/**
 * Refuses a network without one vector of scores.
 * @param {Engine} engine
 */
export function checkModel(engine) {
  if (findVector(engine, 1) !== undefined) return;
  const shapes = engine.outputs.map(({ name, shape }) => `${name} [${shape}]`).join(', ');
  const isDetector = engine.heads.hasPostprocess || engine.outputs.some(({ shape }) => shape.at(-1) === 4);
  const hint = isDetector ? '. For a detector use ObjectDetector (ocelli detect)' : '';
  throw failure(UNSUITABLE, `its outputs are ${shapes}${hint}`);
}

/**
 * @param {Engine} engine
 * @param {Pick<import('./types.js').ClassifierOptions, 'scores'>} options
 * @param {LabelSource} source
 * @returns {Promise<import('./prepare.js').TaskFacts>}
 */
export async function prepareTask(engine, { scores }, { labels, metadata, entry }) {
  const output = /** @type {number} */ (findVector(engine, 1));
  // A single output tells two classes apart.
  const { calibration } = metadata;
  const count = Math.max(/** @type {number} */ (engine.outputs[output].shape.at(-1)), 2);
  return {
    labels: fitLabels(resolveLabels(labels, metadata, entry), count),
    classifier: {
      output,
      scores: scores ?? (endsInProbabilities(engine, output) ? 'none' : 'softmax'),
      calibration: calibration && (await import('./spec/calibration.js')).readCalibration(calibration, count),
    },
  };
}

/** @param {Engine} engine @param {number} output */
export function endsInProbabilities(engine, output) {
  const steps = engine.operators.slice(0, findStep(engine, output) + 1);
  const last = steps.findLast(({ operator }) => !VALUE_PRESERVING.includes(operator));
  return last !== undefined && PROBABILITIES.includes(last.operator);
}

/**
 * Checks that there is one label per class. Drops a background label that the model has no column for.
 * @param {Label[]} given
 * @param {number} count of classes
 */
export function fitLabels(given, count) {
  const labels = withoutBackground(given, count);
  if (labels.length === 0 || labels.length === count) return labels;
  throw wrongCount(labels.length, count);
}
