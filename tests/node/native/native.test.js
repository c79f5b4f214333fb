// The C tests: each program of tests/c prints a line per test. tools/native/native.mk builds them under ASan and UBSan,
// in 32 and 64 bits.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';

const SOURCES = new URL('../../c/', import.meta.url);
const ROOT = new URL('../../../', import.meta.url);
const BUILT = new URL('../../../build/native/', import.meta.url);
const PROGRAM = /^\d+-(?!\w+-coverage\/)[\w-]+\/tests\/.*test_\w+$/; // those of `make coverage` are the same

/** @param {URL} folder @param {RegExp} pattern */
const findFiles = (folder, pattern) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => pattern.test(name));

test('every test is built, by `make test`', () => {
  const built = findFiles(BUILT, PROGRAM).map((name) => name.split('/tests/')[1]);
  for (const source of findFiles(SOURCES, /(^|\/)test_\w+\.c$/))
    assert.ok(built.includes(source.replace(/\.c$/, '')), source);
});

for (const name of findFiles(BUILT, PROGRAM)) {
  const program = new URL(name, BUILT);
  test(name, async (t) => {
    const { stdout, stderr, status } = spawnSync(program.pathname, { cwd: ROOT, encoding: 'utf8' });
    const lines = [...stdout.matchAll(/^(not )?ok (.+?)(?: # SKIP (.*))?$/gm)];
    for (const [, not, name, skip] of lines) await t.test(name, { skip }, () => assert.ok(!not, stdout));
    assert.ok(lines.length > 0, stdout + stderr);
    assert.equal(status, 0, stdout + stderr);
  });
}
