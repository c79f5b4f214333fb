// Parts of training without a model: plans and their defaults, the loop over batches, learning rates, the classes of a
// detector, warnings about anchors. Against Keras' documented defaults, and numbers that are written here.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chooseClasses } from '../../../wasm/train/detect/classes.js';
import { mapsNetwork } from '../../../wasm/train/detect/export.js';
import { DetectorLearner } from '../../../wasm/train/detect/learner.js';
import { makeLoss } from '../../../wasm/train/detect/loss.js';
import { makeDetectorPlan, MONITORS, splitPhotos } from '../../../wasm/train/detect/plan.js';
import { means } from '../../../wasm/train/fit.js';
import { TransferLearner } from '../../../wasm/train/learner.js';
import { Loop, newProgress } from '../../../wasm/train/loop.js';
import { checkOptimizer, makePlan, optimizerStruct, rateAt } from '../../../wasm/train/plan.js';
import { glorotUniform, shuffled, uniforms } from '../../../wasm/train/random.js';

const INVALID = { code: 'INVALID_OPTION' };
const LABELS = ['a', 'b'];

describe('a plan', () => {
  test('has these defaults', () =>
    assert.deepEqual(makePlan({}, LABELS), {
      ...{ epochs: 1, batchSize: 32, validationSplit: 0, stratify: false, shuffle: true, seed: 0 },
      ...{ labelSmoothing: 0, l2: 0, classWeight: null, earlyStopping: null },
      optimizer: {
        type: 'rmsprop',
        learningRate: 0.001,
        rho: 0.9,
        momentum: 0,
        epsilon: 1e-7,
        centered: false,
        clipNorm: 0,
      },
    }));
  test('optimizers have the defaults of Keras', () => {
    assert.deepEqual(checkOptimizer('sgd'), {
      type: 'sgd',
      learningRate: 0.01,
      momentum: 0,
      nesterov: false,
      clipNorm: 0,
    });
    assert.deepEqual(checkOptimizer('momentum'), { ...checkOptimizer('sgd'), momentum: 0.9 });
    assert.deepEqual(checkOptimizer('nesterov'), { ...checkOptimizer('sgd'), momentum: 0.9, nesterov: true });
    assert.deepEqual(checkOptimizer('adam'), {
      type: 'adam',
      learningRate: 0.001,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-7,
      amsgrad: false,
      clipNorm: 0,
    });
    assert.deepEqual(checkOptimizer('adamw'), {
      ...checkOptimizer('adam'),
      type: 'adamw',
      weightDecay: 0.004,
    });
  });
  test('classes have the weight 1 if none is given', () =>
    assert.deepEqual(makePlan({ classWeight: { b: 3 } }, LABELS).classWeight, [1, 3]));
  test('classes may have any names', () => {
    const names = ['constructor', 'toString', '__proto__', 'b'];
    assert.deepEqual(makePlan({ classWeight: { b: 3 } }, names).classWeight, [1, 1, 1, 3]);
    const classWeight = Object.fromEntries(names.map((name, i) => [name, i]));
    assert.deepEqual(makePlan({ classWeight }, names).classWeight, [0, 1, 2, 3]);
  });
  test('what is undefined has its default', () => {
    const plan = makePlan({}, LABELS);
    const undefinedOf = (/** @type {object} */ all) =>
      /** @type {any} */ (Object.fromEntries(Object.keys(all).map((key) => [key, undefined])));
    assert.deepEqual(makePlan(undefinedOf(plan), LABELS), plan);
    for (const type of /** @type {const} */ (['sgd', 'adam', 'adamw', 'rmsprop'])) {
      const optimizer = checkOptimizer(type);
      assert.deepEqual(checkOptimizer({ ...undefinedOf(optimizer), type }), optimizer);
    }
    for (const type of /** @type {const} */ (['constant', 'step', 'cosine'])) {
      const { learningRate } = checkOptimizer({ type: 'sgd', learningRate: { type, rate: 1 } });
      const given = { ...undefinedOf(/** @type {object} */ (learningRate)), type, rate: 1 };
      assert.deepEqual(checkOptimizer({ type: 'sgd', learningRate: given }).learningRate, learningRate);
    }
  });
  test('early stopping', () => {
    const usual = { monitor: 'val_loss', patience: 0, minDelta: 0, restoreBestWeights: true };
    assert.deepEqual(makePlan({ earlyStopping: true }, LABELS).earlyStopping, usual);
    assert.deepEqual(
      makePlan({ earlyStopping: { patience: 2, restoreBestWeights: false } }, LABELS).earlyStopping,
      { ...usual, patience: 2, restoreBestWeights: false },
    );
    assert.equal(makePlan({ earlyStopping: false }, LABELS).earlyStopping, null);
  });
  /** @type {any[]} */
  const refused = [
    { classWeight: { c: 1 } },
    { classWeight: { a: -1 } },
    { classWeight: { a: 1e6 + 1 } },
    { classWeight: null },
    ...[
      { monitor: 'val_AP' },
      { patience: -1 },
      { patience: 0.5 },
      { minDelta: -1 },
      { restoreBestWeights: 1 },
      { other: 1 },
    ].map((earlyStopping) => ({ earlyStopping })),
    ...[
      { type: 'ftrl' },
      {},
      'ftrl',
      null,
      { type: 'sgd', beta1: 0.5 },
      { type: 'sgd', momentum: 1.01 },
      { type: 'sgd', momentum: -0.01 },
      { type: 'sgd', nesterov: 1 },
    ].map((optimizer) => ({ optimizer })),
    ...[
      { type: 'adam', beta1: 1 },
      { type: 'adam', beta2: 1 },
      { type: 'adam', epsilon: 2 },
      { type: 'adamw', weightDecay: 2 },
      { type: 'adam', clipNorm: -1 },
      { type: 'rmsprop', rho: 1.5 },
    ].map((optimizer) => ({ optimizer })),
    ...[
      -1,
      1e6 + 1,
      'fast',
      { type: 'linear', rate: 1 },
      { type: 'constant' },
      { type: 'constant', rate: 1, every: 2 },
      { type: 'step', rate: 1, every: 0 },
      { type: 'step', rate: 1, every: 1.5 },
      { type: 'cosine', rate: 1, decaySteps: 0 },
      { type: 'cosine', rate: 1, warmupSteps: -1 },
      { type: 'cosine', rate: 1, warmupSteps: 0.5 },
    ].map((learningRate) => ({ optimizer: { type: 'sgd', learningRate } })),
    { stratify: 1 },
    { shuffle: 'no' },
  ];
  for (const options of refused)
    test(`${JSON.stringify(options)} is refused`, () =>
      assert.throws(() => makePlan(options, LABELS), INVALID));
  test('values at their limits', () => {
    for (const optimizer of [
      { type: 'sgd', momentum: 1 },
      { type: 'adam', beta1: 0, beta2: 1 - 2 ** -24, epsilon: 1 },
      { type: 'rmsprop', rho: 1, clipNorm: 1e6 },
    ])
      assert.ok(checkOptimizer(/** @type {any} */ (optimizer)));
    for (const learningRate of [
      0,
      1e6,
      { type: 'step', rate: 0, every: 1 },
      { type: 'cosine', rate: 1e6, decaySteps: 1e9, warmupSteps: 0 },
    ])
      assert.ok(checkOptimizer(/** @type {any} */ ({ type: 'sgd', learningRate })));
  });
  test('as the module reads it', () => {
    const none = {
      isNesterov: false,
      isAmsgrad: false,
      isCentered: false,
      momentum: 0,
      beta1: 0,
      beta2: 0,
      epsilon: 0,
      weightDecay: 0,
      clipNorm: 0,
    };
    const { kind: sgd, ...plain } = optimizerStruct(checkOptimizer('nesterov'));
    assert.deepEqual(plain, { ...none, isNesterov: true, momentum: 0.9 });
    const { kind: adam, ...moments } = optimizerStruct(
      checkOptimizer({ type: 'adamw', amsgrad: true, clipNorm: 2 }),
    );
    assert.deepEqual(
      [
        moments.isAmsgrad,
        moments.beta1,
        moments.beta2,
        moments.epsilon,
        moments.weightDecay,
        moments.clipNorm,
      ],
      [true, 0.9, 0.999, 1e-7, 0.004, 2],
    );
    const { kind: rms, ...means } = optimizerStruct(
      checkOptimizer({ type: 'rmsprop', centered: true, rho: 0.8 }),
    );
    assert.deepEqual([means.isCentered, means.beta1, means.beta2], [true, 0, 0.8]);
    assert.equal(optimizerStruct(checkOptimizer('adam')).kind, adam);
    assert.equal(new Set([sgd, adam, rms]).size, 3);
  });
});

