// Blocks of MobileNetV3 and EfficientNet: trajectories that Keras 2.15 made (tests/data/make/blocks.py), from the converted
// file to the exported classifier, and the files that TFLite's own converter writes.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { convert } from '../../../wasm/convert/node.js';
import { TfliteFile } from '../../../wasm/tflite/read.js';
import { writeTflite } from '../../../wasm/tflite/write.js';
import { findTail } from '../../../wasm/train/blocks.js';
import { findFeatureMap } from '../../../wasm/train/classifier_network.js';
import { initialParameters, tailNetwork } from '../../../wasm/train/network.js';
import { Backbone, TransferLearner } from '../../../wasm/train/node.js';
import { checkOptimizer, optimizerStruct } from '../../../wasm/train/plan.js';
import { Trainer } from '../../../wasm/train/trainer.js';
import { IMAGES, LABELS } from './stripes.js';
import { checkExport } from './exported.js';
import { maxAbs, maxDifference, readArray, readJson, testData, variants } from '../shared.js';

/** @typedef {import('../../../wasm/tflite/network.js').Network} FileNetwork */

/** @param {string} file */
const path = (file) => testData(`train/blocks/${file}`);
/** @param {string} file */
const floats = (file) => readArray(path(file), Float32Array);
/** @param {string} file */
const read = (file) => new Uint8Array(readFileSync(path(file)));

/** @type {any} */
const { side, n_train: train, n_val: validate, C, batch_size: batch, ...rest } = readJson(path('cases.json'));
const { epochs, unfreeze, networks } = rest;
const NAMES = Array.from({ length: C }, (_, c) => `class ${c}`);
const PIXELS = side * side * 3;
const stored = read('images.bin');
const images = Array.from({ length: train + validate }, (_, i) => ({
  data: stored.subarray(i * PIXELS, (i + 1) * PIXELS),
  ...{ width: side, height: side },
}));
const ids = images.map((_, i) => i % C);
const labels = ids.map((id) => NAMES[id]);
/** The network's own input for an image. @param {{data: Uint8Array | Uint8ClampedArray}} image */
const toInput = ({ data }) => Float32Array.from(data, (pixel) => pixel / 127.5 - 1);
const DETERMINISTIC = { simd: true, relaxed: false };

/** @param {any} cs */
const optimizerOf = ({ optimizer: { learning_rate: learningRate, type, momentum, nesterov } }) =>
  checkOptimizer({ type, learningRate, momentum, nesterov });

