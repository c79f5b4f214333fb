// A worker in a browser that is one thread of a pool.
import { runThread } from '../../engine/thread.js';

/** @param {import('../../engine/host.js').ThreadStart} start */
export function serveThread(start) {
  runThread(start, (state) => globalThis.postMessage(state))
    .catch(reportError)
    .finally(close);
}
