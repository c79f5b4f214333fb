// What each of Keras' layers computes, as TensorFlow's operators.
import { convertFailure } from '../errors.js';
import { constant, make } from '../graph/graph.js';
import { numbersOf } from './layer_calls.js';
import { isLastAxis, shapeOf } from './layer_shapes.js';

/**
 * @typedef {import('../graph/graph.js').Ref} Ref
 * @typedef {import('../../tflite/tensor.js').Tensor} Tensor
 *
 * @typedef {object} Layer
 * @property {string} name
 * @property {any} config
 * @property {Ref[]} inputs
 * @property {import('./layer_calls.js').Call} call
 * @property {(...keys: string[]) => Ref} weight the first of these weights that the source has
 * @property {number} kerasVersion 2 or 3
 * @property {boolean} [isWeb] TensorFlow.js saved the model: its own layers resize differently
 * @property {boolean} [isTraining] the call says training=True
 *
 * @typedef {(layer: Layer) => Ref} LayerRule
 */

const encoder = new TextEncoder();
/** Of TensorFlow's DataType. */
const DT_FLOAT = 1;

/** @param {number[]} values */
const intList = (values) => ({ list: { i: values } });
/** @param {string} text */
const bytes = (text) => ({ s: encoder.encode(text) });
/** @param {any} value @returns {[number, number]} */
const pair = (value) => (Array.isArray(value) ? [value[0], value[1] ?? value[0]] : [value, value]);

/** @param {string} name @param {number[]} values @param {number[]} [shape] */
export function ints(name, values, shape = [values.length]) {
  return constant(name, { dtype: 'int32', shape, data: Int32Array.from(values) });
}

/** @param {string} name @param {number[]} values @param {number[]} [shape] */
export function floats(name, values, shape = [values.length]) {
  return constant(name, { dtype: 'float32', shape, data: Float64Array.from(values) });
}

/** @param {string} name @param {number} value */
export const scalar = (name, value) => floats(name, [value], []);

/**
 * A constant from a number, an array or nested lists of numbers.
 * @param {string} name
 * @param {unknown} value
 * @returns {Ref | undefined} undefined: it is neither
 */
export function array(name, value) {
  /** @type {number[]} */
  const shape = [];
  let parts = [numbersOf(value)];
  for (; parts.every(Array.isArray) && parts.length > 0; parts = parts.flat()) shape.push(parts[0].length);
  const isWhole = parts.length === shape.reduce((count, size) => count * size, 1);
  if (!isWhole || !parts.every((part) => typeof part === 'number')) return undefined;
  return floats(name, parts, shape);
}

/** @param {Layer} layer @param {string} reason */
export function unsupported({ name }, reason) {
  return convertFailure('GRAPH_UNSUPPORTED', `${reason} at '${name}'`);
}

// ---- activations ----

/** @param {string} op */
const operator = (op) => (/** @type {Ref} */ x, /** @type {string} */ name) => make(name, op, [x]);

/** @param {Ref} x @param {string} name */
const swish = (x, name) => make(name, 'Mul', [x, make(`${name}/sigmoid`, 'Sigmoid', [x])]);

/** relu6(x + 3) / 6 @param {Ref} x @param {string} name */
function hardSigmoid(x, name) {
  const shifted = make(`${name}/shifted`, 'AddV2', [x, scalar(`${name}/3`, 3)]);
  return make(name, 'Mul', [make(`${name}/relu6`, 'Relu6', [shifted]), scalar(`${name}/sixth`, 1 / 6)]);
}

/** Keras 2's: 0.2 * x + 0.5, from 0 to 1. @param {Ref} x @param {string} name */
function legacyHardSigmoid(x, name) {
  const scaled = make(`${name}/scaled`, 'Mul', [x, scalar(`${name}/fifth`, 0.2)]);
  const shifted = make(`${name}/shifted`, 'AddV2', [scaled, scalar(`${name}/half`, 0.5)]);
  return make(name, 'ClipByValue', [shifted, scalar(`${name}/0`, 0), scalar(`${name}/1`, 1)]);
}

