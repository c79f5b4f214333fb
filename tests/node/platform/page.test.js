// ocelli in a page, with a page of the test: where it has threads and workers, which script they are started from, and how
// modules are compiled.
import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { host } from '../../../wasm/engine/host.js';
import { CARRIED_MODEL, carry } from '../../../wasm/platform/carried.js';
import { installUrls, locateModel, openingCarried, otherDist } from '../../../wasm/platform/files.js';
import { serveWorker } from '../../../wasm/platform/pool/serve.browser.js';
import { toPort, web } from '../../../wasm/platform/web.js';
import { until } from '../../patience.js';

/** @type {any} */
const scope = globalThis;
/** What the page has, and puts back afterwards. @param {Record<string, unknown>} more */
function define(more) {
  for (const [name, value] of Object.entries(more))
    Object.defineProperty(scope, name, { value, configurable: true, writable: true });
}
const NAMES = [
  ...['document', 'Worker', 'navigator', 'crossOriginIsolated', 'location', 'fetch'],
  ...['postMessage', 'onmessage', 'close', 'reportError'],
];
const before = NAMES.map(
  (name) => /** @type {const} */ ([name, Object.getOwnPropertyDescriptor(scope, name)]),
);
const { createObjectURL } = URL;
function putBack() {
  URL.createObjectURL = createObjectURL;
  for (const [name, descriptor] of before)
    if (descriptor) Object.defineProperty(scope, name, descriptor);
    else delete scope[name];
}
afterEach(putBack);

let count = 0;
/** The module as a page loads it. @returns {Promise<typeof import('../../../wasm/platform/page.js')>} */
const loadPage = () => import(`../../../wasm/platform/page.js?${count++}`);

describe('threads and workers', () => {
  const FIREFOX = 'Mozilla/5.0 (X11; rv:153.0) Gecko/20100101 Firefox/153.0';
  /** @type {[name: string, globals: Record<string, unknown>, threads: string, hasWorker: boolean][]} */
  const cases = [
    ['a page', { document: {}, crossOriginIsolated: true }, 'worker', true],
    ['a page that is not isolated', { document: {}, crossOriginIsolated: false }, 'none', true],
    ['a worker', { crossOriginIsolated: true }, 'here', true],
    ['a page without workers', { document: {}, crossOriginIsolated: true, Worker: undefined }, 'none', false],
    ['a page in Firefox', { document: {}, crossOriginIsolated: true, navigator: { userAgent: FIREFOX } }, 'worker', true], // prettier-ignore
    ['a worker in Firefox', { crossOriginIsolated: true, navigator: { userAgent: FIREFOX } }, 'none', false],
    ['a worker without a name', { crossOriginIsolated: true, navigator: undefined }, 'here', true],
  ];
  for (const [name, globals, threads, hasWorker] of cases)
    test(name, async () => {
      define({ Worker: class {}, navigator: { userAgent: 'Chrome/150' }, ...globals });
      const { installPage } = await loadPage();
      installPage(/** @type {any} */ ({ mark: 7 }));
      const installed = /** @type {any} */ (host());
      assert.deepEqual(
        [installed.threads, typeof installed.startWorker, installed.hasInt8, installed.mark],
        [threads, hasWorker ? 'function' : 'undefined', false, 7],
      );
      installPage(/** @type {any} */ ({}), {
        urls: () => /** @type {any} */ ({}),
        startSession: () => /** @type {any} */ ({}),
        startThread: () => /** @type {any} */ ({}),
      });
      assert.equal(host().hasInt8, true);
    });
});

