// ocelli convert: what it prints, what it writes, and that it writes nothing when it fails.
import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { zipSync } from 'fflate';
import { large, needsLarge, packagePhoto, testData } from '../shared.js';
import { ocelli, SAVED } from './run.js';

const PERSON = 'convert/frozen_ssdlite_mobilenet_v2_300_person';
const WEB = testData('convert/tfjs_small_classifier');

/** @type {string} */ let sandbox;
before(() => {
  sandbox = mkdtempSync(join(tmpdir(), 'ocelli-convert-'));
});
after(() => rmSync(sandbox, { recursive: true, force: true }));

describe('ocelli convert', () => {
  test('a detector: written, described, and found to detect', needsLarge(PERSON), () => {
    const out = join(sandbox, 'person.tflite');
    const { status, stdout, stderr } = ocelli(['convert', large(PERSON), out]);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    assert.match(stdout, /person\.tflite: a detector, 11\.5 MiB/);
    assert.match(stdout, /1917 anchors, box coder 10, 10, 5, 5, sigmoid scores of 1 class/);
    const inspected = ocelli(['inspect', out]).stdout;
    assert.match(inspected, /resize +legacy/);
    assert.match(inspected, /normalization +\(pixel - 127\.5\) \/ 127\.5/);
    assert.match(inspected, /suppression +score 1e-8, IoU 0\.6, 100 a class, 100 in all/);
    const { detections } = JSON.parse(
      ocelli(['detect', '--json', '--model', out, '-'], { input: packagePhoto('astronaut.png') }).stdout,
    );
    assert.equal(detections.length, 1);
    assert.ok(Math.abs(detections[0].score - 0.9024) < 1e-3);
  });

  test('the thresholds and limits of the file hold unless an option is given', needsLarge(PERSON), () => {
    const out = join(sandbox, 'limited.tflite');
    assert.equal(ocelli(['convert', large(PERSON), out]).status, 0);
    const limited = readFileSync(out, 'latin1').replace(
      /"iouThreshold":[^,}]+,"maxPerClass":100,"maxResults":100/,
      (text) => '"iouThreshold":1,"maxPerClass":7,"maxResults":5'.padEnd(text.length),
    );
    writeFileSync(out, limited, 'latin1');
    const found = (/** @type {string[]} */ ...args) => {
      const { stdout } = ocelli(['detect', '--json', '--score', '0', '--model', out, ...args, '-'], {
        input: packagePhoto('astronaut.png'),
      });
      return JSON.parse(stdout).detections;
    };
    const boxes = found();
    assert.equal(boxes.length, 5);
    // Without suppression, the best boxes are of the same person.
    assert.ok(boxes.every((/** @type {{box: {width: number}}} */ { box }) => box.width > 150));
    assert.equal(found('--max', '50').length, 50);
    assert.notDeepEqual(found('--iou', '0.6'), boxes);
  });

  test(
    'a frozen graph: the same in a directory, alone, in a zip, from standard input',
    needsLarge(PERSON),
    () => {
      const graph = readFileSync(join(large(PERSON), 'frozen_inference_graph.pb'));
      const zip = join(sandbox, 'model.zip');
      writeFileSync(zip, zipSync({ 'some/where/frozen_inference_graph.pb': graph }));
      /** @type {[string, Uint8Array?][]} */
      const sources = [
        [large(PERSON)],
        [join(large(PERSON), 'frozen_inference_graph.pb')],
        [zip],
        ['-', graph],
      ];
      const files = sources.map(([source, input], i) => {
        const out = join(sandbox, `same-${i}.tflite`);
        assert.equal(ocelli(['convert', source, out], { input }).status, 0, source);
        return readFileSync(out);
      });
      for (const file of files) assert.ok(file.equals(files[0]));
    },
  );

  test('a directory, or its main file', () => {
    const [whole, part] = [SAVED, join(SAVED, 'saved_model.pb')].map((source, i) => {
      const out = join(sandbox, `part-${i}.tflite`);
      assert.equal(ocelli(['convert', source, out]).status, 0, source);
      return readFileSync(out);
    });
    assert.ok(whole.equals(part));
    assert.equal(ocelli(['convert', join(WEB, 'model.json'), join(sandbox, 'web.tflite')]).status, 0);
  });

  test('the .json file that is named, not another model beside it', () => {
    const folder = join(sandbox, 'several');
    cpSync(SAVED, folder, { recursive: true });
    cpSync(WEB, folder, { recursive: true });
    renameSync(join(folder, 'model.json'), join(folder, 'web.json'));
    writeFileSync(join(folder, 'labels.txt'), 'a\nb\n');
    const out = join(sandbox, 'several.tflite');
    const convert = (/** @type {string} */ source) => ocelli(['convert', source, out, '--force']);
    const read = (/** @type {string} */ source) => {
      const { status, stderr } = convert(source);
      assert.equal(status, 0, stderr);
      return readFileSync(out);
    };
    const [web, saved] = [WEB, SAVED].map(read);
    assert.ok(!web.equals(saved));
    assert.ok(read(join(folder, 'web.json')).equals(web));
    assert.ok(read(join(folder, 'saved_model.pb')).equals(saved));
    writeFileSync(join(folder, 'other.json'), '{"format": "keras"}');
    writeFileSync(join(folder, 'metadata.json'), '{"labels": ["a", "b"]}');
    for (const name of ['other.json', 'metadata.json']) {
      const { status, stderr } = convert(join(folder, name));
      assert.equal(status, 1);
      assert.match(stderr, /SOURCE_UNKNOWN.*is not a TensorFlow\.js model/);
    }
    unlinkSync(join(folder, 'saved_model.pb'));
    writeFileSync(join(folder, 'graph.pb'), readFileSync(join(SAVED, 'saved_model.pb')));
    assert.equal(convert(join(folder, 'other.json')).status, 1);
    assert.ok(read(join(folder, 'web.json')).equals(web));
  });

  test('a directory, or its main file, from inside it', () => {
    const cwd = join(sandbox, 'inside');
    cpSync(WEB, cwd, { recursive: true });
    writeFileSync(join(cwd, 'OTHER.JSON'), readFileSync(join(cwd, 'model.json')));
    const out = join(sandbox, 'inside.tflite');
    assert.equal(ocelli(['convert', WEB, out]).status, 0);
    const expected = readFileSync(out);
    for (const source of ['.', './', 'model.json', './model.json', 'OTHER.JSON', '../inside']) {
      rmSync(out);
      const { status, stderr } = ocelli(['convert', source, out], { cwd });
      assert.equal(status, 0, `${source}: ${stderr}`);
      assert.ok(readFileSync(out).equals(expected), source);
    }
    symlinkSync('model.json', join(cwd, 'link.tflite'));
    const { status, stderr } = ocelli(['convert', '.', 'link.tflite', '--force'], { cwd });
    assert.equal(status, 2);
    assert.match(stderr, /would overwrite the input (link\.tflite|model\.json)/);
    assert.ok(existsSync(join(cwd, 'model.json')));
  });

  test('options, and one JSON object', () => {
    const out = join(sandbox, 'small.tflite');
    const args = ['convert', '--weights', 'int8', '--batch', '2', '--json', SAVED, out];
    const { kind, bytes, operators } = JSON.parse(ocelli(args).stdout);
    assert.deepEqual([kind, bytes, operators.CONV_2D], ['network', readFileSync(out).length, 5]);
    assert.match(ocelli(['inspect', out]).stdout, /float32 +\[2, 96, 96, 3\]/);
  });

  test('failures are named, end with 1 or 2, and leave nothing behind', () => {
    const folder = mkdtempSync(join(sandbox, 'empty-'));
    const out = join(folder, 'out.tflite');
    const archive = (/** @type {Record<string, Uint8Array>} */ files) => {
      const path = join(sandbox, `${Object.keys(files).join().length}.zip`);
      writeFileSync(path, zipSync(files));
      return path;
    };
    /** @type {[string[], number, RegExp][]} */
    const cases = [
      [[join(sandbox, 'nothing'), out], 1, /ENOENT/],
      [[testData('labels'), out], 1, /SOURCE_UNKNOWN/],
      [[testData('images/baseline.jpg'), out], 1, /SOURCE_(UNKNOWN|DAMAGED)/],
      [[archive({ '../saved_model.pb': new Uint8Array(9) }), out], 1, /ARCHIVE_UNSAFE/],
      [[archive({ 'saved_model.pb': new Uint8Array(9) }), out], 1, /SOURCE_|CHECKPOINT_/],
      [['--signature', 'nope', SAVED, out], 1, /SIGNATURE_UNKNOWN.*the model has: serving_default/],
      [['--classes', 'Dog', SAVED, out], 2, /detectors only/],
      [['--weights', 'int4', SAVED, out], 2, /--weights takes fp32, fp16, int8 or hybrid/],
      [['--batch', 'many', SAVED, out], 2, /--batch takes/],
      [[SAVED], 2, /needs a model to convert/],
      [[SAVED, join(folder, 'no/such/folder.tflite')], 1, /ENOENT/],
    ];
    for (const [args, expected, reason] of cases) {
      const { status, stdout, stderr } = ocelli(['convert', ...args]);
      assert.deepEqual({ status, stdout }, { status: expected, stdout: '' }, args.join(' '));
      assert.match(stderr, reason);
      assert.doesNotMatch(stderr, /\n +at /);
    }
    assert.deepEqual(readdirSync(folder), []);
  });
});
