// Mistakes on the command line: inputs that would be overwritten, odd files and directories, options that are meant
// otherwise. What is wrong is named, and no stack trace is shown.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { INPUT, jsonLines, makeSandbox, ocelli, SMALL, succeed } from './run.js';

const sandbox = makeSandbox('ocelli-mistakes-', ['a', 'b']);
const cwd = sandbox;
/** @param {string} name */
const at = (name) => join(sandbox, name);
const PHOTO = 'photos/dark/a.png';
const LONG = 'x'.repeat(300);

/** @param {string[]} args @param {number} expected @param {RegExp} message of one line */
function refused(args, expected, message) {
  const { status, stderr } = ocelli(args, { cwd });
  assert.equal(status, expected, stderr);
  assert.match(stderr, message);
  assert.doesNotMatch(stderr, /^ {4}at /m);
}

describe('an input is not overwritten, whatever its name and whichever option names it', () => {
  test('the ground truth of a report', () => {
    mkdirSync(at('rep'));
    const box = { id: 1, image_id: 1, category_id: 1, bbox: [0, 0, 4, 4], area: 16, iscrowd: 0 };
    const images = [{ id: 1, width: 8, height: 8, file_name: 'a.png' }];
    const truth = JSON.stringify({ images, annotations: [box], categories: [{ id: 1, name: 'dog' }] });
    writeFileSync(at('rep/report.json'), truth);
    writeFileSync(at('det.json'), JSON.stringify([{ ...box, score: 0.5 }]));
    const files = ['--ground-truth', 'rep/report.json', '--detections', 'det.json'];
    refused(['evaluate', ...files, '--report', 'rep'], 2, /would overwrite|did not write/);
    assert.equal(readFileSync(at('rep/report.json'), 'utf8'), truth);
  });

  test('the files of text options', () => {
    const spec = '{"scale": 0.00784314, "offset": -1, "resize": "half-pixel"}';
    writeFileSync(at('in.png'), spec);
    refused(
      ['detect', PHOTO, '--input', 'in.png', '--out', 'in.png'],
      2,
      /would overwrite the input in\.png/,
    );
    assert.equal(readFileSync(at('in.png'), 'utf8'), spec);
  });

  test('a link in the directory to write to', () => {
    const labels = Array.from({ length: 23 }, (_, i) => `name ${i}\n`).join('');
    writeFileSync(at('lab.txt'), labels);
    mkdirSync(at('so'));
    symlinkSync('../lab.txt', at('so/a.png'));
    assert.match(
      succeed(['detect', PHOTO, '--labels', 'lab.txt', '--out', 'so'], { cwd }),
      /written: so\/a-2\.png/,
    );
    assert.equal(readFileSync(at('lab.txt'), 'utf8'), labels);
  });
});

describe('odd places to write to', () => {
  symlinkSync('LOOP.png', at('LOOP.png'));
  writeFileSync(at('notes'), 'mine');
  for (const [args, status, message] of /** @type {[string[], number, RegExp][]} */ ([
    [['detect', PHOTO, '--out', 'LOOP.png'], 1, /^ocelli: LOOP\.png: ELOOP: /],
    [['detect', PHOTO, '--out', `${LONG}.png`], 1, /^ocelli: x+\.png: ENAMETOOLONG: /],
    [['detect', PHOTO, '--out', LONG], 1, /^ocelli: x+: ENAMETOOLONG: /],
    [['embed', PHOTO, '--npy', `${LONG}.npy`], 1, /^ocelli: x+\.npy: ENAMETOOLONG: /],
    [['detect', PHOTO, '--out', 'notes/x.png'], 1, /^ocelli: notes\/x\.png: ENOTDIR: /],
    [
      ['detect', PHOTO, '--out', 'notes'],
      2,
      /--out notes: that is not a directory; name a directory or a \.png file/,
    ],
    [
      ['train', 'photos', '--report', 'notes'],
      2,
      /--report notes: that is not a directory; name a directory/,
    ],
    [['train', 'photos', '--report', '/dev/null'], 2, /--report \/dev\/null: that is not a directory/],
  ]))
    test(args.join(' ').replaceAll(LONG, 'x…'), () => refused(args, status, message));

  test('a device takes the picture of one image', () => {
    assert.equal(ocelli(['detect', PHOTO, '--out', '/dev/null'], { cwd }).status, 0);
    refused(['detect', 'photos', '--out', '/dev/null'], 2, /is one file for 4 images/);
  });
});

