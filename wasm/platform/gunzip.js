// Inflates gzip files where there is no DecompressionStream: in Vercel's edge runtime.
import { GzipReader } from '../shared/gunzip.js';

/** So that a hostile file cannot fill the memory by one part: it inflates to at most a thousand times its size. */
const PART_BYTES = 1 << 14;

/**
 * @param {AsyncIterable<Uint8Array>} chunks of a gzip file
 * @returns {AsyncGenerator<Uint8Array>}
 */
export async function* gunzip(chunks) {
  /** @type {Uint8Array[]} */
  const inflated = [];
  const reader = new GzipReader((part) => inflated.push(part));
  for await (const chunk of chunks) {
    for (let start = 0; start < chunk.length; start += PART_BYTES) {
      reader.push(chunk.slice(start, start + PART_BYTES));
      yield* inflated.splice(0);
    }
  }
  reader.end();
  yield* inflated;
}
