// What commands write: whole files where the user means them, standard output, and refusals that help.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { decode } from 'fast-png';
import { packagePhoto } from '../shared.js';
import { CLI, INPUT, makeSandbox, ocelli, SAVED, SMALL, withoutProgress } from './run.js';

const PNG_START = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

const sandbox = makeSandbox('ocelli-outputs-', ['a']);
const cwd = sandbox;

writeFileSync(join(sandbox, 'photo.png'), packagePhoto('chelsea.png'));
mkdirSync(join(sandbox, 'folder'));

/** The commands that write one file, without its name: what precedes it comes first. @type {Record<string, string[]>} */
const WRITERS = {
  detect: ['photo.png', '--out'],
  embed: ['photo.png', '--npy'],
  convert: [SAVED],
  quantize: [...INPUT, '--images', 'photos', SMALL],
  train: ['photos', '--model', SMALL, ...INPUT, '--epochs', '1', '--out'],
};
/** @type {Record<string, string>} */
const EXTENSIONS = {
  detect: '.png',
  embed: '.npy',
  convert: '.tflite',
  quantize: '.tflite',
  train: '.tflite',
};
/** How files of these kinds begin; a .tflite file has its identifier at 4. @type {Record<string, (bytes: Buffer) => boolean>} */
const CHECKS = {
  '.png': (bytes) => bytes.subarray(0, 8).equals(Buffer.from(PNG_START)) && decode(bytes).width > 0,
  '.npy': (bytes) => bytes.toString('latin1', 0, 6) === '\x93NUMPY',
  '.tflite': (bytes) => bytes.toString('latin1', 4, 8) === 'TFL3',
};

/** @param {string[]} args */
function run(args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { cwd, maxBuffer: 1 << 26 });
  return { status, stdout, stderr: withoutProgress(stderr) };
}

for (const [command, args] of Object.entries(WRITERS)) {
  const extension = EXTENSIONS[command];
  const isWhole = CHECKS[extension];

  describe(`${command} writes ${extension}`, () => {
    test('and says so; no other file is left', () => {
      const before = readdirSync(sandbox);
      const name = `${command}${extension}`;
      const { status, stdout, stderr } = run([command, ...args, name]);
      assert.equal(status, 0, stderr);
      assert.match(String(stdout), new RegExp(`^written: ${name}$`, 'm'));
      assert.ok(isWhole(readFileSync(join(sandbox, name))));
      assert.deepEqual(readdirSync(sandbox).sort(), [...before, name].sort());
    });

    test('to standard output for -; the text goes to stderr', () => {
      const { status, stdout, stderr } = run([command, ...args, '-']);
      assert.equal(status, 0, stderr);
      assert.ok(isWhole(stdout));
      assert.doesNotMatch(stderr, /written/);
      assert.notEqual(stderr, '');
    });

    test('but not together with --json', () => {
      const { status, stdout, stderr } = run([command, '--json', ...args, '-']);
      assert.deepEqual({ status, stdout: String(stdout) }, { status: 2, stdout: '' });
      assert.match(stderr, /^ocelli: .* - and --json would mix on standard output\n|not both/);
    });

    test('and refuses to write a file of another kind', () => {
      const { status, stdout, stderr } = run([command, ...args, 'x.h5']);
      assert.deepEqual({ status, stdout: String(stdout) }, { status: 2, stdout: '' });
      assert.ok(stderr.includes(`ocelli writes ${extension} files, not .h5`), stderr);
      assert.ok(!existsSync(join(sandbox, 'x.h5')));
    });

    test('and names a place that cannot be written before it starts', () => {
      const out = `no/such/place${extension}`;
      const { status, stdout, stderr } = run([command, ...args, out]);
      assert.deepEqual({ status, stdout: String(stdout) }, { status: 1, stdout: '' });
      assert.equal(stderr, `ocelli: ${out}: ENOENT: no such file or directory\n`);
    });

    test('or nothing, if there is no room', () => {
      const before = readdirSync(sandbox);
      const script = 'ulimit -f 0 && exec "$@"'; // no file may grow
      const command_ = [process.execPath, CLI, command, ...args, `full${extension}`];
      const { status, stderr } = spawnSync('sh', ['-c', script, 'sh', ...command_], {
        cwd,
        encoding: 'utf8',
        env: { ...process.env, NODE_V8_COVERAGE: '' }, // a report would be a file that grows
      });
      assert.equal(status, 1);
      assert.equal(withoutProgress(stderr), `ocelli: full${extension}: EFBIG: file too large\n`);
      assert.deepEqual(readdirSync(sandbox), before);
    });
  });
}

