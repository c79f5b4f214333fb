// A worker in a browser that runs a session, or is one thread of a pool if it has no other script (ocelli/inline).
import { installHost } from '../../engine/host.js';
import { installUrls } from '../files.js';
import { takeEarly } from './early.js';
import { serve } from './serve.js';
import { serveThread } from './thread.browser.js';
import { web } from '../web.js';

/**
 * Makes this worker one of ocelli's. Called by its script.
 * @param {import('../files.js').Urls} [urls] undefined: every file is carried
 */
export function serveWorker(urls) {
  installUrls(urls);
  installHost({ ...web, threads: globalThis.crossOriginIsolated ? 'here' : 'none' });
  /** @type {(message: unknown, transfer?: Transferable[]) => void} */
  const post = (message, transfer = []) => globalThis.postMessage(message, { transfer });
  const receive = serve(post, takeEarly);
  globalThis.onmessage = ({ data }) => {
    if (data.thread) serveThread(data.thread);
    else receive(data);
  };
}
