// Classes with examples -> a trained head, and a text with its results.
import { TransferLearner } from 'ocelli/train';
import { percent } from './page.js';

/** With fewer examples, none are set aside for validation. */
const MIN_EXAMPLES_TO_SPLIT = 10;
const VALIDATION_SPLIT = 0.2;

/**
 * @typedef {import('ocelli/train').Backbone} Backbone
 * @typedef {import('ocelli/train').Logs} Logs
 * @typedef {NonNullable<import('ocelli/train').Callbacks['onEpoch']>} OnEpoch
 *
 * @typedef {object} Taught
 * @property {TransferLearner} learner
 * @property {Logs} logs metrics of the last epoch
 * @property {number} epochs the number of finished epochs
 * @property {boolean} isStopped whether the user stopped it before the end
 */

/**
 * @param {{name: string, examples: Float32Array[]}[]} classes
 * @param {{extractor?: Backbone, epochs: number, signal: AbortSignal, onEpoch: OnEpoch}} options
 * @returns {Promise<Taught>}
 */
export async function teach(classes, { extractor, epochs, signal, onEpoch }) {
  const learner = await TransferLearner.create({ extractor, labels: classes.map(({ name }) => name) });
  /** @type {Pick<Taught, 'logs' | 'epochs'> | undefined} */
  let last;
  try {
    for (const { name, examples } of classes) {
      const labels = examples.map(() => name);
      learner.addFeatures(join(examples), labels);
    }
    await learner.fit({
      optimizer: 'adam',
      epochs,
      validationSplit: learner.examples.count < MIN_EXAMPLES_TO_SPLIT ? 0 : VALIDATION_SPLIT,
      signal,
      callbacks: {
        onEpoch(done) {
          last = { logs: done.logs, epochs: done.epoch + 1 };
          onEpoch(done);
        },
      },
    });
  } catch (error) {
    if (signal.aborted && last) return { learner, ...last, isStopped: true };
    learner.close();
    throw error;
  }
  return { learner, .../** @type {NonNullable<typeof last>} */ (last), isStopped: false };
}

/** @param {Float32Array[]} rows */
function join(rows) {
  const joined = new Float32Array(rows.length * rows[0].length);
  rows.forEach((row, i) => joined.set(row, i * row.length));
  return joined;
}

/** @param {Taught} taught */
export function describeEnd({ logs, epochs, isStopped }) {
  return `${isStopped ? 'Stopped after' : 'Trained for'} ${epochs} epochs: ${describe(logs)}`;
}

/** @param {Logs} logs */
export function describe({ accuracy, loss, val_accuracy }) {
  const validation = val_accuracy === undefined ? '' : `; validation accuracy ${percent(val_accuracy)}`;
  return `accuracy ${percent(accuracy)}, loss ${loss.toPrecision(2)}${validation}.`;
}
