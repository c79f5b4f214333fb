// The demo page as a person uses it, with screenshots for a person to look at.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { ISOLATION } from '../../tools/serve.js';
import { writeStreetFile } from './camera.js';
import {
  launchWithCamera,
  needsBrowser,
  photos,
  ROOT,
  SCREENSHOTS,
  serve,
  watchForTroubles,
} from './shared.js';

/** @typedef {import('playwright-core').Page} Page */

const CAMERA = `${ROOT}build/demo-camera.y4m`;
const SIZES = {
  light: { viewport: { width: 1280, height: 860 }, colorScheme: /** @type {const} */ ('light') },
  dark: { viewport: { width: 1280, height: 860 }, colorScheme: /** @type {const} */ ('dark') },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
};

suite('the demo page', needsBrowser, () => {
  /** @type {import('playwright-core').Browser} */ let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */ let server;
  /** @type {string[]} */
  const troubles = [];
  before(async () => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    writeStreetFile(CAMERA);
    server = await serve({ headers: ISOLATION, roots: { '/': `${ROOT}web`, '/samples/': photos() } });
    browser = await launchWithCamera(CAMERA);
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });

  /**
   * @param {import('playwright-core').BrowserContextOptions} [options]
   * @param {() => void} [prepare] runs in the page, first
   */
  async function open(options = SIZES.light, prepare) {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    if (prepare) await page.addInitScript(prepare);
    watchForTroubles(page, troubles, server.url);
    await page.goto(server.url);
    return page;
  }

  /** @param {Page} page */
  const found = (page) => page.locator('#found li span:nth-child(2)').allTextContents();
  /** @param {Page} page @param {RegExp} text */
  const waitForSummary = (page, text) => page.locator('#summary').filter({ hasText: text }).waitFor();
  /** @param {Page} page @param {string} text */
  const waitForNotice = (page, text) => page.locator('#notice').filter({ hasText: text }).waitFor();
  const isClean = () => assert.deepEqual(troubles.splice(0), []);

  for (const [name, options] of Object.entries(SIZES)) {
    test(`looks as it should: ${name}`, async () => {
      const page = await open(options);
      await waitForSummary(page, /Person/);
      await page.screenshot({ path: `${SCREENSHOTS}/${name}.png`, fullPage: name === 'phone' });
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.equal(width, options.viewport.width, 'no sideways scrolling');
      const pixels = await page.evaluate(() => {
        const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector('#boxes'));
        return canvas.width / canvas.clientWidth / devicePixelRatio;
      });
      assert.ok(Math.abs(pixels - 1) < 0.01, 'boxes have the screen’s own pixels');
      isClean();
      await page.context().close();
    });
  }

  test('settings act at once, by keyboard too', async () => {
    const page = await open({ ...SIZES.light, permissions: ['clipboard-read', 'clipboard-write'] });
    await waitForSummary(page, /^3 objects: .*Person/);
    await page.locator('#score').press('End');
    await waitForSummary(page, /^Nothing/);
    await page.locator('#score').press('Home');
    await waitForSummary(page, /Bottle/);
    await page.getByText('Classes', { exact: false }).first().click();
    await page.getByRole('button', { name: 'None' }).click();
    await waitForSummary(page, /^No class is ticked/);
    await page.getByRole('checkbox', { name: 'Bottle' }).check();
    assert.deepEqual([...new Set(await found(page))], ['Bottle']);
    await page.getByRole('button', { name: 'All' }).click();
    await page.locator('#deterministic').selectOption('1');
    await page.locator('#engine').filter({ hasText: 'plain SIMD' }).waitFor();
    await page.locator('#threads').selectOption('2');
    await page.locator('#engine').filter({ hasText: '2 threads' }).waitFor();
    const text = (await page.locator('#json').textContent()) ?? '';
    assert.equal(JSON.parse(text)[0].label, 'Person');
    await page.getByText('JSON', { exact: true }).click();
    await page.locator('#copy').click();
    await page.locator('#copy').filter({ hasText: 'Copied' }).waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), text);
    await page.evaluate(
      () => (navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed'))),
    );
    await page.locator('#copy').filter({ hasText: 'Copy' }).click();
    await page.locator('#copy').filter({ hasText: 'Selected' }).waitFor();
    assert.equal(await page.evaluate(() => String(getSelection())), text);
    isClean();
    await page.context().close();
  });

  test('photos: a sample, chosen, dropped, pasted, and what is none', async () => {
    const page = await open();
    await waitForSummary(page, /Person/);
    await page.locator('#sample-chelsea').click();
    await waitForSummary(page, /Cat/);
    await page.locator('#file').setInputFiles(`${photos()}/astronaut.png`);
    await waitForSummary(page, /Person/);
    /** @param {string} type */
    const hand = (type) =>
      page.evaluate(
        async ([type, name]) => {
          const transfer = new DataTransfer();
          const photo = await (await fetch(`samples/${name}.png`)).blob();
          transfer.items.add(new File([photo], 'photo.png', { type: 'image/png' }));
          const init = { bubbles: true, dataTransfer: transfer, clipboardData: transfer };
          dispatchEvent(type === 'drop' ? new DragEvent(type, init) : new ClipboardEvent(type, init));
        },
        [type, type === 'drop' ? 'chelsea' : 'astronaut'],
      );
    await hand('drop');
    await waitForSummary(page, /Cat/);
    await hand('paste');
    await waitForSummary(page, /Person/);
    await page.locator('#file').setInputFiles(`${ROOT}web/style.css`);
    await waitForNotice(page, 'cannot be read');
    await waitForSummary(page, /^Nothing yet/);
    assert.deepEqual(await found(page), [], 'no result of the photo before');
    assert.equal(await page.locator('#json').textContent(), '[]');
    await page.locator('#sample-chelsea').click();
    await waitForSummary(page, /Cat/);
    const buffer = Buffer.from('no video');
    await page.locator('#file').setInputFiles({ name: 'a.webm', mimeType: 'video/webm', buffer });
    await waitForNotice(page, 'Something went wrong');
    await waitForSummary(page, /^Nothing yet/);
    assert.equal(await page.locator('#samples [aria-pressed=true]').count(), 0);
    assert.ok(await page.locator('#pause').isHidden());
    await page.locator('#sample-chelsea').click();
    await waitForSummary(page, /Cat/);
    isClean();
    await page.context().close();
  });

  test('the camera, by its key, until it is stopped', async () => {
    const page = await open({ ...SIZES.light, permissions: ['camera'] });
    await waitForSummary(page, /Person/);
    await page.keyboard.press('c');
    await waitForSummary(page, /\d × Person/);
    await page.locator('#fps').filter({ hasText: 'fps' }).waitFor();
    await page.waitForTimeout(1500);
    await page.screenshot({ path: `${SCREENSHOTS}/camera.png` });
    await page.keyboard.press('p');
    assert.equal(await page.locator('#pause').getAttribute('aria-pressed'), 'true');
    await page.keyboard.press('c');
    await waitForSummary(page, /^3 objects: .*Person/);
    isClean();
    await page.context().close();
  });

  test('what was chosen last is shown, though what was chosen before comes later', async () => {
    const page = await open({ ...SIZES.light, permissions: ['camera'] }, () => {
      const { mediaDevices } = navigator;
      const getUserMedia = mediaDevices.getUserMedia.bind(mediaDevices);
      mediaDevices.getUserMedia = async (wanted) => {
        const stream = await getUserMedia(wanted);
        Object.assign(globalThis, { stream });
        await /** @type {any} */ (globalThis).permission;
        return stream;
      };
    });
    await waitForSummary(page, /Person/);
    let send = () => {};
    const sent = new Promise((/** @type {(nothing: void) => void} */ resolve) => (send = resolve));
    await page.route('**/chelsea.png', (route) => sent.then(() => route.continue()).catch(() => {}));
    await page.locator('#sample-chelsea').click();
    await page.keyboard.press('c');
    await page.locator('#pause').waitFor();
    send();
    await waitForSummary(page, /\d × Person/);
    await page.waitForTimeout(500);
    assert.ok(await page.locator('#pause').isVisible());
    assert.equal(await page.locator('#camera').getAttribute('aria-pressed'), 'true');
    await page.keyboard.press('c');
    await waitForSummary(page, /^3 objects: .*Person/);
    await page.evaluate(() => {
      const permission = new Promise((resolve) => Object.assign(globalThis, { permit: resolve }));
      Object.assign(globalThis, { permission, stream: undefined });
    });
    await page.keyboard.press('c');
    await page.waitForFunction(() => /** @type {any} */ (globalThis).stream);
    await page.locator('#sample-chelsea').click();
    await waitForSummary(page, /Cat/);
    await page.evaluate(() => /** @type {any} */ (globalThis).permit());
    await page.waitForFunction(() =>
      /** @type {any} */ (globalThis).stream
        .getTracks()
        .every((/** @type {MediaStreamTrack} */ { readyState }) => readyState === 'ended'),
    );
    assert.ok(await page.locator('#pause').isHidden());
    assert.deepEqual(await found(page), ['Cat']);
    isClean();
    await page.context().close();
  });

  test('a video file', async () => {
    const page = await open();
    await waitForSummary(page, /Person/);
    const bytes = await page.evaluate(async () => {
      const canvas = document.createElement('canvas');
      Object.assign(canvas, { width: 320, height: 240 });
      const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
      const image = await createImageBitmap(await (await fetch('samples/chelsea.png')).blob());
      const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: 'video/webm' });
      const done = new Promise((resolve) => (recorder.ondataavailable = ({ data }) => resolve(data)));
      recorder.start();
      for (let i = 0; i < 20; i++) {
        context.drawImage(image, -i, 0, 340, 240);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      recorder.stop();
      return [...new Uint8Array(await (await done).arrayBuffer())];
    });
    const buffer = Buffer.from(bytes);
    await page.locator('#file').setInputFiles({ name: 'cat.webm', mimeType: 'video/webm', buffer });
    await waitForSummary(page, /Cat/);
    assert.ok(await page.locator('#pause').isVisible());
    isClean();
    await page.context().close();
  });

  test('says what is the matter: no camera, a blocked one, an old browser, no network', async () => {
    const blocked = await open({ ...SIZES.light, permissions: [] }, () => {
      navigator.mediaDevices.getUserMedia = async () => {
        throw new DOMException('no', 'NotAllowedError');
      };
    });
    await waitForSummary(blocked, /Person/);
    await blocked.keyboard.press('c');
    await waitForNotice(blocked, 'The camera is blocked');
    await blocked.screenshot({ path: `${SCREENSHOTS}/blocked.png` });
    assert.equal(await blocked.locator('#sample-astronaut').getAttribute('aria-pressed'), 'true');
    await blocked.locator('#score').press('End');
    await waitForSummary(blocked, /^Nothing above/);
    await blocked.locator('#score').press('Home');
    await waitForSummary(blocked, /Bottle/);
    await blocked.locator('#sample-chelsea').click();
    await waitForSummary(blocked, /Cat/);
    await blocked.context().close();

    const none = await open(SIZES.light, () => {
      navigator.mediaDevices.getUserMedia = async () => {
        throw new DOMException('no', 'NotFoundError');
      };
    });
    await waitForSummary(none, /Person/);
    await none.keyboard.press('c');
    await waitForNotice(none, 'No camera found');
    await none.context().close();
    isClean();

    const old = await browser.newContext(SIZES.light);
    const oldPage = await old.newPage();
    await old.route('**/web/page.js', async (route) => {
      const response = await route.fetch();
      const body = (await response.text()).replaceAll('WebAssembly.validate(', '!(');
      await route.fulfill({ response, body });
    });
    await oldPage.goto(server.url);
    await waitForNotice(oldPage, 'This browser is too old');
    await old.close();

    const offline = await browser.newContext(SIZES.phone);
    const page = await offline.newPage();
    await page.route('**/*.gz', (route) => route.abort());
    await page.addInitScript(() => Object.defineProperty(navigator, 'onLine', { get: () => false }));
    await page.goto(server.url);
    await waitForNotice(page, 'You are offline');
    await page.screenshot({ path: `${SCREENSHOTS}/offline.png` });
    await page.unroute('**/*.gz');
    await page.getByRole('button', { name: 'Try again' }).click();
    await waitForSummary(page, /Person/);
    await offline.close();
    troubles.splice(0); // the aborted download
  });
});
