// Environment variables -> the settings of the server. Those that the Worker has too are read by ../config.js.
import { availableParallelism } from 'node:os';
import { readConfig, readCount } from '../config.js';

/** @param {Record<string, string | undefined>} env */
export function readSettings(env) {
  const threads = readCount(env, 'THREADS', availableParallelism());
  const maxQueue = readCount(env, 'MAX_QUEUE', 4 * threads, { least: 0 });
  const config = readConfig({ MAX_IN_FLIGHT: threads + maxQueue, ...env });
  const { maxInFlight, maxPixels, timeoutMs } = config;
  return {
    config,
    pool: { threads, maxQueue: maxInFlight, maxPixels, model: env.MODEL },
    address: { port: readCount(env, 'PORT', 8080, { least: 0 }), hostname: env.HOST },
    /** Slow clients cannot hold connections open. */
    timeouts: { requestTimeout: 2 * timeoutMs, headersTimeout: timeoutMs },
    /** Each open connection costs some memory, even one that never sends a request. */
    maxConnections: readCount(env, 'MAX_CONNECTIONS', 1000),
  };
}
