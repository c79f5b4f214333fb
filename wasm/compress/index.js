// Compression: takes a float .tflite file and sample images, returns the same network with its weights in int8 behind
// DEQUANTIZE, whose steps are coarse where the answer hardly depends on them, so that gzip makes the file small. The
// network computes in float as before.
//
// Stages: read the file; measure the sensitivity of each channel on the images (task.js, sensitivity.js, rules.js,
// moves.js, backward.js); choose steps (steps.js) and write the file (pack.js), once or until a target is reached
// (search.js); compare both networks (answers.js, report.js).
import { inflateWhole } from '../engine/inflate.js';
import { compareLayers } from '../quantize/compare.js';
import { failure as quantizeFailure } from '../quantize/errors.js';
import { readFile, TYPE } from '../quantize/file.js';
import { dropUnusedTensors, withMetadata } from '../quantize/finish.js';
import { readFloatModel } from '../quantize/float_model.js';
import { openPreprocessor, prepareImages } from '../quantize/images.js';
import { readInfo } from '../quantize/info.js';
import { compareAnswers } from './answers.js';
import { failure } from './errors.js';
import { zip } from './gzip.js';
import { checkOptions } from './options.js';
import { pack, readKernels } from './pack.js';
import { search } from './search.js';
import { SensitivityMeter } from './sensitivity.js';
import { findTask } from './task.js';

/**
 * @typedef {import('./options.js').CompressOptions} CompressOptions
 * @typedef {import('../vision/input.js').ImageInput} ImageInput
 * @typedef {import('../quantize/file.js').Model} Model
 * @typedef {import('./task.js').Task} Task
 * @typedef {import('../quantize/compare.js').LayerReport} LayerReport
 *
 * @typedef {object} Report
 * @property {Task['kind']} task
 * @property {LayerReport[]} layers in execution order; none is computed in int8
 * @property {{float: number, compressed: number, gzip: number}} bytes file sizes
 * @property {{int8: number, float16: number, float32: number}} weights how many are stored in each form
 * @property {number} images number of calibration images
 * @property {import('./answers.js').Answers} answers
 *
 * @typedef {object} Compressed
 * @property {Uint8Array<ArrayBuffer>} model the .tflite file
 * @property {Uint8Array<ArrayBuffer>} gzip the same, compressed
 * @property {Report} [report] unless the option `report` is false
 *
 * @typedef {object} Made a trial of certain steps
 * @property {Model} packed
 * @property {import('./pack.js').Counts} weights
 * @property {Uint8Array<ArrayBuffer>} file
 * @property {Uint8Array<ArrayBuffer>} gzip
 */

/** The factor of the steps without a target. @type {Record<string, number>} */
const LAMBDAS = { detector: 2.7e-4, classifier: 1e-4, features: 1e-4 };
/** How many of the images are used to compare the networks. */
const MAX_KEPT = 32;

/**
 * @param {Uint8Array<ArrayBuffer>} source a .tflite file with float activations, or its gzip file
 * @param {AsyncIterable<ImageInput> | Iterable<ImageInput>} images calibration images, similar to those that the model
 *   will be used on: bytes of image files, or pixels
 * @param {CompressOptions} [options]
 * @returns {Promise<Compressed>}
 */
