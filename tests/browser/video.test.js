// The video loop, on Chromium's camera that plays a street: what it finds, when it rests and ends, what it leaves to the
// page, and that it keeps nothing.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { Tracker } from '../../wasm/track/index.js';
import { STREET, writeStreetFile } from './camera.js';
import { PATIENCE_MS, until } from '../patience.js';
import { isFirefox, launchWithCamera, needsBrowser, ROOT, serve } from './shared.js';

/**
 * @typedef {{video: HTMLVideoElement, ObjectDetector: typeof import('../../wasm/vision/index.js').ObjectDetector}} VideoPage
 */

const CAMERA = `${ROOT}build/camera.y4m`;
/** What it shows; in Firefox, which takes no file, two photos in turn that the page draws. */
const SHOWN = isFirefox ? ['Cat', 'Person'] : ['Car', 'Person'];
const SECONDS = process.env.OCELLI_SOAK ? 30 : 6;

suite('video', needsBrowser, () => {
  /** @type {import('playwright-core').Browser} */ let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */ let server;
  before(async () => {
    if (!isFirefox) writeStreetFile(CAMERA);
    server = await serve();
    browser = await launchWithCamera(CAMERA, [
      '--use-fake-ui-for-media-stream',
      '--enable-precise-memory-info',
    ]);
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });

  async function openCamera() {
    const page = await browser.newPage();
    /** @type {string[]} */
    const messages = [];
    page.on('console', (message) => messages.push(message.text()));
    await page.goto(`${server.url}/video.html${isFirefox ? '#drawn' : ''}`);
    await page.waitForFunction(() => document.title === 'playing');
    return { page, messages };
  }

  for (const worker of [false, true]) {
    test(`finds what the camera shows and ends with the signal, worker: ${worker}`, async () => {
      const { page, messages } = await openCamera();
      const { runs, codes } = await page.evaluate(async ([worker, shown]) => {
        const { video, ObjectDetector } = /** @type {VideoPage} */ (/** @type {unknown} */ (globalThis));
        const detector = await ObjectDetector.create({ worker, scoreThreshold: 0.4 });
        const ending = new AbortController();
        const labels = new Set();
        /** @type {import('../../wasm/vision/types.js').VideoResult[]} */
        const runs = [];
        for await (const result of detector.video(video, { signal: ending.signal })) {
          for (const { label } of result.detections) labels.add(label);
          runs.push(result);
          if (runs.length >= 20 && shown.every((label) => labels.has(label))) ending.abort();
        }
        /** @type {string[]} */
        const codes = [];
        /** @param {any} element @param {any} [options] */
        const refuse = (element, options) => {
          try {
            detector.video(element, options);
          } catch (error) {
            codes.push(/** @type {any} */ (error).code);
          }
        };
        refuse(document.body);
        refuse(video, { signal: 5 });
        detector.close();
        refuse(video);
        return { runs, codes };
      }, /** @type {const} */ ([worker, SHOWN]));
      for (const [i, { size, mediaTime, dropped, ms, variant, precision }] of runs.entries()) {
        assert.deepEqual(size, STREET);
        assert.ok(dropped >= 0);
        assert.deepEqual([variant.threads, precision], [1, 'float']);
        assert.ok(ms.network > 0);
        const last = i > 0 ? runs[i - 1].mediaTime : -1;
        // Firefox's clock of a stream goes in steps of 12 ms, and may stand still from one frame to the next.
        const isLater = isFirefox ? mediaTime >= last : mediaTime > last;
        assert.ok(isLater, `no frame twice: ${mediaTime} s after ${last} s`);
      }
      assert.deepEqual(codes, ['INVALID_INPUT', 'INVALID_OPTION', 'CLOSED']);
      assert.deepEqual(messages, []);
      await page.close();
    });
  }

  test('gives rows of numbers, leaves out what did not change', async () => {
    const { page } = await openCamera();
    const { row, label, keys, seen } = await page.evaluate(async () => {
      const { video, ObjectDetector } = /** @type {VideoPage} */ (/** @type {unknown} */ (globalThis));
      const detector = await ObjectDetector.create({ worker: true });
      const { labels } = detector;
      const into = new Float32Array(6 * 4);
      let row = [0];
      let keys = '';
      for await (const result of detector.video(video, { into })) {
        keys = Object.keys(result).sort().join();
        row = [...into.subarray(0, 6)];
        if (result.count > 0) break;
      }
      // A picture that stands still: a canvas that is drawn again and again
      const canvas = document.createElement('canvas');
      const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
      context.drawImage(video, 0, 0, 300, 150);
      const still = document.createElement('video');
      still.srcObject = canvas.captureStream(30);
      const timer = setInterval(() => context.drawImage(canvas, 0, 0), 30);
      await still.play();
      const ending = new AbortController();
      let seen = 0;
      const loop = async () => {
        const results = detector.video(still, { signal: ending.signal, minChange: 0.5 });
        while (!(await results.next()).done) seen++;
      };
      const looping = loop();
      while (seen < 1) await new Promise((resolve) => setTimeout(resolve, 20));
      for (let frames = 0; frames < 20; frames++)
        await new Promise((resolve) => still.requestVideoFrameCallback(resolve));
      ending.abort();
      await looping;
      clearInterval(timer);
      detector.close();
      return { row, label: labels[row[5]].name, keys, seen };
    });
    const [x, y, width, height, score] = row;
    assert.ok(x >= 0 && y >= 0 && x + width <= STREET.width + 0.01 && y + height <= STREET.height + 0.01);
    assert.ok(score > 0.5 && SHOWN.includes(label), `${label} ${score}`);
    assert.equal(keys, 'count,dropped,mediaTime,ms,precision,size,variant');
    assert.equal(seen, 1);
    await page.close();
  });

  for (const worker of [false, true])
    test(`numbers what it finds, by the times of the frames, worker: ${worker}`, async () => {
      const { page, messages } = await openCamera();
      /** @type {string[]} */
      const loaded = [];
      page.on('request', (request) => loaded.push(new URL(request.url()).pathname));
      const { frames, before, codes } = await page.evaluate(async (worker) => {
        const { video, ObjectDetector } = /** @type {VideoPage} */ (/** @type {unknown} */ (globalThis));
        const detector = await ObjectDetector.create({ worker, scoreThreshold: 0.2 });
        await detector.video(video).next();
        const before = performance.getEntriesByType('resource').map(({ name }) => name);
        const track = { activationThreshold: 0.3, highThreshold: 0.25 };
        /** @type {import('../../wasm/vision/types.js').VideoResult[]} */
        const frames = [];
        for await (const result of detector.video(video, { track })) if (frames.push(result) === 30) break;
        /** @type {string[]} */
        const codes = [];
        for (const options of /** @type {any[]} */ ([
          { track: 'yes' },
          { track: { no: 1 } },
          { track: { minIou: 2 } },
        ])) {
          const results = detector.video(video, options);
          await results.next().catch((error) => codes.push(error.code));
        }
        try {
          detector.video(video, /** @type {any} */ ({ track: true, into: new Float32Array(6) }));
        } catch (error) {
          codes.push(/** @type {any} */ (error).code);
        }
        detector.close();
        return { frames, before, codes };
      }, worker);
      assert.ok(
        !before.some((name) => name.includes('/track/')),
        'nothing of it is loaded without the option',
      );
      assert.equal(loaded.filter((path) => path.includes('/track/')).length, 1);
      const tracker = new Tracker({ activationThreshold: 0.3, highThreshold: 0.25 });
      let numbered = 0;
      for (const { detections, mediaTime } of frames) {
        const plain = detections.map(({ trackId: _, age, velocity, ...rest }) => rest);
        assert.deepEqual(detections, tracker.update(plain, { time: mediaTime }));
        numbered += detections.filter(({ trackId }) => trackId !== undefined).length;
      }
      assert.ok(numbered > 10, `${numbered}`);
      assert.deepEqual(codes, Array(4).fill('INVALID_OPTION'));
      assert.deepEqual(messages, []);
      await page.close();
    });

  test('a frame is seen as its pixels are', async () => {
    const { page } = await openCamera();
    const { frame, pixels } = await page.evaluate(async () => {
      const { video, ObjectDetector } = /** @type {VideoPage} */ (/** @type {unknown} */ (globalThis));
      const detector = await ObjectDetector.create({ scoreThreshold: 0.1, deterministic: true });
      const source = new VideoFrame(video);
      const frame = (await detector.detect(source)).detections;
      const { displayWidth: width, displayHeight: height } = source;
      const data = new Uint8Array(4 * width * height);
      await source.copyTo(data, { format: 'RGBA' });
      source.close();
      const pixels = (await detector.detect({ data, width, height })).detections;
      detector.close();
      return { frame, pixels };
    });
    assert.ok(pixels.length > 0);
    assert.deepEqual(frame, pixels);
    await page.close();
  });

  for (const worker of [false, true]) {
    test(`ends when the detector is closed, at work or without a frame, worker: ${worker}`, async () => {
      const { page } = await openCamera();
      const ends = await page.evaluate(async ([worker, patienceMs]) => {
        const { video, ObjectDetector } = /** @type {VideoPage} */ (/** @type {unknown} */ (globalThis));
        const ends = [];
        for (const isPaused of [false, true]) {
          const detector = await ObjectDetector.create({ worker: Boolean(worker) });
          let seen = 0;
          const loop = async () => {
            const results = detector.video(video);
            while (!(await results.next()).done) seen++;
          };
          const looping = loop();
          while (seen < 2) await new Promise((resolve) => setTimeout(resolve, 5));
          if (isPaused) {
            video.pause();
            await new Promise((resolve) => setTimeout(resolve, 300));
          }
          detector.close();
          const late = new Promise((resolve) => setTimeout(resolve, Number(patienceMs), 'never'));
          ends.push(await Promise.race([looping.catch((error) => error.code), late]));
          ends.push(await loop().catch((error) => error.code));
        }
        return ends.map(String);
      }, /** @type {const} */ ([worker, PATIENCE_MS]));
      assert.deepEqual(ends, ['undefined', 'CLOSED', 'undefined', 'CLOSED']);
      await page.close();
    });
  }

  test('leaving the loop frees what it held, an error of a detection leaves it, options change while it runs', async () => {
    const { page } = await openCamera();
    const { listening, left, code, counts, returned } = await page.evaluate(async () => {
      const { video, ObjectDetector } = /** @type {VideoPage} */ (/** @type {unknown} */ (globalThis));
      const detector = await ObjectDetector.create({ worker: true, scoreThreshold: 0.4 });
      const listeners = new Set();
      const { addEventListener: add, removeEventListener: remove } = document;
      Object.assign(document, {
        addEventListener: (/** @type {any[]} */ ...args) => (
          listeners.add(args[1]),
          add.apply(document, /** @type {any} */ (args))
        ),
        removeEventListener: (/** @type {any[]} */ ...args) => (
          listeners.delete(args[1]),
          remove.apply(document, /** @type {any} */ (args))
        ),
      });
      let listening = 0;
      for await (const { size } of detector.video(video)) {
        if (size.width > 0) listening = listeners.size;
        break;
      }
      const left = listeners.size;
      const code = await (async () => {
        await detector.video(video, { roi: { x: 0, y: 0, width: 9999, height: 9 } }).next();
      })().catch((error) => error.code);
      const counts = [];
      for await (const { detections } of detector.video(video)) {
        if (counts.length === 0 && detections.length === 0) continue;
        counts.push(detections.length);
        if (counts.length === 1) await detector.setOptions({ classes: { allow: [] } });
        else if (counts.length === 2)
          await detector.setOptions({ classes: null, scoreThreshold: 0, maxResults: 7 });
        else break;
      }
      // `return` while `next` waits for a frame that never comes
      const silent = document.createElement('video');
      const results = detector.video(silent);
      const waiting = results.next();
      await results.return();
      const returned = [(await waiting).done, (await results.next()).done];
      detector.close();
      return { listening, left, code, counts, returned };
    });
    assert.equal(listening, 1);
    assert.equal(left, 0);
    assert.equal(code, 'INVALID_ROI');
    assert.ok(counts[0] > 0);
    assert.deepEqual(counts.slice(1), [0, 7]);
    assert.deepEqual(returned, [true, true]);
    await page.close();
  });

  test('goes on when the video gets another source', async () => {
    const { page } = await openCamera();
    const { sizes, failed } = await page.evaluate(async () => {
      const { video, ObjectDetector } = /** @type {VideoPage} */ (/** @type {unknown} */ (globalThis));
      const detector = await ObjectDetector.create({ worker: true });
      const ending = new AbortController();
      /** @type {Set<string>} */
      const sizes = new Set();
      let failed = '';
      const loop = async () => {
        for await (const { size } of detector.video(video, { signal: ending.signal }))
          sizes.add(`${size.width} x ${size.height}`);
      };
      const looping = loop().catch((error) => (failed = String(error)));
      const sleep = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));
      const untilSeen = async (/** @type {number} */ count) => {
        while (sizes.size < count && !failed) await sleep(20);
      };
      await untilSeen(1);
      const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 200 });
      const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
      const timer = setInterval(() => context.fillRect(0, 0, 320, 200), 30);
      const camera = video.srcObject;
      for (const source of [canvas.captureStream(30), null, camera]) {
        video.srcObject = source;
        video.play().catch(() => {});
        await untilSeen(2);
        await sleep(400); // for what must not fail
      }
      clearInterval(timer);
      ending.abort();
      await looping;
      detector.close();
      return { sizes: [...sizes], failed };
    });
    assert.equal(failed, '');
    assert.deepEqual(sizes, [`${STREET.width} x ${STREET.height}`, '320 x 200']);
    await page.close();
  });

  test('rests while the page is hidden', async () => {
    const { page } = await openCamera();
    const { hidden, shown } = await page.evaluate(async () => {
      const { video, ObjectDetector } = /** @type {VideoPage} */ (/** @type {unknown} */ (globalThis));
      const detector = await ObjectDetector.create({ worker: true });
      let isHidden = true;
      Object.defineProperty(document, 'hidden', { get: () => isHidden });
      const ending = new AbortController();
      let count = 0;
      const loop = async () => {
        const results = detector.video(video, { signal: ending.signal });
        while (!(await results.next()).done) count++;
      };
      const looping = loop();
      await new Promise((resolve) => setTimeout(resolve, 600));
      const hidden = count;
      isHidden = false;
      document.dispatchEvent(new Event('visibilitychange'));
      while (count < 5) await new Promise((resolve) => setTimeout(resolve, 20));
      ending.abort();
      await looping;
      detector.close();
      return { hidden, shown: count };
    });
    assert.equal(hidden, 0);
    assert.ok(shown >= 5);
    await page.close();
  });

  // Firefox tells neither long tasks nor the heap.
  const testInChromium = isFirefox ? () => {} : test;
  testInChromium(
    `${SECONDS} s in a worker, with tracks: the page stays free, memory stays as it is`,
    async () => {
      const { page, messages } = await openCamera();
      const client = await page.context().newCDPSession(page);
      const measureHeap = async () => {
        await client.send('HeapProfiler.collectGarbage');
        return (await client.send('Runtime.getHeapUsage')).usedSize;
      };
      await page.evaluate(async () => {
        const { video, ObjectDetector } = /** @type {VideoPage} */ (/** @type {unknown} */ (globalThis));
        const detector = await ObjectDetector.create({ worker: true });
        const state = {
          runs: 0,
          longTasks: 0,
          tracks: 0,
          memory: detector.memoryUse,
          width: video.videoWidth,
        };
        Object.assign(globalThis, { state });
        await detector.detect(video, { scoreThreshold: 0.2 });
        const loop = async () => {
          const track = { activationThreshold: 0.3, highThreshold: 0.25 };
          for await (const { detections } of detector.video(video, { track, scoreThreshold: 0.2 })) {
            state.runs++;
            state.tracks += detections.filter(({ trackId }) => trackId !== undefined).length;
            state.memory = detector.memoryUse;
          }
        };
        loop();
        new PerformanceObserver((list) => (state.longTasks += list.getEntries().length)).observe({
          entryTypes: ['longtask'],
        });
      });
      const read = () => page.evaluate(() => /** @type {any} */ (globalThis).state);
      const wait = (/** @type {number} */ seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));
      const untilRuns = (/** @type {number} */ runs) => until(async () => (await read()).runs >= runs);
      await wait(SECONDS / 3);
      await untilRuns(1);
      const before = { heap: await measureHeap(), ...(await read()) };
      await wait((SECONDS * 2) / 3);
      await untilRuns(before.runs + 1);
      const after = { ...(await read()), heap: await measureHeap() };
      // On a machine that does other work at the same time, the page's tasks take long too.
      if (process.env.OCELLI_SOAK) assert.equal(after.longTasks, 0, 'tasks of more than 50 ms on the page');
      assert.equal(after.width, STREET.width);
      assert.ok(after.tracks > 0);
      assert.deepEqual(after.memory, before.memory, 'of the module');
      assert.ok(after.heap < before.heap + 500_000, `of the page: ${before.heap}, then ${after.heap} bytes`);
      assert.deepEqual(messages, [], 'such as of frames that were not closed');
      await page.close();
    },
  );
});
