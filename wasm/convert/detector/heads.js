// The raw heads of a detector, and what becomes of them: anchors and box coder are found by asking the decoding part of
// the graph what it makes of known encodings, so that however it is written does not matter.
import { convertFailure } from '../errors.js';
import { evaluate } from '../graph/kernels.js';
import { inOrder } from '../graph/simplify.js';
import { sizeOf } from '../../shared/numbers.js';

/**
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('../graph/graph.js').Ref} Ref
 * @typedef {import('../graph/facts.js').Facts} Facts
 * @typedef {import('../../tflite/tensor.js').Tensor} Tensor
 *
 * @typedef {object} Heads
 * @property {Ref} boxes encodings [1, N, 4]: ty, tx, th, tw
 * @property {Ref} scores [1, N, C]
 * @property {Float32Array} anchors [N, 4]: y centre, x centre, height, width
 * @property {number[]} boxCoder scales of ty, tx, th, tw
 * @property {'sigmoid' | 'softmax' | 'none'} converter
 * @property {boolean} background whether the first column of the scores is the background
 * @property {number} numClasses without background
 */

const BACKWARD = new Set([
  ...[
    'Mul',
    'RealDiv',
    'Minimum',
    'Maximum',
    'Unpack',
    'Transpose',
    'Reshape',
    'Squeeze',
    'Split',
    'StridedSlice',
    'Slice',
    'ExpandDims',
  ],
]);
const FORWARD = new Set(['Mul', 'RealDiv', 'Reshape', 'Squeeze', 'ExpandDims', 'AddV2', 'Add', 'Sub']);
const MAX_HOPS = 64;

/**
 * @param {Ref[]} outputs
 * @param {Facts} facts
 * @returns {Heads}
 */
export function readHeads(outputs, facts) {
  const nodes = inOrder(outputs);
  const exps = nodes.filter(({ op, inputs }) => op === 'Exp' && !facts.value(inputs[0]));
  for (const exp of exps) {
    const boxes = findEncodings(exp, facts);
    const decoded =
      boxes && findDecoded(exp, nodes, facts, sizeOf(/** @type {number[]} */ (facts.shape(boxes))));
    if (!decoded) continue;
    const coder = readCoder(boxes, decoded, facts);
    return { boxes, ...coder, ...readScores(boxes, coder.anchors.length / 4, nodes, facts) };
  }
  throw convertFailure('DETECTOR_NOT_UNDERSTOOD', 'no decoding of boxes was found');
}

/** @param {number[] | undefined} shape */
function isBoxes(shape) {
  return (
    shape !== undefined &&
    shape.length >= 2 &&
    shape.at(-1) === 4 &&
    shape.every((size) => size > 0) &&
    sizeOf(shape) > 4
  );
}

/**
 * Back from the exponential of a height or width to the encodings of all anchors.
 * @param {Node} exp
 * @param {Facts} facts
 */
function findEncodings(exp, facts) {
  /** @type {Ref | undefined} */
  let found;
  let ref = exp.inputs[0];
  for (let hops = 0; hops < MAX_HOPS; hops++) {
    const shape = facts.shape(ref);
    if (isBoxes(shape) && (shape?.length === 3 || !found)) found = ref;
    if (!BACKWARD.has(ref.node.op)) break;
    const next = ref.node.inputs.find((input) => !facts.value(input));
    if (!next) break;
    ref = next;
  }
  return found;
}

/**
 * The first value after the exponential that holds four numbers for each anchor.
 * @param {Node} exp
 * @param {Node[]} nodes
 * @param {Facts} facts
 * @param {number} size
 */
function findDecoded(exp, nodes, facts, size) {
  const after = new Set([exp]);
  for (const node of nodes) {
    if (!node.inputs.some((input) => after.has(input.node))) continue;
    after.add(node);
    const ref = { node, index: 0 };
    const shape = facts.shape(ref);
    if (isBoxes(shape) && sizeOf(/** @type {number[]} */ (shape)) === size) return ref;
  }
  return undefined;
}

/**
 * What the decoding makes of encodings that are the same for all anchors.
 * @param {Ref} boxes
 * @param {Ref} decoded
 * @param {Facts} facts
 * @param {number[]} encoding
 */
function decodeAll(boxes, decoded, facts, encoding) {
  const shape = /** @type {number[]} */ (facts.shape(boxes));
  const data = Float64Array.from({ length: sizeOf(shape) }, (_, i) => encoding[i % 4]);
  /** @type {Map<Node, Tensor[]>} */
  const known = new Map();
  /** @param {Ref} ref @returns {Tensor} */
  const value = (ref) => {
    if (ref.node === boxes.node) return { dtype: 'float32', shape, data };
    const constant = facts.value(ref);
    if (constant) return constant;
    const outputs = known.get(ref.node) ?? evaluate(ref.node, ref.node.inputs.map(value));
    if (!outputs)
      throw convertFailure(
        'DETECTOR_NOT_UNDERSTOOD',
        `${ref.node.op} at '${ref.node.name}' in the decoding of boxes`,
      );
    known.set(ref.node, outputs);
    return outputs[ref.index];
  };
  return value(decoded).data;
}

