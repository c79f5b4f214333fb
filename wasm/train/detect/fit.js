// The training of a detector: batches of rows, their losses, and the AP on the validation photos.
import { failure } from '../errors.js';
import { Loop, newProgress } from '../loop.js';
import { countMultiplyAdds } from '../network.js';
import { rateAt } from '../plan.js';
import { averagePrecision, suppress } from './score.js';

/**
 * @typedef {import('./plan.js').DetectorPlan} DetectorPlan
 * @typedef {import('./rows.js').Row} Row
 * @typedef {import('./trainer.js').SsdTrainer} SsdTrainer
 *
 * @typedef {object} DetectorSums over the rows of an epoch so far
 * @property {number} rows
 * @property {number} loss sum over batches of the loss that is minimised, times rows, like the next two
 * @property {number} class_loss
 * @property {number} box_loss
 *
 * @typedef {Omit<import('../loop.js').LoopProgress, 'sums'> & {sums: DetectorSums, before: Record<string, number> | null}}
 *   DetectorProgress before: what the validation photos gave before the first step
 *
 * @typedef {Record<string, number>} DetectorLogs loss, without that of boxes if they stay as they are; class_loss, box_loss; with
 *   validation photos val_loss, val_AP, val_AP50
 *
 * @typedef {object} DetectorCallbacks
 * @property {(batch: {epoch: number, epochs: number, batch: number, batches: number, loss: number, class_loss: number,
 *   box_loss: number}) => unknown} [onBatch] called after each batch, with the epoch's mean losses so far. If it returns a
 *   promise, fit() waits for it
 * @property {(epoch: {epoch: number, epochs: number, logs: DetectorLogs}) => unknown} [onEpoch]
 * @property {(progress: {done: number, total: number}) => unknown} [onView] called after each view whose feature maps were
 *   computed before the first epoch
 *
 * @typedef {object} Classes
 * @property {readonly string[]} labels of the classes that are learnt
 * @property {number[]} truths for each of them, the class in the trainer's numbering, without background
 * @property {number[]} found for each of them, its column of the logits
 * @property {number} columns of the logits
 */

/** @returns {DetectorSums} */
const zeroSums = () => ({ rows: 0, loss: 0, class_loss: 0, box_loss: 0 });

/** @param {number} step optimizer steps done by earlier fits @returns {DetectorProgress} */
export const startDetectorProgress = (step) => ({ ...newProgress(step, zeroSums()), before: null });

export class DetectorFit {
  #trainer;
  #plan;
  #progress;
  #rowOf;
  #classes;
  /** Of one row's forward pass. */
  #multiplyAdds;
  /** Whether the loss of boxes changes a weight: of boxes that stay, it changes unfrozen layers before them. */
  #minimizesBoxes;
  /** What a step costs, in forward passes. The backward pass of heads alone computes the gradients of kernels only. */
  #passes;

  /**
   * @param {SsdTrainer} trainer open, with the initial weights and optimizer slots
   * @param {{plan: DetectorPlan, classes: Classes, network: import('./network.js').HeadNetwork}} model
   * @param {DetectorProgress} progress updated in place
   * @param {(index: number, epoch: number) => Row | Promise<Row>} rowOf
   */
  constructor(trainer, { plan, classes, network }, progress, rowOf) {
    this.#trainer = trainer;
    this.#plan = plan;
    this.#progress = progress;
    this.#rowOf = rowOf;
    this.#classes = classes;
    this.#multiplyAdds = countMultiplyAdds(network.inputs, network.layers);
    this.#minimizesBoxes = plan.trainBoxes || network.tail > 0;
    this.#passes = network.tail > 0 ? 3 : 2;
  }

