// Results are plain objects: JSON and structuredClone keep all of them, and each says what belongs to its run.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FeatureExtractor, ImageClassifier, ObjectDetector } from '../../../wasm/platform/node.js';
import { toNumbers } from '../../../wasm/shared/numbers.js';
import { maxDifference, packagePhoto, testData } from '../shared.js';

const PHOTO = packagePhoto('astronaut.png');
const RUN = { size: { width: 512, height: 512 }, precision: 'float' };
const CLASSIFIER = {
  model: testData('models/mobilenet_v2_classifier.fp32.tflite'),
  input: { scale: 1 / 127.5, offset: -1, resize: /** @type {const} */ ('half-pixel') },
};

/** @type {ObjectDetector} */ let detector;
before(async () => (detector = await ObjectDetector.create({ scoreThreshold: 0.3 })));
after(() => detector.close());

/** @param {object} result */
function assertPlain(result) {
  assert.equal(Object.getPrototypeOf(result), Object.prototype);
  assert.deepEqual(JSON.parse(JSON.stringify(result)), result);
  assert.deepEqual(structuredClone(result), result);
}

/** @param {import('../../../wasm/vision/types.js').RunResult} result */
function assertRun({ ms, size, variant, precision }) {
  assert.deepEqual(Object.keys(ms), ['decode', 'preprocess', 'network', 'postprocess']);
  for (const time of Object.values(ms)) assert.ok(time >= 0);
  assert.ok(ms.network > 0);
  assert.deepEqual({ size, precision }, RUN);
  assert.equal(variant.threads, 1);
  assert.match(variant.name, /^(simd|relaxed)$/);
}

test('detect', async () => {
  const result = await detector.detect(PHOTO);
  assert.deepEqual(Object.keys(result), ['detections', 'ms', 'size', 'variant', 'precision']);
  assert.deepEqual(
    result.detections.map(({ label }) => label),
    ['Person', 'Bottle', 'Person'],
  );
  assertPlain(result);
  assertRun(result);
});

test('detect with features', async () => {
  const result = await detector.detect(PHOTO, { features: 'both' });
  assert.equal(result.features?.length, 1280);
  for (const { features } of result.detections) assert.equal(features?.length, 1280);
  assertPlain(result);
  assertRun(result);
});

test('nothing found', async () => {
  const result = await detector.detect(PHOTO, { scoreThreshold: 1, features: 'boxes' });
  assert.deepEqual(result.detections, []);
  assert.ok(!('features' in result));
  assertPlain(result);
});

test('every box of a low threshold', async () => {
  const result = await detector.detect(PHOTO, { scoreThreshold: 0, maxResults: 10000, maxPerClass: 10000 });
  assert.ok(result.detections.length > 1000);
  assertPlain(result);
});

test('extract: the values of extractBatch', async () => {
  const extractor = await FeatureExtractor.create();
  const result = await extractor.extract(PHOTO);
  assertPlain(result);
  assertRun(result);
  const { data, shape, ms, variant, precision, ...rest } = await extractor.extractBatch([PHOTO, PHOTO]);
  assert.deepEqual(shape, [2, 1280]);
  assert.ok(maxDifference(data.subarray(0, 1280), result.features) < 1e-5);
  assert.ok(ms.network > 0);
  assert.deepEqual([variant, precision, rest], [result.variant, result.precision, {}]);
  extractor.close();
});

test('features below zero, and zero of either sign', () => {
  const numbers = toNumbers(Float32Array.of(-0, 0, -1.5, 1e-40, 3.4e38));
  assertPlain({ numbers });
  assert.ok(Object.is(numbers[0], 0));
});

test('classify', async () => {
  const classifier = await ImageClassifier.create(CLASSIFIER);
  const result = await classifier.classify(PHOTO);
  assert.equal(result.classes.length, 5);
  assertPlain(result);
  assertRun(result);
  classifier.close();
});

test('profile', async () => {
  const result = await detector.profile(PHOTO);
  assert.ok(result.operators.length > 10);
  assertPlain(result);
  assertRun(result);
});

test('heads and detectTensors, which keep typed arrays', async () => {
  const { heads, ...run } = await detector.heads(PHOTO);
  assert.ok(heads.every(({ data }) => data instanceof Float32Array));
  assertRun(run);
  const { detection_boxes: boxes, ...tensors } = await detector.detectTensors(PHOTO);
  assert.ok(boxes instanceof Float32Array);
  assertRun(tensors);
});

test('a tensor has no size', async () => {
  const { size } = await detector.heads({ tensor: new Float32Array(300 * 300 * 3) });
  assert.deepEqual(size, { width: 0, height: 0 });
});

test('a result is the caller’s: changing it changes no other', async () => {
  const first = await detector.detect(PHOTO);
  const copy = structuredClone(first);
  const second = await detector.detect(PHOTO);
  first.variant.threads = 9;
  first.size.width = 0;
  first.detections.length = 0;
  assert.deepEqual({ ...second, ms: copy.ms }, copy);
  assert.equal(detector.variant.threads, 1);
});
