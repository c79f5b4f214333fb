// The Node example: requests, load, faults, and its end.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ObjectDetector } from '../../wasm/platform/node.js';
import { packagePhoto } from '../node/shared.js';
import { PATIENCE_MS, until } from '../patience.js';
import { kill, watchWorkers } from '../node/vision/workers.js';
import { readAnswer } from './contract.js';
import { residentMiB, runLoad } from './load.js';
import { install, startServer } from './node_server.js';
import { LIMITS, testRoutes } from './routes.js';

const PHOTO = packagePhoto('chelsea.png');
const NUM_REQUESTS = process.env.OCELLI_SOAK ? 2000 : 60;
const OPEN = { THREADS: '2', MAX_QUEUE: '30', TIMEOUT_MS: String(PATIENCE_MS) };
/** Heaps breathe. */
const FLAT_MIB = 64;
/** The clients of the test below send 1200 MB. */
const BESIEGED_MIB = 64;
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

const inExample = (/** @type {string} */ file) => import(pathToFileURL(`${folder}/${file}`).href);

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
    assert.equal((await server.ask('/metrics')).status, 401);
    const headers = { authorization: `Bearer ${LIMITS.API_TOKEN}` };
    const text = await (await server.ask('/metrics', { headers })).text();
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

describe('the pool, of a detector without a model', () => {
  const WANTED = { threshold: 0.5, max: 7, annotate: false };
  const FOUND = { width: 3, height: 2, detections: [] };
  const fault = (/** @type {string} */ code) => Object.assign(new Error(`it is ${code}`), { code });

  /** @param {import('node:test').TestContext} t @param {(...given: any[]) => Promise<any>} run a detection */
  async function makePool(t, run) {
    const { createPool } = await inExample('pool.js');
    const { ObjectDetector: Packed } = await inExample('../node_modules/ocelli/wasm/platform/node.js');
    const close = t.mock.fn();
    const create = t.mock.method(Packed, 'create', async () => ({ detect: run, close }));
    const pool = await createPool({ threads: 2, maxQueue: 9, maxPixels: 8, model: 'm' });
    return { pool, create, close };
  }

  for (const [codes, outcome] of /** @type {[string[], object][]} */ ([
    [[], FOUND],
    [['WORKER_LOST', 'WORKER_LOST'], FOUND],
    [['WORKER_LOST', 'WORKER_LOST', 'WORKER_LOST'], { code: 'WORKER_LOST', message: 'it is WORKER_LOST' }],
    [['QUEUE_FULL'], { code: 'BUSY', message: 'the queue is full; try again later' }],
    [['WORKER_LOST', 'IMAGE_CORRUPT'], { code: 'IMAGE_CORRUPT', message: 'it is IMAGE_CORRUPT' }],
  ]))
    test(`that fails so: [${codes}]`, async (t) => {
      const rest = [...codes];
      /** @type {any[][]} */ const asked = [];
      const { pool } = await makePool(t, async (...given) => {
        asked.push(given);
        const code = rest.shift();
        if (code !== undefined) throw fault(code);
        return { detections: [], size: { width: 3, height: 2 } };
      });
      const answer = await pool
        .detect(PHOTO, WANTED)
        .catch((/** @type {any} */ { code, message }) => ({ code, message }));
      assert.deepEqual([answer, rest], [outcome, []]);
      for (const given of asked) assert.deepEqual(given, [PHOTO, { scoreThreshold: 0.5, maxResults: 7 }]);
      assert.equal(asked.length, codes.length + (outcome === FOUND ? 1 : 0));
    });

  test('its options, how many wait, and its end', async (t) => {
    /** @type {((result: any) => void)[]} */ const waiting = [];
    const { pool, create, close } = await makePool(
      t,
      () => new Promise((resolve) => void waiting.push(resolve)),
    );
    assert.deepEqual(create.mock.calls[0].arguments, [{ pool: 2, maxQueue: 9, maxPixels: 8, model: 'm' }]);
    const lengths = [pool.queueLength()];
    const answers = [0, 1, 2, 3].map(() => {
      const answer = pool.detect(PHOTO, WANTED);
      lengths.push(pool.queueLength());
      return answer;
    });
    for (const resolve of waiting) resolve({ detections: [], size: { width: 3, height: 2 } });
    assert.deepEqual(await Promise.all(answers), Array(4).fill(FOUND));
    assert.deepEqual([...lengths, pool.queueLength()], [0, 0, 0, 1, 2, 0]);
    pool.close();
    assert.equal(close.mock.callCount(), 1);
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

  /** A connection that sends all of a body but its last byte. @param {number} port @param {Uint8Array} body */
  async function stall(port, body) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {}); // The server ends the connections that it refuses.
    await once(socket, 'connect');
    const token = `authorization: Bearer ${LIMITS.API_TOKEN}`;
    socket.write(`POST /detect HTTP/1.1\r\nhost: x\r\n${token}\r\ncontent-length: ${body.length}\r\n\r\n`);
    socket.write(body.subarray(1));
    return socket;
  }

  /** A busy machine may take longer than this server allows. */
  async function untilAnswered(ask = () => detect(server)) {
    await until(async () => (await ask()).status === 200);
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
    const { createPool } = await inExample('pool.js');
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

  test('clients without a token and clients that stall: memory stays flat, others are answered', async (t) => {
    const limits = { ...LIMITS, MAX_BODY_BYTES: '2000000', TIMEOUT_MS: String(PATIENCE_MS), THREADS: '1' };
    const guarded = await startServer(folder, limits);
    const headers = { authorization: `Bearer ${LIMITS.API_TOKEN}` };
    const ask = () => guarded.ask('/detect', { method: 'POST', body: PHOTO, headers });
    const large = new Uint8Array(2e6);
    /** @type {import('node:net').Socket[]} */ const stalled = [];
    let peak = 0;
    const watch = setInterval(() => (peak = Math.max(peak, residentMiB(guarded.server))), 10);
    try {
      for (let i = 0; i < 10; i++) assert.equal((await ask()).status, 200);
      const idle = residentMiB(guarded.server);
      for (let i = 0; i < 100; i++) stalled.push(await stall(guarded.port, large));
      // The server may close a connection before the client has sent its body and read the answer.
      const tokenless = Array.from({ length: 500 }, () =>
        guarded.ask('/detect', { method: 'POST', body: large }).catch(() => ({ status: 'closed' })),
      );
      await untilAnswered(ask);
      const statuses = (await Promise.all(tokenless)).map(({ status }) => status);
      assert.deepEqual(
        statuses.filter((status) => status !== 401 && status !== 'closed'),
        [],
      );
      assert.ok(statuses.includes(401));
      assert.equal((await ask()).status, 200);
      t.diagnostic(`resident: ${idle.toFixed(0)} MiB idle, ${peak.toFixed(0)} at most`);
      assert.ok(peak - idle < BESIEGED_MIB, `${idle} MiB idle, ${peak} MiB at most`);
    } finally {
      clearInterval(watch);
      for (const socket of stalled) socket.destroy();
      await guarded.stop();
    }
  });

  test('more connections than are allowed are closed at once, and the allowed ones are answered', async () => {
    const MAX_CONNECTIONS = 5;
    const bounded = await startServer(folder, { ...OPEN, MAX_CONNECTIONS: String(MAX_CONNECTIONS) });
    const sockets = Array.from({ length: 4 * MAX_CONNECTIONS }, () => connect(bounded.port, '127.0.0.1'));
    let closed = 0;
    try {
      for (const socket of sockets) socket.on('error', () => {}).on('close', () => closed++);
      await until(() => closed >= 3 * MAX_CONNECTIONS);
      assert.equal(closed, 3 * MAX_CONNECTIONS);
      const open = sockets.filter((socket) => !socket.destroyed);
      open[0].write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
      assert.match(String((await once(open[0], 'data'))[0]), /^HTTP\/1.1 200/);
    } finally {
      for (const socket of sockets) socket.destroy();
      await bounded.stop();
    }
  });

  test('a path with control characters cannot write to the terminal that shows the log', async () => {
    const path = '/%C2%9B31m%E2%80%AEgpj%1B%5B2J';
    await server.ask(path);
    const find = () => server.lines.find((line) => line.includes('31m'));
    await until(() => find() !== undefined);
    assert.match(String(find()), /\\u009b31m\\u202egpj\\u001b\[2J/);
  });

  test('an end: what was accepted is answered, nothing new is, and the process is gone', async () => {
    const ending = await startServer(folder, { ...OPEN, THREADS: '1' });
    const silent = connect(ending.port, '127.0.0.1').on('error', () => {});
    await once(silent, 'connect');
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