for (const [name, { kernel, cases, val_features: features }] of Object.entries(networks)) {
  describe(name, () => {
    /** @type {Uint8Array} */ let kept;
    before(async () => {
      kept = (await convert(read(`${name}.h5`), { keepBatchNorm: true, input: '[-1,1]' })).model;
    });

    for (const variant of variants) {
      const deterministic = DETERMINISTIC[variant];
      for (const mode of /** @type {const} */ (['frozen', 'training'])) {
        const cs = cases[mode];
        test(`follows Keras step by step, batch norm ${mode}, ${variant}`, async () => {
          const backbone = await Backbone.create({ model: kept, unfreeze, batchNorm: mode, deterministic });
          const { tail } = backbone;
          assert.ok(tail);
          const network = tailNetwork(tail, C);
          const parameters = initialParameters(network, tail, 0);
          parameters.set(floats(kernel), parameters.length - C - 24 * C);
          const trainer = await Trainer.create({ deterministic });
          const optimizer = optimizerOf(cs);
          trainer.open(network, optimizerStruct(optimizer), batch);
          trainer.write('parameters', parameters);
          const { data: rows } = await backbone.extractBatch(images.slice(0, train));
          const length = rows.length / train;
          const rate = cs.optimizer.learning_rate;
          for (let step = 0; step < cs.step_loss.length; step++) {
            const list = Array.from({ length: batch }, (_, i) => ((step * batch) % train) + i);
            list.forEach((row, i) => trainer.writeRow(i, rows.subarray(row * length, (row + 1) * length)));
            trainer.write(
              'labels',
              Int32Array.from(list, (row) => ids[row]),
            );
            const options = { labelSmoothing: 0, l2: 0, step: step + 1, rate };
            const { loss } = trainer.run(batch, { targets: false, weights: false }, options);
            const difference = Math.abs(loss / batch - cs.step_loss[step]);
            assert.ok(difference <= 5e-6, `loss ${step} differs by ${difference}`);
            if (step > 0) continue;
            const expected = floats(cs.first_step_gradients);
            const apart = maxDifference(trainer.read('gradients'), expected);
            assert.ok(apart <= 2e-6 * Math.max(1, maxAbs(expected)), `gradients differ by ${apart}`);
          }
          const apart = maxDifference(trainer.read('parameters'), floats(cs.final));
          assert.ok(apart <= 2e-5, `parameters differ by ${apart}`);
          trainer.close();
          backbone.close();
        });

        test(`follows Keras through the learner, batch norm ${mode}, ${variant}`, async () => {
          const extractor = await Backbone.create({ model: kept, unfreeze, batchNorm: mode, deterministic });
          assert.equal(extractor.batchNorm, mode);
          const learner = await TransferLearner.create({ extractor, labels: NAMES, deterministic });
          await learner.addExamples(images.slice(0, train), labels.slice(0, train));
          learner.setWeights({ 'dense/kernel': floats(kernel) });
          const { history } = await learner.fit({
            ...{ epochs, batchSize: batch, optimizer: optimizerOf(cs), shuffle: false },
            validation: { images: images.slice(train), labels: labels.slice(train) },
          });
          for (const [key, values] of Object.entries(cs.history))
            assert.ok(maxDifference(history[key], values) <= 1e-5, key);
          const probabilities = floats(cs.val_probabilities_after);
          for (let i = 0; i < validate; i++) {
            const found = (await learner.predict(images[train + i])).sort((a, b) => a.labelId - b.labelId);
            const scores = found.map(({ score }) => score);
            assert.ok(maxDifference(scores, probabilities.subarray(i * C, (i + 1) * C)) <= 1e-5);
          }
          await checkExport(learner, images.slice(train), toInput);
          const saved = learner.save();
          const again = await TransferLearner.load(saved, { extractor, deterministic });
          assert.deepEqual(again.getWeights(), learner.getWeights());
          assert.deepEqual(await again.predict(images[0]), await learner.predict(images[0]));
          for (const each of [again, learner, extractor]) each.close();
        });
      }
    }

    test("gives Keras' features", async () => {
      const backbone = await Backbone.create({ model: kept });
      const { data } = await backbone.extractBatch(images.slice(train));
      assert.ok(maxDifference(data, floats(features)) <= 1e-5);
      backbone.close();
    });

    test('as TFLite’s converter writes it, folded: trains, and the export is the learner’s', async () => {
      const options = /** @type {const} */ ({ model: read(`${name}.tflite`), input: '[-1,1]' });
      const extractor = await Backbone.create({ ...options, unfreeze });
      assert.equal(extractor.batchNorm, 'folded');
      const learner = await TransferLearner.create({ extractor });
      await learner.addExamples(images.slice(0, train), labels.slice(0, train));
      const { history } = await learner.fit({
        ...{ epochs: 6, batchSize: batch, optimizer: { type: 'sgd', learningRate: 0.02 } },
      });
      assert.ok(/** @type {number} */ (history.loss.at(-1)) < history.loss[0]);
      await checkExport(learner, images.slice(train), toInput);
      await assert.rejects(Backbone.create({ ...options, unfreeze, batchNorm: 'training' }), {
        code: 'BATCH_NORM_FOLDED',
      });
      learner.close();
      extractor.close();
    });

    test('all four blocks, of which the first has no expansion; a fifth is refused by name', async () => {
      const extractor = await Backbone.create({ model: kept, unfreeze: 4 });
      assert.equal(extractor.tail?.layers[0].kind, 'depthwise');
      assert.equal(extractor.tail?.layers[0].stride, 2);
      const learner = await TransferLearner.create({ extractor });
      await learner.addExamples(images.slice(0, 2), labels.slice(0, 2));
      await learner.fit({ epochs: 1, optimizer: { type: 'sgd', learningRate: 0.001 } });
      await checkExport(learner, images.slice(2, 4), toInput);
      learner.close();
      extractor.close();
      await assert.rejects(Backbone.create({ model: kept, unfreeze: 5 }), {
        code: 'BLOCK_UNSUPPORTED',
        message: /'stem_bn' is CONV_2D 3x3 of stride 2x2/,
      });
    });

    test('without its pool is a backbone, too: the mean of a squeeze is no global pool', async () => {
      const file = new TfliteFile(kept);
      const model = writeTflite(file.networkTo(findFeatureMap(file)), { precision: 'fp32', description: '' });
      const backbone = await Backbone.create({ model, input: '[-1,1]' });
      const { data } = await backbone.extractBatch(images.slice(train));
      assert.ok(maxDifference(data, floats(features)) <= 1e-5);
      backbone.close();
    });
  });
}

