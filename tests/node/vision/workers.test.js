// `worker: true` and `pool`: the same answers and errors as in this thread, while the event loop turns; what happens when a
// worker ends; the queue.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { host } from '../../../wasm/engine/host.js';
import {
  FeatureExtractor,
  ImageClassifier,
  ObjectDetector,
  useDecoder,
} from '../../../wasm/platform/node.js';
import { resolveReading } from '../../../wasm/vision/reading.js';
import { COMPRESSED_MODEL, DEFAULT_MODEL, packagePhoto, packagePhotoPath, testData } from '../shared.js';
import { kill, untilEnded, watchWorkers } from './workers.js';

/** @typedef {import('../../../wasm/vision/types.js').DetectorOptions & import('../../../wasm/vision/types.js').Thresholds} Options */

const PHOTO = packagePhoto('astronaut.png');
const LOW = { scoreThreshold: 0.3, deterministic: true };
const CLASSIFYING = {
  model: testData('models/mobilenet_v1_classifier.fp32.tflite'),
  input: { scale: 1 / 127.5, offset: -1, resize: /** @type {const} */ ('half-pixel') },
};
const ENTRY = new URL('../../../wasm/platform/node.js', import.meta.url).href;
const sandbox = mkdtempSync(join(tmpdir(), 'ocelli-workers-'));
after(() => rmSync(sandbox, { recursive: true, force: true }));

/** @param {Options} [options] */
const watchDetector = (options) => watchWorkers(() => ObjectDetector.create({ ...LOW, ...options }));

/** The code or name of what a promise rejects with. @param {Promise<unknown>} promise */
const codeOf = (promise) =>
  promise.then(
    () => 'none',
    (error) => error.code ?? error.name,
  );

/** What every kind of call answers, without its times. @param {ObjectDetector} detector */
async function useAll(detector) {
  const { data, width, height } = {
    data: new Uint8Array(64 * 48 * 3).map((_, i) => i),
    width: 64,
    height: 48,
  };
  const rows = new Float32Array(30);
  const count = await detector.detectInto(PHOTO, rows);
  const tensor = new Float32Array(300 * 300 * 3).fill(0.25);
  const { operators } = await detector.profile(PHOTO);
  return [
    (await detector.detect(PHOTO, { features: 'both', roi: { x: 9, y: 9, width: 400, height: 400 } }))
      .detections,
    (await detector.detect(new Blob([PHOTO]), { rotation: 90 })).detections,
    (await detector.detect({ data, width, height }, { scoreThreshold: 0 })).detections,
    (await detector.heads({ tensor })).heads,
    ...[rows, count, operators.map(({ output, multiplyAdds }) => [output, multiplyAdds])],
    ...[detector.labels, detector.precision],
  ];
}

