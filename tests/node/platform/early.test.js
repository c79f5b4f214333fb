// What a page does while a session's worker starts: it opens the model, and the worker takes it.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import '../../../wasm/platform/node.js';
import { Engine } from '../../../wasm/engine/engine.js';
import { host, installHost } from '../../../wasm/engine/host.js';
import { EarlyModel, takeEarly } from '../../../wasm/platform/pool/early.js';
import { Link } from '../../../wasm/platform/pool/link.js';
import { failure } from '../../../wasm/shared/errors.js';

const node = host();
after(() => installHost(node));

// Bytes that do not get smaller, so that there are many parts.
const MODEL = Uint8Array.from({ length: 1 << 20 }, (_, i) => Math.imul(i, 2654435761) >>> 24);
const ZIPPED = new Uint8Array(gzipSync(MODEL));
const PART_BYTES = 50_000;

/**
 * Chunks in one buffer, as downloads use it.
 * @param {Uint8Array} file
 * @param {{failsAt?: number, watch?: {isClosed?: boolean}}} [options]
 */
async function* chunksOf(file, { failsAt = Infinity, watch = {} } = {}) {
  const buffer = new Uint8Array(PART_BYTES);
  try {
    for (let at = 0; at < file.length; at += PART_BYTES) {
      if (at >= failsAt) throw failure('MODEL_NOT_FOUND', 'the line is cut');
      const part = file.subarray(at, at + PART_BYTES);
      buffer.set(part);
      yield buffer.subarray(0, part.length);
    }
  } finally {
    watch.isClosed = true;
  }
}

/**
 * A page that opens `file`, and the host of a worker; messages are cloned between them as between threads.
 * @param {AsyncIterable<Uint8Array>} chunks
 * @param {{sizeBytes?: number, options?: object, platform?: object}} [how]
 */
function start(chunks, { sizeBytes, options = {}, platform = {} } = {}) {
  /** @type {unknown[]} */ const opened = [];
  /** @type {{loaded: number, total?: number}[]} */ const told = [];
  /** @type {import('../../../wasm/engine/host.js').Host['open']} */
  const open = async (place) => {
    opened.push(place);
    return { sizeBytes, chunks };
  };
  installHost({ ...node, ...platform, open, locateModel: (folder, form) => `${folder}/${form}` });
  const early = EarlyModel.open(
    /** @type {any} */ ({
      assetsUrl: 'dist',
      onProgress: (/** @type {any} */ step) => told.push(step),
      ...options,
    }),
  );
  /** @type {(receiver: () => Link) => (message: any, transfer: Transferable[]) => void} */
  const to = (receiver) => (message, transfer) => {
    const posted = structuredClone(message, { transfer });
    queueMicrotask(() => receiver().receive(posted));
  };
  /** @type {Link} */ const page = new Link(
    to(() => worker),
    early?.answers ?? { openEarly() {} },
  );
  /** @type {Link} */ const worker = new Link(
    to(() => page),
    {},
  );
  const own = { ...node, open: async () => ({ sizeBytes: 1, chunks: chunksOf(Uint8Array.of(7)) }) };
  const there = takeEarly(worker, own);
  return { early, opened, told, open: () => there.open('model', undefined, 'MODEL_NOT_FOUND') };
}

/** @param {import('../../../wasm/engine/host.js').ByteSource} source */
async function readAll({ chunks }) {
  const parts = [];
  for await (const chunk of chunks) parts.push(chunk);
  return new Uint8Array(Buffer.concat(parts));
}

