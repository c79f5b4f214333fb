// Models that come as gzip files, from every kind of source: as they are, in small pieces, cut short, damaged.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { Engine } from '../../../wasm/engine/engine.js';
import { ObjectDetector } from '../../../wasm/platform/node.js';
import { DEFAULT_MODEL, packagePhoto, testData } from '../shared.js';

const plain = new Uint8Array(readFileSync(testData('models/mobilenet_v2_classifier.fp32.tflite')));
const zipped = new Uint8Array(gzipSync(plain));

/** @param {Uint8Array} bytes @param {number} size of a piece */
async function* inPieces(bytes, size) {
  // As our own sources do, it uses one buffer again and again.
  const buffer = new Uint8Array(size);
  for (let at = 0; at < bytes.length; at += size) {
    const part = bytes.subarray(at, at + size);
    buffer.set(part);
    yield buffer.subarray(0, part.length);
  }
}

/**
 * @param {Uint8Array} bytes
 * @param {{size?: number, sizeBytes?: number, options?: import('../../../wasm/engine/receive.js').ReceiveOptions}} [how]
 */
async function receive(bytes, { size = 4096, sizeBytes, options } = {}) {
  const engine = await Engine.create({ variant: 'simd', threads: 1 });
  try {
    const received = await engine.receiveModel({ sizeBytes, chunks: inPieces(bytes, size) }, options);
    engine.openModel();
    return { bytes: received.readAll(), sizeBytes: received.sizeBytes };
  } finally {
    engine.close();
  }
}

test('a gzip file is inflated, in pieces of any size', async () => {
  for (const size of [997, 4096, zipped.length]) {
    for (const sizeBytes of [undefined, zipped.length]) {
      const received = await receive(zipped, { size, sizeBytes });
      assert.deepEqual(received.bytes, plain);
      assert.equal(received.sizeBytes, plain.length);
    }
  }
  const [small, one] = [new Uint8Array(gzipSync(plain.subarray(0, 40))), new Uint8Array(40)];
  for (const bytes of [small, one]) await assert.rejects(receive(bytes, { size: 1 }), { code: /^MODEL_/ });
  assert.deepEqual((await receive(plain, { sizeBytes: plain.length })).bytes, plain);
});

test('progress is that of the download', async () => {
  /** @type {{loaded: number, total?: number}[]} */
  const seen = [];
  await receive(zipped, {
    sizeBytes: zipped.length,
    options: { onProgress: (progress) => seen.push({ ...progress }) },
  });
  assert.deepEqual(seen.at(-1), { loaded: zipped.length, total: zipped.length });
});

test('a gzip file that is cut short is MODEL_TRUNCATED, a damaged one is MODEL_NOT_TFLITE', async () => {
  for (const length of [3, 12, 5000, zipped.length - 9, zipped.length - 1])
    await assert.rejects(receive(zipped.slice(0, length)), { code: 'MODEL_TRUNCATED' }, `${length} bytes`);
  const damaged = zipped.slice();
  damaged.fill(255, 10, 100);
  await assert.rejects(receive(damaged), { code: 'MODEL_NOT_TFLITE' });
  const changed = zipped.slice();
  changed[zipped.length - 6] ^= 1;
  await assert.rejects(receive(changed), { code: 'MODEL_TRUNCATED' });
  await assert.rejects(receive(new Uint8Array(gzipSync(new Uint8Array(100)))), { code: 'MODEL_NOT_TFLITE' });
  await assert.rejects(receive(new Uint8Array(gzipSync(new Uint8Array(0)))), { code: 'MODEL_TRUNCATED' });
});

test('the source is closed, and its error is the one that is thrown', async () => {
  let isClosed = false;
  const failing = async function* () {
    try {
      yield zipped.subarray(0, 20000);
      throw new Error('no more');
    } finally {
      isClosed = true;
    }
  };
  const engine = await Engine.create({ variant: 'simd', threads: 1 });
  await assert.rejects(engine.receiveModel({ chunks: failing() }), { message: 'no more' });
  assert.ok(isClosed);
  const controller = new AbortController();
  const endless = async function* () {
    for (;;) {
      yield zipped.subarray(0, 20000);
      controller.abort();
    }
  };
  await assert.rejects(engine.receiveModel({ chunks: endless() }, { signal: controller.signal }), {
    name: 'AbortError',
  });
  engine.close();
});

test('the default detector as a gzip file is still itself', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ocelli-gzip-'));
  const path = join(directory, 'detector.gz');
  writeFileSync(path, gzipSync(readFileSync(DEFAULT_MODEL), { level: 1 }));
  const photo = packagePhoto('chelsea.png');
  try {
    const answers = [];
    for (const model of [DEFAULT_MODEL, path, new Uint8Array(readFileSync(path))]) {
      const detector = await ObjectDetector.create({ model, deterministic: true });
      answers.push((await detector.detect(photo)).detections);
      detector.close();
    }
    assert.equal(answers[0][0].label, 'Cat');
    assert.deepEqual(answers[1], answers[0]);
    assert.deepEqual(answers[2], answers[0]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
