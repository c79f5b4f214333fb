// The demo page in Firefox, which has other controls, events and cameras; demo.test.js has what a person does there.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { ISOLATION } from '../../tools/serve.js';
import { launch, needsBrowser, photos, ROOT, SCREENSHOTS, serve, watchForTroubles } from './shared.js';

suite('the demo page in Firefox', needsBrowser, () => {
  /** @type {import('playwright-core').Browser} */ let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */ let server;
  before(async () => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    server = await serve({ headers: ISOLATION, roots: { '/': `${ROOT}web`, '/samples/': photos() } });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });

  test('finds what the sample shows, then watches the camera with two threads', async () => {
    const page = await browser.newPage();
    /** @type {string[]} */
    const troubles = [];
    watchForTroubles(page, troubles, server.url);
    await page.goto(server.url);
    await page.waitForFunction(() => /Person/.test(String(document.querySelector('#summary')?.textContent)));
    await page.screenshot({ path: `${SCREENSHOTS}/firefox.png` });
    await page.evaluate(() => {
      const threads = /** @type {HTMLSelectElement} */ (document.querySelector('#threads'));
      threads.value = '2';
      threads.dispatchEvent(new Event('change', { bubbles: true }));
    });
    await page.keyboard.press('c');
    await page.waitForFunction(() => /2 threads/.test(document.body.innerText));
    await page.waitForFunction(() => /[1-9]\d* fps/.test(document.body.innerText));
    assert.deepEqual(troubles, []);
    await page.close();
  });
});
