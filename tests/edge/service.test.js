// The Worker example in real workerd: requests, and the queue with its faults.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { until } from '../patience.js';
import { encodePng } from '../../wasm/draw/png.js';
import { bundleService, produce, startService } from '../../tools/edge.js';
import { readAnswer } from '../service/contract.js';
import { LIMITS, testRoutes } from '../service/routes.js';

const NUM_OBJECTS = process.env.OCELLI_SOAK ? 1000 : 60;

/** A consumer that, for two of three messages, fails once: after its write it throws, or does not acknowledge. */
const FAULTY = `
import service from './service.js';

export default {
  fetch: service.fetch,
  async queue(batch) {
    let isCrashing = false;
    const messages = batch.messages.map((message) => {
      const fault = message.attempts === 1 ? Number(/[0-9]+/.exec(message.body?.object?.key)?.[0]) % 3 : 0;
      return {
        body: message.body,
        attempts: message.attempts,
        retry: (options) => message.retry({ ...options, delaySeconds: 1 }),
        ack() {
          if (fault === 1) isCrashing = true;
          else if (fault === 2) message.retry({ delaySeconds: 1 });
          else message.ack();
        },
      };
    });
    await service.queue({ messages });
    if (isCrashing) throw new Error('after its writes');
  },
};
`;

/** Keeps what becomes a dead letter. */
const READER = {
  name: 'reader',
  modules: true,
  script: `
export default {
  fetch: () => new Response(),
  async queue({ messages }, env) {
    for (const { body, id } of messages) await env.LETTERS.put(id, JSON.stringify(body));
  },
};`,
  kvNamespaces: { LETTERS: 'letters' },
  queueConsumers: { 'photos-dead-letters': { maxBatchTimeout: 1 } },
};

describe('the service in workerd', () => {
  /** @type {import('miniflare').Miniflare} */ let worker;
  /** @type {URL} */ let url;
  before(async () => {
    const { out } = await bundleService('service');
    worker = await startService(out, { vars: LIMITS });
    url = await worker.ready;
  });
  after(() => worker?.dispose());

  /** Each request has its own connection, since workerd ends one on which it refused a body, without saying so. */
  const ask = (/** @type {string} */ path, /** @type {RequestInit} */ init = {}) =>
    fetch(new URL(path, url), {
      ...init,
      headers: { .../** @type {any} */ (init.headers), connection: 'close' },
    });
  testRoutes(() => ask, process.execPath);

  test('a client that asks too often is told so', async () => {
    const { out } = await bundleService('limited');
    const limited = await startService(out, { vars: { RATE_LIMIT: '3' } });
    try {
      const statuses = await Promise.all(
        Array.from({ length: 8 }, async () => {
          const answer = await limited.dispatchFetch('http://edge/detect', { method: 'POST' });
          await readAnswer('POST /detect', /** @type {any} */ (answer));
          return answer.status;
        }),
      );
      assert.ok(statuses.includes(429) && statuses.includes(400), String(statuses));
    } finally {
      await limited.dispose();
    }
  });
});

