// How the learner behaves: resuming, saving, early stopping, what it refuses, and that nothing leaks.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Backbone, DetectorLearner, OcelliError, TransferLearner } from '../../../wasm/train/node.js';
import { Dataset } from '../../../wasm/train/dataset.js';
import { checkOptimizer, optimizerStruct, rateAt } from '../../../wasm/train/plan.js';
import { shuffled } from '../../../wasm/train/random.js';
import { readSafetensors, writeSafetensors } from '../../../wasm/tflite/safetensors.js';
import { openModule, Trainer } from '../../../wasm/train/trainer.js';
import { takeMemory } from './memory.js';
import { DETECTOR_DIGEST, runDetectorTraining } from './detector_run.js';
import { DIGESTS, run } from './reference_run.js';

/** @typedef {import('../../../wasm/train/types.js').LearnerOptions} LearnerOptions */

const LENGTH = 24;
const CLASSES = ['ant', 'bee', 'cat'];

/** A class is where the largest of its eight numbers is, plus noise that a hash makes. */
function makeExamples(count = 60, shift = 0) {
  const features = new Float32Array(count * LENGTH);
  const labels = Array.from({ length: count }, (_, i) => CLASSES[i % 3]);
  for (let i = 0; i < features.length; i++) {
    const [row, column] = [Math.floor(i / LENGTH), i % LENGTH];
    const noise = (Math.imul(i + shift + 1, 0x9e3779b1) >>> 8) / 2 ** 24;
    features[i] = noise * 2 + (Math.floor(column / 8) === row % 3 ? 0.7 : 0);
  }
  return { features, labels };
}

/** @param {LearnerOptions} [options] */
async function makeLearner(options) {
  const learner = await TransferLearner.create(options);
  const { features, labels } = makeExamples();
  learner.addFeatures(features, labels);
  return learner;
}

/** @param {TransferLearner} learner */
const weightsOf = (learner) =>
  Object.values(learner.getWeights()).map(({ data }) => Buffer.from(data.buffer));

/** @param {string} code */
const withCode = (code) => (/** @type {unknown} */ error) =>
  error instanceof OcelliError && error.code === code;

const FIT = /** @type {const} */ ({
  epochs: 4,
  batchSize: 7,
  optimizer: 'adam',
  validationSplit: 0.2,
  seed: 5,
});

