// Feature vectors: against TFLite's own, against the definition of pooling, and of every way of asking against each other.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resizeFloatImage } from '../../../wasm/vision/float_image.js';
import { convert } from '../../../wasm/convert/node.js';
import {
  cosineSimilarity,
  decodeImage,
  FeatureExtractor,
  ImageClassifier,
  ObjectDetector,
} from '../../../wasm/platform/node.js';
import { smallSource } from '../convert/convert.js';
import {
  cosine,
  DEFAULT_MODEL,
  detectorRuns,
  loadEngine,
  maxAbs,
  maxDifference,
  packagePhoto,
  readArray,
  readJson,
  testData,
} from '../shared.js';

const FEATURES = 'mobilenet_v2_features.fp16.tflite';
const INPUT = /** @type {const} */ ({ scale: 1 / 127.5, offset: -1, resize: 'half-pixel' });
/** @type {any[]} */
const CASES = readJson(testData('models/cases.json'));
const [astronaut, chelsea, coffee] = /** @type {const} */ (['astronaut', 'chelsea', 'coffee']).map((name) =>
  packagePhoto(`${name}.png`),
);

/** @param {import('../../../wasm/vision/types.js').ExtractorOptions} [options] */
const createExtractor = (options) =>
  FeatureExtractor.create({ model: testData(`models/${FEATURES}`), input: INPUT, ...options });

/** @param {string} name @returns {{pixels: Uint8Array, size: number, input: any, reference: any}} */
function modelCase(name) {
  const { input, outputs } = CASES.find(({ model }) => model === name);
  /** @type {Record<string, {new (buffer: ArrayBuffer): ArrayLike<number>}>} */
  const views = { float32: Float32Array, int8: Int8Array, uint8: Uint8Array };
  const [output] = outputs;
  const [scale, zeroPoint] = output.quantization;
  const stored = readArray(testData(`models/${output.file}`), views[output.dtype]);
  const reals = Array.from(stored, (/** @type {number} */ value) =>
    scale ? (value - zeroPoint) * scale : value,
  );
  return {
    pixels: readArray(testData(`models/${input.pixels}`), Uint8Array),
    size: input.size,
    input,
    reference: reals,
  };
}

/** @param {{pixels: Uint8Array, size: number}} photos @returns {{data: Uint8Array, width: number, height: number}[]} */
const split = ({ pixels, size }) =>
  [0, 1, 2].map((i) => ({
    data: pixels.subarray((i * pixels.length) / 3, ((i + 1) * pixels.length) / 3),
    width: size,
    height: size,
  }));

describe('models whose output is a vector', () => {
  const names = CASES.map(({ model }) => model).filter((model) => /feature|nested|classifier/.test(model));
  for (const name of names) {
    test(`${name}: TFLite's vectors, alone and as a batch`, async () => {
      const photos = modelCase(name);
      const { quantization } = photos.input;
      // Where the reference's pixels are the tensor, so are ours.
      const input = {
        scale: photos.input.scale ?? quantization[0],
        offset: photos.input.offset ?? -quantization[1] * quantization[0],
        resize: /** @type {const} */ ('half-pixel'),
      };
      const extractor = await FeatureExtractor.create({ model: testData(`models/${name}`), input });
      const { data, shape } = await extractor.extractBatch(split(photos));
      assert.deepEqual(shape, [3, photos.reference.length / 3]);
      assert.equal(extractor.length, shape[1]);
      const isFloat = /fp(32|16)\.tflite$/.test(name);
      assert.ok(
        cosine(data, photos.reference) > (isFloat ? 1 - 1e-6 : 0.9),
        String(cosine(data, photos.reference)),
      );
      if (isFloat) assert.ok(maxDifference(data, photos.reference) <= 1e-4 * maxAbs(photos.reference));
      for (const [i, photo] of split(photos).entries()) {
        const alone = (await extractor.extract(photo)).features;
        const inBatch = data.subarray(i * shape[1], (i + 1) * shape[1]);
        assert.ok(maxDifference(alone, inBatch) <= 1e-5 * maxAbs(data), `photo ${i}`);
      }
      extractor.close();
    });
  }
});

