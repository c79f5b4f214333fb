// In: a network. Out: the bytes of a .tflite file. Numbers and field ids are those of TFLite's schema.fbs, version 3.
import { blob, Builder, float32s, int32s, int64s, offsets, table, writeOptions } from './flatbuffer.js';
import { OPERATORS, optionsOf, toFields } from './operators.js';
import { storedWeights, toStored } from './weights.js';

/**
 * @typedef {import('./network.js').Network} Network
 * @typedef {import('./network.js').Op} Op
 * @typedef {import('./network.js').Value} Value
 * @typedef {import('./weights.js').Stored} Stored
 * @typedef {import('./weights.js').Precision} Precision
 * @typedef {{name: string, shape: number[], stored?: Stored, dtype: string}} FileTensor
 * @typedef {object} FileOp
 * @property {string} kind
 * @property {number[]} inputs
 * @property {number[]} outputs
 * @property {Record<string, any>} options
 * @property {Stored['dtype']} [reads] how the weights that it reads are stored
 */

const TYPES = /** @type {Record<string, number>} */ ({
  float32: 0,
  float16: 1,
  int32: 2,
  int64: 4,
  bool: 6,
  int8: 9,
});
const SIGNATURE_KEY = 'serving_default';

/**
 * Operator versions other than 1. A reader that implements only older versions must reject the file.
 * @type {Record<string, (op: FileOp) => number>}
 */
const VERSIONS = {
  CONV_2D: ({ reads }) => (reads === 'int8' ? 5 : 1),
  DEPTHWISE_CONV_2D: ({ reads, options }) =>
    reads === 'int8' ? 6 : options.dilationW > 1 || options.dilationH > 1 ? 2 : 1,
  DEQUANTIZE: ({ reads }) => (reads === 'int8' ? 5 : 3),
  FULLY_CONNECTED: ({ reads }) => (reads === 'int8' ? 12 : 1),
  RESIZE_BILINEAR: ({ options }) => (options.halfPixelCenters ? 3 : 1),
  RESIZE_NEAREST_NEIGHBOR: ({ options }) => (options.halfPixelCenters ? 3 : 1),
};

/**
 * @param {Network} network
 * @param {{precision: Precision, description: string, metadata?: Uint8Array}} options
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function writeTflite(network, { precision, description, metadata }) {
  const layout = new Layout(network, precision);
  const bytes = layout.tensors.reduce(
    (sum, { stored }) => sum + (stored?.data.byteLength ?? 0) + 256,
    1 << 16,
  );
  const builder = new Builder(bytes + (metadata?.length ?? 0));
  const buffers = [table(builder, [])];
  const addBuffer = (/** @type {Uint8Array} */ data) =>
    buffers.push(table(builder, [['ref', 0, blob(builder, data)]])) - 1;
  const tensors = layout.tensors.map((tensor) => writeTensor(builder, tensor, addBuffer));
  const kinds = [...new Map(layout.ops.map((op) => [kindKey(op), op])).entries()];
  const operators = layout.ops.map((op) =>
    writeOperator(
      builder,
      op,
      kinds.findIndex(([key]) => key === kindKey(op)),
    ),
  );
  const subgraph = table(builder, [
    ['ref', 0, offsets(builder, tensors)],
    ['ref', 1, int32s(builder, layout.inputs)],
    ['ref', 2, int32s(builder, layout.outputs)],
    ['ref', 3, offsets(builder, operators)],
    ['ref', 4, builder.createString('main')],
  ]);
  const codes = kinds.map(([, op]) => writeOperatorCode(builder, op));
  const entries = metadata ? [writeMetadata(builder, 'TFLITE_METADATA', addBuffer(metadata))] : [];
  const signature = writeSignature(builder, network, layout);
  builder.finish(
    table(builder, [
      ['u32', 0, 3],
      ['ref', 1, offsets(builder, codes)],
      ['ref', 2, offsets(builder, [subgraph])],
      ['ref', 3, builder.createString(description)],
      ['ref', 4, offsets(builder, buffers)],
      ['ref', 6, offsets(builder, entries)],
      ['ref', 7, offsets(builder, [signature])],
    ]),
    'TFL3',
  );
  return /** @type {Uint8Array<ArrayBuffer>} */ (builder.asUint8Array());
}

/** @param {FileOp} op */
function versionOf(op) {
  return VERSIONS[op.kind]?.(op) ?? 1;
}

/** @param {FileOp} op */
function kindKey(op) {
  return `${op.kind} ${versionOf(op)}`;
}

/** @type {Record<string, (data: ArrayLike<number>) => Stored['data']>} */
const WHOLE = {
  int32: (data) => Int32Array.from(data),
  int64: (data) => BigInt64Array.from(Array.from(data, BigInt)),
  bool: (data) => Uint8Array.from(data),
};

/** @param {import('./tensor.js').Tensor} tensor @param {number[]} shape @returns {Stored} */
function storedWhole({ dtype, data }, shape) {
  return { dtype: /** @type {Stored['dtype']} */ (dtype), shape, data: WHOLE[dtype](data) };
}

/** The network as the file stores it: values are numbered tensors, constants have the file's precision. */
class Layout {
  /** @type {FileTensor[]} */ tensors = [];
  /** @type {FileOp[]} */ ops = [];
  /** @type {Map<Value, number>} */ #numbers = new Map();

