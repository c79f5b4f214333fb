// Commands in this process, on models and images that load in milliseconds: what they print and write, against definitions and
// against the library's own calls.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { UsageError } from '../../../bin/common.js';
import { encodePng } from '../../../wasm/draw/png.js';
import { evaluateDetections } from '../../../wasm/evaluate/evaluate.js';
import { readDataset } from '../../../wasm/evaluate/read/dataset.js';
import { runDetector } from '../../../wasm/evaluate/run.js';
import { ImageClassifier, ObjectDetector } from '../../../wasm/platform/node.js';
import { ints } from '../../../wasm/tflite/network.js';
import { TfliteFile } from '../../../wasm/tflite/read.js';
import { writeTflite } from '../../../wasm/tflite/write.js';
import { parseMot, trackMot } from '../../../wasm/track/mot.js';
import { checkTracking } from '../../../wasm/track/tracker.js';
import { brightBoxes, SIDE, tinyDetector } from '../train/tiny_detector.js';
import { runCommand, runRefused } from './in_process.js';
import { INPUT, jsonLines, makeSandbox, SAVED, SMALL } from './run.js';

/** @typedef {import('node:test').TestContext} TestContext */

const sandbox = makeSandbox('commands-', ['a', 'b']);
const at = (/** @type {string} */ name) => join(sandbox, name);
const PHOTOS = ['dark/a', 'dark/b', 'light/a', 'light/b'].map((name) => at(`photos/${name}.png`));
const LABELS = ['cat', 'dog', 'cat'];
const boxes = brightBoxes(LABELS);
mkdirSync(at('boxes'));
const BOXES = boxes.map(({ image: { data } }, i) => {
  const file = at(`boxes/${i}.png`);
  writeFileSync(file, encodePng({ data, width: SIDE, height: SIDE, channels: 3 }));
  return file;
});
writeFileSync(at('boxes/unreadable.png'), 'no image');
const TINY = at('tiny.tflite');
writeFileSync(TINY, tinyDetector());
const DATASET = at('dataset');
mkdirSync(DATASET);
BOXES.forEach((file, i) => writeFileSync(join(DATASET, `${i}.png`), readFileSync(file)));
const [IMAGES, ANNOTATIONS] = [
  LABELS.map((_, id) => ({ id, file_name: `${id}.png`, width: SIDE, height: SIDE })),
  boxes.map(({ boxes: [{ label, box }] }, id) => ({
    ...{ id: id + 1, image_id: id, category_id: LABELS.indexOf(label) + 1, area: 24, iscrowd: 0 },
    bbox: [box.x, box.y, box.width, box.height],
  })),
];
const CATEGORIES = ['cat', 'dog'].map((name, i) => ({ id: i + 1, name }));
writeFileSync(
  join(DATASET, 'instances.json'),
  JSON.stringify({ images: IMAGES, annotations: ANNOTATIONS, categories: CATEGORIES }),
);

/** Its lines as JSON. @param {TestContext} t @param {string} name @param {string[]} args */
async function json(t, name, ...args) {
  const { status, stdout } = await runCommand(t, name, [...args, '--json']);
  assert.equal(status, 0);
  return results(stdout);
}

/** Without what is told of files; `main` puts that beside the results. @param {string} stdout */
const results = (stdout) => jsonLines(stdout.replaceAll(/^written: .*\n/gm, ''));

describe('an option that is missing or out of range', () => {
  /** @type {[string, string[], RegExp][]} */
  const cases = [
    ['quantize', ['a.tflite', 'b.tflite'], /--images/],
    ['compress', ['a.tflite', 'b.gz'], /--images/],
    ['classify', ['a.png'], /--model/],
    ['compress', ['--images', 'x', 'a', 'b', '--target-match', '100.5'], /--target-match/],
    ['compress', ['--images', 'x', 'a', 'b', '--target-match=-0.5'], /--target-match/],
    ['compress', ['--images', 'x', 'a', 'b', '--target-bytes', '0'], /--target-bytes/],
    ['classify', ['--model', 'a', 'b', '--top', '0'], /--top/],
    ['similar', ['--top', '0', 'a', 'b'], /--top/],
    ['detect', ['--score', '1.5', 'a'], /--score/],
    ['detect', ['--max', '0', 'a'], /--max/],
    ['bench', ['--runs', '0'], /--runs/],
  ];
  for (const [name, args, message] of cases)
    test(`${name} ${args.join(' ')}`, (t) =>
      assert.rejects(
        runCommand(t, name, args),
        (error) => error instanceof UsageError && message.test(error.message),
      ));
});

