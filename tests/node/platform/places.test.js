// Where the package's files are: moved by a bundler, carried in code, part of an upload; and gzip files where the platform
// inflates none.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { host } from '../../../wasm/engine/host.js';
import { carried, carry, CARRIED_MODEL, decode, openCarried } from '../../../wasm/platform/carried.js';
import { addModules, installEdge } from '../../../wasm/platform/edge.js';
import { gunzip } from '../../../wasm/platform/gunzip.js';
import { cure, unmoved } from '../../../wasm/platform/moved.js';
import { toPort, web } from '../../../wasm/platform/web.js';

const folder = mkdtempSync(join(tmpdir(), 'places-'));
after(() => rmSync(folder, { recursive: true }));

describe('code that a bundler has moved', () => {
  /** A copy of the module at another place. @param {string} path @param {string} [query] */
  const movedTo = async (path, query = '') => {
    const file = join(folder, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
    copyFileSync(fileURLToPath(new URL('../../../wasm/platform/moved.js', import.meta.url)), file);
    return /** @type {typeof import('../../../wasm/platform/moved.js')} */ (
      await import(pathToFileURL(file).href + query)
    );
  };
  const base = pathToFileURL(folder).href;

  test('Vite: the files lie beside its bundles', async () => {
    for (const [path, query] of [
      ['a/node_modules/.vite/deps/ocelli.js', '?v=123'],
      ['b/node_modules/.vite/deps_ssr/ocelli.js', ''],
      ['c/node_modules/.cache/sb-vite/deps/ocelli.js', '?t=1'],
    ]) {
      const { unmoved: find, cure: say } = await movedTo(path, query);
      const root = `${base}/${path[0]}/node_modules/`;
      const wrong = new URL(path.includes('.cache') ? `${root}.cache/dist/x.wasm` : `${root}dist/x.wasm`);
      assert.equal(find(wrong).href, `${root}ocelli/dist/x.wasm`, path);
      const other = new URL(`${root}other/x.wasm`);
      assert.equal(find(other), other);
      assert.match(say(), /optimizeDeps: \{ exclude: \['ocelli'\] \} in vite\.config\.js/);
    }
  });
  test('elsewhere they lie where they are said to', async () => {
    const url = new URL('file:///x/dist/a.wasm');
    assert.equal(unmoved(url), url);
    for (const path of [
      'd/node_modules/ocelli/dist/ocelli.js',
      'e/.vite/deps/ocelli.js',
      'f/node_modules/.vite/other/ocelli.js',
    ]) {
      const { unmoved: find } = await movedTo(path);
      const near = new URL(`${base}/${path[0]}/dist/a.wasm`);
      assert.equal(find(near), near);
    }
  });
  test('what to write for each tool', async () => {
    assert.match(cure(), /import from 'ocelli\/inline'.*esbuild: --external:ocelli.*docs\/bundlers\.md/);
    const { cure: inAngular } = await movedTo('g/.angular/cache/ocelli.js');
    assert.match(inAngular(), /assets in angular\.json/);
    /** @type {any} */
    const any = globalThis;
    any.document = { querySelector: () => null };
    assert.match(cure(), /name a copy of node_modules\/ocelli\/dist in assetsUrl/);
    any.document.querySelector = (/** @type {string} */ selector) => selector.includes('/@vite/client');
    assert.match(cure(), /in vite\.config\.js/);
    any.__NUXT__ = {};
    assert.match(cure(), /in nuxt\.config\.ts/);
    delete any.__NUXT__;
    delete any.document;
    process.env.NEXT_RUNTIME = 'nodejs';
    assert.match(cure(), /serverExternalPackages: \['ocelli'\]/);
    delete process.env.NEXT_RUNTIME;
    any.__webpack_require__ = () => {};
    assert.match(cure(), /in webpack\.config\.js/);
    delete any.__webpack_require__;
  });
});

describe('what code carries', () => {
  test('is found by every copy of ocelli', async () => {
    assert.equal(carried(), undefined);
    const bytes = Uint8Array.of(1, 2, 3);
    const parts = { read: async (/** @type {string} */ name) => (assert.equal(name, 'model'), bytes) };
    carry(parts);
    assert.equal(carried(), parts);
    const { sizeBytes, chunks } = await openCarried(parts);
    const all = [];
    for await (const chunk of chunks) all.push(...chunk);
    assert.deepEqual([sizeBytes, all], [3, [1, 2, 3]]);
  });
  test('is base64, of the file or of a gzip file', async () => {
    const bytes = Uint8Array.from({ length: 300 }, (_, i) => i & 255);
    assert.deepEqual(await decode(Buffer.from(bytes).toString('base64')), bytes);
    assert.deepEqual(await decode(gzipSync(bytes).toString('base64')), bytes);
  });
});

describe('gzip files', () => {
  const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => (i * i) & 255);
  const file = new Uint8Array(gzipSync(bytes));
  /** @param {Uint8Array[]} chunks */
  const inflate = async (chunks) => {
    const parts = [];
    for await (const part of gunzip(
      (async function* () {
        yield* chunks;
      })(),
    ))
      parts.push(part);
    return { whole: new Uint8Array(Buffer.concat(parts)), parts };
  };
  test('in one piece, in many, and with pieces of no bytes', async () => {
    assert.deepEqual((await inflate([file])).whole, bytes);
    const pieces = Array.from({ length: Math.ceil(file.length / 7000) }, (_, i) =>
      file.subarray(7000 * i, 7000 * i + 7000),
    );
    assert.deepEqual((await inflate([new Uint8Array(0), ...pieces, new Uint8Array(0)])).whole, bytes);
  });
  test('come in parts, so that a small file does not fill the memory', async () => {
    const zeros = new Uint8Array(gzipSync(new Uint8Array(64 << 20)));
    const { parts, whole } = await inflate([zeros]);
    assert.equal(whole.length, 64 << 20);
    assert.ok(
      parts.every(({ length }) => length <= 1032 * (1 << 14) + (1 << 15)),
      String(Math.max(...parts.map(({ length }) => length))),
    );
    assert.ok(parts.length > 1);
  });
  test('that are damaged', async () => {
    const damaged = file.slice();
    damaged.fill(255, 100, 400);
    await assert.rejects(inflate([damaged]));
    await assert.rejects(inflate([Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)]));
  });
  test('with a wrong checksum or size, or without them', async () => {
    for (const at of [file.length - 8, file.length - 4])
      await assert.rejects(inflate([file.with(at, file[at] ^ 1)]), /its checksum is wrong/);
    for (const missing of [1, 8]) await assert.rejects(inflate([file.subarray(0, -missing)]), /cut short/);
  });
});

