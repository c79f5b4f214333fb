// Keeps the batch norms that conversion has folded into convolutions, as a safetensors file in the custom metadata.
// Folding multiplies the kernel by gamma / sqrt(variance + epsilon) and puts the rest into the bias. Training that
// updates the statistics needs the original parts.
import { readSafetensors, writeSafetensors } from './safetensors.js';
import { failure } from '../shared/errors.js';
import { graphFailure } from './errors.js';

/**
 * @typedef {import('./network.js').BatchNorm} BatchNorm
 * @typedef {import('./network.js').Network} Network
 */

/** The name of the entry in the custom metadata. */
export const BATCH_NORM_ENTRY = 'OCELLI_BATCH_NORM';

/** Names in the file, which are Keras' names. */
const PARTS = /** @type {const} */ ({
  gamma: 'gamma',
  beta: 'beta',
  mean: 'moving_mean',
  variance: 'moving_variance',
});
const KEYS = /** @type {(keyof typeof PARTS)[]} */ (Object.keys(PARTS));

/**
 * @param {Network} network with `batchNorm` in its convolutions' weights
 * @returns {{file: Uint8Array, count: number}} a safetensors file: NAME/gamma, beta, moving_mean, moving_variance
 *   [channels], epsilon [] and, if it is known, momentum [] for each convolution; NAME is its output tensor
 */
export function writeBatchNorm({ ops }) {
  /** @type {Record<string, import('./safetensors.js').Tensor>} */
  const tensors = {};
  let count = 0;
  for (const { output, weights } of ops) {
    if (!weights?.batchNorm || weights.channels) continue;
    const { batchNorm } = weights;
    if (`${output.name}/epsilon` in tensors)
      throw graphFailure('GRAPH_UNSUPPORTED', `two convolutions have an output called '${output.name}'`);
    for (const key of KEYS) {
      const data = Float32Array.from(batchNorm[key]);
      tensors[`${output.name}/${PARTS[key]}`] = { shape: [data.length], data };
    }
    tensors[`${output.name}/epsilon`] = { shape: [], data: Float32Array.of(batchNorm.epsilon) };
    if (batchNorm.momentum !== undefined)
      tensors[`${output.name}/momentum`] = { shape: [], data: Float32Array.of(batchNorm.momentum) };
    count++;
  }
  if (count === 0)
    throw failure(
      'INVALID_OPTION',
      'keepBatchNorm: the model has no batch norm to keep (if it was folded before, convert the original model)',
    );
  return { file: writeSafetensors(tensors, {}), count };
}

/**
 * @param {Uint8Array | undefined} file
 * @returns {Map<string, BatchNorm>} by the name of the convolution's output tensor
 */
export function readBatchNorm(file) {
  const norms = new Map();
  if (!file) return norms;
  const tensors = readTensors(file);
  for (const name of Object.keys(tensors)) {
    if (!name.endsWith('/epsilon')) continue;
    const layer = name.slice(0, -'/epsilon'.length);
    const parts = KEYS.map((key) => [key, toNumbers(tensors, `${layer}/${PARTS[key]}`)]);
    const momentum = `${layer}/momentum`;
    norms.set(layer, {
      ...Object.fromEntries(parts),
      epsilon: toNumbers(tensors, name)[0],
      ...(momentum in tensors && { momentum: toNumbers(tensors, momentum)[0] }),
    });
  }
  return norms;
}

/** @param {Uint8Array} file */
function readTensors(file) {
  try {
    return readSafetensors(file).tensors;
  } catch (error) {
    throw graphFailure('SOURCE_DAMAGED', 'the batch norm in its metadata cannot be read', error);
  }
}

/**
 * @param {Record<string, import('./safetensors.js').Tensor>} tensors
 * @param {string} name
 */
function toNumbers(tensors, name) {
  const data = tensors[name]?.data;
  if (!(data instanceof Float32Array) || data.length === 0 || !data.every(Number.isFinite))
    throw graphFailure(
      'SOURCE_DAMAGED',
      `the batch norm in its metadata: '${name}' is missing or not finite`,
    );
  return Float64Array.from(data);
}

/**
 * The scale and the offset of each channel that are equivalent to a batch norm.
 * @param {BatchNorm} batchNorm
 */
export function toAffine({ gamma, beta, mean, variance, epsilon }) {
  const scale = gamma.map((g, c) => g / Math.sqrt(variance[c] + epsilon));
  return { scale, offset: beta.map((b, c) => b - mean[c] * scale[c]) };
}
