// Sensitivity -> the step between two stored values of each output channel -> int8 weights. A weight's rounding error
// grows with its step; the answer's error grows with the error times the sensitivity's root. Steps in inverse
// proportion to that root spread the error evenly, and few distinct values compress well.
import { roundEven } from '../shared/numbers.js';

/**
 * @typedef {object} Kernel
 * @property {Float32Array} values
 * @property {number} channels
 * @property {(i: number) => number} channelOf the output channel of element i
 *
 * @typedef {{scales: Float32Array, stored: Int8Array}} Stored
 */

/** The largest int8 value in use: symmetric. */
const LIMIT = 127;
/** Share of the channel's own sensitivity; the rest is the layer's mean, since few images measure a channel roughly. */
const OWN_SHARE = 0.9;
/** In the channel's root mean square: a coarser step would leave nothing but zeros. */
const COARSEST = 1.6;
/** Layers with fewer weights stay in float16 if more than a share of their channels need finer steps than int8 has. */
const SMALL_LAYER = 20000;
const SENSITIVE_SHARE = 0.15;

/**
 * @param {Kernel} kernel
 * @param {Float64Array} sensitivity by channel
 * @param {number} lambda
 * @returns {Stored | undefined} undefined: leave the layer in float16
 */
export function chooseSteps(kernel, sensitivity, lambda) {
  const { largest, rms } = measure(kernel);
  const mean = sensitivity.reduce((a, b) => a + b, 0) / sensitivity.length;
  if (!Number.isFinite(mean) || !largest.every(Number.isFinite)) return undefined;
  const wanted = sensitivity.map((own) => lambda / Math.sqrt(OWN_SHARE * own + (1 - OWN_SHARE) * mean));
  const numSensitive = wanted.filter((step, c) => step < largest[c] / LIMIT).length;
  if (kernel.values.length < SMALL_LAYER && numSensitive > SENSITIVE_SHARE * sensitivity.length)
    return undefined;
  const scales = Float32Array.from(
    wanted,
    (step, c) => Math.max(Math.min(step, COARSEST * rms[c]), largest[c] / LIMIT) || 1,
  );
  return { scales, stored: round(kernel, scales) };
}

/** The largest magnitude and the root mean square of each channel. @param {Kernel} kernel */
function measure({ values, channels, channelOf }) {
  const largest = new Float64Array(channels);
  const squares = new Float64Array(channels);
  for (let i = 0; i < values.length; i++) {
    const c = channelOf(i);
    largest[c] = Math.max(largest[c], Math.abs(values[i]));
    squares[c] += values[i] * values[i];
  }
  return { largest, rms: squares.map((sum) => Math.sqrt((sum * channels) / values.length)) };
}

/** @param {Kernel} kernel @param {Float32Array} scales */
function round({ values, channelOf }, scales) {
  return Int8Array.from(values, (value, i) =>
    Math.max(-LIMIT, Math.min(LIMIT, roundEven(value / scales[channelOf(i)]))),
  );
}
