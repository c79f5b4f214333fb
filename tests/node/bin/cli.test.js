// The command line, run as its users run it: what comes out on stdout and stderr, the exit status, the files written.

import assert from 'node:assert/strict';
import {
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decode } from 'fast-png';
import { encodePng } from '../../../wasm/draw/png.js';
import { UsageError } from '../../../bin/common.js';
import { packagePhoto } from '../shared.js';
import { runCommand, runRefused } from './in_process.js';
import { jsonLines, ocelli, succeed } from './run.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const DEFAULT_MODEL = join(ROOT, 'dist/models/ssd_mobilenet_v2_oidv4.bin');

const sandbox = mkdtempSync(join(tmpdir(), 'ocelli-cli-'));
after(() => rmSync(sandbox, { recursive: true, force: true }));

/** @param {string} name @returns {string} a new empty directory */
function directory(name) {
  const path = join(sandbox, name);
  mkdirSync(path);
  return path;
}

/** @param {string} name @param {string | Uint8Array} content @returns {string} its path */
function file(name, content) {
  const path = join(sandbox, name);
  writeFileSync(path, content);
  return path;
}

/** A picture of nothing: a gradient. @param {number} width @param {number} height */
function gradient(width, height) {
  const data = Uint8Array.from(
    { length: width * height * 3 },
    (_, i) => ((i % (width * 3)) * 255) / (width * 3),
  );
  return { data, width, height, channels: /** @type {const} */ (3) };
}
const GRADIENT = gradient(96, 64);
const PNG = file('gradient.png', encodePng(GRADIENT));
// Whatever the picture, something scores above 0
const ANYTHING = ['--score', '0', '--max', '3'];

describe('wrong usage ends with 2 and one line that says why', () => {
  /** @type {[string[], RegExp][]} */
  const cases = [
    [['constructor'], /no command 'constructor'/],
    [['--frobnicate'], /no option '--frobnicate' before a command/],
    [['detect'], /detect needs at least one image/],
    [['detect', PNG, '--out', PNG], /would overwrite the input/],
  ];
  for (const [args, reason] of cases) {
    test(['ocelli', ...args].join(' ').replaceAll(sandbox, ''), () => {
      const { status, stdout, stderr } = ocelli(args);
      assert.deepEqual({ status, stdout }, { status: 2, stdout: '' });
      const [first, second, ...rest] = stderr.split('\n');
      assert.match(first, /^ocelli: /);
      assert.match(first, reason);
      assert.match(second, /^ocelli.* --help/);
      assert.deepEqual(rest, ['']);
    });
  }

  // Each is told in the same form.
  /** @type {[string[], RegExp][]} */
  const others = [
    [['detect', PNG, '--input', '{'], /--input: /],
    [['detect', PNG, '--input', 'nan'], /--input nan: neither a value that it takes nor a file/],
    [['detect', PNG, '--input', '{"resize": "nicely"}'], /input\.resize must be/],
    [['detect', '-', '-'], /standard input can be read only once/],
    [['detect', PNG, PNG, '--out', join(sandbox, 'one.png')], /is one file for 2 images/],
    [['detect', PNG, '--out', file('notes.md', 'text')], /writes \.png files, not \.md/],
    [['inspect', 'a.tflite', 'b.tflite'], /unexpected argument 'b.tflite'/],
    [['bench', '--precision', 'int8', DEFAULT_MODEL], /--precision is only for the default model/],
    [['bench', '--weights', 'full', DEFAULT_MODEL], /--weights is only for the default model/],
    [['inspect', '--weights', 'full', DEFAULT_MODEL], /--weights is only for the default model/],
    [['detect', '--weights', 'half', 'a.png'], /--weights/],
    [['bench', '--baseline', '-'], /--baseline loads MODEL twice/],
  ];
  for (const [args, reason] of others)
    test(['ocelli', ...args].join(' ').replaceAll(sandbox, ''), () =>
      assert.rejects(runRefused(args), (error) => error instanceof UsageError && reason.test(error.message)),
    );
});

