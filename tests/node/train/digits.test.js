// A real data set through the command line: scikit-learn's digits, 1797 images, the card's four configurations, beside
// a logistic regression in plain JavaScript on the same features.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { split } from '../../../wasm/train/fit.js';
import { makePlan } from '../../../wasm/train/plan.js';
import { Backbone, extractFeatures, openImageDirectory } from '../../../wasm/train/node.js';
import { enlarge, readDigits, toPhoto } from './digits.js';
import { runInBoth, TOLERANCE } from './exported.js';
import { loadEngine, maxDifference, testData } from '../shared.js';

const CLI = fileURLToPath(new URL('../../../bin/ocelli.js', import.meta.url));
const INPUT = { scale: 1 / 127.5, offset: -1, resize: /** @type {const} */ ('half-pixel') };
const SMALL = testData('models/small_classifier.fp32.tflite');
/** With blocks that can be trained. */
const BLOCKS = testData('models/mobilenet_v2_features.fp32.tflite');
const EPOCHS = 100;
/** @param {string} model */
const modelArgs = (model) => ['--model', model, '--input', JSON.stringify(INPUT)];
/** `make soak` takes the default backbone, the suite one that is quick; its weights are random. A tenth would be chance. */
const BACKBONE = process.env.OCELLI_SOAK
  ? { args: [], tunedArgs: [], options: {}, minAccuracy: 0.7 }
  : {
      args: modelArgs(SMALL),
      tunedArgs: modelArgs(BLOCKS),
      options: { model: SMALL, input: INPUT },
      minAccuracy: 0.3,
    };

/**
 * Softmax regression by gradient descent with momentum, one example after the other in batches of 32, in double.
 * @param {Float32Array} features
 * @param {number[]} labels
 * @param {{train: Uint32Array, validation: Uint32Array}} parts
 */
function plainRegression(features, labels, { train, validation }) {
  const length = features.length / labels.length;
  const weights = Array.from({ length: 10 }, () => new Float64Array(length + 1));
  const velocity = Array.from({ length: 10 }, () => new Float64Array(length + 1));
  /** @param {number} example */
  const logits = (example) => {
    const row = features.subarray(example * length, (example + 1) * length);
    return weights.map((w) => {
      let sum = w[length];
      for (let i = 0; i < length; i++) sum += row[i] * w[i];
      return sum;
    });
  };
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    for (let first = 0; first < train.length; first += 32) {
      // A step through the examples that mixes the classes.
      const batch = Array.from({ length: 32 }, (_, i) => train[((first + i) * 577) % train.length]);
      const gradient = weights.map(() => new Float64Array(length + 1));
      for (const example of batch) {
        const z = logits(example);
        const most = Math.max(...z);
        const e = z.map((value) => Math.exp(value - most));
        const total = e.reduce((a, b) => a + b);
        const row = features.subarray(example * length, (example + 1) * length);
        e.forEach((value, c) => {
          const error = (value / total - Number(c === labels[example])) / batch.length;
          for (let i = 0; i < length; i++) gradient[c][i] += error * row[i];
          gradient[c][length] += error;
        });
      }
      for (const [c, g] of gradient.entries()) {
        const [w, v] = [weights[c], velocity[c]];
        for (let i = 0; i <= length; i++) {
          v[i] = 0.9 * v[i] - 0.01 * g[i];
          w[i] += v[i];
        }
      }
    }
  }
  const isHit = (/** @type {number} */ example) => {
    const z = logits(example);
    return z.indexOf(Math.max(...z)) === labels[example];
  };
  return validation.filter(isHit).length / validation.length;
}

