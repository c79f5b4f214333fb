// What the classes make of requests and answers: with sessions of the test, which note what they are asked and answer with
// numbers that are written here.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FeatureExtractor, ImageClassifier, ObjectDetector } from '../../../wasm/platform/node.js';

const MS = { decode: 1, preprocess: 2, network: 3, postprocess: 4 };
const SIZE = { width: 40, height: 20 };
const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);
const image = Uint8Array.of(1);

/**
 * @param {object} facts
 * @param {(request: any) => unknown} answer
 */
function makeSession(facts, answer = () => []) {
  const session = {
    facts: {
      ...{
        labels: [],
        limits: {},
        variant: { name: 'simd', threads: 1 },
        precision: 'float',
        multiplyAdds: 5,
      },
      ...{ inputSize: { width: 2, height: 1 }, batch: 1, length: 0, ...facts },
    },
    memoryUse: { totalBytes: 2, liveBytes: 1 },
    /** @type {any[]} */ asked: [],
    closed: 0,
    async run(/** @type {any} */ request) {
      session.asked.push(request);
      return { ...any(answer(request)), run: { ms: { ...MS }, size: SIZE }, memoryUse: session.memoryUse };
    },
    async runOnAll(/** @type {any} */ request) {
      session.asked.push(request);
      return [{ result: session.facts }];
    },
    close: () => void session.closed++,
  };
  return session;
}

describe('a classifier', () => {
  const labels = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => ({ name }));
  /** @param {number[]} data @param {any} [how] */
  const open = (
    data,
    { scores = 'none', quantization = undefined, shape = [1, data.length], ...options } = {},
  ) => {
    const head = { data: Float32Array.from(data), shape, quantization };
    const session = makeSession({ labels, classifier: { output: 1, scores } }, () => ({
      result: [undefined, head],
    }));
    return { session, classifier: new ImageClassifier(any(session), any(options)) };
  };
  /** @param {number[]} data @param {object} [how] @param {object} [options] */
  const classify = async (data, how, options) => {
    const { classes } = await open(data, how).classifier.classify(image, options);
    return classes.map(({ labelId, score }) => [labelId, Math.round(score * 1e6) / 1e6]);
  };
  const e = Math.exp;
  const rounded = (/** @type {number} */ value) => Math.round(value * 1e6) / 1e6;

  test('gives probabilities as they are, or made of scores', async () => {
    assert.deepEqual(await classify([0.25, 0.75]), [[1, 0.75], [0, 0.25]]); // prettier-ignore
    assert.deepEqual(await classify([1, 3], { scores: 'sigmoid' }), [[1, rounded(1 / (1 + e(-3)))], [0, rounded(1 / (1 + e(-1)))]]); // prettier-ignore
    assert.deepEqual(await classify([1, 3], { scores: 'softmax' }), [[1, rounded(e(3) / (e(1) + e(3)))], [0, rounded(e(1) / (e(1) + e(3)))]]); // prettier-ignore
    assert.deepEqual(await classify([1000, 1000, -1000], { scores: 'softmax' }), [[0, 0.5], [1, 0.5], [2, 0]]); // prettier-ignore
  });
  test('of one output has two classes', async () => {
    assert.deepEqual(await classify([0.25]), [[0, 0.75], [1, 0.25]]); // prettier-ignore
    for (const scores of ['sigmoid', 'softmax'])
      assert.deepEqual(await classify([2], { scores }), [[1, rounded(1 / (1 + e(-2)))], [0, rounded(1 - 1 / (1 + e(-2)))]]); // prettier-ignore
  });
  test('takes stored numbers for what they stand for, of the first image', async () => {
    const quantization = { scale: 0.5, zeroPoint: -3 };
    assert.deepEqual(await classify([-3, -1, 9, 9], { quantization, shape: [2, 2] }), [[1, 1], [0, 0]]); // prettier-ignore
  });
  test('gives the best five, or as many as are wanted, equal ones in order', async () => {
    const six = [1, 3, 2, 3, 0, 2].map((value) => value / 10);
    const ids = async (/** @type {object} */ how, /** @type {any} */ options) =>
      (await classify(six, how, options)).map(([id]) => id);
    assert.deepEqual(await ids({}, undefined), [1, 3, 2, 5, 0]);
    assert.deepEqual(await ids({ topK: 2 }, undefined), [1, 3]);
    assert.deepEqual(await ids({ topK: 2 }, { topK: 3 }), [1, 3, 2]);
    assert.deepEqual(await ids({ topK: 2 }, { topK: undefined }), [1, 3]);
    assert.deepEqual(await ids({}, { topK: 1_000_000 }), [1, 3, 2, 5, 0, 4]);
  });
  test('of changed options', async () => {
    const { classifier, session } = open([0.1, 0.2, 0.3]);
    const count = async () => (await classifier.classify(image)).classes.length;
    await classifier.setOptions({ topK: 1 });
    assert.equal(await count(), 1);
    await classifier.setOptions({ topK: undefined });
    assert.equal(await count(), 1);
    await assert.rejects(classifier.setOptions({ topK: 0 }), { code: 'INVALID_OPTION' });
    await assert.rejects(classifier.classify(image, { topK: 1.5 }), { code: 'INVALID_OPTION' });
    await assert.rejects(classifier.classify(image, { rotation: any(45) }), { code: 'INVALID_OPTION' });
    assert.equal(await count(), 1);
    await classifier.setOptions({ topK: any(null) });
    assert.equal(await count(), 3);
    classifier.close();
    assert.equal(session.closed, 1);
    await assert.rejects(classifier.setOptions({ topK: 1 }), { code: 'CLOSED' });
  });
  test('has labels of its own', () => {
    const { classifier } = open([1]);
    classifier.labels[0].name = 'other';
    assert.equal(classifier.labels[0].name, 'a');
  });
});

