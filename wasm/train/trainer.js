// One instance of the training module with one network in it. The only file that knows that module's exports and
// structs (wasm/bridge/exports_train.c, src/train/trainer.h); what it gives out are copies.
import { failure as generalFailure, OcelliError } from '../shared/errors.js';
import { host } from '../engine/host.js';
import { instantiate } from '../engine/instance.js';
import { Memory } from '../engine/memory.js';
import { chooseVariant } from '../engine/variant.js';

/**
 * @typedef {object} TrainLayer
 * @property {'pointwise' | 'depthwise' | 'pool'} kind depthwise is 3x3 with SAME padding, pool is global
 * @property {number} channels of its output
 * @property {number} [stride] depthwise only: 1 or 2
 * @property {'bias' | 'frozen' | 'live'} [norm] what follows the convolution: a bias, or batch norm, frozen or in
 *   training mode; default bias
 * @property {boolean} [relu6]
 * @property {number} [added] the activation that is added: 0 the input, i the output of layer i - 1
 * @property {number} [epsilon] of batch norm
 * @property {number} [momentum] of its moving statistics
 *
 * @typedef {object} Network
 * @property {number[]} input [height, width, channels] of one row
 * @property {TrainLayer[]} layers the last one gives the logits
 *
 * @typedef {object} BatchOptions
 * @property {number} labelSmoothing
 * @property {number} l2
 * @property {number} [step] counted from 1; none: evaluate only
 * @property {number} [rate]
 *
 * @typedef {object} BatchResult Sums over the rows.
 * @property {number} loss
 * @property {number} weight
 * @property {number} hits
 * @property {number} weightedHits
 * @property {number} regularizer not a sum: it joins the mean loss
 */

// wasm/bridge/exports_train.c's structs.
const ABI = 1;
const LAYER_BYTES = 32;
const BUFFERS_BYTES = 44;
const RESULT_BYTES = 40;
const BUFFERS = /** @type {const} */ ([
  'input',
  'labels',
  'targets',
  'weights',
  'parameters',
  'gradients',
  'slots',
  'probabilities',
]);
// The doubles of optimizer.h's ocl_optimizer, in order.
const OPTIMIZER_KEYS = /** @type {const} */ ([
  'kind',
  'momentum',
  'nesterov',
  'beta1',
  'beta2',
  'epsilon',
  'amsgrad',
  'centered',
  'weightDecay',
  'clipNorm',
]);
const KINDS = ['pointwise', 'depthwise', 'pool'];
const NORMS = ['bias', 'frozen', 'live'];

export class Trainer {
  #exports;
  #memory;
  /** @type {Record<typeof BUFFERS[number], number>} */ #at = Object.create(null);
  #halves = 0;
  numParameters = 0;
  numSlots = 0;
  numClasses = 0;
  maxRows = 0;

