// The commands around features and classes, run as their users run them, against the library's own answers.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { cosineSimilarity, FeatureExtractor, ImageClassifier } from '../../../wasm/platform/node.js';
import { large, needsLarge, packagePhoto, testData } from '../shared.js';
import { jsonLines, ocelli, succeed } from './run.js';

const INPUT = '{"scale": 0.00784314, "offset": -1, "resize": "half-pixel"}';

const sandbox = mkdtempSync(join(tmpdir(), 'ocelli-features-'));
after(() => rmSync(sandbox, { recursive: true, force: true }));

/** @param {string} name @param {string | Uint8Array} content @returns {string} its path */
function file(name, content) {
  const path = join(sandbox, name);
  writeFileSync(path, content);
  return path;
}

const [ASTRONAUT, CHELSEA, COFFEE] = /** @type {const} */ (['astronaut', 'chelsea', 'coffee']).map((name) =>
  file(`${name}.png`, packagePhoto(`${name}.png`)),
);
const TEXT = file('notes.txt', 'neither an image nor a model');

/** Rows of a NumPy file of version 1. @param {string} path */
function readNpy(path) {
  const bytes = readFileSync(path);
  assert.equal(bytes.toString('latin1', 0, 8), '\x93NUMPY\x01\x00');
  const start = 10 + bytes.readUInt16LE(8);
  assert.equal(start % 64, 0);
  const header = bytes.toString('latin1', 10, start);
  assert.match(header, /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(\d+, \d+\), \} *\n$/);
  const shape = /** @type {RegExpMatchArray} */ (header.match(/\((\d+), (\d+)\)/)).slice(1).map(Number);
  const data = new Float32Array(new Uint8Array(bytes.subarray(start)).buffer);
  assert.equal(data.length, shape[0] * shape[1]);
  return { shape, data };
}

describe('wrong usage ends with 2, bad input with 1', () => {
  /** @type {[string[], number, RegExp][]} */
  const cases = [
    [['embed'], 2, /needs at least one image/],
    [['embed', '-', '-'], 2, /read only once/],
    [['embed', '--json', '--npy', 'x.npy', COFFEE], 2, /pass --json or --npy, not both/],
    [['embed', '--threads', '0', COFFEE], 2, /--threads takes/],
    [['similar'], 2, /needs a query image/],
    [['similar', COFFEE], 2, /at least one image to compare it with/],
    [['similar', '--top', '0', COFFEE, COFFEE], 2, /--top takes/],
    [['classify'], 2, /needs at least one image/],
    [['classify', COFFEE], 2, /needs --model FILE/],
    [['classify', '--model', '-', '-'], 2, /read only once/],
    [['inspect', '--classes', ','], 2, /--classes takes names separated by commas/],
    [['embed', '--layer', 'Conv_2', COFFEE], 1, /default model: UNKNOWN_LAYER: .*nearest: Conv_1/],
    [['embed', '--model', TEXT, COFFEE], 1, /notes\.txt: MODEL_NOT_TFLITE/],
    [['embed', '--npy', join(sandbox, 'no/such.npy'), COFFEE], 1, /such\.npy: ENOENT/],
    [['similar', TEXT, COFFEE], 1, /notes\.txt: UNSUPPORTED_IMAGE_FORMAT/],
    [['classify', '--model', TEXT, COFFEE], 1, /notes\.txt: MODEL_NOT_TFLITE/],
    [['classify', '--model', TEXT, '--labels', 'no.txt', COFFEE], 1, /no\.txt: ENOENT/],
    [['inspect', '--classes', 'Dgo'], 1, /default model: UNKNOWN_CLASS: .*'Dog'/],
  ];
  for (const [args, expected, reason] of cases) {
    test(['ocelli', ...args].join(' ').replaceAll(sandbox, ''), () => {
      const { status, stderr } = ocelli(args);
      assert.equal(status, expected);
      assert.match(stderr, reason);
      assert.equal(stderr.split('\n').length, expected + 1);
    });
  }
});

describe('embed', () => {
  test('--json: the library’s vectors, a line each; a bad image is named and the others done', async () => {
    const { status, stdout, stderr } = ocelli(['embed', '--json', CHELSEA, TEXT, COFFEE]);
    assert.equal(status, 1);
    assert.match(stderr, /^ocelli: .*notes\.txt: UNSUPPORTED_IMAGE_FORMAT: .*\n$/);
    const lines = jsonLines(stdout);
    const extractor = await FeatureExtractor.create();
    assert.equal(lines.length, 2);
    for (const [i, path] of [CHELSEA, COFFEE].entries()) {
      assert.deepEqual(Object.keys(lines[i]), ['file', 'width', 'height', 'features', 'precision', 'ms']);
      assert.equal(lines[i].file, path);
      assert.deepEqual(lines[i].features, (await extractor.extract(readFileSync(path))).features);
    }
    extractor.close();
  });

  test('--npy: one array, a row for each image that is listed', () => {
    const out = join(sandbox, 'features.npy');
    const { status, stdout } = ocelli(['embed', '--npy', out, TEXT, CHELSEA, COFFEE]);
    assert.equal(status, 1);
    assert.match(
      stdout,
      /^.*chelsea\.png {2}1280 numbers, .*\n.*coffee\.png {2}1280 numbers, .*\nwritten: .*features\.npy\n$/,
    );
    const { shape, data } = readNpy(out);
    assert.deepEqual(shape, [2, 1280]);
    const lines = jsonLines(succeed(['embed', '--json', CHELSEA, COFFEE]));
    assert.deepEqual(data, Float32Array.from(lines.flatMap(({ features }) => features)));
    const none = join(sandbox, 'none.npy');
    assert.equal(ocelli(['embed', '--npy', none, TEXT]).status, 1);
    assert.ok(!existsSync(none));
  });

  test('--normalize, --layer, standard input', () => {
    const [{ file: name, features }] = jsonLines(
      succeed(['embed', '--json', '--normalize', '-'], { input: readFileSync(COFFEE) }),
    );
    assert.equal(name, '-');
    assert.ok(Math.abs(Math.hypot(...features) - 1) < 1e-6);
    const [early] = jsonLines(succeed(['embed', '--json', '--layer', 'expanded_conv_2', COFFEE]));
    assert.notEqual(early.features.length, 1280);
  });

  test('a model of one’s own', () => {
    const model = testData('models/mobilenet_v2_features.fp16.tflite');
    const args = ['embed', '--json', '--model', model, COFFEE];
    assert.match(ocelli(args).stderr, /MODEL_INPUT_UNKNOWN: .*on the command line --input/);
    const [{ features }] = jsonLines(succeed([...args, '--input', INPUT]));
    assert.equal(features.length, 1280);
  });
});

