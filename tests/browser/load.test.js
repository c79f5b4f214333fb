// Loading: progress in bytes, and an end to it.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import manifest from '../../dist/models/manifest.js';
import { launch, needsBrowser, openPage, serve } from './shared.js';

const MODEL_BYTES = manifest.models[0].size_bytes;

suite('loading', needsBrowser, () => {
  /** @type {import('playwright-core').Browser} */ let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */ let server;
  before(async () => {
    browser = await launch();
    server = await serve();
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });

  for (const worker of [false, true]) {
    test(`tells its progress and can be cancelled, worker: ${worker}`, async () => {
      const { page, warnings } = await openPage(browser, `${server.url}/blank.html`);
      const { progress, reasons, label } = await page.evaluate(async (worker) => {
        // @ts-expect-error the page's
        const { ObjectDetector } = await import('/ocelli/dist/web/browser.js');
        /** @type {{loaded: number, total: number}[]} */
        const progress = [];
        const reasons = [];
        const cancelling = new AbortController();
        const cancelled = {
          worker,
          signal: cancelling.signal,
          onProgress: () => cancelling.abort('first bytes'),
        };
        reasons.push(await ObjectDetector.create(cancelled).catch((/** @type {unknown} */ reason) => reason));
        const late = { worker, signal: AbortSignal.abort('before') };
        reasons.push(await ObjectDetector.create(late).catch((/** @type {unknown} */ reason) => reason));
        const detector = await ObjectDetector.create({
          worker,
          onProgress: (/** @type {typeof progress[0]} */ step) => progress.push(step),
        });
        const photo = await (await fetch('/photos/chelsea.png')).blob();
        const [{ label }] = (await detector.detect(photo)).detections;
        // An answer that is still awaited when the detector is closed
        const awaited = detector.detect(photo).catch((/** @type {any} */ error) => error.code);
        detector.close();
        reasons.push(
          await awaited,
          await detector.detect(photo).catch((/** @type {any} */ error) => error.code),
        );
        return { progress, reasons, label };
      }, worker);
      assert.deepEqual(reasons, ['first bytes', 'before', 'CLOSED', 'CLOSED']);
      assert.equal(label, 'Cat');
      assert.ok(progress.length > 2);
      assert.ok(progress.every(({ loaded }, i) => i === 0 || loaded > progress[i - 1].loaded));
      assert.deepEqual(progress.at(-1), { loaded: MODEL_BYTES, total: MODEL_BYTES });
      assert.deepEqual(warnings, []);
      await page.close();
    });
  }
});
