// Tiles with a detector of the test: which parts of a picture it is asked for, and what becomes of its boxes.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cutTile, moveBoxes } from '../../../wasm/tiles/cut.js';
import { detectInTiles } from '../../../wasm/tiles/index.js';
import { mergeDetections } from '../../../wasm/tiles/merge.js';
import { sliceTiles } from '../../../wasm/tiles/slices.js';

const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);
/** @param {number} labelId @param {number} score @param {number[]} box */
const found = (labelId, score, [x, y, width, height]) => ({ labelId, score, box: { x, y, width, height } });

describe('a part of a picture', () => {
  // 3 x 2 pixels, each with its number in every channel.
  const pixels = (/** @type {number} */ channels, stride = 3 * channels) => {
    const data = new Uint8Array(2 * stride).fill(99);
    for (let i = 0; i < 6; i++)
      data.fill(
        i,
        Math.floor(i / 3) * stride + (i % 3) * channels,
        Math.floor(i / 3) * stride + ((i % 3) + 1) * channels,
      );
    return { data, width: 3, height: 2 };
  };
  const tile = { x: 1, y: 1, width: 2, height: 1 };
  for (const channels of [1, 3, 4])
    test(`of ${channels} channels`, () => {
      const expected = {
        data: Uint8Array.from([4, 5].flatMap((value) => Array(channels).fill(value))),
        width: 2,
        height: 1,
      };
      assert.deepEqual(cutTile(pixels(channels), tile), expected);
      assert.deepEqual(cutTile(any({ ...pixels(channels, 20), channels, stride: 20 }), tile), expected);
      assert.deepEqual(
        cutTile(any({ ...pixels(channels), data: Uint8ClampedArray.from(pixels(channels).data) }), tile),
        expected,
      );
    });
  test('of several rows', () =>
    assert.deepEqual([...any(cutTile(pixels(1), { x: 0, y: 0, width: 2, height: 2 })).data], [0, 1, 3, 4]));
  test('of what has no bytes is none', () =>
    assert.equal(cutTile(any({ data: new Float32Array(3) }), tile), undefined));
  test('has boxes of its own', () => {
    const given = any({ size: 1, detections: [found(1, 0.5, [1, 2, 3, 4])] });
    assert.deepEqual(moveBoxes(given, any({ x: 10, y: 20 })), {
      size: 1,
      detections: [found(1, 0.5, [11, 22, 3, 4])],
    });
    assert.equal(given.detections[0].box.x, 1);
  });
});

describe('tiles', () => {
  /** @type {[width: number, height: number, size: number, overlap: number, x: number[], y: number[]][]} */
  const cases = [
    [100, 100, 100, 0, [0], [0]],
    [101, 100, 100, 0, [0, 1], [0]],
    [100, 101, 100, 0, [0], [0, 1]],
    [200, 50, 100, 0, [0, 100], [0]],
    [180, 100, 100, 0.2, [0, 80], [0]],
    [181, 100, 100, 0.2, [0, 80, 81], [0]],
    [260, 1, 100, 0.2, [0, 80, 160], [0]],
  ];
  for (const [width, height, size, overlap, xs, ys] of cases)
    test(`of ${size} in ${width} x ${height}, ${overlap} shared`, () =>
      assert.deepEqual(
        sliceTiles({ width, height }, size, overlap),
        ys.flatMap((y) =>
          xs.map((x) => ({ x, y, width: Math.min(size, width), height: Math.min(size, height) })),
        ),
      ));
});