describe('an extractor', () => {
  /** @param {object} [facts] @param {object} [options] */
  const open = (facts, options = {}) => {
    let next = 0;
    const session = makeSession({ length: 2, batch: 3, ...facts }, ({ inputs }) => ({
      result: Float32Array.from({ length: 2 * inputs.length }, () => ++next),
    }));
    return { session, extractor: new FeatureExtractor(any(session), options) };
  };
  test('runs as many images at once as the batch has, and puts their vectors in order', async () => {
    const { session, extractor } = open();
    const { data, shape, ms } = await extractor.extractBatch(Array.from({ length: 7 }, () => image));
    assert.deepEqual(session.asked.map(({ inputs }) => inputs.length), [3, 3, 1]); // prettier-ignore
    assert.deepEqual([[...data], shape], [Array.from({ length: 14 }, (_, i) => i + 1), [7, 2]]);
    assert.deepEqual(ms, { decode: 3, preprocess: 6, network: 9, postprocess: 12 });
    const none = await extractor.extractBatch([]);
    assert.deepEqual([none.data.length, none.shape, session.asked.length], [0, [0, 2], 3]);
    assert.equal(extractor.length, 2);
  });
  test('scales vectors to length 1 if that is wanted', async () => {
    const scaled = [1 / Math.sqrt(5), 2 / Math.sqrt(5), 3 / 5, 4 / 5].map(Math.fround);
    const { extractor } = open({}, { l2Normalize: true });
    const { data } = await extractor.extractBatch([image, image]);
    data.forEach((value, i) => assert.ok(Math.abs(value - scaled[i]) < 1e-7));
    assert.deepEqual((await open().extractor.extract(image, { l2Normalize: false })).features, [1, 2]);
    assert.deepEqual((await extractor.extract(image, { l2Normalize: false })).features, [5, 6]);
    await extractor.setOptions({ l2Normalize: false });
    assert.deepEqual((await extractor.extract(image)).features, [7, 8]);
    await assert.rejects(extractor.setOptions({ l2Normalize: any('x') }), { code: 'INVALID_OPTION' });
    await assert.rejects(extractor.extract(image, { l2Normalize: any(1) }), { code: 'INVALID_OPTION' });
    await assert.rejects(extractor.extract(image, { rotation: any(1) }), { code: 'INVALID_OPTION' });
    extractor.close();
    await assert.rejects(extractor.setOptions({ l2Normalize: true }), { code: 'CLOSED' });
  });
  test('leaves a vector of zeros as it is', async () => {
    const session = makeSession({ length: 2 }, () => ({ result: new Float32Array(2) }));
    const extractor = new FeatureExtractor(any(session), { l2Normalize: true });
    assert.deepEqual((await extractor.extract(image)).features, [0, 0]);
  });
  test('takes a float array of images of the size of its input', async () => {
    const { session, extractor } = open();
    assert.deepEqual((await extractor.extractBatch(new Float32Array(12))).shape, [2, 2]);
    assert.deepEqual(session.asked[0].inputs.map((/** @type {any} */ each) => [each.width, each.height]), [[2, 1], [2, 1]]); // prettier-ignore
    assert.deepEqual((await extractor.extractBatch(new Float32Array(0))).shape, [0, 2]);
    const code = 'INVALID_INPUT';
    await assert.rejects(extractor.extractBatch(new Float32Array(7)), {
      code,
      message: /7 numbers do not fit shape \[2,1,2,3\]/,
    });
    await assert.rejects(extractor.extractBatch(any(new Uint8Array(6))), {
      code,
      message: /a batch must be a list/,
    });
    assert.deepEqual(
      (await extractor.extractBatch({ data: new Float32Array(9), shape: [3, 1, 1, 3] })).shape,
      [3, 2],
    );
  });
  test('makes no array of more than 2^28 numbers', async () => {
    const { extractor } = open({ length: 2 ** 27 + 1 });
    await assert.rejects(extractor.extractBatch([image, image]), {
      code: 'INVALID_INPUT',
      message: /2 images are too large/,
    });
  });
  test('passes on a signal only if there is a limit', async () => {
    const { session, extractor } = open();
    await extractor.extract(image);
    await extractor.extract(image, { timeoutMs: 1e6 });
    await extractor.extract(image, { signal: new AbortController().signal });
    assert.equal(session.asked.length, 3);
    await assert.rejects(extractor.extract(image, { signal: AbortSignal.abort(new Error('no')) }), /no/);
  });
});

