// The hooks for React in this process: components that draw nothing, and detectors that answer as told. What a browser adds is
// in tests/browser/react.test.js.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { act, createElement, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ObjectDetector } from '../../../wasm/platform/browser.js';
import { useDetections, useDetector } from '../../../wasm/react/index.js';
import { Tracker } from '../../../wasm/track/index.js';

const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);
Object.assign(globalThis, {
  window: globalThis,
  HTMLIFrameElement: class {},
  IS_REACT_ACT_ENVIRONMENT: true,
});

/** As much of a page as React needs for components that draw nothing. */
function makeContainer() {
  const ignore = () => {};
  const ownerDocument = { nodeType: 9, defaultView: globalThis, addEventListener: ignore };
  return any({ nodeType: 1, nodeName: 'DIV', tagName: 'DIV', ownerDocument, addEventListener: ignore });
}

/** A promise that others settle. */
function later() {
  /** @type {any} */ const parts = {};
  parts.promise = new Promise((resolve, reject) => void Object.assign(parts, { resolve, reject }));
  return parts;
}

const settle = () => act(() => new Promise((resolve) => void setImmediate(resolve)));

/**
 * @template Props, State
 * @param {(props: Props) => State} use
 * @param {{isStrict?: boolean}} [options]
 */
function mount(use, { isStrict = false } = {}) {
  const root = createRoot(makeContainer());
  /** @type {State[]} */ const states = [];
  /** @param {{props: Props}} given */
  function Component({ props }) {
    states.push(use(props));
    return null;
  }
  const show = async (/** @type {any} */ element) => {
    await act(async () => root.render(isStrict ? createElement(StrictMode, null, element) : element));
    await settle();
  };
  return {
    show: (/** @type {Props} */ props) => show(createElement(Component, { props })),
    hide: () => show(null),
    last: () => any(states.at(-1)),
  };
}

/** Detectors that are made when the test says so. @param {import('node:test').TestContext} t */
function watchCreate(t) {
  /** @type {any[]} */ const made = [];
  t.mock.method(ObjectDetector, 'create', (/** @type {any} */ options) => {
    const { promise, resolve, reject } = later();
    const detector = { closed: 0, close: () => void detector.closed++ };
    const settled = (/** @type {() => void} */ end) => {
      end();
      return settle();
    };
    made.push({
      ...{ options, detector },
      succeed: () => settled(() => resolve(detector)),
      fail: (/** @type {unknown} */ error) => settled(() => reject(error)),
    });
    return promise;
  });
  return made;
}

const LOADING = { detector: null, error: null };
const NO_FRAME = { detections: [], result: null, error: null };
const FAILED = new Error('it failed');