describe('learning', () => {
  test('learns what can be learned, and says how well', async () => {
    const learner = await makeLearner();
    const { history, epoch, params } = await learner.fit({
      epochs: 300,
      optimizer: 'adam',
      validationSplit: 0.2,
    });
    assert.equal(history.loss.length, 300);
    assert.deepEqual(epoch.slice(0, 3), [0, 1, 2]);
    assert.deepEqual(params, { epochs: 300, steps: 2 });
    assert.ok(/** @type {number} */ (history.loss.at(-1)) < history.loss[0] / 2);
    const { accuracy, loss, examples, classes, confusion } = await learner.evaluate();
    assert.equal(examples, 12);
    assert.ok(Math.abs(accuracy - /** @type {number} */ (history.val_accuracy.at(-1))) < 1e-12);
    assert.ok(Math.abs(loss - /** @type {number} */ (history.val_loss.at(-1))) < 1e-6);
    const sum = (/** @type {number[]} */ list) => list.reduce((a, b) => a + b, 0);
    assert.equal(sum(confusion.flat()), 12);
    classes.forEach(({ label, precision, recall, examples: count }, i) => {
      assert.equal(label, CLASSES[i]);
      assert.equal(count, sum(confusion[i]));
      assert.equal(recall, count === 0 ? 0 : confusion[i][i] / count);
      const called = sum(confusion.map((row) => row[i]));
      assert.equal(precision, called === 0 ? 0 : confusion[i][i] / called);
    });
    const { features, labels } = makeExamples(3, 1000);
    const [best, ...others] = await learner.predict({ features: features.slice(0, LENGTH) });
    assert.equal(best.label, labels[0]);
    assert.ok(Math.abs(best.score + sum(others.map(({ score }) => score)) - 1) < 1e-6);
    learner.close();
  });

  test('images are extracted in batches, with progress', async () => {
    /** @type {number[]} */
    const batches = [];
    const extractor = {
      extractBatch: async (/** @type {any[]} */ images) => {
        batches.push(images.length);
        const data = Float32Array.from(images.flatMap(([value]) => [value, 255 - value]));
        return { data, shape: [images.length, 2] };
      },
    };
    const learner = await TransferLearner.create({ extractor });
    const images = Array.from({ length: 10 }, (_, i) => Uint8Array.of(i < 5 ? 10 + i : 200 + i));
    const labels = images.map((_, i) => (i < 5 ? 'dark' : 'light'));
    /** @type {number[]} */
    const progress = [];
    await learner.addExamples(images, labels, {
      batchSize: 4,
      onProgress: ({ done }) => progress.push(done),
    });
    assert.deepEqual(batches, [4, 4, 2]);
    assert.deepEqual(progress, [4, 8, 10]);
    await learner.addExample(Uint8Array.of(250), 'light');
    assert.deepEqual(learner.examples.classes, [
      { label: 'dark', count: 5 },
      { label: 'light', count: 6 },
    ]);
    await learner.fit({ epochs: 30, optimizer: 'adam' });
    assert.equal((await learner.predict(Uint8Array.of(240)))[0].label, 'light');
    learner.close();
  });

  test('features kept as binary16 train to nearly the same', async () => {
    const [whole, half] = [await makeLearner(), await makeLearner({ precision: 'float16' })];
    const [a, b] = [await whole.fit(FIT), await half.fit(FIT)];
    const difference = Math.abs(a.history.loss[3] - b.history.loss[3]);
    assert.ok(difference > 0 && difference < 1e-3, `${difference}`);
    whole.close();
    half.close();
  });

  test('a weight of 2 counts as the example twice', async () => {
    const { features, labels } = makeExamples(9);
    const [weighted, doubled] = [await TransferLearner.create(), await TransferLearner.create()];
    weighted.addFeatures(features, labels, { weights: Array(9).fill(2) });
    doubled.addFeatures(features, labels);
    const one = await weighted.fit({ batchSize: 9, shuffle: false, optimizer: 'sgd' });
    const two = await doubled.fit({
      batchSize: 9,
      shuffle: false,
      optimizer: { type: 'sgd', learningRate: 0.02 },
    });
    assert.ok(Math.abs(one.history.loss[0] - 2 * two.history.loss[0]) < 1e-6);
    const [w, d] = [weighted, doubled].map((l) => l.getWeights()['dense/kernel'].data);
    w.forEach((value, i) => assert.ok(Math.abs(value - d[i]) < 1e-7));
    weighted.close();
    doubled.close();
  });
});

