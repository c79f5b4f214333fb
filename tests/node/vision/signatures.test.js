// A .tflite file with two signatures, by TensorFlow's converter: each can be chosen, and computes what TFLite's
// signature runner computes.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { FeatureExtractor, ImageClassifier, ObjectDetector } from '../../../wasm/platform/node.js';
import { quantize } from '../../../wasm/quantize/node.js';
import { jsonLines, makeSandbox, ocelli, succeed } from '../bin/run.js';
import { maxDifference, readJson, testData } from '../shared.js';

const FILE = testData('signatures/two.tflite');
const { results } = readJson(testData('signatures/expected.json'));
const SIDE = 24;
const data = Uint8Array.from({ length: SIDE * SIDE * 3 }, (_, i) => (i * 37) % 256);
const picture = { data, width: SIDE, height: SIDE };
const input = '[-1,1]';

describe('a chosen signature', () => {
  test('of a classifier', async () => {
    const classifier = await ImageClassifier.create({ model: FILE, signature: 'classify', input });
    after(() => classifier.close());
    const { classes } = await classifier.classify(picture, { topK: 3 });
    const scores = classes.sort((a, b) => a.labelId - b.labelId).map(({ score }) => score);
    assert.ok(maxDifference(scores, results.classify) < 1e-5);
  });

  for (const worker of [false, true])
    test(`of a feature extractor, worker: ${worker}`, async () => {
      const extractor = await FeatureExtractor.create({ model: FILE, signature: 'embed', input, worker });
      after(() => extractor.close());
      assert.ok(maxDifference((await extractor.extract(picture)).features, results.embed) < 1e-5);
    });

  test('none: the first subgraph', async () => {
    const extractor = await FeatureExtractor.create({ model: FILE, input });
    after(() => extractor.close());
    assert.ok(maxDifference((await extractor.extract(picture)).features, results.classify) < 1e-5);
  });

  test('that the file does not have, or that is no string', async () => {
    const create = (/** @type {any} */ signature) =>
      FeatureExtractor.create({ model: FILE, signature, input });
    const message = /'detect'; it has 'classify', 'embed'/;
    await assert.rejects(create('detect'), { code: 'MODEL_NO_SIGNATURE', message });
    await assert.rejects(create(''), { code: 'MODEL_NO_SIGNATURE' });
    await assert.rejects(create('embed\0'), { code: 'MODEL_NO_SIGNATURE' });
    for (const wrong of [1, null, ['embed']]) await assert.rejects(create(wrong), { code: 'INVALID_OPTION' });
  });

  test('of the default model', async () => {
    await assert.rejects(ObjectDetector.create({ signature: 'none' }), { code: 'MODEL_NO_SIGNATURE' });
  });
});

test('quantize takes a signature, and writes that one only', async () => {
  const { model } = await quantize(new Uint8Array(readFileSync(FILE)), [picture], {
    signature: 'embed',
    input,
  });
  const extractor = await FeatureExtractor.create({ model, signature: 'embed', input });
  after(() => extractor.close());
  assert.ok(maxDifference((await extractor.extract(picture)).features, results.embed) < 0.05);
  const classify = FeatureExtractor.create({ model, signature: 'classify', input });
  await assert.rejects(classify, { code: 'MODEL_NO_SIGNATURE', message: /it has 'embed'/ });
});

describe('on the command line', () => {
  const photo = `${makeSandbox('ocelli-signatures-', ['a'])}/photos/light/a.png`;

  test('inspect lists all of them', () => {
    assert.match(succeed(['inspect', FILE]), /signatures +classify, embed/);
    const { signatures, outputs } = JSON.parse(succeed(['inspect', FILE, '--json', '--signature', 'embed']));
    assert.deepEqual(
      [signatures, outputs[0].shape],
      [
        ['classify', 'embed'],
        [1, 8],
      ],
    );
  });

  test('--signature chooses', () => {
    const [{ features }] = jsonLines(
      succeed(['embed', photo, '--model', FILE, '--signature', 'embed', '--input', input, '--json']),
    );
    assert.equal(features.length, 8);
    const { status, stderr } = ocelli([
      'classify',
      photo,
      '--model',
      FILE,
      '--signature',
      'x',
      '--input',
      input,
    ]);
    assert.equal(status, 1);
    assert.match(stderr, /it has 'classify', 'embed'/);
  });
});
