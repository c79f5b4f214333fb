// In: the bytes of a .tflite file. Out: the part of its network that computes one tensor, with float weights. The
// inverse of write.js. Numbers and field ids are those of TFLite's schema.fbs, version 3.
import { reading } from '../shared/errors.js';
import { graphFailure } from './errors.js';
import { WEIGHTED } from './network.js';
import { fromFields, kindOf, optionsOf } from './operators.js';
import { dequantize, fromBytes } from './tensor.js';

/**
 * @typedef {import('./network.js').Network} Network
 * @typedef {import('./network.js').Op} Op
 * @typedef {import('./network.js').Value} Value
 */

const DTYPES = /** @type {Record<number, import('./tensor.js').Dtype>} */ ({
  0: 'float32',
  1: 'float16',
  2: 'int32',
});
/** The number of int8 in the schema. */
const INT8 = 9;
/** A table of a FlatBuffer. Absent fields read as their defaults. */
export class Table {
  /** @param {DataView} view @param {number} at */
  constructor(view, at) {
    this.view = view;
    this.at = at;
    this.vtable = at - view.getInt32(at, true);
  }

  /** @param {number} id @returns {number} position of the field; 0: absent */
  field(id) {
    const slot = 4 + 2 * id;
    const offset =
      slot < this.view.getUint16(this.vtable, true) ? this.view.getUint16(this.vtable + slot, true) : 0;
    return offset === 0 ? 0 : this.at + offset;
  }

  /** @param {number} id */
  i8(id) {
    const at = this.field(id);
    return at === 0 ? 0 : this.view.getInt8(at);
  }

  /** @param {number} id @param {number} [otherwise] */
  i32(id, otherwise = 0) {
    const at = this.field(id);
    return at === 0 ? otherwise : this.view.getInt32(at, true);
  }

  /** @param {number} id @returns {number} position that the field points to; 0: absent */
  target(id) {
    const at = this.field(id);
    return at === 0 ? 0 : at + this.view.getUint32(at, true);
  }

  /** @param {number} id @returns {Table | undefined} */
  table(id) {
    const at = this.target(id);
    return at === 0 ? undefined : new Table(this.view, at);
  }

  /** @param {number} id @returns {Table[]} */
  tables(id) {
    const at = this.target(id);
    const count = at === 0 ? 0 : this.view.getUint32(at, true);
    return Array.from({ length: count }, (_, i) => {
      const element = at + 4 + 4 * i;
      return new Table(this.view, element + this.view.getUint32(element, true));
    });
  }

  /** @param {number} id @returns {Uint8Array} */
  bytes(id, elementBytes = 1) {
    const at = this.target(id);
    if (at === 0) return new Uint8Array(0);
    const length = this.view.getUint32(at, true) * elementBytes;
    return new Uint8Array(this.view.buffer, this.view.byteOffset + at + 4, length);
  }

  /** @param {number} id */
  ints(id) {
    return [...fromBytes('int32', this.bytes(id, 4))];
  }

  /** A field of an options table. @param {number} id @param {string} type as in OPTIONS */
  option(id, type) {
    const at = this.field(id);
    if (at === 0) return undefined;
    if (type === 'v') return this.ints(id);
    if (type === 'b') return this.view.getInt8(at);
    return type === 'f' ? this.view.getFloat32(at, true) : this.view.getInt32(at, true);
  }

  /** @param {number} id */
  text(id) {
    return new TextDecoder().decode(this.bytes(id));
  }
}

/** A .tflite file. Operators are converted when networkTo() needs them. */
export class TfliteFile {
  #tensors;
  #buffers;
  #operators;
  #codes;
  #metadata;
  #index;
  /** @type {Map<number, Value>} */ #values = new Map();
  /** @type {Map<number, number>} */ #producers = new Map();

