// Graphs that TFLite runs on its built-in kernels, as their shapes are computed at run time: against the formulas.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Engine } from '../../../wasm/engine/engine.js';
import { writeModel } from '../../fuzz/tiny_models.js';
import { loadModel, maxDifference, variants } from '../shared.js';

const CONV = 3;
const DEPTHWISE = 4;
const RESIZE_BILINEAR = 23;
const SHAPE = 77;

/** Numbers in [-1, 1) that look random and are always the same. */
function makeNumbers(/** @type {number} */ length, seed = 1) {
  let state = seed;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // Numerical Recipes' LCG
    return (state >>> 8) / 2 ** 23 - 1;
  });
}

const makeBytes = (/** @type {number} */ length, seed = 1) =>
  makeNumbers(length, seed).map((x) => Math.floor(x * 128));

/**
 * What SHAPE makes of a graph: the operator has no other effect.
 * @param {Parameters<typeof writeModel>[0]} network
 */
function withShape({ tensors, operators, inputs, outputs }) {
  return writeModel({
    tensors: [...tensors, { shape: [4], dtype: 'int32' }],
    operators: [...operators, { code: SHAPE, inputs: [0], outputs: [tensors.length], options: [55] }],
    inputs,
    outputs,
  });
}

/** @param {Engine} engine @param {Uint8Array} model @param {Float32Array | Int8Array} input */
async function run(engine, model, input) {
  await loadModel(engine, model);
  engine.writeInput(0, input);
  engine.run();
  return Array.from(/** @type {Float32Array} */ (engine.readOutput(0).data));
}

/** @typedef {{outputs: number, size: number[], stride: number, dilation: number, padding: number, isDepthwise: boolean}} Window */

/**
 * @param {Window} w
 * @param {number} channels
 * @param {number} activation
 * @returns {import('../../fuzz/tiny_models.js').TinyOperator['options']}
 */
function convOptions({ stride, dilation, padding, isDepthwise, outputs }, channels, activation) {
  return isDepthwise
    ? [
        2,
        ...[
          ['i8', 0, padding],
          ['i32', 1, stride],
          ['i32', 2, stride],
          ['i32', 3, outputs / channels],
          ['i8', 4, activation],
          ['i32', 5, dilation],
          ['i32', 6, dilation],
        ].map((field) => /** @type {import('../../../wasm/tflite/flatbuffer.js').Field} */ (field)),
      ]
    : [
        1,
        ...[
          ['i8', 0, padding],
          ['i32', 1, stride],
          ['i32', 2, stride],
          ['i8', 3, activation],
          ['i32', 4, dilation],
          ['i32', 5, dilation],
        ].map((field) => /** @type {import('../../../wasm/tflite/flatbuffer.js').Field} */ (field)),
      ];
}

const CHANNELS = 3;
const [HEIGHT, WIDTH] = [7, 9];

/** @param {Window} w */
function outputShape({ size, stride, dilation, padding, outputs }) {
  const plane = [HEIGHT, WIDTH].map((n, i) =>
    padding === 0 ? Math.ceil(n / stride) : Math.floor((n - (size[i] - 1) * dilation - 1) / stride) + 1,
  );
  return [1, ...plane, outputs];
}

/** @type {Window[]} */
const WINDOWS = [
  { outputs: 8, size: [3, 3], stride: 2, dilation: 1, padding: 0, isDepthwise: false },
  { outputs: 5, size: [1, 1], stride: 1, dilation: 1, padding: 0, isDepthwise: false },
  { outputs: 4, size: [2, 3], stride: 1, dilation: 2, padding: 1, isDepthwise: false },
  { outputs: 4, size: [3, 2], stride: 2, dilation: 1, padding: 1, isDepthwise: false },
  { outputs: 3, size: [3, 3], stride: 1, dilation: 1, padding: 0, isDepthwise: true },
  { outputs: 6, size: [3, 3], stride: 2, dilation: 1, padding: 0, isDepthwise: true },
  { outputs: 3, size: [3, 5], stride: 1, dilation: 2, padding: 0, isDepthwise: true },
  { outputs: 3, size: [1, 1], stride: 3, dilation: 1, padding: 0, isDepthwise: true },
];

/** A float convolution, and a hybrid one beside it, which makes its last bit count. */
function floatNetwork(/** @type {Window} */ w, /** @type {boolean} */ hasBias) {
  const kernel = w.isDepthwise ? [1, ...w.size, w.outputs] : [w.outputs, ...w.size, CHANNELS];
  const count = kernel.reduce((a, b) => a * b, 1);
  const pointwise = { ...WINDOWS[1], outputs: 2 };
  return {
    tensors: [
      { shape: [1, HEIGHT, WIDTH, CHANNELS] },
      { shape: kernel, data: makeNumbers(count, 2) },
      { shape: [w.outputs], data: makeNumbers(w.outputs, 3) },
      { shape: outputShape(w) },
      {
        shape: [2, 1, 1, CHANNELS],
        dtype: /** @type {const} */ ('int8'),
        scale: 0.01,
        data: makeBytes(2 * CHANNELS, 4),
      },
      { shape: outputShape(pointwise) },
    ],
    operators: [
      {
        code: w.isDepthwise ? DEPTHWISE : CONV,
        inputs: [0, 1, hasBias ? 2 : -1],
        outputs: [3],
        options: convOptions(w, CHANNELS, 3),
      },
      { code: CONV, inputs: [0, 4], outputs: [5], options: convOptions(pointwise, CHANNELS, 0) },
    ],
    inputs: [0],
    outputs: [3, 5],
  };
}

