// ocelli compress on the default detector: a .gz file, a report, and detections that stay.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { DEFAULT_MODEL, packagePhoto } from '../shared.js';
import { makeSandbox, succeed } from './run.js';

test('ocelli compress: a .gz file, a report, and detections', () => {
  const directory = makeSandbox('ocelli-compress-', []);
  const [out, report, images] = ['out.tflite.gz', 'report', 'images'].map((name) => join(directory, name));
  mkdirSync(images);
  for (const name of /** @type {const} */ (['chelsea.png', 'coffee.png']))
    writeFileSync(join(images, name), packagePhoto(name));
  const said = succeed(['compress', DEFAULT_MODEL, out, '--images', images, '--report', report]);
  assert.match(said, /calibrated on 2 images/);
  const { task, answers, bytes } = JSON.parse(readFileSync(join(report, 'compression.json'), 'utf8'));
  assert.equal(task, 'detector');
  assert.deepEqual(answers.detections.before, { found: 2, matched: 2 });
  const gzip = readFileSync(out);
  assert.equal(gzip.length, bytes.gzip);
  assert.ok(gzip.length < 3e6);
  assert.equal(gunzipSync(gzip).length, bytes.compressed);
});
