// A float .tflite model as a backbone. Its frozen part turns images into features. With `unfreeze`, its last blocks
// become the tail, which is trained. export() writes backbone and trained head as one .tflite
// classifier.
import { BATCH_NORM_ENTRY, readBatchNorm } from '../tflite/batch_norm.js';
import { appendLabels, writeMetadata } from '../tflite/metadata.js';
import { TfliteFile } from '../tflite/read.js';
import { writeTflite } from '../tflite/write.js';
import { Engine } from '../engine/engine.js';
import { failure } from '../shared/errors.js';
import { FeatureExtractor } from '../vision/features.js';
import { host } from '../engine/host.js';
import { checkWeights, formOf } from '../vision/spec/forms.js';
import { readSource } from '../vision/input.js';
import { DEFAULT_ENTRY, findManifestEntry, resolveInput } from '../vision/model_spec.js';
import { READING } from '../vision/reading.js';
import { checkChoice, checkKeys, checkNumber, checkText } from '../shared/options.js';
import { resolveAssets } from '../vision/vision_model.js';
import { chooseVariant } from '../engine/variant.js';
import { findTail } from './blocks.js';
import { addHead, addPool, cutAt, findFeatureMap } from './classifier_network.js';
import { parameterSpecs } from './network.js';
import { replaceParameters, separateBatchNorm, toTail } from './tail.js';

/**
 * @typedef {import('../tflite/network.js').Network} FileNetwork
 * @typedef {import('../tflite/network.js').Value} Value
 * @typedef {import('../vision/types.js').Input} ImageInput
 * @typedef {import('../engine/engine.js').InputSpec} InputSpec
 *
 * @typedef {import('../vision/types.js').ModelInput} ModelInput
 * @typedef {import('../vision/spec/forms.js').Weights} Weights
 * @typedef {import('../shared/platform.js').Global<'AbortSignal'>} WebSignal
 * @typedef {import('../shared/platform.js').Global<'URL'>} WebUrl
 *
 * @typedef {BackboneLoading & import('../vision/reading.js').ReadingOptions} BackboneOptions
 *
 * @typedef {object} BackboneLoading
 * @property {ModelInput} [model] a float .tflite file: a classifier or feature extractor with a global pool, or a
 *   detector. Default: the detector of this package, whose backbone gives 1280 features
 * @property {string} [signature] which of the file's signatures is the backbone; default: its first subgraph, as in
 *   `ObjectDetector.create`
 * @property {Weights} [weights] of the package's detector, as for `ObjectDetector.create`
 * @property {Partial<InputSpec> | string} [input] how pixels become the model's input, if the file does not say it
 * @property {number} [unfreeze] train this many of the last blocks of a MobileNetV1, V2 or V3 or an EfficientNet, and the
 *   layers after them; 0 to 16, default 0
 * @property {'frozen' | 'training'} [batchNorm] batch norm in the unfrozen blocks: frozen (the default), or in training
 *   mode, which needs a file converted with `keepBatchNorm`. If the file has only folded batch norm, the folded kernels
 *   and biases are trained
 * @property {number} [batchNormMomentum] of the moving statistics, if batch norm is in training mode; 0 to 1. Default: the
 *   file's own, if conversion found it, else 0.99, Keras' default. Keras' own MobileNetV2 and V3 have 0.999
 * @property {boolean} [worker] extract features in a worker
 * @property {number} [threads] 1 to 64, default 1
 * @property {boolean} [deterministic]
 * @property {string | WebUrl} [assetsUrl] a folder with a copy of the package's dist/, as for `ObjectDetector.create`
 * @property {WebSignal} [signal] cancels the download
 * @property {(progress: {loaded: number, total?: number}) => void} [onProgress] called while the model downloads, in
 *   bytes
 */

/** The range of `unfreeze`. */
export const UNFREEZE = { min: 0, max: 16, integer: true };
export const MOMENTUM = { min: 0, max: 1 };
export const BATCH_NORM_MODES = /** @type {const} */ (['frozen', 'training']);

const KEYS = [
  ...['model', 'input', 'unfreeze', 'batchNorm', 'batchNormMomentum', 'worker', 'threads', 'deterministic'],
  ...['signature', 'weights', 'assetsUrl', 'signal', 'onProgress', ...READING],
];

export class Backbone {
  #extractor;
  #parts;
  /** @type {import('./network.js').Tail | undefined} */ tail;

  /**
   * Use {@link Backbone.create}.
   * @param {FeatureExtractor} extractor of the frozen part
   * @param {{input: ReturnType<typeof resolveInput>, network: FileNetwork, featureMap: Value, tailInput: Value,
   *   tail: import('./blocks.js').TailLayer[], batchNorm?: 'folded' | 'frozen' | 'training'}} parts
   */
  constructor(extractor, parts) {
    this.#extractor = extractor;
    this.#parts = parts;
    if (parts.tail.length > 0) this.tail = toTail(parts.tail, parts.tailInput);
  }

