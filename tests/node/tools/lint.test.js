// The rules of `make lint` that are our own, each on a small tree that breaks it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { checkIncludes, checkOperators } from '../../../tools/lint/includes.js';
import { checkOwner } from '../../../tools/lint/owner.js';
import { checkSizes } from '../../../tools/lint/sizes.js';
import { checkTypes } from '../../../tools/lint/types.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * A folder with these files, until the test ends.
 * @param {import('node:test').TestContext} t
 * @param {Record<string, string>} files their contents by path
 */
function makeTree(t, files) {
  const root = mkdtempSync(join(tmpdir(), 'ocelli-lint-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const folder of ['src', 'wasm', 'bin']) mkdirSync(join(root, folder));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

/**
 * What dependency-cruiser has against the imports of a tree. It needs Node 22.
 * @param {string} root
 * @returns {Promise<string[]>} 'rule: from -> to', in order
 */
async function cruise(root) {
  const tool = ['node_modules/.bin/depcruise', '.dependency-cruiser.js'].map((path) => join(ROOT, path));
  const folders = ['wasm', 'bin'];
  const { stdout } = await promisify(execFile)(
    join(ROOT, 'node_modules/node-24/bin/node'),
    [tool[0], '--config', tool[1], '--output-type', 'json', ...folders],
    { cwd: root },
  ).catch((error) => error); // its exit status counts violations
  /** @type {{summary: {violations: {rule: {name: string}, from: string, to: string}[]}}} */
  const { summary } = JSON.parse(stdout);
  return summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`).sort();
}

test('JavaScript: imports of lower floors are allowed, all others are not', async (t) => {
  const root = makeTree(t, {
    'wasm/shared/ground.js': 'export const x = 1;',
    'wasm/engine/down.js': `export { x } from '../shared/ground.js';`,
    'wasm/engine/own.js': `export { x } from './down.js';`,
    'wasm/engine/up.js': `export { x } from '../vision/allowed.js';`,
    'wasm/engine/up_later.js': `export const load = () => import('../vision/allowed.js');`,
    'wasm/engine/up_type.js': `/** @param {import('../vision/allowed.js').X} x */\nexport function f(x) { return x; }`,
    'wasm/tflite/sideways.js': `export { x } from '../engine/own.js';`,
    'wasm/vision/allowed.js': `export { x } from '../engine/own.js';\n/** @typedef {number} X */`,
    'wasm/vision/out.js': `export { y } from '../../bin/main.js';`,
    'wasm/attic/unknown.js': `export { x } from '../shared/ground.js';`,
    'wasm/train/one.js': `import './two.js';`,
    'wasm/train/two.js': `import './one.js';`,
    'wasm/train/types.js': `/** @typedef {import('./values.js').Y} Y */\nexport const x = 1;`,
    'wasm/train/values.js': `/** @typedef {number} Y */\nexport { x } from './types.js';`,
    'bin/main.js': `export { x as y } from '../wasm/vision/allowed.js';`,
  });
  assert.deepEqual(await cruise(root), [
    'floor-of-engine: wasm/engine/up.js -> wasm/vision/allowed.js',
    'floor-of-engine: wasm/engine/up_later.js -> wasm/vision/allowed.js',
    'floor-of-engine: wasm/engine/up_type.js -> wasm/vision/allowed.js',
    'floor-of-tflite: wasm/tflite/sideways.js -> wasm/engine/own.js',
    'no-cycles: wasm/train/one.js -> wasm/train/two.js',
    'room-without-floor: wasm/attic/unknown.js -> wasm/shared/ground.js',
    'wasm-is-below: wasm/vision/out.js -> bin/main.js',
  ]);
});

test('JavaScript: a property’s type from another room needs a name', (t) => {
  const property = (/** @type {string} */ type) =>
    `/**\n * @typedef {object} A\n * @property {\n *   ${type}} b\n */\nexport {};\n`;
  const root = makeTree(t, {
    'wasm/engine/other.js': property(`import('../vision/types.js').X`),
    'wasm/engine/deep/own.js': property(`import('../types.js').X`),
    'wasm/engine/named.js': `/**\n * @property {X} x\n * @typedef {import('../vision/types.js').X} X\n */\nexport {};\n`,
  });
  assert.deepEqual(checkTypes(root), [
    'wasm/engine/other.js:4: give the type of ../vision/types.js a name by @typedef first',
  ]);
});

test('C: includes of lower floors are allowed, all others are not', (t) => {
  const root = makeTree(t, {
    'src/base/text.h': '#include <string.h>\n',
    'src/image/image.h': '#include "base/text.h"\n',
    'src/image/image.c': '#include "image.h"\n#include "base/text.h"\n#include "zlib.h"\n',
    'src/image/sideways.c': '#include "tflite/zip.h"\n',
    'src/tflite/zip.h': '',
    'src/base/up.c': '\n#include "image/image.h"\n',
    'src/base/up_relative.c': '#include "../image/image.h"\n',
    'src/graph/graph.h': '',
    'src/graph/graph.c': '#include "graph/operators/table.h"\n#include "graph/operators/conv.h"\n',
    'src/graph/operators/table.h': '',
    'src/graph/operators/conv.h': '#include "graph/graph.h"\n#include "image/image.h"\n',
    'src/attic/old.c': '',
    'src/ocelli.h': '#include "graph/graph.h"\n',
    'src/detect/top.c': '#include "ocelli.h"\n',
  });
  const places = checkIncludes(root).map(
    (message) => /** @type {RegExpExecArray} */ (/^.*?(?=; | give )/.exec(message))[0],
  );
  assert.deepEqual(places, [
    'src/attic/old.c:',
    'src/base/up.c:2: src/base may not include image/image.h',
    'src/base/up_relative.c:1: src/base may not include image/image.h',
    'src/detect/top.c:1: src/detect may not include ocelli.h',
    'src/graph/graph.c:2: src/graph may not include graph/operators/conv.h',
    'src/graph/operators/conv.h:1: src/graph/operators may not include graph/graph.h',
    'src/image/sideways.c:1: src/image may not include tflite/zip.h',
  ]);
});

test('a file of 501 lines and a folder of 26 files are too large', (t) => {
  const inside = (/** @type {string} */ folder, /** @type {number} */ count) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`${folder}/file${i}.js`, '']));
  const root = makeTree(t, {
    'src/long.c': '\n'.repeat(501),
    'src/fits.c': '\n'.repeat(500),
    ...inside('wasm/full', 26),
    ...inside('wasm/fits', 25),
    ...inside('wasm/fits/deeper', 25),
  });
  assert.deepEqual(checkSizes(root), [
    'src/long.c has 501 lines: split it, at most 500 are allowed',
    'wasm/full has 26 files at one level: split it, at most 25 are allowed',
  ]);
});

test('C: only graph/operators/ names an operator', (t) => {
  const root = makeTree(t, {
    'src/graph/plan.c':
      'int a;\nint b = OCL_OP_ADD;\nint c = OCL_OPERATOR_ROW_ADD;\nint d = OCL_OPERATOR_UNPACKS;\n',
    'src/graph/operators/conv.c': 'int a = OCL_OP_CONV_2D;\n',
    'src/tflite/tflite.c': 'int a = OCL_OP_CUSTOM;\n',
  });
  assert.deepEqual(
    checkOperators(root).map((message) => message.split(' ').slice(0, 2).join(' ')),
    ['src/graph/plan.c:2: OCL_OP_ADD:', 'src/graph/plan.c:3: OCL_OPERATOR_ROW_ADD:'],
  );
});

test('package.json names the owner of tools/owner.json', (t) => {
  const url = 'https://example.org/someone/ocelli';
  const owned = { homepage: url, repository: { type: 'git', url: `git+${url}.git` }, bugs: `${url}/issues` };
  const root = (/** @type {object} */ fields) =>
    makeTree(t, {
      'tools/owner.json': JSON.stringify({ url }),
      'package.json': JSON.stringify({ name: 'a', ...fields }),
    });
  assert.deepEqual(checkOwner(root(owned)), []);
  assert.match(checkOwner(root({ ...owned, bugs: 'https://example.org' }))[0], /run node tools\/owner.js/);
  assert.match(checkOwner(root({}))[0], /names another owner/);
});
