// The loop of ObjectDetector.video(), with a video of the test and a host that draws it: what each frame gives, and what
// ends the loop. tests/browser/video.test.js has real ones.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { host, installHost } from '../../../wasm/engine/host.js';
import { ObjectDetector } from '../../../wasm/platform/node.js';
import { tinyDetector, TINY_ANCHORS } from '../../fuzz/tiny_models.js';

const SIDE = 8;

/** A video whose frames are of one color, from 0 to 255. */
class Video {
  readyState = 2;
  currentTime = 0;
  color = 0;
  ownerDocument = Object.assign(new EventTarget(), { hidden: false });
  [Symbol.toStringTag] = 'HTMLVideoElement';
  /** @type {((now: number, frame: {mediaTime: number}) => void)[]} */ #waiting = [];

  /** @param {(now: number, frame: {mediaTime: number}) => void} callback */
  requestVideoFrameCallback(callback) {
    this.#waiting.push(callback);
  }

  /** @param {number} color @param {number} mediaTime */
  show(color, mediaTime) {
    this.color = color;
    for (const callback of this.#waiting.splice(0)) callback(0, { mediaTime });
  }
}

/** What happens while a frame is drawn. */
let onDraw = () => {};

const DRAWING = {
  measure: (/** @type {unknown} */ source) =>
    source instanceof Video ? { width: SIDE, height: SIDE } : undefined,
  copy: () => undefined,
  read: (/** @type {Video} */ { color }) => {
    onDraw();
    return new Uint8ClampedArray(4 * SIDE * SIDE).fill(color);
  },
  decode: async () => undefined,
};

const OPTIONS = /** @type {any} */ ({
  model: tinyDetector(),
  labels: ['a', 'b', 'c'],
  input: { scale: 1 / 127.5, offset: -1, resize: 'half-pixel' },
  scoreThreshold: 0,
  ssd: {
    ...{ anchors: Float32Array.from(TINY_ANCHORS.flat()), boxCoder: [10, 10, 5, 5] },
    ...{ scores: 'sigmoid', background: false },
  },
});

describe('the loop of a video', () => {
  /** @type {ObjectDetector} */ let detector;
  const real = host();
  before(async () => {
    installHost({ ...real, drawing: DRAWING });
    detector = await ObjectDetector.create(OPTIONS);
  });
  after(() => {
    detector.close();
    installHost(real);
  });

  /** @param {any} [options] */
  const open = (options) => {
    const video = new Video();
    return { video, results: detector.video(/** @type {any} */ (video), options) };
  };

  test('gives what detect gives, with the time of the frame', async () => {
    const { video, results } = open();
    for (const [color, mediaTime] of [
      [0, 0],
      [200, 0.5],
    ]) {
      if (color > 0) video.show(color, mediaTime);
      const value = /** @type {any} */ ((await results.next()).value);
      const { detections } = await detector.detect(/** @type {any} */ (video));
      assert.ok(value && detections.length > 0);
      assert.deepEqual([value.detections, value.mediaTime, value.dropped], [detections, mediaTime, 0]);
    }
    await results.return();
  });

  test('writes rows, as many as fit', async () => {
    const all = new Float32Array(600);
    const count = await detector.detectInto(/** @type {any} */ (new Video()), all);
    const into = new Float32Array(6 + 5);
    const { results } = open({ into });
    assert.equal(/** @type {any} */ ((await results.next()).value).count, 1);
    assert.ok(count > 1);
    assert.deepEqual(into.subarray(0, 6), all.subarray(0, 6));
    assert.deepEqual(into.subarray(6), new Float32Array(5));
    await results.return();
  });

  test('leaves out frames that hardly differ', async () => {
    const { video, results } = open({ minChange: 5 });
    assert.equal((await results.next()).value?.mediaTime, 0);
    const next = results.next();
    for (const [color, time] of [
      [3, 1],
      [4, 2],
      [90, 3],
    ]) {
      await new Promise(setImmediate);
      video.show(color, time);
    }
    assert.equal((await next).value?.mediaTime, 3);
    await results.return();
  });

  test('compares with its own frames only, of which none failed', async (t) => {
    t.after(() => (onDraw = () => {}));
    const [first, second] = [open({ minChange: 5 }), open({ minChange: 5 })];
    for (const { results } of [first, second]) assert.equal((await results.next()).value?.mediaTime, 0);
    second.video.show(90, 1);
    assert.equal((await second.results.next()).value?.mediaTime, 1);
    const still = first.results.next();
    first.video.show(0, 2);
    await new Promise(setImmediate);
    first.video.show(90, 3);
    assert.equal((await still).value?.mediaTime, 3);
    await Promise.all([first, second].map(({ results }) => results.return()));

    const controller = new AbortController();
    const ended = open({ minChange: 5, signal: controller.signal });
    onDraw = () => controller.abort();
    assert.ok((await ended.results.next()).done);
    onDraw = () => {};
    const again = open({ minChange: 5, scoreThreshold: 0.1 });
    assert.equal((await again.results.next()).value?.mediaTime, 0);
    await again.results.return();
  });

  test('gives its detections to a tracker, with the time of the frame', async () => {
    /** @type {unknown[]} */
    const given = [];
    const track = {
      update: (/** @type {any[]} */ detections, /** @type {unknown} */ about) => {
        given.push([detections.length > 0, about]);
        return [{ ...detections[0], id: given.length }];
      },
    };
    const { video, results } = open({ track });
    for (const id of [1, 2]) {
      if (id === 2) video.show(9, 1.5);
      const value = /** @type {any} */ ((await results.next()).value);
      assert.deepEqual(value.detections.map((/** @type {any} */ each) => each.id), [id]); // prettier-ignore
    }
    assert.deepEqual(given, [0, 1.5].map((time) => [true, { time }])); // prettier-ignore
    await results.return();
  });

  const ends = /** @type {[string, (controller: AbortController, results: any) => void][]} */ ([
    ['its signal', (controller) => controller.abort()],
    ['its return', (_, results) => void results.return()],
  ]);
  for (const [name, end] of ends)
    test(`ends by ${name}: before a frame, and while one is drawn, which is not given then`, async (t) => {
      t.after(() => (onDraw = () => {}));
      for (const isLate of [false, true]) {
        const controller = new AbortController();
        const { results } = open({ signal: controller.signal });
        let drawn = 0;
        onDraw = () => {
          drawn++;
          if (isLate) end(controller, results);
        };
        const next = results.next();
        if (!isLate) end(controller, results);
        assert.deepEqual(await next, { done: true, value: undefined });
        assert.equal(drawn, Number(isLate));
        assert.deepEqual(await results.next(), { done: true, value: undefined });
      }
    });

  test('ends with the error of a frame', async (t) => {
    t.after(() => (onDraw = () => {}));
    const lost = new Error('lost');
    const { video, results } = open();
    await results.next();
    onDraw = () => {
      throw lost;
    };
    const next = results.next();
    video.show(1, 1);
    await assert.rejects(next, lost);
  });

  test('ends when the detector is closed', async () => {
    const other = await ObjectDetector.create(OPTIONS);
    const video = /** @type {any} */ (new Video());
    const results = other.video(video);
    await results.next();
    const waiting = results.next();
    other.close();
    assert.deepEqual(await waiting, { done: true, value: undefined });
    assert.throws(() => other.video(video), { code: 'CLOSED' });
  });
});
