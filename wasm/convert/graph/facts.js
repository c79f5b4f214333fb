// Infers the shapes of all nodes' outputs, and the values of those that are constant.
import { convertFailure } from '../errors.js';
import { dependsOnBatch } from './batch.js';
import { axisOf, broadcastShapes, evaluate } from './kernels.js';
import { sliceRanges } from './ranges.js';
import { inOrder } from './simplify.js';
import { sizeOf } from '../../shared/numbers.js';

/**
 * @typedef {import('./graph.js').Node} Node
 * @typedef {import('./graph.js').Ref} Ref
 * @typedef {import('../../tflite/tensor.js').Tensor} Tensor
 * @typedef {import('./batch.js').Shape} Shape
 * @typedef {(node: Node, x: number[], sizes: (number[] | undefined)[], shapes: Shape[]) => Shape[]} Rule
 * @typedef {{shapes: Shape[], values: (Tensor | undefined)[]}} Known
 */

/** Constants with more elements are not folded. */
const MAX_FOLDED = 1 << 26;
/** Tensors with more elements are not read as sizes, axes or bounds. */
const MAX_SIZES = 64;

export class Facts {
  /** @type {Map<Node, Known>} */ #known = new Map();

  /**
   * @param {Ref[]} outputs
   * @param {Map<Node, Shape>} feeds shapes that replace those of placeholders
   */
  constructor(outputs, feeds) {
    for (const node of inOrder(outputs)) this.#known.set(node, this.#infer(node, feeds));
  }

  /** @param {Ref} ref @returns {Shape} */
  shape({ node, index }) {
    return this.#known.get(node)?.shapes[index];
  }

  /** @param {Ref} ref @returns {Tensor | undefined} */
  value({ node, index }) {
    const value = this.#known.get(node)?.values[index];
    return value?.symbolic ? undefined : value;
  }

  /** Like value(), for sizes, which may depend on the free batch. @param {Ref} ref @returns {number[] | undefined} */
  sizes({ node, index }) {
    const value = this.#known.get(node)?.values[index];
    return value && value.data.length <= MAX_SIZES ? [...value.data] : undefined;
  }

  /** @returns {Iterable<Node>} */
  get nodes() {
    return this.#known.keys();
  }

  /**
   * @param {Node} node
   * @param {Map<Node, Shape>} feeds
   * @returns {Known}
   */
  #infer(node, feeds) {
    if (feeds.has(node)) return { shapes: [feeds.get(node)], values: [] };
    const tensors = node.inputs.map(({ node: from, index }) => this.#known.get(from)?.values[index]);
    const shapes = node.inputs.map((ref) => this.shape(ref));
    try {
      const values = valuesOf(node, tensors, shapes);
      if (values) return { shapes: values.map(({ shape }) => shape), values };
      return {
        shapes: inferShapes(
          node,
          shapes,
          node.inputs.map((ref) => this.sizes(ref)),
        ),
        values: [],
      };
    } catch (error) {
      if (/** @type {{code?: string}} */ (error).code === 'GRAPH_UNSUPPORTED') throw error;
      throw convertFailure(
        'GRAPH_BAD',
        `'${node.name}' (${node.op}): ${/** @type {Error} */ (error).message}`,
        error,
      );
    }
  }
}

/**
 * @param {Node} node
 * @param {(Tensor | undefined)[]} inputs
 * @param {Shape[]} shapes
 * @returns {Tensor[] | undefined}
 */
function valuesOf(node, inputs, shapes) {
  if (node.op === 'Const') return node.tensor && [node.tensor];
  if (node.op === 'Shape' && shapes[0]) {
    const [shape] = shapes;
    const symbolic = shape.some((size) => size < 0);
    return [{ dtype: 'int32', shape: [shape.length], data: Int32Array.from(shape), symbolic }];
  }
  if (node.op === 'Rank' && shapes[0])
    return [{ dtype: 'int32', shape: [], data: Int32Array.of(shapes[0].length) }];
  if (node.op === 'Size' && shapes[0]?.every((size) => size !== -1)) {
    const size = sizeOf(shapes[0]);
    return [{ dtype: 'int32', shape: [], data: Int32Array.of(size), symbolic: size < 0 }];
  }
  if ((node.op === 'ZerosLike' || node.op === 'OnesLike') && isFolded(shapes[0])) {
    const data = new Float32Array(sizeOf(shapes[0])).fill(node.op === 'OnesLike' ? 1 : 0);
    return [{ dtype: 'float32', shape: shapes[0], data }];
  }
  const isKnown =
    inputs.length > 0 && inputs.every((input) => input !== undefined && input.data.length <= MAX_FOLDED);
  return isKnown ? evaluate(node, /** @type {Tensor[]} */ (inputs)) : undefined;
}

