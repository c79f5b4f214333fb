// Compression: what the sensitivity measures is what the engine computes when a weight changes; files run in LiteRT.js
// with the same outputs; targets; errors.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { compress, toHtml, toMarkdown } from '../../../wasm/compress/node.js';
import { pack, readKernels } from '../../../wasm/compress/pack.js';
import { SensitivityMeter } from '../../../wasm/compress/sensitivity.js';
import { chooseSteps } from '../../../wasm/compress/steps.js';
import { FeatureExtractor } from '../../../wasm/platform/node.js';
import { Means } from '../../../wasm/quantize/correct.js';
import { readFile, TYPE, writeFile } from '../../../wasm/quantize/file.js';
import { floatsOf, readFloatModel, toBytes } from '../../../wasm/quantize/float_model.js';
import { Runner } from '../../../wasm/quantize/runner.js';
import { OPERATORS, toFields } from '../../../wasm/tflite/operators.js';
import { runLiteRt } from '../litert.js';
import { watchInstances } from '../open_engines.js';
import { cosine, loadEngine, packagePhoto, readArray, readJson, testData } from '../shared.js';

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

/** @param {ReturnType<typeof readCase>} given */
function floatInput({ images: [{ data }], spec: { scale, offset } }) {
  return Float32Array.from(data, (pixel) => pixel * scale + offset);
}

/** @param {Uint8Array} model @param {Float32Array} input */
async function runOurs(model, input) {
  const engine = await loadEngine('simd', model);
  engine.writeInput(0, input);
  engine.run();
  const outputs = engine.outputs.map((_, i) => /** @type {Float32Array} */ (engine.readOutput(i).data));
  engine.close();
  return outputs;
}

/** @param {string} name of a file in tests/data/ops */
function readOperators(name) {
  const model = readFloatModel(new Uint8Array(readFileSync(testData(`ops/${name}.tflite`))));
  const values = readArray(testData(`ops/${name}.input.bin`), Float32Array);
  return { model: readKernels(model).size > 0 ? model : scaleInput(model), values };
}

/**
 * Puts a layer with one weight for each channel before a network without weights.
 * @param {import('../../../wasm/quantize/file.js').Model} model
 * @returns {import('../../../wasm/quantize/file.js').Model}
 */
function scaleInput(model) {
  const [input] = model.inputs;
  const channels = model.tensors[input].shape.at(-1) ?? 1;
  const kernel = {
    name: 'scales',
    shape: [1, 1, 1, channels],
    type: TYPE.float32,
    data: toBytes(new Float32Array(channels).fill(1.01)),
  };
  const tensors = [...model.tensors, { ...model.tensors[input], name: 'pixels' }, kernel];
  const [pixels, scales] = [tensors.length - 2, tensors.length - 1];
  const { code } = OPERATORS.DEPTHWISE_CONV_2D;
  const options = toFields('DEPTHWISE_CONV_2D', {
    padding: 'VALID',
    strideW: 1,
    strideH: 1,
    depthMultiplier: 1,
  });
  const layer = {
    code,
    custom: '',
    version: 1,
    inputs: [pixels, scales],
    outputs: [input],
    optionsType: 2,
    options,
  };
  return { ...model, tensors, operators: [layer, ...model.operators], inputs: [pixels], signatures: [] };
}

/** Change of a weight: small, so that few activations bend within it. */
const STEP = 1e-4;

/**
 * The sum of the squared derivatives of a sum of the outputs, each with a sign, by the weights of one output channel.
 * The engine computes the outputs for weights a little larger and a little smaller.
 * @param {import('../../../wasm/quantize/file.js').Model} model
 * @param {number} kernel
 * @param {number[]} elements of the kernel
 * @param {Float32Array} input
 */
async function differences(model, kernel, elements, input) {
  let squares = 0;
  for (const element of elements) {
    const sums = [];
    for (const change of [STEP, -STEP]) {
      const values = floatsOf(model.tensors[kernel]).slice();
      values[element] += change;
      const tensors = model.tensors.with(kernel, { ...model.tensors[kernel], data: toBytes(values) });
      const runner = await Runner.create({ ...model, tensors }, [model.outputs[0]]);
      const [{ values: outputs }] = runner.run(input);
      runner.close();
      sums.push(outputs.reduce((sum, value, i) => sum + signAt(i) * value, 0));
    }
    squares += ((sums[0] - sums[1]) / (2 * STEP)) ** 2;
  }
  return squares;
}

/** @param {number} i */
const signAt = (i) => (i % 3 === 0 ? -1 : 1);