describe('the plan of a detector', () => {
  const model = { labels: LABELS, isSoftmax: false, keepsClasses: true };
  test('has these defaults', () => {
    const { optimizer, loss, ...plan } = makeDetectorPlan({}, model);
    assert.deepEqual(plan, {
      ...{
        epochs: 10,
        batchSize: 8,
        validationSplit: 0,
        stratify: false,
        shuffle: true,
        seed: 0,
        labelSmoothing: 0,
        l2: 0,
      },
      ...{
        classWeight: null,
        earlyStopping: null,
        views: 8,
        freshViews: false,
        maxMemory: 2 ** 30,
        trainBoxes: false,
      },
      augmentation: {
        flip: true,
        crop: true,
        pad: true,
        paste: true,
        brightness: 0.2,
        contrast: 0.2,
        saturation: 0.2,
        hue: 0.02,
      },
    });
    assert.deepEqual([optimizer.type, optimizer.learningRate], ['adam', 0.0015]);
    assert.deepEqual(loss, makeLoss({}, model));
    assert.equal(makeDetectorPlan({}, { ...model, keepsClasses: false }).trainBoxes, true);
    assert.equal(makeDetectorPlan({ trainBoxes: true }, model).trainBoxes, true);
  });
  test('what is undefined has its default', () => {
    const { stratify: _, labelSmoothing: __, ...plan } = makeDetectorPlan({}, model);
    const undefinedOf = (/** @type {object} */ all) =>
      /** @type {any} */ (Object.fromEntries(Object.keys(all).map((key) => [key, undefined])));
    assert.deepEqual(makeDetectorPlan(undefinedOf(plan), model), makeDetectorPlan({}, model));
    const { augmentation, loss } = plan;
    assert.deepEqual(
      makeDetectorPlan({ augmentation: undefinedOf(augmentation), loss: undefinedOf(loss) }, model),
      makeDetectorPlan({}, model),
    );
    const { hardExamples } = makeLoss({ hardExamples: true }, model);
    const given = undefinedOf(/** @type {object} */ (hardExamples));
    assert.deepEqual(makeLoss({ hardExamples: given }, model).hardExamples, hardExamples);
  });
  test('augmentation: none, and a part', () => {
    const none = {
      ...{ flip: false, crop: false, pad: false, paste: false },
      ...{ brightness: 0, contrast: 0, saturation: 0, hue: 0 },
    };
    assert.deepEqual(makeDetectorPlan({ augmentation: false }, model).augmentation, none);
    assert.deepEqual(
      makeDetectorPlan({ augmentation: { crop: false, hue: 0.2, contrast: 1 } }, model).augmentation,
      {
        ...{ flip: true, crop: false, pad: true, paste: true },
        ...{ brightness: 0.2, contrast: 1, saturation: 0.2, hue: 0.2 },
      },
    );
  });
  test('watches these', () => {
    assert.deepEqual(MONITORS, ['loss', 'val_loss', 'val_AP', 'val_AP50']);
    assert.ok(makeDetectorPlan({ earlyStopping: { monitor: 'val_AP' } }, model));
    assert.throws(
      () => makeDetectorPlan({ earlyStopping: { monitor: /** @type {any} */ ('val_accuracy') } }, model),
      INVALID,
    );
  });
  for (const options of [
    ...[0, 1001, 1.5].map((views) => ({ views })),
    ...[
      { views: 1, freshViews: true },
      { freshViews: 1 },
      { maxMemory: -1 },
      { maxMemory: 2 ** 40 + 1 },
      { trainBoxes: 1 },
    ],
    ...[
      true,
      { flip: 1 },
      { hue: 0.21 },
      { hue: -0.01 },
      { brightness: 1.01 },
      { brightness: -1 },
      { blur: 1 },
    ].map((augmentation) => ({ augmentation })),
  ])
    test(`${JSON.stringify(options)} is refused`, () =>
      assert.throws(() => makeDetectorPlan(/** @type {any} */ (options), model), INVALID));
  test('values at their limits', () => {
    for (const options of [
      { views: 1 },
      { views: 1000 },
      { views: 2, freshViews: true },
      { maxMemory: 0 },
      { maxMemory: 2 ** 40 },
    ])
      assert.ok(makeDetectorPlan(options, model));
  });
  test('photos are split without regard to classes', () => {
    const { train, validation } = splitPhotos({ validationSplit: 0.25, shuffle: false, seed: 0 }, 8);
    assert.deepEqual(
      [[...train], [...validation]],
      [
        [0, 1, 2, 3, 4, 5],
        [6, 7],
      ],
    );
  });
});