describe('the same result', () => {
  test('for the same seed, and another for another', async () => {
    const results = [];
    for (const seed of [5, 5, 6]) {
      const learner = await makeLearner();
      await learner.fit({ ...FIT, seed });
      results.push(Buffer.concat(weightsOf(learner)).toString('hex'));
      learner.close();
    }
    assert.equal(results[0], results[1]);
    assert.notEqual(results[0], results[2]);
  });

  test('bit for bit in the deterministic variant, on every engine', async () => {
    assert.deepEqual(await run({ Backbone, TransferLearner }), DIGESTS);
  });

  test('a detector, too, bit for bit on every engine', async () => {
    assert.equal(await runDetectorTraining({ DetectorLearner }), DETECTOR_DIGEST);
  });

  const batches = Math.ceil(48 / 7) * 4;
  for (const at of [1, 7, 8, 13, batches - 1]) {
    test(`interrupted after batch ${at}, saved, loaded and resumed`, async () => {
      const whole = await makeLearner();
      const expected = await whole.fit({ ...FIT, earlyStopping: { patience: 2 } });
      const learner = await makeLearner();
      const controller = new AbortController();
      let seen = 0;
      const onBatch = () => void (++seen === at && controller.abort());
      const fit = learner.fit({
        ...FIT,
        earlyStopping: { patience: 2 },
        callbacks: { onBatch },
        signal: controller.signal,
      });
      await assert.rejects(fit, { name: 'AbortError' });
      const file = learner.save();
      learner.close();
      const loaded = await TransferLearner.load(file);
      const { features, labels } = makeExamples();
      loaded.addFeatures(features, labels);
      const { history } = await loaded.resume();
      assert.deepEqual(history, expected.history);
      assert.deepEqual(weightsOf(loaded), weightsOf(whole));
      await assert.rejects(loaded.resume(), withCode('NOT_INTERRUPTED'));
      // And once more, to see that the optimizer's slots came along.
      await Promise.all([whole.fit(FIT), loaded.fit(FIT)]);
      assert.deepEqual(weightsOf(loaded), weightsOf(whole));
      whole.close();
      loaded.close();
    });
  }

  test('interrupted and resumed in place, at every batch', async () => {
    const whole = await makeLearner();
    await whole.fit(FIT);
    const learner = await makeLearner();
    const interrupt = () => {
      const controller = new AbortController();
      return { callbacks: { onBatch: () => controller.abort() }, signal: controller.signal };
    };
    await assert.rejects(learner.fit({ ...FIT, ...interrupt() }), { name: 'AbortError' });
    for (let i = 2; i <= batches; i++)
      await assert.rejects(learner.resume(interrupt()), { name: 'AbortError' });
    await learner.resume();
    assert.deepEqual(weightsOf(learner), weightsOf(whole));
    whole.close();
    learner.close();
  });
});

describe('early stopping', () => {
  test('stops after its patience and gives the best weights back', async () => {
    // Labels that say nothing: what is learned of them is wrong elsewhere.
    const learner = await TransferLearner.create();
    const { features, labels } = makeExamples();
    learner.addFeatures(features, [...labels].sort());
    const options = {
      epochs: 200,
      batchSize: 8,
      optimizer: /** @type {const} */ ('momentum'),
      validationSplit: 0.3,
    };
    const { history } = await learner.fit({ ...options, earlyStopping: { patience: 3 } });
    const losses = history.val_loss;
    const best = losses.indexOf(Math.min(...losses));
    assert.ok(losses.length < 200);
    assert.equal(losses.length, best + 4);
    assert.ok(Math.abs((await learner.evaluate()).loss - losses[best]) < 1e-6);
    learner.close();
  });

  test('needs something to watch', async () => {
    const learner = await makeLearner();
    await assert.rejects(learner.fit({ earlyStopping: true }), withCode('INVALID_OPTION'));
    await learner.fit({ epochs: 3, earlyStopping: { monitor: 'accuracy' } });
    learner.close();
  });
});

describe('schedules', () => {
  /** @param {import('../../../wasm/train/plan.js').Schedule} learningRate */
  const rates = (learningRate, steps = 8) => {
    const checked = checkOptimizer({ type: 'sgd', learningRate }).learningRate;
    return Array.from({ length: steps }, (_, step) => rateAt(checked, step));
  };
  test('step', () =>
    assert.deepEqual(rates({ type: 'step', rate: 8, every: 3, factor: 0.5 }), [8, 8, 8, 4, 4, 4, 2, 2]));
  test('warm-up', () =>
    assert.deepEqual(
      rates({ type: 'constant', rate: 8, warmupSteps: 4, warmupFrom: 4 }),
      [4, 5, 6, 7, 8, 8, 8, 8],
    ));
  test('cosine is the cosine', () => {
    rates({ type: 'cosine', rate: 2, decaySteps: 50, alpha: 0.25 }, 60).forEach((rate, step) => {
      const share = (1 + Math.cos((Math.PI * Math.min(step, 50)) / 50)) / 2;
      assert.ok(Math.abs(rate - 2 * (0.75 * share + 0.25)) < 1e-14);
    });
  });
});

