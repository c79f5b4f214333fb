// Slices of TensorFlow, in their many forms -> STRIDED_SLICE.
import { ints } from '../../tflite/network.js';

/**
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('./lower.js').Lowering} Lowering
 * @typedef {import('./lower.js').Rule} Rule
 */

/**
 * @param {Lowering} to
 * @param {Node} node
 * @param {number} index which output
 * @param {number} axis
 * @param {number} start
 * @param {number} count
 * @param {boolean} isShrunk
 */
function sliceAlong(to, node, index, axis, start, count, isShrunk) {
  const input = to.value(node.inputs[node.op === 'Split' ? 1 : 0]);
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
  const whole = begin.reduce((mask, _, d) => (d === axis ? mask : mask | (1 << d)), 0);
  const options = { beginMask: whole, endMask: whole, shrinkAxisMask: isShrunk ? 1 << axis : 0 };
  return to.emit('STRIDED_SLICE', name, [input, ...bounds], to.shapeOf(node, index), options);
}

/** @type {Rule} */
export function split(to, node) {
  const shape = /** @type {number[]} */ (to.facts.shape(node.inputs[1]));
  const at = to.constant(node, 0).data[0];
  const axis = at < 0 ? at + shape.length : at;
  const count = node.int('num_split', 1);
  const size = shape[axis] / count;
  return Array.from({ length: count }, (_, i) => sliceAlong(to, node, i, axis, i * size, size, false));
}

/** @type {Rule} */
export function unpack(to, node) {
  const shape = /** @type {number[]} */ (to.facts.shape(node.inputs[0]));
  const at = node.int('axis', 0);
  const axis = at < 0 ? at + shape.length : at;
  return Array.from({ length: shape[axis] }, (_, i) => sliceAlong(to, node, i, axis, i, 1, true));
}

/** @type {Rule} */
export function stridedSlice(to, node) {
  if (node.int('ellipsis_mask', 0) || node.int('new_axis_mask', 0))
    throw to.refuse(node, 'an ellipsis or a new axis');
  const bounds = [1, 2, 3].map((input) => ints(`${node.name}/${input}`, to.constant(node, input).data));
  const options = {
    beginMask: node.int('begin_mask', 0),
    endMask: node.int('end_mask', 0),
    shrinkAxisMask: node.int('shrink_axis_mask', 0),
  };
  return to.emit(
    'STRIDED_SLICE',
    node.name,
    [to.value(node.inputs[0]), ...bounds],
    to.shapeOf(node),
    options,
  );
}

/** @type {Rule} */
export function slice(to, node) {
  const begin = to.constant(node, 1).data;
  const shape = to.shapeOf(node);
  const end = shape.map((size, d) => begin[d] + Math.max(size, 0));
  const free = shape.reduce((mask, size, d) => (size < 0 ? mask | (1 << d) : mask), 0);
  const bounds = [
    ints(`${node.name}/begin`, begin),
    ints(`${node.name}/end`, end),
    ints(
      `${node.name}/by`,
      shape.map(() => 1),
    ),
  ];
  return to.emit('STRIDED_SLICE', node.name, [to.value(node.inputs[0]), ...bounds], shape, {
    beginMask: free,
    endMask: free,
    shrinkAxisMask: 0,
  });
}
