// One instance of the training WebAssembly module, which trains the heads of one detector. All results are copies.
import {
  CLASS_LOSSES,
  LAYER,
  MAP_SHAPE,
  MINE_LOSSES,
  NETWORK_PLAN,
  OPTIMIZER,
  SSD_BUFFERS,
  SSD_HEADS,
  SSD_PLAN,
  SSD_RESULT,
} from '../../../dist/layout.js';
import { Bridge } from '../../engine/bridge.js';
import { openModule, toStruct } from '../trainer.js';

/**
 * @typedef {import('./network.js').HeadNetwork} HeadNetwork
 * @typedef {import('./loss.js').Loss} Loss
 *
 * @typedef {object} SsdSettings
 * @property {Float32Array} anchors [N, 4]: y center, x center, height, width
 * @property {readonly number[]} boxCoder
 * @property {boolean} background whether the first column is the background
 * @property {number} maxRows the largest batch
 * @property {number} maxBoxes true boxes of all images of a batch
 *
 * @typedef {object} Truth What an image shows: boxes [n, 4] of ymin, xmin, ymax, xmax as shares of it.
 * @property {Float32Array} boxes
 * @property {Int32Array} classes
 * @property {Float32Array} weights
 */

export class SsdTrainer {
  #bridge;
  #exports;
  #memory;
  /** @type {import('../../engine/memory.js').Values<typeof SSD_BUFFERS>} */ #buffers = Object.create(null);
  /** @type {SsdSettings | undefined} */ #settings;
  #columns = 0;
  #halves = 0;

  /**
   * @param {import('../../engine/bridge.js').Exports} exports
   * @param {WebAssembly.Memory} memory
   */
  constructor(exports, memory) {
    this.#bridge = new Bridge(exports, memory);
    this.#exports = exports;
    this.#memory = this.#bridge.memory;
  }

  /** @param {{deterministic?: boolean, assetsUrl?: string}} [options] */
  static async create(options) {
    const { exports, memory } = await openModule(options);
    return new SsdTrainer(exports, memory);
  }

  get memoryUse() {
    return this.#bridge.memoryUse;
  }

  get maxRows() {
    return this.#settings?.maxRows ?? 0;
  }

  get maxBoxes() {
    return this.#settings?.maxBoxes ?? 0;
  }

