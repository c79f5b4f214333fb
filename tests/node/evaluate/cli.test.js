// ocelli evaluate with files and with detectors.
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
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { ocelli, succeed } from '../bin/run.js';
import manifest from '../../../dist/models/manifest.js';
import { ObjectDetector } from '../../../wasm/platform/node.js';
import { packagePhotoPath, samplePath } from '../shared.js';

const directory = mkdtempSync(join(tmpdir(), 'ocelli-evaluate-'));
after(() => rmSync(directory, { recursive: true }));
const CASE = new URL('../../data/evaluate/5.json.gz', import.meta.url);
const { truth, detections, expected } = JSON.parse(gunzipSync(readFileSync(CASE)).toString());

/** @param {string} name @param {unknown} content */
function write(name, content) {
  const path = join(directory, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content, null, 1));
  return path;
}

describe('ocelli evaluate --ground-truth --detections', () => {
  const files = ['--ground-truth', write('gt.json', truth), '--detections', write('dt.json', detections)];

  test('prints the figures of COCO as JSON, and as a table', () => {
    const { coco, classes, ...rest } = JSON.parse(succeed(['evaluate', ...files, '--json']));
    for (const [key, value] of Object.entries(expected.coco))
      assert.ok(value === null ? coco[key] === null : Math.abs(coco[key] - Number(value)) <= 1e-12, key);
    assert.equal(classes.length, truth.categories.length);
    assert.ok(rest.tide.AP > 0 && rest.voc.mAP2007 > 0 && rest.thresholds.bestF1 && !rest.intervals);
    const text = succeed(['evaluate', ...files, '--bootstrap', '50']);
    assert.ok(text.includes(expected.coco.AP.toFixed(3)) && text.includes(' to '), text);
  });

  test('writes a report', () => {
    const report = join(directory, 'report');
    const { status, stderr } = ocelli([
      'evaluate',
      ...files,
      '--report',
      report,
      '--measures',
      'tide',
      '--json',
    ]);
    assert.equal(status, 0);
    assert.match(stderr, /^written: /);
    for (const name of ['report.html', 'report.md', 'report.json'])
      assert.ok(existsSync(join(report, name)), name);
  });

  test('names what is wrong by file and line', () => {
    const [first, ...others] = detections;
    const text = JSON.stringify([first, { ...others[0], score: 12345 }], null, 1).replace('12345', 'NaN');
    const line = JSON.stringify([first], null, 1).split('\n').length;
    const { status, stderr, stdout } = ocelli([
      'evaluate',
      ...files.slice(0, 3),
      write('bad.json', text),
      '--json',
    ]);
    assert.deepEqual({ status, stdout }, { status: 1, stdout: '' });
    assert.match(
      stderr,
      new RegExp(`^ocelli: INVALID_SCORE: .*bad\\.json:${line}: detections\\[1\\] has the score NaN\n$`),
    );
    const absent = ocelli(['evaluate', ...files.slice(0, 3), join(directory, 'absent.json')]);
    assert.equal(absent.status, 1);
    assert.match(absent.stderr, /ENOENT/);
  });

  test('notes what is left out', () => {
    const more = write('more.json', [...detections, { ...detections[0], category_id: 999 }]);
    const { status, stderr } = ocelli(['evaluate', ...files.slice(0, 3), more]);
    assert.equal(status, 0);
    assert.equal(stderr, 'note: 1 detections name a category that the ground truth does not list\n');
  });

  test('needs both files, and no model', () => {
    for (const args of [
      files.slice(0, 2),
      files.slice(2),
      ['x.tflite', ...files],
      ['--compare', 'x', ...files],
    ])
      assert.equal(ocelli(['evaluate', ...args]).status, 2, args.join(' '));
  });
});

