// Edits of a detector's network: cut at what is kept of each photo, and with trained layers and heads.
import { dropUnused } from '../../convert/lower/fuse.js';
import { sizeOf } from '../../shared/numbers.js';
import { appendLabels, writeMetadata } from '../../tflite/metadata.js';
import { ints } from '../../tflite/network.js';
import { writeTflite } from '../../tflite/write.js';
import { NAME } from './fuse.js';

/**
 * @typedef {import('../../tflite/network.js').Network} FileNetwork
 * @typedef {import('../../tflite/network.js').Op} Op
 * @typedef {import('../../tflite/network.js').Value} Value
 * @typedef {import('./heads.js').Head} Head
 * @typedef {import('./heads.js').Predictor} Predictor
 *
 * @typedef {{kernel: Float32Array, bias: Float32Array}} LayerWeights
 * @typedef {(op: Op) => LayerWeights} WeightsOf
 *
 * @typedef {object} HeadLayers the layers of boxes or scores of a map
 * @property {Predictor} layers
 * @property {WeightsOf} weightsOf
 * @property {Value} [beside] what the last layer reads after what the layer before it gives
 */

const NONE = { layers: [] };
/** The names that the Object Detection API's exporter uses. */
const BOXES = 'raw_outputs/box_encodings';
const SCORES = 'raw_outputs/class_predictions';

/**
 * The part of the network that computes the maps: their values one after the other as one vector.
 * @param {FileNetwork} network
 * @param {Value[]} maps
 * @returns {FileNetwork}
 */
export function mapsNetwork({ ops, inputs }, maps) {
  /** @type {Op[]} */
  const added = maps.map((map, i) => {
    const length = sizeOf(map.shape.slice(1));
    const output = { name: `map/${i}`, shape: [-1, length] };
    return { kind: 'RESHAPE', inputs: [map, ints(`map/${i}/shape`, [-1, length])], output, options: {} };
  });
  const length = added.reduce((sum, { output }) => sum + output.shape[1], 0);
  const output = { name: 'maps', shape: [-1, length] };
  const parts = added.map(({ output: part }) => part);
  // One map needs no concatenation.
  if (parts.length === 1) added[0].output = output;
  else added.push({ kind: 'CONCATENATION', inputs: parts, output, options: { axis: 1, activation: 'NONE' } });
  const network = { ops: [...ops, ...added], inputs, outputs: [{ name: 'maps', value: output }] };
  dropUnused(network);
  return network;
}

/**
 * Writes the detector with other weights.
 * @param {import('./model.js').DetectorFile} file
 * @param {{body: (op: Op) => Op, boxes: (head: Head) => HeadLayers, scores: (head: Head) => HeadLayers, columns: number}}
 *   trained the operators before the heads, their layers, and the columns of the scores
 * @param {{name: string, mid?: string}[]} labels
 * @returns {Uint8Array} a .tflite file with labels, anchors and normalization in its metadata
 */
export function writeDetector(file, trained, labels) {
  const { network, heads: found } = file.found;
  /** @type {Op[]} */
  const added = [];
  const boxes = found.map((head, i) => addHead(added, trained.boxes(head), { columns: 4, name: `box/${i}` }));
  const { columns } = trained;
  const scores = found.map((head, i) =>
    addHead(added, trained.scores(head), { columns, name: `class/${i}` }),
  );
  const outputs = [
    { name: BOXES, value: join(added, boxes, BOXES) },
    { name: SCORES, value: toScores(added, join(added, scores, SCORES), file) },
  ];
  const known = new Set(
    found.flatMap(({ boxes, scores, own = NONE }) => [...boxes, ...scores, ...own.layers]),
  );
  const whole = {
    ops: [...network.ops.filter((op) => !known.has(op)).map(trained.body), ...added],
    inputs: network.inputs,
    outputs,
  };
  dropUnused(whole);
  for (const value of [...whole.inputs, ...whole.ops.map(({ output }) => output)])
    value.shape = value.shape.length > 0 ? [1, ...value.shape.slice(1)] : value.shape;
  const metadata = describe(file, whole, labels);
  const model = writeTflite(whole, { precision: 'fp32', description: 'Trained by ocelli.', metadata });
  return appendLabels(
    model,
    labels.map(({ name }) => name),
  );
}

/**
 * Adds the layers of a head, and gives its predictions as [1, anchors, columns].
 * @param {Op[]} ops
 * @param {HeadLayers} head
 * @param {{columns: number, name: string}} predictions
 */