/**
 * @param {Ref} boxes
 * @param {Ref} decoded
 * @param {Facts} facts
 */
function readCoder(boxes, decoded, facts) {
  const resting = toCenters(decodeAll(boxes, decoded, facts, [0, 0, 0, 0]));
  const moved = [0, 1, 2, 3].map((k) =>
    toCenters(
      decodeAll(
        boxes,
        decoded,
        facts,
        [0, 1, 2, 3].map((i) => Number(i === k)),
      ),
    ),
  );
  const boxCoder = moved.map((boxesMoved, k) => {
    const scales = [];
    for (let i = 0; i < resting.length; i += 4) {
      const side = resting[i + 2 + (k % 2)];
      const change = k < 2 ? (boxesMoved[i + k] - resting[i + k]) / side : Math.log(boxesMoved[i + k] / side);
      scales.push(1 / change);
    }
    return agreed(scales, k);
  });
  return { anchors: Float32Array.from(resting), boxCoder };
}

/** ymin, xmin, ymax, xmax -> y centre, x centre, height, width. @param {ArrayLike<number>} corners */
function toCenters(corners) {
  const centers = new Float64Array(corners.length);
  for (let i = 0; i < corners.length; i += 4) {
    for (let d = 0; d < 2; d++) {
      centers[i + d] = (corners[i + d] + corners[i + 2 + d]) / 2;
      centers[i + 2 + d] = corners[i + 2 + d] - corners[i + d];
    }
  }
  return centers;
}

/**
 * One scale for all anchors; what is a round number but for rounding is that number.
 * @param {number[]} scales
 * @param {number} k
 */
function agreed(scales, k) {
  const sorted = scales.toSorted((a, b) => a - b);
  const median = sorted[sorted.length >> 1];
  const isAgreed =
    median > 0 &&
    Math.abs(sorted[0] - median) < 1e-2 * median &&
    Math.abs(sorted[sorted.length - 1] - median) < 1e-2 * median;
  if (!isAgreed)
    throw convertFailure(
      'DETECTOR_NOT_UNDERSTOOD',
      `the decoding of ${['ty', 'tx', 'th', 'tw'][k]} is not that of the faster_rcnn_box_coder`,
    );
  const round = Math.round(median * 1000) / 1000;
  return Math.abs(round - median) < 1e-4 * median ? round : median;
}

/**
 * @param {Ref} boxes
 * @param {number} numAnchors
 * @param {Node[]} nodes
 * @param {Facts} facts
 */
function readScores(boxes, numAnchors, nodes, facts) {
  const before = new Set(inOrder([boxes]));
  const after = new Set([boxes.node]);
  const isScores = (/** @type {number[] | undefined} */ shape) =>
    shape?.length === 3 && sizeOf(shape.slice(0, 2)) === numAnchors;
  /** @type {Ref | undefined} */
  let scores;
  for (const node of nodes) {
    if (node.inputs.some((input) => after.has(input.node))) after.add(node);
    const ref = { node, index: 0 };
    const isCandidate =
      !before.has(node) && !after.has(node) && isScores(facts.shape(ref)) && !facts.value(ref);
    if (isCandidate && !scores) scores = ref;
  }
  if (!scores) throw convertFailure('DETECTOR_NOT_UNDERSTOOD', 'no class scores were found');
  return readConverter(scores, nodes, facts);
}

/**
 * Forward from the raw scores: what makes probabilities of them, and whether their first column is cut off.
 * @param {Ref} scores
 * @param {Node[]} nodes
 * @param {Facts} facts
 */
function readConverter(scores, nodes, facts) {
  const [, rows, columns] = /** @type {number[]} */ (facts.shape(scores));
  const after = new Set([scores.node]);
  /** @type {'sigmoid' | 'softmax' | 'none'} */
  let converter = 'none';
  let background = false;
  for (const node of nodes) {
    if (!node.inputs.some((input) => after.has(input.node))) continue;
    const isScaled =
      (node.op === 'Mul' || node.op === 'RealDiv') &&
      node.inputs.some((input) => facts.value(input)?.data.some((value) => value !== 1));
    if (isScaled && converter === 'none' && after.size === 1) scores = { node, index: 0 };
    if (node.op === 'Sigmoid' || node.op === 'Softmax')
      converter = node.op === 'Sigmoid' ? 'sigmoid' : 'softmax';
    const isCut =
      (node.op === 'Slice' || node.op === 'StridedSlice') &&
      facts.shape({ node, index: 0 })?.slice(-2).join() === `${rows},${columns - 1}`;
    if (isCut) {
      background = true;
      break;
    }
    if (FORWARD.has(node.op) || node.op === 'Sigmoid' || node.op === 'Softmax') after.add(node);
  }
  return { scores, converter, background, numClasses: columns - Number(background) };
}
