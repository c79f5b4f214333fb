// The package in real workerd: what it answers, what it refuses, how much memory it takes.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ObjectDetector } from '../../wasm/platform/node.js';
import { encodePng } from '../../wasm/draw/png.js';
import { packagePhoto } from '../node/shared.js';
import { bundle, start } from './app.js';

const MIB = 2 ** 20;
const PHOTO = packagePhoto('astronaut.png');

/** Each route a use of the package; an error is answered by its code. */
const APP = `
import { decodeImage, FeatureExtractor, ImageClassifier, ObjectDetector } from 'ocelli';
import full from 'ocelli/models/ssd_mobilenet_v2_oidv4.bin';
import simd from 'ocelli/wasm/ocelli-simd.wasm';

const options = { scoreThreshold: 0.3 };
const detector = await ObjectDetector.create(options);

const routes = {
  '/variant': () => detector.variant,
  '/detect': async (bytes) => (await detector.detect(bytes)).detections,
  '/text': () => detector.detect('https://example.com/photo.jpg'),
  '/assets': () => ObjectDetector.create({ assetsUrl: 'https://example.com/' }),
  '/path': () => ObjectDetector.create({ model: 'model.tflite' }),
  '/page': () => new Promise((resolve) => resolve(detector.video({}))),
  async '/sources'(bytes) {
    const stream = new Response(bytes).body;
    const used = new Response(bytes);
    await used.arrayBuffer();
    const inputs = [new Response(bytes), stream, new Blob([bytes]), used, new Response('', { status: 404 }), stream];
    const found = [];
    for (const input of inputs)
      found.push(await detector.detect(input).then(({ detections }) => detections[0].label, ({ code }) => code));
    await detector.setOptions({ classes: { allow: ['Bottle'] } });
    found.push(...(await detector.detect(bytes)).detections.map(({ label }) => label));
    await detector.setOptions({ classes: null });
    return found;
  },
  '/memory': () => detector.memoryUse,
  '/exports': () => [full.byteLength, WebAssembly.Module.exports(simd).length > 0],
  async '/deterministic'(bytes) {
    using plain = await ObjectDetector.create({ ...options, deterministic: true });
    return (await plain.detect(bytes)).detections;
  },
  async '/embed'(bytes) {
    using extractor = await FeatureExtractor.create({ deterministic: true });
    return Array.from((await extractor.extract(bytes)).features);
  },
  async '/size'(bytes) {
    const { width, height } = await decodeImage(bytes);
    return { width, height };
  },
  '/int8': () => ObjectDetector.create({ precision: 'int8' }),
  '/weights': () => ObjectDetector.create({ weights: 'full' }),
  async '/full'(bytes) {
    using published = await ObjectDetector.create({ ...options, model: full });
    return (await published.detect(bytes)).detections;
  },
  async '/auto'() {
    using automatic = await ObjectDetector.create({ precision: 'auto' });
    return automatic.precision;
  },
  '/pool': () => ObjectDetector.create({ pool: 2 }),
  '/aborted': (bytes) => detector.detect(bytes, { signal: AbortSignal.abort(new Error('enough')) }),
  '/limited': async (bytes) =>
    (await detector.detect(bytes, { signal: new AbortController().signal, timeoutMs: 1e6 })).detections,
  '/classify': () => ImageClassifier.create({ model: new Uint8Array(7) }),
};

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    try {
      if (pathname === '/request') return Response.json((await detector.detect(request)).detections);
      return Response.json(await routes[pathname](await request.arrayBuffer()));
    } catch (error) {
      return Response.json({ code: error.code, message: error.message }, { status: 422 });
    }
  },
};
`;

