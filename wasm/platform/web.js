// The part of the host that pages, workers and service workers share.
import { failure } from '../shared/errors.js';
import { drawing } from './canvas.js';
import { fetchFile, openUrl, parseUrl } from './fetch.js';
import { compileOnce, locateModel, openingCarried } from './files.js';

/**
 * Compiles while downloading if the server sends the MIME type of wasm, otherwise after it.
 * @param {URL} url
 */
async function compile(url) {
  const response = await fetchFile(url, 'MODULE_NOT_FOUND');
  const isTyped = response.headers.get('content-type') === 'application/wasm'; // with parameters it is refused
  try {
    if (isTyped) return await WebAssembly.compileStreaming(response);
    return await WebAssembly.compile(await response.arrayBuffer());
  } catch (error) {
    throw failure('MODULE_NOT_FOUND', `${url}: ${/** @type {Error} */ (error).message}`, error);
  }
}

/** The base of relative URLs. */
const baseUrl = () => globalThis.document?.baseURI ?? globalThis.location?.href;

/** A message, because pages may delay a timer by milliseconds, or, if they are hidden, by a second. */
function turn() {
  return new Promise((/** @type {(nothing: void) => void} */ resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/** @type {Pick<import('../engine/host.js').Host, 'turn' | 'trustsRelaxed' | 'hasInt8' | 'loadModule' | 'locateModel' | 'open' | 'toUrl' | 'drawing'>} */
export const web = {
  turn,
  trustsRelaxed: true,
  hasInt8: true,
  loadModule: (variant, assetsUrl) => compileOnce(variant, assetsUrl, compile),
  locateModel,
  open: openingCarried(openUrl),
  toUrl: (place, code) => parseUrl(place, code, baseUrl()),
  drawing,
};

/**
 * @param {Worker} worker
 * @returns {import('./pool/link.js').Port}
 */
export function toPort(worker) {
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer),
    onMessage: (listener) => worker.addEventListener('message', ({ data }) => listener(data)),
    // The event of a script that is not there has no message.
    onEnd: (listener) =>
      worker.addEventListener('error', ({ message }) =>
        listener(new Error(message || 'its script did not load')),
      ),
    terminate: () => worker.terminate(),
    // Workers do not keep a page open.
    hold() {},
    release() {},
  };
}
