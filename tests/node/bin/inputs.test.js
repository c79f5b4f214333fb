// What commands read: directories, patterns, standard input; what is left out; what names nothing.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { encodePng } from '../../../wasm/draw/png.js';
import { openImageDirectory } from '../../../wasm/train/node.js';
import { INPUT, jsonLines, ocelli, SMALL, succeed } from './run.js';

const CLASSIFIER = ['--model', SMALL, ...INPUT];
const BLANK = encodePng({ data: new Uint8Array(16 * 16 * 3), width: 16, height: 16, channels: 3 });

const sandbox = mkdtempSync(join(tmpdir(), 'ocelli-inputs-'));
after(() => rmSync(sandbox, { recursive: true, force: true }));

/** Image files with these names, and others: text. @param {string[]} paths */
function create(...paths) {
  for (const path of paths.map((name) => join(sandbox, name))) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, /\.(png|jpe?g|gif|bmp)$/i.test(path) ? BLANK : 'no image');
  }
}

create('photos/b.png', 'photos/a.JPG', 'photos/sub/c.gif', 'photos/sub/deep/d.bmp', 'photos/e.jpeg');
create(
  'photos/notes.txt',
  'photos/.hidden.png',
  'photos/._b.png',
  'photos/.ipynb_checkpoints/b-checkpoint.png',
);
create('empty/readme.md', 'empty/.hidden.png', 'odd/a[1].png', 'odd/a1.png', 'one/only.png');
symlinkSync('..', join(sandbox, 'photos/sub/loop'));
symlinkSync('../one/only.png', join(sandbox, 'photos/link.png'));

const ALL = ['a.JPG', 'b.png', 'e.jpeg', 'link.png', 'sub/c.gif', 'sub/deep/d.bmp'].map(
  (name) => `photos/${name}`,
);
const cwd = sandbox;

/** The files that a command reports. @param {string[]} args */
const filesOf = (...args) => jsonLines(succeed(args, { cwd })).map(({ file }) => file);
const classified = (/** @type {string[]} */ ...args) => filesOf('classify', '--json', ...CLASSIFIER, ...args);

describe('a directory is the images in it and below it, sorted, without hidden ones', () => {
  test('for detect, embed and classify', () => {
    assert.deepEqual(filesOf('detect', '--json', 'photos'), ALL);
    assert.deepEqual(filesOf('embed', '--json', './photos/'), ALL);
    assert.deepEqual(classified('photos', 'one'), [...ALL, 'one/only.png']);
  });

  test('for similar, whose query is one image', () => {
    const { query, matches } = JSON.parse(succeed(['similar', '--json', 'one', 'photos'], { cwd }));
    assert.equal(query, 'one/only.png');
    assert.deepEqual(matches.map((/** @type {{file: string}} */ { file }) => file).sort(), ALL);
    const { status, stderr } = ocelli(['similar', 'photos', 'photos'], { cwd });
    assert.equal(status, 2);
    assert.match(stderr, /QUERY is one image, but photos has 6\n/);
  });

  test('for quantize', () => {
    const quantize = ['quantize', '--json', ...INPUT, CLASSIFIER[1]];
    for (const [images, count] of /** @type {const} */ ([
      ['photos', 6],
      ['photos/*.jp*g', 1],
    ])) {
      const { status, stdout, stderr } = ocelli([...quantize, 'out.tflite', '--images', images], { cwd });
      assert.deepEqual({ status, stderr }, { status: 0, stderr: 'written: out.tflite\n' });
      assert.equal(JSON.parse(stdout).images, count);
    }
  });

  test('for train and evaluate, whose classes are directories that are not hidden', async () => {
    create('classes/dark/a.png', 'classes/dark/._a.png', 'classes/light/b.png', 'elsewhere/x.png');
    create('classes/.ipynb_checkpoints/a.png', 'classes/dark/.ipynb_checkpoints/a.png', 'classes/labels.txt');
    symlinkSync('../elsewhere', join(sandbox, 'classes/linked'));
    const { sources, labels } = await openImageDirectory(join(sandbox, 'classes'));
    assert.deepEqual(labels, ['dark', 'light', 'linked']);
    assert.deepEqual(
      sources.map(({ name }) => name.slice(sandbox.length + 1)),
      ['classes/dark/a.png', 'classes/light/b.png', 'classes/linked/x.png'],
    );
  });
});

