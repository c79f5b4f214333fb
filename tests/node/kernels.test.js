// Our kernels against XNNPACK's own, bit for bit, and against the formula.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { readFile, TYPE, writeFile } from '../../tools/quantize/file.js';
import { floatsOf, toBytes } from '../../tools/quantize/float_model.js';
import { Engine } from '../../wasm/engine.js';
import { samePadding } from '../../tools/convert/network.js';
import { writeTflite } from '../../tools/convert/tflite.js';
import { loadModel, maxDifference, variants } from './shared.js';

/**
 * @typedef {object} Case
 * @property {[number, number]} size of the input: height, width
 * @property {number} channels
 * @property {[number, number]} [kernel] height, width
 * @property {number} [stride]
 * @property {number} [dilation]
 * @property {'SAME' | 'VALID'} [padding]
 * @property {'NONE' | 'RELU' | 'RELU6'} [activation]
 */

/** Numbers in [-4, 4) that look random and are always the same. */
function makeNumbers(/** @type {number} */ length, seed = 1) {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // Numerical Recipes' LCG
    return (state >>> 8) / 2 ** 21 - 4;
  });
}

/** @param {Required<Case>} c */
function outputSize({ size, kernel, stride, dilation, padding }) {
  return size.map((n, i) =>
    padding === 'SAME'
      ? Math.ceil(n / stride)
      : Math.floor((n - (kernel[i] - 1) * dilation - 1) / stride) + 1,
  );
}

/**
 * A network of one depthwise convolution.
 * @param {Required<Case>} c
 */
function build(c) {
  const { channels, kernel, stride, dilation, padding, activation } = c;
  const weights = makeNumbers(kernel[0] * kernel[1] * channels, 2);
  const bias = makeNumbers(channels, 3);
  const input = { name: 'input', shape: [1, ...c.size, channels] };
  const output = { name: 'output', shape: [1, ...outputSize(c), channels] };
  const tensor = { dtype: /** @type {const} */ ('float32'), shape: [...kernel, channels, 1], data: weights };
  const op = {
    kind: 'DEPTHWISE_CONV_2D',
    inputs: [input],
    output,
    weights: { kernel: tensor, isTransposed: false, bias: Float64Array.from(bias) },
    options: {
      ...{ strideW: stride, strideH: stride, dilationW: dilation, dilationH: dilation },
      ...{ padding, activation, depthMultiplier: 1 },
    },
  };
  const network = { ops: [op], inputs: [input], outputs: [{ name: 'output', value: output }] };
  return { model: writeTflite(network, { precision: 'fp32', description: '' }), weights, bias };
}

/**
 * What the convolution should give, summed in doubles.
 * @param {Required<Case>} c
 * @param {Float32Array} input
 * @param {{weights: Float32Array, bias: Float32Array}} constants
 */
function convolve(c, input, { weights, bias }) {
  const { channels, kernel, stride, dilation, padding, activation } = c;
  const [outHeight, outWidth] = outputSize(c);
  const [height, width] = c.size;
  const before = c.size.map((n, i) =>
    padding === 'SAME' ? samePadding(n, kernel[i], stride, dilation)[0] : 0,
  );
  return Float32Array.from({ length: outHeight * outWidth * channels }, (_, index) => {
    const channel = index % channels;
    const x = Math.floor(index / channels) % outWidth;
    const y = Math.floor(index / channels / outWidth);
    let sum = bias[channel];
    for (let tap = 0; tap < kernel[0] * kernel[1]; tap++) {
      const iy = y * stride + Math.floor(tap / kernel[1]) * dilation - before[0];
      const ix = x * stride + (tap % kernel[1]) * dilation - before[1];
      if (iy < 0 || iy >= height || ix < 0 || ix >= width) continue;
      sum += input[(iy * width + ix) * channels + channel] * weights[tap * channels + channel];
    }
    if (activation !== 'NONE') sum = Math.max(0, sum);
    return activation === 'RELU6' ? Math.min(6, sum) : sum;
  });
}

/**
 * The same network in 8 bits, with scales that are easy to write down.
 * @param {Uint8Array} bytes
 */
