// Bias correction. Rounding weights and activations shifts the mean of each output channel; the corrected bias removes
// the shift. Each operator is corrected alone, on the float network's activations, because the operators before it are
// corrected too.
import { Runner } from './runner.js';
import { meanAccumulators, scaleOf } from './weights.js';

/**
 * @typedef {import('./file.js').Model} Model
 * @typedef {import('./weights.js').Weights} Weights
 * @typedef {import('./rewrite.js').Scale} Scale
 */

/**
 * @param {object} parts
 * @param {Model} parts.model float
 * @param {Map<number, Weights>} parts.weights by operator
 * @param {Map<number, Float64Array>} parts.biases by operator
 * @param {(tensor: number) => Scale} parts.scaleOf
 * @param {Float32Array[]} parts.inputs
 * @returns {Promise<Map<number, Float64Array>>} corrected biases by operator
 */
export async function correctBiases({ model, weights, biases, scaleOf: scaleOfTensor, inputs }) {
  const inputOf = (/** @type {number} */ operator) => model.operators[operator].inputs[0];
  const { real, rounded } = await measureMeans(
    model,
    [...weights.keys()].map(inputOf),
    scaleOfTensor,
    inputs,
  );
  return new Map(
    Array.from(weights, ([operator, kernel]) => {
      const expected = meanAccumulators(kernel, kernel.real, real.meansOf(inputOf(operator)));
      const dequantized = Float64Array.from(
        kernel.stored,
        (value, i) => value * scaleOf(kernel, kernel.channelOf(i)),
      );
      const actual = meanAccumulators(kernel, dequantized, rounded.meansOf(inputOf(operator)));
      const bias = /** @type {Float64Array} */ (biases.get(operator));
      return [operator, bias.map((value, c) => value + expected[c] - actual[c])];
    }),
  );
}

/**
 * Measures the mean of each channel of the tensors, in float and after rounding to int8.
 * @param {Model} model
 * @param {number[]} tensors
 * @param {(tensor: number) => Scale} scaleOfTensor
 * @param {Float32Array[]} inputs
 */
async function measureMeans(model, tensors, scaleOfTensor, inputs) {
  const [real, rounded] = [new Means(), new Means()];
  const runner = await Runner.create(model, [...new Set(tensors)]);
  try {
    for (const input of inputs)
      for (const { tensor, values, channels } of runner.run(input)) {
        real.add(tensor, values, channels);
        rounded.add(tensor, round(values, scaleOfTensor(tensor)), channels);
      }
  } finally {
    runner.close();
  }
  return { real, rounded };
}

/** Quantizes and dequantizes. @param {Float32Array} values changed in place @param {Scale} scale */
function round(values, { scale, zeroPoint }) {
  const [low, high] = [-128 - zeroPoint, 127 - zeroPoint];
  for (let i = 0; i < values.length; i++)
    values[i] = Math.max(low, Math.min(high, Math.round(values[i] / scale))) * scale;
  return values;
}

/** Mean of each channel of each tensor, over all images. */
export class Means {
  /** @type {Map<number, {sums: Float64Array, count: number}>} */ #sums = new Map();

  /** @param {number} tensor @param {Float32Array} values @param {number} channels */
  add(tensor, values, channels) {
    const means = channelMeans(values, channels);
    const known = this.#sums.get(tensor);
    if (!known) this.#sums.set(tensor, { sums: means, count: 1 });
    else {
      means.forEach((mean, c) => (known.sums[c] += mean));
      known.count++;
    }
  }

  /** @param {number} tensor */
  has(tensor) {
    return this.#sums.has(tensor);
  }

  /** @param {number} tensor @returns {Float64Array} one mean per channel */
  meansOf(tensor) {
    const { sums, count } = /** @type {{sums: Float64Array, count: number}} */ (this.#sums.get(tensor));
    return sums.map((sum) => sum / count);
  }
}

/** The mean of each channel. @param {Float32Array} values @param {number} channels */
export function channelMeans(values, channels) {
  const sums = new Float64Array(channels);
  for (let i = 0; i < values.length; i += channels)
    for (let c = 0; c < channels; c++) sums[c] += values[i + c];
  const pixels = values.length / channels;
  return sums.map((sum) => sum / pixels);
}
