// detect with tiles in a page: of a canvas as of its pixels, and its code is loaded only then.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { launch, needsBrowser, openPage, serve } from './shared.js';

suite('tiles', needsBrowser, () => {
  /** @type {import('playwright-core').Browser} */ let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */ let server;
  before(async () => {
    server = await serve();
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });

  for (const worker of [false, true])
    test(`a canvas is seen as its pixels are, worker: ${worker}`, async () => {
      const { page, warnings, requests } = await openPage(browser, `${server.url}/blank.html`);
      const { canvas, pixels, plain } = await page.evaluate(async (worker) => {
        const path = '/ocelli/dist/web/browser.js';
        const { ObjectDetector } = /** @type {typeof import('../../wasm/vision/index.js')} */ (
          await import(path)
        );
        const photo = Object.assign(new Image(), { src: '/photos/astronaut.png' });
        await photo.decode();
        const element = Object.assign(document.createElement('canvas'), { width: 512, height: 512 });
        const context = /** @type {CanvasRenderingContext2D} */ (element.getContext('2d'));
        context.drawImage(photo, 0, 0);
        const { data } = context.getImageData(0, 0, 512, 512);
        const detector = await ObjectDetector.create({ worker, deterministic: true, scoreThreshold: 0.3 });
        const plain = (await detector.detect(element)).tiles;
        const loaded = performance.getEntriesByType('resource').some(({ name }) => name.includes('/tiles/'));
        const options = { tiles: { size: 300 } };
        const canvas = await detector.detect(element, options);
        const pixels = await detector.detect({ data, width: 512, height: 512 }, options);
        detector.close();
        return { canvas, pixels, plain: [plain, loaded] };
      }, worker);
      assert.deepEqual(plain, [undefined, false]);
      assert.equal(canvas.tiles, 4);
      assert.ok(canvas.detections.length > 0);
      assert.deepEqual(canvas.detections, pixels.detections);
      assert.equal(requests.filter((url) => url.includes('/tiles/')).length, 1);
      assert.deepEqual(warnings, []);
      await page.close();
    });
});
