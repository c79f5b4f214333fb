// What the headers of WebP, AVIF and HEIC files say, of files written by hand: the layouts of the WebP container
// specification, VP8's and VP8L's, of TIFF, and of ISO/IEC 14496-12.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readFacts } from '../../../wasm/vision/foreign_header.js';

/** @param {(string | number[])[]} parts */
const join = (...parts) =>
  Uint8Array.from(
    parts.flatMap((part) => (typeof part === 'string' ? [...Buffer.from(part, 'latin1')] : part)),
  );
/** @param {number} value @param {number} length in bytes, the lowest first */
const little = (value, length) => Array.from({ length }, (_, i) => Math.floor(value / 2 ** (8 * i)) % 256);
const big = (/** @type {number} */ value, length = 4) => little(value, length).reverse();

/** @param {string} tag @param {number[]} data padded to an even length */
const chunk = (tag, data) => [...join(tag, little(data.length, 4), data, data.length % 2 ? [0] : [])];
/** @param {number[][]} chunks */
const webp = (...chunks) => join('RIFF', [0, 0, 0, 0], 'WEBP', chunks.flat());
/** @param {number} width @param {number} height */
const vp8x = (width, height) =>
  chunk('VP8X', [0, 0, 0, 0, ...little(width - 1, 3), ...little(height - 1, 3)]);
/** @param {number} width with two bits of scaling above it @param {number} height */
const vp8 = (width, height) =>
  chunk('VP8 ', [0, 0, 0, 0x9d, 1, 0x2a, ...little(width, 2), ...little(height, 2)]);
/** @param {number} width @param {number} height @param {number} [above] the bits above both sizes */
const vp8l = (width, height, above = 0) =>
  chunk('VP8L', [0x2f, ...little(width - 1 + (height - 1) * 2 ** 14 + above * 2 ** 28, 4)]);

/** @param {[tag: number, value: number][]} entries @param {{isLittle?: boolean, name?: string, count?: number, first?: number}} [how] */
function tiff(entries, { isLittle = true, name = '', count = entries.length, first = 8 } = {}) {
  const number = isLittle ? little : big;
  const rows = entries.flatMap(([tag, value]) => [
    ...[...number(tag, 2), ...number(3, 2), ...number(1, 4), ...number(value, 2), 0, 0],
  ]);
  const gap = Array.from({ length: first - 8 }, () => 0xff);
  return [
    ...join(name, isLittle ? 'II' : 'MM', number(42, 2), number(first, 4), gap, number(count, 2), rows),
  ];
}

describe('the size of a WebP file', () => {
  /** @type {[string, Uint8Array<ArrayBuffer>, [number, number]][]} */
  const cases = [
    ['VP8', webp(vp8(640, 480)), [640, 480]],
    ['VP8, scaled when it is shown', webp(vp8(0x4000 + 3, 0xc000 + 16383)), [3, 16383]],
    ['VP8L', webp(vp8l(1, 1)), [1, 1]],
    ['VP8L', webp(vp8l(16384, 3, 0b1111)), [16384, 3]],
    ['VP8L', webp(vp8l(3, 16384, 0b0001)), [3, 16384]],
    ['VP8X', webp(vp8x(1, 2)), [1, 2]],
    ['VP8X', webp(vp8x(0x1000000, 0x10203)), [0x1000000, 0x10203]],
    ['VP8X before the first frame', webp(vp8x(70, 60), vp8(30, 20)), [70, 60]],
    [
      'not of the first chunk, which decoders may take for the picture',
      webp(chunk('ICCP', [1, 2, 3]), vp8(8, 9)),
      [0, 0],
    ],
    ['of no known chunk', webp(chunk('VP9 ', Array(12).fill(7))), [0, 0]],
    ['without chunks', webp(), [0, 0]],
    ['of a chunk cut short', webp(vp8(640, 480)).subarray(0, 29), [0, 0]],
    ['of a chunk that is whole', webp(vp8(640, 480)).subarray(0, 30), [640, 480]],
  ];
  for (const [name, file, size] of cases)
    test(`${name}: ${size}`, () => {
      const { width, height, orientation, isMirrored } = readFacts(file, 'webp');
      assert.deepEqual([width, height, orientation, isMirrored], [...size, 1, false]);
    });
  test('of a file inside a larger buffer', () => {
    const inner = new Uint8Array([9, 9, 9, ...webp(vp8(5, 6)), 9]).subarray(3, -1);
    assert.equal(readFacts(inner, 'webp').height, 6);
  });
});

