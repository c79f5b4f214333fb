// Reads a float .tflite model with all constants in float32: converts float16 and int8 constants, and removes the
// DEQUANTIZE operators that converted them at run time.
import { dequantize, fromBytes } from '../tflite/tensor.js';
import { failure } from './errors.js';
import { readFile, TYPE } from './file.js';
import { DEQUANTIZE } from './operators.js';

/**
 * @typedef {import('./file.js').Model} Model
 * @typedef {import('./file.js').Tensor} Tensor
 */

/**
 * @param {Uint8Array} bytes a file that the engine has verified
 * @param {string} [signature] see readFile
 * @returns {Model}
 */
export function readFloatModel(bytes, signature) {
  const model = readFile(bytes, signature);
  const quantized = model.operators
    .flatMap(({ inputs, outputs }) => [...inputs, ...outputs].filter((i) => i >= 0))
    .map((i) => model.tensors[i])
    .find(
      ({ data, type, quantization }) => !data && quantization && (type === TYPE.int8 || type === TYPE.uint8),
    );
  if (quantized) throw failure('ALREADY_QUANTIZED', `'${quantized.name}'`);
  /** The constant behind each removed DEQUANTIZE's output. @type {Map<number, number>} */
  const sources = new Map();
  const operators = model.operators.filter(({ code, inputs: [input], outputs: [output] }) => {
    if (code !== DEQUANTIZE || !model.tensors[input].data) return true;
    sources.set(output, input);
    return false;
  });
  return {
    ...model,
    tensors: model.tensors.map(toFloat32),
    operators: operators.map((operator) => ({
      ...operator,
      inputs: operator.inputs.map((input) => sources.get(input) ?? input),
    })),
  };
}

/** @param {Tensor} tensor @returns {Tensor} */
function toFloat32(tensor) {
  const { data, shape, type, quantization } = tensor;
  if (!data || (type !== TYPE.float16 && !(type === TYPE.int8 && quantization))) return tensor;
  const values =
    type === TYPE.float16
      ? Float32Array.from(fromBytes('float16', data))
      : dequantize(
          fromBytes('int8', data),
          shape,
          /** @type {import('./file.js').Quantization} */ (quantization),
        );
  return { ...tensor, type: TYPE.float32, data: toBytes(values), quantization: undefined };
}

/** @param {{buffer: ArrayBufferLike, byteOffset: number, byteLength: number}} array */
export function toBytes({ buffer, byteOffset, byteLength }) {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The values of a float32 constant; not a copy. @param {Tensor} tensor @returns {Float32Array} */
export function floatsOf({ data }) {
  return /** @type {Float32Array} */ (fromBytes('float32', data ?? new Uint8Array(0)));
}

/** The values of an int32 constant. @param {Tensor} tensor @returns {number[]} */
export function int32sOf({ data }) {
  return [...fromBytes('int32', data ?? new Uint8Array(0))];
}
