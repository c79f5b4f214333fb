// The commands embed, similar and classify, run as their users run them.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FeatureExtractor, ImageClassifier } from '../../wasm/platform/node.js';
import { encodePng } from '../../wasm/png.js';
import { needsShared, shared } from './shared.js';

const CLI = fileURLToPath(new URL('../../bin/ocelli.js', import.meta.url));
const CLASSIFIER = shared('models/tf2_mobilenet_v2_1.0_224_ptq.tflite');
const IMAGENET = shared('labels/imagenet-1001.txt');
const INPUT = { scale: 1 / 127.5, offset: -1, resize: /** @type {const} */ ('half-pixel') };

const sandbox = mkdtempSync(join(tmpdir(), 'ocelli-cli-'));
after(() => rmSync(sandbox, { recursive: true, force: true }));

/** A picture of nothing: a gradient. @param {string} name @param {number} slope */
function gradient(name, slope) {
  const data = Uint8Array.from({ length: 96 * 64 * 3 }, (_, i) => (i * slope) >> 4);
  const path = join(sandbox, name);
  writeFileSync(path, encodePng({ data, width: 96, height: 64, channels: 3 }));
  return path;
}
const A = gradient('a.png', 1);
const B = gradient('b.png', 7);
const MISSING = join(sandbox, 'missing.png');

/** @param {string[]} args @param {Uint8Array} [input] */
function ocelli(args, input) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { input });
  return { status, stdout: stdout.toString(), stderr: stderr.toString() };
}

/** @param {string[]} args @param {Uint8Array} [input] */
function succeed(args, input) {
  const { status, stdout, stderr } = ocelli(args, input);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  return stdout;
}

/** @param {string} stdout @returns {any[]} */
const jsonLines = (stdout) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

/** @param {string[]} files */
async function features(...files) {
  const extractor = await FeatureExtractor.create();
  const found = [];
  for (const file of files) found.push(await extractor.extract(readFileSync(file)));
  extractor.close();
  return found;
}

describe('embed', () => {
  test('JSON lines hold the library’s vectors', async () => {
    const [a, b] = await features(A, B);
    assert.deepEqual(jsonLines(succeed(['embed', '--json', A, B])), [
      { file: A, length: 1280, features: [...a] },
      { file: B, length: 1280, features: [...b] },
    ]);
  });

  test('a NumPy file: header by the format’s description, a row for each image', async () => {
    const npy = join(sandbox, 'features.npy');
    assert.match(succeed(['embed', '--npy', npy, A, B]), /2 images of 1280 numbers each/);
    const bytes = readFileSync(npy);
    assert.equal(bytes.subarray(0, 8).toString('latin1'), '\x93NUMPY\x01\x00');
    const start = 10 + bytes.readUInt16LE(8);
    assert.equal(start % 64, 0);
    const header = bytes.subarray(10, start).toString('latin1');
    assert.match(header, /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(2, 1280\), \} *\n$/);
    const [a, b] = await features(A, B);
    const rows = new Float32Array(new Uint8Array(bytes.subarray(start)).buffer);
    assert.deepEqual([...rows], [...a, ...b]);
  });

  test('--normalize, standard input, a layer by name', () => {
    const [{ file, features: found, length }] = jsonLines(
      succeed(['embed', '--json', '--normalize', '--layer', 'expanded_conv_3', '-'], readFileSync(A)),
    );
    assert.equal(file, '-');
    assert.equal(found.length, length);
    assert.ok(Math.abs(Math.hypot(...found) - 1) < 1e-5);
  });

  test('one bad image among several is named, the others are done', () => {
    const { status, stdout, stderr } = ocelli(['embed', '--json', A, MISSING, B]);
    assert.equal(status, 1);
    assert.deepEqual(
      jsonLines(stdout).map(({ file }) => file),
      [A, B],
    );
    assert.match(stderr, /^ocelli: .*missing.png: ENOENT/);
  });

  test('an unknown layer is named, with the nearest', () => {
    const { status, stderr } = ocelli(['embed', '--layer', 'Conv_2', A]);
    assert.equal(status, 1);
    assert.match(stderr, /UNKNOWN_LAYER.*Conv_1/);
  });

  test('wrong usage', () => {
    for (const args of [
      ['embed'],
      ['embed', '--json', '--npy', 'x.npy', A],
      ['embed', '-', '-'],
      ['embed', '--top', '1', A],
    ])
      assert.equal(ocelli(args).status, 2, args.join(' '));
    assert.ok(!existsSync('x.npy'));
  });
});

describe('similar', () => {
  test('the query itself comes first, then the others by their cosine', async () => {
    const [a, b] = await features(A, B);
    const dot = a.reduce((sum, value, i) => sum + value * b[i], 0);
    const cosine = dot / Math.hypot(...a) / Math.hypot(...b);
    const found = jsonLines(succeed(['similar', '--json', A, B, A]));
    assert.deepEqual(
      found.map(({ file }) => file),
      [A, B],
    );
    assert.ok(Math.abs(found[0].similarity - 1) < 1e-6);
    assert.ok(Math.abs(found[1].similarity - cosine) < 1e-6);
    assert.match(succeed(['similar', A, B]), /cosine {2}image\n {2}0\.\d{4} {2}.*b\.png/);
  });

  test('without a query there is nothing to compare with', () => {
    const { status, stdout, stderr } = ocelli(['similar', MISSING, A]);
    assert.deepEqual({ status, stdout }, { status: 1, stdout: '' });
    assert.match(stderr, /missing.png: ENOENT/);
    assert.equal(ocelli(['similar', A]).status, 2);
  });
});

describe('classify', () => {
  test('a classifier must be named', () => {
    const { status, stderr } = ocelli(['classify', A]);
    assert.equal(status, 2);
    assert.match(stderr, /--model FILE/);
  });

  test('a detector is none', () => {
    const { status, stderr } = ocelli(['classify', '--model', shared('nothing.tflite'), A]);
    assert.equal(status, 1);
    assert.match(stderr, /nothing.tflite: MODEL_NOT_FOUND/);
  });

  test('the library’s classes, as a table and as JSON', needsShared, async () => {
    const classifier = await ImageClassifier.create({ model: CLASSIFIER, labels: IMAGENET, input: INPUT });
    const photo = shared('photos/chelsea.png');
    const expected = await classifier.classify(readFileSync(photo), { topK: 3 });
    classifier.close();
    const options = [
      '--model',
      CLASSIFIER,
      '--labels',
      IMAGENET,
      '--input',
      JSON.stringify(INPUT),
      '--top',
      '3',
    ];
    const [{ file, width, height, classes, ms }] = jsonLines(
      succeed(['classify', '--json', ...options, photo]),
    );
    assert.deepEqual(
      { file, width, height, classes },
      { file: photo, width: 451, height: 300, classes: expected },
    );
    assert.deepEqual(Object.keys(ms), ['decode', 'preprocess', 'network', 'postprocess']);
    const table = succeed(['classify', ...options, photo]);
    for (const { label, score } of expected)
      assert.ok(table.includes(`${label} `) && table.includes(`${(100 * score).toFixed(1)} %`));
  });
});
