// Which tensors of a network a task takes, and which networks it refuses: of engines that are only tables.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { precisionOf } from '../../../wasm/vision/prepare.js';
import * as classifier from '../../../wasm/vision/prepare_classifier.js';
import * as detector from '../../../wasm/vision/prepare_detector.js';
import * as features from '../../../wasm/vision/prepare_features.js';

/** @typedef {[name: string, shape: number[]]} Tensor */

/**
 * @param {Tensor[]} outputs
 * @param {{operators?: Tensor[], batch?: number, hasPostprocess?: boolean, dynamicBatch?: boolean, arenaBytes?: number,
 *   batched?: number | undefined}} [facts] batched: how many rows it gives for two images; undefined: it fails
 */
function makeEngine(outputs, facts = {}) {
  const {
    operators = outputs,
    batch = 1,
    hasPostprocess = false,
    dynamicBatch = false,
    arenaBytes = 1,
  } = facts;
  /** @type {any[]} */
  const calls = [];
  const engine = {
    calls,
    inputs: [{ shape: [batch, 8, 8, 3] }],
    outputs: outputs.map(([name, shape]) => ({ name, shape })),
    operators: operators.map(([output, shape]) => ({ output, shape })),
    heads: { hasPostprocess },
    features: { length: 5, use: (/** @type {any[]} */ ...args) => void calls.push(args) },
    network: { dynamicBatch, arenaBytes },
    setBatch(/** @type {number} */ count) {
      calls.push(count);
      if (count === 2 && 'batched' in facts && facts.batched === undefined) throw new RangeError('fixed');
      this.outputs[0] = { name: 'x', shape: [count === 2 ? (facts.batched ?? 2) : count, 5] };
    },
  };
  return /** @type {any} */ (engine);
}

describe('the output with one vector for each image', () => {
  /** @type {[Tensor[], number, number, number | undefined][]} */
  const cases = [
    [[['a', [1, 5]]], 1, 2, 0],
    [[['a', [1, 1, 1, 5]]], 1, 2, 0],
    [[['a', [1, 2]]], 1, 2, 0],
    [[['a', [1, 1]]], 1, 2, undefined],
    [[['a', [1, 1]]], 1, 1, 0],
    [[['a', [5]]], 1, 2, undefined],
    [[['a', [1, 2, 5]]], 1, 2, undefined],
    [[['a', [2, 1, 5]]], 1, 2, undefined],
    [[['a', [2, 1, 5]]], 2, 2, 0],
    [[['a', [2, 3, 5]]], 2, 2, undefined],
    [[['a', [3, 2, 5]]], 6, 2, undefined],
    [[['a', [1, 2, 5]], ['b', [1, 7]]], 1, 2, 1], // prettier-ignore
    [[['a', [1, 5]], ['b', [1, 7]]], 1, 2, undefined], // prettier-ignore
    [[], 1, 2, undefined],
  ];
  for (const [outputs, batch, minLength, expected] of cases)
    test(`${JSON.stringify(outputs)} for ${batch}, at least ${minLength}: ${expected}`, () =>
      assert.equal(features.findVector(makeEngine(outputs, { batch }), minLength), expected));
  test('has two numbers at least; a post-processing gives none', () => {
    assert.equal(features.findVector(makeEngine([['a', [1, 1]]])), undefined);
    assert.equal(features.findVector(makeEngine([['a', [1, 2]]])), 0);
    assert.equal(features.findVector(makeEngine([['a', [1, 2]]], { hasPostprocess: true })), undefined);
  });
});

describe('the layer of a name', () => {
  const map = (/** @type {string[]} */ ...names) =>
    makeEngine([], { operators: names.map((name) => [name, [1, 4, 4, 8]]) });
  /** @type {[string[], string | undefined, number][]} */
  const cases = [
    [['a', 'b', 'a'], 'a', 2],
    [['a/b', 'x/b/y', 'b2'], 'b', 1],
    [['x/b', 'b', 'y/b'], 'b', 1],
    [['p;x/b', 'c'], 'b', 0],
    [['x/b/c;d', 'c'], 'b/c', 0],
    [['n/Conv_1/Relu6', 'out_relu', 'n/Conv_1'], undefined, 2],
    [['n/out_relu', 'x'], undefined, 0],
    [['/x', 'x'], '', 0],
  ];
  for (const [names, wanted, expected] of cases)
    test(`${wanted} of ${names}: ${expected}`, () =>
      assert.equal(features.findLayer(map(...names), wanted), expected));
  test('that is not there', () => {
    assert.throws(() => features.findLayer(map('first/second', 'third;fourth'), 'secnd'), {
      code: 'UNKNOWN_LAYER',
      message: /'secnd'; nearest: second, /,
    });
    assert.throws(() => features.findLayer(map('a', 'b')), {
      code: 'MODEL_HAS_NO_FEATURES',
      message: /nor a tensor 'Conv_1' or 'out_relu'$/,
    });
    for (const wanted of ['bc', '']) assert.throws(() => features.findLayer(map('abc', 'b/cd'), wanted));
  });
  test('has two dimensions at least', () => {
    /** @type {Tensor[]} */
    const operators = [['a', [1, 4]], ['a', [4]]]; // prettier-ignore
    assert.equal(features.findLayer(makeEngine([], { operators }), 'a'), 0);
  });
});

