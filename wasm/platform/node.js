// The package's entry in Node, Bun and Deno.
import { Worker } from 'node:worker_threads';
import { installNode } from './main.node.js';
import { urls } from './urls.js';

installNode({
  urls,
  startSession: (options) => new Worker(new URL('./worker.node.js', import.meta.url), options),
  startThread: (options) => new Worker(new URL('./thread.node.js', import.meta.url), options),
});

export * from '../vision/index.js';
