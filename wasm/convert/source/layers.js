// Reads TensorFlow.js layers models, which contain a Keras configuration in JSON (Teachable Machine exports these).
// Builds the same graph of TensorFlow operators as the other readers.
import { convertFailure } from '../errors.js';
import { constant, make, Node } from '../graph/graph.js';

/**
 * @typedef {import('../graph/graph.js').Ref} Ref
 * @typedef {import('../../tflite/tensor.js').Tensor} Tensor
 * @typedef {Map<string, Tensor>} Weights by name
 * @typedef {{class_name: string, name?: string, config: any, inbound_nodes?: any[]}} LayerSpec
 * @typedef {{name: string, ref: Ref, shape: number[]}} Input
 */

const MAX_DEPTH = 32;
const encoder = new TextEncoder();

/**
 * @param {any} json model.json
 * @param {Weights} weights
 * @returns {import('./saved_model.js').Model}
 */
export function readLayersModel(json, weights) {
  const topology = json.modelTopology.model_config ?? json.modelTopology;
  const reader = new LayersReader(weights);
  const outputs = reader.model(topology, [], '', 0);
  return {
    inputs: reader.inputs,
    outputs: outputs.map((ref, i) => ({ name: reader.outputNames[i] ?? `output_${i}`, ref })),
    readTable: async () => undefined,
  };
}

/** @param {number[]} values */
const intList = (values) => ({ list: { i: values } });
/** @param {string} text */
const bytes = (text) => ({ s: encoder.encode(text) });
/** @param {any} value @returns {[number, number]} */
const pair = (value) => (Array.isArray(value) ? [value[0], value[1] ?? value[0]] : [value, value]);

/** @param {string} name @param {number[]} values @param {number[]} [shape] */
function ints(name, values, shape = [values.length]) {
  return constant(name, { dtype: 'int32', shape, data: Int32Array.from(values) });
}

/** @param {string} name @param {number} value */
function scalar(name, value) {
  return constant(name, { dtype: 'float32', shape: [], data: Float64Array.of(value) });
}

class LayersReader {
  /** @type {Input[]} */ inputs = [];
  /** @type {string[]} */ outputNames = [];

  /** @param {Weights} weights */
  constructor(weights) {
    this.weights = weights;
  }

  /**
   * @param {LayerSpec} spec a model, which may be a layer of another model
   * @param {Ref[]} inputs empty if the model's input layers are the inputs
   * @param {string} path
   * @param {number} depth
   * @returns {Ref[]}
   */
  model({ class_name: kind, config }, inputs, path, depth) {
    if (depth > MAX_DEPTH) throw convertFailure('GRAPH_BAD', 'models are nested too deeply');
    const layers = Array.isArray(config) ? config : config?.layers;
    if (!Array.isArray(layers)) throw convertFailure('SOURCE_DAMAGED', `the model '${path}' has no layers`);
    if (kind === 'Sequential') return this.#sequential(layers, inputs, path, depth);
    if (kind === 'Functional' || kind === 'Model') return this.#functional(config, inputs, path, depth);
    throw convertFailure('GRAPH_UNSUPPORTED', `a model of class ${kind}`);
  }

  /**
   * @param {LayerSpec[]} layers
   * @param {Ref[]} inputs
   * @param {string} path
   * @param {number} depth
   */
  #sequential(layers, inputs, path, depth) {
    let refs = inputs;
    for (const spec of layers) {
      if (refs.length === 0 && spec.class_name !== 'InputLayer' && spec.config?.batch_input_shape)
        refs = [this.#input(spec)];
      refs = this.#layer(spec, refs, path, depth);
      if (depth === 0) this.outputNames = [spec.config?.name ?? 'output'];
    }
    return refs;
  }

