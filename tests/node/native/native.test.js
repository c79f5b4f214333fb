// The C tests: each program of tests/c, built by the Makefile under ASan and UBSan, prints a line per test.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

const SOURCES = new URL('../../c/', import.meta.url);
const ROOT = new URL('../../../', import.meta.url);
const BUILT = new URL('../../../build/native/', import.meta.url);

for (const file of readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((name) =>
  /(^|\/)test_.*\.c$/.test(name),
)) {
  const program = new URL(file.replace(/\.c$/, ''), BUILT);
  test(`tests/c/${file}`, async (t) => {
    assert.ok(existsSync(program), 'built by `make test`');
    const { stdout, stderr, status } = spawnSync(program.pathname, { cwd: ROOT, encoding: 'utf8' });
    const lines = [...stdout.matchAll(/^(not )?ok (\w+)(?: # SKIP (.*))?$/gm)];
    for (const [, not, name, skip] of lines) await t.test(name, { skip }, () => assert.ok(!not, stdout));
    assert.ok(lines.length > 0, stdout + stderr);
    assert.equal(status, 0, stdout + stderr);
  });
}
