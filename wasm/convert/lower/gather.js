// Lowers look-ups by index: Gather, GatherNd, TopKV2.
import { axisOf } from '../graph/kernels.js';
import { reshapeTo } from './shapes.js';
import { sliceEvenly } from './slice.js';
import { ints } from '../../tflite/network.js';

/**
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('./lower.js').Lowering} Lowering
 * @typedef {import('./lower.js').Rule} Rule
 * @typedef {import('../../tflite/network.js').Value} Value
 */

/** By constant indices that are evenly spaced, a slice. @type {Rule} */
export function gather(ctx, node) {
  const input = ctx.value(node.inputs[0]);
  const axis = axisOf(Number(node.inputs[2] ? ctx.constant(node, 2).data[0] : 0), input.shape.length);
  const batchDims = node.int('batch_dims', 0);
  const indices = ctx.facts.value(node.inputs[1]);
  const shape = ctx.shapeOf(node);
  if (!indices || batchDims !== 0) {
    const list = indexList(ctx, node);
    return ctx.emit('GATHER', node.name, [input, list], shape, { axis, batchDims });
  }
  const places = Array.from(indices.data, (index) => (index < 0 ? index + input.shape[axis] : index));
  const sliced = places.length > 0 ? sliceEvenly(ctx, node, { input, axis, places }) : undefined;
  if (!sliced) {
    const list = { ...ints(`${node.name}/indices`, places), shape: indices.shape };
    return ctx.emit('GATHER', node.name, [input, list], shape, { axis, batchDims: 0 });
  }
  return String(sliced.shape) === String(shape) ? sliced : reshapeTo(ctx, node.name, sliced, shape);
}

/** @param {Lowering} ctx @param {Node} node @returns {Value} */
function indexList(ctx, node) {
  const value = ctx.value(node.inputs[1]);
  if (value.tensor || value.dtype) return value;
  const options = { inDataType: 0, outDataType: 2 };
  return ctx.emit('CAST', `${node.name}/indices`, [value], value.shape, options, undefined, 'int32');
}

/** @type {Rule} */
export function gatherNd(ctx, node) {
  return ctx.emit(
    'GATHER_ND',
    node.name,
    [ctx.value(node.inputs[0]), indexList(ctx, node)],
    ctx.shapeOf(node),
  );
}

/** @type {Rule} */
export function topK(ctx, node) {
  const input = ctx.value(node.inputs[0]);
  const count = { ...ints(`${node.name}/k`, ctx.constant(node, 1).data), shape: [] };
  const values = ctx.emit(
    'TOPK_V2',
    node.name,
    [input, count],
    ctx.shapeOf(node),
    {},
    undefined,
    input.dtype,
  );
  /** @type {Value} */
  const indices = { name: `${node.name}:1`, shape: ctx.shapeOf(node, 1), dtype: 'int32' };
  ctx.ops[ctx.ops.length - 1].others = [indices];
  return [values, indices];
}
