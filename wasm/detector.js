import { DETECTION_COLUMNS, MAX_RESULTS } from './engine.js';
import { failure, OcelliError } from './errors.js';
import { host } from './host.js';
import { checkMaxPixels } from './input.js';
import { notice } from './notice.js';
import { checkBoolean, checkKeys, checkNumber } from './options.js';
import { isTensor, LocalSession } from './session.js';
import { newestFrames } from './video.js';

/**
 * @typedef {import('./engine.js').InputSpec} InputSpec
 * @typedef {import('./engine.js').Roi} Roi
 * @typedef {import('./engine.js').TensorData} TensorData
 * @typedef {import('./input.js').ImageInput} ImageInput
 * @typedef {import('./labels.js').Label} Label
 * @typedef {import('./session.js').Session} Session
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
 * @property {boolean} [exact] read drawables (video, canvas, ImageBitmap …) at their own size and let the module scale
 *   them; default: as `deterministic`
 * @property {boolean} [worker] run in a worker, in browsers; more than one thread implies it on a page
 * @property {string | URL} [wasmUrl] a copy of the package's dist/, where a bundler does not carry it along
 * @property {number} [maxPixels] refuse images of more; default 16 777 216
 * @property {AbortSignal} [signal] cancels the loading
 * @property {(progress: {loaded: number, total?: number}) => void} [onProgress] bytes of the model, while it loads
 *
 * @typedef {object} ViewOptions
 * @property {Roi} [roi] look at this region only; pixels of the upright image
 * @property {0 | 90 | 180 | 270} [rotation] degrees by which the network sees it turned clockwise
 * @property {boolean} [exact] see DetectorOptions
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
 * @typedef {object} RunInfo What the last call did.
 * @property {number} width of the source image, upright, in pixels
 * @property {number} height
 * @property {{decode: number, preprocess: number, network: number, postprocess: number}} ms
 *
 * @typedef {RunInfo & import('./video.js').Frame} VideoRun
 *
 * @typedef {object} LoopOptions
 * @property {AbortSignal} [signal] ends the loop, which then resolves
 * @property {number} [minChange] leave out frames that differ from the last detected one by less, on average, in levels
 *   of 255; default 0: none
 * @property {Float32Array} [into] see {@link ObjectDetector.detectInto}
 *
 * @typedef {LoopOptions & ViewOptions & Thresholds} VideoOptions
 */