describe('the loss of a detector', () => {
  const sigmoid = { isSoftmax: false };
  test('has the defaults of the object detection API', () => {
    assert.deepEqual(makeLoss({}, sigmoid), {
      ...{
        type: 'focal',
        alpha: 0.25,
        gamma: 2,
        logitScale: 1,
        delta: 1,
        matchBy: 'anchor',
        matchedIou: 0.5,
        unmatchedIou: 0.5,
        forceMatch: true,
      },
      ...{ negativesBelowUnmatched: true, negativeWeight: 1, classificationWeight: 1, localizationWeight: 1 },
      ...{ normalizeByMatches: true, normalizeByCodeSize: false, hardExamples: null },
    });
    assert.equal(makeLoss({}, { isSoftmax: true }).type, 'softmax');
    assert.deepEqual(makeLoss({ hardExamples: true }, sigmoid).hardExamples, {
      ...{ by: 'class', count: 3000, iou: 0.99, negativesPerPositive: 3, minNegatives: 3 },
      ...{ classificationWeight: 0.05, localizationWeight: 0.06 },
    });
    assert.equal(makeLoss({ matchedIou: 0.7 }, sigmoid).unmatchedIou, 0.7);
  });
  test('values at their limits', () => {
    for (const options of [
      { alpha: null },
      { alpha: 0 },
      { alpha: 1 },
      { gamma: 0 },
      { gamma: 100 },
      { delta: 1e-6 },
      { matchedIou: 1, unmatchedIou: 1 },
      { matchBy: 'predicted' },
      { matchedIou: 0.5, unmatchedIou: 0.4, negativesBelowUnmatched: false },
      { negativeWeight: 0 },
    ])
      assert.ok(makeLoss(/** @type {any} */ (options), sigmoid));
    for (const hardExamples of [
      { count: null },
      { count: 1 },
      { negativesPerPositive: null },
      { negativesPerPositive: 0 },
      { minNegatives: 0 },
      { by: 'both' },
    ])
      assert.ok(makeLoss({ hardExamples: /** @type {any} */ (hardExamples) }, sigmoid));
  });
  for (const options of [
    ...[
      { type: 'softmax' },
      { type: 'l2' },
      { alpha: 1.1 },
      { alpha: -0.1 },
      { gamma: null },
      { gamma: 101 },
      { gamma: -1 },
      { delta: 0 },
      { logitScale: 0 },
    ],
    ...[
      { matchBy: 'box' },
      { matchedIou: 1.1 },
      { matchedIou: 0.5, unmatchedIou: 0.6 },
      { negativesBelowUnmatched: false },
      { forceMatch: 1 },
      { normalizeByMatches: 0 },
      { normalizeByCodeSize: 1 },
      { negativeWeight: -1 },
      { other: 1 },
    ],
    ...[
      { by: 'none' },
      { count: 0 },
      { count: 1.5 },
      { iou: 2 },
      { minNegatives: null },
      { minNegatives: -1 },
      { classificationWeight: -1 },
      { other: 1 },
    ].map((hardExamples) => ({ hardExamples })),
  ])
    test(`${JSON.stringify(options)} is refused`, () =>
      assert.throws(() => makeLoss(/** @type {any} */ (options), sigmoid), INVALID));
  test('a softmax needs its own loss', () =>
    assert.throws(() => makeLoss({ type: 'focal' }, { isSoftmax: true }), {
      message: /does not fit the model, whose scores are a softmax with background/,
    }));
});

