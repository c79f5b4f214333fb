// Lowers StridedSlice, Slice, Split and Unpack to STRIDED_SLICE.
import { ints } from '../../tflite/network.js';

/**
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('./lower.js').Lowering} Lowering
 * @typedef {import('./lower.js').Rule} Rule
 */

/**
 * @param {Lowering} ctx
 * @param {Node} node
 * @param {number} index of the node's output
 * @param {number} axis
 * @param {number} start
 * @param {number} count
 * @param {boolean} isShrunk whether the axis is removed
 */
function sliceAlong(ctx, node, index, axis, start, count, isShrunk) {
  const input = ctx.value(node.inputs[node.op === 'Split' ? 1 : 0]);
  const begin = input.shape.map((_, d) => (d === axis ? start : 0));
  const end = input.shape.map((size, d) => (d === axis ? start + count : size));
  const name = `${node.name}:${index}`;
  const bounds = [
    ints(`${name}/begin`, begin),
    ints(
      `${name}/end`,
      end.map((size) => Math.max(size, 0)),
    ),
    ints(
      `${name}/by`,
      begin.map(() => 1),
    ),
  ];
  const fullAxes = begin.reduce((mask, _, d) => (d === axis ? mask : mask | (1 << d)), 0);
  const options = { beginMask: fullAxes, endMask: fullAxes, shrinkAxisMask: isShrunk ? 1 << axis : 0 };
  return ctx.emit('STRIDED_SLICE', name, [input, ...bounds], ctx.shapeOf(node, index), options);
}

/** @type {Rule} */
export function split(ctx, node) {
  const shape = /** @type {number[]} */ (ctx.facts.shape(node.inputs[1]));
  const at = ctx.constant(node, 0).data[0];
  const axis = at < 0 ? at + shape.length : at;
  const count = node.int('num_split', 1);
  const size = shape[axis] / count;
  return Array.from({ length: count }, (_, i) => sliceAlong(ctx, node, i, axis, i * size, size, false));
}

/** @type {Rule} */
export function unpack(ctx, node) {
  const shape = /** @type {number[]} */ (ctx.facts.shape(node.inputs[0]));
  const at = node.int('axis', 0);
  const axis = at < 0 ? at + shape.length : at;
  return Array.from({ length: shape[axis] }, (_, i) => sliceAlong(ctx, node, i, axis, i, 1, true));
}

/** @type {Rule} */
export function stridedSlice(ctx, node) {
  if (node.int('ellipsis_mask', 0) || node.int('new_axis_mask', 0))
    throw ctx.unsupported(node, 'an ellipsis or a new axis is not supported');
  const bounds = [1, 2, 3].map((input) => ints(`${node.name}/${input}`, ctx.constant(node, input).data));
  const options = {
    beginMask: node.int('begin_mask', 0),
    endMask: node.int('end_mask', 0),
    shrinkAxisMask: node.int('shrink_axis_mask', 0),
  };
  return ctx.emit(
    'STRIDED_SLICE',
    node.name,
    [ctx.value(node.inputs[0]), ...bounds],
    ctx.shapeOf(node),
    options,
  );
}

/** @type {Rule} */
export function slice(ctx, node) {
  const begin = ctx.constant(node, 1).data;
  const shape = ctx.shapeOf(node);
  const end = shape.map((size, d) => begin[d] + Math.max(size, 0));
  const freeAxes = shape.reduce((mask, size, d) => (size < 0 ? mask | (1 << d) : mask), 0);
  const bounds = [
    ints(`${node.name}/begin`, begin),
    ints(`${node.name}/end`, end),
    ints(
      `${node.name}/by`,
      shape.map(() => 1),
    ),
  ];
  return ctx.emit('STRIDED_SLICE', node.name, [ctx.value(node.inputs[0]), ...bounds], shape, {
    beginMask: freeAxes,
    endMask: freeAxes,
    shrinkAxisMask: 0,
  });
}