describe('the worker takes the model that the page has opened', () => {
  test('inflated, once; the page tells the progress of the download', async () => {
    const { open, opened, told } = start(chunksOf(ZIPPED), { sizeBytes: ZIPPED.length });
    const source = await open();
    assert.equal(source.sizeBytes, undefined); // a gzip file says it at its end
    assert.deepEqual(await readAll(source), MODEL);
    assert.deepEqual(opened, ['dist/compressed']);
    const loaded = [...Array(Math.ceil(ZIPPED.length / PART_BYTES)).keys()];
    assert.deepEqual(
      told,
      loaded.map((i) => ({
        loaded: Math.min((i + 1) * PART_BYTES, ZIPPED.length),
        total: ZIPPED.length,
      })),
    );
    assert.deepEqual(await readAll(await open()), Uint8Array.of(7));
  });
  test('as it is, with its size', async () => {
    const { open, opened, told } = start(chunksOf(MODEL), {
      sizeBytes: MODEL.length,
      options: { model: 'http://a.test/m' },
    });
    const source = await open();
    assert.equal(source.sizeBytes, MODEL.length);
    assert.deepEqual(await readAll(source), MODEL);
    assert.deepEqual(opened, ['http://a.test/m']);
    assert.deepEqual(told.at(-1), { loaded: MODEL.length, total: MODEL.length });
  });
  test('after a while, all that has arrived at once', async () => {
    const { open } = start(chunksOf(MODEL), { sizeBytes: MODEL.length });
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(await readAll(await open()), MODEL);
  });
  test('with the other form’s weights', async () => {
    const { opened } = start(chunksOf(MODEL), { options: { weights: 'full', precision: 'float' } });
    assert.deepEqual(opened, ['dist/full']);
  });
  test('while the event loop of the page turns, though inflating never waits', async () => {
    const gunzip = async function* () {
      for (let i = 0; i < 64; i++) yield new Uint8Array(8);
    };
    let turns = 0;
    const turn = () =>
      new Promise((/** @type {(nothing: void) => void} */ resolve) => {
        turns++;
        setImmediate(resolve);
      });
    const { open } = start(chunksOf(ZIPPED), { platform: { gunzip, turn } });
    assert.equal((await readAll(await open())).length, 64 * 8);
    assert.ok(turns >= 8, `${turns}`);
  });
});

describe('what the page meets is the worker’s error', () => {
  test('a file that is not there', async () => {
    const chunks = chunksOf(MODEL, { failsAt: 0 });
    const { open } = start(chunks);
    await assert.rejects(open().then(readAll), { code: 'MODEL_NOT_FOUND', message: /the line is cut/ });
  });
  test('a download that ends early', async () => {
    const { open } = start(chunksOf(MODEL, { failsAt: 3 * PART_BYTES }), { sizeBytes: MODEL.length });
    await assert.rejects(open().then(readAll), { code: 'MODEL_NOT_FOUND', message: /the line is cut/ });
  });
  test('a gzip file of more than a module can hold', async () => {
    const gunzip = async function* () {
      for (;;) yield new Uint8Array(1 << 26);
    };
    const { early, open } = start(chunksOf(ZIPPED), { platform: { gunzip } });
    const engine = await Engine.create({ variant: 'simd', threads: 1 });
    await assert.rejects(
      open().then((source) => engine.receiveModel(source)),
      { code: 'INPUT_TOO_LARGE' },
    );
    engine.close();
    early?.cancel();
  });
  test('a gzip file that is cut short', async () => {
    const { open } = start(chunksOf(ZIPPED.subarray(0, -9)));
    await assert.rejects(open().then(readAll), { code: 'MODEL_TRUNCATED' });
  });
});

test('a download that nobody wants any more is closed', async () => {
  const watch = {};
  const { early, open } = start(chunksOf(MODEL, { watch }), { sizeBytes: MODEL.length });
  const source = await open();
  early?.cancel();
  await assert.rejects(readAll(source)); // Node 20 clones no DOMException
  assert.deepEqual(watch, { isClosed: true });
});

describe('the worker opens the model itself', () => {
  for (const [name, options] of Object.entries({
    'if it chooses the precision': { precision: 'auto' },
    'in 8 bits': { precision: 'int8' },
    'if it is in memory': { model: MODEL },
  }))
    test(name, async () => {
      const { early, opened, open } = start(chunksOf(MODEL), { options });
      assert.deepEqual([early, opened], [undefined, []]);
      assert.deepEqual(await readAll(await open()), Uint8Array.of(7));
    });
  test('if it is not known where it is', () => {
    const locateModel = () => {
      throw failure('INVALID_OPTION', 'weights');
    };
    installHost({ ...node, locateModel });
    assert.equal(EarlyModel.open(/** @type {any} */ ({})), undefined);
  });
});
