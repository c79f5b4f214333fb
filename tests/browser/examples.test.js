// Each app in examples/, as its user would build it, with the packed package in its node_modules: a photo goes in, what
// is on it comes out. And a development server's, and a server's own import.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { ISOLATION, startServer } from '../../tools/serve.js';
import { PATIENCE_MS } from '../patience.js';
import { launch, needsBrowser, PACKAGE, photos, ROOT, watchForTroubles } from './shared.js';

const ENVIRONMENT = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' };

/**
 * A copy of an example, with ocelli installed; its other packages are found in the checkout's node_modules.
 * @param {string} name
 */
function install(name) {
  const directory = `${ROOT}build/examples/${name}`;
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(`${directory}/node_modules`, { recursive: true });
  cpSync(`${ROOT}examples/${name}`, directory, { recursive: true });
  cpSync(PACKAGE, `${directory}/node_modules/ocelli`, { recursive: true });
  return directory;
}

/**
 * @param {string} directory
 * @param {string[]} command
 */
function run(directory, [program, ...args]) {
  execFileSync(program, args, { cwd: directory, env: ENVIRONMENT, stdio: 'pipe', timeout: PATIENCE_MS });
}

/**
 * A server of the example's own, until the test ends.
 * @param {string} directory
 * @param {string[]} args of its package's program
 * @param {RegExp} ready what it prints with its URL
 * @returns {Promise<{url: string, stop: () => void}>}
 */
async function start(directory, args, ready) {
  const child = spawn(process.execPath, args, { cwd: directory, env: ENVIRONMENT });
  child.stderr.resume();
  let printed = '';
  /** @type {string} */
  const url = await new Promise((resolve, reject) => {
    child.on('exit', () => reject(new Error(`it ended: ${printed}`)));
    // Read to the end: a server that prints when nobody reads fails, and a slow one has more to say.
    child.stdout.on('data', (chunk) => {
      // eslint-disable-next-line no-control-regex
      printed += String(chunk).replace(/\x1b\[\d*m/g, '');
      const url = ready.exec(printed)?.[1];
      if (url) resolve(url);
    });
  });
  return { url, stop: () => child.kill() };
}

suite('example apps, from the packed package', needsBrowser, () => {
  /** @type {import('playwright-core').Browser} */ let browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());

  /** @param {string} url */
  async function assertDetects(url) {
    const page = await browser.newPage();
    /** @type {string[]} */
    const troubles = [];
    watchForTroubles(page, troubles);
    /** @type {string[]} */
    const modules = [];
    page.on('request', (request) => {
      if (request.url().includes('.wasm')) modules.push(request.url());
    });
    const choosePhoto = () => page.locator('input:enabled').setInputFiles(`${photos()}/chelsea.png`);
    await page.goto(url);
    // A development server that has bundled its dependencies reloads the page.
    page.on('load', () => choosePhoto().catch(() => {}));
    await choosePhoto();
    const item = page.locator('li');
    await item.first().waitFor();
    assert.match((await item.allTextContents()).join(), /^Cat 8\d %$/);
    assert.equal(new Set(modules).size, 1);
    assert.deepEqual(troubles, []);
    await page.close();
  }

  /**
   * @param {string} directory
   * @param {string} [path] that the site is under
   * @param {Record<string, string>} [headers]
   */
  async function assertSiteDetects(directory, path = '/', headers = {}) {
    const server = await startServer({ roots: { [path]: directory }, headers });
    try {
      await assertDetects(`${server.url}${path}`);
    } finally {
      server.close();
    }
  }

  test('an import map, under a path', () => assertSiteDetects(install('import-map'), '/some/where/'));

  test('Vite: the built site, under a path', async () => {
    const directory = install('vite');
    run(directory, ['npm', 'run', 'build']);
    await assertSiteDetects(`${directory}/dist`, '/some/where/');
  });

  test('Vite: the development server', async () => {
    const vite = `${ROOT}node_modules/vite/bin/vite.js`;
    const { url, stop } = await start(install('vite'), [vite, '--port', '0'], /Local: +(\S+)/);
    await assertDetects(url).finally(stop);
  });

  for (const name of ['webpack', 'esbuild']) {
    test(`${name}: the built site, under a path`, async () => {
      const directory = install(name);
      run(directory, ['npm', 'run', 'build']);
      await assertSiteDetects(`${directory}/dist`, '/some/where/');
    });
  }

  test('webpack: threads of the classic worker that it makes', async () => {
    const directory = install('webpack');
    const main = `${directory}/main.js`;
    writeFileSync(main, readFileSync(main, 'utf8').replace('worker: true', 'threads: 2'));
    run(directory, ['npm', 'run', 'build']);
    await assertSiteDetects(`${directory}/dist`, '/', ISOLATION);
  });

  test('Next.js: rendered on the server, detecting in the browser', async () => {
    const directory = install('next');
    run(directory, ['npm', 'run', 'build']);
    const next = `${ROOT}build/examples/node_modules/next/dist/bin/next`;
    const { url, stop } = await start(directory, [next, 'start', '--port', '0'], /Local: +(\S+)[\s\S]*Ready/);
    await assertDetects(url).finally(stop);
  });

  test('a server that takes the browser’s files can import them', () => {
    const directory = install('vite');
    const script = "await import('ocelli'); await import('ocelli/draw'); console.log(typeof window)";
    const args = ['--conditions=browser', '--input-type=module', '--eval', script];
    assert.equal(execFileSync(process.execPath, args, { cwd: directory, encoding: 'utf8' }), 'undefined\n');
  });
});
