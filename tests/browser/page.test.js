// A page with an import map, from the packed package: the page gets what Node gets, on the page and in a worker.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, suite, test } from 'node:test';
import { ObjectDetector } from '../../wasm/platform/node.js';
import { ISOLATION } from '../../tools/serve.js';
import { launch, needsBrowser, openPage, photos, serve } from './shared.js';

/** @typedef {{worker?: boolean, threads?: number, deterministic?: boolean, scoreThreshold?: number}} Options */

const PHOTO = 'chelsea.png';
const CYCLES = process.env.OCELLI_SOAK ? 200 : 10;

/** @param {Options} options */
async function detectInNode(options) {
  const detector = await ObjectDetector.create(options);
  const found = await detector.detectTensors(await readFile(`${photos()}/${PHOTO}`));
  detector.close();
  return plain(found);
}

/** @param {Awaited<ReturnType<ObjectDetector['detectTensors']>>} tensors */
function plain({ detection_boxes, detection_scores, detection_class_entities }) {
  return { boxes: [...detection_boxes], scores: [...detection_scores], names: detection_class_entities };
}

/**
 * @param {import('playwright-core').Page} page
 * @param {Options} options
 */
function detectInPage(page, options) {
  return page.evaluate(async ([photo, options]) => {
    const { ObjectDetector } =
      /** @type {{ObjectDetector: typeof import('../../wasm/vision/index.js').ObjectDetector}} */ (
        /** @type {unknown} */ (globalThis)
      );
    const detector = await ObjectDetector.create(options);
    const image = await (await fetch(`photos/${photo}`)).blob();
    const { detection_boxes, detection_scores, detection_class_entities, size } =
      await detector.detectTensors(image);
    const { variant, memoryUse } = detector;
    detector.close();
    return {
      found: {
        boxes: [...detection_boxes],
        scores: [...detection_scores],
        names: detection_class_entities,
      },
      ...{ variant, memoryUse, size },
    };
  }, /** @type {const} */ ([PHOTO, options]));
}

suite('a page with an import map', needsBrowser, () => {
  /** @type {import('playwright-core').Browser} */ let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */ let plainServer;
  /** @type {Awaited<ReturnType<typeof serve>>} */ let isolatingServer;
  before(async () => {
    browser = await launch();
    plainServer = await serve();
    isolatingServer = await serve({ headers: ISOLATION });
  });
  after(async () => {
    await browser?.close();
    plainServer?.close();
    isolatingServer?.close();
  });

  const everything = { scoreThreshold: 0.05, deterministic: true };
  for (const worker of [false, true]) {
    test(`${worker ? 'in a worker' : 'on the page'}: bit for bit what Node finds`, async () => {
      const { page, warnings, requests } = await openPage(browser, plainServer.url);
      const { found, variant, memoryUse, size } = await detectInPage(page, { ...everything, worker });
      assert.deepEqual(found, await detectInNode(everything));
      assert.ok(found.names.includes('Cat'));
      assert.deepEqual(variant, { name: 'simd', threads: 1 });
      assert.deepEqual(size, { width: 451, height: 300 });
      assert.ok(memoryUse.liveBytes > 1e7 && memoryUse.totalBytes > memoryUse.liveBytes);
      assert.equal(requests.filter((url) => url.endsWith('.wasm')).length, 1);
      assert.ok(
        requests.every((url) => url.startsWith(plainServer.url) || url.startsWith('data:')),
        requests.join(),
      );
      assert.deepEqual(warnings, []);
      await page.close();
    });
  }

  test('threads where the page is isolated', async () => {
    const { page, warnings } = await openPage(browser, isolatingServer.url);
    const { found, variant } = await detectInPage(page, { ...everything, threads: 2 });
    assert.deepEqual(variant, { name: 'simd-threads', threads: 2 });
    assert.deepEqual(found, await detectInNode({ ...everything, threads: 2 }));
    assert.deepEqual(warnings, []);
    await page.close();
  });

  test(`threads are started again and again: ${CYCLES} times`, async () => {
    const { page } = await openPage(browser, isolatingServer.url);
    const count = await page.evaluate(async (cycles) => {
      const { ObjectDetector } =
        /** @type {{ObjectDetector: typeof import('../../wasm/vision/index.js').ObjectDetector}} */ (
          /** @type {unknown} */ (globalThis)
        );
      let count = 0;
      for (; count < cycles; count++) (await ObjectDetector.create({ threads: 2 })).close();
      return count;
    }, CYCLES);
    assert.equal(count, CYCLES);
    await page.close();
  });

  test('one thread, and one notice, where it is not', async () => {
    const { page, warnings } = await openPage(browser, plainServer.url);
    for (const worker of [false, true, false]) {
      const { found, variant } = await detectInPage(page, { ...everything, threads: 2, worker });
      assert.deepEqual(variant, { name: 'simd', threads: 1 });
      assert.deepEqual(found, await detectInNode(everything));
    }
    assert.equal(warnings.length, 1);
    assert.match(warnings[0], /cross-origin isolated/);
    await page.close();
  });
});
