// Gzip files that come in pieces of any size, against zlib: members, their headers and checksums, and zeros behind them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as zlib from 'node:zlib';
import { GzipReader } from '../../../wasm/shared/gunzip.js';

/** @param {Uint8Array} file @param {number} size of a piece */
function inflate(file, size) {
  /** @type {Uint8Array[]} */
  const parts = [];
  const reader = new GzipReader((part) => parts.push(part));
  for (let at = 0; at < file.length; at += size) reader.push(file.slice(at, at + size));
  reader.end();
  return Buffer.concat(parts);
}

/** @param {...Uint8Array} parts */
const join = (...parts) => new Uint8Array(Buffer.concat(parts));
const text = (/** @type {number} */ length) => Uint8Array.from({ length }, (_, i) => (i * i) % 251);
/** A member whose header has a name of so many letters. @param {Uint8Array} bytes @param {number} letters */
function named(bytes, letters) {
  const member = zlib.gzipSync(bytes);
  member[3] |= 8;
  return join(
    member.subarray(0, 10),
    new Uint8Array(letters).fill(97),
    Uint8Array.of(0),
    member.subarray(10),
  );
}

const MEMBERS = [
  ...[zlib.gzipSync(text(300)), zlib.gzipSync(text(0)), named(text(40), 60)],
  ...[zlib.gzipSync(text(90), { level: 0 }), named(text(7), 0)],
];
const FILE = join(...MEMBERS);
const SIZES = [1, 2, 3, 7, 8, 9, 11, 18, 19, 64, 300, FILE.length];

describe('several members in pieces', () => {
  for (const [name, zeros] of /** @type {[string, number][]} */ ([
    ['nothing behind them', 0],
    ['a zero', 1],
    ['a block of zeros', 512],
  ])) {
    test(name, () => {
      const file = join(FILE, new Uint8Array(zeros));
      const expected = zlib.gunzipSync(file);
      assert.equal(expected.length, 300 + 40 + 90 + 7);
      for (const size of SIZES) assert.deepEqual(inflate(file, size), expected, `pieces of ${size}`);
    });
  }
  test('a wrong checksum or size of any of them', () => {
    let end = 0;
    for (const { length } of MEMBERS) {
      end += length;
      for (const at of [end - 8, end - 5, end - 4, end - 1])
        for (const size of SIZES)
          assert.throws(
            () => inflate(FILE.with(at, FILE[at] ^ 16), size),
            /its checksum is wrong/,
            `${at} ${size}`,
          );
    }
  });
  test('a file that ends anywhere but behind a member', () => {
    const [first, , second] = MEMBERS;
    const both = join(first, second);
    for (let length = 0; length < both.length; length += length < first.length - 12 ? 9 : 1)
      for (const size of [7, both.length])
        if (length === first.length) inflate(both.subarray(0, length), size);
        else assert.throws(() => inflate(both.subarray(0, length), size), `${length} ${size}`);
  });
  test('other bytes behind them', () => {
    for (const size of SIZES)
      for (const end of [Uint8Array.of(9), Uint8Array.of(0, 0, 0, 0, 0, 9), text(100)])
        assert.throws(() => inflate(join(FILE, end), size));
  });
});
