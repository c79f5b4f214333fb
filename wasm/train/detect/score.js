// The predictions of a batch -> detections -> AP, to follow a training. Suppression is per class, as in detect().
import { evaluateDetections } from '../../evaluate/evaluate.js';

/**
 * @typedef {import('./examples.js').Target} Target
 * @typedef {{label: number, score: number, box: number[]}} Found score: a logit; box: ymin, xmin, ymax, xmax
 */

const MOST_PER_CLASS = 100;
const IOU = 0.6;
/** Anchors of a class that are looked at; the rest scores lower. */
const MOST_CANDIDATES = 400;

/**
 * @param {{boxes: Float32Array, logits: Float32Array}} predictions of one image: [anchors, 4] and [anchors, columns]
 * @param {number} columns
 * @param {number[]} wanted the columns of the classes to find, by class
 * @returns {Found[]}
 */
export function suppress({ boxes, logits }, columns, wanted) {
  return wanted.flatMap((column, label) => {
    const scores = Array.from({ length: boxes.length / 4 }, (_, i) => logits[i * columns + column]);
    const order = scores.map((_, i) => i).sort((a, b) => scores[b] - scores[a] || a - b);
    /** @type {Found[]} */
    const kept = [];
    for (const i of order.slice(0, MOST_CANDIDATES)) {
      const box = Array.from(boxes.subarray(4 * i, 4 * i + 4), (value) => Math.min(Math.max(value, 0), 1));
      if (kept.length === MOST_PER_CLASS) break;
      if (box[2] <= box[0] || box[3] <= box[1] || kept.some((other) => overlap(box, other.box) > IOU))
        continue;
      kept.push({ label, score: scores[i], box });
    }
    return kept;
  });
}

/** @param {number[]} a @param {number[]} b */
function overlap(a, b) {
  const high = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const wide = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (high <= 0 || wide <= 0) return 0;
  const area = (/** @type {number[]} */ box) => (box[2] - box[0]) * (box[3] - box[1]);
  return (high * wide) / (area(a) + area(b) - high * wide);
}

/** The side of the square that COCO's area ranges see; AP and AP50 do not depend on it. */
const SIDE = 1000;

/**
 * @param {{targets: readonly Target[], found: Found[]}[]} images
 * @param {readonly string[]} labels
 * @returns {{AP: number, AP50: number}} 0 to 1
 */
export function averagePrecision(images, labels) {
  const toBox = (/** @type {readonly number[]} */ [ymin, xmin, ymax, xmax]) =>
    [xmin, ymin, xmax - xmin, ymax - ymin].map((value) => value * SIDE);
  const groundTruth = {
    images: images.map((_, id) => ({ id, width: SIDE, height: SIDE })),
    categories: labels.map((name, id) => ({ id, name })),
    annotations: images.flatMap(({ targets }, image) =>
      targets.map(({ label, box, ignore }) => ({
        image_id: image,
        category_id: label,
        bbox: toBox(box),
        iscrowd: ignore,
      })),
    ),
  };
  const detections = images.flatMap(({ found }, image) =>
    found.map(({ label, score, box }) => ({ image_id: image, category_id: label, bbox: toBox(box), score })),
  );
  const { coco } = evaluateDetections(groundTruth, detections, { measures: [] });
  return { AP: coco.AP ?? 0, AP50: coco.AP50 ?? 0 };
}
