import { parentPort, workerData } from 'node:worker_threads';
import { runThread } from '../engine/thread.js';

await runThread(workerData, (state) => parentPort?.postMessage(state));
