import { MAX_RESULTS } from '../../dist/layout.js';
import { DETECTION_COLUMNS } from '../engine/heads.js';
import { host } from '../engine/host.js';
import { failure } from '../shared/errors.js';
import { checkBoolean, checkChoice, checkKeys, checkNumber, checkSignal, pick } from '../shared/options.js';
import { toNumbers } from '../shared/numbers.js';
import { tagOf } from '../shared/platform.js';
import { describeClass } from './labels.js';
import { checkClasses } from './prepare_detector.js';
import { resolveReading } from './reading.js';
import { decode } from './image.js';
import { detach } from './input.js';
import { CallLimit, withLimit } from './limits.js';
import { describeNoVideo } from './refuse.js';
import { isTensor } from './session.js';
import { newestFrames } from './video.js';
import { change, forCall, LOADING, startSession, VIEW, VisionModel } from './vision_model.js';

/**
 * @typedef {import('./types.js').DetectOptions} DetectOptions
 * @typedef {import('./types.js').DetectorOptions} DetectorOptions
 * @typedef {import('./types.js').DetectorSettings} DetectorSettings
 * @typedef {import('./types.js').DetectResult} DetectResult
 * @typedef {import('./types.js').FloatImages} FloatImages
 * @typedef {import('./input.js').ImageInput} ImageInput
 * @typedef {import('./types.js').Input} Input
 * @typedef {import('./types.js').Session} Session
 * @typedef {import('./types.js').Thresholds} Thresholds
 * @typedef {import('./types.js').VideoOptions} VideoOptions
 * @typedef {import('./types.js').VideoResult} VideoResult
 * @typedef {import('./types.js').CountedVideoResult} CountedVideoResult
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
const LOOP = ['minChange', 'into', 'track'];
const TO_CREATE = {
  'pass it to create or setOptions': ['classes'],
  'pass it to create': OPTIONS.filter((name) => name !== 'classes'),
};
const TO_VIDEO = { 'pass it to video': LOOP };
const FEATURES = /** @type {const} */ (['image', 'boxes', 'both']);
export const THRESHOLD_RANGES = {
  scoreThreshold: { min: 0, max: 1 },
  iouThreshold: { min: 0, max: 1 },
  maxResults: { min: 1, max: MAX_RESULTS, integer: true },
  maxPerClass: { min: 1, max: MAX_RESULTS, integer: true },
};
/** A pixel has levels from 0 to 255. */
export const MIN_CHANGE = { min: 0, max: 255 };
/**
 * What holds unless an option says otherwise. (The default model's best F1 on our labelled photos is at 0.29.)
 * @type {Readonly<{scoreThreshold: number, iouThreshold: number, maxResults: number, maxPerClass: number, classAgnostic: boolean}>}
 */
