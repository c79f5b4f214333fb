// ocelli in browsers, but for the starting of its worker: a page's bundle and the worker's script share this one, so that
// nothing is downloaded twice, and the worker's script does not lead back to one that starts it (Turbopack hangs then).
import { failure, OcelliError } from '../shared/errors.js';
import { installHost } from '../engine/host.js';
import { carried } from './carried.js';
import { inside, installUrls, otherDist } from './files.js';
import { compileEarly, EarlyModel } from './pool/early.js';
import { WorkerPool } from './pool/pool.js';
import { construct, untilReady } from './threads.js';
import { toPort, web } from './web.js';

/**
 * @typedef {'startSession' | 'startThread'} Kind of worker
 *
 * @typedef {object} Place Where the package's files are. `ocelli/inline` carries them instead.
 * @property {import('./files.js').Urls} urls
 * @property {() => Worker} startSession starts worker.browser.js, in the form that bundlers know
 * @property {() => Worker} startThread starts thread.browser.js
 */

/**
 * The scripts in dist/.
 * @type {Record<Kind, string>}
 */
const SCRIPTS = { startSession: 'web/worker.browser.js', startThread: 'web/thread.browser.js' };
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
/** @type {Place} */
let place;

/**
 * @param {typeof import('./later.browser.js').later} later
 * @param {Place} [given] undefined: every file is carried
 */
export function installPage(later, given) {
  if (given) place = given;
  installUrls(given?.urls);
  installHost({ ...browser, ...later, hasInt8: given !== undefined });
}

/** @param {import('../vision/prepare.js').SessionOptions} options */
async function startWorker({ onProgress, ...options }) {
  const { assetsUrl, signal } = options;
  signal?.throwIfAborted();
  const early = EarlyModel.open({ ...options, onProgress });
  compileEarly(options);
  try {
    return await WorkerPool.create(early ? options : { ...options, onProgress }, {
      withWorker: (use) => withWorker('startSession', use, assetsUrl),
      startThread: (start) => startThread(start, assetsUrl),
      answers: early?.answers ?? { openEarly() {} },
    });
  } catch (error) {
    early?.cancel();
    throw error;
  }
}

/**
 * @param {import('../engine/host.js').ThreadStart} start
 * @param {string} [assetsUrl]
 */
function startThread(start, assetsUrl) {
  const use = (/** @type {import('./pool/link.js').Port} */ port) => {
    port.post({ thread: start });
    return untilReady(port);
  };
  return withWorker('startThread', use, assetsUrl);
}

/**
 * Starts a worker and passes it to `use`. A worker's script must have the page's origin. If ocelli comes from another
 * origin, the worker is started from a blob that imports the script, which is allowed. Chromium reports a script of
 * another origin by an exception, Firefox by an error event.
 * @template T
 * @param {Kind} kind
 * @param {(port: import('./pool/link.js').Port) => Promise<T>} use
 * @param {string} [assetsUrl]
 * @returns {Promise<T>}
 */
async function withWorker(kind, use, assetsUrl) {
  if (assetsUrl) return startFrom(inside(assetsUrl, SCRIPTS[kind]), use);
  const script = await carried()?.readScript?.();
  if (script !== undefined) return use(construct(() => toPort(workerOf(script, {}))));
  try {
    return await use(construct(() => toPort(place[kind]())));
  } catch (error) {
    const dist = otherDist();
    if (!dist || !isStartFailure(error)) throw error;
    return startFrom(new URL(SCRIPTS[kind], dist), use);
  }
}

/**
 * @template T
 * @param {URL} script
 * @param {(port: import('./pool/link.js').Port) => Promise<T>} use
 */
async function startFrom(script, use) {
  try {
    const isOwn = script.origin === location.origin;
    return await use(
      construct(() => toPort(isOwn ? new Worker(script, { type: 'module' }) : importingWorker(script))),
    );
  } catch (error) {
    if (!isStartFailure(error)) throw error;
    throw failure('WORKER_UNAVAILABLE', `${script} did not start`, error);
  }
}

/** @param {URL} script */
function importingWorker(script) {
  return workerOf(`import ${JSON.stringify(script.href)};`, { type: 'module' });
}

/**
 * @param {string} text of the script
 * @param {WorkerOptions} options
 */
function workerOf(text, options) {
  return new Worker(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })), options);
}

/** @param {unknown} error */
const isStartFailure = (error) =>
  error instanceof OcelliError && ['WORKER_UNAVAILABLE', 'THREADS_UNAVAILABLE'].includes(error.code);

export * from '../vision/index.js';
export { isHosted } from '../engine/host.js';
export { carry, decode } from './carried.js';
export { serveWorker } from './pool/serve.browser.js';
