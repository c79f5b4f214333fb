// `make lint` finds comments that name what does not exist.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { checkNames } from '../../../tools/lint/names.js';

/**
 * What the check says of a repository of these files.
 * @param {import('node:test').TestContext} t
 * @param {Record<string, string>} files their contents by path
 */
function check(t, files) {
  const root = mkdtempSync(join(tmpdir(), 'ocelli-names-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return checkNames(root);
}

const CODE = {
  'src/base/status.h': 'enum { OCL_OK };\nint ocl_open(void);\n',
  'wasm/engine/engine.js': 'export class Engine { #grow() {} run() {} }\n',
  Makefile: 'build/made.js: src/base/status.h\n',
};

test('functions, names with our prefix and files that exist are allowed', (t) => {
  const found = check(t, {
    ...CODE,
    'src/use.c': `// ocl_open() (base/status.h) gives OCL_OK or another OCL_* of status.h; ocl_kind_NAME is any kind's.
/* Engine.run() and #grow() are in engine.js; made.js and dist/x.js are built; NAME.js is any file; TensorFlow.js is not ours. */
int use(void);
`,
    'README.md': '`run()` is in `wasm/engine/engine.js`.\n',
  });
  assert.deepEqual(found, []);
});

test('what does not exist is named, with its line', (t) => {
  const found = check(t, {
    ...CODE,
    'src/use.c': `// See state.h.
const char* text = "// see gone.h"; // ocl_close()
/* One line,
 * then OCL_GONE of src/status.h. */
`,
    'wasm/use.js': `/** As leave() does. @param {import('./types.js').Type} type */\nconst url = 'https://x.org/y.js'; // engine.js\n`,
    'docs/use.md': 'Call `stop()`.\n',
  });
  assert.deepEqual(found, [
    'src/use.c:1: there is no state.h',
    'src/use.c:2: there is no ocl_close',
    'src/use.c:4: there is no OCL_GONE',
    'src/use.c:4: there is no src/status.h',
    'wasm/use.js:1: there is no leave',
    'docs/use.md:1: there is no stop',
  ]);
});
