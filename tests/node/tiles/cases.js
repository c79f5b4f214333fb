// 1 000 random sets of detections as tiles give them, and sizes of pictures. tests/data/make/tiles.py reads them:
// `node tests/node/tiles/cases.js` prints all of them as JSON.
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { makeRandom } from '../track/sequences.js';

export const CASES = 1000;
export const SLICES = 200;

/** @param {number} number from 0 */
export function makeCase(number) {
  const random = makeRandom(number);
  // Boxes on a grid, so that equal overlaps and equal scores are common.
  const grid = [0.25, 1, 8][number % 3];
  const round = (/** @type {number} */ value) => Math.round(value / grid) * grid;
  const objects = Array.from({ length: 1 + Math.floor(random() * 8) }, () => ({
    labelId: Math.floor(random() * 3),
    ...{ x: random() * 200, y: random() * 200, width: 8 + random() * 80, height: 8 + random() * 80 },
  }));
  const detections = Array.from({ length: Math.floor(random() * 40) }, () => {
    const { labelId, x, y, width, height } = objects[Math.floor(random() * objects.length)];
    const shift = () => (random() - 0.5) * 30;
    return {
      labelId: random() < 0.1 ? 3 : labelId,
      score: Math.round(random() * 64) / 64,
      box: {
        x: Math.max(0, round(x + shift())),
        y: Math.max(0, round(y + shift())),
        width: Math.max(grid, round(width + shift())),
        height: Math.max(grid, round(height + shift())),
      },
    };
  });
  return {
    detections,
    merge: /** @type {const} */ (['greedy', 'suppress'])[number % 2],
    threshold: [0.5, 0.25, 0.7][Math.floor(number / 2) % 3],
    classAgnostic: Math.floor(number / 6) % 2 === 1,
  };
}

/** @param {number} number from 0 */
export function makeSlicing(number) {
  const random = makeRandom(9000 + number);
  const between = (/** @type {number} */ low, /** @type {number} */ high) =>
    low + Math.floor(random() * (high - low));
  return {
    width: between(1, 900),
    height: between(1, 900),
    size: between(20, 400),
    overlap: between(0, 9) / 10,
  };
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const cases = Array.from({ length: CASES }, (_, number) => makeCase(number));
  const slicings = Array.from({ length: SLICES }, (_, number) => makeSlicing(number));
  console.log(JSON.stringify({ cases, slicings }));
}
