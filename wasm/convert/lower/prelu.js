// Lowers PReLU: TensorFlow.js' operator, a PReLU fused into a convolution, and Keras' relu(x) + -alpha * relu(-x).

/**
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('../graph/graph.js').Ref} Ref
 * @typedef {import('../../tflite/network.js').Value} Value
 * @typedef {import('../../tflite/tensor.js').Tensor} Tensor
 * @typedef {import('./lower.js').Lowering} Lowering
 * @typedef {import('./lower.js').Rule} Rule
 */

/**
 * @param {Lowering} ctx
 * @param {Node} node
 * @param {Value} input
 * @param {Tensor} alpha broadcasts to the input
 */
export function emitPrelu(ctx, node, input, alpha) {
  const slopes = { name: `${node.name}/alpha`, shape: alpha.shape, tensor: alpha };
  return ctx.emit('PRELU', node.name, [input, slopes], input.shape);
}

/**
 * A leaky ReLU, as the PReLU with one slope.
 * @param {Lowering} ctx
 * @param {Node} node
 * @param {Value} input
 * @param {number} slope
 */
export function emitLeaky(ctx, node, input, slope) {
  const shape = input.shape.slice(1).map(() => 1);
  return emitPrelu(ctx, node, input, { dtype: 'float32', shape, data: Float64Array.of(slope) });
}

/** @type {Rule} */
export function prelu(ctx, node) {
  return emitPrelu(ctx, node, ctx.value(node.inputs[0]), ctx.constant(node, 1));
}

/** @param {Ref} ref @param {string} op */
function hasOp({ node }, op) {
  return node.op === op;
}

/** @param {Ref} a @param {Ref} b */
function isSameRef(a, b) {
  return a.node === b.node && a.index === b.index;
}

/**
 * Recognizes Keras' relu(x) + -alpha * relu(-x).
 * @param {Lowering} ctx
 * @param {Node} sum
 * @returns {Value | undefined} undefined if the sum is not a PReLU
 */
export function kerasPrelu(ctx, sum) {
  const positive = sum.inputs.find((ref) => hasOp(ref, 'Relu'));
  const product = sum.inputs.find((ref) => hasOp(ref, 'Mul'));
  if (!positive || !product) return undefined;
  const negative = product.node.inputs.find((ref) => hasOp(ref, 'Relu'));
  const slope = product.node.inputs.find((ref) => ref !== negative);
  const alpha = slope && ctx.facts.value(slope);
  const [x] = positive.node.inputs;
  const negated = negative?.node.inputs[0];
  if (!alpha || !negated || !hasOp(negated, 'Neg') || !isSameRef(negated.node.inputs[0], x)) return undefined;
  return emitPrelu(ctx, sum, ctx.value(x), {
    ...alpha,
    data: Float64Array.from(alpha.data, (value) => -value),
  });
}
