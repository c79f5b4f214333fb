// Lowers StridedSlice, Slice, Split and Unpack to STRIDED_SLICE.
import { axisOf } from '../graph/kernels.js';
import { sliceRanges } from '../graph/ranges.js';
import { ints } from '../../tflite/network.js';

/**
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('./lower.js').Lowering} Lowering
 * @typedef {import('./lower.js').Rule} Rule
 * @typedef {import('../../tflite/network.js').Value} Value
 * @typedef {{start: number, step: number, count: number}} Range of an axis; count -1: the whole free batch
 */

/**
 * Emits a slice with one range for each axis of the input.
 * @param {Lowering} ctx
 * @param {string} name
 * @param {Value} input
 * @param {Range[]} ranges
 * @param {number[]} shape
 * @param {number} shrinkAxisMask
 */
function emitSlice(ctx, name, input, ranges, shape, shrinkAxisMask) {
  const mask = (/** @type {(range: Range) => boolean} */ isSet) =>
    ranges.reduce((bits, range, d) => bits | (isSet(range) ? 1 << d : 0), 0);
  const end = (/** @type {Range} */ { start, step, count }) => start + step * count;
  const bounds = [
    ints(
      `${name}/begin`,
      ranges.map(({ start }) => start),
    ),
    ints(
      `${name}/end`,
      ranges.map((range) => Math.max(end(range), 0)),
    ),
    ints(
      `${name}/by`,
      ranges.map(({ step }) => step),
    ),
  ];
  const beginMask = mask(({ count }) => count < 0);
  const endMask = mask((range) => range.count < 0 || end(range) < 0);
  const options = { beginMask, endMask, shrinkAxisMask };
  return ctx.emit('STRIDED_SLICE', name, [input, ...bounds], shape, options);
}

/** The whole of each axis. @param {number[]} shape @returns {Range[]} */
const whole = (shape) => shape.map((count) => ({ start: 0, step: 1, count }));

/**
 * @param {Lowering} ctx
 * @param {Node} node
 * @param {number} index of the node's output
 * @param {{axis: number, start: number, count: number, isShrunk: boolean}} at
 */
function sliceAlong(ctx, node, index, { axis, start, count, isShrunk }) {
  const input = ctx.value(node.inputs[node.op === 'Split' ? 1 : 0]);
  if (input.shape[axis] < 0) throw ctx.unsupported(node, 'it splits the free batch');
  const ranges = whole(input.shape).with(axis, { start, step: 1, count });
  const name = `${node.name}:${index}`;
  return emitSlice(ctx, name, input, ranges, ctx.shapeOf(node, index), isShrunk ? 1 << axis : 0);
}

/** @type {Rule} */
export function split(ctx, node) {
  const { shape } = ctx.value(node.inputs[1]);
  const axis = axisOf(ctx.constant(node, 0).data[0], shape.length);
  const length = node.int('num_split', 1);
  const count = shape[axis] / length;
  return Array.from({ length }, (_, i) =>
    sliceAlong(ctx, node, i, { axis, start: i * count, count, isShrunk: false }),
  );
}

/** @type {Rule} */
export function splitBySizes(ctx, node) {
  const { shape } = ctx.value(node.inputs[0]);
  const axis = axisOf(ctx.constant(node, 2).data[0], shape.length);
  let start = 0;
  return Array.from(ctx.constant(node, 1).data, (_, i) => {
    const count = ctx.shapeOf(node, i)[axis];
    const piece = sliceAlong(ctx, node, i, { axis, start, count, isShrunk: false });
    start += count;
    return piece;
  });
}

/** @type {Rule} */
export function unpack(ctx, node) {
  const { shape } = ctx.value(node.inputs[0]);
  const axis = axisOf(node.int('axis', 0), shape.length);
  return Array.from({ length: shape[axis] }, (_, start) =>
    sliceAlong(ctx, node, start, { axis, start, count: 1, isShrunk: true }),
  );
}

/** New axes, which STRIDED_SLICE does not add, and removed ones become a RESHAPE. @type {Rule} */
export function stridedSlice(ctx, node) {
  const input = ctx.value(node.inputs[0]);
  const bounds = [1, 2, 3].map((at) => [...ctx.constant(node, at).data]);
  const ranges = sliceRanges(node, /** @type {number[]} */ (ctx.facts.shape(node.inputs[0])), bounds);
  const kept = ranges
    .filter(({ kind }) => kind !== 'new')
    .map(({ start, step, count }) => ({ start, step, count: count < -1 ? -1 : count }));
  if (kept.some(({ count }, d) => count < 0 && input.shape[d] >= 0))
    throw ctx.unsupported(node, 'its bounds depend on the free batch');
  const shape = ctx.shapeOf(node);
  const isWhole = kept.every(({ step, count }, d) => step === 1 && count === input.shape[d]);
  const counts = kept.map(({ count }) => count);
  const isReshaped = String(counts) !== String(shape);
  const name = isReshaped ? `${node.name}/slice` : node.name;
  const sliced = isWhole ? input : emitSlice(ctx, name, input, kept, counts, 0);
  return isReshaped
    ? ctx.emit('RESHAPE', node.name, [sliced, ints(`${node.name}/shape`, shape)], shape)
    : sliced;
}

/** @type {Rule} */
export function slice(ctx, node) {
  const begin = ctx.constant(node, 1).data;
  const input = ctx.value(node.inputs[0]);
  const shape = ctx.shapeOf(node);
  const ranges = shape.map((count, d) => ({ start: begin[d], step: 1, count }));
  if (ranges.some(({ start, count }, d) => input.shape[d] < 0 && (start !== 0 || count >= 0)))
    throw ctx.unsupported(node, 'it slices the free batch');
  return emitSlice(ctx, node.name, input, ranges, shape, 0);
}

/**
 * The elements at evenly spaced places of an axis, or undefined if the places are not even.
 * @param {Lowering} ctx
 * @param {Node} node
 * @param {{input: Value, axis: number, places: number[]}} what
 */
export function sliceEvenly(ctx, node, { input, axis, places }) {
  const [start] = places;
  const step = places.length > 1 ? places[1] - start : 1;
  const isEven = step !== 0 && places.every((place, i) => place === start + i * step);
  if (!isEven || input.shape[axis] < 0) return undefined;
  const ranges = whole(input.shape).with(axis, { start, step, count: places.length });
  const shape = input.shape.with(axis, places.length);
  return emitSlice(ctx, `${node.name}/slice`, input, ranges, shape, 0);
}
