// Keras' own files, against Keras' outputs; and configurations that Keras would not write.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { unzipSync, zipSync } from 'fflate';
import { convert } from '../../../wasm/convert/node.js';
import { readArray, testData } from '../shared.js';
import { readSource, runEach } from './convert.js';

const folder = (/** @type {string} */ name) => testData(`convert/keras/${name}`);
const source = (/** @type {string} */ name) => readSource(folder(name));
const bytesOf = (/** @type {string} */ name) => new Uint8Array(readFileSync(folder(name)));
const SIZE = 20 * 16 * 3;

/** The two images of the reference. */
function images() {
  const pixels = readArray(folder('input.u8.bin'), Uint8Array);
  return [0, 1].map((i) => Float32Array.from(pixels.subarray(i * SIZE, (i + 1) * SIZE)));
}

describe('every layer that is read', () => {
  for (const [name, reference] of [
    ['keras2.h5', 'keras2'],
    ['keras2.keras', 'keras2'],
    ['keras3.h5', 'keras3'],
    ['keras3.keras', 'keras3'],
  ])
    test(name, async () => {
      const { model, notes } = await convert(source(name));
      const expected = readArray(folder(`${reference}.output.f32.bin`), Float32Array);
      const rows = (await runEach('simd', model, images())).flatMap((row) => [...row]);
      rows.forEach((value, i) =>
        assert.ok(Math.abs(value - expected[i]) < 1e-5, `${value}, not ${expected[i]}`),
      );
      assert.ok(
        notes.some((note) => /in training only were left out: .*flip.*zoom|zoom.*flip/.test(note)),
        notes.join(),
      );
      assert.ok(notes.includes('input: pixel, from the rescaling in the graph'), notes.join());
    });
});

test('outputs are chosen by the names of layers', async () => {
  const run = async (/** @type {string} */ layer) =>
    (
      await runEach('simd', (await convert(source('keras2.h5'), { outputs: [layer] })).model, images())
    ).flatMap((row) => [...row]);
  const before = await run('zero_padding2d');
  const after = await run('re_lu');
  assert.ok(before.length > after.length && after.some((value) => value > 0));
  assert.equal(
    after.reduce((sum, value) => sum + value, 0),
    before.reduce((sum, value) => sum + value, 0),
  );
  const expected = readArray(folder('keras2.output.f32.bin'), Float32Array);
  (await run('scores')).forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-5));
  for (const wrong of [{ outputs: ['score'] }, { signature: 'serving_default' }])
    await assert.rejects(convert(source('keras2.h5'), wrong), { code: 'SIGNATURE_UNKNOWN' });
});

test("arithmetic with numbers, GELU and unnamed weights of Keras 3's .h5, which does not tell operations from layers", async () => {
  const { model, operators } = await convert(source('small_keras3.h5'));
  assert.equal(operators.GELU, 1);
  const expected = readArray(folder('small_keras3.output.f32.bin'), Float32Array);
  const inputs = images().map((image) => image.map((pixel) => pixel / 255));
  const rows = (await runEach('simd', model, inputs)).flatMap((row) => [...row]);
  assert.equal(rows.length, expected.length);
  rows.forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-5, `${value}, not ${expected[i]}`));
});

describe("Keras 3's export as in training", () => {
  test('augmentation is left out', async () => {
    const { model, notes } = await convert(source('augmented_export'));
    const expected = readArray(folder('augmented_export.f32.bin'), Float32Array);
    const rows = (await runEach('simd', model, images())).flatMap((row) => [...row]);
    rows.forEach((value, i) =>
      assert.ok(Math.abs(value - expected[i]) < 1e-5, `${value}, not ${expected[i]}`),
    );
    assert.ok(
      notes.some((note) => /left out: .*flip.*turn/.test(note)),
      notes.join(),
    );
  });

  for (const batch of /** @type {const} */ (['dynamic', 1]))
    test(`batch norm by the batch's own statistics is refused, batch: ${batch}`, () =>
      assert.rejects(convert(source('training_export'), { batch }), {
        code: 'GRAPH_UNSUPPORTED',
        message: /all images of a batch.*\.keras/,
      }));
});

/** The .keras file with another configuration. @param {(config: any) => void} change */
function changed(change) {
  const files = unzipSync(bytesOf('keras2.keras'));
  const config = JSON.parse(new TextDecoder().decode(files['config.json']));
  change(config);
  return zipSync({ ...files, 'config.json': new TextEncoder().encode(JSON.stringify(config)) }, { level: 0 });
}

