// The package's entry in Node, Bun and Deno: reads files from disk, runs workers and threads as worker_threads.
import { Worker } from 'node:worker_threads';
import { failure } from '../shared/errors.js';
import { installHost } from '../engine/host.js';
import { node } from './host.node.js';
import { untilReady } from './threads.js';

/** Does not pass on the process's flags: with `--input-type=module --eval` no worker would start. */
const OPTIONS = { execArgv: [] };

/** @type {import('../engine/host.js').Host & import('../vision/types.js').WorkerHost & import('../report/energy/estimate.js').MachineHost} */
const main = {
  ...node,
  loadMachine: () => import('../report/energy/machine.node.js'),
  startThread,
  startWorker,
};
installHost(main);

/**
 * Loads its code on demand, because most processes start no worker.
 * @param {import('../vision/prepare.js').SessionOptions} options
 */
async function startWorker(options) {
  const { WorkerPool } = await import('./pool.js');
  return WorkerPool.create(options, { withWorker, startThread });
}

/** @param {import('../engine/host.js').ThreadStart} start */
async function startThread(start) {
  const options = { ...OPTIONS, workerData: start };
  const port = await untilReady(
    construct(() => new Worker(new URL('./thread.node.js', import.meta.url), options)),
  );
  port.release();
  return port;
}

/** @type {import('./remote.js').Platform['withWorker']} */
async function withWorker(use) {
  return use(construct(() => new Worker(new URL('./worker.node.js', import.meta.url), OPTIONS)));
}

/** @param {() => Worker} make */
function construct(make) {
  try {
    return toPort(make());
  } catch (error) {
    throw failure('WORKER_UNAVAILABLE', /** @type {Error} */ (error).message, error);
  }
}

/**
 * @param {Worker} worker
 * @returns {import('./link.js').Port}
 */
function toPort(worker) {
  return {
    post: (message, transfer) =>
      worker.postMessage(message, /** @type {import('node:worker_threads').Transferable[]} */ (transfer)),
    onMessage: (listener) => worker.on('message', listener),
    onEnd: (listener) =>
      worker
        .on('error', listener)
        .on('exit', (code) => listener(new Error(`it ended with exit code ${code}`))),
    terminate: () => worker.terminate(),
    hold: () => worker.ref(),
    release: () => worker.unref(),
  };
}

export * from '../vision/index.js';
