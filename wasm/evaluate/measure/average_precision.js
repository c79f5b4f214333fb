// Average precision as TensorFlow's object detection API computes it (object_detection_evaluation.py): Open Images' rules
// with group-of boxes and verified labels, and Pascal VOC's with difficult boxes.
import { forEachImage, groupRows } from './groups.js';
import { numpyDescending } from './sort.js';

/**
 * @typedef {import('./table.js').Table} Table
 *
 * @typedef {object} Rule
 * @property {number | undefined} groupWeight undefined: group-of boxes are boxes like any other. 0: detections in a
 *   group-of box do not count. Above 0: a group-of box is an object to find, of this weight, and of the detections in it
 *   only the best counts
 * @property {boolean} hasDifficult whether difficult boxes are neither to be found nor to be missed
 * @property {((image: number, category: number) => boolean) | undefined} isEvaluated whether detections of a category in
 *   an image count; undefined: all do
 *
 * @typedef {object} Truth
 * @property {Table['truth']} columns
 * @property {Int32Array} rows which annotations
 * @property {Int32Array} category by place in `rows`
 *
 * @typedef {{scores: number[], labels: number[]}} Labelled the weight of each detection: 0 for a false positive
 */

const IOU_THRESHOLD = 0.5;
/** NumPy's evaluator reads at most so many detections of one category in an image. */
const MOST = 10000;

/**
 * The detections of each category, labelled, and the number of objects to find.
 * @param {Table} table
 * @param {Rule} rule
 * @returns {(Labelled & {positives: number})[]} by category
 */
export function labelDetections(table, rule) {
  const { truth, found, images, listedCategories } = table;
  const all = (/** @type {{count: number}} */ { count }) => Int32Array.from({ length: count }, (_, i) => i);
  const truthGroups = groupRows(truth, all(truth), images.length, listedCategories);
  const foundGroups = groupRows(found, all(found), images.length, listedCategories);
  return Array.from({ length: listedCategories }, (_, k) => {
    const real = truthGroups.rows.subarray(truthGroups.starts[k], truthGroups.starts[k + 1]);
    const candidates = foundGroups.rows.subarray(foundGroups.starts[k], foundGroups.starts[k + 1]);
    /** @type {Labelled} */
    const labelled = { scores: [], labels: [] };
    forEachImage(real, truth.image, candidates, found.image, (image, inTruth, inFound) => {
      if (rule.isEvaluated && !rule.isEvaluated(image, k)) return;
      labelImage(table, inTruth, inFound, rule, labelled);
    });
    return { ...labelled, positives: countPositives(truth, real, rule) };
  });
}

/**
 * @param {Table['truth']} truth
 * @param {Int32Array} rows
 * @param {Rule} rule
 */
function countPositives({ groupOf, difficult }, rows, { groupWeight, hasDifficult }) {
  let positives = 0;
  for (const row of rows) {
    if (hasDifficult && difficult[row]) continue;
    positives += groupWeight !== undefined && groupOf[row] ? groupWeight : 1;
  }
  return positives;
}

/**
 * Labels the detections of one category in one image: first against single objects, then against groups.
 * @param {Table} table
 * @param {Int32Array} truthRows
 * @param {Int32Array} foundRows
 * @param {Rule} rule
 * @param {Labelled} labelled
 */
function labelImage({ truth, found }, truthRows, foundRows, { groupWeight, hasDifficult }, labelled) {
  const candidates = bestFirst(found, foundRows);
  if (candidates.length === 0) return;
  const isGroup = (/** @type {number} */ row) => groupWeight !== undefined && truth.groupOf[row] === 1;
  const singles = truthRows.filter((row) => !isGroup(row));
  const groups = truthRows.filter(isGroup);
  const taken = new Set();
  /** @type {Map<number, number>} */
  const bestOfGroup = new Map();
  for (const row of candidates) {
    const score = found.score[row];
    const single = bestOverlap(singles, (g) => iou(found.corners, 4 * row, truth.corners, 4 * g));
    if (single.overlap >= IOU_THRESHOLD) {
      if (hasDifficult && truth.difficult[single.row]) continue;
      if (!taken.has(single.row)) {
        taken.add(single.row);
        labelled.scores.push(score);
        labelled.labels.push(1);
        continue;
      }
    }
    const group = bestOverlap(groups, (g) => coveredShare(found.corners, 4 * row, truth.corners, 4 * g));
    if (group.overlap >= IOU_THRESHOLD) {
      bestOfGroup.set(group.row, Math.max(bestOfGroup.get(group.row) ?? 0, score));
      continue;
    }
    labelled.scores.push(score);
    labelled.labels.push(0);
  }
  if (!groupWeight) return;
  for (const group of groups) {
    const score = bestOfGroup.get(group) ?? 0;
    if (score <= 0) continue;
    labelled.scores.push(score);
    labelled.labels.push(groupWeight);
  }
}

