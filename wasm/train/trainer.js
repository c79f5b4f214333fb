// One instance of the training WebAssembly module, which holds one network. All results are copies.
import {
  LAYER,
  LAYER_ACTIVATIONS,
  LAYER_KINDS,
  LAYER_NORMS,
  OPTIMIZER,
  TRAINER_BATCH,
  TRAINER_BUFFERS,
  TRAINER_RESULT,
  TRAINER_SHAPE,
} from '../../dist/layout.js';
import { Bridge } from '../engine/bridge.js';
import { host } from '../engine/host.js';
import { instantiate } from '../engine/instance.js';
import { chooseVariant } from '../engine/variant.js';
import { failure } from '../shared/errors.js';

/**
 * @typedef {object} TrainLayer
 * @property {keyof typeof LAYER_KINDS} kind depthwise: with SAME padding; conv3: 3x3 with SAME
 *   padding; pool: global average; gate: the map `added` times the input, one number for each channel
 * @property {number} channels output channels
 * @property {number} [stride] depthwise and conv3: 1 or 2
 * @property {keyof typeof LAYER_NORMS} [norm] after the convolution: a bias, frozen batch norm, or batch norm in
 *   training mode (live); default bias
 * @property {number} [size] of the kernel, depthwise only: 3 or 5; default 3
 * @property {keyof typeof LAYER_ACTIVATIONS} [activation] default linear
 * @property {number} [factor] hard sigmoid is relu6(x + 3) * factor; default 1/6
 * @property {number} [added] skip connection, added to the output, or the map of a gate: 0 the network's input, i the output
 *   of layer i - 1
 * @property {number} [from] in a detector, its input: the number of a map, or the number of maps plus that of an
 *   earlier layer
 * @property {number} [shared] in the heads of a detector, the earlier layer whose weights it uses
 * @property {boolean} [frozen] in the heads of a detector, whether its weights stay as they are
 * @property {number} [epsilon] batch norm; default 0.001
 * @property {number} [momentum] of the moving statistics; default 0.99
 *
 * @typedef {object} Network
 * @property {number[]} input [height, width, channels] of one row
 * @property {TrainLayer[]} layers the last layer's output are the logits
 *
 * @typedef {object} BatchOptions
 * @property {number} labelSmoothing
 * @property {number} l2
 * @property {number} [step] the optimizer step, from 1; default: evaluate only
 * @property {number} [rate] learning rate
 *
 * @typedef {object} BatchResult Sums over the rows, except `regularizer`.
 * @property {number} loss
 * @property {number} weight
 * @property {number} hits correctly classified rows
 * @property {number} weightedHits
 * @property {number} regularizer to add to the mean loss
 */

export class Trainer {
  #bridge;
  #exports;
  #memory;
  /** @type {import('../engine/memory.js').Values<typeof TRAINER_BUFFERS>} */ #buffers = Object.create(null);
  #halves = 0;
  maxRows = 0;

  /**
   * @param {import('../engine/bridge.js').Exports} exports
   * @param {WebAssembly.Memory} memory
   */
  constructor(exports, memory) {
    this.#bridge = new Bridge(exports, memory);
    this.#exports = exports;
    this.#memory = this.#bridge.memory;
  }

  /** @param {{deterministic?: boolean, assetsUrl?: string}} [options] deterministic: bit-identical results on every engine */
  static async create(options) {
    const { exports, memory } = await openModule(options);
    return new Trainer(exports, memory);
  }

  /** Size of the module's memory and of its allocations, in bytes. */
  get memoryUse() {
    return this.#bridge.memoryUse;
  }

