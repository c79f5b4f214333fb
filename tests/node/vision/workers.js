// The worker threads that ocelli starts, and what is posted to them: for tests.
import { once } from 'node:events';

/** @typedef {import('node:worker_threads').Worker & {requests: number, answers: number, started: Promise<unknown>}} Watched */

/**
 * Calls `use`, and returns the workers that were started meanwhile. Each counts the network runs that were asked of it, and
 * its answers to them; `started` resolves with its first message.
 * @template T
 * @param {() => Promise<T>} use
 * @returns {Promise<{result: T, workers: Watched[]}>}
 */
export async function watchWorkers(use) {
  /** @type {Watched[]} */
  const workers = [];
  const note = (/** @type {import('node:worker_threads').Worker} */ worker) => workers.push(watch(worker));
  process.on('worker', note);
  try {
    return { result: await use(), workers };
  } finally {
    process.off('worker', note);
  }
}

/** @param {import('node:worker_threads').Worker} worker */
function watch(worker) {
  const watched = Object.assign(worker, { requests: 0, answers: 0, started: once(worker, 'message') });
  const { postMessage } = worker;
  watched.postMessage = function (/** @type {any} */ message, transfer) {
    if (message.name === 'run') watched.requests++;
    return postMessage.call(this, message, transfer);
  };
  worker.on('message', ({ result }) => {
    if (result?.run) watched.answers++;
  });
  return watched;
}

/**
 * Ends workers, as a lack of memory would.
 * @param {Watched[]} workers
 */
export async function kill(...workers) {
  for (const worker of workers) worker.terminate();
  await untilEnded(workers);
}

/** Resolves when all workers have ended. @param {Watched[]} workers */
export async function untilEnded(workers) {
  // Not by ref() of the workers: ocelli's threads release the process again when they have started.
  const holding = setInterval(() => {}, 1000);
  const living = workers.filter(({ threadId }) => threadId >= 0);
  await Promise.all(living.map((worker) => once(worker, 'exit')));
  clearInterval(holding);
}
