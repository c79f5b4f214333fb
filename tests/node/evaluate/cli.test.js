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
import { gunzipSync } from 'node:zlib';
import { ocelli, succeed } from '../bin/run.js';
import { packagePhotoPath } from '../shared.js';

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
    assert.ok(found.others[0].model.sizeBytes < found.model.sizeBytes);
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

  test('names pictures that are missing', () => {
    rmSync(join(photos, 'coffee.png'));
    const { status, stderr } = ocelli(['evaluate', photos]);
    assert.equal(status, 1);
    assert.match(stderr, /DATASET_INCOMPLETE: .*1 of 3 images have no picture, such as 'coffee\.png'/);
    const some = ocelli(['evaluate', photos, '--allow-missing', '--bootstrap', '0']);
    assert.equal(some.status, 0);
    assert.match(some.stderr, /note: 1 of 3 images have no picture/);
  });
});
