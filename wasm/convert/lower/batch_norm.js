// Batch norm -> a product and a sum, which fuse.js folds into the convolution before them; and what they came from.
import { toAffine } from '../../tflite/batch_norm.js';

/**
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('../graph/graph.js').Ref} Ref
 * @typedef {import('./lower.js').Lowering} Lowering
 * @typedef {import('../../tflite/network.js').Value} Value
 */

/**
 * x * scale + offset, both in double precision.
 * @param {Lowering} to
 * @param {Node} node
 */
export function batchNorm(to, node) {
  if (node.attrs.get('is_training')?.b === true) throw to.refuse(node, 'it is in training mode');
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((input) =>
    Float64Array.from(to.constant(node, input).data),
  );
  const epsilon = node.float('epsilon', 1e-4);
  const batchNorm = { gamma, beta, mean, variance, epsilon };
  const { scale, offset } = toAffine(batchNorm);
  const shape = to.shapeOf(node);
  const scaled = to.emit(
    'MUL',
    `${node.name}/scaled`,
    [to.value(node.inputs[0]), floats(`${node.name}/scale`, scale)],
    shape,
  );
  const inputs = [scaled, floats(`${node.name}/offset`, offset)];
  const shifted = to.emit('ADD', node.name, inputs, shape);
  for (const op of to.ops.slice(-2)) op.batchNorm = batchNorm;
  return shifted;
}

/**
 * tf.nn.batch_normalization, which Keras 3 writes: x * factor + (beta - mean * factor), where
 * factor = rsqrt(variance + epsilon) * gamma.
 * @param {Lowering} to
 * @param {Node} node the sum
 */
export function markBatchNorm(to, { inputs: [product, offset] }) {
  const shift = offset.node.op === 'Sub' ? offset.node.inputs[1].node : undefined;
  if (product.node.op !== 'Mul' || shift?.op !== 'Mul') return;
  const [factor, mean] = apart(shift, (ref) => product.node.inputs.some(({ node }) => node === ref.node));
  if (!factor) return;
  const [root, gamma] =
    factor.node.op === 'Mul' ? apart(factor.node, ({ node: { op } }) => op === 'Rsqrt') : [factor];
  const sum = root?.node.op === 'Rsqrt' ? root.node.inputs[0].node : undefined;
  if (sum?.op !== 'AddV2' && sum?.op !== 'Add') return;
  const numbers = (/** @type {Ref} */ ref) => Float64Array.from(to.facts.value(ref)?.data ?? []);
  const [variance, [epsilon]] = sum.inputs.map(numbers);
  const batchNorm = {
    gamma: gamma ? numbers(gamma) : variance.map(() => 1),
    beta: numbers(offset.node.inputs[0]),
    mean: numbers(mean),
    variance,
    epsilon,
  };
  const isOfChannels = [batchNorm.gamma, batchNorm.beta, batchNorm.mean].every(
    ({ length }) => length === variance.length,
  );
  if (!isOfChannels || epsilon === undefined) return;
  const scaled = to.value(product);
  for (const op of [to.ops.find(({ output }) => output === scaled), to.ops.at(-1)])
    if (op) op.batchNorm = batchNorm;
}

/**
 * A product's two inputs, the one that is meant first.
 * @param {Node} product
 * @param {(ref: Ref) => boolean} isMeant
 * @returns {[Ref | undefined, Ref]}
 */
function apart({ inputs: [a, b] }, isMeant) {
  if (isMeant(a)) return [a, b];
  return isMeant(b) ? [b, a] : [undefined, b];
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
