// Saves and loads a learner (weights, optimizer slots, progress of an interrupted fit) as a safetensors file.
import { LAYER_ACTIVATIONS, LAYER_KINDS, LAYER_NORMS } from '../../dist/layout.js';
import { boolean, choice, list, nullable, number, record, text } from '../shared/fields.js';
import { concatenate } from '../shared/numbers.js';
import { failure } from './errors.js';
import { parameterSpecs } from './network.js';
import { makePlan, PLAN_KEYS, RANGES } from './plan.js';
import { readSafetensors, writeSafetensors } from '../tflite/safetensors.js';

/**
 * @typedef {object} State
 * @property {string[]} labels
 * @property {import('./trainer.js').Network} network
 * @property {Float32Array} parameters
 * @property {Float32Array} slots one array like `parameters` for each optimizer slot, concatenated; empty before the
 *   first fit
 * @property {number} step
 * @property {import('./plan.js').Plan | null} plan of the last fit
 * @property {import('./fit.js').Progress | null} progress of an interrupted fit
 * @property {number} examples number of examples when the last fit began
 * @property {number} [checksum] of these; files of 0.1.0 have none, nor the next two
 * @property {boolean} [deterministic]
 * @property {'float32' | 'float16'} [precision]
 */

const FORMAT = 'ocelli-transfer-learner';
const VERSION = '1';

/**
 * @param {State} state
 * @returns {Uint8Array} a safetensors file: tail/… and dense/… as in Keras (kernels are [in, out]), slot/N/… for the
 *   optimizer, best/… for early stopping
 */
export function writeState({ parameters, slots, progress, ...rest }) {
  const bestParameters = progress?.bestParameters;
  const groups = { '': parameters, ...slotGroups(slots, parameters.length) };
  const tensors = Object.entries({ ...groups, ...(bestParameters && { 'best/': bestParameters }) }).flatMap(
    ([prefix, values]) => nameParameters(prefix, values, rest.network),
  );
  return writeSafetensors(Object.fromEntries(tensors), {
    format: FORMAT,
    version: VERSION,
    state: JSON.stringify({ ...rest, progress: progress && { ...progress, bestParameters: null } }),
  });
}

/**
 * @param {Float32Array} slots
 * @param {number} count number of parameters
 * @returns {Record<string, Float32Array>}
 */
function slotGroups(slots, count) {
  return Object.fromEntries(
    Array.from({ length: slots.length / count }, (_, i) => [
      `slot/${i}/`,
      slots.subarray(i * count, (i + 1) * count),
    ]),
  );
}

/**
 * @param {string} prefix
 * @param {Float32Array} values
 * @param {import('./trainer.js').Network} network
 * @returns {[string, import('../tflite/safetensors.js').Tensor][]}
 */
function nameParameters(prefix, values, network) {
  return parameterSpecs(network).map(({ name, shape, offset, size }) => [
    prefix + name,
    { shape, data: values.slice(offset, offset + size) },
  ]);
}

/**
 * @param {Uint8Array} file
 * @returns {State}
 */
export function readState(file) {
  const { tensors, metadata } = readSafetensors(file);
  if (metadata.format !== FORMAT) throw failure('STATE_FOREIGN');
  if (metadata.version !== VERSION) throw failure('STATE_FOREIGN', `version ${metadata.version}`);
  const state = parse(metadata.state);
  const { network, progress } = state;
  const parameters = gather('', tensors, network);
  const slots = [];
  for (let i = 0; `slot/${i}/dense/kernel` in tensors; i++)
    slots.push(gather(`slot/${i}/`, tensors, network));
  const bestParameters = 'best/dense/kernel' in tensors ? gather('best/', tensors, network) : null;
  return {
    ...state,
    parameters,
    slots: concatenate(slots),
    progress: progress && { ...progress, bestParameters },
  };
}

/**
 * The options that a learner was saved with, as far as they are known.
 * @template {object} T
 * @param {T} saved
 * @param {Record<string, any>} given
 * @returns {Partial<T>}
 */
export function keepOptions(saved, given) {
  const known = Object.entries(saved).filter(([, value]) => value !== undefined);
  for (const [key, value] of known)
    if (JSON.stringify(given[key] ?? value) !== JSON.stringify(value))
      throw failure('STATE_MISMATCH', `it was saved with ${key} ${value}`);
  return /** @type {Partial<T>} */ (Object.fromEntries(known));
}

const WHOLE = number({ min: 0, max: Number.MAX_SAFE_INTEGER, integer: true });
const SIZE = number({ min: 1, max: 65_536, integer: true });
const NUMBER = number();
const SUMS = { rows: NUMBER, loss: NUMBER, hits: NUMBER, weight: NUMBER, weightedHits: NUMBER };
const HISTORY = list(NUMBER, { max: RANGES.epochs.max });
const METRICS = ['loss', 'accuracy', 'weighted_accuracy'].flatMap((name) => [name, `val_${name}`]);

