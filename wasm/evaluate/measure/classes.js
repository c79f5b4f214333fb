// A classifier's confusion matrix -> figures of each class.

/**
 * @typedef {object} ClassMetrics
 * @property {string} label
 * @property {number} precision 0 if the class was never predicted
 * @property {number} recall 0 if the class has no examples
 * @property {number} examples
 */

/**
 * @param {readonly string[]} labels
 * @param {readonly number[][]} confusion confusion[i][j]: number of examples of class i that were predicted as j
 * @returns {ClassMetrics[]}
 */
export function classMetrics(labels, confusion) {
  return labels.map((label, i) => {
    const examples = sum(confusion[i]);
    const predicted = sum(confusion.map((row) => row[i]));
    const right = confusion[i][i];
    return { label, precision: ratio(right, predicted), recall: ratio(right, examples), examples };
  });
}

/** @param {ArrayLike<number>} values @returns {number} the first of several */
export function indexOfHighest(values) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

/** @param {number[]} values */
const sum = (values) => values.reduce((total, value) => total + value, 0);
/** @param {number} part @param {number} total */
const ratio = (part, total) => (total > 0 ? part / total : 0);
