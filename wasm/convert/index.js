// Conversion: takes a TensorFlow model, returns a .tflite file. Runs in browsers, workers and Node; the engine runs only
// to verify the file.
//
// Stages: open the source's files (source/files.js, archive.js); read the graph (source/saved_model.js, tfjs.js,
// layers.js); simplify it and infer shapes and constants (graph/simplify.js, facts.js); lower it to TFLite operators
// and fuse them (lower/); write the file (../tflite/write.js, metadata.js); compare it with the graph (prove/). A detector's preprocessing and
// postprocessing are not converted; detector/ reads their settings from the graph.
import { OcelliError } from '../shared/errors.js';
import { writeBatchNorm } from '../tflite/batch_norm.js';
import { isDetector } from './detector/detector.js';
import { CallerError, convertFailure } from './errors.js';
import { openSource } from './source/files.js';
import { appendLabelFiles, writeMetadata } from '../tflite/metadata.js';
import { checkOptions } from './options.js';
import { planDetector } from './plan_detector.js';
import { planNetwork } from './plan_network.js';
import { prove } from './prove/prove.js';
import { readModel } from './source/read.js';
import { simplifyPorts } from './source/saved_model.js';
import { writeTflite } from '../tflite/write.js';

/**
 * @typedef {import('./options.js').ConvertOptions} ConvertOptions
 * @typedef {import('./options.js').Stage} Stage
 * @typedef {import('../shared/errors.js').ErrorCode} ErrorCode
 * @typedef {import('./source/files.js').FileContent} FileContent
 * @typedef {import('./source/files.js').Source} Source
 * @typedef {import('../tflite/network.js').Network} Network
 * @typedef {import('../tflite/metadata.js').About} About
 *
 * @typedef {object} Plan The content of the .tflite file.
 * @property {Network} network
 * @property {About} about
 * @property {string[]} notes
 * @property {import('./prove/prove.js').Proof} proof
 *
 * @typedef {object} Converted
 * @property {Uint8Array<ArrayBuffer>} model the .tflite file
 * @property {'detector' | 'network'} kind
 * @property {Record<string, number>} operators number of operators of each kind
 * @property {string[]} notes settings that were read from the graph, and options that could not be applied
 */

export { OcelliError };

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
    if (error instanceof CallerError) throw error.cause;
    if (error instanceof OcelliError || checked.signal?.aborted) throw error;
    // Readers do not check for every kind of damage: other errors mean a damaged source.
    throw convertFailure('SOURCE_DAMAGED', /** @type {Error} */ (error).message, error);
  }
}

/**
 * @param {Source} source
 * @param {ReturnType<typeof checkOptions>} options
 * @returns {Promise<Converted>}
 */
async function run(source, options) {
  const { weights, signature, outputs, keepBatchNorm, verify, onProgress, signal, ...rest } = options;
  const report = (/** @type {Parameters<typeof onProgress>[0]} */ progress) => {
    try {
      onProgress(progress);
    } catch (error) {
      throw new CallerError('', { cause: error });
    }
  };
  const startStage = (/** @type {import('./options.js').Stage} */ stage) => {
    signal?.throwIfAborted();
    report({ stage });
  };
  startStage('unpack');
  const files = await openSource(source);
  startStage('read');
  const model = await readModel(files, { signature, outputs });
  startStage('simplify');
  const refs = simplifyPorts(model.outputs);
  const hasSuppression = isDetector(refs);
  const plan = hasSuppression ? await planDetector(model, refs, rest) : await planNetwork(model, refs, rest);
  startStage('write');
  const { network, about, notes, proof } = plan;
  const batchNorm = keepBatchNorm ? writeBatchNorm(network) : undefined;
  const metadata = writeMetadata({ ...about, description: DESCRIPTION, batchNorm: batchNorm?.file });
  const file = writeTflite(network, { precision: weights, description: DESCRIPTION, metadata });
  if (verify) {
    startStage('verify');
    await prove(network, proof, {
      onProgress: (done, total) => report({ stage: 'verify', done, total }),
      signal,
    });
  }
  return {
    model: about.outputs.some(({ labels }) => labels) ? appendLabelFiles(file, about.outputs) : file,
    kind: hasSuppression ? 'detector' : 'network',
    operators: countKinds(network),
    notes: batchNorm ? [...notes, `batch norm of ${batchNorm.count} convolutions kept`] : notes,
  };
}

/** @param {import('../tflite/network.js').Network} network */
function countKinds({ ops }) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const { kind } of ops) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
