// COCO's average precision and recall: the numbers of pycocotools 2.0.11 for boxes.
//
//   match       for each image and category: which detection matches which annotation, at 10 thresholds and in 4 ranges
//               of area (evaluateImg)
//   accumulate  for each category: precision at 101 recalls, and the highest recall (accumulate)
//   summarize   the 12 figures (summarize)
import { forEachImage, groupRows } from './groups.js';
import { sortDescending } from './sort.js';

/**
 * @typedef {import('./table.js').Table} Table
 *
 * @typedef {object} Matches of one category, a row for each detection of at most 100 in each image, best first
 * @property {Int32Array} rows of the detections in the table
 * @property {Int32Array} rank place within its image, by score
 * @property {Uint16Array[]} hits for each range of area: bit t is 1 for a true positive at threshold t
 * @property {Uint16Array[]} ignored for each range of area: bit t is 1 if it counts neither as true nor as false
 * @property {Int32Array} partner row of the annotation that it matches at IoU 0.5, or -1
 * @property {number[]} positives for each range of area: the number of annotations to find
 * @property {Int32Array} positiveImages the image of each annotation to find, of any area
 *
 * @typedef {object} Curves of one category, for each range of area; undefined if there is nothing to find
 * @property {(Float64Array[] | undefined)[]} precision for each range of area and threshold: at 101 recalls
 * @property {(Float64Array | undefined)[][]} recall for each range of area and maximum of detections: by threshold
 *
 * @typedef {{AP: Figure, AP50: Figure, AP75: Figure, APs: Figure, APm: Figure, APl: Figure, AR1: Figure, AR10: Figure,
 *   AR100: Figure, ARs: Figure, ARm: Figure, ARl: Figure}} CocoFigures
 * @typedef {number | null} Figure null: there is nothing to find; COCO's tool prints -1
 */

/** NumPy's linspace(0.5, 0.95, 10). */
export const IOU_THRESHOLDS = Float64Array.from({ length: 10 }, (_, i) => i * ((0.95 - 0.5) / 9) + 0.5);
/** NumPy's linspace(0, 1, 101). */
export const RECALLS = Float64Array.from({ length: 101 }, (_, i) => i * 0.01);
/** all, small, medium, large; both ends belong to a range */
const AREAS = [
  [0, 1e10],
  [0, 32 ** 2],
  [32 ** 2, 96 ** 2],
  [96 ** 2, 1e10],
];
const MAX_DETECTIONS = [1, 10, 100];
const MOST = 100;
const ALL_THRESHOLDS = (1 << IOU_THRESHOLDS.length) - 1;

/**
 * @param {Table} table
 * @param {{agnostic?: boolean}} [options] agnostic: one category for all
 */
export function measureCoco(table, { agnostic = false } = {}) {
  const { truth, found, images, listedCategories } = table;
  const numCategories = agnostic ? 1 : listedCategories;
  const all = Int32Array.from(found.image.keys());
  const order = (/** @type {Int32Array} */ rows, /** @type {Table['truth'] | Table['found']} */ columns) => {
    const byCategory = groupRows(columns, rows, images.length, listedCategories);
    if (!agnostic) return byCategory;
    // COCO's tool lists the categories of an image one after the other.
    return groupRows(
      { image: columns.image, category: new Int32Array(columns.count) },
      byCategory.rows,
      images.length,
      1,
    );
  };
  const truthGroups = order(agnostic ? truth.cocoRows.agnostic : truth.cocoRows.byCategory, truth);
  const foundGroups = order(all, found);
  const matches = Array.from({ length: numCategories }, (_, k) =>
    matchCategory(
      table,
      truthGroups.rows.subarray(truthGroups.starts[k], truthGroups.starts[k + 1]),
      foundGroups.rows.subarray(foundGroups.starts[k], foundGroups.starts[k + 1]),
    ),
  );
  const curves = matches.map(accumulate);
  return {
    matches,
    curves,
    figures: summarize(curves),
    perCategory: curves.map((curve) => summarize([curve])),
  };
}

