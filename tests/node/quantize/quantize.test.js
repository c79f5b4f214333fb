// Quantization: its files run in LiteRT.js with the same outputs, by every option, and of the default detector's twin the
// detections are the float one's.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { readFile as readTflite, TYPE, writeFile as writeTflite } from '../../../wasm/quantize/file.js';
import { quantize, toMarkdown } from '../../../wasm/quantize/node.js';
import { ObjectDetector } from '../../../wasm/platform/node.js';
import { kernelBytes } from '../kernel_bytes.js';
import { runLiteRt } from '../litert.js';
import { hasDecoder, match, streetFrames } from '../matches.js';
import {
  cosine,
  COMPRESSED_MODEL,
  DEFAULT_MODEL,
  runModel,
  packagePhoto,
  readArray,
  readJson,
  testData,
  variants,
} from '../shared.js';

const INT8_MODEL = DEFAULT_MODEL.replace('.bin', '-int8.gz');
const CLI = fileURLToPath(new URL('../../../bin/ocelli.js', import.meta.url));

/** @param {string} name */
function readCase(name) {
  const { input, model } = readJson(testData('models/cases.json')).find(
    (/** @type {{model: string}} */ entry) => entry.model === `${name}.tflite`,
  );
  const pixels = readArray(testData(`models/${input.pixels}`), Uint8Array);
  const size = input.size ** 2 * 3;
  const images = [0, 1, 2].map((i) => ({
    data: pixels.subarray(i * size, (i + 1) * size),
    width: input.size,
    height: input.size,
    channels: /** @type {const} */ (3),
  }));
  const spec = { scale: input.scale, offset: input.offset, resize: /** @type {const} */ ('half-pixel') };
  const bytes = new Uint8Array(readFileSync(testData(`models/${model}`)));
  return { bytes, images, spec, shape: [1, input.size, input.size, 3] };
}

/**
 * @param {ReturnType<typeof readCase>} given
 * @param {import('../../../wasm/quantize/index.js').QuantizeOptions} [options]
 */
async function quantizeCase({ bytes, images, spec }, options) {
  const { model } = await quantize(bytes, images, { input: spec, report: false, ...options });
  return model;
}

/** @param {{data: import('../../../wasm/engine/engine.js').TensorData}} output */
function toNumbers({ data }) {
  return Array.from(data, Number);
}

/** @param {ReturnType<typeof readCase>} given */
function floatInput({ images: [{ data }], spec: { scale, offset } }) {
  return Float32Array.from(data, (pixel) => pixel * scale + offset);
}

/** @type {[string, import('../../../wasm/quantize/index.js').QuantizeOptions][]} */
const CASES = [
  ['mobilenet_v2_classifier.fp32', { ranges: 'minmax' }],
  ['mobilenet_v3_small_features.fp16', { ranges: 'percentile' }],
  ['nested_transfer_model.fp32', { ranges: 'average', correctBias: false }],
];

for (const [name, options] of CASES) {
  test(`${name}, ${JSON.stringify(options)}: as in LiteRT.js, and near the float network`, async () => {
    const given = readCase(name);
    const model = await quantizeCase(given, options);
    assert.ok(kernelBytes(model) < kernelBytes(given.bytes) * (name.endsWith('fp16') ? 0.51 : 0.26));
    const input = floatInput(given);
    const [ours] = await runModel(model, input);
    const [theirs] = await runLiteRt(model, input, given.shape);
    const [float] = await runModel(given.bytes, input);
    // As our engine on files of TensorFlow's own: operators round on their own.
    assert.ok(cosine(toNumbers(ours), theirs.data) > 0.98, 'LiteRT.js');
    assert.ok(cosine(toNumbers(ours), toNumbers(float)) > 0.95, 'float');
  });
}

test('inputs of pixels, outputs of 8 bits', async () => {
  const given = readCase('mobilenet_v2_classifier.fp32');
  const [{ data }] = given.images;
  const [float] = await runModel(given.bytes, floatInput(given));
  const [pixels] = await runModel(await quantizeCase(given, { inputType: 'uint8' }), data.slice());
  assert.ok(cosine(toNumbers(pixels), toNumbers(float)) > 0.98);
  const int8 = await quantizeCase(given, { inputType: 'int8', outputType: 'int8' });
  const input = Int8Array.from(data, (pixel) => pixel - 128);
  const [stored] = await runModel(int8, input);
  assert.deepEqual(stored.quantization, { scale: 1 / 256, zeroPoint: -128 });
  const reals = toNumbers(stored).map((value) => (value + 128) / 256);
  // The same numbers but for the types at both ends
  assert.deepEqual(reals, toNumbers(pixels));
});

