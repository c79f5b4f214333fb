// The parts of Node's platform, each alone: places and what lies there, folders, loaded files, and calls between threads.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { host } from '../../../wasm/engine/host.js';
import '../../../wasm/platform/node.js';
import { compileOnce, inside, locateModel } from '../../../wasm/platform/files.js';
import {
  findDirectories,
  findFiles,
  findImages,
  MAX_BYTES,
  readWhole,
} from '../../../wasm/platform/image_files.node.js';
import { Link } from '../../../wasm/platform/pool/link.js';
import { keepLoads, readShared, reuseLoads } from '../../../wasm/platform/pool/loads.js';
import { untilReady } from '../../../wasm/platform/threads.js';
import { fetchFile, openUrl, parseUrl } from '../../../wasm/platform/fetch.js';

const folder = mkdtempSync(join(tmpdir(), 'platform-'));
const at = (/** @type {string} */ name) => join(folder, name);
const socket = createServer();
await new Promise((resolve) => void socket.listen(at('socket'), () => resolve(undefined)));
execFileSync('mkfifo', [at('pipe')]);
writeFileSync(at('file'), 'text');
mkdirSync(at('directory'));
after(() => {
  socket.close();
  rmSync(folder, { recursive: true });
});

/** @param {AsyncIterable<Uint8Array>} chunks */
async function all(chunks) {
  const bytes = [];
  for await (const chunk of chunks) bytes.push(...chunk);
  return bytes;
}
const TEXT = [...Buffer.from('text')];

