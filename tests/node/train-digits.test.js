// A real data set through the command line: scikit-learn's digits, 1797 images, the card's four configurations, beside
// a logistic regression in plain JavaScript on the same features.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { encodePng } from '../../wasm/png.js';
import { split } from '../../wasm/train/fit.js';
import { makePlan } from '../../wasm/train/plan.js';
import { Backbone, extractFeatures, openImageDirectory } from '../../wasm/train/node.js';
import { needsShared, shared } from './shared.js';

const CLI = fileURLToPath(new URL('../../bin/ocelli.js', import.meta.url));
const DIGITS = fileURLToPath(new URL('../../tools/digits.sh', import.meta.url));
const INPUT = { scale: 1 / 127.5, offset: -1, resize: /** @type {const} */ ('half-pixel') };
const MODEL = shared('models/keras3_mobilenet_v2_035_96_features.fp32.tflite');
const SIDE = 96;
const EPOCHS = 20;

/** One digit of 8x8 in 0..16, enlarged. @param {number[]} pixels */
function enlarge(pixels) {
  const data = new Uint8Array(SIDE * SIDE * 3);
  for (let i = 0; i < SIDE * SIDE; i++) {
    const [y, x] = [Math.floor((Math.floor(i / SIDE) * 8) / SIDE), Math.floor(((i % SIDE) * 8) / SIDE)];
    data.fill(Math.min(16 * pixels[8 * y + x], 255), 3 * i, 3 * i + 3);
  }
  return encodePng({ data, width: SIDE, height: SIDE, channels: 3 });
}

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
    return weights.map((w) => row.reduce((sum, value, i) => sum + value * w[i], w[length]));
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
      gradient.forEach((g, c) =>
        g.forEach((value, i) => {
          velocity[c][i] = 0.9 * velocity[c][i] - 0.01 * value;
          weights[c][i] += velocity[c][i];
        }),
      );
    }
  }
  const isHit = (/** @type {number} */ example) => {
    const z = logits(example);
    return z.indexOf(Math.max(...z)) === labels[example];
  };
  return validation.filter(isHit).length / validation.length;
}

describe('digits', needsShared, () => {
  const directory = mkdtempSync(join(tmpdir(), 'digits-'));
  const photos = join(directory, 'digits');
  const card = join(directory, 'card');
  const out = join(directory, 'digits.tflite');
  /** @param {string[]} args */
  const ocelli = (...args) => execFileSync(process.execPath, [CLI, ...args], { encoding: 'utf8' });
  const common = ['--model', MODEL, '--input', JSON.stringify(INPUT), '--epochs', String(EPOCHS), '--json'];

  before(() => {
    const file = execFileSync(DIGITS, { encoding: 'utf8' }).trim();
    const lines = gunzipSync(readFileSync(file)).toString().trim().split('\n');
    lines.forEach((line, i) => {
      const numbers = line.split(',').map(Number);
      mkdirSync(join(photos, String(numbers[64])), { recursive: true });
      writeFileSync(join(photos, String(numbers[64]), `${String(i).padStart(4, '0')}.png`), enlarge(numbers));
    });
    assert.equal(lines.length, 1797);
  });
  after(() => rmSync(directory, { recursive: true }));

  test('the four configurations end in tables, plots and card', (t) => {
    const result = JSON.parse(
      ocelli(
        'train',
        photos,
        ...common,
        '--compare',
        'batch32,batch64,adam,rmsprop',
        '--report',
        card,
        '--out',
        out,
      ),
    );
    assert.deepEqual(
      result.configurations.map((/** @type {any} */ { name }) => name),
      ['Batch 32', 'Batch 64', 'Batch 32 Adam', 'Batch 32 RMSprop'],
    );
    for (const { name, history, data, energy } of result.configurations) {
      assert.deepEqual([data.train, data.validation], [1437, 360]);
      const accuracy = history.history.val_accuracy.at(-1);
      t.diagnostic(`${name}: validation accuracy ${accuracy.toFixed(4)}`);
      // The backbone's weights are random; a tenth would be chance.
      assert.ok(accuracy > 0.3, name);
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
    const { accuracy, examples, confusion } = JSON.parse(ocelli('evaluate', out, photos, '--json'));
    assert.equal(examples, 1797);
    assert.ok(accuracy > 0.3, String(accuracy));
    assert.equal(
      confusion.flat().reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b),
      1797,
    );
  });

  test('plain logistic regression is within 2 points', async (t) => {
    const result = JSON.parse(
      ocelli('train', photos, ...common, '--optimizer', 'momentum', '--report', card),
    );
    const ours = result.configurations[0].history.history.val_accuracy.at(-1);
    const backbone = await Backbone.create({ model: MODEL, input: INPUT });
    const { sources, labels } = await openImageDirectory(photos);
    const features = await extractFeatures(backbone, sources);
    backbone.close();
    const parts = split(makePlan({ validationSplit: 0.2 }, []), labels.length);
    const plain = plainRegression(features, labels.map(Number), parts);
    t.diagnostic(`validation accuracy ${ours.toFixed(4)}, plain ${plain.toFixed(4)}`);
    assert.ok(Math.abs(ours - plain) <= 0.02, `${ours} and ${plain}`);
  });
});
