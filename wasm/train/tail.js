// The tail: the last layers of a network, which are trained; blocks.js finds them. The options that choose it; reads the weights
// of its layers, and puts trained weights back.
import { BATCH_NORM_ENTRY, readBatchNorm, toAffine } from '../tflite/batch_norm.js';
import { convertFailure } from '../convert/errors.js';
import { failure as generalFailure } from '../shared/errors.js';
import { checkChoice, checkNumber } from '../shared/options.js';
import { findTail } from './blocks.js';
import { failure } from './errors.js';

/**
 * @typedef {import('../tflite/network.js').BatchNorm} BatchNorm
 * @typedef {import('../tflite/network.js').Network} FileNetwork
 * @typedef {import('../tflite/network.js').Op} Op
 * @typedef {import('../tflite/network.js').Value} Value
 * @typedef {import('./blocks.js').TailLayer} TailLayer
 *
 * @typedef {object} UnfreezeOptions
 * @property {number} [unfreeze] train this many of the last blocks of a MobileNetV1, V2 or V3 or an EfficientNet, and the
 *   layers after them, in a detector also those between its feature maps; 0 to 16, default 0
 * @property {'frozen' | 'training'} [batchNorm] batch norm in the unfrozen blocks: frozen (the default), or in training
 *   mode, which needs a file converted with `keepBatchNorm`. If the file has only folded batch norm, the folded kernels
 *   and biases are trained
 * @property {number} [batchNormMomentum] of the moving statistics, if batch norm is in training mode; 0 to 1. Default: the
 *   file's own, if conversion found it, else 0.99, Keras' default. Keras' own MobileNetV2 and V3 have 0.999
 *
 * @typedef {'folded' | 'frozen' | 'training'} BatchNormState how batch norm in the unfrozen blocks is trained. `folded`: the
 *   file has only folded batch norm, so the folded kernels and biases are trained. `frozen`, `training`: as the option says
 *
 * @typedef {object} Unfrozen
 * @property {TailLayer[]} tail the layers that are trained, in the network's order
 * @property {Value[]} inputs what is computed before the training: what the first layer of the tail takes, then the maps that
 *   are computed before it; without a tail, the maps
 * @property {BatchNormState} [batchNorm] without a tail: undefined
 */

/** The range of `unfreeze`. */
export const UNFREEZE = { min: 0, max: 16, integer: true };
export const MOMENTUM = { min: 0, max: 1 };
export const BATCH_NORM_MODES = /** @type {const} */ (['frozen', 'training']);
export const UNFREEZE_KEYS = /** @type {const} */ (['unfreeze', 'batchNorm', 'batchNormMomentum']);

/** @param {UnfreezeOptions} options */
export function checkUnfreeze(options) {
  const { unfreeze, batchNorm, batchNormMomentum: momentum } = pickUnfreeze(options);
  checkNumber('unfreeze', unfreeze, UNFREEZE);
  checkChoice('batchNorm', batchNorm, BATCH_NORM_MODES);
  if (batchNorm === 'training' && unfreeze === 0)
    throw generalFailure('INVALID_OPTION', "batchNorm 'training' needs unfreeze of at least 1");
  if (momentum !== undefined) checkNumber('batchNormMomentum', momentum, MOMENTUM);
  if (momentum !== undefined && batchNorm !== 'training')
    throw generalFailure('INVALID_OPTION', "batchNormMomentum needs batchNorm: 'training'");
}

/**
 * The options with the defaults of the first two.
 * @param {UnfreezeOptions} options
 */
export const pickUnfreeze = ({ unfreeze = 0, batchNorm = 'frozen', batchNormMomentum }) => ({
  unfreeze,
  batchNorm,
  batchNormMomentum,
});

/**
 * @param {import('../tflite/read.js').TfliteFile} file
 * @param {FileNetwork} network of the file
 * @param {Value[]} maps the feature map that is pooled, or those that the heads of a detector read
 * @param {UnfreezeOptions} options
 * @returns {Unfrozen}
 */
export function unfreezeBlocks(file, network, maps, options) {
  const { unfreeze, batchNorm, batchNormMomentum } = pickUnfreeze(options);
  if (unfreeze === 0) return { tail: [], inputs: maps };
  const found = findTail(network, maps, unfreeze);
  const norms = readBatchNorm(file.customMetadata(BATCH_NORM_ENTRY));
  return { ...found, batchNorm: separateBatchNorm(found.tail, norms, batchNorm, batchNormMomentum) };
}

/**
 * Gives each layer its separate batch norm, if the file has one for every layer of the tail. Those of squeeze and
 * excitation have a bias.
 * @param {TailLayer[]} tail changed in place
 * @param {Map<string, BatchNorm>} norms by name of the convolution's output tensor
 * @param {'frozen' | 'training'} mode
 * @param {number} [momentum] of the moving statistics; default: the file's own, else Keras' default
 * @returns {BatchNormState}
 */
export function separateBatchNorm(tail, norms, mode, momentum) {
  const normalized = tail.filter(({ op, isSqueezed }) => op.weights && !isSqueezed);
  const folded = normalized.find(({ op }) => !norms.has(op.output.name));
  if (folded && mode === 'training') throw failure('BATCH_NORM_FOLDED', `at '${folded.op.output.name}'`);
  if (folded) return 'folded';
  for (const entry of normalized) {
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
function readParameters({ op, layer: { channels }, batchNorm, shift = 0 }) {
  if (!op.weights) return [];
  const { kernel, bias } = op.weights;
  const data = Float32Array.from(kernel.data);
  if (!batchNorm) return [data, Float32Array.from({ length: channels }, (_, c) => (bias?.[c] ?? 0) - shift)];
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
export function replaceParameters({ op, layer: { channels }, batchNorm, shift = 0 }, [kernel, ...rest]) {
  const { weights } = op;
  if (!weights) return op;
  const folded = batchNorm && toAffine({ ...batchNorm, ...toNorm(rest) });
  const data = folded ? kernel.map((value, i) => value * folded.scale[i % channels]) : kernel;
  const bias = folded ? folded.offset : Float64Array.from(rest[0], (value) => value + shift);
  return { ...op, weights: { kernel: { ...weights.kernel, data }, isTransposed: false, bias } };
}

/** @param {Float32Array[]} lists */
function toNorm(lists) {
  const entries = BATCH_NORM_ORDER.map((key, i) => [key, Float64Array.from(lists[i])]);
  return /** @type {Omit<BatchNorm, 'epsilon'>} */ (Object.fromEntries(entries));
}
