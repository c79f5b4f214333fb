// What commands overwrite: files that ocelli wrote, nothing else unless --force is given, and never an input.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CLI, INPUT, makeSandbox, SAVED, SMALL } from './run.js';

const sandbox = makeSandbox('ocelli-written-', ['a']);
const TRAIN = ['train', 'photos', '--model', SMALL, ...INPUT, '--epochs', '1'];
const PHOTO = 'photos/dark/a.png';
writeFileSync(join(sandbox, 'truth.json'), JSON.stringify({ images: [], categories: [], annotations: [] }));
writeFileSync(join(sandbox, 'found.json'), '[]');

/** @param {string[]} args */
function run(args) {
  const { status, stderr } = spawnSync(process.execPath, [CLI, ...args], { cwd: sandbox, encoding: 'utf8' });
  return { status, stderr };
}

/** What writes, and a file that it writes. @type {[string[], string, string[]?][]} */
const CASES = [
  [['detect', PHOTO, '--out', 'one.png'], 'one.png'],
  [['detect', PHOTO, '--out', 'many'], 'many/a.png'],
  [['embed', '--model', SMALL, ...INPUT, '--layer', 'dense', PHOTO, '--npy', 'x.npy'], 'x.npy'],
  [[...TRAIN, '--out', 'x.tflite'], 'x.tflite'],
  [[...TRAIN, '--out', 'plain'], 'plain'],
  [['convert', SAVED, 'converted.tflite'], 'converted.tflite'],
  [['compress', SMALL, 'small.tflite', ...INPUT, '--images', 'photos'], 'small.tflite'],
  [['compress', SMALL, 'small.tflite.gz', ...INPUT, '--images', 'photos'], 'small.tflite.gz'],
  [['compress', SMALL, 'CAPITALS.TFLITE.GZ', ...INPUT, '--images', 'photos'], 'CAPITALS.TFLITE.GZ'],
  [['quantize', SMALL, '8bit.tflite', ...INPUT, '--images', 'photos'], '8bit.tflite'],
  [[...TRAIN, '--report', 'card'], 'card/README.md'],
  [[...TRAIN, '--report', 'csv'], 'csv/emissions.csv'],
  [
    ['evaluate', '--ground-truth', 'truth.json', '--detections', 'found.json', '--report', 'r'],
    'r/report.html',
  ],
  [
    ['evaluate', '--ground-truth', 'truth.json', '--detections', 'found.json', '--report', 's'],
    's/report.json',
  ],
];

describe('a file that is in the way', () => {
  for (const [args, file] of CASES) {
    test(`${args[0]} ${args.at(-2)}: ${file}`, () => {
      const path = join(sandbox, file);
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, 'the work of a year');
      const refused = run(args);
      assert.equal(refused.status, 2, refused.stderr);
      assert.ok(refused.stderr.includes(file) && refused.stderr.includes('--force'), refused.stderr);
      assert.equal(readFileSync(path, 'utf8'), 'the work of a year');
      const forced = run([...args, '--force']);
      assert.equal(forced.status, 0, forced.stderr);
      const written = readFileSync(path);
      assert.ok(written.length > 50);
      const again = run(args);
      assert.equal(again.status, 0, again.stderr);
    });
  }

  test('a report that someone has edited', () => {
    const args = [
      'evaluate',
      '--ground-truth',
      'truth.json',
      '--detections',
      'found.json',
      '--report',
      'edited',
    ];
    assert.equal(run(args).status, 0);
    writeFileSync(join(sandbox, 'edited/report.md'), '# my notes');
    assert.equal(run(args).status, 2);
    assert.equal(readFileSync(join(sandbox, 'edited/report.md'), 'utf8'), '# my notes');
  });

  test('an input in the directory of a report, with --force too', () => {
    mkdirSync(join(sandbox, 'own'));
    const truth = readFileSync(join(sandbox, 'truth.json'), 'utf8');
    writeFileSync(join(sandbox, 'own/report.json'), truth);
    const args = [
      'evaluate',
      '--ground-truth',
      'own/report.json',
      '--detections',
      'found.json',
      '--report',
      'own',
    ];
    for (const more of [[], ['--force']]) {
      const { status, stderr } = run([...args, ...more]);
      assert.equal(status, 2);
      assert.match(stderr, /would overwrite the input own\/report\.json/);
    }
    assert.equal(readFileSync(join(sandbox, 'own/report.json'), 'utf8'), truth);
    assert.ok(!existsSync(join(sandbox, 'own/report.md')));
  });

  test('an empty file is no loss', () => {
    writeFileSync(join(sandbox, 'empty.png'), '');
    assert.equal(run(['detect', PHOTO, '--out', 'empty.png']).status, 0);
  });
});
