// The page that learns to find: from drawn boxes to a downloaded detector that Node runs, with screenshots for a person to
// look at.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { unzipSync, zipSync } from 'fflate';
import { ISOLATION } from '../../tools/serve.js';
import { encodePng } from '../../wasm/draw/png.js';
import { ObjectDetector } from '../../wasm/platform/node.js';
import { uniforms } from '../../wasm/train/random.js';
import { DetectorLearner } from '../../wasm/train/node.js';
import { compose, openBackgrounds, openCutouts, samplePhotos } from '../node/train/compose.js';
import { check } from './axe.js';
import {
  launchWithCamera,
  needsBrowser,
  photos as samples,
  ROOT,
  SCREENSHOTS,
  serve,
  watchForTroubles,
} from './shared.js';
import { writeCameraFile } from './camera.js';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {{x: number, y: number, width: number, height: number}} Box */

const OUT = `${ROOT}build/teach-find`;
const CAMERA = `${OUT}/camera.y4m`;
const DESKTOP = { viewport: { width: 1280, height: 1240 } };
const PHONE = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  hasTouch: true,
  isMobile: true,
};

/** @param {unknown} value */
const toBytes = (value) => new TextEncoder().encode(JSON.stringify(value));

suite('the page that learns to find', needsBrowser, () => {
  /** @type {import('playwright-core').Browser} */ let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */ let server;
  /** Photos with one apple each. @type {{path: string, width: number, height: number, box: Box}[]} */
  let photos;
  /** @type {string[]} */
  const troubles = [];

  before(async () => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    mkdirSync(OUT, { recursive: true });
    const [apple] = await openCutouts(samplePhotos());
    const backgrounds = await openBackgrounds([samplePhotos()]);
    const random = uniforms(7);
    photos = await Promise.all(
      Array.from({ length: 2 }, () => compose(backgrounds, [apple], random)).map(async (photo, i) => {
        const path = `${OUT}/${i}.png`;
        writeFileSync(path, await encodePng({ ...photo, channels: 3 }));
        if (i === 0) writeCameraFile(CAMERA, [photo], 2, 5);
        return { path, width: photo.width, height: photo.height, box: photo.boxes[0].box };
      }),
    );
    server = await serve({ headers: ISOLATION, roots: { '/': `${ROOT}web` } });
    browser = await launchWithCamera(CAMERA);
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });

  /**
   * @param {import('node:test').TestContext} t
   * @param {import('playwright-core').BrowserContextOptions} [options]
   */
  async function open(t, options = DESKTOP) {
    const context = await browser.newContext({ permissions: ['camera'], ...options });
    t.after(() => context.close());
    const page = await context.newPage();
    watchForTroubles(page, troubles, server.url);
    await page.goto(`${server.url}/teach.html#find`);
    await page.locator('#stage[data-state=empty]').waitFor();
    return page;
  }
  const isClean = () => assert.deepEqual(troubles.splice(0), []);

  /** @param {Page} page @param {typeof photos} added */
  async function addPhotos(page, added) {
    await page.locator('#photos').setInputFiles(added.map(({ path }) => path));
    await page
      .locator('#pictures li')
      .nth(added.length - 1)
      .waitFor();
    await page.locator('#editor').waitFor();
  }

  /** Where a point of the picture is on the screen: it is fitted into the stage, in the middle. */
  async function toScreen(/** @type {Page} */ page, /** @type {{width: number, height: number}} */ photo) {
    const stage = await page.locator('#stage').boundingBox();
    assert.ok(stage);
    const scale = Math.min(stage.width / photo.width, stage.height / photo.height);
    const left = stage.x + (stage.width - photo.width * scale) / 2;
    const top = stage.y + (stage.height - photo.height * scale) / 2;
    return (/** @type {number} */ x, /** @type {number} */ y) =>
      /** @type {const} */ ([left + x * scale, top + y * scale]);
  }

  /** @param {Page} page @param {typeof photos[number]} photo */
  async function drawBox(page, photo) {
    const at = await toScreen(page, photo);
    const { x, y, width, height } = photo.box;
    await page.mouse.move(...at(x, y));
    await page.mouse.down();
    await page.mouse.move(...at(x + width / 2, y + height / 3));
    await page.mouse.move(...at(x + width, y + height));
    await page.mouse.up();
  }

  /** @param {Page} page @param {string} id of a button */
  async function download(page, id) {
    const [downloaded] = await Promise.all([page.waitForEvent('download'), page.locator(`#${id}`).click()]);
    const path = `${OUT}/${downloaded.suggestedFilename()}`;
    await downloaded.saveAs(path);
    return path;
  }

  /** The project as COCO's annotations. @param {Page} page */
  async function readCoco(page) {
    const files = unzipSync(readFileSync(await download(page, 'coco')));
    return JSON.parse(Buffer.from(files['instances.json']).toString());
  }
  /** @param {Page} page @returns {Promise<number[][]>} */
  const readBoxes = async (page) =>
    (await readCoco(page)).annotations.map((/** @type {{bbox: number[]}} */ { bbox }) => bbox);

  /** @param {number[]} found @param {Box} expected @param {number} tolerance */
  function assertNear(found, { x, y, width, height }, tolerance) {
    const differences = [x, y, width, height].map((value, i) => Math.abs(value - found[i]));
    assert.ok(Math.max(...differences) <= tolerance, `${found} instead of ${[x, y, width, height]}`);
  }

  /** @param {Page} page @param {RegExp} text */
  const waitForStatus = (page, text) => page.locator('#find-training').filter({ hasText: text }).waitFor();
  /** @param {Page} page @param {number} times @param {string} key */
  async function pressTimes(page, times, key) {
    for (let i = 0; i < times; i++) await page.keyboard.press(key);
  }
  /** @param {Page} page */
  const boxes = (page) => page.locator('.box[role=button]');

  test('draws, moves, resizes and deletes boxes by mouse and by keyboard, and undoes', async (t) => {
    const page = await open(t);
    await waitForStatus(page, /Add pictures/);
    await addPhotos(page, photos.slice(0, 1));
    await waitForStatus(page, /Draw a box/);
    const [photo] = photos;
    await drawBox(page, photo);
    const [drawn] = await readBoxes(page);
    assertNear(drawn, photo.box, 1);
    await page.locator('#find-warnings').getByText('has 1 box').waitFor();

    // By mouse: the middle moves it, a corner resizes it.
    const at = await toScreen(page, photo);
    const drag = async (/** @type {number[]} */ [x0, y0], /** @type {number[]} */ [x1, y1]) => {
      await page.mouse.move(...at(x0, y0));
      await page.mouse.down();
      await page.mouse.move(...at((x0 + x1) / 2, (y0 + y1) / 2));
      await page.mouse.move(...at(x1, y1));
      await page.mouse.up();
    };
    const [x, y, width, height] = drawn;
    await drag([x + width / 2, y + height / 2], [x + width / 2 + 10, y + height / 2 - 8]);
    assertNear((await readBoxes(page))[0], { x: x + 10, y: y - 8, width, height }, 1);
    await drag([x + 10, y - 8], [x + 4, y + 2]);
    assertNear((await readBoxes(page))[0], { x: x + 4, y: y + 2, width: width + 6, height: height - 10 }, 2);
    await pressTimes(page, 2, 'Control+z');
    assert.deepEqual(await readBoxes(page), [drawn]);

    // By keyboard: a new box in the middle third, moved against the edge, made larger, of another class. A step is 2 pixels.
    await page.locator('#find-add-class').press('Enter');
    assert.equal(await page.evaluate(() => String(getSelection())), 'Class 2');
    await page.keyboard.type('شجرة 2');
    await page.locator('#new-box').press('Enter');
    await pressTimes(page, 62, 'ArrowLeft');
    await pressTimes(page, 3, 'ArrowUp');
    await pressTimes(page, 4, 'Shift+ArrowRight');
    await pressTimes(page, 2, 'Shift+ArrowDown');
    await page.keyboard.press('2');
    const { annotations, categories } = await readCoco(page);
    assert.deepEqual(annotations[1].bbox, [
      0,
      photo.height / 3 - 6,
      photo.width / 3 + 8,
      photo.height / 3 + 4,
    ]);
    assert.equal(
      categories.find((/** @type {any} */ { id }) => id === annotations[1].category_id).name,
      'شجرة 2',
    );
    assert.match((await boxes(page).nth(1).getAttribute('aria-label')) ?? '', /^\u2068شجرة 2\u2069, box 2:/);
    await boxes(page).first().focus();
    await page.keyboard.press('Delete');
    assert.equal(await boxes(page).count(), 1);
    assert.match((await page.evaluate(() => document.activeElement?.className)) ?? '', /^box .*selected/);
    await page.keyboard.press('Delete');
    assert.equal(await page.evaluate(() => document.activeElement?.id), 'new-box');
    await pressTimes(page, 2, 'Control+z');
    assert.equal(await boxes(page).count(), 2);
    isClean();
  });

  test('by touch, on a phone: draws a box, and the picture stays in view', async (t) => {
    const page = await open(t, PHONE);
    await addPhotos(page, photos.slice(0, 1));
    const [photo] = photos;
    await page.locator('#stage').scrollIntoViewIfNeeded();
    const at = await toScreen(page, photo);
    const touch = await page.context().newCDPSession(page);
    const send = (/** @type {string} */ type, /** @type {number[]} */ [x, y]) =>
      touch.send('Input.dispatchTouchEvent', {
        type: /** @type {'touchStart'} */ (type),
        touchPoints: type === 'touchEnd' ? [] : [{ x, y }],
      });
    const { box } = photo;
    await send('touchStart', [...at(box.x, box.y)]);
    await send('touchMove', [...at(box.x + box.width / 2, box.y + box.height / 2)]);
    await send('touchMove', [...at(box.x + box.width, box.y + box.height)]);
    await send('touchEnd', []);
    await boxes(page).waitFor();
    assertNear((await readBoxes(page))[0], box, 2);
    await page.locator('#pictures').scrollIntoViewIfNeeded();
    assert.ok(await page.locator('#stage').evaluate((stage) => stage.getBoundingClientRect().bottom > 150));
    await page.screenshot({ path: `${SCREENSHOTS}/teach-find-phone.png` });
    await page.screenshot({ path: `${SCREENSHOTS}/teach-find-phone-whole.png`, fullPage: true });
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), PHONE.viewport.width);
    isClean();
  });

  test('learns from boxes; what it saves runs in Node, and all is there after a reload and in a file', async (t) => {
    const page = await open(t);
    await addPhotos(page, photos.slice(0, 2));
    await page.locator('#find-classes').getByLabel('Name of the class').fill('apple');
    for (const [i, photo] of photos.slice(0, 2).entries()) {
      await page.locator('#pictures button').nth(i).click();
      await drawBox(page, photo);
    }
    await page.locator('#steps').fill('75');
    await page.locator('#find-train').click();
    await waitForStatus(page, /^Trained for \d+ epochs: loss/);
    await check(page, 'trained, editing');
    await page.emulateMedia({ colorScheme: 'light', forcedColors: 'none' });
    await page.screenshot({ path: `${SCREENSHOTS}/teach-find-editing.png` });

    await page.locator('#camera').click();
    await page
      .locator('#seen')
      .filter({ hasText: /^apple/ })
      .waitFor();
    await page.screenshot({ path: `${SCREENSHOTS}/teach-find-light.png` });
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.screenshot({ path: `${SCREENSHOTS}/teach-find-dark.png` });
    await check(page, 'live');
    await page.locator('#take').click();
    await page.locator('#pictures li').nth(2).waitFor();
    await page.locator('.undo').last().click();
    await page.locator('#camera').click();

    const model = new Uint8Array(readFileSync(await download(page, 'find-model')));
    assert.match((await page.locator('#find-code').textContent()) ?? '', /model: 'detector\.tflite'/);
    const detector = await ObjectDetector.create({ model });
    assert.deepEqual(
      detector.labels.map(({ name }) => name),
      ['apple'],
    );
    const { detections } = await detector.detect(readFileSync(photos[1].path), { scoreThreshold: 0.1 });
    const { box } = detections[0];
    assertNear([box.x, box.y, box.width, box.height], photos[1].box, 0.3 * photos[1].box.width);
    detector.close();

    const coco = await readCoco(page);
    for (const id of ['coco', 'yolo']) {
      const learner = await DetectorLearner.create();
      await learner.addDataset(readFileSync(await download(page, id)));
      assert.deepEqual(learner.examples.classes, [{ label: 'apple', count: 2 }], id);
      learner.close();
    }
    const file = await download(page, 'save-project');
    await page.reload();
    await page.locator('#pictures li').nth(1).waitFor();
    await page.locator('#find-model:enabled').waitFor();
    assert.deepEqual(await readCoco(page), coco);
    assert.deepEqual(new Uint8Array(readFileSync(await download(page, 'find-model'))), model);

    await page.locator('#clear-project').click();
    await page.locator('#pictures').waitFor({ state: 'hidden' });
    await page.locator('#project-file').setInputFiles(`${ROOT}web/style.css`);
    await page.locator('#project-status').filter({ hasText: 'cannot be opened' }).waitFor();
    await page.locator('#project-file').setInputFiles(file);
    await page.locator('#project-status').filter({ hasText: 'is open' }).waitFor();
    assert.deepEqual(await readCoco(page), coco);
    assert.deepEqual(new Uint8Array(readFileSync(await download(page, 'find-model'))), model);
    isClean();
  });

  /** A project with one picture and the package's detector. @param {(project: any) => unknown} [spoil] */
  function makeProject(spoil) {
    const file = 'pictures/1.png';
    const box = { id: 0, classId: 0, x: 5, y: 5, width: 50, height: 50 };
    /** @type {any} */
    const project = {
      ...{ format: 'ocelli-teach', version: 1, classes: [{ id: 0, name: 'apple' }] },
      pictures: [{ name: 'one', file, boxes: [box] }],
    };
    /** @type {Record<string, Uint8Array>} */
    const files = { [file]: readFileSync(photos[0].path) };
    const about = { labels: [], colors: ['url(http://x)'], files: {}, facts: {} };
    spoil?.({ project, files, box });
    const model = readFileSync(`${ROOT}dist/models/ssd_mobilenet_v2_oidv4.gz`);
    return zipSync(
      {
        ...{ 'project.json': toBytes(project), 'trained/about.json': toBytes(about), ...files },
        'trained/model.tflite': model,
      },
      { level: 0 },
    );
  }

  test('opens a project of another browser, calls a low score unsure, and refuses what is no project', async (t) => {
    const page = await open(t);
    const give = (/** @type {Uint8Array} */ bytes) =>
      page
        .locator('#project-file')
        .setInputFiles({ name: 'p.zip', mimeType: 'application/zip', buffer: Buffer.from(bytes) });
    const whole = makeProject();
    /** @type {[Uint8Array, RegExp][]} */
    const refused = [
      [new Uint8Array(0), /damaged/],
      [whole.slice(0, whole.length / 2), /damaged/],
      [zipSync({ 'a.txt': toBytes(1) }), /no project of this page/],
      [zipSync({ 'project.json': new Uint8Array([123]) }), /texts are damaged/],
      [zipSync({ 'project.json': toBytes(null) }), /no project/],
      [makeProject(({ project }) => (project.version = 2)), /newer version/],
      [makeProject(({ project }) => delete project.pictures), /a list is missing/],
      [makeProject(({ project }) => project.pictures.push(null)), /undefined is missing/],
      [makeProject(({ project }) => (project.classes[1] = { id: 0, name: 'x' })), /classes/],
      [makeProject(({ box }) => (box.classId = 9)), /a box/],
      [makeProject(({ box }) => (box.x = '5')), /a box/],
      [makeProject(({ files }) => (files['pictures/1.png'] = new Uint8Array(9))), /cannot read it/],
    ];
    for (const [bytes, why] of refused) {
      await page.evaluate(() => {
        /** @type {HTMLElement} */ (document.querySelector('#project-status')).textContent = '';
      });
      await give(bytes);
      await page.locator('#project-status').filter({ hasText: why }).waitFor();
      assert.equal(await page.locator('#pictures li').count(), 0);
    }
    // A box that reaches beyond the picture is cut.
    await give(makeProject(({ box }) => (box.width = 1e9)));
    await page.locator('#project-status').filter({ hasText: 'is open' }).waitFor();
    assert.deepEqual(await readBoxes(page), [[5, 5, photos[0].width - 5, 50]]);

    const detector = await ObjectDetector.create();
    const astronaut = readFileSync(`${samples()}/astronaut.png`);
    const { detections } = await detector.detect(astronaut, { scoreThreshold: 0.3 });
    detector.close();
    const labels = [...new Set(detections.map(({ label }) => label))];
    const scores = labels.map((label) => detections.find((each) => each.label === label)?.score ?? 0);
    assert.ok(scores.some((score) => score < 0.5) && scores.some((score) => score > 0.5));
    const expected = labels.map((label, i) => (scores[i] < 0.5 ? `${label} (unsure)` : label)).join(', ');
    await page.locator('#try-file').setInputFiles(`${samples()}/astronaut.png`);
    await page.locator('#seen').filter({ hasText: 'unsure' }).waitFor();
    assert.equal(await page.locator('#seen').textContent(), expected);
    isClean();
  });

  test('says if the browser has no room to keep the pictures', async (t) => {
    const page = await open(t);
    const session = await page.context().newCDPSession(page);
    await session.send('Storage.overrideQuotaForOrigin', { origin: server.url, quotaSize: 1 });
    await addPhotos(page, photos.slice(0, 1));
    await page.locator('#kept').filter({ hasText: 'no room left' }).waitFor();
    await session.send('Storage.overrideQuotaForOrigin', { origin: server.url });
    await page.locator('#new-box').click();
    await page.locator('#kept').filter({ hasText: /^$/ }).waitFor({ state: 'attached' });
    await page.reload();
    await page.locator('#pictures li').filter({ hasText: '1 box' }).waitFor();
    isClean();
  });

  test('keeps which task was shown; a link chooses', async (t) => {
    const page = await open(t);
    await page.locator('#task-name').click();
    await page.locator('#name-it').waitFor();
    assert.ok(await page.locator('#find-it').isHidden());
    await page.goto(`${server.url}/teach.html`);
    await page.locator('#name-it').waitFor();
    await page.goto(`${server.url}/teach.html#find`);
    await page.locator('#find-it').waitFor();
    assert.equal(await page.locator('.tasks [aria-current]').textContent(), 'Find it where your objects are');
    // As on a phone whose browser opens the page again, without the link's end.
    await page.goto('about:blank');
    await page.goto(`${server.url}/teach.html`);
    await page.locator('#find-it').waitFor();
    isClean();
  });

  test('proposes what the present detector knows: one or all are accepted', async (t) => {
    const page = await open(t);
    await page.locator('#photos').setInputFiles(`${samples()}/chelsea.png`);
    await page.locator('#propose').click();
    const proposed = page.getByRole('button', { name: /^Proposed: \u2068Cat\u2069, \d+ %/ });
    await proposed.first().waitFor();
    assert.equal(await boxes(page).count(), 0, 'nothing is marked before it is accepted');
    await page.screenshot({ path: `${SCREENSHOTS}/teach-find-proposed.png` });
    await proposed.first().press('Enter');
    await boxes(page).waitFor();
    const { annotations, categories } = await readCoco(page);
    assert.deepEqual(categories, [{ id: 1, name: 'Cat' }]);
    const detector = await ObjectDetector.create();
    const { detections } = await detector.detect(readFileSync(`${samples()}/chelsea.png`));
    const cat = detections.find(({ label }) => label === 'Cat');
    detector.close();
    assert.ok(cat);
    assertNear(annotations[0].bbox, cat.box, 1);
    // What is marked already is not proposed again.
    await page.locator('#propose').click();
    await page
      .locator('#editor-status')
      .filter({ hasText: /proposes nothing more|Proposed/ })
      .waitFor();
    assert.equal(await proposed.count(), 0);
    await page.keyboard.press('Control+z');
    await page.locator('#propose').click();
    await proposed.first().waitFor();
    await page.locator('#accept').click();
    await boxes(page).first().waitFor();
    assert.equal(await page.locator('.proposed').count(), 0);
    isClean();
  });
});
