// The default model's .tflite -> the same network as an ONNX file, for onnxruntime-web. ONNX convolutions need NCHW, so
// transposes are inserted; input and outputs stay NHWC. The field numbers are those of onnx.proto.
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { readOperators } from './tflite_model.js';

/** @typedef {import('./tflite_model.js').Operator} Operator */

const IR_VERSION = 8;
const OPSET = 13;
const FLOAT = 1;
const INT64 = 7;
const ATTRIBUTE_TYPES = { i: 2, ints: 7 };
const TO_NCHW = [0, 3, 1, 2];
const TO_NHWC = [0, 2, 3, 1];

/**
 * Writes a nested protobuf message.
 * @param {BinaryWriter} writer
 * @param {number} field
 * @param {(writer: BinaryWriter) => void} write
 */
function nest(writer, field, write) {
  writer.tag(field, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
}

/** @param {BinaryWriter} writer @param {number} field @param {string} text */
const string = (writer, field, text) => writer.tag(field, WireType.LengthDelimited).string(text);
/** @param {BinaryWriter} writer @param {number} field @param {number} value */
const int = (writer, field, value) => writer.tag(field, WireType.Varint).int64(value);

/** @param {Uint8Array} model @returns {Uint8Array<ArrayBuffer>} */
export function toOnnx(model) {
  const { input, outputs, operators, shapes, constant } = readOperators(model);
  const graph = new BinaryWriter();
  /** @type {Set<number>} tensors in NCHW layout */
  const nchw = new Set();
  /** @type {Map<string, string>} */
  const transposed = new Map();
  const nameOf = (/** @type {number} */ index) => `t${index}`;

  /**
   * @param {string} type
   * @param {string[]} inputs
   * @param {string} output
   * @param {Record<string, number | number[]>} [attributes]
   */
  function node(type, inputs, output, attributes = {}) {
    nest(graph, 1, (writer) => {
      for (const name of inputs) string(writer, 1, name);
      string(writer, 2, output);
      string(writer, 4, type);
      for (const [name, value] of Object.entries(attributes)) nest(writer, 5, attribute(name, value));
    });
    return output;
  }

  /** @param {string} name @param {number[]} shape @param {Float32Array | BigInt64Array} values */
  function store(name, shape, values) {
    nest(graph, 5, (writer) => {
      for (const size of shape) int(writer, 1, size);
      int(writer, 2, values instanceof Float32Array ? FLOAT : INT64);
      string(writer, 8, name);
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      writer.tag(9, WireType.LengthDelimited).bytes(bytes);
    });
    return name;
  }

  /**
   * The name of a tensor in the given layout; adds a transpose if needed.
   * @param {number} index
   * @param {boolean} isNchw
   */
  function inLayout(index, isNchw) {
    const name = nameOf(index);
    if (nchw.has(index) === isNchw) return name;
    const output = `${name}/transposed`;
    if (!transposed.has(name))
      transposed.set(name, node('Transpose', [name], output, { perm: isNchw ? TO_NCHW : TO_NHWC }));
    return output;
  }

  /** @param {Operator} operator */
  function convolve({ kind, inputs: [from, filterIndex, biasIndex], output, padding, strides, isRelu6 }) {
    const name = nameOf(output);
    const filter = constant(filterIndex);
    const bias = constant(biasIndex);
    const [count, height, width, depth] = filter.shape;
    const isDepthwise = kind === 'depthwise';
    const [outer, inner] = isDepthwise ? [depth, 1] : [count, depth];
    const weights = new Float32Array(filter.halves.length);
    // [count, height, width, depth] -> [count, depth, height, width]; a depthwise filter has a count of 1
    const area = height * width;
    for (let i = 0; i < weights.length; i++) {
      const [n, rest] = [Math.floor(i / (area * depth)), i % (area * depth)];
      weights[(n * depth + (rest % depth)) * area + Math.floor(rest / depth)] = toFloat(filter.halves[i]);
    }
    const kernel = [height, width];
    const sides = [0, 1].map((d) => padSides(shapes[from][1 + d], kernel[d], strides[d], padding));
    const inputs = [
      inLayout(from, true),
      store(`${name}/filter`, [outer, inner, height, width], weights),
      store(`${name}/bias`, bias.shape, Float32Array.from(bias.halves, toFloat)),
    ];
    node('Conv', inputs, isRelu6 ? `${name}/sum` : name, {
      ...{ kernel_shape: kernel, strides, group: isDepthwise ? depth : 1 },
      pads: [sides[0][0], sides[1][0], sides[0][1], sides[1][1]],
    });
    if (isRelu6) node('Clip', [`${name}/sum`, 'zero', 'six'], name);
    nchw.add(output);
  }

  /** @type {Record<Operator['kind'], (operator: Operator) => void>} */
  const converters = {
    conv: convolve,
    depthwise: convolve,
    add: ({ inputs: [a, b], output }) => {
      node('Add', [inLayout(a, true), inLayout(b, true)], nameOf(output));
      nchw.add(output);
    },
    reshape: ({ inputs: [from], output }) => {
      const name = nameOf(output);
      const shape = shapes[output];
      const sizes = store(`${name}/shape`, [shape.length], BigInt64Array.from(shape, BigInt));
      node('Reshape', [inLayout(from, false), sizes], name);
    },
    concat: ({ inputs, output, axis }) => {
      node(
        'Concat',
        inputs.map((index) => inLayout(index, false)),
        nameOf(output),
        { axis },
      );
    },
  };

  string(graph, 2, 'network');
  store('zero', [], Float32Array.of(0));
  store('six', [], Float32Array.of(6));
  for (const operator of operators) converters[operator.kind](operator);
  nest(graph, 11, describe(nameOf(input), shapes[input]));
  for (const index of outputs) nest(graph, 12, describe(nameOf(index), shapes[index]));
  const file = new BinaryWriter();
  int(file, 1, IR_VERSION);
  file.tag(7, WireType.LengthDelimited).bytes(graph.finish());
  nest(file, 8, (writer) => int(writer, 2, OPSET));
  return file.finish();
}

/** @param {string} name @param {number | number[]} value @returns {(writer: BinaryWriter) => void} */
function attribute(name, value) {
  const isList = Array.isArray(value);
  return (writer) => {
    string(writer, 1, name);
    for (const each of isList ? value : [value]) int(writer, isList ? 8 : 3, each);
    int(writer, 20, isList ? ATTRIBUTE_TYPES.ints : ATTRIBUTE_TYPES.i);
  };
}

/** @param {string} name @param {number[]} shape @returns {(writer: BinaryWriter) => void} */
function describe(name, shape) {
  return (writer) => {
    string(writer, 1, name);
    nest(writer, 2, (type) =>
      nest(type, 1, (tensor) => {
        int(tensor, 1, FLOAT);
        nest(tensor, 2, (dimensions) => {
          for (const size of shape) nest(dimensions, 1, (dimension) => int(dimension, 1, size));
        });
      }),
    );
  };
}

/** TensorFlow's padding: an odd total has one more at the end. @param {number} size @param {number} kernel @param {number} stride @param {string} padding */
function padSides(size, kernel, stride, padding) {
  if (padding === 'VALID') return [0, 0];
  const total = Math.max((Math.ceil(size / stride) - 1) * stride + kernel - size, 0);
  return [total >> 1, total - (total >> 1)];
}

/** @param {number} half bits of a float16 */
function toFloat(half) {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = (half & 0x3ff) / 1024;
  return exponent === 0 ? sign * 2 ** -14 * fraction : sign * 2 ** (exponent - 15) * (1 + fraction);
}