test('a file of a fixed batch: any number of images', async () => {
  const source = smallSource('keras2_small_classifier');
  const [free, fixed] = await Promise.all(
    [{}, { batch: 3 }].map(
      async (options) => (await convert(source, { ...options, input: '[0,1]', verify: false })).model,
    ),
  );
  const photos = Array.from({ length: 7 }, (_, i) => [astronaut, chelsea, coffee][i % 3]);
  const layer = 'global_average_pooling2d';
  const [one, three] = await Promise.all(
    [free, fixed].map((model) => FeatureExtractor.create({ model, layer, input: '[-1,1]' })),
  );
  const expected = await one.extractBatch(photos);
  for (const count of [1, 2, 3, 4, 7]) {
    const { data } = await three.extractBatch(photos.slice(0, count));
    assert.deepEqual(data, expected.data.subarray(0, data.length));
    assert.equal(data.length, count * three.length);
  }
  assert.deepEqual(
    (await three.extract(chelsea)).features,
    Array.from(expected.data.subarray(one.length, 2 * one.length)),
  );
  const [a, b] = await Promise.all(
    [free, fixed].map((model) => ImageClassifier.create({ model, input: '[-1,1]' })),
  );
  assert.deepEqual((await b.classify(coffee)).classes, (await a.classify(coffee)).classes);
  for (const model of [one, three, a, b]) model.close();
});

describe('a tensor is one image of a batch', () => {
  for (const form of [{}, { worker: true }])
    test(JSON.stringify(form), async () => {
      const photos = modelCase(FEATURES);
      const extractor = await createExtractor(form);
      const values = Float32Array.from(photos.pixels, (pixel) => pixel * INPUT.scale + INPUT.offset);
      const length = values.length / 3;
      const tensors = [0, 1, 2].map((i) => ({ tensor: values.slice(i * length, (i + 1) * length) }));
      const mixed = [tensors[0], split(photos)[1], tensors[2]];
      for (const images of [tensors, mixed]) {
        const { data } = await extractor.extractBatch(images);
        assert.ok(maxDifference(data, photos.reference) <= 1e-4 * maxAbs(photos.reference));
      }
      const two = { tensor: values.slice(0, 2 * length) };
      const { size } = photos;
      const refused = { code: 'INVALID_INPUT', message: new RegExp(`float32 \\[1,${size},${size},3]`) };
      for (const images of [[two, mixed[1]], [mixed[1], two], [two]])
        await assert.rejects(extractor.extractBatch(images), refused);
      extractor.close();
    });

  test('of a fixed batch', async () => {
    const source = smallSource('keras2_small_classifier');
    const [free, fixed] = await Promise.all(
      [{}, { batch: 3 }].map(async (options) => {
        const { model } = await convert(source, { ...options, input: '[0,1]', verify: false });
        return FeatureExtractor.create({ model, layer: 'global_average_pooling2d', input: '[0,1]' });
      }),
    );
    const [, height, width] = (await free.profile(chelsea)).operators[0].shape.map((side) => 2 * side);
    const length = height * width * 3;
    const images = Array.from({ length: 4 }, (_, k) =>
      Float32Array.from({ length }, (_, i) => ((i * (7 + k)) % 101) / 100),
    );
    const expected = await free.extractBatch(images.map((data) => ({ data, shape: [height, width, 3] })));
    const { data } = await fixed.extractBatch(images.map((tensor) => ({ tensor })));
    assert.deepEqual(data, expected.data);
    for (const extractor of [free, fixed]) extractor.close();
  });
});

test('a batch’s run is all its parts', async (t) => {
  const extractor = await FeatureExtractor.create();
  let now = 0;
  t.mock.method(performance, 'now', () => ++now);
  const { ms } = await extractor.extractBatch(Array(17).fill(astronaut));
  assert.equal(ms.preprocess, 17); // a step of the clock for each image
  extractor.close();
});

