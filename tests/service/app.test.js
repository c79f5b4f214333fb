// The service without a server, a detector and a network: requests at every limit, and what becomes of their memory.
import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { describe, mock, test } from 'node:test';
import { readSettings as readWorkerSettings } from '../../examples/queue-worker/settings.js';
import { createApp } from '../../examples/service/app.js';
import { isAuthorized } from '../../examples/service/auth.js';
import { isReadToEnd, readBytes, readImage } from '../../examples/service/body.js';
import { readConfig } from '../../examples/service/config.js';
import { describe as describeError, ServiceError } from '../../examples/service/errors.js';
import { Intake, release } from '../../examples/service/intake.js';
import { toLogLine } from '../../examples/service/log.js';
import { readSettings } from '../../examples/service/node/settings.js';
import { openapi } from './contract.js';

const LIMIT = 1000;
const config = readConfig({
  ...{
    MAX_BODY_BYTES: String(LIMIT),
    MAX_BODIES_BYTES: '2500',
    URL_HOSTS: 'photos.example, other.example:8443',
  },
});
const bytes = (/** @type {number} */ length, start = 0) =>
  Uint8Array.from({ length }, (_, i) => (i + start) % 251);

/**
 * A request whose body comes in chunks.
 * @param {number[]} sizes of the chunks
 * @param {Record<string, string>} [headers]
 * @param {string} [query]
 */
function requestOf(sizes, headers = {}, query = '') {
  let [at, isCancelled] = [0, false];
  const all = bytes(sizes.reduce((a, b) => a + b, 0));
  const rest = [...sizes];
  const body = new ReadableStream(
    {
      pull(controller) {
        const size = rest.shift();
        if (size === undefined) return controller.close();
        controller.enqueue(all.slice(at, at + size));
        at += size;
      },
      cancel: () => void (isCancelled = true),
    },
    { highWaterMark: 0 },
  );
  const init = /** @type {RequestInit} */ ({ method: 'POST', body, headers, duplex: 'half' });
  const request = new Request(`http://service/detect${query}`, init);
  return { request, all, given: () => at, isCancelled: () => isCancelled };
}

const read = (
  /** @type {Request} */ request,
  /** @type {import('../../examples/service/body.js').Config} */ given = config,
  intake = new Intake(given.maxBodiesBytes),
) => readImage(request, given, intake.open());
const refused = (/** @type {string} */ code, message = /./) => ({ code, message });

describe('the size of a body', () => {
  test('of exactly the limit, in one chunk and in many: all of its bytes', async () => {
    for (const sizes of [[LIMIT], [1, 998, 1], Array(100).fill(10)]) {
      const { request, all } = requestOf(sizes);
      assert.deepEqual(await read(request), all);
      assert.ok(isReadToEnd(request));
    }
  });

  test('of a byte more: refused, and read to its end', async () => {
    for (const sizes of [[LIMIT + 1], [LIMIT, 1], [600, 600, 600]]) {
      const { request, all, given } = requestOf(sizes, { 'transfer-encoding': 'chunked' });
      await assert.rejects(read(request), refused('BODY_TOO_LARGE', /more than 1000 bytes/));
      assert.equal(given(), all.length);
      assert.ok(isReadToEnd(request));
    }
  });

  test('of twice the limit: read to its end; of more: not', async () => {
    const twice = requestOf([LIMIT, LIMIT]);
    await assert.rejects(read(twice.request), refused('BODY_TOO_LARGE'));
    assert.equal(twice.isCancelled(), false);
    const more = requestOf([LIMIT, LIMIT, 1, 500], { 'content-type': 'image/png' });
    await assert.rejects(read(more.request), refused('BODY_TOO_LARGE'));
    assert.deepEqual([more.given(), more.isCancelled()], [2 * LIMIT + 1, true]);
  });

  test('that is announced as more than twice the limit: not read at all', async () => {
    for (const [length, isRead] of /** @type {[number, boolean][]} */ ([
      [2 * LIMIT, true],
      [2 * LIMIT + 1, false],
    ])) {
      const { request, given } = requestOf([2 * LIMIT], { 'content-length': String(length) });
      await assert.rejects(read(request), refused('BODY_TOO_LARGE'));
      assert.equal(given() > 0, isRead);
      assert.equal(isReadToEnd(request), isRead);
    }
  });

  test('of nothing: no image', async () => {
    await assert.rejects(read(requestOf([]).request), refused('BAD_REQUEST', /has no body/));
    const bare = new Request('http://service/detect', { method: 'POST' });
    assert.ok(isReadToEnd(bare));
    await assert.rejects(read(bare), refused('BAD_REQUEST', /has no body/));
    assert.equal(isReadToEnd(requestOf([1], { 'content-length': '1' }).request), false);
    assert.equal(isReadToEnd(requestOf([1], { 'transfer-encoding': 'chunked' }).request), false);
  });
});