describe('inspect', () => {
  const maps = [8 * 8, 4 * 4];
  /** Multiply-adds of one output channel of each head. */
  const taps = [9 * 4, 4];
  const columns = (/** @type {number} */ count) =>
    maps.reduce((sum, pixels, i) => sum + pixels * taps[i] * count, 0);

  test('a detector', async (t) => {
    const [found] = await json(t, 'inspect', TINY);
    const file = new TfliteFile(new Uint8Array(readFileSync(TINY)));
    assert.deepEqual(
      found.operators.map((/** @type {any} */ { output }) => output),
      file.operators.map(({ name }) => name),
    );
    const heads = 2 * 4 + 2 * 2;
    assert.deepEqual(
      {
        parameters: found.parameters,
        multiplyAdds: found.multiplyAdds,
        fileBytes: found.memory.fileBytes,
        detector: found.detector,
        labels: found.labels,
        precision: found.precision,
      },
      {
        parameters: (27 + 1) * 4 + (36 + 1) * 4 + (36 + 1) * heads + (4 + 1) * heads,
        multiplyAdds: maps[0] * 27 * 4 + maps[1] * 36 * 4 + columns(heads),
        fileBytes: readFileSync(TINY).length,
        detector: {
          ...{ anchors: 160, boxCoder: [10, 10, 5, 5], classes: 2, mids: false, scores: 'sigmoid' },
          ...{ resize: 'half-pixel', suppression: { iouThreshold: 0.5 } },
        },
        labels: [{ name: 'cat' }, { name: 'dog' }],
        precision: 'float',
      },
    );
  });

  const softmax = 'its softmax scores depend on each other';
  /** @type {[string, Parameters<typeof tinyDetector>[0], string, object][]} */
  const slices = [
    ['one of two classes', {}, 'dog', { classes: 1, savedMultiplyAdds: columns(2) }],
    ['two of three, by number', { names: ['a', 'b', 'c'] }, '0,c', { classes: 2, savedMultiplyAdds: columns(2) }],
    ['all classes', {}, 'cat,dog', { classes: 2, savedMultiplyAdds: 0 }],
    ['a softmax', { lastOperator: 'SOFTMAX' }, 'dog', { classes: 1, savedMultiplyAdds: 0, leftWhole: softmax }],
    ['scores that are divided by their length', { lastOperator: 'L2_NORMALIZATION' }, 'dog',
      { classes: 1, savedMultiplyAdds: 0, leftWhole: 'nothing can be cut out of its class heads' }],
  ]; // prettier-ignore
  for (const [name, how, classes, expected] of slices)
    test(`what is saved by ${name}`, async (t) => {
      const file = at('sliced.tflite');
      writeFileSync(file, tinyDetector(how));
      const [{ sliced }] = await json(t, 'inspect', file, '--classes', classes);
      assert.deepEqual(sliced, expected);
    });

  test('as text, of what the file says only', async (t) => {
    const { stdout } = await runCommand(t, 'inspect', [TINY]);
    assert.match(stdout, /\n {2}suppression +IoU 0\.5\n/);
    assert.doesNotMatch(stdout, /undefined/);
    const { stdout: every } = await runCommand(t, 'inspect', ['--operators', TINY]);
    assert.match(every, /\n12 operators\n {3}0 {2}CONV_2D +float32 +\[1, 8, 8, 4\] +6\.91 k {2}map0\n/);
  });

  test('weights are of the default model', (t) =>
    assert.rejects(runCommand(t, 'inspect', [TINY, '--weights', 'full']), UsageError));
});