describe('bad input ends with 1 and is named', () => {
  const text = file('notes.txt', 'neither an image nor a model');
  const cut = file('cut.png', readFileSync(PNG).subarray(0, 100));
  const empty = file('empty.jpg', '');
  /** @type {[string[], string, string][]} arguments, name, code */
  const cases = [
    [['detect', 'no/such.png'], 'no/such.png', 'ENOENT'],
    [['detect', text], text, 'UNSUPPORTED_IMAGE_FORMAT'],
    [['detect', cut], cut, 'IMAGE_CORRUPT'],
    [['detect', empty], empty, 'IMAGE_EMPTY'],
    [['detect', PNG, '--model', 'no.tflite'], 'no.tflite', 'MODEL_NOT_FOUND'],
    [['detect', PNG, '--model', text], text, 'MODEL_NOT_TFLITE'],
    [['detect', PNG, '--model', PNG], PNG, 'MODEL_NOT_TFLITE'],
    [['detect', PNG, '--labels', 'no.txt'], 'no.txt', 'ENOENT'],
    [['detect', PNG, '--ssd', 'no.json'], 'no.json', 'ENOENT'],
    [['detect', PNG, '--classes', 'Doge'], 'default model', 'UNKNOWN_CLASS'],
    [['inspect', 'no.tflite'], 'no.tflite', 'MODEL_NOT_FOUND'],
    [['inspect', PNG], PNG, 'MODEL_NOT_TFLITE'],
    [['bench', PNG], PNG, 'MODEL_NOT_TFLITE'],
  ];
  for (const [args, name, code] of cases) {
    test(['ocelli', ...args].join(' ').replaceAll(sandbox, ''), async (t) => {
      const { status, stderr } = await runCommand(t, args[0], args.slice(1));
      assert.equal(status, 1);
      assert.ok(stderr.startsWith(`ocelli: ${name}: ${code}: `), stderr);
      assert.equal(stderr.split('\n').length, 2);
    });
  }

  test('an output that cannot be written', () => {
    const { status, stderr } = ocelli(['detect', PNG, '--out', 'no/such/directory.png']);
    assert.equal(status, 1);
    assert.match(stderr, /^ocelli: no\/such\/directory\.png: ENOENT: .*\n$/);
  });

  test('on standard input', () => {
    const { status, stdout, stderr } = ocelli(['detect', '--json', '-'], { input: Buffer.from('no image') });
    assert.deepEqual({ status, stdout }, { status: 1, stdout: '' });
    assert.match(stderr, /^ocelli: -: UNSUPPORTED_IMAGE_FORMAT: /);
  });

  test('and the other images are still looked at', () => {
    const { status, stdout, stderr } = ocelli(['detect', '--json', PNG, text, 'gone.png', PNG]);
    assert.equal(status, 1);
    assert.deepEqual(
      jsonLines(stdout).map((line) => line.file),
      [PNG, PNG],
    );
    assert.equal(stderr.trimEnd().split('\n').length, 2);
  });
});