test('a worker of a page as a port', async () => {
  /** @type {any[]} */
  const posted = [];
  const worker = Object.assign(new EventTarget(), {
    postMessage: (/** @type {any[]} */ ...given) => posted.push(given),
    terminate: () => posted.push('end'),
  });
  const port = toPort(/** @type {any} */ (worker));
  port.post('a');
  const { buffer } = new Uint8Array(1);
  port.post('b', [buffer]);
  port.hold();
  port.release();
  port.terminate();
  assert.deepEqual(posted, [['a', []], ['b', [buffer]], 'end']);
  /** @type {unknown[]} */
  const heard = [];
  port.onMessage((message) => heard.push(message));
  port.onEnd((error) => heard.push(error.message));
  worker.dispatchEvent(Object.assign(new Event('message'), { data: 'hello' }));
  worker.dispatchEvent(Object.assign(new Event('error'), { message: 'broken' }));
  assert.deepEqual(heard, ['hello', 'broken']);
});

test('a turn of a page lets other tasks run', async () => {
  let isRun = false;
  setImmediate(() => (isRun = true));
  for (let i = 0; i < 20 && !isRun; i++) await web.turn?.();
  assert.ok(isRun);
});

describe('in edge workers', () => {
  const module = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
  const model = { sizeBytes: 3, chunks: (async function* () {})() };
  installEdge({ modules: { simd: module }, openModel: async () => model });
  const edge = /** @type {any} */ (host());

  test('modules are those of the upload, and those that are added', async () => {
    assert.equal(await edge.loadModule('simd'), module);
    await assert.rejects(edge.loadModule('relaxed'), {
      code: 'MODULE_NOT_FOUND',
      message: /relaxed does not run in edge workers/,
    });
    addModules({ relaxed: /** @type {any} */ (Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)) });
    assert.ok((await edge.loadModule('relaxed')) instanceof WebAssembly.Module);
    await assert.rejects(edge.loadModule('simd', '/there/'), {
      code: 'INVALID_OPTION',
      message: /assetsUrl: in edge workers/,
    });
  });
  test('the model is the one of the upload', async () => {
    assert.equal(edge.locateModel(undefined, 'compressed'), CARRIED_MODEL);
    assert.throws(() => edge.locateModel(undefined, 'int8'), {
      code: 'INVALID_OPTION',
      message: /int8Model/,
    });
    assert.throws(() => edge.locateModel(undefined, 'full'), {
      code: 'INVALID_OPTION',
      message: /weights 'full'/,
    });
    assert.equal(await edge.open(CARRIED_MODEL), model);
    await assert.rejects(edge.open('photo.jpg', undefined, 'IMAGE_NOT_FOUND'), {
      code: 'INVALID_INPUT',
      message: /a string is not an image/,
    });
  });
  test('there is one thread and little memory', async () => {
    assert.deepEqual(
      [edge.threads, edge.maxPixels, edge.hasInt8, edge.trustsRelaxed],
      ['none', 16777216, false, true],
    );
    assert.match(await edge.decodeFile(undefined, 'webp'), /useDecoder\('webp', decode\)/);
    assert.ok(Object.keys(await edge.loadTiles()).length > 0);
  });
});

test('the moved module imports nothing, so that it may be copied', () =>
  assert.doesNotMatch(
    readFileSync(new URL('../../../wasm/platform/moved.js', import.meta.url), 'utf8'),
    /^import /m,
  ));