function toInt8(bytes) {
  const model = readFile(bytes);
  const [{ inputs, outputs }] = model.operators;
  const [input, kernel, bias, output] = [...inputs, ...outputs].map((tensor) => model.tensors[tensor]);
  const scales = Array.from(floatsOf(bias), (_, c) => (1 + (c % 3)) / 64);
  const store = (/** @type {Float32Array} */ values, /** @type {number} */ scale) =>
    values.map((value, i) =>
      Math.max(-127, Math.min(127, Math.round(value / scale / scales[i % scales.length]))),
    );
  const zeros = scales.map(() => 0);
  Object.assign(input, { type: TYPE.int8, quantization: { scales: [1 / 16], zeroPoints: [9], axis: 0 } });
  Object.assign(output, { type: TYPE.int8, quantization: { scales: [1 / 4], zeroPoints: [-5], axis: 0 } });
  Object.assign(kernel, {
    type: TYPE.int8,
    data: toBytes(Int8Array.from(store(floatsOf(kernel), 1))),
    quantization: { scales, zeroPoints: zeros, axis: 3 },
  });
  Object.assign(bias, {
    type: TYPE.int32,
    data: toBytes(Int32Array.from(store(floatsOf(bias), 1 / 16))),
    quantization: { scales: scales.map((scale) => scale / 16), zeroPoints: zeros, axis: 0 },
  });
  return writeFile(model);
}

const SIZES = [1, 2, 3, 4, 5, 7, 19, 38, 39, 40, 41, 75, 77, 78, 79, 80];
const CHANNELS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 15, 16, 17, 24, 31, 96];

/** @type {Case[]} */
const CASES = [
  // Widths around the tiles' ends, even and odd, where the padding of 'SAME' differs.
  ...[1, 2, 3].flatMap((stride) =>
    SIZES.flatMap((width) => {
      /** @type {Case} */
      const shape = { size: [4, width], channels: 9, stride };
      return [shape, ...(width >= 3 ? [{ ...shape, padding: /** @type {const} */ ('VALID') }] : [])];
    }),
  ),
  ...[1, 2].flatMap((stride) => SIZES.map((height) => ({ size: [height, 5], channels: 4, stride }))),
  ...[1, 2, 3].flatMap((stride) => CHANNELS.map((channels) => ({ size: [6, 43], channels, stride }))),
  ...['NONE', 'RELU', 'RELU6'].flatMap((activation) =>
    [1, 2].map((stride) => ({ size: [5, 41], channels: 13, stride, activation })),
  ),
  // Others that XNNPACK runs with the same kernel.
  ...[2, 3].map((dilation) => ({ size: [9, 30], channels: 10, dilation })),
  ...[
    [1, 1],
    [3, 2],
    [2, 3],
    [1, 5],
    [5, 1],
    [2, 4],
    [4, 2],
    [1, 7],
    [1, 9],
    [9, 1],
  ].flatMap((kernel) => [1, 2, 3].map((stride) => ({ size: [10, 45], channels: 10, kernel, stride }))),
].map((c) => /** @type {Case} */ (c));

for (const variant of variants) {
  describe(`depthwise convolution, ${variant}`, async () => {
    const ours = await Engine.create({ variant, threads: 1 });
    const theirs = await Engine.create({ variant, threads: 1, baseline: true });
    after(() => [ours, theirs].forEach((engine) => engine.close()));

    for (const given of CASES) {
      test(JSON.stringify(given), async () => {
        /** @type {Required<Case>} */
        const c = { kernel: [3, 3], stride: 1, dilation: 1, padding: 'SAME', activation: 'RELU6', ...given };
        const { model, ...constants } = build(c);
        const input = makeNumbers(c.size[0] * c.size[1] * c.channels);
        const [actual, expected] = await Promise.all(
          [ours, theirs].map(async (engine) => {
            await loadModel(engine, model);
            engine.writeInput(0, input);
            engine.run();
            return /** @type {Float32Array} */ (engine.readOutput(0).data);
          }),
        );
        assert.deepEqual(actual, expected);
        assert.ok(maxDifference(actual, convolve(c, input, constants)) < 1e-4);

        const int8 = toInt8(model);
        const stored = Int8Array.from(input, (value) => value * 32);
        const [found, wanted] = await Promise.all(
          [ours, theirs].map(async (engine) => {
            await loadModel(engine, int8);
            engine.writeInput(0, stored);
            engine.run();
            return engine.readOutput(0).data;
          }),
        );
        assert.deepEqual(found, wanted);
        assert.ok(new Set(/** @type {Int8Array} */ (found)).size > 1 || found.length < 8);
      });
    }
  });
}