for (const variant of variants) {
  test(`a float convolution gives what XNNPACK's gives, ${variant}`, async (t) => {
    const engine = await Engine.create({ variant, threads: 1 });
    t.after(() => engine.close());
    const input = Float32Array.from(makeNumbers(HEIGHT * WIDTH * CHANNELS));
    for (const w of WINDOWS)
      for (const hasBias of [true, false]) {
        const network = floatNetwork(w, hasBias);
        const expected = await run(engine, writeModel(network), input);
        const actual = await run(engine, withShape(network), input);
        assert.ok(maxDifference(actual, expected) < 1e-5, JSON.stringify(w));
      }
  });
}

/**
 * TFLite's MultiplyByQuantizedMultiplier, in whole numbers.
 * @param {number} sum @param {number} factor
 */
function requantize(sum, factor) {
  const exponent = Math.floor(Math.log2(factor)) + 1;
  const multiplier = BigInt(Math.round((factor / 2 ** exponent) * 2 ** 31));
  const high = (BigInt(sum) * multiplier + (1n << 30n)) >> 31n;
  const shift = BigInt(-exponent);
  return Number((high + (1n << (shift - 1n))) >> shift);
}

test('8-bit sums are rounded twice', async (t) => {
  const [pixels, channels, outputs] = [600, 7, 5];
  const [inputScale, outputScale] = [Math.fround(0.02), Math.fround(0.031)];
  const scales = [0.004, 0.003, 0.0021, 0.0007, 0.00013].map(Math.fround);
  const weights = makeBytes(outputs * channels, 2);
  const bias = makeBytes(outputs, 3).map((x) => 20 * x);
  const input = makeBytes(pixels * channels);
  const int8 = { dtype: /** @type {const} */ ('int8') };
  const model = withShape({
    tensors: [
      { shape: [1, 1, pixels, channels], ...int8, scale: inputScale },
      { shape: [outputs, 1, 1, channels], ...int8, scale: scales, data: weights },
      { shape: [outputs], dtype: 'int32', scale: scales.map((s) => s * inputScale), data: bias },
      { shape: [1, 1, pixels, outputs], ...int8, scale: outputScale },
    ],
    operators: [
      { code: CONV, inputs: [0, 1, 2], outputs: [3], options: convOptions(WINDOWS[1], channels, 0) },
    ],
    inputs: [0],
    outputs: [3],
  });
  const expected = Array.from({ length: pixels * outputs }, (_, i) => {
    const [pixel, o] = [Math.floor(i / outputs), i % outputs];
    let sum = bias[o];
    for (let c = 0; c < channels; c++) sum += input[pixel * channels + c] * weights[o * channels + c];
    const stored = requantize(sum, (inputScale * scales[o]) / outputScale);
    return Math.max(-128, Math.min(127, stored));
  });
  for (const variant of variants) {
    const engine = await Engine.create({ variant, threads: 1 });
    t.after(() => engine.close());
    assert.deepEqual(await run(engine, model, Int8Array.from(input)), expected);
  }
});

/** Where an output lies between the inputs, TensorFlow's three ways. */
const SOURCES = [
  {
    fields: [],
    at: (/** @type {number} */ i, /** @type {number} */ n, /** @type {number} */ m) => (i * n) / m,
  },
  {
    fields: [['bool', 3, true]],
    at: (/** @type {number} */ i, /** @type {number} */ n, /** @type {number} */ m) =>
      ((i + 0.5) * n) / m - 0.5,
  },
  {
    fields: [['bool', 2, true]],
    at: (/** @type {number} */ i, /** @type {number} */ n, /** @type {number} */ m) =>
      (i * (n - 1)) / (m - 1),
  },
];

test('8-bit resizes round away from zero', async (t) => {
  const [height, width, channels, newHeight, newWidth] = [4, 3, 2, 8, 6];
  const input = makeBytes(height * width * channels);
  for (const { fields, at } of SOURCES) {
    const model = withShape({
      tensors: [
        { shape: [1, height, width, channels], dtype: 'int8', scale: 1 },
        { shape: [2], dtype: 'int32', data: [newHeight, newWidth] },
        { shape: [1, newHeight, newWidth, channels], dtype: 'int8', scale: 1 },
      ],
      operators: [
        {
          code: RESIZE_BILINEAR,
          inputs: [0, 1],
          outputs: [2],
          options: [15, .../** @type {any[]} */ (fields)],
        },
      ],
      inputs: [0],
      outputs: [2],
    });
    const clamp = (/** @type {number} */ i, /** @type {number} */ n) => Math.max(0, Math.min(n - 1, i));
    const expected = Array.from({ length: newHeight * newWidth * channels }, (_, i) => {
      const y = at(Math.floor(i / channels / newWidth), height, newHeight);
      const x = at(Math.floor(i / channels) % newWidth, width, newWidth);
      const read = (/** @type {number} */ dy, /** @type {number} */ dx) =>
        input[
          (clamp(Math.floor(y) + dy, height) * width + clamp(Math.floor(x) + dx, width)) * channels +
            (i % channels)
        ];
      const [v, h] = [y - Math.floor(y), x - Math.floor(x)];
      const value =
        (read(0, 0) * (1 - h) + read(0, 1) * h) * (1 - v) + (read(1, 0) * (1 - h) + read(1, 1) * h) * v;
      return Math.sign(value) * Math.round(Math.abs(value)) + 0; // no -0
    });
    const engine = await Engine.create({ variant: 'simd', threads: 1 });
    t.after(() => engine.close());
    const actual = await run(engine, model, Int8Array.from(input));
    // Where the source is no multiple of a power of two, a half may be missed by a last bit.
    const isExact = fields.length === 0 || fields[0][1] === 3;
    if (isExact) assert.deepEqual(actual, expected);
    else assert.ok(maxDifference(actual, expected) <= 1);
  }
});
