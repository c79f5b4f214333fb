import { MAXIMUM_PAGES } from '../../dist/build.js';
import { failure } from '../shared/errors.js';
import { joinInto } from '../shared/numbers.js';

/** A module cannot hold more bytes. */
export const MAX_BYTES = MAXIMUM_PAGES * 65536;

/**
 * Bytes in memory as a source of one chunk.
 * @param {Uint8Array} bytes
 * @returns {import('./host.js').ByteSource & {sizeBytes: number}}
 */
export function sourceOf(bytes) {
  return {
    sizeBytes: bytes.length,
    chunks: (async function* () {
      yield bytes;
    })(),
  };
}

/**
 * @typedef {object} GatherOptions
 * @property {number} [limit] the most bytes to read
 * @property {number} [total] the announced size
 * @property {AbortSignal} [signal]
 * @property {(progress: {loaded: number, total?: number}) => void} [onProgress]
 */

/**
 * Reads a source of unknown length to its end. Returns its chunks again, with their total size.
 * @param {AsyncIterable<Uint8Array>} chunks
 * @param {GatherOptions} options
 */
export async function gather(chunks, { limit = MAX_BYTES, total, signal, onProgress }) {
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const parts = [];
  let sizeBytes = 0;
  checkSize(total ?? 0, limit);
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    sizeBytes += chunk.byteLength;
    checkSize(sizeBytes, limit);
    parts.push(copyOf(chunk));
    onProgress?.({ loaded: sizeBytes, ...(total !== undefined && { total }) });
  }
  signal?.throwIfAborted();
  return {
    sizeBytes,
    chunks: (async function* () {
      yield* parts;
    })(),
    /** All bytes in one array. */
    join() {
      return parts.length === 1 ? parts[0] : joinInto(new Uint8Array(sizeBytes), parts);
    },
  };
}

/**
 * A chunk's bytes, as the source may use the chunk again. Node's Buffer.slice() would not copy.
 * @param {Uint8Array} chunk
 */
export function copyOf({ buffer, byteOffset, byteLength }) {
  return new Uint8Array(/** @type {ArrayBuffer} */ (buffer), byteOffset, byteLength).slice();
}

/** @param {number} sizeBytes @param {number} limit */
export function checkSize(sizeBytes, limit) {
  if (sizeBytes > limit) throw failure('INPUT_TOO_LARGE', `${limit} bytes`);
}
