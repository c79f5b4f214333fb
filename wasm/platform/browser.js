// Pages, and the user's own workers and service workers.
import { failure, OcelliError } from '../shared/errors.js';
import { installHost } from '../engine/host.js';
import { foreignDist } from './files.js';
import { RemoteSession } from './remote.js';
import { startThreadIn, web } from './web.js';

const isPage = typeof document !== 'undefined';
// In Firefox 153 a worker that starts a worker stops for ever, once in some fifty times.
const mayNest = !/ Firefox\//.test(globalThis.navigator?.userAgent);
const hasWorkers = typeof Worker !== 'undefined' && (isPage || mayNest);
const hasPool = globalThis.crossOriginIsolated && hasWorkers;

/** @type {import('../engine/host.js').Host & import('../vision/types.js').WorkerHost} */
const browser = {
  ...web,
  threads: hasPool ? (isPage ? 'worker' : 'here') : 'none',
  startThread,
  startWorker: hasWorkers ? startWorker : undefined,
};
installHost(browser);

/** @param {import('../vision/prepare.js').SessionOptions} options */
function startWorker(options) {
  return inWorker((worker) => RemoteSession.create(worker, options, startThread));
}

/** @type {import('./crew.js').StartThread} */
function startThread(start) {
  return inWorker((worker) => startThreadIn(worker, start));
}

/**
 * What `start` makes of a worker of ours. A worker's script must be of the page's origin, but a module may import one of
 * another. Chromium refuses a foreign script by an exception, Firefox by an event.
 * @template T
 * @param {(worker: Worker) => Promise<T>} start
 */
async function inWorker(start) {
  try {
    return await start(
      construct(() => new Worker(new URL('./worker.browser.js', import.meta.url), { type: 'module' })),
    );
  } catch (error) {
    const dist = foreignDist();
    if (!dist || !isRefusal(error)) throw error;
    return start(construct(() => importing(new URL('web/worker.browser.js', dist))));
  }
}

/** @param {() => Worker} make */
function construct(make) {
  try {
    return make();
  } catch (error) {
    throw failure('WORKER_UNAVAILABLE', /** @type {Error} */ (error).message, error);
  }
}

/** @param {URL} script */
function importing(script) {
  const text = `import ${JSON.stringify(script.href)};`;
  return new Worker(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })), { type: 'module' });
}

/** @param {unknown} error */
const isRefusal = (error) =>
  error instanceof OcelliError && ['WORKER_UNAVAILABLE', 'THREADS_UNAVAILABLE'].includes(error.code);

export * from '../vision/index.js';
