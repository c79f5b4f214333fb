// How far AP would differ on other images of the same kind: the images are drawn again and again, with replacement, and the
// middle 95 % of the APs are the interval. Images that are drawn several times raise AP a little, so that the interval is
// moved: the mean of the drawn APs becomes the AP of the data set. The interval of the best threshold is not moved.
import { IOU_THRESHOLDS, RECALLS } from './coco.js';
import { bestThreshold } from './scores.js';

/**
 * @typedef {import('./coco.js').Matches} Matches
 * @typedef {import('./scores.js').Scored} Scored
 * @typedef {[low: number, high: number] | null} Interval null: nothing to find
 */

const CONFIDENCE = 0.95;

/**
 * @param {Matches[]} categories
 * @param {Scored} scored the detections of all categories
 * @param {Int32Array} imageOf by row of a detection
 * @param {number} numImages
 * @param {{samples: number, seed: number}} options
 * @returns {{AP: Interval, AP50: Interval, threshold: Interval, perCategory: Interval[], draws: (number | null)[]}}
 *   threshold: the one with the best F1; draws: the AP of each
 */
export function bootstrap(categories, scored, imageOf, numImages, { samples, seed }) {
  const random = mulberry32(seed);
  const scoredImage = scored.row.map((row) => imageOf[row]);
  const columns = categories.map((matches) => ({
    ...matches,
    image: matches.rows.map((row) => imageOf[row]),
  }));
  /** @type {{AP: number[], AP50: number[], threshold: number[], perCategory: number[][]}} */
  const found = { AP: [], AP50: [], threshold: [], perCategory: categories.map(() => []) };
  /** @type {(number | null)[]} */
  const draws = [];
  const weights = new Int32Array(numImages).fill(1);
  const single = columns.map((category) => weightedAp(category, weights));
  const whole = averageOf(single);
  for (let sample = 0; sample < samples; sample++) {
    weights.fill(0);
    for (let i = 0; i < numImages; i++) weights[Math.floor(random() * numImages)]++;
    const aps = columns.map((category) => weightedAp(category, weights));
    const average = averageOf(aps);
    draws.push(average?.AP ?? null);
    if (!average) continue;
    aps.forEach((ap, k) => ap && found.perCategory[k].push(ap.AP));
    found.AP.push(average.AP);
    found.AP50.push(average.AP50);
    const positives = columns.reduce((sum, category) => sum + positivesOf(category, weights), 0);
    const best = bestThreshold(
      scored,
      positives,
      scoredImage.map((image) => weights[image]),
    );
    if (best) found.threshold.push(best.threshold);
  }
  return {
    AP: interval(found.AP, whole?.AP),
    AP50: interval(found.AP50, whole?.AP50),
    threshold: middleOf(found.threshold),
    perCategory: found.perCategory.map((aps, k) => interval(aps, single[k]?.AP)),
    draws,
  };
}

/**
 * How far the difference of two APs would differ: narrower than the intervals of both, because both are drawn on the same
 * images.
 * @param {{AP: number | null, draws: (number | null)[]}} a
 * @param {{AP: number | null, draws: (number | null)[]}} b drawn with the same seed from the same images
 * @returns {Interval} of b - a
 */
export function differenceOf(a, b) {
  if (a.AP === null || b.AP === null) return null;
  const differences = a.draws.flatMap((draw, i) => {
    const other = b.draws[i];
    return draw === null || other === null || other === undefined ? [] : [other - draw];
  });
  return interval(differences, b.AP - a.AP, [-1, 1]);
}

/** @param {({AP: number, AP50: number} | undefined)[]} aps of the categories; undefined: nothing to find */
function averageOf(aps) {
  const known = aps.filter((ap) => ap !== undefined);
  if (known.length === 0) return undefined;
  return { AP: mean(known.map(({ AP }) => AP)), AP50: mean(known.map(({ AP50 }) => AP50)) };
}

/**
 * COCO's AP if each image stood in the data set as often as its weight says.
 * @param {Matches & {image: Int32Array}} category
 * @param {Int32Array} weights by image
 */
export function weightedAp({ hits: [hits], ignored: [ignored], image, ...category }, weights) {
  const positives = positivesOf(category, weights);
  if (positives === 0) return undefined;
  const aps = Array.from(IOU_THRESHOLDS, (_, t) => {
    const bit = 1 << t;
    /** @type {number[]} */
    const precisions = [];
    /** @type {number[]} */
    const recalls = [];
    let right = 0;
    let wrong = 0;
    for (let i = 0; i < hits.length; i++) {
      const weight = weights[image[i]];
      if (weight === 0) continue;
      if (hits[i] & bit) {
        right += weight;
        precisions.push(right / (right + wrong + Number.EPSILON));
        recalls.push(right / positives);
      } else if (!(ignored[i] & bit)) wrong += weight;
    }
    return meanPrecision(precisions, recalls);
  });
  return { AP: mean(aps), AP50: aps[0] };
}

/** @param {Pick<Matches, 'positiveImages'>} category @param {Int32Array} weights by image */
function positivesOf({ positiveImages }, weights) {
  let positives = 0;
  for (const at of positiveImages) positives += weights[at];
  return positives;
}

/**
 * @param {number[]} precisions at each true positive
 * @param {number[]} recalls
 */
function meanPrecision(precisions, recalls) {
  for (let i = precisions.length - 1; i > 0; i--)
    if (precisions[i] > precisions[i - 1]) precisions[i - 1] = precisions[i];
  let sum = 0;
  let at = 0;
  for (const recall of RECALLS) {
    while (at < recalls.length && recalls[at] < recall) at++;
    if (at === recalls.length) break;
    sum += precisions[at];
  }
  return sum / RECALLS.length;
}

/**
 * @param {number[]} values
 * @param {number} [whole] where their mean is moved
 * @param {[least: number, most: number]} [range]
 * @returns {Interval}
 */
function interval(values, whole, [least, most] = [0, 1]) {
  if (values.length === 0 || whole === undefined) return null;
  const shift = whole - mean(values);
  return middleOf(values.map((value) => Math.max(least, Math.min(most, value + shift))));
}

/** The middle 95 %. @param {number[]} values @returns {Interval} */
function middleOf(values) {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const tail = (1 - CONFIDENCE) / 2;
  const at = (/** @type {number} */ share) =>
    sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)];
  return [at(tail), at(1 - tail)];
}

/** @param {number[]} values */
function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Random numbers from 0 to 1 (Tommy Ettinger's mulberry32). @param {number} seed */
function mulberry32(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