describe('refuses by name', () => {
  /** @type {[string, string, (learner: TransferLearner) => unknown][]} */
  const cases = [
    [
      'features that are not numbers',
      'INVALID_FEATURES',
      (l) => l.addFeatures(new Float32Array(24).fill(NaN), ['ant']),
    ],
    [
      'infinite features',
      'INVALID_FEATURES',
      (l) => l.addFeatures(new Float32Array(24).fill(Infinity), ['ant']),
    ],
    ['rows of another length', 'INVALID_FEATURES', (l) => l.addFeatures(new Float32Array(25), ['ant'])],
    ['too few labels', 'INVALID_LABEL', (l) => l.addFeatures(new Float32Array(48), ['ant'])],
    ['an empty label', 'INVALID_LABEL', (l) => l.addFeatures(new Float32Array(24), [''])],
    [
      'distributions beside labels',
      'INVALID_LABEL',
      (l) => l.addFeatures(new Float32Array(24), Float32Array.of(1, 0, 0)),
    ],
    [
      'a negative weight',
      'INVALID_FEATURES',
      (l) => l.addFeatures(new Float32Array(24), ['ant'], { weights: [-1] }),
    ],
    ['images without an extractor', 'NO_EXTRACTOR', (l) => l.addExample(new Uint8Array(3), 'ant')],
    ['an unknown optimizer', 'INVALID_OPTION', (l) => l.fit({ optimizer: /** @type {any} */ ('adamax') })],
    [
      'an option of another optimizer',
      'INVALID_OPTION',
      (l) => l.fit({ optimizer: { type: 'sgd', rho: 0.9 } }),
    ],
    ['an unknown option', 'INVALID_OPTION', (l) => l.fit(/** @type {any} */ ({ epoch: 3 }))],
    ['no epochs', 'INVALID_OPTION', (l) => l.fit({ epochs: 0 })],
    ['no signal', 'INVALID_OPTION', (l) => l.fit({ signal: /** @type {any} */ ({}) })],
    ['a weight of an unknown class', 'INVALID_OPTION', (l) => l.fit({ classWeight: { dog: 2 } })],
    ['nothing to train on', 'NO_EXAMPLES', (l) => l.fit({ validationSplit: 1 })],
    ['no features', 'INVALID_FEATURES', (l) => l.addFeatures(/** @type {any} */ (undefined), ['ant'])],
    [
      'no labels',
      'INVALID_LABEL',
      (l) => l.addFeatures(new Float32Array(24), /** @type {any} */ (undefined)),
    ],
    [
      'weights that are null',
      'INVALID_FEATURES',
      (l) => l.addFeatures(new Float32Array(24), ['ant'], { weights: /** @type {any} */ (null) }),
    ],
    ['no images', 'INVALID_INPUT', (l) => l.addExamples(/** @type {any} */ (null), ['ant'])],
    ...[null, { weight: [1] }].flatMap((options) => {
      const what = JSON.stringify(options);
      const given = /** @type {any} */ (options);
      return /** @type {typeof cases} */ ([
        [`images with ${what}`, 'INVALID_OPTION', (l) => l.addExamples([], [], given)],
        [
          `features with ${what}`,
          'INVALID_OPTION',
          (l) => l.addFeatures(new Float32Array(24), ['ant'], given),
        ],
      ]);
    }),
    ['predicting before training', 'NO_EXAMPLES', (l) => l.predict({ features: new Float32Array(24) })],
    ['saving before training', 'NO_EXAMPLES', (l) => l.save()],
    ['resuming nothing', 'NOT_INTERRUPTED', (l) => l.resume()],
  ];
  for (const [name, code, action] of cases) {
    test(name, async () => {
      const learner = await makeLearner();
      await assert.rejects(async () => action(learner), withCode(code));
      assert.equal(learner.examples.count, 60);
      await learner.fit({ epochs: 1 });
      learner.close();
    });
  }

  test('no examples, one class, an empty class', async () => {
    const learner = await TransferLearner.create();
    await assert.rejects(learner.fit(), withCode('NO_EXAMPLES'));
    for (const length of [10, 2, 0])
      assert.throws(
        () => learner.addFeatures(new Float32Array(length), ['ant', 'bee', 'ant']),
        withCode('INVALID_FEATURES'),
      );
    learner.addFeatures(new Float32Array(4), ['ant', 'ant']);
    await assert.rejects(learner.fit(), withCode('ONE_CLASS'));
    learner.close();
    const fixed = await TransferLearner.create({ labels: CLASSES });
    fixed.addFeatures(new Float32Array(4), ['ant', 'bee']);
    await assert.rejects(fixed.fit(), (error) => withCode('EMPTY_CLASS')(error) && /cat/.test(String(error)));
    assert.throws(() => fixed.addFeatures(new Float32Array(2), ['dog']), withCode('INVALID_LABEL'));
    fixed.close();
  });

  test('what is no example, or no set', async () => {
    const learner = await makeLearner();
    await learner.fit();
    /** @type {[any, string][]} */
    const inputs = [
      [null, 'NO_EXTRACTOR'],
      [undefined, 'NO_EXTRACTOR'],
      [{ features: undefined }, 'INVALID_FEATURES'],
      [{ features: null }, 'INVALID_FEATURES'],
      [{ features: new Float32Array(2 * LENGTH) }, 'INVALID_FEATURES'],
      [{ features: Array(LENGTH).fill(NaN) }, 'INVALID_FEATURES'],
    ];
    for (const [input, code] of inputs) await assert.rejects(learner.predict(input), withCode(code));
    /** @type {[any, string][]} */
    const sets = [
      [{}, 'INVALID_LABEL'],
      [{ features: undefined, labels: ['ant'] }, 'INVALID_FEATURES'],
      [{ images: null, labels: ['ant'] }, 'INVALID_INPUT'],
      [{ images: 'photo.jpg', labels: ['ant'] }, 'INVALID_INPUT'],
    ];
    for (const [set, code] of sets) await assert.rejects(learner.evaluate(set), withCode(code));
    const { features, labels } = makeExamples();
    const whole = /** @type {any} */ ({ images: undefined, features, labels });
    assert.equal((await learner.evaluate(whole)).examples, 60);
    learner.close();
  });

  test('a loss that diverges, and the weights are as before', async () => {
    const learner = await makeLearner();
    await learner.fit({ epochs: 2 });
    const before = weightsOf(learner);
    const optimizer = /** @type {const} */ ({ type: 'sgd', learningRate: 1e6, momentum: 1 });
    await assert.rejects(learner.fit({ epochs: 500, optimizer, l2: 1 }), withCode('TRAINING_DIVERGED'));
    assert.deepEqual(weightsOf(learner), before);
    const [{ score }] = await learner.predict({ features: makeExamples(1).features });
    assert.ok(Number.isFinite(score));
    const { history } = await learner.fit({ epochs: 1 });
    assert.ok(Number.isFinite(history.loss[0]));
    learner.close();
  });

  test('two fits at once', async () => {
    const learner = await makeLearner();
    const first = learner.fit({ epochs: 3 });
    await assert.rejects(learner.fit(), withCode('FIT_RUNNING'));
    await first;
    learner.close();
    await assert.rejects(learner.fit(), withCode('CLOSED'));
  });
});