const isLayer = record(
  {
    ...{ kind: choice(Object.keys(LAYER_KINDS)), channels: SIZE, stride: choice([1, 2]) },
    ...{
      size: choice([3, 5]),
      activation: choice(Object.keys(LAYER_ACTIVATIONS)),
      factor: number({ min: 0, max: 1 }),
    },
    ...{ norm: choice(Object.keys(LAYER_NORMS)), relu6: boolean, epsilon: NUMBER, momentum: NUMBER },
    added: number({ min: -1, max: 1000, integer: true }),
  },
  ['kind', 'channels'],
);
const isProgress = record(
  {
    ...{ epoch: WHOLE, batch: WHOLE, step: WHOLE, multiplyAdds: NUMBER, seconds: NUMBER },
    sums: record(SUMS, Object.keys(SUMS)),
    history: record(Object.fromEntries(METRICS.map((name) => [name, HISTORY]))),
    best: nullable(record({ value: NUMBER, epoch: WHOLE, wait: WHOLE }, ['value', 'epoch', 'wait'])),
    joules: nullable(record({ cpu: NUMBER, ram: NUMBER, source: text(1000) }, ['cpu', 'source'])),
  },
  ['epoch', 'batch', 'sums', 'history', 'step', 'multiplyAdds', 'seconds'],
);
const isState = record(
  {
    labels: list(text(1000), { min: 1, max: 65_536 }),
    network: record({ input: list(SIZE, { min: 3, max: 3 }), layers: list(isLayer, { min: 1, max: 1000 }) }, [
      'input',
      'layers',
    ]),
    ...{ step: WHOLE, examples: WHOLE, plan: nullable(checkPlan), progress: nullable(isProgress) },
    ...{ checksum: WHOLE, deterministic: boolean, precision: choice(['float32', 'float16']) },
  },
  ['labels', 'network', 'step'],
);

/** @type {import('../shared/fields.js').Check} */
function checkPlan(plan, name) {
  const fault = record({ classWeight: nullable(list(NUMBER, { max: 65_536 })) }, PLAN_KEYS)(plan, name);
  if (fault) return fault;
  try {
    toPlan(/** @type {any} */ (plan));
    return undefined;
  } catch (error) {
    return `${name}: ${/** @type {Error} */ (error).message}`;
  }
}

/**
 * @param {import('./plan.js').Plan} plan
 * @returns {import('./plan.js').Plan} with every option in its full form
 */
function toPlan({ classWeight, earlyStopping, ...rest }) {
  return { ...makePlan({ ...rest, earlyStopping: earlyStopping ?? false }, []), classWeight };
}

/**
 * Reads what a state says about itself.
 * @param {string} json
 * @param {import('../shared/fields.js').Check} check
 * @returns {any}
 */
export function parseState(json, check) {
  let state;
  try {
    state = JSON.parse(json);
  } catch (error) {
    throw failure('STATE_CORRUPT', "its metadata entry 'state' is not JSON", error);
  }
  const fault = check(state, 'state');
  if (fault) throw failure('STATE_CORRUPT', `its metadata: ${fault}`);
  return state;
}

/**
 * @param {string} json
 * @returns {State}
 */
function parse(json) {
  const state = parseState(json, isState);
  if (state.network.layers.at(-1).channels !== state.labels.length)
    throw failure('STATE_CORRUPT', 'its metadata: the last layer does not have one channel for each label');
  if (state.plan?.classWeight && state.plan.classWeight.length !== state.labels.length)
    throw failure(
      'STATE_CORRUPT',
      'its metadata: state.plan.classWeight must have one number for each label',
    );
  const network = { ...state.network, layers: state.network.layers.map(toNamedActivation) };
  return { ...state, network, plan: state.plan && toPlan(state.plan) };
}

/** States of version 0.1.0 have `relu6` where later ones name the activation. @param {Record<string, unknown>} layer */
function toNamedActivation(layer) {
  const entries = Object.entries(layer).map(([key, value]) =>
    key === 'relu6' ? ['activation', value ? 'relu6' : 'linear'] : [key, value],
  );
  return Object.fromEntries(entries);
}

/**
 * @param {string} prefix
 * @param {Record<string, import('../tflite/safetensors.js').Tensor>} tensors
 * @param {import('./trainer.js').Network} network
 */
function gather(prefix, tensors, network) {
  return concatenate(
    parameterSpecs(network).map(({ name, size }) => {
      const data = tensors[prefix + name]?.data;
      if (!(data instanceof Float32Array) || data.length !== size)
        throw failure('STATE_CORRUPT', `tensor '${prefix}${name}' must have ${size} float32 values`);
      return data;
    }),
  );
}