describe('the type of a body', () => {
  for (const type of ['', 'image/png', 'IMAGE/JPEG', 'application/octet-stream'])
    test(`'${type}' is an image`, async () => {
      const { request, all } = requestOf([10], type ? { 'content-type': type } : {});
      assert.deepEqual(await read(request), all);
    });
  for (const type of ['text/html', 'application/json', 'x-image/png'])
    test(`'${type}' is refused before it is read`, async () => {
      const { request, given } = requestOf([10], { 'content-type': type });
      await assert.rejects(read(request), refused('UNSUPPORTED_MEDIA_TYPE', new RegExp(type)));
      assert.equal(given(), 0);
    });

  test('a form: its file named image', async () => {
    const ask = (/** @type {[string, Blob | string][]} */ fields) => {
      const body = new FormData();
      for (const [name, value] of fields) body.append(name, value);
      return read(new Request('http://service/detect', { method: 'POST', body }));
    };
    const image = new Blob([bytes(7)]);
    assert.deepEqual(
      await ask([
        ['other', new Blob(['x'])],
        ['image', image],
      ]),
      bytes(7),
    );
    await assert.rejects(ask([['photo', image]]), refused('BAD_REQUEST', /no file 'image'/));
    await assert.rejects(ask([['image', 'text']]), refused('BAD_REQUEST', /no file 'image'/));
    const broken = requestOf([20], { 'content-type': 'multipart/form-data; boundary=x' });
    await assert.rejects(read(broken.request), refused('BAD_REQUEST', /form cannot be read/));
  });
});

describe('a body that does not come', () => {
  const hanging = (/** @type {Promise<any>} */ chunk) => {
    let isCancelled = false;
    const openBody = () => ({ next: () => chunk, cancel: () => void (isCancelled = true) });
    const request = new Request('http://service/detect', { method: 'POST', body: bytes(1) });
    return { request, openBody, isCancelled: () => isCancelled };
  };

  test('in time', async () => {
    const { request, openBody, isCancelled } = hanging(new Promise(() => {}));
    const reading = read(request, { ...config, timeoutMs: 5, openBody });
    await assert.rejects(reading, refused('BODY_TOO_SLOW', /more than 5 ms/));
    assert.ok(isCancelled());
  });

  test('and is not cancelled when it came', async () => {
    let isCancelled = false;
    const chunks = [bytes(4)];
    const openBody = () => ({
      next: async () => ({ done: chunks.length === 0, value: /** @type {any} */ (chunks.shift()) }),
      cancel: () => void (isCancelled = true),
    });
    const { request } = hanging(Promise.resolve());
    assert.deepEqual(await read(request, { ...config, openBody }), bytes(4));
    assert.equal(isCancelled, false);
  });

  test('because the connection broke', async () => {
    const { request, openBody, isCancelled } = hanging(Promise.reject(new Error('reset')));
    await assert.rejects(read(request, { ...config, openBody }), refused('BAD_REQUEST', /ended early/));
    assert.ok(isCancelled());
  });

  test('because its request was answered', async () => {
    const { request, openBody, isCancelled } = hanging(new Promise(() => {}));
    const body = new Intake(LIMIT).open();
    const reading = readBytes(request, { ...config, openBody }, body);
    body.drop(new ServiceError('BUSY', 'dropped'));
    await assert.rejects(reading, refused('BUSY', /dropped/));
    assert.ok(isCancelled());
  });

  test('because there is no room for it: it is not read', async () => {
    const { request, given } = requestOf([10], { 'content-length': '10' });
    await assert.rejects(read(request, config, new Intake(9)), refused('BUSY'));
    assert.equal(given(), 0);
  });
});