const THRESHOLDS = /** @type {const} */ ([
  'scoreThreshold',
  'iouThreshold',
  'maxResults',
  'maxPerClass',
  'classAgnostic',
]);
const VIEW = ['roi', 'rotation', 'exact'];
const LOADING = [
  'model',
  'labels',
  'classes',
  'input',
  'ssd',
  'threads',
  'deterministic',
  'exact',
  'worker',
  'wasmUrl',
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
  /** @type {Session | undefined} */ #session;
  #facts;
  #exact;
  #thresholds;
  #work = { runs: 0, seconds: 0 };
  /** @type {RunInfo} */ #lastRun = {
    width: 0,
    height: 0,
    ms: { decode: 0, preprocess: 0, network: 0, postprocess: 0 },
  };

  /**
   * Use {@link ObjectDetector.create}.
   * @param {Session} session
   * @param {Required<Thresholds>} thresholds
   * @param {boolean} exact
   */
  constructor(session, thresholds, exact) {
    this.#session = session;
    this.#facts = session.facts;
    this.#thresholds = thresholds;
    this.#exact = exact;
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
    options.signal?.throwIfAborted();
    const session = await startSession(options);
    const thresholds = checkThresholds({ ...DEFAULTS, ...session.facts.limits, ...given });
    return new ObjectDetector(session, thresholds, options.exact ?? options.deterministic ?? false);
  }

  /** Names and ids of the model's classes, by class number. */
  get labels() {
    return this.#open().facts.labels.map((label) => ({ ...label }));
  }

  /** Which WebAssembly variant runs, and with how many threads. */
  get variant() {
    return { ...this.#open().facts.variant };
  }

  /** @returns {RunInfo} */
  get lastRun() {
    return this.#lastRun;
  }

  /** Bytes of the module's memory, and of what is allocated in it; in a worker, as of the last call. */
  get memoryUse() {
    return this.#open().memoryUse;
  }

  /**
   * Objects in an image, best first.
   * @param {ImageInput} image bytes of a PNG, JPEG, BMP or GIF file, or pixels; in a browser, also what it can draw and
   *   files of other formats that it knows
   * @param {ViewOptions & Thresholds} [options] thresholds given here hold for this call
   * @returns {Promise<Detection[]>}
   */
  async detect(image, options = {}) {
    const { result } = await this.#detect(image, options);
    return this.#describe(result);
  }

  /**
   * The same as numbers, without an object for each detection: rows of x, y, width, height, score and class number.
   * @param {ImageInput} image
   * @param {Float32Array} rows filled with as many detections as it holds, six numbers each
   * @param {ViewOptions & Thresholds} [options]
   * @returns {Promise<number>} of detections
   */
  async detectInto(image, rows, options = {}) {
    const { result } = await this.#detect(image, options);
    return fill(rows, result);
  }

  /**
   * The same under the names, and with the conventions, of TensorFlow Hub's `openimages_v4` modules: boxes are
   * [ymin, xmin, ymax, xmax] in [0, 1] of the image, class labels count from 1.
   * @param {ImageInput} image
   * @param {ViewOptions & Thresholds} [options]
   */
  async detectTensors(image, options = {}) {
    const { result, run } = await this.#detect(image, options);
    const { width, height } = run;
    const found = this.#describe(result);
    return {
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
      detection_class_names: found.map(({ mid }) => mid ?? ''),
      detection_class_entities: found.map(({ label }) => label),
    };
  }

  /**
   * Detects in a video's frames, the newest whenever it is done with one, until the signal or `close` ends it. While the
   * page is hidden it rests.
   * @param {import('./video.js').Video} video
   * @param {(found: Detection[], frame: VideoRun) => unknown} callback awaited before the next frame is taken. With
   *   `into`, `found` is the number of detections
   * @param {VideoOptions} [options]
   * @returns {Promise<void>} rejects with what a detection or the callback threw
   */
  async detectVideo(video, callback, { signal, minChange, into, ...options } = {}) {
    if (String(video) !== '[object HTMLVideoElement]') throw failure('INVALID_INPUT', 'not a video');
    checkNumber('minChange', minChange ?? 0, { min: 0, max: 255 });
    for await (const frame of newestFrames(video, signal)) {
      if (!this.#session) return;
      const { result, run } = await this.#detect(video, options, minChange);
      if (signal?.aborted) return;
      if (!result) continue;
      const found = into ? fill(into, result) : this.#describe(result);
      await callback(/** @type {Detection[]} */ (found), { ...run, ...frame });
    }
  }

  /**
   * The network's raw outputs, for post-processing of one's own. Takes an image, or `{tensor}`: the input itself.
   * @param {ImageInput | {tensor: TensorData}} input
   * @param {ViewOptions} [options]
   * @returns {Promise<Head[]>}
   */
  async heads(input, options = {}) {
    return (await this.#run('heads', input, options)).result;
  }

  /**
   * Time and multiply-adds of each operator in one run.
   * @param {ImageInput | {tensor: TensorData}} input
   * @param {ViewOptions} [options]
   * @returns {Promise<RunInfo & {operators: import('./engine.js').OperatorInfo[]}>}
   */
  async profile(input, options = {}) {
    const { result, run } = await this.#run('profile', input, options);
    return { ...run, operators: result };
  }

  /**
   * Energy and emissions of all runs so far, each figure with whether it was measured or estimated, and from what.
   * @param {import('./energy/estimate.js').EnergyOptions} [options]
   */
  async report(options) {
    const multiplyAdds = this.#work.runs * this.#open().facts.multiplyAdds;
    const { estimateEnergy, loadMachine } = await import('./energy/estimate.js');
    const { describeMachine } = await loadMachine();
    return estimateEnergy({ seconds: this.#work.seconds, multiplyAdds }, await describeMachine(), options);
  }

  /** Frees the module's memory and sends its threads home. A closed detector can only be closed again. */
  close() {
    this.#session?.close();
    this.#session = undefined;
  }

  [Symbol.dispose]() {
    this.close();
  }

  #open() {
    if (!this.#session) throw failure('CLOSED');
    return this.#session;
  }

  /**
   * @param {import('./session.js').Request['kind']} kind
   * @param {ImageInput | {tensor: TensorData}} input
   * @param {ViewOptions} options
   * @param {Partial<import('./session.js').Request>} [more]
   */
  async #run(kind, input, options, more) {
    checkKeys('options', options, VIEW);
    const turns = quarterTurns(options.rotation ?? 0);
    const roi = options.roi && checkRoi(options.roi);
    const exact = options.exact ?? this.#exact;
    const answer = await this.#open().run({ kind, input, roi, turns, exact, ...more });
    this.#lastRun = answer.run;
    this.#work.runs++;
    this.#work.seconds += Object.values(answer.run.ms).reduce((sum, ms) => sum + ms / 1000, 0);
    return answer;
  }

  /**
   * @param {ImageInput} image
   * @param {ViewOptions & Thresholds} options
   * @param {number} [minChange]
   */
  async #detect(image, options, minChange) {
    checkKeys('options', options, [...VIEW, ...THRESHOLDS]);
    const thresholds = checkThresholds({ ...this.#thresholds, ...pick(options) });
    if (isTensor(image)) throw failure('INVALID_INPUT', 'boxes are measured in an image; a tensor has none');
    const { roi, rotation, exact } = options;
    return this.#run('detect', image, { roi, rotation, exact }, { thresholds, minChange });
  }

  /**
   * @param {Float32Array} rows
   * @returns {Detection[]}
   */
  #describe(rows) {
    return Array.from({ length: rows.length / DETECTION_COLUMNS }, (_, i) => {
      const [x, y, width, height, score, labelId] = rows.subarray(i * DETECTION_COLUMNS);
      const { name, mid } = this.#facts.labels[labelId] ?? { name: `class ${labelId}` };
      return { label: name, labelId, ...(mid && { mid }), score, box: { x, y, width, height } };
    });
  }
}

/**
 * Where the network runs: in this thread, or in a worker of ours.
 * @param {DetectorOptions} options
 * @returns {Promise<Session>}
 */
async function startSession(options) {
  const { threads: place, startWorker } = host();
  let { threads = 1 } = options;
  if (threads > 1 && place === 'none') {
    notice('threads need a page that is cross-origin isolated; one is used');
    threads = 1;
  }
  const isPool = threads > 1 && place === 'worker';
  if (options.worker || isPool) {
    try {
      if (!startWorker) throw failure('WORKER_UNAVAILABLE');
      return await startWorker({ ...options, threads });
    } catch (error) {
      if (!(error instanceof OcelliError && error.code === 'WORKER_UNAVAILABLE')) throw error;
      notice(`${error.message}; the network runs in this thread`);
      if (isPool) threads = 1;
    }
  }
  return LocalSession.create({ ...options, threads });
}

/**
 * @param {unknown} rows
 * @param {Float32Array} found
 */
function fill(rows, found) {
  if (!(rows instanceof Float32Array)) throw failure('INVALID_INPUT', 'rows must be a Float32Array');
  const count = Math.min(found.length, rows.length - (rows.length % DETECTION_COLUMNS));
  rows.set(found.subarray(0, count));
  return count / DETECTION_COLUMNS;
}

/** @param {Thresholds} options */
function pick(options) {
  return Object.fromEntries(
    THRESHOLDS.flatMap((key) => (options[key] === undefined ? [] : [[key, options[key]]])),
  );
}

/** @param {DetectorOptions} options */
function checkLoading({ threads = 1, deterministic = false, exact, worker, maxPixels, signal, onProgress }) {
  checkNumber('threads', threads, { min: 1, max: 64, integer: true });
  checkBoolean('deterministic', deterministic);
  if (exact !== undefined) checkBoolean('exact', exact);
  if (worker !== undefined) checkBoolean('worker', worker);
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
