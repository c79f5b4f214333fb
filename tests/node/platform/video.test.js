// The newest frame of a video, with a video of the test: which frames come, how many were skipped, and when it ends.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newestFrames } from '../../../wasm/vision/video.js';

/** A video that shows what the test says, and the page around it. */
function makeVideo({ readyState = 2, currentTime = 7 } = {}) {
  const page = Object.assign(new EventTarget(), { hidden: false });
  /** @type {((now: number, frame: {mediaTime: number}) => void)[]} */
  let waiting = [];
  const video = {
    ...{ ownerDocument: page, readyState, currentTime },
    requestVideoFrameCallback: (/** @type {(typeof waiting)[0]} */ callback) => void waiting.push(callback),
  };
  return {
    ...{ page, video },
    get numWaiting() {
      return waiting.length;
    },
    /** @param {number[]} times */
    show(...times) {
      for (const mediaTime of times) {
        const callbacks = waiting;
        waiting = [];
        for (const callback of callbacks) callback(0, { mediaTime });
      }
    },
  };
}

/** @param {ReturnType<typeof makeVideo>} made @param {AbortSignal[]} [signals] */
const frames = ({ video }, signals = []) => newestFrames(/** @type {any} */ (video), signals);
/** Whether a promise is still open after all that is due has run. @param {Promise<unknown>} promise */
async function isOpen(promise) {
  let isDone = false;
  promise.then(() => (isDone = true));
  await new Promise((resolve) => setImmediate(resolve));
  return !isDone;
}

describe('the newest frame', () => {
  test('is at first the one that is shown', async () => {
    const made = makeVideo();
    assert.deepEqual(await frames(made).next(), { done: false, value: { mediaTime: 7, dropped: 0 } });
    const early = makeVideo({ readyState: 1 });
    assert.ok(await isOpen(frames(early).next()));
  });
  test('comes when it is shown, and only once', async () => {
    const made = makeVideo({ readyState: 1 });
    const found = frames(made);
    const first = found.next();
    assert.ok(await isOpen(first));
    made.video.readyState = 2;
    made.show(0);
    assert.deepEqual((await first).value, { mediaTime: 0, dropped: 0 });
    const second = found.next();
    assert.ok(await isOpen(second));
    made.show(0.5);
    assert.deepEqual((await second).value, { mediaTime: 0.5, dropped: 0 });
    assert.equal(made.numWaiting, 1);
  });
  test('tells how many were shown while the caller was busy', async () => {
    const made = makeVideo();
    const found = frames(made);
    await found.next();
    made.show(1, 2, 3);
    assert.deepEqual((await found.next()).value, { mediaTime: 3, dropped: 2 });
    made.show(4);
    assert.deepEqual((await found.next()).value, { mediaTime: 4, dropped: 0 });
  });
  test('waits while the page is hidden, and comes when it is seen again', async () => {
    const made = makeVideo();
    made.page.hidden = true;
    const next = frames(made).next();
    made.show(1, 2);
    assert.ok(await isOpen(next));
    made.page.hidden = false;
    made.page.dispatchEvent(new Event('visibilitychange'));
    assert.deepEqual((await next).value, { mediaTime: 2, dropped: 1 });
  });
  test('waits while the video has no pixels', async () => {
    const made = makeVideo();
    const found = frames(made);
    await found.next();
    made.video.readyState = 1;
    const next = found.next();
    made.show(1);
    assert.ok(await isOpen(next));
    made.video.readyState = 2;
    made.show(2);
    assert.deepEqual((await next).value, { mediaTime: 2, dropped: 1 });
  });
});

describe('the frames end', () => {
  test('by any of the signals, also while they wait', async () => {
    for (const at of [0, 1]) {
      const made = makeVideo();
      const controllers = [new AbortController(), new AbortController()];
      const found = frames(
        made,
        controllers.map(({ signal }) => signal),
      );
      await found.next();
      const next = found.next();
      assert.ok(await isOpen(next));
      controllers[at].abort();
      assert.deepEqual(await next, { done: true, value: undefined });
      // What the video shows later is not asked for again.
      made.show(5);
      assert.equal(made.numWaiting, 0);
    }
  });
  test('at once by a signal that was aborted before', async () => {
    const signals = [new AbortController().signal, AbortSignal.abort()];
    assert.deepEqual(await frames(makeVideo(), signals).next(), { done: true, value: undefined });
  });
  test('if the caller leaves; no listener stays', async () => {
    const made = makeVideo();
    const controller = new AbortController();
    /** @type {string[]} */
    const removed = [];
    const watch = (/** @type {string} */ name, /** @type {EventTarget} */ target) => {
      const { removeEventListener } = target;
      target.removeEventListener = (...given) => {
        removed.push(`${name} ${given[0]}`);
        removeEventListener.apply(target, given);
      };
    };
    watch('page', made.page);
    watch('signal', controller.signal);
    const found = frames(made, [controller.signal]);
    await found.next();
    await found.return(undefined);
    assert.deepEqual(removed, ['signal abort', 'page visibilitychange']);
    made.show(9);
    assert.equal(made.numWaiting, 0);
  });
});
