// Damaged copies of a file: seeded, so that a case is known by its number.

/** @typedef {() => number} Random uniform in [0, 1) */

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

const BOUNDARIES = [
  0,
  1,
  2,
  3,
  4,
  127,
  128,
  255,
  256,
  65535,
  65536,
  2 ** 30,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 4,
  2 ** 32 - 1,
];
const BLOCK = 64;

/**
 * Where a file's structure is, as opposed to its weights or pixels: blocks in which many bytes are zero, and both ends.
 * @param {Uint8Array} bytes
 */
export function findStructure(bytes) {
  const blocks = [];
  for (let at = 0; at < bytes.length; at += BLOCK) {
    const block = bytes.subarray(at, at + BLOCK);
    const zeros = block.reduce((count, byte) => count + Number(byte === 0), 0);
    if (zeros >= BLOCK / 5 || at === 0 || at + BLOCK >= bytes.length) blocks.push(at);
  }
  return blocks;
}

/** @param {Random} random @param {number} count */
const below = (random, count) => Math.floor(random() * count);

/** @type {((bytes: Uint8Array<ArrayBuffer>, at: number, random: Random) => Uint8Array<ArrayBuffer>)[]} */
const MUTATIONS = [
  (bytes, at, random) => {
    bytes[at] ^= 1 << below(random, 8);
    return bytes;
  },
  (bytes, at, random) => {
    bytes[at] = below(random, 256);
    return bytes;
  },
  (bytes, at, random) => writeWord(bytes, at, BOUNDARIES[below(random, BOUNDARIES.length)]),
  (bytes, at, random) => writeWord(bytes, at, readWord(bytes, at) + below(random, 65) - 32),
  (bytes, at, random) => {
    const from = below(random, bytes.length);
    bytes.copyWithin(at, from, from + 1 + below(random, 32));
    return bytes;
  },
  (bytes, at, random) => bytes.fill(0, at, at + 1 + below(random, 64)),
  (bytes, at) => bytes.subarray(0, at),
];

/** @param {Uint8Array} bytes @param {number} at */
function wordAt(bytes, at) {
  return new DataView(bytes.buffer, bytes.byteOffset + Math.max(0, Math.min(at & ~3, bytes.length - 4)), 4);
}
/** @param {Uint8Array} bytes @param {number} at */
function readWord(bytes, at) {
  return bytes.length < 4 ? 0 : wordAt(bytes, at).getUint32(0, true);
}
/** @param {Uint8Array<ArrayBuffer>} bytes @param {number} at @param {number} value */
function writeWord(bytes, at, value) {
  if (bytes.length >= 4) wordAt(bytes, at).setUint32(0, value >>> 0, true);
  return bytes;
}

/**
 * A copy with one to three changes, most of them in the file's structure.
 * @param {{bytes: Uint8Array, structure: number[]}} seed
 * @param {Random} random
 */
export function mutate({ bytes, structure }, random) {
  /** @type {Uint8Array<ArrayBuffer>} */
  let copy = new Uint8Array(bytes);
  for (let left = 1 + below(random, 3); left > 0 && copy.length > 0; left--) {
    const inStructure = structure[below(random, structure.length)] + below(random, BLOCK);
    const at = random() < 0.9 ? inStructure : below(random, copy.length);
    copy = MUTATIONS[below(random, MUTATIONS.length)](copy, Math.min(at, copy.length - 1), random);
  }
  return copy;
}