describe('an image at a URL', () => {
  /**
   * Hosts that answer as given, by a fetch that follows redirects unless it is told not to.
   * @param {Record<string, () => Response>} answers
   * @param {string} url
   */
  async function fetched(answers, url) {
    /** @type {string[]} */
    const asked = [];
    /** @type {(to: string, init: RequestInit) => Promise<Response>} */
    const follow = async (to, init) => {
      asked.push(to);
      const answer = answers[to];
      if (!answer) throw new TypeError('fetch failed');
      const response = answer();
      const location = response.headers.get('location');
      return location && (init.redirect ?? 'follow') === 'follow' ? follow(location, init) : response;
    };
    const fake = mock.method(globalThis, 'fetch', (/** @type {URL} */ to, /** @type {RequestInit} */ init) =>
      follow(String(to), init),
    );
    try {
      const query = `?url=${encodeURIComponent(url)}`;
      const request = new Request(`http://service/detect${query}`, { method: 'POST' });
      return { image: await read(request), asked };
    } catch (error) {
      return { error: /** @type {ServiceError} */ (error), asked };
    } finally {
      fake.mock.restore();
    }
  }

  const secret = () => new Response('secret');
  const redirect = (/** @type {number} */ status, /** @type {string} */ location) => () =>
    new Response(null, { status, headers: { location } });

  test('of an allowed host', async () => {
    for (const url of ['https://photos.example/a.jpg', 'https://other.example:8443/b']) {
      const { image, asked } = await fetched({ [url]: () => new Response(bytes(LIMIT)) }, url);
      assert.deepEqual(image, bytes(LIMIT));
      assert.deepEqual(asked, [url]);
    }
  });

  for (const url of [
    'http://photos.example/a.jpg',
    'https://photos.example:8443/a.jpg',
    'https://photos.example.evil/a.jpg',
    'https://other.example/b',
    'file:///etc/passwd',
    'photos.example',
    '',
  ])
    test(`'${url}' is not asked`, async () => {
      const { error, asked } = await fetched({ [url]: secret }, url);
      assert.equal(error?.code, 'URL_NOT_ALLOWED');
      assert.deepEqual(asked, []);
    });

  for (const status of [301, 302, 303, 307, 308])
    test(`an allowed host's redirect (${status}) is not followed, not even to itself`, async () => {
      for (const to of ['https://169.254.169.254/', 'https://photos.example/b']) {
        const url = 'https://photos.example/a';
        const { error, asked } = await fetched({ [url]: redirect(status, to), [to]: secret }, url);
        assert.deepEqual([error?.code, asked], ['URL_FAILED', [url]]);
        assert.match(String(error?.message), new RegExp(`answered ${status}`));
      }
    });

  test('that fails, or is too large', async () => {
    const url = 'https://photos.example/a';
    const missing = await fetched({ [url]: () => new Response('no', { status: 404 }) }, url);
    assert.deepEqual([missing.error?.code, missing.error?.message], ['URL_FAILED', 'the url answered 404']);
    const gone = await fetched({}, url);
    assert.deepEqual([gone.error?.code, gone.error?.message], ['URL_FAILED', 'the url did not answer']);
    const large = await fetched({ [url]: () => new Response(bytes(LIMIT + 1)) }, url);
    assert.equal(large.error?.code, 'BODY_TOO_LARGE');
  });
});

