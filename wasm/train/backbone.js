// A float .tflite model as a backbone. Its frozen part turns images into features. With `unfreeze`, its last blocks
// become the tail, which is trained. export() writes backbone and trained head as one .tflite
// classifier.
import { appendLabels, writeMetadata } from '../tflite/metadata.js';
import { TfliteFile } from '../tflite/read.js';
import { writeTflite } from '../tflite/write.js';
import { Engine } from '../engine/engine.js';
import { FeatureExtractor } from '../vision/features.js';
import { host } from '../engine/host.js';
import { checkWeights, formOf } from '../vision/spec/forms.js';
import { readSource } from '../vision/input.js';
import { DEFAULT_ENTRY, findManifestEntry, resolveInput } from '../vision/model_spec.js';
import { READING } from '../vision/reading.js';
import { checkKeys, checkText } from '../shared/options.js';
import { resolveAssets } from '../vision/vision_model.js';
import { chooseVariant } from '../engine/variant.js';
import { addHead, addPool, cutAt, findFeatureMap } from './classifier_network.js';
import { parameterSpecs } from './network.js';
import { checkUnfreeze, replaceParameters, toTail, UNFREEZE_KEYS, unfreezeBlocks } from './tail.js';

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
 * @typedef {BackboneLoading & import('./tail.js').UnfreezeOptions & import('../vision/reading.js').ReadingOptions} BackboneOptions
 *
 * @typedef {object} BackboneLoading
 * @property {ModelInput} [model] a float .tflite file: a classifier or feature extractor with a global pool, or a
 *   detector. Default: the detector of this package, whose backbone gives 1280 features
 * @property {string} [signature] which of the file's signatures is the backbone; default: its first subgraph, as in
 *   `ObjectDetector.create`
 * @property {Weights} [weights] of the package's detector, as for `ObjectDetector.create`
 * @property {Partial<InputSpec> | string} [input] how pixels become the model's input, if the file does not say it
 * @property {boolean} [worker] extract features in a worker
 * @property {number} [threads] 1 to 64, default 1
 * @property {boolean} [deterministic]
 * @property {string | WebUrl} [assetsUrl] a folder with a copy of the package's dist/, as for `ObjectDetector.create`
 * @property {WebSignal} [signal] cancels the download
 * @property {(progress: {loaded: number, total?: number}) => void} [onProgress] called while the model downloads, in
 *   bytes
 */

const KEYS = [
  ...['model', 'input', 'worker', 'threads', 'deterministic', 'signature', 'weights', 'assetsUrl', 'signal'],
  ...['onProgress', ...UNFREEZE_KEYS, ...READING],
];

export class Backbone {
  #extractor;
  #parts;
  /** @type {import('./network.js').Tail | undefined} */ tail;
  /** The length of one image's features. */
  length;

  /**
   * Use {@link Backbone.create}.
   * @param {FeatureExtractor} extractor of the frozen part
   * @param {{input: ReturnType<typeof resolveInput>, network: FileNetwork, featureMap: Value} &
   *   import('./tail.js').Unfrozen} parts
   */
  constructor(extractor, parts) {
    this.#extractor = extractor;
    this.#parts = parts;
    this.length = extractor.length;
    if (parts.tail.length > 0) this.tail = toTail(parts.tail, parts.inputs[0]);
  }

  /** @param {BackboneOptions} [options] */
  static async create(options = {}) {
    checkKeys('options', options, KEYS);
    const { model, input: given, weights, signature, signal, onProgress, ...rest } = options;
    const { unfreeze, batchNorm, batchNormMomentum, ...running } = rest;
    checkWeights(options);
    if (signature !== undefined) checkText('signature', signature);
    checkUnfreeze(options);
    const assetsUrl = resolveAssets(options.assetsUrl);
    const loading = { signature, weights, signal, onProgress, assetsUrl };
    const { file, input } = await openFile(model, given, loading);
    const network = file.networkTo(findFeatureMap(file));
    const featureMap = network.outputs[0].value;
    const unfrozen = unfreezeBlocks(file, network, [featureMap], { unfreeze, batchNorm, batchNormMomentum });
    const isCut = unfrozen.tail.length > 0;
    const frozen = isCut ? cutAt(network, unfrozen.inputs[0]) : addPool(network, featureMap);
    const bytes = writeTflite(frozen, { precision: 'fp32', description: '' });
    const extractor = await FeatureExtractor.create({ ...running, signal, model: bytes, input });
    return new Backbone(extractor, { input, network, featureMap, ...unfrozen });
  }

  /** How batch norm in the unfrozen blocks is trained; undefined: no block is unfrozen. */
  get batchNorm() {
    return this.#parts.batchNorm;
  }

  /** The multiply-adds of one image's features. */
  get multiplyAdds() {
    return this.#extractor.multiplyAdds;
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
    const { scale, offset, resize, fit } = this.#parts.input;
    // The metadata's normalization is (pixel - mean) / std; ours is pixel * scale + offset.
    const std = channels(scale).map((value) => 1 / value);
    const mean = channels(offset).map((value, i) => -value * std[i]);
    return writeMetadata({
      name: 'classifier',
      description: 'Trained by ocelli.',
      image: { name: inputs[0].name, mean, std },
      outputs: [{ name: outputs[0].name, role: 'probability', labels: [...labels] }],
      own: { resize, fit },
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
