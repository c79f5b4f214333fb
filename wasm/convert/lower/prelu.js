// PReLU, as one operator of TensorFlow.js, fused into a convolution, or spelled out by Keras:
// relu(x) + -alpha * relu(-x).

/**
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('../graph/graph.js').Ref} Ref
 * @typedef {import('../../tflite/network.js').Value} Value
 * @typedef {import('../../tflite/tensor.js').Tensor} Tensor
 * @typedef {import('./lower.js').Lowering} Lowering
 * @typedef {import('./lower.js').Rule} Rule
 */

/**
 * @param {Lowering} to
 * @param {Node} node
 * @param {Value} input
 * @param {Tensor} alpha broadcasts to the input
 */
export function emitPrelu(to, node, input, alpha) {
  const slopes = { name: `${node.name}/alpha`, shape: alpha.shape, tensor: alpha };
  return to.emit('PRELU', node.name, [input, slopes], input.shape);
}

/** @type {Rule} */
export function prelu(to, node) {
  return emitPrelu(to, node, to.value(node.inputs[0]), to.constant(node, 1));
}

/** @param {Ref} ref @param {string} op */
function isOf({ node }, op) {
  return node.op === op;
}

/** @param {Ref} a @param {Ref} b */
function isSameRef(a, b) {
  return a.node === b.node && a.index === b.index;
}

/**
 * @param {Lowering} to
 * @param {Node} sum
 * @returns {Value | undefined} undefined: the sum is another
 */
export function preluOfParts(to, sum) {
  const positive = sum.inputs.find((ref) => isOf(ref, 'Relu'));
  const product = sum.inputs.find((ref) => isOf(ref, 'Mul'));
  if (!positive || !product) return undefined;
  const negative = product.node.inputs.find((ref) => isOf(ref, 'Relu'));
  const slope = product.node.inputs.find((ref) => ref !== negative);
  const alpha = slope && to.facts.value(slope);
  const [x] = positive.node.inputs;
  const flipped = negative?.node.inputs[0];
  if (!alpha || !flipped || !isOf(flipped, 'Neg') || !isSameRef(flipped.node.inputs[0], x)) return undefined;
  return emitPrelu(to, sum, to.value(x), {
    ...alpha,
    data: Float64Array.from(alpha.data, (value) => -value),
  });
}
