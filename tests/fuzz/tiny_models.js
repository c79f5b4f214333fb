// Small .tflite files made here: networks that no converter would write, and a detector that loads in a millisecond.
import { blob, Builder, float32s, int32s, int64s, offsets, table } from '../../wasm/tflite/flatbuffer.js';

/**
 * @typedef {'float32' | 'float16' | 'int32' | 'uint8' | 'int64' | 'bool' | 'int8'} Dtype
 * @typedef {object} TinyTensor
 * @property {number[]} shape
 * @property {number[]} [signature] the shape with -1 where it is free
 * @property {Dtype} [dtype] float32
 * @property {number | number[]} [scale] of 8 bits, or one per element of dimension `axis`
 * @property {number} [zeroPoint] 0
 * @property {number} [axis]
 * @property {number[]} [data] a constant's elements
 *
 * @typedef {import('../../wasm/tflite/flatbuffer.js').Field} Field
 * @typedef {Field | ['ints', id: number, values: number[]]} TinyField
 * @typedef {object} TinyOperator
 * @property {number} code TFLite's BuiltinOperator
 * @property {number[]} inputs
 * @property {number[]} outputs
 * @property {[type: number, ...fields: TinyField[]]} [options]
 * @property {string} [custom] name of an operator with code 32
 * @property {Uint8Array} [customOptions]
 */

const DTYPES = {
  float32: { type: 0, View: Float32Array },
  float16: { type: 1, View: Uint16Array },
  int32: { type: 2, View: Int32Array },
  uint8: { type: 3, View: Uint8Array },
  int64: { type: 4, View: BigInt64Array },
  bool: { type: 6, View: Uint8Array },
  int8: { type: 9, View: Int8Array },
};

/**
 * @param {{tensors: TinyTensor[], operators: TinyOperator[], inputs: number[], outputs: number[], metadata?: Uint8Array}} network
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function writeModel({ tensors, operators, inputs, outputs, metadata }) {
  const builder = new Builder(1024);
  const buffers = [table(builder, [])];
  const codes = operators.map(({ code, custom }) =>
    table(builder, [
      ['i8', 0, Math.min(code, 127)],
      ['ref', 1, custom === undefined ? undefined : builder.createString(custom)],
      ['i32', 2, 1],
      ['i32', 3, code],
    ]),
  );
  const tensorTables = tensors.map((tensor, i) => writeTensor(builder, tensor, `t${i}`, buffers));
  const operatorTables = operators.map((operator, i) => writeOperator(builder, operator, i));
  const entries = metadata ? [writeEntry(builder, metadata, buffers)] : [];
  const subgraph = table(builder, [
    ['ref', 0, offsets(builder, tensorTables)],
    ['ref', 1, int32s(builder, inputs)],
    ['ref', 2, int32s(builder, outputs)],
    ['ref', 3, offsets(builder, operatorTables)],
  ]);
  builder.finish(
    table(builder, [
      ['u32', 0, 3],
      ['ref', 1, offsets(builder, codes)],
      ['ref', 2, offsets(builder, [subgraph])],
      ['ref', 4, offsets(builder, buffers)],
      ['ref', 6, metadata && offsets(builder, entries)],
    ]),
    'TFL3',
  );
  return new Uint8Array(builder.asUint8Array());
}

/** @param {Builder} builder @param {Uint8Array} metadata @param {number[]} buffers */
function writeEntry(builder, metadata, buffers) {
  const buffer = buffers.push(table(builder, [['ref', 0, blob(builder, metadata)]])) - 1;
  return table(builder, [
    ['ref', 0, builder.createString('TFLITE_METADATA')],
    ['u32', 1, buffer],
  ]);
}