describe('places', () => {
  const toUrl = (/** @type {string | URL} */ place) => host().toUrl(place, 'MODEL_NOT_FOUND').href;
  test('paths and URLs become URLs', () => {
    const here = pathToFileURL(at('a b')).href;
    assert.equal(toUrl(at('a b')), here);
    assert.equal(toUrl(new URL(here)), here);
    assert.equal(toUrl(here.replace('file', 'FILE')), here);
    assert.equal(toUrl('x/httpsfile'), pathToFileURL('x/httpsfile').href);
    for (const url of ['http://a.test/b', 'https://a.test/', 'data:,x', 'blob:x'])
      assert.equal(toUrl(url), url);
    for (const wrong of [new URL('ftp://a.test/x'), 'http://', 'https://a b'])
      assert.throws(() => toUrl(wrong), { code: 'MODEL_NOT_FOUND' });
  });

  /** @type {[string | URL, 'IMAGE_NOT_FOUND' | 'LABELS_NOT_FOUND' | 'MODEL_NOT_FOUND', RegExp][]} */
  const refused = [
    [at('pipe'), 'IMAGE_NOT_FOUND', /a pipe or a device/],
    [at('pipe'), 'MODEL_NOT_FOUND', /a pipe or a device/],
    [at('socket'), 'IMAGE_NOT_FOUND', /a pipe or a device/],
    [at('socket'), 'MODEL_NOT_FOUND', /a pipe or a device/],
    ['/dev/null', 'MODEL_NOT_FOUND', /a pipe or a device/],
    [at('directory'), 'LABELS_NOT_FOUND', /directory' is a directory/],
    [at('missing'), 'IMAGE_NOT_FOUND', /missing/],
    ['ftp://a.test/b', 'IMAGE_NOT_FOUND', /cannot read ftp: URLs/],
    ['S3://a.test/b', 'MODEL_NOT_FOUND', /cannot read s3: URLs/i],
    [new URL('ftp://a.test/b'), 'MODEL_NOT_FOUND', /cannot read ftp: URLs/],
  ];
  for (const [place, code, message] of refused)
    test(`${place} as ${code}`, () => assert.rejects(host().open(place, undefined, code), { code, message }));

  test('files are opened with their size, devices without', async () => {
    for (const place of [at('file'), pathToFileURL(at('file')), pathToFileURL(at('file')).href]) {
      const { sizeBytes, chunks } = await host().open(place, undefined, 'MODEL_NOT_FOUND');
      assert.deepEqual([sizeBytes, await all(chunks)], [4, TEXT]);
    }
    const device = await host().open('/dev/null', undefined, 'IMAGE_NOT_FOUND');
    assert.deepEqual([device.sizeBytes, await all(device.chunks)], [undefined, []]);
  });

  test('what cannot be read after all is reported by its code', async () => {
    writeFileSync(at('short-lived'), 'x');
    const { chunks } = await host().open(at('short-lived'), undefined, 'IMAGE_NOT_FOUND');
    unlinkSync(at('short-lived'));
    await assert.rejects(all(chunks), { code: 'IMAGE_NOT_FOUND', message: /short-lived/ });
  });

  test('URLs that give nothing', async () => {
    const code = 'MODEL_NOT_FOUND';
    const closed = 'http://127.0.0.1:9/x';
    await assert.rejects(fetchFile(closed, code), { code, message: /127\.0\.0\.1:9\/x: \S/ });
    const reason = new Error('enough');
    await assert.rejects(fetchFile(closed, code, AbortSignal.abort(reason)), reason);
    const { chunks } = await openUrl('data:,text', undefined, code);
    assert.deepEqual(await all(chunks), TEXT);
    assert.equal(parseUrl('b', code, 'http://a.test/x/y').href, 'http://a.test/x/b');
    assert.throws(() => parseUrl('b', code), { code, message: /'b' is not a URL/ });
  });
});

describe('whole files', () => {
  test('up to a limit', async () => {
    assert.deepEqual([...(await readWhole(at('file'), 4))], TEXT);
    assert.deepEqual([...(await readWhole(at('file')))], TEXT);
    const tooLarge = { code: 'INPUT_TOO_LARGE', message: /it has 4 bytes; the limit is 3/ };
    await assert.rejects(readWhole(at('file'), 3), tooLarge);
    assert.equal(MAX_BYTES, 1_073_741_824);
    writeFileSync(at('huge'), '');
    truncateSync(at('huge'), MAX_BYTES + 1);
    await assert.rejects(readWhole(at('huge')), { code: 'INPUT_TOO_LARGE' });
    rmSync(at('huge'));
  });
  for (const path of [at('pipe'), at('socket'), '/dev/null'])
    test(`${path} is none`, () => assert.rejects(readWhole(path), { code: 'READ_FAILED' }));
});

describe('folders', () => {
  const root = at('photos');
  for (const name of ['b', 'b/c', '.hidden', 'b/.hidden', 'empty'])
    mkdirSync(join(root, name), { recursive: true });
  for (const name of ['z.PNG', 'a.jpeg', 'b/x.txt', 'b/c/y.gif', 'b/._y.gif', '.hidden/h.png', 'c.jpgx'])
    writeFileSync(join(root, name), '');
  symlinkSync(join(root, 'b'), join(root, 'link'));
  symlinkSync(join(root, 'nowhere'), join(root, 'd.bmp'));
  symlinkSync(join(root, 'a.jpeg'), join(root, 'e.jpg'));
  execFileSync('mkfifo', [join(root, 'f.png')]);
  const names = (/** @type {string[]} */ paths) => paths.map((path) => relative(root, path));

  test('are searched for images, in order', async () => {
    const images = ['a.jpeg', 'b/c/y.gif', 'd.bmp', 'e.jpg', 'z.PNG'];
    assert.deepEqual(names(await findImages(root)), images);
  });
  test('are searched to a depth', async () => {
    const top = ['a.jpeg', 'c.jpgx', 'd.bmp', 'e.jpg', 'z.PNG'];
    const within = (/** @type {string[]} */ ...more) => [...top, ...more].toSorted();
    assert.deepEqual(names(await findFiles(root, 0)), top);
    assert.deepEqual(names(await findFiles(root, 1)), within('b/x.txt'));
    assert.deepEqual(names(await findFiles(root)), within('b/x.txt', 'b/c/y.gif'));
  });
  test('have directories, links among them', async () =>
    assert.deepEqual(await findDirectories(root), ['b', 'empty', 'link']));
  test('that are not there', async () => {
    await assert.rejects(findFiles(at('missing')), { code: 'ENOENT' });
    await assert.rejects(findImages(at('file')), { code: 'ENOTDIR' });
  });
  test('of which one cannot be read', async (t) => {
    const { readdir } = promises;
    const error = new Error('unreadable');
    t.mock.method(promises, 'readdir', (/** @type {string} */ path, /** @type {any} */ options) =>
      path === join(root, 'b') ? Promise.reject(error) : readdir(path, options),
    );
    syncBuiltinESMExports();
    try {
      await assert.rejects(findFiles(root), error);
      /** @type {Error[]} */
      const told = [];
      const found = await findImages(root, (each) => void told.push(each));
      assert.deepEqual([names(found), told], [['a.jpeg', 'd.bmp', 'e.jpg', 'z.PNG'], [error]]);
    } finally {
      t.mock.restoreAll();
      syncBuiltinESMExports();
    }
  });
});

describe("the package's files", () => {
  test('in a folder of the user', () => {
    for (const base of [
      'http://a.test/x',
      'http://a.test/x/',
      'http://a.test/x?v=1#y',
      new URL('http://a.test/x'),
    ])
      assert.equal(inside(base, 'models/m').href, 'http://a.test/x/models/m');
    assert.throws(() => inside('data:,x', 'm'), { code: 'INVALID_OPTION', message: /assetsUrl/ });
  });

  test('by the form of the model', () => {
    const ending = (/** @type {'compressed' | 'full' | 'int8'} */ form) =>
      [undefined, 'http://a.test/x'].map((assets) => String(locateModel(assets, form)).split('/').pop());
    const file = 'ssd_mobilenet_v2_oidv4';
    assert.deepEqual(ending('compressed'), [`${file}.gz`, `${file}.gz`]);
    assert.deepEqual(ending('full'), [`${file}.bin`, `${file}.bin`]);
    assert.deepEqual(ending('int8'), [`${file}-int8.gz`, `${file}-int8.gz`]);
  });

  test('are compiled once for each folder, and again after a failure', async () => {
    /** @type {string[]} */
    const asked = [];
    let fails = true;
    const compile = async (/** @type {URL} */ url) => {
      asked.push(url.href);
      if (fails) throw new Error('not now');
      return /** @type {WebAssembly.Module} */ (/** @type {unknown} */ ({ url }));
    };
    const load = (/** @type {string} */ assets) => compileOnce('simd', assets, compile);
    await assert.rejects(load('http://a.test/x'), /not now/);
    fails = false;
    const [first, second] = await Promise.all([load('http://a.test/x'), load('http://a.test/x')]);
    assert.equal(first, second);
    assert.notEqual(await load('http://a.test/y'), first);
    const [x, y] = ['x', 'y'].map((name) => `http://a.test/${name}/ocelli-simd.wasm`);
    assert.deepEqual(asked, [x, x, y]);
  });
});

describe('what one worker has loaded', () => {
  const files = /** @type {Record<string, number[]>} */ ({ a: [1, 2, 3], b: [] });
  let opened = 0;
  const own = /** @type {any} */ ({
    mark: 7,
    open: async (/** @type {string} */ name) => {
      opened++;
      const chunks = files[name].map((byte) => Uint8Array.of(byte));
      return {
        sizeBytes: 3,
        chunks: (async function* () {
          yield* chunks;
        })(),
      };
    },
  });
  test('is kept once it was read, and taken by another', async () => {
    const { host: keeping, loads } = keepLoads(own);
    assert.equal(/** @type {any} */ (keeping).mark, 7);
    const { sizeBytes, chunks } = await keeping.open('a', undefined, 'MODEL_NOT_FOUND');
    assert.equal(loads.files.size, 0);
    assert.deepEqual([sizeBytes, await all(chunks)], [3, [1, 2, 3]]);
    assert.ok(loads.files.get('a')?.buffer instanceof SharedArrayBuffer);
    const taking = reuseLoads(own, loads);
    const before = opened;
    const again = await taking.open('a', undefined, 'MODEL_NOT_FOUND');
    const parts = [];
    for await (const part of again.chunks) parts.push(part);
    assert.deepEqual([again.sizeBytes, parts, opened], [3, [Uint8Array.of(1, 2, 3)], before]);
    assert.ok(parts[0].buffer instanceof ArrayBuffer);
    await taking.open('b', undefined, 'MODEL_NOT_FOUND');
    assert.equal(opened, before + 1);
  });
  test('is shared memory, also in parts of a megabyte', async () => {
    const bytes = Uint8Array.from({ length: 2 ** 20 + 5 }, (_, i) => i % 251);
    const shared = await readShared({
      chunks: (async function* () {
        yield bytes.subarray(0, 9);
        yield bytes.subarray(9);
      })(),
    });
    assert.ok(Buffer.from(shared).equals(bytes));
    const loads = { files: new Map([['a', shared]]) };
    const { chunks } = await reuseLoads(own, loads).open('a', undefined, 'MODEL_NOT_FOUND');
    const parts = [];
    for await (const part of chunks) parts.push(part);
    assert.ok(Buffer.concat(parts).equals(bytes));
  });
});

describe('calls between threads', () => {
  const pair = () => {
    /** @type {any[]} */
    const posted = [];
    const told = /** @type {any[]} */ ([]);
    const functions = {
      double: async (/** @type {number} */ value) => ({ result: 2 * value, transfer: [] }),
      nothing: async () => {},
      fail: async () => {
        throw Object.assign(new RangeError('too far'), { code: 'X' });
      },
      tell: (/** @type {unknown} */ value) => void told.push(value),
    };
    const send = (/** @type {() => Link} */ to) => (/** @type {any} */ message) => {
      posted.push(message);
      queueMicrotask(() => to().receive(structuredClone(message)));
    };
    /** @type {Link} */
    const near = new Link(
      send(() => far),
      {},
    );
    /** @type {Link} */
    const far = new Link(
      send(() => near),
      functions,
    );
    return { near, posted, told };
  };
  test('are answered, each by its number', async () => {
    const { near, posted } = pair();
    assert.deepEqual(await Promise.all([near.call('double', 2), near.call('double', 5)]), [4, 10]);
    assert.equal(await near.call('nothing', 0), undefined);
    assert.deepEqual(
      posted.flatMap(({ id, name }) => (name ? [id] : [])),
      [1, 2, 3],
    );
    await assert.rejects(near.call('fail', 0), /too far/);
    await assert.rejects(near.call('absent', 0));
  });
  test('may want no answer', async () => {
    const { near, posted, told } = pair();
    near.tell('tell', 3);
    near.tell('fail', 0);
    assert.equal(await near.call('double', 1), 2);
    assert.deepEqual([told, posted.length], [[3], 4]);
  });
  test('end with the other side, for the first reason', async () => {
    const { near } = pair();
    const [first, second] = [new Error('first'), new Error('second')];
    const open = near.call('double', 1);
    near.end(first);
    near.end(second);
    await assert.rejects(open, first);
    await assert.rejects(near.call('double', 1), first);
    near.receive({ id: 99, result: 1 });
  });
  test('a thread is ready with its first message, or never', async () => {
    const port = () => {
      /** @type {Record<string, (value?: any) => void>} */
      const on = {};
      return /** @type {any} */ ({
        on,
        onMessage: (/** @type {() => void} */ f) => (on.message = f),
        onEnd: (/** @type {() => void} */ f) => (on.end = f),
      });
    };
    const [ready, lost] = [port(), port()];
    const [whenReady, whenLost] = [untilReady(ready), untilReady(lost)];
    ready.on.message();
    lost.on.end(new Error('gone'));
    assert.equal(await whenReady, ready);
    await assert.rejects(whenLost, { code: 'THREADS_UNAVAILABLE', message: /gone/ });
  });
});
