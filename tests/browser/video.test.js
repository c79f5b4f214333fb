// The video loop, on Chromium's camera that plays photos: what it finds, when it rests and ends, what it leaves to the
// page, and that it keeps nothing.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, suite, test } from 'node:test';
import { decodeImage } from '../../wasm/platform/node.js';
import { writeCameraFile } from './camera.js';
import { isFirefox, launch, needsBrowser, photos, ROOT, serve } from './shared.js';

/**
 * @typedef {{video: HTMLVideoElement, ObjectDetector: typeof import('../../wasm/index.js').ObjectDetector}} VideoPage
 */

const CAMERA = `${ROOT}build/camera.y4m`;
const SECONDS = process.env.OCELLI_SOAK ? 30 : 6;

suite('video', needsBrowser, () => {
  /** @type {import('playwright-core').Browser} */ let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */ let server;
  before(async () => {
    const files = ['chelsea.png', 'astronaut.png'].map(async (name) =>
      decodeImage(await readFile(`${photos()}/${name}`)),
    );
    writeCameraFile(CAMERA, await Promise.all(files), 15);
    server = await serve();
    browser = await launch([
      ...['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
      `--use-file-for-fake-video-capture=${CAMERA}`,
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
      const { labels, runs, code } = await page.evaluate(async (worker) => {
        const { video, ObjectDetector } = /** @type {VideoPage} */ (/** @type {unknown} */ (globalThis));
        const detector = await ObjectDetector.create({ worker });
        const ending = new AbortController();
        const labels = new Set();
        /** @type {import('../../wasm/types.js').VideoRun[]} */
        const runs = [];
        await detector.detectVideo(
          video,
          (found, run) => {
            for (const { label } of found) labels.add(label);
            runs.push(run);
            if (runs.length >= 20 && labels.size >= 2) ending.abort();
          },
          { signal: ending.signal },
        );
        const looping = detector.detectVideo(video, () => {});
        detector.close();
        await looping;
        const notVideo = /** @type {any} */ (document.body);
        const error = await detector.detectVideo(notVideo, () => {}).catch((/** @type {any} */ e) => e);
        return { labels: [...labels], runs, code: error.code };
      }, worker);
      assert.deepEqual(labels.sort(), ['Cat', 'Person']);
      for (const [i, { width, height, mediaTime, ms }] of runs.entries()) {
        assert.deepEqual([width, height], [640, 480]);
        assert.ok(ms.network > 0);
        assert.ok(i === 0 || mediaTime > runs[i - 1].mediaTime, 'no frame twice');
      }
      assert.equal(code, 'INVALID_INPUT');
      assert.deepEqual(messages, []);
      await page.close();
    });
  }

  test('gives rows of numbers, rejects with what the callback threw, leaves out what did not change', async () => {
    const { page } = await openCamera();
    const { row, thrown, seen } = await page.evaluate(async () => {
      const { video, ObjectDetector } = /** @type {VideoPage} */ (/** @type {unknown} */ (globalThis));
      const detector = await ObjectDetector.create({ worker: true });
      const into = new Float32Array(6 * 4);
      let row = [0];
      const thrown = await detector
        .detectVideo(
          video,
          (count) => {
            if (Number(count) === 0) return;
            row = [...into.subarray(0, 6)];
            throw new Error('enough');
          },
          { into },
        )
        .catch((error) => error.message);
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
      setTimeout(() => ending.abort(), 1500);
      await detector.detectVideo(still, () => seen++, { signal: ending.signal, minChange: 0.5 });
      clearInterval(timer);
      detector.close();
      return { row, thrown, seen };
    });
    const [x, y, width, height, score, labelId] = row;
    assert.ok(x >= 0 && y >= 0 && x + width <= 640.01 && y + height <= 480.01 && score > 0.5);
    assert.ok([3, 7].includes(labelId), 'Person or Cat');
    assert.equal(thrown, 'enough');
    assert.equal(seen, 1);
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
      const loop = detector.detectVideo(video, () => count++, { signal: ending.signal });
      await new Promise((resolve) => setTimeout(resolve, 600));
      const hidden = count;
      isHidden = false;
      document.dispatchEvent(new Event('visibilitychange'));
      while (count < 5) await new Promise((resolve) => setTimeout(resolve, 20));
      ending.abort();
      await loop;
      detector.close();
      return { hidden, shown: count };
    });
    assert.equal(hidden, 0);
    assert.ok(shown >= 5);
    await page.close();
  });

  const skip = isFirefox && 'it tells neither long tasks nor the heap';
  test(`${SECONDS} s in a worker: the page stays free, memory stays as it is`, { skip }, async () => {
    const { page, messages } = await openCamera();
    const client = await page.context().newCDPSession(page);
    const measureHeap = async () => {
      await client.send('HeapProfiler.collectGarbage');
      return (await client.send('Runtime.getHeapUsage')).usedSize;
    };
    await page.evaluate(async () => {
      const { video, ObjectDetector } = /** @type {VideoPage} */ (/** @type {unknown} */ (globalThis));
      const detector = await ObjectDetector.create({ worker: true });
      const state = { runs: 0, longTasks: 0, memory: detector.memoryUse };
      Object.assign(globalThis, { state });
      await detector.detect(video);
      detector.detectVideo(video, () => {
        state.runs++;
        state.memory = detector.memoryUse;
      });
      new PerformanceObserver((list) => (state.longTasks += list.getEntries().length)).observe({
        entryTypes: ['longtask'],
      });
    });
    const read = () => page.evaluate(() => /** @type {any} */ (globalThis).state);
    const wait = (/** @type {number} */ seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));
    await wait(SECONDS / 3);
    const before = { heap: await measureHeap(), ...(await read()) };
    await wait((SECONDS * 2) / 3);
    const after = { ...(await read()), heap: await measureHeap() };
    assert.ok(after.runs > before.runs);
    // On a machine that does other work at the same time, the page's tasks take long too.
    if (process.env.OCELLI_SOAK) assert.equal(after.longTasks, 0, 'tasks of more than 50 ms on the page');
    assert.deepEqual(after.memory, before.memory, 'of the module');
    assert.ok(after.heap < before.heap + 500_000, `of the page: ${before.heap}, then ${after.heap} bytes`);
    assert.deepEqual(messages, [], 'such as of frames that were not closed');
    await page.close();
  });
});
