// Pages, and the user's own workers and service workers.
import { failure } from '../errors.js';
import { installHost } from '../host.js';
import { distUrl } from './files.js';
import { RemoteSession } from './remote.js';
import { startThreadIn, web } from './web.js';

const isPage = typeof document !== 'undefined';
const hasPool = globalThis.crossOriginIsolated && typeof Worker !== 'undefined';

installHost({
  ...web,
  threads: hasPool ? (isPage ? 'worker' : 'here') : 'none',
  startThread: (start) => startThreadIn(startWorker(), start),
  startWorker: async (options) => RemoteSession.create(startWorker(), options),
});

function startWorker() {
  try {
    return new Worker(new URL('./worker.browser.js', import.meta.url), { type: 'module' });
  } catch (error) {
    return startElsewhere(error);
  }
}

/**
 * A worker's script must be of the page's origin, but a module may import one of another.
 * @param {unknown} refusal
 */
function startElsewhere(refusal) {
  const url = new URL('web/worker.browser.js', distUrl());
  if (typeof Worker === 'undefined' || url.origin === location.origin) {
    throw failure('WORKER_UNAVAILABLE', /** @type {Error} */ (refusal).message, refusal);
  }
  const script = new Blob([`import ${JSON.stringify(url.href)};`], { type: 'text/javascript' });
  return new Worker(URL.createObjectURL(script), { type: 'module' });
}

export * from '../index.js';
