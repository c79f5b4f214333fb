// Batch norm that conversion kept: the source's own numbers; trained or frozen with the last blocks of the hub module; and
// what cannot be trained is refused by name.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BATCH_NORM_ENTRY, readBatchNorm } from '../../../wasm/tflite/batch_norm.js';
import { convert } from '../../../wasm/convert/node.js';
import { TfliteFile } from '../../../wasm/tflite/read.js';
import { encodePng } from '../../../wasm/draw/png.js';
import { Backbone, TransferLearner } from '../../../wasm/train/node.js';
import { makeImage } from './stripes.js';
import { largeSource, smallSource } from '../convert/convert.js';
import { checkExport } from './exported.js';
import { large, maxDifference, needsLarge, readJson, testData } from '../shared.js';

const CLI = fileURLToPath(new URL('../../../bin/ocelli.js', import.meta.url));
const HUB = 'hub_mobilenet_v2_130_224_feature_vector.tar.gz';
const NESTED = 'convert/keras3_nested_transfer_model_96';
const SIDE = 224;
const IMAGES = Array.from({ length: 14 }, (_, i) => makeImage(i, SIDE));
const LABELS = IMAGES.map((_, i) => (i % 2 === 0 ? 'across' : 'along'));
/** The network's own input for an image. @param {{data: Uint8Array | Uint8ClampedArray}} image */
const toInput = ({ data }) => Float32Array.from(data, (pixel) => pixel / 255);
const LAYERS = 'tfjs_layers_small_classifier';

const KEEP = { keepBatchNorm: true };
const needsHub = needsLarge(`convert/${HUB}`);

/** @param {Uint8Array} model */
const normsOf = (model) => readBatchNorm(new TfliteFile(model).customMetadata(BATCH_NORM_ENTRY));

/** The weights of a TensorFlow.js layers model, by name. @returns {Map<string, Float32Array>} */
function readLayersWeights() {
  const { weightsManifest } = readJson(testData(`convert/${LAYERS}/model.json`));
  const bytes = readFileSync(testData(`convert/${LAYERS}/group1-shard1of1.bin`));
  let at = 0;
  return new Map(
    weightsManifest[0].weights.map((/** @type {{name: string, shape: number[]}} */ { name, shape }) => {
      const size = 4 * shape.reduce((a, b) => a * b, 1);
      const data = new Float32Array(new Uint8Array(bytes.subarray(at, at + size)).buffer);
      at += size;
      return [name, data];
    }),
  );
}

describe('batch norm that conversion keeps', () => {
  test('has the source’s own numbers', async () => {
    const norms = normsOf((await convert(smallSource(LAYERS), KEEP)).model);
    const weights = readLayersWeights();
    const names = [...weights.keys()].filter((name) => name.endsWith('/gamma'));
    assert.equal(norms.size, names.length);
    const kept = [...norms.values()];
    for (const name of names) {
      const source = (/** @type {string} */ part) => weights.get(name.replace('gamma', part)) ?? [];
      const norm = kept.find(({ gamma, mean }) =>
        [maxDifference(gamma, source('gamma')), maxDifference(mean, source('moving_mean'))].every(
          (difference) => difference === 0,
        ),
      );
      assert.ok(norm, name);
      assert.equal(maxDifference(norm.beta, source('beta')), 0);
      assert.equal(maxDifference(norm.variance, source('moving_variance')), 0);
      assert.equal(norm.epsilon, Math.fround(1e-3));
    }
  });

  /** @param {import('../../../wasm/convert/index.js').Source} source @param {number} atLeast so many */
  async function checkBiases(source, atLeast) {
    const { model, notes } = await convert(source, KEEP);
    const file = new TfliteFile(model);
    const norms = normsOf(model);
    assert.ok(notes.includes(`batch norm of ${norms.size} convolutions kept`));
    const { ops } = file.networkTo(
      /** @type {number} */ (file.operators.findLast(({ kind }) => kind === 'CONV_2D')?.output),
    );
    let seen = 0;
    for (const { output, weights } of ops) {
      const norm = norms.get(output.name);
      if (!norm || !weights?.bias) continue;
      const { gamma, beta, mean, variance, epsilon } = norm;
      const biases = gamma.map((g, c) => beta[c] - (g * mean[c]) / Math.sqrt(variance[c] + epsilon));
      // Of what is rounded to float32 along the way.
      const largest = Math.max(...biases.map(Math.abs), ...beta.map(Math.abs));
      assert.ok(maxDifference(weights.bias, biases) <= 1e-5 * largest, output.name);
      seen++;
    }
    assert.ok(seen >= atLeast, `${seen} of ${norms.size}`);
  }

  for (const name of [LAYERS, 'keras2_small_classifier'])
    test(`gives the biases that are in the file: ${name}`, () => checkBiases(smallSource(name), 9));
  for (const name of [HUB, 'keras3_nested_transfer_model_96', 'frozen_ssdlite_mobilenet_v2_300_person'])
    test(`gives the biases that are in the file: ${name}`, needsLarge(`convert/${name}`), () =>
      checkBiases(largeSource(name), 50),
    );

  test('is refused where the source has none', async () => {
    await assert.rejects(convert(smallSource('tfjs_small_classifier'), KEEP), {
      code: 'INVALID_OPTION',
      message: /keepBatchNorm/,
    });
  });

  test('is left out otherwise', async () => {
    assert.equal(normsOf((await convert(smallSource(LAYERS))).model).size, 0);
  });
});

