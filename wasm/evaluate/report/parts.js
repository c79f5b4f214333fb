// Parts that the reports of detectors and of classifiers share.
import { NEUTRAL } from '../../report/palette.js';
import { curvePlot } from '../../report/svg.js';

/**
 * @typedef {import('../../report/html.js').Section} Section
 *
 * @typedef {object} Pair
 * @property {string | null} truth null: nothing is there
 * @property {string | null} found null: it was not found
 * @property {number} count
 */

/** More classes make a matrix that nobody can read: the most frequent confusions are listed instead. */
const MOST_IN_MATRIX = 30;
const MOST_PAIRS = 20;
const NOTHING = 'nothing';

/** @param {number | null | undefined} value */
export const figure = (value) => (value === null || value === undefined ? '–' : value.toFixed(3));

/**
 * @param {string} title
 * @param {{x: string, y: string}} axes
 * @param {ReturnType<typeof import('../measure/scores.js').calibrate> | undefined} calibration
 * @returns {{title: string, svg: string} | undefined} undefined: there is nothing to show
 */
export function calibrationPlot(title, axes, calibration) {
  const points = (calibration?.bins ?? []).flatMap(({ score, precision }) =>
    score === null || precision === null ? [] : [/** @type {[number, number]} */ ([score, precision])],
  );
  if (points.length === 0) return undefined;
  const diagonal = /** @type {[number, number][]} */ ([
    [0, 0],
    [1, 1],
  ]);
  const svg = curvePlot(title, axes, [
    { name: 'measured', points, color: 0 },
    { name: 'perfectly calibrated', points: diagonal, color: NEUTRAL, isDashed: true },
  ]);
  return { title, svg };
}

/**
 * @param {string} title
 * @param {string} text
 * @param {Pair[]} pairs
 * @returns {Section}
 */
export function matrixOf(title, text, pairs) {
  const all = pairs.flatMap(({ truth, found }) => [truth, found]);
  const names = [...new Set(all)].filter((name) => name !== null).sort();
  if (names.length > MOST_IN_MATRIX) return listOf(title, text, pairs);
  const countOf = new Map(pairs.map(({ truth, found, count }) => [JSON.stringify([truth, found]), count]));
  const heads = [...names, ...(all.includes(null) ? [null] : [])];
  return {
    title,
    texts: [`${text} Rows: what it is. Columns: found as.`],
    tables: [
      {
        columns: ['', ...heads.map((name) => name ?? NOTHING)],
        rows: heads.map((truth) => [
          truth ?? NOTHING,
          ...heads.map((found) => String(countOf.get(JSON.stringify([truth, found])) ?? 0)),
        ]),
        isHeat: true,
      },
    ],
  };
}

/** @param {string} title @param {string} text @param {Pair[]} pairs @returns {Section} */
function listOf(title, text, pairs) {
  const wrong = pairs.filter(({ truth, found }) => truth !== found).sort((a, b) => b.count - a.count);
  const shown = wrong.slice(0, MOST_PAIRS);
  return {
    title,
    texts: [`${text} The ${shown.length} most frequent errors:`],
    tables: [
      {
        columns: ['what it is', 'found as', 'count'],
        rows: shown.map(({ truth, found, count }) => [truth ?? NOTHING, found ?? NOTHING, String(count)]),
      },
    ],
  };
}

/**
 * @param {import('./report.js').WorstImage[]} images
 * @param {string} prefix of the files' names
 */
export function picturesOf(images, prefix) {
  return images.map(({ name, summary, png }, i) => ({
    file: `${prefix}-${i + 1}.png`,
    title: `${name}: ${summary}`,
    png,
  }));
}

/** What the JSON report says about them. @param {import('./report.js').WorstImage[]} images */
export function namesOf(images) {
  return images.map(({ name, summary }) => ({ name, summary }));
}
