// ObjectDetector.create: where a model may come from, progress and cancelling, options that cannot be used, and models
// that do not say all there is to know.
import assert from 'node:assert/strict';
import {
  mkdtempSync,
  openSync,
  closeSync,
  ftruncateSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ObjectDetector } from '../../../wasm/platform/node.js';
import {
  COMPRESSED_MODEL,
  DEFAULT_MODEL,
  large,
  maxDifference,
  needsLarge,
  packagePhoto,
  readArray,
  testData,
} from '../shared.js';

/** @typedef {import('../../../wasm/vision/types.js').DetectorOptions & import('../../../wasm/vision/types.js').Thresholds} Options */

const MODEL = readFileSync(DEFAULT_MODEL);
/** Of the default model's classes. */
const NAMES = Array.from({ length: 23 }, (_, i) => `name ${i}`);
const PHOTO = packagePhoto('astronaut.png');

const sandbox = mkdtempSync(join(tmpdir(), 'ocelli-loading-'));
after(() => rmSync(sandbox, { recursive: true, force: true }));

/**
 * What a detector finds.
 * @param {Options} options
 */
async function find(options) {
  const detector = await ObjectDetector.create({ scoreThreshold: 0.3, deterministic: true, ...options });
  try {
    return (await detector.detect(PHOTO)).detections;
  } finally {
    detector.close();
  }
}

/** @type {(options: any) => Promise<unknown>} */
const create = (options) => find(options);

describe('the model', () => {
  test('by path, URL, bytes, Blob: what the manifest knows of it needs not be said', async () => {
    const expected = await find({ weights: 'full' });
    assert.deepEqual(
      expected.map(({ label }) => label),
      ['Person', 'Bottle', 'Person'],
    );
    const bytes = new Uint8Array(MODEL);
    const url = pathToFileURL(DEFAULT_MODEL);
    for (const model of [DEFAULT_MODEL, url, url.href, MODEL, bytes, bytes.buffer, new Blob([bytes])]) {
      assert.deepEqual(await find({ model }), expected);
    }
  });

  test('that is not there, or is no model', async () => {
    for (const model of [
      join(sandbox, 'missing.tflite'),
      sandbox,
      'file:///missing.tflite',
      'file://%zz',
      'http://',
    ]) {
      await assert.rejects(create({ model }), { name: 'OcelliError', code: 'MODEL_NOT_FOUND' });
    }
    writeFileSync(join(sandbox, 'empty'), '');
    for (const model of [new Uint8Array(0), join(sandbox, 'empty'), new Uint8Array(7)]) {
      await assert.rejects(create({ model }), { code: 'MODEL_TRUNCATED' });
    }
    await assert.rejects(create({ model: PHOTO }), { code: 'MODEL_NOT_TFLITE' });
    for (const model of [5, {}, new Float32Array(9)]) {
      await assert.rejects(create({ model }), { code: 'INVALID_OPTION', message: /model/ });
    }
  });

  test('that is larger than the module’s memory', async () => {
    for (const size of [2 ** 31 + 5, 2 ** 32 - 1, 2 ** 32 + 1000]) {
      const file = openSync(join(sandbox, 'huge'), 'w');
      ftruncateSync(file, size); // a hole: no disk is used
      closeSync(file);
      await assert.rejects(create({ model: join(sandbox, 'huge') }), { code: 'OUT_OF_MEMORY' });
    }
  });
});