describe('images', () => {
  const model = ['--model', SMALL, ...INPUT];
  const spec = JSON.parse(INPUT[1]);

  test('classify gives what the library gives', async (t) => {
    const found = await json(t, 'classify', ...model, '--top', '3', ...PHOTOS);
    const classifier = await ImageClassifier.create({ model: SMALL, input: spec });
    for (const [i, file] of PHOTOS.entries()) {
      const { classes, size } = await classifier.classify(readFileSync(file), { topK: 3 });
      const { ms, ...rest } = found[i];
      assert.deepEqual(rest, { file, ...size, classes, precision: 'float' });
      assert.deepEqual(Object.keys(ms), ['decode', 'preprocess', 'network', 'postprocess']);
    }
    classifier.close();
    const { stdout } = await runCommand(t, 'classify', [...model, '--top', '1', PHOTOS[0]]);
    const [{ label, score }] = found[0].classes;
    assert.equal(stdout, `${PHOTOS[0]}\n  ${(100 * score).toFixed(1)} %  ${label}\n`);
  });

  test('embed prints vectors, and writes them as NumPy reads them', async (t) => {
    const found = await json(t, 'embed', ...model, ...PHOTOS);
    const npy = at('vectors.npy');
    const { stdout } = await runCommand(t, 'embed', [...model, '--npy', npy, ...PHOTOS]);
    const vectors = found.map(({ features }) => features);
    const bytes = readFileSync(npy);
    const header = 10 + bytes.readUInt16LE(8);
    assert.equal(header % 64, 0);
    assert.equal(bytes.toString('latin1', 0, 8), '\x93NUMPY\x01\x00');
    assert.match(bytes.toString('latin1', 10, header), /'descr': '<f4'.*'shape': \(4, 10\), } *\n$/);
    assert.deepEqual(
      new Float32Array(new Uint8Array(bytes.subarray(header)).buffer),
      Float32Array.from(vectors.flat()),
    );
    const norm = Math.hypot(...vectors[0]);
    assert.match(stdout, new RegExp(`a\\.png {2}10 numbers, length ${norm.toFixed(3)}`));
    const [{ features }] = await json(t, 'embed', ...model, '--normalize', PHOTOS[0]);
    features.forEach((/** @type {number} */ value, /** @type {number} */ i) =>
      assert.ok(Math.abs(value - vectors[0][i] / norm) < 1e-6),
    );
    await assert.rejects(runCommand(t, 'embed', [...model, '--json', '--npy', npy, PHOTOS[0]]), UsageError);
  });

  test('similar sorts by the cosine', async (t) => {
    const vectors = (await json(t, 'embed', ...model, ...PHOTOS)).map(({ features }) => features);
    const cosine = (/** @type {number[]} */ a, /** @type {number[]} */ b) =>
      a.reduce((sum, value, i) => sum + value * b[i], 0) / Math.hypot(...a) / Math.hypot(...b);
    const query = PHOTOS[2];
    const [{ matches, ...rest }] = await json(t, 'similar', ...model, query, at('photos'));
    assert.deepEqual(rest, { query });
    assert.deepEqual(
      matches.map((/** @type {any} */ { file }) => file),
      [PHOTOS[2], PHOTOS[3], PHOTOS[0], PHOTOS[1]],
    );
    for (const { file, similarity } of matches)
      assert.ok(Math.abs(similarity - cosine(vectors[2], vectors[PHOTOS.indexOf(file)])) < 1e-5);
    const { stdout } = await runCommand(t, 'similar', [...model, '--top', '1', query, at('photos')]);
    assert.equal(stdout, `${query}\n  1.0000  ${query}\n`);
    mkdirSync(at('two'));
    for (const name of ['0.png', '1.png']) writeFileSync(join(at('two'), name), readFileSync(query));
    await assert.rejects(
      runCommand(t, 'similar', [...model, at('two'), query]),
      /QUERY is one image, but .* has 2$/,
    );
  });

  test('an image that cannot be read is left out, or ends the command', async (t) => {
    const files = [BOXES[0], at('boxes/unreadable.png')];
    for (const [strict, code] of /** @type {const} */ ([
      [[], /unreadable\.png: UNSUPPORTED_IMAGE_FORMAT: .*; left out\nimages left out: 1 of 2\n$/],
      [['--strict'], /unreadable\.png: UNSUPPORTED_IMAGE_FORMAT: (?!.*left out)/],
    ])) {
      const { status, stdout, stderr } = await runCommand(t, 'embed', [
        ...model,
        ...strict,
        '--json',
        ...files,
      ]);
      assert.deepEqual([status, jsonLines(stdout).length], [1, 1]);
      assert.match(stderr, code);
    }
    const none = await runCommand(t, 'embed', [...model, files[1]]);
    assert.deepEqual([none.status, none.stdout], [1, '']);
    assert.match(none.stderr, /none of the images can be read/);
  });
});

describe('detect', () => {
  test('gives what the library gives, with its thresholds', async (t) => {
    const detector = await ObjectDetector.create({ model: TINY });
    /** @type {[string[], object][]} */
    const cases = [
      [['--score', '0.99'], { scoreThreshold: 0.99 }],
      [['--score', '0.9', '--max', '3'], { scoreThreshold: 0.9, maxResults: 3, maxPerClass: 3 }],
      [['--score', '0.9', '--iou', '0.1'], { scoreThreshold: 0.9, iouThreshold: 0.1 }],
      [['--score', '0.5', '--tiles', '32'], { scoreThreshold: 0.5, tiles: { size: 32 } }],
    ];
    for (const [args, options] of cases) {
      const [{ ms, file, ...found }] = await json(t, 'detect', '--model', TINY, ...args, BOXES[0]);
      const { detections, size, tiles } = await detector.detect(readFileSync(BOXES[0]), options);
      assert.deepEqual(found.detections, JSON.parse(JSON.stringify(detections)), args.join(' '));
      assert.deepEqual([file, found.width, found.height], [BOXES[0], size.width, size.height]);
      assert.deepEqual(found.tiles, tiles && JSON.parse(JSON.stringify(tiles)));
    }
    detector.close();
    for (const chosen of [
      ['--classes', 'cat'],
      ['--deny', 'dog'],
    ]) {
      const [{ detections }] = await json(t, 'detect', '--model', TINY, ...chosen, BOXES[0]);
      assert.ok(detections.length > 0);
      assert.ok(detections.every((/** @type {any} */ { label }) => label === 'cat'));
    }
  });

  test('draws pictures with names of their own', async (t) => {
    mkdirSync(at('other'));
    writeFileSync(at('other/0.PNG'), readFileSync(BOXES[0]));
    const args = ['--model', TINY, '--score', '0.999', '--out', at('found/')];
    const { stdout, status } = await runCommand(t, 'detect', [...args, ...BOXES, at('other/0.PNG')]);
    assert.equal(status, 0);
    assert.deepEqual(readdirSync(at('found')).sort(), ['0-2.png', '0.png', '1.png', '2.png']);
    assert.match(
      stdout,
      /^.*0\.png {2}16 x 16 px, \d objects?, \d+ ms\n {2}label +score +x +y +width +height\n/,
    );
    await assert.rejects(
      runCommand(t, 'detect', ['--model', TINY, '--out', at('one.png'), ...BOXES]),
      /--out .*one\.png is one file for 3 images; name a directory/,
    );
  });

  test('says so if there is nothing', async (t) => {
    const { stdout } = await runCommand(t, 'detect', ['--model', TINY, '--score', '1', BOXES[0]]);
    assert.match(stdout, /16 x 16 px, nothing above 100\.0 %, \d+ ms\n$/);
  });

  test('options of tracking need --track', async (t) => {
    for (const args of [
      ['--video', 'a.mp4'],
      ['--lost', '3'],
      ['--activation', '0.4'],
    ])
      await assert.rejects(
        runCommand(t, 'detect', [...args, BOXES[0]]),
        new RegExp(`${args[0]} needs --track`),
      );
    await assert.rejects(runCommand(t, 'detect', ['--track', ...BOXES]), /--track takes one video, not 3/);
    await assert.rejects(runCommand(t, 'detect', ['--track', '--out', 'x', BOXES[0]]), /--out takes images/);
  });
});