describe('detect', () => {
  test('--json prints one object a line', () => {
    const lines = jsonLines(succeed(['detect', '--json', ...ANYTHING, PNG, PNG]));
    assert.equal(lines.length, 2);
    for (const line of lines) {
      assert.deepEqual(Object.keys(line), ['file', 'width', 'height', 'detections', 'precision', 'ms']);
      assert.deepEqual([line.file, line.width, line.height], [PNG, GRADIENT.width, GRADIENT.height]);
      assert.deepEqual(Object.keys(line.ms), ['decode', 'preprocess', 'network', 'postprocess']);
      assert.ok(Object.values(line.ms).every((time) => time >= 0) && line.ms.network > 0);
      assert.equal(line.detections.length, 3);
      for (const { label, labelId, mid, score, box, ...rest } of line.detections) {
        assert.deepEqual(rest, {});
        assert.ok(typeof label === 'string' && Number.isInteger(labelId) && score > 0 && score < 1);
        assert.match(mid, /^\/m\//);
        assert.deepEqual(Object.keys(box), ['x', 'y', 'width', 'height']);
        assert.ok(box.x >= 0 && box.x + box.width <= line.width + 1e-3);
        assert.ok(box.y >= 0 && box.y + box.height <= line.height + 1e-3);
      }
    }
    assert.deepEqual(lines[0].detections, lines[1].detections);
  });

  test('- is standard input, for the image or the model', () => {
    const [{ detections }] = jsonLines(succeed(['detect', '--json', ...ANYTHING, PNG]));
    const image = succeed(['detect', '--json', ...ANYTHING, '-'], { input: readFileSync(PNG) });
    assert.deepEqual(
      { ...jsonLines(image)[0], ms: 0 },
      { file: '-', width: 96, height: 64, detections, precision: 'float', ms: 0 },
    );
    const model = succeed(['detect', '--json', ...ANYTHING, '--model', '-', PNG], {
      input: readFileSync(DEFAULT_MODEL.replace('.bin', '.gz')),
    });
    assert.deepEqual(jsonLines(model)[0].detections, detections);
  });

  test('--classes and --deny take names, MIDs and numbers; --labels renames', () => {
    const found = (/** @type {string[]} */ ...args) =>
      jsonLines(succeed(['detect', '--json', '--score', '0', ...args, PNG]))[0].detections.map(
        (/** @type {{label: string}} */ { label }) => label,
      );
    assert.deepEqual(
      new Set(found('--classes', 'dog, /m/01yrx', '--classes', '0')),
      new Set(['Dog', 'Cat', 'Bicycle']),
    );
    assert.deepEqual(new Set(found('--classes', 'Dog,Cat', '--deny', 'Dog')), new Set(['Cat']));
    const labels = file(
      'labels.txt',
      `???\n${Array.from({ length: 23 }, (_, i) => `thing ${i}`).join('\n')}\n`,
    );
    assert.deepEqual(new Set(found('--labels', labels, '--classes', 'thing 7')), new Set(['thing 7']));
  });

  test('tells where nothing is found', () => {
    assert.match(
      succeed(['detect', '--score', '0.99', PNG]),
      /gradient\.png +96 x 64 px, nothing above 99\.0 %/,
    );
  });
});

/** @typedef {{x: number, y: number, width: number, height: number}} Box */

/** @param {string} path @returns {{data: Uint8Array, width: number, height: number}} RGB */
function readPng(path) {
  const { data, width, height, channels } = decode(readFileSync(path));
  assert.equal(channels, 3);
  return { data: /** @type {Uint8Array} */ (data), width, height };
}

/** The pixels in which two pictures differ. @param {string} a @param {string} b */
function differingPixels(a, b) {
  const [first, second] = [readPng(a), readPng(b)];
  assert.deepEqual([first.width, first.height], [second.width, second.height]);
  const at = [];
  for (let i = 0; i < first.width * first.height; i++) {
    const differs = [0, 1, 2].some((c) => first.data[3 * i + c] !== second.data[3 * i + c]);
    if (differs) at.push({ x: i % first.width, y: Math.floor(i / first.width) });
  }
  return at;
}

/** @param {{x: number, y: number}} at @param {Box} box @param {number} margin */
const isNear = ({ x, y }, box, margin) =>
  x >= box.x - margin &&
  x < box.x + box.width + margin &&
  y >= box.y - margin &&
  y < box.y + box.height + margin;

describe('detect --out', () => {
  test('FILE.png is the photo with the objects drawn on it', () => {
    const photo = file('chelsea.png', packagePhoto('chelsea.png'));
    const picture = join(sandbox, 'found.png');
    const { stdout, stderr } = ocelli(['detect', '--json', '--out', picture, photo]);
    assert.equal(stderr, `written: ${picture}\n`);
    const [{ detections }] = jsonLines(stdout);
    assert.equal(detections.length, 1);
    const [{ box }] = detections;
    const inner = { x: box.x + 4, y: box.y + 24, width: box.width - 8, height: box.height - 48 };
    const changed = differingPixels(photo, picture);
    assert.ok(changed.every((at) => isNear(at, box, 24))); // the line, and the tag above or below
    assert.ok(changed.every((at) => !isNear(at, inner, 0)));
    assert.ok(changed.length > box.width + box.height);
  });

  test('changes nothing where nothing is found', () => {
    const picture = join(sandbox, 'nothing.png');
    assert.match(
      succeed(['detect', '--score', '0.99', '--out', picture, PNG]),
      /\nwritten: .*nothing\.png\n$/,
    );
    assert.deepEqual(differingPixels(PNG, picture), []);
  });

  test('DIR is made, and gets a name of its own for each image', () => {
    const other = join(directory('other'), 'gradient.bmp.png');
    copyFileSync(PNG, other);
    const third = join(directory('third'), 'gradient.png');
    copyFileSync(PNG, third);
    const out = join(sandbox, 'new/out');
    const input = readFileSync(PNG);
    const { stdout, stderr } = ocelli(['detect', '--json', PNG, other, third, '-', '--out', out], { input });
    assert.equal(jsonLines(stdout).length, 4);
    const written = ['gradient.png', 'gradient.bmp.png', 'gradient-2.png', 'stdin.png'];
    assert.equal(stderr, written.map((name) => `written: ${join(out, name)}\n`).join(''));
    const names = ['gradient-2.png', 'gradient.bmp.png', 'gradient.png', 'stdin.png'];
    assert.deepEqual(readdirSync(out).sort(), names);
    succeed(['detect', PNG, '--out', `${out}/`]);
    assert.deepEqual(readdirSync(out).sort(), names);
  });

  test('never overwrites an image that is read, under whatever name', () => {
    const place = directory('place');
    const original = encodePng(gradient(50, 40));
    writeFileSync(join(place, 'a.png'), original);
    linkSync(join(place, 'a.png'), join(place, 'linked.png'));
    const bmpName = join(directory('elsewhere'), 'linked.jpg');
    copyFileSync(PNG, bmpName);
    succeed(['detect', ...ANYTHING, join(place, 'a.png'), bmpName, '--out', place]);
    assert.deepEqual(readdirSync(place).sort(), ['a-2.png', 'a.png', 'linked-2.png', 'linked.png']);
    assert.deepEqual(new Uint8Array(readFileSync(join(place, 'a.png'))), original);
    const { status, stderr } = ocelli(['detect', join(place, 'a.png'), '--out', join(place, 'linked.png')]);
    assert.equal(status, 2);
    assert.match(stderr, /would overwrite/);
  });
});

describe('inspect', () => {
  test('the default model', () => {
    const text = succeed(['inspect']);
    assert.match(text, /ssd_mobilenet_v2_oidv4/);
    assert.match(text, /normalized_input_image_tensor +float32 +\[1, 300, 300, 3\]/);
    assert.match(text, /DEPTHWISE_CONV_2D +17 /);
    assert.match(text, /multiply-adds +673 M/);
    assert.match(text, /labels +23: Bicycle, Boot, /);
    assert.match(
      succeed(['inspect', '--operators']),
      /^ +\d+ +CONCATENATION +float32 +\[1, 1917, 24\] +raw_outputs/m,
    );
  });

  test('--json, from standard input', () => {
    const model = JSON.parse(succeed(['inspect', '--json', '-'], { input: readFileSync(DEFAULT_MODEL) }));
    assert.equal(model.file, '-');
    assert.equal(model.manifestId, 'ssd_mobilenet_v2_oidv4');
    assert.deepEqual(
      model.outputs.map((/** @type {{shape: number[]}} */ { shape }) => shape),
      [
        [1, 1917, 4],
        [1, 1917, 24],
      ],
    );
    assert.ok(Math.abs(model.multiplyAdds - 673e6) < 1e6);
    assert.ok(Math.abs(model.parameters - 5e6) < 0.1e6);
    assert.equal(model.memory.fileBytes, 9987728);
    assert.equal(model.labels.length, 23);
    assert.equal(
      model.operators.reduce(
        (/** @type {number} */ sum, /** @type {any} */ each) => sum + each.multiplyAdds,
        0,
      ),
      model.multiplyAdds,
    );
    assert.equal('manifestId' in JSON.parse(succeed(['inspect', '--json'])), true);
  });
});

describe('bench', () => {
  test('--json', () => {
    const report = JSON.parse(succeed(['bench', '--json', '--runs', '3', '--baseline']));
    assert.equal(report.runs, 3);
    assert.equal(report.threads, 1);
    assert.match(report.variant, /^(simd|relaxed)$/);
    assert.equal(report.precision, 'float');
    for (const { median_ms, min_ms } of [report.network, report.baseline])
      assert.ok(min_ms > 0 && min_ms <= median_ms);
    assert.ok(Object.values(report.load).every((ms) => ms > 0));
    assert.ok(Math.abs(report.multiply_adds / report.fma_gmacs / 1e6 - report.bound_ms) < 0.01);
    assert.ok(report.dot_gmacs > 0);
    for (const { ms, baseline_ms } of report.operators) assert.ok(ms >= 0 && baseline_ms >= 0);
    const times = report.operators.map((/** @type {{ms: number}} */ operator) => operator.ms);
    assert.deepEqual(
      times,
      times.toSorted((/** @type {number} */ a, /** @type {number} */ b) => b - a),
    );
  });

  test('--precision int8', () => {
    const report = JSON.parse(succeed(['bench', '--json', '--runs', '3', '--precision', 'int8']));
    assert.equal(report.precision, 'int8');
    assert.ok(report.multiply_adds / report.bound_ms / 1e6 > 0);
  });
});
