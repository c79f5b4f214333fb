// What may be skipped: a test that needs a listed file which is missing, and no other.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isListed, needsLarge, readList } from '../../large_models.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const sandbox = mkdtempSync(join(tmpdir(), 'ocelli-reporter-'));
after(() => rmSync(sandbox, { recursive: true }));

/** @param {string} file */
function runTests(file) {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--test', '--test-reporter=./tests/reporter.js', file],
    { cwd: ROOT, encoding: 'utf8', env: { ...env, OCELLI_SHARED: join(sandbox, 'nothing') } },
  );
  return { status, stdout };
}

/** @param {string} source */
function runSource(source) {
  const file = join(sandbox, 'written.test.mjs');
  writeFileSync(file, `import { describe, test } from 'node:test';\n${source}`);
  return runTests(file);
}

test('tests that run pass or fail as ever', () => {
  assert.equal(runSource("test('a', () => {});").status, 0);
  assert.equal(runSource("test('a', () => { throw new Error(); });").status, 1);
});

for (const [what, source] of Object.entries({
  'a test': "test('a', { skip: 'no browser' }, () => {});",
  'a test that skips itself': "test('a', (t) => t.skip());",
  'a suite': "describe('a', { skip: true }, () => {});",
  'a test that is not in the list':
    "test('a', { skip: 'needs convert/openimages_v4 of tests/large-models.txt' }, () => {});",
}))
  test(`${what}, skipped without need, fails the run`, () => {
    const { status, stdout } = runSource(source);
    assert.equal(status, 1);
    assert.match(stdout, /'a' was skipped, which tests\/large-models\.txt does not allow/);
  });

test('a listed test is skipped where its file is missing', () => {
  const { status, stdout } = runTests('tests/node/convert/migrate-hub.test.js');
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^1 tests and suites were skipped$/m);
});

test('the list says which file of tests may lack which path', () => {
  const list = new Map([['models/a.tflite', ['tests/a.test.js']]]);
  const reason = 'needs models/a.tflite of tests/large-models.txt';
  assert.ok(isListed('tests/a.test.js', reason, list));
  assert.ok(!isListed('tests/b.test.js', reason, list));
  assert.ok(!isListed('tests/a.test.js', reason.replace('a.tflite', 'b.tflite'), list));
  assert.ok(!isListed('tests/a.test.js', 'no browser', list));
  assert.throws(() => needsLarge('models/unlisted.tflite'), /does not list/);
});

test('the tests of the list are there', () => {
  for (const [path, tests] of readList()) {
    assert.ok(tests.length > 0, path);
    for (const file of tests) assert.ok(existsSync(join(ROOT, file)), file);
  }
});
