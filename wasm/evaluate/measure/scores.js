// What the scores mean, from COCO's matches at IoU 0.5: how often a detection of a score is right (calibration), and from
// which score on it is worth to be shown (thresholds). Detections that COCO ignores (in a crowd) do not count.
import { sortDescending } from './sort.js';

/**
 * @typedef {import('./coco.js').Matches} Matches
 *
 * @typedef {{score: Float64Array, isHit: Uint8Array, row: Int32Array}} Scored detections, best first, with their rows in
 *   the table
 *
 * @typedef {object} CalibrationBin
 * @property {number} from
 * @property {number} to
 * @property {number} count
 * @property {number | null} score mean score
 * @property {number | null} precision share of true positives
 *
 * @typedef {object} Threshold
 * @property {number} threshold show detections whose score is above this value
 * @property {number} precision
 * @property {number} recall
 * @property {number} f1
 */

const BINS = 10;

/**
 * The detections that count.
 * @param {Matches} matches
 * @param {Float64Array} score by row
 * @returns {Scored}
 */
export function scoredOf({ rows, hits: [hits], ignored: [ignored] }, score) {
  const counted = Int32Array.from(rows.keys()).filter((i) => !(ignored[i] & 1));
  return {
    score: Float64Array.from(counted, (i) => score[rows[i]]),
    isHit: Uint8Array.from(counted, (i) => hits[i] & 1),
    row: Int32Array.from(counted, (i) => rows[i]),
  };
}

/**
 * Merges the detections of all categories.
 * @param {Scored[]} lists
 * @returns {Scored}
 */
export function mergeScored(lists) {
  const total = lists.reduce((sum, { score }) => sum + score.length, 0);
  const all = { score: new Float64Array(total), isHit: new Uint8Array(total), row: new Int32Array(total) };
  let at = 0;
  for (const { score, isHit, row } of lists) {
    all.score.set(score, at);
    all.isHit.set(isHit, at);
    all.row.set(row, at);
    at += score.length;
  }
  const order = sortDescending(Int32Array.from(all.score.keys()), all.score);
  return {
    score: Float64Array.from(order, (i) => all.score[i]),
    isHit: Uint8Array.from(order, (i) => all.isHit[i]),
    row: Int32Array.from(order, (i) => all.row[i]),
  };
}

/**
 * The reliability curve in ten bins of equal width, and the expected calibration error: the mean of |precision - score|
 * over the bins, weighted by their counts.
 * @param {Omit<Scored, 'row'>} scored
 * @returns {{error: number | null, bins: CalibrationBin[]} | null} null: the scores are no probabilities
 */
export function calibrate({ score: scores, isHit }) {
  if (scores.some((score) => score < 0 || score > 1)) return null;
  const sums = Array.from({ length: BINS }, () => ({ count: 0, score: 0, hits: 0 }));
  for (let i = 0; i < scores.length; i++) {
    const bin = sums[Math.min(Math.floor(scores[i] * BINS), BINS - 1)];
    bin.count++;
    bin.score += scores[i];
    bin.hits += isHit[i];
  }
  const deviation = sums.reduce((sum, { score, hits }) => sum + Math.abs(score - hits), 0);
  return {
    error: scores.length > 0 ? deviation / scores.length : null,
    bins: sums.map(({ count, score, hits }, i) => ({
      from: i / BINS,
      to: (i + 1) / BINS,
      count,
      score: count > 0 ? score / count : null,
      precision: count > 0 ? hits / count : null,
    })),
  };
}

/**
 * Precision, recall and F1 at every threshold that makes a difference, highest threshold first. A threshold lies halfway
 * between two scores.
 * @param {Omit<Scored, 'row'>} scored
 * @param {number} positives
 * @param {ArrayLike<number>} [weights] how often each detection counts; default: once
 * @returns {Generator<Threshold>}
 */
function* thresholdsOf({ score: scores, isHit }, positives, weights) {
  const weightOf = (/** @type {number} */ i) => (weights ? weights[i] : 1);
  /** The next detection that counts. @param {number} i */
  const after = (i) => {
    do i++;
    while (i < scores.length && weightOf(i) === 0);
    return i;
  };
  let hits = 0;
  let count = 0;
  for (let i = after(-1); i < scores.length;) {
    const score = scores[i];
    hits += weightOf(i) * isHit[i];
    count += weightOf(i);
    i = after(i);
    const next = i < scores.length ? scores[i] : lowestBelow(score);
    if (next === score) continue;
    const middle = (score + next) / 2;
    yield {
      threshold: middle < score ? middle : next,
      precision: hits / count,
      recall: hits / positives,
      f1: (2 * hits) / (count + positives),
    };
  }
}

/** What comes after the last score: 0, or less if the score is not above it. @param {number} score */
function lowestBelow(score) {
  return score > 0 ? 0 : score - 1;
}

/**
 * The threshold with the highest F1; the higher of several.
 * @param {Omit<Scored, 'row'>} scored
 * @param {number} positives
 * @param {ArrayLike<number>} [weights] how often each detection counts; default: once
 * @returns {Threshold | null} null: nothing is found, or there is nothing to find
 */
export function bestThreshold(scored, positives, weights) {
  if (positives === 0) return null;
  let best = null;
  for (const threshold of thresholdsOf(scored, positives, weights))
    if (threshold.f1 > (best?.f1 ?? 0)) best = threshold;
  return best;
}

/**
 * The lowest threshold with at least this precision: the one with the highest recall.
 * @param {Omit<Scored, 'row'>} scored
 * @param {number} positives
 * @param {number} precision
 * @returns {Threshold | null} null: no threshold reaches it
 */
export function thresholdForPrecision(scored, positives, precision) {
  if (positives === 0) return null;
  let best = null;
  for (const threshold of thresholdsOf(scored, positives))
    if (threshold.precision >= precision && threshold.recall > 0) best = threshold;
  return best;
}