/** 0.5 * x * (1 + erf(x / sqrt(2))) @param {Ref} x @param {string} name */
function gelu(x, name) {
  const erf = make(`${name}/erf`, 'Erf', [
    make(`${name}/scaled`, 'Mul', [x, scalar(`${name}/root`, Math.SQRT1_2)]),
  ]);
  const half = make(`${name}/halved`, 'Mul', [x, scalar(`${name}/half`, 0.5)]);
  return make(name, 'Mul', [half, make(`${name}/shifted`, 'AddV2', [erf, scalar(`${name}/one`, 1)])]);
}

/** @param {Ref} x @param {string} name */
const mish = (x, name) =>
  make(name, 'Mul', [x, make(`${name}/tanh`, 'Tanh', [make(`${name}/softplus`, 'Softplus', [x])])]);

/** x / (|x| + 1) @param {Ref} x @param {string} name */
function softsign(x, name) {
  const size = make(`${name}/abs`, 'Abs', [x]);
  return make(name, 'RealDiv', [x, make(`${name}/shifted`, 'AddV2', [size, scalar(`${name}/one`, 1)])]);
}

/** @param {Ref} x @param {string} name */
const hardSwish = (x, name) => make(name, 'Mul', [x, hardSigmoid(x, `${name}/sigmoid`)]);

/** @type {Record<string, (x: Ref, name: string, kerasVersion: number) => Ref>} */
const ACTIVATIONS = {
  elu: operator('Elu'),
  exponential: operator('Exp'),
  gelu,
  hard_sigmoid: (x, name, kerasVersion) =>
    kerasVersion < 3 ? legacyHardSigmoid(x, name) : hardSigmoid(x, name),
  hard_silu: hardSwish,
  hard_swish: hardSwish,
  leaky_relu: (x, name) => make(name, 'LeakyRelu', [x], { alpha: { f: 0.2 } }),
  linear: (x) => x,
  log_softmax: operator('LogSoftmax'),
  mish,
  relu: operator('Relu'),
  relu6: operator('Relu6'),
  selu: operator('Selu'),
  sigmoid: operator('Sigmoid'),
  silu: swish,
  softmax: operator('Softmax'),
  softplus: operator('Softplus'),
  softsign,
  swish,
  tanh: operator('Tanh'),
};

/** @param {string} kind @param {Ref} x @param {Layer} layer */
export function apply(kind, x, layer) {
  const made = Object.hasOwn(ACTIVATIONS, kind) ? ACTIVATIONS[kind] : undefined;
  if (!made) throw unsupported(layer, `the activation ${kind}`);
  return made(x, `${layer.name}/${kind}`, layer.kerasVersion);
}

/**
 * Applies the activation of a layer's configuration, which may be a layer with options of its own.
 * @param {Ref} x
 * @param {Layer} layer
 * @returns {Ref}
 */
export function activated(x, layer) {
  const { activation } = layer.config;
  if (activation === undefined || activation === null) return x;
  if (typeof activation === 'string') return apply(activation, x, layer);
  const { class_name: kind } = activation;
  const config = activation.config ?? {};
  if (typeof config === 'string') return apply(config, x, layer);
  if (!Object.hasOwn(LAYERS, kind)) {
    const option = Object.keys(config).find((key) => !['name', 'trainable', 'dtype'].includes(key));
    if (option) throw unsupported(layer, `the activation ${kind} with the option '${option}'`);
    return apply(String(kind).toLowerCase(), x, layer);
  }
  const weight = () => {
    throw unsupported(layer, `the activation ${kind}, which has weights,`);
  };
  const own = { ...layer, name: `${layer.name}/${kind}`, config, inputs: [x], weight };
  return activated(LAYERS[kind](own), own);
}

// ---- layers ----

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

/** @param {string} op @param {string[]} kernels its names @returns {LayerRule} */
const convolution =
  (op, ...kernels) =>
  (layer) =>
    biased(
      make(layer.name, op, [layer.inputs[0], layer.weight(...kernels)], windowAttrs(layer.config)),
      layer,
    );

/** Height and width, as a node. @param {string} name @param {Ref} x @param {Ref} factor */
function scaledSize(name, x, factor) {
  const shape = make(`${name}/shape`, 'Shape', [x]);
  const bounds = [ints(`${name}/begin`, [1]), ints(`${name}/end`, [3]), ints(`${name}/by`, [1])];
  return make(`${name}/size`, 'Mul', [make(`${name}/plane`, 'StridedSlice', [shape, ...bounds]), factor]);
}

