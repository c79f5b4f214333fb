// What a tensor was seen to hold -> the range that its 8 bits are to cover.

/**
 * @typedef {import('./histogram.js').Histogram} Histogram
 * @typedef {{min: number, max: number}} Range
 * @typedef {'minmax' | 'average' | 'percentile' | 'mse'} RangeMethod
 */

const STEPS = 255;
/** Of the numbers, this part is left outside at each end. */
const OUTSIDE = 1e-5;
const AVERAGE_DECAY = 0.9;
/** Candidates for each end, as parts of what was seen. */
const CANDIDATES = 64;

/** @type {Record<RangeMethod, (seen: Histogram) => Range>} */
export const RANGES = {
  minmax: ({ min, max }) => ({ min, max }),
  average: ({ minima, maxima }) => ({ min: movingAverage(minima), max: movingAverage(maxima) }),
  percentile,
  mse: leastSquares,
};

/** @param {number[]} values */
function movingAverage(values) {
  return values.reduce((average, value) => AVERAGE_DECAY * average + (1 - AVERAGE_DECAY) * value);
}

/** @param {Histogram} seen @returns {Range} */
function percentile(seen) {
  const total = seen.counts.reduce((sum, count) => sum + count, seen.numZeros);
  const end = (/** @type {number[]} */ bins) => {
    let outside = 0;
    return seen.valueOf(bins.find((bin) => (outside += seen.counts[bin]) > OUTSIDE * total) ?? bins[0]);
  };
  const bins = Array.from(seen.counts.keys());
  if (total === seen.numZeros) return { min: 0, max: 0 };
  return { min: Math.max(end(bins), seen.min), max: Math.min(end(bins.toReversed()), seen.max) };
}

/**
 * The range with the least squared error: of rounding inside, of clipping outside.
 * @param {Histogram} seen
 * @returns {Range}
 */
function leastSquares(seen) {
  const [low, high] = [Math.min(seen.min, 0), Math.max(seen.max, 0)];
  const above = clippingErrors(seen, high, 1);
  const below = clippingErrors(seen, low, -1);
  const total = seen.counts.reduce((sum, count) => sum + count, 0);
  let best = { min: low, max: high };
  let least = Number.POSITIVE_INFINITY;
  for (const [min, errorBelow] of below)
    for (const [max, errorAbove] of above) {
      const step = (max - min) / STEPS;
      const error = (total * step * step) / 12 + errorBelow + errorAbove;
      if (error < least) [best, least] = [{ min, max }, error];
    }
  return best;
}

/**
 * Candidates for an end of the range, each with the squared error of what lies beyond.
 * @param {Histogram} seen
 * @param {number} end
 * @param {1 | -1} side
 * @returns {[number, number][]}
 */
function clippingErrors(seen, end, side) {
  if (end === 0) return [[0, 0]];
  return Array.from({ length: CANDIDATES }, (_, i) => {
    const limit = (end * (i + 1)) / CANDIDATES;
    let error = 0;
    seen.counts.forEach((count, bin) => {
      const beyond = count === 0 ? 0 : side * (seen.valueOf(bin) - limit);
      if (beyond > 0) error += count * beyond * beyond;
    });
    return [limit, error];
  });
}

/**
 * The int8 scale and zero point of a range, which always has 0 in it, exactly.
 * @param {Range} range
 * @returns {{scale: number, zeroPoint: number}}
 */
export function toInt8({ min, max }) {
  const [low, high] = [Math.min(min, 0), Math.max(max, 0)];
  if (!(high - low > 1e-12)) return { scale: 1 / STEPS, zeroPoint: 0 };
  const scale = Math.fround((high - low) / STEPS);
  return { scale, zeroPoint: Math.max(-128, Math.min(127, Math.round(-128 - low / scale))) };
}