  /**
   * Builds the layers that the outputs depend on. A layer that is called several times becomes one node per call.
   * @param {any} config
   * @param {Ref[]} inputs
   * @param {string} path
   * @param {number} depth
   */
  #functional(config, inputs, path, depth) {
    /** @type {Map<string, LayerSpec>} */
    const specs = new Map(
      config.layers.map((/** @type {LayerSpec} */ spec) => [spec.name ?? spec.config.name, spec]),
    );
    /** @type {Map<string, Ref[] | 'open'>} */
    const done = new Map();
    const inputNames = toEndpoints(config.input_layers).map(([name]) => name);
    inputNames.forEach((name, i) => {
      if (inputs[i]) done.set(`${name} 0`, [inputs[i]]);
    });
    /** @param {string} name @param {number} call @returns {Ref[]} */
    const evaluate = (name, call) => {
      const key = `${name} ${call}`;
      const known = done.get(key);
      if (known === 'open') throw convertFailure('GRAPH_BAD', `the layer '${name}' takes its own output`);
      if (known) return known;
      const spec = specs.get(name);
      if (!spec) throw convertFailure('SOURCE_DAMAGED', `there is no layer '${name}'`);
      done.set(key, 'open');
      const sources = inboundOf(spec, call).map(([from, at, index]) => evaluate(from, at)[index]);
      const refs = this.#layer(spec, sources, path, depth);
      done.set(key, refs);
      return refs;
    };
    const outputs = toEndpoints(config.output_layers);
    if (depth === 0) this.outputNames = outputs.map(([name]) => name);
    return outputs.map(([name, call, index]) => evaluate(name, call)[index]);
  }

  /** @param {LayerSpec} spec */
  #input({ config }) {
    const shape = (config.batch_input_shape ?? config.batch_shape ?? []).map(
      (/** @type {number | null} */ size) => size ?? -1,
    );
    const node = new Node(
      config.name,
      'Placeholder',
      new Map([['shape', { shape: { dim: shape.map((/** @type {number} */ size) => ({ size })) } }]]),
    );
    const ref = { node, index: 0 };
    this.inputs.push({ name: config.name, ref, shape });
    return ref;
  }

  /**
   * @param {LayerSpec} spec
   * @param {Ref[]} inputs
   * @param {string} path
   * @param {number} depth
   * @returns {Ref[]}
   */
  #layer(spec, inputs, path, depth) {
    const { class_name: kind, config = {} } = spec;
    const name = path + (config.name ?? spec.name ?? kind);
    if (kind === 'InputLayer') return inputs.length > 0 ? inputs : [this.#input(spec)];
    if (kind === 'Sequential' || kind === 'Functional' || kind === 'Model')
      return this.model(spec, inputs, `${name}/`, depth + 1);
    const rule = Object.hasOwn(LAYERS, kind) ? LAYERS[kind] : undefined;
    if (rule === undefined) throw convertFailure('GRAPH_UNSUPPORTED', `the layer ${kind} at '${name}'`);
    if (inputs.length === 0) throw convertFailure('SOURCE_DAMAGED', `the layer '${name}' has no input`);
    if (config.data_format && config.data_format !== 'channels_last')
      throw convertFailure(
        'GRAPH_UNSUPPORTED',
        `data format ${config.data_format} at '${name}', only channels_last is supported`,
      );
    return [
      activated(
        rule({ name, config, inputs, weight: (key) => this.#weight(name, config.name, key) }),
        name,
        config,
      ),
    ];
  }

  /**
   * @param {string} path
   * @param {string} own
   * @param {string} key
   */
  #weight(path, own, key) {
    const candidates = [`${own}/${key}`, `${path}/${key}`, `${path.split('/').slice(1).join('/')}/${key}`];
    const found =
      candidates.map((name) => this.weights.get(name)).find(Boolean) ??
      this.#weightEndingIn(`/${own}/${key}`);
    if (!found) throw convertFailure('SOURCE_INCOMPLETE', `there is no weight '${candidates[0]}'`);
    return constant(`${path}/${key}`, found);
  }

  /** @param {string} ending */
  #weightEndingIn(ending) {
    for (const [name, tensor] of this.weights) if (name.endsWith(ending)) return tensor;
    return undefined;
  }
}

