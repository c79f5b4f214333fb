// Lowers operators that work element by element, or on two operands. What the engine has no operator for is written with
// operators that it has, where this is exact to float32's rounding.
import { markBatchNorm } from './batch_norm.js';
import { gelu, uniform } from './activations.js';
import { operands, typed } from './integers.js';
import { emitLeaky, kerasPrelu } from './prelu.js';
import { scalar } from '../../tflite/network.js';
import { isFloat } from '../../tflite/tensor.js';

/**
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('./lower.js').Lowering} Lowering
 * @typedef {import('./lower.js').Rule} Rule
 * @typedef {import('../../tflite/network.js').Value} Value
 * @typedef {import('../../tflite/tensor.js').Tensor} Tensor
 */

/** @param {Tensor} tensor @param {(value: number) => number} f @returns {Tensor} */
function mapFloats(tensor, f) {
  return { ...tensor, data: Float64Array.from(tensor.data, f) };
}

/**
 * Multiplies by a number, or adds it.
 * @param {Lowering} ctx
 * @param {'MUL' | 'ADD'} kind
 * @param {string} name
 * @param {Value} x
 * @param {number} value
 */
function affine(ctx, kind, name, x, value) {
  if (value === (kind === 'MUL' ? 1 : 0)) return x;
  return ctx.emit(kind, name, [x, scalar(`${name}/${kind.toLowerCase()}`, value)], x.shape);
}

/** A constant becomes the second input, and x - c becomes x + -c. @param {string} kind @returns {Rule} */
export const binary = (kind) => (ctx, node) => {
  if (node.op === 'BiasAdd' && node.string('data_format', 'NHWC') !== 'NHWC')
    throw ctx.unsupported(node, 'its data format is not NHWC');
  const prelu = kind === 'ADD' ? kerasPrelu(ctx, node) : undefined;
  if (prelu) return prelu;
  const made = kind === 'MUL' ? (timesOnes(ctx, node) ?? gelu(ctx, node)) : undefined;
  return made ?? emitBinary(ctx, node, kind);
};

/**
 * x, for a product of x and a one for each of its numbers, as in the weighted moments of Keras 2.
 * @param {Lowering} ctx
 * @param {Node} node
 */
function timesOnes(ctx, { inputs }) {
  const at = inputs.findIndex((ref) => uniform(ctx.facts.value(ref)) === 1);
  const ones = inputs[at] && ctx.facts.shape(inputs[at]);
  const shape = inputs[1 - at] && ctx.facts.shape(inputs[1 - at]);
  const isSame = ones?.length === shape?.length && ones?.every((size, axis) => size === shape?.[axis]);
  return isSame && ones?.length ? ctx.value(inputs[1 - at]) : undefined;
}

/** @param {Lowering} ctx @param {Node} node @param {string} kind */
function emitBinary(ctx, node, kind) {
  const { values, dtype } = operands(ctx, node.inputs);
  const [a, b] = values;
  const shape = ctx.shapeOf(node);
  if (kind === 'SUB' && b.tensor && isFloat(b.tensor.dtype))
    return ctx.emit('ADD', node.name, [a, { ...b, tensor: mapFloats(b.tensor, (value) => -value) }], shape);
  const ordered = kind !== 'SUB' && a.tensor ? [b, a] : [a, b];
  const made = ctx.emit(kind, node.name, ordered, shape, {}, undefined, dtype);
  if (kind === 'ADD' && b.tensor) markBatchNorm(ctx, node);
  return made;
}

/** @type {Rule} */
export function addAll(ctx, node) {
  const { values, dtype } = operands(ctx, node.inputs);
  const [first, ...rest] = values;
  const shape = ctx.shapeOf(node);
  return rest.reduce(
    (sum, part) => ctx.emit('ADD', node.name, [sum, part], shape, {}, undefined, dtype),
    first,
  );
}

