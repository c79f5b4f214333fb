// The tail: the last layers of a backbone, which are trained. Finds them in the file's network, reads their weights,
// and puts trained weights back.
import { toAffine } from '../tflite/batch_norm.js';
import { convertFailure } from '../convert/errors.js';
import { Wiring } from '../tflite/network.js';
import { failure } from './errors.js';

/**
 * @typedef {import('../tflite/network.js').BatchNorm} BatchNorm
 * @typedef {import('../tflite/network.js').Network} FileNetwork
 * @typedef {import('../tflite/network.js').Op} Op
 * @typedef {import('../tflite/network.js').Value} Value
 * @typedef {import('./trainer.js').TrainLayer} TrainLayer
 *
 * @typedef {{op: Op, layer: TrainLayer, batchNorm?: BatchNorm}} TailLayer batchNorm: folded into `op`, but separate in
 *   `layer`
 */

/**
 * Walks back from the feature map. MobileNetV2: the last pointwise layer, then blocks of expand, depthwise, project
 * [, add]. MobileNetV1: blocks of depthwise and pointwise.
 * @param {FileNetwork} network
 * @param {Value} featureMap
 * @param {number} blocks
 * @returns {TailLayer[]} in the network's order
 */
export function findTail(network, featureMap, blocks) {
  const wiring = new Wiring(network);
  /** @type {TailLayer[]} */
  const tail = [];
  /** @type {{project: TailLayer, from: Value}[]} */
  const residuals = [];
  /** @param {Value} value @param {'CONV_2D' | 'DEPTHWISE_CONV_2D'} kind */
  const take = (value, kind) => {
    const op = wiring.producer(value);
    if (!op || op.kind !== kind || !isTrainable(op))
      throw convertFailure(
        'GRAPH_UNSUPPORTED',
        `'${value.name}' is not part of a block that can be trained (MobileNetV1's and V2's can)`,
      );
    const entry = { op, layer: toLayer(op) };
    tail.unshift(entry);
    return entry;
  };
  /** A depthwise layer, and the padding before it, which the trainer makes itself. @param {Value} value */
  const takeDepthwise = (value) => {
    const depthwise = take(value, 'DEPTHWISE_CONV_2D');
    const before = depthwise.op.inputs[0];
    const producer = wiring.producer(before);
    const input = producer?.kind === 'PAD' ? producer.inputs[0] : before;
    if (!isPaddedAsSame(input, depthwise))
      throw convertFailure('GRAPH_UNSUPPORTED', `'${value.name}' is not padded as SAME, as the trainer pads`);
    return input;
  };
  let value = take(featureMap, 'CONV_2D').op.inputs[0];
  if (wiring.producer(value)?.kind === 'DEPTHWISE_CONV_2D') {
    for (let block = 0; block < blocks; block++) {
      if (block > 0) value = take(value, 'CONV_2D').op.inputs[0];
      value = takeDepthwise(value);
    }
    return tail;
  }
  for (let block = 0; block < blocks; block++) {
    const add = wiring.producer(value);
    const projected = add?.kind === 'ADD' ? branchOf(add, wiring) : value;
    const project = take(projected, 'CONV_2D');
    const expand = take(takeDepthwise(project.op.inputs[0]), 'CONV_2D');
    [value] = expand.op.inputs;
    if (add?.kind === 'ADD') residuals.push({ project, from: value });
  }
  // A skip connection adds the input of the block's first layer.
  for (const { project, from } of residuals)
    project.layer.added = tail.findIndex(({ op }) => op.kind === 'CONV_2D' && op.inputs[0] === from);
  return tail;
}

/**
 * Whether a depthwise layer has as many outputs as SAME padding gives. Explicit padding by one row at the end is the same
 * for even sizes, and leaves a row out for odd ones.
 * @param {Value} input before the padding
 * @param {TailLayer} depthwise
 */
function isPaddedAsSame({ shape }, { op: { output }, layer: { stride = 1 } }) {
  return [1, 2].every((axis) => output.shape[axis] === Math.ceil(shape[axis] / stride));
}

/**
 * Returns the input of a residual ADD that the block computed; the other input is the skip connection.
 * @param {Op} add
 * @param {Wiring} wiring
 */
function branchOf({ inputs: [a, b] }, wiring) {
  return wiring.producer(a)?.kind === 'CONV_2D' && wiring.users(a).length === 1 ? a : b;
}

