// Lowers reductions.
import { ints } from '../../tflite/network.js';
import { axisOf } from '../graph/kernels.js';

/**
 * @typedef {import('./lower.js').Lowering} Lowering
 * @typedef {import('./lower.js').Rule} Rule
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('../../tflite/network.js').Value} Value
 */

/**
 * @param {Lowering} ctx
 * @param {Node} node
 * @param {Value} input
 */
function axesOf(ctx, node, input) {
  const axes = Array.from(ctx.constant(node, 1).data, (axis) => axisOf(axis, input.shape.length));
  const isOverImages = axes.includes(0) && (input.shape[0] < 0 || isBatchAndPlane(axes, input.shape.length));
  if (isOverImages) throw ctx.unsupported(node, OVER_IMAGES);
  return axes.sort((a, b) => a - b);
}

/** Whether only the channels of images are left. @param {number[]} axes @param {number} rank */
const isBatchAndPlane = (axes, rank) => rank === 4 && axes.length === 3 && !axes.includes(3);

/** Keras 3 exports a model that has augmentation layers as in training. */
export const OVER_IMAGES =
  'it computes over all images of a batch, as batch norm does in training; export the model without its augmentation ' +
  'layers, or convert its .keras file';

/** @param {string} kind @returns {Rule} */
export const reduction = (kind) => (ctx, node) => {
  const input = ctx.value(node.inputs[0]);
  const axes = ints(`${node.name}/axes`, axesOf(ctx, node, input));
  const options = { keepDims: node.bool('keep_dims') || node.bool('keepdims') };
  return ctx.emit(kind, node.name, [input, axes], ctx.shapeOf(node), options, undefined, input.dtype);
};

/** @param {'ARG_MAX' | 'ARG_MIN'} kind @returns {Rule} */
export const argExtremum = (kind) => (ctx, node) => {
  const input = ctx.value(node.inputs[0]);
  const axis = { ...ints(`${node.name}/axis`, ctx.constant(node, 1).data), shape: [] };
  const dtype = node.dtype('output_type') === 'int32' ? 'int32' : 'int64';
  return ctx.emit(kind, node.name, [input, axis], ctx.shapeOf(node), {}, undefined, dtype);
};