describe('in workerd', () => {
  /** @type {import('miniflare').Miniflare} */
  let worker;
  /** @type {{[path: string]: any}} what the package says in Node */
  const expected = {};

  before(async () => {
    const { out } = await bundle('uses', APP);
    worker = start(out, { inspectorPort: 0 });
    await worker.ready;
    for (const [name, own] of /** @type {const} */ ([
      ['detect', {}],
      ['deterministic', { deterministic: true }],
      ['full', { weights: 'full' }],
    ])) {
      using detector = await ObjectDetector.create({ scoreThreshold: 0.3, ...own });
      expected[name] = (await detector.detect(PHOTO)).detections;
    }
  });
  after(() => worker.dispose());

  /** @param {string} path @param {Uint8Array} [body] @returns {Promise<any>} */
  async function post(path, body = PHOTO) {
    const response = await worker.dispatchFetch(`http://edge${path}`, { method: 'POST', body });
    return response.json();
  }

  test('the variant is relaxed SIMD, and its detections are Node’s to the last bit', async () => {
    assert.deepEqual(await post('/variant'), { name: 'relaxed', threads: 1 });
    assert.deepEqual(await post('/detect'), JSON.parse(JSON.stringify(expected.detect)));
  });

  test('a Request, a Response, streams; options that change', async () => {
    assert.deepEqual(await post('/request'), JSON.parse(JSON.stringify(expected.detect)));
    assert.equal((await post('/request', new Uint8Array(0))).code, 'IMAGE_EMPTY');
    const answers = ['Person', 'Person', 'Person', 'BODY_USED', 'IMAGE_NOT_FOUND', 'BODY_USED', 'Bottle'];
    assert.deepEqual(await post('/sources'), answers);
    const { code, message } = await post('/text');
    assert.equal(code, 'INVALID_INPUT');
    assert.match(message, /await fetch\(url\)/);
    assert.equal((await post('/assets')).code, 'INVALID_OPTION');
    assert.equal((await post('/path')).code, 'MODEL_NOT_FOUND');
    assert.equal((await post('/page')).code, 'INVALID_INPUT');
    assert.deepEqual(await post('/detect'), JSON.parse(JSON.stringify(expected.detect)));
  });

  test('the deterministic variant as well', async () => {
    assert.deepEqual(await post('/deterministic'), JSON.parse(JSON.stringify(expected.deterministic)));
  });

  test('modules and models are importable by themselves', async () => {
    assert.deepEqual(await post('/exports'), [9987728, true]);
    assert.deepEqual(await post('/full'), JSON.parse(JSON.stringify(expected.full)));
  });

  test('the upload has the compressed weights only, and wrangler makes less than 3 MB of it', async () => {
    const { code, message } = await post('/weights');
    assert.equal(code, 'INVALID_OPTION');
    assert.match(message, /ssd_mobilenet_v2_oidv4\.bin/);
    const plain = `import { ObjectDetector } from 'ocelli';
      const detector = await ObjectDetector.create();
      export default { fetch: async (request) => Response.json(await detector.detect(request)) };`;
    const { stdout } = await bundle('plain', plain);
    const [, kib] = /gzip: ([\d.]+) KiB/.exec(stdout) ?? [];
    assert.ok(1024 * Number(kib) < 3e6, stdout);
  });

  test('features, sizes', async () => {
    assert.equal((await post('/embed')).length, 1280);
    assert.deepEqual(await post('/size'), { width: 512, height: 512 });
  });

  test('the upload has no 8-bit twin, so that auto is float', async () => {
    assert.equal(await post('/auto'), 'float');
    assert.equal((await post('/int8')).code, 'INVALID_OPTION');
  });

  test('a pool is refused', async () => {
    const { code, message } = await post('/pool');
    assert.equal(code, 'WORKER_UNAVAILABLE');
    assert.match(message, /pool needs workers/);
  });

  test('a call may have a signal and a time', async () => {
    assert.equal((await post('/aborted')).message, 'enough');
    assert.deepEqual(await post('/limited'), JSON.parse(JSON.stringify(expected.detect)));
  });

  test('what cannot be used is named, and the next call works', async () => {
    const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);
    assert.equal((await post('/detect', bytes)).code, 'UNSUPPORTED_IMAGE_FORMAT');
    assert.equal((await post('/detect', PHOTO.subarray(0, 1000))).code, 'IMAGE_CORRUPT');
    assert.equal((await post('/detect', new Uint8Array(0))).code, 'IMAGE_EMPTY');
    assert.equal((await post('/classify')).code, 'MODEL_TRUNCATED');
    assert.deepEqual(await post('/detect'), JSON.parse(JSON.stringify(expected.detect)));
  });

  test('with a photo of four megapixels all memory is at most 96 MiB', async () => {
    const data = Uint8Array.from({ length: 2000 * 2000 * 3 }, (_, i) => (i % 6000) >> 5);
    await post('/detect', encodePng({ data, width: 2000, height: 2000, channels: 3 }));
    const { totalBytes } = await post('/memory');
    const heap = await heapUse(await worker.getInspectorURL());
    const sum = totalBytes + 9987728 + heap;
    assert.ok(
      sum <= 96 * MIB,
      `${totalBytes / MIB} of the module, ${heap / MIB} of JavaScript, 9.5 of the model`,
    );
  });
});

/**
 * Bytes of JavaScript's heap, by the inspector.
 * @param {URL} url
 * @returns {Promise<number>}
 */
async function heapUse(url) {
  const socket = new WebSocket(new URL('./core:user:', url));
  await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }));
  socket.send(JSON.stringify({ id: 1, method: 'Runtime.getHeapUsage' }));
  const event = await new Promise((resolve) => socket.addEventListener('message', resolve, { once: true }));
  socket.close();
  return JSON.parse(/** @type {any} */ (event).data).result.totalSize;
}
