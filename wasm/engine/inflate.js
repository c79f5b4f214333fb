// The bytes of a gzip file, as they arrive -> the bytes in it, as they are inflated.
import { OcelliError } from '../shared/errors.js';
import { gather, sourceOf } from './gather.js';
import { host } from './host.js';

/** The first bytes of a gzip file. */
const MAGIC = [0x1f, 0x8b];

/**
 * @typedef {object} Opened
 * @property {boolean} isGzip
 * @property {AsyncIterable<Uint8Array>} chunks all of the source's
 *
 * @typedef {{sourceError?: unknown}} Watch
 */

/**
 * Whether a source is a gzip file, by its first bytes: some servers have inflated it already, whatever its name.
 * @param {AsyncIterable<Uint8Array>} chunks
 * @returns {Promise<Opened>}
 */
export async function openChunks(chunks) {
  const iterator = chunks[Symbol.asyncIterator]();
  /** @type {Uint8Array[]} */
  const read = [];
  let bytes = /** @type {number[]} */ ([]);
  while (bytes.length < MAGIC.length) {
    const { done, value } = await iterator.next();
    if (done) break;
    // A copy, as the source may use the chunk again; but for the chunk that is passed on before the next is asked for.
    read.push(bytes.length + value.length < MAGIC.length ? value.slice() : value);
    bytes = [...bytes, ...value.subarray(0, MAGIC.length)];
  }
  return {
    isGzip: MAGIC.every((byte, i) => bytes[i] === byte),
    chunks: (async function* () {
      try {
        yield* read;
        for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
      } finally {
        await iterator.return?.();
      }
    })(),
  };
}

/**
 * Throws MODEL_TRUNCATED if the file is not complete at its end, MODEL_NOT_TFLITE if it is damaged before.
 * @param {AsyncIterable<Uint8Array>} chunks of a gzip file
 * @returns {AsyncGenerator<Uint8Array>}
 */
export async function* inflate(chunks) {
  const { gunzip } = host();
  if (gunzip) return yield* inflateBy(gunzip, chunks);
  const { readable, writable } = new DecompressionStream('gzip');
  const state = feed(chunks, writable.getWriter());
  const reader = readable.getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
  } catch (error) {
    if (state.sourceError !== undefined) throw state.sourceError;
    throw state.hasEnded
      ? new OcelliError('MODEL_TRUNCATED', 'the gzip file is cut short, or its checksum is wrong', {
          cause: error,
        })
      : new OcelliError('MODEL_NOT_TFLITE', 'the gzip file is damaged', { cause: error });
  } finally {
    // Not awaited: a source may never finish to cancel. It rejects if the stream has failed.
    void reader.cancel().catch(() => {});
  }
}

/**
 * Inflates where there is no DecompressionStream.
 * @param {(chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>} gunzip
 * @param {AsyncIterable<Uint8Array>} chunks
 */
async function* inflateBy(gunzip, chunks) {
  /** @type {Watch} */
  const state = {};
  try {
    yield* gunzip(watched(chunks, state));
  } catch (error) {
    if (state.sourceError !== undefined) throw state.sourceError;
    throw new OcelliError('MODEL_NOT_TFLITE', 'the gzip file is damaged or cut short', { cause: error });
  }
}

/**
 * The same chunks. The source's own error is kept: it is not one of the file.
 * @param {AsyncIterable<Uint8Array>} chunks
 * @param {Watch} state
 */
async function* watched(chunks, state) {
  try {
    yield* chunks;
  } catch (error) {
    state.sourceError = error;
    throw error;
  }
}

/**
 * Writes the chunks to the inflating stream while its output is read.
 * @param {AsyncIterable<Uint8Array>} chunks
 * @param {WritableStreamDefaultWriter<BufferSource>} writer
 * @returns {Watch & {hasEnded: boolean}} what happened so far; `hasEnded`: all chunks were inflated
 */
function feed(chunks, writer) {
  /** @type {ReturnType<typeof feed>} */
  const state = { hasEnded: false };
  const run = async () => {
    for await (const chunk of watched(chunks, state)) await writer.write(new Uint8Array(chunk));
    state.hasEnded = true;
    await writer.close();
  };
  // The reader gets the error.
  run().catch((error) => writer.abort(error).catch(() => {}));
  return state;
}

/**
 * A whole model file, inflated if it is a gzip file.
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function inflateWhole(bytes) {
  const { isGzip, chunks } = await openChunks(sourceOf(bytes).chunks);
  return isGzip ? (await gather(inflate(chunks), {})).join() : bytes;
}