describe('a thread is started', () => {
  /** @type {any[]} what was done to workers */
  let done = [];
  let failing = 0;
  class FakeWorker extends EventTarget {
    /** @param {any[]} given */
    constructor(...given) {
      super();
      done.push(given);
    }
    /** @param {unknown} message */
    postMessage(message) {
      done.push(message);
      const event =
        failing-- > 0 ? new Event('error') : Object.assign(new Event('message'), { data: 'ready' });
      queueMicrotask(() => this.dispatchEvent(event));
    }
  }
  /** @param {{origin?: string, fails?: number, startThread?: () => any}} [how] */
  const start = async (
    { origin = 'http://a.test', fails = 0, startThread = () => new FakeWorker('own') } = {},
    assetsUrl = '',
  ) => {
    done = [];
    failing = fails;
    define({
      document: {},
      Worker: FakeWorker,
      location: { origin: 'http://a.test', href: 'http://a.test/x/' },
    });
    URL.createObjectURL = (blob) => {
      done.push(/** @type {Blob} */ (blob).text());
      return 'blob:script';
    };
    const { installPage } = await loadPage();
    const urls = () => /** @type {any} */ ({ simd: new URL(`${origin}/dist/simd.wasm`) });
    installPage(/** @type {any} */ ({}), { urls, startSession: startThread, startThread });
    try {
      await /** @type {any} */ (host()).startThread({ index: 1 }, assetsUrl || undefined);
    } catch (error) {
      done.push(/** @type {any} */ (error).code, /** @type {any} */ (error).message);
    }
    return Promise.all(done);
  };
  const posted = { thread: { index: 1 } };
  const module = { type: 'module' };

  test('by the page’s own script', async () => assert.deepEqual(await start(), [['own'], posted]));
  test('by a copy of the files', async () => {
    const [[script, options], message] = await start({}, 'http://a.test/copy');
    assert.deepEqual(
      [String(script), options, message],
      ['http://a.test/copy/web/thread.browser.js', module, posted],
    );
  });
  test('by a copy at another origin', async () => {
    const text = 'import "http://b.test/copy/web/thread.browser.js";';
    assert.deepEqual(await start({}, 'http://b.test/copy/'), [text, ['blob:script', module], posted]);
  });
  test('a copy that does not start', async () => {
    const found = await start({ fails: 1 }, 'http://a.test/copy');
    assert.deepEqual(found.slice(1, 3), [posted, 'WORKER_UNAVAILABLE']);
    assert.match(found[3], /http:\/\/a\.test\/copy\/web\/thread\.browser\.js did not start/);
  });
  test('from elsewhere if the own script does not start', async () => {
    const text = 'import "http://b.test/dist/web/thread.browser.js";';
    const again = [text, ['blob:script', module], posted];
    assert.deepEqual(await start({ origin: 'http://b.test', fails: 1 }), [['own'], posted, ...again]);
    const refuse = () => {
      throw new DOMException('another origin', 'SecurityError');
    };
    assert.deepEqual(await start({ origin: 'http://b.test', startThread: refuse }), again);
  });
  test('nowhere if there is no other script, or another error', async () => {
    assert.deepEqual((await start({ fails: 1 })).slice(0, 3), [['own'], posted, 'THREADS_UNAVAILABLE']);
    const failing = () => ({ addEventListener() {}, postMessage: () => assert.fail('a fault') });
    assert.deepEqual(await start({ origin: 'http://b.test', startThread: failing }), [
      'ERR_ASSERTION',
      'a fault',
    ]);
  });
});