test('MobileNetV3 with float16 weights: the factor of its gates is the file’s, not 1/6', async () => {
  const model = testData('models/mobilenet_v3_small_features.fp16.tflite');
  const whole = await Backbone.create({ model, input: '[-1,1]' });
  const extractor = await Backbone.create({ model, input: '[-1,1]', unfreeze: 11 });
  assert.ok(extractor.tail?.layers.some(({ factor = 0 }) => factor > 0 && factor !== Math.fround(1 / 6)));
  const learner = await TransferLearner.create({ extractor });
  await learner.addExamples(IMAGES.slice(0, 2), LABELS.slice(0, 2));
  const { data } = await whole.extractBatch([IMAGES[0]]);
  // The logits of two features are those features.
  const kernel = new Float32Array(data.length * 2);
  [kernel[0], kernel[3]] = [1, 1];
  learner.setWeights({ 'dense/kernel': kernel });
  const [a, b] = (await learner.predict(IMAGES[0])).sort((x, y) => x.labelId - y.labelId);
  const apart = Math.abs(Math.log(a.score / b.score) - (data[0] - data[1]));
  assert.ok(apart <= 1e-5 * maxAbs(data), `${apart}`);
  for (const each of [learner, extractor, whole]) each.close();
});

describe('a block that is nearly one of these is refused by name', () => {
  const file = new TfliteFile(read('efficientnet.tflite'));
  const featureMap = findFeatureMap(file);

  /** @param {(network: FileNetwork) => void} change */
  function find(change) {
    const network = new TfliteFile(read('efficientnet.tflite')).networkTo(featureMap);
    change(network);
    return () => findTail(network, [network.outputs[0].value], unfreeze);
  }
  /** @param {FileNetwork} network @param {string} kind @param {RegExp} [of] the name of its output */
  const last = (network, kind, of = /./) => {
    const op = network.ops.findLast((candidate) => candidate.kind === kind && of.test(candidate.output.name));
    assert.ok(op);
    return op;
  };

  test('unchanged, it is found', () => assert.equal(find(() => {})().tail.length, 22));

  for (const [what, message, change] of /** @type {[string, RegExp, (network: FileNetwork) => void][]} */ ([
    ['a sigmoid of another map', / is MUL$/, (n) => (last(n, 'LOGISTIC').inputs = [n.inputs[0]])],
    ['a skip connection from elsewhere', /adds '.*'/, (n) => (last(n, 'ADD').inputs[0] = skipOf(n))],
    ['a function after the sum', / is ADD with RELU$/, (n) => (last(n, 'ADD').options.activation = 'RELU')],
    [
      'the mean of rows',
      / is MUL$/,
      (n) => (last(n, 'MEAN').inputs[1] = { name: 'axes', shape: [1], tensor: axes(1) }),
    ],
    [
      'a dilated depthwise layer',
      / is DEPTHWISE_CONV_2D 3x3$/,
      (n) => (last(n, 'DEPTHWISE_CONV_2D').options.dilationH = 2),
    ],
    [
      'strides that differ',
      / is DEPTHWISE_CONV_2D 3x3 of stride 2x1$/,
      (n) => (last(n, 'DEPTHWISE_CONV_2D').options.strideH = 2),
    ],
    [
      'padding of one row on each side',
      /not padded as SAME/,
      (n) => {
        // 8 -> 4 by stride 2: SAME pads one row at the end only.
        const op = n.ops.filter(({ kind }) => kind === 'DEPTHWISE_CONV_2D')[1];
        const [input] = op.inputs;
        const paddings = { dtype: /** @type {const} */ ('int32'), shape: [4, 2] };
        const data = Int32Array.of(0, 0, 1, 1, 1, 1, 0, 0);
        const padded = { name: 'padded', shape: [-1, 10, 10, 16] };
        const constant = { name: 'paddings', shape: [4, 2], tensor: { ...paddings, data } };
        n.ops.push({ kind: 'PAD', inputs: [input, constant], output: padded, options: {} });
        op.inputs = [padded];
        op.options.padding = 'VALID';
      },
    ],
  ]))
    test(what, () => assert.throws(find(change), { code: 'BLOCK_UNSUPPORTED', message }));

  /** @param {number[]} data */
  const axes = (...data) => ({
    ...{ dtype: /** @type {const} */ ('int32'), shape: [data.length], data: Int32Array.from(data) },
  });
  /** A map of the same shape that is not the block's input. @param {FileNetwork} network */
  const skipOf = (network) => {
    const { shape } = last(network, 'ADD').output;
    return { name: 'elsewhere', shape: [...shape] };
  };
});
