// One worker: it takes photos over HTTP, works on the queue, and shows how it is.
//
//   DATABASE_URL=postgres://… PORT=8090 node worker.js
import { ObjectDetector } from 'ocelli';
import pg from 'pg';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMetrics } from './metrics.js';
import { countJobs, enqueue, openQueue, work } from './queue.js';
import { readSettings } from './settings.js';
import { prepareShutdown } from './shutdown.js';
import { createTables, findResult } from './store.js';

const { DATABASE_URL } = process.env;
const { port, host, jobSeconds, retries, maxBodyBytes } = readSettings(process.env);
const MAX_KEY_CHARACTERS = 500;
const HEALTH_MS = 2000;
const START_AGAIN_MS = 1000;
const REQUESTS_MS = 10_000;
const END_MS = 30_000;
if (!DATABASE_URL) throw new Error('set DATABASE_URL, or run `npm start`, which starts a database');

const log = (/** @type {Record<string, unknown>} */ entry) =>
  console.log(JSON.stringify({ time: new Date().toISOString(), ...entry }));
const ending = new AbortController();
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 8, connectionTimeoutMillis: 5000 });
pool.on('error', ({ message }) => log({ level: 'error', error: message }));

/** Starts as soon as the database answers. @returns {ReturnType<typeof openQueue>} */
async function open() {
  for (;;)
    try {
      await createTables(pool);
      return await openQueue(/** @type {string} */ (DATABASE_URL), { jobSeconds, retries, log });
    } catch (error) {
      log({ level: 'error', error: /** @type {Error} */ (error).message });
      await sleep(START_AGAIN_MS);
    }
}

const boss = await open();
// In a thread, so that this one answers meanwhile.
const detector = await ObjectDetector.create({ worker: true });
const metrics = createMetrics(() => countJobs(boss));

class HttpError extends Error {
  /** @param {number} status @param {string} code @param {string} message */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** @param {import('node:http').IncomingMessage} request */
async function readBody(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > maxBodyBytes) throw new HttpError(413, 'BODY_TOO_LARGE', `more than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** @param {string} path */
function readKey(path) {
  let key = '';
  try {
    key = decodeURIComponent(path.replace(/^\/\w+\//, ''));
  } catch {
    // It is refused below.
  }
  if (key === '' || key.length > MAX_KEY_CHARACTERS || key.includes('\0'))
    throw new HttpError(400, 'BAD_KEY', `a key has 1 to ${MAX_KEY_CHARACTERS} characters`);
  return key;
}

/** @param {string} key @returns {Promise<[number, object]>} */
async function showResult(key) {
  const row = await findResult(pool, key);
  if (!row) throw new HttpError(404, 'NOT_FOUND', 'there is no such object');
  const { version, width, height, detections, code, message } = row;
  if (code) return [422, { key, version, code, message }];
  return detections
    ? [200, { key, version, width, height, detections }]
    : [202, { key, version, state: 'queued' }];
}

/** @returns {Promise<[number, object]>} */
async function showHealth() {
  const answer = pool.query('SELECT 1').then(() => true);
  const isUp = await Promise.race([answer, sleep(HEALTH_MS, false)]).catch(() => false);
  if (ending.signal.aborted) return [503, { status: 'ending' }];
  return isUp ? [200, { status: 'ok' }] : [503, { status: 'no database' }];
}

/** @param {import('node:http').IncomingMessage} request @returns {Promise<[number, object]>} */
async function answer(request) {
  const [path] = (request.url ?? '').split('?');
  if (request.method === 'PUT' && path.startsWith('/objects/')) {
    const { isNew, ...object } = await enqueue({ pool, boss }, readKey(path), await readBody(request));
    return [isNew ? 202 : 200, object];
  }
  if (request.method === 'GET' && path.startsWith('/results/')) return showResult(readKey(path));
  if (request.method === 'GET' && path === '/healthz') return showHealth();
  throw new HttpError(404, 'NOT_FOUND', 'PUT /objects/KEY, GET /results/KEY, GET /healthz, GET /metrics');
}

const server = createServer(async (request, response) => {
  try {
    if (request.method === 'GET' && request.url === '/metrics') {
      response.setHeader('content-type', metrics.type);
      response.end(await metrics.text());
      return;
    }
    const [status, content] = await answer(request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content));
  } catch (error) {
    const isOurs = error instanceof HttpError;
    const { status, code, message } = isOurs
      ? error
      : { status: 503, code: 'UNAVAILABLE', message: 'try again later' };
    if (!isOurs) log({ level: 'error', error: /** @type {Error} */ (error).message });
    // What is left of a body that is too large would be read as the next request.
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
    response.end(JSON.stringify({ code, message }));
  }
});
const shutDown = prepareShutdown(server);
server.listen(port, host, () => {
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  log({ listening: address.port, pid: process.pid });
});
const working = work({ pool, boss, detector, count: metrics.count, log }, ending.signal);

/** Finishes the job in hand and the requests that came, then ends. Until then, /healthz says so to a load balancer. */
async function drain() {
  if (ending.signal.aborted) return;
  ending.abort();
  setTimeout(() => process.exit(1), END_MS).unref();
  await working;
  await shutDown(REQUESTS_MS);
  await boss.stop({ graceful: true, timeout: END_MS });
  await pool.end();
  detector.close();
  log({ ended: process.pid });
}
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, drain);
