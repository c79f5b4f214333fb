// Compares the detections of the float and the quantized detector on the same images.
import { ObjectDetector } from '../vision/detector.js';

/**
 * @typedef {import('../vision/types.js').Detection} Detection
 *
 * @typedef {{model: Uint8Array<ArrayBuffer>, signature?: string}} File
 *
 * @typedef {object} Matched
 * @property {number} found detections of one network with a score above `SCORE`
 * @property {number} matched how many of them the other network has too: the same class and an IoU of at least `IOU`
 *
 * @typedef {object} DetectionReport
 * @property {Matched} before the float network's detections, matched in the quantized network's
 * @property {Matched} after the quantized network's detections, matched in the float network's
 * @property {number} scoreDifference mean absolute score difference of matched detections
 */

const IOU = 0.8;
const SCORE = 0.4;
/** Matches may have a lower score, so that a score near SCORE is not counted as lost. */
const MATCHING_SCORE = 0.2;
/** Error codes of models that cannot be opened as a detector: other models, or heads without decoding settings. */
const NO_DETECTOR = ['MODEL_IS_NOT_A_DETECTOR', 'SSD_UNKNOWN'];

/**
 * @param {File[]} files the float and the quantized .tflite file
 * @param {import('./images.js').ImageInput[]} images
 * @param {import('../engine/engine.js').InputSpec} input
 * @returns {Promise<DetectionReport | undefined>} undefined if the model is not a detector
 */
export async function compareDetections([before, after], images, input) {
  const [a, b] = [await detectAll(before, images, input), await detectAll(after, images, input)];
  if (!a || !b) return undefined;
  const forward = match(a, b);
  const backward = match(b, a);
  const differences = [...forward.differences, ...backward.differences];
  return {
    before: { found: forward.found, matched: forward.differences.length },
    after: { found: backward.found, matched: backward.differences.length },
    scoreDifference: differences.reduce((sum, value) => sum + value, 0) / Math.max(differences.length, 1),
  };
}

/**
 * @param {File} file
 * @param {import('./images.js').ImageInput[]} images
 * @param {import('../engine/engine.js').InputSpec} input
 * @returns {Promise<Detection[][] | undefined>} for each image; undefined if the model is not a detector
 */
async function detectAll(file, images, input) {
  const options = { ...file, input, scoreThreshold: MATCHING_SCORE };
  const detector = await ObjectDetector.create(options).catch((error) => {
    if (!NO_DETECTOR.includes(error.code)) throw error;
  });
  if (!detector) return undefined;
  try {
    const found = [];
    for (const image of images) found.push((await detector.detect(image)).detections);
    return found;
  } finally {
    detector.close();
  }
}

/**
 * Counts the detections above SCORE, and gives the score difference of each that `others` has too.
 * @param {Detection[][]} some by image
 * @param {Detection[][]} others by image
 */
function match(some, others) {
  const strong = some.flatMap((list, image) =>
    list.filter(({ score }) => score > SCORE).map((detection) => ({ detection, image })),
  );
  const differences = strong.flatMap(({ detection, image }) => {
    const same = others[image].filter(
      (other) => other.labelId === detection.labelId && iou(other.box, detection.box) >= IOU,
    );
    const scores = same.map(({ score }) => Math.abs(score - detection.score));
    return scores.length > 0 ? [Math.min(...scores)] : [];
  });
  return { found: strong.length, differences };
}

/** @param {Detection['box']} a @param {Detection['box']} b */
function iou(a, b) {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const intersection = Math.max(width, 0) * Math.max(height, 0);
  return intersection / (a.width * a.height + b.width * b.height - intersection);
}
