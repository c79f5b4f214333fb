// Probabilities and labels -> what a classifier gets right.

/**
 * @typedef {object} ClassMetrics
 * @property {string} label
 * @property {number} precision of what was called so; 0 where nothing was
 * @property {number} recall of what is so; 0 where nothing is
 * @property {number} examples
 *
 * @typedef {object} Evaluation
 * @property {number} loss
 * @property {number} accuracy
 * @property {number} examples
 * @property {ClassMetrics[]} classes
 * @property {number[][]} confusion confusion[i][j]: examples of class i that were called j
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
   * @param {number[]} truth N class numbers
   */
  add(probabilities, truth) {
    const classes = this.#labels.length;
    truth.forEach((label, i) => {
      const row = probabilities.subarray(i * classes, (i + 1) * classes);
      this.#counts[label][firstMaximum(row)]++;
    });
  }

  get table() {
    return this.#counts.map((row) => [...row]);
  }

  /** @returns {ClassMetrics[]} */
  get classes() {
    const sum = (/** @type {number[]} */ list) => list.reduce((a, b) => a + b, 0);
    const ratio = (/** @type {number} */ part, /** @type {number} */ whole) => (whole > 0 ? part / whole : 0);
    return this.#labels.map((label, i) => {
      const examples = sum(this.#counts[i]);
      const called = sum(this.#counts.map((row) => row[i]));
      const right = this.#counts[i][i];
      return { label, precision: ratio(right, called), recall: ratio(right, examples), examples };
    });
  }
}

/** @param {Float32Array} values */
function firstMaximum(values) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}
