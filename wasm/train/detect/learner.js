// Trains the heads of an SSD detector, and optionally its last blocks, on a user's photos with boxes.
import { failure as generalFailure, OcelliError } from '../../shared/errors.js';
import { loadMachine } from '../../report/energy/estimate.js';
import { checkKeys, checkSignal, pick } from '../../shared/options.js';
import { evaluateDetections } from '../../evaluate/evaluate.js';
import { runDetector } from '../../evaluate/run.js';
import { ObjectDetector } from '../../vision/detector.js';
import { READING } from '../../vision/reading.js';
import { resolveAssets } from '../../vision/vision_model.js';
import { failure } from '../errors.js';
import { describeFit, reportFit, toHistory } from '../fit_facts.js';
import { pickUnfreeze } from '../tail.js';
import { chooseClasses } from './classes.js';
import { addPictures, openDataset } from './dataset.js';
import { keepImage, Photos, toRgb } from './examples.js';
import { DetectorFit, startDetectorProgress } from './fit.js';
import { openDetector, openExtractor } from './model.js';
import { checkOptions } from './options.js';
import { MOST_PASTED } from './paste.js';
import { DETECTOR_PLAN_KEYS, makeDetectorPlan, splitPhotos } from './plan.js';
import { planMemory, Rows } from './rows.js';
import { readDetectorState, savedOptions, writeDetectorState } from './state.js';
import { SsdTrainer } from './trainer.js';
import { CurrentDetector, exportDetector, keepTrainedHeads, openHeads, prepareHeads } from './weights.js';

/**
 * @typedef {import('./examples.js').ExampleBox} ExampleBox
 * @typedef {import('../../vision/input.js').ImageInput} ImageInput
 * @typedef {import('./weights.js').HeadModel} HeadModel
 * @typedef {import('./types.js').DetectorEvaluation} DetectorEvaluation
 * @typedef {import('./types.js').DetectorFitOptions} DetectorFitOptions
 * @typedef {import('./types.js').DetectorLearnerOptions} DetectorLearnerOptions
 * @typedef {import('./types.js').DetectorRunOptions} DetectorRunOptions
 */

/**
 * ```js
 * const learner = await DetectorLearner.create();
 * await learner.addExample(photo, [{ label: 'cup', box: { x: 20, y: 30, width: 80, height: 90 } }]);
 * …
 * await learner.fit({ epochs: 10, validationSplit: 0.2 });
 * const { detections } = await learner.detect(other);
 * await writeFile('cups.tflite', await learner.export());
 * ```
 */
export class DetectorLearner {
  #options;
  #file;
  #photos;
  /** @type {SsdTrainer | undefined} */ #trainer;
  /** @type {Rows | undefined} */ #rows;
  /** @type {HeadModel | undefined} */ #model;
  #detector = new CurrentDetector(() => this.#openDetector());
  /** @type {import('./fit.js').DetectorProgress | null} */ #interrupted = null;
  #expected = { count: 0, checksum: 0 };
  #isRunning = false;
  /** What the last fit spent on feature maps before its first step. */
  extractionSeconds = 0;
  /** @type {any} */ #lastFit;

  /**
   * Use {@link DetectorLearner.create}.
   * @param {DetectorLearnerOptions} options
   * @param {import('./model.js').DetectorFile} file
   * @param {SsdTrainer} trainer
   */
  constructor(options, file, trainer) {
    this.#options = options;
    this.#file = file;
    this.#trainer = trainer;
    this.#photos = new Photos(options.labels);
  }

  /** @param {DetectorLearnerOptions} [options] */
  static async create(options = {}) {
    checkOptions(options);
    return openLearner(options, () => options.fuseMaps ?? false);
  }

  /**
   * Restores a learner from the file that save() returned, with the same model and `deterministic` as it was. To continue an
   * interrupted fit, add the same photos in the same order and call resume(). Others throw STATE_MISMATCH.
   * @param {Uint8Array} bytes
   * @param {DetectorLearnerOptions} [options]
   */
  static async load(bytes, options = {}) {
    const saved = readDetectorState(bytes);
    const learner = await this.create({ ...options, ...savedOptions(saved, options) });
    try {
      learner.#restore(saved);
      return learner;
    } catch (error) {
      learner.close();
      throw error;
    }
  }