/** @param {any} config @param {string} name */
const layerOf = (config, name) =>
  config.config.layers.find((/** @type {any} */ layer) => layer.name === name);

describe('what cannot be read is named, with what to do', () => {
  /** @type {[string, (config: any) => void, string, RegExp][]} */
  const cases = [
    [
      'Python code',
      (c) => (layerOf(c, 'conv').class_name = 'Lambda'),
      'GRAPH_UNSUPPORTED',
      /Lambda at 'conv'.*export\(\)/,
    ],
    [
      'a layer of the user',
      (c) => (layerOf(c, 'conv').class_name = 'Mine'),
      'GRAPH_UNSUPPORTED',
      /Mine at 'conv'.*export\(\)/,
    ],
    ['a model of the user', (c) => (c.class_name = 'MyModel'), 'GRAPH_UNSUPPORTED', /MyModel.*export\(\)/],
    [
      'an activation of the user',
      (c) => (layerOf(c, 'conv').config.activation = 'mine'),
      'GRAPH_UNSUPPORTED',
      /activation mine/,
    ],
    [
      'channels first',
      (c) => (layerOf(c, 'conv').config.data_format = 'channels_first'),
      'GRAPH_UNSUPPORTED',
      /channels_first/,
    ],
    [
      'a call that is not there',
      (c) => (layerOf(c, 'inner').inbound_nodes = []),
      'SOURCE_DAMAGED',
      /'inner' has no call/,
    ],
    [
      'a layer that is not there',
      (c) => (c.config.output_layers[0][0] = 'nowhere'),
      'SOURCE_DAMAGED',
      /'nowhere'/,
    ],
    [
      'a weight that is not there',
      (c) => layerOf(c, 'scores').config && (layerOf(c, 'scores').class_name = 'PReLU'),
      'SOURCE_INCOMPLETE',
      /scores/,
    ],
    ['no layers', (c) => delete c.config.layers, 'SOURCE_DAMAGED', /no layers/],
  ];
  for (const [what, change, code, message] of cases)
    test(what, () => assert.rejects(convert(changed(change)), { code, message }));

  test('weights alone', async () => {
    const files = unzipSync(bytesOf('keras2.keras'));
    await assert.rejects(convert(files['model.weights.h5']), {
      code: 'SOURCE_INCOMPLETE',
      message: /weights only.*model\.save\(\)/,
    });
  });

  /** @type {[string, string | number[], RegExp][]} */
  const foreign = [
    ['a .tflite file', '\0\0\0\0TFL3', /needs no conversion/],
    ['a pickle', [0x80, 2, 0x8a], /PyTorch/],
    ['ONNX', '\x08\x07\x12\x07pytorch', /ONNX/],
    ['JSON', '{"modelTopology": {}}', /folder/],
  ];
  for (const [what, start, message] of foreign)
    test(what, () =>
      assert.rejects(convert(new Uint8Array(Buffer.concat([Buffer.from(start), Buffer.alloc(40, ' ')]))), {
        code: 'SOURCE_UNKNOWN',
        message,
      }),
    );
});

test('an .h5 file that is cut short or overwritten: a named error or a model, never anything else', async () => {
  const whole = bytesOf('keras2.h5');
  const config = Buffer.from(whole).indexOf('"class_name"');
  assert.ok(config > 0);
  for (let i = 0; i < 120; i++) {
    const bytes = i % 3 === 0 ? whole.slice(0, Math.floor((whole.length * i) / 120)) : whole.slice();
    for (let k = 0; k < 3; k++)
      bytes[(i * 7919 + k * 104729) % Math.min(bytes.length, 6000)] ^= 1 << ((i + k) % 8);
    await convert(bytes, { verify: false }).catch((error) =>
      assert.match(error.code ?? error.stack, /^[A-Z_]+$/),
    );
  }
});

test('Keras Core, with versions from 0.1, computes what Keras 3 does', async () => {
  const files = unzipSync(bytesOf('keras3.keras'));
  const encode = (/** @type {string} */ text) => new TextEncoder().encode(text);
  const decode = (/** @type {Uint8Array} */ bytes) => new TextDecoder().decode(bytes);
  const core = zipSync(
    {
      ...files,
      'config.json': encode(decode(files['config.json']).replaceAll('"keras.', '"keras_core.')),
      'metadata.json': encode(JSON.stringify({ keras_version: '0.1.7' })),
    },
    { level: 0 },
  );
  assert.deepEqual((await convert(core)).model, (await convert(source('keras3.keras'))).model);
});
