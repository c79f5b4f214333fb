// A plain evaluator of a source's graph, in double precision. It proves what the converter writes, so it shares no code
// with the conversion: it knows neither constant folding, nor lowering, nor fusion.
import { convertFailure } from '../errors.js';
import { sizeOf } from '../../shared/numbers.js';
import { axisFrom, combine, expand, map, numbers, reshape } from './arrays.js';
import * as moves from './moves.js';
import * as windows from './windows.js';

/**
 * @typedef {import('./arrays.js').Numbers} Numbers
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('../graph/graph.js').Ref} Ref
 * @typedef {(node: Node, inputs: Numbers[], into?: Float64Array) => Numbers | Numbers[]} Kernel into: the numbers of
 *   the first input, if no one else needs them: the result may overwrite them
 *
 * @typedef {object} Progress
 * @property {(done: number, total: number) => void} [onNode]
 * @property {() => Promise<void>} [pause] called now and then; may throw to stop
 * @property {(node: Node, outputs: Numbers[]) => void} [onValue]
 */

/**
 * @param {Ref[]} outputs
 * @param {Map<Node, Numbers>} inputs
 * @param {Progress} [progress]
 * @returns {Promise<Numbers[]>}
 */
export async function evaluateGraph(outputs, inputs, { onNode, pause, onValue } = {}) {
  const order = sorted(outputs, inputs);
  const uses = countUses(order, outputs);
  /** @type {Map<Node, Numbers[]>} */
  const values = new Map();
  const valueOf = (/** @type {Ref} */ { node, index }) => {
    const value = values.get(node)?.[index];
    if (!value) throw unproven(node, `its output ${index} is not evaluated`);
    return value;
  };
  for (const [i, node] of order.entries()) {
    await pause?.();
    const given = inputs.get(node);
    const operands = given ? [] : node.inputs.map(valueOf);
    if (!given)
      for (const input of node.inputs) {
        const left = (uses.get(input.node) ?? 0) - 1;
        uses.set(input.node, left);
        if (left === 0) values.delete(input.node);
      }
    const into = onValue ? undefined : unshared(operands, values);
    const made = given ? [{ ...given, data: given.data.slice() }] : evaluateNode(node, operands, into);
    values.set(node, made);
    onValue?.(node, made);
    onNode?.(i + 1, order.length);
  }
  return outputs.map(valueOf);
}

/**
 * The numbers of the first operand, if no value that is still needed has the same.
 * @param {Numbers[]} operands
 * @param {Map<Node, Numbers[]>} values
 */
function unshared([first], values) {
  for (const outputs of values.values())
    if (outputs.some(({ data }) => data === first?.data)) return undefined;
  return first?.data;
}

/** @param {Node[]} order @param {Ref[]} outputs */
function countUses(order, outputs) {
  /** @type {Map<Node, number>} */
  const uses = new Map();
  for (const { node } of [...order.flatMap(({ inputs }) => inputs), ...outputs])
    uses.set(node, (uses.get(node) ?? 0) + 1);
  return uses;
}

/**
 * The nodes that the outputs need, each after its inputs.
 * @param {Ref[]} outputs
 * @param {Map<Node, Numbers>} inputs
 */
function sorted(outputs, inputs) {
  /** @type {Set<Node>} */
  const done = new Set();
  const stack = outputs.map(({ node }) => node);
  while (stack.length > 0) {
    const node = stack[stack.length - 1];
    const missing =
      done.has(node) || inputs.has(node) ? [] : node.inputs.filter((input) => !done.has(input.node));
    if (missing.length === 0) done.add(/** @type {Node} */ (stack.pop()));
    else for (const input of missing) stack.push(input.node);
  }
  return [...done];
}

export const UNCHECKED = 'verify: false (--no-verify) writes the file unchecked';

/** @param {Node} node @param {string} reason */
const unproven = (node, reason) =>
  convertFailure('RESULT_UNPROVEN', `${node.op} at '${node.name}': ${reason}. ${UNCHECKED}`);

/** @param {Node} node @param {Numbers[]} inputs @param {Float64Array} [into] */
function evaluateNode(node, inputs, into) {
  const kernel = Object.hasOwn(KERNELS, node.op) ? KERNELS[node.op] : undefined;
  if (!kernel) throw unproven(node, 'the evaluator does not know it');
  try {
    const made = kernel(node, inputs, into);
    return Array.isArray(made) ? made : [made];
  } catch (error) {
    throw unproven(node, /** @type {Error} */ (error).message);
  }
}

