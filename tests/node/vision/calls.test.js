// What a call promises about its input and its end: the input is the one at the time of the call, and a call that is over
// reads no more.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import {
  cosineSimilarity,
  decodeImage,
  FeatureExtractor,
  ObjectDetector,
} from '../../../wasm/platform/node.js';
import { TransferLearner } from '../../../wasm/train/node.js';
import { tinyDetector, TINY_ANCHORS } from '../../fuzz/tiny_models.js';
import { packagePhoto, testData } from '../shared.js';

const CAT = packagePhoto('chelsea.png');
const PERSON = packagePhoto('astronaut.png');
const FORMS = [{}, { worker: true }, { pool: 2 }];
const HERE_AND_THERE = [{}, { worker: true }];

/** @param {Promise<unknown>} promise */
const codeOf = (promise) =>
  promise.then(
    () => 'none',
    ({ code, name }) => (typeof code === 'string' ? code : name),
  );

/** @param {Promise<{detections: {label: string}[]}>} call */
const labelsOf = async (call) => (await call).detections.map(({ label }) => label);

/** @param {Uint8Array} bytes */
const copyOf = (bytes) => Uint8Array.from(bytes);

/** Aborted in a while. Unlike AbortSignal.timeout, it keeps the process alive. @param {number} ms */
function abortedIn(ms) {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), ms);
  return controller.signal;
}

