// Fuses TFLite operators: scales, offsets and activations into the convolution before them, padding into the
// convolution after it, the parts of hard-swish into one operator. Removes operators without effect. A rule looks at
// one operator and returns whether it changed the network; it is repeated until nothing changes.
import { numChannels, samePadding, WEIGHTED, Wiring } from '../../tflite/network.js';
import { sizeOf } from '../../shared/numbers.js';

/**
 * @typedef {import('../../tflite/network.js').Network} Network
 * @typedef {import('../../tflite/network.js').Op} Op
 * @typedef {import('../../tflite/network.js').Value} Value
 * @typedef {(op: Op, network: Network, wiring: Wiring) => boolean} Fusion
 */

/** @param {Network} network changed in place */
export function fuse(network) {
  for (const fusion of [
    dropReshape,
    passReshape,
    mergeConstants,
    foldConstant,
    hardSwish,
    fuseActivation,
    fusePadding,
    dropReshape,
    squeezeReduction,
  ]) {
    for (let isChanged = true; isChanged;) {
      const wiring = new Wiring(network);
      isChanged = network.ops.some((op) => fusion(op, network, wiring));
    }
  }
  dropUnused(network);
  for (const { name, value } of network.outputs) value.name = name;
}

/**
 * Removes `op`; its users take `value` instead of its output.
 * @param {Network} network
 * @param {Op} op
 * @param {Value} value
 */
function replaceOutput(network, op, value) {
  network.ops = network.ops.filter((other) => other !== op);
  for (const user of network.ops)
    user.inputs = user.inputs.map((input) => (input === op.output ? value : input));
  for (const output of network.outputs) if (output.value === op.output) output.value = value;
}

/**
 * Removes `op`; `into`, the operator before it, writes its output.
 * @param {Network} network
 * @param {Op} op
 * @param {Op} into
 */
function absorb(network, op, into) {
  network.ops = network.ops.filter((other) => other !== op);
  into.output = op.output;
}

/**
 * Broadcasts a constant to one number per channel, or returns undefined.
 * @param {Value} value
 * @param {number} channels
 */
function perChannel({ tensor }, channels) {
  const count = tensor?.data.length;
  if (!tensor || (count !== 1 && count !== channels)) return undefined;
  if (count !== 1 && tensor.shape.at(-1) !== channels) return undefined;
  return Float64Array.from({ length: channels }, (_, c) => tensor.data[count === 1 ? 0 : c]);
}

/**
 * Moves a bias, a scale or an activation before the reshape of a matrix product's rows, so that they can be folded.
 * @type {Fusion}
 */
function passReshape(op, network, wiring) {
  const isAffine = (op.kind === 'MUL' || op.kind === 'ADD') && op.inputs[1].tensor;
  if (!isAffine && !ACTIVATIONS.has(op.kind)) return false;
  const reshape = wiring.soleProducer(op.inputs[0]);
  const before = reshape?.kind === 'RESHAPE' ? wiring.soleProducer(reshape.inputs[0]) : undefined;
  const channels = op.output.shape.at(-1);
  if (!reshape || !before || !isProduct(before, wiring) || before.output.shape.at(-1) !== channels)
    return false;
  if (isAffine && (op.inputs[1].shape.length > 1 || !perChannel(op.inputs[1], Number(channels))))
    return false;
  const moved = { ...op.output, name: `${op.output.name}/rows`, shape: before.output.shape };
  const ops = network.ops.filter((other) => other !== op && other !== reshape);
  const at = ops.indexOf(before) + 1;
  const again = { ...reshape, inputs: [moved, reshape.inputs[1]], output: op.output };
  ops.splice(at, 0, { ...op, inputs: [before.output, ...op.inputs.slice(1)], output: moved }, again);
  network.ops = ops;
  return true;
}

/**
 * Whether an operator is a matrix product, with or without a scale and a bias.
 * @param {Op} op
 * @param {Wiring} wiring
 * @returns {boolean}
 */
function isProduct(op, wiring) {
  if ((op.kind !== 'MUL' && op.kind !== 'ADD') || !op.inputs[1].tensor) return op.kind === 'FULLY_CONNECTED';
  const before = wiring.soleProducer(op.inputs[0]);
  return before !== undefined && isProduct(before, wiring);
}

