// The training of a classifier. Takes a plan, examples and a trainer; fills Progress.history.
import { failure } from './errors.js';
import { Loop, newProgress } from './loop.js';
import { rateAt } from './plan.js';
import { shuffled } from './random.js';

/**
 * @typedef {import('./dataset.js').Dataset} Dataset
 * @typedef {import('./plan.js').Plan} Plan
 * @typedef {import('./trainer.js').Trainer} Trainer
 *
 * @typedef {object} Sums Sums over the rows of an epoch so far.
 * @property {number} rows
 * @property {number} loss sum over batches of mean loss times rows
 * @property {number} hits correctly classified rows
 * @property {number} weight
 * @property {number} weightedHits sum of the weights of correctly classified rows
 *
 * @typedef {Omit<import('./loop.js').LoopProgress, 'sums'> & {sums: Sums}} Progress
 *
 * @typedef {Record<string, number>} Logs loss, accuracy; with validation examples val_loss, val_accuracy; with weights
 *   weighted_accuracy, val_weighted_accuracy
 *
 * @typedef {object} Callbacks
 * @property {(batch: {epoch: number, epochs: number, batch: number, batches: number, loss: number, accuracy: number})
 *   => unknown} [onBatch] called after each batch, with the epoch's mean loss and accuracy so far, as in Keras'
 *   progress bar. If it returns a promise, fit() waits for it
 * @property {(epoch: {epoch: number, epochs: number, logs: Logs}) => unknown} [onEpoch] called after each epoch
 */

/** @returns {Sums} */
const zeroSums = () => ({ rows: 0, loss: 0, hits: 0, weight: 0, weightedHits: 0 });

/**
 * @param {number} step optimizer steps done by earlier fits
 * @returns {Progress}
 */
export const startProgress = (step) => newProgress(step, zeroSums());

/**
 * Splits examples into training and validation part. As in Keras, the validation part is the end of the list; with
 * `stratify`, the end of each class.
 * @param {Pick<Plan, 'validationSplit' | 'stratify' | 'shuffle' | 'seed'>} plan
 * @param {readonly number[]} labels class ids of all examples
 */
export function split({ validationSplit, stratify, shuffle, seed }, labels) {
  const size = labels.length;
  const order = shuffle && validationSplit > 0 ? shuffled(size, seed, -1) : Uint32Array.from(range(size));
  const groups = stratify ? [...groupBy(order, labels).values()] : [Array.from(order)];
  const cut = cutsOf(groups, 1 - validationSplit, stratify);
  const part = (/** @type {(group: number[], at: number) => number[]} */ take) =>
    Uint32Array.from(groups.flatMap((group, i) => take(group, cut[i]))).sort();
  // Order within a part has no effect; sorting restores the order in which examples were added.
  return {
    train: part((group, at) => group.slice(0, at)),
    validation: part((group, at) => group.slice(at)),
  };
}

/**
 * How many of each group to train on: in all as many as of one group, and with `stratify` at least one.
 * @param {number[][]} groups
 * @param {number} share
 * @param {boolean} stratify
 */
function cutsOf(groups, share, stratify) {
  const least = stratify && share > 0 ? 1 : 0;
  const cuts = groups.map(({ length }) => Math.max(Math.floor(length * share), least));
  const left = (/** @type {number} */ i) => groups[i].length * share - cuts[i];
  const size = groups.reduce((sum, { length }) => sum + length, 0);
  const rest = Math.floor(size * share) - cuts.reduce((sum, cut) => sum + cut, 0);
  const byRemainder = range(groups.length).sort((a, b) => left(b) - left(a));
  for (const i of byRemainder.slice(0, Math.max(rest, 0))) if (left(i) > 0) cuts[i]++;
  return cuts;
}

/** @param {Uint32Array} order @param {readonly number[]} labels @returns {Map<number, number[]>} indices by label */
function groupBy(order, labels) {
  /** @type {Map<number, number[]>} */
  const groups = new Map();
  for (const index of order) {
    const group = groups.get(labels[index]);
    if (group) group.push(index);
    else groups.set(labels[index], [index]);
  }
  return groups;
}

/** @param {number} count */
function range(count) {
  return Array.from({ length: count }, (_, i) => i);
}

export class Fit {
  #trainer;
  #plan;
  #progress;
  #train;
  #validation;

