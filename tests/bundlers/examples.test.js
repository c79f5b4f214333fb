// Each folder of examples/, copied far from the checkout, after `npm install` of the packed package and `npm start`.
import assert from 'node:assert/strict';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { launch, needsBrowser, photos } from '../browser/shared.js';
import { until } from '../patience.js';
import { PHOTO } from './expected.js';
import { pack, ROOT, run, start } from './shared.js';

const EXAMPLES = join(ROOT, 'examples');
const SERVER = /(https?:\/\/(?:localhost|0\.0\.0\.0|\[::\])[^\s,]*|(?<="listening":)\d+)/;

/** @typedef {(url: string, folder: string) => Promise<void>} Check */

suite('examples', needsBrowser, () => {
  const home = mkdtempSync(join(tmpdir(), 'ocelli-examples-'));
  chmodSync(home, 0o755); // PostgreSQL's user must come through.
  /** @type {import('playwright-core').Browser} */ let browser;
  before(async () => {
    const camera = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];
    browser = await launch(camera);
  });
  after(async () => {
    await browser?.close();
    rmSync(home, { recursive: true, force: true });
  });

  /** Chooses a photo. @type {Check} */
  async function choose(url) {
    const page = await browser.newPage();
    const choosePhoto = () => page.locator('input:enabled').setInputFiles(`${photos()}/chelsea.png`);
    page.on('load', () => choosePhoto().catch(() => {}));
    await page.goto(url);
    await choosePhoto();
    await page.locator('li').first().waitFor();
    assert.match((await page.locator('li').allTextContents()).join(), /^Cat 8\d %$/);
    await page.close();
  }

  /** Waits until the page detects in the fake camera's pictures. @type {Check} */
  async function film(url) {
    const page = await browser.newPage();
    /** @type {string[]} */
    const troubles = [];
    page.on('pageerror', (error) => troubles.push(String(error)));
    await page.goto(url);
    await page.waitForFunction(() => /** @type {any} */ (document.querySelector('canvas'))?.width > 300);
    // The fake camera's test picture shows no object: a drawn box cannot be waited for, a worker can.
    await until(() => page.workers().length > 0);
    assert.deepEqual(troubles, []);
    await page.close();
  }

  /** @param {string} path @param {() => BodyInit} body @returns {Check} */
  const post = (path, body) => async (url) => {
    const response = await fetch(url.replace(/\/$/, '') + path, { method: 'POST', body: body() });
    assert.match(await response.text(), /"Cat"/);
  };
  const form = () => {
    const data = new FormData();
    data.append('photo', new Blob([PHOTO]), 'cat.png');
    return data;
  };

  /** Stores a photo and waits for its result. @type {Check} */
  async function queue(url) {
    const { status } = await fetch(`${url}/objects/cat`, { method: 'PUT', body: PHOTO });
    assert.equal(status, 202);
    const ask = () => fetch(`${url}/results/cat`);
    let answer = await ask();
    while (answer.status === 202) answer = await ask();
    assert.match(await answer.text(), /"Cat"/);
  }

  /** @type {Record<string, Check>} */
  const checks = {
    camera: film,
    'deno-server': post('/', () => PHOTO),
    esbuild: choose,
    express: post('/detect', form),
    'import-map': choose,
    next: choose,
    'queue-worker': queue,
    react: choose,
    service: post('/detect', () => new Blob([PHOTO], { type: 'image/png' })),
    'service-worker': choose,
    vite: choose,
    vue: choose,
    webpack: choose,
  };

  /** @param {string} name */
  function install(name) {
    const folder = join(home, name);
    cpSync(join(EXAMPLES, name), folder, { recursive: true });
    run(folder, 'npm', 'install', '--prefer-offline', '--silent', '--no-audit', '--no-fund', pack(home));
    return folder;
  }

  for (const name of Object.keys(checks))
    test(name, async () => {
      const folder = install(name);
      const { url, stop } = await start(folder, ['npm', 'start'], SERVER);
      await checks[name](url.replace('0.0.0.0', 'localhost'), folder).finally(stop);
      // npm does not wait for a database to end.
      await until(() => !existsSync(join(folder, 'data/postmaster.pid')));
    });

  test('lambda', () => {
    const folder = install('lambda');
    writeFileSync(join(folder, 'photo'), PHOTO);
    assert.match(run(folder, 'npm', 'start', '--', 'photo'), /statusCode: 200[\s\S]*"Cat"/);
    assert.match(run(folder, 'npm', 'start'), /statusCode: 400[\s\S]*IMAGE_EMPTY/);
  });

  test('every folder is here', () => {
    const folders = readdirSync(EXAMPLES).filter((name) => statSync(join(EXAMPLES, name)).isDirectory());
    assert.deepEqual([...Object.keys(checks), 'lambda'].sort(), folders.sort());
  });
});
