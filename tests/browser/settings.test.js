// Settings of the page that detects: kept, in a link, as code; models, labels and cameras of the user's own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { ISOLATION } from '../../tools/serve.js';
import { ImageClassifier } from '../../wasm/platform/node.js';
import { check } from './axe.js';
import { launch, needsBrowser, PACKAGE, photos, ROOT, serve, watchForTroubles } from './shared.js';

/** @typedef {import('playwright-core').Page} Page */

const OUT = `${ROOT}build/settings`;
const DETECTOR = `${PACKAGE}/dist/models/ssd_mobilenet_v2_oidv4.gz`;
const CLASSIFIER = `${ROOT}tests/data/models/small_classifier.fp32.tflite`;
const NAMES = Array.from({ length: 23 }, (_, i) => `name ${i}`);
/** A quote, HTML, and code that would run if it were not quoted. */
const HOSTILE = `it's "<b>" \\ \${x} '); throw 1; ('`;

suite('settings, models and cameras of the page that detects', needsBrowser, () => {
  /** @type {import('playwright-core').Browser} */ let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */ let server;
  /** @type {string[]} */
  const troubles = [];
  before(async () => {
    mkdirSync(OUT, { recursive: true });
    server = await serve({ headers: ISOLATION, roots: { '/': `${ROOT}web`, '/samples/': photos() } });
    browser = await launch(['--use-fake-device-for-media-stream=device-count=2']);
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });

  /**
   * @param {import('node:test').TestContext} t
   * @param {string} hash
   * @param {() => void} [prepare] runs in the page, first
   */
  async function open(t, hash = '', prepare) {
    const permissions = ['camera', 'clipboard-read', 'clipboard-write'];
    const context = await browser.newContext({ permissions });
    t.after(() => context.close());
    const page = await context.newPage();
    if (prepare) await page.addInitScript(prepare);
    watchForTroubles(page, troubles, server.url);
    await page.goto(`${server.url}/${hash}`);
    return page;
  }

  const isClean = () => assert.deepEqual(troubles.splice(0), []);
  /** @param {Page} page @param {RegExp} text */
  const waitForSummary = (page, text) => page.locator('#summary').filter({ hasText: text }).waitFor();
  /** @param {Page} page @param {string | RegExp} text */
  const waitForNotice = (page, text) => page.locator('#notice').filter({ hasText: text }).waitFor();
  /** @param {Page} page @param {string | RegExp} text */
  const waitForModel = (page, text) => page.locator('#model-name').filter({ hasText: text }).waitFor();
  /** @param {Page} page @param {string} id */
  const value = (page, id) => page.locator(`#${id}`).inputValue();
  /** @param {Page} page */
  const results = async (page) => JSON.parse((await page.locator('#json').textContent()) ?? '');
  /** @param {Page} page */
  const unfold = (page) =>
    page.locator('details').evaluateAll((all) => all.forEach((details) => details.setAttribute('open', '')));
  /** @param {Page} page @param {string} button */
  async function copy(page, button) {
    await page.getByRole('button', { name: button }).click();
    await page.locator('#copied').filter({ hasText: 'Copied' }).waitFor();
    return page.evaluate(() => navigator.clipboard.readText());
  }

  /**
   * What a copied program prints for a photo.
   * @param {string} code
   * @param {string} name of the photo
   */
  function runCode(code, name) {
    const image = `const image = ${JSON.stringify(`${photos()}/${name}.png`)};\n`;
    const found = /console\.log\((.*)\);\n$/;
    assert.match(code, found);
    const program = code.replace(found, 'process.stdout.write(JSON.stringify($1));\nprocess.exit();\n');
    const path = `${OUT}/copied.js`;
    writeFileSync(path, program.replace('\n\n', `\n\n${image}`));
    return JSON.parse(execFileSync(process.execPath, [path], { cwd: OUT, encoding: 'utf8' }));
  }

  /** @param {{label: string, score: number}[]} found */
  const brief = (found) => found.map(({ label, score }) => `${label} ${score.toFixed(2)}`);

  test('a link sets them; what this browser does not offer stays at its default; code and link give them back', async (t) => {
    const page = await open(
      t,
      '#score=0.1&iou=7&precision=int8&threads=99&only=Bottle&only=Person&only=Unicorn&sample=astronaut',
    );
    await waitForSummary(page, /Bottle/);
    assert.equal(await value(page, 'score'), '0.1');
    assert.equal(await page.locator('#score').getAttribute('aria-valuetext'), '10 %');
    assert.equal(await value(page, 'iou'), '0.6');
    assert.equal(await value(page, 'threads'), '1');
    await page.locator('#engine').filter({ hasText: '8 bits' }).waitFor();
    await page.locator('#classes-count').filter({ hasText: '2 of 23' }).waitFor();
    const found = await results(page);
    assert.deepEqual([...new Set(found.map((/** @type {any} */ each) => each.label))].sort(), [
      'Bottle',
      'Person',
    ]);

    await unfold(page);
    assert.deepEqual(brief(runCode(await copy(page, 'Copy code'), 'astronaut')), brief(found));
    const link = await copy(page, 'Copy link');
    assert.ok(page.url().includes('#'), 'the settings are still those of the link');
    await page.getByRole('button', { name: 'Back to the defaults' }).click();
    await waitForSummary(page, /^3 objects: .*Person/);
    assert.ok(!page.url().includes('#'), 'the settings are those of the page');
    await page.goto(link);
    await waitForSummary(page, /Bottle/);
    assert.deepEqual(await results(page), found);
    isClean();
  });

  test('a photo is also searched in tiles, objects of a video are followed, and the code says so', async (t) => {
    const page = await open(t, '#tiles=auto&track=1&sample=chelsea');
    const fact = (/** @type {string} */ text) => page.locator('#engine').filter({ hasText: text }).waitFor();
    await waitForSummary(page, /Cat/);
    await fact('none, the photo is small');
    const [photo, video] = await page.evaluate(async () => {
      const image = await createImageBitmap(await (await fetch('samples/chelsea.png')).blob());
      const canvas = Object.assign(document.createElement('canvas'), { width: 1400, height: 1400 });
      const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
      const draw = () => context.drawImage(image, 0, 0, canvas.width, canvas.height);
      const read = async (/** @type {Blob} */ blob) => [...new Uint8Array(await blob.arrayBuffer())];
      draw();
      /** @type {Blob} */
      const photo = await new Promise((resolve) =>
        canvas.toBlob((blob) => blob && resolve(blob), 'image/jpeg'),
      );
      Object.assign(canvas, { width: 512, height: 512 });
      const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: 'video/webm' });
      /** @type {Promise<Blob>} */
      const recorded = new Promise((resolve) => (recorder.ondataavailable = ({ data }) => resolve(data)));
      recorder.start();
      for (let i = 0; i < 20; i++) {
        draw();
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      recorder.stop();
      return Promise.all([read(photo), read(await recorded)]);
    });
    const file = page.locator('#file');
    await file.setInputFiles({ name: 'a.jpg', mimeType: 'image/jpeg', buffer: Buffer.from(photo) });
    await fact('Tiles9');
    await waitForSummary(page, /Cat/);
    const code = page.locator('#code');
    assert.match((await code.textContent()) ?? '', /detect\(image, \{ tiles: 'auto' \}\)/);

    await file.setInputFiles({ name: 'a.webm', mimeType: 'video/webm', buffer: Buffer.from(video) });
    // Slowly, so that a busy machine sees several frames before the video begins anew.
    await page.locator('#video').evaluate((video) => Object.assign(video, { playbackRate: 0.1 }));
    await page
      .locator('#found')
      .filter({ hasText: /Cat #\d/ })
      .waitFor();
    assert.match((await code.textContent()) ?? '', /video\(video, \{ track: true \}\)/);
    isClean();
  });

  test('what the user sets is kept; nothing ticked says so', async (t) => {
    const page = await open(t);
    await waitForSummary(page, /Person/);
    await unfold(page);
    await page.locator('#iou').press('Home');
    await page.locator('#score').press('ArrowRight');
    await page.getByRole('button', { name: 'None' }).click();
    await waitForSummary(page, /^No class is ticked/);
    await page.reload();
    await waitForSummary(page, /^No class is ticked/);
    assert.equal(await value(page, 'score'), '0.35');
    assert.equal(await value(page, 'iou'), '0.1');
    await unfold(page);
    await page.getByRole('checkbox', { name: 'Person' }).check();
    await waitForSummary(page, /^1 object: Person$/);
    assert.match((await page.locator('#code').textContent()) ?? '', /classes: \{ allow: \['Person'\] \}/);
    await page.getByRole('button', { name: 'All' }).click();
    await page.getByRole('checkbox', { name: 'Person' }).uncheck();
    await waitForSummary(page, /^Nothing above/);
    assert.match((await page.locator('#code').textContent()) ?? '', /classes: \{ deny: \['Person'\] \}/);
    isClean();
  });

  test('works where the browser keeps nothing', async (t) => {
    const page = await open(t, '', () => {
      const refuse = () => {
        throw new DOMException('refused', 'SecurityError');
      };
      Object.defineProperty(globalThis, 'localStorage', { get: refuse });
    });
    await waitForSummary(page, /Person/);
    await page.locator('#score').press('End');
    await waitForSummary(page, /^Nothing above/);
    await page.locator('#keys').uncheck();
    isClean();
  });

  test('a detector and labels of the user’s own, by choice and by drop; one that is none; back', async (t) => {
    const page = await open(t);
    await waitForSummary(page, /Person/);
    const boxes = (await results(page)).map((/** @type {any} */ { box }) => box);
    const labels = { name: 'names.txt', mimeType: 'text/plain', buffer: Buffer.from(NAMES.join('\r\n')) };
    const model = { name: `${HOSTILE}.tflite`, mimeType: '', buffer: readFileSync(DETECTOR) };
    const chooser = page.locator('#model-file');
    await chooser.setInputFiles([model, labels]);
    await waitForSummary(page, /^3 objects: .*name \d/);
    await waitForModel(page, `${HOSTILE}.tflite, names.txt, 23 classes`);
    assert.deepEqual(
      (await results(page)).map((/** @type {any} */ { box }) => box),
      boxes,
    );
    const code = (await page.locator('#code').textContent()) ?? '';
    const literal = code.match(/model: (.*),/)?.[1] ?? '';
    assert.equal(new Function(`return ${literal}`)(), `${HOSTILE}.tflite`);
    assert.ok(await page.locator('#precision').isDisabled());

    const wrong = { ...labels, buffer: Buffer.from('one\ntwo\n') };
    await chooser.setInputFiles([wrong]);
    await waitForNotice(page, 'labels has 2 names, but the model has 23 classes');
    await waitForNotice(page, 'This model cannot be used');
    await waitForModel(page, `${HOSTILE}.tflite, names.txt`);
    await waitForSummary(page, /^Nothing yet/);
    await check(page, 'refused model');
    await page.locator('#remedy').press('Enter');
    await waitForSummary(page, /^3 objects: .*Person/);
    assert.equal(await page.evaluate(() => document.activeElement?.id), 'open-model');
    await chooser.setInputFiles([{ ...model, buffer: Buffer.from('no model at all') }]);
    await waitForNotice(page, 'This model cannot be used');
    assert.deepEqual(await results(page), []);

    await page.evaluate(async (names) => {
      const transfer = new DataTransfer();
      const bytes = await (await fetch('ocelli/dist/models/ssd_mobilenet_v2_oidv4.gz')).blob();
      transfer.items.add(new File([bytes], 'model.bin'));
      transfer.items.add(new File([names], 'labels.txt'));
      dispatchEvent(new DragEvent('drop', { dataTransfer: transfer }));
    }, NAMES.join('\n'));
    await waitForSummary(page, /^3 objects: .*name \d/);
    await waitForModel(page, 'model.bin, labels.txt, 23 classes');
    await page.getByRole('button', { name: 'ocelli’s own' }).click();
    await waitForSummary(page, /^3 objects: .*Person/);
    isClean();
  });

  test('a classifier, which says nothing of its input: the same scores as in Node', async (t) => {
    const page = await open(t);
    await page.locator('#model-file').setInputFiles(CLASSIFIER);
    await waitForNotice(page, 'does not say how to compute the model’s input');
    await page.getByLabel('Values that the model takes').selectOption('[-1,1]');
    await page.locator('#score').press('Home');
    await waitForSummary(page, /object/);
    const classifier = await ImageClassifier.create({ model: CLASSIFIER, input: '[-1,1]' });
    const { classes } = await classifier.classify(readFileSync(`${photos()}/astronaut.png`));
    classifier.close();
    const expected = classes.filter(({ score }) => score > 0.05);
    assert.deepEqual(brief(await results(page)), brief(expected));
    await waitForModel(page, 'small_classifier.fp32.tflite, no class names');
    const code = (await page.locator('#code').textContent()) ?? '';
    copyModel();
    assert.deepEqual(brief(runCode(code, 'astronaut')), brief(expected));
    await page.locator('#camera').click();
    await page.locator('#fps').filter({ hasText: 'fps' }).waitFor();
    assert.match((await page.locator('#code').textContent()) ?? '', /while \(!video\.ended\)/);
    isClean();
  });
  const copyModel = () => writeFileSync(`${OUT}/small_classifier.fp32.tflite`, readFileSync(CLASSIFIER));

  test('two cameras: the chosen one is used, and kept', async (t) => {
    const page = await open(t);
    const cameras = page.getByRole('combobox', { name: 'Which camera' });
    await page.locator('#camera').click();
    await cameras.waitFor();
    const options = await cameras.locator('option').allTextContents();
    assert.equal(options.length, 3);
    const waitForUse = (/** @type {string} */ name) =>
      page.waitForFunction((name) => {
        const video = /** @type {HTMLVideoElement} */ (document.querySelector('#video'));
        const stream = /** @type {MediaStream | null} */ (video.srcObject);
        return stream?.getVideoTracks()[0].label === name;
      }, name);
    const [any, first, other] = options;
    for (const name of [other, first, other]) {
      await cameras.selectOption(name);
      await waitForUse(name);
    }
    await check(page, 'two cameras');
    await page.goto(`${server.url}/teach.html`);
    await page.locator('#camera').click();
    await waitForUse(other);
    assert.equal(await cameras.locator('option:checked').textContent(), other);
    // As if it had been unplugged since.
    await page.evaluate(() => localStorage.setItem('ocelli-camera', 'gone'));
    await page.reload();
    await page.locator('#camera').click();
    await waitForUse(first);
    assert.equal(await cameras.locator('option:checked').textContent(), any);
    isClean();
  });

  test('documentation and source: the links lead to texts', async () => {
    for (const name of ['', 'teach.html']) {
      const address = `${server.url}/${name}`;
      const [footer] = (await (await fetch(address)).text()).match(/<footer>.*<\/footer>/s) ?? [''];
      const links = [...footer.matchAll(/href="([^"]+)"/g)].map(([, link]) => new URL(link, address));
      assert.ok(links.length >= 4);
      for (const link of links) {
        const response = await fetch(link);
        assert.equal(response.status, 200, link.href);
        assert.match(response.headers.get('content-type') ?? '', /^text\/(plain|javascript)/, link.href);
      }
    }
  });
});
