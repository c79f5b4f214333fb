// Zip archives that other bytes surround, and what in them is refused.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { zipSync } from 'fflate';
import { endsInZip, listZip, unzip } from '../../../wasm/shared/zip.js';

const FILES = { 'a.txt': Uint8Array.of(1, 2, 3), 'b/ü.bin': new Uint8Array(999).fill(7) };
const ALL = () => true;
/** @param {...Uint8Array} parts */
const join = (...parts) => new Uint8Array(Buffer.concat(parts));
/** Adds to a number of 32 bits. @param {Uint8Array} bytes @param {number} at @param {number} by */
function add(bytes, at, by) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  view.setUint32(at, view.getUint32(at, true) + by, true);
}
/** @param {Uint8Array} archive @param {number} signature */
const recordsOf = (archive, signature) =>
  [...archive.keys()].filter((at) => Buffer.from(archive).toString('latin1', at, at + 4) === `PK${String.fromCharCode(signature, signature + 1)}`); // prettier-ignore

describe('other bytes', () => {
  const before = Uint8Array.from({ length: 300 }, (_, i) => i);
  for (const level of /** @type {const} */ ([0, 9])) {
    const archive = zipSync(FILES, { level });
    test(`before an archive, level ${level}: offsets from its first byte, or from theirs`, () => {
      assert.deepEqual(unzip(join(before, archive), ALL), FILES);
      const moved = archive.slice();
      add(moved, moved.length - 6, before.length);
      for (const at of recordsOf(archive, 1)) add(moved, at + 42, before.length);
      assert.deepEqual(unzip(join(before, moved), ALL), FILES);
    });
    test(`behind an archive, level ${level}: a comment, or others`, () => {
      const commented = zipSync(FILES, { level, comment: 'x PK\u0005\u0006'.padEnd(60_000) });
      assert.deepEqual(unzip(commented, ALL), FILES);
      assert.ok(endsInZip(commented));
      const padded = join(archive, new Uint8Array(512));
      assert.deepEqual(unzip(padded, ALL), FILES);
      assert.ok(!endsInZip(padded));
    });
  }
  test('without an archive', () => {
    for (const length of [0, 21, 22, 300]) {
      assert.ok(!endsInZip(before.subarray(0, length)));
      assert.throws(() => listZip(before.subarray(0, length)), /its end is missing/);
    }
  });
});

test('an archive without files', () => assert.deepEqual(listZip(zipSync({})), []));

test('files are listed without being read', () => {
  const archive = zipSync(FILES, { level: 0 });
  archive[Buffer.from(archive).indexOf(Uint8Array.of(1, 2, 3))] ^= 1;
  const entries = listZip(archive);
  assert.deepEqual(
    entries.map(({ name, originalSize }) => [name, originalSize]),
    [
      ['a.txt', 3],
      ['b/ü.bin', 999],
    ],
  );
  assert.throws(entries[0].read, /the checksum of 'a\.txt' is wrong/);
  assert.deepEqual(entries[1].read(), FILES['b/ü.bin']);
});

describe('a file', () => {
  /** @param {(archive: Uint8Array, entry: number) => void} change */
  const changed = (change) => {
    const archive = zipSync(FILES);
    change(archive, recordsOf(archive, 1)[0]);
    return archive;
  };
  /** @type {[string, Uint8Array, RegExp][]} */
  const cases = [
    ['that is encrypted', changed((archive, entry) => add(archive, entry + 8, 1)), /'a\.txt' is encrypted/],
    [
      'of another compression',
      changed((archive, entry) => add(archive, entry + 10, 4)),
      /'a\.txt' is compressed by method \d+: only deflate is read/,
    ],
    [
      'whose header lies elsewhere',
      changed((archive, entry) => add(archive, entry + 42, 1)),
      /the header of 'a\.txt' is missing/,
    ],
    [
      'whose entry is damaged',
      changed((archive, entry) => add(archive, entry, 1)),
      /its directory is damaged/,
    ],
    [
      'of a directory before the file',
      changed((archive) => add(archive, archive.length - 10, 10_000)),
      /its directory is missing/,
    ],
  ];
  for (const [name, archive, message] of cases)
    test(`${name} is refused`, () => assert.throws(() => unzip(archive, ALL), { message }));
});
