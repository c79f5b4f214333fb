// Conversion: a model as TensorFlow publishes it -> a .tflite file. Pure JavaScript for pages, Node and workers.
//
// source -> files (files.js, archive.js) -> graph (saved_model.js, tfjs.js, layers.js) -> simplified, with shapes and
// constants known (simplify.js, facts.js) -> TFLite's operators (lower.js, fuse.js) -> bytes (tflite.js).
import { convertFailure } from './errors.js';
import { Facts } from './facts.js';
import { openSource } from './files.js';
import { fuse } from './fuse.js';
import { lower } from './lower.js';
import { checkOptions } from './options.js';
import { readModel } from './read.js';
import { simplifyPorts } from './saved_model.js';
import { writeTflite } from './tflite.js';

/**
 * @typedef {import('./options.js').ConvertOptions} ConvertOptions
 * @typedef {import('./files.js').Source} Source
 *
 * @typedef {object} Converted
 * @property {Uint8Array<ArrayBuffer>} model the .tflite file
 * @property {Record<string, number>} operators how many there are of each kind
 */

/**
 * @param {Source} source
 * @param {ConvertOptions} [options]
 * @returns {Promise<Converted>}
 */
export async function convert(source, options = {}) {
  const { weights, batch, signature, outputs } = checkOptions(options);
  const model = await readModel(await openSource(source), { signature, outputs });
  const facts = new Facts(simplifyPorts(model.outputs), inputShapes(model, batch ?? 'dynamic'));
  const network = lower(model.inputs, model.outputs, facts);
  fuse(network);
  return {
    model: writeTflite(network, { precision: weights, description: 'Converted by ocelli.' }),
    operators: countKinds(network),
  };
}

/**
 * @param {import('./saved_model.js').Model} model
 * @param {number | 'dynamic'} batch for inputs that leave it free
 */
function inputShapes({ inputs }, batch) {
  return new Map(
    inputs.map(({ name, ref, shape: announced }) => {
      const shape = ref.node.shape('shape') ?? announced;
      if (!shape) throw convertFailure('GRAPH_UNSUPPORTED', `the input '${name}' has no shape`);
      const [first, ...rest] = shape;
      return [ref.node, [first < 0 && batch !== 'dynamic' ? batch : first, ...rest]];
    }),
  );
}

/** @param {import('./network.js').Network} network */
function countKinds({ ops }) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const { kind } of ops) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
