// npm's tarball -> the same in bytes that every machine makes, and what is in it.
import { gunzipSync, gzipSync } from 'fflate';
import { createHash } from 'node:crypto';

const BLOCK_BYTES = 512;
/** Of a tar file's header: where they are, and how long. */
const NAME = /** @type {const} */ ([0, 100]);
const MODE = /** @type {const} */ ([100, 8]);
const SIZE = /** @type {const} */ ([124, 12]);
const CHECKSUM = /** @type {const} */ ([148, 8]);
const FOLDER = /** @type {const} */ ([345, 155]);

/** @param {Uint8Array} bytes */
export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** @param {Uint8Array} header @param {readonly [number, number]} field */
const readText = (header, [start, length]) =>
  new TextDecoder().decode(header.subarray(start, start + length)).replace(/\0.*$/s, '');

/** @param {Uint8Array} header @param {readonly [number, number]} field */
const readNumber = (header, field) => parseInt(readText(header, field), 8);

/** @param {Uint8Array} header @param {readonly [number, number]} field @param {string} text */
const write = (header, [start], text) => header.set(new TextEncoder().encode(text), start);

/** Views of each file's header and content. @param {Uint8Array} tar */
function* readEntries(tar) {
  let at = 0;
  while (at + BLOCK_BYTES <= tar.length && tar[at] !== 0) {
    const header = tar.subarray(at, at + BLOCK_BYTES);
    const size = readNumber(header, SIZE);
    const start = at + BLOCK_BYTES;
    yield { header, content: tar.subarray(start, start + size) };
    at = start + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES;
  }
}

/** Gives a file the mode that it has with umask 022. @param {Uint8Array} header */
function setMode(header) {
  write(header, MODE, readNumber(header, MODE) & 0o100 ? '000755 \0' : '000644 \0');
  write(header, CHECKSUM, '        ');
  const sum = header.reduce((total, byte) => total + byte, 0);
  write(header, CHECKSUM, `${sum.toString(8).padStart(6, '0')}\0 `);
}

/**
 * npm's tar file has no times and owners, but it has modes, which depend on the umask. How zlib compresses it depends on its
 * version and on the processor.
 * @param {Uint8Array} tarball
 */
export function repack(tarball) {
  const tar = gunzipSync(tarball);
  for (const { header } of readEntries(tar)) setMode(header);
  return gzipSync(tar, { level: 9, mtime: 0 });
}

/**
 * @param {Uint8Array} tarball
 * @returns {Map<string, string>} the sha256 of each file, by its path
 */
export function listSums(tarball) {
  /** @type {Map<string, string>} */
  const sums = new Map();
  for (const { header, content } of readEntries(gunzipSync(tarball))) {
    const folder = readText(header, FOLDER);
    const name = readText(header, NAME);
    sums.set(folder ? `${folder}/${name}` : name, sha256(content));
  }
  return sums;
}

/**
 * @param {Map<string, string>} first
 * @param {Map<string, string>} second
 * @returns {string | undefined} the first difference
 */
export function findDifference(first, second) {
  for (const [path, sum] of first) {
    if (!second.has(path)) return `${path} is in the first tarball only`;
    if (second.get(path) !== sum) return `${path} differs: ${sum} and ${second.get(path)}`;
  }
  const more = [...second.keys()].find((path) => !first.has(path));
  return more && `${more} is in the second tarball only`;
}
