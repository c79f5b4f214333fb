// Teaches a classifier on the features of a network: examples in, softmax head (and tail) trained, predictions out.
import { failure as generalFailure, OcelliError } from '../errors.js';
import { estimateEnergy, loadMachine } from '../energy/estimate.js';
import { host } from '../host.js';
import { checkChoice, checkKeys, checkNumber } from '../options.js';
import { makeReport } from '../report/report.js';
import { checkExamples, Dataset } from './dataset.js';
import { failure } from './errors.js';
import { extractFeatures } from './extract.js';
import { evaluate, Fit, means, split, startProgress } from './fit.js';
import { checkLabels, toNumbers } from './labels.js';
import { Confusion } from './metrics.js';
import { countMultiplyAdds, headNetwork, initialParameters, parameterSpecs, tailNetwork } from './network.js';
import { checkOptimizer, makePlan, optimizerConstants, PLAN_KEYS } from './plan.js';
import { readState, writeState } from './state.js';
import { Trainer } from './trainer.js';

/**
 * @typedef {import('../input.js').ImageInput} ImageInput
 * @typedef {import('./metrics.js').Evaluation} Evaluation
 * @typedef {import('./plan.js').Plan} Plan
 *
 * @typedef {object} Extractor What turns images into features.
 * @property {(images: ImageInput[]) => Promise<{data: Float32Array, shape: number[]}>} extractBatch rows of features
 *   [N, length]; where there is a tail, what goes into it: [N, height, width, channels]
 * @property {import('./network.js').Tail} [tail] the network's last layers, which are trained as well
 * @property {(network: import('./trainer.js').Network, parameters: Float32Array, labels: readonly string[]) => Uint8Array} [export]
 *   the whole classifier as a .tflite file
 *
 * @typedef {object} LearnerOptions
 * @property {Extractor} [extractor] not needed for features that are given
 * @property {readonly string[]} [labels] the classes, in order; default: as they first come up
 * @property {'float32' | 'float16'} [precision] in which features are kept; default float32
 * @property {boolean} [deterministic] plain SIMD: the same weights on every engine
 * @property {number} [seed] of the first weights; default 0
 *
 * @typedef {import('./extract.js').ExtractOptions} ExtractOptions
 *
 * @typedef {object} FeatureSet
 * @property {Float32Array} features [N, length]
 * @property {readonly string[] | Float32Array} labels N class names, or distributions over the classes [N, classes]
 * @property {ArrayLike<number>} [weights] N
 *
 * @typedef {{images: readonly ImageInput[], labels: readonly string[]}} ImageSet
 *
 * @typedef {import('./plan.js').PlanOptions & RunOptions & {validation?: FeatureSet | ImageSet}} FitOptions
 *
 * @typedef {object} RunOptions
 * @property {import('./fit.js').Callbacks} [callbacks]
 * @property {AbortSignal} [signal] interrupts between two batches; resume() goes on
 *
 * @typedef {object} History Keras' History.
 * @property {Record<string, number[]>} history loss, accuracy, val_loss, val_accuracy …: one value for each epoch
 * @property {number[]} epoch
 * @property {{epochs: number, steps: number}} params
 *
 * @typedef {Pick<import('./state.js').State, 'network' | 'parameters' | 'slots' | 'step' | 'plan'>} Model
 * @typedef {{data: Dataset, indices: Uint32Array}} Part
 *
 * @typedef {object} Prediction
 * @property {string} label
 * @property {number} labelId
 * @property {number} score probability
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
  /** @type {string[]} */ #labels;
  /** @type {Dataset | undefined} */ #data;
  /** @type {Model | undefined} */ #model;
  /** @type {import('./fit.js').Progress | null} */ #interrupted = null;
  /** @type {Part | undefined} */ #validation;
  /** Whether the trainer has the model's weights. */
  #isSynced = false;
  #isRunning = false;
  /** @type {{plan: Plan, history: History, progress: import('./fit.js').Progress, train: number, validation: number} | undefined} */
  #lastFit;
  /** Examples that the last fit began with. */
  #expectedExamples = 0;

  /**
   * Use {@link TransferLearner.create}.
   * @param {LearnerOptions} options
   * @param {Trainer} trainer
   */
  constructor(options, trainer) {
    this.#options = options;
    this.#labels = [...(options.labels ?? [])];
    this.#trainer = trainer;
  }

  /** @param {LearnerOptions} [options] */
  static async create(options = {}) {
    checkKeys('options', options, ['extractor', 'labels', 'precision', 'deterministic', 'seed']);
    const { labels = [], precision = 'float32', seed = 0, extractor, deterministic } = options;
    checkChoice('precision', precision, /** @type {const} */ (['float32', 'float16']));
    checkNumber('seed', seed, { min: 0, max: 2 ** 32 - 1, integer: true });
    checkLabels(labels);
    if (extractor !== undefined && typeof extractor?.extractBatch !== 'function')
      throw generalFailure('INVALID_OPTION', 'extractor must have extractBatch(images)');
    return new this(options, await Trainer.create({ deterministic }));
  }

  /**
   * A learner as save() left it. An interrupted training goes on with resume(), once its examples were added again.
   * @param {Uint8Array} file
   * @param {LearnerOptions} [options]
   */
  static async load(file, options = {}) {
    const { labels, progress, examples, ...model } = readState(file);
    const learner = await this.create({ ...options, labels });
    learner.#model = model;
    learner.#interrupted = progress;
    learner.#expectedExamples = examples;
    try {
      learner.#open(model.plan?.batchSize ?? PREDICT_ROWS);
    } catch (error) {
      learner.close();
      throw failure('STATE_CORRUPT', 'its network', error);
    }
    return learner;
  }

  /** The classes, in the order of their numbers. */
  get labels() {
    return [...this.#labels];
  }

  /** How many examples there are, and of each class. */
  get examples() {
    const labels = this.#data?.labels ?? [];
    const classes = this.#labels.map((label, id) => ({
      label,
      count: labels.filter((other) => other === id).length,
    }));
    return { count: labels.length, classes };
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
   * Extracts the images' features, in batches. Either all are added or none.
   * @param {readonly ImageInput[]} images
   * @param {readonly string[]} labels
   * @param {ExtractOptions} [options]
   */
  async addExamples(images, labels, options = {}) {
    if (images.length !== labels.length)
      throw failure('INVALID_LABEL', `${labels.length} for ${images.length}`);
    checkLabels(labels);
    if (images.length > 0) this.addFeatures(await this.#extract(images, options), labels);
  }

  /**
   * @param {Float32Array} features [N, length]
   * @param {readonly string[] | Float32Array} labels N class names, or distributions over the classes [N, classes]
   * @param {{weights?: ArrayLike<number>}} [options] weights: one for each example, as Keras' sample_weight
   */
  addFeatures(features, labels, { weights } = {}) {
    this.#live();
    if (labels instanceof Float32Array && this.#labels.length === 0)
      throw failure('INVALID_LABEL', 'distributions need the learner to be made with labels');
    const isNew = (/** @type {string} */ label) => !this.#labels.includes(label);
    const added = labels instanceof Float32Array ? [] : [...new Set(labels)].filter(isNew);
    if (added.length > 0 && this.#options.labels) throw failure('INVALID_LABEL', `'${added[0]}' is no class`);
    const numClasses = this.#labels.length + added.length;
    const rowLength = this.#data?.rowLength ?? this.#rowLength(features, labels, numClasses);
    const classes = [...this.#labels, ...added];
    const examples = { features, labels: toNumbers(labels, classes), weights };
    checkExamples(examples, rowLength, numClasses);
    this.#data ??= new Dataset(rowLength, this.#options.precision);
    this.#data.add(examples);
    this.#labels = classes;
  }

  /**
   * @param {Float32Array} features
   * @param {readonly string[] | Float32Array} labels
   * @param {number} numClasses
   */
  #rowLength(features, labels, numClasses) {
    const input = this.#model?.network.input ?? this.#options.extractor?.tail?.input;
    const count = labels instanceof Float32Array ? labels.length / numClasses : labels.length;
    return input ? input[0] * input[1] * input[2] : features.length / count;
  }

  /**
   * Adds the photos of a directory, a subdirectory for each class, in the order of their names. Node only.
   * @param {string} directory
   * @param {ExtractOptions} [options]
   */
  async addDirectory(directory, options = {}) {
    const { openImageDirectory } = (await host().loadDirectories?.()) ?? {};
    if (!openImageDirectory) throw failure('NO_DIRECTORIES');
    const { sources, labels } = await openImageDirectory(directory);
    this.addFeatures(await extractFeatures(this.#extractor(), sources, options), labels);
  }

  #extractor() {
    const { extractor } = this.#options;
    if (!extractor) throw failure('NO_EXTRACTOR');
    return extractor;
  }

  /**
   * @param {readonly ImageInput[]} images
   * @param {ExtractOptions} [options]
   */
  async #extract(images, options) {
    const sources = images.map((image, i) => ({ name: `image ${i}`, read: () => image }));
    return extractFeatures(this.#extractor(), sources, options);
  }

  // ---- training

  /**
   * Trains on all examples. Weights and optimizer go on from where the last fit left them, as in Keras; another
   * optimizer starts anew.
   * @param {FitOptions} [options]
   * @returns {Promise<History>}
   */
  async fit(options = {}) {
    checkKeys('options', options, [...PLAN_KEYS, 'callbacks', 'signal', 'validation']);
    const { callbacks, signal, validation, ...planOptions } = options;
    const plan = makePlan(planOptions, this.#labels);
    if (validation && plan.validationSplit > 0)
      throw generalFailure('INVALID_OPTION', 'give validation or validationSplit, not both');
    if (plan.earlyStopping?.monitor.startsWith('val_') && !validation && plan.validationSplit === 0)
      throw generalFailure('INVALID_OPTION', `${plan.earlyStopping.monitor} needs validation examples`);
    return this.#exclusively(async () => {
      const data = this.#checkedData();
      const given = validation && (await this.#toDataset(validation));
      const parts = split(plan, data.size);
      if (parts.train.length === 0) throw failure('NO_EXAMPLES', 'all of them validate');
      const model = this.#prepare(plan, data);
      this.#validation = given ? whole(given) : { data, indices: parts.validation };
      return this.#run(model, plan, startProgress(model.step), parts.train, { callbacks, signal });
    });
  }

  /**
   * Goes on with an interrupted fit, to the very result that it would have had.
   * @param {RunOptions & {validation?: FeatureSet | ImageSet}} [options] validation: as in fit(), if that had it and
   *   the learner was loaded since
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
      const data = this.#checkedData();
      if (data.size !== this.#expectedExamples)
        throw failure('STATE_MISMATCH', `${data.size} examples, not ${this.#expectedExamples}`);
      const parts = split(plan, data.size);
      if (validation) this.#validation = whole(await this.#toDataset(validation));
      this.#validation ??= { data, indices: parts.validation };
      return this.#run(model, plan, progress, parts.train, { callbacks, signal });
    });
  }

  /**
   * @template T
   * @param {() => Promise<T>} action
   */
  async #exclusively(action) {
    if (this.#isRunning) throw failure('FIT_RUNNING');
    this.#isRunning = true;
    try {
      return await action();
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
    const data = /** @type {Dataset} */ (this.#data);
    const validation = /** @type {Part} */ (this.#validation);
    const trainer = this.#open(plan.batchSize);
    const multiplyAdds = countMultiplyAdds(model.network);
    const fit = new Fit(trainer, plan, progress, { data, indices: train }, validation, multiplyAdds);
    this.#expectedExamples = data.size;
    this.#interrupted = progress;
    const { startMeter } = await loadMachine();
    const stopMeter = progress.seconds === 0 ? await startMeter() : undefined;
    const start = performance.now();
    try {
      await fit.run({ ...callbacks, signal });
      this.#interrupted = null;
    } catch (error) {
      if (!(error instanceof OcelliError && error.code === 'TRAINING_DIVERGED')) throw error;
      // The weights from before are still in the model; those in the trainer are of no use.
      this.#interrupted = null;
      this.#isSynced = false;
      throw error;
    } finally {
      progress.seconds += (performance.now() - start) / 1000;
      if (this.#isSynced) this.#keep(model, trainer, progress);
    }
    progress.joules = (await stopMeter?.()) ?? null;
    const history = toHistory(progress, plan, train.length);
    this.#lastFit = { plan, history, progress, train: train.length, validation: validation.indices.length };
    return history;
  }

  /**
   * @param {Model} model
   * @param {Trainer} trainer
   * @param {import('./fit.js').Progress} progress
   */
  #keep(model, trainer, progress) {
    model.parameters = trainer.read('parameters');
    model.slots = trainer.read('slots');
    model.step = progress.step;
  }

  /** The examples, if they can be trained on. */
  #checkedData() {
    this.#live();
    if (!this.#data) throw failure('NO_EXAMPLES');
    if (this.#labels.length < 2) throw failure('ONE_CLASS', this.#labels[0]);
    const empty = this.examples.classes.find(({ count }) => count === 0);
    if (empty) throw failure('EMPTY_CLASS', empty.label);
    return this.#data;
  }

  /**
   * The model to train: the present one, or a new one if there is none or classes were added.
   * @param {Plan} plan
   * @param {Dataset} data
   */
  #prepare(plan, data) {
    const { extractor, seed = 0 } = this.#options;
    const numClasses = this.#labels.length;
    const network = extractor?.tail
      ? tailNetwork(extractor.tail, numClasses)
      : headNetwork(data.rowLength, numClasses);
    const isSame = JSON.stringify(this.#model?.network) === JSON.stringify(network);
    const parameters = isSame ? this.#model?.parameters : undefined;
    const goesOn =
      parameters && JSON.stringify(this.#model?.plan?.optimizer) === JSON.stringify(plan.optimizer);
    this.#model = {
      network,
      parameters: parameters ?? initialParameters(network, extractor?.tail, seed),
      slots: goesOn && this.#model ? this.#model.slots : new Float32Array(),
      step: goesOn && this.#model ? this.#model.step : 0,
      plan,
    };
    this.#isSynced = false;
    return this.#model;
  }

  /**
   * The trainer with the model in it.
   * @param {number} maxRows
   */
  #open(maxRows) {
    const trainer = this.#live();
    const model = this.#trained();
    if (this.#isSynced && trainer.maxRows === maxRows) return trainer;
    const optimizer = model.plan?.optimizer ?? checkOptimizer('sgd');
    trainer.open(model.network, optimizerConstants(optimizer), maxRows);
    trainer.write('parameters', model.parameters);
    trainer.write('slots', model.slots);
    this.#isSynced = true;
    return trainer;
  }

  #live() {
    if (!this.#trainer) throw generalFailure('CLOSED');
    return this.#trainer;
  }

  #trained() {
    if (!this.#model) throw failure('NO_EXAMPLES', 'fit() comes first');
    return this.#model;
  }

  // ---- use

  /**
   * @param {FeatureSet | ImageSet} set
   * @returns {Promise<Dataset>}
   */
  async #toDataset(set) {
    checkKeys('set', set, ['features', 'images', 'labels', 'weights']);
    const features = 'images' in set ? await this.#extract(set.images) : set.features;
    const labels = toNumbers(set.labels, this.#labels);
    const weights = 'weights' in set ? set.weights : undefined;
    const rowLength = this.#data?.rowLength ?? rowLengthOf(this.#trained().network);
    checkExamples({ features, labels, weights }, rowLength, this.#labels.length);
    const data = new Dataset(rowLength, this.#options.precision);
    data.add({ features, labels, weights });
    return data;
  }

  /**
   * How well it does on examples; by default on those that the last fit validated with, or else on all.
   * @param {FeatureSet | ImageSet} [set]
   * @returns {Promise<Evaluation>}
   */
  async evaluate(set) {
    const { plan } = this.#trained();
    const part = set ? whole(await this.#toDataset(set)) : this.#defaultPart();
    const trainer = this.#open(this.#live().maxRows || PREDICT_ROWS);
    const confusion = new Confusion(this.#labels);
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
    if (!this.#data) throw failure('NO_EXAMPLES');
    return whole(this.#data);
  }

  /**
   * The classes of an image (or of one row of features), best first.
   * @param {ImageInput | {features: Float32Array}} input
   * @returns {Promise<Prediction[]>}
   */
  async predict(input) {
    const { network } = this.#trained();
    const isFeatures = typeof input === 'object' && 'features' in input;
    const features = isFeatures ? input.features : await this.#extract([input]);
    const rowLength = rowLengthOf(network);
    checkExamples({ features, labels: Array((features.length / rowLength) | 0).fill(0) }, rowLength, 1);
    if (features.length !== rowLength) throw failure('INVALID_FEATURES', `one row of ${rowLength} is needed`);
    const trainer = this.#open(this.#live().maxRows || PREDICT_ROWS);
    trainer.writeRow(0, features);
    return Array.from(trainer.predict(1), (score, labelId) => ({
      label: this.#labels[labelId],
      labelId,
      score,
    })).sort((a, b) => b.score - a.score);
  }

  // ---- weights and state

  /**
   * Copies, under their names: dense/kernel [length, classes], dense/bias, and those of a tail.
   * @returns {Record<string, {shape: number[], data: Float32Array}>}
   */
  getWeights() {
    const { network, parameters } = this.#trained();
    return Object.fromEntries(
      parameterSpecs(network).map(({ name, shape, offset, size }) => [
        name,
        { shape, data: parameters.slice(offset, offset + size) },
      ]),
    );
  }

  /**
   * Replaces weights, before a fit or after. The classes must be known.
   * @param {Record<string, Float32Array>} weights by the names that getWeights() has
   */
  setWeights(weights) {
    if (this.#isRunning) throw failure('FIT_RUNNING');
    const data = this.#checkedData();
    const model = this.#model ?? this.#prepare(makePlan({}, this.#labels), data);
    const specs = parameterSpecs(model.network);
    checkKeys(
      'weights',
      weights,
      specs.map(({ name }) => name),
    );
    for (const { name, offset, size } of specs) {
      const values = weights[name];
      if (values === undefined) continue;
      if (!(values instanceof Float32Array) || values.length !== size || !values.every(Number.isFinite))
        throw failure('INVALID_FEATURES', `${name} needs ${size} finite numbers`);
      model.parameters.set(values, offset);
    }
    this.#isSynced = false;
  }

  /**
   * Everything that a training goes on from, but the examples.
   * @returns {Uint8Array} a safetensors file
   */
  save() {
    const model = this.#trained();
    if (this.#isRunning) throw failure('FIT_RUNNING');
    const examples = this.#expectedExamples;
    return writeState({ ...model, labels: this.#labels, progress: this.#interrupted, examples });
  }

  /**
   * Backbone and head as one classifier.
   * @returns {Uint8Array} a .tflite file with the labels in its metadata
   */
  export() {
    const { network, parameters } = this.#trained();
    const { extractor } = this.#options;
    if (!extractor?.export) throw failure('NO_EXTRACTOR', 'nor can it be exported');
    return extractor.export(network, parameters, this.#labels);
  }

  /**
   * The last fit, with its energy and emissions: what a report is made of.
   * @param {{name?: string, energy?: import('../energy/estimate.js').EnergyOptions}} [options]
   * @returns {Promise<import('../report/metrics.js').Configuration>}
   */
  async describeFit({ name = 'training', energy = {} } = {}) {
    if (!this.#lastFit) throw failure('NO_EXAMPLES', 'fit() comes first');
    const { plan, history, progress, train, validation } = this.#lastFit;
    const { seconds, multiplyAdds, joules } = progress;
    const machine = await (await loadMachine()).describeMachine();
    return {
      name,
      plan,
      history,
      seconds,
      multiplyAdds,
      energy: await estimateEnergy({ seconds, multiplyAdds, joules: joules ?? undefined }, machine, energy),
      data: { train, validation, classes: this.labels, parameters: this.#trained().parameters.length },
    };
  }

  /**
   * The last fit's model card, tables, emissions.csv and plots.
   * @param {{name?: string, energy?: import('../energy/estimate.js').EnergyOptions} &
   *   Partial<import('../report/card.js').About>} [options]
   * @returns {Promise<Record<string, string>>} file name -> text; README.md is the card
   */
  async report({ name, energy, project = 'classifier', date = new Date(), ...about } = {}) {
    checkKeys('options', about, ['backbone', 'license', 'extractionSeconds']);
    return makeReport([await this.describeFit({ name, energy })], { project, date, ...about });
  }

  /** Frees the module's memory. A closed learner can only be closed again. */
  close() {
    this.#trainer?.close();
    this.#trainer = undefined;
  }

  [Symbol.dispose]() {
    this.close();
  }
}

/** @param {Dataset} data */
function whole(data) {
  return { data, indices: Uint32Array.from({ length: data.size }, (_, i) => i) };
}

/** @param {import('./trainer.js').Network} network */
function rowLengthOf({ input }) {
  return input.reduce((a, b) => a * b);
}

/**
 * @param {import('./fit.js').Progress} progress
 * @param {Plan} plan
 * @param {number} examples trained on
 * @returns {History}
 */
function toHistory({ history }, { epochs, batchSize }, examples) {
  const epoch = history.loss.map((_, i) => i);
  return { history, epoch, params: { epochs, steps: Math.ceil(examples / batchSize) } };
}
