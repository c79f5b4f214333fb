// The default model's .tflite -> the TensorFlow.js graph model that TensorFlow.js's own converter would make of this
// network: fused operators in a model.json, weights as float16.

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

/** @param {string} text */
const text = (text) => ({ s: Buffer.from(text).toString('base64') });
const FLOAT = { type: 'DT_FLOAT' };
const INT = { type: 'DT_INT32' };

/**
 * @param {Uint8Array} model
 * @returns {{model: object, weights: Uint8Array}} `model`: a model.json, whose weights are in weights.bin
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
  const nameOf = (/** @type {number} */ index) => (index === input ? 'input' : `t${index}`);
  const dim = tensors[input].shape.map((size) => ({ size: String(size) }));
  /** @type {object[]} */
  const nodes = [{ name: 'input', op: 'Placeholder', attr: { dtype: FLOAT, shape: { shape: { dim } } } }];
  /** @type {object[]} */
  const manifest = [];
  /** @type {Uint8Array[]} */
  const parts = [];
  /** @param {string} name @param {number[]} shape @param {Uint16Array | Int32Array} values */
  const store = (name, shape, values) => {
    const isFloat = values instanceof Uint16Array;
    nodes.push({ name, op: 'Const', attr: { dtype: isFloat ? FLOAT : INT } });
    manifest.push({
      ...{ name, shape, dtype: isFloat ? 'float32' : 'int32' },
      ...(isFloat && { quantization: { dtype: 'float16', original_dtype: 'float32' } }),
    });
    parts.push(new Uint8Array(values.buffer));
    return name;
  };
  /** @type {Map<number, number>} */
  const sources = new Map();
  /** @param {number} index of a float16 constant, or of what it is dequantized to */
  const constant = (index) => {
    const { shape, data, type } = tensors[sources.get(index) ?? index];
    if (type !== FLOAT16) throw new Error('weights of another type than float16');
    return { shape, halves: new Uint16Array(data.slice().buffer) };
  };

  /** @type {Record<string, (operator: number, inputs: number[], output: number) => void>} */
  const converters = {
    dequantize: (_, [from], output) => sources.set(output, from),
    reshape: (_, [from], output) => {
      const { shape } = tensors[output];
      const sizes = store(`${nameOf(output)}/shape`, [shape.length], Int32Array.from(shape));
      nodes.push({ name: nameOf(output), op: 'Reshape', input: [nameOf(from), sizes], attr: { T: FLOAT } });
    },
    add: (_, inputs, output) => {
      nodes.push({ name: nameOf(output), op: 'AddV2', input: inputs.map(nameOf), attr: { T: FLOAT } });
    },
    concat: (operator, inputs, output) => {
      const axis = Int32Array.of(file.int(file.table(operator, OPERATOR.options), 0));
      const inputNames = [...inputs.map(nameOf), store(`${nameOf(output)}/axis`, [], axis)];
      const attr = { T: FLOAT, N: { i: String(inputs.length) } };
      nodes.push({ name: nameOf(output), op: 'ConcatV2', input: inputNames, attr });
    },
    conv: (operator, inputs, output) => convolve(operator, inputs, output, true),
    depthwise: (operator, inputs, output) => convolve(operator, inputs, output, false),
  };
  /** @param {number} operator @param {number[]} inputs @param {number} output @param {boolean} isConv */
  function convolve(operator, [from, filterIndex, biasIndex], output, isConv) {
    const name = nameOf(output);
    const options = file.table(operator, OPERATOR.options);
    const filter = constant(filterIndex);
    const bias = constant(biasIndex);
    const [a, height, width, b] = filter.shape;
    const values = isConv ? moveFirstToLast(filter.halves, a) : filter.halves;
    const filterName = store(`${name}/filter`, [height, width, b, isConv ? a : 1], values);
    const biasName = store(`${name}/bias`, bias.shape, bias.halves);
    const fused = ['BiasAdd', ...(file.int8(options, isConv ? 3 : 4) === 3 ? ['Relu6'] : [])];
    const steps = ['1', String(file.int(options, 2)), String(file.int(options, 1)), '1'];
    nodes.push({
      name,
      op: isConv ? '_FusedConv2D' : 'FusedDepthwiseConv2dNative',
      input: [nameOf(from), filterName, biasName],
      attr: {
        ...{ T: FLOAT, num_args: { i: '1' }, epsilon: { f: 0 }, data_format: text('NHWC') },
        ...{ strides: { list: { i: steps } }, dilations: { list: { i: ['1', '1', '1', '1'] } } },
        padding: text(file.int8(options, 0) === 0 ? 'SAME' : 'VALID'),
        fused_ops: { list: { s: fused.map((operator) => text(operator).s) } },
      },
    });
  }

  for (const operator of file.tables(subgraph, SUBGRAPH.operators)) {
    const [output] = file.ints(operator, OPERATOR.outputs);
    converters[codes[file.int(operator, OPERATOR.code)]](
      operator,
      file.ints(operator, OPERATOR.inputs),
      output,
    );
  }
  return {
    model: {
      format: 'graph-model',
      modelTopology: { node: nodes, versions: { producer: 1 } },
      weightsManifest: [{ paths: ['weights.bin'], weights: manifest }],
    },
    weights: new Uint8Array(Buffer.concat(parts)),
  };
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
