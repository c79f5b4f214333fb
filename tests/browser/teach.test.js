// The page that learns, from the camera to a downloaded classifier that the command line runs, with screenshots for a person
// to look at.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { ISOLATION } from '../../tools/serve.js';
import { decodeImage } from '../../wasm/platform/node.js';
import { until } from '../patience.js';
import { writeCameraFile } from './camera.js';
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

const OUT = `${ROOT}build/teach`;
const CAMERA = `${OUT}/camera.y4m`;
const FPS = 5;
const SECONDS_EACH = 6;
/** What the camera shows in turn. */
const SHOWN = /** @type {const} */ (['chelsea', 'coffee']);
const SIZES = {
  light: { viewport: { width: 1280, height: 1240 }, colorScheme: /** @type {const} */ ('light') },
  dark: { viewport: { width: 1280, height: 1240 }, colorScheme: /** @type {const} */ ('dark') },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
};

/** @typedef {typeof SHOWN[number]} Shown */
/** @param {string} name */
const photo = (name) => `${photos()}/${name}.png`;

/** @param {Awaited<ReturnType<typeof decodeImage>>} image */
function meanColor({ data }) {
  const sums = [0, 0, 0];
  data.forEach((value, i) => (sums[i % 3] += value));
  return sums.map((sum) => (3 * sum) / data.length);
}

