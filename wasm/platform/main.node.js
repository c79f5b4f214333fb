// ocelli in Node, Bun and Deno: reads files from disk, runs workers and threads as worker_threads.
import { Worker } from 'node:worker_threads';
import { installHost } from '../engine/host.js';
import { carried } from './carried.js';
import { installUrls } from './files.js';
import { node } from './host.node.js';
import { construct, untilReady } from './threads.js';

/**
 * @typedef {import('node:worker_threads').WorkerOptions} WorkerOptions
 *
 * @typedef {object} Place Where the package's files are. `ocelli/inline` carries them instead.
 * @property {import('./files.js').Urls} urls
 * @property {(options: WorkerOptions) => Worker} startSession starts worker.node.js, in the form that bundlers know
 * @property {(options: WorkerOptions) => Worker} startThread starts thread.node.js
 */

/** Does not pass on the process's flags: with `--input-type=module --eval` no worker would start. */
const OPTIONS = { execArgv: [] };
/** @type {Place | undefined} */
let place;

/** @type {import('../engine/host.js').Host & import('../vision/types.js').WorkerHost & import('../vision/types.js').TilesHost & import('../report/energy/estimate.js').MachineHost} */
const main = {
  ...node,
  loadTiles: () => import('../tiles/index.js'),
  loadIntensities: () => import('@tgwf/co2/data'),
  loadMachine: () => import('../report/energy/machine.node.js'),
  startThread,
  startWorker,
};

/** @param {Place} [given] undefined: every file is carried */
export function installNode(given) {
  place = given;
  installUrls(given?.urls);
  installHost({ ...main, hasInt8: given !== undefined });
}

/**
 * Loads its code on demand, because most processes start no worker.
 * @param {import('../vision/prepare.js').SessionOptions} options
 */
async function startWorker(options) {
  const { WorkerPool } = await import('./pool/pool.js');
  return WorkerPool.create(options, { withWorker, startThread });
}

/** @param {import('../engine/host.js').ThreadStart} start */
async function startThread(start) {
  const port = await untilReady(await open('startThread', { ...OPTIONS, workerData: start }));
  port.release();
  return port;
}

/** @type {import('./pool/remote.js').Platform['withWorker']} */
async function withWorker(use) {
  return use(await open('startSession', OPTIONS));
}

/**
 * @param {'startSession' | 'startThread'} name
 * @param {WorkerOptions} options
 */
async function open(name, options) {
  const script = await carried()?.readScript?.();
  const start = () =>
    script === undefined
      ? /** @type {Place} */ (place)[name](options)
      : new Worker(script, { ...options, eval: true });
  return construct(() => toPort(start()));
}

/**
 * @param {Worker} worker
 * @returns {import('./pool/link.js').Port}
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