describe('the memory of all bodies', () => {
  test('bytes count from their announcement, and until they are dropped', () => {
    const intake = new Intake(100);
    const [a, b, c] = [intake.open(), intake.open(), intake.open()];
    a.announce(60);
    a.add(bytes(60));
    b.announce(40);
    assert.equal(b.size, 40);
    a.drop();
    b.add(bytes(40));
    c.announce(60);
    c.add(bytes(60, 5));
    assert.deepEqual([b.complete(), c.complete()], [bytes(40), bytes(60, 5)]);
  });

  test('the one that grows over the limit is dropped', async () => {
    const intake = new Intake(100);
    const [a, b] = [intake.open(), intake.open()];
    a.announce(50);
    b.announce(50);
    a.add(bytes(50));
    b.add(bytes(50));
    b.add(bytes(1));
    await assert.rejects(b.dropped, refused('BUSY'));
    b.add(bytes(10)); // nothing more happens to it
    a.add(bytes(50, 50));
    assert.deepEqual(a.complete(), Uint8Array.from([...bytes(50), ...bytes(50, 50)]));
  });

  test('one that has stalled is dropped instead, a complete one never', async () => {
    let now = 1000;
    const clock = mock.method(performance, 'now', () => now);
    try {
      const intake = new Intake(100);
      const whole = intake.open();
      whole.announce(20);
      whole.add(bytes(20));
      whole.complete();
      const slow = intake.open();
      slow.announce(40);
      slow.add(bytes(1));
      now += 50;
      const quick = intake.open();
      quick.announce(40);
      now += 51;
      const last = intake.open();
      last.announce(40);
      await assert.rejects(slow.dropped, refused('BUSY'));
      now += 49;
      const another = intake.open();
      another.announce(40); // nobody has stalled for long enough
      await assert.rejects(another.dropped, refused('BUSY'));
      quick.add(bytes(40));
      last.add(bytes(40));
      assert.deepEqual(
        [quick.complete(), last.complete(), whole.complete()],
        [bytes(40), bytes(40), bytes(20)],
      );
    } finally {
      clock.mock.restore();
    }
  });

  test('blocks are used again, and what is in them is gone', () => {
    const intake = new Intake(100);
    const first = intake.open();
    first.announce(80);
    first.add(bytes(80));
    const block = first.complete().buffer;
    first.drop();
    const second = intake.open();
    second.announce(30);
    second.add(bytes(30, 9));
    assert.equal(second.complete().buffer, block);
    assert.deepEqual(second.complete(), bytes(30, 9));
    second.drop();
    second.drop(); // once more changes nothing
    assert.equal(intake.take(81).length, 81);
    assert.equal(intake.take(80).buffer, block);
    assert.notEqual(intake.take(80).buffer, block);
  });

  test('spare blocks and bodies together stay under the limit', () => {
    const intake = new Intake(100);
    const blocks = [40, 50, 30].map((length) => new Uint8Array(length));
    for (const block of blocks) intake.giveBack(block);
    assert.deepEqual(
      blocks.map(({ length }) => length),
      [0, 50, 30],
      'the oldest one is released',
    );
    const body = intake.open();
    body.announce(60);
    intake.giveBack(new Uint8Array(10));
    assert.deepEqual(
      blocks.map(({ length }) => length),
      [0, 0, 30],
    );
  });

  test('only a whole buffer is released', () => {
    const whole = bytes(10);
    const part = bytes(10).subarray(1);
    release(whole);
    release(part);
    release(new Uint8Array(0));
    assert.deepEqual([whole.length, part.length], [0, 9]);
  });

  test('what is released is free at once, also without ArrayBuffer.transfer(), as in Node 20', () => {
    for (const isOld of [false, true]) {
      const before = process.memoryUsage().arrayBuffers;
      const large = new Uint8Array(1e8);
      if (isOld) Object.defineProperty(large.buffer, 'transfer', { value: undefined });
      release(large);
      assert.equal(large.length, 0);
      assert.ok(process.memoryUsage().arrayBuffers - before < 5e7);
    }
  });
});

