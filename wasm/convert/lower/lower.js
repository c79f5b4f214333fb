// TensorFlow's operators -> TFLite's, one by one; fuse.js then joins them.
import { convertFailure } from '../errors.js';
import { batchNorm, markBatchNorm } from './batch_norm.js';
import { dilatedConvolution, undilated } from './dilation.js';
import { emitPrelu, prelu, preluOfParts } from './prelu.js';
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
 * @typedef {(to: Lowering, node: Node) => Value | Value[]} Rule
 */

/**
 * @param {{name: string, ref: Ref}[]} inputs
 * @param {{name: string, ref: Ref}[]} outputs
 * @param {Facts} facts
 * @returns {Network}
 */
export function lower(inputs, outputs, facts) {
  const lowering = new Lowering(facts);
  const used = new Set(inOrder(outputs.map(({ ref }) => ref)));
  const taken = inputs.filter(({ ref }) => used.has(ref.node));
  if (taken.length === 0) throw convertFailure('GRAPH_UNSUPPORTED', 'the outputs depend on no input');
  const inputValues = taken.map(({ name, ref }) => lowering.input(name, ref));
  for (const node of used) lowering.lower(node);
  return {
    ops: lowering.ops,
    inputs: inputValues,
    outputs: outputs.map(({ name, ref }) => ({ name, value: lowering.output(ref) })),
  };
}

export class Lowering {
  /** @type {Op[]} */ ops = [];
  /** @type {Map<Node, Value[]>} */ #values = new Map();
  /** @type {Map<Value, import('./dilation.js').Dilation>} what waits for BatchToSpaceND */ dilations =
    new Map();

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
      throw this.refuse(ref.node, 'what follows is no dilated convolution');
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

  /** @param {Node} node @param {string} reason @returns {Error} */
  refuse(node, reason) {
    return convertFailure('GRAPH_UNSUPPORTED', `${node.op} at '${node.name}': ${reason}`);
  }

  /**
   * @param {string} kind
   * @param {string} name
   * @param {Value[]} inputs
   * @param {number[]} shape
   * @param {Record<string, any>} [options]
   * @param {Op['weights']} [weights]
   * @param {Value['dtype']} [dtype]
   */
  emit(kind, name, inputs, shape, options = {}, weights = undefined, dtype = undefined) {
    /** @type {Value} */
    const output = { name, shape, ...(dtype && { dtype }) };
    this.ops.push({ kind, inputs, output, options, ...(weights && { weights }) });
    return output;
  }

  /** An operator of the node's inputs and shape. @param {string} kind @param {Node} node @param {Record<string, any>} [options] */
  plain(kind, node, options = {}) {
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
      throw this.refuse(node, `its shape is not known: [${shape?.map((s) => (s < 0 ? '?' : s))}]`);
    return shape;
  }

  /** @param {Node} node @param {number} input */
  constant(node, input) {
    const tensor = node.inputs[input] && this.facts.value(node.inputs[input]);
    if (tensor === undefined) throw this.refuse(node, `its input ${input} is not constant`);
    return tensor;
  }
}

/** @param {Tensor} tensor @param {(value: number) => number} f @returns {Tensor} */
function mapFloats(tensor, f) {
  return { ...tensor, data: Float64Array.from(tensor.data, f) };
}

/**
 * @param {Lowering} to
 * @param {Node} node
 */
function windowOptions(to, node) {
  const [, strideH = 1, strideW = 1] = node.ints('strides');
  const [, dilationH = 1, dilationW = 1] = node.ints('dilations');
  const padding = node.string('padding', 'VALID');
  if (node.string('data_format', 'NHWC') !== 'NHWC') throw to.refuse(node, 'its data format is not NHWC');
  return { padding: padding === 'SAME' ? 'SAME' : 'VALID', strideH, strideW, dilationH, dilationW };
}

/** With explicit paddings: what comes out of a PAD. @param {Lowering} to @param {Node} node @returns {Value} */
function padded(to, node) {
  const input = to.value(node.inputs[0]);
  const pads = node.ints('explicit_paddings');
  if (node.string('padding', 'VALID') !== 'EXPLICIT') return input;
  const shape = input.shape.map((size, d) => (size < 0 ? size : size + pads[2 * d] + pads[2 * d + 1]));
  const constant = ints(`${node.name}/paddings`, pads);
  constant.shape = [4, 2];
  return to.emit('PAD', `${node.name}/Pad`, [input, constant], shape);
}

/** @param {string} kind @returns {Rule} */
const convolution = (kind) => (to, node) => {
  const dilation = to.dilation(node.inputs[0]);
  if (dilation) return dilatedConvolution(to, node, { ...dilation, kind });
  const kernel = to.constant(node, 1);
  const input = padded(to, node);
  const output = to.emit(kind, node.name, [input], to.shapeOf(node), windowOptions(to, node), {
    kernel,
    isTransposed: false,
  });
  return fusedOps(to, node, output);
};

