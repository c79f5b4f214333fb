// Loading: progress in bytes, and an end to it; compressed weights.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { launch, needsBrowser, openPage, ROOT, serve } from './shared.js';

const COMPRESSED = readFileSync(new URL('../../dist/models/ssd_mobilenet_v2_oidv4.gz', import.meta.url));
const INFLATED = gunzipSync(COMPRESSED);
const FILES = `${ROOT}build/load`;

suite('loading', needsBrowser, () => {
  /** @type {import('playwright-core').Browser} */ let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */ let server;
  before(async () => {
    mkdirSync(FILES, { recursive: true });
    writeFileSync(`${FILES}/inflated.gz`, INFLATED);
    writeFileSync(`${FILES}/cut.gz`, COMPRESSED.subarray(0, 2_000_000));
    browser = await launch();
    server = await serve({ roots: { '/files/': FILES } });
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
      assert.deepEqual(progress.at(-1), { loaded: COMPRESSED.length, total: COMPRESSED.length });
      assert.deepEqual(warnings, []);
      await page.close();
    });
  }

  test('compressed weights: as they are, inflated by the server already, and cut short', async () => {
    const { page, warnings } = await openPage(browser, `${server.url}/blank.html`);
    const found = await page.evaluate(async () => {
      // @ts-expect-error the page's
      const { ObjectDetector } = await import('/ocelli/dist/web/browser.js');
      const photo = await (await fetch('/photos/chelsea.png')).blob();
      /** @param {{model?: string, worker?: boolean, weights?: string}} options */
      const detect = async (options) => {
        let last;
        const onProgress = (/** @type {{loaded: number}} */ { loaded }) => (last = loaded);
        const detector = await ObjectDetector.create({ ...options, onProgress });
        const { detections } = await detector.detect(photo);
        detector.close();
        return { detections, last };
      };
      const packaged = '/ocelli/dist/models/ssd_mobilenet_v2_oidv4';
      return {
        plain: await detect({}),
        inWorker: await detect({ worker: true }),
        byName: await detect({ model: `${packaged}.gz` }),
        full: await detect({ weights: 'full' }),
        fullByName: await detect({ model: `${packaged}.bin` }),
        inflated: await detect({ model: '/files/inflated.gz' }),
        code: await detect({ model: '/files/cut.gz' }).catch((/** @type {any} */ error) => error.code),
      };
    });
    assert.equal(found.plain.detections[0].label, 'Cat');
    assert.equal(found.plain.last, COMPRESSED.length);
    assert.deepEqual([found.inWorker, found.byName], [found.plain, found.plain]);
    assert.equal(found.full.last, 9987728);
    assert.deepEqual(found.full, found.fullByName);
    assert.notDeepEqual(found.full.detections, found.plain.detections);
    assert.deepEqual(found.inflated, { detections: found.plain.detections, last: INFLATED.length });
    assert.equal(found.code, 'MODEL_TRUNCATED');
    assert.deepEqual(warnings, []);
    await page.close();
  });
});
