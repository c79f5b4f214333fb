// The options of quantize(): types, defaults and checks.
import { failure } from '../shared/errors.js';
import {
  checkBoolean,
  checkCallbacks,
  checkChoice,
  checkKeys,
  checkSignal,
  checkText,
} from '../shared/options.js';
import { resolveReading } from '../vision/reading.js';

/**
 * @typedef {import('../shared/platform.js').Global<'AbortSignal'>} WebSignal
 * @typedef {import('../engine/engine.js').InputSpec} InputSpec
 *
 * @typedef {object} QuantizeOptions
 * @property {Partial<InputSpec> | string} [input] how pixels become the network's input, if the file does not say it: the
 *   values that it takes ('[-1,1]', '[0,1]', '[0,255]' or 'imagenet'), or an object
 * @property {string} [signature] which of the file's signatures to quantize; default: its first subgraph
 * @property {import('./ranges.js').RangeMethod} [ranges] how to choose the range of each tensor. 'mse' (the default):
 *   the range with the least squared error; 'minmax': minimum and maximum over all images; 'average': moving average of
 *   each image's minimum and maximum; 'percentile': clip 0.001 % of the values at each end
 * @property {boolean} [correctBias] correct each channel's bias for the shift that rounding causes; default true
 * @property {string[]} [keepFloat] names of tensors; the operators that compute them are not quantized
 * @property {'float32' | 'uint8' | 'int8'} [inputType] default float32; uint8 takes raw pixels
 * @property {'float32' | 'int8'} [outputType] default float32
 * @property {number} [maxPixels] images with more pixels throw IMAGE_TOO_LARGE; default 100 000 000
 * @property {(error: Error, index: number) => void} [onUnreadable] called with each image that cannot be read, which is
 *   then left out; without it the call throws
 * @property {boolean} [report] compare both networks and return a report; default true
 * @property {(progress: {stage: typeof STAGES[number], images?: number}) => void} [onProgress]
 * @property {WebSignal} [signal]
 */

export const STAGES = /** @type {const} */ (['calibrate', 'correct', 'compare']);
export const RANGE_METHODS = /** @type {const} */ (['mse', 'minmax', 'average', 'percentile']);
export const INPUT_TYPES = /** @type {const} */ (['float32', 'uint8', 'int8']);
export const OUTPUT_TYPES = /** @type {const} */ (['float32', 'int8']);

const KEYS = [
  ...[
    'input',
    'signature',
    'ranges',
    'correctBias',
    'keepFloat',
    'inputType',
    'outputType',
    'maxPixels',
    'report',
  ],
  ...['onProgress', 'onUnreadable', 'signal'],
];

/** @param {QuantizeOptions} options */
export function checkOptions(options) {
  checkKeys('options', options, KEYS);
  const { keepFloat = [], maxPixels, onProgress = () => {}, onUnreadable, signal, signature } = options;
  if (!Array.isArray(keepFloat) || !keepFloat.every((name) => typeof name === 'string'))
    throw failure('INVALID_OPTION', 'keepFloat must be an array of tensor names');
  checkSignal(signal);
  checkCallbacks({ onProgress, onUnreadable });
  return {
    keepFloat,
    onProgress,
    onUnreadable,
    signal,
    signature: signature === undefined ? undefined : checkText('signature', signature),
    input: options.input,
    reading: resolveReading({ maxPixels }),
    ranges: checkChoice('ranges', options.ranges ?? 'mse', RANGE_METHODS),
    correctBias: checkBoolean('correctBias', options.correctBias ?? true),
    report: checkBoolean('report', options.report ?? true),
    inputType: checkChoice('inputType', options.inputType ?? 'float32', INPUT_TYPES),
    outputType: checkChoice('outputType', options.outputType ?? 'float32', OUTPUT_TYPES),
  };
}
