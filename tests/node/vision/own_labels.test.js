// What a model's file says about itself: labels that stay its own, and fields that are checked by type and range.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import manifest from '../../../dist/models/manifest.js';
import { ImageClassifier, ObjectDetector } from '../../../wasm/platform/node.js';
import { readFile, writeFile } from '../../../wasm/quantize/file.js';
import { appendLabels, writeMetadata } from '../../../wasm/tflite/metadata.js';
import { TransferLearner } from '../../../wasm/train/node.js';
import { CLI, INPUT, makeSandbox, SMALL } from '../bin/run.js';

const sandbox = makeSandbox('ocelli-labels-', ['a']);
const small = readFile(new Uint8Array(readFileSync(SMALL)));
const CLASSES = /** @type {number} */ (small.tensors[small.outputs[0]].shape.at(-1));
const IMAGE = { name: 'image', mean: [127.5], std: [127.5] };

/**
 * The small classifier with this metadata.
 * @param {{own?: object | string, labels?: string[]}} about
 */
function withMetadata({ own, labels }) {
  const isText = typeof own === 'string';
  const data = writeMetadata({
    ...{ name: 'x', description: '', image: IMAGE },
    outputs: [{ name: 'y', role: 'probability', ...(labels && { labels }) }],
    own: isText ? { text: own } : own,
  });
  const model = writeFile({ ...small, metadata: [{ name: 'TFLITE_METADATA', data }] });
  return labels ? appendLabels(model, labels) : model;
}

