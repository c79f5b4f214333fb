// Score calibration of TFLite Metadata: a sigmoid for each class, which turns a network's scores into probabilities, as
// in TFLite's task library and MediaPipe.
import { SCORE_TRANSFORMS } from '../../../dist/layout.js';
import { OcelliError } from '../../shared/errors.js';
import { CLASS_COLUMN, DETECTION_COLUMNS, SCORE_COLUMN } from '../../engine/heads.js';

/**
 * @typedef {object} Calibration
 * @property {number} transform of scores, one of SCORE_TRANSFORMS
 * @property {number} defaultScore of classes without a sigmoid
 * @property {number[][]} sigmoids scale, slope, offset of each class, and the score below which it has the default one
 */

/** @param {number} value */
const clampedLog = (value) => Math.log(Math.max(value, 1e-16));

/** @type {Record<number, (score: number) => number>} */
const TRANSFORMS = {
  [SCORE_TRANSFORMS.identity]: (score) => score,
  [SCORE_TRANSFORMS.log]: clampedLog,
  [SCORE_TRANSFORMS['inverse-logistic']]: (score) => clampedLog(score) - clampedLog(1 - score),
};

/**
 * @param {import('../../engine/engine.js').ScoreCalibration} metadata
 * @param {number} count of classes
 * @returns {Calibration}
 */
export function readCalibration({ text, transform, defaultScore }, count) {
  const lines = text.replace(/\r?\n$/, '').split(/\r?\n/);
  const sigmoids = lines.map((line) => (line.trim() === '' ? [] : line.split(',').map(toNumber)));
  const wrong = sigmoids.findIndex((numbers) => !isSigmoid(numbers));
  if (lines.length !== count) throw damaged(`${lines.length} lines for ${count} classes`);
  if (wrong >= 0) throw damaged(`line ${wrong + 1} is not scale,slope,offset[,minimum]`);
  if (!Number.isFinite(defaultScore)) throw damaged('the default score is not finite');
  if (!TRANSFORMS[transform]) throw damaged(`the transformation ${transform} is not known`);
  return { transform, defaultScore, sigmoids };
}

/** @param {string} part */
const toNumber = (part) => (part.trim() === '' ? NaN : Number(part));

/** @param {number[]} numbers none: the class has no sigmoid */
const isSigmoid = (numbers) =>
  numbers.length === 0 ||
  ([3, 4].includes(numbers.length) && numbers.every(Number.isFinite) && numbers[0] >= 0);

/** @param {string} what */
const damaged = (what) => new OcelliError('BAD_METADATA', `the model's score calibration: ${what}`);

/**
 * @param {Calibration} calibration
 * @param {number} classId
 * @param {number} score
 */
export function calibrate({ transform, defaultScore, sigmoids }, classId, score) {
  const [scale, slope, offset, minimum = -Infinity] = sigmoids[classId];
  if (scale === undefined || score < minimum) return defaultScore;
  return scale / (1 + Math.exp(-(slope * TRANSFORMS[transform](score) + offset)));
}

/**
 * Calibrates the scores of detections; keeps those above the threshold, best first. `order`: the row that each one was.
 * @typedef {(found: Float32Array, limits: {scoreThreshold: number, maxResults: number}) =>
 *   {rows: Float32Array, order: number[]}} CalibrateRows `found`: rows as Heads.detect returns them
 */

/** @param {Calibration} calibration @returns {CalibrateRows} */
export const calibrateRows =
  (calibration) =>
  (found, { scoreThreshold, maxResults }) => {
    const all = Array.from({ length: found.length / DETECTION_COLUMNS }, (_, i) => {
      const row = found.slice(i * DETECTION_COLUMNS, (i + 1) * DETECTION_COLUMNS);
      row[SCORE_COLUMN] = calibrate(calibration, row[CLASS_COLUMN], row[SCORE_COLUMN]);
      return { row, i };
    });
    const kept = all
      .filter(({ row }) => row[SCORE_COLUMN] > scoreThreshold)
      .sort((a, b) => b.row[SCORE_COLUMN] - a.row[SCORE_COLUMN])
      .slice(0, maxResults);
    return {
      rows: Float32Array.from(kept.flatMap(({ row }) => Array.from(row))),
      order: kept.map(({ i }) => i),
    };
  };