test('authorization: the token, after any spelling of Bearer', async () => {
  for (const [header, isRight] of /** @type {[string | undefined, boolean][]} */ ([
    ['Bearer secret', true],
    ['bearer   secret', true],
    ['BEARER secret', true],
    ['Bearer secret ', false],
    ['Bearer Secret', false],
    ['Bearer secre', false],
    ['Bearer ', false],
    ['Basic secret', false],
    ['secret', false],
    ['', false],
    [undefined, false],
  ]))
    assert.equal(await isAuthorized(header, 'secret'), isRight, header);
});

test('settings', () => {
  assert.deepEqual(readConfig({}), {
    ...{ token: '', origins: [], urlHosts: [], maxBodyBytes: 10e6, maxBodiesBytes: 20e6, maxPixels: 16e6 },
    ...{ maxInFlight: 8, timeoutMs: 15000 },
  });
  const own = { API_TOKEN: 't', ALLOWED_ORIGINS: ' a, b\nc ', URL_HOSTS: 'd', MAX_BODY_BYTES: '5' };
  assert.deepEqual(
    readConfig({ ...own, MAX_BODIES_BYTES: '5', MAX_PIXELS: '1', MAX_IN_FLIGHT: 2, TIMEOUT_MS: '3' }),
    {
      ...{ token: 't', origins: ['a', 'b', 'c'], urlHosts: ['d'], maxBodyBytes: 5, maxBodiesBytes: 5 },
      ...{ maxPixels: 1, maxInFlight: 2, timeoutMs: 3 },
    },
  );
  for (const [name, value] of [
    ['MAX_PIXELS', '0'],
    ['MAX_PIXELS', '-1'],
    ['MAX_PIXELS', ''],
    ['MAX_PIXELS', ' '],
    ['TIMEOUT_MS', '1.5'],
    ['TIMEOUT_MS', String(2 ** 30)],
    ['MAX_IN_FLIGHT', 'many'],
    ['MAX_BODY_BYTES', '20000001'],
  ])
    assert.throws(
      () => readConfig({ [name]: value }),
      new RegExp(name === 'MAX_BODY_BYTES' ? '20000000' : `${name}.*${value}`),
    );
});

test('settings of the server', () => {
  const { config, ...rest } = readSettings({ THREADS: '3' });
  assert.deepEqual(config, readConfig({ MAX_IN_FLIGHT: 15 }));
  assert.deepEqual(rest, {
    pool: { threads: 3, maxQueue: 15, maxPixels: 16e6, model: undefined },
    address: { port: 8080, hostname: undefined },
    timeouts: { requestTimeout: 30000, headersTimeout: 15000 },
    maxConnections: 1000,
  });
  assert.equal(readSettings({}).pool.threads, availableParallelism());
  const own = { MAX_QUEUE: '5', MODEL: 'm', PORT: '0', HOST: 'h', MAX_CONNECTIONS: '6', TIMEOUT_MS: '7' };
  const { pool, address, timeouts, maxConnections } = readSettings({ THREADS: '1', ...own });
  assert.deepEqual(
    [pool.maxQueue, pool.model, address, timeouts, maxConnections],
    [...[6, 'm', { port: 0, hostname: 'h' }, { requestTimeout: 14, headersTimeout: 7 }, 6]],
  );
  // 2^31 ms or more end a setTimeout at once.
  assert.ok(readSettings({ TIMEOUT_MS: String(2 ** 30 - 1) }).timeouts.requestTimeout < 2 ** 31);
  assert.equal(readSettings({ MAX_IN_FLIGHT: '2' }).pool.maxQueue, 2);
  assert.equal(readSettings({ THREADS: '1', MAX_QUEUE: '0' }).pool.maxQueue, 1);
  for (const name of ['THREADS', 'MAX_QUEUE', 'PORT', 'MAX_CONNECTIONS'])
    for (const value of ['1k', '', '-1', '1.5'])
      assert.throws(() => readSettings({ [name]: value }), new RegExp(`${name}.*'${value}'`));
  for (const name of ['THREADS', 'MAX_CONNECTIONS'])
    assert.throws(() => readSettings({ [name]: '0' }), new RegExp(name));
});

