// Examples in memory: rows of features, stored as float32 or float16. Each row has a label (a class id or a probability
// distribution over the classes) and a weight.
import { crc32c } from '../convert/source/crc32c.js';
import { concatenate } from '../shared/numbers.js';
import { failure } from './errors.js';
import { toHalves } from '../tflite/tensor.js';

/**
 * @typedef {object} Examples
 * @property {Float32Array} features [N, length]
 * @property {number[] | Float32Array} labels N class ids, or target distributions [N, classes]
 * @property {ArrayLike<number>} [weights] N; default 1
 */

export class Dataset {
  /** @type {Float32Array | Uint16Array} */ #rows;
  /** @type {number[]} */ #labels = [];
  /** @type {Float32Array[] | null} */ #targets = null;
  /** @type {number[]} */ #weights = [];
  #View;
  #hasWeights = false;

  /**
   * @param {number} rowLength
   * @param {'float32' | 'float16'} [precision]
   */
  constructor(rowLength, precision = 'float32') {
    this.rowLength = rowLength;
    this.precision = precision;
    this.#View = precision === 'float16' ? Uint16Array : Float32Array;
    this.#rows = new this.#View(0);
  }

  get size() {
    return this.#labels.length;
  }

  /** Whether examples were added with weights. */
  get hasWeights() {
    return this.#hasWeights;
  }

  get hasTargets() {
    return this.#targets !== null;
  }

  /** @returns {readonly number[]} class ids; for a target distribution, its argmax */
  get labels() {
    return this.#labels;
  }

  /** What shows other examples or another order. Without features: those of another engine differ a little. */
  get checksum() {
    const numbers = [this.#labels, this.#weights, ...(this.#targets ?? [])].flatMap((list) => [...list]);
    return crc32c(new Uint8Array(Float64Array.from(numbers).buffer));
  }

  /** The rows in their stored precision; not a copy. */
  get rows() {
    return this.#rows.subarray(0, this.size * this.rowLength);
  }

  /** @param {Examples} examples checked by checkExamples */
  add({ features, labels, weights }) {
    const count = features.length / this.rowLength;
    const end = (this.size + count) * this.rowLength;
    this.#reserve(end);
    const rows = this.#rows.subarray(this.size * this.rowLength, end);
    if (rows instanceof Uint16Array) toHalves(features, /** @type {Uint16Array<ArrayBuffer>} */ (rows));
    else rows.set(features);
    this.#addLabels(labels, count);
    for (let i = 0; i < count; i++) this.#weights.push(weights?.[i] ?? 1);
    this.#hasWeights ||= weights !== undefined;
  }

  /**
   * Replaces all examples. All weights become 1.
   * @param {Float32Array | Uint16Array} rows in the dataset's precision; taken over, not copied
   * @param {number[]} labels class ids
   */
  restore(rows, labels) {
    this.#rows = rows;
    this.#labels = labels;
    this.#weights = labels.map(() => 1);
  }

  /** @param {number} length */
  #reserve(length) {
    if (length <= this.#rows.length) return;
    const larger = new this.#View(Math.max(length, 2 * this.#rows.length));
    larger.set(this.#rows);
    this.#rows = larger;
  }

  /**
   * @param {number[] | Float32Array} labels
   * @param {number} count
   */
  #addLabels(labels, count) {
    if (!(labels instanceof Float32Array)) {
      if (this.#targets) throw failure('INVALID_LABEL', 'distributions and class names cannot be mixed');
      for (const label of labels) this.#labels.push(label);
      return;
    }
    if (this.#targets === null && this.size > 0)
      throw failure('INVALID_LABEL', 'distributions and class names cannot be mixed');
    this.#targets ??= [];
    const classes = labels.length / count;
    for (let i = 0; i < count; i++) {
      const target = labels.slice(i * classes, (i + 1) * classes);
      this.#targets.push(target);
      this.#labels.push(target.indexOf(target.reduce((a, b) => Math.max(a, b))));
    }
  }

  /**
   * Writes the examples `indices` into the trainer's next batch.
   * @param {import('./trainer.js').Trainer} trainer
   * @param {ArrayLike<number>} indices
   * @param {number[] | null} classWeight
   * @returns {{targets: boolean, weights: boolean}} whether targets were written instead of labels, and whether weights
   *   were written
   */
  write(trainer, indices, classWeight) {
    const list = Array.from(indices);
    const rows = list.map((index) =>
      this.#rows.subarray(index * this.rowLength, (index + 1) * this.rowLength),
    );
    if (this.precision === 'float16') trainer.writeHalfRows(/** @type {Uint16Array[]} */ (rows));
    else rows.forEach((row, i) => trainer.writeRow(i, /** @type {Float32Array} */ (row)));
    const targets = this.#targets;
    if (targets) trainer.write('targets', concatenate(list.map((index) => targets[index])));
    else
      trainer.write(
        'labels',
        Int32Array.from(list, (index) => this.#labels[index]),
      );
    const weights = this.#hasWeights || classWeight !== null;
    if (weights) {
      const weigh = (/** @type {number} */ index) =>
        this.#weights[index] * (classWeight ? classWeight[this.#labels[index]] : 1);
      trainer.write('weights', Float32Array.from(list, weigh));
    }
    return { targets: targets !== null, weights };
  }
}

/**
 * @param {Float32Array} features
 * @param {number} rowLength
 * @returns {number} how many rows there are
 */
export function checkFeatures(features, rowLength) {
  const count = features instanceof Float32Array ? features.length / rowLength : 0;
  if (count === 0 || !Number.isInteger(count))
    throw failure('INVALID_FEATURES', `expected a Float32Array of one or more rows of ${rowLength} numbers`);
  const bad = features.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw failure('INVALID_FEATURES', `row ${Math.floor(bad / rowLength)} contains ${features[bad]}`);
  return count;
}

/**
 * @param {Examples} examples
 * @param {number} rowLength
 * @param {number} numClasses
 */
export function checkExamples({ features, labels, weights }, rowLength, numClasses) {
  const count = checkFeatures(features, rowLength);
  const isTargets = labels instanceof Float32Array;
  if (labels.length !== count * (isTargets ? numClasses : 1))
    throw failure(
      'INVALID_LABEL',
      isTargets
        ? `${count} examples of ${numClasses} classes need ${count * numClasses} targets, got ${labels.length}`
        : `${count} examples need ${count} labels, got ${labels.length}`,
    );
  if (isTargets && !labels.every((value) => value >= 0 && value <= 1))
    throw failure('INVALID_LABEL', 'each target must be a number from 0 to 1');
  if (weights === undefined) return;
  if (weights?.length !== count || !Array.from(weights).every((w) => Number.isFinite(w) && w >= 0))
    throw failure('INVALID_FEATURES', 'weights must be one finite number of 0 or more for each example');
}
