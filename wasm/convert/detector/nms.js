// Reads a detector's non-maximum suppression: the thresholds and limits in the graph, and the total number of
// detections.
import { convertFailure } from '../errors.js';
import { inOrder } from '../graph/simplify.js';

/**
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('../graph/graph.js').Ref} Ref
 * @typedef {import('../graph/facts.js').Facts} Facts
 *
 * @typedef {object} Suppression
 * @property {number} scoreThreshold
 * @property {number} iouThreshold
 * @property {number} maxPerClass
 * @property {number} maxResults
 * @property {boolean} classAgnostic
 */

/**
 * @param {Ref[]} outputs
 * @param {Facts} facts
 * @param {Node[]} nodes the NonMaxSuppression operators
 * @param {number} numClasses
 * @returns {Suppression}
 */
export function readSuppression(outputs, facts, nodes, numClasses) {
  const [first] = nodes;
  const scalar = (/** @type {number} */ input) => {
    const tensor = first.inputs[input] && facts.value(first.inputs[input]);
    return tensor && rounded(tensor.data[0]);
  };
  const isCombined = first.op.startsWith('Combined');
  const at = isCombined ? { perClass: 2, iou: 4, score: 5 } : { perClass: 2, iou: 3, score: 4 };
  const iouThreshold =
    first.op === 'NonMaxSuppression' ? rounded(first.float('iou_threshold', 0.5)) : scalar(at.iou);
  const maxPerClass = upperBound(first.inputs[at.perClass], facts);
  if (iouThreshold === undefined || maxPerClass === undefined)
    throw convertFailure('DETECTOR_NOT_UNDERSTOOD', `the limits of '${first.name}' are not constant`);
  if (first.op === 'NonMaxSuppressionV5' && scalar(5))
    throw convertFailure('DETECTOR_NOT_UNDERSTOOD', `'${first.name}' is a soft-NMS, which is not supported`);
  const scoreThreshold =
    first.op === 'NonMaxSuppression' || first.op === 'NonMaxSuppressionV2' ? 0 : scalar(at.score);
  const classAgnostic = !isCombined && nodes.length === 1 && numClasses > 1;
  const maxResults = isCombined ? scalar(3) : totalLimit(outputs, facts, nodes);
  return {
    scoreThreshold: Math.min(Math.max(scoreThreshold ?? 0, 0), 1),
    iouThreshold,
    maxPerClass,
    maxResults: maxResults ?? (classAgnostic ? maxPerClass : maxPerClass * numClasses),
    classAgnostic,
  };
}

/** Removes float32's rounding error: 0.6000000238 -> 0.6. @param {number} value */
function rounded(value) {
  return Number(Math.fround(value).toPrecision(7));
}

/**
 * The value of a constant, or of the constant in a Minimum.
 * @param {Ref} ref
 * @param {Facts} facts
 * @returns {number | undefined}
 */
function upperBound(ref, facts) {
  const value = facts.value(ref);
  if (value) return value.data[0];
  if (ref.node.op !== 'Minimum') return undefined;
  return least(ref.node.inputs.flatMap((input) => [...(facts.value(input)?.data ?? [])]));
}

/** @param {number[]} values */
function least(values) {
  return values.length > 0 ? values.reduce((a, b) => Math.min(a, b)) : undefined;
}

/**
 * How many detections an operator leaves: a Minimum with a constant, the first of a list, or the best.
 * @param {Node} node
 * @param {Facts} facts
 */
function limitOf(node, facts) {
  const { op, inputs } = node;
  if (op === 'Minimum') return upperBound({ node, index: 0 }, facts);
  if (op === 'TopKV2') return facts.value(inputs[1])?.data[0];
  if (op !== 'StridedSlice' || inputs[0].node.op === 'Shape') return undefined;
  const [begin, end] = [inputs[1], inputs[2]].map((ref) => facts.value(ref)?.data);
  const isFirst = begin?.length === 1 && end?.length === 1 && begin[0] === 0;
  return isFirst ? end[0] : undefined;
}

/**
 * The total number of detections: the smallest limit after the suppression, else the size of the
 * outputs.
 * @param {Ref[]} outputs
 * @param {Facts} facts
 * @param {Node[]} nodes
 */
function totalLimit(outputs, facts, nodes) {
  const after = new Set(nodes);
  /** @type {number[]} */
  const limits = [];
  for (const node of inOrder(outputs)) {
    if (!node.inputs.some((input) => after.has(input.node))) continue;
    after.add(node);
    const bound = limitOf(node, facts);
    if (bound !== undefined && Number.isInteger(bound) && bound > 1) limits.push(bound);
  }
  const boxShapes = outputs
    .map((ref) => facts.shape(ref))
    .filter((shape) => shape?.length === 3 && shape[2] === 4 && after.size > 0);
  const sizes = boxShapes.map((shape) => /** @type {number[]} */ (shape)[1]).filter((size) => size > 0);
  return least(limits) ?? least(sizes);
}