describe('the files of the package', () => {
  afterEach(() => installUrls());
  const at = (/** @type {string} */ url) =>
    installUrls(() => /** @type {any} */ ({ simd: new URL(url), int8: new URL(`${url}8`) }));
  test('lie beside the page, or elsewhere', () => {
    define({ location: { origin: 'http://a.test', href: 'http://a.test/page' } });
    installUrls();
    assert.equal(otherDist(), undefined);
    at('http://a.test/dist/simd.wasm');
    assert.equal(otherDist(), undefined);
    at('file:///dist/simd.wasm');
    assert.equal(otherDist(), undefined);
    at('http://b.test/dist/simd.wasm');
    assert.equal(otherDist()?.href, 'http://b.test/dist/');
  });
  test('are not there, or not known', () => {
    assert.throws(() => locateModel(undefined, 'int8'), {
      code: 'INVALID_OPTION',
      message: /precision 'int8': .* pass the file as int8Model$/,
    });
    assert.throws(() => locateModel(undefined, 'full'), {
      message: /weights 'full': .* pass the file as model$/,
    });
    at('http://a.test/x');
    assert.equal(String(locateModel(undefined, 'int8')), 'http://a.test/x8');
    assert.throws(() => locateModel(undefined, 'full'), { code: 'MODEL_NOT_FOUND', message: /bundler/ });
  });
  test('are opened by the platform, but for a model that is carried', async () => {
    const platform = async (/** @type {any} */ source) => /** @type {any} */ ({ source });
    const open = openingCarried(platform);
    const source = new URL('http://a.test/a');
    assert.deepEqual(await open(source, undefined, 'MODEL_NOT_FOUND'), { source });
    assert.deepEqual(await open(CARRIED_MODEL, undefined, 'MODEL_NOT_FOUND'), { source: CARRIED_MODEL });
    carry({ read: async () => Uint8Array.of(1, 2) });
    assert.equal((await open(CARRIED_MODEL, undefined, 'MODEL_NOT_FOUND')).sizeBytes, 2);
    assert.deepEqual(await open(source, undefined, 'MODEL_NOT_FOUND'), { source });
    assert.equal(locateModel(undefined, 'compressed'), CARRIED_MODEL);
  });
});

describe('modules', () => {
  const EMPTY = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
  /** @param {string} type @param {Uint8Array<ArrayBuffer>} [bytes] */
  const load = (type, bytes = EMPTY) => {
    define({ fetch: async () => new Response(bytes, { headers: type ? { 'content-type': type } : {} }) });
    return web.loadModule('simd', `http://a.test/${count++}`);
  };
  test('are compiled while they come if the server says what they are', async () => {
    const { compileStreaming } = WebAssembly;
    let streamed = 0;
    WebAssembly.compileStreaming = (response) => (streamed++, compileStreaming(response));
    for (const [type, expected] of /** @type {[string, number][]} */ ([
      ['application/wasm', 1],
      ['application/octet-stream', 0],
      ['application/wasm; charset=utf-8', 0], // refused by the browsers' compileStreaming
      ['', 0],
    ])) {
      streamed = 0;
      assert.ok((await load(type)) instanceof WebAssembly.Module);
      assert.equal(streamed, expected, type);
    }
    WebAssembly.compileStreaming = compileStreaming;
  });
  test('that are none', async () => {
    for (const type of ['application/wasm', 'application/octet-stream'])
      await assert.rejects(load(type, Uint8Array.of(1, 2, 3)), {
        code: 'MODULE_NOT_FOUND',
        message: /ocelli-simd\.wasm: /,
      });
  });
});

test('the base of relative URLs is that of the document, or of the worker', () => {
  const toUrl = () => web.toUrl('m.tflite', 'MODEL_NOT_FOUND').href;
  assert.throws(toUrl, { code: 'MODEL_NOT_FOUND' });
  define({ location: { href: 'http://a.test/worker/x.js' } });
  assert.equal(toUrl(), 'http://a.test/worker/m.tflite');
  define({ document: { baseURI: 'http://a.test/base/' } });
  assert.equal(toUrl(), 'http://a.test/base/m.tflite');
});

test('a worker whose script is not there', async () => {
  const worker = new EventTarget();
  /** @type {string[]} */
  const heard = [];
  toPort(/** @type {any} */ (worker)).onEnd(({ message }) => heard.push(message));
  worker.dispatchEvent(new Event('error'));
  await turn();
  assert.deepEqual(heard, ['its script did not load']);
});