  /** @param {BackboneOptions} [options] */
  static async create(options = {}) {
    checkKeys('options', options, KEYS);
    const { model, input: given, unfreeze = 0, batchNorm: mode = 'frozen', weights, ...rest } = options;
    const { batchNormMomentum: momentum, signature, signal, onProgress, ...running } = rest;
    checkWeights(options);
    if (signature !== undefined) checkText('signature', signature);
    checkNumber('unfreeze', unfreeze, UNFREEZE);
    checkChoice('batchNorm', mode, BATCH_NORM_MODES);
    if (mode === 'training' && unfreeze === 0)
      throw failure('INVALID_OPTION', "batchNorm 'training' needs unfreeze of at least 1");
    if (momentum !== undefined) checkNumber('batchNormMomentum', momentum, MOMENTUM);
    if (momentum !== undefined && mode !== 'training')
      throw failure('INVALID_OPTION', "batchNormMomentum needs batchNorm: 'training'");
    const assetsUrl = resolveAssets(options.assetsUrl);
    const loading = { signature, weights, signal, onProgress, assetsUrl };
    const { file, input } = await openFile(model, given, loading);
    const network = file.networkTo(findFeatureMap(file));
    const featureMap = network.outputs[0].value;
    const { tail, input: tailInput } =
      unfreeze > 0 ? findTail(network, featureMap, unfreeze) : { tail: [], input: featureMap };
    const norms = readBatchNorm(file.customMetadata(BATCH_NORM_ENTRY));
    const batchNorm = unfreeze > 0 ? separateBatchNorm(tail, norms, mode, momentum) : undefined;
    const frozen = unfreeze > 0 ? cutAt(network, tailInput) : addPool(network, featureMap);
    const bytes = writeTflite(frozen, { precision: 'fp32', description: '' });
    const extractor = await FeatureExtractor.create({ ...running, signal, model: bytes, input });
    return new Backbone(extractor, { input, network, featureMap, tailInput, tail, batchNorm });
  }

  /**
   * How batch norm in the unfrozen blocks is trained. `folded`: the file has only folded batch norm, so the folded
   * kernels and biases are trained. `frozen`, `training`: as the option says. undefined: no block is unfrozen.
   */
  get batchNorm() {
    return this.#parts.batchNorm;
  }

  /**
   * @param {readonly ImageInput[]} images
   * @returns {Promise<{data: Float32Array, shape: number[]}>} features [N, length]; with a tail, the tail's input, one
   *   flattened row per image
   */
  extractBatch(images) {
    return this.#extractor.extractBatch(images);
  }

  /**
   * Writes backbone and trained layers as one classifier.
   * @param {import('./trainer.js').Network} trained
   * @param {Float32Array} parameters
   * @param {readonly string[]} labels
   * @returns {Uint8Array} a .tflite file with labels and normalization in its metadata
   */
  export(trained, parameters, labels) {
    const { tail, featureMap, network: original } = this.#parts;
    const specs = parameterSpecs(trained);
    const read = (/** @type {string} */ layer) =>
      specs
        .filter(({ name }) => name.startsWith(`${layer}/`))
        .map(({ offset, size }) => parameters.slice(offset, offset + size));
    const ops = original.ops.map((op) => {
      const index = tail.findIndex((entry) => entry.op === op);
      return index < 0 ? op : replaceParameters(tail[index], read(`tail/${index}`));
    });
    const [kernel, bias] = read('dense');
    const network = addHead(addPool({ ...original, ops }, featureMap), kernel, bias);
    for (const value of [...network.inputs, ...network.ops.map(({ output }) => output)])
      value.shape = [1, ...value.shape.slice(1)];
    const metadata = this.#describe(network, labels);
    const model = writeTflite(network, { precision: 'fp32', description: 'Trained by ocelli.', metadata });
    return appendLabels(model, [...labels]);
  }

  /**
   * @param {FileNetwork} network
   * @param {readonly string[]} labels
   */
  #describe({ inputs, outputs }, labels) {
    const { scale, offset, resize } = this.#parts.input;
    // The metadata's normalization is (pixel - mean) / std; ours is pixel * scale + offset.
    const std = channels(scale).map((value) => 1 / value);
    const mean = channels(offset).map((value, i) => -value * std[i]);
    return writeMetadata({
      name: 'classifier',
      description: 'Trained by ocelli.',
      image: { name: inputs[0].name, mean, std },
      outputs: [{ name: outputs[0].name, role: 'probability', labels: [...labels] }],
      own: { resize },
    });
  }

  /** Frees the module's memory. */
  close() {
    this.#extractor.close();
  }
}

/** @param {number | number[]} value one value for all channels, or one for each */
const channels = (value) => (Array.isArray(value) ? value : [value, value, value]);

/**
 * Reads a model file. The WebAssembly module verifies it.
 * @param {BackboneOptions['model']} model
 * @param {BackboneOptions['input']} given
 * @param {Pick<BackboneOptions, 'signal' | 'onProgress' | 'weights' | 'signature'> & {assetsUrl?: string}} loading
 */
async function openFile(model, given, loading) {
  const { trustsRelaxed, locateModel } = host();
  const variant = chooseVariant({ threads: 1, deterministic: false, trustsRelaxed });
  const { assetsUrl, weights, signature, ...options } = loading;
  const engine = await Engine.create({ variant, threads: 1, assetsUrl });
  try {
    const received = await engine.receiveModel(
      await readSource(model ?? locateModel(assetsUrl, formOf({ weights })), options.signal),
      options,
    );
    const metadata = engine.openModel(signature);
    const entry = model === undefined ? DEFAULT_ENTRY : await findManifestEntry(received, metadata);
    const file = new TfliteFile(received.readAll(), signature);
    // networkTo() rejects models that are not float.
    const tensor = { ...file.input, dtype: /** @type {const} */ ('float32'), quantization: null };
    return { file, input: resolveInput(given, metadata, entry, tensor) };
  } finally {
    engine.close();
  }
}
