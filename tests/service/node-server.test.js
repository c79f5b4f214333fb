// The Node example: requests, load, faults, and its end.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ObjectDetector } from '../../wasm/platform/node.js';
import { packagePhoto } from '../node/shared.js';
import { PATIENCE_MS } from '../patience.js';
import { kill, watchWorkers } from '../node/vision/workers.js';
import { readAnswer } from './contract.js';
import { runLoad } from './load.js';
import { install, startServer } from './node_server.js';
import { LIMITS, testRoutes } from './routes.js';

const PHOTO = packagePhoto('chelsea.png');
const NUM_REQUESTS = process.env.OCELLI_SOAK ? 2000 : 60;
const OPEN = { THREADS: '2', MAX_QUEUE: '30', TIMEOUT_MS: String(PATIENCE_MS) };
/** Heaps breathe. */
const FLAT_MIB = 64;
const folder = install();

/** @typedef {Awaited<ReturnType<typeof startServer>>} Server */

/** Detections a second without a server. */
async function measureBare() {
  const detector = await ObjectDetector.create({ scoreThreshold: 0.3 });
  for (let i = 0; i < 5; i++) await detector.detect(PHOTO);
  const start = performance.now();
  for (let i = 0; i < 20; i++) await detector.detect(PHOTO);
  const seconds = (performance.now() - start) / 1000;
  detector.close();
  return 20 / seconds;
}

/** @param {Server} server @param {Uint8Array} [body] */
const detect = (server, body = PHOTO) =>
  server.ask('/detect', { method: 'POST', body: /** @type {Uint8Array<ArrayBuffer>} */ (body) });

describe('the service in Node', () => {
  /** @type {Server} */ let server;
  before(async () => {
    server = await startServer(folder, { ...LIMITS, THREADS: '1' });
  });
  after(() => server?.stop());

  testRoutes(() => server.ask, process.execPath);

  test('bulk is for where there is a queue', async () => {
    const headers = { authorization: `Bearer ${LIMITS.API_TOKEN}` };
    const response = await server.ask('/bulk', { method: 'POST', body: '{"keys":["a"]}', headers });
    assert.deepEqual(
      [response.status, (await readAnswer('POST /bulk', response)).code],
      [501, 'NOT_AVAILABLE'],
    );
  });

  test('metrics count what was answered, and the log says nothing of images or tokens', async () => {
    const text = await (await server.ask('/metrics')).text();
    const counted = /ocelli_request_seconds_count\{path="\/detect",status="200"\} (\d+)/.exec(text)?.[1];
    const answered = server.log.filter(({ path, status }) => path === '/detect' && status === 200);
    assert.equal(Number(counted), answered.length);
    assert.match(text, /ocelli_failures_total\{code="IMAGE_CORRUPT"\} [1-9]/);
    assert.match(text, /ocelli_queue_length 0/);
    assert.match(text, /ocelli_request_seconds_count\{path="other",status="404"\} [1-9]/);
    assert.doesNotMatch(text, /nowhere/);
    for (const entry of server.log.slice(1)) {
      const known = ['time', 'method', 'path', 'status', 'ms', 'code'];
      assert.deepEqual(
        Object.keys(entry).filter((key) => !known.includes(key)),
        [],
      );
    }
  });
});