test('layers left in float, and what the specification asks of the others', async () => {
  const given = readCase('mobilenet_v2_classifier.fp32');
  const before = readTflite(given.bytes);
  const kept = before.tensors[before.operators[3].outputs[0]].name;
  const model = readTflite(await quantizeCase(given, { keepFloat: [kept] }));
  const nameOf = (/** @type {number} */ tensor) => model.tensors[tensor].name;
  for (const { code, inputs, outputs } of model.operators) {
    const [input, output] = [inputs[0], outputs[0]].map((tensor) => model.tensors[tensor]);
    if (nameOf(outputs[0]) === kept) {
      assert.deepEqual([input.type, output.type], [TYPE.float32, TYPE.float32]);
      continue;
    }
    if (code !== 3 && code !== 4) continue;
    const [kernel, bias] = [inputs[1], inputs[2]].map((tensor) => model.tensors[tensor]);
    assert.deepEqual([kernel.type, bias.type], [TYPE.int8, TYPE.int32]);
    const { scales, zeroPoints, axis } =
      /** @type {import('../../../wasm/quantize/file.js').Quantization} */ (kernel.quantization);
    assert.equal(axis, code === 4 ? 3 : 0);
    assert.equal(scales.length, kernel.shape[axis]);
    assert.ok(zeroPoints.every((zero) => zero === 0));
    assert.ok(!new Int8Array(/** @type {Uint8Array} */ (kernel.data)).includes(-128));
    const [inputScale] = input.quantization?.scales ?? [];
    bias.quantization?.scales.forEach((scale, c) => assert.equal(scale, Math.fround(scales[c] * inputScale)));
  }
  assert.ok(model.operators.some(({ outputs }) => nameOf(outputs[0]) === kept));
});

test('any file is written as it was read', () => {
  const { bytes } = readCase('mobilenet_v3_small_features.fp16');
  const model = readTflite(bytes);
  assert.deepEqual(readTflite(writeTflite(model)), model);
});

test('what cannot be quantized is refused', async () => {
  const given = readCase('mobilenet_v2_classifier.fp32');
  /** @param {Promise<unknown>} promise @param {string} code */
  const refuses = (promise, code) => assert.rejects(promise, { name: 'OcelliError', code });
  await refuses(quantizeCase({ ...given, images: [] }), 'NO_IMAGES');
  await refuses(quantizeCase(given, { keepFloat: ['nothing'] }), 'UNKNOWN_TENSOR');
  await refuses(quantizeCase(given, /** @type {any} */ ({ ranges: 'best' })), 'INVALID_OPTION');
  await refuses(quantizeCase(given, /** @type {any} */ ({ range: 'mse' })), 'INVALID_OPTION');
  await refuses(quantizeCase({ ...given, bytes: await quantizeCase(given) }), 'ALREADY_QUANTIZED');
  await refuses(quantizeCase({ ...given, bytes: new Uint8Array(100) }), 'MODEL_NOT_TFLITE');
  await refuses(quantize(given.bytes, given.images), 'MODEL_INPUT_UNKNOWN');
  const aborted = quantizeCase(given, { signal: AbortSignal.abort(new Error('enough')) });
  await assert.rejects(aborted, { message: 'enough' });
});

// ---- the default detector ----

/** @param {import('../../../wasm/vision/types.js').ModelOptions} options @param {any[]} images */
async function detectAll(options, images) {
  const detector = await ObjectDetector.create({ scoreThreshold: 0.2, ...options });
  const found = [];
  for (const image of images) found.push((await detector.detect(image)).detections);
  detector.close();
  return found;
}