/** @type {Rule} */
export function divide(ctx, node) {
  const divisor = ctx.facts.value(node.inputs[1]);
  if (operands(ctx, node.inputs).dtype) return typed('DIV')(ctx, node);
  if (!divisor && node.op === 'DivNoNan') throw ctx.unsupported(node, 'its divisor is not constant');
  if (!divisor) return ctx.emitNode('DIV', node);
  const factor = {
    name: `${node.name}/reciprocal`,
    shape: divisor.shape,
    tensor: mapFloats(divisor, (value) => (value === 0 && node.op === 'DivNoNan' ? 0 : 1 / value)),
  };
  return ctx.emit('MUL', node.name, [ctx.value(node.inputs[0]), factor], ctx.shapeOf(node));
}

/** @type {Rule} */
export function reciprocal(ctx, node) {
  const x = ctx.value(node.inputs[0]);
  return ctx.emit('DIV', node.name, [scalar(`${node.name}/one`, 1), x], ctx.shapeOf(node));
}

/** @param {string} kind @returns {Rule} */
export const unary = (kind) => (ctx, node) =>
  ctx.emit(kind, node.name, [ctx.value(node.inputs[0])], ctx.shapeOf(node));

/** @type {Rule} */
export function negated(ctx, node) {
  const x = ctx.value(node.inputs[0]);
  return x.dtype ? typed('NEG')(ctx, node) : affine(ctx, 'MUL', node.name, x, -1);
}

/** @type {Rule} */
export function squared(ctx, node) {
  const x = ctx.value(node.inputs[0]);
  return ctx.emit('MUL', node.name, [x, x], ctx.shapeOf(node), {}, undefined, x.dtype);
}

/** @type {Rule} */
export function squaredDifference(ctx, node) {
  const shape = ctx.shapeOf(node);
  const { values, dtype } = operands(ctx, node.inputs);
  const difference = ctx.emit('SUB', `${node.name}/difference`, values, shape, {}, undefined, dtype);
  return ctx.emit('MUL', node.name, [difference, difference], shape, {}, undefined, dtype);
}

/** A power whose exponent is 2, 1, 0.5 or -0.5; others need the engine's POW. @type {Rule} */
export function power(ctx, node) {
  const exponent = uniform(ctx.facts.value(node.inputs[1]));
  if (exponent === 2) return squared(ctx, node);
  if (exponent === 1) return ctx.value(node.inputs[0]);
  if (exponent === 0.5) return unary('SQRT')(ctx, node);
  if (exponent === -0.5) return unary('RSQRT')(ctx, node);
  return ctx.emitNode('POW', node);
}

/** @type {Rule} */
export function leakyRelu(ctx, node) {
  return emitLeaky(ctx, node, ctx.value(node.inputs[0]), node.float('alpha', 0.2));
}

/** Bounds beyond it clip nothing. */
const MAX_BOUND = 1e30;

/**
 * Clips to a range whose ends are numbers or infinite.
 * @param {Lowering} ctx
 * @param {string} name
 * @param {Value} x
 * @param {number} low
 * @param {number} high
 * @returns {Value}
 */
function clip(ctx, name, x, low, high) {
  if (low === 0) return clipPositive(ctx, name, x, high);
  const bounded = (/** @type {string} */ kind, /** @type {Value} */ value, /** @type {number} */ bound) =>
    Math.abs(bound) < MAX_BOUND
      ? ctx.emit(kind, name, [value, scalar(`${name}/${kind.toLowerCase()}`, bound)], x.shape)
      : value;
  return bounded('MINIMUM', bounded('MAXIMUM', x, low), high);
}

/**
 * Clips to 0 and above: a RELU, or a RELU6 of the scaled value.
 * @param {Lowering} ctx
 * @param {string} name
 * @param {Value} x
 * @param {number} high
 */
function clipPositive(ctx, name, x, high) {
  if (high >= MAX_BOUND) return ctx.emit('RELU', name, [x], x.shape);
  const scaled = affine(ctx, 'MUL', `${name}/scaled`, x, 6 / high);
  const clipped = ctx.emit('RELU6', high === 6 ? name : `${name}/relu6`, [scaled], x.shape);
  return affine(ctx, 'MUL', name, clipped, high / 6);
}

