// Reads a .tflite file into plain objects and writes it back, the same way for every operator. Field ids are from
// TFLite's schema.fbs, version 3. The engine must verify a file before it is read here.
import {
  blob,
  Builder,
  float32s,
  int32s,
  int64s,
  offsets,
  table,
  writeOptions,
} from '../tflite/flatbuffer.js';
import { fieldsOf } from '../tflite/operators.js';
import { Table } from '../tflite/read.js';
import { sizeOf } from '../shared/numbers.js';
import { fromBytes } from '../tflite/tensor.js';
import { failure } from './errors.js';

/**
 * @typedef {object} Quantization real = (stored - zeroPoint) * scale; if there are several scales, one for each index
 *   along `axis`
 * @property {number[]} scales
 * @property {number[]} zeroPoints
 * @property {number} axis
 *
 * @typedef {object} Tensor
 * @property {string} name
 * @property {number[]} shape
 * @property {number[]} [signature] the shape with -1 for each free dimension
 * @property {number} type a value of TYPE
 * @property {Uint8Array} [data] only if the tensor is constant
 * @property {Quantization} [quantization]
 *
 * @typedef {object} Operator
 * @property {number} code BuiltinOperator
 * @property {string} custom name of a custom operator
 * @property {number} version
 * @property {number[]} inputs tensor indices; -1 if an optional input is absent
 * @property {number[]} outputs
 * @property {number} optionsType BuiltinOptions
 * @property {(number | number[] | undefined)[]} options by field id
 * @property {Uint8Array} [customOptions]
 *
 * @typedef {object} Model
 * @property {string} description
 * @property {Tensor[]} tensors
 * @property {Operator[]} operators
 * @property {number[]} inputs
 * @property {number[]} outputs
 * @property {{key: string, inputs: [string, number][], outputs: [string, number][]}[]} signatures
 * @property {{name: string, data: Uint8Array}[]} metadata
 */

export const TYPE = { float32: 0, float16: 1, int32: 2, uint8: 3, int64: 4, int8: 9 };

/**
 * @param {Uint8Array} bytes
 * @param {string} [signature] the signature whose subgraph is read; default: the first subgraph
 * @returns {Model} of one subgraph, with the signatures that run it
 */
export function readFile(bytes, signature) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const model = new Table(view, view.getUint32(0, true));
  const signatures = model.tables(7);
  const index = signatures.find((candidate) => candidate.text(2) === signature)?.i32(4) ?? 0;
  const subgraph = model.tables(2)[index];
  const codes = model.tables(1);
  const buffers = model.tables(4).map((buffer) => buffer.bytes(0));
  return {
    description: model.text(3),
    tensors: subgraph.tables(0).map((tensor) => readTensor(tensor, buffers)),
    operators: subgraph.tables(3).map((operator) => readOperator(operator, codes[operator.i32(0)])),
    inputs: subgraph.ints(1),
    outputs: subgraph.ints(2),
    signatures: signatures
      .filter((candidate) => candidate.i32(4) === index)
      .map((candidate) => ({
        key: candidate.text(2),
        inputs: readNames(candidate.tables(0)),
        outputs: readNames(candidate.tables(1)),
      })),
    metadata: model.tables(6).map((entry) => ({ name: entry.text(0), data: buffers[entry.i32(1)] })),
  };
}

/** @param {Table[]} ports a signature's inputs or outputs @returns {[string, number][]} name and tensor index */
function readNames(ports) {
  return ports.map((port) => [port.text(0), port.i32(1)]);
}

/** schema.fbs' TensorType of 4-bit integers. */
const INT4 = 17;

/** @param {Uint8Array} data two elements in a byte, the first in the low bits @param {number} length */
function unpackInt4(data, length) {
  return Uint8Array.from({ length }, (_, i) => (((data[i >> 1] >> (4 * (i % 2))) & 15) ^ 8) - 8);
}

/** @param {Table} tensor @param {Uint8Array[]} buffers @returns {Tensor} 4-bit constants as int8 */
function readTensor(tensor, buffers) {
  const isInt4 = tensor.i8(1) === INT4;
  const stored = buffers[tensor.i32(2)];
  const data = isInt4 ? unpackInt4(stored, sizeOf(tensor.ints(0))) : stored;
  if (tensor.field(6) !== 0) throw failure('SPARSE_WEIGHTS', `'${tensor.text(3)}'`);
  const quantization = tensor.table(4);
  const scales = quantization ? [...fromBytes('float32', quantization.bytes(2, 4))] : [];
  return {
    name: tensor.text(3),
    shape: tensor.ints(0),
    signature: tensor.field(7) === 0 ? undefined : tensor.ints(7),
    type: isInt4 ? TYPE.int8 : tensor.i8(1),
    data: data.length > 0 ? data : undefined,
    quantization:
      quantization && scales.length > 0
        ? {
            scales,
            zeroPoints: [...fromBytes('int64', quantization.bytes(3, 8))],
            axis: quantization.i32(6),
          }
        : undefined,
  };
}