describe('under load', () => {
  test(`${NUM_REQUESTS} requests over 1, 4 and 16 connections: each answered once, memory flat`, async (t) => {
    const server = await startServer(folder, OPEN);
    try {
      const bare = await measureBare();
      t.diagnostic(`bare engine, one thread: ${bare.toFixed(1)} a second`);
      const requests = Math.ceil(NUM_REQUESTS / 3);
      const loads = [];
      for (const connections of [1, 4, 16]) {
        const load = await runLoad(server, { connections, requests, body: PHOTO });
        assert.deepEqual(load.statuses, { 200: requests });
        assert.equal(load.answers.size, 1, 'the same image, another answer');
        t.diagnostic(`${load.summary}, ${(load.perSecond / bare).toFixed(2)} of the bare engine`);
        loads.push(load);
      }
      const growth = loads[2].after - loads[0].after;
      assert.ok(growth < FLAT_MIB, `${growth} MiB more`);
      const answered = server.log.filter(({ path }) => path === '/detect');
      assert.equal(answered.length, 3 * requests);
    } finally {
      assert.equal(await server.stop(), 0);
    }
  });

  test('what is too much is refused at once, and what is accepted is answered', async () => {
    const server = await startServer(folder, { ...OPEN, THREADS: '1', MAX_QUEUE: '1' });
    try {
      const answers = await Promise.all(Array.from({ length: 12 }, () => detect(server)));
      const statuses = answers.map(({ status }) => status);
      assert.ok(statuses.includes(503) && statuses.includes(200), String(statuses));
      for (const answer of answers) {
        const { code, detections } = await readAnswer('POST /detect', answer);
        if (answer.status === 503) assert.deepEqual([code, answer.headers.get('retry-after')], ['BUSY', '1']);
        else assert.deepEqual([answer.status, detections[0].label], [200, 'Cat']);
      }
      assert.equal((await detect(server)).status, 200);
    } finally {
      await server.stop();
    }
  });
});

describe('faults', () => {
  /** @type {Server} */ let server;
  before(async () => {
    server = await startServer(folder, { ...OPEN, TIMEOUT_MS: '2000' });
  });
  after(() => server?.stop());

  /** A connection that sends the head of a request and a part of its body. */
  async function begin() {
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(`POST /detect HTTP/1.1\r\nhost: x\r\ncontent-length: ${PHOTO.length}\r\n\r\n`);
    socket.write(PHOTO.subarray(0, 1000));
    return socket;
  }

  /** A busy machine may take longer than this server allows. */
  async function untilAnswered() {
    const end = Date.now() + PATIENCE_MS;
    let { status } = await detect(server);
    while (status !== 200 && Date.now() < end) ({ status } = await detect(server));
    assert.equal(status, 200);
  }

  test('a body that comes drop by drop', async () => {
    const socket = await begin();
    socket.on('error', () => {});
    const drops = setInterval(() => socket.write('.'), 50);
    try {
      const [head] = await once(socket, 'data');
      assert.match(String(head), /^HTTP\/1\.1 408/);
    } finally {
      clearInterval(drops);
      socket.destroy();
    }
    await untilAnswered();
  });

  test('bodies that break off', async () => {
    const sockets = await Promise.all(Array.from({ length: 40 }, begin)); // more than may be under way at once
    for (const socket of sockets) socket.destroy();
    await untilAnswered();
  });

  test('threads that die: what they were at is answered all the same, once', async () => {
    const { createPool } = await import(pathToFileURL(`${folder}/pool.js`).href);
    const { result: pool, workers } = await watchWorkers(() =>
      createPool({ threads: 2, maxQueue: 100, maxPixels: 1e6 }),
    );
    const { detect } = pool;
    const wanted = { threshold: 0.3, max: 10, annotate: false };
    try {
      const expected = await detect(PHOTO, wanted);
      const answers = Array.from({ length: 24 }, () => detect(PHOTO, wanted));
      for (const worker of workers) {
        await Promise.race(answers);
        await kill(worker);
      }
      for (const answer of answers) assert.deepEqual(await answer, expected);
      assert.deepEqual(await detect(PHOTO, wanted), expected);
    } finally {
      pool.close();
    }
  });

  test('an end: what was accepted is answered, nothing new is, and the process is gone', async () => {
    const ending = await startServer(folder, { ...OPEN, THREADS: '1' });
    const answers = Array.from({ length: 6 }, () => detect(ending));
    await Promise.race(answers);
    const stopped = ending.stop();
    for (const answer of await Promise.all(answers)) {
      assert.equal(answer.status, 200);
      assert.equal((await answer.json()).detections[0].label, 'Cat');
    }
    assert.equal(await stopped, 0);
    await assert.rejects(detect(ending));
  });
});