  /**
   * Runs to the end. If the signal is aborted, throws its reason before the next batch.
   * @param {Uint32Array} train rows to train on
   * @param {Uint32Array} validation rows
   * @param {DetectorCallbacks & {signal?: AbortSignal}} options
   */
  async run(train, validation, options) {
    const progress = this.#progress;
    if (validation.length > 0) progress.before ??= await this.#validate(validation);
    const work = {
      runBatch: (/** @type {Uint32Array} */ indices) => this.#runBatch(indices),
      means: () => means(progress.sums),
      endEpoch: async () => {
        const logs = means(progress.sums);
        return validation.length === 0 ? logs : { ...logs, ...(await this.#validate(validation)) };
      },
      ...{ zeroSums, trainer: this.#trainer },
    };
    await new Loop(this.#plan, progress, train, work).run(options);
  }

  /**
   * @param {Uint32Array} indices
   * @returns {Promise<Row[]>}
   */
  async #write(indices) {
    /** @type {Row[]} */
    const rows = [];
    for (const index of indices) rows.push(await this.#rowOf(index, this.#progress.epoch));
    rows.forEach(({ maps }, i) => this.#trainer.writeRow(i, maps));
    this.#trainer.writeTruths(rows.map(({ targets }) => this.#toTruth(targets)));
    return rows;
  }

  /** @param {readonly import('./examples.js').Target[]} targets */
  #toTruth(targets) {
    const { classWeight } = this.#plan;
    return {
      boxes: Float32Array.from(targets.flatMap(({ box }) => box)),
      classes: Int32Array.from(targets, ({ label }) => this.#classes.truths[label]),
      weights: Float32Array.from(targets, ({ label, ignore }) => (ignore ? 0 : (classWeight?.[label] ?? 1))),
    };
  }

  /** @param {Uint32Array} indices */
  async #runBatch(indices) {
    const { optimizer, l2 } = this.#plan;
    const progress = this.#progress;
    await this.#write(indices);
    const rows = indices.length;
    const rate = rateAt(optimizer.learningRate, progress.step);
    const result = this.#trainer.run(rows, { l2, step: progress.step + 1, rate });
    const loss = this.#lossOf(result);
    if (!Number.isFinite(loss)) throw failure('TRAINING_DIVERGED', `at step ${progress.step + 1}`);
    progress.step++;
    const { sums } = progress;
    sums.rows += rows;
    sums.loss += loss * rows;
    sums.class_loss += result.classLoss * rows;
    sums.box_loss += result.boxLoss * rows;
    progress.multiplyAdds += this.#passes * rows * this.#multiplyAdds;
  }

  /** What is minimised. @param {ReturnType<SsdTrainer['run']>} result */
  #lossOf({ classLoss, boxLoss, regularizer }) {
    return classLoss + (this.#minimizesBoxes ? boxLoss : 0) + regularizer;
  }

  /** @param {Uint32Array} rows @returns {Promise<Record<string, number>>} */
  async #validate(rows) {
    const measured = Object.entries(await this.evaluate(rows));
    return Object.fromEntries(measured.map(([key, value]) => [`val_${key}`, value]));
  }

  /**
   * The loss, AP and AP50 of rows.
   * @param {Uint32Array} indices
   */
  async evaluate(indices) {
    const { columns, found, labels } = this.#classes;
    const size = this.#trainer.maxRows;
    /** @type {Parameters<typeof averagePrecision>[0]} */
    const images = [];
    let loss = 0;
    for (let first = 0; first < indices.length; first += size) {
      const batch = indices.subarray(first, first + size);
      const rows = await this.#write(batch);
      const result = this.#trainer.run(batch.length, { l2: this.#plan.l2 });
      loss += this.#lossOf(result) * batch.length;
      const { boxes, logits } = this.#trainer.readPredictions(batch.length);
      const anchors = boxes.length / 4 / batch.length;
      rows.forEach(({ targets }, i) => {
        const part = {
          boxes: boxes.subarray(i * anchors * 4, (i + 1) * anchors * 4),
          logits: logits.subarray(i * anchors * columns, (i + 1) * anchors * columns),
        };
        images.push({ targets, found: suppress(part, columns, found) });
      });
    }
    this.#progress.multiplyAdds += indices.length * this.#multiplyAdds;
    return { loss: loss / indices.length, ...averagePrecision(images, labels) };
  }
}

/** @param {DetectorSums} sums */
const means = ({ rows, loss, class_loss, box_loss }) => ({
  loss: loss / rows,
  class_loss: class_loss / rows,
  box_loss: box_loss / rows,
});
