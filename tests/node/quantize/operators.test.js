// Every operator that has an 8-bit form, quantized after a convolution: its tensors are 8 bits, LiteRT.js gives the same
// numbers, and they are near the float network's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFile, TYPE, writeFile } from '../../../wasm/quantize/file.js';
import { quantize } from '../../../wasm/quantize/node.js';
import { kindOf, OPERATORS } from '../../../wasm/tflite/operators.js';
import { writeTflite } from '../../../wasm/tflite/write.js';
import { runLiteRt } from '../litert.js';
import { runModel } from '../shared.js';

/**
 * @typedef {import('../../../wasm/tflite/network.js').Value} Value
 * @typedef {object} Case of an operator on a feature map [1, 4, 6, 8]
 * @property {number[]} shape of its output
 * @property {Value[]} [after] inputs after the map
 * @property {Value[]} [before] inputs before it
 * @property {boolean} [takesTwo] whether the map's own half is its second input
 * @property {Record<string, any>} [options]
 * @property {number} [outputs]
 * @property {boolean} [isPositive] whether it takes numbers above 0 only
 * @property {number} [error] largest difference from the float network, as a part of the output's range; default 0.03
 */

const SHAPE = [1, 4, 6, 3];
const MAP = [1, 4, 6, 8];
const ints = (/** @type {number[]} */ values, shape = [values.length]) => ({
  ...{ name: `ints${values}`, shape },
  tensor: { dtype: /** @type {const} */ ('int32'), shape, data: Int32Array.from(values) },
});
const floats = (/** @type {number[]} */ values, shape = [values.length]) => ({
  ...{ name: `floats${values}`, shape },
  tensor: { dtype: /** @type {const} */ ('float32'), shape, data: Float64Array.from(values) },
});
const bools = (/** @type {number[]} */ values) => ({
  ...{ name: 'chosen', shape: [values.length] },
  tensor: { dtype: /** @type {const} */ ('bool'), shape: [values.length], data: Uint8Array.from(values) },
});
const WINDOW = { padding: 'SAME', strideW: 2, strideH: 2, filterW: 2, filterH: 2 };
const same = { shape: MAP };
const reduced = { shape: [1, 8], after: [ints([1, 2])] };
const paddings = ints([0, 0, 1, 2, 0, 1, 0, 0], [4, 2]);