describe('an input is the one at the time of the call', () => {
  for (const options of FORMS)
    test(JSON.stringify(options), async () => {
      const detector = await ObjectDetector.create(options);
      const pixels = await decodeImage(CAT);
      /** @type {[any, (input: any) => void][]} */
      const changes = [
        [copyOf(CAT), (bytes) => bytes.fill(0)],
        [copyOf(CAT), ({ buffer }) => structuredClone(buffer, { transfer: [buffer] })],
        [copyOf(CAT).buffer, (buffer) => structuredClone(buffer, { transfer: [buffer] })],
        [{ ...pixels, data: copyOf(pixels.data) }, ({ data }) => data.fill(0)],
        [{ ...pixels, data: copyOf(pixels.data) }, (given) => Object.assign(given, { width: 1, height: 1 })],
      ];
      for (const [input, change] of changes) {
        const call = detector.detect(input);
        change(input);
        assert.deepEqual(await labelsOf(call), ['Cat']);
      }
      const many = changes.map(([input]) => input);
      many.splice(0, many.length, ...Array.from({ length: 4 }, () => copyOf(CAT)));
      const calls = many.map((input) => detector.detect(input));
      for (const input of many) input.set(PERSON.subarray(0, input.length));
      for (const call of calls) assert.deepEqual(await labelsOf(call), ['Cat']);
      detector.close();
    });

  for (const options of FORMS)
    test(`${JSON.stringify(options)}: also while the classes change`, async () => {
      const detector = await ObjectDetector.create(options);
      const bytes = copyOf(CAT);
      const roi = { x: 0, y: 0, width: 451, height: 300 };
      const changing = detector.setOptions({ classes: { allow: ['Cat', 'Dog'] } });
      const call = detector.detect(bytes, { roi });
      const features = detector.detect(CAT, { features: 'image' });
      bytes.fill(0);
      roi.x = 400;
      assert.deepEqual(await labelsOf(call), ['Cat']);
      assert.equal((await features).features?.length, 1280);
      await changing;
      detector.close();
    });

  test('of a model and its labels, too', async () => {
    const { readFile } = await import('node:fs/promises');
    const { fileURLToPath } = await import('node:url');
    const { DEFAULT_MODEL } = await import('../shared.js');
    const path = String(DEFAULT_MODEL);
    const model = new Uint8Array(await readFile(path.startsWith('file:') ? fileURLToPath(path) : path));
    const detector = await ObjectDetector.create({ model });
    model.fill(0);
    await detector.setOptions({ classes: { allow: ['Cat'] } });
    assert.deepEqual(await labelsOf(detector.detect(CAT)), ['Cat']);
    detector.close();
  });

  test('of a file that others decode, and of decodeImage', async () => {
    const detector = await ObjectDetector.create();
    const webp = await sharp(CAT).webp().toBuffer();
    const bytes = copyOf(webp);
    const call = detector.detect(bytes);
    bytes.fill(0);
    assert.deepEqual(await labelsOf(call), ['Cat']);
    detector.close();
    for (const file of [CAT, webp]) {
      const expected = await decodeImage(file);
      const given = copyOf(file);
      const decoding = decodeImage(given);
      given.fill(0);
      assert.deepEqual(await decoding, expected);
    }
  });

  test('of pixels in a Buffer, while the classes change', async () => {
    const detector = await ObjectDetector.create();
    const { data, ...size } = await decodeImage(CAT);
    const buffer = Buffer.from(data);
    const changing = detector.setOptions({ classes: { allow: ['Cat', 'Dog'] } });
    const call = detector.detect({ ...size, data: buffer });
    buffer.fill(0);
    assert.deepEqual(await labelsOf(call), ['Cat']);
    await changing;
    detector.close();
  });

  for (const form of HERE_AND_THERE)
    test(`of options of create: ${JSON.stringify(form)}`, async () => {
      const make = () => ({
        labels: ['a', 'b', 'c'],
        input: { scale: [1 / 127.5, 1 / 127.5, 1 / 127.5], offset: -1, resize: 'half-pixel' },
        ssd: {
          ...{ anchors: Float32Array.from(TINY_ANCHORS.flat()), boxCoder: [10, 10, 5, 5] },
          ...{ scores: 'sigmoid', background: false },
        },
      });
      const create = (/** @type {object} */ options) =>
        ObjectDetector.create(/** @type {any} */ ({ model: tinyDetector(), scoreThreshold: 0, ...form, ...options })); // prettier-ignore
      const pixels = { data: Uint8Array.from({ length: 192 }, (_, i) => i), width: 8, height: 8 };
      const classes = { deny: ['c'] };
      const other = await create({ ...make(), classes });
      const given = make();
      const creating = create(given);
      given.labels.fill('changed');
      given.input.scale.fill(0);
      given.ssd.anchors.fill(0);
      given.ssd.scores = 'softmax';
      const detector = await creating;
      await detector.setOptions({ classes });
      const { detections } = await detector.detect(pixels);
      assert.ok(detections.length > 0);
      assert.deepEqual(detections, (await other.detect(pixels)).detections);
      for (const each of [detector, other]) each.close();
    });

  test('settings, of every call', async () => {
    const extractor = await FeatureExtractor.create();
    const before = extractor.extractBatch([CAT]);
    await extractor.setOptions({ l2Normalize: true });
    const plain = (await before).data;
    const [unit] = [(await extractor.extractBatch([CAT])).data];
    assert.ok(Math.abs(cosineSimilarity(plain, unit) - 1) < 1e-6);
    const norm = (/** @type {Float32Array} */ data) =>
      Math.sqrt(data.reduce((sum, value) => sum + value * value, 0));
    assert.ok(Math.abs(norm(unit) - 1) < 1e-5);
    assert.ok(Math.abs(norm(plain) - 1) > 0.1);
    extractor.close();

    const detector = await ObjectDetector.create();
    const all = (await detector.profile(CAT)).operators.reduce(
      (sum, { multiplyAdds }) => sum + multiplyAdds,
      0,
    );
    const changing = detector.setOptions({ classes: { allow: ['Cat'] } });
    const { operators } = await detector.profile(CAT);
    assert.ok(operators.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0) < all);
    await changing;
    detector.close();
  });

  test('a roi that is none is refused', async () => {
    const detector = await ObjectDetector.create();
    for (const roi of /** @type {any[]} */ ([null, false, 0, '', 5, { x: 1n, y: 0, width: 1, height: 1 }]))
      assert.equal(await codeOf(detector.detect(CAT, { roi })), 'INVALID_OPTION');
    detector.close();
  });

  test('a roi is the whole pixels that it touches: the box of a detection', async () => {
    const detector = await ObjectDetector.create({ deterministic: true });
    const [{ box }] = (await detector.detect(CAT)).detections;
    const [x, y] = [Math.floor(box.x), Math.floor(box.y)];
    const [right, bottom] = [Math.ceil(box.x + box.width), Math.ceil(box.y + box.height)];
    const roi = { x, y, width: right - x, height: bottom - y };
    const { heads } = await detector.heads(CAT, { roi: box });
    assert.deepEqual(heads, (await detector.heads(CAT, { roi })).heads);
    detector.close();
  });

  test('rows that are handed over during the call', async () => {
    const detector = await ObjectDetector.create({ worker: true });
    const rows = new Float32Array(60);
    const call = detector.detectInto(CAT, rows);
    structuredClone(rows.buffer, { transfer: [rows.buffer] });
    assert.equal(await codeOf(call), 'INVALID_INPUT');
    assert.equal(await detector.detectInto(CAT, new Float32Array(6)), 1);
    detector.close();
  });
});