/** @param {Shape} shape @returns {shape is number[]} */
const isFolded = (shape) =>
  shape !== undefined && shape.every((size) => size >= 0) && sizeOf(shape) <= MAX_FOLDED;

const ELEMENTWISE = new Set([
  ...[
    'Add',
    'AddV2',
    'Sub',
    'Mul',
    'RealDiv',
    'Div',
    'Maximum',
    'Minimum',
    'Pow',
    'SquaredDifference',
    'BiasAdd',
    'AddN',
    'DivNoNan',
  ],
  ...[
    'Less',
    'LessEqual',
    'Greater',
    'GreaterEqual',
    'Equal',
    'NotEqual',
    'LogicalAnd',
    'LogicalOr',
    'FloorDiv',
    'FloorMod',
  ],
]);
const SAME_SHAPE = new Set([
  ...[
    'Relu',
    'Relu6',
    'Sigmoid',
    'Softmax',
    'Exp',
    'Cast',
    'FusedBatchNorm',
    'FusedBatchNormV2',
    'FusedBatchNormV3',
  ],
  ...[
    'Neg',
    'Sqrt',
    'Rsqrt',
    'Square',
    'Elu',
    'Selu',
    'LeakyRelu',
    'Prelu',
    'Tanh',
    'Reciprocal',
    'ZerosLike',
    'OnesLike',
    'Abs',
  ],
  ...[
    'ClipByValue',
    'LogSoftmax',
    'Softplus',
    'HardSwish',
    'Erf',
    'Erfc',
    'Softsign',
    'Log',
    'Floor',
    'Ceil',
    'Round',
    'Sign',
    'LogicalNot',
  ],
]);

/**
 * @param {Node} node
 * @param {Shape[]} shapes
 * @param {(number[] | undefined)[]} sizes values of the inputs that are known
 * @returns {Shape[]}
 */
function inferShapes(node, shapes, sizes) {
  const { op } = node;
  const [x] = shapes;
  if (op === 'Placeholder') return [node.shape('shape')];
  if (ELEMENTWISE.has(op))
    return [
      shapes.every((shape) => shape) ? /** @type {number[][]} */ (shapes).reduce(broadcastShapes) : undefined,
    ];
  if (SAME_SHAPE.has(op)) return [x];
  if (x === undefined) return [];
  if (Object.hasOwn(RULES, op)) return RULES[op](node, x, sizes, shapes);
  return [];
}

/**
 * @param {number} size
 * @param {number} kernel including dilation
 * @param {number} stride
 * @param {string} padding
 */
function windowSize(size, kernel, stride, padding) {
  if (size < 0) return -1;
  return Math.ceil((padding === 'SAME' ? size : size - kernel + 1) / stride);
}

/**
 * @param {Node} node
 * @param {number[]} x
 * @param {number[]} kernel height and width
 * @param {number} channels
 */
function windowShape(node, x, kernel, channels) {
  if (node.string('data_format', 'NHWC') !== 'NHWC')
    throw convertFailure('GRAPH_UNSUPPORTED', `${node.op} at '${node.name}': its data format is not NHWC`);
  const [, strideH, strideW] = node.ints('strides');
  const [, dilationH = 1, dilationW = 1] = node.ints('dilations');
  const pads = node.ints('explicit_paddings');
  const padding = node.string('padding', 'VALID');
  const [height, width] =
    padding === 'EXPLICIT' ? [x[1] + pads[2] + pads[3], x[2] + pads[4] + pads[5]] : [x[1], x[2]];
  return [
    x[0],
    windowSize(height, (kernel[0] - 1) * dilationH + 1, strideH, padding),
    windowSize(width, (kernel[1] - 1) * dilationW + 1, strideW, padding),
    channels,
  ];
}

/**
 * @param {number[]} x
 * @param {number[] | undefined} axes
 * @param {boolean} isKept
 */
function reducedShape(x, axes, isKept) {
  if (axes === undefined) return undefined;
  const removed = axes.map((axis) => axisOf(axis, x.length));
  return isKept
    ? x.map((size, d) => (removed.includes(d) ? 1 : size))
    : x.filter((_, d) => !removed.includes(d));
}

