// Unpacks gzip, zip and tar archives in memory, within size limits. Names that point outside the archive are rejected:
// nothing is written to disk, but such an archive is malicious.
import { convertFailure } from '../errors.js';
import { reading } from '../../shared/errors.js';
import { GzipReader } from '../../shared/gunzip.js';
import { joinInto } from '../../shared/numbers.js';
import { unzip as unzipFiles } from '../../shared/zip.js';

/** @typedef {Map<string, Uint8Array>} FileMap */

const GZIP = [0x1f, 0x8b];
const CHUNK_BYTES = 1 << 18;
/** An archive may unpack to 64 MiB, or to 200 times its size if that is more, but never to more than 1 GiB. */
const MAX_BYTES = 1 << 30;
const ALWAYS_ALLOWED_BYTES = 1 << 26;
const MAX_RATIO = 200;
const BLOCK = 512;

/** @param {Uint8Array} bytes */
export const isGzip = (bytes) => GZIP.every((byte, i) => bytes[i] === byte);
/** @param {Uint8Array} bytes */
export const isTar = (bytes) => bytes.length >= BLOCK && text(bytes.subarray(257, 262)) === 'ustar';

/** @param {number} packed bytes */
const limitOf = (packed) => Math.min(MAX_BYTES, Math.max(ALWAYS_ALLOWED_BYTES, packed * MAX_RATIO));

/** @param {number} limit @param {Uint8Array} packed */
const tooLarge = (limit, packed) =>
  `the limit is ${limit} unpacked bytes for an archive of ${packed.length} bytes`;

/** @param {Uint8Array} bytes */
export function gunzip(bytes) {
  return reading(convertFailure, 'ARCHIVE_DAMAGED', 'gzip', () => {
    /** @type {Uint8Array[]} */
    const parts = [];
    let size = 0;
    const limit = limitOf(bytes.length);
    const reader = new GzipReader((part) => {
      size += part.length;
      if (size > limit) throw convertFailure('ARCHIVE_TOO_LARGE', tooLarge(limit, bytes));
      parts.push(part);
    });
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) reader.push(bytes.subarray(at, at + CHUNK_BYTES));
    reader.end();
    return joinInto(new Uint8Array(size), parts);
  });
}

/** @param {Uint8Array} bytes @returns {FileMap} */
export function unzip(bytes) {
  let size = 0;
  const limit = limitOf(bytes.length);
  const files = reading(convertFailure, 'ARCHIVE_DAMAGED', 'zip', () =>
    unzipFiles(bytes, ({ name, originalSize }) => {
      checkName(name);
      size += originalSize;
      if (size > limit) throw convertFailure('ARCHIVE_TOO_LARGE', tooLarge(limit, bytes));
      return !name.endsWith('/');
    }),
  );
  return new Map(Object.entries(files).map(([name, data]) => [dropDotSlash(name), data]));
}

/**
 * Reads the regular files of a tar archive (ustar), with GNU and POSIX long names.
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
    if (end > bytes.length)
      throw convertFailure('ARCHIVE_DAMAGED', `tar: unexpected end in '${header.name}'`);
    const data = bytes.subarray(at + BLOCK, end);
    if (header.type === 'L') longName = text(data);
    else if (header.type === 'x') longName = paxPath(text(data)) ?? longName;
    else {
      const name = longName || header.name;
      longName = '';
      checkName(name);
      if (header.type === '0' || header.type === '\0') files.set(dropDotSlash(name), data);
    }
    at = at + BLOCK + Math.ceil(header.size / BLOCK) * BLOCK;
  }
  return files;
}

/** @param {Uint8Array} block */
function readHeader(block) {
  const stored = Number.parseInt(text(block.subarray(148, 156)).trim(), 8);
  const sum = block.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
  if (stored !== sum) throw convertFailure('ARCHIVE_DAMAGED', 'tar: a header has a wrong checksum');
  const size = Number.parseInt(text(block.subarray(124, 136)).trim() || '0', 8);
  if (!Number.isSafeInteger(size) || size < 0)
    throw convertFailure('ARCHIVE_DAMAGED', 'tar: a header has an invalid size');
  const prefix = isTar(block) && block[262] === 0 ? text(block.subarray(345, 500)) : '';
  const name = text(block.subarray(0, 100));
  return { name: prefix ? `${prefix}/${name}` : name, size, type: String.fromCharCode(block[156]) };
}

/** @param {string} records POSIX extended header: lines of "LENGTH key=value" */
function paxPath(records) {
  return /(?:^|\n)\d+ path=([^\n]*)/.exec(records)?.[1];
}

/** Decodes bytes up to the first NUL. @param {Uint8Array} bytes */
function text(bytes) {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** Throws if a path is absolute or contains "..". @param {string} name */
function checkName(name) {
  const isOutside = /^([/\\]|[a-z]:)/i.test(name) || name.split(/[/\\]/).includes('..');
  if (isOutside) throw convertFailure('ARCHIVE_UNSAFE', `'${name}'`);
}

/** Removes a leading "./". @param {string} name */
function dropDotSlash(name) {
  return name.replace(/^(\.\/)+/, '');
}
