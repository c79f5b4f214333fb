// Chooses the range of a tensor from its histogram, and the int8 scale and zero point of a range.

/**
 * @typedef {import('./histogram.js').Histogram} Histogram
 * @typedef {{min: number, max: number}} Range
 * @typedef {'minmax' | 'average' | 'percentile' | 'mse'} RangeMethod
 */

const INT8_STEPS = 255;
/** 'percentile' clips this fraction of the values at each end. */
const CLIPPED_FRACTION = 1e-5;
const AVERAGE_DECAY = 0.9;
/** 'mse' tries this many values for each end of the range. */
const CANDIDATES = 64;

/** @type {Record<RangeMethod, (histogram: Histogram) => Range>} */
export const RANGES = {
  minmax: ({ min, max }) => ({ min, max }),
  average: ({ minima, maxima }) => ({ min: movingAverage(minima), max: movingAverage(maxima) }),
  percentile,
  mse: leastSquares,
};

/** A logistic of a value beyond it differs from 0 or 1 by less than 1/256, the step of its output, divided by 11. */
const MAX_LOGIT = 8;

/**
 * The range of values that only become scores by a logistic: of a much wider range, 8 bits would leave a few steps for
 * the scores between 0 and 1.
 * @param {Histogram} histogram
 * @returns {Range}
 */
export function logitRange({ min, max }) {
  return { min: Math.max(min, -MAX_LOGIT), max: Math.min(max, MAX_LOGIT) };
}

/** @param {number[]} values */
function movingAverage(values) {
  return values.reduce((average, value) => AVERAGE_DECAY * average + (1 - AVERAGE_DECAY) * value);
}

/** @param {Histogram} histogram @returns {Range} */
function percentile(histogram) {
  const total = histogram.counts.reduce((sum, count) => sum + count, histogram.numZeros);
  const end = (/** @type {number[]} */ bins) => {
    let clipped = 0;
    return histogram.valueOf(
      bins.find((bin) => (clipped += histogram.counts[bin]) > CLIPPED_FRACTION * total) ?? bins[0],
    );
  };
  const bins = Array.from(histogram.counts.keys());
  if (total === histogram.numZeros) return { min: 0, max: 0 };
  return { min: Math.max(end(bins), histogram.min), max: Math.min(end(bins.toReversed()), histogram.max) };
}

/**
 * The range with the least squared error. Values inside have rounding error, step^2 / 12 on average; values outside
 * have clipping error.
 * @param {Histogram} histogram
 * @returns {Range}
 */
function leastSquares(histogram) {
  const [low, high] = [Math.min(histogram.min, 0), Math.max(histogram.max, 0)];
  const above = clippingErrors(histogram, high, 1);
  const below = clippingErrors(histogram, low, -1);
  const total = histogram.counts.reduce((sum, count) => sum + count, 0);
  let best = { min: low, max: high };
  let least = Number.POSITIVE_INFINITY;
  for (const [min, errorBelow] of below)
    for (const [max, errorAbove] of above) {
      const step = (max - min) / INT8_STEPS;
      const error = (total * step * step) / 12 + errorBelow + errorAbove;
      if (error < least) [best, least] = [{ min, max }, error];
    }
  return best;
}

/**
 * Candidates for one end of the range, each with the squared error of clipping the values beyond it.
 * @param {Histogram} histogram
 * @param {number} end the extreme value on this side
 * @param {1 | -1} side 1: upper end, -1: lower end
 * @returns {[number, number][]} [candidate, error]
 */
function clippingErrors(histogram, end, side) {
  if (end === 0) return [[0, 0]];
  return Array.from({ length: CANDIDATES }, (_, i) => {
    const limit = (end * (i + 1)) / CANDIDATES;
    let error = 0;
    histogram.counts.forEach((count, bin) => {
      const beyond = count === 0 ? 0 : side * (histogram.valueOf(bin) - limit);
      if (beyond > 0) error += count * beyond * beyond;
    });
    return [limit, error];
  });
}

/**
 * The int8 scale and zero point of a range. The range is extended to include 0, which is stored exactly.
 * @param {Range} range
 * @returns {{scale: number, zeroPoint: number}}
 */
export function toInt8({ min, max }) {
  const [low, high] = [Math.min(min, 0), Math.max(max, 0)];
  if (!(high - low > 1e-12)) return { scale: 1 / INT8_STEPS, zeroPoint: 0 };
  const scale = Math.fround((high - low) / INT8_STEPS);
  return { scale, zeroPoint: Math.max(-128, Math.min(127, Math.round(-128 - low / scale))) };
}

/**
 * Whether a scale and a zero point turn the bytes of pixels into the network's input, within half a step.
 * @param {number} start value of pixel 0
 * @param {number} end value of pixel 255
 */
export function takesBytes(start, end) {
  const step = (end - start) / INT8_STEPS;
  const zero = -start / step;
  return step > 0 && zero >= -0.5 && zero <= INT8_STEPS + 0.5;
}

/**
 * The scale of the network's input. If 0 is between two steps of the pixels' range (-1 to 1, for example), every pixel
 * would be rounded by half a step; then the ends of the range are put on whole steps instead.
 * @param {number} start value of pixel 0
 * @param {number} end value of pixel 255
 * @param {boolean} isPixelInput whether the quantized input must be the pixels' bytes
 * @returns {{scale: number, zeroPoint: number}}
 */
export function pixelScale(start, end, isPixelInput) {
  const [low, high] = [Math.min(start, end, 0), Math.max(start, end, 0)];
  const below = (-low / (high - low)) * INT8_STEPS;
  const isBetweenSteps = Math.abs(below - Math.round(below)) >= 0.05;
  if (isPixelInput || !isBetweenSteps) return toInt8({ min: low, max: high });
  const steps = INT8_STEPS - 1;
  const stepsBelow = Math.max(1, Math.min(steps - 1, Math.round((-low / (high - low)) * steps)));
  const scale = Math.fround(Math.max(-low / stepsBelow, high / (steps - stepsBelow)));
  return { scale, zeroPoint: -127 + stepsBelow };
}
