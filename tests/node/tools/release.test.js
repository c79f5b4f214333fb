// What `make release` compares: the files of two tarballs, however they are compressed.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { findDifference, listSums, repack } from '../../../tools/release/tarball.js';

const LONG = `package/${'folder/'.repeat(16)}file.txt`;
const FILES = { 'package/a.txt': 'a\n', 'package/empty': '', [LONG]: 'x'.repeat(1025) };

/** @param {import('node:test').TestContext} t @param {Record<string, string>} files @param {string[]} flags of tar */
function makeTarball(t, files, ...flags) {
  const home = mkdtempSync(join(tmpdir(), 'ocelli-tar-'));
  t.after(() => rmSync(home, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), content);
  }
  execFileSync(
    'tar',
    ['--format=ustar', '--owner=0', '--mtime=@0', ...flags, '-czf', 'out.tgz', ...Object.keys(files)],
    { cwd: home },
  );
  return { tarball: readFileSync(join(home, 'out.tgz')), home };
}

test('the sums are those of sha256sum', (t) => {
  const { tarball, home } = makeTarball(t, FILES);
  const lines = [...listSums(tarball)].map(([path, sum]) => `${sum}  ${path}\n`).join('');
  assert.equal(lines, execFileSync('sha256sum', Object.keys(FILES), { cwd: home, encoding: 'utf8' }));
});

test('the first difference is named', (t) => {
  const sums = (/** @type {Record<string, string>} */ files) => listSums(makeTarball(t, files).tarball);
  const first = sums(FILES);
  assert.equal(findDifference(first, sums(FILES)), undefined);
  assert.match(
    findDifference(first, sums({ ...FILES, 'package/empty': ' ' })) ?? '',
    /^package\/empty differs: \w{64} and/,
  );
  assert.equal(
    findDifference(first, sums({ ...FILES, 'package/b': '' })),
    'package/b is in the second tarball only',
  );
  const { [LONG]: _, ...fewer } = FILES;
  assert.equal(findDifference(first, sums(fewer)), `${LONG} is in the first tarball only`);
});

test('however a tarball was compressed, and whatever the umask was, it is packed into the same bytes', (t) => {
  const tar = gunzipSync(makeTarball(t, FILES, '--mode=644').tarball);
  const packed = [1, 6, 9].map((level) => repack(gzipSync(tar, { level })));
  for (const mode of ['640', '600', '664'])
    packed.push(repack(makeTarball(t, FILES, `--mode=${mode}`).tarball));
  for (const bytes of packed) assert.deepEqual(bytes, packed[0]);
});

test('what is repacked is a tarball, with programs that can be run', (t) => {
  const { tarball, home } = makeTarball(t, FILES, '--mode=700');
  writeFileSync(join(home, 'repacked.tgz'), repack(tarball));
  const listed = execFileSync('tar', ['-tvzf', 'repacked.tgz'], { cwd: home, encoding: 'utf8' });
  const lines = listed.trim().split('\n');
  assert.deepEqual(
    lines.map((line) => [line.slice(0, 10), line.split(' ').at(-1)]),
    Object.keys(FILES).map((path) => ['-rwxr-xr-x', path]),
  );
  assert.deepEqual(listSums(repack(tarball)), listSums(tarball));
});
