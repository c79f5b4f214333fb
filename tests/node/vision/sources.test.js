// Where images and models may come from: paths, URLs, responses, requests, streams. Each gives what the bytes give, or an
// error that says what would work.
import assert from 'node:assert/strict';
import { createReadStream, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { decodeImage, FeatureExtractor, ObjectDetector } from '../../../wasm/platform/node.js';
import { COMPRESSED_MODEL, packagePhoto, packagePhotoPath } from '../shared.js';

const PATH = packagePhotoPath('chelsea.png');
const PHOTO = packagePhoto('chelsea.png');
const FOLDER = `${fileURLToPath(new URL('../../../build', import.meta.url))}/sources test %20#?/`;
const DIST = fileURLToPath(new URL('../../../dist', import.meta.url));

/** @type {ObjectDetector} */ let detector;
/** @type {import('node:http').Server} */ let server;
/** @type {string} */ let url;
/** @type {unknown} */ let expected;
before(async () => {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(`${FOLDER}photo.png`, PHOTO);
  symlinkSync(DIST, `${FOLDER}assets`);
  detector = await ObjectDetector.create();
  expected = (await detector.detect(PHOTO)).detections;
  server = createServer(answer).listen();
  await new Promise((resolve) => server.once('listening', resolve));
  url = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`;
});
after(() => {
  detector.close();
  server.closeAllConnections();
  server.close();
  rmSync(FOLDER, { recursive: true });
});

/**
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 */
async function answer(request, response) {
  const path = String(request.url);
  if (path === '/posted') {
    const found = await detector.detect(request).catch(({ code }) => ({ code }));
    response.end(JSON.stringify(found));
  } else if (path === '/photo.png') response.end(PHOTO);
  else if (path === '/page') response.setHeader('content-type', 'text/html').end('<!doctype html>');
  else if (path === '/broken') {
    response.writeHead(200, { 'content-length': PHOTO.length });
    response.write(PHOTO.subarray(0, 5000), () => response.destroy());
  } else if (path.startsWith('/dist/')) createReadStream(join(DIST, path.slice(6))).pipe(response);
  else response.writeHead(404).end();
}

/** @param {Uint8Array[]} chunks */
const toStream = (chunks, /** @type {unknown} */ error = undefined) =>
  new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      if (error) controller.error(error);
      else controller.close();
    },
  });
const byteStream = () =>
  new ReadableStream({
    type: 'bytes',
    start(controller) {
      controller.enqueue(new Uint8Array(PHOTO));
      controller.close();
    },
  });
const halves = () => [new Uint8Array(PHOTO.subarray(0, 999)), new Uint8Array(PHOTO.subarray(999))];
const post = (/** @type {BodyInit} */ body) =>
  new Request('http://a.example/', /** @type {any} */ ({ method: 'POST', body, duplex: 'half' }));

describe('an image', () => {
  /** @type {Record<string, () => any>} */
  const inputs = {
    'a path': () => PATH,
    'a relative path': () => relative(process.cwd(), PATH),
    'a path with signs of a URL in it': () => `${FOLDER}photo.png`,
    'a file: URL': () => pathToFileURL(`${FOLDER}photo.png`),
    'a file: URL as text': () => pathToFileURL(`${FOLDER}photo.png`).href,
    'an http: URL': () => new URL(`${url}/photo.png`),
    'an http: URL as text': () => `${url}/photo.png`,
    'a data: URL': () => new URL(`data:image/png;base64,${PHOTO.toString('base64')}`),
    'a data: URL as text': () => `data:image/png;base64,${PHOTO.toString('base64')}`,
    'a blob: URL': () => URL.createObjectURL(new Blob([new Uint8Array(PHOTO)])),
    'a Buffer': () => PHOTO,
    'a Blob': () => new Blob([new Uint8Array(PHOTO)]),
    'a File': () => new File([new Uint8Array(PHOTO)], 'a.png'),
    'a Response': () => new Response(new Uint8Array(PHOTO)),
    'a fetched Response': () => fetch(`${url}/photo.png`),
    'a Request': () => post(new Uint8Array(PHOTO)),
    'a Request with a stream': () => post(toStream(halves())),
    'a ReadableStream': () => toStream(halves()),
    'a ReadableStream of bytes': byteStream,
    'a ReadableStream with empty chunks': () => toStream([new Uint8Array(), ...halves(), new Uint8Array()]),
    'a stream of a file': () => createReadStream(PATH),
    'a stream of Node': () => Readable.from(halves(), { objectMode: false }),
    'an async generator': async function* () {
      yield* halves();
    },
    'an async generator that reuses its buffer': async function* () {
      const buffer = new Uint8Array(1000);
      for (let at = 0; at < PHOTO.length; at += 1000) {
        const part = PHOTO.subarray(at, at + 1000);
        buffer.set(part);
        yield buffer.subarray(0, part.length);
      }
    },
    'something of another realm': () => {
      const response = new Response(new Uint8Array(PHOTO));
      // As in jsdom or Jest: the same tag, another class.
      return { [Symbol.toStringTag]: 'Response', ok: true, headers: response.headers, body: response.body };
    },
  };
  for (const [name, make] of Object.entries(inputs)) {
    test(`from ${name}`, async () => {
      const input = await (name.includes('generator') ? make() : make());
      const { detections, size } = await detector.detect(input);
      assert.deepEqual(detections, expected);
      assert.deepEqual(size, { width: 451, height: 300 });
    });
  }

  test('in a batch, and for decodeImage', async () => {
    const extractor = await FeatureExtractor.create();
    const { data } = await extractor.extractBatch([PATH, new Response(new Uint8Array(PHOTO)), PHOTO]);
    const rows = [0, 1, 2].map((i) => data.slice(i * 1280, (i + 1) * 1280));
    assert.deepEqual(rows[1], rows[0]);
    assert.deepEqual(rows[2], rows[0]);
    extractor.close();
    assert.deepEqual(await decodeImage(createReadStream(PATH)), await decodeImage(PHOTO));
  });

  test('from the request of a Node server', async () => {
    const response = await fetch(`${url}/posted`, { method: 'POST', body: new Uint8Array(PHOTO) });
    assert.deepEqual((await response.json()).detections, expected);
    const empty = await fetch(`${url}/posted`, { method: 'POST' });
    assert.equal((await empty.json()).code, 'IMAGE_EMPTY');
  });
});

describe('an image that is refused', () => {
  const usedResponse = async () => {
    const response = new Response(new Uint8Array(PHOTO));
    await response.arrayBuffer();
    return response;
  };
  const usedStream = async () => {
    const stream = createReadStream(PATH);
    await stream.forEach(() => {});
    return stream;
  };
  const tensor = { dataSync() {}, data() {}, shape: [2, 2, 3], dtype: 'int32' };
  class HTMLDivElement {
    get [Symbol.toStringTag]() {
      return 'HTMLDivElement';
    }
  }
  /** @type {[string, () => any, string, RegExp][]} */
  const refused = [
    ['a path to nothing', () => 'no such photo.jpg', 'IMAGE_NOT_FOUND', /no such photo\.jpg/],
    ['a folder', () => FOLDER, 'IMAGE_NOT_FOUND', /is a directory, not a file/],
    ['an empty string', () => '', 'INVALID_INPUT', /empty/],
    ['base64', () => PHOTO.toString('base64'), 'INVALID_INPUT', /base64.*Buffer\.from/],
    ['base64 of a JPEG', () => `/9j/${'A'.repeat(300)}`, 'INVALID_INPUT', /data:image/],
    ['a URL to nothing', () => `${url}/none`, 'IMAGE_NOT_FOUND', /\/none: status 404/],
    ['a URL of a page', () => new URL(`${url}/page`), 'IMAGE_NOT_FOUND', /web page/],
    ['a server that is not there', () => 'http://127.0.0.1:1/', 'IMAGE_NOT_FOUND', /127\.0\.0\.1:1/],
    ['a file: URL of another host', () => 'file://%zz/a', 'IMAGE_NOT_FOUND', /./],
    [
      'a data: URL with an error in it',
      () => `data:image/png,${'a'.repeat(5000)}`,
      'UNSUPPORTED_IMAGE_FORMAT',
      /./,
    ],
    ['a download that breaks off', () => `${url}/broken`, 'IMAGE_NOT_FOUND', /broken/],
    ['a Response that breaks off', () => fetch(`${url}/broken`), 'READ_FAILED', /./],
    ['a Response of 404', () => fetch(`${url}/none`), 'IMAGE_NOT_FOUND', /\/none: status 404/],
    ['a Response of an error', () => Response.error(), 'IMAGE_NOT_FOUND', /status 0/],
    ['a Response with a page', () => fetch(`${url}/page`), 'IMAGE_NOT_FOUND', /web page/],
    ['a Response that was read', usedResponse, 'BODY_USED', /Response once.*clone/],
    ['a Response without a body', () => new Response(null, { status: 204 }), 'IMAGE_EMPTY', /./],
    ['an empty Response', () => new Response(''), 'IMAGE_EMPTY', /./],
    ['a Request to send', () => new Request(`${url}/photo.png`), 'INVALID_INPUT', /await fetch\(request\)/],
    ['a Request without a body', () => new Request(url, { method: 'POST' }), 'IMAGE_EMPTY', /./],
    ['a stream that fails', () => toStream(halves(), new Error('cable')), 'READ_FAILED', /cable/],
    ['a stream that fails with nothing', () => toStream([], 'x'), 'READ_FAILED', /./],
    ['an empty stream', () => toStream([]), 'IMAGE_EMPTY', /./],
    [
      'a stream of text',
      () => toStream(/** @type {any} */ (['', 'text'])),
      'INVALID_INPUT',
      /a string.*encoding/,
    ],
    [
      'a stream of objects',
      () => toStream(/** @type {any} */ ([{}])),
      'INVALID_INPUT',
      /an object instead of bytes/,
    ],
    ['a stream of a file as text', () => createReadStream(PATH, 'latin1'), 'INVALID_INPUT', /encoding/],
    ['a stream of no file', () => createReadStream('no such file'), 'READ_FAILED', /ENOENT/],
    ['a stream of Node that was read', usedStream, 'BODY_USED', /once/],
    ['a promise', () => ({ promise: Promise.resolve(PHOTO) }), 'INVALID_INPUT', /await/],
    ['numbers', () => [...PHOTO], 'INVALID_INPUT', /Uint8Array\.from/],
    ['images', () => [PHOTO, PHOTO], 'INVALID_INPUT', /once for each image/],
    ['a tf.Tensor', () => tensor, 'INVALID_INPUT', /tf\.Tensor/],
    ['floats', () => new Float64Array(12), 'INVALID_INPUT', /a Float64Array.*Float32Array\.from/],
    ['words', () => new Uint16Array(12), 'INVALID_INPUT', /view\.buffer/],
    ['a function', () => ({ call: () => PHOTO }), 'INVALID_INPUT', /call it/],
    ['an element', () => new HTMLDivElement(), 'INVALID_INPUT', /<img>/],
    ['a number', () => 5, 'INVALID_INPUT', /a number/],
    ['null', () => null, 'INVALID_INPUT', /null/],
    ['an object', () => ({}), 'INVALID_INPUT', /an object; pass the bytes/],
  ];
  for (const [name, make, code, message] of refused)
    test(name, async () => {
      const made = await make();
      const input = made?.promise ?? made?.call ?? made;
      await assert.rejects(detector.detect(input), (/** @type {any} */ error) => {
        assert.equal(error.name, 'OcelliError');
        assert.equal(error.code, code);
        assert.match(error.message, message);
        assert.ok(error.message.length < 600, 'not the whole data: URL');
        return true;
      });
      assert.deepEqual((await detector.detect(PHOTO)).detections, expected);
    });

  test('a locked stream', async () => {
    const stream = toStream(halves());
    const reader = stream.getReader();
    await assert.rejects(detector.detect(stream), { code: 'BODY_USED' });
    reader.releaseLock();
    assert.deepEqual((await detector.detect(stream)).detections, expected);
  });

  test('a Response twice', async () => {
    const response = await fetch(`${url}/photo.png`);
    await detector.detect(response.clone());
    await detector.detect(response);
    await assert.rejects(detector.detect(response), { code: 'BODY_USED' });
  });

  test('a stream without an end: it is read up to the limit, and cancelled', async () => {
    const small = await ObjectDetector.create({ maxPixels: 1000 });
    let pulled = 0;
    let isCancelled = false;
    const endless = new ReadableStream({
      pull(controller) {
        pulled += 1 << 20;
        controller.enqueue(new Uint8Array(1 << 20));
      },
      cancel() {
        isCancelled = true;
      },
    });
    await assert.rejects(small.detect(endless), { code: 'INPUT_TOO_LARGE', message: /16785216 bytes/ });
    assert.ok(isCancelled);
    assert.ok(pulled < 24 << 20, `${pulled} bytes`);
    await assert.rejects(small.detect('/dev/zero'), { code: 'INPUT_TOO_LARGE' });
    const announced = new Response(toStream(halves()), { headers: { 'content-length': '99999999' } });
    await assert.rejects(small.detect(announced), { code: 'INPUT_TOO_LARGE' });
    small.close();
  });
});

describe('a model', () => {
  const bytes = () => new Uint8Array(readFileSync(COMPRESSED_MODEL));
  /** @type {Record<string, () => any>} */
  const models = {
    'a path': () => relative(process.cwd(), COMPRESSED_MODEL),
    'a file: URL': () => pathToFileURL(COMPRESSED_MODEL),
    'an http: URL': () => `${url}/dist/models/ssd_mobilenet_v2_oidv4.gz`,
    'a Response': () => new Response(bytes()),
    'a fetched Response': () => fetch(`${url}/dist/models/ssd_mobilenet_v2_oidv4.gz`),
    'a ReadableStream': () => toStream([bytes().subarray(0, 77), bytes().subarray(77)]),
    'a stream of a file': () => createReadStream(COMPRESSED_MODEL),
    'a Blob': () => new Blob([bytes()]),
  };
  for (const [name, make] of Object.entries(models))
    test(`from ${name}`, async () => {
      /** @type {number[]} */
      const loaded = [];
      const own = await ObjectDetector.create({
        model: await make(),
        onProgress: (progress) => loaded.push(progress.loaded),
      });
      assert.deepEqual((await own.detect(PHOTO)).detections, expected);
      assert.equal(loaded.at(-1), bytes().length);
      own.close();
    });

  /** @type {[string, () => any, string, RegExp][]} */
  const refused = [
    ['a Response of 404', () => fetch(`${url}/none`), 'MODEL_NOT_FOUND', /\/none: status 404/],
    ['a Response with a page', () => fetch(`${url}/page`), 'MODEL_NOT_FOUND', /web page/],
    ['an empty Response', () => new Response(null), 'MODEL_TRUNCATED', /./],
    ['a stream that fails', () => toStream(halves(), new Error('cable')), 'READ_FAILED', /cable/],
    ['a number', () => 5, 'INVALID_OPTION', /not a number/],
    ['an array', () => [1, 2], 'INVALID_OPTION', /not an array/],
  ];
  for (const [name, make, code, message] of refused)
    test(`refused: ${name}`, async () => {
      await assert.rejects(ObjectDetector.create({ model: await make() }), {
        name: 'OcelliError',
        code,
        message,
      });
    });

  test('a promise', async () => {
    const model = /** @type {any} */ (fetch(`${url}/none`));
    await assert.rejects(ObjectDetector.create({ model }), { code: 'INVALID_OPTION', message: /a Promise/ });
    await model;
  });

  test('the signal ends a stream that stands still', async () => {
    const signal = AbortSignal.timeout(50);
    const model = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(8)) });
    await assert.rejects(ObjectDetector.create({ model, signal }), { name: 'TimeoutError' });
  });
});

describe('assetsUrl', () => {
  /** @type {Record<string, () => string | URL>} */
  const folders = {
    'a path': () => DIST,
    'a path with a slash': () => `${DIST}/`,
    'a relative path': () => relative(process.cwd(), DIST),
    'a path with signs of a URL in it': () => `${FOLDER}assets`,
    'a file: URL': () => pathToFileURL(DIST),
    'a file: URL as text, with a slash': () => `${pathToFileURL(DIST)}/`,
    'an http: URL': () => `${url}/dist`,
  };
  for (const [name, make] of Object.entries(folders))
    test(`${name}`, async () => {
      const own = await ObjectDetector.create({ assetsUrl: make(), worker: false });
      assert.deepEqual((await own.detect(PHOTO)).detections, expected);
      own.close();
      const extractor = await FeatureExtractor.create({ assetsUrl: make() });
      assert.equal(extractor.length, 1280);
      extractor.close();
      const { width } = await decodeImage(PHOTO, { assetsUrl: make() });
      assert.equal(width, 451);
    });

  test('a relative path is that of the time of create', async () => {
    const own = await ObjectDetector.create({ assetsUrl: relative(process.cwd(), DIST) });
    const before = process.cwd();
    process.chdir('/');
    try {
      await own.setOptions({ classes: { allow: ['Cat'] } });
      assert.deepEqual((await own.detect(PHOTO)).detections, expected);
    } finally {
      process.chdir(before);
      own.close();
    }
  });

  /** @type {[any, string, RegExp][]} */
  const refused = [
    ['/no/such/folder', 'MODULE_NOT_FOUND', /\/no\/such\/folder\/ocelli-\w+\.wasm/],
    [new URL('file:///no/such/folder/'), 'MODULE_NOT_FOUND', /\/no\/such\/folder\/ocelli-\w+\.wasm/],
    ['http://127.0.0.1:1/a', 'MODULE_NOT_FOUND', /127\.0\.0\.1:1\/a\/ocelli-\w+\.wasm/],
    ['data:text/plain,a', 'INVALID_OPTION', /data:text\/plain,a/],
    ['http://', 'INVALID_OPTION', /http:/],
    ['', 'INVALID_OPTION', /assetsUrl/],
    [5, 'INVALID_OPTION', /assetsUrl/],
  ];
  for (const [assetsUrl, code, message] of refused)
    test(`refused: ${assetsUrl}`, async () => {
      await assert.rejects(ObjectDetector.create({ assetsUrl }), { name: 'OcelliError', code, message });
      await assert.rejects(decodeImage(PHOTO, { assetsUrl }), { name: 'OcelliError', code, message });
    });

  test('a model that is not in it', async () => {
    mkdirSync(`${FOLDER}partial`);
    for (const name of ['simd', 'relaxed'])
      symlinkSync(join(DIST, `ocelli-${name}.wasm`), `${FOLDER}partial/ocelli-${name}.wasm`);
    await assert.rejects(ObjectDetector.create({ assetsUrl: `${FOLDER}partial` }), {
      code: 'MODEL_NOT_FOUND',
      message: /partial\/models\/ssd_mobilenet_v2_oidv4\.gz/,
    });
  });
});
