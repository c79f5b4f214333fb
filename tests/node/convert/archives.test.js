// Tar archives, header by header: names of every length and form, sizes, and what is refused.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as zlib from 'node:zlib';
import { zipSync } from 'fflate';
import { gunzip, isGzip, isTar, untar, unzip } from '../../../wasm/convert/source/archive.js';

const encoder = new TextEncoder();
const gzipSync = (/** @type {Uint8Array} */ bytes) => new Uint8Array(zlib.gzipSync(bytes));

/**
 * An entry of a ustar archive.
 * @param {string} name
 * @param {Uint8Array | string} data
 * @param {{type?: string, prefix?: string, size?: string, sum?: number, magic?: string}} [how]
 */
function entry(name, data, { type = '0', prefix = '', size, sum, magic = 'ustar\0' } = {}) {
  const bytes = typeof data === 'string' ? encoder.encode(data) : data;
  const block = new Uint8Array(512 + Math.ceil(bytes.length / 512) * 512);
  block.set(encoder.encode(name));
  block.set(encoder.encode(size ?? `${bytes.length.toString(8).padStart(11, '0')}\0`), 124);
  block.set(encoder.encode(type === '\0' ? '\0' : type), 156);
  block.set(encoder.encode(magic), 257);
  block.set(encoder.encode(prefix), 345);
  block.fill(32, 148, 156);
  const total = sum ?? block.subarray(0, 512).reduce((a, b) => a + b, 0);
  block.set(encoder.encode(`${total.toString(8).padStart(6, '0')}\0 `), 148);
  block.set(bytes, 512);
  return block;
}
/** @param {Uint8Array[]} entries */
const tar = (...entries) => new Uint8Array(Buffer.concat([...entries, new Uint8Array(1024)]));
/** @param {Uint8Array} bytes */
const texts = (bytes) =>
  Object.fromEntries(Array.from(untar(bytes), ([name, data]) => [name, new TextDecoder().decode(data)]));

describe('a tar archive', () => {
  test('has files one after the other, of any size', () => {
    const large = 'x'.repeat(512);
    const more = 'y'.repeat(513);
    const archive = tar(
      entry('a', 'one'),
      entry('none', ''),
      entry('b/c', large),
      entry('d', more),
      entry('old', 'z', { type: '\0' }),
    );
    assert.deepEqual(texts(archive), { a: 'one', none: '', 'b/c': large, d: more, old: 'z' });
    assert.ok(isTar(archive));
  });
  test('names have up to 100 letters, and 155 before them', () => {
    const name = `${'n'.repeat(99)}z`;
    const prefix = `${'p'.repeat(154)}z`;
    assert.deepEqual(texts(tar(entry(name, '1'))), { [name]: '1' });
    assert.deepEqual(texts(tar(entry(name, '1', { prefix }))), { [`${prefix}/${name}`]: '1' });
    // GNU's archives have other fields there.
    assert.deepEqual(texts(tar(entry('a', '1', { prefix: '123', magic: 'ustar  \0' }))), { a: '1' });
  });
  test('long names of GNU and of POSIX are those of the next entry only', () => {
    const long = `long/${'x'.repeat(200)}`;
    const gnu = entry('././@LongLink', `${long}\0`, { type: 'L' });
    assert.deepEqual(texts(tar(gnu, entry('short', '1'), entry('next', '2'))), { [long]: '1', next: '2' });
    const pax = entry('PaxHeader', `20 mtime=123456789.5\n${long.length + 11} path=${long}\n`, { type: 'x' });
    assert.deepEqual(texts(tar(pax, entry('short', '1'), entry('next', '2'))), { [long]: '1', next: '2' });
    const none = entry('PaxHeader', '20 mtime=123456789.5\n', { type: 'x' });
    assert.deepEqual(texts(tar(gnu, none, entry('short', '1'))), { [long]: '1' });
  });
  test('folders, links and what is before them are no files', () => {
    assert.deepEqual(
      texts(tar(entry('d/', '', { type: '5' }), entry('link', '', { type: '2' }), entry('./././a', '1'))),
      { a: '1' },
    );
  });
  test('ends at an empty block, or with the bytes', () => {
    const one = entry('a', '1');
    assert.deepEqual(texts(new Uint8Array(Buffer.concat([one, new Uint8Array(512), entry('b', '2')]))), {
      a: '1',
    });
    assert.deepEqual(texts(one), { a: '1' });
    assert.deepEqual(texts(new Uint8Array(Buffer.concat([one, new Uint8Array(511).fill(1)]))), { a: '1' });
  });
  test('sizes are octal, with spaces', () =>
    assert.deepEqual(texts(tar(entry('a', '12345678', { size: '        10 \0' }))), { a: '12345678' }));
  /** @type {[string, Uint8Array, RegExp][]} */
  const damaged = [
    ['a wrong checksum', tar(entry('a', '1', { sum: 12345 })), /a header has a wrong checksum/],
    ['no size', tar(entry('a', '', { size: 'nonsense\0' })), /a header has an invalid size/],
    ['a size below 0', tar(entry('a', '', { size: '-10\0' })), /a header has an invalid size/],
    ['an entry that ends outside', entry('a', 'x'.repeat(600)).subarray(0, 1100), /unexpected end in 'a'/],
  ];
  for (const [name, bytes, message] of damaged)
    test(`${name} is damage`, () => assert.throws(() => untar(bytes), { code: 'ARCHIVE_DAMAGED', message }));
  for (const name of ['/a', '\\a', 'c:a', 'C:\\a', '../a', 'a/../b', 'a\\..\\b', '..'])
    test(`the name ${name} is refused`, () => {
      assert.throws(() => untar(tar(entry(name, '1'))), { code: 'ARCHIVE_UNSAFE' });
      assert.throws(() => unzip(zipSync({ [name]: Uint8Array.of(1) })), { code: 'ARCHIVE_UNSAFE' });
    });
  test('names that are like these are not', () => {
    for (const name of ['a..', '..a', 'a...b/c', 'ab:c', 'a/c:d'])
      assert.deepEqual(Object.keys(texts(tar(entry(name, '1')))), [name]);
  });
  test('is known by its magic', () => {
    assert.equal(isTar(entry('a', '').subarray(0, 511)), false);
    assert.equal(isTar(entry('a', '')), true);
    assert.equal(isTar(entry('a', '', { magic: 'usta\0' })), false);
  });
});

