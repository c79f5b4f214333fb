/**
 * @typedef {import('./tracker.js').Trackable} Trackable
 * @typedef {import('./tracker.js').Tracked} Tracked
 * @typedef {import('./tracker.js').TrackerOptions} TrackerOptions
 * @typedef {import('./tracker.js').TrackState} TrackState
 */

export { OcelliError } from '../shared/errors.js';
export { TRACK_DEFAULTS, Tracker } from './tracker.js';
