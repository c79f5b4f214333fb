// What quantize() may be asked for.
import { failure } from '../shared/errors.js';
import { checkBoolean, checkChoice, checkKeys } from '../shared/options.js';
import { checkMaxPixels } from '../vision/input.js';

/**
 * @typedef {import('../engine/engine.js').InputSpec} InputSpec
 *
 * @typedef {object} QuantizeOptions
 * @property {Partial<InputSpec>} [input] how pixels become the model's input, where the file does not say
 * @property {import('./ranges.js').RangeMethod} [ranges] what the range of a tensor is taken from: 'minmax' of all
 *   images, the moving 'average' of each image's, a 'percentile' (0.001 % left outside at each end), or the range with
 *   the least squared error, 'mse', the default
 * @property {boolean} [correctBias] take back by which rounding shifts each channel; default true
 * @property {string[]} [keepFloat] names of tensors: the operators that make them stay in float
 * @property {'float32' | 'uint8' | 'int8'} [inputType] default float32; uint8: pixels as they are
 * @property {'float32' | 'int8'} [outputType] default float32
 * @property {number} [maxPixels] images with more pixels throw IMAGE_TOO_LARGE; default 16 777 216
 * @property {boolean} [report] also compare both networks; default true
 * @property {(progress: {stage: 'calibrate' | 'correct' | 'compare', images?: number}) => void} [onProgress]
 * @property {AbortSignal} [signal]
 */

export const RANGE_METHODS = /** @type {const} */ (['mse', 'minmax', 'average', 'percentile']);
export const INPUT_TYPES = /** @type {const} */ (['float32', 'uint8', 'int8']);
export const OUTPUT_TYPES = /** @type {const} */ (['float32', 'int8']);

const KEYS = [
  ...['input', 'ranges', 'correctBias', 'keepFloat', 'inputType', 'outputType', 'maxPixels', 'report'],
  ...['onProgress', 'signal'],
];

/** @param {QuantizeOptions} options */
export function checkOptions(options) {
  checkKeys('options', options, KEYS);
  const { keepFloat = [], maxPixels, onProgress = () => {}, signal } = options;
  if (!Array.isArray(keepFloat) || !keepFloat.every((name) => typeof name === 'string'))
    throw failure('INVALID_OPTION', 'keepFloat is a list of names');
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw failure('INVALID_OPTION', 'signal must be an AbortSignal');
  return {
    keepFloat,
    onProgress,
    signal,
    input: options.input,
    maxPixels: checkMaxPixels(maxPixels),
    ranges: checkChoice('ranges', options.ranges ?? 'mse', RANGE_METHODS),
    correctBias: checkBoolean('correctBias', options.correctBias ?? true),
    report: checkBoolean('report', options.report ?? true),
    inputType: checkChoice('inputType', options.inputType ?? 'float32', INPUT_TYPES),
    outputType: checkChoice('outputType', options.outputType ?? 'float32', OUTPUT_TYPES),
  };
}
