// URL -> bytes, as they arrive. Nothing is fetched but what the user, or the package's own place, names.
import { failure } from '../errors.js';

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
  // What a server with a catch-all route answers instead of "not found".
  if (response.headers.get('content-type')?.startsWith('text/html'))
    throw failure(code, `${url}: a web page`);
  return response;
}

/**
 * @param {string | URL} url
 * @param {AbortSignal} [signal]
 * @returns {Promise<import('../host.js').ByteSource>}
 */
export async function openUrl(url, signal) {
  const { headers, body } = await fetchFile(url, 'MODEL_NOT_FOUND', signal);
  if (!body) throw failure('MODEL_NOT_FOUND', `${url}: empty`);
  const length = Number(headers.get('content-length'));
  return {
    sizeBytes: !headers.has('content-encoding') && length > 0 ? length : undefined,
    chunks: readStream(body, url, signal),
  };
}

/**
 * Reads ahead by one: what has arrived waits for nobody who compiles or copies. (Safari's streams cannot be iterated.)
 * @param {ReadableStream<Uint8Array>} stream
 * @param {string | URL} url
 * @param {AbortSignal} [signal]
 */
function readStream(stream, url, signal) {
  const reader = stream.getReader();
  const read = () => {
    const part = reader.read().catch((error) => {
      throw signal?.aborted ? error : failure('MODEL_NOT_FOUND', String(url), error);
    });
    // Whoever asks for it is told; nobody may.
    part.catch(() => {});
    return part;
  };
  return iterate(reader, read, read());
}

/**
 * @param {ReadableStreamDefaultReader<Uint8Array>} reader
 * @param {() => Promise<ReadableStreamReadResult<Uint8Array>>} read
 * @param {Promise<ReadableStreamReadResult<Uint8Array>>} next
 */
async function* iterate(reader, read, next) {
  try {
    for (let part = await next; !part.done; part = await next) {
      next = read();
      yield part.value;
    }
  } finally {
    // Of a stream that failed, it gives the failure again.
    await reader.cancel().catch(() => {});
  }
}
