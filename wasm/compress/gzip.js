// A file -> its gzip file. Weights in few values have hardly any repeated rows: codes by frequency alone, or with runs of
// one value, make a large file of them smaller, by 7 %, than a search for repetitions, which small files need.
import { gzipSync } from 'fflate';
import { gzip } from 'pako';

/** zlib's Z_HUFFMAN_ONLY and Z_RLE, with short blocks, because each layer has frequencies of its own. */
const SETTINGS = /** @type {const} */ ([
  { level: 9, strategy: 2, memLevel: 6 },
  { level: 9, strategy: 3, memLevel: 7 },
]);

/**
 * @param {Uint8Array} file
 * @returns {Uint8Array<ArrayBuffer>} the smallest, without a time, so that the bytes are always the same
 */
export function zip(file) {
  const made = [...SETTINGS.map((settings) => gzip(file, settings)), gzipSync(file, { level: 9, mtime: 0 })];
  return /** @type {Uint8Array<ArrayBuffer>} */ (made.reduce((a, b) => (b.length < a.length ? b : a)));
}
