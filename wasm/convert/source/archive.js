// Archives -> the files in them, within limits. Nothing is ever written to disk; a name that points outside the archive
// is refused all the same, since whoever made it meant harm.
import { Gunzip, unzipSync } from 'fflate';
import { convertFailure } from '../errors.js';
import { reading } from '../../tflite/errors.js';

/** @typedef {Map<string, Uint8Array>} FileMap */

const GZIP = [0x1f, 0x8b];
const ZIP = [0x50, 0x4b];
const CHUNK_BYTES = 1 << 18;
// What may come out: 1 GiB, and of more than 64 MiB no more than 200 times what went in.
const MAX_BYTES = 1 << 30;
const FREE_BYTES = 1 << 26;
const MAX_RATIO = 200;
const BLOCK = 512;

/** @param {Uint8Array} bytes */
export const isGzip = (bytes) => GZIP.every((byte, i) => bytes[i] === byte);
/** @param {Uint8Array} bytes */
export const isZip = (bytes) => ZIP.every((byte, i) => bytes[i] === byte);
/** @param {Uint8Array} bytes */
export const isTar = (bytes) => bytes.length >= BLOCK && text(bytes.subarray(257, 262)) === 'ustar';

/** @param {number} packed bytes */
const limitOf = (packed) => Math.min(MAX_BYTES, Math.max(FREE_BYTES, packed * MAX_RATIO));

/** @param {Uint8Array} bytes */
export function gunzip(bytes) {
  return reading(convertFailure, 'ARCHIVE_DAMAGED', 'gzip', () => {
    /** @type {Uint8Array[]} */
    const parts = [];
    let size = 0;
    let isDone = false;
    const limit = limitOf(bytes.length);
    const stream = new Gunzip((chunk, isLast) => {
      size += chunk.length;
      if (size > limit) throw convertFailure('ARCHIVE_TOO_LARGE', `over ${limit} bytes from ${bytes.length}`);
      parts.push(chunk);
      isDone = isLast;
    });
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES)
      stream.push(bytes.subarray(at, at + CHUNK_BYTES), at + CHUNK_BYTES >= bytes.length);
    if (!isDone) throw convertFailure('ARCHIVE_DAMAGED', 'gzip: it ends too soon');
    return join(parts, size);
  });
}

/**
 * @param {Uint8Array[]} parts
 * @param {number} size
 */
function join(parts, size) {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** @param {Uint8Array} bytes @returns {FileMap} */
export function unzip(bytes) {
  let size = 0;
  const limit = limitOf(bytes.length);
  const files = reading(convertFailure, 'ARCHIVE_DAMAGED', 'zip', () =>
    unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        checkName(name);
        size += originalSize;
        if (size > limit)
          throw convertFailure('ARCHIVE_TOO_LARGE', `over ${limit} bytes from ${bytes.length}`);
        return !name.endsWith('/');
      },
    }),
  );
  return new Map(Object.entries(files).map(([name, data]) => [tidy(name), data]));
}

/**
 * Regular files of a tar archive: ustar, with the long names of GNU and POSIX.
 * @param {Uint8Array} bytes
 * @returns {FileMap}
 */
export function untar(bytes) {
  /** @type {FileMap} */
  const files = new Map();
  let longName = '';
  for (let at = 0; at + BLOCK <= bytes.length && bytes[at] !== 0;) {
    const header = readHeader(bytes.subarray(at, at + BLOCK));
    const end = at + BLOCK + header.size;
    if (end > bytes.length) throw convertFailure('ARCHIVE_DAMAGED', `tar: '${header.name}' ends too soon`);
    const data = bytes.subarray(at + BLOCK, end);
    if (header.type === 'L') longName = text(data);
    else if (header.type === 'x') longName = paxPath(text(data)) ?? longName;
    else {
      const name = longName || header.name;
      longName = '';
      checkName(name);
      if (header.type === '0' || header.type === '\0') files.set(tidy(name), data);
    }
    at = at + BLOCK + Math.ceil(header.size / BLOCK) * BLOCK;
  }
  return files;
}

/** @param {Uint8Array} block */
function readHeader(block) {
  const stored = Number.parseInt(text(block.subarray(148, 156)).trim(), 8);
  const sum = block.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
  if (stored !== sum) throw convertFailure('ARCHIVE_DAMAGED', 'tar: a header’s checksum is wrong');
  const size = Number.parseInt(text(block.subarray(124, 136)).trim() || '0', 8);
  if (!Number.isSafeInteger(size) || size < 0) throw convertFailure('ARCHIVE_DAMAGED', 'tar: a file’s size');
  const prefix = isTar(block) && block[262] === 0 ? text(block.subarray(345, 500)) : '';
  const name = text(block.subarray(0, 100));
  return { name: prefix ? `${prefix}/${name}` : name, size, type: String.fromCharCode(block[156]) };
}

/** @param {string} records "LENGTH key=value\n", one after the other */
function paxPath(records) {
  return /(?:^|\n)\d+ path=([^\n]*)/.exec(records)?.[1];
}

/** @param {Uint8Array} bytes up to a NUL */
function text(bytes) {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** @param {string} name */
function checkName(name) {
  const isOutside = /^([/\\]|[a-z]:)/i.test(name) || name.split(/[/\\]/).includes('..');
  if (isOutside) throw convertFailure('ARCHIVE_UNSAFE', `'${name}'`);
}

/** @param {string} name */
function tidy(name) {
  return name.replace(/^(\.\/)+/, '');
}