  /**
   * @param {Network} network
   * @param {Precision} precision
   */
  constructor(network, precision) {
    this.precision = precision;
    this.inputs = network.inputs.map((value) => this.#number(value));
    for (const op of network.ops) this.#add(op);
    this.outputs = network.outputs.map(({ value }) => this.#number(value));
  }

  /** @param {Value} value */
  number(value) {
    return /** @type {number} */ (this.#numbers.get(value));
  }

  /** @param {Op} op */
  #add(op) {
    const inputs = op.inputs.map((value) => this.#number(value));
    const options = { ...op.options };
    /** @type {FileOp['reads']} */
    let reads;
    if (op.weights) {
      const { kernel, bias } = storedWeights(op, this.precision);
      if (this.precision === 'hybrid') reads = kernel.dtype;
      inputs.push(
        this.#store(`${op.output.name}/weights`, kernel),
        this.#store(`${op.output.name}/bias`, bias),
      );
      if (op.kind === 'DEPTHWISE_CONV_2D') options.depthMultiplier = op.weights.kernel.shape[3];
    }
    const outputs = [op.output, ...(op.others ?? [])].map((value) => this.#number(value));
    this.ops.push({ kind: op.kind, inputs, outputs, options, reads });
  }

  /** @param {Value} value */
  #number(value) {
    const known = this.#numbers.get(value);
    if (known !== undefined) return known;
    const { name, shape, tensor } = value;
    const number = !tensor
      ? this.#push({ name, shape, dtype: value.dtype ?? 'float32' })
      : Object.hasOwn(WHOLE, tensor.dtype)
        ? this.#push({ name, shape, dtype: tensor.dtype, stored: storedWhole(tensor, shape) })
        : this.#store(name, toStored(shape, Float32Array.from(tensor.data), this.precision));
    this.#numbers.set(value, number);
    return number;
  }

  /**
   * Adds a float constant. For float16 and int8 it also adds the DEQUANTIZE that converts the constant to float32, but
   * for hybrid operators, which read int8. Returns the number of the tensor that an operator reads.
   * @param {string} name
   * @param {Stored} stored
   */
  #store(name, stored) {
    const number = this.#push({ name, shape: stored.shape, dtype: stored.dtype, stored });
    const isRead = stored.dtype === 'float32' || this.precision === 'hybrid';
    if (isRead) return number;
    const widened = this.#push({ name: `${name}/dequantize`, shape: stored.shape, dtype: 'float32' });
    this.ops.push({
      kind: 'DEQUANTIZE',
      inputs: [number],
      outputs: [widened],
      options: {},
      reads: stored.dtype,
    });
    return widened;
  }

  /** @param {FileTensor} tensor */
  #push(tensor) {
    return this.tensors.push(tensor) - 1;
  }
}

/**
 * @param {Builder} builder
 * @param {FileTensor} tensor
 * @param {(data: Uint8Array) => number} addBuffer
 */
function writeTensor(builder, { name, shape, dtype, stored }, addBuffer) {
  const bytes = stored && new Uint8Array(stored.data.buffer, stored.data.byteOffset, stored.data.byteLength);
  const buffer = bytes ? addBuffer(bytes) : 0;
  const isFree = shape.some((size) => size < 0);
  const signature = isFree ? int32s(builder, shape) : undefined;
  return table(builder, [
    [
      'ref',
      0,
      int32s(
        builder,
        shape.map((size) => Math.abs(size)),
      ),
    ],
    ['i8', 1, TYPES[dtype]],
    ['u32', 2, buffer],
    ['ref', 3, builder.createString(name)],
    ['ref', 4, writeQuantization(builder, stored?.quantization)],
    ['ref', 7, signature],
  ]);
}

/**
 * @param {Builder} builder
 * @param {Stored['quantization']} quantization
 */
function writeQuantization(builder, quantization) {
  if (!quantization) return undefined;
  const { scales, axis } = quantization;
  return table(builder, [
    ['ref', 2, float32s(builder, scales)],
    ['ref', 3, int64s(builder, new Uint8Array(scales.length))],
    ['i32', 6, axis],
  ]);
}

/**
 * @param {Builder} builder
 * @param {FileOp} op
 */
function writeOperatorCode(builder, op) {
  const { code } = OPERATORS[op.kind];
  return table(builder, [
    ['i8', 0, Math.min(code, 127)],
    ['i32', 2, versionOf(op)],
    ['i32', 3, code],
  ]);
}

/**
 * @param {Builder} builder
 * @param {FileOp} op
 * @param {number} codeIndex
 */
function writeOperator(builder, { kind, inputs, outputs, options }, codeIndex) {
  const written = optionsOf(kind);
  return table(builder, [
    ['u32', 0, codeIndex],
    ['ref', 1, int32s(builder, inputs)],
    ['ref', 2, int32s(builder, outputs)],
    ['i8', 3, written?.number],
    ['ref', 4, written && writeOptions(builder, written.fields, toFields(kind, options))],
  ]);
}

/**
 * @param {Builder} builder
 * @param {string} name
 * @param {number} buffer
 */
function writeMetadata(builder, name, buffer) {
  return table(builder, [
    ['ref', 0, builder.createString(name)],
    ['u32', 1, buffer],
  ]);
}

/**
 * @param {Builder} builder
 * @param {Network} network
 * @param {Layout} layout
 */
function writeSignature(builder, network, layout) {
  const toMaps = (/** @type {{name: string, value: Value}[]} */ ports) =>
    offsets(
      builder,
      ports.map(({ name, value }) =>
        table(builder, [
          ['ref', 0, builder.createString(name)],
          ['u32', 1, layout.number(value)],
        ]),
      ),
    );
  return table(builder, [
    ['ref', 0, toMaps(network.inputs.map((value) => ({ name: value.name, value })))],
    ['ref', 1, toMaps(network.outputs)],
    ['ref', 2, builder.createString(SIGNATURE_KEY)],
  ]);
}
