// A worker of ours: runs a detector's session, or is one thread of a pool.
import { installHost } from '../host.js';
import { runThread } from '../thread.js';
import { answer, createSession } from './serve.js';
import { startThreadIn, web } from './web.js';

installHost({
  ...web,
  threads: globalThis.crossOriginIsolated ? 'here' : 'none',
  startThread: (start) => startThreadIn(startTwin(), start),
});

const port = /** @type {import('./serve.js').Port} */ (/** @type {unknown} */ (globalThis));

onmessage = async ({ data: { create, id, request, thread } }) => {
  if (create) createSession(port, create);
  else if (request) answer(port, id, request);
  else if (thread) await runThread(thread, () => port.postMessage('ready')).finally(close);
};

/** Another worker of this very script, which a bundler may have made classic. */
function startTwin() {
  return new Worker(location.href, { type: isClassic() ? 'classic' : 'module' });
}

function isClassic() {
  try {
    /** @type {any} */ (self).importScripts();
    return true;
  } catch {
    return false;
  }
}
