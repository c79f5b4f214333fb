// Calls of one detector that overlap in time: each gets the answer to its own image.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ObjectDetector } from '../../../wasm/platform/node.js';

/** @param {number} seed of a pattern that the network answers differently to */
function frame(seed) {
  const data = new Uint8Array(64 * 64 * 3).map((_, i) => (i * seed * 31 + (i >> seed)) & 255);
  return { data, width: 64, height: 64 };
}

test('overlapping calls get their own answers', async () => {
  const detector = await ObjectDetector.create({ scoreThreshold: 0, maxResults: 5 });
  const frames = [1, 2, 3, 4, 5].map(frame);
  const find = async (/** @type {ReturnType<typeof frame>} */ image) => {
    const { ms, ...found } = await detector.detectTensors(image);
    return found;
  };
  const alone = [];
  for (const image of frames) alone.push(await find(image));
  const together = await Promise.all(frames.map(find));
  assert.deepEqual(together, alone);
  assert.notDeepEqual(alone[0], alone[1]);
  detector.close();
});