describe('reports of', () => {
  for (const [name, record, target, read] of /** @type {const} */ ([
    ['compress', 'compression', 'c.tflite.gz', gunzipSync],
    ['quantize', 'quantization', 'q.tflite', (/** @type {Uint8Array} */ bytes) => bytes],
  ]))
    test(name, async (t) => {
      const [directory, out] = [at(`${name}-report`), at(target)];
      const args = ['--images', at('photos'), ...INPUT, '--report', directory, SMALL, out];
      const [report] = await json(t, name, ...args);
      assert.equal(report.images, 4);
      assert.equal(report.bytes.float, readFileSync(SMALL).length);
      assert.equal(report.bytes.quantized ?? report.bytes.gzip, readFileSync(out).length);
      assert.ok(new TfliteFile(new Uint8Array(read(readFileSync(out)))).operators.length > 5);
      assert.deepEqual(
        readdirSync(directory)
          .filter((file) => file.startsWith(record))
          .sort(),
        ['html', 'json', 'md'].map((extension) => `${record}.${extension}`),
      );
      const text = readFileSync(join(directory, `${record}.json`), 'utf8');
      const { generator, files, ...rest } = JSON.parse(text);
      assert.deepEqual([rest, generator], [report, 'ocelli']);
      assert.ok(text.startsWith(JSON.stringify(rest, undefined, 2).slice(0, -2)));
      assert.deepEqual(Object.keys(files), [`${record}.md`, `${record}.html`]);
      for (const [file, hash] of Object.entries(files))
        assert.equal(
          createHash('sha256')
            .update(readFileSync(join(directory, file)))
            .digest('hex'),
          hash,
        );
    });

  test('compress writes gzip into a file whose extension is in capitals', async (t) => {
    const out = at('capitals.tflite.GZ');
    const [{ bytes }] = await json(t, 'compress', '--images', at('photos'), ...INPUT, SMALL, out);
    assert.deepEqual(
      [readFileSync(out).length, gunzipSync(readFileSync(out)).length],
      [bytes.gzip, bytes.compressed],
    );
  });

  test('quantize --float takes names as inspect prints them', async (t) => {
    const { stdout } = await runCommand(t, 'inspect', [SMALL, '--operators']);
    const short = 'model/out_relu/Relu6';
    const full = 'model/out_relu/Relu6;model/out_bn/FusedBatchNormV3;model/pointwise_3/Conv2D';
    assert.ok(stdout.includes(`  ${short}\n`) && !stdout.includes(full));
    const quantized = async (/** @type {string[]} */ ...float) => {
      const out = at('float.tflite');
      const [{ layers }] = await json(
        t,
        'quantize',
        '--images',
        at('photos'),
        ...INPUT,
        SMALL,
        out,
        ...float,
      );
      const floats = layers.filter((/** @type {any} */ { isInt8 }) => !isInt8);
      return { file: readFileSync(out), floats: floats.map((/** @type {any} */ { name }) => name) };
    };
    const byName = await quantized('--float', short);
    assert.deepEqual(byName, await quantized('--float', full));
    assert.ok(byName.floats.includes(full));
    assert.ok(!(await quantized()).floats.includes(full));
    const args = ['--images', at('photos'), ...INPUT, SMALL, at('no.tflite'), '--float', 'Relu6'];
    const { status, stderr } = await runCommand(t, 'quantize', args);
    assert.equal(status, 1);
    assert.match(stderr, /UNKNOWN_TENSOR: .*'Relu6'/);
  });

  test('compress writes no gzip into a .tflite file, and keeps a target', async (t) => {
    const out = at('plain.tflite');
    const args = ['--images', at('photos'), ...INPUT, SMALL, out, '--target-match', '100'];
    const [report] = await json(t, 'compress', ...args);
    assert.equal(report.bytes.compressed, readFileSync(out).length);
    assert.equal(report.answers.share, 1);
  });
});

