// The loop over epochs and batches that every learner has: order, callbacks, early stopping, yielding. All state between
// two batches is plain data in Progress, so that a fit can be interrupted, saved, and resumed with the same result.
import { failure } from './errors.js';
import { shuffled } from './random.js';

/**
 * @typedef {import('../report/energy/estimate.js').Joules} Joules
 * @typedef {Record<string, number>} Logs
 *
 * @typedef {object} LoopPlan
 * @property {number} epochs
 * @property {number} batchSize
 * @property {boolean} shuffle
 * @property {number} seed
 * @property {{monitor: string, patience: number, minDelta: number, restoreBestWeights: boolean} | null} earlyStopping
 *
 * @typedef {object} LoopProgress
 * @property {number} epoch the running epoch, from 0
 * @property {number} batch the next batch, from 0
 * @property {any} sums of the epoch so far
 * @property {Record<string, number[]>} history
 * @property {number} step optimizer steps done, over all fits
 * @property {{value: number, epoch: number, wait: number} | null} best state of early stopping
 * @property {Float32Array | null} bestParameters
 * @property {number} multiplyAdds multiply-adds done
 * @property {number} seconds wall-clock time, including other work of the event loop
 * @property {Joules | null} joules energy used; null unless it was measured for the whole fit
 *
 * @typedef {object} Work what one kind of learner does in the loop
 * @property {(indices: Uint32Array) => void | Promise<void>} runBatch does one step on these rows, and counts it
 * @property {() => Record<string, number>} means of the epoch so far, for onBatch
 * @property {() => Logs | Promise<Logs>} endEpoch
 * @property {() => any} zeroSums
 * @property {{read: (name: 'parameters') => Float32Array, write: (name: 'parameters', values: Float32Array) => void}} trainer
 */

/** Yield to the event loop after this many milliseconds. */
const MAX_BLOCKING_MS = 50;

/**
 * @template Sums
 * @param {number} step optimizer steps done by earlier fits
 * @param {Sums} sums
 */
export function newProgress(step, sums) {
  return {
    ...{ epoch: 0, batch: 0, sums, step, multiplyAdds: 0, seconds: 0 },
    history: /** @type {Record<string, number[]>} */ ({}),
    best: /** @type {LoopProgress['best']} */ (null),
    bestParameters: /** @type {Float32Array | null} */ (null),
    joules: /** @type {Joules | null} */ (null),
  };
}

export class Loop {
  #plan;
  #progress;
  #train;
  #work;
  #blockingSince = performance.now();

  /**
   * @param {LoopPlan} plan
   * @param {LoopProgress} progress updated in place
   * @param {Uint32Array} train rows to train on
   * @param {Work} work
   */
  constructor(plan, progress, train, work) {
    this.#plan = plan;
    this.#progress = progress;
    this.#train = train;
    this.#work = work;
  }

  /**
   * Runs to the end. If the signal is aborted, throws its reason before the next batch.
   * @param {{onBatch?: (batch: any) => unknown, onEpoch?: (epoch: {epoch: number, epochs: number, logs: Logs}) => unknown,
   *   signal?: AbortSignal}} options
   */
  async run({ onBatch, onEpoch, signal }) {
    const { epochs } = this.#plan;
    const progress = this.#progress;
    while (progress.epoch < epochs) {
      await this.#runEpoch(onBatch, signal);
      const logs = await this.#work.endEpoch();
      for (const [key, value] of Object.entries(logs)) (progress.history[key] ??= []).push(value);
      const isLast = this.#stopsEarly(logs);
      const { epoch } = progress;
      Object.assign(progress, { epoch: isLast ? epochs : epoch + 1, batch: 0, sums: this.#work.zeroSums() });
      await onEpoch?.({ epoch, epochs, logs });
      await this.#yieldToEventLoop(true);
    }
  }

  /**
   * @param {((batch: any) => unknown) | undefined} onBatch
   * @param {AbortSignal} [signal]
   */
  async #runEpoch(onBatch, signal) {
    const { batchSize, epochs, shuffle, seed } = this.#plan;
    const indices = this.#train;
    const progress = this.#progress;
    const order = shuffle ? shuffled(indices.length, seed, progress.epoch).map((i) => indices[i]) : indices;
    const batches = Math.ceil(order.length / batchSize);
    while (progress.batch < batches) {
      signal?.throwIfAborted();
      const first = progress.batch * batchSize;
      await this.#work.runBatch(order.subarray(first, first + batchSize));
      progress.batch++;
      const { epoch, batch } = progress;
      if (onBatch) await onBatch({ epoch, epochs, batch: batch - 1, batches, ...this.#work.means() });
      await this.#yieldToEventLoop(false);
    }
    // A weight may be so without being in a loss: that of a box that no anchor is to learn, or any after the last step.
    if (!this.#work.trainer.read('parameters').every(Number.isFinite))
      throw failure('TRAINING_DIVERGED', `a weight is no number after step ${progress.step}`);
    signal?.throwIfAborted();
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
      if (restoreBestWeights) progress.bestParameters = this.#work.trainer.read('parameters');
      return false;
    }
    best.wait++;
    if (best.wait < patience) return false;
    if (progress.bestParameters) this.#work.trainer.write('parameters', progress.bestParameters);
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
