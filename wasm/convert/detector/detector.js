// Detectors of TensorFlow's Object Detection API. The settings of preprocessing (resize, scaling) and postprocessing
// (decoding, suppression, labels) are read from the graph; only the network between them is converted.
import { readHeads } from './heads.js';
import { readPreprocessing } from './input.js';
import { readSuppression } from './nms.js';
import { Facts } from '../graph/facts.js';
import { checkSingleIterations } from '../graph/loops.js';
import { inOrder } from '../graph/simplify.js';

/**
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('../graph/graph.js').Ref} Ref
 * @typedef {import('../source/saved_model.js').Model} Model
 *
 * @typedef {object} Detector
 * @property {import('./input.js').Preprocessing} preprocessing
 * @property {import('./heads.js').Heads} heads
 * @property {import('./nms.js').Suppression} suppression
 * @property {Facts} facts shapes and constants of the network, whose input is `preprocessing.input`
 */

/** @param {Node} node */
const isSuppression = ({ op }) => /^(Combined)?NonMaxSuppression/.test(op);

/** @param {Ref[]} outputs */
export function isDetector(outputs) {
  return inOrder(outputs).some(isSuppression);
}

/**
 * @param {Ref[]} outputs simplified; changed in place: the first convolution takes the new input
 * @param {Map<Node, import('../graph/facts.js').Shape>} feeds shapes of the inputs, for one image
 * @param {import('../graph/loops.js').CheckedLoop[]} [loops] of the whole graph
 * @returns {Detector}
 */
export function readDetector(outputs, feeds, loops = []) {
  const preprocessing = readPreprocessing(outputs, new Facts(outputs, feeds));
  const { input, size } = preprocessing;
  const shapes = new Map([...feeds, [input.node, [1, ...size, 3]]]);
  const facts = new Facts(outputs, shapes);
  const heads = readHeads(outputs, facts, size);
  const network = inOrder([heads.boxes, heads.scores]);
  const inNetwork = loops.filter(({ body }) => network.some((node) => body.has(node)));
  checkSingleIterations(
    inNetwork,
    new Facts(
      inNetwork.map(({ isSingle }) => isSingle),
      shapes,
    ),
  );
  const suppression = readSuppression(
    outputs,
    facts,
    inOrder(outputs).filter(isSuppression),
    heads.numClasses,
  );
  return { preprocessing, heads, suppression, facts };
}
