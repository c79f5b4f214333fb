// Classes with examples -> a trained head, and a text with its results.
import { TransferLearner } from 'ocelli/train';
import { fitUntilStopped, heldOut } from './fitting.js';
import { percent } from './page.js';

/**
 * @typedef {import('ocelli/train').Backbone} Backbone
 * @typedef {import('ocelli/train').Logs} Logs
 * @typedef {NonNullable<import('ocelli/train').Callbacks['onEpoch']>} OnEpoch
 *
 * @typedef {import('./fitting.js').Ended & {learner: TransferLearner}} Taught
 */

/**
 * @param {{name: string, examples: Float32Array[]}[]} classes
 * @param {{extractor?: Backbone, epochs: number, signal: AbortSignal, onEpoch: OnEpoch}} options
 * @returns {Promise<Taught>}
 */
export async function teach(classes, { extractor, epochs, signal, onEpoch }) {
  // The user may change the classes while the learner is created.
  const features = join(classes.flatMap(({ examples }) => examples));
  const labels = classes.flatMap(({ name, examples }) => examples.map(() => name));
  const learner = await TransferLearner.create({ extractor, labels: classes.map(({ name }) => name) });
  try {
    learner.addFeatures(features, labels);
    const validationSplit = heldOut(learner.examples.count);
    const ended = await fitUntilStopped(
      (onEpoch) =>
        learner.fit({ optimizer: 'adam', epochs, validationSplit, signal, callbacks: { onEpoch } }),
      { signal, onEpoch },
    );
    return { learner, ...ended };
  } catch (error) {
    learner.close();
    throw error;
  }
}

/** @param {Float32Array[]} rows */
function join(rows) {
  const joined = new Float32Array(rows.length * rows[0].length);
  rows.forEach((row, i) => joined.set(row, i * row.length));
  return joined;
}

/** @param {Logs} logs */
export function describe({ accuracy, loss, val_accuracy }) {
  const validation = val_accuracy === undefined ? '' : `; validation accuracy ${percent(val_accuracy)}`;
  return `accuracy ${percent(accuracy)}, loss ${loss.toPrecision(2)}${validation}.`;
}