test('zip archives: files without folders, names without ./', () => {
  const files = unzip(
    zipSync({ 'd/': new Uint8Array(0), './a': Uint8Array.of(1), 'd/b': Uint8Array.of(2, 3) }),
  );
  assert.deepEqual(
    [...files],
    [
      ['a', Uint8Array.of(1)],
      ['d/b', Uint8Array.of(2, 3)],
    ],
  );
  assert.throws(() => unzip(Uint8Array.of(0x50, 0x4b, 3, 4, 0)), { code: 'ARCHIVE_DAMAGED' });
});

test('gzip files: whole, cut short, and too large', () => {
  const bytes = Uint8Array.from({ length: 600_000 }, (_, i) => (i * i) >> 3);
  const packed = gzipSync(bytes);
  assert.deepEqual(gunzip(packed), bytes);
  assert.deepEqual([isGzip(packed), isGzip(bytes)], [true, false]);
  assert.throws(() => gunzip(packed.subarray(0, packed.length - 100_000)), { code: 'ARCHIVE_DAMAGED' });
  assert.throws(() => gunzip(Uint8Array.of(0x1f, 0x8b, 9, 9)), { code: 'ARCHIVE_DAMAGED' });
  // 64 MiB are allowed however small the file is; one byte more is not, at more than 200 times its size.
  assert.equal(gunzip(gzipSync(new Uint8Array(1 << 26))).length, 1 << 26);
  assert.throws(() => gunzip(gzipSync(new Uint8Array((1 << 26) + 1))), {
    code: 'ARCHIVE_TOO_LARGE',
    message: /the limit is 67108864 unpacked bytes/,
  });
});