describe('a pattern in quotes is the files that match it, sorted', () => {
  /** @type {[string, string[]][]} */
  const cases = [
    ['photos/*', ['a.JPG', 'b.png', 'e.jpeg', 'link.png']],
    ['photos/*.{png,gif}', ['b.png', 'link.png']],
    ['./photos/**/*.{gif,bmp}', ['sub/c.gif', 'sub/deep/d.bmp']],
    ['photos/**/*.[pg]*', ['b.png', 'link.png', 'sub/c.gif']],
    ['ph?tos/sub/*', ['sub/c.gif']],
    ['{photos,empty}/sub/*/*', ['sub/deep/d.bmp']],
    [join(sandbox, 'photos/sub/*'), ['sub/c.gif']],
  ];
  for (const [pattern, names] of cases) {
    test(pattern.replace(sandbox, ''), () => {
      const { stdout } = ocelli(['classify', '--json', ...CLASSIFIER, pattern], { cwd });
      const found = jsonLines(stdout).map(({ file }) => file.replace(`${sandbox}/`, ''));
      assert.deepEqual(
        found,
        names.map((name) => `photos/${name}`),
      );
    });
  }

  test('but a file with that name is meant first', () => {
    assert.deepEqual(classified('odd/a[1].png'), ['odd/a[1].png']);
    assert.deepEqual(classified('odd/a[12].png'), ['odd/a1.png']);
    assert.deepEqual(classified('odd/a\\[1\\].*'), ['odd/a[1].png']);
  });
});

describe('what names nothing is an error that names it, and the others are done', () => {
  const readers = [['detect'], ['embed'], ['classify', ...CLASSIFIER], ['similar', 'one/only.png']];
  for (const [command, ...args] of readers) {
    test(command, () => {
      const nothing = ['empty', 'no/*.png', 'photos/*.webp', 'gone.png', 'https://example.com/a.png', ''];
      const { status, stdout, stderr } = ocelli([command, '--json', ...args, ...nothing, 'one'], { cwd });
      assert.equal(status, 1);
      assert.match(stdout, /^\{.*only\.png.*\}\n$/);
      assert.deepEqual(
        stderr.split('\n').map((line) => line.split(': ').slice(0, 3)),
        [
          ['ocelli', 'empty', 'NO_IMAGES'],
          ['ocelli', 'no/*.png', 'NO_MATCH'],
          ['ocelli', 'photos/*.webp', 'NO_MATCH'],
          ['ocelli', 'gone.png', 'ENOENT'],
          ['ocelli', 'https://example.com/a.png', 'NOT_A_FILE'],
          ['ocelli', "''", 'ENOENT'],
          [''],
        ],
      );
      assert.equal(ocelli([command, ...args, 'empty'], { cwd }).stdout, '');
    });
  }

  test('quantize, train and evaluate', () => {
    for (const [args, line] of /** @type {[string[], string][]} */ ([
      [['quantize', CLASSIFIER[1], 'q.tflite', '--images', 'empty'], 'empty: NO_IMAGES: '],
      [['quantize', CLASSIFIER[1], 'q.tflite', '--images', 'x/*.png'], 'x/*.png: NO_MATCH: '],
      [
        ['quantize', CLASSIFIER[1], 'q.tflite', '--images', 'one', '--signature', 'gone'],
        `${CLASSIFIER[1]}: MODEL_NO_SIGNATURE: `,
      ],
      [['train', 'gone', '--out', 't.tflite'], 'gone: ENOENT: '],
      [['train', 'empty', '--out', 't.tflite'], 'empty: NO_EXAMPLES: '],
      [['evaluate', CLASSIFIER[1], 'gone'], 'gone: ENOENT: '],
    ])) {
      const { status, stdout, stderr } = ocelli(args, { cwd });
      assert.deepEqual({ status, stdout }, { status: 1, stdout: '' });
      assert.ok(stderr.startsWith(`ocelli: ${line}`), stderr);
      assert.equal(stderr.split('\n').length, 2);
    }
  });
});