describe('learning rates', () => {
  const near = (/** @type {number} */ a, /** @type {number} */ b) =>
    assert.ok(Math.abs(a - b) < 1e-12, `${a} ${b}`);
  const schedule = (/** @type {any} */ rate) =>
    /** @type {any} */ (checkOptimizer({ type: 'sgd', learningRate: rate })).learningRate;
  test('a number, and a constant', () => {
    assert.equal(rateAt(0.5, 7), 0.5);
    for (const step of [0, 1, 7]) assert.equal(rateAt(schedule({ type: 'constant', rate: 0.5 }), step), 0.5);
  });
  test('steps', () => {
    const rate = schedule({ type: 'step', rate: 8, every: 3, factor: 0.5 });
    assert.deepEqual(
      [0, 2, 3, 5, 6, 9, 12, 15].map((step) => rateAt(rate, step)),
      [8, 8, 4, 4, 2, 1, 0.5, 0.25],
    );
    for (const step of [0, 1, 2]) near(rateAt(schedule({ type: 'step', rate: 1 }), step), 10 ** -step);
  });
  test('half a cosine, down to alpha', () => {
    const rate = schedule({ type: 'cosine', rate: 2, decaySteps: 10, alpha: 0.25 });
    for (const step of [0, 1, 3, 5, 9, 10, 50]) {
      const part = (1 + Math.cos((Math.PI * Math.min(step, 10)) / 10)) / 2;
      near(rateAt(rate, step), 2 * (0.75 * part + 0.25));
    }
  });
  test('a cosine of one step, to 0', () => {
    const rate = schedule({ type: 'cosine', rate: 3 });
    for (const [step, expected] of [3, 0, 0].entries()) near(rateAt(rate, step), expected);
  });
  test('a warm-up before them, from 0', () => {
    for (const type of ['constant', 'step', 'cosine'])
      assert.equal(rateAt(schedule({ type, rate: 8, warmupSteps: 4 }), 1), 2, type);
  });
  test('a warm-up before them', () => {
    const rate = schedule({ type: 'step', rate: 8, every: 1, factor: 0.5, warmupSteps: 4, warmupFrom: 4 });
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5, 6].map((step) => rateAt(rate, step)),
      [4, 5, 6, 7, 8, 4, 2],
    );
  });
});

