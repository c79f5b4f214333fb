// The command line of training: what it refuses, and that nothing is written then.
import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { encodePng } from '../../../wasm/draw/png.js';
import manifest from '../../../dist/models/manifest.js';
import { testData } from '../shared.js';
import { ocelli } from './run.js';

const directory = mkdtempSync(join(tmpdir(), 'train-'));
after(() => rmSync(directory, { recursive: true }));

/** @param {string} name @param {Record<string, number>} classes how many photos of each */
function makePhotos(name, classes) {
  const photos = join(directory, name);
  Object.entries(classes).forEach(([label, count], shade) => {
    mkdirSync(join(photos, label), { recursive: true });
    for (let i = 0; i < count; i++) {
      const data = new Uint8Array(16 * 16 * 3).fill(40 + 150 * shade + 5 * i);
      writeFileSync(join(photos, label, `${i}.png`), encodePng({ data, width: 16, height: 16, channels: 3 }));
    }
  });
  return photos;
}

describe('ocelli train', () => {
  const photos = makePhotos('photos', { dark: 6, light: 6 });
  const out = join(directory, 'out.tflite');

  /** @type {[string, string[], RegExp][]} */
  const wrong = [
    ['without a directory', [], /train needs a directory/],
    ['without a place for the result', [photos], /train needs --out or --report/],
    ['with an unknown optimizer', [photos, '--out', out, '--optimizer', 'adamax'], /--optimizer takes/],
    ['with an unknown configuration', [photos, '--out', out, '--compare', 'batch32,batch48'], /batch48/],
    [
      'with a batch and --compare',
      [photos, '--out', out, '--compare', 'adam', '--batch', '8'],
      /pass --compare or --batch, not both/,
    ],
    [
      'with --views but no --task detect',
      [photos, '--out', out, '--views', '3'],
      /--views needs --task detect/,
    ],
    [
      'with --no-stratify and --task detect',
      [photos, '--out', out, '--task', 'detect', '--no-stratify'],
      /--no-stratify is for --task classify/,
    ],
    ['with --ssd but no --task detect', [photos, '--out', out, '--ssd', '{}'], /--ssd needs --task detect/],
    ['with an unknown task', [photos, '--out', out, '--task', 'segment'], /--task takes/],
    ['with no epochs', [photos, '--out', out, '--epochs', '0'], /--epochs takes/],
  ];
  for (const [name, args, message] of wrong) {
    test(`${name} is refused`, () => {
      const { status, stderr } = ocelli(['train', ...args]);
      assert.equal(status, 2);
      assert.match(stderr, message);
      assert.ok(!existsSync(out));
    });
  }

  test('with an empty class or one class names it', () => {
    const empty = makePhotos('empty', { dark: 2, light: 2 });
    mkdirSync(join(empty, 'nothing'));
    const one = makePhotos('one', { dark: 2 });
    for (const [from, code] of [
      [empty, 'EMPTY_CLASS'],
      [one, 'ONE_CLASS'],
      [directory + '/photos/dark', 'NO_EXAMPLES'],
      [directory + '/absent', 'ENOENT'],
    ]) {
      const { status, stderr } = ocelli(['train', from, '--out', out]);
      assert.equal(status, 1, stderr);
      assert.match(stderr, new RegExp(`^ocelli: ${from}: ${code}: .*\n$`));
      assert.ok(!existsSync(out));
    }
  });

  test('and evaluate tell dark from light', () => {
    const trained = ocelli([
      'train',
      photos,
      '--out',
      out,
      '--epochs',
      '30',
      '--optimizer',
      'adam',
      '--seed',
      '3',
    ]);
    assert.equal(trained.status, 0, trained.stderr);
    assert.match(trained.stdout, /Train validation accuracy/);
    const { status, stdout } = ocelli(['evaluate', out, photos, '--json']);
    assert.equal(status, 0);
    assert.ok(JSON.parse(stdout).accuracy >= 0.9, stdout);
    const report = join(directory, 'report');
    assert.match(ocelli(['evaluate', out, photos, '--report', report]).stdout, /dark +100/);
    assert.match(readFileSync(join(report, 'report.html'), 'utf8'), /<th scope="row">dark<\/th>/);
    const other = ocelli(['evaluate', out, makePhotos('other', { dusk: 1 })]);
    assert.equal(other.status, 1);
    assert.match(other.stderr, /INVALID_LABEL.*dusk/);
  });

  test('takes the features of the signature that is chosen', () => {
    const model = testData('signatures/backbones.tflite');
    const train = (/** @type {string} */ signature) =>
      ocelli([
        ...['train', photos, '--out', out, '--epochs', '1', '--json', '--model', model, '--input', '[-1,1]'],
        ...['--signature', signature],
      ]);
    for (const count of [6, 10]) {
      const { status, stdout, stderr } = train(`features${count}`);
      assert.equal(status, 0, stderr);
      assert.equal(JSON.parse(stdout).configurations[0].data.parameters, (count + 1) * 2);
    }
    assert.match(train('other').stderr, /MODEL_NO_SIGNATURE: .*it has 'features10', 'features6'/);
  });

  test('fine-tunes two blocks', () => {
    const args = [
      '--unfreeze',
      '2',
      '--epochs',
      '8',
      '--optimizer',
      'sgd',
      '--lr',
      '0.001',
      '--batch',
      '4',
      '--json',
    ];
    const { status, stdout, stderr } = ocelli(['train', photos, '--out', out, ...args]);
    assert.equal(status, 0, stderr);
    const [{ history, data }] = JSON.parse(stdout).configurations;
    assert.ok(history.history.loss[7] < history.history.loss[0]);
    assert.ok(data.parameters > 1e6);
  });
});