  /**
   * Opens a network with all parameters 0. The previous one is freed.
   * @param {HeadNetwork} network
   * @param {import('../../engine/memory.js').Values<typeof OPTIMIZER>} optimizer
   * @param {Loss} loss
   * @param {SsdSettings} settings
   */
  open({ inputs, layers, heads, columns }, optimizer, loss, settings) {
    this.close();
    this.#buffers = this.#bridge.fill(SSD_BUFFERS, (out, put) =>
      this.#exports.ocl_train_ssd_open(
        put.structs(NETWORK_PLAN, {
          layers: put.structs(LAYER, ...layers.map(toStruct)),
          numLayers: layers.length,
          inputs: put.structs(
            MAP_SHAPE,
            ...inputs.map(([height, width, channels]) => ({ height, width, channels })),
          ),
          numInputs: inputs.length,
          maxRows: settings.maxRows,
        }),
        put.structs(OPTIMIZER, optimizer),
        put.structs(SSD_PLAN, {
          heads: put.structs(SSD_HEADS, ...heads),
          numHeads: heads.length,
          anchors: put.data(settings.anchors),
          numAnchors: settings.anchors.length / 4,
          numColumns: columns,
          maxBoxes: settings.maxBoxes,
          ...toLossStruct(loss, settings),
        }),
        out,
      ),
    );
    this.#halves = this.#memory.alloc(this.#buffers.rowLength * 2);
    this.#settings = settings;
    this.#columns = columns;
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
   * @param {'parameters' | 'slots'} name
   * @param {Float32Array} values
   */
  write(name, values) {
    this.#memory.write(this.#buffers[name], values);
  }

  /**
   * Writes row `index` of the next batch.
   * @param {number} index
   * @param {Uint16Array} maps of the image, one after the other, as float16
   */
  writeRow(index, maps) {
    this.#memory.write(this.#halves, maps);
    this.#bridge.call(() => this.#exports.ocl_train_ssd_widen(index, this.#halves));
  }

  /**
   * Writes what the images of the next batch show.
   * @param {Truth[]} truths
   */
  writeTruths(truths) {
    const { counts, boxes, classes, weights } = this.#buffers;
    this.#memory.write(
      counts,
      Int32Array.from(truths, (truth) => truth.classes.length),
    );
    let first = 0;
    for (const truth of truths) {
      this.#memory.write(boxes + 16 * first, truth.boxes);
      this.#memory.write(classes + 4 * first, truth.classes);
      this.#memory.write(weights + 4 * first, truth.weights);
      first += truth.classes.length;
    }
  }

  /**
   * Does one optimizer step, or only evaluates, on what was written before.
   * @param {number} rows
   * @param {{l2: number, step?: number, rate?: number}} options step: from 1; default: evaluate only
   * @returns {import('../../engine/memory.js').Values<typeof SSD_RESULT>} computed before the step changes the weights
   */
  run(rows, { l2, step = 0, rate = 0 }) {
    return this.#bridge.fill(SSD_RESULT, (out) => this.#exports.ocl_train_ssd_run(rows, l2, step, rate, out));
  }

  /** Computes encodings and logits only. @param {number} rows */
  predict(rows) {
    this.#bridge.call(() => this.#exports.ocl_train_ssd_predict(rows));
  }

  /**
   * What the last call predicted. Call it once after each: the boxes are decoded in place.
   * @param {number} rows as in that call
   * @returns {{boxes: Float32Array, logits: Float32Array}} [rows, anchors, 4] of ymin, xmin, ymax, xmax, and [rows, anchors, columns]
   */
  readPredictions(rows) {
    const { anchors, boxCoder } = /** @type {SsdSettings} */ (this.#settings);
    const count = anchors.length / 4;
    this.#bridge.guard((put) =>
      this.#exports.ocl_train_ssd_decode(
        rows,
        count,
        put.data(anchors),
        put.data(Float32Array.from(boxCoder)),
      ),
    );
    return {
      boxes: this.#memory.readFloats(this.#buffers.encodings, rows * count * 4),
      logits: this.#memory.readFloats(this.#buffers.logits, rows * count * this.#columns),
    };
  }

  /** Frees the network. */
  close() {
    if (this.#halves) this.#exports.ocl_free(this.#halves);
    this.#halves = 0;
    this.#settings = undefined;
    this.#exports.ocl_train_ssd_close();
  }
}

/**
 * @param {Loss} loss
 * @param {SsdSettings} settings
 */
function toLossStruct(loss, { boxCoder, background }) {
  const { hardExamples: mining } = loss;
  return {
    matchedIou: loss.matchedIou,
    unmatchedIou: loss.unmatchedIou,
    isForced: loss.forceMatch,
    swapsBands: !loss.negativesBelowUnmatched,
    matchesPredicted: loss.matchBy === 'predicted',
    scales: [...boxCoder],
    classLoss: CLASS_LOSSES[loss.type],
    hasBackground: background,
    alpha: loss.alpha ?? -1,
    gamma: loss.gamma,
    logitScale: loss.logitScale,
    delta: loss.delta,
    negativeWeight: loss.negativeWeight,
    classWeight: loss.classificationWeight,
    boxWeight: loss.localizationWeight,
    isNormalized: loss.normalizeByMatches,
    isDividedByCoder: loss.normalizeByCodeSize,
    isMined: mining !== null,
    mineLoss: MINE_LOSSES[mining?.by ?? 'class'],
    numHardExamples: mining?.count ?? 0,
    mineIou: mining?.iou ?? 1,
    mineClassWeight: mining?.classificationWeight ?? 0,
    mineBoxWeight: mining?.localizationWeight ?? 0,
    negativesPerPositive: mining?.negativesPerPositive ?? -1,
    minNegatives: mining?.minNegatives ?? 0,
  };
}