describe('TensorFlow Hub’s convention', () => {
  test('[N, height, width, 3] in [0, 1] to [N, length]', async () => {
    const { pixels, size, reference } = modelCase(FEATURES);
    const extractor = await createExtractor();
    const numbers = Float32Array.from(pixels, (value) => value / 255);
    const bare = await extractor.extractBatch(numbers);
    const shaped = await extractor.extractBatch({ data: numbers, shape: [3, size, size, 3] });
    assert.deepEqual(bare.shape, [3, 1280]);
    assert.deepEqual(bare.data, shaped.data);
    assert.ok(maxDifference(bare.data, reference) <= 1e-4 * maxAbs(reference));
    extractor.close();
  });

  test('an 8-bit model takes the same numbers', async () => {
    const name = 'mobilenet_v1_classifier.uint8in.tflite';
    const photos = modelCase(name);
    const extractor = await FeatureExtractor.create({ model: testData(`models/${name}`), input: INPUT });
    const numbers = Float32Array.from(photos.pixels, (value) => value / 255);
    const { data } = await extractor.extractBatch(numbers);
    const ofPixels = await extractor.extractBatch(split(photos));
    assert.deepEqual(data, ofPixels.data);
    extractor.close();
  });

  test('numbers of another size are resized as pixels are', async () => {
    for (const resize of /** @type {const} */ (['half-pixel', 'legacy'])) {
      const extractor = await FeatureExtractor.create({ input: { resize } });
      const [width, height] = [301, 97];
      const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 7919 + (i >> 7)) % 256);
      const ofPixels = (await extractor.extract({ data, width, height, channels: 3 })).features;
      const ofNumbers = (
        await extractor.extract({
          data: Float32Array.from(data, (value) => value / 255),
          shape: [1, height, width, 3],
        })
      ).features;
      assert.ok(maxDifference(ofPixels, ofNumbers) <= 1e-4 * maxAbs(ofPixels), resize);
      extractor.close();
    }
  });

  test('more images than one batch', async () => {
    const extractor = await createExtractor();
    const photos = Array.from({ length: 19 }, (_, i) => [astronaut, chelsea, coffee][i % 3]);
    const { data, shape } = await extractor.extractBatch(photos);
    assert.deepEqual(shape, [19, 1280]);
    for (let i = 3; i < 19; i++) {
      const row = data.subarray(i * 1280, (i + 1) * 1280);
      const first = data.subarray((i % 3) * 1280, ((i % 3) + 1) * 1280);
      assert.ok(maxDifference(row, first) <= 1e-5 * maxAbs(first), `row ${i}`);
    }
    const none = await extractor.extractBatch([]);
    assert.deepEqual([none.data, none.shape], [new Float32Array(0), [0, 1280]]);
    extractor.close();
  });
});

for (const { name, options } of detectorRuns) {
  test(`the default backbone, ${name}: the mean of Conv_1 over its plane`, async () => {
    const [extractor, detector] = await Promise.all([
      FeatureExtractor.create(options),
      ObjectDetector.create({ ...options, scoreThreshold: 0.3 }),
    ]);
    assert.equal(extractor.length, 1280);
    const vector = (await extractor.extract(chelsea)).features;
    const found = await detector.detect(chelsea, { features: 'both' });
    assert.deepEqual(found.features, vector);
    const plain = await detector.detect(chelsea);
    assert.ok(!('features' in plain));
    assert.deepEqual(
      found.detections.map(({ features, ...rest }) => rest),
      plain.detections,
    );
    for (const { features } of found.detections) assert.equal(features?.length, 1280);
    extractor.close();
    detector.close();
  });
}

test('the mean under each box, against the definition', async () => {
  const detector = await ObjectDetector.create({ weights: 'full', scoreThreshold: 0.05, maxResults: 30 });
  const map = await readMap(coffee);
  const { detections: found, size } = await detector.detect(coffee, { features: 'boxes' });
  const { width, height } = size;
  assert.ok(found.length > 5);
  for (const { box, features } of found) {
    const expected = meanUnder(map, {
      top: box.y / height,
      left: box.x / width,
      bottom: (box.y + box.height) / height,
      right: (box.x + box.width) / width,
    });
    assert.ok(maxDifference(/** @type {number[]} */ (features), expected) < 1e-4);
  }
  detector.close();
});

test('boxes of a turned region are those of what the network saw', async () => {
  const detector = await ObjectDetector.create({ weights: 'full', scoreThreshold: 0.2 });
  const roi = { x: 30, y: 20, width: 380, height: 260 };
  const found = (await detector.detect(chelsea, { roi, rotation: 180, features: 'boxes' })).detections;
  const map = await readMap(chelsea, { roi, rotation: 180 });
  assert.ok(found.length > 0);
  for (const { box, features } of found) {
    const left = (box.x - roi.x) / roi.width;
    const top = (box.y - roi.y) / roi.height;
    const expected = meanUnder(map, {
      top: 1 - top - box.height / roi.height,
      left: 1 - left - box.width / roi.width,
      bottom: 1 - top,
      right: 1 - left,
    });
    assert.ok(maxDifference(/** @type {number[]} */ (features), expected) < 1e-4);
  }
  detector.close();
});

/**
 * Conv_1 of the default detector [10, 10, 1280] on what the network sees of a photo.
 * @param {Uint8Array} photo
 * @param {import('../../../wasm/vision/types.js').ViewOptions} [view]
 */
