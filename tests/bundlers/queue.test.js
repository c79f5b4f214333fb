// examples/queue-worker, from a copy: workers and the database are killed at the worst moments, and each version of each
// object still has one row.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ObjectDetector } from '../../wasm/platform/node.js';
import { until as untilSo } from '../patience.js';
import { PHOTO } from './expected.js';
import { ENVIRONMENT, pack, ROOT, run } from './shared.js';

const NUM_PHOTOS = process.env.OCELLI_SOAK ? 200 : 30;
const JOB_SECONDS = '3';
/** Workers at the row of their result. */
const WAITING = "pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT INTO results%'";
const FOLDER = mkdtempSync(join(tmpdir(), 'ocelli-queue-'));

/** @typedef {{url: string, port: number, stop: (signal?: NodeJS.Signals) => Promise<void>}} Database */

describe('the queue worker', () => {
  /** @type {(folder: string, port?: number) => Promise<Database>} */ let startDatabase;
  /** @type {Database} */ let database;
  /** @type {any} */ let pool;
  /** @type {unknown} */ let expected;
  /** @type {import('node:child_process').ChildProcess[]} */ let workers = [];
  const data = join(FOLDER, 'data');

  before(async () => {
    cpSync(join(ROOT, 'examples/queue-worker'), FOLDER, { recursive: true });
    run(FOLDER, 'npm', 'install', '--prefer-offline', '--silent', '--no-audit', '--no-fund', pack(FOLDER));
    ({ startDatabase } = await import(pathToFileURL(join(FOLDER, 'database.js')).href));
    chmodSync(FOLDER, 0o755); // PostgreSQL's user must come through.
    database = await startDatabase(data);
    const pg = createRequire(join(FOLDER, 'worker.js'))('pg');
    pool = new pg.Pool({ connectionString: database.url });
    pool.on('error', () => {});
    const detector = await ObjectDetector.create();
    expected = JSON.parse(JSON.stringify((await detector.detect(PHOTO)).detections));
    detector.close();
  });
  after(async () => {
    for (const worker of workers) worker.kill('SIGKILL');
    await pool?.end();
    await database?.stop();
    rmSync(FOLDER, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await Promise.all(workers.map((worker) => end(worker)));
    workers = [];
    await pool.query('DROP TABLE IF EXISTS results, poison, objects; DROP SCHEMA IF EXISTS pgboss CASCADE');
  });

  /** @param {Record<string, string>} [settings] @returns {Promise<{url: string, worker: import('node:child_process').ChildProcess}>} */
  async function startWorker(settings = {}) {
    const worker = spawn(process.execPath, ['worker.js'], {
      cwd: FOLDER,
      env: { ...ENVIRONMENT, DATABASE_URL: database.url, PORT: '0', JOB_SECONDS, ...settings },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    workers.push(worker);
    const url = await new Promise((resolve, reject) => {
      let printed = '';
      worker.stdout.on('data', (chunk) => {
        printed += chunk;
        const port = /"listening":(\d+)/.exec(printed)?.[1];
        if (port) resolve(`http://127.0.0.1:${port}`);
      });
      worker.on('exit', () => reject(new Error(printed)));
    });
    return { url, worker };
  }

  /** @param {import('node:child_process').ChildProcess} worker @param {NodeJS.Signals} [signal] */
  async function end(worker, signal = 'SIGTERM') {
    if (worker.exitCode !== null || worker.signalCode !== null) return;
    worker.kill(signal);
    await once(worker, 'exit');
  }

  /** @param {string} url @param {string} key @param {Uint8Array} body */
  const put = (url, key, body) =>
    fetch(`${url}/objects/${key}`, { method: 'PUT', body: /** @type {Uint8Array<ArrayBuffer>} */ (body) });

  /** Objects of different versions that show the same. @param {string} url */
  async function putPhotos(url) {
    for (let i = 0; i < NUM_PHOTOS; i++) {
      const response = await put(url, `photos/${i}`, Buffer.concat([PHOTO, Buffer.from(String(i))]));
      assert.equal(response.status, 202);
    }
  }

  /** @param {string} sql @returns {Promise<any>} the first column of the first row */
  async function ask(sql) {
    const { rows } = await pool.query({ text: sql, rowMode: 'array' });
    return rows[0]?.[0];
  }

  /** A table or a server may not be there yet. @param {() => Promise<boolean>} isSo */
  const until = (isSo) => untilSo(() => isSo().catch(() => false), 20);

  const count = async (/** @type {string} */ from) => Number(await ask(`SELECT count(*) FROM ${from}`));
  const allDone = () => until(async () => (await count('results')) + (await count('poison')) === NUM_PHOTOS);

  /** Each object has one row, all of them right, and no job is left or was done a second time. */
  async function assertComplete() {
    await allDone();
    assert.equal(await count('poison'), 0);
    const { rows } = await pool.query('SELECT DISTINCT detections, width, height FROM results');
    assert.deepEqual(rows, [{ detections: expected, width: 451, height: 300 }]);
    const states = await pool.query(
      "SELECT state::text, count(*)::int FROM pgboss.job WHERE name = 'photos' GROUP BY 1",
    );
    assert.deepEqual(states.rows, [{ state: 'completed', count: NUM_PHOTOS }]);
    assert.equal(await count("pgboss.job WHERE name = 'photos-dead'"), 0);
  }

  /** Holds all workers in the middle of a transaction, at the row of their result. @param {number} number of workers */
  async function hold(number) {
    const client = await pool.connect();
    client.on('error', () => {});
    await client.query('BEGIN; LOCK TABLE results IN ACCESS EXCLUSIVE MODE');
    await until(async () => (await count(WAITING)) === number);
    return async () => {
      await client.query('ROLLBACK').catch(() => {});
      client.release(true);
    };
  }

  for (const number of [1, 2])
    test(`${NUM_PHOTOS} photos, ${number} workers`, async (t) => {
      const { url } = await startWorker();
      const letGo = await hold(0);
      await putPhotos(url);
      if (number > 1) await startWorker();
      const start = performance.now();
      await letGo();
      await allDone();
      t.diagnostic(`${((1000 * NUM_PHOTOS) / (performance.now() - start)).toFixed(1)} a second`);
      await assertComplete();
      const metrics = await (await fetch(`${url}/metrics`)).text();
      for (const metric of ['ocelli_jobs_total{outcome="done"} ', 'ocelli_queue_jobs{state="queued"} '])
        assert.ok(metrics.includes(metric), metric);
      assert.equal((await fetch(`${url}/healthz`)).status, 200);
    });

  test('the same bytes again are no second job; other bytes are', async () => {
    const { url } = await startWorker();
    const statuses = [];
    for (const end of ['', '', '1', '1', '']) {
      const response = await put(url, 'a%20b/ü', Buffer.concat([PHOTO, Buffer.from(end)]));
      statuses.push(response.status);
    }
    assert.deepEqual(statuses, [202, 200, 202, 200, 200]);
    await until(async () => (await count('results')) === 2);
    assert.equal(await count("pgboss.job WHERE name = 'photos'"), 2);
    const response = await fetch(`${url}/results/a%20b/ü`);
    const { key, detections } = /** @type {any} */ (await response.json());
    assert.deepEqual([key, detections], ['a b/ü', expected]);
  });

  test('what cannot be an image is set apart with its code, at the first try', async () => {
    const { url } = await startWorker();
    const cases = {
      cut: [PHOTO.subarray(0, 5000), 'IMAGE_CORRUPT'],
      empty: [new Uint8Array(), 'IMAGE_EMPTY'],
      text: [Buffer.from('no image'), 'UNSUPPORTED_IMAGE_FORMAT'],
    };
    for (const [key, [body]] of Object.entries(cases))
      assert.equal((await put(url, key, /** @type {Uint8Array} */ (body))).status, 202);
    await until(async () => (await count('poison')) === 3);
    for (const [key, [, code]] of Object.entries(cases)) {
      const response = await fetch(`${url}/results/${key}`);
      assert.deepEqual([response.status, /** @type {any} */ (await response.json()).code], [422, code]);
    }
    assert.equal(
      await count("pgboss.job WHERE name = 'photos' AND state = 'completed' AND retry_count = 0"),
      3,
    );
    for (const [path, status] of /** @type {const} */ ([
      ['/results/none', 404],
      ['/results/%FF', 400],
      [`/results/${'k'.repeat(501)}`, 400],
      ['/objects/x', 404],
    ]))
      assert.equal((await fetch(url + path)).status, status);
  });

  test('workers that are killed in the middle of a transaction: nothing lost, nothing twice', async () => {
    const [{ url }] = await Promise.all([startWorker(), startWorker()]);
    await putPhotos(url);
    const letGo = await hold(2);
    await Promise.all(workers.map((worker) => end(worker, 'SIGKILL')));
    await letGo();
    await startWorker();
    await startWorker();
    await assertComplete();
    assert.equal(await count('pgboss.job WHERE retry_count > 0'), 2);
  });

  test('a worker that is too slow leaves nothing behind when another has its job', async () => {
    const { url, worker } = await startWorker();
    const letGo = await hold(0);
    await put(url, 'slow', PHOTO);
    await until(async () => (await count(WAITING)) === 1);
    worker.kill('SIGSTOP');
    await letGo(); // Its statement runs; its COMMIT is not sent.
    await startWorker();
    // The other one has the job now, and waits for the row.
    await until(async () => (await count(WAITING)) === 1);
    worker.kill('SIGCONT');
    await until(async () => (await count("pgboss.job WHERE name = 'photos' AND state = 'completed'")) === 1);
    assert.equal(await count('results'), 1);
    assert.equal(await count('poison'), 0);
  });

  test('a photo that kills its worker at each try is set apart', async () => {
    const settings = { RETRIES: '1' };
    await startWorker(settings);
    const { url } = await startWorker(settings);
    await end(workers[0]);
    await put(url, 'killer', PHOTO);
    for (let i = 0; i < 2; i++) {
      const letGo = await hold(1);
      await Promise.all(workers.map((worker) => end(worker, 'SIGKILL')));
      await letGo();
      if (i === 0) await startWorker(settings);
    }
    const { url: other } = await startWorker(settings);
    await until(async () => (await count('poison')) === 1);
    assert.equal(await ask('SELECT code FROM poison'), 'RETRIES_EXHAUSTED');
    await put(other, 'innocent', PHOTO);
    await until(async () => (await count('results')) === 1);
  });

  test('a database that is killed and started again: nothing lost, nothing twice', async () => {
    const [{ url }] = await Promise.all([startWorker(), startWorker()]);
    await putPhotos(url);
    const letGo = await hold(2);
    await database.stop('SIGKILL');
    await letGo();
    assert.equal((await fetch(`${url}/healthz`)).status, 503);
    assert.equal((await put(url, 'meanwhile', PHOTO)).status, 503);
    const { port } = database;
    // The killed one's processes may still end.
    await until(async () => Boolean((database = await startDatabase(data, port))));
    await assertComplete();
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
    assert.equal(await count("objects WHERE key = 'meanwhile'"), 0);
    assert.deepEqual(
      workers.map(({ exitCode }) => exitCode),
      [null, null],
    );
  });

  test('SIGTERM: the job in hand is finished, no other is taken, and the process ends', async () => {
    const { url, worker } = await startWorker({ JOB_SECONDS: '60' });
    // A connection that sends nothing is not waited for.
    const silent = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
    await once(silent, 'connect');
    await putPhotos(url);
    const letGo = await hold(1);
    const before = await count("pgboss.job WHERE state = 'completed'");
    const ended = end(worker);
    await until(async () => (await fetch(`${url}/healthz`)).status === 503);
    await letGo();
    await ended;
    assert.equal(worker.exitCode, 0);
    assert.equal(await count("pgboss.job WHERE state = 'completed'"), before + 1);
    assert.equal(await count("pgboss.job WHERE state = 'active'"), 0);
    await startWorker();
    await assertComplete();
  });
});
