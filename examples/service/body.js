// A request -> the bytes of its image, within limits on size and time.
import { ServiceError } from './errors.js';
import { release } from './intake.js';

/**
 * @typedef {import('./config.js').Config & {openBody?: OpenBody}} Config
 * @typedef {import('./intake.js').Body} Body
 *
 * @typedef {object} BodyReader
 * @property {() => Promise<IteratorResult<Uint8Array> | ReadableStreamReadResult<Uint8Array>>} next the next chunk
 * @property {() => void} cancel no more chunks are wanted
 *
 * @typedef {(request: Request) => BodyReader | undefined} OpenBody reads a request's body in the platform's own way
 */

/**
 * @param {Request} request whose image is the body, the form field `image`, or at `?url=`
 * @param {Config} config
 * @param {Body} body see readBytes
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function readImage(request, config, body) {
  const url = new URL(request.url).searchParams.get('url');
  if (url !== null) return fetchImage(url, config, body);
  const type = (request.headers.get('content-type') ?? '').toLowerCase();
  const isForm = type.startsWith('multipart/form-data');
  if (!isForm && type !== '' && !/^(image\/|application\/octet-stream)/.test(type))
    throw new ServiceError('UNSUPPORTED_MEDIA_TYPE', `${type} is neither an image nor a form`);
  const bytes = await readBytes(request, config, body);
  if (bytes.length === 0) throw new ServiceError('BAD_REQUEST', 'the request has no body; send an image');
  return isForm ? imageOfForm(bytes, request.headers.get('content-type') ?? '') : bytes;
}

/**
 * Reads a body. One of up to twice the limit is read to its end before it is refused, because a client that is still
 * sending does not see the answer.
 * @param {Request | Response} message
 * @param {Config} config
 * @param {Body} body keeps the bytes
 */
export async function readBytes(message, config, body) {
  const { maxBodyBytes } = config;
  body.announce(Math.min(Number(message.headers.get('content-length')), maxBodyBytes));
  await Promise.race([body.dropped, undefined]); // To touch `message.body` begins to read it.
  let isTooLarge = false;
  await receive(message, config, body.dropped, (chunk, size) => {
    isTooLarge = size > maxBodyBytes;
    if (!isTooLarge) body.add(chunk);
    release(/** @type {Uint8Array<ArrayBuffer>} */ (chunk));
  });
  if (isTooLarge) throw tooLarge(maxBodyBytes);
  return body.complete();
}

/**
 * @param {Request | Response} message
 * @param {Config} config
 * @param {Promise<never>} dropped rejects when the reading must end
 * @param {(chunk: Uint8Array, size: number) => void} onChunk `size`: of the body so far, in bytes
 */
async function receive(message, { maxBodyBytes, timeoutMs, openBody }, dropped, onChunk) {
  const readLimit = 2 * maxBodyBytes;
  if (Number(message.headers.get('content-length')) > readLimit) throw tooLarge(maxBodyBytes);
  let size = 0;
  const reader = (message instanceof Request && openBody?.(message)) || openStream(message.body);
  if (reader)
    for await (const chunk of chunksWithin(reader, timeoutMs, dropped)) {
      size += chunk.length;
      if (size > readLimit) throw tooLarge(maxBodyBytes);
      onChunk(chunk, size);
    }
  whole.add(message);
}

/** Messages whose body was read to its end. @type {WeakSet<Request | Response>} */
const whole = new WeakSet();

/**
 * Whether nothing of a request is left on its connection. It asks the headers, because to touch `request.body` begins to
 * read it.
 * @param {Request} request
 */
export function isReadToEnd(request) {
  const { headers } = request;
  const hasBody = headers.has('transfer-encoding') || Number(headers.get('content-length')) > 0;
  return !hasBody || whole.has(request);
}

/** @param {number} maxBodyBytes */
const tooLarge = (maxBodyBytes) =>
  new ServiceError('BODY_TOO_LARGE', `the body has more than ${maxBodyBytes} bytes`);

/** @param {ReadableStream<Uint8Array> | null} body @returns {BodyReader | undefined} */
function openStream(body) {
  const reader = body?.getReader();
  return reader && { next: () => reader.read(), cancel: () => reader.cancel().catch(() => {}) };
}

/**
 * @param {BodyReader} reader
 * @param {number} timeoutMs for the whole body
 * @param {Promise<never>} dropped
 */
async function* chunksWithin(reader, timeoutMs, dropped) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {Promise<never>} */
  const tooSlow = new Promise((_, reject) => {
    timer = setTimeout(
      () => reject(new ServiceError('BODY_TOO_SLOW', `the body took more than ${timeoutMs} ms`)),
      timeoutMs,
    );
  });
  const ended = Promise.race([tooSlow, dropped]);
  let isWhole = false;
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.next(), ended]);
      isWhole = done === true;
      if (done) return;
      yield value;
    }
  } catch (error) {
    throw error instanceof ServiceError ? error : new ServiceError('BAD_REQUEST', 'the body ended early');
  } finally {
    clearTimeout(timer);
    if (!isWhole) reader.cancel();
  }
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {string} type
 */
async function imageOfForm(bytes, type) {
  const response = new Response(bytes, { headers: { 'content-type': type } });
  const form = await response.formData().catch(() => {
    throw new ServiceError('BAD_REQUEST', 'the form cannot be read');
  });
  const image = form.get('image');
  if (!(image instanceof Blob)) throw new ServiceError('BAD_REQUEST', "the form has no file 'image'");
  return new Uint8Array(await image.arrayBuffer());
}

/**
 * @param {string} text
 * @param {Config} config
 * @param {Body} body
 */
async function fetchImage(text, config, body) {
  const url = URL.parse(text);
  const isAllowed = url?.protocol === 'https:' && config.urlHosts.includes(url.host);
  if (!isAllowed) throw new ServiceError('URL_NOT_ALLOWED', 'url must be https and its host must be allowed');
  // A redirect could lead to a host that is not allowed.
  const options = /** @type {const} */ ({ redirect: 'manual' });
  const signal = AbortSignal.timeout(config.timeoutMs);
  const response = await fetch(url, { ...options, signal }).catch(() => undefined);
  if (!response?.ok)
    throw new ServiceError(
      'URL_FAILED',
      response ? `the url answered ${response.status}` : 'the url did not answer',
    );
  return readBytes(response, config, body);
}