test('the default detector in 8 bits, and compressed, finds what it finds in float', hasDecoder, async () => {
  const names = /** @type {const} */ (['astronaut.png', 'chelsea.png', 'coffee.png']);
  const frames = streetFrames();
  assert.equal(frames.length, 80);
  const images = [...frames, ...names.map(packagePhoto)];
  const float = await detectAll({ weights: 'full' }, images);
  for (const { options, least, most } of [
    { options: /** @type {const} */ ({ precision: 'int8' }), least: 0.965, most: 0.014 },
    { options: {}, least: 0.99, most: 0.005 },
  ]) {
    const other = await detectAll(options, images);
    for (const { found, part, difference } of [match(float, other), match(other, float)]) {
      assert.ok(found > 500, `${found} found`);
      assert.ok(part >= least, `${part} matched`);
      assert.ok(difference <= most, `scores differ by ${difference}`);
    }
  }
  assert.ok(statSync(COMPRESSED_MODEL).size <= 2_600_000);
});

test('precision: which twin runs, and where there is no choice', async () => {
  const photo = packagePhoto('chelsea.png');
  const answers = new Map();
  for (const precision of /** @type {const} */ (['float', 'int8', 'auto', 'auto'])) {
    const detector = await ObjectDetector.create({ precision });
    const found = (await detector.detect(photo)).detections;
    const expected = precision === 'auto' ? (answers.get('auto') ?? detector.precision) : precision;
    assert.equal(detector.precision, expected);
    answers.set(precision, detector.precision);
    assert.deepEqual(
      found.map(({ label }) => label),
      ['Cat'],
    );
    detector.close();
  }
  if (!variants.includes('relaxed')) assert.equal(answers.get('auto'), 'float');
  const own = await ObjectDetector.create({ model: INT8_MODEL });
  assert.equal(own.precision, 'int8');
  own.close();
  const twin = await ObjectDetector.create({
    model: DEFAULT_MODEL,
    int8Model: INT8_MODEL,
    precision: 'int8',
  });
  assert.equal(twin.precision, 'int8');
  twin.close();
  for (const options of [
    { precision: 'int8', deterministic: true },
    { precision: 'int8', model: DEFAULT_MODEL },
    { precision: 'half' },
  ])
    await assert.rejects(ObjectDetector.create(/** @type {any} */ (options)), { code: 'INVALID_OPTION' });
});

test('precision auto is float where the clock stands still', () => {
  const script = `performance.now = () => 0;
    const { ObjectDetector } = await import(${JSON.stringify(new URL('../../../wasm/platform/node.js', import.meta.url).href)});
    console.log((await ObjectDetector.create({ precision: 'auto' })).precision);`;
  const said = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  assert.equal(said.trim(), 'float');
});

test('ocelli quantize: a file, a report, and how detections changed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ocelli-quantize-'));
  try {
    writeFileSync(join(directory, 'chelsea.png'), packagePhoto('chelsea.png'));
    writeFileSync(join(directory, 'coffee.png'), packagePhoto('coffee.png'));
    const out = join(directory, 'out.tflite');
    const report = join(directory, 'report');
    const args = [CLI, 'quantize', DEFAULT_MODEL, out, '--images', directory, '--report', report];
    const said = execFileSync(process.execPath, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    assert.match(said, /calibrated on 2 images/);
    const { detections, layers, bytes } = JSON.parse(readFileSync(join(report, 'quantization.json'), 'utf8'));
    assert.deepEqual(detections.before, { found: 2, matched: 2 });
    assert.ok(bytes.quantized < 0.6 * bytes.float);
    assert.ok(layers.every((/** @type {{signalToNoise: number}} */ layer) => layer.signalToNoise > 5));
    assert.match(readFileSync(join(report, 'quantization.md'), 'utf8'), /\| bytes \| 9987728 \|/);
    const page = readFileSync(join(report, 'quantization.html'), 'utf8');
    assert.match(page, /<td>9\.5 MiB<\/td>/);
    const [, points] = /<polyline [^>]*points="([^"]*)"/.exec(page) ?? [];
    const noisy = layers.filter(
      (/** @type {{signalToNoise: number | null}} */ layer) => layer.signalToNoise !== null,
    );
    assert.equal(points.split(' ').length, noisy.length);
    const found = await detectAll({ model: out }, [packagePhoto('chelsea.png')]);
    assert.equal(found[0][0].label, 'Cat');
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('names in a report are harmless', () => {
  const layers = [{ name: 'a|b\n# c', isInt8: true, signalToNoise: 20 }];
  const text = toMarkdown({
    layers,
    bytes: { float: 2, quantized: 1 },
    ms: { float: 2, quantized: 1 },
    images: 1,
  });
  assert.match(text, /\| a b # c \| int8 \| 20.0 dB \|/);
});
