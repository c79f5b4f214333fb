// Evaluates operators on constants during conversion: shape arithmetic, and arithmetic on weights (batch norm, anchors)
// in double precision.
import { convertFailure } from '../errors.js';
import { areSizes } from './batch.js';
import { sliceRanges } from './ranges.js';
import { roundEven, sizeOf } from '../../shared/numbers.js';
import { allocate, isFloat } from '../../tflite/tensor.js';

/**
 * @typedef {import('../../tflite/tensor.js').Tensor} Tensor
 * @typedef {import('../../tflite/tensor.js').Dtype} Dtype
 * @typedef {import('./graph.js').Node} Node
 * @typedef {(node: Node, inputs: Tensor[]) => Tensor[]} Kernel
 */

/** C's pow(), which is 1 where JavaScript's operator is NaN. @param {number} a @param {number} b */
const power = (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b);

/** @type {Record<string, (a: number, b: number) => number>} */
const BINARY = {
  Add: (a, b) => a + b,
  AddV2: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  RealDiv: (a, b) => a / b,
  DivNoNan: (a, b) => (b === 0 ? 0 : a / b),
  FloorDiv: (a, b) => Math.floor(a / b),
  FloorMod: (a, b) => (a % b !== 0 && a < 0 !== b < 0 ? (a % b) + b : a % b),
  Maximum: Math.max,
  Minimum: Math.min,
  Pow: power,
  SquaredDifference: (a, b) => (a - b) ** 2,
};
/** @type {Record<string, (a: number, b: number) => boolean>} */
const COMPARISONS = {
  Less: (a, b) => a < b,
  LessEqual: (a, b) => a <= b,
  Greater: (a, b) => a > b,
  GreaterEqual: (a, b) => a >= b,
  Equal: (a, b) => a === b,
  NotEqual: (a, b) => a !== b,
  LogicalAnd: (a, b) => Boolean(a && b),
  LogicalOr: (a, b) => Boolean(a || b),
};
/** @type {Record<string, (x: number) => number>} */
const UNARY = {
  Abs: Math.abs,
  Ceil: Math.ceil,
  Exp: Math.exp,
  Floor: Math.floor,
  Log: Math.log,
  LogicalNot: (x) => Number(!x),
  Neg: (x) => -x,
  OnesLike: () => 1,
  Reciprocal: (x) => 1 / x,
  Relu: (x) => Math.max(x, 0),
  Round: roundEven,
  Rsqrt: (x) => 1 / Math.sqrt(x),
  Sign: Math.sign,
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  Sqrt: Math.sqrt,
  Square: (x) => x * x,
  ZerosLike: () => 0,
};
/** @type {Record<string, [(a: number, b: number) => number, number]>} with the initial value */
const REDUCTIONS = {
  Sum: [(a, b) => a + b, 0],
  Mean: [(a, b) => a + b, 0],
  Prod: [(a, b) => a * b, 1],
  Max: [Math.max, Number.NEGATIVE_INFINITY],
  Min: [Math.min, Number.POSITIVE_INFINITY],
  All: [(a, b) => a && b, 1],
  Any: [(a, b) => a || b, 0],
};

/** Operators that may be evaluated on sizes with a free batch: they are linear in it, or do not depend on it. */
const SYMBOLIC = new Set([
  ...['StridedSlice', 'Slice', 'GatherV2', 'Gather', 'Reshape', 'Squeeze', 'ExpandDims', 'Unpack', 'Cast'],
  ...['Pack', 'ConcatV2', 'Mul', 'RealDiv', 'Div', 'FloorDiv', 'Prod', 'Split', 'SplitV', 'Transpose'],
]);
/** Those of them whose other operands must not depend on the batch: a Reshape by it has no known shape. */
const BY_FIXED_OPERANDS = new Set([
  ...['StridedSlice', 'Slice', 'GatherV2', 'Gather', 'Reshape', 'Squeeze', 'ExpandDims'],
  ...['SplitV', 'Transpose'],
]);

