// A .tflite file as a backbone: the part that stays as it is runs in the engine and gives features; the last inverted
// residual blocks, if wanted, become the tail that is trained; and with a trained head it is written as one classifier.
import { convertFailure } from '../../tools/convert/errors.js';
import { appendLabels, writeMetadata } from '../../tools/convert/metadata.js';
import { Wiring } from '../../tools/convert/network.js';
import { TfliteFile } from '../../tools/convert/read_tflite.js';
import { writeTflite } from '../../tools/convert/tflite.js';
import { Engine } from '../engine.js';
import { host } from '../host.js';
import { checkMaxPixels, readSource, toPixels } from '../input.js';
import { DEFAULT_ENTRY, findManifestEntry, resolveInput } from '../model_spec.js';
import { checkKeys, checkNumber } from '../options.js';
import { chooseVariant } from '../variant.js';
import { parameterSpecs } from './network.js';

/**
 * @typedef {import('../../tools/convert/network.js').Network} FileNetwork
 * @typedef {import('../../tools/convert/network.js').Op} Op
 * @typedef {import('../../tools/convert/network.js').Value} Value
 * @typedef {import('./trainer.js').TrainLayer} TrainLayer
 * @typedef {import('../input.js').ImageInput} ImageInput
 *
 * @typedef {object} BackboneOptions
 * @property {string | URL | Uint8Array | ArrayBuffer | Blob} [model] a .tflite file with float weights: a feature vector
 *   or a classifier with a global pool, or a detector; default: the detector that comes with the package, whose backbone
 *   gives 1280 features
 * @property {Partial<import('../engine.js').InputSpec>} [input] how pixels become its input, where the file does not say
 * @property {number} [unfreeze] how many of the last inverted residual blocks are trained, together with what follows
 *   them; default 0
 * @property {number} [threads] default 1
 * @property {boolean} [deterministic]
 * @property {number} [maxPixels] refuse images of more
 *
 * @typedef {{op: Op, layer: TrainLayer}} TailLayer
 */

export class Backbone {
  #engine;
  #input;
  #maxPixels;
  #batch = 1;
  #network;
  #map;
  /** @type {TailLayer[]} */ #tail;
  /** @type {import('./network.js').Tail | undefined} */ tail;

  /**
   * Use {@link Backbone.create}.
   * @param {Engine} engine with the frozen part
   * @param {{input: ReturnType<typeof resolveInput>, maxPixels: number, network: FileNetwork, map: Value, tail: TailLayer[], border: Value}} parts
   */
  constructor(engine, { input, maxPixels, network, map, tail, border }) {
    this.#engine = engine;
    this.#input = input;
    this.#maxPixels = maxPixels;
    this.#network = network;
    this.#map = map;
    this.#tail = tail;
    if (tail.length > 0) this.tail = toTail(tail, border);
  }

  /** @param {BackboneOptions} [options] */
  static async create(options = {}) {
    checkKeys('options', options, ['model', 'input', 'unfreeze', 'threads', 'deterministic', 'maxPixels']);
    const { unfreeze = 0, threads = 1, deterministic = false, maxPixels } = options;
    checkNumber('unfreeze', unfreeze, { min: 0, max: 16, integer: true });
    const { trustsRelaxed, locateModel } = host();
    const variant = chooseVariant({ threads, deterministic, trustsRelaxed });
    const engine = await Engine.create({ variant, threads, deterministic });
    try {
      const received = await engine.receiveModel(await readSource(options.model ?? locateModel()));
      const bytes = received.readAll();
      const metadata = engine.openModel();
      const entry = options.model === undefined ? DEFAULT_ENTRY : await findManifestEntry(received, metadata);
      engine.buildModel();
      const input = resolveInput(options.input, metadata, entry, engine.inputs[0]);
      const file = new TfliteFile(bytes);
      const network = file.networkTo(findMap(file));
      const map = network.outputs[0].value;
      const tail = unfreeze > 0 ? findTail(network, map, unfreeze) : [];
      const border = tail.length > 0 ? tail[0].op.inputs[0] : map;
      const frozen = tail.length > 0 ? prune(network, border) : addPool(network, map);
      const model = writeTflite(frozen, { precision: 'fp32', description: '' });
      await engine.receiveModel(await readSource(model));
      engine.openModel();
      engine.buildModel();
      return new Backbone(engine, {
        input,
        maxPixels: checkMaxPixels(maxPixels),
        network,
        map,
        tail,
        border,
      });
    } catch (error) {
      engine.close();
      throw error;
    }
  }