describe('useDetector', () => {
  for (const isStrict of [false, true])
    test(`creates one detector, and closes it at the end${isStrict ? ', in StrictMode' : ''}`, async (t) => {
      const made = watchCreate(t);
      const { show, hide, last } = mount(useDetector, { isStrict });
      await show({ threads: 3 });
      assert.deepEqual(last(), LOADING);
      assert.equal(made.length, 1);
      const [{ options, detector, succeed }] = made;
      assert.deepEqual([options.worker, options.threads, options.signal.aborted], [true, 3, false]);
      await succeed();
      assert.deepEqual(last(), { detector, error: null });
      assert.equal(detector.closed, 0);
      await hide();
      assert.deepEqual([detector.closed, options.signal.aborted], [1, true]);
    });

  const bytes = new Uint8Array(3);
  for (const [before, after, isSame] of /** @type {[any, any, boolean][]} */ ([
    [{ classes: { allow: ['a', 'b'] } }, { classes: { allow: ['a', 'b'] } }, true],
    [{ classes: { allow: ['a', 'b'] } }, { classes: { allow: ['a', 'c'] } }, false],
    [{ labels: ['a'] }, { labels: ['a', 'b'] }, false],
    [{ labels: ['a', 'b'] }, { labels: ['a'] }, false],
    [{ labels: [] }, { labels: {} }, false],
    [{ labels: {} }, { labels: [] }, false],
    [{ ssd: null }, { ssd: {} }, false],
    [{ ssd: {} }, { ssd: null }, false],
    [{ threads: undefined }, { maxPixels: undefined }, false],
    [{ threads: NaN }, { threads: NaN }, true],
    [{ model: bytes }, { model: bytes }, true],
    [{ model: bytes }, { model: bytes.slice() }, false],
    [{ model: new URL('file:///a') }, { model: new URL('file:///a') }, true],
    [{ model: new URL('file:///a') }, { model: new URL('file:///b') }, false],
    [{ model: new URL('file:///a') }, { model: 'file:///a' }, true],
    [{ signal: new AbortController().signal }, { signal: new AbortController().signal }, true],
    [{ signal: new AbortController().signal }, {}, false],
    [{ model: new Blob() }, { model: new Blob() }, false],
    [{ labels: null }, { labels: undefined }, false],
    [{ decoder: () => 1 }, { decoder: () => 1 }, false],
    [{ onProgress: () => 1 }, { onProgress: () => 1 }, true],
    [null, null, true],
    [undefined, {}, true],
  ]))
    test(`${isSame ? 'keeps its detector' : 'has another one'}: ${shown(before)}, then ${shown(after)}`, async (t) => {
      const made = watchCreate(t);
      const { show, last } = mount(useDetector);
      await show(before);
      const [first] = made;
      await first?.succeed();
      await show(after);
      assert.equal(made.length, (before === null ? 0 : 1) + (isSame ? 0 : 1));
      assert.equal(first?.detector.closed, before === null ? undefined : Number(!isSame));
      assert.deepEqual(last(), isSame && first ? { detector: first.detector, error: null } : LOADING);
    });

  test('begins when there are options, and ends when there are none', async (t) => {
    const made = watchCreate(t);
    const { show, last } = mount(useDetector);
    await show(null);
    assert.deepEqual([made.length, last()], [0, LOADING]);
    await show({});
    await made[0].succeed();
    await show(null);
    assert.deepEqual([made.length, made[0].detector.closed, last()], [1, 1, LOADING]);
  });

  test('worker: false is kept, and undefined is the default', async (t) => {
    const made = watchCreate(t);
    const { show } = mount(useDetector);
    for (const worker of [false, undefined]) await show({ worker });
    assert.deepEqual(
      made.map(({ options }) => options.worker),
      [false, true],
    );
  });

  test('options that mean something else at every render start anew, and nothing else happens', async (t) => {
    const made = watchCreate(t);
    const { show } = mount(() => useDetector({ model: new Uint8Array(1) }));
    for (const number of [1, 2, 3]) {
      await show(undefined);
      assert.deepEqual(
        made.map(({ options }) => options.signal.aborted),
        [...Array(number - 1).fill(true), false],
      );
    }
  });

  test('tells how far it is to the newest onProgress, or to nobody', async (t) => {
    const made = watchCreate(t);
    const { show } = mount(useDetector);
    const [first, second] = [t.mock.fn(), t.mock.fn()];
    for (const onProgress of [undefined, first, second]) {
      await show({ onProgress });
      made[0].options.onProgress({ loaded: 1, total: 2 });
    }
    assert.deepEqual(
      [first, second].map(({ mock }) => mock.calls.map((call) => call.arguments)),
      [[[{ loaded: 1, total: 2 }]], [[{ loaded: 1, total: 2 }]]],
    );
  });

  test('a failure is told, if somebody is there', async (t) => {
    const made = watchCreate(t);
    const { show, hide, last } = mount(useDetector);
    await show({ threads: 1 });
    await made[0].fail(FAILED);
    assert.deepEqual(last(), { detector: null, error: FAILED });
    await show({ threads: 2 });
    assert.deepEqual(last(), LOADING);
    await show({ threads: 3 });
    await made[1].fail(FAILED); // of options that are no longer wanted
    assert.deepEqual(last(), LOADING);
    await hide();
  });

  test('a detector that comes too late is closed', async (t) => {
    const made = watchCreate(t);
    const { show, last } = mount(useDetector);
    await show({ threads: 1 });
    await show({ threads: 2 });
    assert.ok(made[0].options.signal.aborted);
    await made[0].succeed();
    assert.ok(made[0].detector.closed > 0);
    assert.deepEqual(last(), LOADING);
    await made[1].succeed();
    assert.deepEqual([made[1].detector.closed, last().detector], [0, made[1].detector]);
  });

  test("the user's signal ends the loading, too", async (t) => {
    const made = watchCreate(t);
    const ending = new AbortController();
    await mount(useDetector).show({ signal: ending.signal });
    const { signal } = made[0].options;
    assert.equal(signal.aborted, false);
    ending.abort();
    assert.equal(signal.aborted, true);
  });
});

