import { Engine, MAX_RESULTS } from './engine.js';
import { failure } from './errors.js';
import { host } from './host.js';
import { checkMaxPixels, readSource, toPixels } from './input.js';
import { selectClasses } from './labels.js';
import {
  checkGenerator,
  DEFAULT_ENTRY,
  findHeads,
  findManifestEntry,
  resolveInput,
  resolveLimits,
  resolveLabels,
  resolveSsd,
} from './model_spec.js';
import { checkBoolean, checkKeys, checkList, checkNumber } from './options.js';
import { chooseVariant } from './variant.js';

/**
 * @typedef {import('./engine.js').InputSpec} InputSpec
 * @typedef {import('./engine.js').Roi} Roi
 * @typedef {import('./engine.js').TensorData} TensorData
 * @typedef {import('./input.js').ImageInput} ImageInput
 * @typedef {import('./labels.js').Label} Label
 * @typedef {import('./model_spec.js').SsdSpec} SsdSpec
 *
 * @typedef {object} Thresholds
 * @property {number} [scoreThreshold] report what scores above it; [0, 1), default 0.5
 * @property {number} [iouThreshold] non-maximum suppression: drop a box that overlaps a better one of its class by
 *   more; (0, 1], default 0.6. A model with its own post-processing operator has its own.
 * @property {number} [maxResults] default 100
 * @property {number} [maxPerClass] default 100
 * @property {boolean} [classAgnostic] suppress across classes; default false
 *
 * @typedef {object} DetectorOptions
 * @property {string | URL | Uint8Array | ArrayBuffer | Blob} [model] a .tflite file: path, URL or bytes. Default: the
 *   detector of 23 Open Images classes that comes with the package
 * @property {string | URL | readonly (string | Label)[]} [labels] names by class number: a list, or a text file of one
 *   per line; a first "???" or "background" is left out. Default: what comes with the model
 * @property {{allow?: (string | number)[], deny?: (string | number)[]}} [classes] which classes to report, by name, MID
 *   or number
 * @property {Partial<InputSpec>} [input] how pixels become the model's input, where the file does not say
 * @property {Partial<SsdSpec>} [ssd] how its heads become boxes, where the file does not say
 * @property {number} [threads] default 1
 * @property {boolean} [deterministic] plain SIMD and one choice of kernels: the same bits on every engine
 * @property {number} [maxPixels] refuse images of more; default 16 777 216
 * @property {AbortSignal} [signal] cancels the loading
 * @property {(progress: {loaded: number, total?: number}) => void} [onProgress] bytes of the model, while it loads
 *
 * @typedef {object} ViewOptions
 * @property {Roi} [roi] look at this region only; pixels of the upright image
 * @property {0 | 90 | 180 | 270} [rotation] degrees by which the network sees it turned clockwise
 *
 * @typedef {object} Detection
 * @property {string} label
 * @property {number} labelId the model's class number without background, from 0
 * @property {string} [mid] Open Images' id of the class, where known
 * @property {number} score in [0, 1]
 * @property {{x: number, y: number, width: number, height: number}} box in pixels of the upright source image
 *
 * @typedef {object} Head
 * @property {string} name
 * @property {string} dtype
 * @property {number[]} shape
 * @property {{scale: number, zeroPoint: number} | null} quantization real = (stored - zeroPoint) * scale
 * @property {TensorData} data
 *
 * @typedef {Awaited<ReturnType<typeof prepare>>} Model
 *
 * @typedef {object} RunInfo What the last call did.
 * @property {number} width of the source image, upright, in pixels
 * @property {number} height
 * @property {{decode: number, preprocess: number, network: number, postprocess: number}} ms
 */

const THRESHOLDS = /** @type {const} */ ([
  'scoreThreshold',
  'iouThreshold',
  'maxResults',
  'maxPerClass',
  'classAgnostic',
]);
const VIEW = ['roi', 'rotation'];
const LOADING = [
  'model',
  'labels',
  'classes',
  'input',
  'ssd',
  'threads',
  'deterministic',
  'maxPixels',
  'signal',
  'onProgress',
];
const DEFAULTS = {
  scoreThreshold: 0.5,
  iouThreshold: 0.6,
  maxResults: 100,
  maxPerClass: 100,
  classAgnostic: false,
};

