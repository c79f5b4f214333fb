// The model manifest agrees with itself, with Open Images' own list and with the package the model comes from; the
// fetch script gets what it should, notices damage, and says what went wrong.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const userCache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');

const manifest = JSON.parse(readFileSync(join(root, 'models/manifest.json'), 'utf8'));
/** @type {any} */
const model = manifest.models.find((/** @type {any} */ candidate) => candidate.id === manifest.default);
const PACKAGE = `objectron-${model.source.version}`;

/** @param {string} path */
const sha256 = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');

describe('manifest', () => {
  test('the package has each form of the default model, by its name in the code, and no other', async () => {
    const { installUrls, locateModel } = await import('../../../wasm/platform/files.js');
    const { urls } = await import('../../../wasm/platform/urls.js');
    installUrls(urls);
    const forms = /** @type {const} */ (['full', 'compressed', 'int8']);
    for (const form of forms) {
      const { file, size_bytes: size, sha256: expected } = form === 'full' ? model : model.made[form];
      const path = join(root, 'dist/models', file);
      assert.equal(fileURLToPath(new URL(locateModel(undefined, form))), path);
      assert.equal(String(locateModel('https://host/dist', form)), `https://host/dist/models/${file}`);
      assert.equal(readFileSync(path).length, size);
      assert.equal(sha256(path), expected);
    }
    assert.equal(Object.keys(model.made).length + 1, forms.length);
  });

  test('edge workers upload the default form, by a name that wrangler takes as data', async () => {
    const { WEIGHTS } = await import('../../../wasm/vision/spec/forms.js');
    const { imports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    assert.deepEqual(imports, { '#models/default.bin': `./dist/models/${model.made[WEIGHTS[0]].file}` });
  });

  test('its anchor generator makes as many anchors as the heads have rows', () => {
    const { featureMaps, aspectRatios, reduceBoxesInLowestLayer } = model.ssd.anchorGenerator;
    const perCell = aspectRatios.length + 1; // one more at the interpolated scale
    const numAnchors = featureMaps
      .map((/** @type {[number, number]} */ [rows, columns], /** @type {number} */ layer) =>
        layer === 0 && reduceBoxesInLowestLayer ? rows * columns * 3 : rows * columns * perCell,
      )
      .reduce((/** @type {number} */ sum, /** @type {number} */ count) => sum + count, 0);
    assert.equal(numAnchors, 1917);
    assert.deepEqual(model.outputs.boxes.shape, [1, 1917, 4]);
    assert.deepEqual(model.outputs.scores.shape, [1, 1917, 24]);
  });

  test('feature maps are the input halved, rounding up', () => {
    let size_px = model.input.shape[1];
    for (let halvings = 0; halvings < 4; halvings++) size_px = Math.ceil(size_px / 2);
    for (const [rows, columns] of model.ssd.anchorGenerator.featureMaps) {
      assert.deepEqual([rows, columns], [size_px, size_px]);
      size_px = Math.ceil(size_px / 2);
    }
  });

  test('input values go from -1 to 1', () => {
    const { scale, offset } = model.input;
    assert.equal(0 * scale + offset, -1);
    assert.ok(Math.abs(255 * scale + offset - 1) < 1e-15);
  });

  test('has a label for each class column but the background', () => {
    assert.equal(model.labels.length, 23);
    assert.equal(model.labels.length + 1, model.outputs.scores.shape[2]);
    const mids = model.labels.map((/** @type {any} */ label) => label.mid);
    assert.equal(new Set(mids).size, mids.length);
  });

  test('names and MIDs are those of Open Images V4', () => {
    const tsv = join(root, 'tests/data/labels/open-images-v4.tsv');
    const rows = readFileSync(tsv, 'utf8').trim().split('\n').slice(1);
    const nameOf = new Map(rows.map((row) => /** @type {[string, string]} */ (row.split('\t').slice(1))));
    for (const { name, mid } of model.labels) assert.equal(nameOf.get(mid), name);
  });

  test('labels fit what the network says of a known photo', () => {
    const bytes = new Uint8Array(readFileSync(join(root, 'tests/data/detector/chelsea.scores.bin')));
    const logits = new Float32Array(bytes.buffer);
    const numColumns = model.labels.length + 1;
    const best = logits.reduce(
      (top, logit, at) => (at % numColumns !== 0 && logit > logits[top] ? at : top),
      1, // column 0 is the background
    );
    assert.equal(model.labels[(best % numColumns) - 1].name, 'Cat');
  });
});

describe('models/fetch.js', () => {
  /** @type {string} */
  let sandbox;

  /** Runs the script with a cache of its own. @param {string} directory @param {string} [path] PATH */
  const fetchInto = (directory, path = process.env.PATH) =>
    spawnSync(process.execPath, [join(root, 'models/fetch.js'), directory], {
      encoding: 'utf8',
      env: { ...process.env, PATH: path, XDG_CACHE_HOME: join(sandbox, 'cache') },
    });

  /** A PATH whose npm is `script`. @param {string} name @param {string} script */
  const pathWithNpm = (name, script) => {
    const bin = join(sandbox, name);
    mkdirSync(bin);
    writeFileSync(join(bin, 'npm'), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, 'npm'), 0o755);
    return bin + delimiter + process.env.PATH;
  };

  /** Where the script keeps the package's files. @param {string} cache */
  const keptIn = (cache) => join(cache, 'ocelli/models', PACKAGE);

  before(() => {
    sandbox = mkdtempSync(join(tmpdir(), 'ocelli-models-'));
    // What `make` has fetched already is not fetched again for the tests
    if (existsSync(keptIn(userCache)))
      cpSync(keptIn(userCache), keptIn(join(sandbox, 'cache')), { recursive: true });
  });

  after(() => rmSync(sandbox, { recursive: true, force: true }));

  test('writes the model and the manifest', async () => {
    const directory = join(sandbox, 'written');
    const { status, stderr } = fetchInto(directory);
    assert.equal(status, 0, stderr);
    assert.equal(sha256(join(directory, model.file)), model.sha256);
    assert.equal(readFileSync(join(directory, model.file)).length, model.size_bytes);
    const module = await import(pathToFileURL(join(directory, 'manifest.js')).href);
    assert.deepEqual(module.default, manifest);
  });

  test('needs neither npm nor the cache when the model is there', () => {
    const directory = join(sandbox, 'written');
    const { status, stdout } = fetchInto(directory, pathWithNpm('unused', 'exit 9'));
    assert.equal(status, 0);
    assert.match(stdout, /is up to date \(sha256 matches\)/);
  });

  test('replaces a damaged model', () => {
    const directory = join(sandbox, 'damaged');
    mkdirSync(directory);
    const bytes = readFileSync(join(sandbox, 'written', model.file));
    bytes[bytes.length >> 1] ^= 1;
    writeFileSync(join(directory, model.file), bytes);
    const { status, stdout, stderr } = fetchInto(directory);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /written/);
    assert.equal(sha256(join(directory, model.file)), model.sha256);
  });

  test('says so when npm fails', () => {
    const cache = keptIn(join(sandbox, 'cache'));
    cpSync(cache, join(sandbox, 'package'), { recursive: true });
    rmSync(cache, { recursive: true });
    const path = pathWithNpm('offline', 'echo "npm error network is unreachable" >&2; exit 1');
    const directory = join(sandbox, 'offline-out');
    const { status, stderr } = fetchInto(directory, path);
    assert.equal(status, 1);
    assert.match(stderr, /npm pack @mediapipe\/objectron@.* failed/);
    assert.match(stderr, /network is unreachable/);
    assert.equal(existsSync(join(directory, model.file)), false);
  });

  test('refuses a package with another content', () => {
    const archive = join(sandbox, 'other.tgz');
    const data = join(sandbox, 'package', model.source.data);
    chmodSync(data, 0o644);
    const bytes = readFileSync(data);
    writeFileSync(data, Buffer.from(bytes).fill(0, 1000, 1100));
    execFileSync('tar', ['-czf', archive, '-C', sandbox, 'package']);
    writeFileSync(data, bytes);
    const path = pathWithNpm('other', `cp '${archive}' 'mediapipe-objectron-${model.source.version}.tgz'`);
    const directory = join(sandbox, 'other-out');
    const { status, stderr } = fetchInto(directory, path);
    assert.equal(status, 1);
    assert.match(stderr, /oidv4_fp16\.tflite: sha256 is [0-9a-f]{64}, not d0a5255b/);
    assert.equal(existsSync(join(directory, model.file)), false);
  });

  test('fetches a package again that is damaged in the cache', () => {
    // The test before has left one
    const archive = join(sandbox, 'right.tgz');
    execFileSync('tar', ['-czf', archive, '-C', sandbox, 'package']);
    const path = pathWithNpm('right', `cp '${archive}' 'mediapipe-objectron-${model.source.version}.tgz'`);
    const directory = join(sandbox, 'right-out');
    const { status, stdout, stderr } = fetchInto(directory, path);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /is damaged .*, fetching it again/);
    assert.equal(sha256(join(directory, model.file)), model.sha256);
  });
});
