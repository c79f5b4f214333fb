// The options of convert(): types, defaults and checks.
import { failure } from '../shared/errors.js';
import { checkCallbacks, checkSignal, checkText } from '../shared/options.js';
import { normalizationOption } from './normalization.js';

/**
 * @typedef {import('../shared/platform.js').Global<'AbortSignal'>} WebSignal
 * @typedef {import('../shared/pixel_range.js').Normalization} Normalization
 *
 * @typedef {object} ConvertOptions
 * @property {'fp32' | 'fp16' | 'int8' | 'hybrid'} [weights] default fp32; int8: symmetric per channel, and the network computes
 *   in float; hybrid: as int8, but operators round their inputs to 8 bits too
 * @property {number | 'dynamic'} [batch] batch size, if the source does not fix it; default: dynamic, or 1 for a
 *   detector
 * @property {[number, number]} [size] height and width of the image that the network takes, if the source leaves them
 *   open
 * @property {string} [signature] name of the SavedModel's signature; default: serving_default, else default, else the
 *   first
 * @property {string[]} [outputs] names of signature outputs or of nodes; default: the signature's outputs
 * @property {(string | number)[]} [classes] detectors only: keep only the heads of these classes, given by name, MID or
 *   class id
 * @property {string | Normalization} [input] which values the network takes, if the
 *   source does not say it: '[-1,1]', '[0,1]', '[0,255]', 'imagenet', or scale and offset; written into the file
 * @property {boolean} [keepBatchNorm] store the batch norm that is folded into convolutions in the file's metadata, so
 *   that it can be trained; default false
 * @property {boolean} [verify] run the file beside the source's graph, and refuse it if they differ; default true
 * @property {(progress: {stage: Stage, done?: number, total?: number}) => void} [onProgress] `done` and `total`: while
 *   verifying, the operators of the source that were computed
 * @property {WebSignal} [signal]
 *
 * @typedef {typeof STAGES[number]} Stage
 */

export const STAGES = /** @type {const} */ (['unpack', 'read', 'simplify', 'write', 'verify']);

const KEYS = [
  ...['weights', 'batch', 'signature', 'outputs', 'classes', 'keepBatchNorm', 'verify', 'onProgress'],
  ...['input', 'signal', 'size'],
];
export const WEIGHTS = /** @type {const} */ (['fp32', 'fp16', 'int8', 'hybrid']);
export const SIZE = { min: 1, max: 4096, integer: true };
export const BATCH = { min: 1, max: 4096, integer: true };

/** @param {ConvertOptions} options */
export function checkOptions(options) {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw failure('INVALID_OPTION', 'options must be an object');
  const unknown = Object.keys(options).find((key) => !KEYS.includes(key));
  if (unknown) throw failure('INVALID_OPTION', `there is no option '${unknown}'`);
  const { weights = 'fp32', batch, signature, outputs, classes } = options;
  const { keepBatchNorm = false, verify = true, onProgress = () => {} } = options;
  if (!WEIGHTS.includes(weights))
    throw failure('INVALID_OPTION', `weights must be one of ${WEIGHTS.join(', ')}`);
  if (
    batch !== undefined &&
    batch !== 'dynamic' &&
    !(Number.isInteger(batch) && batch >= BATCH.min && batch <= BATCH.max)
  )
    throw failure(
      'INVALID_OPTION',
      `batch must be 'dynamic' or an integer from ${BATCH.min} to ${BATCH.max}`,
    );
  checkSize(options.size);
  if (signature !== undefined) checkText('signature', signature);
  checkNames('outputs', outputs);
  if (classes !== undefined && (!Array.isArray(classes) || classes.length === 0))
    throw failure('INVALID_OPTION', 'classes must be a non-empty array of names, MIDs or class ids');
  if (typeof keepBatchNorm !== 'boolean')
    throw failure('INVALID_OPTION', 'keepBatchNorm must be true or false');
  if (options.input !== undefined) normalizationOption(options.input);
  if (typeof verify !== 'boolean') throw failure('INVALID_OPTION', 'verify must be true or false');
  checkCallbacks({ onProgress });
  checkSignal(options.signal);
  return { ...options, weights, verify, onProgress };
}

/** @param {unknown} size */
function checkSize(size) {
  const isSide = (/** @type {unknown} */ side) =>
    Number.isInteger(side) && Number(side) >= SIZE.min && Number(side) <= SIZE.max;
  if (size !== undefined && !(Array.isArray(size) && size.length === 2 && size.every(isSide)))
    throw failure(
      'INVALID_OPTION',
      `size must be height and width, each an integer from ${SIZE.min} to ${SIZE.max}`,
    );
}

/** @param {string} key @param {unknown} names */
function checkNames(key, names) {
  const isList = Array.isArray(names) && names.length > 0 && names.every((name) => typeof name === 'string');
  if (names !== undefined && !isList)
    throw failure('INVALID_OPTION', `${key} must be a non-empty array of names`);
}
