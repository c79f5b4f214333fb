// What a page draws and plays, with a page of the test: drawables are read where the network needs them, files that only
// the page decodes, and results of a video.
import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import { host } from '../../../wasm/engine/host.js';
import { ObjectDetector } from '../../../wasm/platform/node.js';
import { packagePhoto } from '../shared.js';

const detector = await ObjectDetector.create({ threads: 1 });
after(() => detector.close());
/** @type {any} */
const page = host();
/** @type {any[]} what the page was asked to do */
const asked = [];
afterEach(() => {
  delete page.drawing;
  asked.length = 0;
});

/** @param {string} name of a browser's class @param {object} more */
const drawable = (name, more = {}) => /** @type {any} */ ({ [Symbol.toStringTag]: name, ...more });
const canvas = drawable('HTMLCanvasElement');
const SIZE = { width: 640, height: 480 };

/** @param {object} [how] */
function draw(how = {}) {
  page.drawing = {
    measure: (/** @type {any} */ source) =>
      /Element|Bitmap/.test(source?.[Symbol.toStringTag]) ? (source.size ?? SIZE) : undefined,
    copy: () => undefined,
    read: (
      /** @type {unknown} */ _,
      /** @type {object} */ region,
      /** @type {{width: number, height: number}} */ size,
    ) => {
      asked.push({ region, size });
      return new Uint8ClampedArray(4 * size.width * size.height).fill(128);
    },
    ...how,
  };
}

describe('drawables', () => {
  test('are read at the size of the network, all of them or a region', async () => {
    draw();
    const { size } = await detector.detect(canvas);
    assert.deepEqual([size.width, size.height], [640, 480]);
    const roi = { x: 40, y: 20, width: 600, height: 460 };
    await detector.detect(canvas, { roi });
    assert.deepEqual(asked, [
      { region: { x: 0, y: 0, ...SIZE }, size: { width: 300, height: 300 } },
      { region: roi, size: { width: 300, height: 300 } },
    ]);
  });
  test('are read whole where the region does not lie in them, which is refused', async () => {
    draw();
    for (const roi of [
      { x: 41, y: 0, width: 600, height: 460 },
      { x: 0, y: 21, width: 600, height: 460 },
      { x: 0, y: 0, width: 0, height: 5 },
      { x: 0, y: 0, width: 5, height: 0 },
    ])
      await assert.rejects(detector.detect(canvas, { roi }), { code: 'INVALID_ROI' });
    assert.ok(asked.every(({ size }) => size.width === 640 && size.height === 480));
  });
  test('have pixels', async () => {
    for (const size of [
      { width: 0, height: 5 },
      { width: 5, height: 0 },
    ]) {
      draw();
      await assert.rejects(detector.detect(drawable('HTMLVideoElement', { size })), {
        code: 'INVALID_INPUT',
        message: /has no pixels yet/,
      });
    }
  });
  test('are copied where the page can, and their memory is given back', async () => {
    let released = 0;
    const data = new Uint8Array(4 * 640 * 480).fill(100);
    draw({
      copy: async (/** @type {unknown} */ source, /** @type {object} */ size) => (
        assert.deepEqual([source, size], [canvas, SIZE]),
        { data, release: () => released++ }
      ),
    });
    const { size } = await detector.detect(canvas);
    assert.deepEqual([size.width, size.height, asked.length, released], [640, 480, 0, 1]);
    draw({ copy: async () => undefined });
    await detector.detect(canvas);
    assert.equal(asked.length, 1);
  });
});

describe('files that only the page decodes', () => {
  const cut = packagePhoto('astronaut.png').subarray(0, 5000);
  /** @param {object} size */
  const bitmap = (size) => drawable('ImageBitmap', { ...size, close: () => asked.push('closed') });
  test('become pixels, and the bitmap is closed', async () => {
    draw({
      decode: async (/** @type {Uint8Array} */ bytes) => {
        assert.equal(bytes.length, cut.length);
        return bitmap({ size: { width: 60, height: 40 }, width: 60, height: 40 });
      },
    });
    const { size } = await detector.detect(cut);
    assert.deepEqual([size.width, size.height], [60, 40]);
    const whole = { width: 60, height: 40 };
    assert.deepEqual(asked, [{ region: { x: 0, y: 0, ...whole }, size: whole }, 'closed']);
  });
  test('are refused as before if the page does not, or if they are too large', async () => {
    draw({ decode: async () => undefined });
    await assert.rejects(detector.detect(cut), { code: 'IMAGE_CORRUPT' });
    draw({ decode: async () => bitmap({ width: 20_000, height: 20_000 }) });
    await assert.rejects(detector.detect(cut), { code: 'IMAGE_TOO_LARGE' });
    assert.deepEqual(asked.splice(0), ['closed']);
    draw({ decode: () => assert.fail('an image that is too large is not decoded again') });
    const small = await ObjectDetector.create({ threads: 1, maxPixels: 100 });
    await assert.rejects(small.detect(packagePhoto('astronaut.png')), { code: 'IMAGE_TOO_LARGE' });
    small.close();
  });
});