describe('in a worker', () => {
  for (const options of [
    { worker: true },
    { worker: true, threads: 2 },
    { pool: 2 },
    { pool: 2, threads: 2 },
  ])
    test(`${JSON.stringify(options)}: every call answers as in this thread`, async () => {
      const { threads = 1 } = options;
      const here = await ObjectDetector.create({ ...LOW, threads });
      const there = await ObjectDetector.create({ ...LOW, ...options });
      assert.deepEqual(await useAll(there), await useAll(here));
      assert.deepEqual(there.variant, here.variant);
      here.close();
      there.close();
    });

  test('the extractor and the classifier, too', async () => {
    const images = [PHOTO, packagePhoto('chelsea.png'), PHOTO];
    const floats = {
      data: new Float32Array(2 * 32 * 32 * 3).map((_, i) => (i % 7) / 7),
      shape: [2, 32, 32, 3],
    };
    const answers = [];
    for (const worker of [false, true]) {
      const extractor = await FeatureExtractor.create({ deterministic: true, worker });
      const classifier = await ImageClassifier.create({ ...CLASSIFYING, deterministic: true, worker });
      answers.push([
        (await extractor.extractBatch(images)).data,
        (await extractor.extractBatch(floats)).data,
        (await classifier.classify(PHOTO)).classes,
      ]);
      extractor.close();
      classifier.close();
    }
    assert.deepEqual(answers[1], answers[0]);
  });

  test('a decoder that is passed decodes, in this thread, whenever it is passed', async () => {
    const file = Buffer.from(`RIFF\0\0\0\0WEBPVP8X\x0a${'\0'.repeat(13)}`, 'latin1'); // 1 x 1
    const data = new Uint8Array(4 * 64 * 48).map((_, i) => i);
    const detectors = [];
    for (const where of [{}, { worker: true }, { pool: 2 }])
      detectors.push(await ObjectDetector.create({ ...LOW, ...where, scoreThreshold: 0 }));
    // Its fields are those of its prototype, as an ImageData's.
    class Picture {
      get data() {
        return data;
      }
      get width() {
        return 64;
      }
      get height() {
        return 48;
      }
    }
    const answers = [
      () => new Picture(),
      () => undefined,
      () => ({ data, width: 3, height: 3 }),
      () => ({ data, width: 64, height: 48, more: () => {} }),
      () => Promise.reject(new Error('not today')),
      () => Promise.reject(new DOMException('aborted', 'AbortError')),
      () => Promise.reject(undefined),
    ];
    for (const answer of answers) {
      /** @type {number[][]} */
      const given = [];
      useDecoder('webp', (bytes) => {
        given.push([...new Uint8Array(bytes)]);
        return /** @type {any} */ (answer());
      });
      /** @type {object[]} */
      const results = await Promise.all(
        detectors.map((detector) =>
          detector.detect(file).then(
            ({ detections, size }) => ({ detections, size }),
            ({ code, message }) => ({ code, message }),
          ),
        ),
      );
      assert.deepEqual(results, Array(3).fill(results[0]));
      assert.deepEqual(given, Array(3).fill([...file]));
    }
    assert.equal(data.length, 4 * 64 * 48, 'its memory stays its own');
    for (const detector of detectors) detector.close();
  });

  test('the event loop turns while the network runs', async () => {
    const turns = [];
    for (const worker of [false, true]) {
      const detector = await ObjectDetector.create({ worker });
      await detector.detect(PHOTO);
      let count = 0;
      let isRunning = true;
      const turn = () => {
        count++;
        if (isRunning) setImmediate(turn);
      };
      setImmediate(turn);
      await detector.detect(PHOTO);
      isRunning = false;
      turns.push(count);
      detector.close();
    }
    assert.ok(turns[0] <= 1 && turns[1] >= 10, String(turns));
  });

  test('an input is taken when the call is made, whatever becomes of it afterwards', async () => {
    const detector = await ObjectDetector.create({ ...LOW, worker: true });
    const width = 300;
    const data = new Uint8Array(width * width * 3).map((_, i) => (i * 7) & 255);
    const tensor = new Float32Array(width * width * 3).map((_, i) => Math.sin(i));
    const expected = [
      (await detector.heads({ data, width, height: width })).heads,
      (await detector.heads({ tensor })).heads,
    ];
    const busy = detector.detect(PHOTO);
    const waiting = [detector.heads({ data, width, height: width }), detector.heads({ tensor })];
    await new Promise(setImmediate);
    data.fill(0);
    tensor.fill(0);
    assert.deepEqual(
      (await Promise.all(waiting)).map(({ heads }) => heads),
      expected,
    );
    await busy;
    assert.equal(data.length, width * width * 3);
    detector.close();
  });

  test('a model by path, URL, bytes, part of a larger buffer and Blob', async () => {
    const path = CLASSIFYING.model;
    const bytes = new Uint8Array(readFileSync(path));
    const larger = new Uint8Array(bytes.length + 100);
    larger.set(bytes, 50);
    const part = larger.subarray(50, 50 + bytes.length);
    const url = pathToFileURL(path);
    const here = await ImageClassifier.create({ ...CLASSIFYING, deterministic: true });
    const expected = (await here.classify(PHOTO)).classes;
    for (const model of [path, url, url.href, bytes, bytes.buffer, part, new Blob([bytes])]) {
      const there = await ImageClassifier.create({ ...CLASSIFYING, deterministic: true, pool: 2, model });
      assert.deepEqual((await there.classify(PHOTO)).classes, expected);
      there.close();
    }
    here.close();
    assert.equal(bytes.length, larger.length - 100);
  });
});

