// The script of ocelli's workers in browsers. A worker either runs a session or is one thread of a pool.
import { reviveError } from '../shared/errors.js';
import { installHost } from '../engine/host.js';
import { runThread } from '../engine/thread.js';
import { answer, createSession } from './serve.js';
import { web } from './web.js';

installHost({ ...web, threads: globalThis.crossOriginIsolated ? 'here' : 'none', startThread });

const port = /** @type {import('./serve.js').Port} */ (/** @type {unknown} */ (globalThis));
/**
 * Threads that crew.js is starting, by index.
 * @type {Map<number, {resolve: () => void, reject: (error: unknown) => void}>}
 */
const starting = new Map();

onmessage = async ({ data: { create, id, request, thread, started } }) => {
  if (create) createSession(port, create);
  else if (request) answer(port, id, request);
  else if (started) settle(started);
  else if (thread) await runThread(thread, () => port.postMessage('ready')).finally(close);
};

/** @param {import('../engine/host.js').ThreadStart} start */
function startThread(start) {
  return new Promise((/** @type {(value: void) => void} */ resolve, reject) => {
    starting.set(start.index, { resolve, reject });
    port.postMessage({ thread: start });
  });
}

/** @param {{index: number, error?: unknown}} started */
function settle({ index, error }) {
  const waiting = starting.get(index);
  starting.delete(index);
  if (error) waiting?.reject(reviveError(error));
  else waiting?.resolve();
}