describe('useDetections', () => {
  /** A detector whose loops over a video go on as told. */
  function makeDetector() {
    /** @type {any[]} */ const loops = [];
    async function* video(/** @type {any} */ video, /** @type {any} */ options) {
      /** @type {any} */ const loop = { video, options };
      loops.push(loop);
      for (;;) {
        const { promise, resolve, reject } = later();
        Object.assign(loop, {
          give: (/** @type {any} */ result) => (resolve(result), settle()),
          fail: (/** @type {unknown} */ error) => (reject(error), settle()),
        });
        yield await promise;
      }
    }
    return { detector: any({ video }), loops };
  }
  const detections = /** @type {(props: any) => any} */ (({ ref, options }) => useDetections(ref, options));
  const VIDEO = any({ name: 'video' });
  const result = (/** @type {string} */ label) => ({ detections: [{ label }], frame: 1 });

  test('shows what is found in each frame, until its end', async () => {
    const { detector, loops } = makeDetector();
    const { show, hide, last } = mount(detections);
    const props = { ref: { current: VIDEO }, options: { detector, scoreThreshold: 0.4 } };
    await show(props);
    assert.deepEqual(last(), NO_FRAME);
    const [{ video, options: { signal, ...rest } }] = loops; // prettier-ignore
    assert.deepEqual([video, rest, signal.aborted], [VIDEO, { scoreThreshold: 0.4 }, false]);
    for (const label of ['cat', 'dog']) {
      await loops[0].give(result(label));
      assert.deepEqual(last(), { detections: [{ label }], result: result(label), error: null });
    }
    await show({ ref: props.ref, options: { detector, scoreThreshold: 0.4 } });
    assert.deepEqual([loops.length, last().result], [1, result('dog')]);
    await hide();
    assert.ok(signal.aborted);
  });

  test('goes on with its Tracker, also if another one is made at every render', async () => {
    const { detector, loops } = makeDetector();
    /** @type {any[]} */ const trackers = [];
    const { show, last } = mount((/** @type {any} */ ref) => {
      trackers.push(new Tracker());
      return useDetections(ref, { detector, track: trackers.at(-1) });
    });
    const ref = { current: VIDEO };
    await show(ref);
    for (const label of ['cat', 'dog']) {
      await loops[0].give(result(label));
      await show(ref);
      assert.deepEqual(last().result, result(label));
    }
    assert.deepEqual([loops.length, loops[0].options.track === trackers[0]], [1, true]);
  });

  for (const [name, change] of /** @type {[string, any][]} */ ([
    ['another video', { ref: { current: any({ name: 'other' }) } }],
    ['other options', { options: { scoreThreshold: 0.5 } }],
    ['another detector', { options: { detector: makeDetector().detector, scoreThreshold: 0.4 } }],
    ['no video', { ref: { current: null } }],
    ['no detector yet', { options: { detector: null, scoreThreshold: 0.4 } }],
  ]))
    test(`${name}: ends the loop, whose last frame and failure are not shown`, async () => {
      const { detector, loops } = makeDetector();
      const { show, last } = mount(detections);
      const given = { detector, scoreThreshold: 0.4 };
      await show({ ref: { current: VIDEO }, options: given });
      await loops[0].give(result('cat'));
      await show({ ref: { current: VIDEO }, ...change, options: { ...given, ...change.options } });
      assert.ok(loops[0].options.signal.aborted);
      assert.deepEqual(last(), NO_FRAME);
      await loops[0].give(result('late'));
      await loops[0].fail(FAILED);
      assert.deepEqual(last(), NO_FRAME);
    });

  for (const [error, shown] of /** @type {[Error, Error | null][]} */ ([
    [FAILED, FAILED],
    [Object.assign(new Error('closed'), { code: 'CLOSED' }), null],
  ]))
    test(`a loop that fails: ${error.message}`, async () => {
      const { detector, loops } = makeDetector();
      const { show, last } = mount(detections);
      await show({ ref: { current: VIDEO }, options: { detector } });
      await loops[0].give(result('cat'));
      await loops[0].fail(error);
      const before = { detections: [{ label: 'cat' }], result: result('cat'), error: null };
      assert.deepEqual(last(), shown ? { ...NO_FRAME, error: shown } : before);
    });

  test('has a detector of its own, if it is given none', async (t) => {
    const made = watchCreate(t);
    const { detector, loops } = makeDetector();
    const { show, last } = mount(detections);
    await show({ ref: { current: VIDEO } });
    assert.deepEqual([made.length, last()], [1, NO_FRAME]);
    Object.assign(made[0].detector, detector);
    await made[0].succeed();
    assert.deepEqual([loops.length, loops[0].video], [1, VIDEO]);
    await show({ ref: { current: VIDEO }, options: { detector: null } });
    assert.deepEqual([made.length, made[0].detector.closed, last()], [1, 1, NO_FRAME]);
  });

  test('whose failure is told', async (t) => {
    const made = watchCreate(t);
    const { show, last } = mount(detections);
    await show({ ref: { current: VIDEO } });
    await made[0].fail(FAILED);
    assert.deepEqual(last(), { ...NO_FRAME, error: FAILED });
  });
});

/** @param {any} options */
function shown(options) {
  const text = (/** @type {string} */ _, /** @type {unknown} */ value) =>
    ['undefined', 'number', 'function'].includes(typeof value) ? String(value) : value;
  return JSON.stringify(options, text);
}
