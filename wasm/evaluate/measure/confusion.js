// Which classes are taken for each other, and which images have most errors: what a user sees at one threshold. Here, and
// only here, a detection may match an object of another class.
import { countingSort } from './groups.js';
import { overlapOf } from './coco.js';

/**
 * @typedef {import('./table.js').Table} Table
 *
 * @typedef {object} Pair
 * @property {number} truth index of a category, or -1: no object is there
 * @property {number} found index of a category, or -1: the object was not found
 * @property {number} count
 *
 * @typedef {object} ImageErrors
 * @property {number} image
 * @property {number} right
 * @property {number} confused
 * @property {number} extra
 * @property {number} missed
 */

const IOU_THRESHOLD = 0.5;

/**
 * @param {Table} table
 * @param {(category: number) => number} thresholdOf detections with a score above it count
 * @returns {{pairs: Pair[], images: ImageErrors[]}} pairs: the most frequent first; images: by index
 */
export function confuse(table, thresholdOf) {
  const { truth, found, images } = table;
  const truths = countingSort(rowsWithImage(truth.image), truth.image, images.length);
  const shown = rowsWithImage(found.image).filter(
    (row) => found.score[row] > thresholdOf(found.category[row]),
  );
  const founds = countingSort(shown, found.image, images.length);
  /** @type {Map<string, Pair>} */
  const pairs = new Map();
  const add = (/** @type {number} */ of, /** @type {number} */ as) => {
    const key = `${of} ${as}`;
    const pair = pairs.get(key) ?? { truth: of, found: as, count: 0 };
    pair.count++;
    pairs.set(key, pair);
  };
  const perImage = images.map((_, image) => {
    const real = truths.rows.subarray(truths.starts[image], truths.starts[image + 1]);
    const candidates = founds.rows.subarray(founds.starts[image], founds.starts[image + 1]);
    const { matched, extra, missed } = matchImage(table, real, candidates);
    for (const { g, d } of matched) add(truth.category[g], found.category[d]);
    for (const d of extra) add(-1, found.category[d]);
    for (const g of missed) add(truth.category[g], -1);
    const right = matched.filter(({ g, d }) => truth.category[g] === found.category[d]).length;
    return { image, right, confused: matched.length - right, extra: extra.length, missed: missed.length };
  });
  return { pairs: [...pairs.values()].sort((a, b) => b.count - a.count), images: perImage };
}

/** @param {Int32Array} image by row */
function rowsWithImage(image) {
  return Int32Array.from(image.keys()).filter((row) => image[row] >= 0);
}

/**
 * Pairs objects and detections, those that overlap most first. What lies in a crowd is no error.
 * @param {Table} table
 * @param {Int32Array} real
 * @param {Int32Array} candidates
 */
export function matchImage({ truth, found }, real, candidates) {
  const iou = (/** @type {number} */ d, /** @type {number} */ g) =>
    overlapOf(found.boxes, 4 * d, truth.boxes, 4 * g, truth.crowd[g] === 1);
  const objects = Array.from(real.filter((g) => !truth.crowd[g] && !truth.groupOf[g] && !truth.difficult[g]));
  const regions = Array.from(real.filter((g) => truth.crowd[g] || truth.groupOf[g] || truth.difficult[g]));
  const options = [];
  for (const d of candidates)
    for (const g of objects) {
      const overlap = iou(d, g);
      if (overlap >= IOU_THRESHOLD) options.push({ d, g, overlap });
    }
  options.sort((a, b) => b.overlap - a.overlap || found.score[b.d] - found.score[a.d]);
  const taken = { d: new Set(), g: new Set() };
  const matched = options.filter(({ d, g }) => {
    if (taken.d.has(d) || taken.g.has(g)) return false;
    taken.d.add(d);
    taken.g.add(g);
    return true;
  });
  return {
    matched,
    extra: Array.from(candidates).filter(
      (d) =>
        !taken.d.has(d) &&
        !regions.some((g) => truth.category[g] === found.category[d] && iou(d, g) >= IOU_THRESHOLD),
    ),
    missed: objects.filter((g) => !taken.g.has(g)),
  };
}
