// Detections of overlapping tiles and of the whole picture -> each object once. Follows PyPI's `sahi` 0.12, number for
// number: pairs are chosen by overlaps in float32, and boxes are joined in float64.

/**
 * @typedef {'greedy' | 'suppress'} Merge
 *
 * @typedef {object} Mergeable
 * @property {number} labelId
 * @property {number} score
 * @property {{x: number, y: number, width: number, height: number}} box
 *
 * @typedef {object} MergeOptions
 * @property {Merge} merge
 * @property {number} threshold
 * @property {boolean} classAgnostic
 *
 * @typedef {[left: number, top: number, right: number, bottom: number]} Corners
 */

const { fround } = Math;

/**
 * @template {Mergeable} T
 * @param {readonly T[]} detections
 * @param {MergeOptions} options `greedy`: a box takes in those that share more than the threshold with the smaller of the
 *   two; `suppress`: a box drops those whose intersection over union with it is as high
 * @returns {T[]} best first
 */
export function mergeDetections(detections, { merge, threshold, classAgnostic }) {
  const groups = classAgnostic ? [[...detections]] : groupByClass(detections);
  const share = merge === 'greedy' ? overSmaller : overUnion;
  const kept = groups.flatMap((group) => {
    const boxes = group.map(cornersOf);
    const rounded = boxes.map((corners) => /** @type {Corners} */ (corners.map(fround)));
    const order = orderOf(group, rounded);
    return order.flatMap((keeper, i) => {
      if (keeper < 0) return [];
      const taken = takeAlike(order, i, (a, b) => share(rounded[a], rounded[b], fround) >= fround(threshold));
      if (merge === 'suppress') return [group[keeper]];
      return [join(group, boxes, [keeper, ...taken], threshold)];
    });
  });
  return kept.sort((a, b) => b.score - a.score);
}

/**
 * @template {Mergeable} T
 * @param {readonly T[]} detections
 * @returns {T[][]} by class number
 */
function groupByClass(detections) {
  const classes = [...new Set(detections.map(({ labelId }) => labelId))].sort((a, b) => a - b);
  return classes.map((id) => detections.filter(({ labelId }) => labelId === id));
}

/** @param {Mergeable} detection @returns {Corners} */
function cornersOf({ box: { x, y, width, height } }) {
  return [x, y, x + width, y + height];
}

/**
 * Indices by score; of those alike, by their boxes.
 * @param {readonly Mergeable[]} group
 * @param {readonly Corners[]} boxes
 */
function orderOf(group, boxes) {
  return group
    .map((_, index) => index)
    .sort((a, b) => {
      const byScore = fround(group[b].score) - fround(group[a].score);
      if (byScore !== 0) return byScore;
      const side = boxes[a].findIndex((value, i) => value !== boxes[b][i]);
      return side < 0 ? 0 : boxes[a][side] - boxes[b][side];
    });
}

/**
 * Takes what is like `order[at]` out of the rest of the order.
 * @param {number[]} order -1: taken before
 * @param {number} at
 * @param {(a: number, b: number) => boolean} isAlike
 */
function takeAlike(order, at, isAlike) {
  const taken = [];
  for (let i = at + 1; i < order.length; i++) {
    if (order[i] < 0 || !isAlike(order[at], order[i])) continue;
    taken.push(order[i]);
    order[i] = -1;
  }
  return taken;
}

/**
 * @template {Mergeable} T
 * @param {readonly T[]} group
 * @param {readonly Corners[]} boxes
 * @param {number[]} indices the best first
 * @param {number} threshold
 * @returns {T}
 */
function join(group, boxes, [first, ...others], threshold) {
  let corners = boxes[first];
  let best = group[first];
  for (const index of others) {
    const next = boxes[index];
    if (!(overSmaller(corners, next, Number) > threshold)) continue;
    corners = [
      Math.min(corners[0], next[0]),
      Math.min(corners[1], next[1]),
      Math.max(corners[2], next[2]),
      Math.max(corners[3], next[3]),
    ];
    if (!(best.score > group[index].score)) best = group[index];
  }
  if (corners === boxes[first]) return best;
  const [x, y, right, bottom] = corners;
  return { ...best, box: { x, y, width: right - x, height: bottom - y } };
}

/**
 * @param {Corners} a
 * @param {Corners} b
 * @param {(value: number) => number} round
 */
function shared(a, b, round) {
  const width = Math.max(0, round(Math.min(a[2], b[2]) - Math.max(a[0], b[0])));
  const height = Math.max(0, round(Math.min(a[3], b[3]) - Math.max(a[1], b[1])));
  return round(width * height);
}

/** @param {Corners} corners @param {(value: number) => number} round */
const areaOf = (corners, round) => round(round(corners[2] - corners[0]) * round(corners[3] - corners[1]));

/** @param {Corners} a @param {Corners} b @param {(value: number) => number} round */
function overSmaller(a, b, round) {
  const smaller = Math.min(areaOf(a, round), areaOf(b, round));
  return smaller > 0 ? round(shared(a, b, round) / smaller) : 0;
}

/** @param {Corners} a @param {Corners} b @param {(value: number) => number} round */
function overUnion(a, b, round) {
  const common = shared(a, b, round);
  const union = round(round(areaOf(a, round) + areaOf(b, round)) - common);
  return union > 0 ? round(common / union) : 0;
}
