// Confusion matrix, precision and recall of a classifier.

/**
 * @typedef {object} ClassMetrics
 * @property {string} label
 * @property {number} precision 0 if the class was never predicted
 * @property {number} recall 0 if the class has no examples
 * @property {number} examples
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
      this.#counts[label][argmax(row)]++;
    });
  }

  get table() {
    return this.#counts.map((row) => [...row]);
  }

  /** @returns {ClassMetrics[]} */
  get classes() {
    const sum = (/** @type {number[]} */ list) => list.reduce((a, b) => a + b, 0);
    const ratio = (/** @type {number} */ part, /** @type {number} */ total) => (total > 0 ? part / total : 0);
    return this.#labels.map((label, i) => {
      const examples = sum(this.#counts[i]);
      const predicted = sum(this.#counts.map((row) => row[i]));
      const correct = this.#counts[i][i];
      return { label, precision: ratio(correct, predicted), recall: ratio(correct, examples), examples };
    });
  }
}

/** @param {Float32Array} values */
function argmax(values) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}
