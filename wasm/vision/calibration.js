// Score calibration of TFLite Metadata: a sigmoid for each class, which turns a network's scores into probabilities, as
// in TFLite's task library and MediaPipe.
import { OcelliError } from '../shared/errors.js';
import { CLASS_COLUMN, DETECTION_COLUMNS, SCORE_COLUMN } from '../engine/heads.js';

/**
 * @typedef {import('../engine/engine.js').ScoreCalibration} ScoreCalibration
 *
 * @typedef {object} Sigmoid
 * @property {number} scale
 * @property {number} slope
 * @property {number} offset
 * @property {number} [minScore] lower scores become the default score
 *
 * @typedef {{transform: ScoreCalibration['transform'], defaultScore: number, sigmoids: (Sigmoid | undefined)[]}}
 *   Calibration a class without a sigmoid has the default score
 */

const MIN_LOG_ARGUMENT = 1e-16;

/** @param {number} value */
const clampedLog = (value) => Math.log(Math.max(value, MIN_LOG_ARGUMENT));

/** @type {Record<ScoreCalibration['transform'], (score: number) => number>} */
const TRANSFORMS = {
  identity: (score) => score,
  log: clampedLog,
  'inverse-logistic': (score) => clampedLog(score) - clampedLog(1 - score),
};

/**
 * @param {ScoreCalibration | undefined} metadata
 * @param {number} count of classes
 * @returns {Calibration | undefined}
 */
export function readCalibration(metadata, count) {
  if (metadata === undefined) return undefined;
  const { text, transform, defaultScore } = metadata;
  const lines = text.replace(/\r?\n$/, '').split(/\r?\n/);
  if (lines.length !== count) throw damaged(`${lines.length} lines for ${count} classes`);
  if (!Number.isFinite(defaultScore)) throw damaged('the default score is not finite');
  return { transform, defaultScore, sigmoids: lines.map(readSigmoid) };
}

/** @param {string} line @param {number} index @returns {Sigmoid | undefined} */
function readSigmoid(line, index) {
  if (line.trim() === '') return undefined;
  const numbers = line.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  const [scale, slope, offset, minScore] = numbers;
  const isValid =
    (numbers.length === 3 || numbers.length === 4) && numbers.every(Number.isFinite) && scale >= 0;
  if (!isValid) throw damaged(`line ${index + 1} is not scale,slope,offset[,minimum]`);
  return { scale, slope, offset, minScore };
}

/** @param {string} what */
const damaged = (what) =>
  new OcelliError(
    'BAD_METADATA',
    `the model's metadata or its associated files are damaged: score calibration: ${what}`,
  );

/**
 * @param {Calibration} calibration
 * @param {number} classId
 * @param {number} score
 */
export function calibrate({ transform, defaultScore, sigmoids }, classId, score) {
  const sigmoid = sigmoids[classId];
  if (!sigmoid || score < (sigmoid.minScore ?? -Infinity)) return defaultScore;
  return sigmoid.scale / (1 + Math.exp(-(sigmoid.slope * TRANSFORMS[transform](score) + sigmoid.offset)));
}

/**
 * Calibrates the scores of detections; keeps those above the threshold, best first.
 * @param {Float32Array} rows as Heads.detect returns them
 * @param {Calibration} calibration
 * @param {{scoreThreshold: number, maxResults: number}} limits
 * @returns {{rows: Float32Array, order: number[]}} `order`: the row that each one was
 */
export function calibrateRows(rows, calibration, { scoreThreshold, maxResults }) {
  const at = (/** @type {number} */ row, /** @type {number} */ column) =>
    rows[row * DETECTION_COLUMNS + column];
  const scores = Array.from({ length: rows.length / DETECTION_COLUMNS }, (_, row) =>
    calibrate(calibration, at(row, CLASS_COLUMN), at(row, SCORE_COLUMN)),
  );
  const order = Array.from(scores.keys())
    .filter((row) => scores[row] > scoreThreshold)
    .sort((a, b) => scores[b] - scores[a] || a - b)
    .slice(0, maxResults);
  const sorted = new Float32Array(order.length * DETECTION_COLUMNS);
  for (const [to, row] of order.entries()) {
    sorted.set(rows.subarray(row * DETECTION_COLUMNS, (row + 1) * DETECTION_COLUMNS), to * DETECTION_COLUMNS);
    sorted[to * DETECTION_COLUMNS + SCORE_COLUMN] = scores[row];
  }
  return { rows: sorted, order };
}