describe('the orientation of a WebP file', () => {
  const exif = (/** @type {number[]} */ data) =>
    readFacts(webp(vp8x(7, 5), chunk('ICCP', [1, 2, 3]), chunk('XMP ', [1, 2]), chunk('EXIF', data)), 'webp');
  /** @type {[string, number[], number][]} */
  const cases = [
    ...[1, 2, 3, 4, 5, 6, 7, 8].map(
      (value) => /** @type {[string, number[], number]} */ ([`${value}`, tiff([[0x112, value]]), value]),
    ),
    ['0 is none', tiff([[0x112, 0]]), 1],
    ['9 is none', tiff([[0x112, 9]]), 1],
    ['of the other byte order', tiff([[0x112, 6]], { isLittle: false }), 6],
    ['behind a name', tiff([[0x112, 6]], { name: 'Exif\0\0' }), 6],
    ['behind a name, in the other byte order', tiff([[0x112, 8]], { isLittle: false, name: 'Exif\0\0' }), 8],
    ['in a directory further on', tiff([[0x112, 6]], { first: 12 }), 6],
    ['as the third of its entries', tiff([[0x10f, 2], [0x110, 3], [0x112, 6]]), 6], // prettier-ignore
    ['as the first of two', tiff([[0x112, 6], [0x112, 8]]), 6], // prettier-ignore
    ['not among its entries', tiff([[0x111, 6], [0x113, 8]]), 1], // prettier-ignore
    ['behind the last entry', tiff([[0x111, 6], [0x112, 8]], { count: 1 }), 1], // prettier-ignore
    ['of fewer entries than it says', tiff([[0x111, 6]], { count: 100 }), 1],
    ['without entries', tiff([]), 1],
  ];
  for (const [name, data, expected] of cases)
    test(name, () =>
      assert.deepEqual(exif(data), { width: 7, height: 5, orientation: expected, isMirrored: false }),
    );

  test('ends with its chunk, whatever follows', () => {
    const whole = tiff([[0x111, 1], [0x112, 6]]); // prettier-ignore
    for (const [missing, expected] of [
      [0, 6],
      [1, 1],
      [2, 1],
    ]) {
      // prettier-ignore
      const data = whole.slice(0, whole.length - missing);
      const file = webp(chunk('EXIF', data).slice(0, 8 + data.length), whole.slice(whole.length - missing));
      assert.equal(readFacts(file, 'webp').orientation, expected, `${missing}`);
    }
  });
  test('of a chunk that says it is longer than the file', () => {
    const file = webp(chunk('EXIF', tiff([[0x112, 6]])));
    file[16] += 50;
    assert.equal(readFacts(file, 'webp').orientation, 6);
  });
  test('of a file that is cut short is none, and no error', () => {
    const file = webp(vp8x(7, 5), chunk('EXIF', tiff([[0x112, 6]])));
    for (let length = 0; length < file.length - 4; length++)
      assert.equal(readFacts(file.subarray(0, length), 'webp').orientation, 1);
  });
});

/** @param {string} tag @param {number[]} data @param {number} [size] */
const box = (tag, data, size = 8 + data.length) => [...join(big(size), tag, data)];
/** With a size of 64 bits. @param {string} tag @param {number[]} data @param {number} [size] */
const largeBox = (tag, data, size = 16 + data.length) => [...join(big(1), tag, big(size, 8), data)];
/** Boxes that contain each other. @param {number} depth */
const nested = (depth) =>
  Array.from({ length: depth }, (_, i) => [...join(big(12 * (depth - i)), 'meta', [0, 0, 0, 0])]).flat();