/** @param {(a: number, b: number) => number} f @returns {Kernel} */
const binary =
  (f) =>
  (_, [a, b], into) =>
    combine(a, b, f, into);
/** @param {(a: number, b: number) => boolean} f @returns {Kernel} */
const test = (f) => binary((a, b) => Number(f(a, b)));
/** @param {(x: number) => number} f @returns {Kernel} */
const unary =
  (f) =>
  (_, [x], into) =>
    map(x, f, into);
/** @param {(a: number, b: number) => number} f @param {number} start @returns {Kernel} */
const reduction =
  (f, start) =>
  (node, [x, axes]) =>
    moves.reduce(node, x, axes, f, start);

const add = (/** @type {number} */ a, /** @type {number} */ b) => a + b;
/** By IEEE 754, which says 1 where JavaScript's operator says NaN. @param {number} a @param {number} b */
const power = (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b);
const sigmoid = (/** @type {number} */ x) => 1 / (1 + Math.exp(-x));

/** Rounds to the nearest integer, halves to the even one. @param {number} x */
function nearestEven(x) {
  const down = Math.floor(x);
  const isUp = x - down > 0.5 || (x - down === 0.5 && down % 2 !== 0);
  return isUp ? down + 1 : down;
}

/** Abramowitz and Stegun, 7.1.5 and 7.1.14: a series near 0, a continued fraction elsewhere. @param {number} x */
function erf(x) {
  const a = Math.abs(x);
  if (a > 3) {
    let fraction = 0;
    for (let k = 60; k > 0; k--) fraction = k / 2 / (a + fraction);
    return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction)));
  }
  let [sum, term] = [a, a];
  for (let n = 1; n < 60; n++) {
    term *= (-a * a) / n;
    sum += term / (2 * n + 1);
  }
  return Math.sign(x) * sum * (2 / Math.sqrt(Math.PI));
}

/** @type {Record<string, (x: number, node: Node) => number>} */
const ACTIVATIONS = {
  Relu: (x) => Math.max(x, 0),
  Relu6: (x) => Math.min(Math.max(x, 0), 6),
  Sigmoid: sigmoid,
  Elu: (x) => (x < 0 ? Math.expm1(x) : x),
  LeakyRelu: (x, node) => (x < 0 ? x * node.float('leakyrelu_alpha', 0.2) : x),
  Tanh: Math.tanh,
};

/** The operators that TensorFlow's optimizer put into a node. @type {Kernel} */
function fused(node, [result, ...extra]) {
  return node.strings('fused_ops').reduce((x, name) => {
    if (name === 'BiasAdd') return combine(x, extra[0], add, x.data);
    if (name === 'Prelu') return prelu(x, /** @type {Numbers} */ (extra.at(-1)));
    if (!Object.hasOwn(ACTIVATIONS, name)) throw new Error(`fused ${name}`);
    return map(x, (value) => ACTIVATIONS[name](value, node), x.data);
  }, result);
}

/** @param {Numbers} x @param {Numbers} alpha */
const prelu = (x, alpha) => combine(x, alpha, (value, slope) => (value < 0 ? value * slope : value));

/** @type {Kernel} */
const convolve = (node, [x, kernel, ...extra]) =>
  /** @type {Numbers} */ (fused(node, [windows.convolve(node, x, kernel), ...extra]));
/** @type {Kernel} */
const convolveDepthwise = (node, [x, kernel, ...extra]) =>
  /** @type {Numbers} */ (fused(node, [windows.convolveDepthwise(node, x, kernel), ...extra]));

/** @type {Kernel} */
function multiply(node, [x, w, ...extra]) {
  if (node.bool('transpose_a') || node.bool('adj_x')) throw new Error('its first operand is transposed');
  const isTransposed = node.bool('transpose_b') || node.bool('adj_y');
  return fused(node, [windows.product(x, w, isTransposed), ...extra]);
}