/** Normalizes one or several [layer, call, output]. @param {any} list @returns {[string, number, number][]} */
function toEndpoints(list) {
  const all = Array.isArray(list?.[0]) ? list : list ? [list] : [];
  return all.map((/** @type {any} */ [name, call, index]) => [
    String(name),
    Number(call ?? 0),
    Number(index ?? 0),
  ]);
}

/**
 * The inputs of a layer's call.
 * @param {LayerSpec} spec
 * @param {number} call
 * @returns {[string, number, number][]} [layer, call, output] of each
 */
function inboundOf({ inbound_nodes: nodes = [] }, call) {
  return toEndpoints(nodes[call]);
}

/**
 * @typedef {{name: string, config: any, inputs: Ref[], weight: (key: string) => Ref}} Layer
 * @typedef {(layer: Layer) => Ref} LayerRule
 */

/** @type {Record<string, (x: Ref, name: string) => Ref>} */
const ACTIVATIONS = {
  linear: (x) => x,
  relu: (x, name) => make(name, 'Relu', [x]),
  relu6: (x, name) => make(name, 'Relu6', [x]),
  sigmoid: (x, name) => make(name, 'Sigmoid', [x]),
  softmax: (x, name) => make(name, 'Softmax', [x]),
  swish: (x, name) => make(name, 'Mul', [x, make(`${name}/sigmoid`, 'Sigmoid', [x])]),
  silu: (x, name) => make(name, 'Mul', [x, make(`${name}/sigmoid`, 'Sigmoid', [x])]),
};

/** @param {Ref} x @param {string} name @param {any} config */
function activated(x, name, { activation }) {
  if (activation === undefined || activation === null) return x;
  const kind = typeof activation === 'string' ? activation : activation.class_name?.toLowerCase();
  const apply = Object.hasOwn(ACTIVATIONS, kind) ? ACTIVATIONS[kind] : undefined;
  if (!apply) throw convertFailure('GRAPH_UNSUPPORTED', `the activation ${kind} at '${name}'`);
  return apply(x, `${name}/${kind}`);
}

/** @param {any} config */
function windowAttrs({ strides = [1, 1], dilation_rate: dilation = [1, 1], padding = 'valid' }) {
  const [strideH, strideW] = pair(strides);
  const [dilationH, dilationW] = pair(dilation);
  return {
    strides: intList([1, strideH, strideW, 1]),
    dilations: intList([1, dilationH, dilationW, 1]),
    padding: bytes(padding.toUpperCase()),
  };
}

/** @param {Ref} x @param {Layer} layer */
function biased(x, { name, config, weight }) {
  return config.use_bias === false ? x : make(`${name}/BiasAdd`, 'BiasAdd', [x, weight('bias')]);
}

/** @param {string} op @param {string} kernel @returns {LayerRule} */
const convolution = (op, kernel) => (layer) =>
  biased(make(layer.name, op, [layer.inputs[0], layer.weight(kernel)], windowAttrs(layer.config)), layer);

/** @param {string} op @returns {LayerRule} */
const pool =
  (op) =>
  ({ name, config, inputs }) => {
    const [height, width] = pair(config.pool_size ?? 2);
    return make(name, op, inputs, {
      ...windowAttrs({ ...config, strides: config.strides ?? config.pool_size ?? 2 }),
      ksize: intList([1, height, width, 1]),
    });
  };

/** @param {string} op @returns {LayerRule} */
const merged =
  (op) =>
  ({ name, inputs }) =>
    inputs
      .slice(1)
      .reduce(
        (sum, part, i) => make(i === inputs.length - 2 ? name : `${name}/${i}`, op, [sum, part]),
        inputs[0],
      );

/** For layers that have no effect at inference. @type {LayerRule} */
const same = ({ inputs }) => inputs[0];

/** @type {LayerRule} */
function batchNorm({ name, config, inputs, weight }) {
  const mean = weight('moving_mean');
  const variance = weight('moving_variance');
  const like = (/** @type {number} */ value) => {
    const data = new Float64Array(/** @type {Tensor} */ (mean.node.tensor).data.length).fill(value);
    return constant(`${name}/${value}`, { dtype: 'float32', shape: [data.length], data });
  };
  const gamma = config.scale === false ? like(1) : weight('gamma');
  const beta = config.center === false ? like(0) : weight('beta');
  return make(name, 'FusedBatchNormV3', [inputs[0], gamma, beta, mean, variance], {
    epsilon: { f: config.epsilon ?? 1e-3 },
    is_training: { b: false },
  });
}