describe('a detector', () => {
  const labels = [{ name: 'a', mid: '/m/a' }, { name: 'b' }];
  const ROWS = Float32Array.of(10, 5, 20, 10, 0.75, 1, 0, 0, 8, 4, 0.5, 0);
  /** @param {object} [facts] @param {object} [given] @param {object} [answer] */
  const open = (facts, given = {}, answer) => {
    const session = makeSession({ labels, ...facts }, () => ({ result: ROWS.slice(), ...answer }));
    return { session, detector: new ObjectDetector(any(session), {}, given) };
  };
  const DEFAULTS = {
    scoreThreshold: 0.3,
    iouThreshold: 0.6,
    maxResults: 100,
    maxPerClass: 100,
    classAgnostic: false,
  };

  test('gives boxes their names', async () => {
    const { detector } = open();
    const { detections, size, precision } = await detector.detect(image);
    assert.deepEqual(detections, [
      { label: 'b', labelId: 1, score: 0.75, box: { x: 10, y: 5, width: 20, height: 10 } },
      { label: 'a', labelId: 0, mid: '/m/a', score: 0.5, box: { x: 0, y: 0, width: 8, height: 4 } },
    ]);
    assert.deepEqual([size, precision], [SIZE, 'float']);
  });
  test('gives boxes their features', async () => {
    const features = { image: Float32Array.of(9), boxes: Float32Array.of(1, 2, 3, 4) };
    const { detections, features: whole } = await open({}, {}, { features }).detector.detect(image, {
      features: 'both',
    });
    assert.deepEqual([detections.map((each) => each.features), whole], [[[1, 2], [3, 4]], [9]]); // prettier-ignore
  });
  test('gives tensors as TensorFlow Hub’s detector does', async () => {
    const found = await open().detector.detectTensors(image);
    assert.deepEqual(
      [...found.detection_boxes],
      [0.25, 0.25, 0.75, 0.75, 0, 0, 4 / 20, 8 / 40].map(Math.fround),
    );
    assert.deepEqual([...found.detection_scores], [0.75, 0.5]);
    assert.deepEqual([...found.detection_class_labels], [2n, 1n]);
    assert.deepEqual(found.detection_class_names, ['', '/m/a']);
    assert.deepEqual(found.detection_class_entities, ['b', 'a']);
  });
  /** @type {[length: number, count: number][]} */
  const rooms = [
    [0, 0],
    [5, 0],
    [6, 1],
    [11, 1],
    [12, 2],
    [100, 2],
  ];
  for (const [length, count] of rooms)
    test(`fills ${count} rows of ${length} numbers`, async () => {
      const rows = new Float32Array(length).fill(-1);
      const found = await open().detector.detectInto(image, rows);
      assert.equal(found, count);
      assert.deepEqual([...rows], [...ROWS.subarray(0, 6 * count), ...Array(length - 6 * count).fill(-1)]);
    });
  test('fills no memory of another kind, or that was transferred', async () => {
    const { detector } = open();
    await assert.rejects(detector.detectInto(image, any([])), {
      code: 'INVALID_OPTION',
      message: /rows must be/,
    });
    const rows = new Float32Array(12);
    const filling = detector.detectInto(image, rows);
    structuredClone(rows.buffer, { transfer: [rows.buffer] });
    await assert.rejects(filling, { code: 'INVALID_INPUT', message: /was transferred/ });
  });

  /** @type {[facts: object, given: object, call: object, expected: object][]} */
  const thresholds = [
    [{}, {}, {}, {}],
    [{ ownThreshold: 0.5 }, {}, {}, { scoreThreshold: 0.5 }],
    [{ ownThreshold: 0.5 }, { scoreThreshold: 0.6 }, {}, { scoreThreshold: 0.6 }],
    [{ scoreThreshold: 0.9, iouThreshold: 0.4, maxResults: 7 }, {}, {}, { iouThreshold: 0.4, maxResults: 7 }],
    [{ iouThreshold: 0.4 }, { iouThreshold: 0.5 }, { iouThreshold: 0.7 }, { iouThreshold: 0.7 }],
    [{}, { maxResults: 3 }, { maxPerClass: 2, classAgnostic: true }, { maxResults: 3, maxPerClass: 2, classAgnostic: true }],
  ]; // prettier-ignore
  for (const [limits, given, call, expected] of thresholds)
    test(`thresholds of ${JSON.stringify([limits, given, call])}`, async () => {
      const { session, detector } = open({ limits }, given);
      await detector.detect(image, call);
      assert.deepEqual(session.asked[0].thresholds, { ...DEFAULTS, ...expected });
    });
  test('tensors have the score threshold of the published model', async () => {
    const asked = async (/** @type {object} */ given) => {
      const { session, detector } = open({ limits: { scoreThreshold: 1e-8, ownThreshold: 0.5 } }, given);
      await detector.detectTensors(image);
      return session.asked[0].thresholds.scoreThreshold;
    };
    assert.deepEqual([await asked({}), await asked({ scoreThreshold: 0.2 })], [1e-8, 0.2]);
    const { session, detector } = open();
    await detector.detectTensors(image);
    assert.equal(session.asked[0].thresholds.scoreThreshold, 0.3);
  });
  test('thresholds within their ranges', async () => {
    const { detector } = open();
    for (const key of ['scoreThreshold', 'iouThreshold'])
      for (const value of [-0.01, 1.01, NaN, '0'])
        await assert.rejects(detector.detect(image, { [key]: value }), { code: 'INVALID_OPTION' });
    for (const key of ['maxResults', 'maxPerClass'])
      for (const value of [0, 1.5, 1e9])
        await assert.rejects(detector.detect(image, { [key]: value }), { code: 'INVALID_OPTION' });
    await assert.rejects(detector.detect(image, { classAgnostic: any(1) }), { code: 'INVALID_OPTION' });
    await detector.detect(image, { scoreThreshold: 0, iouThreshold: 1, maxResults: 1 });
    for (const limits of [{ iouThreshold: 2 }, { maxResults: 0 }])
      assert.throws(() => open({ limits }), { code: 'INVALID_OPTION' });
  });
  test('changed options hold for the next calls, or change nothing', async () => {
    const { session, detector } = open();
    const scoreOf = async () => {
      await detector.detect(image);
      return session.asked.at(-1).thresholds.scoreThreshold;
    };
    await detector.setOptions({ scoreThreshold: 0.7, classes: { allow: ['a'] } });
    assert.deepEqual(session.asked[0].kind, 'facts');
    assert.deepEqual(session.asked[0].classes, { allow: ['a'] });
    assert.equal(await scoreOf(), 0.7);
    assert.deepEqual(session.asked.at(-1).classes, { allow: ['a'] });
    await assert.rejects(detector.setOptions({ scoreThreshold: 2 }), { code: 'INVALID_OPTION' });
    await detector.setOptions({ iouThreshold: 0.5 });
    assert.equal(await scoreOf(), 0.7);
    assert.deepEqual(session.asked.at(-1).classes, { allow: ['a'] });
    await detector.setOptions({ scoreThreshold: any(null), classes: any(null) });
    assert.equal(await scoreOf(), 0.3);
    assert.equal(session.asked.at(-1).classes, undefined);
    // A call that comes before the change is done waits for it.
    const changing = detector.setOptions({ scoreThreshold: 0.9 });
    assert.equal(await scoreOf(), 0.9);
    await changing;
  });
  test('takes no tensor and no number', async () => {
    const { detector } = open();
    await assert.rejects(detector.detect(any({ tensor: new Float32Array(1) })), {
      code: 'INVALID_INPUT',
      message: /heads takes a tensor/,
    });
    await assert.rejects(detector.detect(image, any(5)), {
      message: /write \{ maxResults: 5, scoreThreshold: 0\.3 \}/,
    });
  });
});