describe('checksums', () => {
  const content = Uint8Array.from({ length: 5000 }, (_, i) => (i * i) & 255);
  const damaged = { code: 'ARCHIVE_DAMAGED', message: /checksum/ };
  /** @param {Uint8Array} bytes @param {number} at */
  const flipped = (bytes, at) => bytes.with(at, bytes[at] ^ 0x40);
  /** @param {Uint8Array} archive @param {Uint8Array} part */
  const placeOf = (archive, part) => Buffer.from(archive).indexOf(part);

  test("zip: a bit of a file, and of the directory's checksum", () => {
    const files = { 'a.txt': Uint8Array.of(1), 'b/weights.bin': content, 'ü.txt': Uint8Array.of(2) };
    const archive = zipSync(files, { level: 0, comment: 'x'.repeat(30) });
    const at = placeOf(archive, content);
    for (const i of [0, 1234, content.length - 1])
      assert.throws(() => unzip(flipped(archive, at + i)), {
        ...damaged,
        message: /the checksum of 'b\/weights\.bin' is wrong/,
      });
    const directory = placeOf(archive, Uint8Array.of(0x50, 0x4b, 1, 2));
    assert.throws(() => unzip(flipped(archive, directory + 16)), {
      message: /the checksum of 'a\.txt' is wrong/,
    });
    assert.deepEqual(unzip(archive), new Map(Object.entries(files)));
  });
  test('zip of 64 bits', () => {
    const plain = zipSync({ a: content }, { level: 0 });
    const end = plain.length - 22;
    const directory = new DataView(plain.buffer).getUint32(end + 16, true);
    // The end record of 64 bits and its locator are before the usual one, which then says nothing.
    const wide = new DataView(new ArrayBuffer(56 + 20));
    wide.setUint32(0, 0x06064b50, true);
    wide.setUint32(4, 44, true);
    wide.setUint32(24, 1, true);
    wide.setUint32(32, 1, true);
    wide.setUint32(40, end - directory, true);
    wide.setUint32(48, directory, true);
    wide.setUint32(56, 0x07064b50, true);
    wide.setUint32(64, end, true);
    const last = plain.slice(end);
    last.fill(255, 16, 20);
    const archive = new Uint8Array(
      Buffer.concat([plain.subarray(0, end), new Uint8Array(wide.buffer), last]),
    );
    assert.deepEqual(unzip(archive), new Map([['a', content]]));
    assert.throws(() => unzip(flipped(archive, placeOf(archive, content) + 7)), damaged);
  });
  test('gzip: a bit of the content, of the checksum, of the size', () => {
    const stored = new Uint8Array(zlib.gzipSync(content, { level: 0 }));
    const at = placeOf(stored, content.subarray(0, 100));
    for (const i of [at, at + 4000, stored.length - 8, stored.length - 1])
      assert.throws(() => gunzip(flipped(stored, i)), damaged);
    for (const missing of [1, 4, 8]) assert.throws(() => gunzip(stored.subarray(0, -missing)), damaged);
    assert.deepEqual(gunzip(stored), content);
  });
  test('gzip: each member of several, and those that end where a chunk does', () => {
    const [one, two, none] = [content, content.subarray(7), new Uint8Array(0)].map(
      (bytes) => new Uint8Array(zlib.gzipSync(bytes, { level: 0 })),
    );
    const both = new Uint8Array(Buffer.concat([one, none, two]));
    const whole = new Uint8Array(Buffer.concat([content, content.subarray(7)]));
    assert.deepEqual(gunzip(both), whole);
    for (const i of [one.length - 8, one.length - 4, one.length + none.length - 8, both.length - 8])
      assert.throws(() => gunzip(flipped(both, i)), damaged);
    for (let length = (1 << 18) - 45; length <= 1 << 18; length++) {
      const first = new Uint8Array(length);
      const archive = new Uint8Array(Buffer.concat([zlib.gzipSync(first, { level: 0 }), two]));
      assert.equal(gunzip(archive).length, length + content.length - 7);
    }
  });
});

test('gzip files that zeros follow, as gzip -d and Python take them', () => {
  const content = Uint8Array.from({ length: 5000 }, (_, i) => (i * i) & 255);
  // Behind 2^24 bytes and none, the size in the trailer ends in zeros, too.
  for (const bytes of [content, new Uint8Array(1 << 24), new Uint8Array(0)])
    for (const zeros of [1, 3, 4, 512, 600_000])
      assert.deepEqual(
        gunzip(new Uint8Array(Buffer.concat([gzipSync(bytes), new Uint8Array(zeros)]))),
        bytes,
      );
  const packed = gzipSync(content);
  for (const end of [[1], [0, 0, 0, 0, 1], [1, 2, 3, 4, 5], [0, 0, ...gzipSync(content.subarray(1))]])
    assert.throws(() => gunzip(Uint8Array.of(...packed, ...end)), { code: 'ARCHIVE_DAMAGED' });
  assert.throws(() => gunzip(Uint8Array.of(...packed.subarray(0, -8), ...new Uint8Array(20))), {
    code: 'ARCHIVE_DAMAGED',
    message: /checksum/,
  });
});

describe('a zip archive unpacks to 64 MiB, or 200 times its size, but to 1 GiB at most', () => {
  /**
   * An archive whose folders say that they have bytes, so that all of it has so many.
   * @param {number} packed
   * @param {number} total
   * @param {number[]} others of the sizes of the folders
   */
  const archive = (packed, total, others) => {
    const folders = [0, ...others].map((_, i) => [`folder${i}/`, new Uint8Array(0)]);
    const make = (/** @type {number} */ length) =>
      zipSync(Object.fromEntries([...folders, ['a', new Uint8Array(length)]]), { level: 0 });
    const own = packed - make(0).length;
    const bytes = make(own);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = view.getUint32(bytes.length - 6, true); // where the central directory is
    for (const size of [others.reduce((left, each) => left - each, total - own), ...others]) {
      view.setUint32(at + 24, size, true);
      at += 46 + view.getUint16(at + 28, true);
    }
    return bytes;
  };
  for (const [packed, limit] of [
    [1000, 2 ** 26],
    [335_000, 2 ** 26],
    [336_000, 67_200_000],
    [5_369_000, 2 ** 30],
  ])
    test(`${packed} bytes: ${limit}`, () => {
      for (const others of [[], [5]]) {
        assert.deepEqual([...unzip(archive(packed, limit, others)).keys()], ['a']);
        assert.throws(() => unzip(archive(packed, limit + 1, others)), {
          code: 'ARCHIVE_TOO_LARGE',
          message: new RegExp(`the limit is ${limit} unpacked bytes for an archive of ${packed} bytes`),
        });
      }
    });
});
