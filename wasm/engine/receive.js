// Writes a model's bytes into the module's memory as they arrive.
import { failure } from '../shared/errors.js';
import { gather } from './gather.js';
import { inflate, openChunks } from './inflate.js';

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
  const { sizeBytes, chunks } = await unpack(source, options);
  const { signal } = options;
  if (sizeBytes !== undefined) return write(bridge, { sizeBytes, chunks }, signal);
  return write(bridge, await gather(chunks, { signal }), signal);
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
 * @param {import('./bridge.js').Bridge} bridge
 * @param {{sizeBytes: number, chunks: AsyncIterable<Uint8Array>}} source
 * @param {AbortSignal} [signal]
 */
async function write(bridge, { sizeBytes: total, chunks }, signal) {
  const { exports, memory } = bridge;
  const reserve = () => bridge.guard(() => memory.reserve(total, (size) => exports.ocl_model_reserve(size)));
  /** @type {number | undefined} */
  let reserved;
  let loaded = 0;
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    // Reserve memory inside the loop: if that fails, leaving the loop closes the source.
    const address = (reserved ??= reserve());
    if (loaded + chunk.byteLength > total)
      throw failure('MODEL_NOT_FOUND', `it has more than the announced ${total} bytes`);
    memory.write(address + loaded, chunk);
    loaded += chunk.byteLength;
  }
  signal?.throwIfAborted();
  if (loaded < total) throw failure('MODEL_NOT_FOUND', `it ended after ${loaded} of ${total} bytes`);
  const address = reserved ?? reserve();
  return { sizeBytes: total, readAll: () => memory.read(address, total) };
}