describe('a feature extractor', () => {
  /** @type {Tensor[]} */
  const vector = [['v', [1, 5]]];
  test('takes the vector, of the last operator that writes it', () => {
    const engine = makeEngine(vector, { operators: [['v', [1, 5]], ['x', [1, 9]], ['v', [1, 5]], ['y', [1]]] }); // prettier-ignore
    assert.deepEqual(features.prepareTask(engine, {}), { batch: 1, length: 5 });
    assert.deepEqual(engine.calls, [[2, true]]);
  });
  test('takes the layer that is named, also beside a vector', () => {
    const engine = makeEngine(vector, { operators: [['Conv_1', [1, 2, 2, 5]], ['v', [1, 5]]] }); // prettier-ignore
    features.prepareTask(engine, { layer: 'Conv_1' });
    assert.deepEqual(engine.calls, [[0, true]]);
  });
  test('needs one row for each image', () => {
    const engine = makeEngine([['v', [4, 5]]], { operators: [['Conv_1', [1, 2, 2, 5]]] });
    assert.throws(() => features.prepareTask(engine, {}), {
      code: 'MODEL_HAS_NO_FEATURES',
      message: /'v' is \[4,5\], not one row per image/,
    });
  });
  test('of a fixed batch runs that', () => {
    for (const batch of [2, 3]) {
      const engine = makeEngine([['v', [batch, 5]]], { batch, dynamicBatch: true });
      assert.deepEqual(features.prepareTask(engine, {}), { batch, isBatchFixed: true, length: 5 });
    }
  });
  const MB = 1 << 20;
  for (const [arenaBytes, batch] of [
    [1, 8],
    [3 * MB, 8],
    [3 * MB + 1, 7],
    [8 * MB, 3],
    [8 * MB + 1, 2],
    [100 * MB, 2],
  ])
    test(`of ${arenaBytes} bytes for an image runs ${batch} at once`, () => {
      const engine = makeEngine(vector, { dynamicBatch: true, arenaBytes });
      assert.equal(features.prepareTask(engine, {}).batch, batch);
      assert.deepEqual(engine.calls.slice(1), [2, 1]);
    });
  test('runs one at a time where two do not work', () => {
    for (const facts of [{ batched: undefined }, { batched: 1 }]) {
      const engine = makeEngine(vector, { dynamicBatch: true, ...facts });
      assert.equal(features.prepareTask(engine, {}).batch, 1);
      assert.deepEqual(engine.calls.slice(1), [2, 1]);
    }
  });
});