describe('a data set', () => {
  /** @type {[string, string[], RegExp][]} */
  const unmatched = [
    ['all classes', ['cat', 'dog'], /^$/],
    ['one class more', ['cat', 'dog', 'bird'], /^note: the model .* of the data set: bird\n$/],
    ['one class less', ['cat'], /^note: the data set .* of the model: dog\n$/],
    ['another class', ['cat', 'bird'], /^note: the model .*: bird\nnote: the data set .*: dog\n$/],
  ];
  for (const [what, names, expected] of unmatched)
    test(`with ${what} of the model: what does not match is named`, async (t) => {
      const folder = at(what);
      mkdirSync(folder);
      writeFileSync(join(folder, '0.png'), readFileSync(join(DATASET, '0.png')));
      const categories = names.map((name, i) => ({ id: i + 1, name }));
      const truth = { images: IMAGES.slice(0, 1), annotations: ANNOTATIONS.slice(0, 1), categories };
      writeFileSync(join(folder, 'instances.json'), JSON.stringify(truth));
      const { status, stderr } = await runCommand(t, 'evaluate', [TINY, folder]);
      assert.equal(status, 0);
      assert.match(stderr, expected);
    });
  test('is evaluated as the library does', async (t) => {
    const [found] = await json(t, 'evaluate', TINY, DATASET);
    const detector = await ObjectDetector.create({ model: TINY });
    const files = readdirSync(DATASET).map((name) => [
      name,
      new Uint8Array(readFileSync(join(DATASET, name))),
    ]);
    const ran = await runDetector(detector, await readDataset(Object.fromEntries(files)));
    detector.close();
    const { coco } = evaluateDetections(ran.dataset.groundTruth, ran.detections);
    assert.ok(coco.AP50 !== null && coco.AP50 > 0);
    for (const key of /** @type {const} */ (['AP', 'AP50', 'AP75', 'AR100']))
      assert.equal(found.coco[key], coco[key]);
    assert.deepEqual(
      [found.images, found.objects, found.detections, found.model.name, found.model.sizeBytes],
      [3, 3, ran.detections.length, TINY, readFileSync(TINY).length],
    );
  });

  test('trains a detector', async (t) => {
    const [out, report] = [at('trained.tflite'), at('training')];
    const args = [
      '--task',
      'detect',
      '--model',
      TINY,
      '--epochs',
      '2',
      '--out',
      out,
      '--report',
      report,
      DATASET,
    ];
    const [{ best, configurations }] = await json(t, 'train', ...args);
    const [{ name, plan, history, multiplyAdds, data }] = configurations;
    assert.deepEqual([best, name, configurations.length], ['training', 'training', 1]);
    // Few photos: 20 views of each, in batches of 4.
    const rows = 3 * 20;
    assert.deepEqual([plan.views, plan.batchSize, history.params], [20, 4, { epochs: 2, steps: rows / 4 }]);
    // Kernels' gradients take as many multiply-adds as the forward pass. 8 columns of boxes read 3x3 pixels of one map and one of the
    // other, 4 of scores a pixel of each joined map.
    const forward = 8 * (64 * 36 + 16 * 4) + 4 * (64 * 4 + 16 * 8);
    assert.equal(multiplyAdds, 2 * rows * 2 * forward);
    assert.deepEqual([data.train, data.validation, data.classes], [3, 0, ['cat', 'dog']]);
    const detector = await ObjectDetector.create({ model: out });
    assert.deepEqual(detector.labels, [{ name: 'cat' }, { name: 'dog' }]);
    detector.close();
    assert.match(readFileSync(join(report, 'README.md'), 'utf8'), /the feature maps of tiny\.tflite/);
  });

  test('of folders trains a classifier', async (t) => {
    const out = at('classes.tflite');
    const args = ['--model', SMALL, ...INPUT, '--epochs', '3', '--batch', '2', '--out', out, at('photos')];
    const [{ configurations }] = await json(t, 'train', ...args);
    const [{ history, data }] = configurations;
    // A weight for each of 48 features, and a bias.
    assert.deepEqual(data, { train: 3, validation: 1, classes: ['dark', 'light'], parameters: (48 + 1) * 2 });
    assert.deepEqual([history.epoch, history.params], [[0, 1, 2], { epochs: 3, steps: 2 }]);
    const [{ classes }] = await json(t, 'classify', '--model', out, PHOTOS[0]);
    assert.deepEqual(classes.map((/** @type {any} */ { label }) => label).sort(), ['dark', 'light']);
  });
});

test('detections from a file are measured with the classes of --class-table', async (t) => {
  const [box, other] = [
    { x: 0, y: 0, width: 9, height: 9 },
    { x: 30, y: 30, width: 20, height: 20 },
  ];
  const annotations = [box, other].map(({ x, y, width, height }, i) => ({
    ...{ id: i + 1, image_id: 1, category_id: i + 1, bbox: [x, y, width, height], area: width * height },
    iscrowd: 0,
  }));
  const categories = ['mug', 'tumbler'].map((name, i) => ({ id: i + 1, name }));
  const images = [{ id: 1, file_name: 'a.png', width: 64, height: 64 }];
  const found = [box, other].map((each) => ({ label: 'Cup', labelId: 0, score: 0.9, box: each }));
  const [truth, detections, table] = ['cups.json', 'found.jsonl', 'cups.csv'].map(at);
  writeFileSync(truth, JSON.stringify({ images, annotations, categories }));
  writeFileSync(detections, JSON.stringify({ file: 'a.png', width: 64, height: 64, detections: found }));
  writeFileSync(table, 'mug,Cup\ntumbler,Cup\n');
  const files = ['--ground-truth', truth, '--detections', detections, '--class-table', table];
  const [{ coco, classes }] = await json(t, 'evaluate', ...files);
  assert.deepEqual([coco.AP, classes.map((/** @type {any} */ { name }) => name)], [1, ['Cup']]);
});

