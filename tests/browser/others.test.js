// The demo pages in Firefox and WebKit, which have other controls, events and cameras; demo.test.js and teach.test.js have what
// a person does there.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { ISOLATION } from '../../tools/serve.js';
import { writeStreetVideo } from './camera.js';
import {
  browserName,
  launch,
  needsBrowser,
  photos,
  ROOT,
  SCREENSHOTS,
  serve,
  watchForTroubles,
} from './shared.js';

const FILES = `${ROOT}build/others`;

suite(`the demo pages in ${browserName}`, needsBrowser, () => {
  /** @type {import('playwright-core').Browser} */ let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */ let server;
  before(async () => {
    for (const folder of [SCREENSHOTS, FILES]) mkdirSync(folder, { recursive: true });
    writeStreetVideo(`${FILES}/street.webm`);
    const roots = { '/': `${ROOT}web`, '/samples/': photos(), '/files/': FILES };
    server = await serve({ headers: ISOLATION, roots });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });

  /** @param {string} path */
  async function open(path) {
    const page = await browser.newPage();
    /** @type {string[]} */
    const troubles = [];
    watchForTroubles(page, troubles, server.url);
    await page.goto(`${server.url}${path}`);
    return { page, troubles };
  }

  /** @param {import('playwright-core').Page} page @param {string} id @param {string} pattern of its text */
  const waitForText = (page, id, pattern) =>
    page.evaluate(
      async ([id, pattern]) => {
        while (!RegExp(pattern).test(String(document.getElementById(id)?.textContent)))
          await new Promise((resolve) => setTimeout(resolve, 20));
      },
      [id, pattern],
    );

  /**
   * Chooses files as a person does, with an <input> of the page.
   * @param {import('playwright-core').Page} page
   * @param {string} selector
   * @param {[path: string, type: string][]} files of the server
   */
  const choose = (page, selector, files) =>
    page.evaluate(async ([selector, files]) => {
      const transfer = new DataTransfer();
      for (const [path, type] of files) {
        const bytes = await (await fetch(path)).arrayBuffer();
        transfer.items.add(new File([bytes], path, { type }));
      }
      const input = /** @type {HTMLInputElement} */ (document.querySelector(selector));
      input.files = transfer.files;
      input.dispatchEvent(new Event('change', { bubbles: true }));
    }, /** @type {const} */ ([selector, files]));

  test('finds what the sample shows, then watches the camera with two threads, then a video', async () => {
    const { page, troubles } = await open('/');
    await waitForText(page, 'summary', 'Person');
    await page.screenshot({ path: `${SCREENSHOTS}/${browserName}.png` });
    await page.evaluate(() => {
      const threads = /** @type {HTMLSelectElement} */ (document.querySelector('#threads'));
      threads.value = '2';
      threads.dispatchEvent(new Event('change', { bubbles: true }));
    });
    await page.keyboard.press('c');
    await waitForText(page, 'engine', '2 threads');
    await waitForText(page, 'fps', '[1-9]\\d* fps');
    await choose(page, '#file', [['files/street.webm', 'video/webm']]);
    await waitForText(page, 'summary', '\\d × Person');
    await page.screenshot({ path: `${SCREENSHOTS}/${browserName}-video.png` });
    assert.deepEqual(troubles, []);
    await page.close();
  });

  test('learns two photos, and tells them apart', async () => {
    const { page, troubles } = await open('/teach.html');
    await waitForText(page, 'notice', 'Show it something');
    for (const [i, name] of ['chelsea', 'coffee'].entries()) {
      const photo = /** @type {[string, string]} */ ([`samples/${name}.png`, 'image/png']);
      await choose(page, `.card:nth-child(${i + 1}) input[type=file]`, [photo, photo]);
    }
    await page.waitForFunction(() => document.querySelectorAll('.thumbnails li').length === 4);
    await page.evaluate(() => document.getElementById('train')?.click());
    await waitForText(page, 'training', '^Trained for 30 epochs: accuracy 100 %');
    for (const [i, name] of ['chelsea', 'coffee'].entries()) {
      await choose(page, '#file', [[`samples/${name}.png`, 'image/png']]);
      await waitForText(page, 'seen', `Looks like Class ${i + 1}`);
    }
    await page.screenshot({ path: `${SCREENSHOTS}/teach-${browserName}.png` });
    assert.deepEqual(troubles, []);
    await page.close();
  });
});
