// What TFLite's 8-bit quantization specification says of each operator, beside what src/tflite/operators.def does.
import { kindOf, OPERATORS } from '../tflite/operators.js';

/**
 * @typedef {object} Rule
 * @property {number} version of the operator where its tensors are int8
 * @property {number} [maps] how many inputs, the first ones, are feature maps; default: all
 * @property {number} [axis] it has weights (input 1, bias input 2), with a scale for each index along that axis; -1: one
 * @property {boolean} isSame inputs and output have one scale
 * @property {boolean} isMove it only moves numbers
 * @property {boolean} isProbability its output's scale is 1/256, its zero point -128
 */

/** @type {Record<string, number>} */
const WEIGHT_AXES = { CONV_2D: 0, DEPTHWISE_CONV_2D: 3, FULLY_CONNECTED: -1 };

export const DEPTHWISE_CONV_2D = OPERATORS.DEPTHWISE_CONV_2D.code;
export const DEQUANTIZE = OPERATORS.DEQUANTIZE.code;
export const QUANTIZE = OPERATORS.QUANTIZE.code;

/**
 * @param {number} code BuiltinOperator
 * @returns {Rule | undefined} undefined: it has no 8-bit form
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
    isSame: form === 'tied' || form === 'moves',
    isMove: form === 'moves',
    isProbability: form === 'probability',
  };
}

/**
 * Which of the operator's inputs are feature maps.
 * @param {import('./file.js').Operator} operator
 * @param {Rule} rule
 */
export function dataInputs({ inputs }, { maps }) {
  return Array.from({ length: maps ?? inputs.length }, (_, i) => i);
}

/**
 * @param {import('./file.js').Operator} operator
 * @param {Rule} rule
 */
export function int8Version({ code, options }, rule) {
  const isHalfPixel =
    (kindOf(code) === 'RESIZE_BILINEAR' && options[3] === 1) ||
    (kindOf(code) === 'RESIZE_NEAREST_NEIGHBOR' && options[1] === 1);
  return isHalfPixel ? 3 : rule.version;
}
