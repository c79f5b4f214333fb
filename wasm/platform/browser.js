// The package's entry in browsers: pages, and the user's own workers and service workers.
import { failure, OcelliError } from '../shared/errors.js';
import { installHost } from '../engine/host.js';
import { crossOriginDist } from './files.js';
import { WorkerPool } from './pool.js';
import { untilReady } from './threads.js';
import { baseUrl, toPort, web } from './web.js';

const isPage = typeof document !== 'undefined';
// In Firefox 153 a worker that starts a worker hangs about once in fifty times.
const canNestWorkers = !/ Firefox\//.test(globalThis.navigator?.userAgent);
const hasWorkers = typeof Worker !== 'undefined' && (isPage || canNestWorkers);
const hasThreads = globalThis.crossOriginIsolated && hasWorkers;

/** @type {import('../engine/host.js').Host & import('../vision/types.js').WorkerHost} */
const browser = {
  ...web,
  threads: hasThreads ? (isPage ? 'worker' : 'here') : 'none',
  startThread,
  startWorker: hasWorkers ? startWorker : undefined,
};
installHost(browser);

/** @param {import('../vision/prepare.js').SessionOptions} options */
function startWorker(options) {
  return WorkerPool.create(options, { withWorker, startThread, absolute });
}

/**
 * Options are relative to the page, not to the worker. The worker reports what is no URL.
 * @param {string | URL} source
 */
function absolute(source) {
  try {
    return new URL(source, baseUrl()).href;
  } catch {
    return String(source);
  }
}

/** @param {import('../engine/host.js').ThreadStart} start */
function startThread(start) {
  return withWorker((port) => {
    port.post({ thread: start });
    return untilReady(port);
  });
}

/**
 * Starts a worker and passes it to `use`. A worker's script must have the page's origin. If ocelli comes from another
 * origin, the worker is started from a blob that imports the script, which is allowed. Chromium reports a script of
 * another origin by an exception, Firefox by an error event.
 * @type {import('./remote.js').Platform['withWorker']}
 */
async function withWorker(use) {
  try {
    return await use(
      construct(() => new Worker(new URL('./worker.browser.js', import.meta.url), { type: 'module' })),
    );
  } catch (error) {
    const dist = crossOriginDist();
    if (!dist || !isStartFailure(error)) throw error;
    return use(construct(() => importingWorker(new URL('web/worker.browser.js', dist))));
  }
}

/** @param {() => Worker} make */
function construct(make) {
  try {
    return toPort(make());
  } catch (error) {
    throw failure('WORKER_UNAVAILABLE', /** @type {Error} */ (error).message, error);
  }
}

/** @param {URL} script */
function importingWorker(script) {
  const text = `import ${JSON.stringify(script.href)};`;
  return new Worker(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })), { type: 'module' });
}

/** @param {unknown} error */
const isStartFailure = (error) =>
  error instanceof OcelliError && ['WORKER_UNAVAILABLE', 'THREADS_UNAVAILABLE'].includes(error.code);

export * from '../vision/index.js';