describe('the worker of a page', () => {
  /** A module with what a thread calls: functions that do nothing, or of which `work` fails. @param {boolean} fails */
  const threadModule = (fails) => {
    const exported = [
      '__wasm_call_ctors',
      '_emscripten_wasm_worker_initialize',
      'ocl_threads_work',
      'ocl_threads_abandon',
    ];
    const names = exported.flatMap((name, i) => [name.length, ...Buffer.from(name), 0, i]);
    const bodies = exported.flatMap((_, i) => (fails && i === 2 ? [3, 0, 0, 0x0b] : [2, 0, 0x0b]));
    const section = (/** @type {number} */ id, /** @type {number[]} */ content) => [
      id,
      content.length,
      ...content,
    ];
    return new WebAssembly.Module(
      Uint8Array.from([
        ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
        ...section(1, [3, 0x60, 0, 0, 0x60, 2, 0x7f, 0x7f, 0, 0x60, 1, 0x7f, 0]),
        ...section(3, [4, 0, 1, 1, 2]),
        ...section(7, [4, ...names]),
        ...section(10, [4, ...bodies]),
      ]),
    );
  };
  const serve = (crossOriginIsolated = true) => {
    const seen = { posted: /** @type {any[]} */ ([]), errors: /** @type {unknown[]} */ ([]), closed: 0 };
    const postMessage = (/** @type {any} */ message, /** @type {any} */ { transfer = [] } = {}) =>
      seen.posted.push([message.id ?? message, transfer]);
    const reportError = (/** @type {unknown} */ error) => seen.errors.push(error);
    const close = () => void seen.closed++;
    define({ postMessage, onmessage: undefined, crossOriginIsolated, close, reportError });
    serveWorker(() => /** @type {any} */ ({ int8: new URL('http://a.test/m') }));
    return seen;
  };
  test('answers calls, with files and threads of its own', async () => {
    const { posted } = serve();
    assert.equal(host().threads, 'here');
    assert.equal(String(locateModel(undefined, 'int8')), 'http://a.test/m');
    scope.onmessage({ data: { id: 5, name: 'absent' } });
    await turn();
    assert.deepEqual(posted, [[5, []]]);
    serve(false);
    assert.equal(host().threads, 'none');
    installUrls();
  });
  test('takes the module that the page compiles, and compiles itself where the page cannot', async () => {
    const { posted } = serve();
    const module = threadModule(false),
      other = threadModule(true);
    const taken = host().loadModule('simd', 'http://a.test/');
    scope.onmessage({ data: { id: posted[0][0], result: module } });
    assert.equal(await taken, module);
    /** @type {string[]} */
    const fetched = [];
    const fetch = async (/** @type {URL} */ url) => {
      fetched.push(String(url));
      return new Response('', { headers: { 'content-type': 'application/wasm' } });
    };
    define({ fetch });
    const { compileStreaming } = WebAssembly;
    WebAssembly.compileStreaming = async () => other;
    const own = host().loadModule('simd', 'http://a.test/');
    scope.onmessage({ data: { id: posted[1][0], error: { name: 'CompileError', message: 'CSP' } } });
    assert.equal(await own, other);
    WebAssembly.compileStreaming = compileStreaming;
    assert.deepEqual(fetched, ['http://a.test/ocelli-simd.wasm']);
    installUrls();
  });
  for (const fails of [false, true])
    test(`is a thread of a pool that ${fails ? 'fails' : 'works'}`, async () => {
      const seen = serve();
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
      scope.onmessage({ data: { thread: { module: threadModule(fails), memory } } });
      await until(() => seen.closed > 0, 0);
      assert.deepEqual(seen, {
        posted: [
          ['ready', []],
          ['done', []],
        ],
        errors: [],
        closed: 1,
      });
      installUrls();
    });
  test('reports a thread that cannot be started to the page, as an error of the worker', async () => {
    const seen = serve();
    // It imports what nobody gives it.
    const module = new WebAssembly.Module(
      Uint8Array.from([
        ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0],
        ...[2, 7, 1, 1, 0x61, 1, 0x62, 0, 0],
      ]),
    );
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    scope.onmessage({ data: { thread: { module, memory } } });
    await until(() => seen.closed > 0, 0);
    assert.deepEqual([seen.posted, seen.errors.length, seen.closed], [[], 1, 1]);
    assert.match(String(seen.errors[0]), /TypeError|LinkError/);
    installUrls();
  });
});
