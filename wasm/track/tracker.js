// Detections of the frames of a video -> the same detections, with the number of the object that each one shows.
import { failure } from '../shared/errors.js';
import { checkBoolean, checkKeys, checkNumber } from '../shared/options.js';
import { ByteTrack, toUnit } from './byte_track.js';

/**
 * @typedef {import('./byte_track.js').Candidate} Candidate
 * @typedef {import('./byte_track.js').Settings} Settings
 * @typedef {import('./byte_track.js').Track} Track
 *
 * @typedef {object} TrackerOptions
 * @property {number} [activationThreshold] a new track begins with a detection of at least this score; default 0.7
 * @property {number} [highThreshold] detections of at least this score are associated with all tracks, the others with those
 *   that are left; default 0.6
 * @property {number} [minIou] a detection belongs to a track if its box and the predicted one overlap by at least this
 *   (intersection over union); 0 to 1, default 0.1
 * @property {number} [minFrames] a track gets its id when it was found in so many frames in a row; 1 to 1000, default 2
 * @property {number} [lostFrames] a track that was not found for longer ends, in frames at 30 frames a second; 0 to 10 000,
 *   default 30
 * @property {number} [frameRate] frames a second; 0.001 to 1000, default 30
 * @property {boolean} [perClass] a track has detections of one class only; default: the class may change
 * @property {number} [appearance] how much the features under the boxes count, beside the overlap; 0 to 1, default 0. The
 *   detections must have `features`
 *
 * @typedef {object} Box
 * @property {number} x
 * @property {number} y
 * @property {number} width
 * @property {number} height
 *
 * @typedef {object} Trackable
 * @property {Box} box in pixels
 * @property {number} [score] default 1
 * @property {number} [labelId]
 * @property {ArrayLike<number>} [features]
 *
 * @typedef {object} Tracked What a detection of a confirmed track gets. Others have none of it.
 * @property {number} trackId from 1
 * @property {number} age frames since the track's first detection
 * @property {{x: number, y: number}} velocity of the box's centre, in pixels a frame
 *
 * @typedef {object} TrackState a confirmed track, also one that this frame does not show
 * @property {number} trackId
 * @property {number} age
 * @property {{x: number, y: number}} velocity
 * @property {Box} box where the object should be
 * @property {number} lost frames since it was last found
 * @property {number} [labelId] of its last detection
 */

export const TRACK_RANGES = {
  activationThreshold: { min: -1e9, max: 1e9 },
  highThreshold: { min: -1e9, max: 1e9 },
  minIou: { min: 0, max: 1 },
  minFrames: { min: 1, max: 1000, integer: true },
  lostFrames: { min: 0, max: 10_000, integer: true },
  frameRate: { min: 0.001, max: 1000 },
  appearance: { min: 0, max: 1 },
};
/** @type {Settings} */
export const TRACK_DEFAULTS = {
  activationThreshold: 0.7,
  highThreshold: 0.6,
  minIou: 0.1,
  minFrames: 2,
  lostFrames: 30,
  frameRate: 30,
  perClass: false,
  appearance: 0,
};
/** The time of an association grows with the cube of this. */
export const MAX_TRACKED = 2000;
/** Areas of larger boxes would not be exact. */
const MAX_COORDINATE = 1e9;
const MAX_TIME_S = 1e12;

/**
 * Gives the objects in a video numbers that stay the same from frame to frame, by ByteTrack.
 *
 * ```js
 * const tracker = new Tracker();
 * const tracked = tracker.update(detections); // for each frame
 * for (const { trackId, label, box } of tracked) …
 * ```
 */
export class Tracker {
  #core;

  /** @param {TrackerOptions} [options] */
  constructor(options = {}) {
    this.#core = new ByteTrack(checkTracking(options));
  }

  /**
   * Takes the detections of the next frame.
   * @template {Trackable} T
   * @param {readonly T[]} detections
   * @param {{time?: number}} [frame] `time` in seconds, for frames that are not evenly spaced. A time before the last one
   *   begins anew: the video was rewound
   * @returns {(T & Partial<Tracked>)[]} copies, in the same order; those of confirmed tracks have `trackId`, `age` and
   *   `velocity`
   */
  update(detections, frame = {}) {
    const { time } = checkFrame(frame);
    const matches = this.#core.update(toCandidates(detections), time);
    const trackOf = new Map(matches.map(({ index, track }) => [index, track]));
    return detections.map((detection, index) => {
      const track = trackOf.get(index);
      return track ? { ...detection, ...describe(track) } : { ...detection };
    });
  }

