// setOptions: a running object answers as one created with those options does.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FeatureExtractor, ImageClassifier, ObjectDetector } from '../../../wasm/platform/node.js';
import { packagePhoto, testData } from '../shared.js';

const PHOTO = packagePhoto('astronaut.png');
const ALL = { scoreThreshold: 0.01, maxResults: 10000 };
const INPUT = { scale: 1 / 127.5, offset: -1, resize: /** @type {const} */ ('half-pixel') };
const NAMES = Array.from({ length: 5 }, (_, i) => `class ${i}`);
const ANCHORS = Array.from({ length: 162 }, (_, i) => [(i % 83) / 83, (i % 82) / 82, 0.2, 0.2]);

/** @typedef {import('../../../wasm/vision/types.js').DetectorOptions} DetectorOptions */
/** @typedef {import('../../../wasm/vision/types.js').DetectorSettings} DetectorSettings */

/** @param {ObjectDetector} detector */
const find = async (detector) => (await detector.detect(PHOTO)).detections;

/** What a detector finds that was created with these options. @param {DetectorOptions} options */
async function findWith(options) {
  const detector = await ObjectDetector.create(options);
  try {
    return await find(detector);
  } finally {
    detector.close();
  }
}

/**
 * What a call gives after a call that trapped.
 * @template T
 * @param {() => Promise<T>} call
 */
async function afterTrap(call) {
  const { prototype } = (await import('../../../wasm/engine/engine.js')).Engine;
  const { run } = prototype;
  /** @type {object | undefined} */
  let broken;
  prototype.run = function (...args) {
    broken ??= this;
    if (this !== broken) return run.apply(this, args);
    Object.defineProperty(this, 'isBroken', { value: true });
    throw new WebAssembly.RuntimeError('unreachable');
  };
  try {
    await assert.rejects(call());
    return await call();
  } finally {
    prototype.run = run;
  }
}

describe('thresholds', () => {
  for (const settings of [
    { scoreThreshold: 0.1 },
    { scoreThreshold: 0.02, iouThreshold: 0.2 },
    { scoreThreshold: 0.02, maxResults: 4 },
    { scoreThreshold: 0.02, maxPerClass: 1 },
    { scoreThreshold: 0.02, classAgnostic: true },
  ])
    test(JSON.stringify(settings), async () => {
      const detector = await ObjectDetector.create();
      const before = await find(detector);
      await detector.setOptions(settings);
      const after = await find(detector);
      assert.notDeepEqual(after, before);
      assert.deepEqual(after, await findWith(settings));
      const none = Object.fromEntries(Object.keys(settings).map((key) => [key, null]));
      await detector.setOptions(none);
      assert.deepEqual(await find(detector), before);
      detector.close();
    });

  test('undefined leaves an option as it is, null sets the default and not what create was given', async () => {
    const detector = await ObjectDetector.create({ scoreThreshold: 0.1, maxResults: 2 });
    await detector.setOptions({ scoreThreshold: undefined, maxResults: null });
    assert.deepEqual(await find(detector), await findWith({ scoreThreshold: 0.1 }));
    await detector.setOptions({});
    assert.deepEqual(await find(detector), await findWith({ scoreThreshold: 0.1 }));
    detector.close();
  });

  test('an option of one call comes first', async () => {
    const detector = await ObjectDetector.create();
    await detector.setOptions({ maxResults: 3, scoreThreshold: 0.01 });
    assert.equal((await detector.detect(PHOTO, { maxResults: 2 })).detections.length, 2);
    assert.equal((await find(detector)).length, 3);
    detector.close();
  });

  test('detectInto and detectTensors have them too', async () => {
    const detector = await ObjectDetector.create();
    await detector.setOptions({ scoreThreshold: 0.01, maxResults: 4 });
    assert.equal(await detector.detectInto(PHOTO, new Float32Array(60)), 4);
    assert.equal((await detector.detectTensors(PHOTO)).detection_scores.length, 4);
    detector.close();
  });
});