/** @type {Kernel} */
function batchNorm(node, [x, gamma, beta, mean, variance], into) {
  const channel = node.string('data_format', 'NHWC').startsWith('NC') ? 1 : x.shape.length - 1;
  const channels = x.shape[channel];
  const inner = sizeOf(x.shape.slice(channel + 1));
  const channelOf = (/** @type {number} */ i) => Math.floor(i / inner) % channels;
  const isTraining = node.attrs.get('is_training')?.b ?? true;
  const [means, variances] = isTraining ? momentsOf(x, channels, channelOf) : [mean.data, variance.data];
  const epsilon = node.float('epsilon', 1e-4);
  const factors = variances.map((value, c) => gamma.data[c] / Math.sqrt(value + epsilon));
  const result = numbers(x.shape, into);
  for (let first = 0, c = 0; first < x.data.length; first += inner, c = (c + 1) % channels)
    for (let i = first; i < first + inner; i++)
      result.data[i] = (x.data[i] - means[c]) * factors[c] + beta.data[c];
  return result;
}

/**
 * @param {Numbers} x
 * @param {number} channels
 * @param {(i: number) => number} channelOf
 */
function momentsOf({ data }, channels, channelOf) {
  const [means, variances] = [new Float64Array(channels), new Float64Array(channels)];
  const each = data.length / channels;
  data.forEach((value, i) => {
    means[channelOf(i)] += value / each;
  });
  data.forEach((value, i) => {
    variances[channelOf(i)] += (value - means[channelOf(i)]) ** 2 / each;
  });
  return [means, variances];
}

/** @type {Kernel} */
function biasAdd(node, [x, bias], into) {
  const isFirst = node.string('data_format', 'NHWC').startsWith('NC');
  const shape = isFirst ? [bias.data.length, ...x.shape.slice(2).map(() => 1)] : bias.shape;
  return combine(x, numbers(shape, bias.data), add, into);
}

/** @type {Kernel} */
function cast(node, [x]) {
  const to = node.dtype('DstT');
  if (to === 'bool') return map(x, (value) => Number(value !== 0));
  return /float/.test(to) ? x : map(x, Math.trunc);
}

/** @param {Node} node */
const isInteger = (node) => /int/.test(node.dtype('T'));

/** @type {Kernel} */
function select(node, [given, a, b]) {
  const isByRow = node.op === 'Select' && given.shape.length === 1;
  const condition = isByRow ? reshape(given, [given.data.length, ...a.shape.slice(1).map(() => 1)]) : given;
  const [shape] = [combine(combine(condition, a, add), b, add).shape];
  const [x, y] = [expand(a, shape).data, expand(b, shape).data];
  return numbers(
    shape,
    expand(condition, shape).data.map((isFirst, i) => (isFirst ? x[i] : y[i])),
  );
}

/** @type {Kernel} */
function squeeze(node, [x]) {
  const axes = node.ints('squeeze_dims').map((axis) => axisFrom(axis, x.shape.length));
  return numbers(
    x.shape.filter((size, d) => (axes.length > 0 ? !axes.includes(d) : size !== 1)),
    x.data,
  );
}

/** @type {Kernel} */
function slice(_, [x, begin, size]) {
  return x.shape.reduce(
    (sliced, whole, d) =>
      moves.part(sliced, d, begin.data[d], size.data[d] < 0 ? whole - begin.data[d] : size.data[d]),
    x,
  );
}

/** @param {Numbers} x @param {number} at @param {number[]} sizes */
function split(x, at, sizes) {
  const axis = axisFrom(at, x.shape.length);
  let start = 0;
  return sizes.map((size) => {
    start += size;
    return moves.part(x, axis, start - size, size);
  });
}

/** @type {Kernel} */
function unpack(node, [x]) {
  const axis = axisFrom(node.int('axis', 0), x.shape.length);
  return split(x, axis, new Array(x.shape[axis]).fill(1)).map(({ shape, data }) =>
    numbers(shape.toSpliced(axis, 1), data),
  );
}

/** @type {Kernel} */
function pack(node, parts) {
  const axis = axisFrom(node.int('axis', 0), parts[0].shape.length + 1);
  return moves.join(
    parts.map(({ shape, data }) => numbers(shape.toSpliced(axis, 0, 1), data)),
    axis,
  );
}

/** @type {Kernel} */
function range(_, [{ data: start }, { data: limit }, { data: by }]) {
  const length = Math.max(0, Math.ceil((limit[0] - start[0]) / by[0]));
  return numbers(
    [length],
    Float64Array.from({ length }, (_value, i) => start[0] + i * by[0]),
  );
}

