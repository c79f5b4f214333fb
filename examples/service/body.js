// A request -> the bytes of its image, within limits on size and time.
import { ServiceError } from './errors.js';

/** @typedef {import('./config.js').Config} Config */

/**
 * @param {Request} request whose image is the body, the form field `image`, or at `?url=`
 * @param {Config} config
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function readImage(request, config) {
  const url = new URL(request.url).searchParams.get('url');
  if (url !== null) return fetchImage(url, config);
  const type = (request.headers.get('content-type') ?? '').toLowerCase();
  const isForm = type.startsWith('multipart/form-data');
  if (!isForm && type !== '' && !/^(image\/|application\/octet-stream)/.test(type))
    throw new ServiceError('UNSUPPORTED_MEDIA_TYPE', `${type} is neither an image nor a form`);
  const bytes = await readBytes(request, config);
  if (bytes.length === 0) throw new ServiceError('BAD_REQUEST', 'the request has no body; send an image');
  return isForm ? imageOfForm(bytes, request.headers.get('content-type') ?? '') : bytes;
}

/**
 * Reads a body. One of up to twice the limit is read to its end before it is refused, because a client that is still
 * sending does not see the answer.
 * @param {Request | Response} message
 * @param {Config} config
 */
export async function readBytes(message, { maxBodyBytes, timeoutMs }) {
  const tooLarge = () => new ServiceError('BODY_TOO_LARGE', `the body has more than ${maxBodyBytes} bytes`);
  const readLimit = 2 * maxBodyBytes;
  if (Number(message.headers.get('content-length')) > readLimit) throw tooLarge();
  /** @type {Uint8Array[]} */
  const chunks = [];
  let size = 0;
  for await (const chunk of chunksWithin(message.body, timeoutMs)) {
    size += chunk.length;
    if (size > readLimit) throw tooLarge();
    if (size <= maxBodyBytes) chunks.push(chunk);
  }
  if (size > maxBodyBytes) throw tooLarge();
  return join(chunks, size);
}

/**
 * Reads and drops the body of a refused request, if nobody has read it (see readBytes).
 * @param {Request} request
 * @param {Config} config
 */
export async function drain(request, config) {
  if (request.bodyUsed || request.body?.locked) return;
  await readBytes(request, { ...config, maxBodyBytes: config.maxBodyBytes / 2 }).catch(() => {});
}

/**
 * @param {ReadableStream<Uint8Array> | null} body
 * @param {number} timeoutMs for the whole body
 */
async function* chunksWithin(body, timeoutMs) {
  if (!body) return;
  const reader = body.getReader();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {Promise<never>} */
  const tooSlow = new Promise((_, reject) => {
    timer = setTimeout(
      () => reject(new ServiceError('BODY_TOO_SLOW', `the body took more than ${timeoutMs} ms`)),
      timeoutMs,
    );
  });
  let isWhole = false;
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), tooSlow]);
      isWhole = done;
      if (done) return;
      yield value;
    }
  } catch (error) {
    throw error instanceof ServiceError ? error : new ServiceError('BAD_REQUEST', 'the body ended early');
  } finally {
    clearTimeout(timer);
    if (!isWhole) reader.cancel().catch(() => {});
  }
}

/**
 * @param {Uint8Array[]} chunks
 * @param {number} size
 */
function join(chunks, size) {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
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
 */
async function fetchImage(text, config) {
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
  return readBytes(response, config);
}
