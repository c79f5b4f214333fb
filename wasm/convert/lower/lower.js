// Lowers TensorFlow operators to TFLite operators, one by one. fuse.js then fuses them.
import { convertFailure } from '../errors.js';
import { batchNorm, markBatchNorm } from './batch_norm.js';
import { dilatedConvolution, batchToSpace } from './dilation.js';
import { emitPrelu, prelu, kerasPrelu } from './prelu.js';
import { slice, split, stridedSlice, unpack } from './slice.js';
import { ints } from '../../tflite/network.js';
import { inOrder } from '../graph/simplify.js';
import { sizeOf } from '../../shared/numbers.js';
import { isFloat } from '../../tflite/tensor.js';

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
 * @returns {Network}
 */
export function lower(inputs, outputs, facts) {
  const ctx = new Lowering(facts);
  const used = new Set(inOrder(outputs.map(({ ref }) => ref)));
  const usedInputs = inputs.filter(({ ref }) => used.has(ref.node));
  if (usedInputs.length === 0)
    throw convertFailure('GRAPH_UNSUPPORTED', 'the outputs do not depend on any input');
  const inputValues = usedInputs.map(({ name, ref }) => ctx.input(name, ref));
  for (const node of used) ctx.lower(node);
  return {
    ops: ctx.ops,
    inputs: inputValues,
    outputs: outputs.map(({ name, ref }) => ({ name, value: ctx.output(ref) })),
  };
}

export class Lowering {
  /** @type {Op[]} */ ops = [];
  /** @type {Map<Node, Value[]>} */ #values = new Map();
  /** Dilated convolutions until their BatchToSpaceND. @type {Map<Value, import('./dilation.js').Dilation>} */
  dilations = new Map();

  /** @param {Facts} facts */
  constructor(facts) {
    this.facts = facts;
  }

  /** @param {string} name @param {Ref} ref */
  input(name, ref) {
    const shape = this.facts.shape(ref);
    if (shape === undefined || shape.slice(1).some((size) => size <= 0))
      throw convertFailure(
        'GRAPH_UNSUPPORTED',
        `the input '${name}' has no fixed size: [${shape?.map((s) => (s < 0 ? '?' : s))}]`,
      );
    const value = { name, shape };
    this.#values.set(ref.node, [value]);
    return value;
  }

  /** @param {Ref} ref @returns {Value} */
  value(ref) {
    const known = this.#values.get(ref.node)?.[ref.index];
    if (known && this.dilations.has(known))
      throw this.unsupported(ref.node, 'it is not part of a dilated convolution');
    if (known) return known;
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
    return value;
  }