describe('a call that ends reads no more', () => {
  /** A web stream that never ends; counts what happens to it. */
  function endless() {
    const counts = { pulls: 0, cancels: 0 };
    const stream = new ReadableStream({
      async pull(controller) {
        counts.pulls++;
        await sleep(5);
        controller.enqueue(new Uint8Array(1));
      },
      cancel: () => void counts.cancels++,
    });
    return { stream, counts };
  }

  for (const options of FORMS) {
    const name = JSON.stringify(options);
    test(`${name}: a stream is cancelled by signal, time and close`, async () => {
      const detector = await ObjectDetector.create(options);
      const [a, b, c] = [endless(), endless(), endless()];
      assert.equal(await codeOf(detector.detect(a.stream, { timeoutMs: 30 })), 'TIMEOUT');
      assert.equal(await codeOf(detector.detect(b.stream, { signal: abortedIn(30) })), 'AbortError');
      const call = codeOf(detector.detect(c.stream));
      await sleep(10);
      assert.deepEqual(await labelsOf(detector.detect(CAT)), ['Cat']);
      detector.close();
      assert.equal(await call, 'CLOSED');
      await sleep(0);
      for (const { counts } of [a, b, c]) assert.equal(counts.cancels, 1);
    });

    test(`${name}: a stream of Node is destroyed, and a stream that never yields is left`, async () => {
      const detector = await ObjectDetector.create(options);
      const silent = new Readable({ read() {} });
      assert.equal(await codeOf(detector.detect(silent, { timeoutMs: 20 })), 'TIMEOUT');
      assert.ok(silent.destroyed);
      const call = codeOf(detector.detect(new ReadableStream({})));
      detector.close();
      assert.equal(await call, 'CLOSED');
    });

    test(`${name}: a download is aborted`, async () => {
      const server = createServer((_, response) => {
        response.writeHead(200, { 'content-type': 'image/png' });
        response.write(CAT.subarray(0, 1000));
      }).listen(0);
      await once(server, 'listening');
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      const detector = await ObjectDetector.create(options);
      const controller = new AbortController();
      const { signal } = controller;
      const call = codeOf(detector.detect(`http://localhost:${port}/`, { signal }));
      const [, response] = await once(server, 'request');
      const isClosed = once(response, 'close');
      controller.abort();
      assert.equal(await call, 'AbortError');
      await isClosed;
      detector.close();
      server.close();
    });
  }

  test('a download that is too large for decodeImage is aborted', async () => {
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'image/png', 'content-length': 2 ** 31 });
      response.write(CAT);
    }).listen(0);
    await once(server, 'listening');
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    const call = codeOf(decodeImage(`http://localhost:${port}/`, { maxPixels: 1 }));
    const [, response] = await once(server, 'request');
    const isClosed = once(response, 'close');
    assert.equal(await call, 'INPUT_TOO_LARGE');
    await isClosed;
    server.close();
  });

  test('create hears its signal, whatever it waits for', async () => {
    const server = createServer(() => {}).listen(0);
    await once(server, 'listening');
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    const never = (async function* () {
      await new Promise(() => {});
      yield new Uint8Array();
    })();
    for (const options of [
      ...HERE_AND_THERE.map((form) => ({ ...form, model: `http://localhost:${port}/` })),
      { model: never },
    ])
      assert.equal(await codeOf(ObjectDetector.create({ ...options, signal: abortedIn(50) })), 'AbortError');
    server.closeAllConnections();
    server.close();
  });

  test('examples of a learner, too; and a fit that is closed', async () => {
    const extractor = await FeatureExtractor.create();
    const learner = await TransferLearner.create({ labels: ['a', 'b'], extractor });
    const signal = abortedIn(50);
    assert.equal(
      await codeOf(learner.addExamples([new ReadableStream({})], ['a'], { signal })),
      'AbortError',
    );
    const labels = Array.from({ length: 64 }, (_, i) => (i % 2 ? 'a' : 'b'));
    learner.addFeatures(
      Float32Array.from({ length: 64 * 1280 }, (_, i) => (i % 7) / 7),
      labels,
    );
    const fit = codeOf(learner.fit({ epochs: 1000, callbacks: { onBatch: () => learner.close() } }));
    assert.equal(await fit, 'CLOSED');
    extractor.close();
  });
});