/** Joins two MULs, or two ADDs, by one number each. @type {Fusion} */
function mergeConstants(op, network, wiring) {
  if (op.kind !== 'MUL' && op.kind !== 'ADD') return false;
  const outer = scalarOperand(op, op.kind);
  const inner = wiring.soleProducer(op.inputs[0]);
  const first = scalarOperand(inner, op.kind);
  if (!inner || outer === undefined || first === undefined) return false;
  if (inner.options.activation || inner.batchNorm || op.batchNorm) return false;
  if (op.inputs[1].shape.length > op.inputs[0].shape.length) return false;
  const data = Float64Array.of(op.kind === 'MUL' ? outer * first : outer + first);
  const { name } = op.inputs[1];
  op.inputs = [inner.inputs[0], { name, shape: [], tensor: { dtype: 'float32', shape: [], data } }];
  network.ops = network.ops.filter((other) => other !== inner);
  return true;
}

/** Folds MUL and ADD by a constant into the convolution before. @type {Fusion} */
function foldConstant(op, network, wiring) {
  if ((op.kind !== 'MUL' && op.kind !== 'ADD') || !op.inputs[1].tensor) return false;
  const into = wiring.soleProducer(op.inputs[0]);
  if (!into?.weights || into.options.activation || into.output.shape.length < op.inputs[1].shape.length)
    return false;
  const { weights } = into;
  const channels = numChannels(weights, into.kind);
  const constant = perChannel(op.inputs[1], channels);
  if (!constant) return false;
  weights.batchNorm = foldNorm(op, weights, channels);
  if (op.kind === 'MUL') {
    weights.scale = constant.map((factor, c) => factor * (weights.scale?.[c] ?? 1));
    weights.bias = weights.bias?.map((bias, c) => bias * constant[c]);
  } else {
    weights.bias = constant.map((offset, c) => offset + (weights.bias?.[c] ?? 0));
  }
  absorb(network, op, into);
  return true;
}

/**
 * The batch norm of the weights after folding `op`, which is the MUL or ADD of a batch norm. undefined if the weights
 * also contain other scales or offsets.
 * @param {Op} op
 * @param {import('../../tflite/network.js').Weights} weights
 * @param {number} channels
 */
function foldNorm({ kind, batchNorm }, { scale, bias, batchNorm: folded }, channels) {
  if (kind === 'ADD') return batchNorm && folded;
  if (batchNorm?.gamma.length !== channels || scale) return undefined;
  // A bias before the batch norm shifts its mean.
  return { ...batchNorm, mean: batchNorm.mean.map((mean, c) => mean - (bias?.[c] ?? 0)) };
}

/**
 * The scalar constant that an operator of this kind adds or multiplies by.
 * @param {Op | undefined} op
 * @param {string} kind
 */
function scalarOperand(op, kind) {
  const tensor = op?.kind === kind ? op.inputs[1].tensor : undefined;
  return tensor?.data.length === 1 ? tensor.data[0] : undefined;
}

/** Equal but for float32's rounding. */
const isNear = (/** @type {number | undefined} */ a, /** @type {number} */ b) =>
  a !== undefined && Math.abs(a - b) < 1e-5 * b;

/**
 * Matches factor * relu6(x + 3). The ADD of 3 is always a separate operator here: it is folded into a convolution only
 * if x has no other user, and in hard-swish x has.
 * @param {Value} value
 * @param {Wiring} wiring
 * @returns {{x: Value, factor: number, parts: Op[]} | undefined}
 */
function hardSigmoid(value, wiring) {
  const op = wiring.soleProducer(value);
  const factor = scalarOperand(op, 'MUL');
  const relu = factor === undefined ? op : wiring.soleProducer(/** @type {Op} */ (op).inputs[0]);
  const add = relu?.kind === 'RELU6' ? wiring.soleProducer(relu.inputs[0]) : undefined;
  if (!add || !isNear(scalarOperand(add, 'ADD'), 3)) return undefined;
  const parts = [/** @type {Op} */ (relu), add, ...(op && op !== relu ? [op] : [])];
  return { x: add.inputs[0], factor: factor ?? 1, parts };
}

/** Matches x * relu6(x + 3) / 6. The factor 1/6 may be at x, at relu6 or at the product. @type {Fusion} */
function hardSwish(op, network, wiring) {
  if (op.kind !== 'MUL' || op.inputs.some(({ tensor }) => tensor)) return false;
  for (const [a, b] of [op.inputs, op.inputs.toReversed()]) {
    const sigmoid = hardSigmoid(b, wiring);
    if (!sigmoid) continue;
    const scaled = scalarOperand(wiring.producer(a), 'MUL');
    const isScaledX = scaled !== undefined && wiring.producer(a)?.inputs[0] === sigmoid.x;
    if (a !== sigmoid.x && !isScaledX) continue;
    const inner = sigmoid.factor * (isScaledX ? scaled : 1);
    if (isNear(inner, 1 / 6)) return toHardSwish(network, op, op, sigmoid);
    const after = wiring.users(op.output);
    const isLast =
      isNear(inner, 1) &&
      after.length === 1 &&
      !wiring.isOutput(op.output) &&
      isNear(scalarOperand(after[0], 'MUL'), 1 / 6);
    if (isLast) return toHardSwish(network, op, after[0], sigmoid);
  }
  return false;
}

