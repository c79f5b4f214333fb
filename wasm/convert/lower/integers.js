// Lowers casts, comparisons, logic and choices, and integer arithmetic: what networks compute of indices.
import { isFloat } from '../../tflite/tensor.js';

/**
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('../graph/graph.js').Ref} Ref
 * @typedef {import('./lower.js').Lowering} Lowering
 * @typedef {import('./lower.js').Rule} Rule
 * @typedef {import('../../tflite/network.js').Value} Value
 */

/** schema.fbs' TensorType. @type {Record<string, number>} */
const TYPES = { float32: 0, int32: 2, int64: 4, bool: 6 };

/**
 * A node's inputs as values of one dtype: that of the computed ones. The network's inputs are floats, also if the graph
 * says that they are integers.
 * @param {Lowering} ctx
 * @param {Ref[]} refs
 * @returns {{values: Value[], dtype: Value['dtype']}}
 */
export function operands(ctx, refs) {
  const values = refs.map((ref) => ctx.value(ref));
  const dtype = values.find((value) => value.dtype)?.dtype;
  /** @param {Value} value @returns {Value} */
  const typed = (value) =>
    value.tensor && !(isFloat(value.tensor.dtype) && !dtype)
      ? { ...value, tensor: { ...value.tensor, dtype: dtype ?? /** @type {const} */ ('float32') } }
      : value;
  return { values: values.map(typed), dtype };
}

/** The node as one operator on all of its inputs, which have the dtype of its output. @param {string} kind @returns {Rule} */
export const typed = (kind) => (ctx, node) => {
  const { values, dtype } = operands(ctx, node.inputs);
  return ctx.emit(kind, node.name, values, ctx.shapeOf(node), {}, undefined, dtype);
};

/** @param {string} kind @returns {Rule} */
export const comparison = (kind) => (ctx, node) => {
  const { values } = operands(ctx, node.inputs);
  return ctx.emit(kind, node.name, values, ctx.shapeOf(node), {}, undefined, 'bool');
};

/** Casts between float types have no effect: the network computes in float32. @type {Rule} */
export function cast(ctx, node) {
  const input = ctx.value(node.inputs[0]);
  const to = node.dtype('DstT');
  const dtype = isFloat(to) ? 'float32' : to;
  const from = input.dtype ?? 'float32';
  if (from === dtype) return input;
  if (!Object.hasOwn(TYPES, dtype)) throw ctx.unsupported(node, `it rounds to ${to}`);
  const options = { inDataType: TYPES[from], outDataType: TYPES[dtype] };
  const made = dtype === 'float32' ? undefined : /** @type {Value['dtype']} */ (dtype);
  return ctx.emit('CAST', node.name, [input], ctx.shapeOf(node), options, undefined, made);
}

/** Select and SelectV2. Select's condition may be a vector of one element for each row. @type {Rule} */
export function select(ctx, node) {
  const [condition, ...chosen] = node.inputs;
  const { values, dtype } = operands(ctx, chosen);
  const isByRow = node.op === 'Select' && ctx.value(condition).shape.length === 1;
  const inputs = [ctx.value(condition), ...values];
  return ctx.emit(
    isByRow ? 'SELECT' : 'SELECT_V2',
    node.name,
    inputs,
    ctx.shapeOf(node),
    {},
    undefined,
    dtype,
  );
}
