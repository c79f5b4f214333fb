// Detectors of TensorFlow's Object Detection API: the graph is cut at both ends. What stands before the first convolution
// (resize, scaling) and after the raw heads (decoding, suppression, labels) is read, not kept.
import { readHeads } from './detector_heads.js';
import { readPreprocessing } from './detector_input.js';
import { readSuppression } from './detector_nms.js';
import { Facts } from './facts.js';
import { inOrder } from './simplify.js';

/**
 * @typedef {import('./graph.js').Node} Node
 * @typedef {import('./graph.js').Ref} Ref
 * @typedef {import('./saved_model.js').Model} Model
 *
 * @typedef {object} Detector
 * @property {import('./detector_input.js').Preprocessing} preprocessing
 * @property {import('./detector_heads.js').Heads} heads
 * @property {import('./detector_nms.js').Suppression} suppression
 * @property {Facts} facts of the network, whose input is `preprocessing.input`
 */

/** @param {Node} node */
const isSuppression = ({ op }) => /^(Combined)?NonMaxSuppression/.test(op);

/** @param {Ref[]} outputs */
export function isDetector(outputs) {
  return inOrder(outputs).some(isSuppression);
}

/**
 * @param {Ref[]} outputs simplified; changed: the first convolution takes the new input
 * @param {Map<Node, import('./facts.js').Shape>} feeds shapes of the inputs, for one image
 * @returns {Detector}
 */
export function readDetector(outputs, feeds) {
  const preprocessing = readPreprocessing(outputs, new Facts(outputs, feeds));
  const { input, size } = preprocessing;
  const facts = new Facts(outputs, new Map([...feeds, [input.node, [1, ...size, 3]]]));
  const heads = readHeads(outputs, facts);
  const suppression = readSuppression(
    outputs,
    facts,
    inOrder(outputs).filter(isSuppression),
    heads.numClasses,
  );
  return { preprocessing, heads, suppression, facts };
}
