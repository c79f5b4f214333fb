// What the set-up downloads and executes is what was looked at, or the set-up says what is the matter.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const TOOLS = fileURLToPath(new URL('../../../tools/', import.meta.url));
const sandbox = mkdtempSync(join(tmpdir(), 'ocelli-pinned-'));
after(() => rmSync(sandbox, { recursive: true }));
const bin = join(sandbox, 'bin');
mkdirSync(bin);
mkdirSync(join(sandbox, 'ocelli/apt'), { recursive: true });
writeFileSync(join(sandbox, 'ocelli/apt/ready'), ''); // no update

// An archive that has version 2 of every package.
const FAKE_APT = `#!/bin/bash
for last in "$@"; do :; done
case "$*" in
  *--print-uris*) echo "'http://archive.invalid/\${last}_2%2bb-1_all.deb' \${last}_2%2bb-1_all.deb 1 SHA256:0" ;;
  *=2+b-1) echo content >"\${last%%=*}_2%2bb-1_all.deb" ;;
  *) echo "E: Version not found" >&2; exit 100 ;;
esac
`;
writeFileSync(join(bin, 'apt-get'), FAKE_APT, { mode: 0o755 });
writeFileSync(join(bin, 'npm'), '#!/bin/sh\necho content >acorn-8.0.0.tgz\n', { mode: 0o755 });

/** @param {string[]} args */
function run(args) {
  const cwd = mkdtempSync(join(sandbox, 'run-'));
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, XDG_CACHE_HOME: sandbox };
  const { status, stderr } = spawnSync(join(TOOLS, 'pinned.sh'), args, { cwd, env, encoding: 'utf8' });
  return { status, stderr, files: readdirSync(cwd) };
}

/** @param {'hex' | 'base64'} encoding @param {string} algorithm */
const digest = (algorithm, encoding) => createHash(algorithm).update('content\n').digest(encoding);

test('a Debian package with its version and sha256', () => {
  const { status, stderr, files } = run(['deb', 'tool', '2+b-1', digest('sha256', 'hex')]);
  assert.equal(status, 0, stderr);
  assert.equal(files.length, 1);
});

test('a Debian package with another content', () => {
  const { status, stderr } = run(['deb', 'tool', '2+b-1', '0'.repeat(64)]);
  assert.equal(status, 1);
  assert.match(stderr, /another sha256/);
});

test('a Debian package of which the archive has another version', () => {
  const { status, stderr } = run(['deb', 'tool', '1-1', '0'.repeat(64)]);
  assert.equal(status, 1);
  assert.match(stderr, /archive has moved on: it has no tool 1-1 any more, but 2\+b-1/);
});

test('an npm package with its hash, and with another', () => {
  const args = ['npm', 'acorn', '8.0.0'];
  assert.equal(run([...args, `sha512-${digest('sha512', 'base64')}`]).status, 0);
  const { status, stderr } = run([...args, 'sha512-AAAA']);
  assert.equal(status, 1);
  assert.match(stderr, /another hash/);
});

test('the toolchain names a version and a hash for each package, and acorn is in package-lock.json', () => {
  const script = readFileSync(join(TOOLS, 'toolchain.sh'), 'utf8');
  assert.doesNotMatch(script, /npm install|trixie\.sh" download/);
  const [, table] = /readonly debs='\n(.*?)'/s.exec(script) ?? [];
  const rows = table.split('\n');
  assert.ok(rows.length >= 5);
  for (const row of rows) assert.match(row, /^\S+ +\S*\d\S* +[0-9a-f]{64}$/);
  const lock = JSON.parse(readFileSync(join(TOOLS, '../package-lock.json'), 'utf8'));
  assert.match(lock.packages['node_modules/acorn'].integrity, /^sha512-/);
});