describe('detection in tiles', () => {
  const MS = { decode: 1, network: 2 };
  const LIMITS = { maxResults: 100, maxPerClass: 100, classAgnostic: false };
  const pixels = { data: new Uint8Array(200 * 100 * 3), width: 200, height: 100 };
  /**
   * @param {any} tiles
   * @param {{options?: any, limits?: object, detections?: any[], instances?: number, data?: any, inputSide?: number}} [how]
   */
  const run = async (
    tiles,
    { options = {}, limits = {}, detections = [], instances = 1, data = pixels, inputSide = 50 } = {},
  ) => {
    /** @type {any[]} */
    const asked = [];
    let [running, most] = [0, 0];
    const detect = async (/** @type {any} */ image, /** @type {any} */ view) => {
      asked.push({ image, view });
      most = Math.max(most, ++running);
      await undefined;
      running--;
      const { width, height } = image;
      return { size: { width, height }, ms: { ...MS }, detections };
    };
    const answer = await detectInTiles({
      ...{ image: data, read: async () => assert.fail(), detect, instances },
      ...{ tiles, how: { ...tiles }, view: options },
      ...{ inputSize: { width: inputSide }, thresholds: { ...LIMITS, ...limits } },
    });
    return { answer, asked, most };
  };
  const sizes = (/** @type {any[]} */ asked) =>
    asked.map(({ image: { width, height } }) => `${width}x${height}`);

  test('asks for the whole and for each tile, twice as large as the input', async () => {
    const { answer, asked, most } = await run('auto');
    assert.deepEqual(sizes(asked), ['200x100', '100x100', '100x100', '100x100']);
    assert.equal(asked[0].image, pixels);
    assert.deepEqual(
      [answer.tiles, answer.ms, answer.size, most],
      [3, { decode: 4, network: 8 }, { width: 200, height: 100 }, 1],
    );
    assert.equal((await run({ size: 'auto', overlap: 0 })).answer.tiles, 2);
  });
  test('asks for the whole only, if that is one tile', async () => {
    for (const tiles of [{ size: 200 }, { size: 1000 }]) {
      const { answer, asked } = await run(tiles);
      assert.deepEqual([asked.length, answer.tiles, answer.ms], [1, 0, MS]);
    }
    assert.equal((await run({ size: 199 })).answer.tiles, 2);
  });
  test('some at the same time', async () => {
    assert.equal((await run({ size: 32, overlap: 0 }, { instances: 3 })).most, 3);
    const progress = any([]);
    await run({ size: 100, overlap: 0, onProgress: (/** @type {any} */ each) => progress.push(each) });
    assert.deepEqual(progress, [{ done: 1, total: 2 }, { done: 2, total: 2 }]); // prettier-ignore
  });
  test('of turned pictures by regions of the whole, with what is asked of each', async () => {
    const { asked } = await run(
      { size: 100, overlap: 0 },
      { options: { rotation: 180, features: 'both', scoreThreshold: 0.7 } },
    );
    assert.deepEqual(asked.map(({ image, view }) => [image === pixels, view.roi, view.features, view.rotation, view.scoreThreshold]), [
      [true, undefined, 'both', 180, 0.7],
      [true, { x: 0, y: 0, width: 100, height: 100 }, 'boxes', 180, 0.7],
      [true, { x: 100, y: 0, width: 100, height: 100 }, 'boxes', 180, 0.7],
    ]); // prettier-ignore
    for (const [features, expected] of [
      ['image', undefined],
      ['boxes', 'boxes'],
      [undefined, undefined],
    ])
      // prettier-ignore
      assert.equal((await run({ size: 100 }, { options: { features } })).asked[1].view.features, expected);
  });
  /** @type {[roi: number[], tiles: number[][]][]} */
  const regions = [
    [[20.5, 10.5, 99, 60], [[20, 10], [40, 10]]],
    [[-5, -5, 90, 90], [[0, 0], [5, 0], [0, 5], [5, 5]]],
    [[150, 50, 500, 500], []],
  ]; // prettier-ignore
  for (const [[x, y, width, height], tiles] of regions)
    test(`in the region ${x}, ${y}, ${width} x ${height}`, async () => {
      const { answer, asked } = await run(
        { size: 80, overlap: 0.5 },
        { options: { rotation: 180, roi: { x, y, width, height } } },
      );
      const places = asked.slice(1).map(({ view: { roi } }) => [roi.x, roi.y]);
      assert.equal(answer.tiles, places.length);
      if (tiles.length === 0) return assert.deepEqual(places, []);
      assert.deepEqual(places[0], tiles[0]);
      assert.deepEqual(asked[0].view.roi, { x, y, width, height });
      const last = asked.at(-1).view.roi;
      assert.equal(last.x + last.width, Math.min(Math.ceil(x + width), 200));
      assert.equal(last.y + last.height, Math.min(Math.ceil(y + height), 100));
    });
  test('gives boxes in the picture, merged and limited', async () => {
    const detections = [found(0, 0.9, [0, 0, 10, 10]), found(1, 0.8, [20, 20, 10, 10])];
    const places = async (/** @type {object} */ how, /** @type {object} */ tiles = {}) =>
      (await run({ size: 100, overlap: 0, ...tiles }, { detections, ...how })).answer.detections.map(
        (/** @type {any} */ { labelId, box }) => [labelId, box.x],
      );
    assert.deepEqual(await places({}), [[0, 0], [0, 100], [1, 20], [1, 120]]); // prettier-ignore
    assert.deepEqual(await places({ limits: { maxResults: 3 } }), [[0, 0], [0, 100], [1, 20]]); // prettier-ignore
    assert.deepEqual(await places({ limits: { maxPerClass: 1 } }), [[0, 0], [1, 20]]); // prettier-ignore
    assert.deepEqual(await places({ limits: { maxPerClass: 1, maxResults: 1 } }), [[0, 0]]);
    const [limits, options] = [{ maxResults: 1 }, { maxResults: 3 }];
    assert.equal((await places({ limits, options })).length, 3);
    assert.equal((await places({ limits, options: { maxResults: undefined } })).length, 1);
  });
  test('has a limit of tiles', async () => {
    const picture = (/** @type {number} */ width, /** @type {number} */ height) => ({
      data: new Float32Array(1),
      width,
      height,
    });
    assert.equal((await run({ size: 32, overlap: 0 }, { data: picture(3200, 3200) })).answer.tiles, 10_000);
    await assert.rejects(run({ size: 32, overlap: 0 }, { data: picture(3201, 3200) }), {
      code: 'INVALID_OPTION',
      message: /10100 tiles of 32 pixels; the limit is 10000/,
    });
    await assert.rejects(run({ size: 32, overlap: 0.5 }, { data: picture(3200, 3200) }), {
      message: /40000 tiles/,
    });
  });
  test('ends at the first error', async () => {
    let count = 0;
    const detect = async (/** @type {any} */ { width, height }) => {
      if (++count === 3) throw new Error('no');
      return { size: { width, height }, ms: MS, detections: [] };
    };
    const failing = detectInTiles({
      ...{ image: pixels, read: async () => assert.fail(), detect, instances: 1 },
      ...{ tiles: { size: 32 }, how: { size: 32 }, view: {} },
      ...{ inputSize: { width: 50 }, thresholds: LIMITS },
    });
    await assert.rejects(failing, /no/);
    assert.equal(count, 3);
  });
  /** @type {[any, boolean][]} */
  const options = [
    ...[
      { size: 32 },
      { size: 100_000 },
      { overlap: 0 },
      { overlap: 0.9 },
      { threshold: 0 },
      { threshold: 1 },
    ].map((each) => /** @type {[any, boolean]} */ ([each, true])),
    ...[
      { size: 31 },
      { size: 100_001 },
      { size: 33.5 },
      { overlap: 0.91 },
      { overlap: -0.01 },
      { threshold: 1.01 },
    ].map((each) => /** @type {[any, boolean]} */ ([each, false])),
    ...[{ threshold: -0.01 }, { merge: 'nms' }, { onProgress: 1 }, { other: 1 }].map(
      (each) => /** @type {[any, boolean]} */ ([each, false]),
    ),
  ];
  for (const [tiles, isTaken] of options)
    test(`${isTaken ? 'takes' : 'refuses'} ${JSON.stringify(tiles)}`, async () => {
      const data = { ...pixels, width: 20, height: 10, data: new Uint8Array(600) };
      if (isTaken) await run(tiles, { data });
      else await assert.rejects(run(tiles, { data }), { code: 'INVALID_OPTION' });
    });
});