/**
 * Finds objects in images with an SSD detector.
 *
 * ```js
 * const detector = await ObjectDetector.create();
 * for (const { label, score, box } of await detector.detect(await readFile('photo.jpg'))) …
 * detector.close();
 * ```
 */
export class ObjectDetector {
  #options;
  #thresholds;
  /** @type {Model | undefined} */ #model;
  /** @type {Promise<Model> | undefined} */ #recovery;
  /** @type {RunInfo} */ #lastRun = {
    width: 0,
    height: 0,
    ms: { decode: 0, preprocess: 0, network: 0, postprocess: 0 },
  };

  /**
   * Use {@link ObjectDetector.create}.
   * @param {DetectorOptions} options
   * @param {Required<Thresholds>} thresholds
   * @param {Model} model
   */
  constructor(options, thresholds, model) {
    this.#options = options;
    this.#thresholds = thresholds;
    this.#model = model;
  }

  /**
   * Loads a model. Nothing is fetched but what `model` and `labels` name.
   * @param {DetectorOptions & Thresholds} [options]
   */
  static async create(options = {}) {
    checkKeys('options', options, [...LOADING, ...THRESHOLDS]);
    checkLoading(options);
    const given = pick(options);
    checkThresholds({ ...DEFAULTS, ...given });
    const model = await prepare(options);
    const thresholds = checkThresholds({ ...DEFAULTS, ...model.limits, ...given });
    return new ObjectDetector(options, thresholds, model);
  }

  /** Names and ids of the model's classes, by class number. */
  get labels() {
    return this.#open().labels.map((label) => ({ ...label }));
  }

  /** Which WebAssembly variant runs, and with how many threads. */
  get variant() {
    return { name: this.#open().variant, threads: this.#options.threads ?? 1 };
  }

  /** @returns {RunInfo} */
  get lastRun() {
    return this.#lastRun;
  }

  /** Bytes of the module's memory, and of what is allocated in it. */
  get memoryUse() {
    return this.#open().engine.memoryUse;
  }

  /**
   * Objects in an image, best first.
   * @param {ImageInput} image bytes of a PNG, JPEG, BMP or GIF file, or pixels
   * @param {ViewOptions & Thresholds} [options] thresholds given here hold for this call
   * @returns {Promise<Detection[]>}
   */
  async detect(image, options = {}) {
    return this.#detect(image, options, (found) =>
      found.map(({ labelId, score, box }) => {
        const { name, mid } = this.#label(labelId);
        return { label: name, labelId, ...(mid && { mid }), score, box };
      }),
    );
  }

  /**
   * The same under the names, and with the conventions, of TensorFlow Hub's `openimages_v4` modules: boxes are
   * [ymin, xmin, ymax, xmax] in [0, 1] of the image, class labels count from 1.
   * @param {ImageInput} image
   * @param {ViewOptions & Thresholds} [options]
   */
  async detectTensors(image, options = {}) {
    return this.#detect(image, options, (found, { width, height }) => ({
      detection_boxes: Float32Array.from(
        found.flatMap(({ box: { x, y, width: w, height: h } }) => [
          y / height,
          x / width,
          (y + h) / height,
          (x + w) / width,
        ]),
      ),
      detection_scores: Float32Array.from(found, ({ score }) => score),
      detection_class_labels: BigInt64Array.from(found, ({ labelId }) => BigInt(labelId + 1)),
      detection_class_names: found.map(({ labelId }) => this.#label(labelId).mid ?? ''),
      detection_class_entities: found.map(({ labelId }) => this.#label(labelId).name),
    }));
  }

  /**
   * The network's raw outputs, for post-processing of one's own. Takes an image, or `{tensor}`: the input itself.
   * @param {ImageInput | {tensor: TensorData}} input
   * @param {ViewOptions} [options]
   * @returns {Promise<Head[]>}
   */
  async heads(input, options = {}) {
    return this.#run(input, options, (engine) => engine.outputs.map((_, index) => engine.readOutput(index)));
  }

  /**
   * Time and multiply-adds of each operator in one run.
   * @param {ImageInput | {tensor: TensorData}} input
   * @param {ViewOptions} [options]
   */
  async profile(input, options = {}) {
    const operators = await this.#run(input, options, (engine) => engine.operators, true);
    return { ...this.#lastRun, operators };
  }

  /** Frees the module's memory and sends its threads home. A closed detector can only be closed again. */
  close() {
    this.#model?.engine.close();
    this.#model = undefined;
  }

  [Symbol.dispose]() {
    this.close();
  }

  #open() {
    if (!this.#model) throw failure('CLOSED');
    return this.#model;
  }

  /** After a trap the instance is thrown away and the model loaded into a new one. */
  async #healthy() {
    if (!this.#open().engine.isBroken) return this.#open();
    this.#recovery ??= prepare({ ...this.#options, signal: undefined, onProgress: undefined });
    try {
      const model = await this.#recovery;
      if (this.#model) this.#model = model;
      else model.engine.close();
    } finally {
      this.#recovery = undefined;
    }
    return this.#open();
  }

  /**
   * Runs the network and, before any other call can run it, `read`s what it left.
   * @template T
   * @param {ImageInput | {tensor: TensorData}} input
   * @param {ViewOptions} options
   * @param {(engine: Engine, view: {roi: Roi, turns: number}) => T} read
   * @param {boolean} [profile]
   * @returns {Promise<T>}
   */
  async #run(input, options, read, profile = false) {
    checkKeys('options', options, VIEW);
    const turns = quarterTurns(options.rotation ?? 0);
    const roi = options.roi && checkRoi(options.roi);
    const source = isTensor(input) ? input : await toPixels(input);
    const { engine, input: spec } = await this.#healthy();
    // No await from here on.
    const times = [performance.now()];
    const lap = () => times.push(performance.now());
    try {
      if (isTensor(source)) engine.writeInput(0, source.tensor);
      else this.#readImage(engine, source);
      const { width, height } = isTensor(source) ? { width: 0, height: 0 } : engine.imageSize;
      lap();
      if (!isTensor(source)) engine.preprocess(spec, roi, turns);
      lap();
      engine.run(profile);
      lap();
      const result = read(engine, { roi: roi ?? { x: 0, y: 0, width, height }, turns });
      lap();
      const [decode, preprocess, network, postprocess] = times.slice(1).map((time, i) => time - times[i]);
      this.#lastRun = { width, height, ms: { decode, preprocess, network, postprocess } };
      return result;
    } finally {
      if (!engine.isBroken) engine.dropImage();
    }
  }

  /**
   * @param {Engine} engine
   * @param {Uint8Array | Required<import('./engine.js').PixelArray>} source
   */
  #readImage(engine, source) {
    if (source instanceof Uint8Array) engine.decodeImage(source, checkMaxPixels(this.#options.maxPixels));
    else engine.setPixels(source);
  }

  /**
   * @template T
   * @param {ImageInput} image
   * @param {ViewOptions & Thresholds} options
   * @param {(found: ReturnType<Engine['detect']>, size: {width: number, height: number}) => T} describe
   */
  async #detect(image, options, describe) {
    checkKeys('options', options, [...VIEW, ...THRESHOLDS]);
    const thresholds = checkThresholds({ ...this.#thresholds, ...pick(options) });
    if (isTensor(image)) throw failure('INVALID_INPUT', 'boxes are measured in an image; a tensor has none');
    const { roi: region, rotation } = options;
    return this.#run(image, { roi: region, rotation }, (engine, { roi, turns }) =>
      describe(engine.detect(thresholds, this.#open().mask, roi, turns), engine.imageSize),
    );
  }

  /** @param {number} labelId */
  #label(labelId) {
    return this.#open().labels[labelId] ?? { name: `class ${labelId}` };
  }
}

/** @param {Thresholds} options */
function pick(options) {
  return Object.fromEntries(
    THRESHOLDS.flatMap((key) => (options[key] === undefined ? [] : [[key, options[key]]])),
  );
}

/** @param {DetectorOptions} options */
function checkLoading({ threads = 1, deterministic = false, maxPixels, signal, onProgress }) {
  checkNumber('threads', threads, { min: 1, max: 64, integer: true });
  checkBoolean('deterministic', deterministic);
  checkMaxPixels(maxPixels);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw failure('INVALID_OPTION', 'signal must be an AbortSignal');
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw failure('INVALID_OPTION', 'onProgress must be a function');
}

/**
 * @param {Required<Thresholds>} thresholds
 */
function checkThresholds(thresholds) {
  checkNumber('scoreThreshold', thresholds.scoreThreshold, { min: 0, max: 1 });
  checkNumber('iouThreshold', thresholds.iouThreshold, { min: 0, max: 1 });
  checkNumber('maxResults', thresholds.maxResults, { min: 1, max: MAX_RESULTS, integer: true });
  checkNumber('maxPerClass', thresholds.maxPerClass, { min: 1, max: MAX_RESULTS, integer: true });
  checkBoolean('classAgnostic', thresholds.classAgnostic);
  return thresholds;
}

/** @param {unknown} degrees */
function quarterTurns(degrees) {
  if (degrees === 0 || degrees === 90 || degrees === 180 || degrees === 270) return degrees / 90;
  throw failure('INVALID_OPTION', 'rotation must be 0, 90, 180 or 270');
}

/** @param {Roi} roi */
function checkRoi(roi) {
  checkKeys('roi', roi, ['x', 'y', 'width', 'height']);
  for (const key of /** @type {const} */ (['x', 'y', 'width', 'height'])) {
    checkNumber(`roi.${key}`, roi[key], { min: 0, max: 2 ** 31 - 1, integer: true });
  }
  return roi;
}

/**
 * @param {ImageInput | {tensor: TensorData}} input
 * @returns {input is {tensor: TensorData}}
 */
function isTensor(input) {
  return typeof input === 'object' && input !== null && 'tensor' in input;
}

/**
 * An engine with the model in it, and what is known of the model.
 * @param {DetectorOptions} options
 */
async function prepare(options) {
  const { threads = 1, deterministic = false, signal, onProgress } = options;
  signal?.throwIfAborted();
  const { trustsRelaxed, defaultModel } = host();
  const variant = chooseVariant({ threads, deterministic, trustsRelaxed });
  const engine = await Engine.create({ variant, threads, deterministic });
  try {
    const source = await readSource(options.model ?? defaultModel, signal);
    const received = await engine.receiveModel(source, { signal, onProgress });
    const entry = options.model === undefined ? DEFAULT_ENTRY : await findManifestEntry(received);
    const metadata = engine.openModel();
    engine.buildModel();
    const labelSource =
      options.labels instanceof URL || typeof options.labels === 'string'
        ? await readText(options.labels, signal)
        : options.labels;
    const labels = resolveLabels(labelSource, metadata, entry);
    if (engine.inputs.length !== 1)
      throw failure('MODEL_IS_NOT_A_DETECTOR', `${engine.inputs.length} inputs`);
    const input = resolveInput(options.input, metadata, entry, engine.inputs[0]);
    const numClasses = configureHeads(engine, options.ssd, metadata, entry);
    const mask = options.classes
      ? selectClasses(checkClasses(options.classes), labels, numClasses)
      : undefined;
    return { engine, variant, labels, input, mask, limits: resolveLimits(metadata) };
  } catch (error) {
    engine.close();
    throw error;
  }
}

/**
 * @param {Engine} engine
 * @param {Partial<SsdSpec> | undefined} option
 * @param {import('./engine.js').Metadata} metadata
 * @param {import('./model_spec.js').ManifestEntry | undefined} entry
 * @returns {number} of classes, without background
 */
function configureHeads(engine, option, metadata, entry) {
  if (engine.hasPostprocess) return engine.numClasses;
  const ssd = resolveSsd(option, metadata, entry);
  const anchors = ssd.anchors
    ? flatten(ssd.anchors)
    : engine.generateAnchors(checkGenerator(ssd.anchorGenerator));
  const heads = findHeads(engine.outputs, anchors.length / 4);
  engine.useHeads(heads, anchors, ssd);
  return engine.numClasses;
}

/** @param {Float32Array | number[][]} anchors */
function flatten(anchors) {
  const flat =
    anchors instanceof Float32Array
      ? anchors
      : Float32Array.from(checkList('ssd.anchors', Array.isArray(anchors) ? anchors.flat() : anchors));
  if (flat.length === 0 || flat.length % 4 !== 0)
    throw failure('INVALID_OPTION', 'ssd.anchors must be [N, 4]');
  return flat;
}

/** @param {NonNullable<DetectorOptions['classes']>} classes */
function checkClasses(classes) {
  checkKeys('classes', classes, ['allow', 'deny']);
  for (const list of [classes.allow, classes.deny]) {
    if (list !== undefined && !Array.isArray(list)) throw failure('INVALID_OPTION', 'classes takes lists');
  }
  return classes;
}

/**
 * @param {string | URL} source
 * @param {AbortSignal} [signal]
 */
async function readText(source, signal) {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of (await host().open(source, signal)).chunks)
    text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}
