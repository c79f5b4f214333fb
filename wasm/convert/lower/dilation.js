// Dilated convolutions as TensorFlow 1 writes them: SpaceToBatchND, a convolution without padding, BatchToSpaceND.
import { samePadding } from '../../tflite/network.js';

/**
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('./lower.js').Lowering} Lowering
 * @typedef {import('../../tflite/network.js').Value} Value
 *
 * @typedef {object} Dilation
 * @property {Value} input
 * @property {ArrayLike<number>} block
 * @property {ArrayLike<number>} pads
 * @property {string} [kind] of the convolution, once it is known
 * @property {Node} [convolution]
 */

/**
 * Notes what the spread input, and then the convolution of it, stand for.
 * @param {Lowering} to
 * @param {Node} node
 * @param {Dilation | undefined} dilation undefined: the node spreads
 * @returns {Value}
 */
export function dilatedConvolution(to, node, dilation) {
  const value = { name: node.name, shape: to.facts.shape({ node, index: 0 }) ?? [] };
  const spread = () => ({
    input: to.value(node.inputs[0]),
    block: to.constant(node, 1).data,
    pads: to.constant(node, 2).data,
  });
  to.dilations.set(value, dilation ? { ...dilation, convolution: node } : spread());
  return value;
}

/** The convolution with its dilation. @type {import('./lower.js').Rule} */
export function undilated(to, node) {
  const dilation = to.dilation(node.inputs[0]);
  if (!dilation?.convolution || !dilation.kind) throw to.refuse(node, 'it follows no convolution');
  const { input, block, pads, kind, convolution } = dilation;
  const kernel = to.constant(convolution, 1);
  const crops = to.constant(node, 2).data;
  const isStrided = convolution.ints('strides').some((stride) => stride !== 1);
  const net = Array.from(pads, (pad, i) => pad - crops[i]);
  const same = [0, 1].flatMap((d) => samePadding(input.shape[d + 1], kernel.shape[d], 1, block[d]));
  const isSame = same.every((size, i) => size === net[i]);
  if (
    isStrided ||
    block.length !== 2 ||
    convolution.string('padding', 'VALID') !== 'VALID' ||
    !(isSame || net.every((size) => size === 0))
  )
    throw to.refuse(convolution, 'its dilation');
  const options = {
    padding: isSame ? 'SAME' : 'VALID',
    strideH: 1,
    strideW: 1,
    dilationH: block[0],
    dilationW: block[1],
  };
  return to.emit(kind, convolution.name, [input], to.shapeOf(node), options, { kernel, isTransposed: false });
}
