// Damaged copies of a file: seeded, so that a case is known by its number.

/** @typedef {() => number} Random uniform in [0, 1) */
/** @typedef {{name: string, bytes: Uint8Array<ArrayBuffer>, regions: import('./regions.js').Regions}} Seed */

/**
 * mulberry32, by Tommy Ettinger (public domain).
 * @param {number} seed
 * @returns {Random}
 */
export function makeRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @param {Random} random @param {number} count */
const below = (random, count) => Math.floor(random() * count);
/** @template T @param {Random} random @param {T[]} list @returns {T} */
const pick = (random, list) => list[below(random, list.length)];

const BOUNDARIES = [
  ...[0, 1, 2, 3, 4, 5, 7, 8, 16, 127, 128, 255, 256, 1000, 32767, 32768, 65535, 65536, 1e5, 2 ** 20],
  ...[2 ** 24, 2 ** 28, 2 ** 30, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 4, 2 ** 32 - 2, 2 ** 32 - 1],
  ...[0x3f800000, 0x7f800000, 0x7fc00000, 0x00000001, 0xff7fffff], // floats: 1, infinity, NaN, the smallest, the lowest
];

/** @param {Uint8Array} bytes */
const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** @param {Uint8Array} bytes @param {import('./regions.js').Place} place */
function read(bytes, { at, size }) {
  let value = 0;
  for (let i = size - 1; i >= 0; i--) value = value * 256 + bytes[at + i];
  return value;
}

/** @param {Uint8Array} bytes @param {import('./regions.js').Place} place @param {number} value */
function write(bytes, { at, size }, value) {
  for (let i = 0; i < size; i++) bytes[at + i] = Math.floor(value / 256 ** i) % 256;
}

/** @type {((value: number, size: number, random: Random) => number)[]} */
const NEW_VALUES = [
  (value, size, random) => (value ^ (1 << below(random, 8 * size))) >>> 0,
  (value, size, random) => below(random, 256 ** size),
  (value, size, random) => pick(random, BOUNDARIES),
  (value, size, random) => (value + below(random, 9) - 4 + 2 ** 32) % 2 ** 32,
  (value, size, random) => below(random, 10),
];

/**
 * One number of the file's structure becomes another: computed, or that of another place of its kind.
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {Seed} seed
 * @param {Random} random
 */
function changeNumber(bytes, { regions }, random) {
  const places = pick(random, Object.values(regions));
  const place = pick(random, places);
  if (place.at + 4 > bytes.length) return bytes;
  // Images hold 4-byte numbers at any place, of either endianness.
  if (place.size === 1 && below(random, 3) === 0)
    viewOf(bytes).setUint32(place.at, pick(random, BOUNDARIES), below(random, 2) === 0);
  else if (below(random, 4) === 0) {
    const other = pick(random, places);
    if (other.at + 4 <= bytes.length) write(bytes, place, read(bytes, other));
  } else write(bytes, place, pick(random, NEW_VALUES)(read(bytes, place), place.size, random));
  return bytes;
}

/** @param {Random} random @param {number} length */
const randomBytes = (random, length) => Uint8Array.from({ length }, () => below(random, 256));
/** @param {Uint8Array[]} parts @returns {Uint8Array<ArrayBuffer>} */
const join = (...parts) => new Uint8Array(Buffer.concat(parts));

/** What becomes of [from, to) of a file. @type {((bytes: Uint8Array<ArrayBuffer>, from: number, to: number, random: Random) => Uint8Array<ArrayBuffer>)[]} */
const BLOCK_CHANGES = [
  (bytes, from) => bytes.slice(0, from),
  (bytes, from, to) => bytes.fill(0, from, to),
  (bytes, from, to, random) => {
    const source = below(random, bytes.length);
    return bytes.copyWithin(from, source, source + to - from);
  },
  (bytes, from, to) => join(bytes.subarray(0, to), bytes.subarray(from)),
  (bytes, from, to) => join(bytes.subarray(0, from), bytes.subarray(to)),
  (bytes, from, to, random) =>
    join(bytes.subarray(0, from), randomBytes(random, to - from), bytes.subarray(from)),
];

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {Random} random
 */
function changeBlock(bytes, random) {
  const from = below(random, bytes.length + 1);
  const to = Math.min(bytes.length, from + 1 + below(random, 4 ** (1 + below(random, 6))));
  return pick(random, BLOCK_CHANGES)(bytes, from, to, random);
}

/** Files that are nothing at all. @type {((length: number, random: Random) => Uint8Array<ArrayBuffer>)[]} */
const NO_FILES = [
  (length) => new Uint8Array(length),
  (length, random) => randomBytes(random, Math.min(length, 4096)),
  () => new Uint8Array(0),
];

/**
 * A copy with one to four changes, most of them in the file's structure.
 * @param {Seed} seed
 * @param {Random} random
 */
export function mutate(seed, random) {
  if (random() < 0.005) return pick(random, NO_FILES)(below(random, 2 * seed.bytes.length), random);
  let bytes = seed.bytes.slice();
  for (let left = 1 + below(random, 1 + below(random, 4)); left > 0; left--)
    bytes = random() < 0.85 ? changeNumber(bytes, seed, random) : changeBlock(bytes, random);
  return bytes;
}
