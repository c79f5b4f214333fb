// URL -> its bytes, as they arrive.
import { failure } from '../shared/errors.js';
import { brief, checkResponse, openResponse } from '../vision/body.js';

/**
 * @param {string | URL} url
 * @param {import('../vision/body.js').NotFound} code
 * @param {AbortSignal} [signal]
 */
export async function fetchFile(url, code, signal) {
  let response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw failure(code, `${brief(url)}: ${reasonOf(error)}`, error);
  }
  checkResponse(response, code, String(url));
  return response;
}

/**
 * @param {string | URL} url
 * @param {AbortSignal | undefined} signal
 * @param {import('../vision/body.js').NotFound} code
 * @returns {Promise<import('../engine/host.js').ByteSource>}
 */
export async function openUrl(url, signal, code) {
  const response = await fetchFile(url, code, signal);
  const { sizeBytes, chunks } = openResponse(response, code);
  return { sizeBytes, chunks: explainEach(chunks, url, signal, code) };
}

/**
 * @param {AsyncIterable<Uint8Array>} chunks
 * @param {string | URL} url
 * @param {AbortSignal | undefined} signal
 * @param {import('../vision/body.js').NotFound} code
 */
async function* explainEach(chunks, url, signal, code) {
  try {
    yield* chunks;
  } catch (error) {
    throw signal?.aborted ? signal.reason : failure(code, brief(url), error);
  }
}

/** Why a fetch failed; Node hides it in the cause. @param {unknown} error */
function reasonOf(error) {
  const { message, cause } = /** @type {Error & {cause?: {code?: string, message?: string}}} */ (error);
  return cause?.code ?? cause?.message ?? message;
}

/**
 * @param {string | URL} place
 * @param {Parameters<typeof failure>[0]} code of the error
 * @param {string | URL} [base] of a relative URL
 */
export function parseUrl(place, code, base) {
  try {
    return new URL(place, base);
  } catch (error) {
    throw failure(code, `'${brief(place)}' is not a URL`, error);
  }
}
