// JPEG files one after another (MJPEG) -> the bytes of each.
import { failure } from '../../wasm/shared/errors.js';

/** @typedef {import('./reader.js').Reader} Reader */

/** A file without an end must not be read for ever. */
const MAX_FILE_BYTES = 1 << 28;
const [START, END, SCAN] = [0xd8, 0xd9, 0xda];

/**
 * @param {Reader} reader
 * @returns {AsyncGenerator<Uint8Array>}
 */
export async function* readFiles(reader) {
  for (let number = 1; (await reader.peek(1)).length > 0; number++) {
    const fail = (/** @type {string} */ fault) => failure('INVALID_INPUT', `frame ${number} ${fault}`);
    const [first, second] = await reader.peek(2);
    if (first !== 0xff || second !== START) throw fail('is not a JPEG file');
    const length = await measureFile(reader);
    if (length === undefined) throw fail('is cut short');
    yield Uint8Array.from(await reader.take(length));
  }
}

/**
 * The length of the JPEG file to come. Thumbnails in its header have ends of their own: segments are skipped as a whole.
 * @param {Reader} reader
 * @returns {Promise<number | undefined>} undefined: it does not end
 */
async function measureFile(reader) {
  let at = 2;
  let isScan = false;
  while (at < MAX_FILE_BYTES) {
    const bytes = await reader.peek(at + 4);
    /** @type {number} */
    const next = isScan ? findMarker(bytes, at) : at;
    if (next < 0) {
      at = bytes.length - 1;
      if (!(await reader.extend())) return undefined;
      continue;
    }
    if (next + 2 > bytes.length || bytes[next] !== 0xff) return undefined;
    /** @type {number} */
    const marker = bytes[next + 1];
    if (marker === END) return next + 2;
    if (marker === 0xff) {
      at = next + 1; // a byte of padding
      continue;
    }
    const head = await reader.peek(next + 4);
    if (head.length < next + 4) return undefined;
    at = next + 2 + head.readUInt16BE(next + 2);
    isScan = marker === SCAN;
  }
  return undefined;
}

/**
 * The next marker in compressed data: not a stuffed zero, and no restart.
 * @param {Uint8Array} bytes
 * @param {number} start
 * @returns {number} -1: there is none
 */
function findMarker(bytes, start) {
  for (
    let at = bytes.indexOf(0xff, start);
    at >= 0 && at + 1 < bytes.length;
    at = bytes.indexOf(0xff, at + 1)
  ) {
    const follows = bytes[at + 1];
    const isMarker = follows !== 0 && follows !== 0xff && (follows < 0xd0 || follows > 0xd7);
    if (isMarker) return at;
  }
  return -1;
}
