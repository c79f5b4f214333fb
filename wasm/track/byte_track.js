// ByteTrack (Zhang et al., ECCV 2022): boxes of a frame -> which of them belong to which track.
//
// Boxes with a high score are associated with all tracks first, boxes with a low score with the tracks that are left:
// an object that is half hidden keeps its track. Details follow PyPI's `trackers` 2.6.1, with the same ids at its
// defaults: thresholds are compared after overlaps are rounded to float32, and equally good associations are resolved
// alike (assignment.js).
import { assign } from './assignment.js';
import { Motion } from './motion.js';

/**
 * @typedef {import('./motion.js').Step} Step
 *
 * @typedef {object} Settings
 * @property {number} activationThreshold
 * @property {number} highThreshold
 * @property {number} minIou
 * @property {number} minFrames
 * @property {number} lostFrames
 * @property {number} frameRate
 * @property {boolean} perClass
 * @property {number} appearance
 *
 * @typedef {object} Candidate a detection
 * @property {Float64Array} corners x1, y1, x2, y2
 * @property {number} score
 * @property {number} [labelId]
 * @property {Float64Array} [features] of length 1
 *
 * @typedef {object} Match
 * @property {number} index of the candidate
 * @property {Track} track
 *
 * @typedef {object} Timing
 * @property {Step} step
 * @property {number} [seconds] since the last frame, if the time is known
 */

/** Buffers are counted in frames at this rate. */
const BASE_RATE = 30;
/** Clocks of cameras and files are off by this. */
const CLOCK_TOLERANCE_S = 0.004;
/** How much of the old features a track keeps. */
const FEATURE_MEMORY = 0.9;

/** @type {Step} */
const ONE_FRAME = { frames: 1, isOne: true };

export class Track {
  /** 0: not confirmed yet */
  id = 0;
  /** Frames since the first detection. */
  age = 0;
  framesLost = 0;
  secondsLost = 0;
  /** Matches in a row. */
  matched = 1;

  /** @param {Candidate} candidate */
  constructor({ corners, labelId, features }) {
    this.motion = new Motion(corners);
    this.labelId = labelId;
    this.features = features;
  }

  /** @param {Timing} timing */
  predict({ step, seconds }) {
    this.motion.predict(step);
    if (this.framesLost > 0) this.matched = 0;
    this.framesLost++;
    this.secondsLost = seconds === undefined ? 0 : this.secondsLost + seconds;
    this.age++;
  }

  /** @param {Candidate} candidate */
  take({ corners, labelId, features }) {
    this.motion.correct(corners);
    this.framesLost = 0;
    this.secondsLost = 0;
    this.matched++;
    this.labelId = labelId;
    this.features = blend(this.features, features);
  }
}

export class ByteTrack {
  /** @type {Track[]} */
  tracks = [];
  #settings;
  #nextId = 1;
  /** @type {number | undefined} */
  #lastTime;

  /** @param {Settings} settings */
  constructor(settings) {
    this.#settings = settings;
  }

  /** Forgets all tracks. Their ids are not given again. */
  forget() {
    this.tracks = [];
  }

