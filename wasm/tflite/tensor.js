// Constant tensors: dtype, shape, and numbers (or strings, as bytes) in C order. Constant folding keeps float tensors
// in double precision; they are rounded once, when they are written.
import { graphFailure } from './errors.js';
import { sizeOf } from '../shared/numbers.js';

/**
 * @typedef {'float32' | 'float64' | 'float16' | 'bfloat16' | 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32' | 'uint32' |
 *   'int64' | 'uint64' | 'bool' | 'string' | 'resource' | 'variant' | 'other'} Dtype
 * @typedef {Float32Array | Float64Array | Int32Array | Uint8Array | Int8Array | Int16Array | Uint16Array} Numbers
 * @typedef {object} Tensor
 * @property {Dtype} dtype
 * @property {number[]} shape
 * @property {Numbers} data empty for strings
 * @property {Uint8Array[]} [strings]
 * @property {boolean} [symbolic] integers; a negative one stands for the free batch
 */

/** Numbers of types.proto. The number of a reference type is higher by 100. */
const DTYPES = /** @type {Record<number, Dtype>} */ ({
  ...{
    1: 'float32',
    2: 'float64',
    3: 'int32',
    4: 'uint8',
    5: 'int16',
    6: 'int8',
    7: 'string',
    9: 'int64',
    10: 'bool',
  },
  ...{
    14: 'bfloat16',
    17: 'uint16',
    19: 'float16',
    20: 'resource',
    21: 'variant',
    22: 'uint32',
    23: 'uint64',
  },
});

/** @param {number | undefined} number @returns {Dtype} */
export function dtypeOf(number = 0) {
  return DTYPES[number % 100] ?? 'other';
}

const ELEMENT_BYTES = /** @type {Record<Dtype, number>} */ ({
  ...{ float32: 4, float64: 8, float16: 2, bfloat16: 2, int8: 1, uint8: 1, int16: 2, uint16: 2 },
  ...{ int32: 4, uint32: 4, int64: 8, uint64: 8, bool: 1 },
});

/** The most elements of a tensor that is not stored element by element. */
const MAX_ELEMENTS = 2 ** 25;
const MAX_STRINGS = 2 ** 20;

/** @param {Dtype} dtype */
export function isFloat(dtype) {
  return dtype === 'float32' || dtype === 'float64' || dtype === 'float16' || dtype === 'bfloat16';
}

/**
 * Reads little-endian numbers of a dtype from bytes.
 * @param {Dtype} dtype
 * @param {Uint8Array} bytes
 * @returns {Numbers}
 */
export function fromBytes(dtype, bytes) {
  const size = ELEMENT_BYTES[dtype];
  if (size === undefined || bytes.length % size !== 0)
    throw graphFailure('SOURCE_DAMAGED', `${bytes.length} bytes are not a whole number of ${dtype} elements`);
  const count = bytes.length / size;
  const isAligned = bytes.byteOffset % size === 0;
  const { buffer, byteOffset } = isAligned ? bytes : new Uint8Array(bytes);
  if (dtype === 'float32') return new Float32Array(buffer, byteOffset, count);
  if (dtype === 'float64') return new Float64Array(buffer, byteOffset, count);
  if (dtype === 'int32' || dtype === 'uint32') return new Int32Array(buffer, byteOffset, count);
  if (dtype === 'int16') return new Int16Array(buffer, byteOffset, count);
  if (dtype === 'uint16') return new Uint16Array(buffer, byteOffset, count);
  if (dtype === 'int8') return new Int8Array(buffer, byteOffset, count);
  if (dtype === 'float16') return Float32Array.from(new Uint16Array(buffer, byteOffset, count), halfToNumber);
  if (dtype === 'bfloat16') return widenBfloat16(new Uint16Array(buffer, byteOffset, count));
  if (dtype === 'int64' || dtype === 'uint64')
    return Float64Array.from(new BigInt64Array(buffer, byteOffset, count), Number);
  return new Uint8Array(buffer, byteOffset, count);
}

/**
 * The numbers that stored integers stand for.
 * @param {ArrayLike<number>} stored
 * @param {number[]} shape
 * @param {{scales: ArrayLike<number>, zeroPoints: ArrayLike<number>, axis: number}} quantization with one scale and zero point,
 *   or one for each element of an axis
 */
export function dequantize(stored, shape, { scales, zeroPoints, axis }) {
  const block = Math.max(sizeOf(shape.slice(axis + 1)), 1);
  const data = new Float32Array(stored.length);
  for (let start = 0, number = 0; start < data.length; start += block, number++) {
    const channel = number % scales.length;
    const [scale, zero] = [scales[channel], zeroPoints[channel] ?? 0];
    for (let i = start; i < start + block; i++) data[i] = (stored[i] - zero) * scale;
  }
  return data;
}

/** @param {Uint16Array} halves */
function widenBfloat16(halves) {
  const words = Uint32Array.from(halves, (half) => half << 16);
  return new Float32Array(words.buffer);
}