/** Networks of a few operators, one for each way that a gradient takes. */
const NETWORKS = [
  ...['abs_after_conv', 'add_const_broadcast_channel', 'avgpool_3x3_s2_same', 'concat_channel'],
  ...['conv1x1_s2', 'conv3x3_dilation2', 'conv3x3_s1_same_relu6', 'conv3x3_s2_same_even_relu'],
  ...['conv3x3_s2_valid_odd', 'conv5x5_s2_same', 'dw3x3_multiplier2', 'dw3x3_s2_even', 'dw3x3_s2_odd'],
  ...['dw5x5_s2', 'fc_batch3_logistic', 'fc_no_bias_relu6', 'grouped_conv2', 'hard_sigmoid_gate'],
  ...['hard_swish_block', 'inverted_residual_block', 'maxpool_2x2_s2_same_odd', 'mean_fc_softmax'],
  ...['mean_hw_keepdims', 'mul_const_channel_add_const', 'pad_nhwc', 'pad_then_conv_s2_valid'],
  ...['prelu_after_conv', 'reduce_max_after_conv', 'residual_add', 'resize_bilinear_align_corners'],
  ...['resize_bilinear_half_pixel', 'resize_bilinear_legacy', 'softmax_4d', 'squeeze_excite_mul_broadcast'],
];
/** A channel with more weights would take long. */
const MAX_WEIGHTS = 200;

for (const name of NETWORKS) {
  test(`${name}: the sensitivity is that of the engine's outputs`, async () => {
    const { model, values } = readOperators(`${name}.fp32`);
    const meter = await SensitivityMeter.create(model);
    const [output] = model.outputs;
    await meter.add(values, (all) => {
      const answers = /** @type {Float32Array} */ (all.get(output));
      return new Map([[output, answers.map((_, i) => signAt(i))]]);
    });
    const { sensitivity } = meter.result;
    meter.close();
    let compared = 0;
    for (const [kernel, { values: weights, channels, channelOf }] of readKernels(model)) {
      const elements = Array.from(weights.keys()).filter((i) => channelOf(i) === channels - 1);
      if (elements.length > MAX_WEIGHTS) continue;
      compared++;
      const expected = await differences(model, kernel, elements, values);
      const measured = /** @type {Float64Array} */ (sensitivity.get(kernel))[channels - 1] * elements.length;
      const { name } = model.tensors[kernel];
      assert.ok(
        Math.abs(measured - expected) <= 0.03 * expected + 1e-5,
        `${name}: ${measured}, by differences ${expected}`,
      );
    }
    assert.ok(compared > 0);
  });
}

test('steps: by sensitivity, within the range of int8, no coarser than the weights', () => {
  const values = Float32Array.from({ length: 400 }, (_, i) => Math.sin(i + 1));
  const kernel = { values, channels: 4, channelOf: (/** @type {number} */ i) => Math.floor(i / 100) };
  const { scales, stored } = /** @type {import('../../../wasm/compress/steps.js').Stored} */ (
    chooseSteps(kernel, Float64Array.of(1, 4, 0.01, 0), 0.02)
  );
  const mean = 5.01 / 4;
  const [first, second, third, last] = scales;
  assert.ok(Math.abs(first - 0.02 / Math.sqrt(0.9 + 0.1 * mean)) < 1e-7);
  assert.ok(Math.abs(second - 0.02 / Math.sqrt(3.6 + 0.1 * mean)) < 1e-7);
  assert.ok(last > third && third > first && first > second);
  for (const [i, value] of values.entries())
    assert.ok(
      Math.abs(value - stored[i] * scales[kernel.channelOf(i)]) <= scales[kernel.channelOf(i)] / 2 + 1e-6,
    );
  const coarsest = chooseSteps(kernel, new Float64Array(4), 1);
  const rms = Math.sqrt(values.subarray(0, 100).reduce((sum, value) => sum + value * value, 0) / 100);
  assert.ok(Math.abs(Number(coarsest?.scales[0]) - 1.6 * rms) < 1e-5);
  assert.equal(chooseSteps(kernel, Float64Array.of(1, 1, 1, 1), 1e-3), undefined, 'sensitive and small');
  assert.equal(chooseSteps(kernel, Float64Array.of(1, 1, 1, NaN), 1), undefined, 'not measured');
});

