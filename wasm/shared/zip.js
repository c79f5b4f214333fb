// Reads zip archives. fflate only inflates their files: its own reader compares no checksums, and takes an archive behind
// other bytes only if offsets count from the first of them.
import { inflateSync, strFromU8 } from 'fflate';
import { crc32 } from './crc.js';

/**
 * @typedef {object} Entry
 * @property {string} name
 * @property {number} originalSize bytes that it unpacks to, as the archive says
 * @property {() => Uint8Array} read
 */

// Signatures and sizes of the records, and where their fields are.
const END = { signature: 0x06054b50, bytes: 22, size: 12, directory: 16, comment: 20 };
const WIDE_LOCATOR = { signature: 0x07064b50, bytes: 20 };
const WIDE_END = { signature: 0x06064b50, bytes: 56, size: 40, directory: 48 };
const ENTRY = { signature: 0x02014b50, bytes: 46, flags: 8, method: 10, crc: 16, lengths: [28, 30, 32] };
/** Of 32 bits in an entry; those that are ABSENT are of 64 bits in its extra field, in this order. */
const SIZES = { originalSize: 24, size: 20, local: 42 };
const LOCAL = { signature: 0x04034b50, bytes: 30, lengths: [26, 28] };
const ABSENT = 0xffffffff;
const WIDE_EXTRA = 1;
const MAX_COMMENT = 0xffff;
const FLAGS = { isEncrypted: 1, isUtf8: 1 << 11 };
const METHODS = { stored: 0, deflated: 8 };

/**
 * @param {Uint8Array} bytes
 * @param {(entry: Entry) => boolean} isWanted
 * @returns {Record<string, Uint8Array>} by name
 */
export function unzip(bytes, isWanted) {
  const wanted = listZip(bytes).filter(isWanted);
  return Object.fromEntries(wanted.map(({ name, read }) => [name, read()]));
}

/** Whether the bytes end in an archive: in its end record and its comment. @param {Uint8Array} bytes */
export function endsInZip(bytes) {
  const view = viewOf(bytes);
  return endRecords(view).some((at) => endsAt(view, at));
}

/** @param {Uint8Array} bytes @returns {Entry[]} */
export function listZip(bytes) {
  const view = viewOf(bytes);
  const ends = endRecords(view);
  const end = ends.find((at) => endsAt(view, at)) ?? ends[0];
  if (end === undefined) throw new Error('its end is missing');
  const { start, directory, directoryEnd } = findDirectory(view, end);
  // Offsets count from the first byte of the archive.
  const archive = bytes.subarray(start, end);
  const entries = [];
  for (let at = directory; at < directoryEnd;) {
    const { entry, next } = readEntry(archive, at);
    entries.push(entry);
    at = next;
  }
  return entries;
}

/** @param {Uint8Array} bytes */
const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** Where end records may begin, the last one first. @param {DataView} view */
function endRecords(view) {
  const found = [];
  const last = view.byteLength - END.bytes;
  for (let at = last; at >= Math.max(last - MAX_COMMENT, 0); at--)
    if (view.getUint32(at, true) === END.signature) found.push(at);
  return found;
}

/** @param {DataView} view @param {number} end */
const endsAt = (view, end) => end + END.bytes + view.getUint16(end + END.comment, true) === view.byteLength;

/**
 * The directory lies before the end record: where it says that the directory begins tells where the archive does.
 * @param {DataView} view
 * @param {number} end position of the end record
 */
function findDirectory(view, end) {
  const locator = end - WIDE_LOCATOR.bytes;
  const wide = locator - WIDE_END.bytes;
  const isWide =
    wide >= 0 &&
    view.getUint32(locator, true) === WIDE_LOCATOR.signature &&
    view.getUint32(wide, true) === WIDE_END.signature;
  const [size, directory] = isWide
    ? [uint64(view, wide + WIDE_END.size), uint64(view, wide + WIDE_END.directory)]
    : [view.getUint32(end + END.size, true), view.getUint32(end + END.directory, true)];
  const start = (isWide ? wide : end) - size - directory;
  if (start < 0) throw new Error('its directory is missing');
  return { start, directory, directoryEnd: directory + size };
}

/** @param {DataView} view @param {number} at */
const uint64 = (view, at) => Number(view.getBigUint64(at, true));

/**
 * @param {Uint8Array} archive
 * @param {number} at
 * @returns {{entry: Entry, next: number}}
 */
function readEntry(archive, at) {
  const view = viewOf(archive);
  if (view.getUint32(at, true) !== ENTRY.signature) throw new Error('its directory is damaged');
  const [nameBytes, extraBytes, commentBytes] = ENTRY.lengths.map((field) =>
    view.getUint16(at + field, true),
  );
  const [flags, method] = [ENTRY.flags, ENTRY.method].map((field) => view.getUint16(at + field, true));
  const nameAt = at + ENTRY.bytes;
  const extraAt = nameAt + nameBytes;
  const name = strFromU8(archive.subarray(nameAt, extraAt), (flags & FLAGS.isUtf8) === 0);
  const { originalSize, size, local } = readSizes(view, at, extraAt, extraBytes);
  const read = () => {
    if (flags & FLAGS.isEncrypted) throw new Error(`'${name}' is encrypted`);
    const stored = dataOf(archive, name, local, size);
    const data = unpack(stored, method, originalSize, name);
    if (crc32(data) !== view.getUint32(at + ENTRY.crc, true))
      throw new Error(`the checksum of '${name}' is wrong`);
    return data;
  };
  return { entry: { name, originalSize, read }, next: extraAt + extraBytes + commentBytes };
}

/**
 * @param {DataView} view
 * @param {number} entry its position
 * @param {number} extra position of its extra field
 * @param {number} extraBytes
 * @returns {Record<keyof typeof SIZES, number>}
 */
function readSizes(view, entry, extra, extraBytes) {
  let wide = extra + 4;
  for (let at = extra; at + 4 <= extra + extraBytes; at += 4 + view.getUint16(at + 2, true))
    if (view.getUint16(at, true) === WIDE_EXTRA) wide = at + 4;
  const sizes = Object.entries(SIZES).map(([name, field]) => {
    const size = view.getUint32(entry + field, true);
    if (size !== ABSENT) return [name, size];
    wide += 8;
    return [name, uint64(view, wide - 8)];
  });
  return Object.fromEntries(sizes);
}

/**
 * @param {Uint8Array} archive
 * @param {string} name
 * @param {number} local position of the file's local header
 * @param {number} size
 */
function dataOf(archive, name, local, size) {
  const view = viewOf(archive);
  if (view.getUint32(local, true) !== LOCAL.signature) throw new Error(`the header of '${name}' is missing`);
  const start = LOCAL.lengths.reduce(
    (at, field) => at + view.getUint16(local + field, true),
    local + LOCAL.bytes,
  );
  return archive.subarray(start, start + size);
}

/**
 * @param {Uint8Array} stored
 * @param {number} method
 * @param {number} originalSize
 * @param {string} name
 */
function unpack(stored, method, originalSize, name) {
  if (method === METHODS.stored) return stored.slice();
  if (method === METHODS.deflated) return inflateSync(stored, { out: new Uint8Array(originalSize) });
  throw new Error(`'${name}' is compressed by method ${method}: only deflate is read`);
}
