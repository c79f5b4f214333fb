// The options of ByteTrack on the command line.
import { TRACK_DEFAULTS, TRACK_RANGES } from '../wasm/track/tracker.js';

export const tracking = /** @type {const} */ ({
  activation: {
    type: 'number',
    value: 'N',
    about: 'a track begins with a detection whose score is at least N',
    range: TRACK_RANGES.activationThreshold,
    default: TRACK_DEFAULTS.activationThreshold,
    library: 'activationThreshold',
  },
  high: {
    type: 'number',
    value: 'N',
    about:
      'detections with a score of at least N are associated with all tracks, the others with the tracks that are left',
    range: TRACK_RANGES.highThreshold,
    default: TRACK_DEFAULTS.highThreshold,
    library: 'highThreshold',
  },
  'min-iou': {
    type: 'number',
    value: 'N',
    about: 'a detection belongs to a track only if its box and the predicted one overlap by at least N',
    range: TRACK_RANGES.minIou,
    default: TRACK_DEFAULTS.minIou,
    library: 'minIou',
  },
  'min-frames': {
    type: 'number',
    value: 'N',
    about: 'a track is confirmed when it was found in N frames in a row',
    range: TRACK_RANGES.minFrames,
    default: TRACK_DEFAULTS.minFrames,
    library: 'minFrames',
  },
  lost: {
    type: 'number',
    value: 'N',
    about: 'a track ends when it was not found for more than N frames, at 30 frames a second',
    range: TRACK_RANGES.lostFrames,
    default: TRACK_DEFAULTS.lostFrames,
    library: 'lostFrames',
  },
  'frame-rate': {
    type: 'number',
    value: 'N',
    about: 'frames a second',
    range: TRACK_RANGES.frameRate,
    default: TRACK_DEFAULTS.frameRate,
    library: 'frameRate',
  },
});

const { 'frame-rate': _, ...others } = tracking;
/** The frames of a video are evenly spaced, and counted. */
export const trackingOfVideo = others;

/**
 * @param {Partial<import('./arguments.js').Values<typeof tracking>>} values
 * @returns {import('../wasm/track/tracker.js').TrackerOptions}
 */
export function toTrackerOptions(values) {
  const given = Object.entries(tracking).map(([name, { library }]) => [
    library,
    values[/** @type {keyof typeof tracking} */ (name)],
  ]);
  return Object.fromEntries(given);
}
