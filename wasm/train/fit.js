// The training loop: a plan, examples and a trainer -> History. Where it stands between two batches is plain data in a
// Progress, so that it can stop anywhere, be saved, and go on to the same result.
import { failure } from './errors.js';
import { rateAt } from './plan.js';
import { shuffled } from './random.js';

/**
 * @typedef {import('./dataset.js').Dataset} Dataset
 * @typedef {import('./plan.js').Plan} Plan
 * @typedef {import('./trainer.js').Trainer} Trainer
 * @typedef {import('../report/energy/estimate.js').Joules} Joules
 *
 * @typedef {object} Sums Of an epoch so far.
 * @property {number} rows
 * @property {number} loss mean losses of batches times their rows
 * @property {number} hits
 * @property {number} weight
 * @property {number} weightedHits
 *
 * @typedef {object} Progress
 * @property {number} epoch that is running, from 0
 * @property {number} batch that comes next
 * @property {Sums} sums
 * @property {Record<string, number[]>} history
 * @property {number} step of the optimizer, over all fits
 * @property {{value: number, epoch: number, wait: number} | null} best for early stopping
 * @property {Float32Array | null} bestParameters
 * @property {number} multiplyAdds of the work done
 * @property {number} seconds by the clock, whatever else the event loop did meanwhile
 * @property {Joules | null} joules of it, if they were measured from beginning to end
 *
 * @typedef {Record<string, number>} Logs loss, accuracy and, where there is something to say, val_loss, val_accuracy,
 *   weighted_accuracy, val_weighted_accuracy
 *
 * @typedef {object} Callbacks
 * @property {(batch: {epoch: number, epochs: number, batch: number, batches: number, loss: number, accuracy: number}) => unknown} [onBatch]
 *   after each batch; loss and accuracy are the epoch's so far, as in Keras' progress bar. A promise is waited for
 * @property {(epoch: {epoch: number, epochs: number, logs: Logs}) => unknown} [onEpoch]
 */

/** The longest that the event loop is kept waiting, in milliseconds. */
const TURN_MS = 50;

/** @returns {Sums} */
const noSums = () => ({ rows: 0, loss: 0, hits: 0, weight: 0, weightedHits: 0 });

/**
 * @param {number} step the optimizer's steps so far
 * @returns {Progress}
 */
export function startProgress(step) {
  return {
    epoch: 0,
    batch: 0,
    sums: noSums(),
    history: {},
    step,
    best: null,
    bestParameters: null,
    multiplyAdds: 0,
    seconds: 0,
    joules: null,
  };
}

/**
 * Which examples are trained on and which validate, as Keras takes them: the end of the list validates.
 * @param {Plan} plan
 * @param {number} size
 */
export function split({ validationSplit, shuffle, seed }, size) {
  const order = shuffle && validationSplit > 0 ? shuffled(size, seed, -1) : Uint32Array.from(range(size));
  const at = Math.floor(size * (1 - validationSplit));
  // In each part the order in which they were added: it does not matter, and reads well.
  return { train: order.slice(0, at).sort(), validation: order.slice(at).sort() };
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
  #turnStart = performance.now();

  /**
   * @param {Trainer} trainer open, with the weights and slots to begin from
   * @param {Plan} plan
   * @param {Progress} progress moves on
   * @param {{data: Dataset, indices: Uint32Array}} train
   * @param {{data: Dataset, indices: Uint32Array}} validation
   * @param {number} multiplyAdds of one row, forward
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
   * Runs to the end, or throws the signal's reason between two batches.
   * @param {Callbacks & {signal?: AbortSignal}} options
   */
  async run({ onBatch, onEpoch, signal }) {
    const { epochs } = this.#plan;
    const progress = this.#progress;
    while (progress.epoch < epochs) {
      await this.#runEpoch(onBatch, signal);
      const logs = this.#endEpoch();
      const isLast = this.#stopsEarly(logs);
      const { epoch } = progress;
      Object.assign(progress, { epoch: isLast ? epochs : epoch + 1, batch: 0, sums: noSums() });
      await onEpoch?.({ epoch, epochs, logs });
      await this.#pause(true);
    }
  }

  /**
   * @param {Callbacks['onBatch']} onBatch
   * @param {AbortSignal} [signal]
   */
  async #runEpoch(onBatch, signal) {
    const { batchSize, epochs, shuffle, seed } = this.#plan;
    const { indices } = this.#train;
    const progress = this.#progress;
    const order = shuffle ? shuffled(indices.length, seed, progress.epoch).map((i) => indices[i]) : indices;
    const batches = Math.ceil(order.length / batchSize);
    while (progress.batch < batches) {
      signal?.throwIfAborted();
      const first = progress.batch * batchSize;
      this.#runBatch(order.subarray(first, first + batchSize));
      progress.batch++;
      const { rows, loss, hits } = progress.sums;
      const { epoch, batch } = progress;
      if (onBatch)
        await onBatch({ epoch, epochs, batch: batch - 1, batches, loss: loss / rows, accuracy: hits / rows });
      await this.#pause(false);
    }
    signal?.throwIfAborted();
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
    if (!Number.isFinite(loss)) throw failure('TRAINING_DIVERGED', `in step ${progress.step + 1}`);
    progress.step++;
    add(progress.sums, { ...result, rows, loss: loss * rows });
    // Forward, and twice as much backward.
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
    for (const [key, value] of Object.entries(logs)) (progress.history[key] ??= []).push(value);
    return logs;
  }

  /**
   * Keras' EarlyStopping. Restores the best weights, if it stops.
   * @param {Logs} logs
   */
  #stopsEarly(logs) {
    const { earlyStopping } = this.#plan;
    if (earlyStopping === null) return false;
    const { monitor, patience, minDelta, restoreBestWeights } = earlyStopping;
    const progress = this.#progress;
    const sign = monitor.endsWith('loss') ? -1 : 1;
    const { best } = progress;
    const isBetter = best === null || sign * (logs[monitor] - best.value) > minDelta;
    if (isBetter) {
      progress.best = { value: logs[monitor], epoch: progress.epoch, wait: 0 };
      if (restoreBestWeights) progress.bestParameters = this.#trainer.read('parameters');
      return false;
    }
    best.wait++;
    if (best.wait < patience) return false;
    if (progress.bestParameters) this.#trainer.write('parameters', progress.bestParameters);
    return true;
  }

  /**
   * Lets the event loop turn. It changes nothing in the result.
   * @param {boolean} now even if its turn was not long ago
   */
  async #pause(now) {
    if (!now && performance.now() - this.#turnStart < TURN_MS) return;
    await new Promise((resolve) => setTimeout(resolve));
    this.#turnStart = performance.now();
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
 * Loss and hits on examples that are not trained on; class weights do not count there.
 * @param {Trainer} trainer
 * @param {{data: Dataset, indices: ArrayLike<number>}} part
 * @param {{labelSmoothing: number, l2: number}} loss
 * @param {(probabilities: Float32Array, indices: number[]) => void} [onBatch]
 * @returns {Sums}
 */
export function evaluate(trainer, { data, indices }, { labelSmoothing, l2 }, onBatch) {
  const sums = noSums();
  for (let first = 0; first < indices.length; first += trainer.maxRows) {
    const list = Array.prototype.slice.call(indices, first, first + trainer.maxRows);
    const rows = list.length;
    const result = trainer.run(rows, data.write(trainer, list, null), { labelSmoothing, l2 });
    add(sums, { ...result, rows, loss: result.loss + result.regularizer * rows });
    onBatch?.(trainer.readProbabilities(rows), list);
  }
  return sums;
}