/** @type {LayerRule} */
function relu({ name, config, inputs }) {
  const { max_value: max = null, threshold = 0, negative_slope: slope = 0 } = config;
  const isPlain = Number(threshold) === 0 && Number(slope) === 0 && (max === null || Number(max) === 6);
  if (!isPlain)
    throw convertFailure(
      'GRAPH_UNSUPPORTED',
      `ReLU with max_value ${max}, threshold ${threshold}, negative_slope ${slope} at '${name}'`,
    );
  return make(name, max === null ? 'Relu' : 'Relu6', inputs);
}

/** @type {LayerRule} */
function zeroPadding({ name, config, inputs }) {
  const [rows, columns] = pair(config.padding ?? 1).map(pair);
  return make(name, 'Pad', [inputs[0], ints(`${name}/paddings`, [0, 0, ...rows, ...columns, 0, 0], [4, 2])]);
}

/** @type {LayerRule} */
function rescaling({ name, config, inputs }) {
  const scaled = make(`${name}/scaled`, 'Mul', [inputs[0], scalar(`${name}/scale`, config.scale ?? 1)]);
  return make(name, 'AddV2', [scaled, scalar(`${name}/offset`, config.offset ?? 0)]);
}

/** @param {'Mean' | 'Max'} op @returns {LayerRule} */
const globalPool =
  (op) =>
  ({ name, config, inputs }) =>
    make(name, op, [inputs[0], ints(`${name}/axes`, [1, 2])], {
      keep_dims: { b: config.keepdims === true },
    });

/** @type {LayerRule} */
function dense(layer) {
  return biased(make(layer.name, 'MatMul', [layer.inputs[0], layer.weight('kernel')]), layer);
}

/** @type {LayerRule} */
function separable(layer) {
  const { name, config, inputs, weight } = layer;
  const depthwise = make(
    `${name}/depthwise`,
    'DepthwiseConv2dNative',
    [inputs[0], weight('depthwise_kernel')],
    windowAttrs(config),
  );
  return biased(make(name, 'Conv2D', [depthwise, weight('pointwise_kernel')], windowAttrs({})), layer);
}

/** @type {Record<string, LayerRule>} */
const LAYERS = {
  Activation: same,
  ActivityRegularization: same,
  Add: merged('AddV2'),
  AveragePooling2D: pool('AvgPool'),
  BatchNormalization: batchNorm,
  Concatenate: ({ name, config, inputs }) =>
    make(name, 'ConcatV2', [...inputs, ints(`${name}/axis`, [config.axis ?? -1], [])]),
  Conv2D: convolution('Conv2D', 'kernel'),
  Dense: dense,
  DepthwiseConv2D: convolution('DepthwiseConv2dNative', 'depthwise_kernel'),
  Dropout: same,
  Flatten: ({ name, inputs }) => make(name, 'Flatten', inputs),
  GaussianDropout: same,
  GaussianNoise: same,
  GlobalAveragePooling2D: globalPool('Mean'),
  GlobalMaxPooling2D: globalPool('Max'),
  MaxPooling2D: pool('MaxPool'),
  Multiply: merged('Mul'),
  PReLU: ({ name, inputs, weight }) => make(name, 'Prelu', [inputs[0], weight('alpha')]),
  ReLU: relu,
  Rescaling: rescaling,
  Reshape: ({ name, config, inputs }) =>
    make(name, 'Reshape', [inputs[0], ints(`${name}/shape`, [-1, ...config.target_shape])]),
  SeparableConv2D: separable,
  Softmax: ({ name, inputs }) => make(name, 'Softmax', inputs),
  SpatialDropout2D: same,
  Subtract: merged('Sub'),
  ZeroPadding2D: zeroPadding,
};
