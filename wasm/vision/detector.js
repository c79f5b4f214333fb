import { MAX_RESULTS } from '../../dist/layout.js';
import { DETECTION_COLUMNS } from '../engine/heads.js';
import { failure } from '../shared/errors.js';
import { checkBoolean, checkChoice, checkKeys, checkNumber } from '../shared/options.js';
import { tagOf } from './input.js';
import { checkSignal } from './limits.js';
import { isTensor } from './session.js';
import { LOADING, startSession, VIEW, VisionModel } from './vision_model.js';

/**
 * @typedef {import('./types.js').DetectOptions} DetectOptions
 * @typedef {import('./types.js').Detections} Detections
 * @typedef {import('./types.js').DetectorOptions} DetectorOptions
 * @typedef {import('./types.js').FloatImages} FloatImages
 * @typedef {import('./types.js').Head} Head
 * @typedef {import('./input.js').ImageInput} ImageInput
 * @typedef {import('./types.js').Input} Input
 * @typedef {import('./types.js').ModelOptions} ModelOptions
 * @typedef {import('./types.js').Session} Session
 * @typedef {import('./types.js').Thresholds} Thresholds
 * @typedef {import('./types.js').VideoOptions} VideoOptions
 * @typedef {import('./types.js').VideoRun} VideoRun
 * @typedef {import('./types.js').ViewOptions} ViewOptions
 */

const THRESHOLDS = /** @type {const} */ ([
  'scoreThreshold',
  'iouThreshold',
  'maxResults',
  'maxPerClass',
  'classAgnostic',
]);
const OPTIONS = [...LOADING, 'labels', 'classes', 'ssd', 'layer', ...THRESHOLDS];
const LOOP = ['minChange', 'into'];
const FEATURES = /** @type {const} */ (['image', 'boxes', 'both']);
export const THRESHOLD_RANGES = {
  scoreThreshold: { min: 0, max: 1 },
  iouThreshold: { min: 0, max: 1 },
  maxResults: { min: 1, max: MAX_RESULTS, integer: true },
  maxPerClass: { min: 1, max: MAX_RESULTS, integer: true },
};
/** A pixel has levels from 0 to 255. */
export const MIN_CHANGE = { min: 0, max: 255 };
export const DEFAULT_THRESHOLDS = {
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
export class ObjectDetector extends VisionModel {
  #thresholds;
  #published;
  /**
   * Ends the detectVideo loops. Created by the first one: edge workers allow no AbortController while they start.
   * @type {AbortController | undefined}
   */
  #closing;

  /**
   * Use {@link ObjectDetector.create}.
   * @param {Session} session
   * @param {ModelOptions} options
   * @param {Thresholds} given
   */
  constructor(session, options, given) {
    super(session, options);
    const { scoreThreshold, ...limits } = session.facts.limits;
    this.#thresholds = checkThresholds({ ...DEFAULT_THRESHOLDS, ...limits, ...given });
    this.#published = checkThresholds({ ...this.#thresholds, ...session.facts.limits, ...given });
  }

  /**
   * Loads a model. Fetches only the files that the options name and the package's own.
   * @param {DetectorOptions & Thresholds} [options]
   */
  static async create(options = {}) {
    checkKeys('options', options, OPTIONS);
    const given = pickThresholds(options);
    checkThresholds({ ...DEFAULT_THRESHOLDS, ...given });
    const session = await startSession({ ...options, task: 'detect' });
    try {
      return new ObjectDetector(session, options, given);
    } catch (error) {
      session.close();
      throw error;
    }
  }

  /** Names and ids of the model's classes, by class number. */
  get labels() {
    return this.session.facts.labels.map((label) => ({ ...label }));
  }

  /**
   * Finds objects in an image.
   * @param {ImageInput} image bytes of a PNG, JPEG, BMP or GIF file, or pixels. In a browser also a video, canvas,
   *   image element, ImageBitmap or VideoFrame, or a file in another format that the browser decodes
   * @param {DetectOptions} [options] thresholds given here apply to this call only
   * @returns {Promise<Detections>} best first
   */
  async detect(image, options = {}) {
    const { features, ...rest } = checkFeatures(options);
    const { result, features: pooled } = await this.#detect(image, rest, { features });
    return this.#describe(result, pooled);
  }

  /**
   * Like `detect`, but writes numbers and creates no object for each detection.
   * @param {ImageInput} image
   * @param {Float32Array} rows receives x, y, width, height, score and class number of each detection, as many as fit
   * @param {ViewOptions & Thresholds} [options]
   * @returns {Promise<number>} the number of detections written
   */
  async detectInto(image, rows, options = {}) {
    checkRows('rows', rows);
    const { result } = await this.#detect(image, options);
    return fill(rows, result);
  }

  /**
   * Like `detect`, but returns the tensors of TensorFlow Hub's `openimages_v4` modules: boxes are
   * [ymin, xmin, ymax, xmax] in [0, 1], class labels count from 1. If the file gives the module's published thresholds,
   * they are the defaults here; with them nearly every box is returned.
   * @param {ImageInput | FloatImages} image
   * @param {ViewOptions & Thresholds} [options]
   */
  async detectTensors(image, options = {}) {
    const { result, run } = await this.#detect(image, options, {}, this.#published);
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
   * Detects objects in a playing video until `signal` or `close` ends the loop. It always processes the newest frame,
   * skips the frames it missed, and pauses while the page is hidden.
   * @param {import('./video.js').Video} video
   * @param {(found: Detections, frame: VideoRun) => unknown} callback called for each processed frame and awaited
   *   before the next. With `into`, `found` is the number of detections
   * @param {VideoOptions} [options]
   * @returns {Promise<void>} rejects with the first error of a detection or of the callback
   */
  async detectVideo(video, callback, options = {}) {
    checkKeys('options', options, [...LOOP, ...VIEW, ...THRESHOLDS, 'features']);
    const { signal, minChange, into, ...detection } = options;
    if (typeof callback !== 'function')
      throw failure('INVALID_OPTION', 'detectVideo takes a function that is called for each frame');
    if (into !== undefined) checkRows('into', into);
    if (String(video) !== '[object HTMLVideoElement]')
      throw failure('INVALID_INPUT', 'detectVideo takes a <video> element');
    checkSignal(signal);
    checkNumber('minChange', minChange ?? 0, MIN_CHANGE);
    const { features, ...rest } = checkFeatures(detection);
    const { newestFrames } = await import('./video.js');
    if (this.isClosed) throw failure('CLOSED');
    const closing = (this.#closing ??= new AbortController()).signal;
    const ends = signal ? [closing, signal] : [closing];
    const isEnding = () => ends.some(({ aborted }) => aborted);
    for await (const frame of newestFrames(video, ends)) {
      const answer = await this.#detect(video, rest, { features, minChange }).catch((error) => {
        if (!isEnding()) throw error;
      });
      if (isEnding() || !answer) return;
      const { result, run, features: pooled } = answer;
      if (!result) continue;
      const found = into ? fill(into, result) : this.#describe(result, pooled);
      await callback(/** @type {Detections} */ (found), { ...run, ...frame });
    }
  }

  close() {
    super.close();
    this.#closing?.abort();
  }

  /**
   * Returns the network's raw outputs, for your own post-processing. With the `classes` option, the class head may have
   * columns for the chosen classes only.
   * @param {Input} input an image, or `{tensor}`: the values of the network's input
   * @param {ViewOptions} [options]
   * @returns {Promise<Head[]>}
   */
  async heads(input, options = {}) {
    return (await this.run('heads', [input], options)).result;
  }

  /**
   * @param {Input} image
   * @param {ViewOptions & Thresholds} options
   * @param {Partial<import('./types.js').Request>} [more]
   * @param {Required<Thresholds>} [defaults]
   */
  async #detect(image, options, more, defaults = this.#thresholds) {
    checkKeys('options', options, [...VIEW, ...THRESHOLDS]);
    const thresholds = checkThresholds({ ...defaults, ...pickThresholds(options) });
    if (isTensor(image))
      throw failure(
        'INVALID_INPUT',
        'detect takes an image, because boxes need its size; heads takes a tensor',
      );
    const { roi, rotation, exact, signal, timeoutMs } = options;
    const view = { roi, rotation, exact, signal, timeoutMs };
    return this.run('detect', [image], view, { thresholds, ...more });
  }

  /**
   * @param {Float32Array} rows
   * @param {import('./types.js').Answer['features']} [features]
   * @returns {Detections}
   */
  #describe(rows, { image, boxes } = {}) {
    const count = rows.length / DETECTION_COLUMNS;
    /** @type {Detections} */
    const found = Array.from({ length: count }, (_, i) => {
      const [x, y, width, height, score, labelId] = rows.subarray(i * DETECTION_COLUMNS);
      const { name, mid } = this.facts.labels[labelId] ?? { name: `class ${labelId}` };
      const length = boxes ? boxes.length / count : 0;
      return {
        label: name,
        labelId,
        ...(mid && { mid }),
        score,
        box: { x, y, width, height },
        ...(boxes && { features: boxes.slice(i * length, (i + 1) * length) }),
      };
    });
    if (image) found.features = image;
    return found;
  }
}