/** @param {Table} operator @param {Table} code @returns {Operator} */
function readOperator(operator, code) {
  const optionsType = operator.i8(3);
  const options = operator.table(4);
  return {
    code: Math.max(code.i8(0), code.i32(3)),
    custom: code.text(1),
    version: code.i32(2, 1),
    inputs: operator.ints(1),
    outputs: operator.ints(2),
    optionsType,
    options: options ? fieldsOf(optionsType).map(([, type], id) => options.option(id, type)) : [],
    customOptions: operator.field(5) === 0 ? undefined : operator.bytes(5),
  };
}

/** @param {Model} model @returns {Uint8Array<ArrayBuffer>} */
export function writeFile(model) {
  const sizes = model.tensors.map(
    ({ name, data, shape }) => (data?.length ?? 0) + name.length + 4 * shape.length,
  );
  const builder = new Builder(sizes.reduce((sum, size) => sum + size + 256, 1 << 16));
  const buffers = [table(builder, [])];
  const addBuffer = (/** @type {Uint8Array} */ data) =>
    buffers.push(table(builder, [['ref', 0, blob(builder, data)]])) - 1;
  const tensors = model.tensors.map((tensor) => writeTensor(builder, tensor, addBuffer));
  const codeKeys = [...new Map(model.operators.map((operator) => [codeKey(operator), operator])).keys()];
  const operators = model.operators.map((operator) =>
    writeOperator(builder, operator, codeKeys.indexOf(codeKey(operator))),
  );
  const subgraph = table(builder, [
    ['ref', 0, offsets(builder, tensors)],
    ['ref', 1, int32s(builder, model.inputs)],
    ['ref', 2, int32s(builder, model.outputs)],
    ['ref', 3, offsets(builder, operators)],
    ['ref', 4, builder.createString('main')],
  ]);
  const codes = codeKeys.map((key) =>
    writeCode(builder, /** @type {Operator} */ (model.operators.find((op) => codeKey(op) === key))),
  );
  const metadata = model.metadata.map(({ name, data }) => {
    const buffer = addBuffer(data);
    return table(builder, [
      ['ref', 0, builder.createString(name)],
      ['u32', 1, buffer],
    ]);
  });
  const signatures = model.signatures.map((signature) =>
    table(builder, [
      ['ref', 0, writeNames(builder, signature.inputs)],
      ['ref', 1, writeNames(builder, signature.outputs)],
      ['ref', 2, builder.createString(signature.key)],
    ]),
  );
  const root = table(builder, [
    ['u32', 0, 3],
    ['ref', 1, offsets(builder, codes)],
    ['ref', 2, offsets(builder, [subgraph])],
    ['ref', 3, builder.createString(model.description)],
    ['ref', 4, offsets(builder, buffers)],
    ['ref', 6, offsets(builder, metadata)],
    ['ref', 7, offsets(builder, signatures)],
  ]);
  builder.finish(root, 'TFL3');
  return /** @type {Uint8Array<ArrayBuffer>} */ (builder.asUint8Array());
}

/** @param {Operator} operator */
function codeKey({ code, custom, version }) {
  return `${code} ${custom} ${version}`;
}

/** @param {Builder} builder @param {[string, number][]} names */
function writeNames(builder, names) {
  return offsets(
    builder,
    names.map(([name, tensor]) =>
      table(builder, [
        ['ref', 0, builder.createString(name)],
        ['u32', 1, tensor],
      ]),
    ),
  );
}

/**
 * @param {Builder} builder
 * @param {Tensor} tensor
 * @param {(data: Uint8Array) => number} addBuffer returns the buffer's index
 */
function writeTensor(builder, { name, shape, signature, type, data, quantization }, addBuffer) {
  const buffer = data ? addBuffer(data) : 0;
  return table(builder, [
    ['ref', 0, int32s(builder, shape)],
    ['i8', 1, type],
    ['u32', 2, buffer],
    ['ref', 3, builder.createString(name)],
    ['ref', 4, quantization && writeQuantization(builder, quantization)],
    ['ref', 7, signature && int32s(builder, signature)],
  ]);
}

/** @param {Builder} builder @param {Quantization} quantization */
function writeQuantization(builder, { scales, zeroPoints, axis }) {
  return table(builder, [
    ['ref', 2, float32s(builder, scales)],
    ['ref', 3, int64s(builder, zeroPoints)],
    ['i32', 6, axis],
  ]);
}

/** @param {Builder} builder @param {Operator} operator */
function writeCode(builder, { code, custom, version }) {
  return table(builder, [
    ['i8', 0, Math.min(code, 127)],
    ['ref', 1, custom ? builder.createString(custom) : undefined],
    ['i32', 2, version],
    ['i32', 3, code],
  ]);
}

/** @param {Builder} builder @param {Operator} operator @param {number} code */
function writeOperator(builder, { inputs, outputs, optionsType, options, customOptions }, code) {
  return table(builder, [
    ['u32', 0, code],
    ['ref', 1, int32s(builder, inputs)],
    ['ref', 2, int32s(builder, outputs)],
    ['i8', 3, optionsType],
    ['ref', 4, optionsType === 0 ? undefined : writeOptions(builder, fieldsOf(optionsType), options)],
    ['ref', 5, customOptions && blob(builder, customOptions)],
  ]);
}