/** @param {Builder} builder @param {TinyTensor} tensor @param {string} name @param {number[]} buffers */
function writeTensor(builder, tensor, name, buffers) {
  const { shape, signature, dtype = 'float32', scale, zeroPoint = 0, axis = 0, data } = tensor;
  const elements =
    dtype === 'int64' ? BigInt64Array.from(data ?? [], BigInt) : new DTYPES[dtype].View(data ?? []);
  const bytes = data && new Uint8Array(elements.buffer);
  const buffer = bytes ? buffers.push(table(builder, [['ref', 0, blob(builder, bytes)]])) - 1 : 0;
  const scales = [scale ?? []].flat();
  const quantization =
    scale &&
    table(builder, [
      ['ref', 2, float32s(builder, scales)],
      ['ref', 3, int64s(builder, new Array(scales.length).fill(zeroPoint))],
      ['i32', 6, axis],
    ]);
  return table(builder, [
    ['ref', 0, int32s(builder, shape)],
    ['i8', 1, DTYPES[dtype].type],
    ['u32', 2, buffer],
    ['ref', 3, builder.createString(name)],
    ['ref', 4, quantization],
    ['ref', 7, signature && int32s(builder, signature)],
  ]);
}

/** @param {Builder} builder @param {TinyOperator} operator @param {number} codeIndex */
function writeOperator(builder, { inputs, outputs, options, customOptions }, codeIndex) {
  const [type, ...given] = options ?? [0];
  const fields = given.map((field) =>
    field[0] === 'ints' ? /** @type {Field} */ (['ref', field[1], int32s(builder, field[2])]) : field,
  );
  return table(builder, [
    ['u32', 0, codeIndex],
    ['ref', 1, int32s(builder, inputs)],
    ['ref', 2, int32s(builder, outputs)],
    ['i8', 3, type],
    ['ref', 4, options && table(builder, fields)],
    ['ref', 5, customOptions && blob(builder, customOptions)],
  ]);
}

/** The anchors of the tiny detector: one per cell of its 4 x 4 grid. */
export const TINY_ANCHORS = Array.from({ length: 16 }, (_, i) => [
  ((i >> 2) + 0.5) / 4,
  ((i & 3) + 0.5) / 4,
  0.3,
  0.3,
]);

/**
 * [1, 8, 8, 3] -> depthwise 3x3 -> two 2x2 convolutions of stride 2 -> boxes [1, 16, 4] and scores [1, 16, 3].
 * @param {Uint8Array} [metadata]
 */
export function tinyDetector(metadata) {
  const wave = (/** @type {number} */ count) => Array.from({ length: count }, (_, i) => Math.sin(i * 7) / 2);
  /** @type {import('../../wasm/tflite/flatbuffer.js').Field[]} */
  const stride2 = [
    ['i32', 1, 2],
    ['i32', 2, 2],
    ['i32', 4, 1],
    ['i32', 5, 1],
  ];
  return writeModel({
    tensors: [
      { shape: [1, 8, 8, 3] },
      { shape: [1, 3, 3, 3], data: wave(27) },
      { shape: [3], data: wave(3) },
      { shape: [1, 8, 8, 3] },
      { shape: [4, 2, 2, 3], data: wave(48) },
      { shape: [4], data: wave(4) },
      { shape: [1, 4, 4, 4] },
      { shape: [3, 2, 2, 3], data: wave(36) },
      { shape: [3], data: wave(3) },
      { shape: [1, 4, 4, 3] },
      { shape: [3], dtype: 'int32', data: [1, -1, 4] },
      { shape: [1, 16, 4] },
      { shape: [3], dtype: 'int32', data: [1, 16, 3] },
      { shape: [1, 16, 3] },
    ],
    operators: [
      {
        code: 4,
        inputs: [0, 1, 2],
        outputs: [3],
        options: [2, ['i32', 1, 1], ['i32', 2, 1], ['i32', 3, 1], ['i8', 4, 3], ['i32', 5, 1], ['i32', 6, 1]],
      },
      { code: 3, inputs: [3, 4, 5], outputs: [6], options: [1, ...stride2] },
      { code: 3, inputs: [3, 7, 8], outputs: [9], options: [1, ...stride2] },
      { code: 22, inputs: [6, 10], outputs: [11] },
      { code: 22, inputs: [9, 12], outputs: [13] },
    ],
    inputs: [0],
    outputs: [11, 13],
    metadata,
  });
}
