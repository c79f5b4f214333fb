// The training loop. Takes a plan, examples and a trainer; fills Progress.history. All state between two batches is
// plain data in Progress, so that a fit can be interrupted, saved, and resumed with the same result.
import { failure } from './errors.js';
import { rateAt } from './plan.js';
import { shuffled } from './random.js';

/**
 * @typedef {import('./dataset.js').Dataset} Dataset
 * @typedef {import('./plan.js').Plan} Plan
 * @typedef {import('./trainer.js').Trainer} Trainer
 * @typedef {import('../report/energy/estimate.js').Joules} Joules
 *
 * @typedef {object} Sums Sums over the rows of an epoch so far.
 * @property {number} rows
 * @property {number} loss sum over batches of mean loss times rows
 * @property {number} hits correctly classified rows
 * @property {number} weight
 * @property {number} weightedHits sum of the weights of correctly classified rows
 *
 * @typedef {object} Progress
 * @property {number} epoch the running epoch, from 0
 * @property {number} batch the next batch, from 0
 * @property {Sums} sums
 * @property {Record<string, number[]>} history
 * @property {number} step optimizer steps done, over all fits
 * @property {{value: number, epoch: number, wait: number} | null} best state of early stopping
 * @property {Float32Array | null} bestParameters
 * @property {number} multiplyAdds multiply-adds done
 * @property {number} seconds wall-clock time, including other work of the event loop
 * @property {Joules | null} joules energy used; null unless it was measured for the whole fit
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

/** Yield to the event loop after this many milliseconds. */
const MAX_BLOCKING_MS = 50;

/** @returns {Sums} */
const zeroSums = () => ({ rows: 0, loss: 0, hits: 0, weight: 0, weightedHits: 0 });

/**
 * @param {number} step optimizer steps done by earlier fits
 * @returns {Progress}
 */
export function startProgress(step) {
  return {
    epoch: 0,
    batch: 0,
    sums: zeroSums(),
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
  #blockingSince = performance.now();

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
  async run({ onBatch, onEpoch, signal }) {
    const { epochs } = this.#plan;
    const progress = this.#progress;
    while (progress.epoch < epochs) {
      await this.#runEpoch(onBatch, signal);
      const logs = this.#endEpoch();
      const isLast = this.#stopsEarly(logs);
      const { epoch } = progress;
      Object.assign(progress, { epoch: isLast ? epochs : epoch + 1, batch: 0, sums: zeroSums() });
      await onEpoch?.({ epoch, epochs, logs });
      await this.#yieldToEventLoop(true);
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
      await this.#yieldToEventLoop(false);
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
    for (const [key, value] of Object.entries(logs)) (progress.history[key] ??= []).push(value);
    return logs;
  }

  /**
   * Keras' EarlyStopping. When it stops, it restores the best weights.
   * @param {Logs} logs
   * @returns {boolean} whether to stop
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
   * Yields to the event loop. Timing does not affect the result.
   * @param {boolean} force yield even if MAX_BLOCKING_MS have not passed
   */
  async #yieldToEventLoop(force) {
    if (!force && performance.now() - this.#blockingSince < MAX_BLOCKING_MS) return;
    await new Promise((resolve) => setTimeout(resolve));
    this.#blockingSince = performance.now();
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
