import { parentPort, workerData } from 'node:worker_threads';
import { runThread } from '../thread.js';

await runThread(workerData, () => parentPort?.postMessage('ready'));