describe('standard input has the model of several runs', () => {
  const pipe = (/** @type {TestContext} */ t) => {
    const stream = Readable.from([readFileSync(TINY)]);
    t.mock.getter(process, 'stdin', () => stream);
  };
  test('evaluate', async (t) => {
    const ways = ['--decode', 'full,scaled', '--bootstrap', '0'];
    const cocos = (/** @type {any} */ { others, ...first }) =>
      [first, ...others].map((/** @type {any} */ { coco }) => coco);
    const [expected] = await json(t, 'evaluate', TINY, DATASET, ...ways, '--compare', TINY);
    pipe(t);
    const [found] = await json(t, 'evaluate', '-', DATASET, ...ways, '--compare', '-');
    assert.equal(found.others.length, 3);
    assert.deepEqual(cocos(found), cocos(expected));
  });
  test('train', async (t) => {
    pipe(t);
    const args = ['--task', 'detect', '--model', '-', '--compare', 'batch32,adam', '--epochs', '1'];
    const [{ configurations }] = await json(t, 'train', DATASET, ...args, '--report', at('piped'));
    assert.deepEqual(
      configurations.map((/** @type {any} */ { name }) => name),
      ['Batch 32', 'Batch 32 Adam'],
    );
  });
});

describe('kept results', () => {
  /** @param {string} report @returns {Record<string, any[]>} what was found in each image, by file */
  const kept = (report) =>
    Object.fromEntries(
      readdirSync(report)
        .filter((file) => file.endsWith('.results.jsonl'))
        .map((file) => [file, jsonLines(readFileSync(join(report, file), 'utf8')).slice(1)]),
    );
  const found = (/** @type {any[]} */ lines) => lines.map((line) => line.found);

  test('of models with the same name, or nearly the same, are kept apart, and resumed', async (t) => {
    const files = ['A/m.tflite', 'B/m.tflite', 'B/M.tflite', 'A/m+n.tflite', 'A/m n.tflite'].map(at);
    ['A', 'B'].forEach((name) => mkdirSync(at(name)));
    // Models that find different boxes.
    const models = [tinyDetector(), tinyDetector({ heads: 'shared' })];
    files.forEach((file, i) => writeFileSync(file, models[i % 2]));
    /** @type {any[][]} */
    const alone = [];
    for (const [i, file] of files.slice(0, 2).entries()) {
      await runCommand(t, 'evaluate', [file, DATASET, '--report', at(`alone${i}`)]);
      const { 'm.tflite.results.jsonl': lines, ...others } = kept(at(`alone${i}`));
      assert.deepEqual(others, {});
      alone.push(found(lines));
    }
    assert.notDeepEqual(alone[0], alone[1]);

    const report = at('together');
    const args = [files[0], DATASET, '--compare', files.slice(1).join(), '--report', report];
    await runCommand(t, 'evaluate', args);
    const names = ['m.tflite', 'm.tflite-2', 'M.tflite-3', 'm-n.tflite', 'm-n.tflite-2'];
    for (const [i, name] of names.entries())
      assert.deepEqual(found(kept(report)[`${name}.results.jsonl`]), alone[i % 2], name);

    for (const file of Object.keys(kept(report)))
      writeFileSync(
        join(report, file),
        readFileSync(join(report, file), 'utf8').replaceAll(/"ms":[^,]*/g, '"ms":123456'),
      );
    await runCommand(t, 'evaluate', args);
    const lines = Object.values(kept(report));
    assert.equal(lines.length, files.length);
    assert.ok(lines.flat().every(({ ms }) => ms === 123456));
  });
});

/**
 * A classifier of an image's mean red value, times a weight for each of its outputs.
 * @param {number[]} weights
 * @param {{isSigmoid?: boolean, hasMap?: boolean}} [how] hasMap: its first output is the feature map before the mean
 */
function grayClassifier(weights, { isSigmoid = false, hasMap = false } = {}) {
  const image = { name: 'image', shape: [1, 2, 2, 3] };
  const map = { name: 'map', shape: [1, 2, 2, weights.length] };
  const mean = { name: 'mean', shape: [1, weights.length] };
  const scores = { name: 'scores', shape: mean.shape };
  const data = new Float32Array(3 * weights.length);
  data.set(weights); // those of green and blue are 0
  const kernel = { dtype: /** @type {const} */ ('float32'), shape: [1, 1, 3, weights.length], data };
  /** @type {import('../../../wasm/tflite/network.js').Op[]} */
  const ops = [
    {
      ...{ kind: 'CONV_2D', inputs: [image], output: map, weights: { kernel, isTransposed: false } },
      options: { strideW: 1, strideH: 1, dilationW: 1, dilationH: 1, padding: 'SAME', activation: 'NONE' },
    },
    { kind: 'MEAN', inputs: [map, ints('axes', [1, 2])], output: mean, options: { keepDims: false } },
    ...(isSigmoid ? [{ kind: 'LOGISTIC', inputs: [mean], output: scores, options: {} }] : []),
  ];
  const outputs = [...(hasMap ? [map] : []), isSigmoid ? scores : mean];
  return writeTflite(
    { ops, inputs: [image], outputs: outputs.map((value) => ({ name: value.name, value })) },
    { precision: 'fp32', description: '' },
  );
}