/** The batch, as a node with one element. @param {string} name @param {Ref} x */
function batchOf(name, x) {
  const shape = make(`${name}/shape`, 'Shape', [x]);
  const bounds = [ints(`${name}/first`, [0]), ints(`${name}/second`, [1]), ints(`${name}/one`, [1])];
  return make(`${name}/batch`, 'StridedSlice', [shape, ...bounds]);
}

/** @type {LayerRule} */
function transposedConvolution(layer) {
  const { name, config, inputs, weight } = layer;
  const kernel = weight('kernel');
  const [strideH, strideW] = pair(config.strides ?? 1);
  if (config.output_padding || pair(config.dilation_rate ?? 1).some((rate) => rate !== 1))
    throw unsupported(layer, 'Conv2DTranspose with output_padding or dilation');
  const [height, width, channels] = /** @type {Tensor} */ (kernel.node.tensor).shape;
  const isSame = config.padding === 'same';
  const extra = isSame ? [0, 0] : [Math.max(height - strideH, 0), Math.max(width - strideW, 0)];
  const strided = scaledSize(`${name}/out`, inputs[0], ints(`${name}/strides`, [strideH, strideW]));
  const size = make(`${name}/grown`, 'AddV2', [strided, ints(`${name}/extra`, extra)]);
  const parts = [batchOf(`${name}/out`, inputs[0]), size, ints(`${name}/channels`, [channels])];
  const shape = make(`${name}/out/all`, 'ConcatV2', [...parts, ints(`${name}/out/axis`, [0], [])]);
  const attrs = windowAttrs({ ...config, strides: [strideH, strideW] });
  return biased(make(name, 'Conv2DBackpropInput', [shape, kernel, inputs[0]], attrs), layer);
}

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

/** The inputs, with axes of size 1 behind the batch where others have more axes, as Keras merges them. @param {Layer} layer */
function ofOneRank(layer) {
  const { name, inputs } = layer;
  const ranks = inputs.map((x) => shapeOf(x)?.length ?? Number.NaN);
  const rank = ranks.reduce((a, b) => Math.max(a, b), 0);
  if (Number.isNaN(rank)) throw unsupported(layer, 'an input of an unknown rank');
  const one = ints(`${name}/first`, [1], []);
  const grow = (/** @type {Ref} */ x, /** @type {number} */ missing, /** @type {string} */ part) => {
    for (let i = 0; i < missing; i++) x = make(`${part}/${i}`, 'ExpandDims', [x, one]);
    return x;
  };
  return inputs.map((x, i) => grow(x, rank - ranks[i], `${name}/grown/${i}`));
}

/** @param {string} op @returns {LayerRule} */
const merged = (op) => (layer) => {
  const [first, ...rest] = ofOneRank(layer);
  const nameOf = (/** @type {number} */ i) => (i === rest.length - 1 ? layer.name : `${layer.name}/${i}`);
  return rest.reduce((sum, part, i) => make(nameOf(i), op, [sum, part]), first);
};

/** @type {LayerRule} */
function average(layer) {
  const { name, inputs } = layer;
  const sum = merged('AddV2')({ ...layer, name: `${name}/sum` });
  return make(name, 'Mul', [sum, scalar(`${name}/share`, 1 / inputs.length)]);
}

/** For layers that have no effect at inference. @type {LayerRule} */
const same = ({ inputs }) => inputs[0];

/** For layers that change values at random in training. @type {LayerRule} */
function random(layer) {
  if (layer.isTraining) throw unsupported(layer, 'a random layer that is always on (training=True)');
  return layer.inputs[0];
}

/** @type {LayerRule} */
function relu(layer) {
  const { name, config, inputs } = layer;
  const { max_value: max = null, threshold = 0, negative_slope: slope = 0 } = config;
  if (Number(threshold) !== 0) return reluOver(layer, Number(threshold));
  if (Number(slope) !== 0) {
    const leaky = make(`${name}/leaky`, 'LeakyRelu', inputs, { alpha: { f: Number(slope) } });
    return max === null ? leaky : make(name, 'Minimum', [leaky, scalar(`${name}/max`, Number(max))]);
  }
  if (max === null || Number(max) === 6) return make(name, max === null ? 'Relu' : 'Relu6', inputs);
  return make(name, 'ClipByValue', [inputs[0], scalar(`${name}/0`, 0), scalar(`${name}/max`, Number(max))]);
}

