// <ocelli-detector> in the packed package: what it finds, draws, says and fires, and what it gives back when it ends.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { check } from './axe.js';
import { STREET, writeStreetFile, writeStreetVideo } from './camera.js';
import { browserName, launchWithCamera, needsBrowser, openPage, ROOT, SCREENSHOTS, serve } from './shared.js';

/**
 * @typedef {import('../../wasm/element/element.js').OcelliDetectorElement} Element
 * @typedef {{element: Element, log: string[], next: (type: string) => Promise<any>}} ElementPage
 */

const FILES = `${ROOT}build/element`;
const CAMERA = `${FILES}/camera.y4m`;

suite('the element', needsBrowser, () => {
  /** @type {import('playwright-core').Browser} */ let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */ let server;
  before(async () => {
    mkdirSync(FILES, { recursive: true });
    mkdirSync(SCREENSHOTS, { recursive: true });
    if (browserName === 'chromium') writeStreetFile(CAMERA);
    writeStreetVideo(`${FILES}/street.webm`);
    server = await serve({ roots: { '/files/': FILES } });
    browser = await launchWithCamera(CAMERA, ['--use-fake-ui-for-media-stream']);
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });

  /** @param {Record<string, string>} attributes */
  async function open(attributes) {
    const opened = await openPage(browser, `${server.url}/element.html`);
    await opened.page.evaluate((attributes) => {
      const { element } = /** @type {ElementPage} */ (/** @type {unknown} */ (globalThis));
      for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
      document.querySelector('main')?.append(element);
    }, attributes);
    return opened;
  }

  /**
   * The next event of this type, after the attributes are set.
   * @param {import('playwright-core').Page} page
   * @param {string} type
   * @param {Record<string, string | null>} [attributes] null: none
   */
  const eventAfter = (page, type, attributes = {}) =>
    page.evaluate(async ([type, attributes]) => {
      const { element, next } = /** @type {ElementPage} */ (/** @type {unknown} */ (globalThis));
      const event = next(/** @type {string} */ (type));
      for (const [name, value] of Object.entries(attributes)) {
        if (value === null) element.removeAttribute(name);
        else element.setAttribute(name, value);
      }
      const { detail, error } = await event;
      const labels = detail?.detections?.map((/** @type {any} */ each) => each.label);
      return { labels, code: error?.code, name: error?.name };
    }, /** @type {[string, Record<string, string | null>]} */ ([type, attributes]));

  /** @param {import('playwright-core').Page} page */
  const statusOf = (page) =>
    page.evaluate(() => {
      const { element } = /** @type {ElementPage} */ (/** @type {unknown} */ (globalThis));
      const status = element.shadowRoot?.querySelector('[role=status]');
      return String(status?.textContent);
    });

  /** @param {import('playwright-core').Page} page @param {string} type of an event, which may have been fired */
  const waitFor = (page, type) =>
    page.evaluate(async (type) => {
      const { log, next } = /** @type {ElementPage} */ (/** @type {unknown} */ (globalThis));
      if (!log.includes(type)) await next(type);
    }, type);

  test('finds what a picture shows, as detect does, and draws it as drawDetections does', async () => {
    const { page, warnings } = await open({ src: 'photos/chelsea.png' });
    await waitFor(page, 'detections');
    const { log, alike, inked, found, expected } = await page.evaluate(async () => {
      const { element, log } = /** @type {ElementPage} */ (/** @type {unknown} */ (globalThis));
      const drawPath = '/ocelli/wasm/draw/draw.js';
      const { drawDetections } = /** @type {typeof import('../../wasm/draw/draw.js')} */ (
        await import(drawPath)
      );
      const path = '/ocelli/dist/web/browser.js';
      const { ObjectDetector } = /** @type {typeof import('../../wasm/vision/index.js')} */ (
        await import(path)
      );
      const detector = await ObjectDetector.create();
      const { detections, size } = await detector.detect('photos/chelsea.png');
      const canvas = /** @type {HTMLCanvasElement} */ (element.shadowRoot?.querySelector('canvas'));
      const { width, height } = canvas;
      const own = document.createElement('canvas');
      const context = /** @type {CanvasRenderingContext2D} */ (
        Object.assign(own, { width, height }).getContext('2d')
      );
      drawDetections(context, detections, {
        scale: width / size.width,
        fontSize: 14 * devicePixelRatio,
        lineWidth: 3 * devicePixelRatio,
      });
      const [seen, wanted] = [canvas.getContext('2d'), context].map(
        (each) => /** @type {CanvasRenderingContext2D} */ (each).getImageData(0, 0, width, height).data,
      );
      let [alike, inked] = [0, 0];
      for (let i = 0; i < seen.length; i++) {
        if (wanted[i] !== 0) inked++;
        if (wanted[i] === seen[i]) alike++;
      }
      return { log, alike: alike === seen.length, inked, found: element.detections, expected: detections };
    });
    assert.deepEqual(log, ['ready', 'detections']);
    assert.deepEqual(found, expected);
    assert.ok(alike && inked > 500, `${inked} values drawn, alike: ${alike}`);
    assert.equal(await statusOf(page), 'Cat');
    assert.deepEqual(warnings, []);
    await page.screenshot({ path: `${SCREENSHOTS}/element-${browserName}.png` });
    await page.close();
  });

  test('changed attributes take effect, errors are events, and the element works on', async () => {
    const { page } = await open({ src: 'photos/astronaut.png', classes: 'Person, 99999' });
    const broken = await eventAfter(page, 'error');
    assert.equal(broken.code, 'UNKNOWN_CLASS');
    const { labels } = await eventAfter(page, 'detections', { classes: 'Person', threshold: '0.25' });
    assert.deepEqual([...new Set(labels)], ['Person']);
    assert.ok(labels.length >= 2);
    assert.equal(await statusOf(page), `${labels.length} × Person`);
    const fewer = await eventAfter(page, 'detections', { threshold: '0.99' });
    assert.deepEqual(fewer.labels, []);
    assert.equal(await statusOf(page), 'Nothing found');
    for (const threshold of ['', 'half', '2'])
      assert.equal((await eventAfter(page, 'error', { threshold })).code, 'INVALID_OPTION', threshold);
    for (const src of ['nowhere.png', 'element.html', 'http://[', 'ftp://host/cat.png'])
      assert.equal((await eventAfter(page, 'error', { src, threshold: null })).code, 'IMAGE_NOT_FOUND', src);
    assert.match(await statusOf(page), /cannot/);
    assert.equal((await eventAfter(page, 'error', { model: 'nowhere.tflite' })).code, 'MODEL_NOT_FOUND');
    const cat = { model: null, classes: null, src: 'photos/chelsea.png' };
    assert.deepEqual((await eventAfter(page, 'detections', cat)).labels, ['Cat']);
    assert.equal(await statusOf(page), 'Cat');
    await page.close();
  });

  test('keys walk through the objects, and each is said', async () => {
    const { page } = await open({ src: 'photos/astronaut.png', threshold: '0.25' });
    const { labels } = await (async () => {
      await waitFor(page, 'detections');
      return page.evaluate(() => {
        const { element } = /** @type {ElementPage} */ (/** @type {unknown} */ (globalThis));
        return { labels: element.detections.map(({ label }) => label) };
      });
    })();
    const all = await statusOf(page);
    await page.keyboard.press('Tab');
    /** @type {string[]} */
    const said = [];
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowLeft', 'ArrowLeft', 'Escape']) {
      await page.keyboard.press(key);
      said.push(await statusOf(page));
    }
    const count = labels.length;
    assert.ok(count >= 3);
    const expected = [0, 1, 0, count - 1].map((i) => `^${labels[i]}, \\d+ %, ${i + 1} of ${count}$`);
    expected.forEach((pattern, i) => assert.match(said[i], new RegExp(pattern)));
    assert.equal(said[4], all);
    await page.close();
  });

  test('plays a video and numbers its objects, and gives everything back when it is removed', async () => {
    const { page } = await open({ src: 'files/street.webm', track: '', threshold: '0.2' });
    const { size, code, isMoved, events, detections } = await page.evaluate(async () => {
      const { element, next, log } = /** @type {ElementPage} */ (/** @type {unknown} */ (globalThis));
      await next('ready');
      const { detector } = element;
      await next('detections');
      const video = /** @type {HTMLVideoElement} */ (element.shadowRoot?.querySelector('video'));
      video.loop = true;
      /** @type {any} */ let result;
      do result = (await next('detections')).detail;
      while (!result.detections.some((/** @type {any} */ { trackId }) => trackId !== undefined));
      document.body.append(element);
      await next('detections');
      const isMoved = element.detector === detector;
      element.remove();
      await null;
      const code = await detector?.detect(new Blob()).catch((error) => error.code);
      const events = log.filter((type) => type === 'ready' || type === 'error');
      return { size: result.size, code, isMoved, events, detections: element.detections.length };
    });
    assert.deepEqual(size, STREET);
    assert.ok(isMoved);
    assert.equal(code, 'CLOSED');
    assert.deepEqual(events, ['ready']);
    assert.equal(detections, 0);
    await page.close();
  });

  test('watches the camera, pauses and resumes, and lets go of it', async () => {
    const { page } = await open({ camera: 'user' });
    const { isPaused, isResumed, state, isMirrored } = await page.evaluate(async () => {
      const { element, next } = /** @type {ElementPage} */ (/** @type {unknown} */ (globalThis));
      await next('detections');
      const video = /** @type {HTMLVideoElement} */ (element.shadowRoot?.querySelector('video'));
      const button = /** @type {HTMLButtonElement} */ (element.shadowRoot?.querySelector('button'));
      const turn = (/** @type {string} */ type) => {
        const turned = new Promise((resolve) => video.addEventListener(type, resolve, { once: true }));
        button.click();
        return turned;
      };
      await turn('pause');
      const isPaused = button.textContent === 'Resume' && video.paused;
      await turn('play');
      await next('detections');
      const isResumed = button.textContent === 'Pause';
      const isMirrored = getComputedStyle(video).transform.startsWith('matrix(-1');
      const [track] = /** @type {MediaStream} */ (video.srcObject).getTracks();
      element.removeAttribute('camera');
      await new Promise((resolve) => setTimeout(resolve));
      return { isPaused, isResumed, isMirrored, state: track.readyState };
    });
    assert.deepEqual(
      { isPaused, isResumed, isMirrored },
      { isPaused: true, isResumed: true, isMirrored: true },
    );
    assert.equal(state, 'ended');
    await page.close();
  });

  // Firefox and WebKit are driven by what emulates no colour schemes with these calls.
  if (browserName === 'chromium')
    test('axe finds nothing, in light, dark and forced colours, on a phone as well', async () => {
      const { page } = await open({ src: 'photos/astronaut.png', alt: 'An astronaut' });
      await waitFor(page, 'detections');
      for (const [name, width] of Object.entries({ desktop: 900, phone: 360 })) {
        await page.setViewportSize({ width, height: 800 });
        await check(page, name);
        for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
          await page.emulateMedia({ colorScheme, forcedColors: 'none' });
          await page.screenshot({ path: `${SCREENSHOTS}/element-${name}-${colorScheme}.png` });
        }
      }
      await eventAfter(page, 'error', { src: 'nowhere.png' });
      await check(page, 'an error');
      await page.screenshot({ path: `${SCREENSHOTS}/element-error.png` });
      await page.close();
    });
});