describe('classes: bit for bit what create finds with them', () => {
  const few = { allow: ['Dog', 'Person'] };
  /** @type {[string, DetectorSettings['classes']][]} */
  const selections = [
    ['fewer', { allow: ['Person'] }],
    ['others, whose columns were removed', { allow: ['Bottle', 3, '/m/01yrx'] }],
    ['all but one', { deny: ['Person'] }],
    ['none', { allow: [] }],
    ['the same', { allow: ['Dog', 'Person'] }],
    ['all', null],
  ];
  for (const [name, classes] of selections)
    for (const [from, options] of /** @type {[string, DetectorOptions][]} */ ([
      ['all classes', ALL],
      ['two classes', { ...ALL, classes: few }],
      ['two classes in a softmax', { ...ALL, ...softmax(), classes: { allow: [0, 1] } }],
    ]))
      test(`${name}, from ${from}`, async () => {
        const asked = options.model ? inNumbers(classes) : classes;
        const detector = await ObjectDetector.create(options);
        await detector.setOptions({ classes: asked });
        const { classes: _, ...rest } = options;
        assert.deepEqual(await find(detector), await findWith({ ...rest, ...(asked && { classes: asked }) }));
        detector.close();
      });

  function softmax() {
    return {
      model: testData('models/ssd_with_anchors.fp32.tflite'),
      ...{ input: INPUT, labels: NAMES },
      ssd: {
        anchors: ANCHORS,
        boxCoder: [10, 10, 5, 5],
        scores: /** @type {const} */ ('none'),
        background: true,
      },
    };
  }

  /** @param {DetectorSettings['classes']} classes @returns {DetectorSettings['classes']} */
  function inNumbers(classes) {
    if (!classes) return classes;
    return classes.deny ? { deny: [1] } : { allow: classes.allow?.map((_, i) => i + 1) };
  }

  for (const where of [{ worker: true }, { pool: 2 }])
    test(`${JSON.stringify(where)}: every instance has them, and a refused call changes none`, async () => {
      const detector = await ObjectDetector.create({ ...ALL, ...where });
      const findTwice = () => Promise.all([find(detector), find(detector)]);
      for (const [, classes] of selections) {
        await detector.setOptions({ classes });
        const expected = await findWith({ ...ALL, ...(classes && { classes }) });
        assert.deepEqual(await findTwice(), [expected, expected]);
        await assert.rejects(detector.setOptions({ classes: { allow: ['Dgo'] } }), { code: 'UNKNOWN_CLASS' });
        assert.deepEqual(await findTwice(), [expected, expected]);
      }
      detector.close();
      await assert.rejects(detector.setOptions({ classes: null }), { code: 'CLOSED' });
    });

  test('again and again, with no more memory than one model', async () => {
    const detector = await ObjectDetector.create(ALL);
    const expected = await find(detector);
    const { liveBytes } = detector.memoryUse;
    for (let i = 0; i < 5; i++) {
      await detector.setOptions({ classes: { allow: [i] } });
      await detector.setOptions({ classes: null });
    }
    assert.deepEqual(await find(detector), expected);
    assert.ok(Math.abs(detector.memoryUse.liveBytes - liveBytes) < 1e5);
    detector.close();
  });

  test('heads have the columns that create gives them, features stay the same', async () => {
    const detector = await ObjectDetector.create(ALL);
    const { features } = await detector.detect(PHOTO, { features: 'image' });
    await detector.setOptions({ classes: few });
    const { heads } = await detector.heads(PHOTO);
    assert.deepEqual(heads.map(({ shape }) => shape.at(-1)).sort(), [2, 4]);
    assert.deepEqual((await detector.detect(PHOTO, { features: 'both' })).features, features);
    detector.close();
  });

  test('a list that the caller changes later', async () => {
    const allow = ['Person'];
    const detector = await ObjectDetector.create({ ...ALL, classes: { allow } });
    allow[0] = 'Bottle';
    assert.ok((await find(detector)).every(({ label }) => label === 'Person'));
    const deny = ['Person'];
    const changing = detector.setOptions({ classes: { deny } });
    deny[0] = 'Bottle';
    await changing;
    assert.ok((await find(detector)).some(({ label }) => label === 'Bottle'));
    detector.close();
  });

  test('of a model that can be read only once', async () => {
    const { createReadStream } = await import('node:fs');
    const { DEFAULT_MODEL } = await import('../shared.js');
    const detector = await ObjectDetector.create({ ...ALL, model: createReadStream(DEFAULT_MODEL) });
    await detector.setOptions({ classes: few });
    assert.deepEqual(await find(detector), await findWith({ ...ALL, weights: 'full', classes: few }));
    detector.close();
  });
});

describe('calls before, between and after', () => {
  test('a call has the options of its time', async () => {
    const detector = await ObjectDetector.create(ALL);
    const labels = async () => new Set((await find(detector)).map(({ label }) => label));
    const [before, , between, , after] = await Promise.all([
      labels(),
      detector.setOptions({ classes: { allow: ['Person'] } }),
      labels(),
      detector.setOptions({ classes: { allow: ['Bottle'] }, maxResults: 1 }),
      find(detector),
    ]);
    assert.ok(before.size > 2);
    assert.deepEqual([...between], ['Person']);
    assert.deepEqual(
      after.map(({ label }) => label),
      ['Bottle'],
    );
    detector.close();
  });

  test('after a trap, the model has the classes that were set last', async () => {
    const detector = await ObjectDetector.create(ALL);
    await detector.setOptions({ classes: { allow: ['Bottle'] } });
    const expected = await find(detector);
    assert.deepEqual(await afterTrap(() => find(detector)), expected);
    detector.close();
  });

  const pixels = { data: new Uint8Array(96 * 96 * 3).map((_, i) => (i * 7) % 256), width: 96, height: 96 };
  const photo = /** @type {const} */ ({ ...pixels, channels: 3 });
  for (const [what, Model, ask] of /** @type {[string, any, (model: any) => Promise<unknown>][]} */ ([
    ['a feature extractor', FeatureExtractor, async (model) => (await model.extract(photo)).features],
    ['a classifier', ImageClassifier, async (model) => (await model.classify(photo)).classes],
  ]))
    test(`after a trap, ${what} has its own model`, async () => {
      const path = testData('models/mobilenet_v2_classifier.fp32.tflite');
      const model = await Model.create({ model: path, input: '[-1,1]' });
      const expected = await ask(model);
      assert.deepEqual(await afterTrap(() => ask(model)), expected);
      model.close();
    });
});

