// What a detector finds before and after quantization, on the same images.
import { ObjectDetector } from '../vision/detector.js';

/**
 * @typedef {import('../vision/types.js').Detection} Detection
 *
 * @typedef {object} Matched
 * @property {number} found detections above the score by one of the networks
 * @property {number} matched of them, the other has too: the same class, overlapping by at least `IOU`
 *
 * @typedef {object} DetectionReport
 * @property {Matched} before the float network's detections, in the quantized one's
 * @property {Matched} after the other way round
 * @property {number} scoreDifference mean of the matched ones'
 */

const IOU = 0.8;
const SCORE = 0.4;
const MATCHING_SCORE = 0.2;
/** Codes of models that are not detectors, or of which nothing says how their heads become boxes. */
const NO_DETECTOR = ['MODEL_IS_NOT_A_DETECTOR', 'SSD_UNKNOWN'];

/**
 * @param {Uint8Array<ArrayBuffer>[]} files before and after
 * @param {import('./images.js').ImageInput[]} images
 * @param {import('../engine/engine.js').InputSpec} input
 * @returns {Promise<DetectionReport | undefined>} undefined: not a detector
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
 * @param {Uint8Array<ArrayBuffer>} model
 * @param {import('./images.js').ImageInput[]} images
 * @param {import('../engine/engine.js').InputSpec} input
 */
async function detectAll(model, images, input) {
  const options = { model, input, scoreThreshold: MATCHING_SCORE };
  const detector = await ObjectDetector.create(options).catch((error) => {
    if (!NO_DETECTOR.includes(error.code)) throw error;
  });
  if (!detector) return undefined;
  try {
    const found = [];
    for (const image of images) found.push(await detector.detect(image));
    return found;
  } finally {
    detector.close();
  }
}

/** @param {Detection[][]} some @param {Detection[][]} others */
function match(some, others) {
  const strong = some.flatMap((list, image) =>
    list.filter(({ score }) => score > SCORE).map((detection) => ({ detection, image })),
  );
  const differences = strong.flatMap(({ detection, image }) => {
    const same = others[image].filter(
      (other) => other.labelId === detection.labelId && overlap(other.box, detection.box) >= IOU,
    );
    const scores = same.map(({ score }) => Math.abs(score - detection.score));
    return scores.length > 0 ? [Math.min(...scores)] : [];
  });
  return { found: strong.length, differences };
}

/** @param {Detection['box']} a @param {Detection['box']} b */
function overlap(a, b) {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const both = Math.max(width, 0) * Math.max(height, 0);
  return both / (a.width * a.height + b.width * b.height - both);
}