describe('calls that wait', () => {
  test('without a worker: the event loop turns between them, an abort and close reach them', async () => {
    const detector = await ObjectDetector.create();
    const controller = new AbortController();
    const calls = Array.from({ length: 12 }, () =>
      codeOf(detector.detect(CAT, { signal: controller.signal })),
    );
    setImmediate(() => controller.abort());
    const codes = await Promise.all(calls);
    assert.equal(codes.at(-1), 'AbortError');
    assert.ok(codes.filter((code) => code === 'none').length <= 2);

    const later = Array.from({ length: 12 }, () => codeOf(detector.detect(CAT)));
    setImmediate(() => detector.close());
    assert.equal((await Promise.all(later)).at(-1), 'CLOSED');
  });

  test('one after the other: timers run between them', async () => {
    const detector = await ObjectDetector.create();
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    for (let i = 0; i < 5; i++) await detector.detect(CAT);
    clearInterval(timer);
    assert.ok(ticks >= 3, `${ticks} ticks`);
    detector.close();
  });

  test('for the classes to change end in time', async () => {
    const detector = await ObjectDetector.create();
    const changing = detector.setOptions({ classes: { allow: ['Cat'] } });
    const signal = AbortSignal.abort();
    assert.equal(await codeOf(detector.detect(CAT, { signal })), 'AbortError');
    const controller = new AbortController();
    const call = codeOf(detector.detect(CAT, { signal: controller.signal }));
    controller.abort();
    assert.equal(await Promise.race([call, changing]), 'AbortError');
    await changing;
    detector.close();
  });

  test('in a pool: inputs that come slowly take no room', async () => {
    const detector = await ObjectDetector.create({ pool: 1, maxQueue: 1 });
    const slow = Array.from({ length: 5 }, () => codeOf(detector.detect(new ReadableStream({}))));
    assert.deepEqual(await labelsOf(detector.detect(CAT)), ['Cat']);
    detector.close();
    for (const call of slow) assert.equal(await call, 'CLOSED');
  });

  test('in a pool: an aborted one leaves its place at once, a change of options needs none', async () => {
    const detector = await ObjectDetector.create({ pool: 1, maxQueue: 1 });
    const controller = new AbortController();
    const running = codeOf(detector.detect(CAT));
    const waiting = codeOf(detector.detect(CAT, { signal: controller.signal }));
    assert.equal(await codeOf(detector.detect(CAT)), 'QUEUE_FULL');
    controller.abort();
    const next = codeOf(detector.detect(CAT));
    const changing = codeOf(detector.setOptions({ scoreThreshold: 0.4 }));
    assert.deepEqual(await Promise.all([running, waiting, next, changing]), [
      'none',
      'AbortError',
      'none',
      'none',
    ]);
    detector.close();
  });

  for (const options of [
    { worker: true, threads: 2 },
    { pool: 2, threads: 2 },
  ])
    test(`${JSON.stringify(options)}: classes may change while threads run`, async () => {
      const detector = await ObjectDetector.create(options);
      for (const label of ['Cat', 'Dog', 'Cat']) {
        await detector.setOptions({ classes: { allow: [label] } });
        await sleep(30); // the threads of the network before end now
        const calls = [detector.detect(CAT), detector.detect(CAT)];
        for (const call of calls) assert.deepEqual(await labelsOf(call), label === 'Cat' ? ['Cat'] : []);
      }
      detector.close();
    });
});

describe('extractBatch', () => {
  test('has the list at the time of the call, and refuses holes and lists that are too long', async () => {
    const extractor = await FeatureExtractor.create();
    const list = [CAT];
    const call = extractor.extractBatch(list);
    list.push(PERSON);
    assert.deepEqual((await call).shape, [1, 1280]);
    assert.equal(await codeOf(extractor.extractBatch(Array(2))), 'INVALID_INPUT');
    assert.equal(await codeOf(extractor.extractBatch(Array(1e6).fill(CAT))), 'INVALID_INPUT');
    extractor.close();
  });

  for (const form of HERE_AND_THERE)
    test(`of which several images are refused leaves no error unhandled: ${JSON.stringify(form)}`, async () => {
      const extractor = await FeatureExtractor.create({
        ...{ model: testData('models/mobilenet_v2_features.fp16.tflite'), input: '[-1,1]' },
        ...form,
      });
      const call = extractor.extractBatch(['/missing', { data: new Uint8Array(3), width: 0, height: 1 }]);
      assert.equal(await codeOf(call), 'INVALID_INPUT');
      await sleep(30); // the file is not found meanwhile
      extractor.close();
    });
});