/**
 * @param {Node} node
 * @param {Tensor[]} inputs
 * @returns {Tensor[] | undefined} undefined if the operator cannot be evaluated
 */
export function evaluate(node, inputs) {
  const isSymbolic = inputs.some((input) => input.symbolic);
  if (isSymbolic && !canBeSymbolic(node.op, inputs)) return undefined;
  const kernel = kernelOf(node.op);
  if (kernel === undefined || inputs.some((input) => input.strings)) return undefined;
  if (node.op === 'GatherV2' && node.int('batch_dims', 0) !== 0) return undefined;
  const outputs = kernel(node, inputs);
  if (isSymbolic) for (const output of outputs) output.symbolic = output.data.some((value) => value < 0);
  return isSymbolic && !outputs.every(({ data }) => areSizes(data)) ? undefined : outputs;
}

/** @param {string} op @param {Tensor[]} inputs */
function canBeSymbolic(op, inputs) {
  const factors = inputs.filter(({ symbolic }) => symbolic).length;
  if (op === 'Mul') return factors === 1;
  if (BY_FIXED_OPERANDS.has(op)) return factors === 1 && Boolean(inputs[0].symbolic);
  return SYMBOLIC.has(op);
}

/** @param {string} op @returns {Kernel | undefined} */
function kernelOf(op) {
  if (Object.hasOwn(KERNELS, op)) return KERNELS[op];
  if (Object.hasOwn(UNARY, op)) return (_, [x]) => [mapTensor(x, x.dtype, UNARY[op])];
  if (Object.hasOwn(BINARY, op)) return (_, [a, b]) => [combine(a, b, a.dtype, integerDivision(op, a.dtype))];
  if (Object.hasOwn(COMPARISONS, op))
    return (_, [a, b]) => [combine(a, b, 'bool', (x, y) => Number(COMPARISONS[op](x, y)))];
  if (Object.hasOwn(REDUCTIONS, op)) return (node, [x, axes]) => [reduce(node, x, axes)];
  return undefined;
}

/**
 * @param {string} op
 * @param {Dtype} dtype
 */
function integerDivision(op, dtype) {
  if (op === 'Div' && !isFloat(dtype))
    return (/** @type {number} */ a, /** @type {number} */ b) => Math.trunc(a / b);
  return BINARY[op];
}

/**
 * @param {Tensor} x
 * @param {Dtype} dtype
 * @param {(value: number) => number} f
 * @returns {Tensor}
 */
function mapTensor(x, dtype, f) {
  const data = allocate(dtype, x.data.length);
  for (let i = 0; i < data.length; i++) data[i] = f(x.data[i]);
  return { dtype, shape: x.shape, data };
}

/** Row-major strides, in elements. @param {number[]} shape */
function stridesOf(shape) {
  const strides = shape.map(() => 1);
  for (let d = shape.length - 2; d >= 0; d--) strides[d] = strides[d + 1] * shape[d + 1];
  return strides;
}

/**
 * @param {number[]} a
 * @param {number[]} b
 * @returns {number[]}
 */
export function broadcastShapes(a, b) {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, d) => {
    const [x, y] = [a[a.length - rank + d] ?? 1, b[b.length - rank + d] ?? 1];
    if (x !== y && x !== 1 && y !== 1 && x >= 0 && y >= 0)
      throw convertFailure('GRAPH_BAD', `cannot broadcast shapes [${a}] and [${b}]`);
    return x === 1 ? y : y === 1 ? x : Math.max(x, y);
  });
}

/**
 * Visits the elements of `shape` in row-major order, with each one's index in a tensor that has these strides.
 * @param {number[]} shape
 * @param {number[]} strides
 * @param {number} start
 * @param {(to: number, from: number) => void} visit
 */
