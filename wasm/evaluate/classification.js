// How good a classifier is: its probabilities and the true classes -> accuracy, confusion and calibration.
import { checkLabels, checkProbabilities } from './arguments.js';
import { classMetrics, indexOfHighest } from './measure/classes.js';
import { calibrate } from './measure/scores.js';

/**
 * @typedef {object} Classification
 * @property {number} images
 * @property {number} accuracy
 * @property {number} top5 the share of images whose class is among the five most probable
 * @property {number} loss cross-entropy, of probabilities of at least 1e-7
 * @property {ReturnType<typeof calibrate>} calibration of the most probable class
 * @property {number[][]} confusion confusion[i][j]: number of images of class i that were taken for class j
 * @property {import('./measure/classes.js').ClassMetrics[]} classes
 */

const LEAST = 1e-7;

/**
 * @param {readonly string[]} labels
 * @param {readonly number[]} truth class of each image
 * @param {readonly ArrayLike<number>[]} probabilities of each image
 * @returns {Classification}
 */
export function evaluateClassification(labels, truth, probabilities) {
  checkLabels(labels);
  checkProbabilities(probabilities, truth, labels.length);
  const images = truth.length;
  const confusion = labels.map(() => labels.map(() => 0));
  const best = probabilities.map((row) => indexOfHighest(row));
  let loss = 0;
  let among = 0;
  for (const [i, label] of truth.entries()) {
    const row = probabilities[i];
    confusion[label][best[i]]++;
    loss -= Math.log(Math.max(row[label], LEAST));
    if (
      Array.from(row).filter((value, j) => value > row[label] || (value === row[label] && j < label)).length <
      5
    )
      among++;
  }
  return {
    images,
    accuracy: truth.filter((label, i) => label === best[i]).length / images,
    top5: among / images,
    loss: loss / images,
    calibration: calibrate({
      score: Float64Array.from(best, (label, i) => probabilities[i][label]),
      isHit: Uint8Array.from(best, (label, i) => Number(label === truth[i])),
    }),
    confusion,
    classes: classMetrics(labels, confusion),
  };
}
