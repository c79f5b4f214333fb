// Mistakes that people make, and what ocelli says to them: always an OcelliError that names what was meant.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { convert } from '../../../wasm/convert/node.js';
import { drawDetections } from '../../../wasm/draw/draw.js';
import { encodePng } from '../../../wasm/draw/png.js';
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
      message: /^unknown option 'score_threshold'; did you mean 'scoreThreshold'\?$/,
    });
  });
});

test('new without create says create', () => {
  for (const Model of /** @type {any[]} */ ([ObjectDetector, ImageClassifier, FeatureExtractor]))
    for (const args of [[], [{}], ['model.tflite'], [{ model: 'model.tflite' }]])
      assert.throws(() => new Model(...args), {
        code: 'INVALID_OPTION',
        message: new RegExp(`await ${Model.name}.create`),
      });
});

describe('what is passed wrongly is said in words that help', () => {
  /** @type {ObjectDetector} */ let detector;
  /** @type {ImageClassifier} */ let classifier;
  /** @type {FeatureExtractor} */ let extractor;
  before(async () => {
    detector = await ObjectDetector.create();
    classifier = await ImageClassifier.create(CLASSIFIER);
    extractor = await FeatureExtractor.create();
  });
  after(() => [detector, classifier, extractor].forEach((model) => model.close()));

  const video = (/** @type {any} */ ...args) => detector.video(.../** @type {[any]} */ (args));
  const detect = (/** @type {any} */ ...args) => detector.detect(.../** @type {[any]} */ (args));
  const create = (/** @type {any} */ options) => ObjectDetector.create(options);
  const classify = (/** @type {any} */ options) => classifier.classify(PHOTO, options);
  const set = (/** @type {any} */ options) => detector.setOptions(options);
  const bytes = new Uint8Array(12);
  const tagged = (/** @type {string} */ tag) => ({ [Symbol.toStringTag]: tag });

  for (const [call, code, message] of /** @type {[() => any, string, RegExp][]} */ ([
    [() => create({ zebra: 1 }), 'INVALID_OPTION', /^unknown option 'zebra'; the options are model, /],
    [() => create({ score: 1 }), 'INVALID_OPTION', /did you mean 'scoreThreshold'\?$/],
    [() => create({ poolSize: 1 }), 'INVALID_OPTION', /did you mean 'pool'\?$/],
    [() => create({ queueSize: 1 }), 'INVALID_OPTION', /did you mean 'maxQueue'\?$/],
    [() => create({ abortSignal: 1 }), 'INVALID_OPTION', /did you mean 'signal'\?$/],
    ...['runningMode', 'delegate', 'device', 'displayNamesLocale'].map((name) => [
      () => create({ [name]: 'x' }),
      'INVALID_OPTION',
      new RegExp(`^unknown option '${name}'; it is not needed`),
    ]),
    ...['roi', 'rotation', 'features', 'timeoutMs'].map((name) => [
      () => create({ [name]: 1 }),
      'INVALID_OPTION',
      new RegExp(`^unknown option '${name}'; pass it to detect$`),
    ]),
    [() => create({ into: 1 }), 'INVALID_OPTION', /; pass it to video$/],
    [() => detect(PHOTO, { classes: {} }), 'INVALID_OPTION', /; pass it to create or setOptions$/],
    [() => detect(PHOTO, { worker: true }), 'INVALID_OPTION', /; pass it to create$/],
    [() => detect(PHOTO, { numThreads: 2 }), 'INVALID_OPTION', /did you mean 'threads'\? pass it to create$/],
    [() => set({ threads: 2 }), 'INVALID_OPTION', /; pass it to create$/],
    [() => set({ roi: {} }), 'INVALID_OPTION', /; pass it to detect$/],
    [() => classify({ threshold: 0.5 }), 'INVALID_OPTION', /a classifier has no threshold/],
    [
      () => ImageClassifier.create(/** @type {any} */ ({ scoreThreshold: 0.5 })),
      'INVALID_OPTION',
      /no threshold/,
    ],
    [
      () => FeatureExtractor.create(/** @type {any} */ ({ rotation: 90 })),
      'INVALID_OPTION',
      /pass it to extract$/,
    ],
    [() => create({ classes: ['Dog'] }), 'INVALID_OPTION', /write \{ allow: \['Dog'\] \}/],
    [() => create({ classes: 'Dog' }), 'INVALID_OPTION', /write \{ allow: \['Dog'\] \}/],
    [() => detect(PHOTO, 20, 0.5), 'INVALID_OPTION', /write \{ maxResults: 20, scoreThreshold/],
    [
      async () => video(tagged('HTMLVideoElement'), () => {}),
      'INVALID_OPTION',
      /for await \(const result of/,
    ],
    [async () => video(tagged('HTMLCanvasElement')), 'INVALID_INPUT', /a HTMLCanvasElement: call detect/],
    [async () => video(tagged('MediaStream')), 'INVALID_INPUT', /srcObject of a <video>/],
    [
      () => detect({ data: bytes.subarray(1), width: 2, height: 2 }),
      'INVALID_PIXELS',
      /11 bytes do not fit 2 x 2/,
    ],
    [
      () => extractor.extract(/** @type {any} */ ({ data: new Float32Array(12), width: 2, height: 2 })),
      'INVALID_INPUT',
      /shape is missing; pass \{data, shape: \[2, 2, 3\]\}/,
    ],
    [
      () => detect({ data: bytes, shape: [2, 2, 3] }),
      'INVALID_INPUT',
      /missing; pass \{data, width: 2, height: 2\}/,
    ],
    [
      () => detect({ data: bytes, info: { width: 2, height: 2, channels: 3 } }),
      'INVALID_INPUT',
      /sharp's .* width: info\.width/,
    ],
    [
      () => detect({ data: bytes, width: '2', height: 2 }),
      'INVALID_INPUT',
      /must be numbers, but one is a string/,
    ],
    [
      () => detect({ data: new Uint16Array(12), width: 2, height: 2 }),
      'INVALID_INPUT',
      /a Uint16Array; pass a Uint8Array/,
    ],
    [() => detect({}), 'INVALID_INPUT', /in Node, a path/],
    [() => detect('ftp://example.com/a.png'), 'IMAGE_NOT_FOUND', /cannot read ftp: URLs/],
    [() => detect('http://127.0.0.1:9/a.png'), 'IMAGE_NOT_FOUND', /ECONNREFUSED|bad port/],
    [() => create({ labels: '/nope.txt' }), 'LABELS_NOT_FOUND', /ENOENT.*nope\.txt/],
    [() => create({ labels: 'a\nb' }), 'INVALID_OPTION', /pass a list/],
    [() => create({ classes: { allow: ['Zebra'] } }), 'UNKNOWN_CLASS', /'Zebra'; the classes are .*Dog.*/],
    [() => detect(PHOTO, { exact: 'yes' }), 'INVALID_OPTION', /exact/],
    [() => detect(PHOTO, { rotation: null }), 'INVALID_OPTION', /rotation/],
    [() => classify({ decode: null }), 'INVALID_OPTION', /decode/],
    [() => set({ classes: false }), 'INVALID_OPTION', /classes/],
    [() => set({ classes: 0 }), 'INVALID_OPTION', /classes/],
    [() => create({ labels: null }), 'INVALID_OPTION', /labels/],
    [() => create({ int8Model: null }), 'INVALID_OPTION', /int8Model/],
    [() => create({ background: null }), 'INVALID_OPTION', /background/],
    [() => create({ layer: 5 }), 'INVALID_OPTION', /layer/],
    [
      async () =>
        drawDetections({ data: bytes, width: 2, height: 2, channels: 3 }, /** @type {any} */ ([{}])),
      'INVALID_INPUT',
      /detections/,
    ],
    [
      async () =>
        drawDetections({ data: bytes, width: 2, height: 2, channels: 3 }, /** @type {any} */ (null)),
      'INVALID_INPUT',
      /detections/,
    ],
    [async () => drawDetections(/** @type {any} */ (null), []), 'INVALID_INPUT', /pixels/],
    [async () => encodePng(/** @type {any} */ (null)), 'INVALID_INPUT', /cannot encode/],
    [
      async () => encodePng({ data: bytes, width: 3, height: 2, channels: 3 }),
      'INVALID_PIXELS',
      /cannot encode: 12 bytes/,
    ],
    [async () => convert(bytes, /** @type {any} */ (null)), 'INVALID_OPTION', /options must be an object/],
  ]))
    test(`${call}`, () => assert.rejects(async () => call(), { name: 'OcelliError', code, message }));
});

test('cosineSimilarity of very large and very small numbers', () => {
  for (const value of [1e200, 1e-200, Number.MAX_VALUE, Number.MIN_VALUE, -3]) {
    assert.equal(cosineSimilarity([value], [value]), 1);
    assert.equal(cosineSimilarity([value], [-value]), -1);
    assert.ok(Math.abs(cosineSimilarity([value, 0], [value, value]) - Math.SQRT1_2) < 1e-15);
  }
  assert.equal(cosineSimilarity([0, 0], [1, 2]), 0);
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
  for (const labels of [['cat'], ['cat', 'dog'], Array.from({ length: 24 }, (_, i) => `class ${i}`)])
    await assert.rejects(ObjectDetector.create({ labels }), {
      code: 'INVALID_OPTION',
      message: new RegExp(`labels has ${labels.length} names?, but the model has 23 classes`),
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