// ---- match ----

/**
 * @param {Table} table
 * @param {Int32Array} truthRows by image
 * @param {Int32Array} foundRows by image
 * @returns {Matches}
 */
function matchCategory({ truth, found }, truthRows, foundRows) {
  const count = foundRows.length;
  const matcher = new Matcher(truth, found, count);
  forEachImage(truthRows, truth.image, foundRows, found.image, (_, truths, candidates) =>
    matcher.add(truths, sortDescending(candidates, found.score).subarray(0, MOST)),
  );
  return matcher.sorted(found.score);
}

class Matcher {
  #truth;
  #found;
  #rows;
  #rank;
  #partner;
  #hits;
  #ignored;
  #count = 0;
  #positives = AREAS.map(() => 0);
  /** @type {number[]} */ #positiveImages = [];
  #ious = new Float64Array(256);

  /** @param {Table['truth']} truth @param {Table['found']} found @param {number} capacity */
  constructor(truth, found, capacity) {
    this.#truth = truth;
    this.#found = found;
    this.#rows = new Int32Array(capacity);
    this.#rank = new Int32Array(capacity);
    this.#partner = new Int32Array(capacity).fill(-1);
    this.#hits = AREAS.map(() => new Uint16Array(capacity));
    this.#ignored = AREAS.map(() => new Uint16Array(capacity));
  }

  /**
   * Adds the rows of one image.
   * @param {Int32Array} truths
   * @param {Int32Array} candidates best first
   */
  add(truths, candidates) {
    const at = this.#count;
    this.#count += candidates.length;
    for (let d = 0; d < candidates.length; d++) {
      this.#rows[at + d] = candidates[d];
      this.#rank[at + d] = d;
    }
    const near = truths.length > 0 ? this.#overlap(truths, candidates) : [];
    for (const a of AREAS.keys()) this.#addInArea(a, truths, candidates, near, at);
  }