describe('the queue in workerd', () => {
  /** @type {string} */ let persist;
  before(() => {
    persist = mkdtempSync(join(tmpdir(), 'ocelli-edge-'));
  });
  after(() => rmSync(persist, { recursive: true, force: true }));

  /** One in twenty cannot be read, each in another way. @param {number} i @returns {[string, Uint8Array]} */
  function makeObject(i) {
    const png = encodePng({
      data: Uint8Array.from({ length: 32 * 32 * 3 }, (_, at) => (at * (i + 1)) % 251),
      ...{ width: 32, height: 32, channels: 3 },
    });
    const damaged = [png.subarray(0, 60), new Uint8Array(40).fill(i), new Uint8Array(0)];
    return [`photo-${i}.png`, i % 20 === 7 ? damaged[Math.floor(i / 20) % 3] : png];
  }
  const objects = Array.from({ length: NUM_OBJECTS }, (_, i) => makeObject(i));
  const CODES = ['IMAGE_CORRUPT', 'UNSUPPORTED_IMAGE_FORMAT', 'IMAGE_EMPTY'];
  const isPoison = (/** @type {number} */ i) => i % 20 === 7;

  /** @param {import('miniflare').Miniflare} worker @returns {Promise<any[]>} */
  async function rows(worker) {
    const database = await worker.getD1Database('RESULTS', 'service');
    return (await database.prepare('SELECT key, version, detections FROM results ORDER BY key').all())
      .results;
  }

  /** @param {import('miniflare').Miniflare} worker @returns {Promise<any[]>} */
  async function letters(worker) {
    const store = /** @type {any} */ (await worker.getKVNamespace('LETTERS', 'reader'));
    const names = [];
    for (let cursor; ;) {
      /** @type {any} */ const page = await store.list({ cursor });
      names.push(...page.keys.map((/** @type {{name: string}} */ { name }) => name));
      if (page.list_complete) break;
      cursor = page.cursor;
    }
    return Promise.all(names.map((name) => store.get(name, 'json')));
  }

  test(`${NUM_OBJECTS} objects: a row for each, a dead letter for each that is poison, and no more after a restart`, async () => {
    const { out } = await bundleService('faulty', FAULTY);
    const start = () => startService(out, { persist, others: [READER] });
    const good = objects.filter((_, i) => !isPoison(i)).map(([key]) => key);
    const poison = objects.flatMap(([key], i) =>
      isPoison(i) ? [{ key, code: CODES[Math.floor(i / 20) % 3] }] : [],
    );

    let worker = await start();
    try {
      await produce(worker, objects);
      const queue = await worker.getQueueProducer('PHOTOS', 'service');
      await queue.send({ nonsense: true });
      await queue.send({
        action: 'PutObject',
        bucket: 'photos',
        object: { key: 'gone.png', size: 1, eTag: 'x' },
      });
      await queue.send({
        action: 'DeleteObject',
        bucket: 'photos',
        object: { key: 'photo-1.png', size: 0, eTag: '' },
      });
      const codes = async () =>
        new Map((await letters(worker)).map(({ message, code }) => [message.object?.key, code]));
      await until(
        async () => (await rows(worker)).length >= good.length && (await codes()).size >= poison.length + 2,
        500,
      );
      assert.deepEqual(
        (await rows(worker)).map(({ key }) => key),
        good.toSorted(),
      );
      const found = await codes();
      for (const { key, code } of poison) assert.equal(found.get(key), code, key);
      assert.equal(found.get('gone.png'), 'OBJECT_NOT_FOUND');
      assert.equal(found.get(undefined), 'MESSAGE_MALFORMED');
      assert.equal(found.size, poison.length + 2);
      const response = await worker.dispatchFetch(`http://edge/results/${good[0]}`);
      const result = await readAnswer('GET /results/{key}', /** @type {any} */ (response));
      assert.deepEqual([result.key, result.width], [good[0], 32]);
    } finally {
      await worker.dispose();
    }

    worker = await start();
    try {
      const before = await rows(worker);
      for (let first = 0; first < good.length; first += 100) {
        const body = JSON.stringify({
          keys: [...good.slice(first, first + 100).slice(0, 99), 'missing.png'],
        });
        const response = await worker.dispatchFetch('http://edge/bulk', { method: 'POST', body });
        const { missing } = await readAnswer('POST /bulk', /** @type {any} */ (response));
        assert.deepEqual(missing, ['missing.png']);
      }
      // A new object is done after all of them: the queue is first in, first out.
      await produce(worker, [['last.png', objects[0][1]]]);
      await until(async () => (await rows(worker)).some(({ key }) => key === 'last.png'), 500);
      assert.deepEqual(
        (await rows(worker)).filter(({ key }) => key !== 'last.png'),
        before,
      );
    } finally {
      await worker.dispose();
    }
  });
});
