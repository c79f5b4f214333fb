// Frames that hardly differ from the last detected one are skipped (minChange), and what a large image took is given back.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { encodePng } from '../../../wasm/draw/png.js';
import { ObjectDetector } from '../../../wasm/platform/node.js';

const detector = await ObjectDetector.create({ threads: 1 });
after(() => detector.close());

/**
 * @param {(x: number, y: number) => number[]} color of a pixel
 * @param {{width?: number, height?: number, stride?: number}} [size]
 */
function frame(color, { width = 8, height = 4, stride } = {}) {
  const channels = color(0, 0).length;
  const row = stride ?? width * channels;
  const data = new Uint8Array(row * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) data.set(color(x, y), y * row + x * channels);
  return { data, width, height, channels: /** @type {3 | 4} */ (channels), stride: row };
}

const grey = (/** @type {number} */ value) => frame(() => [value]);

/**
 * The sample of a frame that is detected in.
 * @param {ReturnType<typeof frame>} pixels
 * @param {number} minChange
 * @param {object} [lastSample]
 */
async function detect(pixels, minChange, lastSample) {
  const thresholds = {
    scoreThreshold: 0.5,
    iouThreshold: 0.5,
    maxResults: 1,
    maxPerClass: 1,
    classAgnostic: false,
  };
  // As video() does, which takes nothing but a <video> element.
  const { result, sample } = await /** @type {any} */ (detector).run('detect', [pixels], {}, () => ({
    thresholds,
    minChange,
    lastSample,
  }));
  return { isDetected: result !== undefined, sample };
}

/** @param {[ReturnType<typeof frame>, boolean][]} steps @param {number} minChange */
async function follow(steps, minChange) {
  let lastSample;
  for (const [i, [pixels, expected]] of steps.entries()) {
    const { isDetected, sample } = await detect(pixels, minChange, lastSample);
    assert.equal(isDetected, expected, `frame ${i}`);
    if (isDetected) lastSample = sample;
  }
}

describe('minChange', () => {
  test('compares with the last frame that was detected in, so that slow drift adds up', () =>
    follow(
      [
        [grey(100), true],
        [grey(104), false],
        [grey(104), false],
        [grey(106), true],
        [grey(110), false],
        [grey(102), false],
        [grey(100), true],
      ],
      5,
    ));

  test('of exactly the mean difference is enough', () =>
    follow(
      [
        [grey(50), true],
        [frame((x) => [x < 4 ? 50 : 59]), false],
        [frame((x) => [x < 4 ? 50 : 60]), true],
        [frame((x) => [x < 4 ? 60 : 50]), true],
      ],
      5,
    ));

  test('is of green, in any layout of the bytes', () =>
    follow(
      [
        [frame(() => [10, 20, 30]), true],
        [frame(() => [200, 24, 200]), false],
        [frame(() => [10, 24, 30, 255]), false],
        [frame(() => [10, 24, 30], { stride: 40 }), false],
        [frame(() => [10, 25, 30], { stride: 40 }), true],
      ],
      5,
    ));

  test('of another size is enough', () =>
    follow(
      [
        [grey(7), true],
        [frame(() => [7], { width: 4, height: 8 }), true], // as many pixels
        [frame(() => [7], { width: 4, height: 7 }), true],
        [frame(() => [7], { width: 5, height: 7 }), true],
        [frame(() => [7], { width: 5, height: 7 }), false],
      ],
      5,
    ));

  test('of large frames is that of pixels spread over all of them', () => {
    const size = { width: 1024, height: 512 };
    const half = (/** @type {number} */ value) => frame((x, y) => [y < 256 ? 9 : value], size);
    return follow(
      [
        [half(9), true],
        [half(18), false],
        [half(20), true],
      ],
      5,
    );
  });

  test('0 skips nothing', () =>
    follow(
      [
        [grey(1), true],
        [grey(1), true],
      ],
      0,
    ));
});

describe('after one large image, the memory is as before', () => {
  const small = frame(() => [1, 2, 3]);
  const large = frame((x, y) => [x & 255, y & 255, 0, 255], { width: 3000, height: 2000 });
  for (const [name, image, options] of /** @type {[string, any, object][]} */ ([
    ['pixels', large, {}],
    ['a file', encodePng(large), {}],
    ['a file, every pixel of it', encodePng(large), { exact: true }],
    ['pixels that are refused', large, { roi: { x: 5000, y: 0, width: 5, height: 5 } }],
    ['a file that is cut off', encodePng(large).subarray(0, 20_000), {}],
  ]))
    test(name, async () => {
      await detector.detect(small);
      const before = detector.memoryUse.liveBytes;
      await detector.detect(image, options).catch(() => {});
      // The room for pixels is kept for further frames of the same size.
      if (image === large) await detector.detect(small);
      assert.ok(
        detector.memoryUse.liveBytes <= before + 1000,
        `${detector.memoryUse.liveBytes - before} more`,
      );
    });
});
