// Transfer learning: trains a softmax head, and optionally the last layers of a backbone, on a user's examples.
import { failure as generalFailure, OcelliError } from '../shared/errors.js';
import { loadMachine } from '../report/energy/estimate.js';
import { host } from '../engine/host.js';
import { checkChoice, checkKeys, checkNumber, checkSignal } from '../shared/options.js';
import { checkFeatures } from './dataset.js';
import { failure } from './errors.js';
import { EXTRACT_KEYS } from './extract.js';
import { sizeOf } from '../shared/numbers.js';
import { Examples, toPart, toSources } from './examples.js';
import { describeFit, reportFit, toHistory } from './fit_facts.js';
import { evaluate, Fit, means, split, startProgress } from './fit.js';
import { checkLabels } from './labels.js';
import { Confusion } from './metrics.js';
import { keepTrained, openModel, prepareModel, readWeights, replaceWeights } from './model.js';
import { countMultiplyAdds } from './network.js';
import { makePlan, PLAN_KEYS, RANGES } from './plan.js';
import { keepOptions, readState, writeState } from './state.js';
import { resolveAssets } from '../vision/vision_model.js';
import { Trainer } from './trainer.js';

/**
 * @typedef {import('./examples.js').Part} Part
 * @typedef {import('./model.js').Model} Model
 * @typedef {import('./plan.js').Plan} Plan
 * @typedef {import('./types.js').Evaluation} Evaluation
 * @typedef {import('./types.js').ExtractOptions} ExtractOptions
 * @typedef {import('./types.js').FeatureSet} FeatureSet
 * @typedef {import('./types.js').FitOptions} FitOptions
 * @typedef {import('./types.js').History} History
 * @typedef {import('./types.js').ImageInput} ImageInput
 * @typedef {import('./types.js').ImageSet} ImageSet
 * @typedef {import('./types.js').LearnerOptions} LearnerOptions
 * @typedef {import('./types.js').Prediction} Prediction
 * @typedef {import('./types.js').RunOptions} RunOptions
 */

const PREDICT_ROWS = 64;

/**
 * ```js
 * const learner = await TransferLearner.create({ extractor });
 * await learner.addExample(photo, 'cat');
 * …
 * const { history } = await learner.fit({ epochs: 20, optimizer: 'adam', validationSplit: 0.2 });
 * const [best] = await learner.predict(photo);
 * ```
 */
export class TransferLearner {
  /** @type {Trainer | undefined} */ #trainer;
  #options;
  #examples;
  /** @type {Model | undefined} */ #model;
  /** @type {import('./fit.js').Progress | null} */ #interrupted = null;
  /** @type {Part | undefined} */ #validation;
  /** Whether the trainer holds the model's current weights. */
  #isSynced = false;
  #isRunning = false;
  /** @type {import('./fit_facts.js').FitFacts | undefined} */ #lastFit;
  /** When the last fit began. @type {{examples: number, checksum?: number}} */ #expected = { examples: 0 };

  /**
   * Use {@link TransferLearner.create}.
   * @param {LearnerOptions} options
   * @param {Trainer} trainer
   */
  constructor(options, trainer) {
    this.#options = options;
    this.#examples = new Examples(options);
    this.#trainer = trainer;
  }

  /** @param {LearnerOptions} [options] */
  static async create(options = {}) {
    checkKeys('options', options, ['extractor', 'labels', 'precision', 'deterministic', 'seed', 'assetsUrl']);
    const { labels = [], precision = 'float32', seed = 0, extractor, deterministic } = options;
    checkChoice('precision', precision, /** @type {const} */ (['float32', 'float16']));
    checkNumber('seed', seed, RANGES.seed);
    checkLabels(labels);
    if (extractor !== undefined && typeof extractor?.extractBatch !== 'function')
      throw generalFailure('INVALID_OPTION', 'extractor must have extractBatch(images)');
    return new this(
      options,
      await Trainer.create({ deterministic, assetsUrl: resolveAssets(options.assetsUrl) }),
    );
  }

