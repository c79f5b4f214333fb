// An image that cannot be read is named, counted and left out; with --strict the command stops and writes nothing.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { encodePng } from '../../../wasm/draw/png.js';
import { spawnSync } from 'node:child_process';
import { CLI, INPUT, makeSandbox, SMALL } from './run.js';

/** With all that stderr has. @param {string[]} args @param {{cwd: string}} options */
const ocelli = (args, { cwd }) => spawnSync(process.execPath, [CLI, ...args], { cwd, encoding: 'utf8' });

const cwd = makeSandbox('strict-', ['a', 'b', 'c', 'd']);
const sound = readFileSync(join(cwd, 'photos/dark/a.png'));
const bad = join('photos', 'dark', 'bad.png');
writeFileSync(join(cwd, bad), sound.subarray(0, 44));
mkdirSync(join(cwd, 'empty'));
writeFileSync(join(cwd, 'empty/bad.png'), sound.subarray(0, 44));

// a YOLO data set of three pictures, one of them damaged
mkdirSync(join(cwd, 'yolo/images'), { recursive: true });
mkdirSync(join(cwd, 'yolo/labels'));
const picture = encodePng({ data: new Uint8Array(48 * 48 * 3).fill(90), width: 48, height: 48, channels: 3 });
for (const name of ['a', 'b', 'bad']) {
  writeFileSync(join(cwd, `yolo/images/${name}.png`), name === 'bad' ? picture.subarray(0, 44) : picture);
  writeFileSync(join(cwd, `yolo/labels/${name}.txt`), '0 0.5 0.5 0.5 0.5\n');
}
writeFileSync(join(cwd, 'yolo/data.yaml'), 'train: images\nval: images\nnames: [Dog]\n');

const CLASSIFIER = ['--model', SMALL, ...INPUT];
/** Of each command: its arguments, the file that it writes, the image that is bad, how many there are. */
const RUNS = /** @type {[string, string[], string | undefined, string, number][]} */ ([
  ['embed', [...CLASSIFIER, '--npy', 'rows.npy', 'photos'], 'rows.npy', bad, 9],
  ['similar', [...CLASSIFIER, 'photos/light/a.png', 'photos'], undefined, bad, 9],
  ['train', ['photos', '--out', 'trained.tflite', '--epochs', '1'], 'trained.tflite', bad, 9],
  ['quantize', [...INPUT, '--images', 'photos', SMALL, 'small8.tflite'], 'small8.tflite', bad, 9],
  ['evaluate', ['yolo', '--bootstrap', '0'], undefined, join('images', 'bad.png'), 3],
]);

describe('one image that cannot be read', () => {
  for (const [name, args, out, image, total] of RUNS) {
    test(`${name}: is named, counted and left out`, () => {
      const { status, stdout, stderr } = ocelli([name, ...args], { cwd });
      assert.equal(status, ['embed', 'similar'].includes(name) ? 1 : 0, stderr);
      assert.match(stderr, new RegExp(`^ocelli: ${image}: IMAGE_CORRUPT: .*; left out$`, 'm'));
      assert.match(stderr, new RegExp(`^images left out: 1 of ${total}$`, 'm'));
      assert.equal(stderr.match(/; left out$/gm)?.length, 1);
      assert.ok(stdout !== '' && (out === undefined || existsSync(join(cwd, out))));
    });

    test(`${name} --strict: ends the command`, () => {
      const strictOut = out && `strict-${out}`;
      const { status, stdout, stderr } = ocelli(
        [name, '--strict', ...args.map((arg) => (arg === out ? `strict-${out}` : arg))],
        { cwd },
      );
      assert.equal(status, 1);
      assert.match(stderr, new RegExp(`${image}: .*IMAGE_CORRUPT|IMAGE_CORRUPT.*${image}`));
      assert.ok(!strictOut || !existsSync(join(cwd, strictOut)));
      assert.ok(name === 'embed' || stdout === '');
    });
  }

  test('rows, classes and counts are those of the others', () => {
    const npy = readFileSync(join(cwd, 'rows.npy'), 'latin1');
    assert.match(npy, /'shape': \(8, /);
    const { status, stdout, stderr } = ocelli(['evaluate', 'trained.tflite', 'photos', '--json'], { cwd });
    assert.equal(status, 0);
    assert.match(stderr, /images left out: 1 of 9/);
    assert.equal(JSON.parse(stdout).examples, 8);
    assert.equal(ocelli(['evaluate', '--strict', 'trained.tflite', 'photos', '--json'], { cwd }).status, 1);
  });

  test('a class without any other, and a directory without any other, end the command', () => {
    mkdirSync(join(cwd, 'two/dark'), { recursive: true });
    mkdirSync(join(cwd, 'two/light'));
    writeFileSync(join(cwd, 'two/dark/a.png'), sound);
    writeFileSync(join(cwd, 'two/light/bad.png'), sound.subarray(0, 44));
    const trained = ocelli(['train', 'two', '--out', 'two.tflite'], { cwd });
    assert.equal(trained.status, 1);
    assert.match(trained.stderr, /EMPTY_CLASS: .*'light'/);
    for (const args of [
      ['embed', ...CLASSIFIER, 'empty'],
      ['quantize', ...INPUT, '--images', 'empty', SMALL, 'none.tflite'],
    ])
      assert.equal(ocelli(args, { cwd }).status, 1);
    assert.ok(!existsSync(join(cwd, 'two.tflite')) && !existsSync(join(cwd, 'none.tflite')));
  });
});
