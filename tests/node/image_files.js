// Image files for the tests, built from their formats' specifications.
import { encode } from 'fast-png';
import { crc32 } from 'node:zlib';

/** @typedef {{data: Uint8Array, width: number, height: number}} Rgb */

/** @param {{data: Uint8Array | Uint16Array, width: number, height: number}} image */
export function encodePng({ data, width, height }, channels = 3, depth = /** @type {8 | 16} */ (8)) {
  return encode({ data, width, height, channels, depth });
}

/**
 * A TIFF directory of one entry: Orientation, one SHORT.
 * @param {number} orientation
 * @param {boolean} isBigEndian
 */
function makeExif(orientation, isBigEndian) {
  const view = new DataView(new ArrayBuffer(26));
  const u16 = (/** @type {number} */ at, /** @type {number} */ value) =>
    view.setUint16(at, value, !isBigEndian);
  u16(0, isBigEndian ? 0x4d4d : 0x4949);
  u16(2, 42);
  view.setUint32(4, 8, !isBigEndian);
  u16(8, 1);
  u16(10, 0x0112);
  u16(12, 3);
  view.setUint32(14, 1, !isBigEndian);
  u16(18, orientation);
  return Buffer.from(view.buffer);
}

/**
 * The JPEG with an APP1 segment after its first marker.
 * @param {Buffer} jpeg
 * @param {number} orientation
 * @param {boolean} isBigEndian
 */
export function withExifSegment(jpeg, orientation, isBigEndian) {
  const content = Buffer.concat([Buffer.from('Exif\0\0'), makeExif(orientation, isBigEndian)]);
  const header = Buffer.from([0xff, 0xe1, 0, content.length + 2]);
  return Buffer.concat([jpeg.subarray(0, 2), header, content, jpeg.subarray(2)]);
}

/**
 * The PNG with an eXIf chunk after its header.
 * @param {Uint8Array} png
 * @param {number} orientation
 */
export function withExifChunk(png, orientation) {
  const afterHeader = 8 + 25;
  const typed = Buffer.concat([Buffer.from('eXIf'), makeExif(orientation, true)]);
  const chunk = Buffer.alloc(typed.length + 8);
  chunk.writeUInt32BE(typed.length - 4, 0);
  typed.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(typed), typed.length + 4);
  return Buffer.concat([png.subarray(0, afterHeader), chunk, png.subarray(afterHeader)]);
}

/**
 * 24 bits, the lowest row first, rows padded to four bytes.
 * @param {Rgb} image
 */
export function makeBmp({ data, width, height }) {
  const stride = Math.ceil((width * 3) / 4) * 4;
  const file = Buffer.alloc(54 + stride * height);
  file.write('BM');
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(54, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(width, 18);
  file.writeInt32LE(height, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  for (let i = 0; i < width * height * 3; i++) {
    const pixel = Math.floor(i / 3);
    const row = height - 1 - Math.floor(pixel / width);
    file[54 + row * stride + (pixel % width) * 3 + 2 - (i % 3)] = data[i];
  }
  return file;
}

/**
 * Not compressed: nine-bit codes throughout, the table cleared before it would need a tenth bit.
 * @param {Rgb} image of at most 256 colours
 */
export function makeGif({ data, width, height }) {
  const colours = Array.from({ length: width * height }, (_, i) => data.subarray(3 * i, 3 * i + 3).join());
  const palette = [...new Set(colours)];
  const CLEAR = 256;
  const END = 257;
  const codes = [
    CLEAR,
    ...colours.flatMap((colour, i) => [...(i % 200 === 199 ? [CLEAR] : []), palette.indexOf(colour)]),
    END,
  ];
  const bits = codes.map((code) => code.toString(2).padStart(9, '0').split('').reverse().join('')).join('');
  const packed = (bits.match(/.{1,8}/g) ?? []).map((byte) => parseInt(byte.split('').reverse().join(''), 2));
  const blocks = Array.from({ length: Math.ceil(packed.length / 255) }, (_, i) =>
    packed.slice(255 * i, 255 * i + 255),
  );
  const size = [width & 255, width >> 8, height & 255, height >> 8];
  const table = Array.from({ length: 256 }, (_, i) => (palette[i] ?? '0,0,0').split(',').map(Number));
  return Uint8Array.from([
    ...Buffer.from('GIF89a'),
    ...[...size, 0xf7, 0, 0, ...table.flat()],
    ...[0x2c, 0, 0, 0, 0, ...size, 0, 8],
    ...blocks.flatMap((block) => [block.length, ...block]),
    ...[0, 0x3b],
  ]);
}