  /**
   * Opens a network with all parameters 0. The previous network is freed.
   * @param {Network} network
   * @param {import('../engine/memory.js').Values<typeof OPTIMIZER>} optimizer
   * @param {number} maxRows the largest batch
   */
  open({ input: [height, width, channels], layers }, optimizer, maxRows) {
    this.close();
    this.#buffers = this.#bridge.fill(TRAINER_BUFFERS, (out, put) =>
      this.#exports.ocl_train_open(
        put.structs(LAYER, ...layers.map(toStruct)),
        layers.length,
        put.structs(TRAINER_SHAPE, { height, width, channels, maxRows }),
        put.structs(OPTIMIZER, optimizer),
        out,
      ),
    );
    this.maxRows = maxRows;
  }

  /** Returns a copy. @param {'parameters' | 'gradients' | 'slots'} name */
  read(name) {
    const { numSlots, numParameters } = this.#buffers;
    return this.#memory.readFloats(
      this.#buffers[name],
      name === 'slots' ? numSlots * numParameters : numParameters,
    );
  }

  /**
   * @param {'parameters' | 'slots' | 'labels' | 'targets' | 'weights'} name
   * @param {Float32Array | Int32Array} values
   */
  write(name, values) {
    this.#memory.write(this.#buffers[name], values);
  }

  /**
   * Writes row `index` of the next batch.
   * @param {number} index
   * @param {Float32Array} row
   */
  writeRow(index, row) {
    this.#memory.write(this.#buffers.input + index * row.byteLength, row);
  }

  /**
   * Writes all rows of the next batch, given as float16.
   * @param {Uint16Array[]} rows
   */
  writeHalfRows(rows) {
    const length = rows[0].length;
    this.#halves ||= this.#memory.alloc(this.maxRows * length * 2);
    rows.forEach((row, i) => this.#memory.write(this.#halves + i * length * 2, row));
    this.#exports.ocl_train_widen(this.#halves, rows.length * length);
  }

  /**
   * Does one optimizer step, or only evaluates, on the rows written before.
   * @param {number} rows
   * @param {{targets: boolean, weights: boolean}} written whether targets were written (else labels), and weights
   * @param {BatchOptions} options
   * @returns {BatchResult} computed before the step changes the weights
   */
  run(rows, written, { labelSmoothing, l2, step = 0, rate = 0 }) {
    return this.#bridge.fill(TRAINER_RESULT, (out, put) =>
      this.#exports.ocl_train_run(
        put.structs(TRAINER_BATCH, {
          rows,
          hasTargets: written.targets,
          hasWeights: written.weights,
          labelSmoothing,
          l2,
        }),
        step,
        rate,
        out,
      ),
    );
  }

  /**
   * @param {number} rows
   * @returns {Float32Array} [rows, classes]
   */
  predict(rows) {
    this.#bridge.call(() => this.#exports.ocl_train_predict(rows));
    return this.readProbabilities(rows);
  }

  /** @param {number} rows as in the last call of run() or predict() */
  readProbabilities(rows) {
    const { probabilities, numClasses } = this.#buffers;
    return this.#memory.readFloats(probabilities, rows * numClasses);
  }

  /** Frees the network. */
  close() {
    if (this.#halves) this.#exports.ocl_free(this.#halves);
    this.#halves = 0;
    this.maxRows = 0;
    this.#exports.ocl_train_close();
  }
}

/**
 * A new instance of the training module.
 * @param {{deterministic?: boolean, assetsUrl?: string}} [options]
 */
export async function openModule({ deterministic = false, assetsUrl } = {}) {
  const { trustsRelaxed, loadModule } = host();
  const plain = chooseVariant({ threads: 1, deterministic, trustsRelaxed });
  return instantiate(await loadModule(plain === 'relaxed' ? 'train-relaxed' : 'train-simd', assetsUrl));
}

/** @param {TrainLayer} layer */
export function toStruct({
  kind,
  channels,
  stride = 1,
  size = 3,
  norm = 'bias',
  activation = 'linear',
  factor = 1 / 6,
  added = -1,
  from = 0,
  shared = -1,
  frozen = false,
  epsilon,
  momentum,
  ...unknown
}) {
  const [key] = Object.keys(unknown);
  if (key)
    throw failure(
      'INVALID_OPTION',
      `a layer of kind '${kind}' has a property '${key}', which layers have not`,
    );
  const integers = {
    kind: LAYER_KINDS[kind],
    channels,
    stride,
    size,
    norm: LAYER_NORMS[norm],
    activation: LAYER_ACTIVATIONS[activation],
    added,
    from,
    shared,
    isFrozen: Number(frozen),
  };
  if (!Object.values(integers).every(Number.isInteger))
    throw failure('INVALID_OPTION', `a layer of kind '${kind}' has a property that is not an integer`);
  return { ...integers, factor, epsilon: epsilon ?? 1e-3, momentum: momentum ?? 0.99 };
}