  /**
   * @param {Candidate[]} candidates of one frame
   * @param {number} [time] of the frame, in seconds; without it, frames are 1 / frameRate apart
   * @returns {Match[]} the candidates that belong to confirmed tracks
   */
  update(candidates, time) {
    const timing = this.#advance(time);
    if (timing.step.frames > 0) for (const track of this.tracks) track.predict(timing);
    // What was lost for too long must not be found again: with frames, the last one still counts.
    if (timing.seconds !== undefined)
      this.tracks = this.tracks.filter((track) => this.#isRecent(track, timing));

    const { highThreshold, activationThreshold } = this.#settings;
    const isHigh = (/** @type {number} */ index) => candidates[index].score >= highThreshold;
    const all = candidates.map((_, index) => index);
    const predicted = new Map(this.tracks.map((track) => [track, Float64Array.from(track.motion.position)]));
    const first = this.#associate(predicted, this.tracks, candidates, all.filter(isHigh), true);
    const low = all.filter((index) => !isHigh(index));
    const second = this.#associate(predicted, first.tracksLeft, candidates, low, false);
    for (const index of first.left)
      if (candidates[index].score >= activationThreshold) this.tracks.push(new Track(candidates[index]));
    this.tracks = this.tracks.filter((track) => this.#isAlive(track, timing));
    return [...first.matches, ...second.matches].filter(({ track }) => track.id > 0);
  }

  /**
   * @param {number | undefined} time
   * @returns {Timing}
   */
  #advance(time) {
    const last = this.#lastTime;
    if (time === undefined) {
      this.#lastTime = undefined;
      return { step: ONE_FRAME };
    }
    // The video was rewound, or begins again.
    if (last !== undefined && time < last) this.forget();
    const { frameRate } = this.#settings;
    const seconds = last === undefined || time < last ? 1 / frameRate : time - last;
    this.#lastTime = time;
    const frames = seconds * frameRate;
    return { step: { frames, isOne: Math.abs(frames - 1) <= CLOCK_TOLERANCE_S * frameRate }, seconds };
  }

  /**
   * @param {Map<Track, Float64Array>} predicted
   * @param {Track[]} tracks
   * @param {Candidate[]} candidates
   * @param {number[]} indices of the candidates to associate
   * @param {boolean} useFeatures
   */
  #associate(predicted, tracks, candidates, indices, useFeatures) {
    const minIou = Math.fround(this.#settings.minIou);
    const values = new Float64Array(tracks.length * indices.length);
    tracks.forEach((track, row) => {
      const corners = /** @type {Float64Array} */ (predicted.get(track));
      indices.forEach((index, column) => {
        const iou = this.#isOtherClass(track, candidates[index])
          ? 0
          : overlap(corners, candidates[index].corners);
        const isNear = useFeatures && iou >= minIou;
        values[row * indices.length + column] = isNear ? this.#likeness(iou, track, candidates[index]) : iou;
      });
    });
    /** @type {Match[]} */
    const matches = [];
    const tracksLeft = new Set(tracks);
    const left = new Set(indices);
    for (const [row, column] of assign({ values, rows: tracks.length, columns: indices.length })) {
      const [track, index] = [tracks[row], indices[column]];
      if (values[row * indices.length + column] < minIou || this.#isOtherClass(track, candidates[index]))
        continue;
      track.take(candidates[index]);
      if (track.id === 0 && track.matched >= this.#settings.minFrames) track.id = this.#nextId++;
      tracksLeft.delete(track);
      left.delete(index);
      matches.push({ index, track });
    }
    return { matches, tracksLeft: [...tracksLeft], left };
  }

  /**
   * @param {Track} track
   * @param {Candidate} candidate
   */
  #isOtherClass(track, candidate) {
    return this.#settings.perClass && track.labelId !== candidate.labelId;
  }

  /**
   * The overlap, and how alike the features are if both have some.
   * @param {number} iou
   * @param {Track} track
   * @param {Candidate} candidate
   */
  #likeness(iou, { features: a }, { features: b }) {
    const { appearance } = this.#settings;
    if (appearance === 0 || !a || a.length !== b?.length) return iou;
    const cosine = a.reduce((sum, value, i) => sum + value * b[i], 0);
    return (1 - appearance) * iou + appearance * Math.max(cosine, 0);
  }

  /**
   * @param {Track} track
   * @param {Timing} timing
   */
  #isRecent(track, { seconds }) {
    const { lostFrames, frameRate } = this.#settings;
    if (seconds !== undefined) return track.secondsLost <= lostFrames / BASE_RATE;
    return track.framesLost <= Math.ceil((frameRate / BASE_RATE) * lostFrames);
  }

  /**
   * @param {Track} track
   * @param {Timing} timing
   */
  #isAlive(track, timing) {
    const isMature = track.id > 0 || track.matched >= this.#settings.minFrames;
    return this.#isRecent(track, timing) && (isMature || track.framesLost === 0);
  }
}

/**
 * Intersection over union, rounded to float32.
 * @param {Float64Array} a corners
 * @param {Float64Array} b
 */
function overlap(a, b) {
  const width = Math.max(Math.min(a[2], b[2]) - Math.max(a[0], b[0]), 0);
  const height = Math.max(Math.min(a[3], b[3]) - Math.max(a[1], b[1]), 0);
  const shared = width * height;
  const areaA = (a[2] - a[0]) * (a[3] - a[1]);
  const areaB = (b[2] - b[0]) * (b[3] - b[1]);
  const union = areaA + areaB - shared;
  return union > 0 ? Math.fround(shared / union) : 0;
}

/**
 * @param {Float64Array | undefined} old
 * @param {Float64Array | undefined} seen
 */
function blend(old, seen) {
  if (!old || old.length !== seen?.length) return seen ?? old;
  const sum = old.map((value, i) => FEATURE_MEMORY * value + (1 - FEATURE_MEMORY) * seen[i]);
  return toUnit(sum);
}

/**
 * A vector of length 1 in the same direction.
 * @param {Float64Array} vector
 */
export function toUnit(vector) {
  const length = Math.hypot(...vector);
  return length > 0 ? vector.map((value) => value / length) : vector;
}