/** Whether the trainer has this kind of layer. @param {Op} op */
function isTrainable({ kind, options, weights }) {
  const [height, width, , multiplier] = weights?.kernel.shape ?? [];
  const hasKnownActivation = options.activation === 'RELU6' || options.activation === 'NONE';
  if (!hasKnownActivation || options.dilationW !== 1 || options.dilationH !== 1) return false;
  if (kind === 'CONV_2D') return height === 1 && width === 1 && options.strideW === 1;
  return height === 3 && width === 3 && multiplier === 1;
}

/** @param {Op} op @returns {TrainLayer} */
function toLayer({ kind, options, output }) {
  return {
    kind: kind === 'CONV_2D' ? 'pointwise' : 'depthwise',
    channels: output.shape[3],
    stride: options.strideW,
    relu6: options.activation === 'RELU6',
  };
}

/**
 * Gives each layer its separate batch norm, if the file has one for every layer of the tail.
 * @param {TailLayer[]} tail changed in place
 * @param {Map<string, BatchNorm>} norms by name of the convolution's output tensor
 * @param {'frozen' | 'training'} mode
 * @param {number} [momentum] of the moving statistics; default: the file's own, else Keras' default
 * @returns {'folded' | 'frozen' | 'training'} `folded` if the file lacks one; else the mode
 */
export function separateBatchNorm(tail, norms, mode, momentum) {
  const isMissing = (/** @type {TailLayer} */ { op }) => !norms.has(op.output.name);
  const folded = tail.find(isMissing);
  if (folded && mode === 'training') throw failure('BATCH_NORM_FOLDED', `at '${folded.op.output.name}'`);
  if (folded) return 'folded';
  for (const entry of tail) {
    const { name } = entry.op.output;
    const batchNorm = /** @type {BatchNorm} */ (norms.get(name));
    const { channels } = entry.layer;
    if (!BATCH_NORM_ORDER.every((key) => batchNorm[key].length === channels))
      throw convertFailure(
        'SOURCE_DAMAGED',
        `the batch norm of '${name}' does not have ${channels} channels`,
      );
    entry.batchNorm = batchNorm;
    entry.layer.norm = mode === 'training' ? 'live' : 'frozen';
    entry.layer.epsilon = batchNorm.epsilon;
    entry.layer.momentum = momentum ?? batchNorm.momentum ?? KERAS_MOMENTUM;
  }
  return mode;
}

/** The default of Keras' BatchNormalization. */
const KERAS_MOMENTUM = 0.99;
/** The order of the trainer's parameters. */
const BATCH_NORM_ORDER = /** @type {const} */ (['gamma', 'beta', 'mean', 'variance']);

/**
 * @param {TailLayer[]} tail
 * @param {Value} input the tail's input
 * @returns {import('./network.js').Tail}
 */
export function toTail(tail, input) {
  const parts = tail.flatMap(readParameters);
  const parameters = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => (parameters.set(part, at), at + part.length), 0);
  return { input: input.shape.slice(1), layers: tail.map(({ layer }) => layer), parameters };
}

/** @param {TailLayer} entry @returns {Float32Array[]} kernel, and bias or batch norm */
function readParameters({ op, layer: { channels }, batchNorm }) {
  const { kernel, bias } = /** @type {NonNullable<Op['weights']>} */ (op.weights);
  const data = Float32Array.from(kernel.data);
  if (!batchNorm) return [data, Float32Array.from({ length: channels }, (_, c) => bias?.[c] ?? 0)];
  const { scale } = toAffine(batchNorm);
  // Folding with factor 0 erased the channel's kernel. 0 gives the same output.
  data.forEach((value, i) => (data[i] = scale[i % channels] === 0 ? 0 : value / scale[i % channels]));
  return [data, ...BATCH_NORM_ORDER.map((key) => Float32Array.from(batchNorm[key]))];
}

/**
 * Returns the operator with trained weights; folds batch norm.
 * @param {TailLayer} entry
 * @param {Float32Array[]} trained in the order of readParameters()
 * @returns {Op}
 */
export function replaceParameters({ op, layer: { channels }, batchNorm }, [kernel, ...rest]) {
  const weights = /** @type {NonNullable<Op['weights']>} */ (op.weights);
  const folded = batchNorm && toAffine({ ...batchNorm, ...toNorm(rest) });
  const data = folded ? kernel.map((value, i) => value * folded.scale[i % channels]) : kernel;
  const bias = folded ? folded.offset : Float64Array.from(rest[0]);
  return { ...op, weights: { kernel: { ...weights.kernel, data }, isTransposed: false, bias } };
}

/** @param {Float32Array[]} lists */
function toNorm(lists) {
  const entries = BATCH_NORM_ORDER.map((key, i) => [key, Float64Array.from(lists[i])]);
  return /** @type {Omit<BatchNorm, 'epsilon'>} */ (Object.fromEntries(entries));
}