suite('the page that learns', needsBrowser, () => {
  /** @type {import('playwright-core').Browser} */ let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */ let server;
  /** @type {number[][]} */ let colors;
  /** @type {string[]} */
  const troubles = [];
  before(async () => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    mkdirSync(OUT, { recursive: true });
    const images = await Promise.all(SHOWN.map((name) => decodeImage(readFileSync(photo(name)))));
    colors = images.map(meanColor);
    writeCameraFile(CAMERA, images, FPS * SECONDS_EACH, FPS);
    server = await serve({ headers: ISOLATION, roots: { '/': `${ROOT}web` } });
    browser = await launchWithCamera(CAMERA);
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });

  /** @param {import('playwright-core').BrowserContextOptions} [options] */
  async function open(options = SIZES.light) {
    const context = await browser.newContext({ permissions: ['camera'], ...options });
    const page = await context.newPage();
    watchForTroubles(page, troubles, server.url);
    await page.goto(`${server.url}/teach.html`);
    await page.locator('#stage[data-state=empty]').waitFor();
    return page;
  }

  /** @param {Page} page */
  async function close(page) {
    await page.context().close();
    assert.deepEqual(troubles.splice(0), []);
  }

  /**
   * Which of the two an image, canvas or video shows now, by its mean colour.
   * @param {Page} page
   * @param {string} selector
   */
  async function nearest(page, selector) {
    const color = await page.evaluate((selector) => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 32, height: 32 });
      const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
      const picture = /** @type {HTMLVideoElement | HTMLCanvasElement} */ (document.querySelector(selector));
      context.drawImage(picture, 0, 0, 32, 32);
      const { data } = context.getImageData(0, 0, 32, 32);
      return [0, 1, 2].map((at) => data.filter((_, i) => i % 4 === at).reduce((a, b) => a + b, 0) / 1024);
    }, selector);
    const distances = colors.map((mean) => Math.hypot(...mean.map((value, i) => value - color[i])));
    return SHOWN[Number(distances[1] < distances[0])];
  }

  /** Which of the two the camera shows now. @param {Page} page */
  const shown = (page) => nearest(page, '#video');

  /**
   * Waits until the camera has just begun to show it, which it then does for some seconds.
   * @param {Page} page
   * @param {Shown} name
   */
  async function waitForShown(page, name) {
    await until(async () => (await shown(page)) !== name);
    await until(async () => (await shown(page)) === name);
  }

  /** @param {Page} page @param {number} number */
  const card = (page, number) => page.locator('.card').nth(number);
  /** @param {Page} page @param {number} number */
  const count = async (page, number) =>
    parseInt((await card(page, number).locator('.muted').first().textContent()) ?? '');
  /** @param {Page} page @param {RegExp} text */
  const waitForStatus = (page, text) => page.locator('#training').filter({ hasText: text }).waitFor();
  /** @param {Page} page @param {string} name */
  const waitForSeen = (page, name) =>
    page
      .locator('#seen')
      .filter({ hasText: `Looks like ${name}` })
      .waitFor();
  /** @param {Page} page */
  const trainButton = (page) => page.getByRole('button', { name: /^Train/ });

  /**
   * Holds a class's button for as long as takes some pictures.
   * @param {Page} page
   * @param {number} number
   */
  async function hold(page, number) {
    await card(page, number).getByRole('button', { name: 'Hold to capture' }).hover();
    await page.mouse.down();
    await until(async () => (await count(page, number)) >= 5);
    await page.mouse.up();
  }

  /**
   * Clicks, and keeps what is then downloaded.
   * @param {Page} page
   * @param {string} button
   */
  async function download(page, button) {
    const [downloaded] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: button }).click(),
    ]);
    const path = `${OUT}/${downloaded.suggestedFilename()}`;
    await downloaded.saveAs(path);
    return path;
  }

  /** A page that was taught two photos. @param {import('playwright-core').BrowserContextOptions} [options] */
  async function openTaught(options) {
    const page = await open(options);
    for (const [i, name] of SHOWN.entries()) {
      await card(page, i).getByLabel('Name of the class').fill(name);
      await card(page, i)
        .locator('input[type=file]')
        .setInputFiles([photo(name), photo(name)]);
      await until(async () => (await count(page, i)) === 2);
    }
    await trainButton(page).click();
    await waitForStatus(page, /^Trained/);
    return page;
  }

  test('learns from the camera; the command line runs what is downloaded', async () => {
    const page = await open();
    await page.keyboard.press('c');
    await page.locator('#video').waitFor();
    for (const [i, name] of SHOWN.entries()) {
      await card(page, i).getByLabel('Name of the class').fill(name);
      await waitForShown(page, name);
      await hold(page, i);
      assert.equal(await shown(page), name, 'captured while it was shown');
    }
    await trainButton(page).click();
    await waitForStatus(page, /^Trained for 30 epochs: accuracy 100 %, .*validation accuracy 100 %/);
    for (const name of SHOWN) {
      await waitForShown(page, name);
      await waitForSeen(page, name);
    }
    const model = await download(page, 'Classifier');
    for (const name of SHOWN) {
      const args = ['bin/ocelli.js', 'classify', '--model', model, photo(name), '--json'];
      const answer = JSON.parse(execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' }));
      assert.equal(answer.classes[0].label, name);
      assert.ok(answer.classes[0].score > 0.8, JSON.stringify(answer));
    }
    const text = readFileSync(await download(page, 'README.md'), 'utf8');
    assert.match(text, /^# Model Card for chelsea or coffee$/m);
    assert.match(text, /^\| Train validation accuracy \| 1 \|$/m);
    assert.match(text, /^\| Energy consumed \(kWh\) \|/m);
    assert.match(readFileSync(await download(page, 'emissions.csv'), 'utf8'), /^timestamp,project_name,/);
    await page.keyboard.press('c');
    await page.locator('#stage[data-state=empty]').waitFor();
    await close(page);
  });

  for (const [name, options] of Object.entries(SIZES))
    test(`looks as it should: ${name}`, async () => {
      const page = await openTaught(options);
      await page.locator('#camera').click();
      await waitForShown(page, 'chelsea');
      await waitForSeen(page, 'chelsea');
      await page.screenshot({ path: `${SCREENSHOTS}/teach-${name}.png`, fullPage: name === 'phone' });
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.equal(width, options.viewport.width, 'no sideways scrolling');
      await close(page);
    });

  test('says what training lacks, and forgets what is taken away', async () => {
    const page = await open();
    await waitForStatus(page, /“Class 1” has no example yet/);
    await card(page, 1).getByRole('button', { name: 'Remove the class' }).click();
    await waitForStatus(page, /Add at least two classes/);
    await page.getByRole('button', { name: 'Add a class' }).click();
    await page.keyboard.type('Class 1');
    await waitForStatus(page, /the same name/);
    await page.keyboard.press('Control+A');
    await page.keyboard.press('Delete');
    await waitForStatus(page, /needs a name/);
    await page.keyboard.type('coffee');
    for (const i of [0, 1]) await card(page, i).locator('input[type=file]').setInputFiles(photo(SHOWN[i]));
    await waitForStatus(page, /Ready/);
    assert.ok(await trainButton(page).isEnabled());
    await card(page, 0).getByRole('button', { name: 'Remove example 1' }).click();
    await waitForStatus(page, /“Class 1” has no example yet/);
    assert.ok(await trainButton(page).isDisabled());
    await close(page);
  });

  test('takes many photos at once, and names those that it cannot read', async () => {
    const page = await open();
    await card(page, 0)
      .locator('input[type=file]')
      .setInputFiles([photo('chelsea'), `${ROOT}web/style.css`, photo('coffee')]);
    await card(page, 0).getByText('style.css:').waitFor();
    assert.equal(await count(page, 0), 2);
    await page.evaluate(async () => {
      const transfer = new DataTransfer();
      for (const name of ['chelsea', 'coffee']) {
        const blob = await (await fetch(`photos/${name}.png`)).blob();
        transfer.items.add(new File([blob], `${name}.png`, { type: 'image/png' }));
      }
      const init = { bubbles: true, cancelable: true, dataTransfer: transfer };
      document.querySelectorAll('.card')[1].dispatchEvent(new DragEvent('drop', init));
    });
    await card(page, 1).getByText('2 examples').waitFor();
    assert.equal(await page.locator('#stage').getAttribute('data-state'), 'empty', 'not for the picture');
    await close(page);
  });

  test('by keyboard: captures a photo once for each press, trains, and says what it sees', async () => {
    const page = await open();
    for (const [i, name] of SHOWN.entries()) {
      await page.locator('#file').setInputFiles(photo(name));
      await page.locator('#stage[data-state=ready]').waitFor();
      await card(page, i).getByRole('button', { name: 'Hold to capture' }).focus();
      for (const key of ['Space', 'Enter']) {
        const before = await count(page, i);
        await page.keyboard.press(key);
        await until(async () => (await count(page, i)) === before + 1);
      }
    }
    const before = await count(page, 1);
    // As assistive technology presses a button: no pointer, no key.
    await card(page, 1).getByRole('button', { name: 'Hold to capture' }).dispatchEvent('click');
    await until(async () => (await count(page, 1)) === before + 1);
    await trainButton(page).focus();
    await page.keyboard.press('Enter');
    await waitForStatus(page, /^Trained for 30 epochs: accuracy 100 %, loss [\d.e-]+\.$/);
    await waitForSeen(page, 'Class 2');
    await page.locator('#file').setInputFiles(photo('chelsea'));
    await waitForSeen(page, 'Class 1');
    await page.locator('#file').setInputFiles(`${ROOT}web/style.css`);
    await page.locator('#notice').filter({ hasText: 'cannot be read' }).waitFor();
    await page.locator('#file').setInputFiles(photo('coffee'));
    await waitForSeen(page, 'Class 2');
    await close(page);
  });

  test('a press while the next photo opens captures that one', async () => {
    const page = await open();
    await page.locator('#file').setInputFiles(photo('chelsea'));
    await page.locator('#stage[data-state=ready]').waitFor();
    await page.evaluate(() => {
      const { decode } = HTMLImageElement.prototype;
      HTMLImageElement.prototype.decode = async function () {
        await new Promise((resolve) => addEventListener('go on', resolve));
        return decode.call(this);
      };
    });
    await page.locator('#file').setInputFiles(photo('coffee'));
    await card(page, 0).getByRole('button', { name: 'Hold to capture' }).focus();
    await page.keyboard.press('Space');
    await page.evaluate(() => dispatchEvent(new Event('go on')));
    await until(async () => (await count(page, 0)) === 1);
    assert.equal(await nearest(page, '.thumbnails canvas'), 'coffee');
    await close(page);
  });

  test('stops a training, keeps what it learned, and trains again', async () => {
    const page = await openTaught();
    // Each epoch of two examples is over at once: the stop comes from within the page, at the first that it shows.
    await page.evaluate(() => {
      const status = /** @type {HTMLElement} */ (document.querySelector('#training'));
      const observer = new MutationObserver(() => {
        if (!status.textContent?.startsWith('Epoch 3')) return;
        observer.disconnect();
        /** @type {HTMLElement} */ (document.querySelector('#train')).click();
      });
      observer.observe(status, { childList: true });
    });
    await trainButton(page).click();
    await waitForStatus(page, /^Stopped after 3 epochs/);
    assert.ok(await page.locator('#card').isHidden(), 'no card of a part');
    assert.ok(await page.getByRole('button', { name: 'Classifier' }).isEnabled());
    await trainButton(page).click();
    await waitForStatus(page, /^Trained for 30 epochs/);
    assert.ok(await page.locator('#card').isVisible());
    await close(page);
  });
});
