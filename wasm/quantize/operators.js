// What TFLite's 8-bit quantization specification says of each operator: BuiltinOperator number -> rule.

/**
 * @typedef {object} Rule
 * @property {number} version of the operator where its tensors are int8
 * @property {number[]} [data] which inputs are feature maps; default: all
 * @property {number} [axis] it has weights (input 1, bias input 2), with a scale for each index along that axis; -1: one
 * @property {boolean} [isSame] inputs and output have one scale
 * @property {boolean} [isMove] it only moves numbers
 * @property {boolean} [isProbability] its output's scale is 1/256, its zero point -128
 */

/** @type {Record<number, Rule>} */
export const RULES = {
  0: { version: 2 }, // ADD
  1: { version: 2, isSame: true }, // AVERAGE_POOL_2D
  2: { version: 2, isSame: true, isMove: true }, // CONCATENATION
  3: { version: 3, data: [0], axis: 0 }, // CONV_2D
  4: { version: 3, data: [0], axis: 3 }, // DEPTHWISE_CONV_2D
  9: { version: 4, data: [0], axis: -1 }, // FULLY_CONNECTED
  14: { version: 2, isProbability: true }, // LOGISTIC
  17: { version: 2, isSame: true }, // MAX_POOL_2D
  18: { version: 2 }, // MUL
  19: { version: 2 }, // RELU
  21: { version: 2 }, // RELU6
  22: { version: 1, data: [0], isSame: true, isMove: true }, // RESHAPE
  23: { version: 2, data: [0], isSame: true }, // RESIZE_BILINEAR
  25: { version: 2, isProbability: true }, // SOFTMAX
  34: { version: 2, data: [0], isSame: true }, // PAD
  39: { version: 2, data: [0], isSame: true, isMove: true }, // TRANSPOSE
  40: { version: 2, data: [0] }, // MEAN
  41: { version: 2 }, // SUB
  43: { version: 1, data: [0], isSame: true, isMove: true }, // SQUEEZE
  45: { version: 2, data: [0], isSame: true, isMove: true }, // STRIDED_SLICE
  69: { version: 1, data: [0], isSame: true, isMove: true }, // TILE
  70: { version: 1, data: [0], isSame: true, isMove: true }, // EXPAND_DIMS
  83: { version: 2, isSame: true, isMove: true }, // PACK
  97: { version: 2, data: [0], isSame: true }, // RESIZE_NEAREST_NEIGHBOR
  117: { version: 1 }, // HARD_SWISH
};

export const DEPTHWISE_CONV_2D = 4;
export const DEQUANTIZE = 6;
export const RESIZE_BILINEAR = 23;
export const RESIZE_NEAREST_NEIGHBOR = 97;
export const QUANTIZE = 114;

/**
 * Which of the operator's inputs are feature maps.
 * @param {import('./file.js').Operator} operator
 * @param {Rule} rule
 */
export function dataInputs({ inputs }, { data }) {
  return data ?? inputs.map((_, i) => i);
}

/**
 * @param {import('./file.js').Operator} operator
 * @param {Rule} rule
 */
export function int8Version({ code, options }, rule) {
  const isHalfPixel = options[code === RESIZE_BILINEAR ? 3 : 1] === 1;
  const isResize = code === RESIZE_BILINEAR || code === RESIZE_NEAREST_NEIGHBOR;
  return isResize && isHalfPixel ? 3 : rule.version;
}
