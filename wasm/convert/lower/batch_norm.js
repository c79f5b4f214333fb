// Lowers batch norm to MUL and ADD, which fuse.js folds into the convolution before them. Both operators keep the
// original batch norm, for the option keepBatchNorm.
import { toAffine } from '../../tflite/batch_norm.js';

/**
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('../graph/graph.js').Ref} Ref
 * @typedef {import('./lower.js').Lowering} Lowering
 * @typedef {import('../../tflite/network.js').Value} Value
 */

/**
 * Lowers FusedBatchNorm to x * scale + offset. Scale and offset are computed in double precision.
 * @param {Lowering} ctx
 * @param {Node} node
 */
export function batchNorm(ctx, node) {
  if (node.attrs.get('is_training')?.b === true) throw ctx.unsupported(node, 'it is in training mode');
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((input) =>
    Float64Array.from(ctx.constant(node, input).data),
  );
  const epsilon = node.float('epsilon', 1e-4);
  const batchNorm = { gamma, beta, mean, variance, epsilon };
  const { scale, offset } = toAffine(batchNorm);
  const shape = ctx.shapeOf(node);
  const scaled = ctx.emit(
    'MUL',
    `${node.name}/scaled`,
    [ctx.value(node.inputs[0]), floats(`${node.name}/scale`, scale)],
    shape,
  );
  const inputs = [scaled, floats(`${node.name}/offset`, offset)];
  const shifted = ctx.emit('ADD', node.name, inputs, shape);
  for (const op of ctx.ops.slice(-2)) op.batchNorm = batchNorm;
  return shifted;
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
 * @returns {Value}
 */
function floats(name, data) {
  const shape = [data.length];
  return { name, shape, tensor: { dtype: 'float32', shape, data } };
}