  /** All confirmed tracks, also those that the last frame does not show. @returns {TrackState[]} */
  get tracks() {
    return this.#core.tracks
      .filter(({ id }) => id > 0)
      .map((track) => {
        const [x, y, right, bottom] = track.motion.position;
        const box = { x, y, width: right - x, height: bottom - y };
        return {
          ...describe(track),
          box,
          lost: track.framesLost,
          ...(track.labelId !== undefined && { labelId: track.labelId }),
        };
      });
  }

  /** Forgets all tracks, for another video. Their ids are not given again. */
  reset() {
    this.#core.forget();
  }
}

/**
 * @param {Track} track
 * @returns {Tracked}
 */
function describe({ id, age, motion: { velocity } }) {
  const [left, top, right, bottom] = velocity;
  return { trackId: id, age, velocity: { x: (left + right) / 2, y: (top + bottom) / 2 } };
}

/**
 * @param {TrackerOptions} options
 * @returns {Settings}
 */
export function checkTracking(options) {
  checkKeys('options', options, Object.keys(TRACK_DEFAULTS));
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  /** @type {Settings} */
  const settings = { ...TRACK_DEFAULTS, ...Object.fromEntries(given) };
  for (const key of /** @type {(keyof typeof TRACK_RANGES)[]} */ (Object.keys(TRACK_RANGES)))
    checkNumber(key, settings[key], TRACK_RANGES[key]);
  checkBoolean('perClass', settings.perClass);
  return settings;
}

/** @param {{time?: number}} frame */
function checkFrame(frame) {
  checkKeys('frame', frame, ['time']);
  if (frame.time !== undefined) checkNumber('time', frame.time, { min: -MAX_TIME_S, max: MAX_TIME_S });
  return frame;
}

/**
 * @param {readonly Trackable[]} detections
 * @returns {Candidate[]}
 */
function toCandidates(detections) {
  if (!Array.isArray(detections)) throw failure('INVALID_INPUT', 'detections must be a list');
  if (detections.length > MAX_TRACKED)
    throw failure('INVALID_INPUT', `${detections.length} detections in a frame; the limit is ${MAX_TRACKED}`);
  const candidates = detections.map((detection, index) => {
    const fault = faultOf(detection);
    if (fault) throw failure('INVALID_INPUT', `detections[${index}]: ${fault}`);
    return toCandidate(detection);
  });
  const [length, ...others] = new Set(candidates.flatMap(({ features }) => features?.length ?? []));
  if (others.length > 0)
    throw failure('INVALID_INPUT', `the detections have features of ${length} and of ${others[0]} numbers`);
  return candidates;
}

/** @param {Trackable} detection @returns {Candidate} */
export function toCandidate({ box: { x, y, width, height }, score = 1, labelId, features }) {
  return {
    corners: Float64Array.of(x, y, x + width, y + height),
    score,
    labelId,
    features: features && toUnit(Float64Array.from(features)),
  };
}

/**
 * What is wrong with a detection.
 * @param {any} detection
 * @returns {string | undefined}
 */
export function faultOf(detection) {
  const { box, score = 1, features } = detection ?? {};
  const fits = (/** @type {unknown} */ value, low = -MAX_COORDINATE) =>
    typeof value === 'number' && value >= low && value <= MAX_COORDINATE;
  if (!fits(box?.x) || !fits(box.y))
    return `x and y of the box must be numbers from -${MAX_COORDINATE} to ${MAX_COORDINATE}`;
  if (!fits(box.width, 0) || !fits(box.height, 0))
    return `width and height of the box must be numbers from 0 to ${MAX_COORDINATE}`;
  if (!Number.isFinite(score)) return 'the score must be a number';
  const isVector =
    features === undefined || (features?.length > 0 && Array.from(features).every(Number.isFinite));
  return isVector ? undefined : 'the features must be a list of numbers';
}