  /**
   * @param {Uint8Array} bytes that the engine has verified
   * @param {string} [signature] whose subgraph is read, which the engine has found; default: the first subgraph
   */
  constructor(bytes, signature) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const model = new Table(view, view.getUint32(0, true));
    const chosen = model.tables(7).find((candidate) => candidate.text(2) === signature);
    this.#index = chosen?.i32(4) ?? 0;
    const subgraph = model.tables(2)[this.#index];
    this.#codes = model.tables(1).map((code) => Math.max(code.i8(0), code.i32(3)));
    this.#buffers = model.tables(4);
    this.#tensors = subgraph.tables(0);
    this.#operators = subgraph.tables(3).map((operator) => ({
      code: this.#codes[operator.i32(0)],
      inputs: operator.ints(1),
      outputs: operator.ints(2),
      options: operator.table(4),
    }));
    this.#metadata = model.tables(6);
    this.inputs = subgraph.ints(1);
    this.outputs = subgraph.ints(2);
    this.#operators.forEach(({ outputs }, i) => outputs.forEach((tensor) => this.#producers.set(tensor, i)));
  }

  /** All operators in file order: kind (undefined: ocelli does not run it), and names and shapes of their tensors. */
  get operators() {
    return this.#operators.map(({ code, inputs, outputs }) => ({
      kind: kindOf(code),
      name: this.#tensors[outputs[0]].text(3),
      inputs,
      output: outputs[0],
      shape: this.#tensors[outputs[0]].ints(0),
      inputShape: this.#tensors[inputs[0]].ints(0),
    }));
  }

  /**
   * An entry of the custom metadata in TFLite Metadata.
   * @param {string} name
   * @returns {Uint8Array | undefined}
   */
  customMetadata(name) {
    return reading(graphFailure, 'SOURCE_DAMAGED', 'the metadata', () => {
      const entry = this.#metadata.find((candidate) => candidate.text(0) === 'TFLITE_METADATA');
      if (!entry) return undefined;
      const bytes = this.#buffers[entry.i32(1)].bytes(0);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const subgraphs = new Table(view, view.getUint32(0, true)).tables(3);
      return subgraphs[this.#index]
        ?.tables(9)
        .find((custom) => custom.text(0) === name)
        ?.bytes(1);
    });
  }

  /** The file's input, with a free batch. */
  get input() {
    return this.#value(this.inputs[0]);
  }

  /**
   * The network from the file's input to a tensor, with a free batch.
   * @param {number} tensor
   * @returns {Network}
   */
  networkTo(tensor) {
    return reading(graphFailure, 'SOURCE_DAMAGED', 'the model', () => {
      const needed = [...this.#ancestors(tensor)].sort((a, b) => a - b);
      const ops = needed.flatMap((number) => this.#read(number) ?? []);
      const value = this.#value(tensor);
      return {
        ops,
        inputs: this.inputs.map((input) => this.#value(input)),
        outputs: [{ name: value.name, value }],
      };
    });
  }

  /** @param {number} tensor @returns {Set<number>} operators */
  #ancestors(tensor) {
    const found = new Set();
    const open = [tensor];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const producer = this.#producers.get(next);
      if (producer === undefined || found.has(producer)) continue;
      found.add(producer);
      for (const input of this.#operators[producer].inputs) if (input >= 0) open.push(input);
    }
    return found;
  }

  /** @param {number} number @returns {Value} */
  #value(number) {
    const known = this.#values.get(number);
    if (known) return known;
    const tensor = this.#tensors[number];
    const data = this.#buffers[tensor.i32(2)].bytes(0);
    const dtype = DTYPES[tensor.i8(1)];
    const name = tensor.text(3);
    if (!dtype)
      throw graphFailure('GRAPH_UNSUPPORTED', `tensor '${name}' is quantized; use a file with float weights`);
    const shape = tensor.ints(0);
    /** @type {Value} */
    const value =
      data.length > 0
        ? { name, shape, tensor: { dtype: 'float32', shape, data: fromBytes(dtype, data) } }
        : dtype === 'int32'
          ? { name, shape, dtype }
          : { name, shape: [-1, ...shape.slice(1)] };
    if (value.tensor && dtype === 'int32') value.tensor.dtype = 'int32';
    this.#values.set(number, value);
    return value;
  }

  /**
   * What a DEQUANTIZE makes of a tensor.
   * @param {number} number
   * @returns {Value}
   */
  #dequantized(number) {
    const tensor = this.#tensors[number];
    const stored = this.#buffers[tensor.i32(2)].bytes(0);
    const quantization = tensor.table(4);
    if (tensor.i8(1) !== INT8 || stored.length === 0 || !quantization) return this.#value(number);
    const shape = tensor.ints(0);
    const data = dequantize(fromBytes('int8', stored), shape, {
      scales: fromBytes('float32', quantization.bytes(2, 4)),
      zeroPoints: fromBytes('int64', quantization.bytes(3, 8)),
      axis: quantization.i32(6),
    });
    return { name: tensor.text(3), shape, tensor: { dtype: 'float32', shape, data } };
  }

  /** @param {number} number @returns {Op | undefined} undefined: a DEQUANTIZE of constant weights; not needed */
  #read(number) {
    const { code, inputs, outputs, options } = this.#operators[number];
    const kind = kindOf(code);
    const output = this.#tensors[outputs[0]].text(3);
    if (!kind)
      throw graphFailure(
        'GRAPH_UNSUPPORTED',
        `ocelli does not run operator ${code}, which computes '${output}'`,
      );
    if (kind === 'DEQUANTIZE') {
      this.#values.set(outputs[0], this.#dequantized(inputs[0]));
      return undefined;
    }
    const values = inputs.filter((input) => input >= 0).map((input) => this.#value(input));
    const op = { kind, inputs: values, output: this.#value(outputs[0]), options: readOptions(kind, options) };
    if (!values[1]?.tensor || !WEIGHTED.has(kind)) return op;
    const bias = values[2]?.tensor && Float64Array.from(values[2].tensor.data);
    return {
      ...op,
      inputs: [values[0]],
      weights: { ...toKernel(kind, values[1].tensor), ...(bias && { bias }) },
    };
  }
}

/**
 * [O, …] -> […, O]
 * @param {ArrayLike<number>} data
 * @param {number} out
 */
function turn(data, out) {
  const inner = data.length / out;
  const turned = new Float32Array(data.length);
  for (let o = 0; o < out; o++) for (let i = 0; i < inner; i++) turned[i * out + o] = data[o * inner + i];
  return turned;
}

/**
 * @param {string} kind
 * @param {Table | undefined} options
 */
function readOptions(kind, options) {
  if (!options) return {};
  const fields = optionsOf(kind)?.fields ?? [];
  return fromFields(
    kind,
    fields.map(([, type], id) => options.option(id, type)),
  );
}

/**
 * TFLite's [O, H, W, I] -> TensorFlow's [H, W, I, O]; a depthwise [1, H, W, C] -> [H, W, C, 1].
 * @param {string} kind
 * @param {import('./tensor.js').Tensor} stored
 */
function toKernel(kind, { shape, data }) {
  if (kind === 'FULLY_CONNECTED')
    return { kernel: { dtype: /** @type {const} */ ('float32'), shape, data }, isTransposed: true };
  const [out, height, width, channels] = shape;
  const isDepthwise = kind === 'DEPTHWISE_CONV_2D';
  const turned = isDepthwise ? data : turn(data, out);
  const kernelShape = isDepthwise ? [height, width, channels, 1] : [height, width, channels, out];
  return {
    kernel: { dtype: /** @type {const} */ ('float32'), shape: kernelShape, data: turned },
    isTransposed: false,
  };
}
