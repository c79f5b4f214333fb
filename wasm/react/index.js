// The entry `ocelli/react`: hooks that create a detector, run it on a video, and close what they created. React may run
// effects, end them and run them again (StrictMode): each run has a detector of its own, which its end closes.
import { useEffect, useRef, useState } from 'react';
import { loadLibrary } from '../element/library.js';

/**
 * @typedef {import('../vision/detector.js').ObjectDetector} ObjectDetector
 * @typedef {import('../vision/types.js').Detection} Detection
 * @typedef {import('../vision/types.js').DetectorOptions} DetectorOptions
 * @typedef {import('../vision/types.js').VideoOptions} VideoOptions
 * @typedef {import('../vision/types.js').VideoResult} VideoResult
 * @typedef {import('../vision/video.js').Video} Video
 *
 * @typedef {object} DetectorState
 * @property {ObjectDetector | null} detector null: it is loading, or could not be loaded
 * @property {Error | null} error
 *
 * @typedef {object} OwnDetector
 * @property {ObjectDetector | null | undefined} [detector] of `useDetector`; null: it is loading. Default: one of its own
 *
 * @typedef {Omit<VideoOptions, 'signal' | 'into'> & OwnDetector} DetectionsOptions
 *
 * @typedef {object} DetectionsState
 * @property {Detection[]} detections of the newest frame
 * @property {VideoResult | null} result
 * @property {Error | null} error
 */

const LOADING = { detector: null, error: null };
const NO_FRAME = { detections: [], result: null, error: null };

/**
 * What tells a value that is no plain object from another one. Signals and Trackers are alike: they do not say what is wanted.
 * @param {any} value
 */
function meaningOf(value) {
  if (value instanceof URL) return value.href;
  return value instanceof AbortSignal || value?.update ? value.constructor : value;
}

/**
 * Whether options mean the same: plain objects and lists are compared by what is in them.
 * @param {any} a
 * @param {any} b
 * @returns {boolean}
 */
function isSame(a, b) {
  if (Object.is(meaningOf(a), meaningOf(b))) return true;
  if (!isPlain(a) || !isPlain(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && isSame(a[key], b[key]));
}

/** @param {any} value */
const isPlain = (value) =>
  Array.isArray(value) ||
  (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype);

/**
 * The first of several values that mean the same, so that options written in place start nothing anew.
 * @template Value
 * @param {Value} value
 * @returns {Value}
 */
function useStable(value) {
  const first = useRef(value);
  const stable = isSame(first.current, value) ? first.current : value;
  useEffect(() => {
    first.current = stable;
  });
  return stable;
}

/**
 * Creates a detector in a worker, and closes it when the component leaves the page or the options change.
 * @param {DetectorOptions | null} [options] of `ObjectDetector.create`; null: none is needed now
 * @returns {DetectorState}
 */
export function useDetector(options = {}) {
  const { onProgress, ...rest } = options ?? {};
  const reporting = useRef(onProgress);
  useEffect(() => {
    reporting.current = onProgress;
  });
  const wanted = useStable(options && rest);
  const [state, setState] = useState(/** @type {DetectorState} */ (LOADING));
  useEffect(() => {
    if (!wanted) return undefined;
    const ending = new AbortController();
    const { signal } = ending;
    const create = async () => {
      const { ObjectDetector } = await loadLibrary();
      signal.throwIfAborted();
      const detector = await ObjectDetector.create({
        ...wanted,
        worker: wanted.worker ?? true,
        onProgress: (progress) => reporting.current?.(progress),
        signal: wanted.signal ? AbortSignal.any([signal, wanted.signal]) : signal,
      });
      signal.addEventListener('abort', () => detector.close());
      if (signal.aborted) detector.close();
      else setState({ detector, error: null });
    };
    create().catch((error) => signal.aborted || setState({ detector: null, error }));
    return () => {
      ending.abort();
      setState(LOADING);
    };
  }, [wanted]);
  return state;
}

/**
 * Detects in a video while the component is in the page.
 * @param {{readonly current: Video | null}} videoRef
 * @param {DetectionsOptions} [options] of `video`, and `detector`
 * @returns {DetectionsState}
 */
export function useDetections(videoRef, { detector: given, ...options } = {}) {
  const own = useDetector(given === undefined ? {} : null);
  const detector = given === undefined ? own.detector : given;
  const wanted = useStable(options);
  const [video, setVideo] = useState(/** @type {Video | null} */ (null));
  const [state, setState] = useState(/** @type {DetectionsState} */ (NO_FRAME));
  // The video may come, go or be replaced at any render.
  useEffect(() => setVideo(videoRef.current));
  useEffect(() => {
    if (!detector || !video) return undefined;
    const ending = new AbortController();
    const { signal } = ending;
    const watch = async () => {
      for await (const result of detector.video(video, { ...wanted, signal }))
        if (!signal.aborted) setState({ detections: result.detections, result, error: null });
    };
    // A detector that was closed ends the loop; the next one begins another.
    watch().catch((error) => signal.aborted || error.code === 'CLOSED' || setState({ ...NO_FRAME, error }));
    return () => {
      ending.abort();
      setState(NO_FRAME);
    };
  }, [detector, video, wanted]);
  return own.error ? { ...NO_FRAME, error: own.error } : state;
}
