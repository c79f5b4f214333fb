// What a classifier needs to know of its model: which output has the classes, what they are called, and what makes
// probabilities of it.
import { failure } from '../shared/errors.js';
import { isBackground } from './labels.js';
import { resolveLabels } from './model_spec.js';
import { findVector } from './prepare_features.js';

/**
 * @typedef {import('../engine/engine.js').Engine} Engine
 * @typedef {import('./labels.js').Label} Label
 * @typedef {import('./prepare.js').LabelSource} LabelSource
 */

const PROBABILITIES = ['SOFTMAX', 'LOGISTIC'];
const PASSED_ON = ['RESHAPE', 'SQUEEZE', 'QUANTIZE', 'DEQUANTIZE'];

export const NOT_FOR_IT = 'MODEL_IS_NOT_A_CLASSIFIER';

/**
 * @param {Engine} engine
 * @param {Pick<import('./types.js').ClassifierOptions, 'scores'>} options
 * @param {LabelSource} source
 * @returns {import('./prepare.js').TaskFacts}
 */
export function prepareTask(engine, { scores }, { labels, metadata, entry }) {
  const output = findVector(engine);
  if (output === undefined) {
    const shapes = engine.outputs.map(({ name, shape }) => `${name} [${shape}]`).join(', ');
    throw failure(NOT_FOR_IT, `its outputs are ${shapes}`);
  }
  const count = /** @type {number} */ (engine.outputs[output].shape.at(-1));
  return {
    labels: fit(resolveLabels(labels, metadata, entry, { keepBackground: true }), count),
    classifier: { output, scores: scores ?? (endsInProbabilities(engine) ? 'none' : 'softmax') },
  };
}

/** @param {Engine} engine */
function endsInProbabilities(engine) {
  const last = engine.operators.findLast(({ operator }) => !PASSED_ON.includes(operator));
  return last !== undefined && PROBABILITIES.includes(last.operator);
}

/**
 * A list may name a background that the model does not have.
 * @param {Label[]} labels
 * @param {number} count of classes
 */
function fit(labels, count) {
  if (labels.length === 0 || labels.length === count) return labels;
  if (labels.length === count + 1 && isBackground(labels[0])) return labels.slice(1);
  throw failure('INVALID_OPTION', `${labels.length} labels for ${count} classes`);
}