describe('a video', () => {
  page.loadTracker = () => import('../../../wasm/track/index.js');
  const document = Object.assign(new EventTarget(), { hidden: false });
  /** A video that plays by itself, a frame a turn. */
  const playing = () => {
    let time = 0;
    return drawable('HTMLVideoElement', {
      ...{ ownerDocument: document, readyState: 4, currentTime: 0, size: SIZE },
      requestVideoFrameCallback: (/** @type {(now: number, frame: object) => void} */ callback) =>
        setImmediate(() => callback(0, { mediaTime: ++time })),
    });
  };
  test('gives what a call gives for each frame, with its time', async () => {
    draw();
    const times = [];
    for await (const { detections, mediaTime, size } of detector.video(playing(), { scoreThreshold: 0.3 })) {
      assert.deepEqual([detections, size.width], [[], 640]);
      times.push(mediaTime);
      if (times.length === 3) break;
    }
    assert.equal(times.length, 3);
    assert.ok(times[0] < times[1] && times[1] < times[2], String(times));
  });
  test('writes rows where they are given, and counts them', async () => {
    draw();
    const into = new Float32Array(6 * 5);
    for await (const result of detector.video(playing(), { into, scoreThreshold: 0, maxResults: 4 })) {
      const { detections } = await detector.detect(canvas, { scoreThreshold: 0, maxResults: 4 });
      assert.deepEqual([result.count, 'detections' in result, result.size.height], [4, false, 480]);
      assert.deepEqual(
        [...into.subarray(18, 24)],
        [
          ...['x', 'y', 'width', 'height'].map((key) => /** @type {any} */ (detections[3].box)[key]),
          detections[3].score,
          detections[3].labelId,
        ].map(Math.fround),
      );
      assert.deepEqual([...into.subarray(24)], [0, 0, 0, 0, 0, 0]);
      break;
    }
  });
  test('gives tracks, by options or by a tracker', async () => {
    draw();
    /** @type {object[]} */
    const tracked = [];
    const tracker = {
      update: (/** @type {any[]} */ detections, /** @type {object} */ frame) => (
        tracked.push(frame),
        [...detections, 'mine']
      ),
    };
    for await (const { detections, mediaTime } of detector.video(playing(), {
      track: /** @type {any} */ (tracker),
    })) {
      assert.deepEqual([detections.at(-1), tracked], ['mine', [{ time: mediaTime }]]);
      break;
    }
    for await (const { detections } of detector.video(playing(), { track: true, scoreThreshold: 0.3 })) {
      assert.deepEqual(detections, []);
      break;
    }
  });
  test('ends by its signal, and if the detector is closed', async () => {
    draw();
    const controller = new AbortController();
    let frames = 0;
    for await (const { detections } of detector.video(playing(), { signal: controller.signal })) {
      assert.ok(detections);
      frames++;
      controller.abort();
    }
    assert.equal(frames, 1);
    const other = await ObjectDetector.create({ threads: 1 });
    for await (const { detections } of other.video(playing())) {
      assert.ok(detections);
      other.close();
    }
    assert.throws(() => other.video(playing()), { code: 'CLOSED' });
  });
  test('ends at once if nobody wants more, also while it waits', async () => {
    draw();
    const paused = drawable('HTMLVideoElement', {
      ownerDocument: document,
      readyState: 4,
      currentTime: 3,
      size: SIZE,
      requestVideoFrameCallback: () => {},
    });
    const results = detector.video(paused);
    assert.equal((await results.next()).value?.mediaTime, 3);
    const waiting = results.next();
    await results.return();
    assert.equal((await waiting).done, true);
  });
  test('is refused with what to write instead', () => {
    /** @type {[any, any, RegExp][]} */
    const cases = [
      [playing(), () => {}, /video takes no function; write for await/],
      [canvas, {}, /video takes a <video> element/],
      ['a.mp4', {}, /video takes a <video> element/],
      [playing(), { into: [] }, /into must be a Float32Array/],
      [playing(), { into: new Float32Array(6), track: true }, /into has no column for track/],
      [playing(), { minChange: 256 }, /minChange/],
      [playing(), { minChange: -1 }, /minChange/],
      [playing(), { features: 'all' }, /features/],
      [playing(), { signal: {} }, /signal/],
      [playing(), { tiles: 2 }, /tiles/],
    ];
    for (const [video, options, message] of cases)
      assert.throws(() => detector.video(video, options), { name: 'OcelliError', message });
  });
  test('tells a fault of a frame', async () => {
    draw({
      read: () => {
        throw new Error('no pixels');
      },
    });
    await assert.rejects(detector.video(playing()).next(), /no pixels/);
  });
});
