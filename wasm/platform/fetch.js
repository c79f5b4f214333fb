// URL -> its bytes, as they arrive.
import { failure } from '../shared/errors.js';

const PART_BYTES = 1 << 18;

/** @typedef {{done: boolean, value?: Uint8Array<ArrayBuffer>}} Part */

/**
 * @param {string | URL} url
 * @param {'MODEL_NOT_FOUND' | 'MODULE_NOT_FOUND'} code
 * @param {AbortSignal} [signal]
 */
export async function fetchFile(url, code, signal) {
  let response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw failure(code, String(url), error);
  }
  if (!response.ok) throw failure(code, `${url}: status ${response.status}`);
  // A server with a catch-all route answers with a page instead of "not found".
  if (response.headers.get('content-type')?.startsWith('text/html'))
    throw failure(code, `${url}: the server answered with a web page`);
  return response;
}

/**
 * @param {string | URL} url
 * @param {AbortSignal} [signal]
 * @returns {Promise<import('../engine/host.js').ByteSource>}
 */
export async function openUrl(url, signal) {
  const { headers, body } = await fetchFile(url, 'MODEL_NOT_FOUND', signal);
  if (!body) throw failure('MODEL_NOT_FOUND', `${url}: the response is empty`);
  const length = Number(headers.get('content-length'));
  return {
    sizeBytes: !headers.has('content-encoding') && length > 0 ? length : undefined,
    chunks: readStream(body, url, signal),
  };
}

/**
 * Reads one part ahead, so that the download goes on while the caller copies or compiles. Two buffers take turns: use a
 * part before you ask for the next. (Safari's streams are not async iterable.)
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} stream
 * @param {string | URL} url
 * @param {AbortSignal} [signal]
 */
function readStream(stream, url, signal) {
  const reader = openReader(stream);
  const read = (/** @type {ArrayBuffer} */ buffer) => {
    const part = reader.read(buffer).catch((error) => {
      throw signal?.aborted ? error : failure('MODEL_NOT_FOUND', String(url), error);
    });
    // Nobody may ask for this part: do not report an unhandled rejection.
    part.catch(() => {});
    return part;
  };
  return iterate(reader, read, read(new ArrayBuffer(PART_BYTES)));
}

/**
 * A reader that fills the buffer it is given, because allocating memory costs more than copying into it. If the stream
 * has no BYOB reader, each part has a new buffer.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} stream
 * @returns {{read: (buffer: ArrayBuffer) => Promise<Part>, cancel: () => Promise<void>}}
 */
function openReader(stream) {
  try {
    const reader = stream.getReader({ mode: 'byob' });
    return { read: (buffer) => reader.read(new Uint8Array(buffer)), cancel: () => reader.cancel() };
  } catch {
    const reader = stream.getReader();
    return { read: () => reader.read(), cancel: () => reader.cancel() };
  }
}

/**
 * @param {{cancel: () => Promise<void>}} reader
 * @param {(buffer: ArrayBuffer) => Promise<Part>} read
 * @param {Promise<Part>} next
 */
async function* iterate(reader, read, next) {
  let spare = new ArrayBuffer(PART_BYTES);
  try {
    for (let part = await next; part.value && !part.done; part = await next) {
      next = read(spare);
      yield part.value;
      spare = part.value.buffer;
    }
  } finally {
    // `cancel` of a failed stream rejects with the same error.
    await reader.cancel().catch(() => {});
  }
}