  /**
   * Restores a learner from the file that save() returned, with `deterministic` and `precision` as they were. To continue an
   * interrupted fit, add the same examples in the same order and call resume(). Others throw STATE_MISMATCH.
   * @param {Uint8Array} file
   * @param {LearnerOptions} [options]
   */
  static async load(file, options = {}) {
    const { progress, examples, checksum, deterministic, precision, ...model } = readState(file);
    const kept = keepOptions({ deterministic, precision }, options);
    const learner = await this.create({ ...options, labels: model.labels, ...kept });
    learner.#model = model;
    learner.#interrupted = progress;
    learner.#expected = { examples, checksum };
    try {
      learner.#open(model.plan?.batchSize ?? PREDICT_ROWS);
    } catch (error) {
      learner.close();
      throw failure('STATE_CORRUPT', 'its network cannot be opened', error);
    }
    return learner;
  }

  /** The classes of the examples, by class id. What comes after a fit is trained by the next one. */
  get labels() {
    return [...this.#examples.labels];
  }

  /** The number of examples, in total and per class. */
  get examples() {
    return this.#examples.counts;
  }

  // ---- examples

  /**
   * @param {ImageInput} image
   * @param {string} label
   */
  async addExample(image, label) {
    await this.addExamples([image], [label]);
  }

  /**
   * Extracts the images' features in batches and adds them. If one image fails, none is added; with `onUnreadable`, images
   * that cannot be read are left out with their labels.
   * @param {readonly ImageInput[]} images
   * @param {readonly string[]} labels
   * @param {ExtractOptions} [options]
   */
  async addExamples(images, labels, options = {}) {
    const sources = toSources(images);
    checkLabels(labels);
    if (images.length !== labels.length)
      throw failure('INVALID_LABEL', `got ${labels.length} labels for ${images.length} images`);
    await this.#addSources(sources, labels, options);
  }

  /**
   * @param {readonly import('./extract.js').Source[]} sources
   * @param {readonly string[]} labels
   * @param {ExtractOptions} options
   */
  async #addSources(sources, labels, options) {
    checkKeys('options', options, EXTRACT_KEYS);
    if (sources.length === 0) return;
    const set = await this.#examples.extractCounted(sources, labels, options);
    if (set.labels.length > 0) this.#addSet(set);
  }

  /**
   * @param {Float32Array} features [N, length]
   * @param {readonly string[] | Float32Array} labels N class names, or distributions over the classes [N, classes]
   * @param {{weights?: ArrayLike<number>}} [options] weights: one for each example, like Keras' sample_weight
   */
  addFeatures(features, labels, options = {}) {
    checkKeys('options', options, ['weights']);
    this.#addSet({ features, labels, weights: options.weights });
  }

