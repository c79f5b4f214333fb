// What went wrong, after TIDE (Bolya et al., ECCV 2020): each false positive and each miss gets one kind of error, and
// each kind the AP that mending all its errors would win. Equal to tidecv 1.0.1, whose order of detections of equal
// score, and whose AP of a class without objects (0), are kept.
import { countingSort } from './groups.js';
import { overlapOf, precisionAtRecalls } from './coco.js';
import { sortDescending } from './sort.js';

/**
 * @typedef {import('./table.js').Table} Table
 *
 * @typedef {'Cls' | 'Loc' | 'Both' | 'Dupe' | 'Bkg' | 'Miss'} Kind
 *
 * @typedef {object} TideError
 * @property {Kind} kind
 * @property {number} row of the detection; of the annotation if the kind is Miss
 * @property {boolean} isIgnored the detection lies in a crowd, and counts only if mending makes it a true positive
 * @property {number} partner row of the annotation that mending would match, or -1
 *
 * @typedef {object} Point a detection on the curve of its class
 * @property {number} category
 * @property {number} row
 * @property {boolean} isHit
 *
 * @typedef {object} Run
 * @property {TideError[]} errors
 * @property {Point[]} points
 * @property {number[]} positives by category
 * @property {number[]} missed by category
 */

/** The kinds, in TIDE's order. */
export const TIDE_KINDS = /** @type {const} */ (['Cls', 'Loc', 'Both', 'Dupe', 'Bkg', 'Miss']);
const FOREGROUND = 0.5;
const BACKGROUND = 0.1;
const MOST = 100;
/** COCO's recalls are multiples of 0.01, which differ in the last bit. */
const RECALLS = Float64Array.from({ length: 101 }, (_, i) => i / 100);

/**
 * @param {Table} table
 * @returns the AP at IoU 0.5, the AP that each kind costs, and all errors. APs are in points, 0 to 100, as TIDE's; null if
 *   there is no class
 */
export function measureTide(table) {
  const run = new Judge(table).run();
  const scoreOf = (/** @type {Point} */ { row }) => table.found.score[row];
  const own = meanAp(run.points, run.positives, scoreOf);
  const mended = (/** @type {Kind} */ kind) => {
    const { points, positives } = mend(run, table, kind);
    return Math.max((meanAp(points, positives, scoreOf) ?? 0) - (own ?? 0), 0);
  };
  const unmended = mend(run, table, undefined);
  const perfect = meanAp(unmended.points, unmended.positives, ({ isHit }) => Number(isHit));
  const found = run.positives.map((count, category) => count - run.missed[category]);
  const complete = meanAp(unmended.points, found, scoreOf);
  return {
    AP: own,
    ...(own === null
      ? Object.fromEntries([...TIDE_KINDS, 'FalsePos', 'FalseNeg'].map((name) => [name, null]))
      : {
          ...Object.fromEntries(TIDE_KINDS.map((kind) => [kind, mended(kind)])),
          FalsePos: /** @type {number} */ (perfect) - own,
          FalseNeg: /** @type {number} */ (complete) - own,
        }),
    counts: Object.fromEntries(
      TIDE_KINDS.map((kind) => [kind, run.errors.filter((error) => error.kind === kind).length]),
    ),
    errors: run.errors,
  };
}

class Judge {
  #table;
  /** @type {Run} */ #run;

  /** @param {Table} table */
  constructor(table) {
    this.#table = table;
    const zeros = () => table.categories.map(() => 0);
    this.#run = { errors: [], points: [], positives: zeros(), missed: zeros() };
  }

  run() {
    const { truth, found, images, listedImages } = this.#table;
    const all = (/** @type {Int32Array} */ image) =>
      Int32Array.from(image.keys()).filter((row) => image[row] >= 0);
    const truths = countingSort(all(truth.image), truth.image, images.length);
    const founds = countingSort(all(found.image), found.image, images.length);
    for (const image of listedImages) {
      const rows = truths.rows.subarray(truths.starts[image], truths.starts[image + 1]);
      const candidates = founds.rows.slice(founds.starts[image], founds.starts[image + 1]);
      this.#judgeImage(rows, sortDescending(candidates, found.score).subarray(0, MOST));
    }
    return this.#run;
  }

  /** @param {Int32Array} rows @param {Int32Array} candidates best first */
  #judgeImage(rows, candidates) {
    const { truth, found } = this.#table;
    const real = Array.from(rows.filter((row) => !truth.crowd[row]));
    for (const row of real) this.#run.positives[truth.category[row]]++;
    const ious = Array.from(candidates, (d) =>
      Float64Array.from(real, (g) => overlapOf(found.boxes, 4 * d, truth.boxes, 4 * g, false)),
    );
    const isSameClass = (/** @type {number} */ d, /** @type {number} */ g) =>
      found.category[candidates[d]] === truth.category[real[g]];
    const { isUsed, isHit } = matchGreedily(ious, isSameClass, real.length);
    const isIgnored = this.#findIgnored(rows, candidates, isHit);
    const isUsable = new Uint8Array(real.length);
    for (let d = 0; d < candidates.length; d++) {
      if (!isIgnored[d])
        this.#run.points.push({
          category: found.category[candidates[d]],
          row: candidates[d],
          isHit: isHit[d] === 1,
        });
      if (isHit[d]) continue;
      const { kind, g } = classify(ious[d], (i) => isSameClass(d, i), isUsed);
      if (g >= 0) isUsable[g] = 1;
      this.#run.errors.push({
        kind,
        row: candidates[d],
        isIgnored: isIgnored[d] === 1,
        partner: g < 0 ? -1 : real[g],
      });
    }
    for (const [g, row] of real.entries()) {
      if (isUsed[g]) continue;
      this.#run.missed[truth.category[row]]++;
      if (!isUsable[g]) this.#run.errors.push({ kind: 'Miss', row, isIgnored: false, partner: -1 });
    }
  }

  /**
   * The false positives in a crowd of their class.
   * @param {Int32Array} rows @param {Int32Array} candidates @param {Uint8Array} isHit
   */
  #findIgnored(rows, candidates, isHit) {
    const { truth, found } = this.#table;
    const crowds = rows.filter((row) => truth.crowd[row] === 1);
    return Uint8Array.from(candidates, (row, d) =>
      Number(
        !isHit[d] &&
          crowds.some(
            (crowd) =>
              truth.category[crowd] === found.category[row] &&
              overlapOf(found.boxes, 4 * row, truth.boxes, 4 * crowd, true) > FOREGROUND,
          ),
      ),
    );
  }
}