describe('digits', () => {
  const directory = mkdtempSync(join(tmpdir(), 'digits-'));
  const photos = join(directory, 'digits');
  const card = join(directory, 'card');
  const head = join(directory, 'head.tflite');
  const tuned = join(directory, 'tuned.tflite');
  /** @type {import('./digits.js').Digit[]} */ let digits;
  /** @param {string[]} args */
  const ocelli = (...args) =>
    JSON.parse(execFileSync(process.execPath, [CLI, ...args, '--json'], { encoding: 'utf8' }));
  /** @param {string[]} args */
  const train = (...args) => ocelli('train', photos, ...args).configurations;

  before(() => {
    digits = readDigits();
    digits.forEach((digit, i) => {
      const directory = join(photos, digit.label);
      mkdirSync(directory, { recursive: true });
      writeFileSync(join(directory, `${String(i).padStart(4, '0')}.png`), toPhoto(digit));
    });
    assert.equal(digits.length, 1797);
  });
  after(() => rmSync(directory, { recursive: true }));

  test('the four configurations end in tables, plots and card', (t) => {
    const args = [...BACKBONE.args, '--epochs', String(EPOCHS), '--report', card, '--out', head];
    const configurations = train('--compare', 'batch32,batch64,adam,rmsprop', ...args);
    assert.deepEqual(
      configurations.map((/** @type {any} */ { name }) => name),
      ['Batch 32', 'Batch 64', 'Batch 32 Adam', 'Batch 32 RMSprop'],
    );
    for (const { name, history, data, energy } of configurations) {
      assert.deepEqual([data.train, data.validation], [1437, 360]);
      const accuracy = history.history.val_accuracy.at(-1);
      t.diagnostic(
        `${name}: accuracy ${history.history.accuracy.at(-1).toFixed(4)}, validation ${accuracy.toFixed(4)}`,
      );
      assert.ok(accuracy > BACKBONE.minAccuracy, name);
      const { cpu_energy: cpu, gpu_energy: gpu, ram_energy: ram, energy_consumed: sum } = energy.account;
      assert.equal(sum, cpu + gpu + ram);
    }
    const text = readFileSync(join(card, 'README.md'), 'utf8');
    for (const file of ['loss.svg', 'accuracy.svg', 'emissions.svg']) {
      assert.ok(text.includes(`(${file})`));
      assert.match(readFileSync(join(card, file), 'utf8'), /^<svg/);
    }
    assert.equal(readFileSync(join(card, 'emissions.csv'), 'utf8').trim().split('\n').length, 5);
  });

  test('the written file does as well on all of them', () => {
    const { accuracy, examples, confusion } = ocelli('evaluate', head, photos);
    assert.equal(examples, 1797);
    assert.ok(accuracy > BACKBONE.minAccuracy, String(accuracy));
    assert.equal(
      confusion.flat().reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b),
      1797,
    );
  });

  test('a head alone and a fine-tuned file give LiteRT.js’ probabilities', async (t) => {
    const tuning = ['--unfreeze', '1', '--epochs', '2', '--optimizer', 'adam', '--lr', '0.0003'];
    const [{ history }] = train(...BACKBONE.tunedArgs, ...tuning, '--out', tuned);
    t.diagnostic(`fine-tuned: validation accuracy ${history.history.val_accuracy.at(-1).toFixed(4)}`);
    for (const file of [head, tuned]) {
      const engine = await loadEngine('simd', file);
      const [, side] = engine.inputs[0].shape;
      const bytes = readFileSync(file);
      for (const digit of digits.slice(0, 10)) {
        const input = Float32Array.from(enlarge(digit, side), (pixel) => pixel * INPUT.scale + INPUT.offset);
        const { ours, theirs } = await runInBoth(engine, bytes, input);
        assert.ok(maxDifference(theirs, ours) <= TOLERANCE, `${theirs} and ${ours}`);
      }
      engine.close();
    }
  });

  test('plain logistic regression is within 2 points', async (t) => {
    const args = ['--optimizer', 'momentum', '--epochs', String(EPOCHS), '--report', card];
    const ours = train(...BACKBONE.args, ...args)[0].history.history.val_accuracy.at(-1);
    const backbone = await Backbone.create(BACKBONE.options);
    const { sources, labels } = await openImageDirectory(photos);
    const features = await extractFeatures(backbone, sources);
    backbone.close();
    const parts = split(makePlan({ validationSplit: 0.2, stratify: true }, []), labels.map(Number));
    const plain = plainRegression(features, labels.map(Number), parts);
    t.diagnostic(`validation accuracy ${ours.toFixed(4)}, plain ${plain.toFixed(4)}`);
    assert.ok(Math.abs(ours - plain) <= 0.02, `${ours} and ${plain}`);
  });
});