/** @type {Record<string, Case>} */
const CASES = {
  ABS: same,
  ADD: { ...same, takesTwo: true },
  AVERAGE_POOL_2D: { shape: [1, 2, 3, 8], options: WINDOW },
  BATCH_TO_SPACE_ND: { shape: MAP, after: [ints([1, 1]), ints([0, 0, 0, 0], [2, 2])] },
  BROADCAST_TO: { shape: [2, 4, 6, 8], after: [ints([2, 4, 6, 8])] },
  CONCATENATION: { shape: [1, 4, 6, 16], takesTwo: true, options: { axis: 3 } },
  DEPTH_TO_SPACE: { shape: [1, 8, 12, 2], options: { blockSize: 2 } },
  ELU: same,
  EXP: { ...same, error: 0.06 },
  EXPAND_DIMS: { shape: [1, 1, 4, 6, 8], after: [ints([1], [])] },
  GATHER: { shape: [1, 4, 2, 8], after: [ints([5, 1])], options: { axis: 2 } },
  GATHER_ND: { shape: [2, 8], after: [ints([0, 1, 5, 0, 3, 0], [2, 3])] },
  GELU: same,
  HARD_SWISH: same,
  L2_NORMALIZATION: same,
  LEAKY_RELU: { ...same, options: { alpha: 0.2 } },
  LOG: { ...same, isPositive: true, error: 0.1 },
  LOGISTIC: same,
  LOG_SOFTMAX: same,
  MAXIMUM: { ...same, takesTwo: true },
  MAX_POOL_2D: { shape: [1, 2, 3, 8], options: WINDOW },
  MEAN: reduced,
  MINIMUM: { ...same, takesTwo: true },
  MIRROR_PAD: { shape: [1, 7, 7, 8], after: [paddings], options: { mode: 0 } },
  MUL: { ...same, takesTwo: true, error: 0.06 },
  PACK: { shape: [2, 1, 4, 6, 8], takesTwo: true, options: { valuesCount: 2, axis: 0 } },
  PAD: { shape: [1, 7, 7, 8], after: [paddings] },
  PRELU: { ...same, after: [floats([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], [1, 1, 8])] },
  REDUCE_MAX: reduced,
  REDUCE_MIN: reduced,
  RELU: same,
  RELU6: same,
  RELU_0_TO_1: same,
  RELU_N1_TO_1: same,
  RESHAPE: { shape: [1, 24, 8], after: [ints([1, 24, 8])] },
  RESIZE_BILINEAR: { shape: [1, 8, 9, 8], after: [ints([8, 9])] },
  RESIZE_NEAREST_NEIGHBOR: { shape: [1, 8, 9, 8], after: [ints([8, 9])] },
  RSQRT: { ...same, isPositive: true, error: 0.15 },
  SELECT: { shape: MAP, before: [bools([1])], takesTwo: true },
  SELECT_V2: { shape: MAP, before: [bools([1, 0, 1, 1, 0, 0, 1, 0])], takesTwo: true },
  SLICE: { shape: [1, 2, 3, 8], after: [ints([0, 1, 2, 0]), ints([1, 2, 3, 8])] },
  SOFTMAX: same,
  SPACE_TO_BATCH_ND: { shape: [6, 2, 2, 8], after: [ints([2, 3]), ints([0, 0, 0, 0], [2, 2])] },
  SPACE_TO_DEPTH: { shape: [1, 2, 3, 32], options: { blockSize: 2 } },
  SPLIT: { shape: [1, 4, 6, 4], before: [ints([3], [])], options: { numSplits: 2 }, outputs: 2 },
  SPLIT_V: {
    ...{ shape: [1, 4, 6, 4], after: [ints([4, 4]), ints([3], [])] },
    ...{ options: { numSplits: 2 }, outputs: 2 },
  },
  SQUARED_DIFFERENCE: { ...same, takesTwo: true, error: 0.08 },
  SQUEEZE: { shape: [4, 6, 8], options: { squeezeDims: [0] } },
  STRIDED_SLICE: {
    shape: [1, 2, 3, 8],
    after: [ints([0, 1, 0, 0]), ints([1, 3, 6, 8]), ints([1, 1, 2, 1])],
  },
  SUB: { ...same, takesTwo: true },
  SUM: { ...reduced, error: 0.05 },
  TANH: same,
  TILE: { shape: [1, 8, 6, 8], after: [ints([1, 2, 1, 1])] },
  TRANSPOSE: { shape: [1, 6, 8, 4], after: [ints([0, 2, 3, 1])] },
  UNPACK: { shape: [1, 6, 8], options: { num: 4, axis: 1 }, outputs: 4 },
};
/** Tested as parts of networks, and by the convolution of every case. */
const WEIGHTED = ['CONV_2D', 'DEPTHWISE_CONV_2D', 'FULLY_CONNECTED'];

test('every 8-bit form of operators.def has a case', () => {
  const kinds = Object.keys(OPERATORS).filter((kind) => OPERATORS[kind].int8 && !WEIGHTED.includes(kind));
  assert.deepEqual(Object.keys(CASES).sort(), kinds.sort());
});

/** Noise from 0 to 1. @param {number} length @param {number} seed */
function noise(length, seed) {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return state / 2 ** 31;
  });
}

/** @param {string} kind @param {Case} given */
function network(kind, { shape, after = [], before = [], takesTwo, options = {}, outputs = 1, isPositive }) {
  const x = { name: 'x', shape: SHAPE };
  const convolution = (/** @type {string} */ name, /** @type {number} */ seed) => ({
    ...{ kind: 'CONV_2D', inputs: [x], output: { name, shape: MAP } },
    options: { padding: 'SAME', strideH: 1, strideW: 1 },
    weights: {
      kernel: {
        dtype: /** @type {const} */ ('float32'),
        shape: [1, 1, 3, 8],
        data: Float64Array.from(noise(24, seed), (value) => (isPositive ? value + 0.2 : 4 * value - 2)),
      },
      isTransposed: false,
      bias: new Float64Array(8).fill(isPositive ? 0.5 : 0),
    },
  });
  const first = convolution('first', 3);
  const second = convolution('second', 5);
  const maps = [first.output, ...(takesTwo ? [second.output] : [])];
  const others = Array.from({ length: outputs - 1 }, (_, i) => ({ name: `y${i + 1}`, shape }));
  const output = { name: 'y', shape };
  const operator = { kind, inputs: [...before, ...maps, ...after], output, options, others };
  return {
    inputs: [x],
    ops: [first, ...(takesTwo ? [second] : []), operator],
    outputs: [output, ...others].map((value) => ({ name: value.name, value })),
  };
}

