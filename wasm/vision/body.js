// Response, Request, ReadableStream, stream of Node -> bytes, read once.
import { gather } from '../engine/gather.js';
import { readStream } from '../engine/stream.js';
import { failure, OcelliError } from '../shared/errors.js';
import { tagOf } from '../shared/platform.js';
import { nameOf } from './refuse.js';

/**
 * @typedef {import('../shared/platform.js').Global<'Response'> | import('../shared/platform.js').Global<'Request'>
 *   | import('../shared/platform.js').Global<'ReadableStream'> | AsyncIterable<Uint8Array | ArrayBuffer>} Body What can be read once.
 *
 * @typedef {import('../engine/host.js').ByteSource} ByteSource
 * @typedef {'IMAGE_NOT_FOUND' | 'LABELS_NOT_FOUND' | 'MODEL_NOT_FOUND' | 'MODULE_NOT_FOUND'} NotFound
 */

/**
 * @param {any} source
 * @param {NotFound} code of the error for a response that is none
 * @param {AbortSignal} [signal]
 * @returns {ByteSource | undefined} undefined: the source is of another kind
 */
export function openBody(source, code, signal) {
  const tag = tagOf(source);
  if (tag === 'Response') {
    if (source.bodyUsed) throw used(tag);
    return openResponse(source, code, signal);
  }
  if (tag === 'Request') return openRequest(source, signal);
  const isStream = typeof source?.getReader === 'function';
  if (!isStream && typeof source?.[Symbol.asyncIterator] !== 'function') return undefined;
  // `readableDidRead` is that of Node's streams.
  if (source.locked || source.readableDidRead) throw used(tag);
  return { chunks: readBytes(source, signal) };
}

/**
 * Reads a body to its end.
 * @param {ByteSource} body
 * @param {import('../engine/gather.js').GatherOptions} options
 */
export async function readBody({ chunks, sizeBytes }, options) {
  return (await gather(chunks, { ...options, total: sizeBytes })).join();
}

/**
 * @param {Response} response
 * @param {NotFound} code
 * @param {AbortSignal} [signal]
 * @returns {ByteSource}
 */
export function openResponse(response, code, signal) {
  checkResponse(response, code);
  const { headers, body } = response;
  const length = Number(headers.get('content-length'));
  return {
    sizeBytes: !headers.has('content-encoding') && length > 0 ? length : undefined,
    chunks: body ? readBytes(body, signal) : nothing(),
  };
}

/**
 * Refuses a response that does not have the file.
 * @param {Response} response
 * @param {NotFound} code
 * @param {string} [url] default: that of the response
 */
export function checkResponse(response, code, url = response.url) {
  const { ok, status, type, headers } = response;
  const place = url ? `${brief(url)}: ` : '';
  if (type === 'opaque')
    throw failure(
      code,
      `${place}the response is opaque: fetch it with mode 'cors', which the server must allow`,
    );
  if (!ok) throw failure(code, `${place}status ${status}`);
  // A server with a catch-all route answers with a page instead of "not found".
  if (headers.get('content-type')?.startsWith('text/html'))
    throw failure(code, `${place}the server answered with a web page`);
}

/** @param {Request} request @param {AbortSignal} [signal] */
function openRequest(request, signal) {
  const { method, body, bodyUsed } = request;
  if (bodyUsed) throw used('Request');
  if (method === 'GET' || method === 'HEAD')
    throw failure('INVALID_INPUT', 'the Request has no body; to send it, pass `await fetch(request)`');
  if (body) return { chunks: readBytes(body, signal) };
  // Firefox's requests have no `body`.
  return { chunks: body === null ? nothing() : whole(request) };
}

/** @param {Request} request */
async function* whole(request) {
  yield new Uint8Array(await request.arrayBuffer().catch(fail));
}

async function* nothing() {}

/**
 * @param {any} stream of the web or of Node, or another async iterable
 * @param {AbortSignal} [signal]
 * @returns {AsyncGenerator<Uint8Array>}
 */
async function* readBytes(stream, signal) {
  if (stream.locked) throw used(tagOf(stream));
  const chunks =
    typeof stream.getReader === 'function' ? readStream(stream, explain, signal) : iterate(stream, signal);
  try {
    for await (const chunk of chunks) yield toChunk(chunk);
  } catch (error) {
    fail(error);
  }
}

/**
 * Iterates over a stream of Node or a generator; tells it when nobody wants more.
 * @param {any} source
 * @param {AbortSignal} [signal]
 */
async function* iterate(source, signal) {
  const iterator = source[Symbol.asyncIterator]();
  const stop = () => {
    source.destroy?.(); // a stream of Node that waits for data would not hear of `return`
    Promise.resolve(iterator.return?.()).catch(() => {});
  };
  signal?.addEventListener('abort', stop);
  try {
    yield* { [Symbol.asyncIterator]: () => iterator };
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** @param {unknown} chunk */
function toChunk(chunk) {
  const tag = tagOf(chunk);
  if (tag === 'Uint8Array') return /** @type {Uint8Array} */ (chunk);
  if (tag === 'ArrayBuffer') return new Uint8Array(/** @type {ArrayBuffer} */ (chunk));
  const hint = typeof chunk === 'string' ? '; read it without an encoding' : '';
  throw failure('INVALID_INPUT', `the stream yields ${nameOf(chunk)} instead of bytes${hint}`);
}

/** @param {unknown} error @returns {never} */
function fail(error) {
  throw explain(error);
}

/** @param {unknown} error */
function explain(error) {
  if (error instanceof OcelliError) return error;
  return failure('READ_FAILED', /** @type {{message?: string} | undefined} */ (error)?.message, error);
}

/** @param {string | undefined} tag of what was read before */
function used(tag) {
  const hint = tag === 'Response' || tag === 'Request' ? `; pass a clone() of the ${tag}` : '';
  return failure('BODY_USED', `read each ${tag ?? 'stream'} once${hint}`);
}

/** A text for an error's message: a data: URL can have millions of letters. @param {string | URL} url */
export function brief(url) {
  const text = String(url);
  return text.length > 200 ? `${text.slice(0, 100)}…` : text;
}