const f32 = new Float32Array(1);
const u32 = new Uint32Array(f32.buffer);

/** The bits of these numbers as binary32: the least normal binary16, the greatest, and 1/2, whose last place is 2^-24. */
const [NORMAL, GREATEST, HALF] = [0x38800000, 0x477fe000, 0x3f000000];
/** What the exponents of binary32 have more. */
const BIAS = (127 - 15) << 23;

/** @param {number} half the bits of an IEEE 754 binary16 */
export function halfToNumber(half) {
  const magnitude = half & 0x7fff;
  const sign = half & 0x8000 ? -1 : 1;
  if (magnitude < 0x400) return (sign * magnitude) / 0x1000000;
  if (magnitude >= 0x7c00) return magnitude > 0x7c00 ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  u32[0] = (magnitude << 13) + BIAS;
  return sign * f32[0];
}

/** @param {number} value @returns {number} the bits of the nearest binary16, ties to even; saturates */
export function numberToHalf(value) {
  f32[0] = value;
  const sign = (u32[0] >>> 16) & 0x8000;
  const magnitude = u32[0] & 0x7fffffff;
  if (magnitude > GREATEST) return sign | 0x7bff;
  if (magnitude >= NORMAL) return sign | ((magnitude - BIAS + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  // The sum is rounded to steps of 2^-24, those of small binary16.
  f32[0] = 0.5 + Math.abs(f32[0]);
  return sign | (u32[0] - HALF);
}

/** @param {ArrayLike<number>} values @param {Uint16Array<ArrayBuffer>} [halves] to write them to */
export function toHalves(values, halves = new Uint16Array(values.length)) {
  for (let i = 0; i < values.length; i++) halves[i] = numberToHalf(values[i]);
  return halves;
}

/**
 * An array for `count` results of a dtype.
 * @param {Dtype} dtype
 * @param {number} count
 * @returns {Numbers}
 */
export function allocate(dtype, count) {
  if (!(count >= 0 && count <= MAX_ELEMENTS))
    throw graphFailure('GRAPH_BAD', `a tensor of ${count} elements`);
  if (isFloat(dtype) || dtype === 'int64' || dtype === 'uint64') return new Float64Array(count);
  if (dtype === 'bool' || dtype === 'uint8') return new Uint8Array(count);
  return new Int32Array(count);
}

/**
 * Converts a TensorProto.
 * @param {any} proto decoded
 * @returns {Tensor}
 */
export function tensorFromProto(proto) {
  const dtype = dtypeOf(proto.dtype);
  const shape = shapeFromProto(proto.tensorShape) ?? [];
  const count = sizeOf(shape);
  if (dtype === 'string') {
    const strings = /** @type {Uint8Array[]} */ (proto.stringVal ?? []);
    const fill = strings.at(-1) ?? new Uint8Array(0);
    if (!(count >= 0 && count <= MAX_STRINGS)) throw graphFailure('GRAPH_BAD', `${count} strings`);
    return {
      dtype,
      shape,
      data: new Uint8Array(0),
      strings: Array.from({ length: count }, (_, i) => strings[i] ?? fill),
    };
  }
  if (proto.tensorContent?.length > 0) {
    const data = fromBytes(dtype, proto.tensorContent);
    if (data.length !== count) throw graphFailure('GRAPH_BAD', `${data.length} elements for [${shape}]`);
    return { dtype, shape, data };
  }
  const values = splatValues(dtype, proto);
  const data = allocate(dtype, count);
  if (values.length > count) throw graphFailure('GRAPH_BAD', `${values.length} elements for [${shape}]`);
  for (let i = 0; i < values.length; i++) data[i] = values[i];
  if (values.length > 0) data.fill(values[values.length - 1], values.length);
  return { dtype, shape, data };
}

/**
 * The values in a TensorProto's typed field. If they are too few, the last one is repeated.
 * @param {Dtype} dtype
 * @param {any} proto
 * @returns {number[]}
 */
function splatValues(dtype, proto) {
  if (dtype === 'float16') return (proto.halfVal ?? []).map(halfToNumber);
  if (dtype === 'bfloat16') return [...widenBfloat16(Uint16Array.from(proto.halfVal ?? []))];
  const { floatVal, doubleVal, intVal, int64Val, boolVal, uint32Val, uint64Val } = proto;
  return (floatVal ?? doubleVal ?? intVal ?? int64Val ?? boolVal ?? uint32Val ?? uint64Val ?? []).map(Number);
}

/**
 * @param {any} proto a decoded TensorShapeProto
 * @returns {number[] | undefined} -1: an unknown dimension; undefined: unknown rank
 */
export function shapeFromProto(proto) {
  if (proto === undefined || proto.unknownRank) return undefined;
  return (proto.dim ?? []).map((/** @type {any} */ dim) => Number(dim.size ?? 0));
}