/**
 * Each detection, best first, takes the free annotation of its class that it overlaps most.
 * @param {Float64Array[]} ious by detection
 * @param {(d: number, g: number) => boolean} isSameClass
 * @param {number} numTruths
 */
function matchGreedily(ious, isSameClass, numTruths) {
  const isUsed = new Uint8Array(numTruths);
  const isHit = new Uint8Array(ious.length);
  for (let d = 0; d < ious.length; d++) {
    const g = argmax(ious[d], (i) => isSameClass(d, i) && !isUsed[i]);
    if (g < 0 || ious[d][g] < FOREGROUND) continue;
    isUsed[g] = 1;
    isHit[d] = 1;
  }
  return { isUsed, isHit };
}

/**
 * @param {Float64Array} ious with each annotation
 * @param {(g: number) => boolean} isSameClass
 * @param {Uint8Array} isUsed
 * @returns {{kind: Kind, g: number}} g: the unused annotation that mending would match, or -1
 */
function classify(ious, isSameClass, isUsed) {
  if (ious.length === 0) return { kind: 'Bkg', g: -1 };
  const highest = (/** @type {(g: number) => boolean} */ isCandidate) => {
    const g = argmax(ious, isCandidate);
    return { g, iou: g < 0 ? 0 : ious[g] };
  };
  const unlessUsed = (/** @type {number} */ g) => (isUsed[g] ? -1 : g);
  const same = highest(isSameClass);
  if (same.iou >= BACKGROUND && same.iou <= FOREGROUND) return { kind: 'Loc', g: unlessUsed(same.g) };
  const other = highest((g) => !isSameClass(g));
  if (other.iou >= FOREGROUND) return { kind: 'Cls', g: unlessUsed(other.g) };
  if (highest((g) => isSameClass(g) && isUsed[g] === 1).iou >= FOREGROUND) return { kind: 'Dupe', g: -1 };
  return { kind: highest(() => true).iou <= BACKGROUND ? 'Bkg' : 'Both', g: -1 };
}

/** The first of the highest values. @param {Float64Array} values @param {(i: number) => boolean} isCandidate */
function argmax(values, isCandidate) {
  let best = -1;
  for (let i = 0; i < values.length; i++)
    if ((best < 0 || values[i] > values[best]) && isCandidate(i)) best = i;
  return best;
}

/**
 * The detections after all errors of one kind are mended, in TIDE's order: the errors first. Only the best detection of an
 * annotation becomes a true positive; the others vanish.
 * @param {Run} run
 * @param {Table} table
 * @param {Kind | undefined} kind
 */
function mend({ errors, points, positives }, { truth, found }, kind) {
  /** @type {Map<number, number>} */
  const bestOf = new Map();
  for (const { row, partner } of errors) {
    if (partner < 0) continue;
    const best = bestOf.get(partner);
    if (best === undefined || found.score[best] < found.score[row]) bestOf.set(partner, row);
  }
  const left = [...positives];
  /** @type {Point[]} */
  const mended = [];
  for (const { kind: own, row, isIgnored, partner } of errors) {
    if (own !== kind) {
      if (own !== 'Miss' && !isIgnored) mended.push({ category: found.category[row], row, isHit: false });
    } else if (own === 'Miss') left[truth.category[row]]--;
    else if (partner >= 0 && bestOf.get(partner) === row)
      mended.push({
        category: own === 'Cls' ? truth.category[partner] : found.category[row],
        row,
        isHit: true,
      });
  }
  return { points: [...mended, ...points.filter(({ isHit }) => isHit)], positives: left };
}

/**
 * The mean AP of the classes that have detections or objects, in points; null if there is none.
 * @param {Point[]} points
 * @param {number[]} positives by category
 * @param {(point: Point) => number} scoreOf
 */
function meanAp(points, positives, scoreOf) {
  const category = Int32Array.from(points, (point) => point.category);
  const scores = Float64Array.from(points, scoreOf);
  const { rows, starts } = countingSort(Int32Array.from(points.keys()), category, positives.length);
  let sum = 0;
  let count = 0;
  for (let k = 0; k < positives.length; k++) {
    const order = sortDescending(rows.subarray(starts[k], starts[k + 1]), scores);
    if (order.length === 0 && positives[k] === 0) continue;
    count++;
    sum += ap(order, points, positives[k]);
  }
  return count > 0 ? sum / count : null;
}

/** @param {Int32Array} order @param {Point[]} points @param {number} positives */
function ap(order, points, positives) {
  const precisions = [];
  for (let i = 0; i < order.length; i++)
    if (points[order[i]].isHit) precisions.push((precisions.length + 1) / (i + 1));
  const curve = precisionAtRecalls(precisions, positives, RECALLS);
  return (curve.reduce((total, value) => total + value, 0) / curve.length) * 100;
}
