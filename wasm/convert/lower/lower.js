// Lowers TensorFlow operators to TFLite operators, one by one. fuse.js then fuses them.
import { convertFailure } from '../errors.js';
import { selu, softplus, softsign } from './activations.js';
import { batchNorm } from './batch_norm.js';
import { dilatedConvolution, batchToSpace } from './dilation.js';
import { addAll, binary, clipByValue, divide, extremum, leakyRelu } from './elementwise.js';
import { negated, power, reciprocal, squared, squaredDifference, unary } from './elementwise.js';
import { gather, gatherNd, topK } from './gather.js';
import { cast, comparison, select, typed } from './integers.js';
import { prelu } from './prelu.js';
import { argExtremum, reduction } from './reduce.js';
import { blocks, broadcast, concatenation, mirrorPad, pack, pad, reshape } from './shapes.js';
import { resize, tile, transpose } from './shapes.js';
import { slice, split, splitBySizes, stridedSlice, unpack } from './slice.js';
import { convolution, matMul, pool, transposedConvolution } from './windows.js';
import { toNetworkShape } from '../graph/batch.js';
import { inOrder } from '../graph/simplify.js';
import { OPERATORS } from '../../tflite/operators.js';

/**
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('../graph/graph.js').Ref} Ref
 * @typedef {import('../graph/facts.js').Facts} Facts
 * @typedef {import('../../tflite/network.js').Network} Network
 * @typedef {import('../../tflite/network.js').Value} Value
 * @typedef {import('../../tflite/network.js').Op} Op
 * @typedef {import('../../tflite/tensor.js').Tensor} Tensor
 * @typedef {(ctx: Lowering, node: Node) => Value | Value[]} Rule returns the node's outputs
 */

/**
 * @param {{name: string, ref: Ref}[]} inputs
 * @param {{name: string, ref: Ref}[]} outputs
 * @param {Facts} facts
 * @returns {{network: Network, trace: Map<Value, Ref>}} trace: which value of the graph a value of the network is
 */
export function lower(inputs, outputs, facts) {
  const ctx = new Lowering(facts);
  const used = new Set(inOrder(outputs.map(({ ref }) => ref)));
  const usedInputs = inputs.filter(({ ref }) => used.has(ref.node));
  if (usedInputs.length === 0)
    throw convertFailure('GRAPH_UNSUPPORTED', 'the outputs do not depend on any input');
  const inputValues = usedInputs.map(({ name, ref }) => ctx.input(name, ref));
  for (const node of used) ctx.lower(node);
  const network = {
    ops: ctx.ops,
    inputs: inputValues,
    outputs: outputs.map(({ name, ref }) => ({ name, value: ctx.output(ref) })),
  };
  return { network, trace: ctx.trace };
}

export class Lowering {
  /** @type {Op[]} */ ops = [];
  /** @type {Map<Node, Value[]>} */ #values = new Map();
  /** Why nodes could not be lowered. It matters only if another node takes their value. @type {Map<Node, unknown>} */
  #failures = new Map();
  /** Which value of the graph a value is. @type {Map<Value, Ref>} */
  trace = new Map();
  /** Dilated convolutions until their BatchToSpaceND. @type {Map<Value, import('./dilation.js').Dilation>} */
  dilations = new Map();

  /** @type {Set<Value>} */
  #inputs = new Set();

  /** @param {Facts} facts */
  constructor(facts) {
    this.facts = facts;
  }

  /** @param {string} name @param {Ref} ref */
  input(name, ref) {
    const shape = this.networkShape(ref);
    if (shape === undefined || shape.slice(1).some((size) => size <= 0)) {
      const sizes = (this.facts.shape(ref) ?? []).map((size) => (size < 0 ? '?' : size));
      const hint = sizes.length === 4 ? '. Give its height and width: size: [224, 224] (--size 224x224)' : '';
      throw convertFailure('GRAPH_UNSUPPORTED', `the input '${name}' has no fixed size: [${sizes}]${hint}`);
    }
    const value = { name, shape };
    this.#inputs.add(value);
    this.#values.set(ref.node, [value]);
    return value;
  }

