// Lowers batch norm to MUL and ADD, which fuse.js folds into the convolution before them. Both operators keep the
// original batch norm, for the option keepBatchNorm.
import { toAffine } from '../../tflite/batch_norm.js';
import { OVER_IMAGES } from './reduce.js';
import { ints } from '../../tflite/network.js';

/**
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('../graph/graph.js').Ref} Ref
 * @typedef {import('./lower.js').Lowering} Lowering
 * @typedef {import('../../tflite/network.js').Value} Value
 */

/**
 * Lowers FusedBatchNorm. TensorFlow takes an absent `is_training` for true.
 * @param {Lowering} ctx
 * @param {Node} node
 */
export function batchNorm(ctx, node) {
  const isTraining = node.attrs.get('is_training')?.b ?? true;
  return isTraining ? normByOwnMoments(ctx, node) : normByConstants(ctx, node);
}

/**
 * x * scale + offset. Scale and offset are computed in double precision.
 * @param {Lowering} ctx
 * @param {Node} node
 */
function normByConstants(ctx, node) {
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((input) =>
    Float64Array.from(ctx.constant(node, input).data),
  );
  const epsilon = node.float('epsilon', 1e-4);
  const momentum = node.attrs.get('momentum')?.f; // of a Keras layer: a graph for inference has none
  const batchNorm = { gamma, beta, mean, variance, epsilon, ...(momentum !== undefined && { momentum }) };
  const { scale, offset } = toAffine(batchNorm);
  const shape = ctx.shapeOf(node);
  const toShape = channelShape(node, shape);
  const scaled = ctx.emit(
    'MUL',
    `${node.name}/scaled`,
    [ctx.value(node.inputs[0]), floats(`${node.name}/scale`, scale, toShape)],
    shape,
  );
  const inputs = [scaled, floats(`${node.name}/offset`, offset, toShape)];
  const shifted = ctx.emit('ADD', node.name, inputs, shape);
  if (toShape.length === 1) for (const op of ctx.ops.slice(-2)) op.batchNorm = batchNorm;
  return shifted;
}

/** Whether the channels are axis 1. @param {Node} node */
const isChannelsFirst = (node) => node.string('data_format', 'NHWC').startsWith('NC');

/** The shape of a constant that has one number for each channel. @param {Node} node @param {number[]} shape */
function channelShape(node, shape) {
  return isChannelsFirst(node) ? [-1, ...shape.slice(2).map(() => 1)] : [-1];
}

/**
 * Batch norm in training mode: each channel is normalized by its own mean and variance. Keras 2 computes
 * LayerNormalization so, on a tensor whose channels are the rows.
 * @param {Lowering} ctx
 * @param {Node} node
 */
function normByOwnMoments(ctx, node) {
  const x = ctx.value(node.inputs[0]);
  const { name } = node;
  const { shape } = x;
  if (!isChannelsFirst(node)) throw ctx.unsupported(node, OVER_IMAGES);
  const channel = 1;
  const axes = shape.map((_, d) => d).filter((d) => d !== channel);
  const each = shape.map((size, d) => (d === channel ? size : 1));
  const meanOf = (/** @type {Value} */ value, /** @type {string} */ part) =>
    ctx.emit('MEAN', `${name}/${part}`, [value, ints(`${name}/${part}/axes`, axes)], each, {
      keepDims: true,
    });
  const centred = ctx.emit('SUB', `${name}/centred`, [x, meanOf(x, 'mean')], shape);
  const squares = ctx.emit('MUL', `${name}/squares`, [centred, centred], shape);
  const epsilon = floats(`${name}/epsilon`, Float64Array.of(node.float('epsilon', 1e-4)), []);
  const variance = ctx.emit('ADD', `${name}/variance`, [meanOf(squares, 'square'), epsilon], each);
  const factor = ctx.emit('RSQRT', `${name}/factor`, [variance], each);
  const normalized = ctx.emit('MUL', `${name}/normalized`, [centred, factor], shape);
  return scaleAndShift(ctx, node, normalized);
}