/**
 * x where it is over the threshold, at most the largest value; elsewhere slope * (x - threshold).
 * @param {Layer} layer
 * @param {number} threshold
 */
function reluOver({ name, config, inputs: [x] }, threshold) {
  const { max_value: max = null, negative_slope: slope = 0 } = config;
  const named = (/** @type {string} */ part) => `${name}/${part}`;
  const limit = scalar(named('threshold'), threshold);
  const isOver = make(named('over'), 'Cast', [make(named('greater'), 'Greater', [x, limit])], {
    DstT: { type: DT_FLOAT },
  });
  const over = make(named('kept'), 'Mul', [x, isOver]);
  const bounds = [scalar(named('0'), 0), scalar(named('max'), Number(max))];
  const clipped = max === null ? over : make(named('clipped'), 'ClipByValue', [over, ...bounds]);
  if (Number(slope) === 0) return clipped;
  const below = make(named('below'), 'Relu', [make(named('distance'), 'Sub', [limit, x])]);
  return make(name, 'Sub', [
    clipped,
    make(named('sloped'), 'Mul', [below, scalar(named('slope'), Number(slope))]),
  ]);
}

/** @type {LayerRule} */
function leakyRelu({ name, config, inputs }) {
  return make(name, 'LeakyRelu', inputs, {
    alpha: { f: Number(config.negative_slope ?? config.alpha ?? 0.3) },
  });
}

/** max(x, 0) + alpha * (exp(min(x, 0)) - 1) @type {LayerRule} */
function elu({ name, config, inputs }) {
  const alpha = Number(config.alpha ?? 1);
  if (alpha === 1) return make(name, 'Elu', inputs);
  const low = make(`${name}/low`, 'Minimum', [inputs[0], scalar(`${name}/0`, 0)]);
  const scaled = make(`${name}/scaled`, 'Mul', [
    make(`${name}/elu`, 'Elu', [low]),
    scalar(`${name}/alpha`, alpha),
  ]);
  return make(name, 'AddV2', [make(`${name}/relu`, 'Relu', inputs), scaled]);
}

/** @type {LayerRule} */
function softmax(layer) {
  const axis = [layer.config.axis ?? -1].flat();
  if (!isLastAxis(layer.inputs[0], axis)) throw unsupported(layer, `Softmax along axis ${axis}`);
  return make(layer.name, 'Softmax', layer.inputs);
}

/** @type {LayerRule} */
function zeroPadding({ name, config, inputs }) {
  const [rows, columns] = pair(config.padding ?? 1).map(pair);
  return make(name, 'Pad', [inputs[0], ints(`${name}/paddings`, [0, 0, ...rows, ...columns, 0, 0], [4, 2])]);
}

/** @type {LayerRule} */
function cropping({ name, config, inputs }) {
  const [[top, bottom], [left, right]] = pair(config.cropping ?? 0).map(pair);
  const endMask = 0b1001 | (bottom === 0 ? 2 : 0) | (right === 0 ? 4 : 0);
  const bounds = [
    ints(`${name}/begin`, [0, top, left, 0]),
    ints(`${name}/end`, [0, -bottom, -right, 0]),
    ints(`${name}/by`, [1, 1, 1, 1]),
  ];
  return make(name, 'StridedSlice', [inputs[0], ...bounds], {
    begin_mask: { i: 0b1001 },
    end_mask: { i: endMask },
  });
}

/** @type {LayerRule} */
function rescaling(layer) {
  const { name, config, inputs } = layer;
  const numbers = (/** @type {string} */ key, /** @type {unknown} */ value) => {
    const made = array(`${name}/${key}`, value);
    if (!made) throw unsupported(layer, `Rescaling whose ${key} is no number`);
    return made;
  };
  const scaled = make(`${name}/scaled`, 'Mul', [inputs[0], numbers('scale', config.scale ?? 1)]);
  return make(name, 'AddV2', [scaled, numbers('offset', config.offset ?? 0)]);
}

const RESIZES = new Map([
  ['bilinear', 'ResizeBilinear'],
  ['nearest', 'ResizeNearestNeighbor'],
]);

/**
 * @param {Layer} layer
 * @param {Ref} size
 * @param {{interpolation: string, web: object}} how `web`: the attributes of TensorFlow.js' layer
 */