  /**
   * @param {Record<string, (...args: number[]) => number>} exports
   * @param {WebAssembly.Memory} memory
   */
  constructor(exports, memory) {
    this.#exports = exports;
    this.#memory = new Memory(memory, {
      alloc: (n) => exports.ocl_alloc(n),
      free: (a) => exports.ocl_free(a),
    });
    if (exports.ocl_train_abi() !== ABI) throw new Error('the .wasm is not of this package’s version');
  }

  /** @param {{deterministic?: boolean}} [options] deterministic: the same bits on every engine */
  static async create({ deterministic = false } = {}) {
    const { trustsRelaxed, loadModule } = host();
    const plain = chooseVariant({ threads: 1, deterministic, trustsRelaxed });
    const { exports, memory } = await instantiate(
      await loadModule(plain === 'relaxed' ? 'train-relaxed' : 'train-simd'),
    );
    return new Trainer(exports, memory);
  }

  /** @param {number} status */
  #check(status) {
    if (status === 0) return;
    const text = (/** @type {0 | 1} */ what) =>
      this.#memory.string(this.#exports.ocl_status_text(status, what));
    throw new OcelliError(text(0), text(1));
  }

  /** Bytes of the module's memory and of what is allocated in it. */
  get memoryUse() {
    return { totalBytes: this.#memory.sizeBytes, liveBytes: this.#exports.ocl_live_bytes() };
  }

  /**
   * Takes a network, all its parameters 0; the one before is dropped.
   * @param {Network} network
   * @param {Record<string, number>} optimizer OPTIMIZER_KEYS -> number; what is missing is 0
   * @param {number} maxRows the largest batch
   */
  open({ input: [height, width, channels], layers }, optimizer, maxRows) {
    const records = new DataView(new ArrayBuffer(layers.length * LAYER_BYTES));
    layers.forEach((layer, i) => writeLayer(records, i * LAYER_BYTES, layer));
    const constants = Float64Array.from(OPTIMIZER_KEYS, (key) => optimizer[key] ?? 0);
    this.close();
    this.#check(
      this.#memory.withCopy(records, (layersAddress) =>
        this.#memory.withCopy(constants, (optimizerAddress) =>
          this.#exports.ocl_train_open(
            ...[layersAddress, layers.length, height, width, channels, maxRows, optimizerAddress],
          ),
        ),
      ),
    );
    const record = this.#memory.struct(this.#exports.ocl_train_buffers(), BUFFERS_BYTES);
    BUFFERS.forEach((name, i) => (this.#at[name] = record.getUint32(4 * i, true)));
    [this.numParameters, this.numSlots, this.numClasses] = [32, 36, 40].map((at) =>
      record.getInt32(at, true),
    );
    this.maxRows = maxRows;
    this.rowLength = height * width * channels;
  }

  /** @param {'parameters' | 'gradients' | 'slots'} name a copy */
  read(name) {
    const count = name === 'slots' ? this.numSlots * this.numParameters : this.numParameters;
    return new Float32Array(this.#memory.read(this.#at[name], count * 4).buffer);
  }

  /**
   * @param {'parameters' | 'slots' | 'labels' | 'targets' | 'weights'} name
   * @param {Float32Array | Int32Array} values
   */
  write(name, values) {
    this.#memory.write(this.#at[name], values);
  }

  /**
   * Row `index` of the next batch.
   * @param {number} index
   * @param {Float32Array} row
   */
  writeRow(index, row) {
    this.#memory.write(this.#at.input + index * row.byteLength, row);
  }

  /**
   * The next batch's rows from binary16 numbers.
   * @param {Uint16Array[]} rows
   */
  writeHalfRows(rows) {
    const length = rows[0].length;
    this.#halves ||= this.#memory.alloc(this.maxRows * length * 2);
    rows.forEach((row, i) => this.#memory.write(this.#halves + i * length * 2, row));
    this.#exports.ocl_train_widen(this.#halves, rows.length * length);
  }

  /**
   * One optimizer step, or an evaluation, on the rows written before.
   * @param {number} rows
   * @param {{targets: boolean, weights: boolean}} written what was written beside them; without targets, labels
   * @param {BatchOptions} options
   * @returns {BatchResult} from before the step
   */
  run(rows, written, { labelSmoothing, l2, step = 0, rate = 0 }) {
    this.#check(
      this.#exports.ocl_train_run(
        ...[rows, written.targets ? 1 : 0, written.weights ? 1 : 0, labelSmoothing, l2, step, rate],
      ),
    );
    const record = this.#memory.struct(this.#exports.ocl_train_result(), RESULT_BYTES);
    const [loss, weight, hits, weightedHits, regularizer] = [0, 8, 16, 24, 32].map((at) =>
      record.getFloat64(at, true),
    );
    return { loss, weight, hits, weightedHits, regularizer };
  }

  /**
   * @param {number} rows
   * @returns {Float32Array} [rows, classes]
   */
  predict(rows) {
    this.#check(this.#exports.ocl_train_predict(rows));
    return this.readProbabilities(rows);
  }

  /** @param {number} rows of the last call */
  readProbabilities(rows) {
    const bytes = this.#memory.read(this.#at.probabilities, rows * this.numClasses * 4);
    return new Float32Array(bytes.buffer);
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
 * @param {DataView} records
 * @param {number} at
 * @param {TrainLayer} layer
 */
function writeLayer(records, at, layer) {
  const { kind, channels, stride = 1, norm = 'bias', relu6 = false, added = -1 } = layer;
  const numbers = [KINDS.indexOf(kind), channels, stride, NORMS.indexOf(norm), relu6 ? 1 : 0, added];
  if (!numbers.every((n) => Number.isInteger(n))) throw generalFailure('INVALID_OPTION', 'a layer');
  numbers.forEach((n, i) => records.setInt32(at + 4 * i, n, true));
  records.setFloat32(at + 24, layer.epsilon ?? 1e-3, true);
  records.setFloat32(at + 28, layer.momentum ?? 0.99, true);
}
