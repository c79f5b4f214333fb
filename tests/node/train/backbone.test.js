// A .tflite file as a backbone: features as the whole network's, tails that compute what the layers did, and exported
// classifiers that give the learner's probabilities, in our engine and in LiteRT.js.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ImageClassifier } from '../../../wasm/platform/node.js';
import { Backbone, TransferLearner } from '../../../wasm/train/node.js';
import { encodePng } from '../../../wasm/draw/png.js';
import { IMAGES, LABELS, makeImage, SIDE } from './stripes.js';
import { checkExport } from './exported.js';
import { loadEngine, loadModel, maxAbs, maxDifference, readJson, testData } from '../shared.js';

const INPUT = /** @type {const} */ ({ scale: 1 / 127.5, offset: -1, resize: 'half-pixel' });
/** The network's own input for an image. @param {{data: Uint8Array | Uint8ClampedArray}} image */
const toInput = ({ data }) => Float32Array.from(data, (pixel) => pixel * INPUT.scale + INPUT.offset);

describe('a backbone', () => {
  test('gives the features of the file', async () => {
    const model = testData('models/mobilenet_v2_features.fp32.tflite');
    const engine = await loadEngine('simd', model);
    const backbone = await Backbone.create({ model, input: INPUT, deterministic: true });
    const { data, shape } = await backbone.extractBatch(IMAGES.slice(0, 3));
    assert.deepEqual(shape, [3, 1280]);
    for (let i = 0; i < 3; i++) {
      engine.writeInput(0, toInput(IMAGES[i]));
      engine.run();
      const expected = /** @type {Float32Array} */ (engine.readOutput(0).data);
      assert.ok(maxDifference(data.subarray(i * 1280, (i + 1) * 1280), expected) <= 1e-4 * maxAbs(expected));
    }
    backbone.close();
    engine.close();
  });

  test('of the default detector has 1280 features, the mean of its last layer', async () => {
    const backbone = await Backbone.create();
    const { shape } = await backbone.extractBatch([IMAGES[0]]);
    assert.deepEqual([shape, backbone.length], [[1, 1280], 1280]);
    const learner = await TransferLearner.create({ extractor: backbone });
    const add = (/** @type {number} */ length) =>
      learner.addFeatures(new Float32Array(2 * length), ['a', 'b']);
    assert.throws(() => add(1152), { code: 'INVALID_FEATURES', message: /rows of 1280 numbers/ });
    add(1280);
    learner.close();
    backbone.close();
  });

  test('is the signature that is chosen; default: the first subgraph', async () => {
    const model = testData('signatures/backbones.tflite');
    const { backbones: expected } = readJson(testData('signatures/expected.json'));
    const data = Uint8Array.from({ length: 24 * 24 * 3 }, (_, i) => (i * 37) % 256);
    for (const [signature, key] of [['features6'], ['features10'], [undefined, 'features10']]) {
      const backbone = await Backbone.create({ model, signature, input: '[-1,1]' });
      const features = await backbone.extractBatch([{ data, width: 24, height: 24 }]);
      backbone.close();
      const values = expected[key ?? signature ?? ''];
      assert.deepEqual(features.shape, [1, values.length]);
      assert.ok(maxDifference(features.data, values) < 1e-5 * maxAbs(values));
    }
    const create = (/** @type {any} */ signature) => Backbone.create({ model, signature, input: '[-1,1]' });
    const message = /'features8'; it has 'features10', 'features6'/;
    await assert.rejects(create('features8'), { code: 'MODEL_NO_SIGNATURE', message });
    for (const wrong of [6, null, {}]) await assert.rejects(create(wrong), { code: 'INVALID_OPTION' });
    await assert.rejects(Backbone.create({ signature: 'features6' }), { code: 'MODEL_NO_SIGNATURE' });
  });

  test('that cannot be used is refused by name', async () => {
    const refuse = (/** @type {string} */ name, /** @type {object} */ error, unfreeze = 0) =>
      assert.rejects(
        Backbone.create({ model: testData(`models/${name}.tflite`), input: INPUT, unfreeze }),
        error,
      );
    await refuse('small_classifier.uint8', { code: 'GRAPH_UNSUPPORTED' });
    const code = 'BLOCK_UNSUPPORTED';
    await refuse('mobilenet_v1_classifier.fp32', { code, message: /' is / }, 14);
    const stem = { code, message: /'[^;']*' is CONV_2D 3x3 of stride 2x2/ };
    await refuse('mobilenet_v3_small_features.fp16', stem, 12);
  });
});

for (const [name, unfreeze] of /** @type {const} */ ([
  ['mobilenet_v2_features', 0],
  ['mobilenet_v2_features', 1],
  ['mobilenet_v2_features', 3],
  ['mobilenet_v1_classifier', 1],
  ['mobilenet_v1_classifier', 2],
  ['mobilenet_v1_classifier', 3],
])) {
  test(`a classifier exported after training ${unfreeze} blocks of ${name} is the learner's`, async () => {
    const model = testData(`models/${name}.fp32.tflite`);
    const extractor = await Backbone.create({ model, input: INPUT, unfreeze });
    const learner = await TransferLearner.create({ extractor });
    await learner.addExamples(IMAGES, LABELS);
    const before = unfreeze > 0 ? extractor.tail?.parameters.slice() : undefined;
    const optimizer = unfreeze > 0 ? /** @type {const} */ ({ type: 'sgd', learningRate: 0.001 }) : 'adam';
    const { history } = await learner.fit({ epochs: 8, batchSize: 8, optimizer });
    assert.ok(/** @type {number} */ (history.loss.at(-1)) < history.loss[0]);
    if (before) {
      const [name, { data }] = Object.entries(learner.getWeights())[0];
      assert.ok(maxDifference(data, before.subarray(0, data.length)) > 0, `${name} was trained`);
    }
    const file = learner.export();
    const engine = await loadEngine('simd', file);
    const metadata = await loadModel(engine, file);
    assert.equal(metadata.labels, 'across\nalong\n');
    assert.deepEqual(metadata.normalization?.mean.map(Math.round), [128, 128, 128]);
    await checkExport(learner, IMAGES.slice(0, 4), toInput);
    engine.close();
    learner.close();
    extractor.close();
  });
}

test('an exported classifier sees the pixels that it was trained on', async () => {
  const image = makeImage(3);
  // A wide photo whose centre is the image, and another one whose sides differ.
  const wide = [0, 255].map((side) => {
    const data = new Uint8Array(3 * image.data.length).fill(side);
    const row = 3 * SIDE;
    for (let y = 0; y < SIDE; y++) data.set(image.data.subarray(y * row, (y + 1) * row), 3 * y * row + row);
    return { data, width: 3 * SIDE, height: SIDE, channels: /** @type {const} */ (3) };
  });
  const model = testData('models/mobilenet_v2_features.fp32.tflite');
  for (const fit of /** @type {const} */ (['crop', 'contain', 'stretch', undefined])) {
    const extractor = await Backbone.create({ model, input: { ...INPUT, ...(fit && { fit }) } });
    const learner = await TransferLearner.create({ extractor });
    await learner.addExamples(wide, ['dark', 'bright']);
    await learner.fit({ optimizer: { type: 'sgd', learningRate: 0 } });
    const classifier = await ImageClassifier.create({ model: learner.export() });
    // A file that was exported says it to the next backbone.
    const again = await Backbone.create({ model: learner.export() });
    for (const photo of wide) {
      const found = new Map((await learner.predict(photo)).map(({ label, score }) => [label, score]));
      for (const { label, score } of (await classifier.classify(photo)).classes)
        assert.ok(Math.abs(score - Number(found.get(label))) < 1e-5, `${fit} ${label}`);
      const [features, own] = [await again.extractBatch([photo]), await extractor.extractBatch([photo])];
      assert.ok(maxDifference(features.data, own.data) <= 1e-4 * maxAbs(own.data), `${fit}`);
    }
    for (const closing of [classifier, again, learner, extractor]) closing.close();
  }
});

test('MobileNetV1: an untrained tail computes what the network does', async () => {
  const model = testData('models/mobilenet_v1_classifier.fp32.tflite');
  const whole = await Backbone.create({ model, input: INPUT });
  const { data, shape } = await whole.extractBatch([IMAGES[0]]);
  const extractor = await Backbone.create({ model, input: INPUT, unfreeze: 3 });
  const { layers = [] } = extractor.tail ?? {};
  assert.deepEqual(
    layers.map(({ kind }) => kind),
    Array(3).fill(['depthwise', 'pointwise']).flat(),
  );
  const learner = await TransferLearner.create({ extractor });
  await learner.addExamples(IMAGES, LABELS);
  // A rate of 0 leaves the head as it began: kernel and probabilities tell the features.
  await learner.fit({ epochs: 1, optimizer: { type: 'sgd', learningRate: 0 } });
  const weights = Object.values(learner.getWeights());
  const [kernel, bias] = weights.slice(-2).map(({ data: values }) => values);
  const logits = [0, 1].map((c) =>
    Array.from(data).reduce((sum, feature, i) => sum + feature * kernel[2 * i + c], bias[c]),
  );
  const expected = 1 / (1 + Math.exp(logits[1] - logits[0]));
  const [first] = (await learner.predict(IMAGES[0])).sort((a, b) => a.labelId - b.labelId);
  assert.deepEqual(shape, [1, kernel.length / 2]);
  assert.ok(Math.abs(first.score - expected) < 1e-4, `${first.score} ${expected}`);
  learner.close();
  whole.close();
  extractor.close();
});

test('a directory is read as Keras reads it, and a damaged photo is named', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'photos-'));
  t.after(() => rm(directory, { recursive: true }));
  const extractor = await Backbone.create();
  const learner = await TransferLearner.create({ extractor });
  await assert.rejects(learner.addDirectory(directory), { code: 'NO_EXAMPLES' });
  for (const [label, from] of /** @type {const} */ ([
    ['stripes', 0],
    ['bars', 1],
  ])) {
    await mkdir(join(directory, label));
    for (let i = from; i < 6; i += 2)
      await writeFile(join(directory, label, `${i}.png`), encodePng(makeImage(i)));
  }
  await writeFile(join(directory, 'notes.txt'), 'not a class');
  await writeFile(join(directory, 'bars', 'notes.txt'), 'not a photo');
  const damaged = join(directory, 'stripes', 'damaged.png');
  await writeFile(damaged, encodePng(makeImage(0)).slice(0, 99));
  await assert.rejects(learner.addDirectory(directory), { code: 'IMAGE_CORRUPT', message: /damaged\.png/ });
  await assert.rejects(learner.addDirectory(directory, /** @type {any} */ (null)), {
    code: 'INVALID_OPTION',
  });
  /** @type {number[]} */ const told = [];
  const others = await TransferLearner.create({ extractor });
  await others.addDirectory(directory, { onUnreadable: (_, i) => void told.push(i) });
  assert.deepEqual(others.examples.count, 6);
  assert.deepEqual(told, [6]);
  others.close();
  await rm(damaged);
  await learner.addDirectory(directory);
  assert.deepEqual(learner.examples.classes, [
    { label: 'bars', count: 3 },
    { label: 'stripes', count: 3 },
  ]);
  await mkdir(join(directory, 'empty'));
  await assert.rejects(learner.addDirectory(directory), { code: 'EMPTY_CLASS', message: /empty/ });
  learner.close();
  extractor.close();
});
