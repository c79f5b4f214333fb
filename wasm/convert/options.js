// What convert() may be asked for.
import { failure } from '../shared/errors.js';

/**
 * @typedef {object} ConvertOptions
 * @property {'fp32' | 'fp16' | 'int8'} [weights] default fp32; int8: symmetric per channel, with float activations
 * @property {number | 'dynamic'} [batch] of an input whose batch the source leaves free; default: free, and 1 for
 *   detectors
 * @property {string} [signature] of a SavedModel; default: serving_default, default, or else the first
 * @property {string[]} [outputs] names of the signature's outputs or of nodes; default: the signature's
 * @property {(string | number)[]} [classes] of a detector, by name, MID or number: the heads of the others are left out
 * @property {boolean} [keepBatchNorm] keep what was folded into convolutions in the file's metadata, to train it;
 *   default false
 * @property {(progress: {stage: Stage}) => void} [onProgress]
 * @property {AbortSignal} [signal]
 *
 * @typedef {'unpack' | 'read' | 'simplify' | 'write'} Stage
 */

const KEYS = ['weights', 'batch', 'signature', 'outputs', 'classes', 'keepBatchNorm', 'onProgress', 'signal'];
export const WEIGHTS = /** @type {const} */ (['fp32', 'fp16', 'int8']);
export const BATCH = { min: 1, max: 4096, integer: true };

/** @param {ConvertOptions} options */
export function checkOptions(options) {
  const unknown = Object.keys(options).find((key) => !KEYS.includes(key));
  if (unknown) throw failure('INVALID_OPTION', `there is no option '${unknown}'`);
  const { weights = 'fp32', batch, signature, outputs, classes, keepBatchNorm = false } = options;
  if (!WEIGHTS.includes(weights)) throw failure('INVALID_OPTION', `weights is one of ${WEIGHTS.join(', ')}`);
  if (
    batch !== undefined &&
    batch !== 'dynamic' &&
    !(Number.isInteger(batch) && batch >= BATCH.min && batch <= BATCH.max)
  )
    throw failure('INVALID_OPTION', `batch is 'dynamic' or a whole number from ${BATCH.min} to ${BATCH.max}`);
  if (signature !== undefined && typeof signature !== 'string')
    throw failure('INVALID_OPTION', 'signature is a name');
  checkNames('outputs', outputs);
  if (classes !== undefined && (!Array.isArray(classes) || classes.length === 0))
    throw failure('INVALID_OPTION', 'classes is a list of names, MIDs or numbers');
  if (typeof keepBatchNorm !== 'boolean') throw failure('INVALID_OPTION', 'keepBatchNorm is true or false');
  return { ...options, weights };
}

/** @param {string} key @param {unknown} names */
function checkNames(key, names) {
  const isList = Array.isArray(names) && names.length > 0 && names.every((name) => typeof name === 'string');
  if (names !== undefined && !isList) throw failure('INVALID_OPTION', `${key} is a list of names`);
}