/** @type {Rule} */
function matMul(to, node) {
  if (node.bool('transpose_a')) throw to.refuse(node, 'its first operand is transposed');
  const input = to.value(node.inputs[0]);
  const weights = { kernel: to.constant(node, 1), isTransposed: node.bool('transpose_b') };
  return fusedOps(to, node, to.emit('FULLY_CONNECTED', node.name, [input], to.shapeOf(node), {}, weights));
}

/**
 * What TensorFlow's own optimizer has fused into an operator, taken apart again.
 * @param {Lowering} to
 * @param {Node} node
 * @param {Value} output
 */
function fusedOps(to, node, output) {
  for (const name of node.strings('fused_ops')) {
    const { shape } = output;
    if (name === 'BiasAdd') output = to.emit('ADD', node.name, [output, to.value(node.inputs[2])], shape);
    else if (name === 'Relu' || name === 'Relu6')
      output = to.emit(name.toUpperCase(), node.name, [output], shape);
    else if (name === 'Prelu')
      output = emitPrelu(to, node, output, to.constant(node, node.inputs.length - 1));
    else throw to.refuse(node, `the fused ${name}`);
  }
  return output;
}

/** x - c -> x + -c; a constant comes second. @param {string} kind @returns {Rule} */
const binary = (kind) => (to, node) => {
  const whole = kind === 'ADD' ? preluOfParts(to, node) : undefined;
  if (whole) return whole;
  const [a, b] = node.inputs.map((ref) => to.value(ref));
  const shape = to.shapeOf(node);
  if (kind === 'SUB' && b.tensor && isFloat(b.tensor.dtype))
    return to.emit('ADD', node.name, [a, { ...b, tensor: mapFloats(b.tensor, (value) => -value) }], shape);
  const made = to.emit(kind, node.name, kind !== 'SUB' && a.tensor ? [b, a] : [a, b], shape);
  if (kind === 'ADD' && b.tensor) markBatchNorm(to, node);
  return made;
};

/** @type {Rule} */
function divide(to, node) {
  const divisor = to.constant(node, 1);
  const factor = {
    name: `${node.name}/reciprocal`,
    shape: divisor.shape,
    tensor: mapFloats(divisor, (value) => 1 / value),
  };
  return to.emit('MUL', node.name, [to.value(node.inputs[0]), factor], to.shapeOf(node));
}

/** @param {string} kind @returns {Rule} */
const unary = (kind) => (to, node) => to.emit(kind, node.name, [to.value(node.inputs[0])], to.shapeOf(node));

/** @type {Rule} */
const negated = (to, node) => {
  /** @type {Tensor} */
  const minusOne = { dtype: 'float32', shape: [], data: Float64Array.of(-1) };
  const factor = { name: `${node.name}/factor`, shape: [], tensor: minusOne };
  return to.emit('MUL', node.name, [to.value(node.inputs[0]), factor], to.shapeOf(node));
};

/** @type {Rule} */
const squared = (to, node) => {
  const x = to.value(node.inputs[0]);
  return to.emit('MUL', node.name, [x, x], to.shapeOf(node));
};

/** @param {string} kind @returns {Rule} */
const pool = (kind) => (to, node) => {
  const [, filterH, filterW] = node.ints('ksize');
  if (node.string('padding', 'VALID') === 'EXPLICIT') throw to.refuse(node, 'it has explicit paddings');
  return to.emit(kind, node.name, [to.value(node.inputs[0])], to.shapeOf(node), {
    ...windowOptions(to, node),
    filterH,
    filterW,
  });
};

/** @type {Rule} */
function reshape(to, node) {
  const from = to.value(node.inputs[0]);
  const upsampled = nearestUpsampling(to, node);
  if (upsampled) return upsampled;
  const shape = to.shapeOf(node);
  return to.emit('RESHAPE', node.name, [from, ints(`${node.name}/shape`, shape)], shape);
}

/**
 * The Object Detection API repeats rows and columns by stacking: pack along the axis behind the columns, then behind the
 * rows, and reshape.
 * @param {Lowering} to
 * @param {Node} node
 * @returns {Value | undefined}
 */
function nearestUpsampling(to, { name, inputs: [{ node: rows }] }) {
  const columns = rows.op === 'Pack' && rows.int('axis', 0) === 2 ? sameInput(rows) : undefined;
  const source =
    columns?.node.op === 'Pack' && columns.node.int('axis', 0) === 3 ? sameInput(columns.node) : undefined;
  const shape = source && to.facts.shape(source);
  if (!columns || !source || shape?.length !== 4) return undefined;
  const size = [shape[1] * rows.inputs.length, shape[2] * columns.node.inputs.length];
  const output = [shape[0], ...size, shape[3]];
  return to.emit('RESIZE_NEAREST_NEIGHBOR', name, [to.value(source), ints(`${name}/size`, size)], output, {
    alignCorners: false,
    halfPixelCenters: false,
  });
}

/** @param {Node} pack @returns {Ref | undefined} */
function sameInput({ inputs }) {
  const [first] = inputs;
  return inputs.every(({ node, index }) => node === first.node && index === first.index) ? first : undefined;
}