/**
 * @param {Network} network
 * @param {Op} op the product; becomes HARD_SWISH
 * @param {Op} last the operator whose output it writes
 * @param {{x: Value, parts: Op[]}} sigmoid
 */
function toHardSwish(network, op, last, { x, parts }) {
  op.kind = 'HARD_SWISH';
  op.inputs = [x];
  op.options = {};
  op.output = last.output;
  network.ops = network.ops.filter((other) => !parts.includes(other) && (other === op || other !== last));
  return true;
}

const ACTIVATIONS = new Set(['RELU', 'RELU6']);
/** Operators that can have a fused activation. */
const ACTIVATED = new Set([...WEIGHTED, 'ADD', 'SUB', 'MUL', 'AVERAGE_POOL_2D', 'MAX_POOL_2D']);

/** @type {Fusion} */
function fuseActivation(op, network, wiring) {
  const into = ACTIVATIONS.has(op.kind) ? wiring.soleProducer(op.inputs[0]) : undefined;
  if (!into || !ACTIVATED.has(into.kind) || into.options.activation) return false;
  into.options.activation = op.kind;
  absorb(network, op, into);
  return true;
}

/** Replaces a PAD that pads like SAME by the convolution's padding SAME. @type {Fusion} */
function fusePadding(op, network, wiring) {
  const pad =
    op.weights && op.kind !== 'FULLY_CONNECTED' && op.options.padding === 'VALID'
      ? wiring.soleProducer(op.inputs[0])
      : undefined;
  if (!op.weights || pad?.kind !== 'PAD') return false;
  const [input, { tensor }] = pad.inputs;
  const [kernelH, kernelW] = op.weights.kernel.shape;
  const { strideH, strideW, dilationH, dilationW } = op.options;
  const same = [
    ...[0, 0],
    ...samePadding(input.shape[1], kernelH, strideH, dilationH),
    ...samePadding(input.shape[2], kernelW, strideW, dilationW),
    ...[0, 0],
  ];
  if (!same.every((size, i) => size === tensor?.data[i])) return false;
  op.options.padding = 'SAME';
  op.inputs = [input];
  network.ops = network.ops.filter((other) => other !== pad);
  return true;
}

/** Removes a reshape to the same shape, and the first of two reshapes. @type {Fusion} */
function dropReshape(op, network, wiring) {
  if (op.kind !== 'RESHAPE') return false;
  const [input] = op.inputs;
  const isSame =
    input.shape.length === op.output.shape.length &&
    input.shape.every((size, d) => size === op.output.shape[d]);
  if (isSame && !(wiring.isOutput(op.output) && !wiring.producer(input))) {
    input.name = wiring.isOutput(op.output) ? op.output.name : input.name;
    replaceOutput(network, op, input);
    return true;
  }
  const before = wiring.soleProducer(input);
  if (before?.kind !== 'RESHAPE') return false;
  op.inputs = [before.inputs[0], op.inputs[1]];
  network.ops = network.ops.filter((other) => other !== before);
  return true;
}

/** Replaces a mean or maximum with keepDims and the reshape that removes these axes by one without. @type {Fusion} */
function squeezeReduction(op, network, wiring) {
  const reduction = op.kind === 'RESHAPE' ? wiring.soleProducer(op.inputs[0]) : undefined;
  const isReduction = reduction?.kind === 'MEAN' || reduction?.kind === 'REDUCE_MAX';
  if (!reduction || !isReduction || !reduction.options.keepDims || sizeOf(reduction.inputs[1].shape) !== 2)
    return false;
  const kept = reduction.inputs[0].shape.filter((_, d) => !reduction.inputs[1].tensor?.data.includes(d));
  if (kept.length !== op.output.shape.length || !kept.every((size, d) => size === op.output.shape[d]))
    return false;
  reduction.options.keepDims = false;
  absorb(network, op, reduction);
  return true;
}

/** Removes operators that no output depends on. @param {Network} network changed in place */
export function dropUnused(network) {
  const needed = new Set(network.outputs.map(({ value }) => value));
  network.ops = network.ops
    .toReversed()
    .filter((op) => {
      const isNeeded = [op.output, ...(op.others ?? [])].some((value) => needed.has(value));
      if (isNeeded) for (const input of op.inputs) needed.add(input);
      return isNeeded;
    })
    .toReversed();
}