describe('a directory', () => {
  test('is no file', () => {
    for (const command of ['embed', 'convert', 'quantize', 'train']) {
      for (const name of ['folder', 'folder/', 'new/']) {
        const { status, stderr } = run([command, ...WRITERS[command], name]);
        assert.equal(status, 2);
        assert.match(stderr, /that is a directory; name a \.\w+ file\n/);
      }
    }
  });

  test('is made for detect, with a / if its name has an extension', () => {
    for (const name of ['plain', 'dotted.v1/']) {
      assert.match(String(run(['detect', 'photo.png', '--out', name]).stdout), /^written: .*\/photo\.png$/m);
      assert.ok(existsSync(join(sandbox, name, 'photo.png')));
    }
    assert.equal(run(['detect', 'photo.png', '--out', 'dotted.v1']).status, 0);
  });

  test('of a report is made, and every file in it is named', () => {
    for (const [command, args] of [
      ['quantize', [...WRITERS.quantize, 'q.tflite']],
      ['train', WRITERS.train.slice(0, -1)],
    ]) {
      const report = `${command}/report`;
      const { status, stdout, stderr } = run([String(command), ...args, '--report', report]);
      assert.equal(status, 0, stderr);
      const named = [...String(stdout).matchAll(/^written: (.*)$/gm)].map(([, name]) => name);
      const made = readdirSync(join(sandbox, report)).map((name) => join(report, name));
      assert.ok(made.length > 1);
      assert.deepEqual(named.filter((name) => name !== 'q.tflite').sort(), made.sort());
      for (const [place, reason] of [
        ['card.html', /--report card\.html: this option takes a directory; .* write card\.html\//],
        ['-', /--report takes a directory, not standard output/],
      ]) {
        const refused = run([String(command), ...args, '--report', String(place)]);
        assert.equal(refused.status, 2);
        assert.match(refused.stderr, /** @type {RegExp} */ (reason));
        assert.ok(!existsSync(join(sandbox, String(place))));
      }
    }
  });
});

describe('an input', () => {
  test('is never overwritten', () => {
    const model = readFileSync(SMALL);
    writeFileSync(join(sandbox, 'model.tflite'), model);
    symlinkSync('model.tflite', join(sandbox, 'alias.tflite'));
    for (const args of [
      ['quantize', ...INPUT, '--images', 'photos', 'model.tflite', 'alias.tflite'],
      ['convert', 'model.tflite', './model.tflite'],
      ['train', 'photos', '--model', 'model.tflite', '--out', 'model.tflite'],
    ]) {
      const { status, stderr } = run(args);
      assert.equal(status, 2);
      assert.match(stderr, /would overwrite the input model\.tflite\n/);
      assert.ok(readFileSync(join(sandbox, 'model.tflite')).equals(model));
    }
  });
});

test('detect overwrites no image that it found in a directory or by a pattern', () => {
  mkdirSync(join(sandbox, 'single'));
  const photo = readFileSync(join(sandbox, 'photo.png'));
  writeFileSync(join(sandbox, 'single/photo.png'), photo);
  for (const argument of ['single', 'sin*/*.png', 'single/photo.png']) {
    const { status, stderr } = run(['detect', argument, '--out', './single/photo.png']);
    assert.equal(status, 2);
    assert.match(stderr, /would overwrite the input single\/photo\.png\n/);
    assert.ok(readFileSync(join(sandbox, 'single/photo.png')).equals(photo));
  }
});

test('a model comes from standard input and goes to standard output', () => {
  const input = readFileSync(SMALL);
  const args = ['quantize', ...INPUT, '--images', 'photos', '-', '-'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { cwd, input });
  assert.equal(status, 0, String(stderr));
  assert.ok(CHECKS['.tflite'](stdout));
});

test('bytes of a file do not go to a terminal', () => {
  const quoted = [process.execPath, CLI, 'convert', SAVED, '-'].map((arg) => `'${arg}'`).join(' ');
  const { status, stdout } = spawnSync('script', ['-qec', quoted, '/dev/null'], { cwd, encoding: 'utf8' });
  assert.equal(status, 2);
  assert.match(
    stdout,
    /^ocelli: OUT\.tflite -: standard output is a terminal; send it to a file with > FILE\r\n/,
  );
});

test('a file that is there is replaced, through a link too; a device is written to', () => {
  writeFileSync(join(sandbox, 'old.tflite'), 'old', { mode: 0o600 });
  symlinkSync('old.tflite', join(sandbox, 'link.tflite'));
  assert.equal(run(['convert', SAVED, 'link.tflite', '--force']).status, 0);
  assert.ok(lstatSync(join(sandbox, 'link.tflite')).isSymbolicLink());
  assert.ok(CHECKS['.tflite'](readFileSync(join(sandbox, 'old.tflite'))));
  assert.equal(lstatSync(join(sandbox, 'old.tflite')).mode & 0o777, 0o600);
  assert.equal(run(['convert', SAVED, '/dev/null']).status, 0);
  assert.ok(lstatSync('/dev/null').isCharacterDevice());
});

test('detect writes one file for one image only', () => {
  for (const out of ['-', 'two.png']) {
    const { status, stderr } = run(['detect', 'photos', '--out', out]);
    assert.equal(status, 2);
    assert.match(stderr, new RegExp(`--out ${out} is one file for 2 images; name a directory`));
  }
});

test('two results do not share standard output', () => {
  const { status, stderr } = ocelli(['train', 'photos', '--out', '-', '--json'], { cwd });
  assert.equal(status, 2);
  assert.match(stderr, /--out - and --json would mix/);
});

test('a full standard output is an error with its name', () => {
  const child = spawnSync('sh', ['-c', '"$@" > /dev/full', 'sh', process.execPath, CLI, 'inspect', SMALL]);
  assert.deepEqual(
    { status: child.status, stderr: String(child.stderr) },
    { status: 1, stderr: 'ocelli: standard output: ENOSPC: no space left on device\n' },
  );
});

test('a directory that cannot be made is an error, not a hang', () => {
  for (const out of ['/proc/ocelli', '/proc/ocelli/deep', join(sandbox, 'photos/dark/a.png/deep')]) {
    const { status, stderr } = run(['detect', 'photos', '--out', `${out}/`]);
    assert.notEqual(status, 0);
    assert.match(stderr, /E(NOENT|NOTDIR|EXIST)/);
  }
  assert.equal(run(['detect', 'photos', '--out', 'new/and/deep/']).status, 0);
});
