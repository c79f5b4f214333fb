// A .tflite file as a backbone: the part that stays as it is gives features; the last inverted residual blocks, if wanted,
// become the tail that is trained; and with a trained head it is written as one classifier.
import { BATCH_NORM_ENTRY, readBatchNorm } from '../tflite/batch_norm.js';
import { appendLabels, writeMetadata } from '../tflite/metadata.js';
import { TfliteFile } from '../tflite/read.js';
import { writeTflite } from '../tflite/write.js';
import { Engine } from '../engine/engine.js';
import { failure } from '../shared/errors.js';
import { FeatureExtractor } from '../vision/features.js';
import { host } from '../engine/host.js';
import { readSource } from '../vision/input.js';
import { DEFAULT_ENTRY, findManifestEntry, resolveInput } from '../vision/model_spec.js';
import { checkChoice, checkKeys, checkNumber } from '../shared/options.js';
import { chooseVariant } from '../engine/variant.js';
import { addHead, addPool, cutAt, findMap } from './classifier_network.js';
import { parameterSpecs } from './network.js';
import { findTail, replaceParameters, separateBatchNorm, toTail } from './tail.js';

/**
 * @typedef {import('../tflite/network.js').Network} FileNetwork
 * @typedef {import('../tflite/network.js').Value} Value
 * @typedef {import('../vision/types.js').Input} ImageInput
 * @typedef {import('../engine/engine.js').InputSpec} InputSpec
 *
 * @typedef {object} BackboneOptions
 * @property {string | URL | Uint8Array | ArrayBuffer | Blob} [model] a .tflite file with float weights: a feature vector
 *   or a classifier with a global pool, or a detector; default: the detector that comes with the package, whose backbone
 *   gives 1280 features
 * @property {Partial<InputSpec>} [input] how pixels become its input, where the file does not say
 * @property {number} [unfreeze] how many of the last inverted residual blocks are trained, together with what follows
 *   them; 0 to 16, default 0
 * @property {'frozen' | 'training'} [batchNorm] of those blocks: as it is (the default), or in training mode, which needs
 *   a file that was converted with `keepBatchNorm`. Where a file has it folded, the folded kernels and biases are trained
 * @property {boolean} [worker] extract features in a worker of this page
 * @property {number} [threads] 1 to 64, default 1
 * @property {boolean} [deterministic]
 * @property {number} [maxPixels] images with more pixels throw IMAGE_TOO_LARGE; default 16 777 216
 * @property {AbortSignal} [signal] cancels the download
 * @property {(progress: {loaded: number, total?: number}) => void} [onProgress] of the model's download, in bytes
 */

/** How many blocks can be unfrozen. */
export const UNFREEZE = { min: 0, max: 16, integer: true };
export const BATCH_NORM_MODES = /** @type {const} */ (['frozen', 'training']);

const KEYS = [
  ...['model', 'input', 'unfreeze', 'batchNorm', 'worker', 'threads', 'deterministic', 'maxPixels'],
  ...['signal', 'onProgress'],
];

export class Backbone {
  #extractor;
  #parts;
  /** @type {import('./network.js').Tail | undefined} */ tail;

  /**
   * Use {@link Backbone.create}.
   * @param {FeatureExtractor} extractor of the frozen part
   * @param {{input: ReturnType<typeof resolveInput>, network: FileNetwork, map: Value, border: Value,
   *   tail: import('./tail.js').TailLayer[], batchNorm?: 'folded' | 'frozen' | 'training'}} parts
   */
  constructor(extractor, parts) {
    this.#extractor = extractor;
    this.#parts = parts;
    if (parts.tail.length > 0) this.tail = toTail(parts.tail, parts.border);
  }

  /** @param {BackboneOptions} [options] */
  static async create(options = {}) {
    checkKeys('options', options, KEYS);
    const { model, input: given, unfreeze = 0, batchNorm: mode = 'frozen', ...rest } = options;
    const { signal, onProgress, ...running } = rest;
    checkNumber('unfreeze', unfreeze, UNFREEZE);
    checkChoice('batchNorm', mode, BATCH_NORM_MODES);
    if (mode === 'training' && unfreeze === 0)
      throw failure('INVALID_OPTION', 'batchNorm is trained with the blocks that unfreeze says');
    const { file, input } = await openFile(model, given, { signal, onProgress });
    const network = file.networkTo(findMap(file));
    const map = network.outputs[0].value;
    const tail = unfreeze > 0 ? findTail(network, map, unfreeze) : [];
    const norms = readBatchNorm(file.customMetadata(BATCH_NORM_ENTRY));
    const batchNorm = unfreeze > 0 ? separateBatchNorm(tail, norms, mode) : undefined;
    const border = unfreeze > 0 ? tail[0].op.inputs[0] : map;
    const frozen = unfreeze > 0 ? cutAt(network, border) : addPool(network, map);
    const bytes = writeTflite(frozen, { precision: 'fp32', description: '' });
    const extractor = await FeatureExtractor.create({ ...running, signal, model: bytes, input });
    return new Backbone(extractor, { input, network, map, border, tail, batchNorm });
  }

  /**
   * What becomes of the trained blocks' batch norm: `folded`: their kernels and biases are trained as the file has them,
   * with it folded in; `frozen`, `training`: as asked. undefined: no block is trained.
   */
  get batchNorm() {
    return this.#parts.batchNorm;
  }

  /**
   * @param {readonly ImageInput[]} images
   * @returns {Promise<{data: Float32Array, shape: number[]}>} [N, length]; before a tail, what goes into it
   */
  extractBatch(images) {
    return this.#extractor.extractBatch(images);
  }

  /**
   * The trained classifier as one file.
   * @param {import('./trainer.js').Network} trained
   * @param {Float32Array} parameters
   * @param {readonly string[]} labels
   * @returns {Uint8Array} a .tflite file with labels and normalization in its metadata
   */
  export(trained, parameters, labels) {
    const { tail, map, network: original } = this.#parts;
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
    const network = addHead(addPool({ ...original, ops }, map), kernel, bias);
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
    // Readers compute (pixel - mean) / std.
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

/** @param {number | number[]} value one for all, or each channel's */
const channels = (value) => (Array.isArray(value) ? value : [value, value, value]);

/**
 * Reads a file, which the module verifies.
 * @param {BackboneOptions['model']} model
 * @param {BackboneOptions['input']} given
 * @param {Pick<BackboneOptions, 'signal' | 'onProgress'>} loading
 */
async function openFile(model, given, loading) {
  const { trustsRelaxed, locateModel } = host();
  const variant = chooseVariant({ threads: 1, deterministic: false, trustsRelaxed });
  const engine = await Engine.create({ variant, threads: 1 });
  try {
    const received = await engine.receiveModel(
      await readSource(model ?? locateModel(), loading.signal),
      loading,
    );
    const metadata = engine.openModel();
    const entry = model === undefined ? DEFAULT_ENTRY : await findManifestEntry(received, metadata);
    const file = new TfliteFile(received.readAll());
    // One that is not of floats is refused when its network is read.
    const tensor = { ...file.input, dtype: /** @type {const} */ ('float32'), quantization: null };
    return { file, input: resolveInput(given, metadata, entry, tensor) };
  } finally {
    engine.close();
  }
}
