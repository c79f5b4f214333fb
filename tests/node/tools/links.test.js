// `make lint` finds links and paths in documents that name no file.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { checkLinks } from '../../../tools/lint/links.js';

/**
 * What the check says of a repository of these files.
 * @param {import('node:test').TestContext} t
 * @param {Record<string, string>} files their contents by path
 */
function check(t, files) {
  const root = mkdtempSync(join(tmpdir(), 'ocelli-links-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return checkLinks(root);
}

const FILES = { Makefile: '', 'src/graph/run.c': '', 'docs/edge.md': '', 'examples/app/index.js': '' };

test('links and paths of files and folders that exist are allowed', (t) => {
  const found = check(t, {
    ...FILES,
    'README.md':
      '[a](docs/edge.md) [b](examples/app) [c](docs/edge.md#limits) [d](#e) [f](https://x.org/g.md) `src/gone.c`\n',
    'docs/other.md': '[a](../README.md) [b](edge.md)\n',
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