describe('ocelli train --task detect', () => {
  const dataset = join(directory, 'boxes');
  mkdirSync(dataset);
  const side = 64;
  const images = [0, 1, 2].map((id) => ({ id, file_name: `${id}.png`, width: side, height: side }));
  for (const { id, file_name: name } of images) {
    const data = new Uint8Array(side * side * 3).fill(60 + 60 * id);
    for (let i = 0; i < 30 * 30; i++) data[((10 + Math.floor(i / 30)) * side + 20 + (i % 30)) * 3] = 255;
    writeFileSync(join(dataset, name), encodePng({ data, width: side, height: side, channels: 3 }));
  }
  const annotations = images.map(({ id }) => ({
    ...{ id: id + 1, image_id: id, category_id: 4, iscrowd: 0, area: 900 },
    bbox: [20, 10, 30, 30],
  }));
  const instances = { images, annotations, categories: [{ id: 4, name: 'red square' }] };
  writeFileSync(join(dataset, 'instances.json'), JSON.stringify(instances));
  const out = join(directory, 'found.tflite');

  test('writes a detector and a report', () => {
    const card = join(directory, 'card');
    const args = [
      '--task',
      'detect',
      '--out',
      out,
      '--report',
      card,
      '--views',
      '2',
      '--epochs',
      '12',
      '--license',
      'Apache-2.0',
      '--json',
    ];
    const { status, stdout, stderr } = ocelli(['train', dataset, ...args]);
    assert.equal(status, 0, stderr);
    const { configurations } = JSON.parse(stdout);
    assert.equal(configurations[0].history.epoch.length, 12);
    assert.deepEqual(configurations[0].data.classes, ['red square']);
    assert.equal(configurations[0].energy.transfer.bytes, readFileSync(out).length);
    assert.equal(configurations[0].energy.sci.images, 3 * 2 * 12, 'photos, views, epochs');
    const lines = readFileSync(join(card, 'README.md'), 'utf8').split('\n');
    for (const line of [
      'license: apache-2.0',
      '- **Model type:** object detector',
      "- **Base model:** the feature maps of ocelli's default SSD-MobileNetV2",
      '- **Data set:** boxes',
      'const detector = await ObjectDetector.create({ model: "found.tflite" });',
    ])
      assert.ok(lines.includes(line), line);
    assert.match(readFileSync(join(card, 'README.md'), 'utf8'), /Extracting the features took: [\d.]+ m?s\./);
    assert.doesNotMatch(readFileSync(join(card, 'README.md'), 'utf8'), /last blocks/);
    const found = ocelli(['detect', '--model', out, '--score', '0.2', '--json', join(dataset, '1.png')]);
    assert.match(found.stdout, /red square/);
  });

  test('compares configurations, each of which extracts its own features', () => {
    const card = join(directory, 'compared');
    const args = ['--task', 'detect', '--report', card, '--views', '1', '--epochs', '1'];
    const { status, stderr } = ocelli(['train', dataset, ...args, '--compare', 'batch64,rmsprop']);
    assert.equal(status, 0, stderr);
    const { configurations } = JSON.parse(readFileSync(join(card, 'report.json'), 'utf8'));
    assert.deepEqual(
      configurations.map((/** @type {any} */ { name, plan }) => [name, plan.batchSize, plan.optimizer.type]),
      [
        ['Batch 64', 64, 'adam'],
        ['Batch 32 RMSprop', 32, 'rmsprop'],
      ],
    );
    for (const { energy } of configurations) assert.ok(energy.extraction.seconds > 0);
    assert.match(
      readFileSync(join(card, 'README.md'), 'utf8'),
      /Extracting the features took: "Batch 64" [\d.]+ m?s, "Batch 32 RMSprop" [\d.]+ m?s\./,
    );
  });

  test('trains the last blocks, and says so', () => {
    const card = join(directory, 'blocks');
    const args = ['--task', 'detect', '--report', card, '--views', '1', '--epochs', '1', '--unfreeze', '1'];
    const { status, stdout, stderr } = ocelli(['train', dataset, ...args, '--json']);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^batch norm: the file has it folded/);
    const { unfrozen, parameters } = JSON.parse(stdout).configurations[0].data;
    assert.deepEqual(unfrozen, { blocks: 1, batchNorm: 'folded' });
    assert.ok(parameters > 3e6);
    for (const file of ['README.md', 'report.html'])
      assert.match(readFileSync(join(card, file), 'utf8'), /, whose last blocks \(1\) were trained as well/);
  });

  test('names listed pictures that are not there, and stops at them with --strict', () => {
    const [first] = images;
    const gone = { ...first, id: 9, file_name: 'gone.png' };
    const partly = join(directory, 'partly');
    mkdirSync(partly);
    copyFileSync(join(dataset, '0.png'), join(partly, '0.png'));
    const train = (/** @type {object[]} */ listed, /** @type {string[]} */ ...more) => {
      rmSync(out, { force: true });
      writeFileSync(
        join(partly, 'instances.json'),
        JSON.stringify({ ...instances, images: listed, annotations: listed.length ? [annotations[0]] : [] }),
      );
      const args = ['--task', 'detect', '--out', out, '--views', '1', '--epochs', '1', ...more];
      const { status, stderr } = ocelli(['train', partly, ...args]);
      return { status, stderr, isWritten: existsSync(out) };
    };
    const left = train([first, gone]);
    assert.deepEqual([left.status, left.isWritten], [0, true], left.stderr);
    assert.match(left.stderr, /^ocelli: gone\.png: IMAGE_NOT_FOUND: .*; left out\n/);
    const strict = train([first, gone], '--strict');
    assert.deepEqual([strict.status, strict.isWritten], [1, false]);
    assert.match(strict.stderr, /IMAGE_NOT_FOUND: .*gone\.png/);
    const none = train([]);
    assert.deepEqual([none.status, none.isWritten], [1, false]);
    assert.match(none.stderr, /NO_EXAMPLES/);
  });

  test('takes --ssd and --input for a file that does not say how to decode it', () => {
    const known = /** @type {any} */ (manifest.models[0]);
    // Another file for ocelli, which knows its models by their bytes: it says nothing about itself.
    const model = join(directory, 'unknown.tflite');
    const bytes = readFileSync(new URL(`../../../dist/models/${known.file}`, import.meta.url));
    writeFileSync(model, Buffer.concat([bytes, Buffer.alloc(16)]));
    const train = (/** @type {string[]} */ ...more) => {
      const args = ['--task', 'detect', '--out', out, '--views', '1', '--epochs', '1', '--force', ...more];
      return ocelli(['train', dataset, ...args]);
    };
    rmSync(out, { force: true });
    assert.equal(train('--weights', 'full').status, 0);
    const expected = readFileSync(out);
    const ssd = JSON.stringify(known.ssd);
    const input = JSON.stringify({ scale: known.input.scale, offset: -1, resize: 'legacy' });
    const given = train('--model', model, '--ssd', ssd, '--input', input);
    assert.equal(given.status, 0, given.stderr);
    assert.deepEqual(readFileSync(out), expected);
    assert.match(train('--model', model, '--input', input).stderr, /SSD_UNKNOWN: .*pass it with --ssd/);
    assert.match(
      train('--model', model, '--ssd', ssd).stderr,
      /MODEL_INPUT_UNKNOWN: .*on the command line --input/,
    );
    assert.match(train('--ssd', '{"anchors": 3}').stderr, /--ssd: .*anchors/);
    assert.match(train('--signature', 'detect').stderr, /MODEL_NO_SIGNATURE/);
  });

  test('is named by the errors of a data set with boxes that a classifier is trained on', () => {
    const picture = readFileSync(join(dataset, '0.png'));
    const coco = JSON.stringify({
      ...instances,
      images: images.slice(0, 1),
      annotations: annotations.slice(0, 1),
    });
    const voc =
      '<annotation><filename>0.png</filename><object><name>a</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>';
    /** @type {[string, Record<string, string | Uint8Array>, string][]} */
    const cases = [
      ['COCO', { '0.png': picture, 'instances.json': coco }, 'NO_EXAMPLES'],
      ['COCO in folders', { 'images/0.png': picture, 'instances.json': coco }, 'NO_EXAMPLES'],
      ['COCO in each part', { 'train/0.png': picture, 'train/instances.json': coco, 'valid/0.png': picture, 'valid/instances.json': coco }, 'NO_EXAMPLES'],
      ['COCO in two parts', { 'train/0.png': picture, 'annotations/train.json': coco, 'annotations/val.json': coco }, 'EMPTY_CLASS'],
      ['Pascal VOC', { 'Annotations/0.xml': voc, 'JPEGImages/0.png': picture }, 'EMPTY_CLASS'],
      ['YOLO', { 'data.yaml': 'train: images\nnames: [a]\n', 'images/0.png': picture, 'labels/0.txt': '0 .5 .5 .2 .2\n' }, 'EMPTY_CLASS'],
    ]; // prettier-ignore
    for (const [name, files, code] of cases) {
      const folder = join(directory, name);
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), content);
      }
      const { status, stderr } = ocelli(['train', folder, '--out', join(directory, 'none.tflite')]);
      assert.equal(status, 1, name);
      assert.match(
        stderr,
        new RegExp(`: ${code}: .*; it has boxes: pass --task detect to train a detector\n$`),
      );
    }
    const file = join(dataset, 'instances.json');
    assert.match(ocelli(['train', file, '--out', out]).stderr, /ENOTDIR; it has boxes/);
  });

  test('names a class without boxes, and a data set that is none', () => {
    rmSync(out, { force: true });
    for (const [from, code] of [
      [join(directory, 'photos'), 'DATASET_UNKNOWN'],
      [join(directory, 'absent'), 'ENOENT'],
    ]) {
      const { status, stderr } = ocelli(['train', from, '--task', 'detect', '--out', out]);
      assert.notEqual(status, 0);
      assert.match(stderr, new RegExp(code));
      assert.ok(!existsSync(out));
    }
  });
});
