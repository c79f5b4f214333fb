// Keras' layers that normalize, by numbers that they learned or by those of the picture, as TensorFlow's operators.
import { make } from '../graph/graph.js';
import { array, floats, ints, scalar, unsupported } from './layer_rules.js';
import { isLastAxis, shapeOf } from './layer_shapes.js';

/**
 * @typedef {import('../graph/graph.js').Ref} Ref
 * @typedef {import('../../tflite/tensor.js').Tensor} Tensor
 * @typedef {import('./layer_rules.js').Layer} Layer
 * @typedef {import('./layer_rules.js').LayerRule} LayerRule
 */

const KEEP = { keep_dims: { b: true } };

/** The shape of a layer's input, whose sizes must be known. @param {Layer} layer */
function knownShape(layer) {
  const shape = shapeOf(layer.inputs[0]);
  if (!shape || shape.length < 2 || !shape.slice(1).every((size) => size > 0))
    throw unsupported(layer, 'a norm of an unknown shape');
  return shape;
}

/** @type {LayerRule} */
function batchNorm(layer) {
  const { name, config, inputs, weight, isTraining } = layer;
  if (isTraining && config.trainable !== false)
    throw unsupported(layer, 'BatchNormalization by the statistics of the batch (training=True)');
  const axes = [config.axis ?? -1].flat();
  if (!isLastAxis(inputs[0], axes)) throw unsupported(layer, `BatchNormalization along axis ${axes}`);
  const mean = weight('moving_mean');
  const variance = weight('moving_variance');
  const like = (/** @type {number} */ value) => {
    const { length } = /** @type {Tensor} */ (mean.node.tensor).data;
    return floats(`${name}/${value}`, new Array(length).fill(value));
  };
  const gamma = config.scale === false ? like(1) : weight('gamma');
  const beta = config.center === false ? like(0) : weight('beta');
  return make(name, 'FusedBatchNormV3', [inputs[0], gamma, beta, mean, variance], {
    epsilon: { f: config.epsilon ?? 1e-3 },
    is_training: { b: false },
    ...(typeof config.momentum === 'number' && { momentum: { f: config.momentum } }),
  });
}

/** Keras' Normalization, whose mean and variance are in the configuration or were adapted. @type {LayerRule} */
function normalization(layer) {
  const { name, config, inputs, weight } = layer;
  if (config.invert) throw unsupported(layer, 'Normalization with invert');
  const given = (/** @type {string} */ key) => {
    const made = (config[key] ?? null) === null ? weight(key) : array(`${name}/${key}`, config[key]);
    if (!made) throw unsupported(layer, `Normalization whose ${key} is no number`);
    return /** @type {Tensor} */ (made.node.tensor);
  };
  const toShape = alongAxes(layer);
  const [mean, variance] = [given('mean'), given('variance')];
  const deviations = Array.from(variance.data, (value) => Math.max(Math.sqrt(value), 1e-7));
  const centred = make(`${name}/centred`, 'Sub', [
    inputs[0],
    floats(`${name}/mean`, Array.from(mean.data), toShape(mean.shape)),
  ]);
  return make(name, 'RealDiv', [centred, floats(`${name}/deviation`, deviations, toShape(variance.shape))]);
}

/**
 * The shape in which numbers broadcast to the input: their last axis is the last one of the configuration's axes, and so on.
 * @param {Layer} layer
 * @returns {(shape: number[]) => number[]}
 */
function alongAxes(layer) {
  const { axis = -1 } = layer.config;
  const rank = shapeOf(layer.inputs[0])?.length;
  if (rank === undefined) throw unsupported(layer, 'a norm of an unknown shape');
  const axes = /** @type {number[]} */ ([axis ?? []].flat())
    .map((each) => (each < 0 ? each + rank : each))
    .sort((a, b) => a - b);
  return (shape) => {
    if (shape.every((size) => size === 1)) return [];
    const sizes = new Array(rank).fill(1);
    for (const [i, size] of shape.entries()) {
      const at = axes.at(i - shape.length);
      if (at !== undefined) sizes[at] = size;
    }
    return sizes.slice(axes[0]);
  };
}

/**
 * (x - mean) / sqrt(variance + epsilon), with moments over some axes.
 * @param {Ref} x
 * @param {number[]} axes
 * @param {{name: string, epsilon: number}} of
 */