describe('similar', () => {
  test('ranks by the cosine of the features', async () => {
    const all = [ASTRONAUT, COFFEE, CHELSEA];
    const { query, matches } = JSON.parse(succeed(['similar', '--json', CHELSEA, ...all]));
    assert.equal(query, CHELSEA);
    const extractor = await FeatureExtractor.create();
    const wanted = (await extractor.extract(readFileSync(CHELSEA))).features;
    const expected = [];
    for (const path of all) {
      const similarity = cosineSimilarity(wanted, (await extractor.extract(readFileSync(path))).features);
      expected.push({ file: path, similarity });
    }
    extractor.close();
    assert.deepEqual(
      matches,
      expected.sort((a, b) => b.similarity - a.similarity),
    );
    assert.equal(matches[0].file, CHELSEA);
    assert.ok(matches[0].similarity > 1 - 1e-6);
  });

  test('a table; a bad image among several; standard input', () => {
    const { status, stdout, stderr } = ocelli(['similar', '--top', '1', '-', TEXT, COFFEE, CHELSEA], {
      input: readFileSync(CHELSEA),
    });
    assert.equal(status, 1);
    assert.match(stderr, /^ocelli: .*notes\.txt: UNSUPPORTED_IMAGE_FORMAT: .*\n$/);
    assert.match(stdout, /^-\n {2}1\.0000 {2}.*chelsea\.png\n$/);
    assert.equal(ocelli(['similar', TEXT, COFFEE]).stdout, '');
  });
});

const NEEDED = ['models/tf2_mobilenet_v2_1.0_224_ptq.tflite', 'labels/imagenet-1001.txt'];
describe('classify', needsLarge(...NEEDED), () => {
  const [model, labels] = NEEDED.map(large);
  const options = ['--model', model, '--labels', labels];

  test('--json: the library’s classes; a bad image is named and the others done', async () => {
    const { status, stdout, stderr } = ocelli(['classify', '--json', ...options, TEXT, CHELSEA]);
    assert.equal(status, 1);
    assert.match(stderr, /^ocelli: .*notes\.txt: UNSUPPORTED_IMAGE_FORMAT: .*\n$/);
    const classifier = await ImageClassifier.create({ model, labels });
    const { classes, size, precision } = await classifier.classify(readFileSync(CHELSEA));
    classifier.close();
    const [{ ms, ...line }, ...more] = jsonLines(stdout);
    assert.deepEqual(line, { file: CHELSEA, ...size, classes, precision });
    assert.deepEqual(Object.keys(ms), ['decode', 'preprocess', 'network', 'postprocess']);
    assert.deepEqual(more, []);
  });

  test('a table of the best', () => {
    const text = succeed(['classify', ...options, '--top', '2', '-'], { input: readFileSync(CHELSEA) });
    assert.match(text, /^-\n {2,3}\d+\.\d % {2}.* cat\n {2,3}\d+\.\d % {2}.*\n$/);
  });
});

test('classify refuses a detector', () => {
  const other = testData('models/ssd_fast_nms.uint8in.tflite');
  const { status, stderr } = ocelli(['classify', '--model', other, '--input', INPUT, CHELSEA]);
  assert.equal(status, 1);
  assert.match(stderr, /MODEL_IS_NOT_A_CLASSIFIER/);
});

describe('class slicing', () => {
  test('inspect shows what is saved: the columns of the class heads', () => {
    const { sliced, multiplyAdds, labels } = JSON.parse(
      succeed(['inspect', '--json', '--classes', 'Dog,/m/01yrx,0']),
    );
    assert.equal(labels.length, 23);
    // 1x1 convolutions: cells, channels in, anchors a cell
    const layers = [
      [361, 576, 3],
      [100, 1280, 6],
      [25, 512, 6],
      [9, 256, 6],
      [4, 256, 6],
      [1, 128, 6],
    ];
    const perColumn = layers.reduce((sum, [cells, channels, anchors]) => sum + cells * channels * anchors, 0);
    assert.deepEqual(sliced, { classes: 3, savedMultiplyAdds: (24 - 3) * perColumn });
    assert.match(
      succeed(['inspect', '--classes', 'dog', '--classes', 'cat']),
      new RegExp(
        `saved +32\\.\\d M of them \\(${((100 * 22 * perColumn) / multiplyAdds).toFixed(1)} %\\) by 2 classes`,
      ),
    );
  });

  test('of all classes nothing', () => {
    const all = Array.from({ length: 23 }, (_, i) => i).join();
    assert.match(
      JSON.stringify(JSON.parse(succeed(['inspect', '--json', '--classes', all])).sliced),
      /^\{"classes":23,"savedMultiplyAdds":0\}$/,
    );
  });
});