describe('a class that comes after a training', () => {
  /** @param {TransferLearner} learner @param {object} row */
  const predict = async (learner, row) => (await learner.predict(/** @type {any} */ (row))).map(({ label }) => label); // prettier-ignore

  test('counts from the next one on', async () => {
    /** @type {(readonly string[])[]} */
    const exported = [];
    const extractor = {
      extractBatch: async () => ({ data: new Float32Array(0), shape: [] }),
      export: (
        /** @type {unknown} */ _,
        /** @type {unknown} */ __,
        /** @type {readonly string[]} */ names,
      ) => {
        exported.push(names);
        return new Uint8Array(0);
      },
    };
    const learner = await makeLearner({ extractor });
    await learner.fit(FIT);
    const set = makeExamples(30, 7);
    const row = { features: set.features.slice(0, LENGTH) };
    const ask = async () => ({
      own: await learner.evaluate(),
      others: await learner.evaluate(set),
      found: await learner.predict(row),
      saved: learner.save(),
      classes: (await learner.describeFit()).data.classes,
      exported: (learner.export(), exported.pop()),
    });
    const before = await ask();
    learner.addFeatures(new Float32Array(LENGTH), ['dog']);
    assert.deepEqual(await ask(), before);
    const { features } = row;
    await assert.rejects(learner.evaluate({ features, labels: ['dog'] }), withCode('INVALID_LABEL'));
    const loaded = await TransferLearner.load(learner.save());
    assert.deepEqual(await predict(loaded, row), await predict(learner, row));
    assert.deepEqual(loaded.labels, CLASSES);
    await learner.fit({ epochs: 1 });
    const { classes, confusion } = await learner.evaluate();
    assert.deepEqual([classes.length, confusion.length, confusion[3].length], [4, 4, 4]);
    assert.deepEqual((await predict(learner, row)).sort(), [...CLASSES, 'dog']);
    loaded.close();
    learner.close();
  });

  test('counts from the next one on, also if it comes before the validation images are extracted', async () => {
    const { features, labels } = makeExamples(6, 7);
    const images = labels.map(() => new Uint8Array(1));
    const options = { ...FIT, validationSplit: 0, classWeight: { ant: 2 }, validation: { images, labels } };
    const fits = [false, true].map(async (isAdded) => {
      const extractBatch = async () => {
        if (isAdded) learner.addFeatures(new Float32Array(LENGTH), ['dog']);
        return { data: features, shape: [6, LENGTH] };
      };
      const learner = await makeLearner({ extractor: { extractBatch } });
      const { history, params } = await learner.fit(options);
      const found = { history, params, weights: weightsOf(learner), count: learner.examples.count };
      learner.close();
      return found;
    });
    const [alone, added] = await Promise.all(fits);
    assert.deepEqual(added, { ...alone, count: alone.count + 1 });
  });

  test('is named if its examples are to be evaluated', async () => {
    const learner = await makeLearner();
    await learner.fit();
    learner.addFeatures(new Float32Array(LENGTH), ['dog']);
    await assert.rejects(
      learner.evaluate(),
      (error) => withCode('INVALID_LABEL')(error) && /'dog'/.test(String(error)),
    );
    learner.close();
  });
});

