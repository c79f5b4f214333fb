// ocelli/train in Chromium: Keras' trajectories, by the test of tests/node that runs them in Node, and the same weights as
// everywhere.
import assert from 'node:assert/strict';
import { build as bundle } from 'esbuild';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { testData } from '../node/shared.js';
import { DIGESTS } from '../node/train/reference_run.js';
import { launch, needsBrowser, openPage, ROOT, serve } from './shared.js';

const OUT = `${ROOT}build/browser-train`;
const HERE = fileURLToPath(new URL('in_page/', import.meta.url));
const KERAS = `
import './wasm/train/browser.js';
import './tests/node/train/keras.test.js';
export { runAll } from 'node:test';
`;
/** What a page has in the place of what the tests import: by the end of the name. @type {[RegExp, string][]} */
const STANDINS = [
  [/^node:test$/, `${HERE}test.js`],
  [/^node:assert\/strict$/, `${HERE}assert.js`],
  [/\.\/shared\.js$/, `${HERE}shared.js`],
  [/train\/node\.js$/, `${ROOT}wasm/train/browser.js`],
];

/** @param {string} name @param {string} contents */
function bundlePage(name, contents) {
  const standins = {
    name: 'stand-ins',
    /** @param {import('esbuild').PluginBuild} build */
    setup(build) {
      for (const [filter, path] of STANDINS) build.onResolve({ filter }, () => ({ path }));
    },
  };
  return bundle({
    stdin: { contents, resolveDir: ROOT },
    ...{ bundle: true, format: 'esm', outfile: `${OUT}/${name}.js`, external: ['*.wasm'] },
    // package.json says that what it does not name has no side effects: tests have.
    ignoreAnnotations: true,
    plugins: [standins],
  });
}

suite('ocelli/train in a page', needsBrowser, () => {
  /** @type {import('playwright-core').Browser} */ let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */ let server;
  before(async () => {
    const roots = {
      '/bundle/': OUT,
      '/dist/': `${ROOT}build/package/dist`,
      '/train/': `${ROOT}tests/node/train`,
      '/data/': testData(''),
    };
    server = await serve({ roots });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });

  for (const worker of [false, true])
    test(`ends in the weights of every engine${worker ? ', features extracted in a worker' : ''}`, async () => {
      const { page, warnings, requests } = await openPage(browser, `${server.url}/blank.html`);
      const found = await page.evaluate(
        async ([entry, runner, worker]) => {
          const { run } = await import(String(runner));
          return run(await import(String(entry)), { worker });
        },
        ['/ocelli/dist/web/train.js', '/train/reference_run.js', worker],
      );
      assert.deepEqual(found, DIGESTS);
      assert.deepEqual(warnings, []);
      assert.equal(
        requests.some((url) => url.endsWith('worker.browser.js')),
        worker,
      );
    });

  test('Keras’ trajectories, in both variants', async () => {
    await bundlePage('keras', KERAS);
    const { page } = await openPage(browser, `${server.url}/blank.html`);
    const { passed, failures } = await page.evaluate(async () => {
      const entry = '/bundle/keras.js';
      return (await import(entry)).runAll();
    });
    assert.deepEqual(failures, []);
    assert.ok(passed >= 2 * (42 + 42 + 2), String(passed));
  });
});
