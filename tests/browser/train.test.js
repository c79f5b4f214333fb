// ocelli/train in Chromium: the same weights as everywhere.
import assert from 'node:assert/strict';
import { build as bundle } from 'esbuild';
import { suite, test } from 'node:test';
import { DIGESTS } from '../train/reference_run.js';
import { launch, needsBrowser, openPage, ROOT, serve } from './shared.js';

const OUT = `${ROOT}build/browser-train`;
const PAGE = `
import * as train from './build/package/wasm/train/browser.js';
import { run } from './tests/train/reference_run.js';
export const digests = () => run(train);
`;

suite('ocelli/train in a page', needsBrowser, () => {
  test('ends in the weights of every engine', async (t) => {
    await bundle({
      stdin: { contents: PAGE, resolveDir: ROOT },
      ...{ bundle: true, format: 'esm', outfile: `${OUT}/page.js`, external: ['*.wasm'] },
    });
    const server = await serve({ roots: { '/bundle/': OUT, '/dist/': `${ROOT}build/package/dist` } });
    const browser = await launch();
    t.after(() => Promise.all([browser.close(), server.close()]));
    const { page } = await openPage(browser, `${server.url}/blank.html`);
    const found = await page.evaluate(async () => {
      const entry = '/bundle/page.js';
      return (await import(entry)).digests();
    });
    assert.deepEqual(found, DIGESTS);
  });
});