describe('a classifier', () => {
  const source = { labels: undefined, metadata: /** @type {any} */ ({}), entry: undefined };
  /** The output is that of the last operator but `others`. */
  const ends = (/** @type {string[]} */ operators, others = 0) =>
    classifier.endsInProbabilities(
      /** @type {any} */ ({
        operators: operators.map((operator, i) => ({ operator, output: `${i}` })),
        outputs: [{ name: 'input' }, { name: `${operators.length - 1 - others}` }],
      }),
      1,
    );
  test('ends in probabilities, or in what keeps them', () => {
    for (const last of ['SOFTMAX', 'LOGISTIC']) {
      assert.equal(ends(['CONV_2D', last]), true);
      assert.equal(ends([last, 'RESHAPE', 'SQUEEZE', 'QUANTIZE', 'DEQUANTIZE']), true);
      assert.equal(ends([last, 'MUL']), false);
      assert.equal(ends([last, 'MUL'], 1), true);
      assert.equal(ends(['MUL', last], 1), false);
    }
    assert.equal(ends(['CONV_2D']), false);
    assert.equal(ends(['RESHAPE']), false);
    assert.equal(ends([]), false);
  });
  test('gets a softmax if it has none', async () => {
    const prepared = async (/** @type {string} */ last, /** @type {any} */ scores) => {
      const engine = makeEngine([['a', [1, 4, 4, 8]], ['v', [1, 5]]]); // prettier-ignore
      engine.operators = [{ operator: last, output: 'v' }];
      return (await classifier.prepareTask(engine, { scores }, source)).classifier;
    };
    const facts = { output: 1, calibration: undefined };
    assert.deepEqual(await prepared('CONV_2D', undefined), { ...facts, scores: 'softmax' });
    assert.deepEqual(await prepared('SOFTMAX', undefined), { ...facts, scores: 'none' });
    assert.deepEqual(await prepared('SOFTMAX', 'softmax'), { ...facts, scores: 'softmax' });
  });
  test('of one output has two classes', async () => {
    const labels = ['a', 'b'];
    const engine = makeEngine([['v', [1, 1]]]);
    const prepared = await classifier.prepareTask(engine, {}, { ...source, labels });
    assert.deepEqual(prepared.labels, [{ name: 'a' }, { name: 'b' }]);
  });
  test('has as many labels as classes, or none', () => {
    const [background, a, b] = ['background', 'a', 'b'].map((name) => ({ name }));
    assert.deepEqual(classifier.fitLabels([], 2), []);
    assert.deepEqual(classifier.fitLabels([a, b], 2), [a, b]);
    assert.deepEqual(classifier.fitLabels([background, a, b], 2), [a, b]);
    for (const labels of [[a], [a, b, b], [background, a]])
      assert.throws(() => classifier.fitLabels(labels, labels.length === 2 ? 3 : 2), /labels has/);
  });
  test('needs one vector of scores', () => {
    const check = (/** @type {Tensor[]} */ outputs, hasPostprocess = false) =>
      classifier.checkModel(makeEngine(outputs, { hasPostprocess }));
    check([['v', [1, 1]]]);
    const code = 'MODEL_IS_NOT_A_CLASSIFIER';
    assert.throws(() => check([['a', [1, 2, 5]], ['b', [1, 3, 6]]]), { code, message: /its outputs are a \[1,2,5\], b \[1,3,6\]$/ }); // prettier-ignore
    assert.throws(() => check([['a', [1, 2, 5]], ['b', [1, 3, 4]]]), { code, message: /use ObjectDetector/ }); // prettier-ignore
    assert.throws(() => check([['a', [1, 5]]], true), { code, message: /use ObjectDetector/ });
  });
});

describe('a detector', () => {
  test('is no network whose one output is a vector', () => {
    const check = (/** @type {Tensor[]} */ outputs, hasPostprocess = false) =>
      detector.checkModel(makeEngine(outputs, { hasPostprocess }));
    const code = 'MODEL_IS_NOT_A_DETECTOR';
    for (const shape of [
      [1, 5],
      [1, 1, 1, 5],
      [3, 5],
      [1, 1],
    ])
      // prettier-ignore
      assert.throws(() => check([['v', shape]]), { code, message: new RegExp(`'v' \\[${shape}\\]\\. For a`) });
    check([['v', [1, 2, 5]]]);
    check([['v', [1, 5]]], true);
    check([['v', [1, 5]], ['w', [1, 5]]]); // prettier-ignore
    check([]);
  });
  test('takes classes as names and numbers, and copies the lists', () => {
    const allow = ['Dog', 7];
    const checked = detector.checkClasses({ allow });
    allow.push('Cat');
    assert.deepEqual(checked, { allow: ['Dog', 7] });
    assert.deepEqual(detector.checkClasses({ deny: [] }), { deny: [] });
    assert.deepEqual(detector.checkClasses({}), {});
    for (const wrong of [{ allow: 'Dog' }, { deny: [{}] }, { allow: ['Dog', null] }, { deny: null }])
      assert.throws(() => detector.checkClasses(/** @type {any} */ (wrong)), {
        code: 'INVALID_OPTION',
        message: /must be lists of names and numbers/,
      });
    assert.throws(() => detector.checkClasses(/** @type {any} */ (['a', 'b', 'c', 'd'])), {
      message: /write \{ allow: \['a','b','c'\] \}/,
    });
    assert.throws(() => detector.checkClasses(/** @type {any} */ ({ allowed: [] })), {
      code: 'INVALID_OPTION',
    });
  });
});

test('the precision is int8 if any operator is', () => {
  const of = (/** @type {string[]} */ ...types) =>
    precisionOf(/** @type {any} */ ({ operators: types.map((dtype) => ({ dtype })) }));
  assert.deepEqual(
    [of('float32', 'int8'), of('float32'), of(), of('int8', 'float32')],
    [...['int8', 'float', 'float', 'int8']],
  );
});