describe('evaluate of a classifier, and of no model', () => {
  const names = ['dark', 'light', ...Array.from({ length: 8 }, (_, i) => `c${i}`)];
  const labels = at('labels10.txt');
  writeFileSync(labels, names.join('\n'));
  const run = [SMALL, at('photos'), ...INPUT];

  for (const deterministic of [true, false])
    test(`takes --labels, ${deterministic ? 'and' : 'without'} --deterministic`, async (t) => {
      const given = ['--labels', labels, ...(deterministic ? ['--deterministic'] : [])];
      const [{ accuracy, loss }] = await json(t, 'evaluate', ...run, ...given);
      const classifier = await ImageClassifier.create({
        model: SMALL,
        input: JSON.parse(INPUT[1]),
        labels: names,
        topK: names.length,
        deterministic,
      });
      let [right, sum] = [0, 0];
      for (const [i, photo] of PHOTOS.entries()) {
        const { classes } = await classifier.classify(photo);
        const truth = names[i >> 1];
        right += Number(classes[0].label === truth);
        sum -= Math.log(classes.find(({ label }) => label === truth)?.score ?? 0);
      }
      classifier.close();
      assert.equal(accuracy, right / PHOTOS.length);
      assert.equal(loss, sum / PHOTOS.length);
    });

  /** Of the brightness, from 0 to 1. @type {{name: string, weights: number[], lightness: (x: number) => number, how?: object}[]} */
  const ends = [
    { name: 'logits', weights: [1, -2], lightness: (x) => 1 / (1 + Math.exp(3 * x)) },
    { name: 'one probability', weights: [3], lightness: (x) => 1 / (1 + Math.exp(-3 * x)), how: { isSigmoid: true } },
    { name: 'one logit', weights: [3], lightness: (x) => 1 / (1 + Math.exp(-3 * x)) },
    { name: 'logits behind a map', weights: [1, -2], lightness: (x) => 1 / (1 + Math.exp(3 * x)), how: { hasMap: true } },
  ]; // prettier-ignore
  for (const { name, weights, lightness, how } of ends)
    test(`that ends in ${name}`, async (t) => {
      const [file, two] = [at('ends.tflite'), at('two.txt')];
      writeFileSync(file, grayClassifier(weights, how));
      writeFileSync(two, 'dark\nlight\n');
      const args = [file, at('photos'), '--input', '[0,1]', '--labels', two];
      const [{ accuracy, loss, examples }] = await json(t, 'evaluate', ...args);
      const truths = [1 - lightness(40 / 255), lightness(200 / 255)];
      const expected = (Math.log(truths[0]) + Math.log(truths[1])) / -2;
      assert.ok(Math.abs(loss - expected) < 1e-6, `${loss}, ${expected}`);
      assert.deepEqual([accuracy, examples], [truths.filter((share) => share > 0.5).length / 2, 4]);
    });

  test('names a file of labels that does not fit, and says how to name the classes', async (t) => {
    const short = at('short.txt');
    writeFileSync(short, 'dark\nlight\n');
    await assert.rejects(runCommand(t, 'evaluate', [...run, '--labels', short]), {
      message: `--labels ${short}: labels has 2 names, but the model has 10 classes`,
    });
    const { status, stderr } = await runCommand(t, 'evaluate', run);
    assert.equal(status, 1);
    assert.match(stderr, /INVALID_LABEL: .*pass --labels/);
  });

  const ofDetectors = [
    'compare=a.tflite',
    'precision=int8',
    'weights=full',
    'tiles=64',
    'allow-missing',
    'ssd={}',
  ];
  const ofBoxes = [
    ...['annotations=a', 'split=val', 'class-table=a.csv', 'measures=tide', 'agnostic', 'open-images=v2'],
    ...['hierarchy=a.json', 'min-precision=0', 'bootstrap=0', 'seed=1'],
  ];
  const ofModels = [
    ...['labels=a.txt', 'signature=a', 'input=[0,1]', 'threads=2', 'deterministic', 'decode=full'],
    ...['max-pixels=9', 'strict'],
  ];
  /** @param {string[]} args @param {string} option @param {string} reason */
  const refuses = (args, option, reason) =>
    assert.rejects(
      runRefused(['evaluate', ...args, `--${option}`]),
      new UsageError(`--${option.split('=')[0]} ${reason}`),
    );
  for (const option of [...ofDetectors, ...ofBoxes])
    test(`refuses --${option}`, () => refuses(run, option, 'is for detectors'));
  for (const option of [...ofDetectors.slice(1), ...ofModels])
    test(`detections from a file refuse --${option}`, () =>
      refuses(['--ground-truth', DATASET, '--detections', labels], option, 'needs a model'));
});