/** The file with its 8-bit outputs converted to floats, which LiteRT.js can read. @param {Uint8Array<ArrayBuffer>} model */
function withFloatOutputs(model) {
  const file = readFile(model);
  const outputs = file.outputs.map((tensor) => {
    const { name, shape } = file.tensors[tensor];
    const converted = file.tensors.push({ name: `${name}/float`, shape, type: TYPE.float32 }) - 1;
    const code = OPERATORS.DEQUANTIZE.code;
    file.operators.push({
      ...{ code, custom: '', version: 2, inputs: [tensor], outputs: [converted] },
      ...{ optionsType: 0, options: [] },
    });
    return converted;
  });
  return writeFile({ ...file, outputs, signatures: [] });
}

/** @param {number} seed */
const pixels = (seed) => Uint8Array.from(noise(72, seed), (value) => Math.round(255 * value));
const IMAGES = [7, 11, 13].map((seed) => ({
  ...{ data: pixels(seed), width: 6, height: 4 },
  channels: /** @type {const} */ (3),
}));

for (const inputType of /** @type {const} */ (['float32', 'int8', 'uint8']))
  test(`a map that is joined with an image of ${inputType} keeps its range, and the image its pixels`, async () => {
    const { ops, inputs } = network('CONCATENATION', { shape: [1, 4, 6, 11], options: { axis: 3 } });
    const joined = ops[1];
    joined.inputs = [inputs[0], ops[0].output];
    const outputs = [{ name: 'y', value: joined.output }];
    const bytes = writeTflite({ inputs, ops, outputs }, { precision: 'fp32', description: '' });
    const { model } = await quantize(bytes, IMAGES, {
      ...{ input: '[0,1]', ranges: 'minmax', report: false, inputType },
      ...{ outputType: 'int8', correctBias: false },
    });
    const image = pixels(7);
    const reals = Float32Array.from(image, (pixel) => pixel / 255);
    const stored = { float32: reals, int8: Int8Array.from(image, (pixel) => pixel - 128), uint8: image };
    const wanted = Array.from((await runModel(bytes, reals))[0].data, Number);
    const [{ data, quantization }] = await runModel(model, stored[inputType]);
    const { scale, zeroPoint } = /** @type {{scale: number, zeroPoint: number}} */ (quantization);
    const range = Math.max(...wanted) - Math.min(...wanted);
    assert.ok(range > 2, 'the map has more than the pixels');
    Array.from(data, Number).forEach((value, i) => {
      const error = Math.abs((value - zeroPoint) * scale - wanted[i]);
      assert.ok(error <= scale + 0.03 * range, `${i}: ${error}`);
    });
    const file = readFile(model);
    const [step] = file.tensors[file.inputs[0]].quantization?.scales ?? [];
    assert.equal(step, inputType === 'float32' ? undefined : Math.fround(1 / 255));
  });

for (const [kind, given] of Object.entries(CASES))
  test(kind, async () => {
    const bytes = writeTflite(network(kind, given), { precision: 'fp32', description: '' });
    const { model } = await quantize(bytes, IMAGES, {
      ...{ input: '[0,1]', ranges: 'minmax', report: false },
      ...{ outputType: 'int8', correctBias: false },
    });
    const file = readFile(model);
    const operator = file.operators.find(({ code }) => kindOf(code) === kind);
    assert.ok(operator, 'it is in the file');
    assert.deepEqual(
      operator.outputs.map((tensor) => file.tensors[tensor].type),
      operator.outputs.map(() => TYPE.int8),
    );
    const input = Float32Array.from(pixels(7), (pixel) => pixel / 255);
    const ours = await runModel(model, input);
    const float = await runModel(bytes, input);
    const theirs = await runLiteRt(withFloatOutputs(model), input, SHAPE);
    assert.equal(theirs.length, ours.length);
    for (const [i, { data, quantization }] of ours.entries()) {
      const { scale, zeroPoint } = /** @type {{scale: number, zeroPoint: number}} */ (quantization);
      const reals = Array.from(data, Number).map((stored) => (stored - zeroPoint) * scale);
      const wanted = Array.from(float[i].data, Number);
      const range = Math.max(...wanted, 0) - Math.min(...wanted, 0);
      reals.forEach((real, k) =>
        assert.ok(
          Math.abs(real - wanted[k]) <= scale + (given.error ?? 0.03) * range,
          `output ${i}: ${real} instead of ${wanted[k]}`,
        ),
      );
      theirs[i].data.forEach((value, k) =>
        assert.ok(
          Math.abs(value - reals[k]) <= 1.01 * scale,
          `output ${i}: ${reals[k]}, LiteRT.js ${value}, ${scale} a step`,
        ),
      );
    }
  });