/**
 * @param {number[]} x
 * @param {number[] | undefined} to
 */
function reshapedShape(x, to) {
  if (to === undefined) return undefined;
  const known = to.reduce((product, size) => (size === -1 ? product : product * size), 1);
  const missing = x.includes(-1) ? -1 : sizeOf(x) / known;
  const isSize = Number.isInteger(missing) && (missing >= 0 || dependsOnBatch(missing));
  return to.map((size) => (size === -1 && isSize ? missing : size));
}

/** @type {Rule} */
function convolutionShape(node, x, _, [, w]) {
  return [w && windowShape(node, x, w, w[3])];
}

/** @type {Rule} */
function transposedShape(_, __, [to], [, w, x]) {
  return [to ?? (w && x && [x[0], -1, -1, w[2]])];
}

/** @type {Rule} */
function depthwiseShape(node, x, _, [, w]) {
  return [w && windowShape(node, x, w, w[2] * w[3])];
}

/**
 * The size of axis d after SpaceToBatchND: the batch is multiplied by the block's size, height and width are divided.
 * @param {number} size
 * @param {number} d
 * @param {number[]} block
 * @param {number[]} pads
 */
function spaceToBatchSize(size, d, block, pads) {
  if (size < 0 || d > block.length) return size;
  return d === 0 ? size * sizeOf(block) : (size + pads[2 * d - 2] + pads[2 * d - 1]) / block[d - 1];
}

/** @param {number} size @param {number} d @param {number[]} block @param {number[]} crops */
function batchToSpaceSize(size, d, block, crops) {
  if (size < 0 || d > block.length) return size;
  return d === 0 ? size / sizeOf(block) : size * block[d - 1] - crops[2 * d - 2] - crops[2 * d - 1];
}

/** How much of an axis is left from an index on. @param {number} size @param {number} begin */
function sizeFrom(size, begin) {
  if (begin === 0) return size;
  return size < 0 ? -1 : size - begin;
}

/** @type {Rule} */
function matMulShape(node, x, _, [, w]) {
  return [w && [node.bool('transpose_a') ? x[1] : x[0], node.bool('transpose_b') ? w[0] : w[1]]];
}

/** @type {Rule} */
function batchMatMulShape(node, x, _, [, w]) {
  return [w?.length === 2 ? [...x.slice(0, -1), node.bool('adj_y') ? w[0] : w[1]] : undefined];
}

/** @type {Rule} */
function gatheredShape(node, x, [, , axis], [, indices]) {
  const at = axisOf(axis?.[0] ?? 0, x.length);
  return [indices && [...x.slice(0, at), ...indices.slice(node.int('batch_dims', 0)), ...x.slice(at + 1)]];
}

/** @type {Rule} */
function reducedBy(node, x, [, axes]) {
  return [reducedShape(x, axes, node.bool('keep_dims') || node.bool('keepdims'))];
}

/** @type {Rule} */
function chosenShape(node, x, _, [, a, b]) {
  if (!a || !b) return [];
  const isByRow = node.op === 'Select' && x.length === 1;
  return [isByRow ? a : [x, a, b].reduce(broadcastShapes)];
}

