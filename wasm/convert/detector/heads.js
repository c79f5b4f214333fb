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
 * @property {Ref} boxes encodings [1, N, 4]
 * @property {number[]} boxColumns the columns of the encodings that are ty, tx, th, tw
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
/** How many values after an exponential are tried as edges of boxes. */
const MAX_CANDIDATES = 12;
/** The largest centre of an anchor in parts of the image; above it, centres are pixels. */
const MAX_NORMALIZED = 2;

/**
 * @param {Ref[]} outputs
 * @param {Facts} facts
 * @param {number[]} size height and width of the network's input, in pixels
 * @returns {Heads}
 */
export function readHeads(outputs, facts, size) {
  const nodes = inOrder(outputs);
  const exps = nodes.filter(({ op, inputs }) => op === 'Exp' && !facts.value(inputs[0]));
  /** @type {Error | undefined} */
  let reason;
  for (const exp of exps) {
    const boxes = findEncodings(exp, facts);
    const candidates = boxes ? findDecoded(exp, nodes, facts, sizeOf(shapeOf(boxes, facts))) : [];
    for (const decoded of candidates.slice(0, MAX_CANDIDATES)) {
      const coder = measureCoder(/** @type {Ref} */ (boxes), decoded, facts, size);
      if (coder instanceof Error) reason ??= coder;
      else
        return {
          boxes: /** @type {Ref} */ (boxes),
          ...coder,
          ...readScores(/** @type {Ref} */ (boxes), coder.anchors.length / 4, nodes, facts),
        };
    }
  }
  throw reason ?? convertFailure('DETECTOR_NOT_UNDERSTOOD', 'found no operators that decode boxes');
}

/** @param {Ref} ref @param {Facts} facts */
const shapeOf = (ref, facts) => /** @type {number[]} */ (facts.shape(ref));

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
 * Finds the values after the exponential that have four numbers for each anchor. The first of them may be centres and
 * sides, which become edges later.
 * @param {Node} exp
 * @param {Node[]} nodes
 * @param {Facts} facts
 * @param {number} size number of elements
 */
function findDecoded(exp, nodes, facts, size) {
  const after = new Set([exp]);
  /** @type {Ref[]} */
  const found = [];
  for (const node of nodes) {
    if (!node.inputs.some((input) => after.has(input.node))) continue;
    after.add(node);
    const ref = { node, index: 0 };
    const shape = facts.shape(ref);
    if (isBoxes(shape) && sizeOf(/** @type {number[]} */ (shape)) === size) found.push(ref);
  }
  return found;
}

/**
 * Evaluates the decoding part of the graph with the same encoding for every anchor.
 * @param {Ref} boxes
 * @param {Ref} decoded
 * @param {Facts} facts
 * @param {number[]} encoding of every anchor
 * @returns {Tensor['data']} decoded boxes [N, 4]
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
 * Measures anchors and box coder. Encoding 0 decodes to the anchors. Setting one component to 1 moves a centre or
 * changes a side, which tells what the component is, and its divisor.
 * @param {Ref} boxes
 * @param {Ref} decoded
 * @param {Facts} facts
 * @param {number[]} size height and width of the network's input, in pixels
 * @returns {Pick<Heads, 'anchors' | 'boxCoder' | 'boxColumns'> | Error} an error: these values are not edges of boxes
 */
function measureCoder(boxes, decoded, facts, size) {
  const base = toCenters(decodeAll(boxes, decoded, facts, [0, 0, 0, 0]));
  const axes = axesOf(base);
  /** For ty, tx, th, tw: the column of the encodings, and the divisor. @type {{column: number, scale: number}[]} */
  const parts = [];
  for (let column = 0; column < 4; column++) {
    const encoding = [0, 1, 2, 3].map((i) => Number(i === column));
    const shifted = toCenters(decodeAll(boxes, decoded, facts, encoding));
    const effect = effectOf(base, shifted);
    if (!effect || parts[axes[effect.part]])
      return convertFailure(
        'DETECTOR_NOT_UNDERSTOOD',
        `column ${column} of the box encodings is not decoded as by faster_rcnn_box_coder`,
      );
    parts[axes[effect.part]] = { column, scale: effect.scale };
  }
  // Sides tell nothing: anchors may be several times as large as the image.
  const isInPixels = base.some((value, i) => i % 4 < 2 && value > MAX_NORMALIZED);
  const anchors = Float32Array.from(base);
  for (let i = 0; i < base.length; i++)
    anchors[4 * Math.floor(i / 4) + axes[i % 4]] = base[i] / (isInPixels ? size[axes[i % 4] % 2] : 1);
  return {
    anchors,
    boxCoder: parts.map(({ scale }) => scale),
    boxColumns: parts.map(({ column }) => column),
  };
}

/**
 * Which of y centre, x centre, height and width each column of `centers` is. Anchors go along the rows of the feature
 * map: the coordinate that changes first is x.
 * @param {ArrayLike<number>} centers
 * @returns {number[]}
 */
function axesOf(centers) {
  for (let i = 4; i < centers.length; i += 4) {
    const [changes0, changes1] = [0, 1].map((axis) => centers[i + axis] !== centers[i - 4 + axis]);
    if (changes0 !== changes1) return changes0 ? [1, 0, 3, 2] : [0, 1, 2, 3];
  }
  return [0, 1, 2, 3];
}

/**
 * The one part of all boxes, a centre or a side, that an encoding of 1 changes, and the divisor of that encoding.
 * @param {Float64Array} base centres and sides of all anchors
 * @param {Float64Array} shifted
 * @returns {{part: number, scale: number} | undefined} undefined: it changes several parts, or anchors differently
 */
function effectOf(base, shifted) {
  /** @param {number} part @returns {number[]} the encoding divided by the scale, which is the same for all anchors */
  const changes = (part) =>
    Array.from({ length: base.length / 4 }, (_, i) => {
      const [from, to, side] = [base[4 * i + part], shifted[4 * i + part], base[4 * i + 2 + (part % 2)]];
      return part < 2 ? (to - from) / side : Math.log(to / side);
    });
  const all = [0, 1, 2, 3].map(changes);
  const isStill = (/** @type {number[]} */ list) => list.every((change) => Math.abs(change) < 1e-4);
  const moved = all.flatMap((list, part) => (isStill(list) ? [] : [part]));
  if (moved.length !== 1) return undefined;
  const scale = commonScale(all[moved[0]].map((change) => 1 / change));
  return scale === undefined ? undefined : { part: moved[0], scale };
}

/** Converts two lower and two upper edges to two centres and two sides. @param {ArrayLike<number>} corners */
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
 * @returns {number | undefined} undefined: anchors have different ones
 */
function commonScale(scales) {
  const sorted = scales.toSorted((a, b) => a - b);
  const median = sorted[sorted.length >> 1];
  const areEqual =
    median > 0 &&
    Math.abs(sorted[0] - median) < 1e-2 * median &&
    Math.abs(sorted[sorted.length - 1] - median) < 1e-2 * median;
  if (!areEqual) return undefined;
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