/** @param {string} kind @returns {Rule} */
const reduction = (kind) => (to, node) => {
  const input = to.value(node.inputs[0]);
  const axes = Array.from(to.constant(node, 1).data, (axis) =>
    axis < 0 ? axis + input.shape.length : axis,
  ).sort();
  const options = { keepDims: node.bool('keep_dims') };
  return to.emit(kind, node.name, [input, ints(`${node.name}/axes`, axes)], to.shapeOf(node), options);
};

/** @type {Rule} */
function argMax(to, node) {
  const input = to.value(node.inputs[0]);
  const axis = { ...ints(`${node.name}/axis`, to.constant(node, 1).data), shape: [] };
  const dtype = node.dtype('output_type') === 'int32' ? 'int32' : 'int64';
  return to.emit('ARG_MAX', node.name, [input, axis], to.shapeOf(node), {}, undefined, dtype);
}

/** Floats of every precision are the network's floats. @type {Rule} */
function cast(to, node) {
  const input = to.value(node.inputs[0]);
  if (input.dtype) throw to.refuse(node, `it takes ${input.dtype}`);
  return input;
}

/** @type {Rule} */
function pad(to, node) {
  const fill = node.op === 'PadV2' ? to.constant(node, 2).data[0] : 0;
  if (fill !== 0) throw to.refuse(node, `it pads with ${fill}`);
  const paddings = to.constant(node, 1);
  const constant = { ...ints(`${node.name}/paddings`, paddings.data), shape: paddings.shape };
  return to.emit('PAD', node.name, [to.value(node.inputs[0]), constant], to.shapeOf(node));
}

/** @param {string} kind @returns {Rule} */
const resize = (kind) => (to, node) => {
  const shape = to.shapeOf(node);
  const options = {
    alignCorners: node.bool('align_corners'),
    halfPixelCenters: node.bool('half_pixel_centers'),
  };
  return to.emit(
    kind,
    node.name,
    [to.value(node.inputs[0]), ints(`${node.name}/size`, shape.slice(1, 3))],
    shape,
    options,
  );
};

/** @type {Rule} */
function concatenation(to, node) {
  const axis = to.constant(node, node.inputs.length - 1).data[0];
  const parts = node.inputs.slice(0, -1).map((ref) => to.value(ref));
  const shape = to.shapeOf(node);
  return to.emit('CONCATENATION', node.name, parts, shape, { axis: axis < 0 ? axis + shape.length : axis });
}

/** @type {Rule} */
function transpose(to, node) {
  const order = ints(`${node.name}/order`, to.constant(node, 1).data);
  return to.emit('TRANSPOSE', node.name, [to.value(node.inputs[0]), order], to.shapeOf(node));
}

/** min(relu(x), 6), or a clip to [0, 6]. @param {Lowering} to @param {Node} node @param {Tensor | undefined} low @param {Tensor} high */
function clip(to, node, low, high) {
  const input = to.value(node.inputs[0]);
  const isPositive = low
    ? low.data[0] === 0
    : to.ops.some(({ kind, output }) => output === input && kind === 'RELU');
  if (sizeOf(high.shape) !== 1 || high.data[0] !== 6 || !isPositive) throw to.refuse(node, 'it is no ReLU6');
  return to.emit('RELU6', node.name, [input], to.shapeOf(node));
}

/** @type {Rule} */
function maximum(to, node) {
  const bound = to.constant(node, 1);
  if (sizeOf(bound.shape) !== 1 || bound.data[0] !== 0) throw to.refuse(node, 'it is no ReLU');
  return to.emit('RELU', node.name, [to.value(node.inputs[0])], to.shapeOf(node));
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
  AddN: (to, node) => {
    const [first, ...rest] = node.inputs.map((ref) => to.value(ref));
    return rest.reduce((sum, part) => to.emit('ADD', node.name, [sum, part], to.shapeOf(node)), first);
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
  Minimum: (to, node) => clip(to, node, undefined, to.constant(node, 1)),
  ClipByValue: (to, node) => clip(to, node, to.constant(node, 1), to.constant(node, 2)),
  Maximum: maximum,
  Mean: reduction('MEAN'),
  Max: reduction('REDUCE_MAX'),
  ArgMax: argMax,
  Prelu: prelu,
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
  Pack: (to, node) => {
    const shape = to.shapeOf(node);
    const axis = node.int('axis', 0);
    return to.plain('PACK', node, {
      axis: axis < 0 ? axis + shape.length : axis,
      valuesCount: node.inputs.length,
    });
  },
  ConcatV2: concatenation,
  Transpose: transpose,
  ResizeBilinear: resize('RESIZE_BILINEAR'),
  ResizeNearestNeighbor: resize('RESIZE_NEAREST_NEIGHBOR'),
  SpaceToBatchND: (to, node) => dilatedConvolution(to, node, undefined),
  BatchToSpaceND: undilated,
  Split: split,
  Unpack: unpack,
  StridedSlice: stridedSlice,
  Slice: slice,
};
