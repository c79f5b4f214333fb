// Quantizes an operator's weights to int8 and its bias to int32, both symmetric (zero point 0), with a scale for each
// output channel. As in TFLite, a fully connected layer has one scale for all channels.
import { floatsOf, toBytes } from './float_model.js';
import { TYPE } from './file.js';

/** @typedef {import('./file.js').Tensor} Tensor */

/** Limit of an int32 bias. It leaves room for the accumulator, which starts from the bias. */
const MAX_BIAS = 2 ** 30;

/**
 * @typedef {object} Weights
 * @property {Float32Array} scales of the kernel: one for each channel, or one for all
 * @property {Int8Array} stored the quantized kernel
 * @property {Float32Array} real the float kernel
 * @property {number} channels
 * @property {number} depth how many input channels an output channel reads
 * @property {(i: number) => number} channelOf the output channel of element i of the kernel
 */

/**
 * @param {Tensor} kernel
 * @param {number} axis the axis of the output channels; -1: axis 0, but one scale for all channels
 * @param {Float32Array | undefined} bias
 * @param {number} inputScale
 * @returns {Weights}
 */
export function quantizeKernel(kernel, axis, bias, inputScale) {
  const real = floatsOf(kernel);
  const channels = kernel.shape[Math.max(axis, 0)];
  const depth = depthOf(kernel.shape, axis);
  const block = axis === 3 ? 1 : real.length / channels;
  const channelOf = (/** @type {number} */ i) => Math.floor(i / block) % channels;
  const largest = new Float64Array(channels);
  for (let i = 0; i < real.length; i++) {
    const c = channelOf(i);
    largest[c] = Math.max(largest[c], Math.abs(real[i]));
  }
  if (axis < 0) largest.fill(largest.reduce((a, b) => Math.max(a, b)));
  const scales = Float32Array.from(
    largest,
    (value, c) => Math.max(value / 127, Math.abs(bias?.[c] ?? 0) / inputScale / MAX_BIAS) || 1,
  );
  if (axis < 0) scales.fill(scales.reduce((a, b) => Math.max(a, b)));
  const stored = Int8Array.from(real, (value, i) =>
    Math.max(-127, Math.min(127, Math.round(value / scales[channelOf(i)]))),
  );
  return { scales: axis < 0 ? scales.slice(0, 1) : scales, stored, real, channels, depth, channelOf };
}

/**
 * How many input channels an output channel of a kernel reads: one if it is depthwise.
 * @param {number[]} shape
 * @param {number} axis of the output channels
 */
export function depthOf(shape, axis) {
  return axis === 3 ? 1 : shape[shape.length - 1];
}

/** @param {Weights} weights @param {number} c output channel */
export function scaleOf({ scales }, c) {
  return scales[scales.length === 1 ? 0 : c];
}

/**
 * @param {Tensor} kernel
 * @param {Weights} weights
 * @param {number} axis
 * @returns {Tensor}
 */
export function kernelTensor(kernel, weights, axis) {
  const scales = [...weights.scales];
  const quantization = { scales, zeroPoints: scales.map(() => 0), axis: Math.max(axis, 0) };
  return { ...kernel, type: TYPE.int8, data: toBytes(weights.stored), quantization };
}

/**
 * @param {string} name
 * @param {Float64Array} bias
 * @param {Weights} weights
 * @param {number} inputScale
 * @returns {Tensor}
 */
export function biasTensor(name, bias, weights, inputScale) {
  const scales = Array.from(weights.scales, (scale) => Math.fround(scale * inputScale));
  const stored = Int32Array.from(bias, (value, c) => Math.round(value / (scaleOf(weights, c) * inputScale)));
  const quantization = { scales, zeroPoints: scales.map(() => 0), axis: 0 };
  return { name, shape: [bias.length], type: TYPE.int32, data: toBytes(stored), quantization };
}

/**
 * The mean accumulator of each output channel, from the mean of each input channel. Padding is ignored. The output
 * channels of a group read `depth` of the input channels; of a flattened image, they read all of them several times.
 * @param {Pick<Weights, 'channels' | 'depth' | 'channelOf'>} weights
 * @param {ArrayLike<number>} values the kernel in float
 * @param {Float64Array} means of the input's channels
 * @returns {Float64Array}
 */
export function meanAccumulators({ channels, depth, channelOf }, values, means) {
  const sums = new Float64Array(channels);
  const read = Math.min(depth, means.length);
  const groups = means.length / read;
  for (let i = 0; i < values.length; i++) {
    const c = channelOf(i);
    const group = Math.floor((c * groups) / channels);
    sums[c] += values[i] * means[group * read + (i % read)];
  }
  return sums;
}
