// Which examples validate: the end of all, as in Keras, or the same share of each class; and the momentum of batch norm.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { convert } from '../../../wasm/convert/node.js';
import { BATCH_NORM_ENTRY, readBatchNorm } from '../../../wasm/tflite/batch_norm.js';
import { TfliteFile } from '../../../wasm/tflite/read.js';
import { Backbone, openImageDirectory, TransferLearner } from '../../../wasm/train/node.js';
import { split } from '../../../wasm/train/fit.js';
import { separateBatchNorm } from '../../../wasm/train/tail.js';
import { makeSandbox, ocelli } from '../bin/run.js';
import { smallSource } from '../convert/convert.js';

const PLAN = { validationSplit: 0.2, stratify: true, shuffle: true, seed: 3 };
/** @param {Uint32Array} indices @param {number[]} labels */
const count = (indices, labels) =>
  Array.from(indices).reduce(
    (counts, index) => counts.with(labels[index], counts[labels[index]] + 1),
    [0, 0, 0],
  );

describe('a stratified split', () => {
  const labels = Array.from({ length: 100 }, (_, i) => (i < 80 ? 0 : i < 99 ? 1 : 2));
  for (const shuffle of [true, false])
    test(`takes the share of each class, and leaves one to train on; shuffle: ${shuffle}`, () => {
      const { train, validation } = split({ ...PLAN, shuffle }, labels);
      assert.deepEqual(count(train, labels), [64, 15, 1]);
      assert.deepEqual(count(validation, labels), [16, 4, 0]);
      assert.deepEqual(
        [...train, ...validation].sort((a, b) => a - b),
        labels.map((_, i) => i),
      );
      for (const part of [train, validation]) assert.deepEqual(part, part.slice().sort());
    });

  test('depends on the seed, and on nothing else', () => {
    const of = (/** @type {number} */ seed) => [...split({ ...PLAN, seed }, labels).validation];
    assert.deepEqual(of(1), of(1));
    assert.notDeepEqual(of(1), of(2));
  });

  test('trains on as many as without it', () => {
    const classes = Array.from({ length: 50 }, (_, i) => (i < 17 ? 0 : i < 34 ? 1 : 2));
    const { train } = split(PLAN, classes);
    // Of 13.6, 13.6 and 12.8.
    assert.deepEqual(count(train, classes).sort(), [13, 13, 14]);
    assert.equal(count(train, classes)[2], 13);
    assert.equal(train.length, split({ ...PLAN, stratify: false }, classes).train.length);
  });

  test('of nothing to validate, and of everything', () => {
    assert.equal(split({ ...PLAN, validationSplit: 0 }, labels).validation.length, 0);
    assert.equal(split({ ...PLAN, validationSplit: 1 }, labels).train.length, 0);
  });

  test('without it, the split is Keras’: the end of all', () => {
    const { train, validation } = split({ ...PLAN, stratify: false, shuffle: false }, labels);
    assert.deepEqual([train.length, validation[0]], [80, 80]);
  });
});

describe('a class without an example to train on', () => {
  const rows = Float32Array.from({ length: 20 }, (_, i) => i / 10);
  const names = Array.from({ length: 10 }, (_, i) => (i < 9 ? 'ant' : 'bee'));
  /** @param {import('../../../wasm/train/plan.js').PlanOptions} options */
  const fit = async (options) => {
    const learner = await TransferLearner.create();
    learner.addFeatures(rows, names);
    return learner.fit(options).finally(() => learner.close());
  };
  test('is an error that names it', () =>
    assert.rejects(fit({ validationSplit: 0.2, shuffle: false }), {
      code: 'EMPTY_CLASS',
      message: /'bee' to train on; stratify: true/,
    }));
  test('does not happen with stratify', async () => {
    const { history } = await fit({ validationSplit: 0.2, shuffle: false, stratify: true });
    assert.equal(history.val_loss.length, 1);
  });
  test('stratify must be true or false', () =>
    assert.rejects(fit({ stratify: /** @type {any} */ (1) }), { code: 'INVALID_OPTION' }));
});

test('a directory that is not there is named', async () => {
  await assert.rejects(openImageDirectory('/nowhere/photos'), {
    code: 'NO_EXAMPLES',
    message: /\/nowhere\/photos cannot be read: ENOENT/,
  });
  const { status, stderr } = ocelli(['train', '/nowhere/photos', '--out', 'x.tflite']);
  assert.equal(status, 1);
  assert.match(stderr, /\/nowhere\/photos/);
});

test('the command line splits by class', () => {
  const sandbox = makeSandbox('ocelli-split-', ['a', 'b', 'c']);
  const args = [
    'train',
    `${sandbox}/photos`,
    '--epochs',
    '1',
    '--validation',
    '0.34',
    '--json',
    '--report',
    sandbox,
  ];
  const { status, stderr } = ocelli(args);
  assert.equal(status, 0, stderr);
});

describe("batch norm's momentum", () => {
  test('is kept from a model of layers', async () => {
    const { model } = await convert(smallSource('tfjs_layers_small_classifier'), { keepBatchNorm: true });
    const norms = [...readBatchNorm(new TfliteFile(model).customMetadata(BATCH_NORM_ENTRY)).values()];
    assert.ok(norms.length > 0);
    // The model's layers have momentum 0.
    for (const { momentum } of norms) assert.equal(momentum, 0);
  });

  test('is the option, else the file’s, else 0.99', () => {
    const ones = Float64Array.of(1);
    const norm = { gamma: ones, beta: ones, mean: ones, variance: ones, epsilon: 1e-3 };
    const momentumOf = (/** @type {number | undefined} */ own, /** @type {number | undefined} */ option) => {
      const layer = /** @type {any} */ ({ channels: 1 });
      const op = /** @type {any} */ ({ output: { name: 'y' }, weights: {} });
      const tail = [{ op, layer, value: op.output }];
      separateBatchNorm(tail, new Map([['y', { ...norm, momentum: own }]]), 'training', option);
      return layer.momentum;
    };
    assert.deepEqual(
      [momentumOf(undefined, undefined), momentumOf(0.9, undefined), momentumOf(0.9, 0.5)],
      [0.99, 0.9, 0.5],
    );
  });

  test('wants batch norm in training, and is from 0 to 1', async () => {
    const create = (/** @type {object} */ options) => Backbone.create({ unfreeze: 1, ...options });
    await assert.rejects(create({ batchNormMomentum: 0.9 }), { code: 'INVALID_OPTION' });
    await assert.rejects(create({ batchNorm: 'training', batchNormMomentum: 2 }), { code: 'INVALID_OPTION' });
  });
});
