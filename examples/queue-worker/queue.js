// Jobs: pg-boss takes them by FOR UPDATE SKIP LOCKED, so any number of workers on any number of machines shares one queue.
// A result and its job's completion are one transaction: a worker that is killed, or whose job was given to another after it
// was too slow, leaves nothing behind.
import { OcelliError } from 'ocelli';
import { PgBoss } from 'pg-boss';
import { setTimeout as sleep } from 'node:timers/promises';
import { addObject, addResult, readObject, setApart, transact } from './store.js';

const QUEUE = 'photos';
/** Where pg-boss puts jobs that failed too often, or whose workers died too often. */
const DEAD = 'photos-dead';
/** pg-boss deletes a job that waits for longer: by default after 14 days. */
const KEPT_SECONDS = 365 * 86_400;
const IDLE_MS = 500;
const AFTER_ERROR_MS = 1000;

/**
 * @typedef {{key: string, version: string}} Photo
 * @typedef {{id: string, data: Photo, retryCount: number}} Job
 * @typedef {object} Parts
 * @property {import('pg').Pool} pool
 * @property {PgBoss} boss
 * @property {import('ocelli').ObjectDetector} detector
 * @property {(outcome: string, seconds: number) => void} count
 * @property {(entry: Record<string, unknown>) => void} log
 */

/**
 * @param {string} connectionString
 * @param {{jobSeconds: number, retries: number, log: (entry: Record<string, unknown>) => void}} options `jobSeconds`: after
 *   that time another worker gets the job
 */
export async function openQueue(connectionString, { jobSeconds, retries, log }) {
  const boss = new PgBoss({
    ...{ connectionString, application_name: 'ocelli-queue', max: 4, schedule: false },
    // How soon the job of a killed worker is noticed.
    ...{ superviseIntervalSeconds: 2, monitorIntervalSeconds: 2 },
  });
  boss.on('error', ({ message }) => log({ level: 'error', error: message }));
  await boss.start();
  const kept = { expireInSeconds: jobSeconds, retentionSeconds: KEPT_SECONDS };
  const rules = { retryLimit: retries, retryDelay: 1, retryBackoff: true, retryDelayMax: 60 };
  await boss.createQueue(DEAD, { ...kept, retryLimit: 1000, retryDelay: 5 });
  await boss.createQueue(QUEUE, { ...kept, ...rules, deadLetter: DEAD });
  return boss;
}

/** What runs pg-boss's statements in our transaction. @param {import('pg').PoolClient} client */
const within = (client) => ({
  executeSql: (/** @type {string} */ text, /** @type {unknown[] | undefined} */ values) =>
    client.query(text, values),
});

/**
 * Stores an object and its job, both or none. A version that is known gets no second job.
 * @param {Pick<Parts, 'pool' | 'boss'>} parts
 * @param {string} key
 * @param {Uint8Array} body
 */
export const enqueue = ({ pool, boss }, key, body) =>
  transact(pool, async (client) => {
    const { version, isNew } = await addObject(client, key, body);
    if (isNew) await boss.send(QUEUE, { key, version }, { db: within(client) });
    return { key, version, isNew };
  });

/** Failures that come again with each try. @param {unknown} error @returns {error is OcelliError} */
const isPermanent = (error) =>
  error instanceof OcelliError &&
  (error.code.startsWith('IMAGE_') || error.code === 'UNSUPPORTED_IMAGE_FORMAT');

/**
 * Completes a job together with what `write` writes, if the job is still this worker's.
 * @param {Parts} parts
 * @param {string} queue
 * @param {Job} job
 * @param {(client: import('pg').PoolClient) => Promise<unknown>} write
 */
const complete = ({ pool, boss }, queue, job, write) =>
  transact(pool, async (client) => {
    await write(client);
    const { affected } = await boss.complete(queue, job, undefined, { db: within(client) });
    if (affected !== 1) throw new Error('the job was given to another worker');
  });

/** @param {Parts} parts @param {Job} job @returns {Promise<string>} its outcome */
async function detect(parts, job) {
  const photo = job.data;
  const body = await readObject(parts.pool, photo);
  if (!body) {
    await complete(parts, QUEUE, job, async () => {}); // It was deleted.
    return 'gone';
  }
  try {
    const found = await parts.detector.detect(body);
    await complete(parts, QUEUE, job, (client) => addResult(client, photo, found));
    return 'done';
  } catch (error) {
    if (!isPermanent(error)) throw error;
    await complete(parts, QUEUE, job, (client) => setApart(client, photo, error));
    return 'poison';
  }
}

/** @param {Parts} parts @param {Job} job */
async function bury(parts, job) {
  const reason = { code: 'RETRIES_EXHAUSTED', message: 'the job failed, or its worker died, at each try' };
  await complete(parts, DEAD, job, (client) => setApart(client, job.data, reason));
  return 'poison';
}

const HANDLERS = /** @type {const} */ ([
  [QUEUE, detect],
  [DEAD, bury],
]);

/** @param {Parts} parts @returns {Promise<boolean>} was there a job? */
async function workOnce(parts) {
  for (const [queue, handle] of HANDLERS) {
    const [job] = /** @type {Job[]} */ (await parts.boss.fetch(queue, { includeMetadata: true }));
    if (!job) continue;
    const start = performance.now();
    const outcome = await handle(parts, job).catch(async (error) => {
      parts.log({ level: 'error', key: job.data.key, error: error.message, attempt: job.retryCount + 1 });
      await parts.boss.fail(queue, job, { code: error.code, message: error.message });
      return 'retry';
    });
    parts.count(outcome, (performance.now() - start) / 1000);
    return true;
  }
  return false;
}

/**
 * Works on one job after the other until `signal` is aborted; the job in hand is finished. If the database is away, it waits.
 * @param {Parts} parts
 * @param {AbortSignal} signal
 */
export async function work(parts, signal) {
  const rest = (/** @type {number} */ ms) => sleep(ms, undefined, { signal }).catch(() => {});
  while (!signal.aborted) {
    try {
      if (!(await workOnce(parts))) await rest(IDLE_MS);
    } catch (error) {
      parts.log({ level: 'error', error: /** @type {Error} */ (error).message });
      await rest(AFTER_ERROR_MS);
    }
  }
}

/** @param {PgBoss} boss @returns {Promise<Record<string, number>>} jobs by state */
export async function countJobs(boss) {
  const [{ queuedCount, activeCount }] = await boss.getQueueStats(QUEUE, { force: true });
  return { queued: queuedCount, active: activeCount };
}
