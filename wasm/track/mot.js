// MOTChallenge's format for detections and tracks: one box a line, as
//   frame, id, x, y, width, height, score, -1, -1, -1
import { failure } from '../shared/errors.js';
import { parseDecimal } from '../shared/numbers.js';
import { ByteTrack } from './byte_track.js';
import { faultOf, MAX_TRACKED, toCandidate } from './tracker.js';

/**
 * @typedef {import('./byte_track.js').Settings} Settings
 *
 * @typedef {object} MotBox
 * @property {import('./tracker.js').Box} box
 * @property {number} score
 */

/** frame, id, x, y, width, height; a file without scores has no more. */
const MIN_FIELDS = 6;
/** A message need not show more of a damaged line. */
const MAX_SHOWN = 40;

/**
 * Reads a file of detections. Lines may come in any order of their frames; the ids are ignored; a missing score is 1.
 * @param {string} text separated by commas, semicolons, tabs or spaces
 * @returns {Map<number, MotBox[]>} by frame; boxes in the order of their lines
 */
export function parseMot(text) {
  /** @type {Map<number, MotBox[]>} */
  const frames = new Map();
  // No split: it would hold every line of a large file at once.
  for (let start = text.startsWith('\ufeff') ? 1 : 0, line = 1; start < text.length; line++) {
    const end = endOfLine(text, start);
    const row = text.slice(start, end < 0 ? text.length : end).trim();
    start = end < 0 ? text.length : end + 1;
    if (row !== '') addRow(frames, row, line);
  }
  return frames;
}

/**
 * Lines end with \n, \r\n (the \r is trimmed), or, in files without \n, \r.
 * @param {string} text
 * @param {number} start
 * @returns {number} -1: the line is the last one
 */
function endOfLine(text, start) {
  const end = text.indexOf('\n', start);
  return end < 0 ? text.indexOf('\r', start) : end;
}

/**
 * @param {Map<number, MotBox[]>} frames
 * @param {string} row
 * @param {number} line
 */
function addRow(frames, row, line) {
  const refuse = (/** @type {string} */ fault) => failure('INVALID_INPUT', `line ${line}: ${fault}`);
  const fields = row.split(/[,;]/).flatMap((part) => part.trim().split(/\s+/));
  while (fields.at(-1) === '') fields.pop();
  if (fields.length < MIN_FIELDS)
    throw refuse(`${fields.length} numbers; a detection is frame,-1,x,y,width,height,score`);
  const numbers = fields.map(parseDecimal);
  const odd = numbers.findIndex(Number.isNaN);
  if (odd >= 0) throw refuse(`'${fields[odd].slice(0, MAX_SHOWN)}' is not a number`);
  const [frame, , x, y, width, height, score = 1] = numbers;
  if (!Number.isSafeInteger(frame) || frame < 0)
    throw refuse(`the frame must be a whole number from 0, not ${fields[0].slice(0, MAX_SHOWN)}`);
  const detection = { box: { x, y, width, height }, score };
  const fault = faultOf(detection);
  if (fault) throw refuse(fault);
  const others = frames.get(frame) ?? [];
  if (others.length === MAX_TRACKED)
    throw refuse(`frame ${frame} has more than ${MAX_TRACKED} detections, the limit`);
  others.push(detection);
  frames.set(frame, others);
}

/**
 * Tracks the boxes of a file. Frames without a line have no detections.
 * @param {Map<number, MotBox[]>} frames
 * @param {Settings} settings
 * @returns {Generator<string>} lines, frame after frame
 */
export function* trackMot(frames, settings) {
  const core = new ByteTrack(settings);
  let last = 0;
  for (const frame of [...frames.keys()].sort((a, b) => a - b)) {
    // While no track is left, nothing happens in an empty frame.
    for (let empty = last + 1; empty < frame && core.tracks.length > 0; empty++) core.update([]);
    const boxes = /** @type {MotBox[]} */ (frames.get(frame));
    for (const { index, track } of core.update(boxes.map(toCandidate)))
      yield formatMot(frame, track.id, boxes[index]);
    last = frame;
  }
}

/**
 * @param {number} frame
 * @param {number} id
 * @param {MotBox} box
 */
export function formatMot(frame, id, { box: { x, y, width, height }, score }) {
  return [frame, id, x, y, width, height, score, -1, -1, -1].join(',');
}