/** @param {string[]} args */
function run(args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    cwd: sandbox,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('labels of a file', () => {
  for (const first of ['background', '???', '__background__', 'Background']) {
    const names = Array.from({ length: CLASSES }, (_, i) => (i === 0 ? first : `name ${i}`));

    test(`a classifier's first class is ${first}`, async () => {
      const model = withMetadata({ labels: names, own: {} });
      const classifier = await ImageClassifier.create({ model });
      assert.deepEqual(
        classifier.labels.map(({ name }) => name),
        names,
      );
      classifier.close();
    });
  }

  test("a detector's first class is background, where it has a column for each label", async () => {
    const [entry] = manifest.models;
    const bytes = new Uint8Array(
      readFileSync(new URL(`../../../dist/models/${entry.file}`, import.meta.url)),
    );
    const ssd = /** @type {any} */ ({ ...entry.ssd, background: false });
    const names = ['background', ...Array.from({ length: 22 }, (_, i) => `b${i}`), 'last'];
    const detector = await ObjectDetector.create({
      model: Buffer.concat([bytes, Buffer.alloc(16)]),
      input: { scale: entry.input.scale, offset: entry.input.offset, resize: 'legacy' },
      ssd,
      labels: names,
    });
    assert.deepEqual(
      detector.labels.map(({ name }) => name),
      names,
    );
    detector.close();
  });

  test('training and evaluation agree with inference', () => {
    for (const [from, to] of [
      ['dark', 'background'],
      ['light', 'cat'],
    ]) {
      mkdirSync(join(sandbox, 'classes', to), { recursive: true });
      writeFileSync(
        join(sandbox, 'classes', to, 'a.png'),
        readFileSync(join(sandbox, 'photos', from, 'a.png')),
      );
    }
    const args = [
      'train',
      'classes',
      '--model',
      SMALL,
      ...INPUT,
      '--epochs',
      '200',
      '--validation',
      '0',
      '--out',
    ];
    assert.equal(run([...args, 'b.tflite']).status, 0);
    const evaluated = JSON.parse(run(['evaluate', 'b.tflite', 'classes', '--json']).stdout);
    assert.equal(evaluated.accuracy, 1);
    const inspected = JSON.parse(run(['inspect', 'b.tflite', '--json']).stdout);
    assert.deepEqual(inspected.labels, [{ name: 'background' }, { name: 'cat' }]);
    const classified = run(['classify', '--model', 'b.tflite', '--json', 'classes/background/a.png']);
    assert.equal(JSON.parse(classified.stdout).classes[0].label, 'background');
  });
});

describe('a class name that does not survive is refused by name, before training', () => {
  for (const name of [
    'a\nb',
    ' lead',
    'trail ',
    ' ',
    'a\rb',
    'a\u2028b',
    'a\u0085b',
    'x'.repeat(600),
    '\ufeffa',
    '\ud800',
  ]) {
    test(JSON.stringify(name.slice(0, 20)), async () => {
      const message = /class "|non-empty/;
      await assert.rejects(TransferLearner.create({ labels: ['b', name] }), {
        code: 'INVALID_LABEL',
        message,
      });
      const learner = await TransferLearner.create();
      const features = Float32Array.of(1, 2, 3, 4);
      assert.throws(() => learner.addFeatures(features, ['b', name]), { code: 'INVALID_LABEL', message });
      learner.addFeatures(features, ['b', 'c']);
      learner.close();
    });
  }

  test('as a folder', () => {
    mkdirSync(join(sandbox, 'odd', 'a\nb'), { recursive: true });
    writeFileSync(join(sandbox, 'odd', 'a\nb', 'a.png'), readFileSync(join(sandbox, 'photos/dark/a.png')));
    const { status, stderr } = run(['train', 'odd', '--model', SMALL, ...INPUT, '--out', 'odd.tflite']);
    assert.equal(status, 1);
    assert.match(stderr, /INVALID_LABEL: .*"a\\nb"/);
  });
});

describe('OCELLI metadata', () => {
  const hostile = { toString: 0 };
  /** @type {[object, RegExp][]} */
  const CASES = [
    [{ mids: [hostile] }, /mids\[0\]/],
    [{ mids: 'abc' }, /mids/],
    [{ mids: ['/m/1'] }, /mids has 1 items/],
    [{ resize: hostile }, /resize/],
    [{ resize: 'nearest' }, /resize/],
    [{ fit: hostile }, /fit/],
    [{ scores: hostile }, /scores/],
    [{ scores: { valueOf: 1 } }, /scores/],
    [{ suppression: [] }, /suppression/],
    [{ suppression: { iouThreshold: hostile } }, /suppression\.iouThreshold/],
    [{ suppression: { iouThreshold: 2 } }, /suppression\.iouThreshold/],
    [{ suppression: { iouThreshold: 0.5, maxResults: -1 } }, /suppression\.maxResults/],
    [{ suppression: { scoreThreshold: 0.5 } }, /suppression\.iouThreshold is missing/],
    [{ like: hostile }, /like/],
    [[], /object/],
  ];
  const labels = Array.from({ length: CLASSES }, (_, i) => `name ${i}`);
  for (const [own, message] of CASES) {
    test(JSON.stringify(own), async () => {
      const model = withMetadata({ own, labels });
      await assert.rejects(ImageClassifier.create({ model }), { code: 'BAD_METADATA', message });
    });
  }

  test('inspect names the file and the field', () => {
    writeFileSync(join(sandbox, 'bad.tflite'), withMetadata({ own: { resize: hostile }, labels }));
    const { status, stderr } = run(['inspect', 'bad.tflite']);
    assert.equal(status, 1);
    assert.match(stderr, /^ocelli: bad\.tflite: BAD_METADATA: .*resize/);
  });

  test('like counts only with the sha256 of that model', async () => {
    const [{ id, sha256 }] = manifest.models;
    const bare = writeFile({
      ...small,
      metadata: [
        {
          name: 'TFLITE_METADATA',
          data: writeMetadata({ name: '', description: '', outputs: [], own: { like: id } }),
        },
      ],
    });
    await assert.rejects(ImageClassifier.create({ model: bare }), { code: 'MODEL_INPUT_UNKNOWN' });
    const data = writeMetadata({ name: '', description: '', outputs: [], own: { like: id, sha256 } });
    const known = writeFile({ ...small, metadata: [{ name: 'TFLITE_METADATA', data }] });
    await assert.rejects(ImageClassifier.create({ model: known }), {
      code: 'INVALID_OPTION',
      message: /labels has 23 names/,
    });
  });
});

describe('a file beside the model', () => {
  const detect = ['detect', 'photos/dark/a.png'];

  test('--ssd and --input: the error names the file and the field', () => {
    for (const [option, content, field] of [
      ['--ssd', { scores: { toString: 0 } }, 'ssd.scores'],
      ['--ssd', { anchors: [[1, 2, 3]] }, 'ssd.anchors'],
      [
        '--ssd',
        { anchorGenerator: { type: 'ssd', featureMaps: [null] } },
        'ssd.anchorGenerator.featureMaps[0]',
      ],
      ['--ssd', { boxCoder: [{}] }, 'ssd.boxCoder'],
      ['--input', { scale: { toString: 0 } }, 'input.scale'],
    ]) {
      writeFileSync(join(sandbox, 'spec.json'), JSON.stringify(content));
      const { status, stderr } = run([...detect, String(option), 'spec.json']);
      assert.equal(status, 2);
      assert.ok(stderr.includes('spec.json') && stderr.includes(String(field)), stderr);
    }
  });

  test('--labels: too many, too long', () => {
    for (const text of ['x\n'.repeat(250_000), 'y'.repeat(5000)]) {
      writeFileSync(join(sandbox, 'labels.txt'), text);
      const { status, stderr } = run([...detect, '--labels', 'labels.txt']);
      assert.equal(status, 2);
      assert.match(stderr, /labels\.txt/);
    }
  });

  test('pipes and devices are refused', () => {
    assert.equal(spawnSync('mkfifo', [join(sandbox, 'pipe')]).status, 0);
    for (const args of [
      ['detect', 'pipe'],
      [...detect, '--model', 'pipe'],
      [...detect, '--labels', 'pipe'],
      [...detect, '--ssd', 'pipe'],
      ['inspect', 'pipe'],
      ['inspect', '/dev/zero'],
      ['convert', 'pipe', 'x.tflite'],
      ['evaluate', '--ground-truth', 'pipe', '--detections', 'pipe'],
      ['quantize', '--images', 'photos', 'pipe', 'x.tflite'],
    ]) {
      const { status, stderr } = run(args);
      assert.equal(status, 1, stderr);
      assert.match(stderr, /pipe or a device/, args.join(' '));
    }
  });
});
