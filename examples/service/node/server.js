// The service on Node's http, with a pool of detectors. Run `node server.js`; settings are the environment variables
// PORT, HOST, THREADS, MAX_QUEUE, MAX_CONNECTIONS, MODEL and those of ../config.js. On SIGTERM or SIGINT it finishes
// accepted requests, within the time that a request may take, then exits.
import { serve } from '@hono/node-server';
import { readFileSync } from 'node:fs';
import { createApp } from '../app.js';
import { isReadToEnd } from '../body.js';
import { release } from '../intake.js';
import { toLogLine } from '../log.js';
import { createMetrics } from './metrics.js';
import { createPool } from './pool.js';
import { readSettings } from './settings.js';
import { prepareShutdown } from './shutdown.js';

/** A connection whose body nobody reads holds no more than this, and the chunk that exceeds it. */
const BUFFERED_BYTES = 16384;

const settings = readSettings(process.env);
const { config } = settings;
const { threads } = settings.pool;
const pool = await createPool(settings.pool);
const { detect } = pool;
const openapi = JSON.parse(readFileSync(new URL('../openapi.json', import.meta.url), 'utf8'));
const metrics = createMetrics(pool.queueLength, Object.keys(openapi.paths));

const app = createApp({
  ...{ config, detect, openapi },
  health: () => ({ threads }),
  log(entry) {
    metrics.observe(entry);
    console.log(toLogLine({ time: new Date().toISOString(), ...entry }));
  },
  openBody,
  monitoring: async () => ({ text: await metrics.text(), type: metrics.type }),
});

/** @type {WeakMap<Request, import('node:stream').Readable>} */
const bodies = new WeakMap();

/**
 * Reads a body without a web stream, which would copy each chunk.
 * @type {import('../body.js').OpenBody}
 */
function openBody(request) {
  const chunks = bodies.get(request)?.iterator({ destroyOnReturn: false });
  return chunks && { next: () => chunks.next(), cancel: () => chunks.return?.() };
}

/**
 * @param {Request} request
 * @param {{incoming: import('node:stream').Readable}} connection
 */
async function answer(request, { incoming }) {
  bodies.set(request, incoming);
  const response = await app.fetch(request);
  if (isReadToEnd(request)) return response;
  // The rest of the body would come before the next request. What still arrives is not kept.
  response.headers.set('connection', 'close');
  incoming.on('data', release);
  return response;
}

const server = serve({
  ...{ fetch: answer, ...settings.address },
  autoCleanupIncoming: false, // would read on the bodies of refused requests
  serverOptions: { ...settings.timeouts, highWaterMark: BUFFERED_BYTES },
});
server.maxConnections = settings.maxConnections; // further ones are closed at once
server.on('listening', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  console.log(JSON.stringify({ listening: port, threads, maxInFlight: config.maxInFlight }));
});

const shutDown = prepareShutdown(/** @type {import('node:http').Server} */ (server));

/** Answers the accepted requests. The process then exits, because nothing keeps it alive. */
async function end() {
  await shutDown(settings.timeouts.requestTimeout);
  pool.close();
}
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, end);
