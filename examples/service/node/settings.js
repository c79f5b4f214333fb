// Environment variables -> the settings of the server. Those that the Worker has too are read by ../config.js.
import { availableParallelism } from 'node:os';
import { readConfig } from '../config.js';

/** @param {Record<string, string | undefined>} env */
export function readSettings(env) {
  const threads = Number(env.THREADS ?? availableParallelism());
  const maxQueue = Number(env.MAX_QUEUE ?? 4 * threads);
  const config = readConfig({ MAX_IN_FLIGHT: threads + maxQueue, ...env });
  const { maxInFlight, maxPixels, timeoutMs } = config;
  return {
    config,
    pool: { threads, maxQueue: maxInFlight, maxPixels, model: env.MODEL },
    address: { port: Number(env.PORT ?? 8080), hostname: env.HOST },
    /** Slow clients cannot hold connections open. */
    timeouts: { requestTimeout: 2 * timeoutMs, headersTimeout: timeoutMs },
    /** Each open connection costs some memory, even one that never sends a request. */
    maxConnections: Number(env.MAX_CONNECTIONS ?? 1000),
  };
}