async function readMap(photo, view) {
  const input = await captureInput(photo, view);
  const engine = await loadEngine('simd', DEFAULT_MODEL);
  const step = engine.operators.findLastIndex(({ output }) => /\/Conv_1\//.test(`/${output}/`));
  engine.features.use(step, true);
  engine.writeInput(0, input);
  engine.run();
  const { data } = engine.readOutput(0);
  engine.close();
  return /** @type {Float32Array} */ (data);
}

/**
 * The default detector's input for a photo, resized in JavaScript.
 * @param {Uint8Array} photo
 * @param {import('../../../wasm/vision/types.js').ViewOptions} [view]
 */
async function captureInput(photo, { roi, rotation } = {}) {
  const image = await decodeImage(photo);
  const region = roi ?? { x: 0, y: 0, width: image.width, height: image.height };
  const data = new Float32Array(region.width * region.height * 3);
  for (let y = 0; y < region.height; y++)
    for (let x = 0; x < region.width; x++)
      for (let c = 0; c < 3; c++) {
        const [fromY, fromX] = rotation === 180 ? [region.height - 1 - y, region.width - 1 - x] : [y, x];
        const at = ((region.y + fromY) * image.width + region.x + fromX) * 3 + c;
        data[(y * region.width + x) * 3 + c] = image.data[at] / 255;
      }
  return resizeFloatImage(
    { data, shape: [1, region.height, region.width, 3] },
    { width: 300, height: 300 },
    { scale: 1 / 127.5, offset: -1, resize: 'legacy' },
  ).numbers;
}

/**
 * @param {Float32Array} map [10, 10, 1280]
 * @param {{top: number, left: number, bottom: number, right: number}} box in [0, 1]
 */
function meanUnder(map, { top, left, bottom, right }) {
  const overlap = (/** @type {number} */ from, /** @type {number} */ to, /** @type {number} */ cell) =>
    Math.max(Math.min(to * 10, cell + 1) - Math.max(from * 10, cell), 0);
  const sums = new Float64Array(1280);
  let area = 0;
  for (let y = 0; y < 10; y++)
    for (let x = 0; x < 10; x++) {
      const part = overlap(top, bottom, y) * overlap(left, right, x);
      if (part > 0) sums.forEach((_, c) => (sums[c] += part * map[(y * 10 + x) * 1280 + c]));
      area += part;
    }
  return sums.map((sum) => sum / area);
}

describe('layers', () => {
  test('a name, a part of one, or the whole name of a tensor', async () => {
    const byPart = await FeatureExtractor.create({ layer: 'Conv_1' });
    const operators = (await byPart.profile(coffee)).operators;
    const whole = operators[operators.length - 1].output;
    const byName = await FeatureExtractor.create({ layer: whole });
    assert.deepEqual((await byName.extract(coffee)).features, (await byPart.extract(coffee)).features);
    const early = await FeatureExtractor.create({ layer: 'expanded_conv_2' });
    assert.notEqual(early.length, 1280);
    for (const extractor of [byPart, byName, early]) extractor.close();
  });

  test('what is not needed is not run', async () => {
    const [extractor, detector] = await Promise.all([FeatureExtractor.create(), ObjectDetector.create()]);
    const work = async (/** @type {FeatureExtractor | ObjectDetector} */ model) =>
      (await model.profile(coffee)).operators.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0);
    assert.ok((await work(extractor)) < 0.9 * (await work(detector)));
    extractor.close();
    detector.close();
  });

  test('a classifier serves as an extractor', async () => {
    const model = testData('models/mobilenet_v2_classifier.fp32.tflite');
    const extractor = await FeatureExtractor.create({ model, layer: 'Conv_1', input: INPUT });
    assert.equal(extractor.length, 1280);
    const { shape, data } = await extractor.extractBatch([chelsea, coffee]);
    assert.deepEqual(shape, [2, 1280]);
    assert.ok(data.every((value) => value >= 0 && value <= 6)); // a mean of ReLU6
    extractor.close();
  });

  test('without a name, where Keras says that the backbone ends', async () => {
    const model = testData('models/ssd_with_anchors.fp32.tflite');
    const [unnamed, named] = await Promise.all(
      [undefined, 'out_relu'].map((layer) => FeatureExtractor.create({ model, layer, input: INPUT })),
    );
    assert.equal(unnamed.length, 48);
    assert.deepEqual((await unnamed.extract(coffee)).features, (await named.extract(coffee)).features);
    unnamed.close();
    named.close();
  });

  test('an unknown name is answered with the nearest', async () => {
    await assert.rejects(FeatureExtractor.create({ layer: 'Conv_2' }), {
      code: 'UNKNOWN_LAYER',
      message: /nearest: Conv_1/,
    });
  });

  test('a detector with no such tensor says so', async () => {
    const model = testData('models/ssd_fast_nms.uint8in.tflite');
    const options = { model, input: INPUT };
    await assert.rejects(FeatureExtractor.create(options), { code: 'MODEL_HAS_NO_FEATURES' });
    const detector = await ObjectDetector.create(options);
    await assert.rejects(detector.detect(coffee, { features: 'image' }), { code: 'MODEL_HAS_NO_FEATURES' });
    assert.ok(Array.isArray((await detector.detect(coffee)).detections));
    detector.close();
  });
});