/** @param {number} width @param {number} height */
const ispe = (width, height) => box('ispe', [0, 0, 0, 0, ...big(width), ...big(height)]);
/** @param {number[][]} properties */
const heif = (...properties) =>
  join(
    box('ftyp', [...join('avif', [0, 0, 0, 0])]),
    box('meta', [0, 0, 0, 0, ...box('hdlr', [1, 2, 3]), ...box('iprp', box('ipco', properties.flat()))]),
    box('mdat', [1, 2]),
  );

describe('AVIF and HEIC files', () => {
  /** @type {[string, Uint8Array<ArrayBuffer>, object][]} */
  const cases = [
    ['a size', heif(ispe(640, 480)), { width: 640, height: 480 }],
    ['a size of many pixels', heif(ispe(70000, 3)), { width: 70000, height: 3 }],
    ['the largest of sizes, first', heif(ispe(30, 20), ispe(4, 100)), { width: 30, height: 20 }],
    ['the largest of sizes, last', heif(ispe(4, 100), ispe(30, 20)), { width: 30, height: 20 }],
    ['the first of equal sizes', heif(ispe(30, 20), ispe(20, 30)), { width: 30, height: 20 }],
    ...[1, 8, 3, 6].map(
      (orientation, turns) =>
        /** @type {[string, Uint8Array<ArrayBuffer>, object]} */ ([
          `${turns} quarter turns`,
          heif(ispe(3, 2), box('irot', [turns])),
          { width: 3, height: 2, orientation },
        ]),
    ),
    ['reserved bits of a turn', heif(box('irot', [0xfd])), { orientation: 8 }],
    ['a mirroring', heif(box('imir', [0])), { isMirrored: true }],
    ['none of it', heif(box('pixi', [3, 8, 8, 8])), {}],
    ['outside the list of properties', join(box('moov', ispe(3, 2)), box('mdat', [1])), {}],
    [
      'a box to the end of the file',
      join(box('meta', [0, 0, 0, 0, ...ispe(3, 2)], 0)),
      { width: 3, height: 2 },
    ],
    [
      'a box longer than the file',
      join(box('meta', [0, 0, 0, 0, ...ispe(3, 2)], 999)),
      { width: 3, height: 2 },
    ],
    [
      'a box that ends within one of its own',
      join(box('iprp', ispe(3, 2), 20), box('irot', [1])),
      {
        width: 3,
        height: 2,
      },
    ],
    [
      'boxes with sizes of 64 bits',
      join(
        largeBox('free', [1, 2, 3]),
        largeBox('meta', [0, 0, 0, 0, ...largeBox('ispe', [0, 0, 0, 0, ...big(3), ...big(2)])]),
        largeBox('irot', [1]),
      ),
      { width: 3, height: 2, orientation: 8 },
    ],
    [
      'a box with a size of 64 bits, longer than the file',
      join(ispe(3, 2), largeBox('meta', [0, 0, 0, 0, ...ispe(30, 20)], 2 ** 40)),
      { width: 30, height: 20 },
    ],
    [
      'boxes in boxes, more than there are calls',
      join(ispe(3, 2), nested(20000), ispe(30, 20)),
      { width: 30, height: 20 },
    ],
    ['boxes without data', heif(box('free', []), ispe(3, 2)), { width: 3, height: 2 }],
    ['a box at the very end', join(box('ipco', box('imir', []))), { isMirrored: true }],
  ];
  for (const [name, file, expected] of cases)
    for (const format of /** @type {const} */ (['avif', 'heic']))
      test(`${format}: ${name}`, () =>
        assert.deepEqual(readFacts(file, format), {
          ...{ width: 0, height: 0, orientation: 1, isMirrored: false, ...expected },
        }));
  test('cut short: no error', () => {
    const file = heif(ispe(640, 480), box('irot', [1]));
    for (let length = 0; length <= file.length; length++) readFacts(file.subarray(0, length), 'heic');
  });
});

test('an error of the reader itself is thrown', () =>
  assert.throws(() => readFacts(/** @type {any} */ (undefined), 'webp'), TypeError));