describe('errors are those of this thread', () => {
  /** @type {any[]} */
  const creations = [
    { model: join(sandbox, 'missing') },
    { model: PHOTO },
    { model: new Uint8Array(0) },
    { model: 5 },
    { model: () => {} },
    { labels: join(sandbox, 'missing') },
    { labels: ['a', 'b'] },
    { labels: [() => {}] },
    { classes: { allow: ['Zebra'] } },
    { ssd: { anchors: [[1, 2]] } },
    { assetsUrl: 'no url' },
    { assetsUrl: 'file:///nowhere/' },
  ];
  for (const [i, options] of creations.entries())
    test(`create ${i}: ${Object.keys(options)}`, async () => {
      const expected = await codeOf(ObjectDetector.create(options));
      for (const where of [{ worker: true }, { pool: 2 }]) {
        const { result, workers } = await watchWorkers(() =>
          codeOf(ObjectDetector.create({ ...options, ...where })),
        );
        assert.equal(result, expected);
        await untilEnded(workers);
      }
    });

  /** @type {[any, any?][]} */
  const calls = [
    [new Uint8Array(9)],
    [new Uint8Array(0)],
    [PHOTO.subarray(0, 2000)],
    [null],
    [() => {}],
    [{ data: new Uint8Array(5), width: 2, height: 2 }],
    [{ data: new Float32Array(5), shape: () => {} }],
    [{ tensor: () => {} }],
    [{ tensor: new Float32Array(5) }],
    [{ tensor: new DataView(new ArrayBuffer(8)) }],
    [PHOTO, { roi: { x: 0, y: 0, width: 9999, height: 9 } }],
    [PHOTO, { rotation: 45 }],
  ];
  test('of calls, and the worker goes on', async () => {
    const here = await ObjectDetector.create(LOW);
    const { result: there, workers } = await watchDetector({ worker: true });
    for (const [input, options] of calls)
      for (const method of /** @type {const} */ (['detect', 'heads']))
        assert.equal(await codeOf(there[method](input, options)), await codeOf(here[method](input, options)));
    assert.deepEqual((await there.detect(PHOTO)).detections, (await here.detect(PHOTO)).detections);
    assert.equal(workers.length, 1);
    here.close();
    there.close();
  });

  test('of pool and maxQueue', async () => {
    for (const options of /** @type {any[]} */ ([
      { pool: 0 },
      { pool: 65 },
      { pool: 1.5 },
      { pool: '2' },
      { pool: null },
      { pool: 2, worker: false },
      { pool: 2, maxQueue: -1 },
      { pool: 2, maxQueue: Infinity },
      { maxQueue: 5 },
      { worker: true, maxQueue: 5 },
    ]))
      await assert.rejects(ObjectDetector.create(options), {
        code: 'INVALID_OPTION',
        message: /pool|maxQueue/,
      });
  });
});

