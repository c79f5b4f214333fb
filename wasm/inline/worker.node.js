// The script of the workers and threads of ocelli/inline in Node, Bun and Deno; tools/make-inline.js makes a text of it.
import { parentPort, workerData } from 'node:worker_threads';
import { runThread } from '../engine/thread.js';
import { serveWorker } from '../platform/pool/serve.node.js';

if (workerData?.module) runThread(workerData, (state) => parentPort?.postMessage(state));
else serveWorker();
