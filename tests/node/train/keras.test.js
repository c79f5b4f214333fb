// Every trajectory that Keras 2.15 made (tests/data/train), in the wasm: step by step through the trainer, and whole
// fits through the learner. The tolerances are those of the README there.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TransferLearner } from '../../../wasm/train/node.js';
import { countMultiplyAdds, headNetwork, tailNetwork } from '../../../wasm/train/network.js';
import { checkOptimizer, optimizerStruct, rateAt } from '../../../wasm/train/plan.js';
import { Trainer } from '../../../wasm/train/trainer.js';
import { maxDifference, readArray, readJson, testData, variants } from '../shared.js';

/** @type {any} */
const cases = readJson(testData('train/cases.json'));

/** @param {string} file */
const floats = (file) => readArray(testData(`train/${file}`), Float32Array);

/** @param {string} name */
function loadDataset(name) {
  const { features, labels, kernel0, scale, sample_weight, n_train, D, C } = cases.datasets[name];
  const bytes = readArray(testData(`train/${features}`), Uint8Array);
  return {
    features: Float32Array.from(bytes, (byte) => byte * scale),
    labels: readArray(testData(`train/${labels}`), Uint16Array),
    kernel: floats(kernel0),
    weights: floats(sample_weight),
    train: n_train,
    D,
    C,
  };
}

/**
 * The case's optimizer in our words.
 * @param {any} optimizer
 */
function translate({ type, learning_rate: rate, ...rest }) {
  const names = /** @type {Record<string, string>} */ ({
    beta_1: 'beta1',
    beta_2: 'beta2',
    weight_decay: 'weightDecay',
    clipnorm: 'clipNorm',
  });
  const options = Object.entries(rest).map(([key, value]) => [names[key] ?? key, value]);
  const learningRate = typeof rate === 'number' ? rate : translateSchedule(rate);
  return checkOptimizer({ type, learningRate, ...Object.fromEntries(options) });
}

/** @param {any} schedule */
function translateSchedule({ initial_learning_rate: rate, decay_steps, alpha, warmup_target, warmup_steps }) {
  const base = { type: /** @type {const} */ ('cosine'), decaySteps: decay_steps, alpha };
  if (warmup_target === undefined) return { ...base, rate };
  return { ...base, rate: warmup_target, warmupFrom: rate, warmupSteps: warmup_steps };
}

/** @param {any} cs */
const isAdam = (cs) => cs.optimizer.type.startsWith('adam');

/** @param {number} label @param {number} classes */
const oneHot = (label, classes) => Array.from({ length: classes }, (_, c) => Number(c === label));

/**
 * @param {any} cs
 * @param {Trainer} trainer
 */
function runSteps(cs, trainer) {
  const { features, labels, kernel, weights, train, D, C } = loadDataset(cs.dataset);
  const optimizer = translate(cs.optimizer);
  trainer.open(headNetwork(D, C), optimizerStruct(optimizer), cs.batch_size);
  trainer.write('parameters', kernel);
  const isWeighted = cs.sample_weight || cs.class_weight;
  const written = { targets: cs.loss === 'categorical', weights: Boolean(isWeighted) };
  const options = { labelSmoothing: cs.label_smoothing ?? 0, l2: cs.l2 ?? 0 };
  const seen = { losses: [], rates: [], parameters: [], gradients: [] };
  const log = /** @type {Record<string, any[]>} */ (seen);
  for (let epoch = 0, step = 0; epoch < cs.epochs; epoch++) {
    for (let first = 0; first < train; first += cs.batch_size, step++) {
      const rows = Math.min(cs.batch_size, train - first);
      const list = Array.from({ length: rows }, (_, i) => first + i);
      list.forEach((row, i) => trainer.writeRow(i, features.subarray(row * D, (row + 1) * D)));
      trainer.write(
        'labels',
        Int32Array.from(list, (row) => labels[row]),
      );
      trainer.write('targets', Float32Array.from(list.flatMap((row) => oneHot(labels[row], C))));
      const weigh = (/** @type {number} */ row) =>
        (cs.sample_weight ? weights[row] : 1) * (cs.class_weight?.[labels[row]] ?? 1);
      trainer.write('weights', Float32Array.from(list, weigh));
      const rate = rateAt(optimizer.learningRate, step);
      const { loss, regularizer } = trainer.run(rows, written, { ...options, step: step + 1, rate });
      log.losses.push(loss / rows + regularizer);
      log.rates.push(rate);
      if (cs.dataset === 'small') {
        log.parameters.push(...trainer.read('parameters'));
        log.gradients.push(...trainer.read('gradients'));
      }
    }
  }
  return log;
}

/**
 * Keras' slot files, in our order: slot by slot, kernel then bias.
 * @param {any} slots
 * @param {any} optimizer
 */
