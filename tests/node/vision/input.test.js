// What an input is: in memory, on its way, or kept for later; and what a model may be.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import {
  detach,
  isBeingSent,
  keepSource,
  readSource,
  toPixels,
  toRepeatable,
} from '../../../wasm/vision/input.js';
import '../shared.js';

const bytes = Uint8Array.of(1, 2, 3);
/** @param {AsyncIterable<Uint8Array>} chunks */
const join = async (chunks) => {
  const all = [];
  for await (const chunk of chunks) all.push(...chunk);
  return all;
};
/** Memory that was transferred to another owner. */
const transferred = () => {
  const { buffer } = Uint8Array.of(1, 2, 3);
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
};

test('what takes time', () => {
  const stream = () => new ReadableStream();
  const generator = (async function* () {})();
  for (const source of [
    'a.png',
    '',
    new URL('file:///a'),
    new Response('a'),
    new Request('http://a.b'),
    stream(),
    generator,
    { [Symbol.asyncIterator]() {} },
    { getReader() {} },
  ])
    assert.equal(isBeingSent(source), true);
  for (const source of [
    bytes,
    bytes.buffer,
    new Blob(['a']),
    { data: bytes },
    {},
    null,
    undefined,
    7,
    { getReader: 1 },
  ])
    assert.equal(isBeingSent(source), false);
});

describe('what is kept of an input', () => {
  test('bytes are copied', () => {
    for (const given of [Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2, 3).buffer]) {
      const kept = /** @type {Uint8Array} */ (detach(given));
      new Uint8Array(given instanceof ArrayBuffer ? given : given.buffer).fill(9);
      assert.deepEqual(kept, bytes);
    }
    assert.deepEqual(detach(transferred()), new Uint8Array(0));
    const part = Uint8Array.of(7, 8, 9, 10).subarray(1, 3);
    assert.deepEqual(detach(part), Uint8Array.of(8, 9));
  });
  test('pixels and numbers are copied, with all else', () => {
    const data = Uint8ClampedArray.of(1, 2, 3, 4);
    class Pixels {
      data = data;
      get width() {
        return 1;
      }
      get height() {
        return 1;
      }
    }
    const kept = /** @type {any} */ (detach(new Pixels()));
    data.fill(9);
    assert.deepEqual([[...kept.data], kept.width, kept.height], [[1, 2, 3, 4], 1, 1]);
    const tensor = Float32Array.of(1, 2);
    const numbers = /** @type {any} */ (detach({ tensor, name: 'x' }));
    tensor.fill(9);
    assert.deepEqual([[...numbers.tensor], numbers.name, 'width' in numbers], [[1, 2], 'x', false]);
    const floats = /** @type {any} */ (detach({ data: Float32Array.of(3), shape: [1] }));
    assert.deepEqual([[...floats.data], floats.shape], [[3], [1]]);
    const gone = Uint8Array.of(1, 2, 3);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    assert.deepEqual(/** @type {any} */ (detach({ data: gone })).data, new Uint8Array());
  });
  test('everything else is itself', () => {
    for (const input of [
      undefined,
      null,
      'a.png',
      new Blob(['a']),
      { data: 'text' },
      { data: [1, 2] },
      { data: new DataView(new ArrayBuffer(2)) },
      7,
    ])
      assert.equal(detach(input), input);
  });
});

test('pixels are checked at once, and are of any realm', () => {
  assert.equal(toPixels(bytes) instanceof Uint8Array, true);
  const foreign = runInNewContext('Uint8Array.of(5, 6, 7)');
  const found = /** @type {Uint8Array} */ (toPixels(foreign));
  assert.ok(found instanceof Uint8Array);
  assert.deepEqual(found, Uint8Array.of(5, 6, 7));
  const pixels = /** @type {any} */ (
    toPixels({ data: runInNewContext('new Uint8ClampedArray(12)'), width: 2, height: 2 })
  );
  assert.deepEqual([pixels.channels, pixels.stride, pixels.data.length], [3, 6, 12]);
});

test('what can be read again is itself, what cannot is read', async () => {
  const blob = new Blob(['abc']);
  assert.equal(await toRepeatable(blob), blob);
  assert.equal(await toRepeatable('a.png'), 'a.png');
  assert.equal(await toRepeatable(bytes), bytes);
  assert.deepEqual([.../** @type {Uint8Array} */ (await toRepeatable(new Response('abc')))], [97, 98, 99]);
  const pixels = { data: new Uint8Array(3), width: 1, height: 1 };
  assert.equal(await toRepeatable(pixels), pixels);
});

describe('a model', () => {
  test('in memory', async () => {
    for (const source of [bytes, bytes.buffer, new Blob([bytes])]) {
      const { sizeBytes, chunks } = await readSource(/** @type {any} */ (source));
      assert.deepEqual([sizeBytes, await join(chunks)], [3, [1, 2, 3]]);
    }
    assert.equal((await readSource(transferred())).sizeBytes, 0);
  });
  test('on its way', async () => {
    assert.deepEqual(await join((await readSource(new Response(bytes))).chunks), [1, 2, 3]);
    assert.deepEqual(
      await join(
        (
          await readSource(
            /** @type {any} */ (
              (async function* () {
                yield bytes;
              })()
            ),
          )
        ).chunks,
      ),
      [1, 2, 3],
    );
    await assert.rejects(readSource('/nowhere/at/all.tflite'), { code: 'MODEL_NOT_FOUND' });
  });
  test('in the body of a request, also where requests have no stream', async () => {
    const request = () => new Request('http://a.b', { method: 'POST', body: bytes });
    assert.deepEqual(await join((await readSource(request())).chunks), [1, 2, 3]);
    const without = request();
    Object.defineProperty(without, 'body', { value: undefined });
    assert.deepEqual(await join((await readSource(without)).chunks), [1, 2, 3]);
    const empty = new Request('http://a.b', { method: 'POST' });
    assert.deepEqual(await join((await readSource(empty)).chunks), []);
    const got = new Request('http://a.b');
    await assert.rejects(readSource(got), { code: 'INVALID_INPUT', message: /the Request has no body/ });
  });
  test('that is none', async () => {
    for (const source of [7, {}, null, []])
      await assert.rejects(readSource(/** @type {any} */ (source)), {
        code: 'INVALID_OPTION',
        message: /model must be a path, a URL, bytes, a Blob, a Response or a stream, not/,
      });
    const failing = Object.assign(new Blob(['a']), { arrayBuffer: () => Promise.reject(new Error('gone')) });
    await assert.rejects(readSource(failing), { code: 'READ_FAILED', message: /gone/ });
  });
  test('that is kept to be loaded again', async () => {
    assert.equal(await keepSource(undefined, {}), undefined);
    assert.match(String(await keepSource('/a/b.tflite', {})), /^file:\/\/\/a\/b\.tflite$/);
    assert.equal(await keepSource(new URL('http://a.b/c'), {}), 'http://a.b/c');
    const blob = new Blob([bytes]);
    assert.equal(await keepSource(blob, {}), blob);
    const own = Uint8Array.of(1, 2, 3);
    const kept = await keepSource(own, {});
    own.fill(9);
    assert.deepEqual(kept, bytes);
    /** @type {any[]} */
    const progress = [];
    const read = await keepSource(new Response(bytes, { headers: { 'content-length': '3' } }), {
      onProgress: (each) => progress.push(each),
    });
    assert.deepEqual(
      [[.../** @type {Uint8Array} */ (read)], progress.at(-1)],
      [[1, 2, 3], { loaded: 3, total: 3 }],
    );
  });
});