  /** @param {import('./state.js').SavedModel & import('./state.js').SavedLearner} saved */
  #restore({ progress, photos, ...saved }) {
    if (saved.model !== this.#file.checksum)
      throw failure(
        'STATE_MISMATCH',
        'the model, its input or its ssd is not the one that it was saved with',
      );
    this.#photos.name(saved.labels);
    const plan = saved.toPlan(this.#planContext());
    const model = prepareHeads(undefined, plan, this.#context());
    saved.fill(model);
    this.#model = model;
    this.#interrupted = progress && { ...progress, bestParameters: saved.bestOf(model) };
    this.#expected = photos;
  }

  /** The classes of the detector. What comes after a fit is trained by the next one. */
  get labels() {
    return this.#classes().final.map(({ name }) => name);
  }

  /** The number of photos, and of boxes in total and per class. */
  get examples() {
    return this.#photos.counts;
  }

  /** What makes a good result unlikely: classes with fewer than three boxes, names that differ from the model's in case only, boxes
   *  that no anchor fits. */
  get warnings() {
    return [...this.#photos.warnings, ...this.#classes().warnings(this.#photos.list)];
  }

  /** The classes of the model that it began with. */
  get modelLabels() {
    return this.#file.labels.map(({ name }) => name);
  }

  /** Whether scores are learnt from joined maps, are a softmax, and include those of classes that are kept. */
  get heads() {
    const { fused, isSoftmax } = this.#file;
    return { areFused: fused.size > 0, isSoftmax, keepsClasses: this.#classes().keepsClasses };
  }

  /** How batch norm in the unfrozen blocks is trained; undefined: no block is unfrozen. */
  get batchNorm() {
    return this.#file.unfrozen.batchNorm;
  }

  #classes() {
    return chooseClasses(this.#file, this.#photos.labels, this.#options.keepClasses ?? false);
  }

  #context() {
    return { file: this.#file, classes: this.#classes(), seed: this.#options.seed ?? 0 };
  }

  #planContext() {
    const { keepsClasses, labels } = this.#classes();
    return { labels, isSoftmax: this.#file.isSoftmax, keepsClasses };
  }

  #reading() {
    const { maxPixels, allowTruncated, background, assetsUrl } = this.#options;
    return { maxPixels, allowTruncated, background, assetsUrl };
  }

  #running() {
    const { worker, threads, deterministic, assetsUrl } = this.#options;
    return { worker, threads, deterministic, assetsUrl };
  }

  // ---- examples

  /**
   * @param {ImageInput} image
   * @param {readonly ExampleBox[]} boxes in pixels of the upright image; none: the photo shows no object of these classes
   */
  async addExample(image, boxes) {
    this.#requireTrainer();
    const rgb = await toRgb(image, this.#reading());
    this.#photos.addImage(keepImage(image, rgb), rgb, boxes);
  }

  /**
   * Adds a data set as `ocelli evaluate` reads them: COCO, Pascal VOC, YOLO or Open Images. Pictures are read when they are
   * needed.
   * @param {import('./dataset.js').DatasetSource} source
   * @param {import('../../evaluate/read/dataset.js').DatasetOptions & {onUnreadable?: (error: Error, path: string) => void}} [options]
   *   onUnreadable: called with each picture that cannot be read, which is then left out; without it the call throws
   */
  async addDataset(source, options = {}) {
    checkKeys('options', options, ['annotations', 'split', 'name', 'onUnreadable']);
    const { onUnreadable, ...which } = options;
    this.#requireTrainer();
    const dataset = await openDataset(source, which);
    await addPictures(this.#photos, dataset, this.#reading(), onUnreadable);
  }

  /**
   * The memory that the feature maps of a fit take.
   * @param {import('./plan.js').DetectorPlanOptions} [options] as for fit()
   * @returns {{rows: number, rowBytes: number, bytes: number, keptRows: number, keptBytes: number}} rows that are not kept are
   *   computed again in each epoch
   */
  planMemory(options = {}) {
    checkKeys('options', options, DETECTOR_PLAN_KEYS);
    const plan = makeDetectorPlan(options, this.#planContext());
    const { train, validation } = splitPhotos(plan, this.#photos.list.length);
    const rows = train.length * plan.views + validation.length;
    const shapes = this.#file.unfrozen.inputs.map(({ shape }) => shape.slice(1));
    return planMemory(shapes, rows, plan.maxMemory);
  }

  // ---- training

  /**
   * Trains on all photos. Weights and optimizer state continue from the last fit, unless classes or the optimizer changed.
   * @param {DetectorFitOptions} [options]
   * @returns {Promise<import('../types.js').History>}
   */
  async fit(options = {}) {
    checkKeys('options', options, [...DETECTOR_PLAN_KEYS, 'callbacks', 'signal']);
    const { callbacks, signal, ...planOptions } = options;
    const plan = makeDetectorPlan(planOptions, this.#planContext());
    if (plan.earlyStopping?.monitor.startsWith('val_') && plan.validationSplit === 0)
      throw generalFailure('INVALID_OPTION', `${plan.earlyStopping.monitor} needs validation photos`);
    return this.#exclusively(() => {
      this.#requireTrainer();
      this.#photos.requireTrainable();
      const model = prepareHeads(this.#model, plan, this.#context());
      this.#model = model;
      return this.#run(model, startDetectorProgress(model.step), { callbacks, signal });
    });
  }

  /**
   * Continues an interrupted fit. The result is the same as without the interruption.
   * @param {DetectorRunOptions} [options]
   * @returns {Promise<import('../types.js').History>}
   */
  async resume(options = {}) {
    checkKeys('options', options, ['callbacks', 'signal']);
    const progress = this.#interrupted;
    const model = this.#model;
    if (!progress || !model) throw failure('NOT_INTERRUPTED');
    return this.#exclusively(() => {
      this.#requireTrainer();
      this.#photos.requireTrainable();
      this.#photos.requireSame(this.#expected);
      return this.#run(model, progress, options);
    });
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
   * @param {HeadModel} model
   * @param {import('./fit.js').DetectorProgress} progress
   * @param {DetectorRunOptions} options
   */
  async #run(model, progress, { callbacks = {}, signal }) {
    checkKeys('callbacks', callbacks, ['onBatch', 'onEpoch', 'onView']);
    checkSignal(signal);
    const { plan } = model;
    const photos = this.#photos.list;
    const parts = splitPhotos(plan, photos.length);
    if (parts.train.length === 0)
      throw failure('NO_EXAMPLES', 'validationSplit leaves no examples to train on');
    const rows = await this.#openRows();
    rows.forgetOthers(plan);
    const donors = Array.from(parts.train, (photo) => photos[photo]);
    const rowOf = (/** @type {number} */ index, /** @type {number} */ epoch) => {
      const photo = Math.floor(index / plan.views);
      return rows.get(photos[photo], photo, index % plan.views, plan, epoch, donors);
    };
    const train = Uint32Array.from(
      { length: parts.train.length * plan.views },
      (_, i) => parts.train[Math.floor(i / plan.views)] * plan.views + (i % plan.views),
    );
    const validation = parts.validation.map((photo) => photo * plan.views);
    this.#expected = this.#photos.state;
    this.#interrupted = progress;
    const start = performance.now();
    await this.#keepRows(model, [...train, ...validation], rowOf, { callbacks, signal });
    if (this.heads.areFused) model.standard = await rows.standardize(this.#file, model, train, rowOf, signal);
    this.extractionSeconds = (performance.now() - start) / 1000;
    const trainer = this.#open(model, plan.batchSize);
    const fit = new DetectorFit(trainer, model, progress, rowOf);
    await this.#train(model, progress, () => fit.run(train, validation, { ...callbacks, signal }));
    const result = toHistory(progress, plan, train.length);
    const counts = { train: parts.train.length, validation: validation.length };
    const extraction = { seconds: this.extractionSeconds };
    this.#lastFit = { plan, history: result, progress, ...counts, extraction };
    return result;
  }

  /**
   * @param {HeadModel} model
   * @param {import('./fit.js').DetectorProgress} progress
   * @param {() => Promise<void>} run
   */
  async #train(model, progress, run) {
    const trainer = this.#requireTrainer();
    const { startMeter } = await loadMachine();
    const stopMeter = progress.seconds === 0 ? await startMeter() : undefined;
    const start = performance.now();
    let isValid = true;
    try {
      await run();
      this.#interrupted = null;
    } catch (error) {
      isValid = !(error instanceof OcelliError && error.code === 'TRAINING_DIVERGED');
      // The model keeps the weights from before.
      if (!isValid) this.#interrupted = null;
      throw error;
    } finally {
      progress.seconds += (performance.now() - start) / 1000;
      if (this.#trainer && isValid) keepTrainedHeads(model, trainer, progress.step);
      this.#detector.renew();
    }
    progress.joules = (await stopMeter?.()) ?? null;
  }

  async #openRows() {
    if (this.#rows) return this.#rows;
    const extractor = await openExtractor(this.#file, this.#running());
    if (!this.#trainer) extractor.close();
    this.#requireTrainer();
    this.#rows = new Rows(extractor, this.#reading());
    return this.#rows;
  }

  /**
   * Computes the feature maps that are kept before the first step, photo by photo.
   * @param {HeadModel} model
   * @param {number[]} indices
   * @param {import('./rows.js').RowOf} rowOf
   * @param {DetectorRunOptions} options
   */
  async #keepRows({ plan, network }, indices, rowOf, { callbacks, signal }) {
    const once = plan.freshViews ? indices.filter((index) => index % plan.views === 0) : indices;
    const { keptRows } = planMemory(network.inputs, once.length, plan.maxMemory);
    for (const [done, index] of once.slice(0, keptRows).entries()) {
      signal?.throwIfAborted();
      await rowOf(index, 0);
      await callbacks?.onView?.({ done: done + 1, total: keptRows });
    }
  }

  /** @param {HeadModel} model @param {number} maxRows */
  #open(model, maxRows) {
    const shown = this.#photos.list.reduce((most, { targets }) => Math.max(most, targets.length), 1);
    const most = shown + (model.plan.augmentation.paste ? MOST_PASTED : 0);
    openHeads(model, this.#requireTrainer(), { file: this.#file, maxRows, maxBoxes: most * maxRows });
    return this.#requireTrainer();
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

  /**
   * Finds objects with the detector as it is trained now.
   * @param {ImageInput} image
   * @param {import('../../vision/types.js').DetectOptions} [options]
   */
  async detect(image, options) {
    return this.#detector.use((detector) => detector.detect(/** @type {any} */ (image), options));
  }

  #openDetector() {
    this.#requireTrainer();
    const reading = pick(this.#options, READING);
    return ObjectDetector.create({ model: this.export(), ...this.#running(), ...reading });
  }

  /**
   * Measures the detector on a data set as `ocelli evaluate` does.
   * @param {import('./dataset.js').DatasetSource} source
   * @param {import('../../evaluate/run.js').RunOptions} [options]
   * @returns {Promise<DetectorEvaluation>}
   */
  async evaluate(source, options) {
    const dataset = await openDataset(source);
    const ran = await this.#detector.use((detector) => runDetector(detector, dataset, options));
    const evaluation = evaluateDetections(ran.dataset.groundTruth, ran.detections);
    return { AP: evaluation.coco.AP, AP50: evaluation.coco.AP50, evaluation };
  }

  // ---- weights and state

  /**
   * Saves weights, optimizer state and the progress of an interrupted fit. Photos and the model are not saved.
   * @returns {Uint8Array} a safetensors file
   */
  save() {
    const model = this.#requireModel();
    if (this.#isRunning) throw failure('FIT_RUNNING');
    return writeDetectorState(model, {
      labels: model.classes.labels,
      areLabelsGiven: this.#options.labels !== undefined,
      keepClasses: this.#options.keepClasses ?? false,
      fuseMaps: this.heads.areFused,
      deterministic: this.#options.deterministic ?? false,
      photos: this.#expected,
      model: this.#file.checksum,
      progress: this.#interrupted,
      unfrozen: pickUnfreeze(this.#options),
    });
  }

  /**
   * Writes the trained detector.
   * @returns {Uint8Array} a .tflite file with labels, anchors and normalization in its metadata
   */
  export() {
    if (this.#isRunning) throw failure('FIT_RUNNING');
    return exportDetector(this.#requireModel(), this.#file);
  }

  /**
   * The facts of the last fit that a report is made from, with energy and emissions.
   * @param {import('../fit_facts.js').DescribeOptions} [options]
   */
  async describeFit(options) {
    if (!this.#lastFit) throw failure('NO_EXAMPLES', 'nothing was trained; call fit() first');
    const { batchNorm } = this;
    const { parameters, classes: trained } = this.#requireModel();
    const unfrozen = batchNorm && { blocks: Number(this.#options.unfreeze), batchNorm };
    const classes = trained.final.map(({ name }) => name);
    const data = {
      ...{ classes, kept: trained.kept, parameters: parameters.length },
      ...(unfrozen && { unfrozen }),
    };
    const before = this.#lastFit.progress.before ?? undefined;
    return { ...(await describeFit(this.#lastFit, data, options)), before };
  }

  /**
   * Writes a report of the last fit: model card, tables, emissions.csv and plots.
   * @param {import('../fit_facts.js').ReportOptions} [options]
   * @returns {Promise<Record<string, string>>} texts by file name; README.md is the model card
   */
  async report(options) {
    return reportFit((given) => this.describeFit(given), 'detector', options);
  }

  /** Frees the modules' memory. Later calls throw CLOSED; closing again is allowed. */
  close() {
    this.#trainer?.close();
    this.#trainer = undefined;
    this.#rows?.close();
    this.#rows = undefined;
    this.#detector.close();
  }

  [Symbol.dispose]() {
    this.close();
  }
}

/**
 * @param {DetectorLearnerOptions} options that were checked
 * @param {import('./model.js').Fuses} fuses
 */
export async function openLearner(options, fuses) {
  const { model, deterministic, keepClasses = false } = options;
  const photos = new Photos(options.labels);
  const assetsUrl = resolveAssets(options.assetsUrl);
  const file = await openDetector(model, { ...options, assetsUrl }, fuses);
  // Names a wrong class now, not at the first fit.
  chooseClasses(file, photos.labels, keepClasses);
  return new DetectorLearner(options, file, await SsdTrainer.create({ deterministic, assetsUrl }));
}