describe('vectors', () => {
  test('cosine and length', async () => {
    assert.equal(cosineSimilarity([1, 0], [0, 2]), 0);
    assert.equal(cosineSimilarity([3, 4], [6, 8]), 1);
    assert.equal(cosineSimilarity([1, -1], [-2, 2]), -1);
    assert.equal(cosineSimilarity([0, 0], [1, 2]), 0);
    assert.throws(() => cosineSimilarity([1], [1, 2]), { code: 'INVALID_INPUT' });
    const extractor = await FeatureExtractor.create();
    const [raw, unit] = [
      (await extractor.extract(coffee)).features,
      (await extractor.extract(coffee, { l2Normalize: true })).features,
    ];
    const norm = Math.hypot(...raw);
    assert.ok(Math.abs(Math.hypot(...unit) - 1) < 1e-6);
    assert.ok(
      maxDifference(
        unit,
        raw.map((value) => value / norm),
      ) < 1e-7,
    );
    const turned = (await extractor.extract(coffee, { rotation: 90 })).features;
    const other = (await extractor.extract(chelsea)).features;
    assert.ok(cosineSimilarity(raw, turned) > cosineSimilarity(raw, other));
    extractor.close();
  });
});

test('an error has a code and leaves the extractor as it was', async () => {
  const extractor = await FeatureExtractor.create();
  const before = (await extractor.extract(coffee)).features;
  /** @type {[string, () => Promise<unknown>][]} */
  const cases = [
    ['UNSUPPORTED_IMAGE_FORMAT', () => extractor.extractBatch([coffee, new Uint8Array(100), chelsea])],
    ['IMAGE_CORRUPT', () => extractor.extract(coffee.subarray(0, 1000))],
    ['INVALID_INPUT', () => extractor.extractBatch(new Float32Array(1000))],
    ['INVALID_INPUT', () => extractor.extractBatch({ data: new Float32Array(12), shape: [2, 1, 3, 3] })],
    [
      'INVALID_INPUT',
      () => extractor.extract({ data: new Float32Array(12), shape: /** @type {any} */ (undefined) }),
    ],
    ['INVALID_INPUT', () => extractor.extractBatch(/** @type {any} */ (null))],
    ['INVALID_INPUT', () => extractor.extractBatch(/** @type {any} */ ([undefined]))],
    [
      'INVALID_INPUT',
      () => extractor.extract({ data: new Float32Array(12), shape: [2, 2, 3] }, { rotation: 90 }),
    ],
    ['INVALID_OPTION', () => extractor.extract(coffee, /** @type {any} */ ({ l2normalize: true }))],
    ['INVALID_OPTION', () => extractor.extract(coffee, /** @type {any} */ (null))],
    ['INVALID_OPTION', () => FeatureExtractor.create(/** @type {any} */ ({ layer: 3 }))],
    ['INVALID_OPTION', () => FeatureExtractor.create(/** @type {any} */ ({ labels: [] }))],
  ];
  for (const [code, call] of cases) await assert.rejects(call, { code }, code + call);
  assert.deepEqual((await extractor.extract(coffee)).features, before);
  extractor.close();
  await assert.rejects(extractor.extract(coffee), { code: 'CLOSED' });
});

test('calls that overlap get their own answers', async () => {
  const extractor = await FeatureExtractor.create();
  const alone = [(await extractor.extract(coffee)).features, (await extractor.extract(chelsea)).features];
  const together = await Promise.all([coffee, chelsea, coffee].map((photo) => extractor.extract(photo)));
  assert.deepEqual(
    together.map(({ features }) => features),
    [alone[0], alone[1], alone[0]],
  );
  extractor.close();
});

test('the memory of a batch is that of its size, again and again', async () => {
  const extractor = await createExtractor();
  const photos = Array.from({ length: 8 }, () => chelsea);
  await extractor.extractBatch(photos);
  await extractor.extract(photos[0]);
  const { liveBytes } = extractor.memoryUse;
  await extractor.extractBatch(photos);
  await extractor.extract(photos[0]);
  assert.ok(Math.abs(extractor.memoryUse.liveBytes - liveBytes) < 1e5);
  extractor.close();
});