describe('loading', () => {
  for (const where of [{ worker: true }, { pool: 3 }]) {
    test(`tells its progress once, ${JSON.stringify(where)}`, async () => {
      /** @type {{loaded: number, total?: number}[]} */
      const calls = [];
      const detector = await ObjectDetector.create({ ...where, onProgress: (step) => calls.push(step) });
      const { length } = readFileSync(COMPRESSED_MODEL);
      assert.deepEqual(calls.at(-1), { loaded: length, total: length });
      assert.ok(calls.every(({ loaded }, i) => loaded > (calls[i - 1]?.loaded ?? 0)));
      detector.close();
    });

    test(`can be cancelled, ${JSON.stringify(where)}`, async () => {
      const reason = new Error('enough');
      const late = new AbortController();
      const cancelled = [
        { signal: AbortSignal.abort(reason) },
        { signal: late.signal, onProgress: () => late.abort(reason) },
      ];
      for (const options of cancelled) {
        const { result, workers } = await watchWorkers(() =>
          ObjectDetector.create({ ...where, ...options }).catch((error) => error),
        );
        assert.equal(result, reason);
        await untilEnded(workers);
      }
    });
  }

  test('a pool fetches each file once', async () => {
    /** @type {Record<string, number>} */
    const requests = {};
    const names = Array.from({ length: 23 }, (_, i) => `name ${i}`);
    const server = createServer(({ url = '' }, response) => {
      requests[url] = (requests[url] ?? 0) + 1;
      response.end(url === '/model' ? readFileSync(DEFAULT_MODEL) : names.join('\n'));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    const base = `http://127.0.0.1:${port}`;
    const { result: detector, workers } = await watchDetector({
      ...{ pool: 3, model: new URL(`${base}/model`), labels: `${base}/labels` },
    });
    assert.deepEqual(requests, { '/model': 1, '/labels': 1 });
    const find = async () => (await detector.detect(PHOTO)).detections.map(({ label }) => label);
    const expected = await find();
    assert.match(expected[0], /^name/);
    server.close();
    server.closeAllConnections();
    await kill(...workers); // and what starts anew fetches none
    assert.deepEqual(await Promise.all([find(), find(), find()]), [expected, expected, expected]);
    detector.close();
  });

  test('all instances of a pool choose the same precision', async () => {
    const { result: detector, workers } = await watchDetector({
      pool: 2,
      precision: 'auto',
      deterministic: false,
    });
    const { precision } = detector;
    const answers = await Promise.all([1, 2, 3, 4].map(() => detector.detect(PHOTO)));
    for (const { detections } of answers) assert.deepEqual(detections, answers[0].detections);
    assert.ok(workers.every(({ answers }) => answers > 0));
    assert.ok(['float', 'int8'].includes(precision));
    detector.close();
  });
});

describe('a worker that ends', () => {
  for (const threads of [1, 2])
    test(`fails its call only; the next call starts a new one, threads: ${threads}`, async () => {
      const { result: detector, workers } = await watchDetector({ worker: true, threads });
      const expected = (await detector.detect(PHOTO)).detections;
      for (let i = 0; i < 2 * threads; i++) {
        await Promise.all(workers.map(({ started }) => started));
        const victim = /** @type {import('./workers.js').Watched} */ (workers.at(i % 2 ? -1 : 0));
        const { result, workers: started } = await watchWorkers(async () => {
          const next = async () => (await detector.detect(PHOTO)).detections;
          const calls = [codeOf(detector.detect(PHOTO)), next()];
          await new Promise(setImmediate);
          await kill(victim);
          return Promise.all(calls);
        });
        assert.deepEqual(result, ['WORKER_LOST', expected]);
        await untilEnded(workers.splice(0));
        workers.push(...started);
      }
      detector.close();
    });

  test('while it is idle, is replaced', async () => {
    const { result: detector, workers } = await watchDetector({ pool: 2 });
    const expected = (await detector.detect(PHOTO)).detections;
    await kill(...workers);
    const answers = await Promise.all([1, 2, 3].map(() => detector.detect(PHOTO)));
    for (const { detections } of answers) assert.deepEqual(detections, expected);
    detector.close();
  });

  test('has the classes that were set last when it starts again', async () => {
    const { result: detector, workers } = await watchDetector({ pool: 2, scoreThreshold: 0.01 });
    await detector.setOptions({ classes: { allow: ['Bottle'] } });
    const expected = (await detector.detect(PHOTO)).detections;
    assert.ok(expected.length > 0 && expected.every(({ label }) => label === 'Bottle'));
    await kill(...workers);
    const answers = await Promise.all([1, 2, 3].map(() => detector.detect(PHOTO)));
    for (const { detections } of answers) assert.deepEqual(detections, expected);
    detector.close();
  });

  test('and cannot be started again: the call says why, and a later one works', async () => {
    const model = join(sandbox, 'model');
    writeFileSync(model, readFileSync(DEFAULT_MODEL));
    const { result: detector, workers } = await watchDetector({ worker: true, model });
    const expected = (await detector.detect(PHOTO)).detections;
    rmSync(model);
    await kill(...workers);
    assert.equal(await codeOf(detector.detect(PHOTO)), 'MODEL_NOT_FOUND');
    writeFileSync(model, readFileSync(DEFAULT_MODEL));
    assert.deepEqual((await detector.detect(PHOTO)).detections, expected);
    detector.close();
  });
});

describe('close', () => {
  test('ends the workers and fails the calls that run and wait', async () => {
    for (const options of [{ worker: true }, { pool: 2 }, { pool: 2, threads: 2 }]) {
      const { result: detector, workers } = await watchDetector(options);
      const calls = [1, 2, 3, 4].map(() => codeOf(detector.detect(PHOTO)));
      await new Promise(setImmediate);
      detector.close();
      detector.close();
      assert.deepEqual(await Promise.all(calls), ['CLOSED', 'CLOSED', 'CLOSED', 'CLOSED']);
      await assert.rejects(detector.detect(PHOTO), { code: 'CLOSED' });
      await untilEnded(workers);
    }
  });

  test('while a worker starts anew', async () => {
    const { result: detector, workers } = await watchDetector({ worker: true });
    await kill(...workers);
    const { workers: started } = await watchWorkers(async () => {
      const call = codeOf(detector.detect(PHOTO));
      await new Promise(setImmediate);
      detector.close();
      assert.equal(await call, 'CLOSED');
    });
    await untilEnded(started);
  });
});

describe('the queue of a pool', () => {
  test('refuses at once what is too much, and takes calls again', async () => {
    const { result: detector, workers } = await watchDetector({ pool: 2, maxQueue: 1 });
    for (let round = 0; round < 2; round++) {
      const calls = Array.from({ length: 5 }, () => codeOf(detector.detect(PHOTO)));
      const first = await Promise.race(calls);
      assert.equal(first, 'QUEUE_FULL');
      assert.deepEqual(await Promise.all(calls), ['none', 'none', 'none', 'QUEUE_FULL', 'QUEUE_FULL']);
    }
    assert.ok(
      workers.every(({ answers }) => answers > 0),
      'both instances work',
    );
    detector.close();
  });

  test('may be of no length', async () => {
    const detector = await ObjectDetector.create({ pool: 1, maxQueue: 0 });
    const calls = [codeOf(detector.detect(PHOTO)), codeOf(detector.detect(PHOTO))];
    assert.deepEqual(await Promise.all(calls), ['none', 'QUEUE_FULL']);
    assert.equal(await codeOf(detector.detect(PHOTO)), 'none');
    detector.close();
  });

  test('is first come, first served', async () => {
    const detector = await ObjectDetector.create({ pool: 1 });
    /** @type {number[]} */
    const order = [];
    // A Blob takes longer to read than bytes; the second call is running by then.
    const inputs = [PHOTO, PHOTO, new Blob([PHOTO]), PHOTO, new Blob([PHOTO]), PHOTO];
    await Promise.all(inputs.map((input, i) => detector.detect(input).then(() => order.push(i))));
    assert.deepEqual(order, [0, 1, 2, 3, 4, 5]);
    detector.close();
  });

  test('a call that fails frees its place', async () => {
    const detector = await ObjectDetector.create({ pool: 1, maxQueue: 0 });
    for (let i = 0; i < 3; i++) {
      assert.equal(await codeOf(detector.detect(new Uint8Array(9))), 'UNSUPPORTED_IMAGE_FORMAT');
      assert.equal(await codeOf(detector.detect(/** @type {any} */ (5))), 'INVALID_INPUT');
    }
    assert.equal(await codeOf(detector.detect(PHOTO)), 'none');
    detector.close();
  });

  test('has the memory of all instances', async () => {
    const alone = await ObjectDetector.create({ worker: true });
    const together = await ObjectDetector.create({ pool: 3 });
    const { totalBytes, liveBytes } = alone.memoryUse;
    assert.deepEqual(together.memoryUse, { totalBytes: 3 * totalBytes, liveBytes: 3 * liveBytes });
    alone.close();
    together.close();
  });

  test('one request can go to every instance, between the other calls', async () => {
    /** @type {import('../../../wasm/engine/host.js').Host & import('../../../wasm/vision/types.js').WorkerHost} */
    const { startWorker } = host();
    assert.ok(startWorker);
    const { result: session, workers } = await watchWorkers(() => startWorker({ task: 'detect', pool: 3 }));
    /** @type {import('../../../wasm/vision/types.js').Request} */
    const request = { kind: 'heads', inputs: [PHOTO], turns: 0, exact: false, reading: resolveReading({}) };
    const before = [1, 2, 3, 4].map(() => session.run(request));
    const about = { ...request, kind: /** @type {const} */ ('facts'), inputs: [] };
    const all = session.runOnAll(about);
    const later = session.run(request);
    const answers = await all;
    for (const { result } of answers) assert.deepEqual(result, session.facts);
    await Promise.all([...before, later]);
    assert.equal(answers.length, 3);
    assert.equal(
      workers.reduce((sum, { requests }) => sum + requests, 0),
      8,
    );
    session.close();
    await assert.rejects(session.runOnAll(about), { code: 'CLOSED' });
  });
});

describe('the process', () => {
  const photo = packagePhotoPath('chelsea.png');
  const body = `
    const { ObjectDetector } = await import(${JSON.stringify(ENTRY)});
    const detector = await ObjectDetector.create(OPTIONS);
    const photo = require('node:fs').readFileSync(${JSON.stringify(photo)});
    detector.detect(photo).then(({ detections: [{ label }] }) => console.log(label));
  `;
  const script = (/** @type {string} */ options) => body.replace('OPTIONS', options);
  const asModule = (/** @type {string} */ options) =>
    `import { createRequire } from 'node:module'; const require = createRequire(${JSON.stringify(ENTRY)}); ${script(options)}`;

  /** @param {string[]} args */
  function run(args) {
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: sandbox });
    assert.deepEqual({ stdout, stderr, status }, { stdout: 'Cat\n', stderr: '', status: 0 });
  }

  for (const options of ['{ worker: true }', '{ worker: true, threads: 2 }', '{ pool: 2 }'])
    test(`lives until the call is answered, and then ends without close: ${options}`, () =>
      run(['--input-type=module', '--eval', asModule(options)]));

  test('of a CommonJS file', () => {
    writeFileSync(join(sandbox, 'main.cjs'), `(async () => {${script('{ pool: 2, threads: 2 }')}})()`);
    run(['main.cjs']);
  });

  test('with a loader of modules', () => {
    const hooks = 'export const load = (url, context, next) => next(url, context);';
    writeFileSync(join(sandbox, 'hooks.mjs'), hooks);
    writeFileSync(
      join(sandbox, 'register.mjs'),
      "import { register } from 'node:module'; register('./hooks.mjs', import.meta.url);",
    );
    writeFileSync(join(sandbox, 'main.mjs'), asModule('{ worker: true, threads: 2 }'));
    run(['--import', './register.mjs', 'main.mjs']);
  });

  test('in a worker thread of the user’s own', () => {
    writeFileSync(join(sandbox, 'inner.mjs'), asModule('{ pool: 2 }'));
    writeFileSync(
      join(sandbox, 'outer.mjs'),
      "import { Worker } from 'node:worker_threads'; new Worker(new URL('./inner.mjs', import.meta.url));",
    );
    run(['outer.mjs']);
  });
});
