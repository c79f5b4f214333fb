// The default model's .tflite -> what a TensorFlow.js page loads: operators as JSON, and their weights as float16, in
// TensorFlow.js's layout.

// The schema's field numbers and codes that this model needs.
const MODEL = { operatorCodes: 1, subgraphs: 2, buffers: 4 };
const SUBGRAPH = { tensors: 0, inputs: 1, operators: 3 };
const TENSOR = { shape: 0, type: 1, buffer: 2 };
const OPERATOR = { code: 0, inputs: 1, outputs: 2, options: 4 };
const CODES = /** @type {Record<number, string>} */ ({
  0: 'add',
  2: 'concat',
  3: 'conv',
  4: 'depthwise',
  6: 'dequantize',
  22: 'reshape',
});
const FLOAT16 = 1;

/** @param {Uint8Array} bytes */
function makeReader(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const int = (/** @type {number} */ at) => view.getInt32(at, true);
  const follow = (/** @type {number} */ at) => at + view.getUint32(at, true);
  /** @param {number} table @param {number} field @returns {number} its address; 0: it has its default */
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

/**
 * @param {Uint8Array} model
 * @returns {{network: object, weights: Uint8Array}}
 */
export function toTensorFlowJs(model) {
  const file = makeReader(model);
  const [subgraph] = file.tables(file.root, MODEL.subgraphs);
  const codes = file.tables(file.root, MODEL.operatorCodes).map((code) => CODES[file.int8(code, 0)]);
  const buffers = file.tables(file.root, MODEL.buffers);
  const tensors = file.tables(subgraph, SUBGRAPH.tensors).map((tensor) => ({
    shape: file.ints(tensor, TENSOR.shape),
    type: file.int8(tensor, TENSOR.type),
    data: file.bytes(buffers[file.int(tensor, TENSOR.buffer)], 0),
  }));
  const [input] = file.ints(subgraph, SUBGRAPH.inputs);
  /** @type {Uint16Array[]} */
  const parts = [];
  let offset = 0;
  /** @param {Uint16Array} halves @param {number[]} shape */
  const store = (halves, shape) => {
    const stored = { shape, offset };
    parts.push(halves);
    offset += halves.byteLength;
    return stored;
  };
  /** @type {Map<number, number>} */
  const sources = new Map();
  const nameOf = (/** @type {number} */ index) => (index === input ? 'input' : `t${index}`);
  /** @param {number} index of a float16 constant, or of what it is dequantized to */
  const constant = (index) => {
    const { shape, data, type } = tensors[sources.get(index) ?? index];
    if (type !== FLOAT16) throw new Error('weights of another type than float16');
    return { shape, halves: new Uint16Array(data.slice().buffer) };
  };

  const operators = file.tables(subgraph, SUBGRAPH.operators).flatMap((operator) => {
    const kind = codes[file.int(operator, OPERATOR.code)];
    const inputs = file.ints(operator, OPERATOR.inputs);
    const [output] = file.ints(operator, OPERATOR.outputs);
    const name = nameOf(output);
    if (kind === 'dequantize') {
      sources.set(output, inputs[0]);
      return [];
    }
    if (kind === 'reshape') {
      const { shape } = tensors[output];
      return [{ kind, name, inputs: [nameOf(inputs[0])], options: { shape } }];
    }
    const options = file.table(operator, OPERATOR.options);
    if (kind === 'add') return [{ kind, name, inputs: inputs.map(nameOf), options: {} }];
    if (kind === 'concat') {
      return [{ kind, name, inputs: inputs.map(nameOf), options: { axis: file.int(options, 0) } }];
    }
    const filter = constant(inputs[1]);
    const bias = constant(inputs[2]);
    const [a, height, width, b] = filter.shape;
    const isConv = kind === 'conv';
    const activation = file.int8(options, isConv ? 3 : 4);
    return [
      {
        kind,
        name,
        inputs: [nameOf(inputs[0])],
        options: {
          strides: [file.int(options, 2), file.int(options, 1)],
          pad: file.int8(options, 0) === 0 ? 'same' : 'valid',
          ...(activation === 3 && { activation: 'relu6' }),
        },
        filter: isConv
          ? store(moveFirstToLast(filter.halves, a), [height, width, b, a])
          : store(filter.halves, [height, width, b, 1]),
        bias: store(bias.halves, bias.shape),
      },
    ];
  });
  const scores = operators.findLast(({ name }) => tensors[Number(name.slice(1))].shape.at(-1) === 24);
  const weights = new Uint8Array(Buffer.concat(parts.map(({ buffer }) => new Uint8Array(buffer))));
  return { network: { operators, output: scores?.name }, weights };
}

/**
 * [count, rest] -> [rest, count]
 * @param {Uint16Array} values
 * @param {number} count
 */
function moveFirstToLast(values, count) {
  const rest = values.length / count;
  return values.map((_, i) => values[(i % count) * rest + Math.floor(i / count)]);
}
