// Lowers TensorFlow 1's dilated convolutions (SpaceToBatchND, a convolution without padding, BatchToSpaceND) to one
// convolution.
import { samePadding } from '../../tflite/network.js';

/**
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('./lower.js').Lowering} Lowering
 * @typedef {import('../../tflite/network.js').Value} Value
 *
 * @typedef {object} Dilation
 * @property {Value} input
 * @property {ArrayLike<number>} block the dilation, vertical and horizontal
 * @property {ArrayLike<number>} pads
 * @property {string} [kind] the convolution's TFLite operator; set together with `convolution`
 * @property {Node} [convolution]
 */

/**
 * Records the SpaceToBatchND, or the convolution after it, until batchToSpace() emits the dilated convolution.
 * @param {Lowering} ctx
 * @param {Node} node
 * @param {Dilation | undefined} dilation undefined if the node is the SpaceToBatchND
 * @returns {Value} a placeholder that no other operator may use
 */
export function dilatedConvolution(ctx, node, dilation) {
  const value = { name: node.name, shape: ctx.networkShape({ node, index: 0 }) ?? [] };
  const readBlock = () => ({
    input: ctx.value(node.inputs[0]),
    block: ctx.constant(node, 1).data,
    pads: ctx.constant(node, 2).data,
  });
  ctx.dilations.set(value, dilation ? { ...dilation, convolution: node } : readBlock());
  return value;
}

/** Emits the dilated convolution in place of BatchToSpaceND. @type {import('./lower.js').Rule} */
export function batchToSpace(ctx, node) {
  const dilation = ctx.dilation(node.inputs[0]);
  if (!dilation?.convolution || !dilation.kind)
    throw ctx.unsupported(node, 'it does not follow a convolution after SpaceToBatchND');
  const { input, block, pads, kind, convolution } = dilation;
  const kernel = ctx.constant(convolution, 1);
  const crops = ctx.constant(node, 2).data;
  const isStrided = convolution.ints('strides').some((stride) => stride !== 1);
  const totalPads = Array.from(pads, (pad, i) => pad - crops[i]);
  const same = [0, 1].flatMap((d) => samePadding(input.shape[d + 1], kernel.shape[d], 1, block[d]));
  const isSame = same.every((size, i) => size === totalPads[i]);
  if (
    isStrided ||
    block.length !== 2 ||
    convolution.string('padding', 'VALID') !== 'VALID' ||
    !(isSame || totalPads.every((size) => size === 0))
  )
    throw ctx.unsupported(
      convolution,
      'expected a dilated convolution with stride 1 and SAME or VALID padding',
    );
  const options = {
    padding: isSame ? 'SAME' : 'VALID',
    strideH: 1,
    strideW: 1,
    dilationH: block[0],
    dilationW: block[1],
  };
  return ctx.emit(kind, convolution.name, [input], ctx.shapeOf(node), options, {
    kernel,
    isTransposed: false,
  });
}
