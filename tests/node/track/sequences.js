// 50 random sequences of detections, and random matrices for the assignment. tests/data/make/track.py reads the same
// numbers from this program's output: `node tests/node/track/sequences.js` prints all of them as JSON.
//
// Sequences differ in how many objects there are, whether they move, whether coordinates are whole numbers (equally good
// associations are then common), whether scores lie on the thresholds, and whether frames are missing. Some boxes are
// there twice, some have no area.
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

export const SEQUENCES = 50;
export const MATRICES = 400;
const FRAMES = 90;
const SCORES = [0.7, 0.6, 0.5, 0.1, 0.9, 0.69999, 0.65];

/** @typedef {{frame: number, object: number, x: number, y: number, width: number, height: number, score: number}} Row */

/**
 * Mulberry32: numbers of [0, 1).
 * @param {number} seed
 */
export function makeRandom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * @param {number} number from 0
 * @returns {Row[]} by frame; `object` is the one that the box shows
 */
export function makeSequence(number) {
  const random = makeRandom(1000 + number);
  const between = (/** @type {number} */ low, /** @type {number} */ high) => low + (high - low) * random();
  const grid = [0, 1, 4][number % 3];
  const isStill = number % 5 === 0;
  const objects = Array.from({ length: 1 + Math.floor(random() * [4, 15, 50][(number % 4) % 3]) }, () => ({
    ...{ x: between(0, 600), y: between(0, 400), width: between(0, 80), height: between(0, 160) },
    ...{ dx: isStill ? 0 : between(-8, 8), dy: isStill ? 0 : between(-6, 6) },
  }));
  const noise = isStill ? 0 : 2;
  const jitter = () => between(-noise, noise);
  const round = (/** @type {number} */ value) =>
    grid > 0 ? Math.round(value / grid) * grid : Math.round(value * 1000) / 1000;
  /** @type {Row[]} */
  const rows = [];
  for (let frame = 1; frame <= FRAMES; frame++) {
    const isMissing = number % 7 === 0 && frame > 40 && frame < 40 + 6 * (number % 9);
    objects.forEach((each, object) => {
      each.x += each.dx;
      each.y += each.dy;
      if (isMissing || random() < 0.15) return;
      const row = {
        frame,
        object,
        x: round(each.x + jitter()),
        y: round(each.y + jitter()),
        width: Math.max(round(each.width + jitter()), 0),
        height: Math.max(round(each.height + jitter()), 0),
        score:
          number % 2 === 1 ? SCORES[Math.floor(random() * SCORES.length)] : Math.round(random() * 1e5) / 1e5,
      };
      rows.push(row);
      if (random() < 0.04) rows.push(row);
    });
  }
  return rows;
}

/**
 * @param {number} number from 0
 * @returns {{rows: number, columns: number, values: number[]}} of few different values, so that many assignments are
 *   equally good
 */
export function makeMatrix(number) {
  const random = makeRandom(number);
  const [rows, columns] = [1 + Math.floor(random() * 12), 1 + Math.floor(random() * 12)];
  const levels = 1 + (number % 6);
  const values = Array.from({ length: rows * columns }, () => Math.floor(random() * levels) / 4);
  return { rows, columns, values };
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const list = (/** @type {number} */ length, /** @type {(number: number) => unknown} */ make) =>
    Array.from({ length }, (_, number) => make(number));
  console.log(
    JSON.stringify({ sequences: list(SEQUENCES, makeSequence), matrices: list(MATRICES, makeMatrix) }),
  );
}
