// The package's entry in Node, Bun and Deno: reads files from disk, runs workers and threads as worker_threads.
import { Worker } from 'node:worker_threads';
import { installHost } from '../engine/host.js';
import { node } from './host.node.js';
import { construct, untilReady } from './threads.js';

/** Does not pass on the process's flags: with `--input-type=module --eval` no worker would start. */
const OPTIONS = { execArgv: [] };

/** @type {import('../engine/host.js').Host & import('../vision/types.js').WorkerHost & import('../vision/types.js').TilesHost & import('../report/energy/estimate.js').MachineHost} */
const main = {
  ...node,
  loadTiles: () => import('../tiles/index.js'),
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
    construct(() => toPort(new Worker(new URL('./thread.node.js', import.meta.url), options))),
  );
  port.release();
  return port;
}

/** @type {import('./remote.js').Platform['withWorker']} */
async function withWorker(use) {
  return use(construct(() => toPort(new Worker(new URL('./worker.node.js', import.meta.url), OPTIONS))));
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
