// Bias correction: rounding weights and activations shifts the mean of what an operator sums up; its bias takes the
// shift back. Each operator's is found by itself, on the float network's values: what comes before it is corrected too.
import { Runner } from './runner.js';
import { expectedSums, scaleOf } from './weights.js';

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
 * @returns {Promise<Map<number, Float64Array>>}
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
    Array.from(weights, ([operator, its]) => {
      const wanted = expectedSums(its, its.real, real.of(inputOf(operator)));
      const kernel = Float64Array.from(its.stored, (value, i) => value * scaleOf(its, its.channelOf(i)));
      const found = expectedSums(its, kernel, rounded.of(inputOf(operator)));
      const bias = /** @type {Float64Array} */ (biases.get(operator));
      return [operator, bias.map((value, c) => value + wanted[c] - found[c])];
    }),
  );
}

/**
 * The channels' means of tensors, as they are and rounded to 8 bits.
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

/** @param {Float32Array} values changed @param {Scale} scale */
function round(values, { scale, zeroPoint }) {
  const [low, high] = [-128 - zeroPoint, 127 - zeroPoint];
  for (let i = 0; i < values.length; i++)
    values[i] = Math.max(low, Math.min(high, Math.round(values[i] / scale))) * scale;
  return values;
}

/** Running means of tensors' channels. */
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

  /** @param {number} tensor @returns {Float64Array} */
  of(tensor) {
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
