// Lowers operators that move, repeat or resize elements.
import { ints, scalar } from '../../tflite/network.js';
import { axisOf } from '../graph/kernels.js';

/**
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('../graph/graph.js').Ref} Ref
 * @typedef {import('./lower.js').Lowering} Lowering
 * @typedef {import('./lower.js').Rule} Rule
 * @typedef {import('../../tflite/network.js').Value} Value
 */

/**
 * @param {Lowering} ctx
 * @param {string} name
 * @param {Value} input
 * @param {number[]} shape
 */
export function reshapeTo(ctx, name, input, shape) {
  return ctx.emit('RESHAPE', name, [input, ints(`${name}/shape`, shape)], shape);
}

/** Also Flatten, Squeeze and ExpandDims. @type {Rule} */
export function reshape(ctx, node) {
  const upsampled = node.op === 'Reshape' ? nearestUpsampling(ctx, node) : undefined;
  return upsampled ?? reshapeTo(ctx, node.name, ctx.value(node.inputs[0]), ctx.shapeOf(node));
}

/**
 * Recognizes how the Object Detection API repeats rows and columns: Pack of equal inputs along axis 3, then along axis
 * 2, then Reshape.
 * @param {Lowering} ctx
 * @param {Node} node
 * @returns {Value | undefined}
 */
function nearestUpsampling(ctx, node) {
  const [{ node: rows }] = node.inputs;
  const columns = rows.op === 'Pack' && rows.int('axis', 0) === 2 ? sameInput(rows) : undefined;
  const source =
    columns?.node.op === 'Pack' && columns.node.int('axis', 0) === 3 ? sameInput(columns.node) : undefined;
  const shape = source && ctx.networkShape(source);
  if (!columns || !source || shape?.length !== 4) return undefined;
  const size = [shape[1] * rows.inputs.length, shape[2] * columns.node.inputs.length];
  const output = [shape[0], ...size, shape[3]];
  if (String(ctx.shapeOf(node)) !== String(output)) return undefined;
  const inputs = [ctx.value(source), ints(`${node.name}/size`, size)];
  const options = { alignCorners: false, halfPixelCenters: false };
  return ctx.emit('RESIZE_NEAREST_NEIGHBOR', node.name, inputs, output, options);
}

/** The input of a Pack whose inputs are all the same. @param {Node} pack @returns {Ref | undefined} */
function sameInput({ inputs }) {
  const [first] = inputs;
  return inputs.every(({ node, index }) => node === first.node && index === first.index) ? first : undefined;
}

/** @type {Rule} */
export function pad(ctx, node) {
  const fill = node.op === 'PadV2' ? ctx.constant(node, 2).data[0] : 0;
  const inputs = [ctx.value(node.inputs[0]), paddingsOf(ctx, node)];
  if (fill === 0) return ctx.emit('PAD', node.name, inputs, ctx.shapeOf(node));
  return ctx.emit('PADV2', node.name, [...inputs, scalar(`${node.name}/fill`, fill)], ctx.shapeOf(node));
}

/** @param {Lowering} ctx @param {Node} node @returns {Value} */
function paddingsOf(ctx, node) {
  const { data, shape } = ctx.constant(node, 1);
  return { ...ints(`${node.name}/paddings`, data), shape };
}

/** @type {Rule} */
export function mirrorPad(ctx, node) {
  const inputs = [ctx.value(node.inputs[0]), paddingsOf(ctx, node)];
  const mode = node.string('mode', 'REFLECT') === 'SYMMETRIC' ? 1 : 0;
  return ctx.emit('MIRROR_PAD', node.name, inputs, ctx.shapeOf(node), { mode });
}

/** @param {string} kind @returns {Rule} */
export const resize = (kind) => (ctx, node) => {
  const shape = ctx.shapeOf(node);
  const options = {
    alignCorners: node.bool('align_corners'),
    halfPixelCenters: node.bool('half_pixel_centers'),
  };
  const inputs = [ctx.value(node.inputs[0]), ints(`${node.name}/size`, shape.slice(1, 3))];
  return ctx.emit(kind, node.name, inputs, shape, options);
};

/** @type {Rule} */
export function concatenation(ctx, node) {
  const axis = ctx.constant(node, node.inputs.length - 1).data[0];
  const parts = node.inputs.slice(0, -1).map((ref) => ctx.value(ref));
  const shape = ctx.shapeOf(node);
  if (parts.length === 1) return parts[0];
  return ctx.emit('CONCATENATION', node.name, parts, shape, { axis: axisOf(axis, shape.length) });
}

/** @type {Rule} */
export function pack(ctx, node) {
  const axis = axisOf(node.int('axis', 0), ctx.shapeOf(node).length);
  return ctx.emitNode('PACK', node, { axis, valuesCount: node.inputs.length });
}

/** @type {Rule} */
export function transpose(ctx, node) {
  const { data } = ctx.constant(node, 1);
  const input = ctx.value(node.inputs[0]);
  if (data.every((/** @type {number} */ from, /** @type {number} */ to) => from === to)) return input;
  return ctx.emit('TRANSPOSE', node.name, [input, ints(`${node.name}/order`, data)], ctx.shapeOf(node));
}

/** @type {Rule} */
export function tile(ctx, node) {
  const times = ints(`${node.name}/times`, ctx.constant(node, 1).data);
  return ctx.emit('TILE', node.name, [ctx.value(node.inputs[0]), times], ctx.shapeOf(node));
}

/** BroadcastTo, as the TILE that repeats axes of size 1. @type {Rule} */
export function broadcast(ctx, node) {
  const input = ctx.value(node.inputs[0]);
  const shape = ctx.shapeOf(node);
  const from = [...Array.from({ length: shape.length - input.shape.length }, () => 1), ...input.shape];
  const widened =
    from.length === input.shape.length ? input : reshapeTo(ctx, `${node.name}/widened`, input, from);
  const times = shape.map((size, d) => (size === from[d] ? 1 : size));
  if (times.some((count) => count < 0)) throw ctx.unsupported(node, 'it repeats along the free batch');
  return ctx.emit('TILE', node.name, [widened, ints(`${node.name}/times`, times)], shape);
}

/**
 * DepthToSpace and SpaceToDepth, as a Transpose of blocks.
 * @param {boolean} isToSpace
 * @returns {Rule}
 */
export const blocks = (isToSpace) => (ctx, node) => {
  if (node.string('data_format', 'NHWC') !== 'NHWC')
    throw ctx.unsupported(node, 'its data format is not NHWC');
  const input = ctx.value(node.inputs[0]);
  const output = ctx.shapeOf(node);
  const block = node.int('block_size', 2);
  const [batch, height, width] = isToSpace ? input.shape : output;
  const depth = isToSpace ? output[3] : input.shape[3];
  const [apart, together] = [
    [batch, height, width, block, block, depth],
    [batch, height, block, width, block, depth],
  ];
  const [from, to] = isToSpace ? [apart, together] : [together, apart];
  const split = reshapeTo(ctx, `${node.name}/blocks`, input, from);
  const order = ints(`${node.name}/order`, [0, 1, 3, 2, 4, 5]);
  const moved = ctx.emit('TRANSPOSE', `${node.name}/moved`, [split, order], to);
  return reshapeTo(ctx, node.name, moved, output);
};