describe('state files', () => {
  /** A saved learner in the middle of an epoch. */
  async function saved() {
    const learner = await makeLearner();
    const controller = new AbortController();
    const callbacks = { onBatch: () => controller.abort() };
    await assert.rejects(learner.fit({ ...FIT, callbacks, signal: controller.signal }));
    const file = learner.save();
    learner.close();
    return file;
  }

  test('are safetensors with Keras’ shapes', async () => {
    const { tensors, metadata } = readSafetensors(await saved());
    assert.deepEqual(Object.keys(tensors).sort(), [
      'dense/bias',
      'dense/kernel',
      'slot/0/dense/bias',
      'slot/0/dense/kernel',
      'slot/1/dense/bias',
      'slot/1/dense/kernel',
    ]);
    assert.deepEqual(tensors['dense/kernel'].shape, [LENGTH, 3]);
    assert.equal(metadata.format, 'ocelli-transfer-learner');
  });

  test('of others are refused', async () => {
    const foreign = writeSafetensors({ weight: { shape: [2], data: new Float32Array(2) } }, { format: 'pt' });
    await assert.rejects(TransferLearner.load(foreign), withCode('STATE_FOREIGN'));
    const png = new Uint8Array(64).fill(137);
    await assert.rejects(TransferLearner.load(png), withCode('STATE_FOREIGN'));
    await assert.rejects(TransferLearner.load(new Uint8Array(3)), withCode('STATE_CORRUPT'));
  });

  test('cut short anywhere, or damaged, never load as something else', async () => {
    const file = await saved();
    for (let length = 0; length < file.length; length += 97) {
      const isRefusal = (/** @type {unknown} */ error) =>
        error instanceof OcelliError && /^STATE_/.test(error.code);
      await assert.rejects(TransferLearner.load(file.slice(0, length)), isRefusal);
    }
    const header = Number(new DataView(file.buffer).getBigUint64(0, true));
    for (let at = 0; at < 8 + header; at += 13) {
      const damaged = file.slice();
      damaged[at] ^= 0x15;
      const learner = await TransferLearner.load(damaged).catch((error) => {
        assert.ok(error instanceof OcelliError, `byte ${at}: ${error.stack}`);
      });
      learner?.close();
    }
  });

  test('keeps deterministic and precision, and refuses others', async () => {
    const { features, labels } = makeExamples();
    const given = /** @type {const} */ ({ deterministic: true, precision: 'float16' });
    const learner = await TransferLearner.create(given);
    learner.addFeatures(features, labels);
    await learner.fit(FIT);
    const file = learner.save();
    const loaded = await TransferLearner.load(file);
    loaded.addFeatures(features, labels);
    await Promise.all([learner.fit(FIT), loaded.fit(FIT)]);
    assert.deepEqual(weightsOf(loaded), weightsOf(learner));
    for (const other of [{ deterministic: false }, { precision: /** @type {const} */ ('float32') }])
      await assert.rejects(TransferLearner.load(file, other), withCode('STATE_MISMATCH'));
    loaded.close();
    learner.close();
  });

  test('resume with other examples is refused', async () => {
    const learner = await TransferLearner.load(await saved());
    const { features, labels } = makeExamples(30);
    learner.addFeatures(features, labels);
    await assert.rejects(learner.resume(), withCode('STATE_MISMATCH'));
    const all = makeExamples();
    const length = all.features.length / all.labels.length;
    const order = all.labels.map((_, i) => (i + 1) % all.labels.length);
    const turned = Float32Array.from(all.features, (_, i) => all.features[order[Math.floor(i / length)] * length + (i % length)]); // prettier-ignore
    /** @type {[Float32Array, string[], {weights?: number[]}][]} */
    const others = [
      [turned, order.map((i) => all.labels[i]), {}],
      [all.features, all.labels.toReversed(), {}],
      [all.features, all.labels, { weights: all.labels.map((_, i) => (i === 5 ? 2 : 1)) }],
    ];
    for (const [rows, names, more] of others) {
      const other = await TransferLearner.load(await saved());
      other.addFeatures(rows, names, more);
      await assert.rejects(other.resume(), withCode('STATE_MISMATCH'));
      other.close();
    }
    assert.throws(() => learner.addFeatures(new Float32Array(5), ['ant']), withCode('INVALID_FEATURES'));
    learner.close();
  });
});