/**
 * Copies as many detections as fit into `rows`.
 * @param {unknown} rows
 * @param {Float32Array} found
 * @returns {number} the number of detections copied
 */
function fill(rows, found) {
  if (!(rows instanceof Float32Array)) throw failure('INVALID_INPUT', 'rows must be a Float32Array');
  const count = Math.min(found.length, rows.length - (rows.length % DETECTION_COLUMNS));
  rows.set(found.subarray(0, count));
  return count / DETECTION_COLUMNS;
}

/** @param {Thresholds} options */
function pickThresholds(options) {
  return Object.fromEntries(
    THRESHOLDS.flatMap((key) => (options[key] === undefined ? [] : [[key, options[key]]])),
  );
}

/** @param {DetectOptions} options */
function checkFeatures(options) {
  checkKeys('options', options, [...VIEW, ...THRESHOLDS, 'features']);
  if (options.features !== undefined) checkChoice('features', options.features, FEATURES);
  return options;
}

/** @param {string} name @param {unknown} rows */
function checkRows(name, rows) {
  if (tagOf(rows) !== 'Float32Array') throw failure('INVALID_OPTION', `${name} must be a Float32Array`);
}

/** @param {Required<Thresholds>} thresholds */
function checkThresholds(thresholds) {
  for (const key of /** @type {(keyof typeof THRESHOLD_RANGES)[]} */ (Object.keys(THRESHOLD_RANGES)))
    checkNumber(key, thresholds[key], THRESHOLD_RANGES[key]);
  checkBoolean('classAgnostic', thresholds.classAgnostic);
  return thresholds;
}
