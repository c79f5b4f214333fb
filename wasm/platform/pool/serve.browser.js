// A worker in a browser: it either runs a session or is one thread of a pool.
import { installHost } from '../../engine/host.js';
import { runThread } from '../../engine/thread.js';
import { installUrls } from '../files.js';
import { serve } from './serve.js';
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
  const receive = serve(post);
  globalThis.onmessage = ({ data }) => {
    if (data.thread) runThread(data.thread, post).catch(reportError).finally(close);
    else receive(data);
  };
}
