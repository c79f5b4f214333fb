// The tail: the last layers of a backbone, which are trained; blocks.js finds them. Reads their weights, and puts trained
// weights back.
import { toAffine } from '../tflite/batch_norm.js';
import { convertFailure } from '../convert/errors.js';
import { failure } from './errors.js';

/**
 * @typedef {import('../tflite/network.js').BatchNorm} BatchNorm
 * @typedef {import('../tflite/network.js').Op} Op
 * @typedef {import('../tflite/network.js').Value} Value
 * @typedef {import('./blocks.js').TailLayer} TailLayer
 */

/**
 * Gives each layer its separate batch norm, if the file has one for every layer of the tail. Those of squeeze and
 * excitation have a bias.
 * @param {TailLayer[]} tail changed in place
 * @param {Map<string, BatchNorm>} norms by name of the convolution's output tensor
 * @param {'frozen' | 'training'} mode
 * @param {number} [momentum] of the moving statistics; default: the file's own, else Keras' default
 * @returns {'folded' | 'frozen' | 'training'} `folded` if the file lacks one; else the mode
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
