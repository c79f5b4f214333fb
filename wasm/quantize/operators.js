// The rules of TFLite's 8-bit quantization specification for each operator; most come from src/tflite/operators.def.
import { kindOf, OPERATORS } from '../tflite/operators.js';

/**
 * @typedef {object} Rule
 * @property {number} version the operator's version when its tensors are int8
 * @property {number} firstMap the first input that is a feature map
 * @property {number} [maps] so many inputs are feature maps; default: all
 * @property {number} [axis] only if the operator has weights (input 1; its bias is input 2): each index along this axis
 *   has a scale; -1: one scale for all
 * @property {boolean} isTied inputs and outputs must have the same scale and zero point
 * @property {boolean} isDataMovement it copies values without computing (reshape, concatenation …)
 * @property {{scale: number, zeroPoint: number}} [outputScale] the only scale and zero point that its output may have
 */

/** @type {Record<string, number>} */
const WEIGHT_AXES = { CONV_2D: 0, DEPTHWISE_CONV_2D: 3, FULLY_CONNECTED: -1 };

/** By form. @type {Record<string, {scale: number, zeroPoint: number} | undefined>} */
const OUTPUT_SCALES = {
  probability: { scale: 1 / 256, zeroPoint: -128 },
  signedUnit: { scale: 1 / 128, zeroPoint: 0 },
  logProbability: { scale: 16 / 256, zeroPoint: 127 },
};

export const DEPTHWISE_CONV_2D = OPERATORS.DEPTHWISE_CONV_2D.code;
export const DEQUANTIZE = OPERATORS.DEQUANTIZE.code;
export const LOGISTIC = OPERATORS.LOGISTIC.code;
export const QUANTIZE = OPERATORS.QUANTIZE.code;

/**
 * @param {number} code BuiltinOperator
 * @returns {Rule | undefined} undefined if it cannot be quantized
 */
export function ruleOf(code) {
  const kind = kindOf(code);
  const operator = kind === undefined ? undefined : OPERATORS[kind];
  if (!kind || !operator?.int8) return undefined;
  const { form, version } = operator.int8;
  return {
    version,
    firstMap: operator.firstMap ?? 0,
    maps: operator.maps,
    axis: WEIGHT_AXES[kind],
    isTied: form === 'tied' || form === 'moves',
    isDataMovement: form === 'moves',
    outputScale: OUTPUT_SCALES[form],
  };
}

/**
 * @param {import('./file.js').Operator} operator
 * @param {Rule} rule
 * @returns {number[]} positions of the inputs that are feature maps
 */
export function dataInputs({ inputs }, { firstMap, maps }) {
  return Array.from({ length: maps ?? inputs.length }, (_, i) => firstMap + i);
}

/**
 * The operator's version when its tensors are int8.
 * @param {import('./file.js').Operator} operator
 * @param {Rule} rule
 */
export function int8Version({ code, options }, rule) {
  const isHalfPixel =
    (kindOf(code) === 'RESIZE_BILINEAR' && options[3] === 1) ||
    (kindOf(code) === 'RESIZE_NEAREST_NEIGHBOR' && options[1] === 1);
  return isHalfPixel ? 3 : rule.version;
}
