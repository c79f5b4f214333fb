// <ocelli-detector>: three stages, each of which ends when its attributes change or the element leaves the page: the
// detector (model, classes), the picture or video (src, camera), and detecting in it (threshold, track).
import { loadLibrary } from './library.js';
import { openCamera, openUrl } from './media.js';
import { describeAll, describeOne, parseClasses } from './texts.js';
import { View } from './view.js';

/**
 * @typedef {import('./media.js').Media} Media
 * @typedef {import('../vision/detector.js').ObjectDetector} ObjectDetector
 * @typedef {import('../vision/types.js').Detection} Detection
 * @typedef {import('../vision/types.js').DetectorOptions} DetectorOptions
 * @typedef {import('../vision/types.js').DetectResult} DetectResult
 * @typedef {import('../vision/types.js').VideoResult} VideoResult
 * @typedef {'detector' | 'media' | 'run'} Stage
 */

/** @type {Record<string, Stage>} */
const STAGE_OF = {
  model: 'detector',
  classes: 'detector',
  src: 'media',
  camera: 'media',
  threshold: 'run',
  track: 'run',
};

/** For the package's detector, whose scores are lower than a Tracker's defaults expect. */
const TRACK = { activationThreshold: 0.5, highThreshold: 0.4 };

/** Importing the element on a server does nothing. */
const Base = /** @type {new () => import('./tag.js').Listener} */ (globalThis.HTMLElement ?? class {});

export class OcelliDetectorElement extends Base {
  static observedAttributes = [...Object.keys(STAGE_OF), 'alt'];

  /**
   * What the live text says about the detections: replace it to translate or to say less.
   * @type {(detections: readonly Detection[]) => string}
   */
  describe = describeAll;

  /** @type {View} */
  #view = new View(this.attachShadow({ mode: 'open' }), (key) => this.#onKey(key));
  /** @type {Partial<DetectorOptions>} */
  #options = {};
  /** @type {Partial<Record<Stage, AbortController>>} */
  #endings = {};
  /** @type {Promise<ObjectDetector | undefined>} */
  #detecting = Promise.resolve(undefined);
  /** @type {Promise<Media | undefined>} */
  #opening = Promise.resolve(undefined);
  /** @type {Stage[]} */
  #due = [];
  /** @type {ObjectDetector | undefined} */
  #detector;
  /** @type {DetectResult | VideoResult | undefined} */
  #result;
  /** The object that the arrow keys chose. @type {number | undefined} */
  #chosen;

  /** The detector, once `ready` was fired. The element closes it. */
  get detector() {
    return this.#detector;
  }

  /** What the last `detections` event said. */
  get result() {
    return this.#result;
  }

  /** The detections that are shown, best first. */
  get detections() {
    return this.#result?.detections ?? [];
  }

  /** Further options of `ObjectDetector.create`; they replace the detector. */
  get options() {
    return this.#options;
  }
  set options(options) {
    this.#options = options;
    this.#renew('detector');
  }

  connectedCallback() {
    this.#name();
    this.#takeOptions();
    // An element that was moved goes on, with what changed meanwhile.
    this.#renew(...(this.#endings.detector ? [] : Object.values(STAGE_OF)));
  }

