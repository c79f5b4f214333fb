// Code that a bundler has moved: where it believes to be, what it says. Copies of the file lie where bundlers put it.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';

const FILE = new URL('../../../wasm/platform/moved.js', import.meta.url);
const root = mkdtempSync(join(tmpdir(), 'ocelli-moved-'));
after(() => rmSync(root, { recursive: true }));
const base = pathToFileURL(`${root}/`).href;

/**
 * @param {string} place
 * @returns {Promise<typeof import('../../../wasm/platform/moved.js')>}
 */
function movedTo(place) {
  const [file] = place.split('?');
  mkdirSync(join(root, dirname(file)), { recursive: true });
  cpSync(FILE, join(root, file));
  return import(base + place);
}

describe('the package beside bundles', () => {
  /** @type {[string, string, string][]} */
  const cases = [
    [
      'app/node_modules/.vite/deps/a.js',
      'app/node_modules/dist/x.wasm',
      'app/node_modules/ocelli/dist/x.wasm',
    ],
    [
      'app/node_modules/.vite/deps_ssr/b.js?v=1/2',
      'app/node_modules/dist/y',
      'app/node_modules/ocelli/dist/y',
    ],
    ['b/node_modules/.cache/deps/a.js', 'b/dist/x.wasm', 'b/dist/x.wasm'],
    ['c/node_modules/ocelli/a.js', 'c/node_modules/dist/x', 'c/node_modules/dist/x'],
    ['d/node_modules/.vite/other/a.js', 'd/node_modules/dist/x', 'd/node_modules/dist/x'],
  ];
  for (const [place, url, found] of cases)
    test(place, async () => {
      const { unmoved } = await movedTo(place);
      assert.equal(unmoved(new URL(url, base)).href, base + found);
    });
});

describe('what to write', () => {
  const viteClient = { querySelector: (/** @type {string} */ query) => query.includes('/@vite/client') };
  /** @type {[string, Record<string, unknown>, RegExp][]} */
  const cases = [
    ['e/.angular/a.js', { __NUXT__: {}, document: viteClient }, /of assets in angular\.json/],
    ['e/node_modules/.vite/deps/a.js', { __NUXT__: {} }, / in nuxt\.config\.ts:/],
    ['e/a.js', { __NUXT__: {}, document: viteClient }, / in nuxt\.config\.ts:/],
    ['e/node_modules/.vite/deps/a.js', {}, / in vite\.config\.js:/],
    ['e/a.js', { document: viteClient, NEXT_RUNTIME: 'edge' }, / in vite\.config\.js:/],
    ['e/a.js', { NEXT_RUNTIME: 'nodejs', document: {}, __NUXT__: {} }, / in next\.config\.js:/],
    ['e/a.js', { document: {} }, /or name a copy of node_modules\/ocelli\/dist in assetsUrl:/],
    ['e/a.js', { process: undefined }, /or name a copy of node_modules\/ocelli\/dist in assetsUrl:/],
    ['e/a.js', { process: { versions: { bun: '1' } } }, /or build with --external ocelli:/],
    ['e/a.js', { __webpack_require__: {} }, / in webpack\.config\.js:/],
    ['e/a.js', {}, /or keep it out of the bundle /],
  ];
  for (const [place, { NEXT_RUNTIME, ...globals }, line] of cases)
    test(`${place}, ${[...Object.keys(globals), NEXT_RUNTIME ?? ''].join(' ')}`, async () => {
      const { cure } = await movedTo(place);
      const all = /** @type {any} */ (globalThis);
      const { process } = all;
      const before = Object.fromEntries(
        Object.keys(globals).map((name) => [name, Object.getOwnPropertyDescriptor(all, name)]),
      );
      const runtime = process.env.NEXT_RUNTIME;
      try {
        if (NEXT_RUNTIME === undefined) delete process.env.NEXT_RUNTIME;
        else process.env.NEXT_RUNTIME = NEXT_RUNTIME;
        for (const [name, value] of Object.entries(globals))
          Object.defineProperty(all, name, { value, configurable: true, writable: true });
        assert.match(cure(), line);
      } finally {
        for (const [name, descriptor] of Object.entries(before))
          if (descriptor) Object.defineProperty(all, name, descriptor);
          else delete all[name];
        if (runtime === undefined) delete process.env.NEXT_RUNTIME;
        else process.env.NEXT_RUNTIME = runtime;
      }
    });
});
