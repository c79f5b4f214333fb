// Mistakes that people make, and what ocelli says to them: always an OcelliError that names what was meant.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  cosineSimilarity,
  decodeImage,
  FeatureExtractor,
  ImageClassifier,
  ObjectDetector,
  OcelliError,
} from '../../../wasm/platform/node.js';
import { suggest } from '../../../wasm/shared/spelling.js';
import { DEFAULT_MODEL, packagePhoto, testData } from '../shared.js';

const PHOTO = packagePhoto('chelsea.png');
/** A classifier of random weights, and what it needs. */
const CLASSIFIER = {
  model: testData('models/mobilenet_v1_classifier.fp32.tflite'),
  input: { scale: 1 / 127.5, offset: -1, resize: /** @type {const} */ ('half-pixel') },
};

describe('a name that is not known gets the one that was meant', () => {
  const known = ['scoreThreshold', 'iouThreshold', 'maxResults', 'labels', 'model', 'classes', 'threads'];
  for (const [given, meant] of [
    ['threshold', 'scoreThreshold'],
    ['score_threshold', 'scoreThreshold'],
    ['minScore', 'scoreThreshold'],
    ['scoreTreshold', 'scoreThreshold'],
    ['SCORETHRESHOLD', 'scoreThreshold'],
    ['max_results', 'maxResults'],
    ['maxNumBoxes', 'maxResults'],
    ['topK', 'maxResults'],
    ['labelsPath', 'labels'],
    ['modelAssetPath', 'model'],
    ['categoryAllowlist', 'classes.allow'],
    ['num_threads', 'threads'],
    ['zebra', undefined],
  ])
    test(`${given} -> ${meant}`, () => assert.equal(suggest(/** @type {string} */ (given), known), meant));

  test('in the error of an option', async () => {
    const options = /** @type {any} */ ({ score_threshold: 0.3 });
    await assert.rejects(ObjectDetector.create(options), {
      code: 'INVALID_OPTION',
      message: /no 'score_threshold'; did you mean 'scoreThreshold'\?/,
    });
  });
});

test('new without create says create', () => {
  for (const Model of /** @type {any[]} */ ([ObjectDetector, ImageClassifier, FeatureExtractor]))
    for (const args of [[], ['model.tflite'], [{ model: 'model.tflite' }]])
      assert.throws(() => new Model(...args), {
        code: 'INVALID_OPTION',
        message: /await ObjectDetector.create/,
      });
});

test('a classifier given to the detector', async () => {
  await assert.rejects(ObjectDetector.create(CLASSIFIER), {
    code: 'MODEL_IS_NOT_A_DETECTOR',
    message: /ImageClassifier \(ocelli classify\)/,
  });
});

test('a detector given to the classifier', async () => {
  await assert.rejects(ImageClassifier.create({ model: DEFAULT_MODEL }), {
    code: 'MODEL_IS_NOT_A_CLASSIFIER',
    message: /ObjectDetector \(ocelli detect\)/,
  });
});

test('labels that are fewer or more than the classes', async () => {
  for (const labels of [['cat', 'dog'], Array.from({ length: 24 }, (_, i) => `class ${i}`)])
    await assert.rejects(ObjectDetector.create({ labels }), {
      code: 'INVALID_OPTION',
      message: new RegExp(`there are ${labels.length} labels, but the model has 23 classes`),
    });
});

test('whatever is passed, what is thrown is an OcelliError', async () => {
  const anything = [null, undefined, 0, NaN, '', 'x', true, [], {}, () => {}, Symbol.iterator, 1n, new Map()];
  const detector = await ObjectDetector.create();
  const extractor = await FeatureExtractor.create();
  const classifier = await ImageClassifier.create(CLASSIFIER);
  /** @type {((value: any) => unknown)[]} */
  const calls = [
    (value) => detector.detect(value),
    (value) => detector.detect(PHOTO, value),
    (value) => detector.detect(PHOTO, { roi: value }),
    (value) => detector.detect(PHOTO, { features: value }),
    (value) => detector.detect(PHOTO, { rotation: value }),
    (value) => detector.detectInto(PHOTO, value),
    (value) => detector.detectTensors(value),
    (value) => detector.detectTensors(PHOTO, value),
    (value) => detector.video(value),
    (value) => detector.heads(value),
    (value) => detector.heads({ tensor: value }),
    (value) => detector.profile(PHOTO, value),
    (value) => detector.report(value),
    (value) => extractor.extract(value),
    (value) => extractor.extract(PHOTO, value),
    (value) => extractor.extractBatch(value),
    (value) => extractor.extractBatch([value]),
    (value) => classifier.classify(value),
    (value) => classifier.classify(PHOTO, value),
    (value) => ObjectDetector.create(value),
    (value) => ObjectDetector.create({ model: value }),
    (value) => ObjectDetector.create({ labels: value }),
    (value) => ObjectDetector.create({ classes: value }),
    (value) => ObjectDetector.create({ classes: { allow: value } }),
    (value) => ObjectDetector.create({ classes: { allow: [value] } }),
    (value) => ObjectDetector.create({ ssd: value }),
    (value) => ObjectDetector.create({ ssd: { anchors: value } }),
    (value) => ObjectDetector.create({ ssd: { anchorGenerator: value } }),
    (value) => ObjectDetector.create({ input: value }),
    (value) => ObjectDetector.create({ assetsUrl: value }),
    (value) => ImageClassifier.create(value),
    (value) => FeatureExtractor.create(value),
    (value) => FeatureExtractor.create({ layer: value }),
    (value) => decodeImage(value),
    (value) => decodeImage(PHOTO, value),
    (value) => cosineSimilarity(value, [1]),
    (value) => cosineSimilarity([1], value),
  ];
  /** @type {string[]} */
  const raw = [];
  for (const call of calls)
    for (const value of anything)
      try {
        const result = await call(value);
        /** @type {any} */ (result)?.close?.();
      } catch (error) {
        if (!(error instanceof OcelliError)) raw.push(`${call} with ${String(value)}: ${error}`);
      }
  assert.deepEqual(raw, []);
  assert.equal((await detector.detect(PHOTO)).detections[0].label, 'Cat');
  for (const model of [detector, extractor, classifier]) model.close();
});