  /** Options that were set before the element was defined hide the accessor. */
  #takeOptions() {
    if (!Object.hasOwn(this, 'options')) return;
    const { options } = this;
    Reflect.deleteProperty(this, 'options');
    this.options = options;
  }

  disconnectedCallback() {
    queueMicrotask(() => this.isConnected || this.#close());
  }

  /**
   * @param {string} name
   * @param {string | null} before
   * @param {string | null} now
   */
  attributeChangedCallback(name, before, now) {
    if (before === now) return;
    if (name === 'alt') this.#name();
    else this.#renew(STAGE_OF[name]);
  }

  #name() {
    this.#view.name(this.getAttribute('alt') ?? 'Object detection');
  }

  #close() {
    for (const ending of Object.values(this.#endings)) ending.abort();
    this.#endings = {};
    this.#detector = undefined;
    this.#result = undefined;
    this.#view.show(undefined);
  }

  /** Starts stages again, and what depends on them; several changes at once start it once. @param {Stage[]} stages */
  #renew(...stages) {
    this.#due.push(...stages);
    queueMicrotask(() => this.#start());
  }

  #start() {
    if (!this.isConnected || this.#due.length === 0) return;
    const due = this.#due.splice(0);
    if (due.includes('detector')) this.#detecting = this.#begin('detector', (signal) => this.#load(signal));
    if (due.includes('media')) this.#opening = this.#begin('media', (signal) => this.#open(signal));
    void this.#begin('run', (signal) => this.#run(signal));
  }

  /**
   * Ends the stage that is under way and begins it anew. Failures of what has ended do not matter.
   * @template Value
   * @param {Stage} stage
   * @param {(signal: AbortSignal) => Promise<Value>} work
   */
  async #begin(stage, work) {
    this.#endings[stage]?.abort();
    const ending = (this.#endings[stage] = new AbortController());
    try {
      const value = await work(ending.signal);
      return ending.signal.aborted ? undefined : value;
    } catch (error) {
      if (!ending.signal.aborted) this.#fail(error);
      return undefined;
    }
  }

  /** @param {unknown} error */
  #fail(error) {
    const { message } = /** @type {Error} */ (error);
    this.#view.say(message, { isError: true });
    this.dispatchEvent(new ErrorEvent('error', { error, message }));
  }

  /** @param {AbortSignal} signal */
  async #load(signal) {
    this.#detector = undefined;
    this.#view.say('Loading …', { isUrgent: true });
    const { ObjectDetector } = await loadLibrary();
    signal.throwIfAborted();
    const [model, classes] = [this.getAttribute('model'), this.getAttribute('classes')];
    const detector = await ObjectDetector.create({
      ...this.#options,
      worker: this.#options?.worker ?? true,
      ...(model !== null && { model }),
      ...(classes !== null && { classes: { allow: parseClasses(classes) } }),
      signal,
    });
    signal.addEventListener('abort', () => detector.close());
    if (signal.aborted) detector.close();
    signal.throwIfAborted();
    this.#detector = detector;
    this.#view.say('Ready', { isUrgent: true });
    this.dispatchEvent(new CustomEvent('ready', { detail: detector }));
    return detector;
  }

  /** @param {AbortSignal} signal */
  async #open(signal) {
    this.#result = undefined;
    this.#view.show(undefined);
    const [src, camera] = [this.getAttribute('src'), this.getAttribute('camera')];
    if (src === null && camera === null) return undefined;
    const media =
      camera === null ? await openUrl(/** @type {string} */ (src), signal) : await openCamera(camera, signal);
    signal.throwIfAborted();
    this.#view.show(media);
    return media;
  }

  /** @param {AbortSignal} signal */
  async #run(signal) {
    const [detector, media] = await Promise.all([this.#detecting, this.#opening]);
    if (!detector || !media || signal.aborted) return;
    const threshold = this.getAttribute('threshold');
    // '' is no number either, and the detector says so.
    const options = {
      signal,
      ...(threshold !== null && { scoreThreshold: threshold.trim() === '' ? NaN : Number(threshold) }),
    };
    const { shown, file } = media;
    if (file) {
      this.#show(await detector.detect(file, options), signal);
      return;
    }
    const video = /** @type {HTMLVideoElement} */ (shown);
    const track = this.hasAttribute('track') && TRACK;
    for await (const result of detector.video(video, { ...options, track })) this.#show(result, signal);
  }

  /**
   * @param {DetectResult | VideoResult} result
   * @param {AbortSignal} signal
   */
  #show(result, signal) {
    if (signal.aborted) return;
    this.#result = result;
    this.#chosen = undefined;
    this.#view.box(result.detections);
    this.#view.say(this.describe(result.detections), { isUrgent: !('mediaTime' in result) });
    this.dispatchEvent(new CustomEvent('detections', { detail: result }));
  }

  /** @param {string} key @returns {boolean} whether it did something */
  #onKey(key) {
    if (key === ' ') return this.#view.togglePlay();
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (key === 'Escape' && this.#chosen !== undefined) this.#choose(undefined);
    else if (step && this.#view.isStill && this.detections.length > 0) this.#choose(this.#next(step));
    else return false;
    return true;
  }

  /** @param {number} step 1 or -1 */
  #next(step) {
    const count = this.detections.length;
    if (this.#chosen === undefined) return step === 1 ? 0 : count - 1;
    return (this.#chosen + step + count) % count;
  }

  /** Draws and names one object, or all. @param {number | undefined} index */
  #choose(index) {
    const { detections } = this;
    this.#chosen = index;
    this.#view.box(index === undefined ? detections : [detections[index]]);
    const text = index === undefined ? this.describe(detections) : describeOne(detections, index);
    this.#view.say(text, { isUrgent: true });
  }
}
