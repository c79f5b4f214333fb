// detect with tiles: what single calls for each tile find, merged.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { decodeImage, ObjectDetector } from '../../../wasm/platform/node.js';
import { mergeDetections } from '../../../wasm/tiles/merge.js';
import { packagePhoto } from '../shared.js';

const PHOTO = packagePhoto('astronaut.png'); // 512 x 512
const ORIGINS = [0, 160, 212]; // of tiles of 300 pixels that overlap by 140
const GRID = { size: 300, overlap: 140 / 300 };

/**
 * Boxes of a tile are computed in the tile, and in float32.
 * @param {import('../../../wasm/vision/types.js').Detection[]} found
 * @param {import('../../../wasm/tiles/merge.js').Mergeable[]} expected
 */
function assertSame(found, expected) {
  assert.equal(found.length, expected.length);
  for (const [i, { box, ...rest }] of found.entries()) {
    const { box: other, ...others } = expected[i];
    assert.deepEqual(rest, others);
    for (const key of /** @type {const} */ (['x', 'y', 'width', 'height']))
      assert.ok(Math.abs(box[key] - other[key]) < 1e-3, `${key}: ${box[key]}, ${other[key]}`);
  }
}

/**
 * One call for each tile and one for the whole, merged.
 * @param {ObjectDetector} detector
 * @param {import('../../../wasm/vision/types.js').DetectOptions} options
 */
async function detectSingly(detector, options) {
  const pixels = await decodeImage(PHOTO, { background: 'ignore' });
  const tiles = ORIGINS.flatMap((y) => ORIGINS.map((x) => ({ x, y, width: 300, height: 300 })));
  const found = [];
  for (const roi of [...tiles, undefined]) found.push(await detector.detect(pixels, { ...options, roi }));
  const all = found.flatMap(({ detections }) => detections);
  const merged = mergeDetections(all, { merge: 'greedy', threshold: 0.5, classAgnostic: false });
  assert.ok(merged.length < all.length);
  return merged;
}

for (const where of [{}, { worker: true }, { pool: 2 }])
  describe(JSON.stringify(where), () => {
    /** @type {ObjectDetector} */ let detector;
    before(async () => {
      detector = await ObjectDetector.create({ deterministic: true, scoreThreshold: 0.3, ...where });
    });
    after(() => detector.close());

    test('is as one call for each tile and one for the whole, merged', async () => {
      /** @type {any[]} */
      const progress = [];
      const found = await detector.detect(PHOTO, {
        tiles: { ...GRID, onProgress: (each) => progress.push(each) },
      });
      const merged = await detectSingly(detector, {});
      assertSame(found.detections, merged);
      assert.ok(merged.length > 0);
      assert.equal(found.tiles, 9);
      assert.deepEqual(found.size, { width: 512, height: 512 });
      assert.deepEqual(
        progress,
        Array.from({ length: 9 }, (_, i) => ({ done: i + 1, total: 9 })),
      );
      const best = await detector.detect(PHOTO, { maxResults: 1, tiles: GRID });
      assert.equal(best.detections.length, 1);
    });

    test('of pixels with alpha and a stride, and of a picture that is turned', async () => {
      const { data } = await decodeImage(PHOTO, { background: 'ignore' });
      const found = await detector.detect({ data, width: 512, height: 512 }, { tiles: GRID });
      const stride = 4 * 512 + 5;
      const padded = new Uint8Array(512 * stride);
      for (let i = 0; i < 512 * 512; i++)
        padded.set(data.subarray(3 * i, 3 * i + 3), Math.floor(i / 512) * stride + 4 * (i % 512));
      const pixels = { data: padded, width: 512, height: 512, channels: /** @type {const} */ (4), stride };
      assert.deepEqual((await detector.detect(pixels, { tiles: GRID })).detections, found.detections);

      const turned = { rotation: /** @type {const} */ (90), scoreThreshold: 0.2 };
      const rotated = await detector.detect(PHOTO, { ...turned, tiles: GRID });
      assertSame(rotated.detections, await detectSingly(detector, turned));
    });

    test('in a region only', async () => {
      const roi = { x: 99.5, y: 50, width: 350.2, height: 200 };
      const found = await detector.detect(PHOTO, { roi, tiles: { size: 200 } });
      for (const { box } of found.detections)
        assert.ok(box.x >= 98 && box.x + box.width <= 451 && box.y >= 49 && box.y + box.height <= 251);
      assert.equal(found.tiles, 2); // from 99 to 299 and, moved back into the region, from 250 to 450
    });

    test('auto: twice the input, and none if the picture is not larger', async () => {
      const plain = await detector.detect(PHOTO);
      const { tiles, detections } = await detector.detect(PHOTO, { tiles: 'auto' });
      assert.equal(tiles, 0);
      assert.deepEqual(detections, plain.detections);
      assert.ok(!('tiles' in plain));
    });

    test('ends by the signal and after its time, and the detector works on', async () => {
      const controller = new AbortController();
      const onProgress = () => controller.abort();
      await assert.rejects(
        detector.detect(PHOTO, { signal: controller.signal, tiles: { ...GRID, onProgress } }),
        { name: 'AbortError' },
      );
      await assert.rejects(detector.detect(PHOTO, { timeoutMs: 100, tiles: { size: 64, overlap: 0.5 } }), {
        code: 'TIMEOUT',
      });
      assert.equal((await detector.detect(PHOTO, { tiles: GRID })).tiles, 9);
    });

    test('refuses what cannot be used', async () => {
      for (const tiles of /** @type {any[]} */ ([
        'yes',
        true,
        5,
        [],
        { size: 10 },
        { size: 1.5 },
        { size: '300' },
        { overlap: 1 },
        { overlap: -0.1 },
        { merge: 'nms' },
        { threshold: 2 },
        { onProgress: 1 },
        { no: 1 },
      ]))
        await assert.rejects(
          detector.detect(PHOTO, { tiles }),
          { code: 'INVALID_OPTION' },
          JSON.stringify(tiles),
        );
      await assert.rejects(
        detector.detect(PHOTO, { tiles: GRID, roi: { x: 600, y: 0, width: 9, height: 9 } }),
        {
          code: 'INVALID_ROI',
        },
      );
      await assert.rejects(detector.detect(new Uint8Array(9), { tiles: GRID }), {
        code: 'UNSUPPORTED_IMAGE_FORMAT',
      });
      await assert.rejects(detector.detect(/** @type {any} */ (null), { tiles: GRID }), {
        code: 'INVALID_INPUT',
      });
    });
  });