describe('a subdirectory that cannot be read is named, and the others are done', () => {
  // A path that is too long cannot be read by root either.
  const name = 'd'.repeat(250);
  const script = `mkdir un && cp ${PHOTO} un/a.png && cd un && for i in $(seq 17); do mkdir ${name} && cd ${name}; done`;
  assert.equal(spawnSync('bash', ['-c', script], { cwd }).status, 0);
  after(() => spawnSync('rm', ['-rf', at('un')]));
  for (const argument of ['un', 'un/**/*.png'])
    test(argument, () => {
      const { status, stdout, stderr } = ocelli(['detect', '--json', argument], { cwd });
      assert.equal(status, 1);
      assert.deepEqual(
        jsonLines(stdout).map(({ file }) => file),
        ['un/a.png'],
      );
      assert.match(stderr, /^ocelli: un\/d+\/.*: ENAMETOOLONG: .*\n$/);
    });
});

describe('a pattern with !', () => {
  test('at its start is refused', () =>
    refused(['detect', '!*.jpg', PHOTO], 2, /!\*\.jpg: .*'photos\/!\(\*\.jpg\)'/));
  test('inside it leaves out', () => {
    const found = jsonLines(succeed(['detect', '--json', 'photos/dark/!(b.png)'], { cwd }));
    assert.deepEqual(
      found.map(({ file }) => file),
      [PHOTO],
    );
  });
  test('before a name is a letter of the name', () =>
    refused(['detect', 'photos/dark/!*.png'], 1, /NO_MATCH/));
});

describe('options', () => {
  writeFileSync(at('wrong.txt'), 'cat\ndog\n');
  for (const [args, message] of /** @type {[string[], RegExp][]} */ ([
    [
      ['detect', PHOTO, '--labels', 'wrong.txt'],
      /^ocelli: --labels wrong\.txt: labels has 2 names, but the model has 23 classes\n/,
    ],
    [
      ['classify', PHOTO, '--model', SMALL, ...INPUT, '--labels', 'wrong.txt'],
      /^ocelli: --labels wrong\.txt: labels has 2/,
    ],
    [['detect', '-v'], /unknown option '-v'; ocelli --version shows the version/],
    [['detect', PHOTO, '--format', 'json'], /did you mean --json\?/],
    [['detect', PHOTO, '--score', '.1', '--score', '.2'], /--score is given twice, but takes one value/],
    [['train', '.', '--weights', 'best.tflite'], /takes compressed or full, .*; .* given with --model\n/],
    [['evaluate', '--weights', 'full,x.tflite'], /not 'x\.tflite'; .* given as an argument\n/],
    [['inspect', '--weights', 'x.tflite'], /not 'x\.tflite'; .* given as an argument\n/],
    [['detect', PHOTO, '--model=a', '--model', 'b'], /--model is given twice/],
  ]))
    test(args.join(' '), () => refused(args, 2, message));

  test('flags and lists may be repeated', () => {
    succeed(['detect', '--json', '--json', '--classes', 'Dog', '--classes=Cat', PHOTO], { cwd });
  });

  test('version and help are found where people look for them', () => {
    assert.equal(succeed(['version']), succeed(['--version']));
    assert.equal(succeed(['detect', 'help'], { cwd }), succeed(['detect', '--help']));
  });
});

test('what --json says about a run is the same for all commands', () => {
  const keys = (/** @type {string[]} */ ...args) =>
    Object.keys(jsonLines(succeed([...args, '--json', PHOTO], { cwd }))[0]);
  const detected = keys('detect');
  const of = (/** @type {string} */ key) => detected.map((each) => (each === 'detections' ? key : each));
  assert.deepEqual(keys('classify', '--model', SMALL, ...INPUT), of('classes'));
  assert.deepEqual(keys('embed'), of('features'));
});
