// drawDetections on the contexts of a page's canvas and of an OffscreenCanvas: the same boxes as on pixels.
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { launch, needsBrowser, openPage, serve } from './shared.js';

suite('drawing', needsBrowser, () => {
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

  test('a canvas, an OffscreenCanvas and pixels have the same boxes', async () => {
    const { page, warnings } = await openPage(browser, `${server.url}/blank.html`);
    const { alike, differing, inked, state } = await page.evaluate(async () => {
      const path = '/ocelli/wasm/draw/draw.js';
      const { drawDetections } = /** @type {typeof import('../../wasm/draw/draw.js')} */ (await import(path));
      const [width, height] = [320, 240];
      const detections = [
        { label: 'Dog', labelId: 2, score: 0.9, trackId: 4, box: { x: 40, y: 60, width: 90, height: 120 } },
        { label: 'Cat', labelId: 1, score: 0.4, box: { x: 180.5, y: 100.2, width: 60, height: 50 } },
      ];
      const pixels = {
        data: new Uint8ClampedArray(width * height * 4),
        width,
        height,
        channels: /** @type {const} */ (4),
      };
      drawDetections(pixels, detections);
      const canvas = Object.assign(document.createElement('canvas'), { width, height });
      const contexts = [canvas, new OffscreenCanvas(width, height)].map(
        (each) => /** @type {CanvasRenderingContext2D} */ (each.getContext('2d')),
      );
      const [page, offscreen] = contexts.map((context) => {
        context.font = '7px serif';
        drawDetections(context, detections);
        return context.getImageData(0, 0, width, height).data;
      });
      const state = contexts.map(({ font, globalAlpha }) => [font, globalAlpha]);
      let [alike, differing, inked] = [0, 0, 0];
      for (let i = 0; i < page.length; i += 4) {
        for (let c = 0; c < 4; c++) if (page[i + c] !== offscreen[i + c]) differing++;
        const y = Math.floor(i / 4 / width);
        // Tags are above the boxes, and their letters differ.
        const isLower = y > 110;
        if (!isLower || pixels.data[i + 3] === 0) continue;
        inked++;
        if ([0, 1, 2, 3].every((c) => page[i + c] === pixels.data[i + c])) alike++;
      }
      return { alike, differing, inked, state };
    });
    assert.equal(differing, 0);
    assert.ok(inked > 500 && alike === inked, `${alike} of ${inked}`);
    assert.deepEqual(state, Array(2).fill(['7px serif', 1]));
    assert.deepEqual(warnings, []);
    await page.close();
  });
});