test('settings of the queue worker', () => {
  const defaults = {
    workers: 2,
    port: 8090,
    host: undefined,
    jobSeconds: 60,
    retries: 5,
    maxBodyBytes: 20e6,
  };
  assert.deepEqual(readWorkerSettings({}), defaults);
  const own = { WORKERS: '1', PORT: '0', HOST: 'h', JOB_SECONDS: '2', RETRIES: '0', MAX_BODY_BYTES: '3' };
  const read = { workers: 1, port: 0, host: 'h', jobSeconds: 2, retries: 0, maxBodyBytes: 3 };
  assert.deepEqual(readWorkerSettings(own), read);
  for (const name of ['WORKERS', 'PORT', 'JOB_SECONDS', 'RETRIES', 'MAX_BODY_BYTES'])
    for (const value of ['20MB', '', '-1', '1.5'])
      assert.throws(() => readWorkerSettings({ [name]: value }), new RegExp(`${name}.*'${value}'`));
  for (const name of ['WORKERS', 'JOB_SECONDS', 'MAX_BODY_BYTES'])
    assert.throws(() => readWorkerSettings({ [name]: '0' }), new RegExp(name));
  // More than the day that pg-boss allows.
  assert.throws(() => readWorkerSettings({ JOB_SECONDS: '86401' }), /JOB_SECONDS/);
});

test('errors: known codes keep their message, others tell nothing', () => {
  const busy = describeError(new ServiceError('BUSY', 'later'));
  assert.deepEqual(busy, { status: 503, code: 'BUSY', message: 'later' });
  for (const error of [
    new Error('secret'),
    { code: 'toString', message: 'secret' },
    undefined,
    null,
    'secret',
  ]) {
    const { status, code, message } = describeError(error);
    assert.deepEqual([status, code], [500, 'INTERNAL']);
    assert.doesNotMatch(message, /secret/);
  }
});

test('log lines: texts of up to 4096 characters, without characters that change a terminal', () => {
  const lineOf = (/** @type {string} */ text) => JSON.parse(toLogLine({ text })).text;
  assert.equal(lineOf('x'.repeat(4096)), 'x'.repeat(4096));
  assert.equal(lineOf('x'.repeat(4097)), `${'x'.repeat(4096)}…`);
  assert.equal(toLogLine({ n: 5, text: 'a\u202eb\u007f\u001b' }), '{"n":5,"text":"a\\u202eb\\u007f\\u001b"}');
});