test('an image that fails is named by quantize, train and evaluate --strict', () => {
  const text = Buffer.from('no image');
  create('bad/dark/a.png', 'bad/dark/b.png', 'bad/light/a.png');
  writeFileSync(join(sandbox, 'bad/dark/b.png'), text);
  const quantize = ['quantize', '--strict', ...INPUT, CLASSIFIER[1], 'q.tflite', '--images', 'bad'];
  for (const args of [quantize, ['train', '--strict', 'bad', '--out', 't.tflite', ...CLASSIFIER]]) {
    const { status, stderr } = ocelli(args, { cwd });
    assert.equal(status, 1);
    assert.match(stderr, /^ocelli: bad(\/dark\/b\.png)?: UNSUPPORTED_IMAGE_FORMAT: .*\n$/);
    assert.match(stderr, /bad\/dark\/b\.png/);
  }
  const model = join(sandbox, 'trained.tflite');
  create('good/dark/a.png', 'good/light/a.png');
  const trained = ocelli(['train', 'good', '--out', model, ...CLASSIFIER, '--epochs', '1'], { cwd });
  assert.equal(trained.status, 0, trained.stderr);
  const { status, stdout, stderr } = ocelli(['evaluate', '--strict', model, 'bad'], { cwd });
  assert.deepEqual({ status, stdout }, { status: 1, stdout: '' });
  assert.match(stderr, /^ocelli: bad\/dark\/b\.png: UNSUPPORTED_IMAGE_FORMAT: .*\n$/);
});

describe('what detect has written is no input', () => {
  test('if it is inside the directory', () => {
    create('album/a.jpg');
    for (const argument of ['album', 'album/**/*.*', 'album']) {
      const { stdout } = ocelli(['detect', '--json', argument, '--out', 'album/found'], { cwd });
      assert.deepEqual(
        jsonLines(stdout).map(({ file }) => file),
        ['album/a.jpg'],
      );
    }
    // In the same directory, a pattern says which files are meant.
    const again = ocelli(['detect', '--json', 'album/*.jpg', 'album/found/*', '--out', 'album'], { cwd });
    assert.deepEqual(
      jsonLines(again.stdout).map(({ file }) => file),
      ['album/a.jpg', 'album/found/a.png'],
    );
    const { status, stderr } = ocelli(['detect', 'album', '--out', 'album/'], { cwd });
    assert.equal(status, 2);
    assert.match(stderr, /--out album\/ is the directory that the images come from/);
  });
});

test('control characters in names do not reach the terminal', () => {
  create('names/a\x1b[2J.png', 'names/b\n.png');
  writeFileSync(join(sandbox, 'names/b\n.png'), 'no image');
  for (const [command, ...args] of [['detect'], ['embed'], ['classify', ...CLASSIFIER], ['similar', 'one']]) {
    const { stdout, stderr } = ocelli([command, ...args, 'names'], { cwd });
    assert.match(stdout, /names\/a\ufffd\[2J\.png/);
    assert.match(stderr, /^ocelli: names\/b\ufffd\.png: UNSUPPORTED_IMAGE_FORMAT: .*\n/);
  }
});

test('standard input is an image of every command that reads images', () => {
  const input = readFileSync(join(sandbox, 'one/only.png'));
  for (const [command, ...args] of [['detect'], ['embed'], ['classify', ...CLASSIFIER]]) {
    const [{ file }] = jsonLines(succeed([command, '--json', ...args, '-'], { cwd, input }));
    assert.equal(file, '-');
  }
  assert.match(succeed(['similar', 'one', '-'], { cwd, input }), /\n +1\.0000 +-\n$/);
});