describe('merging', () => {
  /** @param {any[]} detections @param {object} [how] */
  const merge = (detections, how = {}) =>
    mergeDetections(detections, { merge: 'greedy', threshold: 0.5, classAgnostic: false, ...how }).map(
      ({ labelId, score, box: { x, y, width, height } }) => [labelId, score, x, y, width, height],
    );
  const big = found(0, 0.9, [0, 0, 10, 10]);
  test('joins a box with a better one that shares enough of the smaller', () => {
    assert.deepEqual(merge([big, found(0, 0.8, [4, 0, 10, 10])]), [[0, 0.9, 0, 0, 14, 10]]);
    assert.deepEqual(merge([big, found(0, 0.8, [6, 0, 10, 10])]).length, 2);
    assert.deepEqual(merge([big, found(0, 0.8, [2, 3, 4, 5])]), [[0, 0.9, 0, 0, 10, 10]]);
    assert.deepEqual(merge([big, found(1, 0.8, [2, 3, 4, 5])]).length, 2);
    assert.deepEqual(merge([found(1, 0.8, [2, 3, 4, 13]), big], { classAgnostic: true }), [
      [0, 0.9, 0, 0, 10, 16],
    ]);
  });
  test('of exactly the threshold chooses, but does not join', () =>
    assert.deepEqual(merge([big, found(0, 0.8, [5, 0, 10, 10])]), [[0, 0.9, 0, 0, 10, 10]]));
  test('drops a box whose intersection over union is as high', () => {
    const suppress = (/** @type {number} */ x) =>
      merge([big, found(0, 0.8, [x, 0, 10, 10])], { merge: 'suppress' });
    assert.deepEqual(suppress(3), [[0, 0.9, 0, 0, 10, 10]]);
    assert.equal(suppress(4).length, 2);
    assert.equal(merge([big, found(0, 0.8, [0, 0, 20, 10])], { merge: 'suppress' }).length, 1);
    assert.equal(merge([big, found(0, 0.8, [0, 0, 20.5, 10])], { merge: 'suppress' }).length, 2);
  });
  test('goes by score, and of equal ones by their boxes', () => {
    const same = [[3, 0], [1, 5], [1, 2]].map(([x, y]) => found(0, 0.5, [x, y, 1, 1])); // prettier-ignore
    assert.deepEqual(merge(same).map(([, , x, y]) => [x, y]), [[1, 2], [1, 5], [3, 0]]); // prettier-ignore
    assert.deepEqual(merge([found(0, 0.1, [0, 0, 1, 1]), found(1, 0.2, [0, 0, 1, 1])]).map(([id]) => id), [1, 0]); // prettier-ignore
  });
  test('of equal ones keeps the first, or joins them to the last, as sahi does', () => {
    const equal = [2, 0, 1].map((labelId) => found(labelId, 0.5, [0, 0, 1, 1]));
    for (const [way, labelId] of Object.entries({ suppress: 2, greedy: 1 }))
      assert.deepEqual(merge(equal, { merge: way, classAgnostic: true }), [[labelId, 0.5, 0, 0, 1, 1]]);
  });
  test('of boxes without an area', () => {
    const flat = found(0, 0.8, [2, 2, 0, 5]);
    assert.equal(merge([big, flat]).length, 2);
    assert.equal(merge([flat, flat], { merge: 'suppress' }).length, 2);
  });
});