test('every order is a permutation', () => {
  for (let epoch = 0; epoch < 20; epoch++) {
    const order = shuffled(101, 7, epoch);
    assert.deepEqual(
      [...order].sort((a, b) => a - b),
      [...Array(101).keys()],
    );
    assert.notDeepEqual(order, shuffled(101, 7, epoch + 1));
  }
});

test('a thousand networks leave nothing behind', async () => {
  const { exports, memory } = await openModule();
  const trainer = new Trainer(exports, memory);
  const data = new Dataset(LENGTH, 'float16');
  data.add({ ...makeExamples(6), labels: [0, 1, 2, 0, 1, 2] });
  const network = {
    input: [1, 1, LENGTH],
    layers: [/** @type {const} */ ({ kind: 'pointwise', channels: 3 })],
  };
  const open = () => {
    trainer.open(network, optimizerStruct(checkOptimizer('adam')), 6);
    trainer.run(6, data.write(trainer, [0, 1, 2, 3, 4, 5], null), {
      labelSmoothing: 0,
      l2: 0,
      step: 1,
      rate: 0.1,
    });
  };
  open();
  const { liveBytes } = trainer.memoryUse;
  for (let i = 0; i < 1000; i++) open();
  assert.equal(trainer.memoryUse.liveBytes, liveBytes);
  const sgd = optimizerStruct(checkOptimizer('sgd'));
  assert.throws(() => trainer.open(network, { ...sgd, kind: 9 }, 6), withCode('INVALID_ARGUMENT'));
  assert.throws(() => trainer.open(network, sgd, 1e5), withCode('INVALID_ARGUMENT'));
  open();
  trainer.close();
  takeMemory(exports, memory);
  const closed = trainer.memoryUse.liveBytes;
  trainer.close();
  assert.equal(trainer.memoryUse.liveBytes, closed);
});
