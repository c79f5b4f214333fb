// Keras' layers that normalize a picture by its own numbers, as TensorFlow's operators.
import { make } from '../graph/graph.js';
import { FREE_BATCH } from '../graph/batch.js';
import { Facts } from '../graph/facts.js';
import { inOrder } from '../graph/simplify.js';
import { ints, scalar, unsupported } from './layer_rules.js';

/**
 * @typedef {import('../graph/graph.js').Ref} Ref
 * @typedef {import('../../tflite/tensor.js').Tensor} Tensor
 * @typedef {import('./layer_rules.js').Layer} Layer
 * @typedef {import('./layer_rules.js').LayerRule} LayerRule
 */

const KEEP = { keep_dims: { b: true } };

/** The shape of a layer's input for a free batch. @param {Layer} layer */
function shapeOf(layer) {
  const [x] = layer.inputs;
  const placeholders = inOrder([x]).filter(({ op }) => op === 'Placeholder');
  const feeds = new Map(placeholders.map((node) => [node, withFreeBatch(node.shape('shape'))]));
  const shape = new Facts([x], feeds).shape(x);
  if (!shape || shape.length < 2 || !shape.slice(1).every((size) => size > 0))
    throw unsupported(layer, 'a norm of an unknown shape');
  return shape;
}

/** @param {number[] | undefined} shape */
const withFreeBatch = (shape) => shape?.map((size, axis) => (axis === 0 ? FREE_BATCH : size));

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
  const given = /** @type {number[]} */ ([config.axis ?? -1].flat());
  const result = normalized(inputs[0], given, { name, epsilon: config.epsilon ?? 1e-3 });
  if (given.length === 1 && given[0] === -1) return scaledAndShifted(result, layer, (weight) => weight);
  const shape = shapeOf(layer);
  const axes = given.map((axis) => (axis < 0 ? axis + shape.length : axis));
  if (axes.length === 1 && axes[0] === shape.length - 1)
    return scaledAndShifted(result, layer, (weight) => weight);
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
  const shape = shapeOf(layer);
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
  GroupNormalization: groupNorm,
  LayerNormalization: layerNorm,
  UnitNormalization: unitNorm,
};