/** Whether a value cannot be below 0. @param {Lowering} ctx @param {Value} value */
function isPositive(ctx, value) {
  return ctx.ops.some(({ kind, output }) => output === value && kind === 'RELU');
}

/** @type {Rule} */
export function clipByValue(ctx, node) {
  const [low, high] = [1, 2].map((input) => uniform(ctx.constant(node, input)));
  if (low === undefined || high === undefined || !(low < high))
    throw ctx.unsupported(node, 'its bounds are not two numbers, the lower one first');
  return clip(ctx, node.name, ctx.value(node.inputs[0]), low, high);
}

/**
 * Maximum and Minimum. min(max(x, low), high), in either order, is a single clip.
 * @param {'Maximum' | 'Minimum'} op
 * @returns {Rule}
 */
export const extremum = (op) => (ctx, node) => {
  const isMaximum = op === 'Maximum';
  const [x, bound] = variableFirst(ctx, node);
  if (operands(ctx, node.inputs).dtype) return typed(isMaximum ? 'MAXIMUM' : 'MINIMUM')(ctx, node);
  const value = uniform(ctx.facts.value(bound));
  const isBroadcast = String(ctx.facts.shape(x)) !== String(ctx.facts.shape({ node, index: 0 }));
  if (value === undefined || isBroadcast) return extremumOfTwo(ctx, node, isMaximum);
  const inner = boundOf(ctx, x, isMaximum ? 'Minimum' : 'Maximum');
  const [low, high] = isMaximum ? [value, inner?.bound ?? Infinity] : [inner?.bound ?? -Infinity, value];
  if (inner && low < high) return clip(ctx, node.name, ctx.value(inner.x), low, high);
  const input = ctx.value(x);
  if (!isMaximum && value > 0 && isPositive(ctx, input)) return clip(ctx, node.name, input, 0, value);
  return clip(ctx, node.name, input, isMaximum ? value : -Infinity, isMaximum ? Infinity : value);
};

/** The operands, a constant last. @param {Lowering} ctx @param {Node} node */
function variableFirst(ctx, { inputs: [a, b] }) {
  return ctx.facts.value(a) ? [b, a] : [a, b];
}

/**
 * Recognizes the extremum of a value and a number.
 * @param {Lowering} ctx
 * @param {import('../graph/graph.js').Ref} ref
 * @param {'Maximum' | 'Minimum'} op
 */
function boundOf(ctx, { node }, op) {
  if (op === 'Maximum' && node.op === 'Relu') return { x: node.inputs[0], bound: 0 };
  if (node.op !== op) return undefined;
  const [x, constant] = variableFirst(ctx, node);
  const bound = uniform(ctx.facts.value(constant));
  const isSameShape = String(ctx.facts.shape(x)) === String(ctx.facts.shape({ node, index: 0 }));
  return bound === undefined || !isSameShape ? undefined : { x, bound };
}

/**
 * max(x, x * slope) is a leaky ReLU.
 * @param {Lowering} ctx
 * @param {Node} node
 * @param {boolean} isMaximum
 */
function extremumOfTwo(ctx, node, isMaximum) {
  const leaky = isMaximum ? leakyMaximum(ctx, node) : undefined;
  if (leaky) return leaky;
  return ctx.emitNode(isMaximum ? 'MAXIMUM' : 'MINIMUM', node);
}

/** @param {Lowering} ctx @param {Node} node */
function leakyMaximum(ctx, node) {
  for (const [x, { node: product }] of [node.inputs, node.inputs.toReversed()]) {
    if (product.op !== 'Mul') continue;
    const [factor, other] = variableFirst(ctx, product).toReversed();
    const slope = uniform(ctx.facts.value(factor));
    const isOfX = other.node === x.node && other.index === x.index;
    if (isOfX && slope !== undefined && slope >= 0 && slope <= 1)
      return emitLeaky(ctx, node, ctx.value(x), slope);
  }
  return undefined;
}