export const DEFAULT_THRESHOLDS = {
  scoreThreshold: 0.3,
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
 * const { detections } = await detector.detect('photo.jpg');
 * for (const { label, score, box } of detections) …
 * detector.close();
 * ```
 */
export class ObjectDetector extends VisionModel {
  /** What the user set. @type {Thresholds} */
  #given = {};
  #thresholds;
  #published;

  /**
   * Use {@link ObjectDetector.create}.
   * @param {Session} session
   * @param {DetectorOptions} options
   * @param {Thresholds} given
   */
  constructor(session, options, given) {
    super(session, options, 'ObjectDetector');
    this.classes = options.classes;
    this.#given = given;
    ({ thresholds: this.#thresholds, published: this.#published } = this.#resolve(given));
  }

  /** @param {Thresholds} given */
  #resolve(given) {
    const { scoreThreshold, ownThreshold, ...limits } = this.facts.limits;
    const own = ownThreshold !== undefined && { scoreThreshold: ownThreshold };
    const thresholds = checkThresholds({ ...DEFAULT_THRESHOLDS, ...own, ...limits, ...given });
    const published = { ...thresholds, ...(scoreThreshold !== undefined && { scoreThreshold }), ...given };
    return { thresholds, published: checkThresholds(published) };
  }

  /**
   * Loads a model. Fetches only the files that the options name and the package's own.
   * @param {DetectorOptions} [options]
   */
  static async create(options = {}) {
    checkKeys('options', options, OPTIONS, { ...forCall('detect', ['features']), ...TO_VIDEO });
    if (options.layer !== undefined && typeof options.layer !== 'string')
      throw failure('INVALID_OPTION', 'layer must be a string');
    const given = pick(options, THRESHOLDS);
    checkThresholds({ ...DEFAULT_THRESHOLDS, ...given });
    const classes = options.classes === undefined ? undefined : checkClasses(options.classes);
    const session = await startSession({ ...options, classes, task: 'detect' });
    try {
      return new ObjectDetector(session, { ...options, classes }, given);
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
   * Changes options of a running detector. Calls made before this one use the old options, calls made after it the new
   * ones. A call that fails changes nothing. New `classes` load the model again.
   * @param {DetectorSettings} options `undefined` leaves an option as it is, `null` sets its default
   */
  async setOptions(options) {
    checkKeys('options', options, [...THRESHOLDS, 'classes'], {
      ...forCall('detect', ['features']),
      ...TO_CREATE,
    });
    const { classes, ...changes } = options;
    const selection = classes === undefined || classes === null ? classes : checkClasses(classes);
    const changed = (this.changing ?? Promise.resolve()).then(() => this.#change(changes, selection));
    const settled = changed
      .catch(() => {})
      .then(() => {
        if (this.changing === settled) this.changing = undefined;
      });
    this.changing = settled;
    return changed;
  }

  /**
   * @param {Omit<DetectorSettings, 'classes'>} changes
   * @param {DetectorSettings['classes']} selection
   */
  async #change(changes, selection) {
    const given = change(this.#given, changes);
    const resolved = this.#resolve(given);
    const classes = selection === undefined ? this.classes : (selection ?? undefined);
    const request = {
      kind: /** @type {const} */ ('facts'),
      inputs: [],
      turns: 0,
      exact: false,
      reading: resolveReading({}),
      classes,
    };
    // In a pool, every worker loads the model now, not when its turn comes.
    const [{ result }] = await this.session.runOnAll(request);
    this.facts = result;
    this.classes = classes;
    this.#given = given;
    ({ thresholds: this.#thresholds, published: this.#published } = resolved);
  }

  /**
   * Finds objects in an image.
   * @param {ImageInput | FloatImages} image a PNG, JPEG, BMP or GIF file as bytes, as a Response or another source of bytes, as a path
   *   (Node, Bun, Deno) or as a URL; or pixels. In a browser also a video, canvas, image element, ImageBitmap or
   *   VideoFrame, or a file in another format that the browser decodes
   * @param {DetectOptions} [options] thresholds given here apply to this call only
   * @returns {Promise<DetectResult>}
   */
  async detect(image, options = {}) {
    const { tiles, ...rest } = checkFeatures(options);
    return tiles ? this.#detectInTiles(image, tiles, rest) : this.#detectOnce(image, rest);
  }

  /**
   * @param {any} image
   * @param {Omit<DetectOptions, 'tiles'>} options
   * @param {Partial<import('./types.js').Request>} [more]
   * @param {() => Required<Thresholds>} [defaults]
   * @param {CallLimit} [limit] of the call that this one is a part of
   */
  async #detectOnce(image, { features, ...options }, more, defaults, limit) {
    return this.#describe(await this.#detect(image, options, { features, ...more }, defaults, limit));
  }

  /**
   * All tiles have the image and the options of the call.
   * @param {any} given
   * @param {NonNullable<DetectOptions['tiles']>} tiles
   * @param {Omit<DetectOptions, 'tiles'>} options
   */
  async #detectInTiles(given, tiles, { roi, ...options }) {
    const { loadTiles } = /** @type {import('../engine/host.js').Host & import('./types.js').TilesHost} */ (
      host()
    );
    const { inputSize } = this.session.facts;
    const image = detach(given);
    const [how, view] = [{ .../** @type {any} */ (tiles) }, { ...options, roi: roi && { ...roi } }];
    return withLimit(
      options,
      async (limit) => {
        if (this.changing) await this.changing;
        const { classes, instances } = this;
        const thresholds = this.#thresholds;
        const { detectInTiles } = await loadTiles();
        return detectInTiles({
          ...{ image, tiles, how, view, inputSize, instances, thresholds },
          read: () => decode(image, this.readingOf(options), this.assetsUrl, limit),
          detect: (image, view) => this.#detectOnce(image, view, { classes }, () => thresholds, limit),
        });
      },
      this.calls,
    );
  }

  /**
   * Like `detect`, but writes numbers and creates no object for each detection.
   * @param {ImageInput | FloatImages} image
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
   * @returns {Promise<import('./types.js').TensorsResult>}
   */
  async detectTensors(image, options = {}) {
    const answer = await this.#detect(image, options, {}, () => this.#published);
    const { detections: found, ...about } = this.#describe(answer);
    const { width, height } = about.size;
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
      ...about,
    };
  }

  /**
   * Detects objects in a playing video until `signal` or `close` ends the loop, or the loop is left. It always processes
   * the newest frame, skips the frames it missed, and pauses while the page is hidden.
   *
   * ```js
   * for await (const { detections, mediaTime, dropped } of detector.video(video)) …
   * ```
   * @overload
   * @param {import('./video.js').Video} video
   * @param {VideoOptions & {into: Float32Array}} options
   * @returns {AsyncGenerator<CountedVideoResult, void, void>}
   */
  /**
   * @overload
   * @param {import('./video.js').Video} video
   * @param {VideoOptions & {into?: undefined}} [options]
   * @returns {AsyncGenerator<VideoResult, void, void>}
   */
  /**
   * @overload
   * @param {import('./video.js').Video} video
   * @param {VideoOptions} options
   * @returns {AsyncGenerator<VideoResult | CountedVideoResult, void, void>}
   */
  /**
   * @param {import('./video.js').Video} video
   * @param {VideoOptions} [options]
   * @returns {AsyncGenerator<any, void, void>}
   */
  video(video, options = {}) {
    if (typeof options === 'function')
      throw failure(
        'INVALID_OPTION',
        'video takes no function; write for await (const result of detector.video(video)) …',
      );
    checkKeys('options', options, [...LOOP, ...VIEW, ...THRESHOLDS, 'features'], TO_CREATE);
    const { signal, minChange, into, track, ...detection } = options;
    if (this.isClosed) throw failure('CLOSED');
    if (into !== undefined) checkRows('into', into);
    if (String(tagOf(video)) !== 'HTMLVideoElement')
      throw failure('INVALID_INPUT', `video takes a <video> element; ${describeNoVideo(video)}`);
    checkSignal(signal);
    checkNumber('minChange', minChange ?? 0, MIN_CHANGE);
    checkFeatures(detection);
    if (into && track) throw failure('INVALID_OPTION', 'into has no column for track');
    const limit = new CallLimit();
    const forget = this.calls.add(limit);
    const ends = signal ? [limit.signal, signal] : [limit.signal];
    const results = this.#loop(video, { minChange, into, track, ...detection }, ends, forget);
    // Without this, `return` would wait for the next frame.
    const { return: leave } = results;
    results.return = (value) => {
      limit.end(undefined);
      forget();
      return leave.call(results, value);
    };
    return results;
  }

  /**
   * @param {HTMLVideoElement} video
   * @param {Omit<VideoOptions, 'signal'>} options
   * @param {AbortSignal[]} ends
   * @param {() => void} forget called when it has ended
   * @returns {AsyncGenerator<VideoResult | CountedVideoResult, void, void>}
   */
  async *#loop(video, { minChange, into, track, features, ...options }, ends, forget) {
    const isEnding = () => ends.some(({ aborted }) => aborted);
    /** @type {import('./types.js').Sample | undefined} */ let lastSample;
    try {
      const tracker = track && (await toTracker(track));
      for await (const frame of newestFrames(video, ends)) {
        if (isEnding()) return;
        const answer = await this.#detect(video, options, { features, minChange, lastSample });
        if (isEnding()) return;
        if (!answer.result) continue;
        lastSample = answer.sample;
        if (into) yield { count: fill(into, answer.result), ...frame, ...this.describe(answer.run) };
        else {
          const found = this.#describe(answer);
          if (tracker) found.detections = tracker.update(found.detections, { time: frame.mediaTime });
          yield { ...found, ...frame };
        }
      }
    } catch (error) {
      if (!isEnding()) throw error;
    } finally {
      forget();
    }
  }

  /**
   * Returns the network's raw outputs, for your own post-processing. With the `classes` option, the class head may have
   * columns for the chosen classes only.
   * @param {Input} input an image, or `{tensor}`: the values of the network's input
   * @param {ViewOptions} [options]
   * @returns {Promise<import('./types.js').HeadsResult>}
   */
  async heads(input, options = {}) {
    const { result, run } = await this.run('heads', [input], options);
    return { heads: result, ...this.describe(run) };
  }

  /**
   * @param {Input} image
   * @param {ViewOptions & Thresholds} options
   * @param {Partial<import('./types.js').Request>} [more]
   * @param {() => Required<Thresholds>} defaults
   * @param {CallLimit} [limit] of the call that this one is a part of
   */
  async #detect(image, options, more, defaults = () => this.#thresholds, limit) {
    checkKeys('options', options, [...VIEW, ...THRESHOLDS], TO_CREATE);
    const given = pick(options, THRESHOLDS);
    checkThresholds({ ...defaults(), ...given });
    if (isTensor(image))
      throw failure(
        'INVALID_INPUT',
        'detect takes an image, because boxes need its size; heads takes a tensor',
      );
    const complete = () => ({ thresholds: { ...defaults(), ...given }, ...more });
    return this.run('detect', [image], pick(options, VIEW), complete, limit);
  }

  /**
   * @param {import('./types.js').Answer} answer with `result`: rows of numbers
   * @returns {DetectResult}
   */
  #describe({ result: rows, features: { image, boxes } = {}, run }) {
    const count = rows.length / DETECTION_COLUMNS;
    const detections = Array.from({ length: count }, (_, i) => {
      const [x, y, width, height, score, labelId] = toNumbers(
        rows.subarray(i * DETECTION_COLUMNS, (i + 1) * DETECTION_COLUMNS),
      );
      const length = boxes ? boxes.length / count : 0;
      return {
        ...describeClass(this.facts.labels, labelId),
        score,
        box: { x, y, width, height },
        ...(boxes && { features: toNumbers(boxes.subarray(i * length, (i + 1) * length)) }),
      };
    });
    return { detections, ...(image && { features: toNumbers(image) }), ...this.describe(run) };
  }
}

/**
 * Copies as many detections as fit into `rows`.
 * @param {Float32Array} rows
 * @param {Float32Array} found
 * @returns {number} the number of detections copied
 */
function fill(rows, found) {
  const count = Math.min(found.length, rows.length - (rows.length % DETECTION_COLUMNS));
  try {
    rows.set(found.subarray(0, count));
  } catch (error) {
    throw failure('INVALID_INPUT', 'the memory of rows was transferred during the call', error);
  }
  return count / DETECTION_COLUMNS;
}

/**
 * @typedef {import('./types.js').Tracker} Tracker
 * @typedef {import('./types.js').TrackerOptions} TrackerOptions
 *
 * @param {true | TrackerOptions | Tracker} track
 * @returns {Promise<Tracker>}
 */
async function toTracker(track) {
  if ('update' in Object(track)) return /** @type {Tracker} */ (track);
  const { loadTracker } = /** @type {import('../engine/host.js').Host & import('./types.js').TrackHost} */ (
    host()
  );
  return new (await loadTracker()).Tracker(track === true ? {} : /** @type {TrackerOptions} */ (track));
}

/** @param {DetectOptions} options */
function checkFeatures(options) {
  if (typeof options === 'number')
    throw failure(
      'INVALID_OPTION',
      `options must be an object: write { maxResults: ${options}, scoreThreshold: 0.3 }`,
    );
  checkKeys('options', options, [...VIEW, ...THRESHOLDS, 'features', 'tiles'], { ...TO_CREATE, ...TO_VIDEO });
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