/** @param {Lowering} ctx @param {Node} node @param {Value} value */
function scaleAndShift(ctx, node, value) {
  const { name, inputs } = node;
  const toShape = channelShape(node, value.shape);
  const parts = /** @type {const} */ ([
    ['MUL', inputs[1], 1],
    ['ADD', inputs[2], 0],
  ]);
  return parts.reduce((sum, [kind, ref, neutral]) => {
    const numbers = uniformOf(ctx, ref) ?? [...ctx.constant(node, inputs.indexOf(ref)).data];
    if (numbers.every((number) => number === neutral)) return sum;
    const constant = floats(
      `${name}/${kind.toLowerCase()}`,
      Float64Array.from(numbers),
      numbers.length === 1 ? [] : toShape,
    );
    return ctx.emit(kind, `${name}/${kind === 'MUL' ? 'scaled' : 'shifted'}`, [sum, constant], sum.shape);
  }, value);
}

/**
 * The number that a Fill repeats. Its shape may depend on the free batch.
 * @param {Lowering} ctx
 * @param {Ref} ref
 */
function uniformOf(ctx, { node }) {
  const value = node.op === 'Fill' ? ctx.facts.value(node.inputs[1]) : undefined;
  return value && [value.data[0]];
}

/**
 * Recognizes tf.nn.batch_normalization, which Keras 3 writes, and stores its parameters at the lowered MUL and ADD:
 * x * factor + (beta - mean * factor), where factor = rsqrt(variance + epsilon) * gamma.
 * @param {Lowering} ctx
 * @param {Node} node the outer sum
 */
export function markBatchNorm(ctx, { inputs: [product, offset] }) {
  const shift = offset.node.op === 'Sub' ? offset.node.inputs[1].node : undefined;
  if (product.node.op !== 'Mul' || shift?.op !== 'Mul') return;
  const [factor, mean] = orderInputs(shift, (ref) =>
    product.node.inputs.some(({ node }) => node === ref.node),
  );
  if (!factor) return;
  const [root, gamma] =
    factor.node.op === 'Mul' ? orderInputs(factor.node, ({ node: { op } }) => op === 'Rsqrt') : [factor];
  const sum = root?.node.op === 'Rsqrt' ? root.node.inputs[0].node : undefined;
  if (sum?.op !== 'AddV2' && sum?.op !== 'Add') return;
  const valuesOf = (/** @type {Ref} */ ref) => Float64Array.from(ctx.facts.value(ref)?.data ?? []);
  const [variance, [epsilon]] = sum.inputs.map(valuesOf);
  const batchNorm = {
    gamma: gamma ? valuesOf(gamma) : variance.map(() => 1),
    beta: valuesOf(offset.node.inputs[0]),
    mean: valuesOf(mean),
    variance,
    epsilon,
  };
  const isPerChannel = [batchNorm.gamma, batchNorm.beta, batchNorm.mean].every(
    ({ length }) => length === variance.length,
  );
  if (!isPerChannel || epsilon === undefined) return;
  const scaled = ctx.value(product);
  for (const op of [ctx.ops.find(({ output }) => output === scaled), ctx.ops.at(-1)])
    if (op) op.batchNorm = batchNorm;
}

/**
 * The two inputs of a product, ordered: first the one that satisfies `isFirst`, or undefined if none does.
 * @param {Node} product
 * @param {(ref: Ref) => boolean} isFirst
 * @returns {[Ref | undefined, Ref]}
 */
function orderInputs({ inputs: [a, b] }, isFirst) {
  if (isFirst(a)) return [a, b];
  return isFirst(b) ? [b, a] : [undefined, b];
}

/**
 * @param {string} name
 * @param {Float64Array} data
 * @param {number[]} [shape] -1: the number of elements
 * @returns {Value}
 */
function floats(name, data, shape = [-1]) {
  const known = shape.map((size) => (size < 0 ? data.length : size));
  return { name, shape: known, tensor: { dtype: 'float32', shape: known, data } };
}
