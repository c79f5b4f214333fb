// Finds the raw heads of a detector, its anchors, box coder and score converter. Anchors and box coder are measured:
// the decoding part of the graph is evaluated on known encodings. So its exact operators do not matter.
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
 * @property {Float32Array} anchors [N, 4]: y center, x center, height, width
 * @property {number[]} boxCoder divisors of ty, tx, th, tw
 * @property {'sigmoid' | 'softmax' | 'none'} converter
 * @property {boolean} background whether the first column of the scores is the background
 * @property {number} numClasses without background
 */

/** Operators between the encodings and the exponential. */
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
/** Operators between the raw scores and the suppression, besides the converter. */
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
  throw convertFailure('DETECTOR_NOT_UNDERSTOOD', 'found no operators that decode boxes');
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
 * Walks back from the exponential of height or width to the box encodings of all anchors.
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
 * Finds the first value after the exponential that has four numbers for each anchor.
 * @param {Node} exp
 * @param {Node[]} nodes
 * @param {Facts} facts
 * @param {number} size number of elements
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
 * Evaluates the decoding part of the graph with the same encoding for every anchor.
 * @param {Ref} boxes
 * @param {Ref} decoded
 * @param {Facts} facts
 * @param {number[]} encoding ty, tx, th, tw
 * @returns {Tensor['data']} decoded boxes [N, 4]: ymin, xmin, ymax, xmax
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
        `cannot evaluate ${ref.node.op} at '${ref.node.name}', which decodes boxes`,
      );
    known.set(ref.node, outputs);
    return outputs[ref.index];
  };
  return value(decoded).data;
}

/**
 * Measures anchors and box coder. Encoding 0 decodes to the anchors; setting one component to 1 gives its divisor.
 * @param {Ref} boxes
 * @param {Ref} decoded
 * @param {Facts} facts
 */
function readCoder(boxes, decoded, facts) {
  const anchors = toCenters(decodeAll(boxes, decoded, facts, [0, 0, 0, 0]));
  const shiftedBoxes = [0, 1, 2, 3].map((k) =>
    toCenters(
      decodeAll(
        boxes,
        decoded,
        facts,
        [0, 1, 2, 3].map((i) => Number(i === k)),
      ),
    ),
  );
  const boxCoder = shiftedBoxes.map((shifted, k) => {
    const scales = [];
    for (let i = 0; i < anchors.length; i += 4) {
      const side = anchors[i + 2 + (k % 2)];
      const change = k < 2 ? (shifted[i + k] - anchors[i + k]) / side : Math.log(shifted[i + k] / side);
      scales.push(1 / change);
    }
    return commonScale(scales, k);
  });
  return { anchors: Float32Array.from(anchors), boxCoder };
}

/** Converts ymin, xmin, ymax, xmax to y center, x center, height, width. @param {ArrayLike<number>} corners */
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
 * The divisor that all anchors share, without rounding errors: close to a multiple of 1/1000, it is that multiple.
 * @param {number[]} scales one for each anchor
 * @param {number} k index of ty, tx, th or tw
 */
function commonScale(scales, k) {
  const sorted = scales.toSorted((a, b) => a - b);
  const median = sorted[sorted.length >> 1];
  const areEqual =
    median > 0 &&
    Math.abs(sorted[0] - median) < 1e-2 * median &&
    Math.abs(sorted[sorted.length - 1] - median) < 1e-2 * median;
  if (!areEqual)
    throw convertFailure(
      'DETECTOR_NOT_UNDERSTOOD',
      `${['ty', 'tx', 'th', 'tw'][k]} is not decoded as by faster_rcnn_box_coder`,
    );
  const round = Math.round(median * 1000) / 1000;
  return Math.abs(round - median) < 1e-4 * median ? round : median;
}

/**
 * Finds the raw scores: the first value [1, N, C] that is neither an input of the box encodings nor computed from them.
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
  if (!scores) throw convertFailure('DETECTOR_NOT_UNDERSTOOD', 'found no class scores');
  return readConverter(scores, nodes, facts);
}

/**
 * Walks forward from the raw scores: finds the converter (sigmoid or softmax), and whether the first column, the
 * background, is cut off.
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
    const dropsBackground =
      (node.op === 'Slice' || node.op === 'StridedSlice') &&
      facts.shape({ node, index: 0 })?.slice(-2).join() === `${rows},${columns - 1}`;
    if (dropsBackground) {
      background = true;
      break;
    }
    if (FORWARD.has(node.op) || node.op === 'Sigmoid' || node.op === 'Softmax') after.add(node);
  }
  return { scores, converter, background, numClasses: columns - Number(background) };
}
