// Saves and loads a learner (weights, optimizer slots, progress of an interrupted fit) as a safetensors file.
import { concatenate } from '../shared/numbers.js';
import { failure } from './errors.js';
import { parameterSpecs } from './network.js';
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
 * @param {string} text
 * @returns {State}
 */
function parse(text) {
  try {
    const state = JSON.parse(text);
    const { labels, network, step } = state;
    const isLabel = (/** @type {unknown} */ label) => typeof label === 'string';
    if (!labels.every(isLabel) || network.input.length !== 3 || !Number.isSafeInteger(step))
      throw new Error();
    if (network.layers.at(-1).channels !== labels.length) throw new Error();
    return state;
  } catch (error) {
    throw failure('STATE_CORRUPT', "its metadata entry 'state' is invalid", error);
  }
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
