// Raw heads -> detections, for the engines that stop at the heads. Anchors as in ssd_anchor_generator of TensorFlow's
// Object Detection API; box decoding and NMS as in SSD (Liu et al. 2016).
const MAP_SIDES = [19, 10, 5, 3, 2, 1];
const RATIOS = [1, 2, 1 / 2, 3, 1 / 3];
const [MIN_SCALE, MAX_SCALE] = [0.2, 0.95];
const NUM_COLUMNS = 24; // background first
const THRESHOLDS = { score: 0.3, iou: 0.6 };

/** @typedef {{column: number, score: number, box: number[]}} Detection box: ymin, xmin, ymax, xmax in [0, 1] */

/** Anchors [1917, 4]: y centre, x centre, height, width. Call it while the model downloads. */
export function makeAnchors() {
  const scales = MAP_SIDES.map((_, i) => MIN_SCALE + ((MAX_SCALE - MIN_SCALE) * i) / (MAP_SIDES.length - 1));
  const anchors = new Float32Array(4 * 1917);
  let at = 0;
  MAP_SIDES.forEach((side, i) => {
    const between = Math.sqrt(scales[i] * (scales[i + 1] ?? 1));
    const lowest = [[0.1, 1], ...[2, 1 / 2].map((ratio) => [scales[i], ratio])];
    const shapes = i === 0 ? lowest : [...RATIOS.map((ratio) => [scales[i], ratio]), [between, 1]];
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        for (const [scale, ratio] of shapes) {
          anchors[at++] = (y + 0.5) / side;
          anchors[at++] = (x + 0.5) / side;
          anchors[at++] = scale / Math.sqrt(ratio);
          anchors[at++] = scale * Math.sqrt(ratio);
        }
      }
    }
  });
  return anchors;
}

/**
 * @param {Float32Array} anchor
 * @param {Float32Array} encoding
 */
function decode([y, x, height, width], [ty, tx, th, tw]) {
  const [centreY, centreX] = [y + (ty / 10) * height, x + (tx / 10) * width];
  const [halfHeight, halfWidth] = [(Math.exp(th / 5) * height) / 2, (Math.exp(tw / 5) * width) / 2];
  return [centreY - halfHeight, centreX - halfWidth, centreY + halfHeight, centreX + halfWidth];
}

/** @param {number[]} a @param {number[]} b */
function iou(a, b) {
  const height = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]));
  const width = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const area = (/** @type {number[]} */ box) => (box[2] - box[0]) * (box[3] - box[1]);
  return (height * width) / (area(a) + area(b) - height * width);
}

/**
 * @param {Float32Array} anchors
 * @param {readonly Float32Array[]} heads box encodings [1917, 4] and class logits [1917, 24], in any order
 * @returns {Detection[]} best first
 */
export function detect(anchors, heads) {
  const [encodings, logits] = heads[0].length < heads[1].length ? heads : [heads[1], heads[0]];
  const minLogit = Math.log(THRESHOLDS.score / (1 - THRESHOLDS.score));
  /** @type {Detection[]} */
  const candidates = [];
  for (let i = 0; i < logits.length; i++) {
    if (logits[i] < minLogit || i % NUM_COLUMNS === 0) continue;
    const at = 4 * Math.floor(i / NUM_COLUMNS);
    const box = decode(anchors.subarray(at, at + 4), encodings.subarray(at, at + 4));
    candidates.push({ column: i % NUM_COLUMNS, score: 1 / (1 + Math.exp(-logits[i])), box });
  }
  candidates.sort((a, b) => b.score - a.score);
  /** @type {Detection[]} */
  const kept = [];
  for (const candidate of candidates)
    if (
      !kept.some(({ column, box }) => column === candidate.column && iou(box, candidate.box) > THRESHOLDS.iou)
    )
      kept.push(candidate);
  return kept;
}