/** @param {boolean} isBilinear @returns {Kernel} */
const resize =
  (isBilinear) =>
  (node, [x, size]) =>
    moves.resize(node, x, size.data, isBilinear);

/** @param {number} value @returns {Kernel} */
const filled =
  (value) =>
  (_, [x]) =>
    map(x, () => value);

/** @type {Record<string, Kernel>} */
export const KERNELS = {
  Const: (node) => {
    if (!node.tensor || node.tensor.strings) throw new Error('it has no numbers');
    return numbers(node.tensor.shape, Float64Array.from(node.tensor.data));
  },

  Conv2D: convolve,
  _FusedConv2D: convolve,
  DepthwiseConv2dNative: convolveDepthwise,
  FusedDepthwiseConv2dNative: convolveDepthwise,
  _FusedDepthwiseConv2dNative: convolveDepthwise,
  Conv2DBackpropInput: (node, [shape, kernel, x]) =>
    windows.convolveTransposed(node, [...shape.data], kernel, x),
  MatMul: multiply,
  _FusedMatMul: multiply,
  BatchMatMul: multiply,
  BatchMatMulV2: multiply,
  FusedBatchNorm: batchNorm,
  FusedBatchNormV2: batchNorm,
  FusedBatchNormV3: batchNorm,
  AvgPool: (node, [x]) => windows.pool(node, x, false),
  MaxPool: (node, [x]) => windows.pool(node, x, true),
  SpaceToBatchND: (_, [x, block, pads]) => moves.spaceToBatch(x, block.data, pads.data),
  BatchToSpaceND: (_, [x, block, crops]) => moves.batchToSpace(x, block.data, crops.data),

  Add: binary(add),
  AddV2: binary(add),
  AddN: (_, parts) => parts.reduce((a, b) => combine(a, b, add)),
  BiasAdd: biasAdd,
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  RealDiv: binary((a, b) => a / b),
  Div: (node, [a, b]) => combine(a, b, isInteger(node) ? (x, y) => Math.trunc(x / y) : (x, y) => x / y),
  DivNoNan: binary((a, b) => (b === 0 ? 0 : a / b)),
  FloorDiv: binary((a, b) => Math.floor(a / b)),
  FloorMod: binary((a, b) => (a % b !== 0 && a < 0 !== b < 0 ? (a % b) + b : a % b)),
  Maximum: binary(Math.max),
  Minimum: binary(Math.min),
  Pow: binary(power),
  SquaredDifference: binary((a, b) => (a - b) ** 2),
  ClipByValue: (_, [x, low, high]) => combine(combine(x, low, Math.max), high, Math.min),
  Less: test((a, b) => a < b),
  LessEqual: test((a, b) => a <= b),
  Greater: test((a, b) => a > b),
  GreaterEqual: test((a, b) => a >= b),
  Equal: test((a, b) => a === b),
  NotEqual: test((a, b) => a !== b),
  LogicalAnd: test((a, b) => a !== 0 && b !== 0),
  LogicalOr: test((a, b) => a !== 0 || b !== 0),
  LogicalNot: unary((x) => Number(x === 0)),
  Select: select,
  SelectV2: select,

  Abs: unary(Math.abs),
  Ceil: unary(Math.ceil),
  Elu: unary((x) => (x < 0 ? Math.expm1(x) : x)),
  Erf: unary(erf),
  Erfc: unary((x) => 1 - erf(x)),
  Exp: unary(Math.exp),
  Floor: unary(Math.floor),
  HardSwish: unary((x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6),
  LeakyRelu: (node, [x]) => map(x, (value) => (value < 0 ? value * node.float('alpha', 0.2) : value)),
  Log: unary(Math.log),
  Neg: unary((x) => -x),
  OnesLike: filled(1),
  Prelu: (_, [x, alpha]) => prelu(x, alpha),
  Reciprocal: unary((x) => 1 / x),
  Relu: unary((x) => Math.max(x, 0)),
  Relu6: unary((x) => Math.min(Math.max(x, 0), 6)),
  Round: unary(nearestEven),
  Rsqrt: unary((x) => 1 / Math.sqrt(x)),
  Selu: unary((x) => 1.0507009873554805 * (x < 0 ? 1.6732632423543772 * Math.expm1(x) : x)),
  Sigmoid: unary(sigmoid),
  Sign: unary(Math.sign),
  Softplus: unary((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  Softsign: unary((x) => x / (1 + Math.abs(x))),
  Sqrt: unary(Math.sqrt),
  Square: unary((x) => x * x),
  Tanh: unary(Math.tanh),
  ZerosLike: filled(0),
  Cast: cast,
  Softmax: (_, [x]) => moves.perRow(x, moves.softmax),
  LogSoftmax: (_, [x]) => map(moves.perRow(x, moves.softmax), Math.log),

  All: reduction((a, b) => Number(a !== 0 && b !== 0), 1),
  Any: reduction((a, b) => Number(a !== 0 || b !== 0), 0),
  ArgMax: (_, [x, axis]) => moves.argMax(x, axis.data[0]),
  ArgMin: (_, [x, axis]) =>
    moves.argMax(
      map(x, (value) => -value),
      axis.data[0],
    ),
  Max: reduction(Math.max, Number.NEGATIVE_INFINITY),
  Mean: (node, [x, axes]) => {
    const sums = moves.reduce(node, x, axes, add, 0);
    return map(sums, (sum) => (sum * sums.data.length) / x.data.length);
  },
  Min: reduction(Math.min, Number.POSITIVE_INFINITY),
  Prod: reduction((a, b) => a * b, 1),
  Sum: reduction(add, 0),

  BroadcastTo: (_, [x, shape]) => expand(x, [...shape.data]),
  ConcatV2: (_, inputs) => moves.join(inputs.slice(0, -1), inputs[inputs.length - 1].data[0]),
  DepthToSpace: (node, [x]) => moves.moveBlocks(x, node.int('block_size', 2), true),
  ExpandDims: (_, [x, axis]) =>
    numbers(x.shape.toSpliced(axisFrom(axis.data[0], x.shape.length + 1), 0, 1), x.data),
  Fill: (_, [shape, value]) => expand(value, [...shape.data]),
  Flatten: (_, [x]) => reshape(x, [x.shape[0], -1]),
  Gather: (_, [x, indices]) => moves.gather(x, indices, 0, 0),
  GatherNd: (_, [x, indices]) => moves.gatherNd(x, indices),
  GatherV2: (node, [x, indices, axis]) => moves.gather(x, indices, axis.data[0], node.int('batch_dims', 0)),
  MirrorPad: (node, [x, pads]) =>
    moves.pad(x, pads.data, moves.mirror(node.string('mode', 'REFLECT') === 'SYMMETRIC'), 0),
  Pack: pack,
  Pad: (_, [x, pads]) => moves.pad(x, pads.data, () => -1, 0),
  PadV2: (_, [x, pads, fill]) => moves.pad(x, pads.data, () => -1, fill.data[0]),
  Range: range,
  Rank: (_, [x]) => numbers([], Float64Array.of(x.shape.length)),
  Reshape: (_, [x, shape]) => reshape(x, [...shape.data]),
  ResizeBilinear: resize(true),
  ResizeNearestNeighbor: resize(false),
  Shape: (_, [x]) => numbers([x.shape.length], Float64Array.from(x.shape)),
  Size: (_, [x]) => numbers([], Float64Array.of(x.data.length)),
  Slice: slice,
  SparseToDense: (_, inputs) => moves.sparseToDense(inputs),
  SpaceToDepth: (node, [x]) => moves.moveBlocks(x, node.int('block_size', 2), false),
  Split: (node, [axis, x]) => {
    const length = node.int('num_split', 1);
    const at = axisFrom(axis.data[0], x.shape.length);
    return split(x, at, new Array(length).fill(x.shape[at] / length));
  },
  SplitV: (_, [x, sizes, axis]) => {
    const at = axisFrom(axis.data[0], x.shape.length);
    const known = sizes.data.reduce((sum, size) => sum + Math.max(size, 0), 0);
    return split(
      x,
      at,
      Array.from(sizes.data, (size) => (size < 0 ? x.shape[at] - known : size)),
    );
  },
  Squeeze: squeeze,
  StridedSlice: (node, [x, ...bounds]) =>
    moves.stridedSlice(
      node,
      x,
      bounds.map(({ data }) => data),
    ),
  TopKV2: (_, [x, k]) => moves.topK(x, k.data[0]),
  Tile: (_, [x, times]) => moves.tile(x, times.data),
  Transpose: (_, [x, order]) => moves.transpose(x, order.data),
  Unpack: unpack,
};
