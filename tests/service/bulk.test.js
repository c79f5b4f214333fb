// The queue of the Worker example and the metrics of the server, without a network: a bucket, a queue and a table in memory.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { consume, createBulk } from '../../examples/service/cloudflare/bulk.js';
import { readConfig } from '../../examples/service/config.js';
import { createMetrics } from '../../examples/service/node/metrics.js';
import { created, makeEnvironment, messageOf } from './bindings.js';

const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);
const LIMIT = 100;
const config = readConfig({ MAX_BODY_BYTES: String(LIMIT) });
const FOUND = { width: 3, height: 2, detections: [any({ label: 'cat' })] };

describe('objects that are posted', () => {
  test('are queued, if they are there', async () => {
    const { env, sent } = makeEnvironment({ a: 9, b: 9 });
    const bulk = createBulk(env);
    assert.deepEqual(await bulk.enqueue(['a', 'none', 'b']), { queued: 2, missing: ['none'] });
    assert.deepEqual(sent, [['a', 'b'].map((key) => ({ body: created(key) }))]);
    assert.deepEqual(await bulk.enqueue(['none']), { queued: 0, missing: ['none'] });
    assert.equal(sent.length, 1);
  });

  test('have a result once they are done, for this version', async () => {
    const { env, rows } = makeEnvironment({ a: 9 });
    const bulk = createBulk(env);
    assert.equal(await bulk.result('a'), undefined);
    const log = () => {};
    await consume({ messages: [messageOf(created('a'))] }, { env, config, log, detect: async () => FOUND });
    assert.deepEqual(await bulk.result('a'), { key: 'a', version: 'a-1', ...FOUND });
    assert.equal(await bulk.result('none'), undefined);
    assert.deepEqual([...rows.keys()], ['a,a-1']);
  });
});

