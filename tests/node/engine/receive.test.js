// The bytes of a model on their way into the module's memory.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../../../wasm/platform/node.js';
import { Engine } from '../../../wasm/engine/engine.js';

const MODEL = Uint8Array.from({ length: 12 }, (_, i) => i * 20);

/** @param {Iterable<any>} chunks @param {number} [sizeBytes] @param {object} [options] */
async function receive(chunks, sizeBytes, options = {}) {
  const engine = await Engine.create({ variant: 'simd', threads: 1 });
  const source = (async function* () {
    yield* chunks;
  })();
  try {
    return (await engine.receiveModel({ sizeBytes, chunks: source }, options)).readAll();
  } finally {
    engine.close();
  }
}

test('chunks of wider elements are counted in bytes', async () => {
  const words = new Uint32Array(MODEL.buffer);
  assert.deepEqual(await receive([words], 12), MODEL);
  assert.deepEqual(await receive([words]), MODEL);
  await assert.rejects(receive([words], 3), { code: 'MODEL_NOT_FOUND' });
});

for (const chunk of [new Uint8Array(4), Buffer.alloc(4)])
  test(`a source of unknown size may use its ${chunk.constructor.name} again`, async () => {
    const chunks = (function* () {
      for (let at = 0; at < MODEL.length; at += 4) {
        chunk.set(MODEL.subarray(at, at + 4));
        yield chunk;
      }
    })();
    assert.deepEqual(await receive(chunks), MODEL);
  });

for (const size of [0, 1, 2 ** 20, 2 ** 20 + 1, 2 ** 23, 2 ** 23 + 1, 9_000_000])
  for (const part of [70_001, 3_000_000, 2 ** 23 + 1])
    test(`${size} bytes of unknown size arrive as they are, in parts of ${part}`, async () => {
      const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 31) ^ (i >> 8));
      const spare = new Uint8Array(part);
      const chunks = (function* () {
        for (let at = 0; at < size; at += part) {
          const next = bytes.subarray(at, at + part);
          spare.set(next);
          yield spare.subarray(0, next.length);
        }
      })();
      assert.ok(Buffer.from(bytes).equals(await receive(chunks)));
    });

for (const sizeBytes of [12, undefined])
  for (const last of [4, 8, 12])
    test(`loading ends by its signal at byte ${last} of ${sizeBytes ?? 'unknown'}`, async () => {
      const controller = new AbortController();
      /** @type {number[]} */
      const told = [];
      const onProgress = (/** @type {{loaded: number}} */ { loaded }) => {
        told.push(loaded);
        if (loaded === last) controller.abort(new Error('enough'));
      };
      const parts = [0, 4, 8].map((at) => MODEL.subarray(at, at + 4));
      await assert.rejects(receive(parts, sizeBytes, { signal: controller.signal, onProgress }), /enough/);
      assert.deepEqual(told, [4, 8, 12].slice(0, last / 4));
    });