function readSlots({ file, order }, optimizer) {
  const names = {
    sgd: ['m'],
    adam: ['m', 'v', 'vhat'],
    adamw: ['m', 'v', 'vhat'],
    rmsprop: ['velocity', 'momentum', 'average_gradient'],
  }[/** @type {'sgd'} */ (optimizer.type)];
  const values = floats(file);
  let at = 0;
  const parts = order.map((/** @type {any} */ { name, shape }) => {
    const size = shape.reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b);
    at += size;
    return {
      slot: names.indexOf(name.split('/')[1]),
      rank: shape.length,
      data: values.subarray(at - size, at),
    };
  });
  parts.sort((/** @type {any} */ a, /** @type {any} */ b) => a.slot - b.slot || b.rank - a.rank);
  return parts.flatMap((/** @type {any} */ { data }) => [...data]);
}

for (const variant of variants) {
  describe(`Keras' head, ${variant}`, () => {
    for (const cs of cases.head_cases) {
      test(cs.name, async () => {
        const trainer = await Trainer.create({ deterministic: variant === 'simd' });
        const log = runSteps(cs, trainer);
        const lossTolerance = cs.name === 'big_sgdm_weights_b32' ? 1e-5 : 3e-6;
        assert.ok(maxDifference(log.losses, cs.step_loss) <= lossTolerance, 'step losses');
        const tolerance = isAdam(cs) && cs.dataset === 'big' ? 1e-5 : 2e-6;
        const parameters = trainer.read('parameters');
        assert.ok(maxDifference(parameters, floats(cs.final_params)) <= tolerance, 'final parameters');
        if (cs.step_learning_rate)
          assert.ok(maxDifference(log.rates, cs.step_learning_rate) <= 2e-8, 'learning rates');
        if (cs.dataset === 'small') {
          assert.ok(maxDifference(log.parameters, floats(cs.params_after_each_step)) <= 2e-6, 'parameters');
          // The reference has gradients from before clipping.
          if (!cs.optimizer.clipnorm)
            assert.ok(maxDifference(log.gradients, floats(cs.grads_of_each_step)) <= 5e-7, 'gradients');
          const expected = readSlots(cs.slots, cs.optimizer);
          const largest = Math.max(...expected.map(Math.abs));
          assert.ok(maxDifference(trainer.read('slots'), expected) <= 1e-5 * largest, 'slots');
        }
        trainer.close();
      });
    }
  });

  describe(`Keras' fit through the learner, ${variant}`, () => {
    for (const cs of cases.head_cases) {
      test(cs.name, async () => {
        const { features, labels, kernel, weights, train, D, C } = loadDataset(cs.dataset);
        const names = Array.from({ length: C }, (_, c) => `class ${c}`);
        const learner = await TransferLearner.create({ labels: names, deterministic: variant === 'simd' });
        const isCategorical = cs.loss === 'categorical';
        const label = (/** @type {Uint16Array} */ list) =>
          isCategorical
            ? Float32Array.from([...list].flatMap((id) => oneHot(id, C)))
            : Array.from(list, (id) => names[id]);
        learner.addFeatures(
          features.subarray(0, train * D),
          label(labels.subarray(0, train)),
          cs.sample_weight && { weights },
        );
        learner.setWeights({ 'dense/kernel': kernel });
        const { history, params } = await learner.fit({
          epochs: cs.epochs,
          batchSize: cs.batch_size,
          optimizer: translate(cs.optimizer),
          shuffle: false,
          labelSmoothing: cs.label_smoothing,
          l2: cs.l2,
          classWeight:
            cs.class_weight && Object.fromEntries(names.map((name, c) => [name, cs.class_weight[c]])),
          validation: { features: features.subarray(train * D), labels: label(labels.subarray(train)) },
        });
        assert.equal(params.steps, cs.steps_per_epoch);
        assert.deepEqual(Object.keys(history), Object.keys(cs.history));
        for (const [key, values] of Object.entries(cs.history)) {
          const tolerance = key.endsWith('loss') ? 5e-6 : 1e-6;
          const difference = maxDifference(history[key], values);
          assert.ok(difference <= tolerance, `${key} differs by ${difference}`);
        }
        const trained = learner.getWeights();
        const final = [...trained['dense/kernel'].data, ...trained['dense/bias'].data];
        const tolerance = isAdam(cs) && cs.dataset === 'big' ? 1e-5 : 2e-6;
        assert.ok(maxDifference(final, floats(cs.final_params)) <= tolerance, 'final parameters');
        learner.close();
      });
    }
  });

  describe(`Keras' tail, ${variant}`, () => {
    for (const cs of cases.tail.cases) {
      test(cs.name, async () => {
        const { features, labels, scale, n_train: train, initial, C } = cases.tail;
        const values = readArray(testData(`train/${features}`), Int8Array);
        const rows = Float32Array.from(values, (value) => value * scale);
        const ids = readArray(testData(`train/${labels}`), Uint16Array);
        const names = Array.from({ length: C }, (_, c) => `class ${c}`);
        const norm = cs.name.endsWith('frozen') ? 'frozen' : 'live';
        const before = floats(initial);
        const dense = cases.tail.layout.find(
          (/** @type {any} */ { name }) => name === 'dense/kernel',
        ).offset_floats;
        /** @type {import('../../../wasm/train/network.js').Tail} */
        const tail = {
          input: [7, 7, 32],
          layers: [
            { kind: 'pointwise', channels: 64, norm, activation: 'relu6' },
            { kind: 'depthwise', channels: 64, norm, activation: 'relu6' },
            { kind: 'pointwise', channels: 32, norm, added: 0 },
            { kind: 'pointwise', channels: 128, norm, activation: 'relu6' },
          ],
          parameters: before.subarray(0, dense),
        };
        const extractor = {
          tail,
          extractBatch: async () => assert.fail('features are given'),
        };
        const learner = await TransferLearner.create({
          extractor,
          labels: names,
          deterministic: variant === 'simd',
        });
        const rowLength = 7 * 7 * 32;
        learner.addFeatures(
          rows.slice(0, train * rowLength),
          Array.from(ids.subarray(0, train), (id) => names[id]),
        );
        learner.setWeights({ 'dense/kernel': before.slice(dense, dense + 128 * C) });
        const validation = {
          features: rows.slice(train * rowLength),
          labels: Array.from(ids.subarray(train), (id) => names[id]),
        };
        /** @type {number[]} */
        const sums = [];
        const { history } = await learner.fit({
          epochs: cs.epochs,
          batchSize: cs.batch_size,
          optimizer: translate(cs.optimizer),
          shuffle: false,
          validation,
          callbacks: { onBatch: ({ batch, loss }) => sums.push(loss * (batch + 1)) },
        });
        const batches = train / cs.batch_size;
        const losses = sums.map((sum, i) => (i % batches === 0 ? sum : sum - sums[i - 1]));
        assert.ok(maxDifference(losses, cs.step_loss) <= 2e-6, 'step losses');
        for (const [key, expected] of Object.entries(cs.history))
          assert.ok(maxDifference(history[key], expected) <= (key.endsWith('loss') ? 5e-6 : 1e-6), key);
        const trained = Object.values(learner.getWeights()).flatMap(({ data }) => [...data]);
        assert.ok(maxDifference(trained, floats(cs.final)) <= 1e-5, 'parameters');
        const probabilities = floats(cs.val_probabilities_after);
        for (let row = 0; row < 16; row++) {
          const part = validation.features.slice(row * rowLength, (row + 1) * rowLength);
          const found = (await learner.predict({ features: part })).sort((a, b) => a.labelId - b.labelId);
          const scores = found.map(({ score }) => score);
          assert.ok(
            maxDifference(scores, probabilities.subarray(row * C, (row + 1) * C)) <= 2e-6,
            `row ${row}`,
          );
        }
        learner.close();
      });
    }
  });
}

