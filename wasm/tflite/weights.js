// In: the weights of a convolution or matrix product. Out: the weights as TFLite stores them: output channels first
// (depthwise: last), batch norm folded in, rounded once to the file's precision.
import { numChannels } from './network.js';
import { toHalves } from './tensor.js';

/**
 * @typedef {import('./network.js').Op} Op
 * @typedef {import('./network.js').Weights} Weights
 * @typedef {'fp32' | 'fp16' | 'int8' | 'hybrid'} Precision hybrid: in int8, and operators round their inputs to int8 too
 *
 * @typedef {object} Stored
 * @property {'float32' | 'float16' | 'int8' | 'int32' | 'int64' | 'bool'} dtype
 * @property {number[]} shape
 * @property {Float32Array | Uint16Array | Int8Array | Uint8Array | Int32Array | BigInt64Array} data
 * @property {{scales: Float32Array, axis: number}} [quantization] symmetric
 */

/** Like TensorFlow's converter, quantize only weights with at least this many elements: smaller ones save little. */
const MIN_QUANTIZED = 1024;

/**
 * @param {Op} op
 * @param {Precision} precision
 * @returns {{kernel: Stored, bias: Stored}}
 */
export function storedWeights(op, precision) {
  const weights = /** @type {Weights} */ (op.weights);
  const { shape, data } =
    op.kind === 'DEPTHWISE_CONV_2D' ? depthwiseKernel(weights) : channelsFirst(weights, op.kind);
  const channels = weights.channels ?? Array.from({ length: numChannels(weights, op.kind) }, (_, c) => c);
  const bias = Float32Array.from(channels, (c) => weights.bias?.[c] ?? 0);
  const axis = op.kind === 'DEPTHWISE_CONV_2D' ? 3 : 0;
  const isQuantized = (precision === 'int8' || precision === 'hybrid') && data.length >= MIN_QUANTIZED;
  return {
    kernel: isQuantized ? quantize(shape, data, axis) : toStored(shape, data, precision),
    bias: toStored([bias.length], bias, precision),
  };
}

/**
 * @param {number[]} shape
 * @param {Float32Array} data
 * @param {Precision} precision
 * @returns {Stored}
 */
export function toStored(shape, data, precision) {
  if (precision !== 'fp16') return { dtype: 'float32', shape, data };
  return { dtype: 'float16', shape, data: toHalves(data) };
}

/** [H, W, C, M] -> [1, H, W, C * M], in the same order. @param {Weights} weights */
function depthwiseKernel({ kernel, scale }) {
  const [height, width, channels, multiplier] = kernel.shape;
  const count = channels * multiplier;
  const data = Float32Array.from(kernel.data);
  if (scale) for (let i = 0; i < data.length; i++) data[i] = kernel.data[i] * scale[i % count];
  return { shape: [1, height, width, count], data };
}

/** [H, W, I, O] or [I, O] -> [O, H, W, I] or [O, I]. @param {Weights} weights @param {string} kind */
function channelsFirst(weights, kind) {
  const { kernel, isTransposed, scale } = weights;
  const total = numChannels(weights, kind);
  const channels = weights.channels ?? Array.from({ length: total }, (_, c) => c);
  const inner = kernel.data.length / total;
  const data = new Float32Array(channels.length * inner);
  const [channelStep, innerStep] = isTransposed ? [inner, 1] : [1, total];
  channels.forEach((c, row) => {
    const factor = scale?.[c] ?? 1;
    for (let i = 0; i < inner; i++)
      data[row * inner + i] = kernel.data[c * channelStep + i * innerStep] * factor;
  });
  const rest = isTransposed ? kernel.shape.slice(1) : kernel.shape.slice(0, -1);
  return { shape: [channels.length, ...rest], data };
}

/**
 * @param {number[]} shape
 * @param {Float32Array} data
 * @param {number} axis first or last
 * @returns {Stored}
 */
function quantize(shape, data, axis) {
  const count = shape[axis];
  const block = axis === 0 ? data.length / count : 1;
  const channelOf = (/** @type {number} */ i) => Math.floor(i / block) % count;
  const largest = new Float32Array(count);
  for (let i = 0; i < data.length; i++)
    largest[channelOf(i)] = Math.max(largest[channelOf(i)], Math.abs(data[i]));
  const scales = largest.map((value) => (value > 0 ? value / 127 : 1));
  const stored = new Int8Array(data.length);
  for (let i = 0; i < data.length; i++)
    stored[i] = Math.max(-127, Math.min(127, Math.round(data[i] / scales[channelOf(i)])));
  return { dtype: 'int8', shape, data: stored, quantization: { scales, axis } };
}
