// Examples: rows of features, kept as binary32 or binary16, with a label (or a distribution over the classes) and a
// weight each.
import { concatenate } from '../shared/numbers.js';
import { failure } from './errors.js';
import { numberToHalf } from '../tflite/tensor.js';

/**
 * @typedef {object} Examples
 * @property {Float32Array} features [N, length], one row after the other
 * @property {number[] | Float32Array} labels N class numbers, or [N, classes] targets
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

  /** Whether any example has a weight of its own. */
  get hasWeights() {
    return this.#hasWeights;
  }

  get hasTargets() {
    return this.#targets !== null;
  }

  /** @returns {readonly number[]} class numbers; of a distribution, its first maximum */
  get labels() {
    return this.#labels;
  }

  /** The stored rows. */
  get rows() {
    return this.#rows.subarray(0, this.size * this.rowLength);
  }

  /** @param {Examples} examples checked by checkExamples */
  add({ features, labels, weights }) {
    const count = features.length / this.rowLength;
    this.#reserve((this.size + count) * this.rowLength);
    const rows = this.#rows.subarray(this.size * this.rowLength);
    if (rows instanceof Uint16Array) features.forEach((value, i) => (rows[i] = numberToHalf(value)));
    else rows.set(features);
    this.#addLabels(labels, count);
    for (let i = 0; i < count; i++) this.#weights.push(weights?.[i] ?? 1);
    this.#hasWeights ||= weights !== undefined;
  }

  /**
   * Rows as they are stored.
   * @param {Float32Array | Uint16Array} rows
   * @param {number[]} labels
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
      this.#labels.push(...labels);
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
   * Writes examples `indices` into the next batch.
   * @param {import('./trainer.js').Trainer} trainer
   * @param {ArrayLike<number>} indices
   * @param {number[] | null} classWeight
   * @returns {{targets: boolean, weights: boolean}} what was written beside the rows
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
 * @param {Examples} examples
 * @param {number} rowLength
 * @param {number} numClasses
 */
export function checkExamples({ features, labels, weights }, rowLength, numClasses) {
  const count = features.length / rowLength;
  if (!(features instanceof Float32Array) || count === 0 || !Number.isInteger(count))
    throw failure('INVALID_FEATURES', `a Float32Array of rows of ${rowLength} is needed`);
  const bad = features.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw failure('INVALID_FEATURES', `row ${Math.floor(bad / rowLength)} has ${features[bad]}`);
  const isTargets = labels instanceof Float32Array;
  if (labels.length !== count * (isTargets ? numClasses : 1))
    throw failure('INVALID_LABEL', `${labels.length} for ${count} examples`);
  if (isTargets && !labels.every((value) => value >= 0 && value <= 1))
    throw failure('INVALID_LABEL', 'a target is not in [0, 1]');
  if (weights === undefined) return;
  if (weights.length !== count || !Array.from(weights).every((w) => Number.isFinite(w) && w >= 0))
    throw failure('INVALID_FEATURES', 'there must be one weight, 0 or more, for each example');
}
