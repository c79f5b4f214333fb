// Pools in pages, cross-origin isolated or not: parallel calls, the queue, single calls that end, workers that fail.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { ISOLATION } from '../../tools/serve.js';
import { launch, needsBrowser, openPage, serve } from './shared.js';

suite('pools', needsBrowser, () => {
  /** @type {import('playwright-core').Browser} */ let browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());

  for (const [name, headers] of Object.entries({ plain: {}, isolated: ISOLATION }))
    suite(`on a page that is ${name}`, () => {
      /** @type {Awaited<ReturnType<typeof serve>>} */ let server;
      before(async () => {
        server = await serve({ headers });
      });
      after(() => server?.close());

      test('every instance answers as the page does; the model is fetched once', async () => {
        const { page, requests, warnings } = await openPage(browser, `${server.url}/blank.html`);
        const { here, there, codes, uses, counts } = await page.evaluate(async () => {
          // @ts-expect-error the page's
          const { ObjectDetector } = await import('/ocelli/dist/web/browser.js');
          /** Runs that were asked of each worker. @type {number[]} */
          const counts = [];
          const { postMessage } = Worker.prototype;
          /** @type {Worker[]} */ const workers = [];
          Worker.prototype.postMessage = function (/** @type {any} */ message, /** @type {any} */ transfer) {
            if (!workers.includes(this)) workers.push(this);
            const i = workers.indexOf(this);
            counts[i] ??= 0;
            if (message.name === 'run') counts[i]++;
            postMessage.call(this, message, transfer);
          };
          const options = { scoreThreshold: 0.3, deterministic: true };
          const pool = await ObjectDetector.create({ ...options, pool: 2, maxQueue: 2 });
          const photo = await (await fetch('/photos/astronaut.png')).blob();
          const canvas = new OffscreenCanvas(400, 400);
          const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d'));
          context.drawImage(await createImageBitmap(photo), 0, 0, 400, 400);
          const calls = [photo, canvas, canvas, photo].map((input) =>
            pool.detect(input).then((/** @type {any} */ { detections }) => detections),
          );
          const codes = [
            await pool.detect(photo).catch((/** @type {any} */ error) => error.code),
            await pool.detect(photo, { signal: AbortSignal.abort('before') }).catch(String),
          ];
          context.clearRect(0, 0, 400, 400); // the calls have the picture already
          const there = await Promise.all(calls);
          const uses = [pool.memoryUse.totalBytes];
          pool.close();
          const detector = await ObjectDetector.create(options);
          context.drawImage(await createImageBitmap(photo), 0, 0, 400, 400);
          const here = [];
          for (const input of [photo, canvas, canvas, photo])
            here.push((await detector.detect(input)).detections);
          uses.push(detector.memoryUse.totalBytes);
          detector.close();
          return { here, there, codes, uses, counts };
        });
        assert.deepEqual(there, here);
        assert.ok(here[0].length > 0 && here[1].length > 0);
        assert.deepEqual(codes, ['QUEUE_FULL', 'before']);
        assert.ok(counts.length === 2 && counts.every((count) => count > 0), String(counts));
        assert.ok(uses[0] > 1.5 * uses[1], String(uses));
        assert.equal(requests.filter((url) => url.endsWith('ssd_mobilenet_v2_oidv4.gz')).length, 2);
        assert.deepEqual(warnings, []);
        await page.close();
      });

      test('a call ends with its signal or its time; a failed worker is replaced', async () => {
        const { page } = await openPage(browser, `${server.url}/blank.html`);
        const said = await page.evaluate(async () => {
          // @ts-expect-error the page's
          const { ObjectDetector } = await import('/ocelli/dist/web/browser.js');
          /** @type {Set<Worker>} */ const workers = new Set();
          const { postMessage } = Worker.prototype;
          let posted = () => {};
          Worker.prototype.postMessage = function (/** @type {any} */ message, /** @type {any} */ transfer) {
            workers.add(this);
            postMessage.call(this, message, transfer);
            if (message.name === 'run') posted();
          };
          const detector = await ObjectDetector.create({ scoreThreshold: 0.3, pool: 1 });
          const photo = await (await fetch('/photos/chelsea.png')).blob();
          const image = document.createElement('canvas');
          const label = async () => (await detector.detect(photo)).detections[0].label;
          const codeOf = (/** @type {Promise<unknown>} */ call) => call.catch((error) => error.code ?? error);
          const controller = new AbortController();
          const running = codeOf(detector.detect(photo, { signal: controller.signal }));
          const waiting = codeOf(detector.detect(image, { signal: controller.signal }));
          await new Promise((resolve) => (posted = () => resolve(undefined)));
          controller.abort('enough');
          const said = [await running, await waiting, await label()];
          said.push(await codeOf(detector.detect(photo, { timeoutMs: 0.01 })), await label());
          const lost = codeOf(detector.detect(photo));
          await new Promise((resolve) => (posted = () => resolve(undefined)));
          const [worker] = workers;
          worker.dispatchEvent(new ErrorEvent('error', { message: 'out of memory' }));
          said.push(await lost, await label(), workers.size);
          const closed = codeOf(detector.detect(photo));
          detector.close();
          said.push(await closed);
          return said;
        });
        const expected = ['enough', 'enough', 'Cat', 'TIMEOUT', 'Cat', 'WORKER_LOST', 'Cat', 2, 'CLOSED'];
        assert.deepEqual(said, expected);
        await page.close();
      });
    });

  test('with threads, on a page that is isolated', async (t) => {
    const server = await serve({ headers: ISOLATION });
    t.after(() => server.close());
    const { page, warnings } = await openPage(browser, `${server.url}/blank.html`);
    const { variant, labels } = await page.evaluate(async () => {
      // @ts-expect-error the page's
      const { ObjectDetector } = await import('/ocelli/dist/web/browser.js');
      const detector = await ObjectDetector.create({ pool: 2, threads: 2 });
      const photo = await (await fetch('/photos/chelsea.png')).blob();
      const found = await Promise.all([1, 2, 3].map(() => detector.detect(photo)));
      const { variant } = detector;
      detector.close();
      return { variant, labels: found.map(({ detections }) => detections[0].label) };
    });
    assert.equal(variant.threads, 2);
    assert.deepEqual(labels, ['Cat', 'Cat', 'Cat']);
    assert.deepEqual(warnings, []);
    await page.close();
  });

  test('a thread that does not start ends a call with its code', async (t) => {
    const server = await serve({ headers: ISOLATION });
    t.after(() => server.close());
    const { page } = await openPage(browser, `${server.url}/blank.html`);
    const code = await page.evaluate(async () => {
      // @ts-expect-error the page's
      const { ObjectDetector } = await import('/ocelli/dist/web/browser.js');
      const { postMessage } = Worker.prototype;
      Worker.prototype.postMessage = function (/** @type {any} */ message, /** @type {any} */ transfer) {
        const damaged = message.thread ? { thread: { ...message.thread, module: undefined } } : message;
        postMessage.call(this, damaged, transfer);
      };
      const photo = await (await fetch('/photos/chelsea.png')).blob();
      try {
        const detector = await ObjectDetector.create({ threads: 2 });
        for (;;) await detector.detect(photo);
      } catch (error) {
        return /** @type {any} */ (error).code;
      }
    });
    assert.equal(code, 'THREADS_UNAVAILABLE');
    await page.close();
  });
});