describe('a refused call changes nothing', () => {
  /** @type {[any, string, RegExp][]} */
  const refused = [
    [undefined, 'INVALID_OPTION', /must be an object/],
    [null, 'INVALID_OPTION', /must be an object/],
    [{ scoreThreshold: 2 }, 'INVALID_OPTION', /scoreThreshold/],
    [{ maxResults: 1, iouThreshold: 'x' }, 'INVALID_OPTION', /iouThreshold/],
    [{ threads: 2 }, 'INVALID_OPTION', /unknown option 'threads'; pass it to create/],
    [{ score_threshold: 0.2 }, 'INVALID_OPTION', /did you mean 'scoreThreshold'/],
    [{ maxResults: 1, classes: { allow: ['Dgo'] } }, 'UNKNOWN_CLASS', /'Dog'/],
    [{ maxResults: 1, classes: { allow: [23] } }, 'UNKNOWN_CLASS', /0 to 22/],
    [{ maxResults: 1, classes: { only: ['Dog'] } }, 'INVALID_OPTION', /allow/],
    [{ maxResults: 1, classes: { allow: [Symbol('a')] } }, 'INVALID_OPTION', /names and numbers/],
    [{ maxResults: 1, classes: 'Dog' }, 'INVALID_OPTION', /classes/],
  ];
  test('of a detector', async () => {
    const detector = await ObjectDetector.create({ scoreThreshold: 0.1, classes: { deny: ['Bottle'] } });
    const before = await find(detector);
    for (const [options, code, message] of refused) {
      await assert.rejects(detector.setOptions(options), { name: 'OcelliError', code, message });
      assert.deepEqual(await find(detector), before);
    }
    detector.close();
    for (const options of [{}, { maxResults: 1 }, { classes: null }])
      await assert.rejects(detector.setOptions(options), { code: 'CLOSED' });
  });

  test('a model that cannot be loaded again', async () => {
    const { copyFileSync, mkdtempSync, rmSync } = await import('node:fs');
    const { DEFAULT_MODEL } = await import('../shared.js');
    const folder = mkdtempSync('build/options-');
    copyFileSync(DEFAULT_MODEL, `${folder}/model.tflite`);
    const detector = await ObjectDetector.create({ model: `${folder}/model.tflite`, scoreThreshold: 0.1 });
    const before = await find(detector);
    rmSync(folder, { recursive: true });
    await assert.rejects(detector.setOptions({ classes: { allow: ['Person'] }, maxResults: 1 }), {
      code: 'MODEL_NOT_FOUND',
    });
    assert.deepEqual(await find(detector), before);
    detector.close();
  });
});

test('a classifier: topK', async () => {
  const model = testData('models/mobilenet_v2_classifier.fp32.tflite');
  const classifier = await ImageClassifier.create({ model, input: INPUT, topK: 2 });
  const count = async (/** @type {object} */ options) =>
    (await classifier.classify(PHOTO, options)).classes.length;
  assert.deepEqual([await count({}), await count({ topK: 4 })], [2, 4]);
  await classifier.setOptions({ topK: 3 });
  assert.deepEqual([await count({}), await count({ topK: 4 })], [3, 4]);
  for (const topK of /** @type {any[]} */ ([0, 1.5, '3'])) {
    await assert.rejects(classifier.setOptions({ topK }), { code: 'INVALID_OPTION' });
    await assert.rejects(ImageClassifier.create({ model, input: INPUT, topK }), { code: 'INVALID_OPTION' });
  }
  assert.equal(await count({}), 3);
  await classifier.setOptions({ topK: null });
  assert.equal(await count({}), 5);
  classifier.close();
  await assert.rejects(classifier.setOptions({ topK: 3 }), { code: 'CLOSED' });
});

test('an extractor: l2Normalize', async () => {
  const extractor = await FeatureExtractor.create({ l2Normalize: true });
  const norm = async (/** @type {object} */ options) =>
    Math.hypot(...(await extractor.extract(PHOTO, options)).features);
  assert.ok(Math.abs((await norm({})) - 1) < 1e-5);
  assert.ok((await norm({ l2Normalize: false })) > 2);
  await extractor.setOptions({ l2Normalize: null });
  assert.ok((await norm({})) > 2);
  await assert.rejects(extractor.setOptions(/** @type {any} */ ({ l2Normalize: 1 })), {
    code: 'INVALID_OPTION',
  });
  await extractor.setOptions({ l2Normalize: true });
  assert.ok(Math.abs((await norm({})) - 1) < 1e-5);
  extractor.close();
  await assert.rejects(extractor.setOptions({}), { code: 'CLOSED' });
});