for (const [name, task] of /** @type {const} */ ([
  ['mobilenet_v1_classifier.fp32', 'classifier'],
  ['mobilenet_v3_small_features.fp16', 'features'],
  ['nested_transfer_model.fp32', 'classifier'],
])) {
  test(`${name}: small, near the float network, and the same in LiteRT.js`, async () => {
    const given = readCase(name);
    const { model, gzip, report } = await compress(given.bytes, given.images, { input: given.spec });
    assert.ok(report);
    assert.deepEqual(new Uint8Array(gunzipSync(gzip)), model);
    assert.equal(report.task, task);
    assert.equal(report.images, 3);
    assert.deepEqual(report.bytes, {
      float: given.bytes.length,
      compressed: model.length,
      gzip: gzip.length,
    });
    assert.ok(gzip.length < given.bytes.length * (name.endsWith('fp16') ? 0.55 : 0.4), `${gzip.length}`);
    const input = floatInput(given);
    const [ours] = await runOurs(model, input);
    const [theirs] = await runLiteRt(model, input, given.shape);
    const largest = theirs.data.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    ours.forEach((value, i) => assert.ok(Math.abs(value - theirs.data[i]) <= 1e-4 * largest, 'LiteRT.js'));
    const [float] = await runOurs(given.bytes, input);
    assert.ok(cosine([...ours], [...float]) > 0.99, `${cosine([...ours], [...float])}`);
    assert.ok(report.answers.share > 0.99);
    assert.ok(report.layers.every(({ isInt8 }) => !isInt8));
    assert.match(toMarkdown(report), /\| after, gzipped \| \d+ \|/);
    assert.match(toHtml(report), /<th scope="row">after, gzipped<\/th><td>[\d.]+ [KM]iB<\/td>/);
    const source = new Uint8Array(gzipSync(given.bytes));
    const again = await compress(source, given.images, { input: given.spec, report: false });
    assert.deepEqual(again.model, model, 'the same bytes, also from a gzip file');
    const stored = readFile(model).tensors.filter(({ data, type }) => data && type === TYPE.int8);
    assert.ok(stored.every(({ quantization }) => quantization?.zeroPoints.every((zero) => zero === 0)));
  });
}

test('targets: bytes, answers, and ones that cannot be reached', async () => {
  const given = readCase('nested_transfer_model.fp32');
  const options = { input: given.spec, report: false };
  const free = await compress(given.bytes, given.images, options);
  const targetBytes = Math.floor(0.8 * free.gzip.length);
  const smaller = await compress(given.bytes, given.images, { ...options, targetBytes });
  const size = smaller.gzip.length;
  assert.ok(size <= targetBytes && size > 0.9 * targetBytes);
  const exact = await compress(given.bytes, given.images, { ...options, targetBytes: size });
  assert.equal(exact.gzip.length, size, 'a file of exactly so many bytes passes');
  const matched = await compress(given.bytes, given.images, {
    input: given.spec,
    targetMatch: 1,
  });
  assert.equal(matched.report?.answers.share, 1);
  await assert.rejects(compress(given.bytes, given.images, { ...options, targetBytes: 100 }), {
    code: 'TARGET_NOT_REACHED',
  });
});

test('a layer: squared gradients, means and the forms of its weights, by hand', async (t) => {
  const liveBytes = watchInstances(t);
  const tensor = (
    /** @type {string} */ name,
    /** @type {number[]} */ shape,
    /** @type {number[]} */ values,
  ) => ({
    ...{ name, shape, type: TYPE.float32 },
    ...(values.length > 0 && { data: toBytes(Float32Array.from(values)) }),
  });
  const weights = [1, 2, 3, 4, 5, 6];
  const { code } = OPERATORS.FULLY_CONNECTED;
  const layer = { code, custom: '', version: 1, optionsType: 8, options: toFields('FULLY_CONNECTED', {}) };
  const model = {
    ...{ description: '', signatures: [], metadata: [], inputs: [0], outputs: [2] },
    tensors: [tensor('x', [1, 3], []), tensor('w', [2, 3], weights), tensor('y', [1, 2], [])],
    operators: [{ ...layer, inputs: [0, 1], outputs: [2] }],
  };
  const meter = await SensitivityMeter.create(model);
  const inputs = [[1, -2, 3], [0, 4, 2]]; // prettier-ignore
  const gradients = [[1, -3], [2, 0.5]]; // prettier-ignore
  for (const [i, x] of inputs.entries())
    await meter.add(Float32Array.from(x), () => new Map([[2, Float32Array.from(gradients[i])]]));
  const { sensitivity, means } = meter.result;
  meter.close();
  assert.equal(liveBytes(), 0);
  // The gradient of w[o][i] is g[o] x[i]: the mean of its square over three weights and two images.
  const squares = inputs.map((x) => x.reduce((sum, value) => sum + value ** 2, 0));
  assert.deepEqual(
    Array.from(sensitivity.get(1) ?? []),
    [0, 1].map((o) => (gradients[0][o] ** 2 * squares[0] + gradients[1][o] ** 2 * squares[1]) / 3 / 2),
  );
  assert.deepEqual([...means.meansOf(0)], [0.5, 1, 2.5]);
  const half = pack(model, readKernels(model), { sensitivity, means }, { lambda: 1e-9, halves: new Set() });
  assert.deepEqual(half.weights, { int8: 0, float16: 6, float32: 0 });
  for (const [largest, form] of /** @type {const} */ ([
    [-65504, 'float16'],
    [65505, 'float32'],
  ])) {
    // prettier-ignore
    const data = toBytes(Float32Array.from(weights.with(1, largest)));
    const wide = { ...model, tensors: model.tensors.with(1, { ...model.tensors[1], data }) };
    const packed = pack(wide, readKernels(wide), { sensitivity, means }, { lambda: 1e-9, halves: new Set() });
    assert.deepEqual(packed.weights, { int8: 0, float16: 0, float32: 0, [form]: 6 });
  }
  assert.deepEqual(
    half.packed.operators.map(({ code: kind, version }) => [kind, version]),
    [[OPERATORS.DEQUANTIZE.code, 3], [code, 1]], // prettier-ignore
  );
});

