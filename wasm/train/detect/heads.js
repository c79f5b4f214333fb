// Finds the heads of an SSD detector in its file: for each feature map, the layers that predict boxes and the layers that
// predict classes.
import { Wiring } from '../../tflite/network.js';
import { failure } from '../errors.js';

/**
 * @typedef {import('../../tflite/network.js').Network} FileNetwork
 * @typedef {import('../../tflite/network.js').Op} Op
 * @typedef {import('../../tflite/network.js').Value} Value
 *
 * @typedef {Op[]} Predictor the layers of one head, first to last: a convolution, or a depthwise one and a convolution
 *
 * @typedef {object} Head of one feature map
 * @property {Predictor} boxes
 * @property {Predictor} scores
 * @property {{layers: Predictor, joinedAt: number | undefined}} [own] the file's scores, where new ones are trained in their
 *   place; joinedAt: the channel at which their last layer reads the joined map, too
 *
 * @typedef {object} FileHeads
 * @property {FileNetwork} network computes boxes and scores
 * @property {Head[]} heads in the order of the anchors
 * @property {'sigmoid' | 'softmax' | 'none'} converter in the file, after the raw scores
 * @property {boolean} dropsBackground whether the file cuts off the first column of the scores
 */

/** Operators between a head and the network's output that keep the columns of an anchor. */
const PASSING = new Set(['RESHAPE', 'SQUEEZE', 'EXPAND_DIMS']);

/**
 * @param {import('../../tflite/read.js').TfliteFile} file
 * @param {{boxes: string, scores: string}} outputs names of their tensors
 * @returns {FileHeads}
 */
export function readHeads(file, outputs) {
  const network = networkOf(file, outputs);
  const wiring = new Wiring(network);
  const [boxes, scores] = network.outputs.map(({ value }) => splitOutput(value, wiring));
  if (boxes.parts.length !== scores.parts.length)
    throw unsupported(`${boxes.parts.length} maps have boxes, but ${scores.parts.length} have scores`);
  const heads = boxes.parts.map((value, i) => ({
    boxes: findPredictor(value, wiring),
    scores: findPredictor(scores.parts[i], wiring),
  }));
  return { network, heads, converter: scores.converter, dropsBackground: scores.dropsBackground };
}

/** @param {string} detail */
const unsupported = (detail) => failure('HEADS_UNSUPPORTED', detail);

/**
 * @param {import('../../tflite/read.js').TfliteFile} file
 * @param {{boxes: string, scores: string}} outputs
 * @returns {FileNetwork}
 */
function networkOf(file, outputs) {
  const [boxes, scores] = [outputs.boxes, outputs.scores].map((name) => {
    const op = file.operators.findLast((operator) => operator.name === name);
    if (!op) throw unsupported(`no operator computes '${name}'`);
    return file.networkTo(op.output);
  });
  const known = new Set(boxes.ops.map(({ output }) => output));
  return {
    ops: [...boxes.ops, ...scores.ops.filter(({ output }) => !known.has(output))],
    inputs: boxes.inputs,
    outputs: [...boxes.outputs, ...scores.outputs],
  };
}

/**
 * Walks back from an output to the maps that it joins.
 * @param {Value} output
 * @param {Wiring} wiring
 */
function splitOutput(output, wiring) {
  /** @type {FileHeads['converter']} */
  let converter = 'none';
  let dropsBackground = false;
  for (let value = output; ;) {
    const op = wiring.producer(value);
    if (!op) throw unsupported(`'${output.name}' is not computed by convolutions`);
    if (op.kind === 'CONCATENATION') return { parts: op.inputs, converter, dropsBackground };
    if (op.weights) return { parts: [value], converter, dropsBackground };
    if (op.kind === 'SOFTMAX') converter = 'softmax';
    else if (op.kind === 'LOGISTIC') converter = 'sigmoid';
    else if (isCutOfBackground(op)) dropsBackground = true;
    else if (!PASSING.has(op.kind)) throw unsupported(`${op.kind} computes '${op.output.name}'`);
    value = op.inputs[0];
  }
}

/** @param {Op} op */
function isCutOfBackground({ kind, inputs: [input], output }) {
  const columns = input.shape.at(-1) ?? 0;
  return (kind === 'STRIDED_SLICE' || kind === 'SLICE') && output.shape.at(-1) === columns - 1;
}

/**
 * @param {Value} part what a map gives to the output
 * @param {Wiring} wiring
 * @returns {Predictor}
 */
function findPredictor(part, wiring) {
  let op = wiring.producer(part);
  while (op && PASSING.has(op.kind)) op = wiring.producer(op.inputs[0]);
  if (op?.kind !== 'CONV_2D' || !isTrainable(op, [1, 3]))
    throw unsupported(`'${part.name}' is not computed by a 1x1 or 3x3 convolution of stride 1`);
  const before = wiring.soleProducer(op.inputs[0]);
  const isSeparable = op.weights?.kernel.shape[0] === 1 && before?.kind === 'DEPTHWISE_CONV_2D';
  return isSeparable && isTrainable(before, [3]) ? [before, op] : [op];
}

/** @param {Op} op @param {number[]} sizes of the kernel */
function isTrainable({ options, weights }, sizes) {
  const [height, width] = weights?.kernel.shape ?? [];
  const hasKnownActivation = options.activation === 'RELU6' || options.activation === 'NONE';
  const isPlain = options.strideW === 1 && options.strideH === 1 && options.dilationW === 1;
  const isPadded = height === 1 || options.padding === 'SAME';
  return hasKnownActivation && isPlain && isPadded && height === width && sizes.includes(height);
}

/** The feature map that a predictor reads. @param {Predictor} predictor */
export const mapOf = ([first]) => first.inputs[0];
