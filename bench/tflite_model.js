// The default model's .tflite -> a list of operators, from which onnx_model.js and tfjs_model.js make other formats. It
// supports only the operators of this model.

// Field numbers and codes of the TFLite schema.
const MODEL = { operatorCodes: 1, subgraphs: 2, buffers: 4 };
const SUBGRAPH = { tensors: 0, inputs: 1, outputs: 2, operators: 3 };
const TENSOR = { shape: 0, type: 1, buffer: 2 };
const OPERATOR = { code: 0, inputs: 1, outputs: 2, options: 4 };
const CODES = /** @type {Record<number, Kind>} */ ({
  0: 'add',
  2: 'concat',
  3: 'conv',
  4: 'depthwise',
  6: 'dequantize',
  22: 'reshape',
});
const FLOAT16 = 1;
const RELU6 = 3;

/**
 * @typedef {'add' | 'concat' | 'conv' | 'depthwise' | 'dequantize' | 'reshape'} Kind
 * @typedef {object} Operator
 * @property {Exclude<Kind, 'dequantize'>} kind
 * @property {number[]} inputs tensors
 * @property {number} output a tensor
 * @property {number} axis of a concatenation
 * @property {'SAME' | 'VALID'} padding of a convolution
 * @property {[number, number]} strides of a convolution: vertical, horizontal
 * @property {boolean} isRelu6 of a convolution
 */

/** @param {Uint8Array} bytes */
function makeReader(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const int = (/** @type {number} */ at) => view.getInt32(at, true);
  const follow = (/** @type {number} */ at) => at + view.getUint32(at, true);
  /** @param {number} table @param {number} field @returns {number} its address; 0: absent, so it has its default */
  const field = (table, field) => {
    const vtable = table - int(table);
    const slot = 4 + 2 * field;
    const offset = slot < view.getUint16(vtable, true) ? view.getUint16(vtable + slot, true) : 0;
    return offset && table + offset;
  };
  /** @param {number} table @param {number} number */
  const vector = (table, number) => {
    const at = field(table, number);
    const start = at && follow(at);
    return { start: start + 4, length: start ? int(start) : 0 };
  };
  return {
    root: follow(0),
    int8: (/** @type {number} */ table, /** @type {number} */ number) => {
      const at = field(table, number);
      return at ? view.getInt8(at) : 0;
    },
    int: (/** @type {number} */ table, /** @type {number} */ number) => {
      const at = field(table, number);
      return at ? int(at) : 0;
    },
    table: (/** @type {number} */ table, /** @type {number} */ number) => follow(field(table, number)),
    ints: (/** @type {number} */ table, /** @type {number} */ number) => {
      const { start, length } = vector(table, number);
      return Array.from({ length }, (_, i) => int(start + 4 * i));
    },
    tables: (/** @type {number} */ table, /** @type {number} */ number) => {
      const { start, length } = vector(table, number);
      return Array.from({ length }, (_, i) => follow(start + 4 * i));
    },
    bytes: (/** @type {number} */ table, /** @type {number} */ number) => {
      const { start, length } = vector(table, number);
      return bytes.subarray(start, start + length);
    },
  };
}

/** @param {Uint8Array} model */
export function readOperators(model) {
  const file = makeReader(model);
  const [subgraph] = file.tables(file.root, MODEL.subgraphs);
  const codes = file.tables(file.root, MODEL.operatorCodes).map((code) => CODES[file.int8(code, 0)]);
  const buffers = file.tables(file.root, MODEL.buffers);
  const tensors = file.tables(subgraph, SUBGRAPH.tensors).map((tensor) => ({
    shape: file.ints(tensor, TENSOR.shape),
    type: file.int8(tensor, TENSOR.type),
    data: file.bytes(buffers[file.int(tensor, TENSOR.buffer)], 0),
  }));
  /** @type {Map<number, number>} dequantized tensor -> its float16 source */
  const sources = new Map();
  /** @type {Operator[]} */
  const operators = [];
  for (const operator of file.tables(subgraph, SUBGRAPH.operators)) {
    const kind = codes[file.int(operator, OPERATOR.code)];
    const inputs = file.ints(operator, OPERATOR.inputs);
    const [output] = file.ints(operator, OPERATOR.outputs);
    if (kind === 'dequantize') {
      sources.set(output, inputs[0]);
      continue;
    }
    const isConvolution = kind === 'conv' || kind === 'depthwise';
    const options = kind === 'concat' || isConvolution ? file.table(operator, OPERATOR.options) : 0;
    operators.push({
      ...{ kind, inputs, output },
      axis: kind === 'concat' ? file.int(options, 0) : 0,
      padding: isConvolution && file.int8(options, 0) === 1 ? 'VALID' : 'SAME',
      strides: isConvolution ? [file.int(options, 2), file.int(options, 1)] : [1, 1],
      isRelu6: isConvolution && file.int8(options, kind === 'conv' ? 3 : 4) === RELU6,
    });
  }
  return {
    input: file.ints(subgraph, SUBGRAPH.inputs)[0],
    outputs: file.ints(subgraph, SUBGRAPH.outputs),
    operators,
    shapes: tensors.map(({ shape }) => shape),
    /** @param {number} index of a float16 constant, or of the tensor that it is dequantized to */
    constant(index) {
      const { shape, data, type } = tensors[sources.get(index) ?? index];
      if (type !== FLOAT16) throw new Error(`the weights must be float16, but have type ${type}`);
      return { shape, halves: new Uint16Array(data.slice().buffer) };
    },
  };
}