describe('the converted hub module, fine-tuned', needsHub, () => {
  /** @type {Uint8Array} */ let kept;
  before(async () => {
    if (!needsHub.skip) kept = (await convert(largeSource(HUB), KEEP)).model;
  });

  for (const [batchNorm, labels] of /** @type {const} */ ([
    ['training', ['gamma', 'beta', 'moving_mean', 'moving_variance', 'kernel']],
    ['frozen', ['kernel']],
  ]))
    test(`batch norm: ${batchNorm}`, async () => {
      const extractor = await Backbone.create({ model: kept, unfreeze: 1, batchNorm });
      assert.equal(extractor.batchNorm, batchNorm);
      const learner = await TransferLearner.create({ extractor });
      await learner.addExamples(IMAGES.slice(0, 12), LABELS.slice(0, 12));
      learner.setWeights({});
      const first = learner.getWeights();
      const { history } = await learner.fit({
        ...{ epochs: 4, batchSize: 6, optimizer: { type: 'sgd', learningRate: 0.001 } },
      });
      assert.ok(history.loss[3] < history.loss[0], `${history.loss}`);
      const changed = Object.entries(learner.getWeights())
        .filter(([name, { data }]) => maxDifference(data, first[name].data) > 0)
        .map(([name]) => name);
      const layers = ['tail/0', 'tail/1', 'tail/2', 'tail/3'];
      const expected = layers.flatMap((layer) => labels.map((label) => `${layer}/${label}`));
      // What the projection adds to a channel, the next batch norm takes away: its gradient is rounding, or nothing.
      const isTrained = (/** @type {string} */ name) => name !== 'tail/2/beta';
      assert.deepEqual(
        changed.filter(isTrained).sort(),
        [...expected, 'dense/bias', 'dense/kernel'].filter(isTrained).sort(),
      );
      await checkExport(learner, IMAGES.slice(12), toInput);
      learner.close();
      extractor.close();
    });

  test('before any training gives what the module gives', async () => {
    // A head of one class for each of the first features: the logits are those features.
    const rows = await Promise.all(
      [0, 1].map(async (unfreeze) => {
        const extractor = await Backbone.create({ model: kept, unfreeze });
        const learner = await TransferLearner.create({ extractor });
        await learner.addExamples(IMAGES.slice(0, 4), ['a', 'b', 'c', 'd']);
        const kernel = new Float32Array(1664 * 4);
        for (let i = 0; i < 4; i++) kernel[i * 4 + i] = 1;
        learner.setWeights({ 'dense/kernel': kernel });
        const scores = (await learner.predict(IMAGES[5])).sort((a, b) => a.labelId - b.labelId);
        learner.close();
        extractor.close();
        return scores.map(({ score }) => Math.log(score));
      }),
    );
    assert.ok(maxDifference(rows[0], rows[1]) <= 1e-5, `${rows}`);
  });

  test('a folded file trains folded kernels, and refuses batch norm in training mode by name', async () => {
    const { model } = await convert(largeSource(HUB), { verify: false });
    const extractor = await Backbone.create({ model, unfreeze: 1 });
    assert.equal(extractor.batchNorm, 'folded');
    extractor.close();
    await assert.rejects(Backbone.create({ model, unfreeze: 1, batchNorm: 'training' }), {
      code: 'BATCH_NORM_FOLDED',
      message: /keep-batch-norm: at '.*expand.*'/,
    });
    await assert.rejects(Backbone.create({ model: kept, batchNorm: 'training' }), {
      code: 'INVALID_OPTION',
    });
  });

  test('damaged batch norm is refused', async () => {
    const at = Buffer.from(kept).indexOf('/moving_mean"');
    for (const [offset, byte] of [
      [1, 0x58], // another name
      [0, 0x22], // a broken header
    ]) {
      const model = kept.slice();
      model[at + offset] = byte;
      await assert.rejects(Backbone.create({ model, unfreeze: 1 }), { code: 'SOURCE_DAMAGED' });
    }
  });
});

describe('on the command line', needsLarge(NESTED), () => {
  /** @type {string} */ let sandbox;
  before(() => {
    sandbox = mkdtempSync(join(tmpdir(), 'ocelli-batch-norm-'));
    for (const [i, label] of LABELS.slice(0, 8).entries()) {
      mkdirSync(join(sandbox, 'photos', label), { recursive: true });
      writeFileSync(join(sandbox, 'photos', label, `${i}.png`), encodePng(makeImage(i)));
    }
  });
  after(() => rmSync(sandbox, { recursive: true, force: true }));

  /** @param {string[]} args */
  function ocelli(...args) {
    const { status, stderr } = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8' });
    return { status, stderr };
  }

  test('converted with it, trained with it, or refused without', () => {
    const [kept, folded, out] = ['kept', 'folded', 'out'].map((name) => join(sandbox, `${name}.tflite`));
    const source = large(NESTED);
    assert.equal(ocelli('convert', '--keep-batch-norm', source, kept).status, 0);
    assert.equal(ocelli('convert', source, folded).status, 0);
    const train = (/** @type {string} */ model, /** @type {string[]} */ ...more) =>
      ocelli(
        ...['train', join(sandbox, 'photos'), '--model', model, '--unfreeze', '1', '--epochs', '1'],
        ...['--optimizer', 'sgd', '--out', out, ...more],
      );
    assert.deepEqual(train(kept, '--batch-norm', 'training'), {
      status: 0,
      stderr: 'batch norm: in training mode, its moving averages with it\n',
    });
    assert.match(train(folded).stderr, /folded kernels and their biases are trained/);
    const { status, stderr } = train(folded, '--batch-norm', 'training');
    assert.equal(status, 1);
    assert.match(stderr, /BATCH_NORM_FOLDED/);
    assert.match(train(kept, '--batch-norm', 'live').stderr, /frozen or training/);
  });
});
