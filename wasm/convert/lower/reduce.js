// Lowers reductions.
import { ints } from '../../tflite/network.js';

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
  const axes = Array.from(ctx.constant(node, 1).data, (axis) =>
    axis < 0 ? axis + input.shape.length : axis,
  );
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

/**
 * @param {Lowering} ctx
 * @param {string} kind
 * @param {Node} node
 * @param {string} name
 * @param {Value} input
 */
function reduce(ctx, kind, node, name, input) {
  const axes = axesOf(ctx, node, input);
  const options = { keepDims: node.bool('keep_dims') || node.bool('keepdims') };
  return ctx.emit(kind, name, [input, ints(`${node.name}/axes`, axes)], ctx.shapeOf(node), options);
}

/** @param {string} kind @returns {Rule} */
export const reduction = (kind) => (ctx, node) =>
  reduce(ctx, kind, node, node.name, ctx.value(node.inputs[0]));

/**
 * @param {Lowering} ctx
 * @param {string} name
 * @param {Value} x
 * @param {number} factor
 */
function scaled(ctx, name, x, factor) {
  const tensor = { dtype: /** @type {const} */ ('float32'), shape: [], data: Float64Array.of(factor) };
  return ctx.emit('MUL', name, [x, { name: `${name}/factor`, shape: [], tensor }], x.shape);
}

/** Without the engine's SUM: the mean, times the number of elements. @type {Rule} */
export function sum(ctx, node) {
  if (ctx.runs('SUM')) return reduction('SUM')(ctx, node);
  const input = ctx.value(node.inputs[0]);
  const count = axesOf(ctx, node, input).reduce((product, axis) => product * input.shape[axis], 1);
  if (count <= 0) throw ctx.unsupported(node, 'it sums over the free batch');
  return scaled(ctx, node.name, reduce(ctx, 'MEAN', node, `${node.name}/mean`, input), count);
}

/** Without the engine's REDUCE_MIN: min(x) is -max(-x). @type {Rule} */
export function minimum(ctx, node) {
  if (ctx.runs('REDUCE_MIN')) return reduction('REDUCE_MIN')(ctx, node);
  const flipped = scaled(ctx, `${node.name}/flipped`, ctx.value(node.inputs[0]), -1);
  return scaled(ctx, node.name, reduce(ctx, 'REDUCE_MAX', node, `${node.name}/max`, flipped), -1);
}

/** @type {Rule} */
export function argMax(ctx, node) {
  const input = ctx.value(node.inputs[0]);
  const axis = { ...ints(`${node.name}/axis`, ctx.constant(node, 1).data), shape: [] };
  const dtype = node.dtype('output_type') === 'int32' ? 'int32' : 'int64';
  return ctx.emit('ARG_MAX', node.name, [input, axis], ctx.shapeOf(node), {}, undefined, dtype);
}
