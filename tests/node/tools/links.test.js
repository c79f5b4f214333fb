// `make lint` finds links and paths in documents that name no file or heading, and pages that the site lacks.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { checkEntries, checkLinks, checkPages } from '../../../tools/lint/links.js';

/**
 * A repository of these files, until the test ends.
 * @param {import('node:test').TestContext} t
 * @param {Record<string, string>} files their contents by path
 */
function makeTree(t, files) {
  const root = mkdtempSync(join(tmpdir(), 'ocelli-links-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

/** What the check says of a repository. @param {Parameters<typeof makeTree>} tree */
const check = (...tree) => checkLinks(makeTree(...tree));

const FILES = {
  Makefile: '',
  'src/graph/run.c': '',
  'docs/edge.md': '# Edge\n\n## Limits\n',
  'examples/app/index.js': '',
};

test('links and paths of files and folders that exist are allowed', (t) => {
  const found = check(t, {
    ...FILES,
    'README.md':
      '[a](docs/edge.md) [b](examples/app) [c](docs/edge.md#limits) [d](#e-f) [f](https://x.org/g.md) `src/gone.c`\n# `E` [f](docs/edge.md)\n',
    'docs/other.md': '[a](../README.md) [b](edge.md)\n```js\nf[x](y)\n```\n',
    'ARCHITECTURE.md':
      '`src/graph/run.c` `src/graph/` `src/*/run.*` `Makefile` `dist/made.js` `src/NAME.c` `ocelli/train` `../shared/data` a/b\n',
    'build/package/README.md': '[gone](gone.md)\n',
  });
  assert.deepEqual(found, []);
});

test('a link or path without a file is named, with its line', (t) => {
  const found = check(t, {
    ...FILES,
    'README.md': 'text\n\n[a](docs/gone.md#part)\n',
    'docs/edge.md': '[from the root](docs/edge.md)\n',
    'examples/app/README.md': '[a](../gone/)\n',
    'ARCHITECTURE.md': 'One `src/gone.c`, `src/README.md`,\ntwo `attic/`, `src/*/gone.*`.\n',
    'CONTRIBUTING.md': '```sh\nnode --test tests/gone.test.js\nsrc/run.c # part of a path\n```\n',
  });
  assert.deepEqual(found, [
    'ARCHITECTURE.md:1: there is no src/gone.c',
    'ARCHITECTURE.md:1: there is no src/README.md',
    'ARCHITECTURE.md:2: there is no attic/',
    'ARCHITECTURE.md:2: there is no src/*/gone.*',
    'CONTRIBUTING.md:2: there is no tests/gone.test.js',
    'CONTRIBUTING.md:3: there is no src/run.c',
    'README.md:3: there is no docs/gone.md',
    'docs/edge.md:1: there is no docs/edge.md',
    'examples/app/README.md:1: there is no ../gone/',
  ]);
});

test('a link to a heading that is not there is named', (t) => {
  const text = '# Size (bytes), `x()`\n\n## Twice\n\n## Twice\n\n```sh\n# no heading\n```\n';
  const links = ['size-bytes-x', 'twice', 'twice-1', 'twice-2', 'no-heading'].map((id) => `[a](#${id})`);
  const found = check(t, {
    'docs/a.md': text + links.join('\n'),
    'README.md': '[a](docs/a.md#twice)\n[b](docs/a.md#thrice)\n',
  });
  assert.deepEqual(found, [
    'README.md:2: there is no docs/a.md#thrice',
    'docs/a.md:13: there is no #twice-2',
    'docs/a.md:14: there is no #no-heading',
  ]);
});

test('the site has every document of docs/', (t) => {
  const root = makeTree(t, {
    'docs/a.md': '',
    'docs/guides/b.md': '',
    'docs/picture.svg': '',
    'README.md': '',
  });
  const pages = (/** @type {string[]} */ ...files) => files.map((file) => ({ file }));
  const complete = pages('README.md', 'docs/a.md', 'docs/guides/b.md');
  assert.deepEqual(checkPages(root, complete), []);
  assert.deepEqual(checkPages(root, pages('README.md', 'docs/a.md', 'docs/gone.md')), [
    'tools/docs/contents.js: docs/guides/b.md is in no section',
    'tools/docs/contents.js: there is no docs/gone.md',
  ]);
});

test('the site has every entry of the package that has types', (t) => {
  const exports = {
    '.': { types: 'a.d.ts' },
    './draw': { types: 'b.d.ts' },
    './worker': { types: 'c.d.ts' },
    './model.bin': {},
  };
  const root = makeTree(t, { 'package.json': JSON.stringify({ name: 'ocelli', exports }) });
  assert.deepEqual(checkEntries(root, { ocelli: {}, 'ocelli/draw': {} }), []);
  assert.deepEqual(checkEntries(root, { ocelli: {}, 'ocelli/gone': {} }), [
    'tools/docs/contents.js: ocelli/draw is not in ENTRIES',
    'tools/docs/contents.js: package.json does not export ocelli/gone',
  ]);
});
