// ocelli convert: what it prints, what it writes, and that it writes nothing when it fails.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { zipSync } from 'fflate';
import { needsShared, shared } from '../shared.js';
import { ocelli } from './run.js';

const PERSON = shared('convert/frozen_ssdlite_mobilenet_v2_300_person');
const V1 = shared('convert/keras2_mobilenet_v1_025_128_classifier');
const WEB = shared('convert/tfjs_mobilenet_v2_035_128_classifier');

/** @type {string} */ let sandbox;
before(() => {
  sandbox = mkdtempSync(join(tmpdir(), 'ocelli-convert-'));
});
after(() => rmSync(sandbox, { recursive: true, force: true }));

describe('ocelli convert', needsShared, () => {
  test('a detector: written, described, and found to detect', () => {
    const out = join(sandbox, 'person.tflite');
    const { status, stdout, stderr } = ocelli(['convert', PERSON, out]);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    assert.match(stdout, /person\.tflite: a detector, 11\.5 MiB/);
    assert.match(stdout, /1917 anchors, box coder 10, 10, 5, 5, sigmoid scores of 1 class/);
    const inspected = ocelli(['inspect', out]).stdout;
    assert.match(inspected, /resize +legacy/);
    assert.match(inspected, /normalization +\(pixel - 127\.5\) \/ 127\.5/);
    assert.match(inspected, /suppression +score 1e-8, IoU 0\.6, 100 a class, 100 in all/);
    const { detections } = JSON.parse(
      ocelli(['detect', '--json', '--model', out, shared('photos/astronaut.png')]).stdout,
    );
    assert.equal(detections.length, 1);
    assert.ok(Math.abs(detections[0].score - 0.9024) < 1e-3);
  });

  test('the same from a directory, a part of it, a zip and standard input', () => {
    const graph = readFileSync(join(PERSON, 'frozen_inference_graph.pb'));
    const zip = join(sandbox, 'model.zip');
    writeFileSync(zip, zipSync({ 'some/where/frozen_inference_graph.pb': graph }));
    /** @type {[string, Uint8Array?][]} */
    const sources = [[PERSON], [join(PERSON, 'frozen_inference_graph.pb')], [zip], ['-', graph]];
    const files = sources.map(([source, input], i) => {
      const out = join(sandbox, `same-${i}.tflite`);
      assert.equal(ocelli(['convert', source, out], { input }).status, 0, source);
      return readFileSync(out);
    });
    for (const file of files) assert.ok(file.equals(files[0]));
    const [whole, part] = [V1, join(V1, 'saved_model.pb')].map((source, i) => {
      const out = join(sandbox, `part-${i}.tflite`);
      assert.equal(ocelli(['convert', source, out]).status, 0, source);
      return readFileSync(out);
    });
    assert.ok(whole.equals(part));
    assert.equal(ocelli(['convert', join(WEB, 'model.json'), join(sandbox, 'web.tflite')]).status, 0);
  });

  test('options, and one JSON object', () => {
    const out = join(sandbox, 'small.tflite');
    const args = ['convert', '--weights', 'int8', '--batch', '2', '--json', V1, out];
    const { kind, bytes, operators } = JSON.parse(ocelli(args).stdout);
    assert.deepEqual([kind, bytes, operators.CONV_2D], ['network', readFileSync(out).length, 15]);
    assert.match(ocelli(['inspect', out]).stdout, /float32 +\[2, 128, 128, 3\]/);
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
      [[shared('photos'), out], 1, /SOURCE_UNKNOWN/],
      [[shared('photos/coffee.png'), out], 1, /SOURCE_(UNKNOWN|DAMAGED)/],
      [[archive({ '../saved_model.pb': new Uint8Array(9) }), out], 1, /ARCHIVE_UNSAFE/],
      [[archive({ 'saved_model.pb': new Uint8Array(9) }), out], 1, /SOURCE_|CHECKPOINT_/],
      [['--signature', 'nope', V1, out], 1, /SIGNATURE_UNKNOWN.*the model has: serving_default/],
      [['--classes', 'Dog', V1, out], 2, /detectors only/],
      [['--weights', 'int4', V1, out], 2, /--weights takes fp32, fp16 or int8/],
      [['--batch', 'many', V1, out], 2, /--batch takes/],
      [[V1], 2, /needs a model to convert/],
      [[V1, join(folder, 'no/such/folder.tflite')], 1, /ENOENT/],
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
