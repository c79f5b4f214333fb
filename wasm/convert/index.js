// Conversion: a model as TensorFlow publishes it -> a .tflite file. Pure JavaScript for pages, Node and workers.
//
// source -> files (files.js, archive.js) -> graph (saved_model.js, tfjs.js, layers.js) -> simplified, with shapes and
// constants known (simplify.js, facts.js) -> TFLite's operators (lower.js, fuse.js, slice.js) -> bytes (write.js,
// metadata.js). Both ends of a detector are read, not kept (detector/).
import { OcelliError } from '../shared/errors.js';
import { writeBatchNorm } from '../tflite/batch_norm.js';
import { isDetector } from './detector/detector.js';
import { convertFailure } from './errors.js';
import { openSource } from './source/files.js';
import { appendLabels, writeMetadata } from '../tflite/metadata.js';
import { checkOptions } from './options.js';
import { planDetector } from './plan_detector.js';
import { planNetwork } from './plan_network.js';
import { readModel } from './source/read.js';
import { simplifyPorts } from './source/saved_model.js';
import { writeTflite } from '../tflite/write.js';

/**
 * @typedef {import('./options.js').ConvertOptions} ConvertOptions
 * @typedef {import('./source/files.js').Source} Source
 * @typedef {import('../tflite/network.js').Network} Network
 * @typedef {import('../tflite/metadata.js').About} About
 *
 * @typedef {object} Plan What is to be written.
 * @property {Network} network
 * @property {About} about
 * @property {string[]} notes
 *
 * @typedef {object} Converted
 * @property {Uint8Array<ArrayBuffer>} model the .tflite file
 * @property {'detector' | 'network'} kind
 * @property {Record<string, number>} operators how many there are of each kind
 * @property {string[]} notes what was read off the graph, and what could not be done as asked
 */

const DESCRIPTION = 'Converted by ocelli.';

/**
 * @param {Source} source
 * @param {ConvertOptions} [options]
 * @returns {Promise<Converted>}
 */
export async function convert(source, options = {}) {
  const checked = checkOptions(options);
  try {
    return await run(source, checked);
  } catch (error) {
    if (error instanceof OcelliError || checked.signal?.aborted) throw error;
    // What a reader runs into that does not look for damage of this kind.
    throw convertFailure('SOURCE_DAMAGED', /** @type {Error} */ (error).message, error);
  }
}

/**
 * @param {Source} source
 * @param {ReturnType<typeof checkOptions>} options
 * @returns {Promise<Converted>}
 */
async function run(source, options) {
  const { weights, signature, outputs, keepBatchNorm, onProgress = () => {}, signal, ...rest } = options;
  const enter = (/** @type {import('./options.js').Stage} */ stage) => {
    signal?.throwIfAborted();
    onProgress({ stage });
  };
  enter('unpack');
  const files = await openSource(source);
  enter('read');
  const model = await readModel(files, { signature, outputs });
  enter('simplify');
  const refs = simplifyPorts(model.outputs);
  const isOfDetector = isDetector(refs);
  const plan = isOfDetector ? await planDetector(model, refs, rest) : await planNetwork(model, refs, rest);
  enter('write');
  const { network, about, notes } = plan;
  const kept = keepBatchNorm ? writeBatchNorm(network) : undefined;
  const metadata = writeMetadata({ ...about, description: DESCRIPTION, batchNorm: kept?.file });
  const file = writeTflite(network, { precision: weights, description: DESCRIPTION, metadata });
  const labels = about.outputs.find((output) => output.labels)?.labels;
  return {
    model: labels ? appendLabels(file, labels) : file,
    kind: isOfDetector ? 'detector' : 'network',
    operators: countKinds(network),
    notes: kept ? [...notes, `batch norm of ${kept.count} convolutions kept`] : notes,
  };
}

/** @param {import('../tflite/network.js').Network} network */
function countKinds({ ops }) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const { kind } of ops) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
