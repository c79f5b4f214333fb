// Writes a model's bytes into the module's memory as they arrive.
import { failure } from '../shared/errors.js';
import { checkSize, copyOf, MAX_BYTES } from './gather.js';
import { inflate, openChunks } from './inflate.js';

/** The room in the module for a source whose size is not known: one that begins small, and the package's own model. */
const ROOMS = [1 << 20, 1 << 23];

/**
 * @typedef {object} ReceiveOptions
 * @property {AbortSignal} [signal]
 * @property {(progress: {loaded: number, total?: number}) => void} [onProgress]
 */

/**
 * @param {import('./bridge.js').Bridge} bridge
 * @param {import('./host.js').ByteSource} source
 * @param {ReceiveOptions} options
 * @returns {Promise<{sizeBytes: number, readAll: () => Uint8Array<ArrayBuffer>}>}
 */
export async function receive(bridge, source, options) {
  return write(bridge, await unpack(source, options), options.signal);
}

/**
 * Inflates a source if it is a gzip file.
 * @param {import('./host.js').ByteSource} source
 * @param {ReceiveOptions} options
 * @returns {Promise<import('./host.js').ByteSource & {isGzip: boolean}>} with its size if that is known
 */
export async function unpack({ sizeBytes, chunks }, options) {
  const { isGzip, chunks: opened } = await openChunks(chunks);
  const downloaded = report(opened, sizeBytes, options);
  return isGzip ? { isGzip, chunks: inflate(downloaded) } : { isGzip, sizeBytes, chunks: downloaded };
}

/**
 * Reports how much of a source has arrived.
 * @param {AsyncIterable<Uint8Array>} chunks
 * @param {number | undefined} total
 * @param {ReceiveOptions} options
 */
async function* report(chunks, total, { signal, onProgress }) {
  let loaded = 0;
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    yield chunk;
    loaded += chunk.byteLength;
    onProgress?.({ loaded, ...(total !== undefined && { total }) });
  }
}

/**
 * Of a source whose size is not known, what does not fit ROOMS waits outside of the module, whose memory never shrinks.
 * @param {import('./bridge.js').Bridge} bridge
 * @param {import('./host.js').ByteSource} source
 * @param {AbortSignal} [signal]
 */
async function write(bridge, { sizeBytes: total, chunks }, signal) {
  const { exports, memory } = bridge;
  const rooms = total === undefined ? ROOMS : [total];
  let [address, room, loaded, written] = [0, 0, 0, 0];
  /** @type {Uint8Array[]} */
  const waiting = [];
  const reserve = (/** @type {number} */ sizeBytes) => {
    const place = address === 0 ? exports.ocl_model_reserve : exports.ocl_model_resize;
    address = bridge.guard(() => memory.reserve(sizeBytes, place));
    room = sizeBytes;
  };
  const append = (/** @type {Uint8Array} */ chunk) => {
    memory.write(address + written, chunk);
    written += chunk.byteLength;
  };
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    loaded += chunk.byteLength;
    if (total !== undefined && loaded > total)
      throw failure('MODEL_NOT_FOUND', `it has more than the announced ${total} bytes`);
    checkSize(loaded, MAX_BYTES);
    const next = rooms.find((sizeBytes) => sizeBytes >= loaded);
    // Reserve memory inside the loop: if that fails, leaving the loop closes the source.
    if (next !== undefined && (next > room || address === 0)) reserve(next);
    if (loaded <= room) append(chunk);
    else waiting.push(copyOf(chunk));
  }
  signal?.throwIfAborted();
  if (total !== undefined && loaded < total)
    throw failure('MODEL_NOT_FOUND', `it ended after ${loaded} of ${total} bytes`);
  if (room !== loaded || address === 0) reserve(loaded);
  waiting.forEach(append);
  return { sizeBytes: loaded, readAll: () => memory.read(address, loaded) };
}
