// Confusion matrix, precision and recall of a classifier.

import { classMetrics, indexOfHighest } from '../evaluate/measure/classes.js';

/**
 * @typedef {import('../evaluate/measure/classes.js').ClassMetrics} ClassMetrics
 *
 * @typedef {object} Evaluation
 * @property {number} loss
 * @property {number} accuracy
 * @property {number} examples
 * @property {ClassMetrics[]} classes
 * @property {number[][]} confusion confusion[i][j]: number of examples of class i that were predicted as j
 */

export class Confusion {
  #counts;
  #labels;

  /** @param {readonly string[]} labels */
  constructor(labels) {
    this.#labels = labels;
    this.#counts = labels.map(() => labels.map(() => 0));
  }

  /**
   * @param {Float32Array} probabilities [N, classes]
   * @param {number[]} truth N class ids
   */
  add(probabilities, truth) {
    const classes = this.#labels.length;
    truth.forEach((label, i) => {
      const row = probabilities.subarray(i * classes, (i + 1) * classes);
      this.#counts[label][indexOfHighest(row)]++;
    });
  }

  get table() {
    return this.#counts.map((row) => [...row]);
  }

  /** @returns {ClassMetrics[]} */
  get classes() {
    return classMetrics(this.#labels, this.#counts);
  }
}