describe('the call is as it was made', () => {
  const GRID_OF_FOUR = { size: 300 };
  /** @type {ObjectDetector} */ let detector;
  before(async () => {
    detector = await ObjectDetector.create({ deterministic: true });
  });
  after(() => detector.close());

  test('whatever becomes of its image, region and options', async () => {
    const { data, width, height } = await decodeImage(PHOTO);
    const roi = () => ({ x: 0, y: 0, width: 512, height: 400 });
    for (const image of [
      () => ({ data: Buffer.from(data), width, height }),
      () => ({ data: Uint8Array.from(data), width, height }),
      () => Uint8Array.from(PHOTO),
    ]) {
      const options = () => ({ roi: roi(), tiles: { ...GRID_OF_FOUR } });
      const expected = await detector.detect(image(), options());
      assert.ok(expected.detections.length > 0);
      const [given, how] = [image(), options()];
      const call = detector.detect(given, how);
      ('data' in given ? given.data : given).fill(0);
      how.roi.width = 5;
      how.tiles.size = 512;
      const { detections, tiles } = await call;
      assert.deepEqual([detections, tiles], [expected.detections, expected.tiles]);
    }
  });

  test('with the settings of before setOptions, or those of after it', async () => {
    const labels = async (/** @type {Promise<{detections: {label: string}[]}>} */ call) =>
      (await call).detections.map(({ label }) => label);
    const expected = await labels(detector.detect(PHOTO, { tiles: GRID_OF_FOUR }));
    assert.ok(expected.includes('Person') && new Set(expected).size > 1);
    const before = labels(detector.detect(PHOTO, { tiles: GRID_OF_FOUR }));
    const changing = detector.setOptions({ classes: { allow: ['Person'] }, maxResults: 1 });
    const after = labels(detector.detect(PHOTO, { tiles: GRID_OF_FOUR }));
    assert.deepEqual(await Promise.all([before, after]), [expected, ['Person']]);
    await changing;
    await detector.setOptions({ classes: null, maxResults: null });
  });

  test('what is behind transparent pixels is as without tiles', async () => {
    const { data, info } = await sharp(PHOTO).ensureAlpha(0).raw().toBuffer({ resolveWithObject: true });
    for (let i = 3; i < data.length; i += 4) data[i] = 0;
    const clear = await sharp(data, { raw: info }).png().toBuffer();
    const plain = await ObjectDetector.create();
    for (const exact of [true, false]) {
      const alone = await plain.detect(clear, { exact });
      assert.equal(alone.detections.length > 0, exact);
      const one = await plain.detect(clear, { exact, tiles: { size: 512 } });
      assert.deepEqual(one.detections, alone.detections);
    }
    plain.close();
  });

  test('a file that is cut short is said to be', async () => {
    const tolerant = await ObjectDetector.create({ allowTruncated: true });
    const cut = PHOTO.subarray(0, PHOTO.length * 0.9);
    for (const [file, truncated] of /** @type {const} */ ([
      [cut, true],
      [PHOTO, undefined],
    ]))
      assert.equal((await tolerant.detect(file, { tiles: GRID_OF_FOUR })).truncated, truncated);
    tolerant.close();
  });
});

describe('the call ends while its image is read', () => {
  const stalled = () => {
    let cancels = 0;
    const stream = new ReadableStream({
      pull: () => new Promise(() => {}),
      cancel: () => void cancels++,
    });
    return { stream, cancels: () => cancels };
  };
  for (const where of [{}, { worker: true }])
    test(JSON.stringify(where), async () => {
      const detector = await ObjectDetector.create(where);
      const [late, aborted, closed] = [stalled(), stalled(), stalled()];
      const tiles = 'auto';
      await assert.rejects(detector.detect(late.stream, { tiles, timeoutMs: 30 }), { code: 'TIMEOUT' });
      const controller = new AbortController();
      const call = detector.detect(aborted.stream, { tiles, signal: controller.signal });
      await sleep(10);
      const reason = new Error('enough');
      controller.abort(reason);
      await assert.rejects(call, reason);
      const unread = new ReadableStream({ pull: () => assert.fail('read') }, { highWaterMark: 0 });
      await assert.rejects(detector.detect(unread, { tiles, signal: controller.signal }), reason);
      const open = detector.detect(closed.stream, { tiles });
      await sleep(10);
      detector.close();
      await assert.rejects(open, { code: 'CLOSED' });
      await assert.rejects(detector.detect(stalled().stream, { tiles }), { code: 'CLOSED' });
      await sleep(0);
      assert.deepEqual([late, aborted, closed].map(({ cancels }) => cancels()), [1, 1, 1]); // prettier-ignore
    });
});