function walk(shape, strides, start, visit) {
  const count = sizeOf(shape);
  const index = shape.map(() => 0);
  let from = start;
  for (let to = 0; to < count; to++) {
    visit(to, from);
    for (let d = shape.length - 1; d >= 0; d--) {
      from += strides[d];
      if (++index[d] < shape[d]) break;
      from -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
}

/**
 * Copies a strided view of a tensor.
 * @param {Tensor} x
 * @param {number[]} shape
 * @param {number[]} strides
 * @param {number} [start]
 * @returns {Tensor}
 */
function copyView(x, shape, strides, start = 0) {
  const data = allocate(x.dtype, sizeOf(shape));
  walk(shape, strides, start, (to, from) => {
    data[to] = x.data[from];
  });
  return { dtype: x.dtype, shape, data };
}

/**
 * @param {Tensor} x
 * @param {number[]} shape
 */
export function broadcastTo(x, shape) {
  const own = stridesOf(x.shape);
  const offset = shape.length - x.shape.length;
  return copyView(
    x,
    shape,
    shape.map((_, d) => (d < offset || x.shape[d - offset] === 1 ? 0 : own[d - offset])),
  );
}

/**
 * @param {Tensor} a
 * @param {Tensor} b
 * @param {Dtype} dtype
 * @param {(a: number, b: number) => number} f
 * @returns {Tensor}
 */
function combine(a, b, dtype, f) {
  const shape = broadcastShapes(a.shape, b.shape);
  const [x, y] = [broadcastTo(a, shape).data, broadcastTo(b, shape).data];
  const data = allocate(dtype, x.length);
  for (let i = 0; i < data.length; i++) data[i] = f(x[i], y[i]);
  return { dtype, shape, data };
}

/**
 * @param {Node} node
 * @param {Tensor} x
 * @param {Tensor} axesTensor
 * @returns {Tensor}
 */
function reduce(node, x, axesTensor) {
  const axes = new Set(Array.from(axesTensor.data, (axis) => axisOf(axis, x.shape.length)));
  const [f, initial] = REDUCTIONS[node.op];
  const kept = x.shape.map((size, d) => (axes.has(d) ? 1 : size));
  const keptStrides = stridesOf(kept).map((stride, d) => (axes.has(d) ? 0 : stride));
  const data = allocate(x.dtype, sizeOf(kept));
  // Arrays of integers cannot hold the infinities that Max and Min begin with.
  const results = new Float64Array(data.length).fill(initial);
  walk(x.shape, keptStrides, 0, (from, to) => {
    results[to] = f(results[to], x.data[from]);
  });
  if (node.op === 'Mean')
    for (let i = 0; i < results.length; i++) results[i] /= sizeOf(x.shape) / results.length;
  data.set(results);
  const isKept = node.bool('keep_dims') || node.bool('keepdims');
  return { dtype: x.dtype, shape: isKept ? kept : x.shape.filter((_, d) => !axes.has(d)), data };
}

/**
 * @param {number} axis
 * @param {number} rank
 */
export function axisOf(axis, rank) {
  const from = axis < 0 ? axis + rank : axis;
  if (!(from >= 0 && from < rank))
    throw convertFailure('GRAPH_BAD', `axis ${axis} of a tensor with ${rank} dimensions`);
  return from;
}

/**
 * @param {Tensor[]} parts
 * @param {number} axis
 * @returns {Tensor}
 */
function concat(parts, axis) {
  const [first] = parts;
  const at = axisOf(axis, first.shape.length);
  const shape = first.shape.map((size, d) =>
    d === at ? parts.reduce((sum, part) => sum + part.shape[at], 0) : size,
  );
  const data = allocate(first.dtype, sizeOf(shape));
  const outer = sizeOf(shape.slice(0, at));
  let to = 0;
  for (let i = 0; i < outer; i++) {
    for (const part of parts) {
      const block = part.data.length / outer;
      data.set(part.data.subarray(i * block, (i + 1) * block), to);
      to += block;
    }
  }
  return { dtype: first.dtype, shape, data };
}

/**
 * Splits a tensor along an axis into pieces of the given sizes.
 * @param {Tensor} x
 * @param {number} axis
 * @param {number[]} sizes
 */
function split(x, axis, sizes) {
  const strides = stridesOf(x.shape);
  let start = 0;
  return sizes.map((size) => {
    const piece = copyView(
      x,
      x.shape.map((whole, d) => (d === axis ? size : whole)),
      strides,
      start * strides[axis],
    );
    start += size;
    return piece;
  });
}

/** @type {Kernel} */
function stridedSlice(node, [x, ...bounds]) {
  const ranges = sliceRanges(
    node,
    x.shape,
    bounds.map(({ data }) => [...data]),
  );
  const own = stridesOf(x.shape);
  let axis = 0;
  let start = 0;
  const strides = ranges.map(({ start: from, step, kind }) => {
    if (kind === 'new') return 0;
    start += from * own[axis];
    return own[axis++] * step;
  });
  const shape = ranges.map(({ count }) => count);
  const picked = copyView(x, shape, strides, start);
  return [{ ...picked, shape: ranges.filter(({ kind }) => kind !== 'shrink').map(({ count }) => count) }];
}

/** @type {Kernel} */
function gather(node, inputs) {
  const [x, indices] = inputs;
  const axis = axisOf(Number(inputs[2]?.data[0] ?? 0), x.shape.length);
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  const data = allocate(x.dtype, sizeOf(shape));
  const inner = sizeOf(x.shape.slice(axis + 1));
  const outer = sizeOf(x.shape.slice(0, axis));
  let to = 0;
  for (let i = 0; i < outer; i++) {
    for (const index of indices.data) {
      const from = (i * x.shape[axis] + index) * inner;
      for (let k = 0; k < inner; k++) data[to++] = x.data[from + k];
    }
  }
  return [{ dtype: x.dtype, shape, data }];
}

/**
 * @param {number[]} shape with at most one size below 0
 * @param {number} count
 */
function resolveShape(shape, count) {
  const known = shape.reduce((product, size) => (size < 0 ? product : product * size), 1);
  return shape.map((size) => (size < 0 ? count / known : size));
}

/** @param {Tensor} x @param {number[]} shape @returns {Tensor} */
function withShape(x, shape) {
  if (sizeOf(shape) !== x.data.length)
    throw convertFailure('GRAPH_BAD', `cannot reshape ${x.data.length} elements to [${shape}]`);
  return { ...x, shape };
}

/** Sizes of pieces, one of which may be -1: the rest. @param {number[]} sizes @param {number} whole */
function completed(sizes, whole) {
  const known = sizes.reduce((sum, size) => sum + Math.max(size, 0), 0);
  return sizes.map((size) => (size < 0 ? whole - known : size));
}

/** @type {Record<string, Kernel>} */
const KERNELS = {
  Const: (node) => [/** @type {Tensor} */ (node.tensor)],
  Identity: (_, [x]) => [x],
  AddN: (_, parts) => [parts.reduce((a, b) => combine(a, b, a.dtype, BINARY.Add))],
  BiasAdd: (_, [x, bias]) => [combine(x, bias, x.dtype, BINARY.Add)],
  BroadcastTo: (_, [x, shape]) => [broadcastTo(x, [...shape.data])],
  Cast: (node, [x]) => {
    const to = node.dtype('DstT');
    if (to === 'bool') return [mapTensor(x, to, (value) => Number(value !== 0))];
    return [mapTensor(x, to, isFloat(to) ? (value) => value : Math.trunc)];
  },
  ConcatV2: (_, inputs) => [concat(inputs.slice(0, -1), Number(inputs[inputs.length - 1].data[0]))],
  ExpandDims: (_, [x, axis]) => {
    const at = axisOf(Number(axis.data[0]), x.shape.length + 1);
    return [withShape(x, x.shape.toSpliced(at, 0, 1))];
  },
  Fill: (_, [shape, value]) => [broadcastTo(value, [...shape.data])],
  GatherV2: gather,
  Gather: gather,
  Pack: (node, parts) => {
    const axis = axisOf(node.int('axis', 0), parts[0].shape.length + 1);
    return [
      concat(
        parts.map((part) => withShape(part, part.shape.toSpliced(axis, 0, 1))),
        axis,
      ),
    ];
  },
  Range: (_, [start, limit, delta]) => {
    const count = Math.max(0, Math.ceil((limit.data[0] - start.data[0]) / delta.data[0]));
    const data = allocate(start.dtype, count);
    for (let i = 0; i < count; i++) data[i] = start.data[0] + i * delta.data[0];
    return [{ dtype: start.dtype, shape: [count], data }];
  },
  Rank: (_, [x]) => [{ dtype: 'int32', shape: [], data: Int32Array.of(x.shape.length) }],
  Reshape: (_, [x, shape]) => [withShape(x, resolveShape([...shape.data], x.data.length))],
  Select: select,
  SelectV2: select,
  Shape: (_, [x]) => [{ dtype: 'int32', shape: [x.shape.length], data: Int32Array.from(x.shape) }],
  Size: (_, [x]) => [{ dtype: 'int32', shape: [], data: Int32Array.of(x.data.length) }],
  Slice: (_, [x, begin, size]) => {
    const strides = stridesOf(x.shape);
    const shape = x.shape.map((whole, d) => (size.data[d] < 0 ? whole - begin.data[d] : size.data[d]));
    return [
      copyView(
        x,
        shape,
        strides,
        strides.reduce((sum, stride, d) => sum + stride * begin.data[d], 0),
      ),
    ];
  },
  SparseToDense: (_, [places, shape, values, fill]) => {
    const dense = broadcastTo(fill, [...shape.data]);
    const strides = stridesOf(dense.shape);
    for (let i = 0; i < places.data.length / strides.length; i++) {
      const to = strides.reduce((sum, stride, d) => sum + stride * places.data[i * strides.length + d], 0);
      dense.data[to] = values.data[values.data.length === 1 ? 0 : i];
    }
    return [dense];
  },
  Split: (node, [axis, x]) => {
    const at = axisOf(Number(axis.data[0]), x.shape.length);
    const count = node.int('num_split', 1);
    return split(
      x,
      at,
      Array.from({ length: count }, () => x.shape[at] / count),
    );
  },
  SplitV: (_, [x, sizes, axis]) => {
    const at = axisOf(Number(axis.data[0]), x.shape.length);
    return split(x, at, completed([...sizes.data], x.shape[at]));
  },
  Squeeze: (node, [x]) => {
    const axes = node.ints('squeeze_dims').map((axis) => axisOf(axis, x.shape.length));
    return [
      withShape(
        x,
        x.shape.filter((size, d) => (axes.length > 0 ? !axes.includes(d) : size !== 1)),
      ),
    ];
  },
  StridedSlice: stridedSlice,
  Tile: (_, [x, multiples]) => {
    let tiled = x;
    multiples.data.forEach((/** @type {number} */ times, /** @type {number} */ d) => {
      if (times !== 1)
        tiled = concat(
          Array.from({ length: times }, () => tiled),
          d,
        );
    });
    return [tiled];
  },
  Transpose: (_, [x, order]) => {
    const strides = stridesOf(x.shape);
    return [
      copyView(
        x,
        Array.from(order.data, (d) => x.shape[d]),
        Array.from(order.data, (d) => strides[d]),
      ),
    ];
  },
  Unpack: (node, [x]) => {
    const axis = axisOf(node.int('axis', 0), x.shape.length);
    const pieces = split(
      x,
      axis,
      Array.from({ length: x.shape[axis] }, () => 1),
    );
    return pieces.map((piece) => withShape(piece, piece.shape.toSpliced(axis, 1)));
  },
};

/** @type {Kernel} */
function select(node, [given, a, b]) {
  const isByRow = node.op === 'Select' && given.shape.length === 1;
  const condition = isByRow ? withShape(given, [...given.shape, ...a.shape.slice(1).map(() => 1)]) : given;
  const shape = broadcastShapes(condition.shape, broadcastShapes(a.shape, b.shape));
  const [c, x, y] = [condition, a, b].map((tensor) => broadcastTo(tensor, shape).data);
  const data = allocate(a.dtype, x.length);
  for (let i = 0; i < data.length; i++) data[i] = c[i] ? x[i] : y[i];
  return [{ dtype: a.dtype, shape, data }];
}