describe('a model from the network', () => {
  const PART = 1_000_000;
  /** @type {Record<string, (response: import('node:http').ServerResponse) => void>} */
  const routes = {
    '/known-length': (response) => response.setHeader('content-length', MODEL.length).end(MODEL),
    '/unknown-length': (response) => {
      response.write(MODEL.subarray(0, PART));
      response.end(MODEL.subarray(PART));
    },
    '/cut': (response) => {
      response.setHeader('content-length', MODEL.length);
      response.write(MODEL.subarray(0, PART), () => response.destroy());
    },
    '/cut-unknown-length': (response) => {
      response.write(MODEL.subarray(0, PART), () => response.destroy());
    },
    '/huge': (response) => {
      response.setHeader('content-length', 2 ** 32 + 1000);
      response.write(MODEL.subarray(0, PART));
    },
    '/stalls': (response) => {
      response.setHeader('content-length', MODEL.length);
      response.write(MODEL.subarray(0, PART));
    },
    '/labels': (response) => response.end(['???', ...NAMES, ''].join('\n')),
  };
  const server = createServer((request, response) => {
    const route = routes[request.url ?? ''];
    if (route) route(response);
    else response.writeHead(404).end();
  });
  /** @type {string} */
  let base;
  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    base = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`;
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  test('with and without a known length', async () => {
    const expected = await find({ weights: 'full' });
    assert.deepEqual(await find({ model: `${base}/known-length` }), expected);
    assert.deepEqual(await find({ model: new URL(`${base}/unknown-length`) }), expected);
  });

  test('through a stream that takes no buffers of ours', async (t) => {
    const parts = Array.from(
      { length: 11 },
      (_, i) => new Uint8Array(MODEL.subarray(i * PART, (i + 1) * PART)),
    );
    /** @type {any} */
    const stream = new ReadableStream({
      pull: (controller) => {
        const part = parts.shift();
        if (part?.length) controller.enqueue(part);
        else controller.close();
      },
    });
    assert.throws(() => stream.getReader({ mode: 'byob' }), TypeError);
    const headers = { 'content-length': String(MODEL.length) };
    t.mock.method(globalThis, 'fetch', async () => new Response(stream, { headers }));
    assert.deepEqual(await find({ model: `${base}/known-length` }), await find({ weights: 'full' }));
  });

  test('labels as well', async () => {
    const found = await find({ labels: `${base}/labels`, classes: { deny: ['name 1'] } });
    assert.equal(found[0].label, 'name 3');
  });

  test('labels that are not to be had', async () => {
    for (const labels of [`${base}/missing`, join(sandbox, 'missing.txt')])
      await assert.rejects(create({ labels }), { name: 'OcelliError', code: 'LABELS_NOT_FOUND' });
  });

  test('that breaks off, or is not to be had', async () => {
    for (const path of ['/missing', '/cut', '/cut-unknown-length']) {
      await assert.rejects(create({ model: base + path }), { name: 'OcelliError', code: 'MODEL_NOT_FOUND' });
    }
    await assert.rejects(create({ model: `${base}/huge` }), { code: 'OUT_OF_MEMORY' });
  });

  test('that is cancelled', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = () => controller.abort(reason);
    const { signal } = controller;
    await assert.rejects(create({ model: `${base}/stalls`, signal, onProgress }), reason);
  });
});

describe('progress and cancelling', () => {
  for (const [weights, file] of /** @type {const} */ ([
    ['full', DEFAULT_MODEL],
    ['compressed', COMPRESSED_MODEL],
    [undefined, COMPRESSED_MODEL],
  ]))
    test(`progress rises to the size of the file, weights: ${weights}`, async () => {
      const { length } = readFileSync(file);
      /** @type {{loaded: number, total?: number}[]} */
      const calls = [];
      const onProgress = (/** @type {typeof calls[0]} */ progress) => calls.push({ ...progress });
      const found = await find({ weights, onProgress });
      assert.ok(calls.length > 1);
      assert.ok(calls.every(({ total }) => total === length));
      assert.ok(calls.every(({ loaded }, i) => loaded > (calls[i - 1]?.loaded ?? 0)));
      assert.equal(calls.at(-1)?.loaded, length);
      assert.deepEqual(found, await find({ model: file }));
    });

  test('before', async () => {
    const reason = new Error('never mind');
    await assert.rejects(create({ signal: AbortSignal.abort(reason) }), reason);
    await assert.rejects(create({ signal: AbortSignal.abort() }), { name: 'AbortError' });
  });

  test('at the first and at the last bytes', async () => {
    for (const part of [0, 1]) {
      const controller = new AbortController();
      const reason = new Error('enough');
      /** @type {Options['onProgress']} */
      const onProgress = ({ loaded, total = 0 }) => {
        if (loaded >= part * total) controller.abort(reason);
      };
      await assert.rejects(create({ signal: controller.signal, onProgress }), reason);
    }
  });

  test('afterwards nothing happens', async () => {
    const controller = new AbortController();
    const detector = await ObjectDetector.create({ signal: controller.signal });
    controller.abort();
    assert.equal((await detector.detect(PHOTO)).detections[0].label, 'Person');
    detector.close();
  });
});

describe('options that cannot be used are named', () => {
  const generator = {
    type: 'ssd',
    numLayers: 6,
    minScale: 0.2,
    maxScale: 0.95,
    aspectRatios: [1, 2, 0.5, 3, 0.3333],
  };
  /** @param {object} changes */
  const generate = (changes) => ({ ssd: { anchorGenerator: { ...generator, ...changes } } });
  /** @type {[any, RegExp][]} */
  const cases = [
    [null, /options must be an object/],
    [{ modle: DEFAULT_MODEL }, /unknown option 'modle'; did you mean 'model'/],
    [{ threads: 0 }, /threads/],
    [{ threads: 65 }, /threads/],
    [{ threads: 1.5 }, /threads/],
    [{ threads: null }, /threads/],
    [{ deterministic: 'yes' }, /deterministic/],
    [{ maxPixels: 0 }, /maxPixels/],
    [{ signal: {} }, /signal/],
    [{ onProgress: 5 }, /onProgress/],
    [{ scoreThreshold: -0.1 }, /scoreThreshold/],
    [{ iouThreshold: 2 }, /iouThreshold/],
    [{ maxResults: 1e9 }, /maxResults/],
    [{ maxPerClass: '5' }, /maxPerClass/],
    [{ classAgnostic: 'no' }, /classAgnostic/],
    [{ labels: 5 }, /labels/],
    [{ labels: {} }, /labels/],
    [{ labels: [5] }, /labels/],
    [{ labels: [{ name: 'a', mid: 5 }] }, /labels/],
    [{ classes: 'Dog' }, /classes/],
    [{ classes: { allow: 'Dog' } }, /classes/],
    [{ classes: { only: ['Dog'] } }, /unknown option 'classes.only'/],
    [{ weights: 'half' }, /weights must be 'compressed' or 'full'/],
    [{ weights: null }, /weights must be/],
    [{ weights: 'full', model: DEFAULT_MODEL }, /weights chooses a form of the default model/],
    [{ weights: 'compressed', model: DEFAULT_MODEL }, /weights chooses a form of the default model/],
    [{ weights: 'full', precision: 'int8' }, /precision 'int8' has weights of its own/],
    [{ input: 5 }, /input/],
    [{ input: { mean: 0 } }, /unknown option 'input.mean'/],
    [{ input: { scale: '1' } }, /input.scale/],
    [{ input: { scale: [1, 2] } }, /input.scale/],
    [{ input: { offset: NaN } }, /input.offset/],
    [{ input: { resize: 'nearest' } }, /input.resize/],
    [{ ssd: 5 }, /ssd/],
    [{ ssd: { anchor: [] } }, /unknown option 'ssd.anchor'/],
    [{ ssd: { anchors: 5 } }, /ssd.anchors/],
    [{ ssd: { anchors: [] } }, /ssd.anchors/],
    [{ ssd: { anchors: Array(2 ** 20 + 1).fill([0, 0, 1, 1]) } }, /ssd.anchors/],
    [{ ssd: { anchors: Array(2 ** 22 + 1).fill(0) } }, /ssd.anchors/],
    [{ ssd: { anchors: [[1, 2, 3]] } }, /ssd.anchors/],
    [{ ssd: { anchors: [['0', 0, 1, 1]] } }, /ssd.anchors/],
    [{ ssd: { boxCoder: [10, 10] } }, /ssd.boxCoder/],
    [{ ssd: { boxCoder: 0 } }, /ssd.boxCoder/],
    [{ ssd: { scores: 'relu' } }, /ssd.scores/],
    [{ ssd: { background: 1 } }, /ssd.background/],
    [{ ssd: { anchorGenerator: 5 } }, /ssd.anchorGenerator/],
    [generate({ type: 'grid' }), /ssd.anchorGenerator.type/],
    [generate({ levels: 5 }), /unknown option 'ssd.anchorGenerator.levels'/],
    [generate({ aspectRatios: 5 }), /aspectRatios/],
    [generate({ aspectRatios: ['1'] }), /aspectRatios/],
    [generate({ featureMaps: 5 }), /featureMaps/],
    [generate({ featureMaps: [[19]] }), /featureMaps/],
    [generate({ featureMaps: [[19, 'a']] }), /featureMaps/],
    [generate({ scales: 5 }), /scales/],
    [generate({ reduceBoxesInLowestLayer: 0 }), /reduceBoxesInLowestLayer/],
  ];
  for (const [options, message] of cases) {
    test(JSON.stringify(options).slice(0, 100), async () => {
      await assert.rejects(ObjectDetector.create(options), {
        name: 'OcelliError',
        code: 'INVALID_OPTION',
        message,
      });
    });
  }

  test('anchors that do not fit the model', async () => {
    await assert.rejects(create({ ssd: { anchors: [[0.5, 0.5, 1, 1]] } }), {
      code: 'MODEL_IS_NOT_A_DETECTOR',
      message: /1 anchors.*1917/,
    });
    await assert.rejects(create(generate({ numLayers: 0, featureMaps: undefined })), { name: 'OcelliError' });
    await assert.rejects(create(generate({ minScale: 'a' })), { code: 'INVALID_OPTION' });
  });
});

describe('what a bare file does not say', () => {
  // No longer the bytes that the manifest knows.
  const bare = Buffer.concat([MODEL, Buffer.alloc(16)]);
  const input = /** @type {const} */ ({ scale: 2 / 255, offset: -1, resize: 'legacy' });
  /** @type {import('../../../wasm/engine/types.js').SsdSpec} */
  const ssd = {
    anchorGenerator: {
      type: 'ssd',
      numLayers: 6,
      minScale: 0.2,
      maxScale: 0.95,
      aspectRatios: [1, 2, 0.5, 3, 0.3333],
    },
    boxCoder: [10, 10, 5, 5],
    scores: 'sigmoid',
    background: true,
  };

  test('is asked for, all that is missing and nothing else', async () => {
    await assert.rejects(create({ model: bare }), {
      code: 'MODEL_INPUT_UNKNOWN',
      message: /gives input\.scale, input\.offset, input\.resize\. Pass input: '\[-1,1\]'/,
    });
    await assert.rejects(create({ model: bare, input: { ...input, resize: undefined } }), {
      code: 'MODEL_INPUT_UNKNOWN',
      message: /gives input\.resize\b/,
    });
    await assert.rejects(create({ model: bare, input }), {
      code: 'SSD_UNKNOWN',
      message: /ssd\.anchors \(or ssd\.anchorGenerator\), ssd\.boxCoder, ssd\.scores, ssd\.background$/,
    });
    await assert.rejects(create({ model: bare, input, ssd: { ...ssd, background: undefined } }), {
      code: 'SSD_UNKNOWN',
      message: /gives ssd\.background$/,
    });
  });

  test('once given, it finds what the model finds that says it', async () => {
    const found = await find({ model: bare, input, ssd });
    const expected = (await find({ weights: 'full' })).map(({ labelId, score, box }) => ({
      label: `class ${labelId}`,
      labelId,
      score,
      box,
    }));
    assert.deepEqual(found, expected);
  });

  test('an option wins over what is known', async () => {
    const expected = await find({});
    assert.notDeepEqual(await find({ input: { resize: 'half-pixel' } }), expected);
    assert.notDeepEqual(await find({ ssd: { boxCoder: [5, 5, 5, 5] } }), expected);
    assert.deepEqual(await find({ input: { resize: 'legacy' }, ssd: { scores: 'sigmoid' } }), expected);
  });

  const published = 'models/ssd_mobilenet_v1_300_coco_metadata.uint8.tflite';
  test('metadata in the file says it all', needsLarge(published), async () => {
    const model = large(published);
    const detector = await ObjectDetector.create({ model });
    const best = await checkOperatorsDetections(detector, model, large('models/photos_300.u8.bin'));
    assert.deepEqual(best, ['dog', 'cat', 'hot dog']);
    detector.close();
  });

  for (const name of ['ssd_regular_nms.dynamic', 'ssd_fast_nms.uint8in']) {
    test(`${name} has its own post-processing and needs only its input`, async () => {
      const model = testData(`models/${name}.tflite`);
      const bytes = readFileSync(model);
      await assert.rejects(create({ model: bytes }), { code: 'MODEL_INPUT_UNKNOWN' });
      const labels = ['a', 'b', 'c', 'd', 'e'];
      const detector = await ObjectDetector.create({ model: bytes, input, labels });
      await checkOperatorsDetections(detector, model, testData('models/pictures_96.u8.bin'));
      detector.close();
    });
  }

  test('an 8-bit model of one’s own is another model than the package’s, also without a float one', async () => {
    const int8Model = testData('models/ssd_fast_nms.uint8in.tflite');
    const options = /** @type {const} */ ({ precision: 'int8', int8Model });
    await assert.rejects(ObjectDetector.create(options), { code: 'MODEL_INPUT_UNKNOWN' });
    const detector = await ObjectDetector.create({ ...options, input });
    assert.deepEqual(detector.labels, []);
    detector.close();
    const known = await ObjectDetector.create({
      precision: 'int8',
      int8Model: DEFAULT_MODEL.replace('.bin', '-int8.gz'),
    });
    const expected = await ObjectDetector.create({ precision: 'int8' });
    assert.deepEqual(known.labels, expected.labels);
    assert.equal(known.labels.length, NAMES.length);
    known.close();
    expected.close();
  });

  test('a detector that gives out its anchors beside its heads', async () => {
    const model = testData('models/ssd_with_anchors.fp32');
    const [, scores, corners] = [0, 1, 2].map((i) => readArray(`${model}.output${i}.bin`, Float32Array));
    const columns = 6;
    const numAnchors = scores.length / 3 / columns;
    const anchors = Array.from({ length: numAnchors }, (_, i) => {
      const [top, left, bottom, right] = corners.subarray(4 * i, 4 * i + 4);
      return [(top + bottom) / 2, (left + right) / 2, bottom - top, right - left];
    });
    const detector = await ObjectDetector.create({
      model: `${model}.tflite`,
      input: { scale: 1 / 127.5, offset: -1, resize: 'half-pixel' },
      ssd: { anchors, boxCoder: [10, 10, 5, 5], scores: 'none', background: true },
    });
    const pictures = readArray(testData('models/pictures_96.u8.bin'), Uint8Array);
    const data = pictures.subarray(0, 96 * 96 * 3);
    const [best] = (await detector.detect({ data, width: 96, height: 96 }, { scoreThreshold: 0.3 }))
      .detections;
    const real = scores.subarray(0, numAnchors * columns).map((score, i) => (i % columns === 0 ? 0 : score));
    const expected = real.indexOf(real.reduce((a, b) => Math.max(a, b)));
    assert.ok(Math.abs(best.score - real[expected]) <= 1e-4);
    assert.equal(best.labelId, (expected % columns) - 1);
    detector.close();
  });

  test('a network that is no detector', async () => {
    const model = testData('models/small_classifier.fp32.tflite');
    await assert.rejects(create({ model, input, ssd }), {
      code: 'MODEL_IS_NOT_A_DETECTOR',
      message: /outputs are/,
    });
  });
});

/**
 * Against TFLite's answers to three photos: what scores over 0.4.
 * @param {ObjectDetector} detector
 * @param {string} model its file; its outputs lie beside it
 * @param {string} photos three of the size of its input, one after the other
 * @returns the best label on each photo
 */
async function checkOperatorsDetections(detector, model, photos) {
  const pixels = readArray(photos, Uint8Array);
  const size = Math.sqrt(pixels.length / 9);
  const [boxes, classes, scores] = [0, 1, 2].map((i) =>
    readArray(model.replace('.tflite', `.output${i}.bin`), Float32Array),
  );
  const rows = classes.length / 3;
  const labels = [];
  for (const photo of [0, 1, 2]) {
    const data = pixels.subarray(photo * size * size * 3, (photo + 1) * size * size * 3);
    const found = (await detector.detect({ data, width: size, height: size }, { scoreThreshold: 0 }))
      .detections;
    for (let i = 0; i < rows && scores[photo * rows + i] > 0.4; i++) {
      const row = photo * rows + i;
      const { labelId, score, box } = found[i];
      const corners = [box.y, box.x, box.y + box.height, box.x + box.width].map((side) => side / size);
      // Boxes end at the image's border.
      const expected = Array.from(boxes.subarray(4 * row, 4 * row + 4), (side) =>
        Math.min(Math.max(side, 0), 1),
      );
      assert.equal(labelId, classes[row]);
      assert.ok(Math.abs(score - scores[row]) <= 0.03);
      assert.ok(maxDifference(corners, expected) <= 0.03);
    }
    labels.push(found[0]?.label);
  }
  return labels;
}