  /**
   * @param {readonly ImageInput[]} images
   * @returns {Promise<{data: Float32Array, shape: number[]}>} [N, length], or [N, height, width, channels] before a tail
   */
  async extractBatch(images) {
    const sources = await Promise.all(images.map((image) => toPixels(image)));
    const engine = this.#engine;
    if (images.length !== this.#batch) engine.setBatch(images.length);
    this.#batch = images.length;
    sources.forEach((source, i) => {
      if (source instanceof Uint8Array) engine.decodeImage(source, this.#maxPixels);
      else {
        engine.setPixels(source);
        source.release?.();
      }
      engine.preprocess(this.#input, undefined, 0, i);
    });
    engine.dropImage();
    engine.run();
    const { data, shape } = engine.readOutput(0);
    return { data: /** @type {Float32Array} */ (data), shape };
  }

  /**
   * The trained classifier as one file.
   * @param {import('./trainer.js').Network} trained
   * @param {Float32Array} parameters
   * @param {readonly string[]} labels
   * @returns {Uint8Array} a .tflite file with labels and normalization in its metadata
   */
  export(trained, parameters, labels) {
    const specs = parameterSpecs(trained).map(({ name, shape, offset, size }) => ({
      name,
      shape,
      data: parameters.slice(offset, offset + size),
    }));
    const [kernel, bias] = specs.slice(-2);
    const ops = this.#network.ops.map((op) => {
      const index = this.#tail.findIndex((layer) => layer.op === op);
      return index < 0 || !op.weights
        ? op
        : replaceWeights(op, specs[2 * index].data, specs[2 * index + 1].data);
    });
    const pooled = addPool({ ...this.#network, ops }, this.#map);
    const network = addHead(pooled, kernel, bias);
    for (const value of [...network.inputs, ...network.ops.map(({ output }) => output)])
      value.shape = [1, ...value.shape.slice(1)];
    const output = network.outputs[0].name;
    const { scale, offset } = this.#input;
    const list = (/** @type {number | number[]} */ value) =>
      Array.isArray(value) ? value : [value, value, value];
    // Readers compute (pixel - mean) / std.
    const std = list(scale).map((value) => 1 / value);
    const mean = list(offset).map((value, i) => -value * std[i]);
    const metadata = writeMetadata({
      name: 'classifier',
      description: 'Trained by ocelli.',
      image: { name: network.inputs[0].name, mean, std },
      outputs: [{ name: output, role: 'probability', labels: [...labels] }],
      own: { resize: this.#input.resize },
    });
    const model = writeTflite(network, { precision: 'fp32', description: 'Trained by ocelli.', metadata });
    return appendLabels(model, [...labels]);
  }

  /** Frees the module's memory. */
  close() {
    this.#engine.close();
  }
}

/**
 * The map that is pooled to features: what the last global pool takes or, in a detector, the backbone's last layer.
 * @param {TfliteFile} file
 * @returns {number} tensor
 */
function findMap({ operators }) {
  const pool = operators.findLast(
    ({ kind, shape, inputShape }) =>
      (kind === 'MEAN' || kind === 'AVERAGE_POOL_2D') &&
      inputShape.length === 4 &&
      shape.reduce((a, b) => a * b, 1) === shape[0] * inputShape[3],
  );
  if (pool) return pool.inputs[0];
  const last = operators.findLast(({ name }) => /(^|\/)Conv_1\//.test(name));
  if (!last) throw convertFailure('GRAPH_UNSUPPORTED', 'a network without a global pool and without Conv_1');
  return last.output;
}

/**
 * What leads to a value, and nothing else.
 * @param {FileNetwork} network
 * @param {Value} value
 * @returns {FileNetwork}
 */
function prune({ ops, inputs }, value) {
  const needed = new Set([value]);
  const kept = ops.toReversed().filter((op) => {
    if (needed.has(op.output)) op.inputs.forEach((input) => needed.add(input));
    return needed.has(op.output);
  });
  return { ops: kept.reverse(), inputs, outputs: [{ name: 'features', value }] };
}

/**
 * @param {FileNetwork} network
 * @param {Value} map
 * @returns {FileNetwork}
 */
function addPool({ ops, inputs }, map) {
  const axes = { dtype: /** @type {const} */ ('int32'), shape: [2], data: Int32Array.of(1, 2) };
  /** @type {Value} */
  const output = { name: 'features', shape: [map.shape[0], map.shape[3]] };
  /** @type {Op} */
  const mean = {
    kind: 'MEAN',
    inputs: [map, { name: 'features/axes', shape: [2], tensor: axes }],
    output,
    options: { keepDims: false },
  };
  return { ops: [...ops, mean], inputs, outputs: [{ name: 'features', value: output }] };
}

/**
 * @typedef {{shape: number[], data: Float32Array}} Weight
 * @param {FileNetwork} network
 * @param {Weight} kernel
 * @param {Weight} bias
 * @returns {FileNetwork}
 */
function addHead({ ops, inputs, outputs: [{ value: features }] }, kernel, bias) {
  const shape = [features.shape[0], kernel.shape[1]];
  /** @type {Value} */
  const logits = { name: 'logits', shape };
  /** @type {Value} */
  const output = { name: 'probabilities', shape };
  /** @type {Op} */
  const dense = {
    kind: 'FULLY_CONNECTED',
    inputs: [features],
    output: logits,
    options: { activation: 'NONE' },
    weights: {
      kernel: { dtype: 'float32', shape: kernel.shape, data: kernel.data },
      isTransposed: false,
      bias: Float64Array.from(bias.data),
    },
  };
  /** @type {Op} */
  const softmax = { kind: 'SOFTMAX', inputs: [logits], output, options: {} };
  return { ops: [...ops, dense, softmax], inputs, outputs: [{ name: 'probabilities', value: output }] };
}

/**
 * @param {Op} op
 * @param {Float32Array} kernel
 * @param {Float32Array} bias
 * @returns {Op}
 */
function replaceWeights(op, kernel, bias) {
  const weights = /** @type {NonNullable<Op['weights']>} */ (op.weights);
  const tensor = { ...weights.kernel, data: kernel };
  return { ...op, weights: { kernel: tensor, isTransposed: false, bias: Float64Array.from(bias) } };
}

/**
 * Walks back from the map: the last pointwise layer, then blocks of [expand,] depthwise, project [, add].
 * @param {FileNetwork} network
 * @param {Value} map
 * @param {number} blocks
 * @returns {TailLayer[]} in the network's order
 */
function findTail(network, map, blocks) {
  const wiring = new Wiring(network);
  /** @type {TailLayer[]} */
  const tail = [];
  /** @type {{project: TailLayer, from: Value}[]} */
  const residuals = [];
  /** @param {Value} value @param {'CONV_2D' | 'DEPTHWISE_CONV_2D'} kind */
  const take = (value, kind) => {
    const op = wiring.producer(value);
    if (!op || op.kind !== kind || !isTrainable(op))
      throw convertFailure('GRAPH_UNSUPPORTED', `'${value.name}' is not part of an inverted residual block`);
    const entry = { op, layer: toLayer(op) };
    tail.unshift(entry);
    return entry;
  };
  let value = take(map, 'CONV_2D').op.inputs[0];
  for (let block = 0; block < blocks; block++) {
    const add = wiring.producer(value);
    const projected = add?.kind === 'ADD' ? branchOf(add, wiring) : value;
    const project = take(projected, 'CONV_2D');
    const depthwise = take(project.op.inputs[0], 'DEPTHWISE_CONV_2D');
    const before = depthwise.op.inputs[0];
    const producer = wiring.producer(before);
    const padded = producer?.kind === 'PAD' ? producer.inputs[0] : before;
    const expand = take(padded, 'CONV_2D');
    [value] = expand.op.inputs;
    if (add?.kind === 'ADD') residuals.push({ project, from: value });
  }
  // The activation that is added is the input of the block's first layer.
  for (const { project, from } of residuals)
    project.layer.added = tail.findIndex(({ op }) => op.kind === 'CONV_2D' && op.inputs[0] === from);
  return tail;
}

/**
 * Of the two that are added, the one that the block computed: what the other leads to.
 * @param {Op} add
 * @param {Wiring} wiring
 */
function branchOf({ inputs: [a, b] }, wiring) {
  return wiring.producer(a)?.kind === 'CONV_2D' && wiring.users(a).length === 1 ? a : b;
}

/** @param {Op} op */
function isTrainable({ kind, options, weights }) {
  const [height, width, , multiplier] = weights?.kernel.shape ?? [];
  const isRelu6 = options.activation === 'RELU6' || options.activation === 'NONE';
  if (!isRelu6 || options.dilationW !== 1 || options.dilationH !== 1) return false;
  if (kind === 'CONV_2D') return height === 1 && width === 1 && options.strideW === 1;
  return height === 3 && width === 3 && multiplier === 1;
}

/** @param {Op} op @returns {TrainLayer} */
function toLayer({ kind, options, output }) {
  return {
    kind: kind === 'CONV_2D' ? 'pointwise' : 'depthwise',
    channels: output.shape[3],
    stride: options.strideW,
    relu6: options.activation === 'RELU6',
  };
}

/**
 * @param {TailLayer[]} layers
 * @param {Value} border
 * @returns {import('./network.js').Tail}
 */
function toTail(layers, border) {
  const parts = layers.flatMap(({ op }) => {
    const { kernel, bias } = /** @type {NonNullable<Op['weights']>} */ (op.weights);
    const channels = op.output.shape[3];
    return [
      Float32Array.from(kernel.data),
      Float32Array.from({ length: channels }, (_, c) => bias?.[c] ?? 0),
    ];
  });
  const parameters = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => (parameters.set(part, at), at + part.length), 0);
  return { input: border.shape.slice(1), layers: layers.map(({ layer }) => layer), parameters };
}