test('the bias of a convolution of two groups, by hand', () => {
  const tensor = (
    /** @type {string} */ name,
    /** @type {number[]} */ shape,
    /** @type {number[]} */ values = [],
  ) => ({
    ...{ name, shape, type: TYPE.float32 },
    ...(values.length > 0 && { data: toBytes(Float32Array.from(values)) }),
  });
  const [large, small] = [127, 0.25]; // Steps of 1 store the small weights as 0.
  const weights = [large, small, small, large, large, small, small, large];
  const fields = toFields('CONV_2D', { padding: 'VALID', strideW: 1, strideH: 1 });
  const layer = { code: OPERATORS.CONV_2D.code, custom: '', version: 1, optionsType: 1, options: fields };
  const model = {
    ...{ description: '', signatures: [], metadata: [], inputs: [0], outputs: [3] },
    tensors: [
      tensor('x', [1, 1, 1, 4]),
      tensor('k', [4, 1, 1, 2], weights),
      tensor('b', [4], [1, 2, 3, 4]),
      tensor('y', [1, 1, 1, 4]),
    ],
    operators: [{ ...layer, inputs: [0, 1, 2], outputs: [3] }],
  };
  const means = new Means();
  means.add(0, Float32Array.of(1, 10, 100, 1000), 4);
  const sensitivity = new Map([[1, new Float64Array(4).fill(1)]]);
  const { packed } = pack(
    model,
    readKernels(model),
    { sensitivity, means },
    { lambda: 1, halves: new Set() },
  );
  // Each channel gets what its small weight would add on average.
  assert.deepEqual([...floatsOf(packed.tensors[2])], [1 + 2.5, 2 + 0.25, 3 + 250, 4 + 25]);
});

test('what cannot be compressed', async (t) => {
  const liveBytes = watchInstances(t);
  const given = readCase('mobilenet_v1_classifier.fp32');
  const { bytes, images, spec: input } = given;
  const invalid = [
    ...[{ targetBytes: 0 }, { targetBytes: 1.5 }, { targetMatch: 2 }, { targetBytes: 9, targetMatch: 1 }],
    ...[{ quality: 1 }, { signature: 7 }, { signal: 'now' }, { onProgress: 1 }, { onUnreadable: 1 }],
  ];
  for (const options of invalid)
    await assert.rejects(compress(bytes, images, { input, .../** @type {any} */ (options) }), {
      code: 'INVALID_OPTION',
    });
  await assert.rejects(compress(bytes, [], { input }), { code: 'NO_IMAGES' });
  const signal = AbortSignal.abort();
  await assert.rejects(compress(bytes, images, { input, signal }), { name: 'AbortError' });
  const int8 = readCase('mobilenet_v2_classifier.int8');
  await assert.rejects(compress(int8.bytes, images, { input }), { code: 'ALREADY_QUANTIZED' });
  const model = readFile(bytes);
  const without = { ...model, operators: [], outputs: model.inputs, signatures: [] };
  await assert.rejects(compress(writeFile(without), images, { input }), { code: 'NOTHING_TO_COMPRESS' });
  await assert.rejects(compress(bytes.slice(0, 3000), images, { input }));
  assert.equal(liveBytes(), 0, 'modules are closed');
});

test('a file with several signatures: the one that is chosen', async () => {
  const bytes = new Uint8Array(readFileSync(testData('signatures/backbones.tflite')));
  const image = packagePhoto('chelsea.png');
  const input = '[-1,1]';
  /** @param {import('../../../wasm/vision/types.js').ExtractorOptions} options */
  const extract = async (options) => {
    const extractor = await FeatureExtractor.create({ ...options, input });
    const { features } = await extractor.extract(image);
    extractor.close();
    return features;
  };
  for (const length of [6, 10]) {
    const signature = `features${length}`;
    const { model, report } = await compress(bytes, [image], { input, signature });
    const features = await extract({ model });
    assert.equal(features.length, length);
    assert.ok(cosine(features, await extract({ model: bytes, signature })) > 0.999);
    assert.ok(report && report.answers.share > 0.999);
  }
  await assert.rejects(compress(bytes, [image], { input, signature: 'other' }), {
    code: 'MODEL_NO_SIGNATURE',
  });
});