/** @type {Record<string, Rule>} */
const RULES = {
  Conv2D: convolutionShape,
  _FusedConv2D: convolutionShape,
  DepthwiseConv2dNative: depthwiseShape,
  FusedDepthwiseConv2dNative: depthwiseShape,
  _FusedDepthwiseConv2dNative: depthwiseShape,
  AvgPool: (node, x) => [windowShape(node, x, node.ints('ksize').slice(1), x[3])],
  MaxPool: (node, x) => [windowShape(node, x, node.ints('ksize').slice(1), x[3])],
  BatchMatMul: batchMatMulShape,
  BatchMatMulV2: batchMatMulShape,
  Conv2DBackpropInput: transposedShape,
  MatMul: matMulShape,
  _FusedMatMul: matMulShape,
  All: reducedBy,
  Any: reducedBy,
  Max: reducedBy,
  Mean: reducedBy,
  Min: reducedBy,
  Prod: reducedBy,
  Sum: reducedBy,
  BroadcastTo: (_, x, [, to]) => [to],
  DepthToSpace: (node, [n, h, w, c]) => {
    const block = node.int('block_size', 2);
    return [[n, h * block, w * block, c / block ** 2]];
  },
  SpaceToDepth: (node, [n, h, w, c]) => {
    const block = node.int('block_size', 2);
    return [[n, h / block, w / block, c * block ** 2]];
  },
  Gather: gatheredShape,
  GatherV2: gatheredShape,
  GatherNd: (_, x, __, [, indices]) => [
    indices && indices.length > 0 ? [...indices.slice(0, -1), ...x.slice(indices.at(-1))] : undefined,
  ],
  SplitV: (_, x, [, lengths, axis]) => {
    if (!lengths || !axis) return [];
    const at = axisOf(axis[0], x.length);
    const given = lengths.reduce((sum, length) => sum + Math.max(length, 0), 0);
    return lengths.map((length) => x.with(at, length < 0 ? x[at] - given : length));
  },
  ArgMax: (_, x, [, axis]) => [reducedShape(x, axis, false)],
  ArgMin: (_, x, [, axis]) => [reducedShape(x, axis, false)],
  Select: chosenShape,
  SelectV2: chosenShape,
  TopKV2: (_, x, [, k]) => {
    const shape = k && x.with(-1, k[0]);
    return [shape, shape];
  },
  Pad: (_, x, [, pads]) => [
    pads && x.map((size, d) => (size < 0 ? size : size + pads[2 * d] + pads[2 * d + 1])),
  ],
  PadV2: (_, x, [, pads]) => [
    pads && x.map((size, d) => (size < 0 ? size : size + pads[2 * d] + pads[2 * d + 1])),
  ],
  MirrorPad: (_, x, [, pads]) => [pads && x.map((size, d) => size + pads[2 * d] + pads[2 * d + 1])],
  Reshape: (_, x, [, to]) => [reshapedShape(x, to)],
  Flatten: (_, [n, ...rest]) => [[n, rest.includes(-1) ? -1 : sizeOf(rest)]],
  Squeeze: (node, x) => {
    const axes = node.ints('squeeze_dims').map((axis) => axisOf(axis, x.length));
    return [x.filter((size, d) => (axes.length > 0 ? !axes.includes(d) : size !== 1))];
  },
  ExpandDims: (_, x, [, axis]) => [axis && x.toSpliced(axisOf(axis[0], x.length + 1), 0, 1)],
  Transpose: (_, x, [, order]) => [order?.map((d) => x[d])],
  Tile: (_, x, [, times]) => [
    times && x.map((size, d) => (size === -1 || (size < 0 && times[d] < 0) ? -1 : size * times[d])),
  ],
  ResizeBilinear: (_, x, [, to]) => [[x[0], ...(to ?? [-1, -1]), x[3]]],
  ResizeNearestNeighbor: (_, x, [, to]) => [[x[0], ...(to ?? [-1, -1]), x[3]]],
  ConcatV2: (_, x, sizes, shapes) => {
    const axis = sizes.at(-1);
    const parts = shapes.slice(0, -1);
    if (!axis || parts.some((part) => part === undefined)) return [];
    const at = axisOf(axis[0], x.length);
    const along = parts.map((part) => /** @type {number[]} */ (part)[at]);
    return [x.with(at, along.some((size) => size < 0) ? -1 : along.reduce((sum, size) => sum + size, 0))];
  },
  SpaceToBatchND: (_, x, [, block, pads]) => [
    block && pads && x.map((size, d) => spaceToBatchSize(size, d, block, pads)),
  ],
  BatchToSpaceND: (_, x, [, block, crops]) => [
    block && crops && x.map((size, d) => batchToSpaceSize(size, d, block, crops)),
  ],
  Pack: (node, x, sizes) => [x.toSpliced(axisOf(node.int('axis', 0), x.length + 1), 0, sizes.length)],
  Unpack: (node, x) => {
    const axis = axisOf(node.int('axis', 0), x.length);
    return Array.from({ length: Math.max(x[axis], node.int('num', 0), 0) }, () => x.toSpliced(axis, 1));
  },
  Split: (node, _, [axis], [, x]) => {
    if (!axis || !x) return [];
    const at = axisOf(axis[0], x.length);
    const count = node.int('num_split', 1);
    return Array.from({ length: count }, () => x.with(at, x[at] / count));
  },
  Slice: (_, x, [, begin, size]) => [
    begin && size && x.map((whole, d) => (size[d] === -1 ? sizeFrom(whole, begin[d]) : size[d])),
  ],
  StridedSlice: (node, x, [, begin, end, by]) => {
    if (!begin || !end || !by) return [];
    const ranges = sliceRanges(node, x, [begin, end, by]);
    return [ranges.filter(({ kind }) => kind !== 'shrink').map(({ count }) => count)];
  },
};
