// Quantizing inside a page: the same file as in Node, to the byte.
import assert from 'node:assert/strict';
import { build as bundle } from 'esbuild';
import { after, before, suite, test } from 'node:test';
import { quantize } from '../../wasm/quantize/node.js';
import { build, complete } from '../node/engine/convolution.js';
import { launch, needsBrowser, openPage, ROOT, serve } from './shared.js';

const OUT = `${ROOT}build/browser-quantize`;
const SIZE = 12;
/** The range of the network's input: of images in [-1, 1]. */
const OPTIONS = {
  ...{ input: { scale: 2 / 255, offset: -1, resize: /** @type {const} */ ('half-pixel') } },
  report: false,
};

const images = () =>
  Array.from({ length: 6 }, (_, seed) => ({
    data: Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, i) => (i * (seed + 3) * 37 + seed * 11) % 256),
    ...{ width: SIZE, height: SIZE, channels: /** @type {const} */ (3) },
  }));

suite('ocelli/quantize in a page', needsBrowser, () => {
  /** @type {import('playwright-core').Browser} */ let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */ let server;
  before(async () => {
    const entryPoints = [`${ROOT}build/package/wasm/quantize/browser.js`];
    await bundle({ entryPoints, bundle: true, format: 'esm', outdir: OUT, external: ['*.wasm'] });
    server = await serve({ roots: { '/bundle/': OUT, '/dist/': `${ROOT}build/package/dist` } });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });

  test('makes the same file as Node', async () => {
    const { model } = build(complete({ size: [SIZE, SIZE], channels: 3, outputs: 8, activation: 'RELU6' }));
    const { page } = await openPage(browser, `${server.url}/blank.html`);
    const given = {
      model: Array.from(model),
      images: images().map(({ data, ...rest }) => ({ ...rest, data: Array.from(data) })),
      options: OPTIONS,
    };
    const made = await page.evaluate(async ({ model, images, options }) => {
      const entry = '/bundle/browser.js';
      const { quantize } = await import(entry);
      const pixels = images.map((image) => ({ ...image, data: Uint8Array.from(image.data) }));
      return Array.from((await quantize(Uint8Array.from(model), pixels, options)).model);
    }, given);
    const { model: expected } = await quantize(model, images(), OPTIONS);
    assert.deepEqual(Uint8Array.from(/** @type {number[]} */ (made)), new Uint8Array(expected));
  });
});