describe('folders with a file that is no image', () => {
  const folders = at('mixed');
  for (const [i, name] of ['dark', 'light'].entries()) {
    mkdirSync(join(folders, name), { recursive: true });
    for (const [k, photo] of PHOTOS.slice(2 * i, 2 * i + 2).entries())
      writeFileSync(join(folders, name, `${k}.png`), readFileSync(photo));
  }
  writeFileSync(join(folders, 'dark/2.png'), 'no image');
  const model = ['--model', SMALL, ...INPUT];
  const models = () => readdirSync(sandbox).filter((name) => name.endsWith('.tflite'));

  test('train a classifier on the others, or nothing with --strict; without --out, no file is written', async (t) => {
    const before = models();
    const args = [...model, '--epochs', '1', '--validation', '0', '--json', '--report', at('r1'), folders];
    const { status, stdout, stderr } = await runCommand(t, 'train', args);
    const [{ configurations }] = results(stdout);
    assert.deepEqual([configurations[0].data.train, status], [4, 0]);
    assert.match(stderr, /2\.png: UNSUPPORTED_IMAGE_FORMAT: .*; left out\nimages left out: 1 of 5\n/);
    const strict = await runCommand(t, 'train', [...args, '--strict']);
    assert.deepEqual([strict.status, strict.stdout], [1, '']);
    assert.match(strict.stderr, /UNSUPPORTED_IMAGE_FORMAT: .*2\.png/);
    assert.deepEqual(models(), before);
  });

  test('measure a classifier on the others', async (t) => {
    const out = at('measured.tflite');
    await runCommand(t, 'train', [...model, '--epochs', '1', '--out', out, at('photos')]);
    const { status, stdout, stderr } = await runCommand(t, 'evaluate', [out, folders, '--json']);
    const [{ accuracy }] = jsonLines(stdout);
    const named = await json(t, 'classify', '--model', out, '--top', '1', ...PHOTOS);
    const right = named.filter(({ file, classes }) => file.includes(`/${classes[0].label}/`));
    assert.deepEqual([accuracy, status], [right.length / 4, 0]);
    assert.match(stderr, /left out\nimages left out: 1 of 5\n/);
  });

  test('train a detector without --out: no file is written', async (t) => {
    const before = models();
    const args = ['--task', 'detect', '--model', TINY, '--epochs', '1', '--report', at('r2'), DATASET];
    const { status, stdout } = await runCommand(t, 'train', args);
    assert.equal(status, 0);
    assert.match(stdout, /\n +training\n/);
    assert.deepEqual(models(), before);
  });
});

test('train says what is strange about a data set', async (t) => {
  const folder = at('voc');
  mkdirSync(folder);
  boxes.forEach(({ boxes: [{ label, box }] }, i) => {
    const corners = { xmin: box.x, ymin: box.y, xmax: box.x + box.width, ymax: box.y + box.height };
    const sides = Object.entries(corners).map(([name, value]) => `<${name}>${value}</${name}>`);
    const object = `<object><name>${label}</name><bndbox>${sides.join('')}</bndbox></object>`;
    const stated = `<filename>${Math.min(i, 1)}.png</filename>`;
    writeFileSync(join(folder, `${i}.xml`), `<annotation>${stated}${object}</annotation>`);
    writeFileSync(join(folder, `${i}.png`), readFileSync(BOXES[i]));
  });
  const args = ['--task', 'detect', '--model', TINY, '--epochs', '1', '--report', at('r3'), folder];
  const { status, stderr } = await runCommand(t, 'train', args);
  assert.equal(status, 0);
  assert.match(stderr, /^note: 1 annotation file .*'2\.xml' names '1\.png'$/m);
});

test('track prints what the library tracks, and names a file that is damaged', async (t) => {
  const file = at('det.txt');
  const rows = Array.from({ length: 1200 }, (_, i) => `${i + 1},-1,${10 + i / 100},20,30,40,0.9,-1,-1,-1`);
  writeFileSync(file, rows.join('\n'));
  const { stdout } = await runCommand(t, 'track', [file]);
  const lines = stdout.trimEnd().split('\n');
  assert.deepEqual(lines, [...trackMot(parseMot(rows.join('\n')), checkTracking({}))]);
  assert.ok(lines.length > 1000);
  writeFileSync(file, '1,-1,a');
  const { status, stderr } = await runCommand(t, 'track', [file]);
  assert.equal(status, 1);
  assert.ok(stderr.startsWith(`ocelli: ${file}: `), stderr);
});

test('bench measures a network', async (t) => {
  const [found] = await json(t, 'bench', TINY, '--runs', '3');
  const { file, runs, cores, multiply_adds: work, network, bound_ms: bound, fma_gmacs: speed } = found;
  assert.deepEqual([file, runs, cores, work, found.operators.length], [TINY, 3, 1, 37632, 12]);
  assert.ok(network.min_ms > 0 && network.min_ms <= network.median_ms);
  assert.ok(Math.abs(bound - work / (speed * 1e6)) < 0.001);
  const { stdout } = await runCommand(t, 'bench', [TINY, '--runs', '2', '--baseline', '--operators']);
  for (const row of ['load', 'first run', 'median', 'min', 'bound', 'baseline'])
    assert.match(stdout, new RegExp(`^ {2}${row} +\\d+(\\.\\d+)? ms`, 'm'));
});

test('convert writes what it prints', async (t) => {
  const out = at('converted.tflite');
  const [{ kind, bytes, operators, notes }] = await json(t, 'convert', SAVED, out);
  assert.deepEqual([kind, bytes, notes.length], ['network', readFileSync(out).length, 1]);
  /** @type {Record<string, number>} */
  const counts = {};
  for (const { kind: each } of new TfliteFile(new Uint8Array(readFileSync(out))).operators)
    counts[String(each)] = (counts[String(each)] ?? 0) + 1;
  assert.deepEqual(operators, counts);
});