/** A data set of one photo that is decoded at a scale. */
function writeLarge() {
  const large = join(directory, 'large');
  mkdirSync(large, { recursive: true });
  copyFileSync(samplePath('photos/data_aloeL.jpg'), join(large, 'plant.jpg'));
  write('large/boxes.json', {
    images: [{ id: 1, file_name: 'plant.jpg' }],
    categories: [
      { id: 1, name: 'Bottle' },
      { id: 2, name: 'Person' },
    ],
    annotations: [{ id: 1, image_id: 1, category_id: 1, bbox: [300, 700, 600, 400] }],
  });
  return large;
}

describe('ocelli evaluate DATASET', () => {
  const photos = join(directory, 'photos');
  mkdirSync(photos);
  for (const name of /** @type {const} */ (['astronaut.png', 'chelsea.png', 'coffee.png']))
    copyFileSync(packagePhotoPath(name), join(photos, name));
  const boxes = /** @type {[string, string, number[]][]} */ ([
    ['astronaut.png', 'person', [20, 10, 420, 500]],
    ['chelsea.png', 'cat', [110, 0, 330, 290]],
    ['coffee.png', 'coffee_cup', [160, 70, 320, 260]],
  ]);
  write('photos/boxes.json', {
    images: boxes.map(([name], id) => ({ id, file_name: name })),
    categories: boxes.map(([, name], id) => ({ id, name })),
    annotations: boxes.map(([, , bbox], id) => ({ id: id + 1, image_id: id, category_id: id, bbox })),
  });

  test('runs the default detector in two forms, writes a report, and resumes', () => {
    const report = join(directory, 'detectors');
    const args = [
      'evaluate',
      photos,
      '--precision',
      'float,int8',
      '--report',
      report,
      '--bootstrap',
      '20',
      '--json',
    ];
    const found = JSON.parse(ocelli(args).stdout);
    assert.ok(found.coco.AP50 > 0.9, JSON.stringify(found.coco));
    assert.equal(found.others.length, 1);
    const { compressed, int8 } = manifest.models[0].made;
    assert.deepEqual(
      [found, ...found.others].map(({ model }) => model.sizeBytes),
      [compressed.size_bytes, int8.size_bytes],
    );
    assert.ok(found.model.unmatched.labels.includes('Dog'));
    assert.ok(readFileSync(join(report, 'report.html'), 'utf8').includes('default int8'));

    // A run that was interrupted after the first image, in the middle of the second line.
    const state = join(report, 'default-float.results.jsonl');
    const lines = readFileSync(state, 'utf8').split('\n');
    const marked = lines[1].replace(/"ms":[^,]*/, '"ms":123456');
    writeFileSync(state, [lines[0], marked, lines[2].slice(0, 30)].join('\n'));
    const again = JSON.parse(ocelli(args).stdout);
    assert.deepEqual(again.coco, found.coco);
    assert.equal(JSON.parse(readFileSync(state, 'utf8').split('\n')[1]).ms, 123456);
    // Results of other classes are not used.
    const table = write('table.csv', 'cat,Dog\n');
    const single = ocelli(['evaluate', photos, '--report', report, '--class-table', table, '--json']);
    assert.equal(single.status, 0);
    const [head] = readFileSync(join(report, 'default.results.jsonl'), 'utf8').split('\n');
    assert.notEqual(head, lines[0]);
  });

  test('compares forms and ways to decode of one model, and files', async () => {
    const large = writeLarge();
    const args = ['evaluate', large, '--precision', 'float,int8', '--decode', 'full,scaled'];
    const report = join(directory, 'forms');
    const found = JSON.parse(ocelli([...args, '--bootstrap', '10', '--report', report, '--json']).stdout);
    assert.deepEqual(
      [found, ...found.others].map(({ model }) => model.name),
      ['default float full', 'default float scaled', 'default int8 full', 'default int8 scaled'],
    );
    for (const { coco, difference } of found.others) {
      assert.ok(Math.abs(difference.AP - (coco.AP - found.coco.AP)) < 1e-12);
      assert.ok(difference.interval[0] <= difference.AP && difference.AP <= difference.interval[1]);
    }
    // Each ran as it says.
    for (const { model } of [found, ...found.others]) {
      const [, precision, decode] = model.name.split(' ');
      const detector = await ObjectDetector.create({ precision, decode });
      const { detections } = await detector.detect(join(large, 'plant.jpg'), {
        scoreThreshold: 0.001,
        maxResults: 1000,
        maxPerClass: 100,
      });
      detector.close();
      const expected = detections.filter(({ label }) => label === 'Bottle' || label === 'Person');
      const state = readFileSync(join(report, `default-${precision}-${decode}.results.jsonl`), 'utf8');
      assert.deepEqual(
        JSON.parse(state.split('\n')[1]).found.map((/** @type {number[]} */ [, score]) => score),
        expected.slice(0, 100).map(({ score }) => score),
        model.name,
      );
    }
    const both = ocelli([...args.slice(0, 4), '--weights', 'full,compressed', '--bootstrap', '10', '--json']);
    const [full, compressed, int8] = [JSON.parse(both.stdout), ...JSON.parse(both.stdout).others];
    assert.deepEqual(
      [full, compressed, int8].map(({ model }) => model.name),
      ['default full', 'default compressed', 'default int8'],
    );
    assert.equal(full.model.sizeBytes, 9987728);
    assert.equal(compressed.coco.AP, found.coco.AP);
    const { stdout } = ocelli([...args.slice(0, 4), '--bootstrap', '10']);
    assert.match(stdout, /^Comparison\n *model .*AP50.*at threshold.*\n *default float .* MiB .* ms /);
    assert.match(stdout, /Difference of AP to default float\n.*\n *default int8 .*\n\ndefault float\n/);

    const file = fileURLToPath(
      new URL('../../../dist/models/ssd_mobilenet_v2_oidv4-int8.gz', import.meta.url),
    );
    const files = JSON.parse(ocelli(['evaluate', file, large, '--compare', 'default', '--json']).stdout);
    assert.deepEqual([files.model.name, files.others[0].model.name], [file, 'default']);
    assert.equal(files.coco.AP, found.others[1].coco.AP); // the same network, given as a file
    assert.equal(ocelli(['evaluate', file, large, '--precision', 'int8']).status, 2);
    assert.equal(ocelli(['evaluate', large, '--decode', 'half']).status, 2);
  });

  test('detects in tiles as the library does', async () => {
    const large = writeLarge();
    const args = ['evaluate', large, '--tiles', 'off,400', '--bootstrap', '0'];
    const report = join(directory, 'tiles');
    const found = JSON.parse(ocelli([...args, '--report', report, '--json']).stdout);
    assert.deepEqual(
      [found, ...found.others].map(({ model }) => model.name),
      ['default tiles off', 'default tiles 400'],
    );
    const detector = await ObjectDetector.create();
    for (const [name, options] of /** @type {const} */ ([
      ['off', {}],
      ['400', { tiles: { size: 400, merge: 'suppress' } }],
    ])) {
      const { detections } = await detector.detect(join(large, 'plant.jpg'), {
        ...{ scoreThreshold: 0.001, maxResults: 1000, maxPerClass: 100 },
        ...options,
      });
      const state = readFileSync(join(report, `default-tiles-${name}.results.jsonl`), 'utf8');
      assert.deepEqual(
        JSON.parse(state.split('\n')[1]).found.map((/** @type {number[]} */ [, score]) => score),
        detections
          .filter(({ label }) => label === 'Bottle' || label === 'Person')
          .slice(0, 100)
          .map(({ score }) => score),
      );
    }
    detector.close();
    const refused = ocelli([...args.slice(0, 3), 'large']);
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /--tiles large: expected off, auto or a size/);
  });

  test('names pictures that are missing', () => {
    rmSync(join(photos, 'coffee.png'));
    const { status, stderr } = ocelli(['evaluate', photos]);
    assert.equal(status, 1);
    assert.match(stderr, /DATASET_INCOMPLETE: .*1 of 3 images without a picture, such as 'coffee\.png'/);
    const some = ocelli(['evaluate', photos, '--allow-missing', '--bootstrap', '0']);
    assert.equal(some.status, 0);
    assert.match(some.stderr, /note: 1 of 3 images without a picture/);
  });
});