test('multiply-adds of a row are those of the shapes', () => {
  const count = (/** @type {import('../../../wasm/train/trainer.js').Network} */ { input, layers }) =>
    countMultiplyAdds([input], layers);
  assert.equal(count(headNetwork(1280, 10)), 12800);
  const layers = /** @type {const} */ ([
    { kind: 'pointwise', channels: 6 },
    { kind: 'depthwise', channels: 6, stride: 2 },
  ]);
  const tail = { input: [5, 5, 4], layers: [...layers], parameters: new Float32Array() };
  assert.equal(count(tailNetwork(tail, 3)), 25 * 4 * 6 + 9 * 9 * 6 + 6 * 3);
});

test('cross-entropy losses and gradients are Keras’, from the logits', async () => {
  // Rows of logits through a head that is the identity.
  const { labels, sparse_from_logits: sparse, smooth_from_logits: smooth } = cases.cross_entropy;
  const logits = floats('xent_logits.bin');
  const trainer = await Trainer.create();
  trainer.open(headNetwork(4, 4), optimizerStruct(checkOptimizer('sgd')), 1);
  const identity = new Float32Array(20);
  for (let i = 0; i < 4; i++) identity[i * 5] = 1;
  trainer.write('parameters', identity);
  labels.forEach((/** @type {number} */ label, /** @type {number} */ row) => {
    trainer.writeRow(0, logits.subarray(row * 4, row * 4 + 4));
    trainer.write('labels', Int32Array.of(label));
    for (const [labelSmoothing, { loss, grad_wrt_logits: file }] of /** @type {[number, any][]} */ ([
      [0, sparse],
      [0.1, smooth],
    ])) {
      const options = { labelSmoothing, l2: 0, step: 1, rate: 0 };
      const found = trainer.run(1, { targets: false, weights: false }, options).loss;
      assert.ok(Math.abs(found - loss[row]) <= 1e-6 * Math.max(1, Math.abs(loss[row])), `row ${row}`);
      // The bias's gradient is that of the logits.
      const gradients = trainer.read('gradients').subarray(16);
      const expected = floats(file).subarray(row * 4, row * 4 + 4);
      assert.ok(maxDifference(gradients, expected) <= 1e-6, `gradients of row ${row}`);
    }
  });
  trainer.close();
});

test('all cases are there', () => {
  assert.deepEqual([cases.head_cases.length, cases.tail.cases.length], [42, 2]);
});
