// Plans the file of a classifier, feature extractor or other network, which is converted completely.
import { failure } from '../shared/errors.js';
import { convertFailure } from './errors.js';
import { FREE_BATCH } from './graph/batch.js';
import { Facts } from './graph/facts.js';
import { fuse } from './lower/fuse.js';
import { classifierLabels } from './labels.js';
import { checkSingleIterations } from './graph/loops.js';
import { lower } from './lower/lower.js';

/**
 * @typedef {import('../tflite/network.js').Network} Network
 * @typedef {import('./source/saved_model.js').Model} Model
 */

/**
 * @param {Model} model
 * @param {import('./graph/graph.js').Ref[]} refs its outputs
 * @param {{batch?: number | 'dynamic', classes?: (string | number)[]}} options
 * @returns {Promise<import('./index.js').Plan>}
 */
export async function planNetwork(model, refs, { batch: wanted, classes }) {
  const { loopConditions = [] } = model;
  const batch = wanted ?? (loopConditions.length > 0 ? 1 : 'dynamic');
  if (classes) throw failure('INVALID_OPTION', 'classes can be selected in detectors only');
  const facts = new Facts([...refs, ...loopConditions], inputShapes(model, batch));
  checkSingleIterations(loopConditions, facts);
  const network = lower(model.inputs, model.outputs, facts);
  fuse(network);
  const outputs = await Promise.all(
    network.outputs.map(async ({ name, value }) => {
      const isProbability = network.ops.some(
        ({ kind, output }) => output === value && (kind === 'SOFTMAX' || kind === 'LOGISTIC'),
      );
      const labels = isProbability
        ? await classifierLabels(model.files, value.shape[value.shape.length - 1])
        : undefined;
      return {
        name,
        role: isProbability ? /** @type {const} */ ('probability') : /** @type {const} */ ('feature'),
        labels,
      };
    }),
  );
  const range = network.inputs.length === 1 ? pixelRange(network) : undefined;
  const image = range && { name: network.inputs[0].name, ...range };
  const notes = range ? [`input: (pixel - ${range.mean[0]}) / ${range.std[0]}`] : [];
  return { network, about: { name: model.name ?? '', description: '', image, outputs }, notes };
}

/**
 * @param {Model} model
 * @param {number | 'dynamic'} batch for inputs whose batch is free
 */
function inputShapes({ inputs }, batch) {
  return new Map(
    inputs.map(({ name, ref, shape: signatureShape }) => {
      const shape = ref.node.shape('shape') ?? signatureShape;
      if (!shape) throw convertFailure('GRAPH_UNSUPPORTED', `the input '${name}' has no shape`);
      const [first, ...rest] = shape;
      return [ref.node, [first < 0 ? (batch === 'dynamic' ? FREE_BATCH : batch) : first, ...rest]];
    }),
  );
}

/** The input normalizations of published networks. For any other, the file contains no normalization. */
const RANGES = [
  { mean: 127.5, std: 127.5 }, // [-1, 1]
  { mean: 0, std: 255 }, // [0, 1]
  { mean: 0, std: 1 }, // [0, 255]
];

/**
 * Derives the input's normalization. TensorFlow's MobileNets expect [-1, 1] at their first convolution; the scale and
 * offset before it give the range of the input.
 * @param {Network} network
 */
function pixelRange({ ops, inputs: [input] }) {
  if (input.shape.length !== 4 || input.shape[3] !== 3) return undefined;
  let [scale, offset] = [1, 0];
  let value = input;
  for (const op of ops) {
    if (op.inputs[0] !== value) continue;
    const constant = op.inputs[1]?.tensor?.data;
    if (op.kind === 'PAD') value = op.output;
    else if (op.kind === 'CONV_2D') break;
    else if (constant?.length !== 1 || (op.kind !== 'MUL' && op.kind !== 'ADD')) return undefined;
    else {
      [scale, offset] =
        op.kind === 'MUL' ? [scale * constant[0], offset * constant[0]] : [scale, offset + constant[0]];
      value = op.output;
    }
  }
  const [mean, std] = [127.5 * (1 + offset), 127.5 * scale];
  const known = RANGES.find(
    (range) => Math.abs(range.mean - mean) < 0.01 && Math.abs(range.std / std - 1) < 1e-3,
  );
  return known && { mean: [known.mean], std: [known.std] };
}