  /** @param {Node} node */
  lower(node) {
    if (this.#values.has(node) || this.facts.value({ node, index: 0 })) return;
    if (this.facts.sizes({ node, index: 0 })) return; // shape arithmetic on the free batch
    const rule = Object.hasOwn(RULES, node.op) ? RULES[node.op] : undefined;
    if (rule === undefined) throw convertFailure('GRAPH_UNSUPPORTED', `${node.op} at '${node.name}'`);
    const made = rule(this, node);
    this.#values.set(node, Array.isArray(made) ? made : [made]);
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
    /** @type {Value} */
    const output = { name, shape, ...(dtype && { dtype }) };
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

  /** @param {Node} node @param {number} [index] */
  shapeOf(node, index = 0) {
    const shape = this.facts.shape({ node, index });
    if (shape === undefined || shape.slice(1).some((size) => size < 0))
      throw this.unsupported(node, `its shape is unknown: [${shape?.map((s) => (s < 0 ? '?' : s))}]`);
    return shape;
  }

  /** @param {Node} node @param {number} input */
  constant(node, input) {
    const tensor = node.inputs[input] && this.facts.value(node.inputs[input]);
    if (tensor === undefined) throw this.unsupported(node, `its input ${input} is not constant`);
    return tensor;
  }
}

/** @param {Tensor} tensor @param {(value: number) => number} f @returns {Tensor} */
function mapFloats(tensor, f) {
  return { ...tensor, data: Float64Array.from(tensor.data, f) };
}

/**
 * @param {Lowering} ctx
 * @param {Node} node
 */
function windowOptions(ctx, node) {
  const [, strideH = 1, strideW = 1] = node.ints('strides');
  const [, dilationH = 1, dilationW = 1] = node.ints('dilations');
  const padding = node.string('padding', 'VALID');
  if (node.string('data_format', 'NHWC') !== 'NHWC')
    throw ctx.unsupported(node, 'its data format is not NHWC');
  return { padding: padding === 'SAME' ? 'SAME' : 'VALID', strideH, strideW, dilationH, dilationW };
}

/**
 * The node's first input; explicit paddings become a PAD.
 * @param {Lowering} ctx
 * @param {Node} node
 * @returns {Value}
 */
function padded(ctx, node) {
  const input = ctx.value(node.inputs[0]);
  const pads = node.ints('explicit_paddings');
  if (node.string('padding', 'VALID') !== 'EXPLICIT') return input;
  const shape = input.shape.map((size, d) => (size < 0 ? size : size + pads[2 * d] + pads[2 * d + 1]));
  const constant = ints(`${node.name}/paddings`, pads);
  constant.shape = [4, 2];
  return ctx.emit('PAD', `${node.name}/Pad`, [input, constant], shape);
}

/** @param {string} kind @returns {Rule} */
const convolution = (kind) => (ctx, node) => {
  const dilation = ctx.dilation(node.inputs[0]);
  if (dilation) return dilatedConvolution(ctx, node, { ...dilation, kind });
  const kernel = ctx.constant(node, 1);
  const input = padded(ctx, node);
  const output = ctx.emit(kind, node.name, [input], ctx.shapeOf(node), windowOptions(ctx, node), {
    kernel,
    isTransposed: false,
  });
  return fusedOps(ctx, node, output);
};

/** @type {Rule} */
function matMul(ctx, node) {
  if (node.bool('transpose_a')) throw ctx.unsupported(node, 'its first operand is transposed');
  const input = ctx.value(node.inputs[0]);
  const weights = { kernel: ctx.constant(node, 1), isTransposed: node.bool('transpose_b') };
  return fusedOps(ctx, node, ctx.emit('FULLY_CONNECTED', node.name, [input], ctx.shapeOf(node), {}, weights));
}

/**
 * Emits the operators that TensorFlow's optimizer fused into a node.
 * @param {Lowering} ctx
 * @param {Node} node
 * @param {Value} output
 */
function fusedOps(ctx, node, output) {
  for (const name of node.strings('fused_ops')) {
    const { shape } = output;
    if (name === 'BiasAdd') output = ctx.emit('ADD', node.name, [output, ctx.value(node.inputs[2])], shape);
    else if (name === 'Relu' || name === 'Relu6')
      output = ctx.emit(name.toUpperCase(), node.name, [output], shape);
    else if (name === 'Prelu')
      output = emitPrelu(ctx, node, output, ctx.constant(node, node.inputs.length - 1));
    else throw ctx.unsupported(node, `its fused operator ${name} is not supported`);
  }
  return output;
}

/** A constant becomes the second input, and x - c becomes x + -c. @param {string} kind @returns {Rule} */
const binary = (kind) => (ctx, node) => {
  const prelu = kind === 'ADD' ? kerasPrelu(ctx, node) : undefined;
  if (prelu) return prelu;
  const [a, b] = node.inputs.map((ref) => ctx.value(ref));
  const shape = ctx.shapeOf(node);
  if (kind === 'SUB' && b.tensor && isFloat(b.tensor.dtype))
    return ctx.emit('ADD', node.name, [a, { ...b, tensor: mapFloats(b.tensor, (value) => -value) }], shape);
  const made = ctx.emit(kind, node.name, kind !== 'SUB' && a.tensor ? [b, a] : [a, b], shape);
  if (kind === 'ADD' && b.tensor) markBatchNorm(ctx, node);
  return made;
};

/** @type {Rule} */
function divide(ctx, node) {
  const divisor = ctx.constant(node, 1);
  const factor = {
    name: `${node.name}/reciprocal`,
    shape: divisor.shape,
    tensor: mapFloats(divisor, (value) => 1 / value),
  };
  return ctx.emit('MUL', node.name, [ctx.value(node.inputs[0]), factor], ctx.shapeOf(node));
}

/** @param {string} kind @returns {Rule} */
const unary = (kind) => (ctx, node) =>
  ctx.emit(kind, node.name, [ctx.value(node.inputs[0])], ctx.shapeOf(node));

/** @type {Rule} */
const negated = (ctx, node) => {
  /** @type {Tensor} */
  const minusOne = { dtype: 'float32', shape: [], data: Float64Array.of(-1) };
  const factor = { name: `${node.name}/factor`, shape: [], tensor: minusOne };
  return ctx.emit('MUL', node.name, [ctx.value(node.inputs[0]), factor], ctx.shapeOf(node));
};

/** @type {Rule} */
const squared = (ctx, node) => {
  const x = ctx.value(node.inputs[0]);
  return ctx.emit('MUL', node.name, [x, x], ctx.shapeOf(node));
};

/** @param {string} kind @returns {Rule} */
const pool = (kind) => (ctx, node) => {
  const [, filterH, filterW] = node.ints('ksize');
  if (node.string('padding', 'VALID') === 'EXPLICIT') throw ctx.unsupported(node, 'it has explicit paddings');
  return ctx.emit(kind, node.name, [ctx.value(node.inputs[0])], ctx.shapeOf(node), {
    ...windowOptions(ctx, node),
    filterH,
    filterW,
  });
};

/** @type {Rule} */
function reshape(ctx, node) {
  const from = ctx.value(node.inputs[0]);
  const upsampled = nearestUpsampling(ctx, node);
  if (upsampled) return upsampled;
  const shape = ctx.shapeOf(node);
  return ctx.emit('RESHAPE', node.name, [from, ints(`${node.name}/shape`, shape)], shape);
}

/**
 * Recognizes how the Object Detection API repeats rows and columns: Pack of equal inputs along axis 3, then along axis
 * 2, then Reshape.
 * @param {Lowering} ctx
 * @param {Node} node
 * @returns {Value | undefined}
 */
function nearestUpsampling(ctx, { name, inputs: [{ node: rows }] }) {
  const columns = rows.op === 'Pack' && rows.int('axis', 0) === 2 ? sameInput(rows) : undefined;
  const source =
    columns?.node.op === 'Pack' && columns.node.int('axis', 0) === 3 ? sameInput(columns.node) : undefined;
  const shape = source && ctx.facts.shape(source);
  if (!columns || !source || shape?.length !== 4) return undefined;
  const size = [shape[1] * rows.inputs.length, shape[2] * columns.node.inputs.length];
  const output = [shape[0], ...size, shape[3]];
  return ctx.emit('RESIZE_NEAREST_NEIGHBOR', name, [ctx.value(source), ints(`${name}/size`, size)], output, {
    alignCorners: false,
    halfPixelCenters: false,
  });
}

/** The input of a Pack whose inputs are all the same. @param {Node} pack @returns {Ref | undefined} */
function sameInput({ inputs }) {
  const [first] = inputs;
  return inputs.every(({ node, index }) => node === first.node && index === first.index) ? first : undefined;
}

/** @param {string} kind @returns {Rule} */
const reduction = (kind) => (ctx, node) => {
  const input = ctx.value(node.inputs[0]);
  const axes = Array.from(ctx.constant(node, 1).data, (axis) =>
    axis < 0 ? axis + input.shape.length : axis,
  ).sort();
  const options = { keepDims: node.bool('keep_dims') };
  return ctx.emit(kind, node.name, [input, ints(`${node.name}/axes`, axes)], ctx.shapeOf(node), options);
};

/** @type {Rule} */
function argMax(ctx, node) {
  const input = ctx.value(node.inputs[0]);
  const axis = { ...ints(`${node.name}/axis`, ctx.constant(node, 1).data), shape: [] };
  const dtype = node.dtype('output_type') === 'int32' ? 'int32' : 'int64';
  return ctx.emit('ARG_MAX', node.name, [input, axis], ctx.shapeOf(node), {}, undefined, dtype);
}

/** Casts between float types have no effect: the network computes in float32. @type {Rule} */
function cast(ctx, node) {
  const input = ctx.value(node.inputs[0]);
  if (input.dtype) throw ctx.unsupported(node, `it takes ${input.dtype}`);
  return input;
}

/** @type {Rule} */
function pad(ctx, node) {
  const fill = node.op === 'PadV2' ? ctx.constant(node, 2).data[0] : 0;
  if (fill !== 0) throw ctx.unsupported(node, `it pads with ${fill}, only 0 is supported`);
  const paddings = ctx.constant(node, 1);
  const constant = { ...ints(`${node.name}/paddings`, paddings.data), shape: paddings.shape };
  return ctx.emit('PAD', node.name, [ctx.value(node.inputs[0]), constant], ctx.shapeOf(node));
}

/** @param {string} kind @returns {Rule} */
const resize = (kind) => (ctx, node) => {
  const shape = ctx.shapeOf(node);
  const options = {
    alignCorners: node.bool('align_corners'),
    halfPixelCenters: node.bool('half_pixel_centers'),
  };
  return ctx.emit(
    kind,
    node.name,
    [ctx.value(node.inputs[0]), ints(`${node.name}/size`, shape.slice(1, 3))],
    shape,
    options,
  );
};

/** @type {Rule} */
function concatenation(ctx, node) {
  const axis = ctx.constant(node, node.inputs.length - 1).data[0];
  const parts = node.inputs.slice(0, -1).map((ref) => ctx.value(ref));
  const shape = ctx.shapeOf(node);
  return ctx.emit('CONCATENATION', node.name, parts, shape, {
    axis: axis < 0 ? axis + shape.length : axis,
  });
}

/** @type {Rule} */
function transpose(ctx, node) {
  const order = ints(`${node.name}/order`, ctx.constant(node, 1).data);
  return ctx.emit('TRANSPOSE', node.name, [ctx.value(node.inputs[0]), order], ctx.shapeOf(node));
}

/**
 * ReLU6 written as min(relu(x), 6) or as a clip to [0, 6].
 * @param {Lowering} ctx
 * @param {Node} node
 * @param {Tensor | undefined} low
 * @param {Tensor} high
 */
function clip(ctx, node, low, high) {
  const input = ctx.value(node.inputs[0]);
  const isPositive = low
    ? low.data[0] === 0
    : ctx.ops.some(({ kind, output }) => output === input && kind === 'RELU');
  if (sizeOf(high.shape) !== 1 || high.data[0] !== 6 || !isPositive)
    throw ctx.unsupported(node, 'it is not a ReLU6');
  return ctx.emit('RELU6', node.name, [input], ctx.shapeOf(node));
}

/** @type {Rule} */
function maximum(ctx, node) {
  const bound = ctx.constant(node, 1);
  if (sizeOf(bound.shape) !== 1 || bound.data[0] !== 0) throw ctx.unsupported(node, 'it is not a ReLU');
  return ctx.emit('RELU', node.name, [ctx.value(node.inputs[0])], ctx.shapeOf(node));
}

/** @type {Record<string, Rule>} */
const RULES = {
  Conv2D: convolution('CONV_2D'),
  _FusedConv2D: convolution('CONV_2D'),
  DepthwiseConv2dNative: convolution('DEPTHWISE_CONV_2D'),
  FusedDepthwiseConv2dNative: convolution('DEPTHWISE_CONV_2D'),
  _FusedDepthwiseConv2dNative: convolution('DEPTHWISE_CONV_2D'),
  MatMul: matMul,
  _FusedMatMul: matMul,
  FusedBatchNorm: batchNorm,
  FusedBatchNormV2: batchNorm,
  FusedBatchNormV3: batchNorm,
  BiasAdd: binary('ADD'),
  Add: binary('ADD'),
  AddV2: binary('ADD'),
  AddN: (ctx, node) => {
    const [first, ...rest] = node.inputs.map((ref) => ctx.value(ref));
    return rest.reduce((sum, part) => ctx.emit('ADD', node.name, [sum, part], ctx.shapeOf(node)), first);
  },
  Sub: binary('SUB'),
  Mul: binary('MUL'),
  RealDiv: divide,
  Div: divide,
  Square: squared,
  Relu: unary('RELU'),
  Relu6: unary('RELU6'),
  Sigmoid: unary('LOGISTIC'),
  Softmax: unary('SOFTMAX'),
  Minimum: (ctx, node) => clip(ctx, node, undefined, ctx.constant(node, 1)),
  ClipByValue: (ctx, node) => clip(ctx, node, ctx.constant(node, 1), ctx.constant(node, 2)),
  Maximum: maximum,
  Mean: reduction('MEAN'),
  Max: reduction('REDUCE_MAX'),
  ArgMax: argMax,
  Prelu: prelu,
  Abs: unary('ABS'),
  Neg: negated,
  AvgPool: pool('AVERAGE_POOL_2D'),
  MaxPool: pool('MAX_POOL_2D'),
  Pad: pad,
  PadV2: pad,
  Reshape: reshape,
  Flatten: reshape,
  Squeeze: reshape,
  ExpandDims: reshape,
  Cast: cast,
  Pack: (ctx, node) => {
    const shape = ctx.shapeOf(node);
    const axis = node.int('axis', 0);
    return ctx.emitNode('PACK', node, {
      axis: axis < 0 ? axis + shape.length : axis,
      valuesCount: node.inputs.length,
    });
  },
  ConcatV2: concatenation,
  Transpose: transpose,
  ResizeBilinear: resize('RESIZE_BILINEAR'),
  ResizeNearestNeighbor: resize('RESIZE_NEAREST_NEIGHBOR'),
  SpaceToBatchND: (ctx, node) => dilatedConvolution(ctx, node, undefined),
  BatchToSpaceND: batchToSpace,
  Split: split,
  Unpack: unpack,
  StridedSlice: stridedSlice,
  Slice: slice,
};