export async function compress(source, images, options = {}) {
  const { input: given, signature, targetBytes, targetMatch, ...checked } = checkOptions(options);
  const { onProgress, signal } = checked;
  const bytes = await inflateWhole(source);
  const info = await readInfo(bytes, { input: given, signature }, async (engine, source) => {
    const model = readFloatModel(bytes, signature);
    return { model, task: await findTask(engine, model, source) };
  });
  const { model, task } = info.inspected;
  const kernels = readKernels(model);
  if (kernels.size === 0) throw failure('NOTHING_TO_COMPRESS');
  const { measured, kept, numImages } = await measure(model, images, { task, input: info.input }, checked);

  const halves = halfConstants(bytes, signature);
  /** @param {number} lambda @returns {Promise<Made>} */
  const make = async (lambda) => {
    signal?.throwIfAborted();
    onProgress({ stage: 'search' });
    await new Promise((resolve) => setTimeout(resolve));
    const { packed, weights } = pack(model, kernels, measured, { lambda, halves });
    const names = { suffix: 'compressed', description: 'Compressed by ocelli.' };
    const file = withMetadata(dropUnusedTensors(packed), info, bytes, names);
    return { packed, weights, file, gzip: zip(file) };
  };
  /** @param {Made} made */
  const answersOf = ({ packed, file }) =>
    compareAnswers({
      files: [{ model: bytes, signature }, { model: file }],
      ...{ models: [model, packed], task, input: info.input, ...kept },
    });
  const made = await makeFor({ targetBytes, targetMatch }, LAMBDAS[task.kind], make, answersOf);
  if (!checked.report) return { model: made.file, gzip: made.gzip };
  onProgress({ stage: 'compare' });
  const report = {
    task: task.kind,
    layers: await compareLayers(model, made.packed, kept.inputs, new Set()),
    bytes: { float: bytes.length, compressed: made.file.length, gzip: made.gzip.length },
    weights: made.weights,
    images: numImages,
    answers: await answersOf(made),
  };
  return { model: made.file, gzip: made.gzip, report };
}

/**
 * Names of the constants that a file stores in float16. Biases stay in the form that they have.
 * @param {Uint8Array} bytes
 * @param {string} [signature] see readFile
 */
function halfConstants(bytes, signature) {
  const { tensors } = readFile(bytes, signature);
  return new Set(tensors.filter(({ type, data }) => data && type === TYPE.float16).map(({ name }) => name));
}

/**
 * @param {{targetBytes?: number, targetMatch?: number}} targets
 * @param {number} lambda
 * @param {(lambda: number) => Promise<Made>} make
 * @param {(made: Made) => Promise<import('./answers.js').Answers>} answersOf
 */
function makeFor({ targetBytes, targetMatch }, lambda, make, answersOf) {
  if (targetBytes !== undefined)
    return search(lambda, make, {
      passes: ({ gzip }) => gzip.length <= targetBytes,
      prefersCoarse: false,
      miss: ({ gzip }) => `the file has at least ${gzip.length} bytes gzipped`,
    });
  if (targetMatch !== undefined)
    return search(lambda, make, {
      passes: async (made) => (await answersOf(made)).share >= targetMatch,
      prefersCoarse: true,
      miss: () => `fewer than ${targetMatch} of the answers stay even with the finest steps`,
    });
  return make(lambda);
}

/**
 * @param {Model} model
 * @param {AsyncIterable<ImageInput> | Iterable<ImageInput>} images
 * @param {{task: Task, input: import('../engine/engine.js').InputSpec}} facts
 * @param {Pick<ReturnType<typeof checkOptions>, 'reading' | 'onProgress' | 'onUnreadable' | 'signal'>} options
 */
async function measure(model, images, { task, input }, options) {
  const { reading, onProgress } = options;
  const meter = await SensitivityMeter.create(model);
  const preprocessor = await openPreprocessor(model.tensors[model.inputs[0]], input, reading);
  /** @type {{images: ImageInput[], inputs: Float32Array[]}} */
  const kept = { images: [], inputs: [] };
  let numImages = 0;
  try {
    for await (const { image, values } of prepareImages(preprocessor, images, options)) {
      if (numImages < MAX_KEPT) {
        kept.images.push(image);
        kept.inputs.push(values);
      }
      await meter.add(values, (all) => task.lossGradients(all, numImages));
      onProgress({ stage: 'measure', images: ++numImages });
    }
    if (numImages === 0) throw quantizeFailure('NO_IMAGES');
    return { measured: meter.result, kept, numImages };
  } finally {
    preprocessor.close();
    meter.close();
  }
}