describe('random numbers', () => {
  test('an order has each number once, and depends on seed and stream', () => {
    for (const count of [0, 1, 2, 50])
      assert.deepEqual(
        [...shuffled(count, 3, 4)].sort((a, b) => a - b),
        Array.from({ length: count }, (_, i) => i),
      );
    assert.deepEqual(shuffled(50, 3, 4), shuffled(50, 3, 4));
    assert.notDeepEqual(shuffled(50, 3, 4), shuffled(50, 3, 5));
    assert.notDeepEqual(shuffled(50, 3, 4), shuffled(50, 4, 4));
  });
  test('orders of three are equally frequent', () => {
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (let seed = 0; seed < 6000; seed++) {
      const key = shuffled(3, seed, 0).join();
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    // Six orders; the standard deviation of a count is 29.
    assert.equal(counts.size, 6);
    for (const count of counts.values()) assert.ok(Math.abs(count - 1000) < 150, String(count));
  });
  test('numbers from 0 to 1, and weights within the limit of Glorot', () => {
    const next = uniforms(7);
    const numbers = Array.from({ length: 4000 }, () => next());
    assert.ok(numbers.every((number) => number >= 0 && number < 1));
    assert.ok(Math.abs(numbers.reduce((a, b) => a + b) / 4000 - 0.5) < 0.02);
    const weights = glorotUniform(40, 60, 7);
    const limit = Math.sqrt(6 / 100);
    assert.equal(weights.length, 2400);
    assert.ok(
      Math.max(...weights.map(Math.abs)) <= limit && Math.max(...weights.map(Math.abs)) > 0.99 * limit,
    );
    assert.ok(Math.abs(weights.reduce((a, b) => a + b) / 2400) < 0.02 * limit * 2);
  });
});

describe('the loop', () => {
  const PLAN = { epochs: 3, batchSize: 2, shuffle: false, seed: 5, earlyStopping: /** @type {any} */ (null) };
  /** @param {object} [plan] @param {Record<string, number>[]} [logs] by epoch */
  const start = (plan = {}, logs = []) => {
    /** @type {number[][]} */
    const batches = [];
    /** @type {any[]} */
    const written = [];
    const progress = newProgress(0, 'first');
    const work = {
      runBatch: (/** @type {Uint32Array} */ indices) => void batches.push([...indices]),
      means: () => ({ loss: batches.length }),
      endEpoch: () => logs[progress.epoch] ?? { loss: progress.epoch },
      zeroSums: () => 'zero',
      trainer: {
        read: () => Float32Array.of(progress.epoch),
        write: (/** @type {string} */ name, /** @type {Float32Array} */ values) =>
          void written.push([name, ...values]),
      },
    };
    const loop = new Loop({ ...PLAN, ...plan }, progress, Uint32Array.of(10, 11, 12, 13, 14), work);
    return { loop, batches, progress, written };
  };
  const ordered = [[10, 11], [12, 13], [14]];

  test('takes the rows batch by batch, epoch by epoch, and tells of each', async () => {
    const { loop, batches, progress } = start();
    /** @type {any[]} */
    const told = [];
    await loop.run({ onBatch: (batch) => told.push(batch), onEpoch: (epoch) => void told.push(epoch) });
    assert.deepEqual(batches, [...ordered, ...ordered, ...ordered]);
    assert.deepEqual(told.slice(0, 5), [
      { epoch: 0, epochs: 3, batch: 0, batches: 3, loss: 1 },
      { epoch: 0, epochs: 3, batch: 1, batches: 3, loss: 2 },
      { epoch: 0, epochs: 3, batch: 2, batches: 3, loss: 3 },
      { epoch: 0, epochs: 3, logs: { loss: 0 } },
      { epoch: 1, epochs: 3, batch: 0, batches: 3, loss: 4 },
    ]);
    assert.equal(told.length, 12);
    assert.deepEqual(
      [progress.epoch, progress.batch, progress.sums, progress.history],
      [3, 0, 'zero', { loss: [0, 1, 2] }],
    );
  });
  test('lets other tasks run after each epoch, however short', async () => {
    const { loop } = start({ epochs: 5 });
    let turns = 0;
    /** @type {number[]} */
    const atEpochs = [];
    const count = () => {
      turns++;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    await loop.run({ onEpoch: () => void atEpochs.push(turns) });
    clearImmediate(next);
    for (const [i, before] of atEpochs.entries()) assert.ok(before >= i, `${before} turns in ${i} epochs`);
    assert.ok(turns >= 5);
  });
  test('in another order in each epoch, each row once', async () => {
    const { loop, batches } = start({ shuffle: true, batchSize: 5, epochs: 4 });
    await loop.run({});
    for (const batch of batches) assert.deepEqual(batch.toSorted(), [10, 11, 12, 13, 14]);
    assert.ok(new Set(batches.map(String)).size > 1);
    const again = start({ shuffle: true, batchSize: 5, epochs: 4 });
    await again.loop.run({});
    assert.deepEqual(again.batches, batches);
  });
  test('ends by its signal before the next batch, and goes on there', async () => {
    const { loop, batches, progress } = start();
    const controller = new AbortController();
    const onBatch = (/** @type {any} */ { epoch, batch }) =>
      epoch === 1 && batch === 1 && controller.abort(new Error('enough'));
    await assert.rejects(loop.run({ onBatch, signal: controller.signal }), /enough/);
    assert.deepEqual([progress.epoch, progress.batch], [1, 2]);
    await loop.run({});
    assert.deepEqual(batches, [...ordered, ...ordered, ...ordered]);
  });
  test('a signal in the last batch of an epoch ends it before the epoch counts', async () => {
    const { loop, progress } = start();
    const controller = new AbortController();
    const onBatch = (/** @type {any} */ { batch }) => batch === 2 && controller.abort(new Error('enough'));
    await assert.rejects(loop.run({ onBatch, signal: controller.signal }), /enough/);
    assert.deepEqual([progress.epoch, progress.batch, progress.history], [0, 3, {}]);
  });

  const stopping = (/** @type {object} */ more) => ({
    epochs: 9,
    earlyStopping: { monitor: 'val_loss', patience: 1, minDelta: 0, restoreBestWeights: true, ...more },
  });
  const losses = (/** @type {number[]} */ ...values) =>
    values.map((value) => ({ val_loss: value, val_AP: -value }));
  /** @type {[string, object, Record<string, number>[], number, any[]][]} the last epoch, and the weights that are restored */
  const cases = [
    ['a loss that does not fall', {}, losses(3, 2, 2, 1), 2, [['parameters', 1]]],
    ['a loss that rises', {}, losses(3, 4), 1, [['parameters', 0]]],
    ['two epochs of patience', { patience: 2 }, losses(3, 2, 4, 2, 1), 3, [['parameters', 1]]],
    ['patience counts from the best', { patience: 2 }, losses(3, 4, 2, 4, 4), 4, [['parameters', 2]]],
    ['no patience is one epoch', { patience: 0 }, losses(3, 4), 1, [['parameters', 0]]],
    ['less than minDelta is not better', { minDelta: 0.5 }, losses(3, 2.5, 1), 1, [['parameters', 0]]],
    ['more than minDelta is', { minDelta: 0.5 }, losses(3, 2.4, 2.4), 2, [['parameters', 1]]],
    ['an AP that does not rise', { monitor: 'val_AP' }, losses(3, 2, 2), 2, [['parameters', 1]]],
    ['weights are not restored', { restoreBestWeights: false }, losses(3, 4), 1, []],
  ];
  for (const [name, more, logs, last, weights] of cases)
    test(`stops early: ${name}`, async () => {
      const { loop, progress, written } = start(stopping(more), logs);
      /** @type {number[]} */
      const epochs = [];
      await loop.run({ onEpoch: ({ epoch }) => void epochs.push(epoch) });
      assert.deepEqual([epochs.at(-1), progress.epoch, written], [last, 9, weights]);
    });
});

describe('classes of a trained detector', () => {
  const value = (/** @type {string} */ name) => ({ name, shape: [1, 2, 3, 8] });
  /** @param {object} [more] */
  const file = (more = {}) =>
    /** @type {any} */ ({
      labels: [{ name: 'cat', mid: '/m/c' }, { name: 'dog' }, { name: 'cow' }],
      ...{
        background: false,
        isSoftmax: false,
        anchors: Float32Array.of(0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25),
        unfrozen: { tail: [], inputs: [] },
        fused: new Set(),
      },
      ...more,
    });
  const both = ['dog', 'fox'];
  test('with sigmoids, kept ones are not trained', () => {
    const { keepsClasses, sources, final, truths, found, columns, labels } = chooseClasses(
      file(),
      both,
      true,
    );
    assert.deepEqual(
      [keepsClasses, sources, truths, found, columns, labels],
      [true, [1, null], [0, 1], [0, 1], 2, both],
    );
    assert.deepEqual(final, [
      { name: 'cat', mid: '/m/c', trained: null, source: 0 },
      { name: 'dog', mid: undefined, trained: 0, source: 1 },
      { name: 'cow', mid: undefined, trained: null, source: 2 },
      { name: 'fox', mid: undefined, trained: 1, source: null },
    ]);
  });
  test('a softmax trains all, and the background', () => {
    const { sources, final, truths, found, columns } = chooseClasses(
      file({ isSoftmax: true, background: true }),
      both,
      true,
    );
    assert.deepEqual([sources, truths, found, columns], [[0, 1, 2, 3, null], [1, 3], [2, 4], 5]);
    assert.deepEqual(
      final.map(({ trained, source }) => [trained, source]),
      [
        [1, 1],
        [2, 2],
        [3, 3],
        [4, null],
      ],
    );
  });
  test('none is kept, or some', () => {
    const none = chooseClasses(file(), both, false);
    assert.deepEqual(
      [none.keepsClasses, none.final.map(({ name }) => name), none.sources],
      [false, both, [1, null]],
    );
    const some = chooseClasses(file(), ['fox'], ['cow', 'cat']);
    assert.deepEqual([some.keepsClasses, some.final.map(({ name }) => name)], [true, ['cat', 'cow', 'fox']]);
    assert.equal(chooseClasses(file(), ['cat'], false).final[0].mid, '/m/c');
    assert.equal(chooseClasses(file(), ['fox'], []).keepsClasses, false);
  });
  for (const [keep, message] of /** @type {[any, RegExp][]} */ ([
    [['cat', 'bat'], /the model has no class 'bat'/],
    ['cat', /keepClasses must be true, false or a list of names/],
    [[1], /keepClasses must be true, false or a list of names/],
    [null, /keepClasses must be true, false or a list of names/],
  ]))
    test(`${JSON.stringify(keep)} is refused`, () =>
      assert.throws(() => chooseClasses(file(), both, keep), { code: 'INVALID_LABEL', message }));

  test('names that are nearly those of the model are told', () => {
    const warningsOf = (/** @type {string[]} */ labels) => chooseClasses(file(), labels, true).warnings([]);
    assert.deepEqual(warningsOf(['cat', 'fox', 'cats']), []);
    assert.deepEqual(warningsOf(['Cat', 'fox', ' COW']), [
      "'Cat' is a new class; the model's is 'cat'",
      "' COW' is a new class; the model's is 'cow'",
    ]);
  });

  test('boxes that overlap no anchor are told', () => {
    const { warnings } = chooseClasses(file(), both, true);
    const photo = (/** @type {number[][]} */ ...boxes) =>
      /** @type {any} */ ({ targets: boxes.map((box) => ({ box })) });
    const fit = [0.25, 0.25, 0.75, 0.75];
    // Half of an anchor's area inside it: an IoU of exactly 0.5.
    const half = [0.25, 0.25, 0.5, 0.75];
    const tiny = [0.9, 0.9, 0.95, 0.95];
    const long = [0, 0.9, 1, 0.95];
    assert.deepEqual(warnings([photo(fit, half)]), []);
    assert.deepEqual(warnings([photo(fit), photo(tiny, long, fit)]), [
      '2 of 4 boxes (50 %) overlap no anchor by an IoU of 0.5 or more; 1 are smaller than the finest anchor',
    ]);
    assert.deepEqual(warnings([photo(fit, fit, long)]), [
      '1 of 3 boxes (33 %) overlap no anchor by an IoU of 0.5 or more',
    ]);
    assert.deepEqual(warnings([photo([0.25, 0.25, 0.49, 0.75])]).length, 1);
  });

  test('the maps as one vector, one after the other', () => {
    const input = { name: 'x', shape: [-1, 4, 6, 3] };
    const maps = [value('one'), { name: 'two', shape: [1, 1, 1, 5] }];
    const op = (/** @type {any} */ output) => ({ kind: 'CONV_2D', inputs: [input], output, options: {} });
    const unused = op(value('unused'));
    const network = { ops: [...maps.map(op), unused], inputs: [input], outputs: [] };
    const two = mapsNetwork(/** @type {any} */ (network), maps);
    assert.deepEqual(
      two.ops.map(({ kind }) => kind),
      ['CONV_2D', 'CONV_2D', 'RESHAPE', 'RESHAPE', 'CONCATENATION'],
    );
    assert.deepEqual(
      two.ops.slice(2).map(({ output }) => output.shape),
      [
        [-1, 48],
        [-1, 5],
        [-1, 53],
      ],
    );
    assert.deepEqual([...(two.ops[2].inputs[1].tensor?.data ?? [])], [-1, 48]);
    assert.deepEqual(
      [two.ops[4].options.axis, two.outputs.map(({ name, value: { shape } }) => [name, shape])],
      [1, [['maps', [-1, 53]]]],
    );
    const one = mapsNetwork(/** @type {any} */ (network), [maps[0]]);
    assert.deepEqual(
      one.ops.map(({ kind }) => kind),
      ['CONV_2D', 'RESHAPE'],
    );
    assert.deepEqual([one.outputs[0].name, one.outputs[0].value.shape], ['maps', [-1, 48]]);
  });
});

test('a learner that is closed frees its trainer, once', () => {
  /** @type {string[]} */
  const closed = [];
  const trainer = (/** @type {string} */ name) => /** @type {any} */ ({ close: () => closed.push(name) });
  const learners = [
    new TransferLearner({}, trainer('images')),
    new DetectorLearner({}, /** @type {any} */ ({}), trainer('photos')),
  ];
  for (const learner of [...learners, ...learners]) learner.close();
  assert.deepEqual(closed, ['images', 'photos']);
});

test('means of an epoch; of no weight, the weighted accuracy is 0', () => {
  const sums = { rows: 4, loss: 6, hits: 3, weight: 8, weightedHits: 2 };
  const plain = { loss: 1.5, accuracy: 0.75 };
  assert.deepEqual(means(sums, false), plain);
  assert.deepEqual(means(sums, true), { ...plain, weighted_accuracy: 0.25 });
  assert.deepEqual(means({ ...sums, weight: 0, weightedHits: 0 }, true), { ...plain, weighted_accuracy: 0 });
});

test('a constant that an optimizer does not have is 0 in its struct', () => {
  const none = {
    ...{ isNesterov: false, isAmsgrad: false, isCentered: false, momentum: 0, beta1: 0, beta2: 0 },
    ...{ epsilon: 0, weightDecay: 0, clipNorm: 0 },
  };
  const adam = { ...none, beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
  for (const [name, expected] of /** @type {const} */ ([
    ['sgd', none],
    ['nesterov', { ...none, momentum: 0.9, isNesterov: true }],
    ['adam', adam],
    ['adamw', { ...adam, weightDecay: 0.004 }],
    ['rmsprop', { ...none, beta2: 0.9, epsilon: 1e-7 }],
  ])) {
    const { kind: _, ...constants } = optimizerStruct(checkOptimizer(name));
    assert.deepEqual(constants, expected, name);
  }
});