function resized(layer, size, { interpolation, web }) {
  const { name, inputs, isWeb } = layer;
  const op = RESIZES.get(interpolation);
  if (!op) throw unsupported(layer, `${interpolation} interpolation`);
  return make(name, op, [inputs[0], size], isWeb ? web : { half_pixel_centers: { b: true } });
}

/** @type {LayerRule} */
function upsampling(layer) {
  const { name, config, inputs } = layer;
  const size = scaledSize(name, inputs[0], ints(`${name}/factor`, pair(config.size ?? 2)));
  return resized(layer, size, { interpolation: config.interpolation ?? 'nearest', web: {} });
}

/** TensorFlow.js does not crop: the option says whether corners are aligned. @type {LayerRule} */
function resizing(layer) {
  const { name, config, isWeb } = layer;
  const { crop_to_aspect_ratio: crops = false, interpolation = 'bilinear' } = config;
  if (!isWeb && (crops || config.pad_to_aspect_ratio || config.antialias))
    throw unsupported(layer, 'Resizing that keeps the aspect ratio or smooths');
  const size = ints(`${name}/size`, [config.height, config.width]);
  return resized(layer, size, { interpolation, web: { align_corners: { b: !crops } } });
}

/** @param {'Mean' | 'Max'} op @param {number[]} axes @returns {LayerRule} */
const globalPool =
  (op, axes) =>
  ({ name, config, inputs }) =>
    make(name, op, [inputs[0], ints(`${name}/axes`, axes)], {
      keep_dims: { b: config.keepdims === true },
    });

/** Of vectors, or of the last axis of planes. @type {LayerRule} */
function dense(layer) {
  return biased(make(layer.name, 'BatchMatMulV2', [layer.inputs[0], layer.weight('kernel')]), layer);
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

/** @type {LayerRule} */
function reshape({ name, config, inputs }) {
  const parts = [batchOf(name, inputs[0]), ints(`${name}/rest`, config.target_shape)];
  const shape = make(`${name}/all`, 'ConcatV2', [...parts, ints(`${name}/axis`, [0], [])]);
  return make(name, 'Reshape', [inputs[0], shape]);
}

/** @type {LayerRule} */
function permute({ name, config, inputs }) {
  return make(name, 'Transpose', [inputs[0], ints(`${name}/order`, [0, ...config.dims])]);
}

/** @type {Record<string, LayerRule>} */
export const LAYERS = {
  Activation: same,
  ActivityRegularization: same,
  Add: merged('AddV2'),
  Average: average,
  AveragePooling2D: pool('AvgPool'),
  Concatenate: ({ name, config, inputs }) =>
    make(name, 'ConcatV2', [...inputs, ints(`${name}/axis`, [config.axis ?? -1], [])]),
  Conv2D: convolution('Conv2D', 'kernel'),
  Conv2DTranspose: transposedConvolution,
  Cropping2D: cropping,
  Dense: dense,
  DepthwiseConv2D: convolution('DepthwiseConv2dNative', 'depthwise_kernel', 'kernel'),
  Dropout: random,
  ELU: elu,
  Flatten: ({ name, inputs }) => make(name, 'Flatten', inputs),
  GaussianDropout: random,
  GaussianNoise: random,
  GlobalAveragePooling1D: globalPool('Mean', [1]),
  GlobalAveragePooling2D: globalPool('Mean', [1, 2]),
  GlobalMaxPooling1D: globalPool('Max', [1]),
  GlobalMaxPooling2D: globalPool('Max', [1, 2]),
  // ConvNeXt's own layer. Keras 2 gives its weight no name.
  LayerScale: ({ name, inputs, weight }) =>
    make(name, 'Mul', [inputs[0], weight('gamma', 'Variable', 'variable')]),
  LeakyReLU: leakyRelu,
  Maximum: merged('Maximum'),
  MaxPooling2D: pool('MaxPool'),
  Minimum: merged('Minimum'),
  Multiply: merged('Mul'),
  Permute: permute,
  PReLU: ({ name, inputs, weight }) => make(name, 'Prelu', [inputs[0], weight('alpha')]),
  ReLU: relu,
  Rescaling: rescaling,
  Reshape: reshape,
  Resizing: resizing,
  SeparableConv2D: separable,
  Softmax: softmax,
  SpatialDropout2D: random,
  Subtract: merged('Sub'),
  UpSampling2D: upsampling,
  ZeroPadding2D: zeroPadding,
};
