// The script of ocelli's workers in Node, Bun and Deno that run a session.
import { parentPort } from 'node:worker_threads';
import { installHost } from '../engine/host.js';
import { node } from './host.node.js';
import { serve } from './serve.js';

installHost(node);

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);
const receive = serve((message, transfer) =>
  port.postMessage(message, /** @type {import('node:worker_threads').Transferable[]} */ (transfer)),
);
port.on('message', receive);