function addHead(ops, { layers, weightsOf, beside }, { columns, name: own }) {
  const name = beside ? `${NAME}${own}` : own;
  let [value] = layers[0].inputs;
  layers.forEach((op, i) => {
    const weights = /** @type {import('../../tflite/network.js').Weights} */ (op.weights);
    const { kernel, bias } = weightsOf(op);
    if (beside && i === layers.length - 1) value = addJoined(ops, [value, beside], `${name}/joined`);
    const [height, width] = weights.kernel.shape;
    const isDepthwise = op.kind === 'DEPTHWISE_CONV_2D';
    const shape = isDepthwise ? weights.kernel.shape : [height, width, value.shape[3], bias.length];
    const output = { name: `${name}/${i}`, shape: op.output.shape.with(-1, bias.length) };
    ops.push({
      ...op,
      inputs: [value],
      output,
      weights: {
        kernel: { dtype: 'float32', shape, data: kernel },
        isTransposed: false,
        bias: Float64Array.from(bias),
      },
    });
    value = output;
  });
  const anchors = sizeOf(value.shape.slice(1)) / columns;
  const output = { name: `${name}/rows`, shape: [1, anchors, columns] };
  ops.push({ kind: 'RESHAPE', inputs: [value, ints(`${name}/shape`, output.shape)], output, options: {} });
  return output;
}

/**
 * @param {Op[]} ops
 * @param {Value[]} inputs of the same pixels
 * @param {string} name
 * @returns {Value}
 */
function addJoined(ops, inputs, name) {
  const channels = inputs.reduce((sum, { shape }) => sum + shape[3], 0);
  const output = { name, shape: inputs[0].shape.with(3, channels) };
  ops.push({ kind: 'CONCATENATION', inputs, output, options: { axis: 3, activation: 'NONE' } });
  return output;
}

/**
 * @param {Op[]} ops
 * @param {Value[]} parts [1, anchors, columns]
 * @param {string} name
 */
function join(ops, parts, name) {
  const anchors = parts.reduce((sum, { shape }) => sum + shape[1], 0);
  const output = { name, shape: [1, anchors, parts[0].shape[2]] };
  if (parts.length === 1) ops[ops.findIndex((op) => op.output === parts[0])].output = output;
  else ops.push({ kind: 'CONCATENATION', inputs: parts, output, options: { axis: 1, activation: 'NONE' } });
  return output;
}

/**
 * MediaPipe reads every column as a class: a softmax is in the file, and its background is cut off.
 * @param {Op[]} ops
 * @param {Value} raw
 * @param {{isSoftmax: boolean}} file
 * @returns {Value}
 */
function toScores(ops, raw, { isSoftmax }) {
  if (!isSoftmax) return raw;
  const { shape } = raw;
  raw.name = `${SCORES}/logits`;
  const probabilities = { name: `${SCORES}/softmax`, shape: [...shape] };
  ops.push({ kind: 'SOFTMAX', inputs: [raw], output: probabilities, options: {} });
  const output = { name: SCORES, shape: shape.with(-1, shape[2] - 1) };
  const bounds = [
    ints(`${SCORES}/begin`, [0, 0, 1]),
    ints(`${SCORES}/end`, shape),
    ints(`${SCORES}/by`, [1, 1, 1]),
  ];
  const options = { beginMask: 0, endMask: 0, shrinkAxisMask: 0 };
  ops.push({ kind: 'STRIDED_SLICE', inputs: [probabilities, ...bounds], output, options });
  return output;
}

/**
 * @param {import('./model.js').DetectorFile} file
 * @param {FileNetwork} network
 * @param {{name: string, mid?: string}[]} labels
 */
function describe({ input, anchors, boxCoder, isSoftmax, suppression }, { inputs }, labels) {
  const { scale, offset, resize, fit } = input;
  const channels = (/** @type {number | number[]} */ value) =>
    Array.isArray(value) ? value : [value, value, value];
  // The metadata's normalization is (pixel - mean) / std; ours is pixel * scale + offset.
  const std = channels(scale).map((value) => 1 / value);
  const mean = channels(offset).map((value, i) => -value * std[i]);
  const mids = labels.map(({ mid }) => mid);
  return writeMetadata({
    name: 'detector',
    description: 'Trained by ocelli.',
    image: { name: inputs[0].name, mean, std },
    outputs: [
      { name: 'location', role: 'location' },
      { name: 'score', role: 'score', labels: labels.map(({ name }) => name) },
    ],
    detector: { anchors, boxCoder, numClasses: labels.length, isSigmoid: !isSoftmax },
    own: {
      ...{ resize, fit, scores: isSoftmax ? 'none' : 'sigmoid', suppression },
      ...(mids.every((mid) => mid !== undefined) && { mids }),
    },
  });
}
