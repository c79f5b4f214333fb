// The part of the host that pages, workers and service workers share.
import { failure } from '../shared/errors.js';
import { drawing } from './canvas.js';
import { fetchFile, openUrl, parseUrl } from './fetch.js';
import { compileOnce, locateModel } from './files.js';

/**
 * Compiles while downloading if the server sends the MIME type of wasm, otherwise after it.
 * @param {URL} url
 */
async function compile(url) {
  const response = await fetchFile(url, 'MODULE_NOT_FOUND');
  const isTyped = response.headers.get('content-type')?.startsWith('application/wasm');
  try {
    if (isTyped) return await WebAssembly.compileStreaming(response);
    return await WebAssembly.compile(await response.arrayBuffer());
  } catch (error) {
    throw failure('MODULE_NOT_FOUND', `${url}: ${/** @type {Error} */ (error).message}`, error);
  }
}

/** The base of relative URLs. */
const baseUrl = () => globalThis.document?.baseURI ?? globalThis.location?.href;

/** @type {Pick<import('../engine/host.js').Host, 'trustsRelaxed' | 'hasInt8' | 'loadModule' | 'locateModel' | 'open' | 'toUrl' | 'drawing'>} */
export const web = {
  trustsRelaxed: true,
  hasInt8: true,
  loadModule: (variant, assetsUrl) => compileOnce(variant, assetsUrl, compile),
  locateModel,
  open: openUrl,
  toUrl: (place, code) => parseUrl(place, code, baseUrl()),
  drawing,
};

/**
 * @param {Worker} worker
 * @returns {import('./link.js').Port}
 */
export function toPort(worker) {
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer),
    onMessage: (listener) => worker.addEventListener('message', ({ data }) => listener(data)),
    onEnd: (listener) => worker.addEventListener('error', ({ message }) => listener(new Error(message))),
    terminate: () => worker.terminate(),
    // Workers do not keep a page open.
    hold() {},
    release() {},
  };
}
