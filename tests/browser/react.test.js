// The hooks of the packed package, under React's StrictMode, which creates, closes and creates again.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { build } from 'esbuild';
import { launch, needsBrowser, openPage, PACKAGE, ROOT, serve } from './shared.js';

const FILES = `${ROOT}build/react`;
const LIBRARY = '/ocelli/dist/web/browser.js';
/** Shows what the hooks say; the page tells it what to render. */
const APP = `
  import { createElement, StrictMode, useRef } from 'react';
  import { createRoot } from 'react-dom/client';
  import { useDetections, useDetector } from 'ocelli/react';
  function Detector({ options }) {
    globalThis.state = useDetector(options);
    return null;
  }
  function Video({ stream, options }) {
    const ref = useRef(null);
    globalThis.state = useDetections(ref, options);
    const start = (video) => {
      ref.current = video;
      if (video && video.srcObject !== stream) Object.assign(video, { srcObject: stream }).play();
    };
    return createElement('video', { ref: start, muted: true });
  }
  const root = createRoot(document.body);
  globalThis.show = (name, props) =>
    root.render(createElement(StrictMode, null, name && createElement({ Detector, Video }[name], props)));
`;

/**
 * @typedef {{state: any, show: (name?: string, props?: object) => void, created: any[]}} AppPage
 */

suite('the hooks for React', needsBrowser, () => {
  /** @type {import('playwright-core').Browser} */ let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */ let server;
  before(async () => {
    mkdirSync(FILES, { recursive: true });
    await build({
      stdin: { contents: APP, resolveDir: ROOT },
      outfile: `${FILES}/app.js`,
      bundle: true,
      format: 'esm',
      define: { 'process.env.NODE_ENV': '"development"' },
      logLevel: 'error',
      alias: { 'ocelli/react': `${PACKAGE}/dist/react/index.js` },
      plugins: [
        {
          name: 'the served library',
          setup: ({ onResolve }) =>
            onResolve({ filter: /web\/browser\.js$/ }, () => ({ path: LIBRARY, external: true })),
        },
      ],
    });
    server = await serve({ roots: { '/app/': FILES } });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });

  async function open() {
    const opened = await openPage(browser, `${server.url}/blank.html`);
    await opened.page.evaluate(async (library) => {
      const { ObjectDetector } = await import(library);
      /** @type {any[]} */
      const created = [];
      const { create } = ObjectDetector;
      ObjectDetector.create = async (/** @type {any[]} */ ...args) => {
        const detector = await create.apply(ObjectDetector, args);
        created.push(detector);
        return detector;
      };
      Object.assign(globalThis, { created });
      const app = '/app/app.js';
      await import(app);
    }, LIBRARY);
    return opened;
  }

  /** How many of the detectors that were created are closed. @param {import('playwright-core').Page} page */
  const countClosed = (page) =>
    page.evaluate(async () => {
      const { created } = /** @type {AppPage} */ (/** @type {unknown} */ (globalThis));
      const picture = new ImageData(8, 8);
      const codes = await Promise.all(
        created.map((each) => each.detect(picture).catch((/** @type {any} */ error) => error.code)),
      );
      return { open: codes.filter((code) => code !== 'CLOSED').length, created: codes.length };
    });

  /** @param {import('playwright-core').Page} page @param {string} name @param {object} props */
  const show = (page, name, props) =>
    page.evaluate(
      ([name, props]) =>
        /** @type {AppPage} */ (/** @type {unknown} */ (globalThis)).show(
          /** @type {string} */ (name),
          /** @type {object} */ (props),
        ),
      /** @type {[string, object]} */ ([name, props]),
    );

  test('one detector is open while the component is shown, and none afterwards', async () => {
    const { page } = await open();
    const options = { classes: { allow: ['Cat'] } };
    await show(page, 'Detector', { options });
    await page.waitForFunction(() => /** @type {any} */ (globalThis).state?.detector);
    const first = await countClosed(page);
    assert.equal(first.open, 1);
    await show(page, 'Detector', { options: { classes: { allow: ['Cat'] } } });
    assert.deepEqual(await countClosed(page), first, 'equal options start nothing anew');
    await show(page, 'Detector', { options: { classes: { allow: ['No such class'] } } });
    await page.waitForFunction(() => /** @type {any} */ (globalThis).state?.error?.code === 'UNKNOWN_CLASS');
    assert.equal((await countClosed(page)).open, 0);
    await show(page, 'Detector', { options: {} });
    await page.waitForFunction(() => /** @type {any} */ (globalThis).state?.detector);
    assert.equal((await countClosed(page)).open, 1);
    await show(page, '', {});
    await page.waitForFunction(() => document.body.childElementCount === 0);
    assert.equal((await countClosed(page)).open, 0);
    await page.close();
  });

  test('finds what a video shows, and lets go of it', async () => {
    const { page } = await open();
    await page.evaluate(async () => {
      const { show } = /** @type {AppPage} */ (/** @type {unknown} */ (globalThis));
      const cat = Object.assign(new Image(), { src: '/photos/chelsea.png' });
      await cat.decode();
      const canvas = Object.assign(document.createElement('canvas'), { width: 451, height: 300 });
      const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
      setInterval(() => context.drawImage(cat, 0, 0), 50);
      show('Video', { stream: canvas.captureStream(), options: { scoreThreshold: 0.4 } });
    });
    await page.waitForFunction(() => /** @type {any} */ (globalThis).state?.detections[0]?.label === 'Cat');
    assert.equal((await countClosed(page)).open, 1);
    await show(page, '', {});
    await page.waitForFunction(() => document.body.childElementCount === 0);
    assert.equal((await countClosed(page)).open, 0);
    await page.close();
  });
});
