// The rules of TFLite's 8-bit quantization specification for each operator; most come from src/tflite/operators.def.
import { kindOf, OPERATORS } from '../tflite/operators.js';

/**
 * @typedef {object} Rule
 * @property {number} version the operator's version when its tensors are int8
 * @property {number} [maps] the first `maps` inputs are feature maps; default: all
 * @property {number} [axis] only if the operator has weights (input 1; its bias is input 2): each index along this axis
 *   has a scale; -1: one scale for all
 * @property {boolean} isTied inputs and output must have the same scale and zero point
 * @property {boolean} isDataMovement it copies values without computing (reshape, concatenation …)
 * @property {boolean} isProbability its output must have scale 1/256 and zero point -128
 */

/** @type {Record<string, number>} */
const WEIGHT_AXES = { CONV_2D: 0, DEPTHWISE_CONV_2D: 3, FULLY_CONNECTED: -1 };

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
    maps: operator.maps,
    axis: WEIGHT_AXES[kind],
    isTied: form === 'tied' || form === 'moves',
    isDataMovement: form === 'moves',
    isProbability: form === 'probability',
  };
}

/**
 * @param {import('./file.js').Operator} operator
 * @param {Rule} rule
 * @returns {number[]} positions of the inputs that are feature maps
 */
export function dataInputs({ inputs }, { maps }) {
  return Array.from({ length: maps ?? inputs.length }, (_, i) => i);
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