  /** @param {Ref} ref @returns {Value} */
  value(ref) {
    const known = this.#values.get(ref.node)?.[ref.index];
    if (known && this.dilations.has(known))
      throw this.unsupported(ref.node, 'it is not part of a dilated convolution');
    if (known) return known;
    if (this.#failures.has(ref.node)) throw this.#failures.get(ref.node);
    const tensor = this.facts.value(ref);
    if (tensor === undefined)
      throw convertFailure('GRAPH_UNSUPPORTED', `${ref.node.op} at '${ref.node.name}'`);
    return { name: ref.node.name, shape: tensor.shape, tensor };
  }

  /** @param {Ref} ref */
  dilation(ref) {
    const known = this.#values.get(ref.node)?.[ref.index];
    return known && this.dilations.get(known);
  }

  /** @param {Ref} ref @returns {Value} */
  output(ref) {
    const value = this.value(ref);
    if (value.tensor)
      throw convertFailure('GRAPH_UNSUPPORTED', `the output '${ref.node.name}' is a constant`);
    if (this.#inputs.has(value))
      throw convertFailure('GRAPH_UNSUPPORTED', `the output '${ref.node.name}' is the input '${value.name}'`);
    return value;
  }

  /** @param {Node} node */
  lower(node) {
    if (this.#values.has(node) || this.facts.value({ node, index: 0 })) return;
    if (this.facts.sizes({ node, index: 0 })) return; // shape arithmetic on the free batch
    try {
      const rule = Object.hasOwn(RULES, node.op) ? RULES[node.op] : undefined;
      if (rule === undefined) throw convertFailure('GRAPH_UNSUPPORTED', `${node.op} at '${node.name}'`);
      const made = rule(this, node);
      const values = Array.isArray(made) ? made : [made];
      this.#values.set(node, values);
      values.forEach((value, index) => {
        if (!this.trace.has(value)) this.trace.set(value, { node, index });
      });
    } catch (error) {
      this.#failures.set(node, error);
    }
  }

  /** The error for a node that cannot be lowered. @param {Node} node @param {string} reason @returns {Error} */
  unsupported(node, reason) {
    return convertFailure('GRAPH_UNSUPPORTED', `${node.op} at '${node.name}': ${reason}`);
  }

  /**
   * Appends an operator.
   * @param {string} kind
   * @param {string} name
   * @param {Value[]} inputs
   * @param {number[]} shape
   * @param {Record<string, any>} [options]
   * @param {Op['weights']} [weights]
   * @param {Value['dtype']} [dtype]
   * @returns {Value} its output
   */
  emit(kind, name, inputs, shape, options = {}, weights = undefined, dtype = undefined) {
    if (!Object.hasOwn(OPERATORS, kind))
      throw convertFailure('GRAPH_UNSUPPORTED', `'${name}' becomes ${kind}, which ocelli does not run`);
    const moved = JOINS.has(kind) ? inputs.find((input) => input.dtype) : inputs[0];
    const kept = MOVES.has(kind) ? moved?.dtype : dtype;
    /** @type {Value} */
    const output = { name, shape, ...(kept && { dtype: kept }) };
    this.ops.push({ kind, inputs, output, options, ...(weights && { weights }) });
    return output;
  }

  /**
   * Appends an operator with the node's inputs and shape.
   * @param {string} kind
   * @param {Node} node
   * @param {Record<string, any>} [options]
   */
  emitNode(kind, node, options = {}) {
    return this.emit(
      kind,
      node.name,
      node.inputs.map((ref) => this.value(ref)),
      this.shapeOf(node),
      options,
    );
  }

  /** The shape, with -1 for the free batch; undefined: unknown. @param {Ref} ref */
  networkShape(ref) {
    return toNetworkShape(this.facts.shape(ref));
  }

  /** @param {Node} node @param {number} [index] @returns {number[]} */
  shapeOf(node, index = 0) {
    const shape = this.networkShape({ node, index });
    if (shape) return shape;
    const sizes = this.facts.shape({ node, index });
    throw this.unsupported(
      node,
      sizes ? `its shape is not known: [${sizes.map((s) => (s < 0 ? '?' : s))}]` : 'its shape is not known',
    );
  }

  /** @param {Node} node @param {number} input */
  constant(node, input) {
    const tensor = node.inputs[input] && this.facts.value(node.inputs[input]);
    if (tensor === undefined) throw this.unsupported(node, `its input ${input} is not constant`);
    return tensor;
  }
}

const JOINS = new Set(['CONCATENATION', 'PACK']);
/** Their output has the dtype of their input. */
const MOVES = new Set([
  ...[...JOINS, 'GATHER', 'GATHER_ND', 'MIRROR_PAD', 'PAD', 'RESHAPE', 'STRIDED_SLICE', 'TILE', 'TRANSPOSE'],
]);

/** @type {Record<string, Rule>} */
export const RULES = {
  Conv2D: convolution('CONV_2D'),
  Conv2DBackpropInput: transposedConvolution,
  _FusedConv2D: convolution('CONV_2D'),
  DepthwiseConv2dNative: convolution('DEPTHWISE_CONV_2D'),
  FusedDepthwiseConv2dNative: convolution('DEPTHWISE_CONV_2D'),
  _FusedDepthwiseConv2dNative: convolution('DEPTHWISE_CONV_2D'),
  MatMul: matMul,
  _FusedMatMul: matMul,
  BatchMatMul: matMul,
  BatchMatMulV2: matMul,
  FusedBatchNorm: batchNorm,
  FusedBatchNormV2: batchNorm,
  FusedBatchNormV3: batchNorm,
  AvgPool: pool('AVERAGE_POOL_2D'),
  MaxPool: pool('MAX_POOL_2D'),
  SpaceToBatchND: (ctx, node) => dilatedConvolution(ctx, node, undefined),
  BatchToSpaceND: batchToSpace,

  BiasAdd: binary('ADD'),
  Add: binary('ADD'),
  AddV2: binary('ADD'),
  AddN: addAll,
  Sub: binary('SUB'),
  Mul: binary('MUL'),
  RealDiv: divide,
  Div: divide,
  DivNoNan: divide,
  Reciprocal: reciprocal,
  Pow: power,
  SquaredDifference: squaredDifference,
  FloorDiv: typed('FLOOR_DIV'),
  FloorMod: typed('FLOOR_MOD'),
  Maximum: extremum('Maximum'),
  Minimum: extremum('Minimum'),
  ClipByValue: clipByValue,

  Equal: comparison('EQUAL'),
  NotEqual: comparison('NOT_EQUAL'),
  Less: comparison('LESS'),
  LessEqual: comparison('LESS_EQUAL'),
  Greater: comparison('GREATER'),
  GreaterEqual: comparison('GREATER_EQUAL'),
  LogicalAnd: comparison('LOGICAL_AND'),
  LogicalOr: comparison('LOGICAL_OR'),
  LogicalNot: comparison('LOGICAL_NOT'),
  Select: select,
  SelectV2: select,

  Abs: typed('ABS'),
  Ceil: unary('CEIL'),
  Elu: unary('ELU'),
  Exp: unary('EXP'),
  Floor: unary('FLOOR'),
  LeakyRelu: leakyRelu,
  Log: unary('LOG'),
  LogSoftmax: unary('LOG_SOFTMAX'),
  Neg: negated,
  Prelu: prelu,
  Relu: unary('RELU'),
  Relu6: unary('RELU6'),
  Round: unary('ROUND'),
  Rsqrt: unary('RSQRT'),
  Selu: selu,
  Sigmoid: unary('LOGISTIC'),
  Sign: typed('SIGN'),
  Softmax: unary('SOFTMAX'),
  Softplus: softplus,
  Softsign: softsign,
  Sqrt: unary('SQRT'),
  Square: squared,
  Tanh: unary('TANH'),
  Cast: cast,

  All: reduction('REDUCE_ALL'),
  Any: reduction('REDUCE_ANY'),
  ArgMax: argExtremum('ARG_MAX'),
  ArgMin: argExtremum('ARG_MIN'),
  Max: reduction('REDUCE_MAX'),
  Mean: reduction('MEAN'),
  Min: reduction('REDUCE_MIN'),
  Prod: reduction('REDUCE_PROD'),
  Sum: reduction('SUM'),
  TopKV2: topK,

  BroadcastTo: broadcast,
  ConcatV2: concatenation,
  DepthToSpace: blocks(true),
  ExpandDims: reshape,
  Flatten: reshape,
  Gather: gather,
  GatherV2: gather,
  GatherNd: gatherNd,
  MirrorPad: mirrorPad,
  Pack: pack,
  Pad: pad,
  PadV2: pad,
  Reshape: reshape,
  ResizeBilinear: resize('RESIZE_BILINEAR'),
  ResizeNearestNeighbor: resize('RESIZE_NEAREST_NEIGHBOR'),
  Slice: slice,
  SpaceToDepth: blocks(false),
  Split: split,
  SplitV: splitBySizes,
  Squeeze: reshape,
  StridedSlice: stridedSlice,
  Tile: tile,
  Transpose: transpose,
  Unpack: unpack,
};