/**
 * Leaves out boxes without an area, as the API does.
 * @param {Table['found']} found
 * @param {Int32Array} rows
 */
function bestFirst({ corners, score }, rows) {
  const valid = rows.filter(
    (row) =>
      corners[4 * row] < corners[4 * row + 2] &&
      corners[4 * row + 1] < corners[4 * row + 3] &&
      score[row] > -10,
  );
  const order = numpyDescending(Float64Array.from(valid, (row) => score[row]));
  return order.subarray(0, MOST).map((i) => valid[i]);
}

/**
 * The first of the rows with the highest overlap.
 * @param {Int32Array} rows
 * @param {(row: number) => number} overlapOf
 */
function bestOverlap(rows, overlapOf) {
  let best = { row: -1, overlap: -1 };
  for (const row of rows) {
    const overlap = overlapOf(row);
    if (overlap > best.overlap) best = { row, overlap };
  }
  return best;
}

/** @param {Float64Array} a @param {number} i @param {Float64Array} b @param {number} j */
function intersection(a, i, b, j) {
  const height = Math.max(0, Math.min(a[i + 3], b[j + 3]) - Math.max(a[i + 1], b[j + 1]));
  const width = Math.max(0, Math.min(a[i + 2], b[j + 2]) - Math.max(a[i], b[j]));
  return height * width;
}

/** @param {Float64Array} a @param {number} i */
function areaOf(a, i) {
  return (a[i + 3] - a[i + 1]) * (a[i + 2] - a[i]);
}

/** @param {Float64Array} a @param {number} i @param {Float64Array} b @param {number} j */
function iou(a, i, b, j) {
  const common = intersection(a, i, b, j);
  return common / (areaOf(a, i) + areaOf(b, j) - common);
}

/** The share of box i that lies in box j. @param {Float64Array} a @param {number} i @param {Float64Array} b @param {number} j */
function coveredShare(a, i, b, j) {
  return intersection(a, i, b, j) / areaOf(a, i);
}

/**
 * Precision and recall after each detection, best first.
 * @param {Labelled & {positives: number}} labelled
 */
export function precisionRecall({ scores, labels, positives }) {
  const order = numpyDescending(Float64Array.from(scores));
  const precision = new Float64Array(order.length);
  const recall = new Float64Array(order.length);
  let hits = 0;
  let misses = 0;
  for (let i = 0; i < order.length; i++) {
    const label = labels[order[i]];
    hits += label;
    if (label <= 0) misses += 1;
    precision[i] = hits / (hits + misses);
    recall[i] = hits / positives;
  }
  return { precision, recall };
}

/**
 * The area under the curve, after its dips are filled (VOC 2010).
 * @param {{precision: Float64Array, recall: Float64Array}} curve
 */
export function areaUnderCurve({ precision, recall }) {
  let area = 0;
  let highest = 0;
  for (let i = precision.length - 1; i >= 0; i--) {
    highest = Math.max(highest, precision[i]);
    area += (recall[i] - (i > 0 ? recall[i - 1] : 0)) * highest;
  }
  return area;
}

/**
 * The mean of the highest precisions at the recalls 0, 0.1 … 1 (VOC 2007).
 * @param {{precision: Float64Array, recall: Float64Array}} curve
 */
export function elevenPoints({ precision, recall }) {
  let sum = 0;
  for (let point = 0; point <= 10; point++) {
    let highest = 0;
    for (let i = 0; i < precision.length; i++)
      if (recall[i] >= point / 10 && precision[i] > highest) highest = precision[i];
    sum += highest;
  }
  return sum / 11;
}

/**
 * @param {(Labelled & {positives: number})[]} categories
 * @param {(curve: {precision: Float64Array, recall: Float64Array}) => number} average
 * @returns {{mAP: number | null, perCategory: (number | null)[]}} null: nothing to find
 */
export function averagePrecisions(categories, average) {
  const perCategory = categories.map((category) =>
    category.positives > 0 ? average(precisionRecall(category)) : null,
  );
  const known = perCategory.filter((value) => value !== null);
  return {
    mAP: known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : null,
    perCategory,
  };
}