  /** @param {FeatureSet} set */
  #addSet(set) {
    this.#requireTrainer();
    const { extractor } = this.#options;
    const input = this.#model?.network.input ?? extractor?.tail?.input;
    this.#examples.add(set, input ? sizeOf(input) : extractor?.length);
  }

  /**
   * Adds the images of a directory that has one subdirectory per class, sorted by name. Node only.
   * @param {string} directory
   * @param {ExtractOptions} [options]
   */
  async addDirectory(directory, options = {}) {
    /** @type {import('../engine/host.js').Host & import('./types.js').DirectoryHost} */
    const { openImageDirectory } = host();
    if (!openImageDirectory) throw failure('NO_DIRECTORIES');
    const { sources, labels } = await openImageDirectory(directory);
    await this.#addSources(sources, labels, options);
  }

  // ---- training

  /**
   * Trains on all examples. As in Keras, weights and optimizer state continue from the last fit. If the optimizer
   * option differs from the last fit's, the optimizer state starts from zero.
   * @param {FitOptions} [options]
   * @returns {Promise<History>}
   */
  async fit(options = {}) {
    checkKeys('options', options, [...PLAN_KEYS, 'callbacks', 'signal', 'validation']);
    const { callbacks, signal, validation, ...planOptions } = options;
    const plan = makePlan(planOptions, this.#examples.labels);
    if (validation && plan.validationSplit > 0)
      throw generalFailure('INVALID_OPTION', 'give validation or validationSplit, not both');
    if (plan.earlyStopping?.monitor.startsWith('val_') && !validation && plan.validationSplit === 0)
      throw generalFailure('INVALID_OPTION', `${plan.earlyStopping.monitor} needs validation examples`);
    return this.#exclusively(async () => {
      const data = this.#trainableData();
      const { labels } = this.#examples;
      const expected = { examples: data.size, checksum: data.checksum };
      const parts = split(plan, data.labels);
      this.#examples.requireEachClass(parts.train);
      // Examples that are added meanwhile are trained by the next fit.
      const given = validation && (await this.#toPart(validation, labels));
      const model = this.#prepare(plan, labels, data);
      this.#validation = given ?? { data, indices: parts.validation };
      this.#expected = expected;
      return this.#run(model, plan, startProgress(model.step), parts.train, { callbacks, signal });
    });
  }

  /**
   * Continues an interrupted fit. The result is the same as without the interruption.
   * @param {RunOptions & {validation?: FeatureSet | ImageSet}} [options] validation: pass it again if fit() had it and
   *   the learner was loaded from a file since
   * @returns {Promise<History>}
   */
  async resume(options = {}) {
    checkKeys('options', options, ['callbacks', 'signal', 'validation']);
    const { callbacks, signal, validation } = options;
    const progress = this.#interrupted;
    const model = this.#model;
    if (!progress || !model?.plan) throw failure('NOT_INTERRUPTED');
    const { plan } = model;
    return this.#exclusively(async () => {
      const data = this.#trainableData();
      this.#requireSame(data);
      const parts = split(plan, data.labels);
      if (validation) this.#validation = await this.#toPart(validation, model.labels);
      this.#validation ??= { data, indices: parts.validation };
      return this.#run(model, plan, progress, parts.train, { callbacks, signal });
    });
  }

  /** @param {import('./dataset.js').Dataset} data */
  #requireSame(data) {
    const { examples, checksum } = this.#expected;
    if (data.size !== examples)
      throw failure('STATE_MISMATCH', `found ${data.size} examples, expected ${examples}`);
    if (checksum !== undefined && data.checksum !== checksum)
      throw failure('STATE_MISMATCH', 'the examples or their order are not those that the fit began with');
  }

  /**
   * Runs the action; throws FIT_RUNNING if another one is running.
   * @template T
   * @param {() => Promise<T>} action
   */
  async #exclusively(action) {
    if (this.#isRunning) throw failure('FIT_RUNNING');
    this.#isRunning = true;
    try {
      return await action();
    } catch (error) {
      throw this.#trainer ? error : generalFailure('CLOSED');
    } finally {
      this.#isRunning = false;
    }
  }

  /**
   * @param {Model} model
   * @param {Plan} plan
   * @param {import('./fit.js').Progress} progress
   * @param {Uint32Array} train
   * @param {RunOptions} options
   * @returns {Promise<History>}
   */
  async #run(model, plan, progress, train, { callbacks = {}, signal }) {
    checkKeys('callbacks', callbacks, ['onBatch', 'onEpoch']);
    checkSignal(signal);
    const data = this.#examples.requireTrainable();
    const validation = /** @type {Part} */ (this.#validation);
    const trainer = this.#open(plan.batchSize);
    const multiplyAdds = countMultiplyAdds([model.network.input], model.network.layers);
    const fit = new Fit(trainer, plan, progress, { data, indices: train }, validation, multiplyAdds);
    this.#interrupted = progress;
    const { startMeter } = await loadMachine();
    const stopMeter = progress.seconds === 0 ? await startMeter() : undefined;
    const start = performance.now();
    try {
      await fit.run({ ...callbacks, signal });
      this.#interrupted = null;
    } catch (error) {
      if (!(error instanceof OcelliError && error.code === 'TRAINING_DIVERGED')) throw error;
      // The model still has the weights from before. Clearing #isSynced discards the trainer's.
      this.#interrupted = null;
      this.#isSynced = false;
      throw error;
    } finally {
      progress.seconds += (performance.now() - start) / 1000;
      if (this.#isSynced) keepTrained(model, trainer, progress.step);
    }
    progress.joules = (await stopMeter?.()) ?? null;
    const history = toHistory(progress, plan, train.length);
    const counts = { train: train.length, validation: validation.indices.length };
    this.#lastFit = { plan, history, progress, ...counts, extraction: this.#examples.extraction };
    return history;
  }

  #trainableData() {
    this.#requireTrainer();
    return this.#examples.requireTrainable();
  }

  /**
   * @param {Plan} plan
   * @param {string[]} labels
   * @param {import('./dataset.js').Dataset} data
   */
  #prepare(plan, labels, { rowLength }) {
    const { extractor, seed = 0 } = this.#options;
    const from = { tail: extractor?.tail, rowLength, labels, seed };
    this.#model = prepareModel(this.#model, plan, from);
    this.#isSynced = false;
    return this.#model;
  }

  /**
   * Returns the trainer after loading the model into it if needed.
   * @param {number} maxRows the largest batch
   */
  #open(maxRows) {
    const trainer = this.#requireTrainer();
    const model = this.#requireModel();
    if (this.#isSynced && trainer.maxRows === maxRows) return trainer;
    openModel(model, trainer, maxRows);
    this.#isSynced = true;
    return trainer;
  }

  #requireTrainer() {
    if (!this.#trainer) throw generalFailure('CLOSED');
    return this.#trainer;
  }

  #requireModel() {
    if (!this.#model) throw failure('NO_EXAMPLES', 'nothing was trained; call fit() first');
    return this.#model;
  }

  // ---- use

  /** @param {FeatureSet | ImageSet} set @param {string[]} classes */
  #toPart(set, classes) {
    return this.#examples.toPart(set, classes, () => this.#requireModel().network.input);
  }

  /**
   * Computes loss, accuracy and the confusion matrix.
   * @param {FeatureSet | ImageSet} [set] default: the last fit's validation examples or, if it had none, all examples
   * @returns {Promise<Evaluation>}
   */
  async evaluate(set) {
    const part = set ? await this.#toPart(set, this.#requireModel().labels) : this.#defaultPart();
    const { plan, labels } = this.#requireModel();
    const trainer = this.#open(this.#requireTrainer().maxRows || PREDICT_ROWS);
    const confusion = new Confusion(labels);
    const { labelSmoothing = 0, l2 = 0 } = plan ?? {};
    const sums = evaluate(trainer, part, { labelSmoothing, l2 }, (probabilities, indices) =>
      confusion.add(
        probabilities,
        indices.map((index) => part.data.labels[index]),
      ),
    );
    const { loss, accuracy } = means(sums, false);
    return { loss, accuracy, examples: sums.rows, classes: confusion.classes, confusion: confusion.table };
  }

  /** @returns {Part} */
  #defaultPart() {
    if (this.#validation && this.#validation.indices.length > 0) return this.#validation;
    const trained = this.#requireModel().labels.length;
    const { data, labels } = this.#examples;
    if (!data) throw failure('NO_EXAMPLES');
    const later = data.labels.find((id) => id >= trained);
    if (later !== undefined)
      throw failure('INVALID_LABEL', `'${labels[later]}' came after the last fit(): call it again`);
    return toPart(data);
  }

  /**
   * Classifies an image or one row of features. Returns all classes, sorted by descending score.
   * @param {ImageInput | {features: Float32Array | number[]}} input
   * @returns {Promise<Prediction[]>}
   */
  async predict(input) {
    const { network } = this.#requireModel();
    const isFeatures = typeof input === 'object' && input !== null && 'features' in input;
    const features = isFeatures ? toRow(input.features) : await this.#examples.extract([input]);
    const rowLength = sizeOf(network.input);
    if (checkFeatures(features, rowLength) !== 1)
      throw failure('INVALID_FEATURES', `expected one row of ${rowLength} numbers`);
    const trainer = this.#open(this.#requireTrainer().maxRows || PREDICT_ROWS);
    trainer.writeRow(0, features);
    return Array.from(trainer.predict(1), (score, labelId) => ({
      label: this.#examples.labels[labelId],
      labelId,
      score,
    })).sort((a, b) => b.score - a.score);
  }

  // ---- weights and state

  /**
   * Returns copies of all weights by name: dense/kernel [length, classes], dense/bias [classes], and tail/… if the
   * backbone has a tail.
   * @returns {Record<string, {shape: number[], data: Float32Array}>}
   */
  getWeights() {
    return readWeights(this.#requireModel());
  }

  /**
   * Replaces weights. Needs examples of all classes; fit() is not needed before.
   * @param {Record<string, Float32Array>} weights by the names of getWeights()
   */
  setWeights(weights) {
    if (this.#isRunning) throw failure('FIT_RUNNING');
    const data = this.#trainableData();
    const { labels } = this.#examples;
    replaceWeights(this.#model ?? this.#prepare(makePlan({}, labels), labels, data), weights);
    this.#isSynced = false;
  }

  /**
   * Saves weights, optimizer state and the progress of an interrupted fit. Examples are not saved.
   * @returns {Uint8Array} a safetensors file
   */
  save() {
    const model = this.#requireModel();
    if (this.#isRunning) throw failure('FIT_RUNNING');
    const { deterministic = false, precision = 'float32' } = this.#options;
    const options = { deterministic, precision };
    return writeState({ ...model, ...options, ...this.#expected, progress: this.#interrupted });
  }

  /**
   * Writes backbone and trained head as one classifier.
   * @returns {Uint8Array} a .tflite file with the labels in its metadata
   */
  export() {
    const { network, parameters, labels } = this.#requireModel();
    const { extractor } = this.#options;
    if (!extractor?.export)
      throw failure('NO_EXTRACTOR', 'export needs an extractor with export(), such as Backbone');
    return extractor.export(network, parameters, labels);
  }

  /**
   * Returns the facts of the last fit that a report is made from, with energy and emissions.
   * @param {import('./fit_facts.js').DescribeOptions} [options]
   * @returns {Promise<import('./fit_facts.js').Configuration>}
   */
  async describeFit(options) {
    if (!this.#lastFit) throw failure('NO_EXAMPLES', 'nothing was trained; call fit() first');
    const { labels, parameters } = this.#requireModel();
    return describeFit(this.#lastFit, { classes: [...labels], parameters: parameters.length }, options);
  }

  /**
   * Writes a report of the last fit: model card, tables, emissions.csv and plots.
   * @param {import('./fit_facts.js').ReportOptions} [options]
   * @returns {Promise<Record<string, string>>} texts by file name; README.md is the model card
   */
  async report(options) {
    return reportFit((given) => this.describeFit(given), 'classifier', options);
  }

  /** Frees the module's memory. Later calls throw CLOSED; closing again is allowed. */
  close() {
    this.#trainer?.close();
    this.#trainer = undefined;
  }

  [Symbol.dispose]() {
    this.close();
  }
}

/** @param {Float32Array | number[]} features */
const toRow = (features) => (Array.isArray(features) ? Float32Array.from(features) : features);