  /**
   * Computes the IoUs [candidates, truths].
   * @param {Int32Array} truths @param {Int32Array} candidates
   * @returns {number[]} the candidates that reach the lowest threshold with any annotation
   */
  #overlap(truths, candidates) {
    const size = truths.length * candidates.length;
    if (this.#ious.length < size) this.#ious = new Float64Array(2 * size);
    const near = [];
    let at = 0;
    for (let d = 0; d < candidates.length; d++) {
      let isNear = false;
      for (let g = 0; g < truths.length; g++, at++) {
        const row = truths[g];
        const crowd = this.#truth.crowd[row] === 1;
        const iou = overlapOf(this.#found.boxes, 4 * candidates[d], this.#truth.boxes, 4 * row, crowd);
        this.#ious[at] = iou;
        if (iou >= IOU_THRESHOLDS[0]) isNear = true;
      }
      if (isNear) near.push(d);
    }
    return near;
  }

  /**
   * @param {number} a
   * @param {Int32Array} truths
   * @param {Int32Array} candidates
   * @param {number[]} near
   * @param {number} at
   */
  #addInArea(a, truths, candidates, near, at) {
    const [least, most] = AREAS[a];
    const isOutside = (/** @type {number} */ area) => area < least || area > most;
    const { crowd, area } = this.#truth;
    const ignored = Array.from(truths, (row) => crowd[row] === 1 || isOutside(area[row]));
    const order = [...ignored.keys()].sort((i, j) => Number(ignored[i]) - Number(ignored[j]));
    for (const [g, row] of truths.entries()) {
      if (ignored[g]) continue;
      this.#positives[a]++;
      if (a === 0) this.#positiveImages.push(this.#truth.image[row]);
    }
    const matched = this.#match(a, order, ignored, truths, near, at);
    for (let d = 0; d < candidates.length; d++) {
      if (!isOutside(this.#found.area[candidates[d]])) continue;
      this.#ignored[a][at + d] |= ALL_THRESHOLDS & ~(matched.get(d) ?? 0);
    }
  }

  /**
   * @param {number} a
   * @param {number[]} order of the annotations: ignored ones last
   * @param {boolean[]} ignored
   * @param {Int32Array} truths
   * @param {number[]} near
   * @param {number} at
   * @returns {Map<number, number>} for each candidate: bit t is 1 if it matches at threshold t
   */
  #match(a, order, ignored, truths, near, at) {
    /** @type {Map<number, number>} */
    const matched = new Map();
    if (near.length === 0) return matched;
    for (let t = 0; t < IOU_THRESHOLDS.length; t++) {
      const taken = new Uint8Array(truths.length);
      for (const d of near) {
        const g = this.#bestFor(d, t, order, ignored, truths, taken);
        if (g < 0) continue;
        taken[g] = 1;
        if (t === 0 && a === 0) this.#partner[at + d] = truths[g];
        if (ignored[g]) this.#ignored[a][at + d] |= 1 << t;
        // COCO's tool keeps the id of the match, and takes 0 for none.
        if (this.#truth.hasIdZero[truths[g]]) continue;
        matched.set(d, (matched.get(d) ?? 0) | (1 << t));
        if (!ignored[g]) this.#hits[a][at + d] |= 1 << t;
      }
    }
    return matched;
  }

  /**
   * @param {number} d
   * @param {number} t
   * @param {number[]} order
   * @param {boolean[]} ignored
   * @param {Int32Array} truths
   * @param {Uint8Array} taken
   * @returns {number} -1: none reaches the threshold
   */
  #bestFor(d, t, order, ignored, truths, taken) {
    let least = IOU_THRESHOLDS[t];
    let best = -1;
    for (const g of order) {
      if (taken[g] && !this.#truth.crowd[truths[g]]) continue;
      if (best >= 0 && !ignored[best] && ignored[g]) break;
      const iou = this.#ious[d * truths.length + g];
      if (iou < least) continue;
      least = iou;
      best = g;
    }
    return best;
  }

  /** @param {Float64Array} score by row @returns {Matches} best first over all images */
  sorted(score) {
    const count = this.#count;
    const scores = new Float64Array(count);
    for (let i = 0; i < count; i++) scores[i] = score[this.#rows[i]];
    const order = sortDescending(Int32Array.from(scores.keys()), scores);
    /** @template {Int32Array | Uint16Array} T @param {T} column @param {T} target */
    const take = (column, target) => {
      for (let i = 0; i < count; i++) target[i] = column[order[i]];
      return target;
    };
    return {
      rows: take(this.#rows, new Int32Array(count)),
      rank: take(this.#rank, new Int32Array(count)),
      partner: take(this.#partner, new Int32Array(count)),
      hits: this.#hits.map((column) => take(column, new Uint16Array(count))),
      ignored: this.#ignored.map((column) => take(column, new Uint16Array(count))),
      positives: this.#positives,
      positiveImages: Int32Array.from(this.#positiveImages),
    };
  }
}

/**
 * Intersection over union; for a crowd, over the area of the detection. The order of the operations is that of
 * pycocotools.
 * @param {Float64Array} found @param {number} d where the detection's box starts
 * @param {Float64Array} truth @param {number} g where the annotation's box starts
 * @param {boolean} crowd
 */
export function overlapOf(found, d, truth, g, crowd) {
  const width = Math.min(found[d + 2] + found[d], truth[g + 2] + truth[g]) - Math.max(found[d], truth[g]);
  if (width <= 0) return 0;
  const height =
    Math.min(found[d + 3] + found[d + 1], truth[g + 3] + truth[g + 1]) - Math.max(found[d + 1], truth[g + 1]);
  if (height <= 0) return 0;
  const common = width * height;
  const area = found[d + 2] * found[d + 3];
  return common / (crowd ? area : area + truth[g + 2] * truth[g + 3] - common);
}

// ---- accumulate ----

/** @param {Matches} matches @returns {Curves} */
function accumulate(matches) {
  const { positives } = matches;
  return {
    precision: AREAS.map((_, a) =>
      positives[a] > 0
        ? Array.from(IOU_THRESHOLDS, (_, t) => precisionAtRecalls(hitsOf(matches, a, t), positives[a]))
        : undefined,
    ),
    recall: AREAS.map((_, a) =>
      MAX_DETECTIONS.map((most) => (positives[a] > 0 ? recallsOf(matches, a, most) : undefined)),
    ),
  };
}

/**
 * The precision at each true positive.
 * @param {Matches} matches @param {number} a @param {number} t
 */
function hitsOf({ hits, ignored }, a, t) {
  const bit = 1 << t;
  const [hit, skip] = [hits[a], ignored[a]];
  /** @type {number[]} */
  const precisions = [];
  let right = 0;
  let wrong = 0;
  for (let i = 0; i < hit.length; i++) {
    if (hit[i] & bit) {
      right++;
      precisions.push(right / (wrong + right + Number.EPSILON));
    } else if (!(skip[i] & bit)) wrong++;
  }
  return precisions;
}

/**
 * The highest precision at each of COCO's recalls or a higher recall. Between two true positives precision only falls,
 * so that those at true positives suffice.
 * @param {number[]} precisions at each true positive; changed
 * @param {number} positives
 * @param {Float64Array} [recalls]
 */
export function precisionAtRecalls(precisions, positives, recalls = RECALLS) {
  for (let i = precisions.length - 1; i > 0; i--)
    if (precisions[i] > precisions[i - 1]) precisions[i - 1] = precisions[i];
  const curve = new Float64Array(recalls.length);
  let found = 0;
  for (let i = 0; i < curve.length; i++) {
    while (found < precisions.length && (found + 1) / positives < recalls[i]) found++;
    if (found === precisions.length) break;
    curve[i] = precisions[found];
  }
  return curve;
}

/**
 * The share that is found at each threshold with at most `most` detections in each image.
 * @param {Matches} matches @param {number} a @param {number} most
 */
function recallsOf({ hits, rank, positives }, a, most) {
  const counts = new Float64Array(IOU_THRESHOLDS.length);
  for (let i = 0; i < rank.length; i++) {
    if (rank[i] >= most || hits[a][i] === 0) continue;
    for (let t = 0; t < counts.length; t++) counts[t] += (hits[a][i] >> t) & 1;
  }
  return counts.map((count) => count / positives[a]);
}

// ---- summarize ----

/** @param {Curves[]} curves @returns {CocoFigures} */
function summarize(curves) {
  const precision = (/** @type {number} */ a, /** @type {number | undefined} */ t) =>
    meanOf(
      curves.map(
        (curve) => (t === undefined ? curve.precision[a] : curve.precision[a]?.slice(t, t + 1)) ?? [],
      ),
    );
  const recall = (/** @type {number} */ a, /** @type {number} */ m) =>
    meanOf(curves.map(({ recall: of }) => (of[a][m] ? [of[a][m]] : [])));
  const [at50, at75] = [0, 5];
  const most = MAX_DETECTIONS.length - 1;
  return {
    AP: precision(0, undefined),
    AP50: precision(0, at50),
    AP75: precision(0, at75),
    APs: precision(1, undefined),
    APm: precision(2, undefined),
    APl: precision(3, undefined),
    AR1: recall(0, 0),
    AR10: recall(0, 1),
    AR100: recall(0, most),
    ARs: recall(1, most),
    ARm: recall(2, most),
    ARl: recall(3, most),
  };
}

/** @param {Float64Array[][]} lists of the categories */
function meanOf(lists) {
  let sum = 0;
  let count = 0;
  for (const values of lists.flat()) {
    for (const value of values) sum += value;
    count += values.length;
  }
  return count > 0 ? sum / count : null;
}