describe('routes', () => {
  const FOUND = { width: 3, height: 2, detections: [] };

  /** @param {Partial<import('../../examples/service/app.js').Parts>} [parts] @param {object} [env] */
  function serve(parts, env) {
    /** @type {Record<string, unknown>[]} */
    const log = [];
    /** @type {any[]} */
    const wanted = [];
    const app = createApp({
      config: readConfig({ API_TOKEN: 'secret', ...env }),
      detect: async (image, asked) => {
        wanted.push(asked);
        return { ...FOUND, ...(asked.annotate && { picture: bytes(4) }) };
      },
      ...{ openapi, log: (/** @type {any} */ entry) => void log.push(entry) },
      ...parts,
    });
    const headers = { authorization: 'Bearer secret' };
    const ask = (/** @type {string} */ path, /** @type {RequestInit} */ init = {}) =>
      app.request(path, { ...init, headers: { ...headers, ...init.headers } });
    const detect = (query = '', init = {}) =>
      ask(`/detect${query}`, { method: 'POST', body: bytes(5), ...init });
    return { app, ask, detect, log, wanted };
  }
  const codeOf = async (/** @type {Response} */ response) => [
    response.status,
    /** @type {{code: string}} */ (await response.json()).code,
  ];

  test('thresholds at their ends', async () => {
    const { detect, wanted } = serve();
    for (const [query, expected] of /** @type {[string, object][]} */ ([
      ['', { max: 100 }],
      ['?max=1', { max: 1 }],
      ['?max=1000&threshold=0', { max: 1000, threshold: 0 }],
      ['?threshold=0.999', { max: 100, threshold: 0.999 }],
    ])) {
      assert.equal((await detect(query)).status, 200);
      assert.deepEqual(wanted.pop(), { ...expected, annotate: false });
    }
    for (const query of [
      'max=0',
      'max=1001',
      'max=1.5',
      'max=x',
      'threshold=1',
      'threshold=-0.1',
      'threshold=',
    ])
      assert.deepEqual(await codeOf(await detect(`?${query}`)), [400, 'BAD_REQUEST'], query);
    assert.deepEqual(wanted, []);
  });

  test('the picture is for those who ask for it first', async () => {
    const { detect } = serve();
    for (const [accept, type] of [
      ['image/png', 'image/png'],
      ['text/html, image/png, application/json', 'image/png'],
      ['application/json, image/png', 'application/json'],
      ['*/*', 'application/json'],
    ]) {
      const response = await detect('', { headers: { accept } });
      assert.ok(response.headers.get('content-type')?.startsWith(type), accept);
      if (type === 'image/png') assert.deepEqual(new Uint8Array(await response.arrayBuffer()), bytes(4));
      else assert.deepEqual(await response.json(), FOUND);
    }
  });

  test('the token, and before it the rate', async () => {
    const { app, ask, log } = serve({
      admit: async (client) => client !== 'eager',
      health: () => ({ more: 1 }),
    });
    for (const path of ['/detect', '/nowhere', '/bulk']) {
      const response = await app.request(path, { method: 'POST' });
      assert.equal(response.headers.get('www-authenticate'), 'Bearer');
      assert.deepEqual(await codeOf(response), [401, 'UNAUTHORIZED']);
    }
    const eager = await app.request('/detect', { method: 'POST', headers: { 'cf-connecting-ip': 'eager' } });
    assert.deepEqual(await codeOf(eager), [429, 'TOO_MANY_REQUESTS']);
    assert.equal(eager.headers.get('www-authenticate'), null);
    assert.deepEqual(await (await app.request('/healthz')).json(), { status: 'ok', more: 1 });
    assert.equal((await app.request('/openapi.json')).status, 200);
    assert.deepEqual(await codeOf(await ask('/nowhere')), [404, 'NOT_FOUND']);
    const last = log.at(-1) ?? {};
    assert.deepEqual([last.method, last.path, last.status, last.code], ['GET', '/nowhere', 404, 'NOT_FOUND']);
    assert.ok(Number(last.ms) >= 0 && Number(last.ms) < 60_000);
    const open = serve({}, { API_TOKEN: '' });
    assert.equal((await open.app.request('/detect', { method: 'POST', body: bytes(3) })).status, 200);
  });

  test('as many at once as are allowed, and again when they are done', async () => {
    /** @type {((found: any) => void)[]} */
    const waiting = [];
    const detectSlowly = () => new Promise((resolve) => void waiting.push(resolve));
    const { detect } = serve({ detect: detectSlowly }, { MAX_IN_FLIGHT: '2' });
    const answers = [detect(), detect()];
    while (waiting.length < 2) await new Promise(setImmediate);
    const third = await detect();
    assert.deepEqual([third.headers.get('retry-after'), ...(await codeOf(third))], ['1', 503, 'BUSY']);
    for (const resolve of waiting.splice(0)) resolve(FOUND);
    for (const answer of answers) assert.equal((await answer).status, 200);
    const again = detect();
    while (waiting.length < 1) await new Promise(setImmediate);
    waiting[0](FOUND);
    assert.equal((await again).status, 200);
  });

  test('faults: one that is known, one that is not, and memory is given back', async () => {
    let error = /** @type {any} */ ({ code: 'IMAGE_CORRUPT', message: 'row 5' });
    const fail = async () => {
      throw Object.assign(new Error(error.message), error);
    };
    const { detect, log } = serve({ detect: fail }, { MAX_BODY_BYTES: '8', MAX_BODIES_BYTES: '8' });
    for (let i = 0; i < 3; i++) assert.deepEqual(await codeOf(await detect()), [422, 'IMAGE_CORRUPT']);
    assert.ok(!log.some(({ level }) => level === 'error'));
    error = { message: 'secret' };
    const response = await detect();
    assert.equal(response.headers.get('x-error'), 'INTERNAL');
    assert.deepEqual(await codeOf(response), [500, 'INTERNAL']);
    assert.match(String(log.find(({ level }) => level === 'error')?.error), /secret/);
    assert.equal(response.headers.get('retry-after'), null);
  });

  test('origins', async () => {
    const ask = async (/** @type {string} */ origins) => {
      const { detect } = serve({}, { ALLOWED_ORIGINS: origins });
      const response = await detect('', { headers: { origin: 'https://a.example' } });
      return response.headers.get('access-control-allow-origin');
    };
    assert.equal(await ask('https://b.example,https://a.example'), 'https://a.example');
    assert.equal(await ask('https://b.example'), null);
    assert.equal(await ask('*'), '*');
    assert.equal(await ask(''), null);
  });

  test('bulk: 1 to 100 names', async () => {
    /** @type {string[][]} */
    const queued = [];
    const bulk = {
      enqueue: async (/** @type {string[]} */ keys) => {
        queued.push(keys);
        return { queued: keys.length, missing: [] };
      },
      result: async (/** @type {string} */ key) =>
        key === 'a/b' ? { key, version: '1', ...FOUND } : undefined,
    };
    const { ask } = serve({ bulk, monitoring: async () => ({ text: 'n 1', type: 'text/x' }) });
    const send = (/** @type {unknown} */ keys) =>
      ask('/bulk', { method: 'POST', body: JSON.stringify({ keys }) });
    const names = (/** @type {number} */ count) => Array.from({ length: count }, (_, i) => `n${i}`);
    for (const keys of [names(1), names(100)]) {
      const response = await send(keys);
      assert.deepEqual([response.status, await response.json()], [202, { queued: keys.length, missing: [] }]);
      assert.deepEqual(queued.pop(), keys);
    }
    for (const keys of [[], names(101), ['a', ''], ['a', 5], 'a', undefined])
      assert.deepEqual(await codeOf(await send(keys)), [400, 'BAD_REQUEST']);
    const text = await ask('/bulk', { method: 'POST', body: 'no json' });
    assert.deepEqual(await codeOf(text), [400, 'BAD_REQUEST']);
    assert.equal((await (await ask('/results/a/b')).json()).key, 'a/b');
    assert.deepEqual(await codeOf(await ask('/results/c')), [404, 'NOT_FOUND']);
    const metrics = await ask('/metrics');
    assert.deepEqual([await metrics.text(), metrics.headers.get('content-type')], ['n 1', 'text/x']);
    assert.deepEqual(await codeOf(await serve().ask('/bulk', { method: 'POST' })), [501, 'NOT_AVAILABLE']);
    assert.deepEqual(await codeOf(await serve().ask('/metrics')), [404, 'NOT_FOUND']);
  });
});