function normalized(x, axes, { name, epsilon }) {
  const over = ints(`${name}/axes`, axes);
  const centred = make(`${name}/centred`, 'Sub', [x, make(`${name}/mean`, 'Mean', [x, over], KEEP)]);
  const squares = make(`${name}/squares`, 'Square', [centred]);
  const variance = make(`${name}/variance`, 'Mean', [squares, over], KEEP);
  const shifted = make(`${name}/shifted`, 'AddV2', [variance, scalar(`${name}/epsilon`, epsilon)]);
  return make(`${name}/normalized`, 'Mul', [centred, make(`${name}/factor`, 'Rsqrt', [shifted])]);
}

/**
 * @param {Ref} x
 * @param {Layer} layer
 * @param {(weight: Ref) => Ref} toShape gives a weight the shape that broadcasts
 */
function scaledAndShifted(x, { name, config, weight }, toShape) {
  const scaled = config.scale === false ? x : make(`${name}/scaled`, 'Mul', [x, toShape(weight('gamma'))]);
  return config.center === false ? scaled : make(name, 'AddV2', [scaled, toShape(weight('beta'))]);
}

/** @type {LayerRule} */
function layerNorm(layer) {
  const { name, config, inputs } = layer;
  // What it computes depends on Keras' version.
  if (config.rms_scaling) throw unsupported(layer, 'LayerNormalization with rms_scaling');
  const given = /** @type {number[]} */ ([config.axis ?? -1].flat());
  const result = normalized(inputs[0], given, { name, epsilon: config.epsilon ?? 1e-3 });
  if (isLastAxis(inputs[0], given)) return scaledAndShifted(result, layer, (weight) => weight);
  const shape = knownShape(layer);
  const axes = given.map((axis) => (axis < 0 ? axis + shape.length : axis));
  const sizes = shape.map((size, axis) => (axes.includes(axis) ? size : 1));
  return scaledAndShifted(result, layer, (weight) => reshaped(weight, sizes, axes));
}

/**
 * A weight with one axis for each axis of the input. The weight's own axes are in the order of the configuration.
 * @param {Ref} weight
 * @param {number[]} sizes
 * @param {number[]} axes
 */
function reshaped(weight, sizes, axes) {
  const { name } = weight.node;
  const sorted = axes.map((_, i) => i).sort((a, b) => axes[a] - axes[b]);
  const isSorted = sorted.every((place, i) => place === i);
  const ordered = isSorted
    ? weight
    : make(`${name}/ordered`, 'Transpose', [weight, ints(`${name}/order`, sorted)]);
  return make(`${name}/reshaped`, 'Reshape', [ordered, ints(`${name}/shape`, sizes)]);
}

/** The channels in groups, each with its own moments over the rest of the picture. @type {LayerRule} */
function groupNorm(layer) {
  const { name, config, inputs } = layer;
  const shape = knownShape(layer);
  const last = shape.length - 1;
  const axis = Number(config.axis ?? -1);
  if (axis !== -1 && axis !== last) throw unsupported(layer, `GroupNormalization along axis ${axis}`);
  const channels = shape[last];
  const groups = Number(config.groups ?? 32) === -1 ? channels : Number(config.groups ?? 32);
  if (!(groups > 0) || channels % groups !== 0)
    throw unsupported(layer, `${channels} channels in ${groups} groups`);
  const parts = [-1, ...shape.slice(1, -1), groups, channels / groups];
  const split = make(`${name}/split`, 'Reshape', [inputs[0], ints(`${name}/parts`, parts)]);
  const axes = parts.map((_, i) => i).filter((i) => i > 0 && i !== last);
  const result = normalized(split, axes, { name, epsilon: config.epsilon ?? 1e-3 });
  const whole = ints(`${name}/whole`, [-1, ...shape.slice(1)]);
  const joined = make(`${name}/joined`, 'Reshape', [result, whole]);
  return scaledAndShifted(joined, layer, (weight) => weight);
}

/** @type {LayerRule} */
function unitNorm({ name, config, inputs }) {
  const axes = ints(`${name}/axes`, [config.axis ?? -1].flat());
  const squares = make(`${name}/squares`, 'Square', inputs);
  const sum = make(`${name}/sum`, 'Sum', [squares, axes], KEEP);
  const bounded = make(`${name}/bounded`, 'Maximum', [sum, scalar(`${name}/epsilon`, 1e-12)]);
  return make(name, 'Mul', [inputs[0], make(`${name}/factor`, 'Rsqrt', [bounded])]);
}

/** @type {Record<string, LayerRule>} */
export const NORMS = {
  BatchNormalization: batchNorm,
  GroupNormalization: groupNorm,
  LayerNormalization: layerNorm,
  Normalization: normalization,
  UnitNormalization: unitNorm,
};
