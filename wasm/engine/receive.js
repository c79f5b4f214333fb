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
 * Inflates a gzip file.
 * @param {import('./bridge.js').Bridge} bridge
 * @param {import('./host.js').ByteSource} source
 * @param {ReceiveOptions} options
 * @returns {Promise<{sizeBytes: number, readAll: () => Uint8Array<ArrayBuffer>}>}
 */
export async function receive(bridge, { sizeBytes, chunks }, options) {
  const opened = await openChunks(chunks);
  if (!opened.isGzip) return receivePlain(bridge, { sizeBytes, chunks: opened.chunks }, options);
  const { signal } = options;
  const downloaded = report(opened.chunks, sizeBytes, options);
  return receivePlain(bridge, await gather(inflate(downloaded), { signal }), { signal });
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
 * @param {import('./host.js').ByteSource} source
 * @param {ReceiveOptions} options
 * @returns {ReturnType<typeof receive>}
 */
async function receivePlain(bridge, { sizeBytes, chunks }, { signal, onProgress }) {
  if (sizeBytes === undefined)
    return receivePlain(bridge, await gather(chunks, { signal, onProgress }), { signal });
  const { exports, memory } = bridge;
  const total = sizeBytes;
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
    onProgress?.({ loaded, total });
  }
  signal?.throwIfAborted();
  if (loaded < total) throw failure('MODEL_NOT_FOUND', `it ended after ${loaded} of ${total} bytes`);
  const address = reserved ?? reserve();
  return { sizeBytes: total, readAll: () => memory.read(address, total) };
}