describe('every model', () => {
  const open = (/** @type {object} */ options = {}) => {
    const session = makeSession({}, () => ({ result: [] }));
    return { session, detector: new ObjectDetector(any(session), options, {}) };
  };
  /** @type {[roi: number[], expected: number[]][]} */
  const regions = [
    [[1, 2, 3, 4], [1, 2, 3, 4]],
    [[1.5, 2.5, 3, 4], [1, 2, 4, 5]],
    [[0.25, 0.75, 0.25, 0.25], [0, 0, 1, 1]],
    [[5, 6, 0, 0], [5, 6, 0, 0]],
    [[5.5, 6.5, 0, 1], [5, 6, 0, 2]],
    [[0.1, 0.2, 2.9, 0.8], [0, 0, 3, 1]],
  ]; // prettier-ignore
  for (const [[x, y, width, height], [left, top, wide, high]] of regions)
    test(`the region ${x}, ${y}, ${width} x ${height} in whole pixels`, async () => {
      const { session, detector } = open();
      await detector.heads(image, { roi: { x, y, width, height } });
      assert.deepEqual(session.asked[0].roi, { x: left, y: top, width: wide, height: high });
    });
  test('wrong regions and turns', async () => {
    const { session, detector } = open();
    const roi = { x: 0, y: 0, width: 1, height: 1 };
    for (const wrong of [
      { ...roi, x: -1 },
      { ...roi, height: 2 ** 31 },
      { ...roi, y: '0' },
      { ...roi, z: 0 },
      { x: 0 },
    ])
      await assert.rejects(detector.heads(image, { roi: any(wrong) }), {
        code: 'INVALID_OPTION',
        message: /roi/,
      });
    for (const rotation of [45, 360, -90, '90', null])
      await assert.rejects(detector.heads(image, { rotation: any(rotation) }), {
        message: /0, 90, 180 or 270/,
      });
    for (const rotation of /** @type {const} */ ([0, 90, 180, 270]))
      await detector.heads(image, { rotation });
    assert.deepEqual(session.asked.map(({ turns }) => turns), [0, 1, 2, 3]); // prettier-ignore
  });
  /** @type {[options: object, call: object, exact: boolean | undefined, decode: string, background: number][]} */
  const readings = [
    [{}, {}, false, 'auto', 0xffffff],
    [{ deterministic: true }, {}, true, 'full', -1],
    [{ deterministic: true, exact: false }, {}, false, 'auto', 0xffffff],
    [{ exact: true }, { exact: false }, false, 'auto', 0xffffff],
    [{ decode: 'scaled' }, { exact: true }, true, 'scaled', -1],
    [{ background: '#010203' }, { exact: true, decode: 'full' }, true, 'full', 0x010203],
  ];
  for (const [options, call, exact, decode, background] of readings)
    test(`reading of ${JSON.stringify([options, call])}`, async () => {
      const { session, detector } = open(options);
      await detector.heads(image, call);
      const [{ exact: isExact, reading }] = session.asked;
      assert.deepEqual([isExact, reading.decode], [exact, decode]);
      if (background >= 0) assert.equal(reading.background, background);
      else assert.ok(reading.background > 0xffffff || reading.background < 0);
    });
  test('counts its work', async () => {
    const { detector } = open();
    await detector.heads(image);
    await detector.heads(image);
    const { account } = await detector.report();
    assert.ok(Math.abs(account.duration - 0.02) < 1e-9, String(account.duration));
  });

  const reason = new Error('checked');
  /** @param {object} options */
  const create = (options) => ObjectDetector.create({ signal: AbortSignal.abort(reason), ...options });
  /** @type {object[]} */
  const taken = [
    ...[{}, { threads: 1 }, { threads: 64 }, { pool: 1 }, { pool: 64 }, { pool: 1, worker: true }],
    ...[{ pool: 1, maxQueue: 0 }, { pool: 1, maxQueue: 1e6 }, { precision: 'int8' }, { worker: false }],
    ...[
      { deterministic: true, precision: 'float' },
      { onProgress() {} },
      { exact: false },
      { signature: 'x' },
    ],
  ];
  for (const options of taken)
    test(`takes ${JSON.stringify(options)}`, () => assert.rejects(create(options), reason));
  /** @type {[object, RegExp][]} */
  const refused = [
    ...[0, 65, 1.5, '2'].map((threads) => /** @type {[object, RegExp]} */ ([{ threads }, /threads/])),
    ...[0, 65, 1.5].map((pool) => /** @type {[object, RegExp]} */ ([{ pool }, /pool/])),
    ...[-1, 1e6 + 1, 0.5].map(
      (maxQueue) => /** @type {[object, RegExp]} */ ([{ pool: 1, maxQueue }, /maxQueue/]),
    ),
    [{ pool: 1, worker: false }, /leave out worker: false/],
    [{ maxQueue: 1 }, /maxQueue needs pool/],
    [{ deterministic: true, precision: 'int8' }, /deterministic needs precision 'float'/],
    [{ deterministic: true, precision: 'auto' }, /deterministic needs precision 'float'/],
    [{ deterministic: 1 }, /deterministic/],
    [{ precision: 'half' }, /precision/],
    [{ exact: 1 }, /exact/],
    [{ worker: 1 }, /worker/],
    [{ signature: 1 }, /signature/],
    [{ onProgress: 1 }, /onProgress must be a function/],
    [{ signal: {} }, /signal/],
    [{ layer: 1 }, /layer must be a string/],
    [{ int8Model: null }, /int8Model must be/],
  ];
  for (const [options, message] of refused)
    test(`refuses ${JSON.stringify(options)}`, () =>
      assert.rejects(create(options), { code: 'INVALID_OPTION', message }));
  test('that is closed', async () => {
    const { session, detector } = open();
    const { signal } = new AbortController();
    assert.deepEqual([detector.variant, detector.precision, detector.memoryUse], [{ name: 'simd', threads: 1 }, 'float', session.memoryUse]); // prettier-ignore
    detector[Symbol.dispose]();
    detector.close();
    assert.equal(session.closed, 1);
    for (const get of [
      () => detector.variant,
      () => detector.precision,
      () => detector.memoryUse,
      () => detector.labels,
    ])
      assert.throws(get, { code: 'CLOSED' });
    await assert.rejects(detector.detect(image, { signal }), { code: 'CLOSED' });
    await assert.rejects(detector.report(), { code: 'CLOSED' });
    assert.throws(() => detector.video(any({})), { code: 'CLOSED' });
  });
});
