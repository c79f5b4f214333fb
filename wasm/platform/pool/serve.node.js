// A worker of Node, Bun and Deno that runs a session.
import { parentPort } from 'node:worker_threads';
import { installHost } from '../../engine/host.js';
import { installUrls } from '../files.js';
import { node } from '../host.node.js';
import { serve } from './serve.js';

/**
 * Makes this worker one of ocelli's. Called by its script.
 * @param {import('../files.js').Urls} [urls] undefined: every file is carried
 */
export function serveWorker(urls) {
  installUrls(urls);
  installHost(node);
  const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);
  const receive = serve((message, transfer) =>
    port.postMessage(message, /** @type {import('node:worker_threads').Transferable[]} */ (transfer)),
  );
  port.on('message', receive);
}