describe('a message', () => {
  /**
   * @param {any} body
   * @param {{detect?: any, attempts?: number, sizes?: Record<string, number>, isDone?: boolean}} [how]
   */
  async function handle(
    body,
    { detect = async () => FOUND, attempts = 1, sizes = { a: 9 }, isDone = false } = {},
  ) {
    const { env, rows, dead } = makeEnvironment(sizes);
    if (isDone) rows.set('a,a-1', FOUND);
    /** @type {any[]} */
    const [log, asked] = [[], []];
    const message = messageOf(body, attempts);
    const next = messageOf(created('b', { action: 'other' }));
    await consume(
      { messages: [message, next] },
      {
        ...{ env, config, log: (entry) => void log.push(entry) },
        detect: (image, wanted) => (asked.push([image.length, wanted]), detect(image, wanted)),
      },
    );
    // The next one is handled, whatever happened.
    assert.deepEqual(next.ends, ['ack']);
    return { ends: message.ends, rows: rows.size, dead, asked, entry: log[0] };
  }

  for (const action of ['PutObject', 'CopyObject', 'CompleteMultipartUpload'])
    test(`${action} gives a row`, async () => {
      const { ends, rows, dead, asked, entry } = await handle(created('a', { action }));
      assert.deepEqual([ends, rows, dead], [['ack'], 1, []]);
      assert.deepEqual(asked, [[9, { threshold: 0.3, max: 100, annotate: false }]]);
      assert.deepEqual(entry, { queue: 'photos', key: 'a', note: 'done' });
    });

  /** @type {[string, any, any, string][]} */
  const noted = [
    ['that is done', created('a'), { isDone: true }, 'already done'],
    ['of an older version', created('a', { object: { key: 'a', eTag: 'old' } }), {}, 'outdated'],
    ['of another action', created('a', { action: 'DeleteObject' }), {}, 'ignored'],
  ];
  for (const [name, body, how, note] of noted)
    test(`${name} does nothing`, async () => {
      const { ends, asked, dead, entry } = await handle(body, how);
      assert.deepEqual([ends, asked, dead, entry.note], [['ack'], [], [], note]);
    });

  /** @type {[string, any, any, string, RegExp][]} */
  const final = [
    ['without an action', { object: created('a').object }, {}, 'MESSAGE_MALFORMED', /R2 event/],
    ['without a key', created('a', { object: { eTag: 'x' } }), {}, 'MESSAGE_MALFORMED', /R2 event/],
    ['without a version', created('a', { object: { key: 'a' } }), {}, 'MESSAGE_MALFORMED', /R2 event/],
    ['that is nothing', undefined, {}, 'MESSAGE_MALFORMED', /R2 event/],
    ['of an object that is gone', created('none'), {}, 'OBJECT_NOT_FOUND', /deleted/],
    ['of an object that is too large', created('a'), { sizes: { a: LIMIT + 1 } }, 'BODY_TOO_LARGE', /has 101 bytes, the limit is 100/],
  ]; // prettier-ignore
  for (const [name, body, how, code, reason] of final)
    test(`${name} is a dead letter at once`, async () => {
      const { ends, asked, dead, entry } = await handle(body, how);
      assert.deepEqual([ends, asked, dead.length], [['ack'], [], 1]);
      assert.deepEqual([dead[0].message, dead[0].code], [body, code]);
      assert.match(dead[0].reason, reason);
      assert.deepEqual(entry, { queue: 'photos', level: 'error', key: body?.object?.key, code, attempt: 1 });
    });
  test('of an object of exactly the limit gives a row', async () => {
    const { rows, asked } = await handle(created('a'), { sizes: { a: LIMIT } });
    assert.deepEqual([rows, asked[0][0]], [1, LIMIT]);
  });

  const failing = async () => {
    throw new Error('no memory');
  };
  for (const attempts of [1, 4])
    test(`that fails is tried again, at attempt ${attempts}`, async () => {
      const { ends, dead, entry } = await handle(created('a'), { detect: failing, attempts });
      assert.deepEqual([ends, dead, entry.attempt], [[{ delaySeconds: 10 }], [], attempts]);
    });
  test('that fails the fifth time is a dead letter', async () => {
    const { ends, dead } = await handle(created('a'), { detect: failing, attempts: 5 });
    assert.deepEqual([ends, dead.length], [['ack'], 1]);
  });
  test('of no image is a dead letter, with the error’s code', async () => {
    const detect = async () => {
      throw Object.assign(new Error('it is damaged'), { name: 'OcelliError', code: 'IMAGE_CORRUPT' });
    };
    const { ends, dead } = await handle(created('a'), { detect });
    assert.deepEqual([ends, dead.map((/** @type {any} */ { code }) => code)], [['ack'], ['IMAGE_CORRUPT']]);
  });
});

test('metrics: seconds by path and status, failures by code, and the queue', async () => {
  const { observe, text, type } = createMetrics(() => 7, ['/detect']);
  observe({ path: '/detect', status: 200, ms: 30 });
  observe({ path: '/detect', status: 200, ms: 2000 });
  observe({ path: '/some/where', status: 404, ms: 1, code: 'NOT_FOUND' });
  observe({ level: 'error' });
  const lines = (await text()).split('\n');
  assert.match(type, /text\/plain/);
  for (const line of [
    'ocelli_request_seconds_bucket{le="0.025",path="/detect",status="200"} 0',
    'ocelli_request_seconds_bucket{le="0.05",path="/detect",status="200"} 1',
    'ocelli_request_seconds_bucket{le="2.5",path="/detect",status="200"} 2',
    'ocelli_request_seconds_sum{path="/detect",status="200"} 2.03',
    'ocelli_request_seconds_count{path="other",status="404"} 1',
    'ocelli_failures_total{code="NOT_FOUND"} 1',
    'ocelli_queue_length 7',
  ])
    assert.ok(lines.includes(line), line);
  const bounds = lines
    .flatMap((line) => /bucket\{le="([\d.]+)",path="\/detect"/.exec(line)?.[1] ?? [])
    .map(Number);
  assert.deepEqual(bounds, [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]);
  assert.equal(lines.filter((line) => line.startsWith('ocelli_failures_total{')).length, 1);
  assert.ok(lines.some((line) => line.startsWith('process_cpu_')));
});