  /**
   * @param {Trainer} trainer open, with the initial weights and optimizer slots
   * @param {Plan} plan
   * @param {Progress} progress updated in place
   * @param {{data: Dataset, indices: Uint32Array}} train
   * @param {{data: Dataset, indices: Uint32Array}} validation
   * @param {number} multiplyAdds of one row's forward pass
   */
  constructor(trainer, plan, progress, train, validation, multiplyAdds) {
    this.#trainer = trainer;
    this.#plan = plan;
    this.#progress = progress;
    this.#train = train;
    this.#validation = validation;
    this.multiplyAdds = multiplyAdds;
  }

  /**
   * Runs to the end. If the signal is aborted, throws its reason before the next batch.
   * @param {Callbacks & {signal?: AbortSignal}} options
   */
  async run(options) {
    const progress = this.#progress;
    const work = {
      runBatch: (/** @type {Uint32Array} */ indices) => this.#runBatch(indices),
      means: () => ({
        loss: progress.sums.loss / progress.sums.rows,
        accuracy: progress.sums.hits / progress.sums.rows,
      }),
      endEpoch: () => this.#endEpoch(),
      ...{ zeroSums, trainer: this.#trainer },
    };
    await new Loop(this.#plan, progress, this.#train.indices, work).run(options);
  }

  /** @param {Uint32Array} indices */
  #runBatch(indices) {
    const { optimizer, classWeight, labelSmoothing, l2 } = this.#plan;
    const progress = this.#progress;
    const written = this.#train.data.write(this.#trainer, indices, classWeight);
    const rate = rateAt(optimizer.learningRate, progress.step);
    const rows = indices.length;
    const result = this.#trainer.run(rows, written, { labelSmoothing, l2, step: progress.step + 1, rate });
    const loss = result.loss / rows + result.regularizer;
    if (!Number.isFinite(loss)) throw failure('TRAINING_DIVERGED', `at step ${progress.step + 1}`);
    progress.step++;
    add(progress.sums, { ...result, rows, loss: loss * rows });
    // The backward pass costs twice the forward pass.
    progress.multiplyAdds += 3 * rows * this.multiplyAdds;
  }

  /** @returns {Logs} */
  #endEpoch() {
    const { classWeight } = this.#plan;
    const progress = this.#progress;
    const isWeighted = classWeight !== null || this.#train.data.hasWeights;
    /** @type {Logs} */
    const logs = means(progress.sums, isWeighted);
    if (this.#validation.indices.length > 0) {
      const sums = evaluate(this.#trainer, this.#validation, this.#plan);
      Object.entries(means(sums, isWeighted)).forEach(([key, value]) => (logs[`val_${key}`] = value));
      progress.multiplyAdds += sums.rows * this.multiplyAdds;
    }
    return logs;
  }
}

/**
 * @param {Sums} sums
 * @param {Sums} more
 */
function add(sums, more) {
  for (const key of /** @type {(keyof Sums)[]} */ (Object.keys(sums))) sums[key] += more[key];
}

/**
 * @param {Sums} sums
 * @param {boolean} isWeighted
 * @returns {Logs}
 */
export function means({ rows, loss, hits, weight, weightedHits }, isWeighted) {
  return {
    loss: loss / rows,
    accuracy: hits / rows,
    ...(isWeighted && { weighted_accuracy: weight > 0 ? weightedHits / weight : 0 }),
  };
}

/**
 * Sums loss and hits without training. As in Keras, class weights do not apply.
 * @param {Trainer} trainer
 * @param {{data: Dataset, indices: ArrayLike<number>}} part
 * @param {{labelSmoothing: number, l2: number}} loss
 * @param {(probabilities: Float32Array, indices: number[]) => void} [onBatch]
 * @returns {Sums}
 */
export function evaluate(trainer, { data, indices }, { labelSmoothing, l2 }, onBatch) {
  const sums = zeroSums();
  for (let first = 0; first < indices.length; first += trainer.maxRows) {
    const list = Array.prototype.slice.call(indices, first, first + trainer.maxRows);
    const rows = list.length;
    const result = trainer.run(rows, data.write(trainer, list, null), { labelSmoothing, l2 });
    add(sums, { ...result, rows, loss: result.loss + result.regularizer * rows });
    onBatch?.(trainer.readProbabilities(rows), list);
  }
  return sums;
}
