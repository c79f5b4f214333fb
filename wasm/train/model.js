// The model that is trained: a network, its weights, and its optimizer state.
import { checkKeys } from '../shared/options.js';
import { failure } from './errors.js';
import { headNetwork, initialParameters, parameterSpecs, tailNetwork } from './network.js';
import { checkOptimizer, optimizerStruct } from './plan.js';

/**
 * @typedef {import('./plan.js').Plan} Plan
 * @typedef {import('./trainer.js').Trainer} Trainer
 * @typedef {Pick<import('./state.js').State, 'labels' | 'network' | 'parameters' | 'slots' | 'step' | 'plan'>} Model
 */

/**
 * Returns the model to train next. It keeps the current weights if the network is unchanged, and the current optimizer
 * state if the optimizer is unchanged too.
 * @param {Model | undefined} current
 * @param {Plan} plan
 * @param {{tail: import('./network.js').Tail | undefined, rowLength: number, labels: string[], seed: number}} from
 * @returns {Model}
 */
export function prepareModel(current, plan, { tail, rowLength, labels, seed }) {
  const network = tail ? tailNetwork(tail, labels.length) : headNetwork(rowLength, labels.length);
  const isSame = JSON.stringify(current?.network) === JSON.stringify(network);
  const parameters = isSame ? current?.parameters : undefined;
  const keepsOptimizer =
    parameters && JSON.stringify(current?.plan?.optimizer) === JSON.stringify(plan.optimizer);
  return {
    labels,
    network,
    parameters: parameters ?? initialParameters(network, tail, seed),
    slots: keepsOptimizer && current ? current.slots : new Float32Array(),
    step: keepsOptimizer && current ? current.step : 0,
    plan,
  };
}

/**
 * @param {Model} model
 * @param {Trainer} trainer
 * @param {number} maxRows
 */
export function openModel({ network, parameters, slots, plan }, trainer, maxRows) {
  const optimizer = plan?.optimizer ?? checkOptimizer('sgd');
  trainer.open(network, optimizerStruct(optimizer), maxRows);
  trainer.write('parameters', parameters);
  trainer.write('slots', slots);
}

/**
 * Copies weights and optimizer state from the trainer into the model.
 * @param {Model} model
 * @param {Trainer} trainer
 * @param {number} step
 */
export function keepTrained(model, trainer, step) {
  model.parameters = trainer.read('parameters');
  model.slots = trainer.read('slots');
  model.step = step;
}

/**
 * @param {Model} model
 * @returns {Record<string, {shape: number[], data: Float32Array}>} copies
 */
export function readWeights({ network, parameters }) {
  return Object.fromEntries(
    parameterSpecs(network).map(({ name, shape, offset, size }) => [
      name,
      { shape, data: parameters.slice(offset, offset + size) },
    ]),
  );
}

/**
 * @param {Model} model
 * @param {Record<string, Float32Array>} weights
 */
export function replaceWeights({ network, parameters }, weights) {
  const specs = parameterSpecs(network);
  checkKeys(
    'weights',
    weights,
    specs.map(({ name }) => name),
  );
  const given = specs.filter(({ name }) => weights[name] !== undefined);
  for (const { name, size } of given) {
    const values = weights[name];
    if (!(values instanceof Float32Array) || values.length !== size || !values.every(Number.isFinite))
      throw failure('INVALID_FEATURES', `${name} must be a Float32Array of ${size} finite numbers`);
  }
  for (const { name, offset } of given) parameters.set(weights[name], offset);
}
