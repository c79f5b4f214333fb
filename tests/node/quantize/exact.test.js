// The quantizer's functions, each against integers and fractions that are worked out by hand here.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { channelMeans, Means } from '../../../wasm/quantize/correct.js';
import { TYPE } from '../../../wasm/quantize/file.js';
import { floatsOf, int32sOf, toBytes } from '../../../wasm/quantize/float_model.js';
import { Histogram } from '../../../wasm/quantize/histogram.js';
import { makePlan } from '../../../wasm/quantize/plan.js';
import { dropUnusedTensors } from '../../../wasm/quantize/finish.js';
import { int8Version, ruleOf } from '../../../wasm/quantize/operators.js';
import { logitRange, pixelScale, RANGES, toInt8 } from '../../../wasm/quantize/ranges.js';
import { rewrite } from '../../../wasm/quantize/rewrite.js';
import {
  biasTensor,
  kernelTensor,
  meanAccumulators,
  quantizeKernel,
} from '../../../wasm/quantize/weights.js';
import { fromBytes } from '../../../wasm/tflite/tensor.js';
import { OPERATORS } from '../../../wasm/tflite/operators.js';

const f32 = Math.fround;

/** @param {number[]} values @param {number[]} [shape] @returns {import('../../../wasm/quantize/file.js').Tensor} */
const floats = (values, shape = [values.length], name = 'c') => ({
  ...{ name, shape, type: TYPE.float32 },
  data: toBytes(Float32Array.from(values)),
});
/** @param {number[][]} images */
function histogramOf(...images) {
  const histogram = new Histogram();
  for (const values of images) histogram.add(Float32Array.from(values));
  return histogram;
}

describe('scale and zero point of a range', () => {
  /** @type {[number, number, number, number][]} min, max, scale, zero point */
  const cases = [
    [0, 255, 1, -128],
    [-128, 127, 1, 0],
    [-127.6, 127.4, 1, 0],
    [-127.4, 127.6, 1, -1],
    [-255, 0, 1, 127],
    [-1, 0.99, 1.99 / 255, 0],
    [10, 255, 1, -128],
    [-255, -10, 1, 127],
    [-51, 204, 1, -77],
    [-0.25, 0.75, 1 / 255, -64],
    [0, 0, 1 / 255, 0],
  ];
  for (const [min, max, scale, zeroPoint] of cases)
    test(`${min} to ${max}`, () => {
      const made = toInt8({ min, max });
      assert.ok(made.zeroPoint === zeroPoint, String(made.zeroPoint)); // 0 may be -0
      assert.equal(f32(made.scale), f32(scale));
    });

  /** @type {[number, number, boolean, number, number][]} */
  const pixels = [
    [0, 255, true, 1, -128],
    [-1, 1, true, 2 / 255, -1], // in float32, 1 is 127.49999 steps
    [-1, 1, false, 1 / 127, 0],
    [1, -1, false, 1 / 127, 0],
    [0, 1, false, 1 / 255, -128],
    [-2, 1, false, 3 / 255, 42],
    [-3, 1, false, Math.max(3 / 191, 1 / 63), 64],
    // Zero may lie a twentieth of a step beside a step.
    [-100.04, 154.96, false, 1, -28],
    [-99.96, 155.04, false, 1, -28],
    [-100.06, 154.94, false, 154.94 / 154, -27],
    [-99.94, 155.06, false, 155.06 / 154, -27],
    // Either side of zero has a step, however short it is.
    [-0.001, 0.999, false, 0.999 / 253, -126],
    [-0.999, 0.001, false, 0.999 / 253, 126],
    [0, 0, false, 1 / 255, 0],
  ];
  for (const [start, end, isPixelInput, scale, zeroPoint] of pixels)
    test(`pixels from ${start} to ${end}${isPixelInput ? ', as bytes' : ''}`, () => {
      const made = pixelScale(start, end, isPixelInput);
      assert.equal(f32(made.scale), f32(scale));
      assert.equal(made.zeroPoint, zeroPoint);
    });
});

describe('histograms', () => {
  test('bins are as wide as a power of two, and widen without losing their places', () => {
    const seen = histogramOf([0.5, 1, 1, 0, 0]);
    assert.deepEqual([seen.min, seen.max, seen.numZeros], [0, 1, 2]);
    const places = () =>
      Array.from(seen.counts, (count, bin) => [seen.valueOf(bin), count]).filter(([, count]) => count > 0);
    // 2048 bins from 0 to 1: the width is 1/1024, and a bin's centre lies half a width above its start.
    assert.deepEqual(places(), [
      [0.5 + 1 / 2048, 1],
      [1 + 1 / 2048, 2],
    ]);
    seen.add(Float32Array.of(-3, 3));
    // From -3 to 3, bins of 1/256 are the first that suffice.
    assert.deepEqual(places(), [
      [-3 + 1 / 512, 1],
      [0.5 + 1 / 512, 1],
      [1 + 1 / 512, 2],
      [3 + 1 / 512, 1],
    ]);
    assert.deepEqual([seen.minima, seen.maxima], [[0, -3].map(Number), [1, 3]]);
    const kept = seen.copy();
    seen.add(Float32Array.of(8, 0));
    assert.deepEqual([kept.max, kept.numZeros, kept.maxima.length], [3, 2, 2]);
    assert.equal(seen.numZeros, 3);
  });

  test('two tensors that are merged, either way, are one with the values of both in each image', () => {
    const tensors = [
      [[0.25, 0.5, 0], [1], [-3, 300]],
      [[-40, 6, 0, 0], [0.5, 0], [2]],
    ];
    const places = (/** @type {Histogram} */ seen) =>
      Array.from(seen.counts, (count, bin) => [seen.valueOf(bin), count]).filter(([, count]) => count > 0);
    const whole = histogramOf(...tensors[0].map((values, image) => [...values, ...tensors[1][image]]));
    for (const [first, second] of [tensors, tensors.toReversed()]) {
      const merged = histogramOf(...first);
      merged.merge(histogramOf(...second));
      assert.deepEqual(places(merged), places(whole));
      assert.deepEqual([merged.min, merged.max, merged.numZeros], [-40, 300, 4]);
      assert.deepEqual(merged.minima, [-40, 0, -3]);
      assert.deepEqual(merged.maxima, [6, 1, 300]);
    }
  });
});

describe('ranges', () => {
  test('minmax and logits', () => {
    const seen = histogramOf([-20, 3], [-1, 30]);
    assert.deepEqual(RANGES.minmax(seen), { min: -20, max: 30 });
    assert.deepEqual(logitRange(seen), { min: -8, max: 8 });
    assert.deepEqual(logitRange(histogramOf([-2, 3])), { min: -2, max: 3 });
  });

  test('average moves by a tenth for each image', () => {
    const { min, max } = RANGES.average(histogramOf([-1, 10], [-2, 20], [-1, 10]));
    assert.ok(Math.abs(max - (0.9 * (0.9 * 10 + 0.1 * 20) + 0.1 * 10)) < 1e-12, String(max));
    assert.ok(Math.abs(min + (0.9 * (0.9 * 1 + 0.1 * 2) + 0.1 * 1)) < 1e-12, String(min));
  });

  test('percentile lies inside the values that were seen', () => {
    // The centre of the bin of the largest value is above it, and that of the least below it or above.
    for (const values of [
      [1, 2],
      [-2, -1],
      [-1.5, 0, 2.5],
    ]) {
      const { min, max } = RANGES.percentile(histogramOf(values));
      assert.equal(max, Math.max(...values));
      assert.ok(min >= Math.min(...values) && min <= Math.min(...values) + 1 / 256, String(min));
    }
    assert.deepEqual(RANGES.percentile(histogramOf([0, 0])), { min: 0, max: 0 });
  });

  test('percentile clips one value of 100 000 at each end, not two', () => {
    const values = Array.from({ length: 200_000 }, (_, i) => (i % 2 ? 1 : -1));
    const clipped = RANGES.percentile(histogramOf([...values, 50, -50]));
    assert.ok(clipped.max < 1.1 && clipped.min > -1.1, JSON.stringify(clipped));
    const kept = RANGES.percentile(histogramOf([...values, 50, 50, 50, -50, -50, -50]));
    assert.ok(kept.max > 49 && kept.min < -49, JSON.stringify(kept));
  });

  test('least squares: values at both ends keep their range', () => {
    const { min, max } = RANGES.mse(histogramOf(Array.from({ length: 1000 }, (_, i) => (i % 2 ? 3 : -1))));
    assert.deepEqual([min, max], [-1, 3]);
    assert.deepEqual(RANGES.mse(histogramOf([1, 2, 4])), { min: 0, max: 4 });
    assert.deepEqual(RANGES.mse(histogramOf([-1, -2, -4])), { min: -4, max: 0 });
  });
});

describe('weights', () => {
  test('a scale for each output channel of a convolution', () => {
    const kernel = floats([127, -64, 1, 0.5, 254, -254], [2, 1, 1, 3]);
    const weights = quantizeKernel(kernel, 0, undefined, 1);
    assert.deepEqual([...weights.scales], [1, 2]);
    assert.deepEqual([...weights.stored], [127, -64, 1, 0, 127, -127]);
    const made = kernelTensor(kernel, weights, 0);
    assert.deepEqual(made.quantization, { scales: [1, 2], zeroPoints: [0, 0], axis: 0 });
    assert.equal(made.type, TYPE.int8);
    assert.deepEqual([.../** @type {Uint8Array} */ (made.data)], [127, 192, 1, 0, 127, 129]);
  });

  test('of a depthwise one, whose channels come last', () => {
    const weights = quantizeKernel(floats([127, 2, -127, 254], [1, 2, 1, 2]), 3, undefined, 1);
    assert.deepEqual([...weights.scales], [1, 2]);
    assert.deepEqual([...weights.stored], [127, 1, -127, 127]);
    assert.equal(weights.depth, 1);
    const bias = biasTensor('b', Float64Array.of(3, 9), weights, 0.5);
    assert.deepEqual(int32sOf(bias), [6, 9]);
    assert.deepEqual(bias.quantization, { scales: [0.5, 1], zeroPoints: [0, 0], axis: 0 });
  });

  test('one scale for a fully connected layer', () => {
    const weights = quantizeKernel(floats([127, 1, -254, 3], [2, 2]), -1, undefined, 1);
    assert.deepEqual([...weights.scales], [2]);
    assert.deepEqual([...weights.stored], [64, 1, -127, 2]);
    const bias = biasTensor('b', Float64Array.of(3, -9), weights, 1);
    assert.deepEqual(int32sOf(bias), [2, -4]);
    assert.deepEqual(bias.shape, [2]);
  });

  test('a large bias widens the scale, so that it stays below 2^30', () => {
    const kernel = floats([1, 2], [2, 1]);
    const bias = Float32Array.of(2 ** 31, 0);
    const weights = quantizeKernel(kernel, 0, bias, 1);
    assert.deepEqual([...weights.scales], [2, f32(2 / 127)]);
    assert.deepEqual(int32sOf(biasTensor('b', Float64Array.from(bias), weights, 1)), [2 ** 30, 0]);
    assert.deepEqual([...quantizeKernel(kernel, -1, bias, 0.5).scales], [4]);
  });

  test('a channel of zeros has a scale', () => {
    assert.deepEqual([...quantizeKernel(floats([0, 0], [2, 1]), 0, undefined, 1).scales], [1, 1]);
  });

  test('mean accumulators', () => {
    const means = Float64Array.of(2, 10);
    const dense = quantizeKernel(floats([1, 2, 3, 4], [2, 2]), -1, undefined, 1);
    assert.deepEqual([...meanAccumulators(dense, dense.real, means)], [1 * 2 + 2 * 10, 3 * 2 + 4 * 10]);
    // Depthwise [1, 2, 1, 4] of two input channels: channels 0 and 1 read input 0.
    const depthwise = quantizeKernel(floats([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 1, 4]), 3, undefined, 1);
    assert.deepEqual([...meanAccumulators(depthwise, depthwise.real, means)], [12, 16, 100, 120]);
    // Two groups [4, 1, 1, 2] of four input channels: channels 0 and 1 read inputs 0 and 1.
    const grouped = quantizeKernel(floats([1, 1, 1, 2, 1, 1, 1, 2], [4, 1, 1, 2]), 0, undefined, 1);
    const four = Float64Array.of(1, 10, 100, 1000);
    assert.deepEqual([...meanAccumulators(grouped, grouped.real, four)], [11, 21, 1100, 2100]);
    // Two pixels of two channels, flattened: every second weight is of the same channel.
    const flat = quantizeKernel(floats([1, 2, 3, 4], [1, 4]), -1, undefined, 1);
    assert.deepEqual([...meanAccumulators(flat, flat.real, means)], [(1 + 3) * 2 + (2 + 4) * 10]);
  });

  test('means of channels, over images', () => {
    assert.deepEqual([...channelMeans(Float32Array.of(1, 10, 3, 30), 2)], [2, 20]);
    const means = new Means();
    assert.equal(means.has(7), false);
    means.add(7, Float32Array.of(1, 10, 3, 30), 2);
    means.add(7, Float32Array.of(4, 0), 2);
    means.add(8, Float32Array.of(5), 1);
    assert.ok(means.has(7));
    assert.deepEqual([...means.meansOf(7)], [3, 10]);
    assert.deepEqual([...means.meansOf(8)], [5]);
  });
});

const add = { ...OPERATORS.ADD, optionsType: 0, options: [] };

/**
 * x + c, quantized with scales of 1.
 * @param {number[]} constant
 * @param {{inputType?: 'float32' | 'int8' | 'uint8', outputType?: 'float32' | 'int8' | 'uint8'}} ports
 */
function addConstant(constant, { inputType = 'float32', outputType = 'float32' }, kind = 'ADD') {
  const n = constant.length;
  const x = { name: 'x', shape: [n], type: TYPE.float32 };
  const operator = {
    ...add,
    code: OPERATORS[kind].code,
    custom: '',
    version: 1,
    inputs: [0, 1],
    outputs: [2],
  };
  const model = {
    ...{ description: '', tensors: [x, floats(constant), { ...x, name: 'y' }], operators: [operator] },
    ...{ inputs: [0], outputs: [2], metadata: [] },
    signatures: [
      {
        key: 'serve',
        inputs: [/** @type {[string, number]} */ (['in', 0])],
        outputs: [/** @type {[string, number]} */ (['out', 2])],
      },
    ],
  };
  const plan = makePlan(model, { keepFloat: [], hasFloatOutputs: outputType === 'float32' });
  const parameters = {
    scaleOf: (/** @type {number} */ tensor) => ({ scale: 1, zeroPoint: tensor === 0 ? 3 : -5 }),
    ...{ weights: new Map(), biases: new Map() },
  };
  return rewrite(model, plan, parameters, { inputType, outputType });
}

describe('rewriting', () => {
  test('a constant keeps its own range, and its ends do not wrap', () => {
    for (const [values, stored] of [
      [
        [0, 255, 127.5],
        [-128, 127, 0],
      ],
      [
        [-100.4, 154.6],
        [-128, 127],
      ],
      [
        [-127.6, 127.4, 0.4],
        [-128, 127, 0],
      ],
      [
        [-127.4, 127.6, 0.6],
        [-128, 127, 0],
      ],
      [
        [-3, -255],
        [124, -128],
      ],
    ]) {
      const made = addConstant(values, {});
      const constant = made.tensors.find(({ data, type }) => data && type === TYPE.int8);
      assert.deepEqual(
        Array.from(fromBytes('int8', /** @type {any} */ (constant).data)),
        stored,
        String(values),
      );
      const [scale] = /** @type {any} */ (constant).quantization.scales;
      assert.equal(scale, f32((Math.max(...values, 0) - Math.min(...values, 0)) / 255));
    }
  });

  test('a constant of an operator whose scales are tied is clamped to the scale of its output', () => {
    const made = addConstant([0, 300, -300, 2.5], {}, 'MAXIMUM');
    const constant = made.tensors.find(({ data, type }) => data && type === TYPE.int8);
    const { scales, zeroPoints } = /** @type {any} */ (constant).quantization;
    assert.deepEqual([...scales], [1]);
    const [zero] = zeroPoints;
    const stored = Array.from(fromBytes('int8', /** @type {any} */ (constant).data));
    assert.deepEqual(stored, [zero, 127, -128, zero + 3]);
  });

  test('float ports are converted, and keep their names', () => {
    const made = addConstant([0, 255], {});
    const codes = made.operators.map(({ code }) => code);
    assert.deepEqual(codes, [OPERATORS.QUANTIZE.code, OPERATORS.ADD.code, OPERATORS.DEQUANTIZE.code]);
    assert.deepEqual(
      made.operators.map(({ version }) => version),
      [1, ruleOf(OPERATORS.ADD.code)?.version, 2],
    );
    const names = (/** @type {number[]} */ list) => list.map((i) => made.tensors[i].name);
    assert.deepEqual([names(made.inputs), names(made.outputs)], [['x'], ['y']]);
    assert.deepEqual(made.signatures[0].outputs, [['out', made.outputs[0]]]);
    assert.deepEqual(made.signatures[0].inputs, [['in', 0]]);
    assert.equal(made.tensors[made.outputs[0]].type, TYPE.float32);
    assert.equal(made.tensors[made.outputs[0]].quantization, undefined);
    assert.deepEqual(made.tensors[2].quantization, { scales: [1], zeroPoints: [-5], axis: 0 });
    assert.equal(made.tensors[2].name, 'y/int8');
  });

  for (const type of /** @type {const} */ (['int8', 'uint8']))
    test(`ports of ${type}`, () => {
      const made = addConstant([0, 255], { inputType: type, outputType: 'int8' });
      const [input] = made.inputs.map((i) => made.tensors[i]);
      assert.equal(input.type, TYPE[type]);
      assert.deepEqual(input.quantization?.zeroPoints, [type === 'int8' ? 3 : 131]);
      assert.deepEqual(made.outputs, [2]);
      const codes = made.operators.map(({ code }) => code);
      assert.deepEqual(codes, [...(type === 'int8' ? [] : [OPERATORS.QUANTIZE.code]), OPERATORS.ADD.code]);
      if (type === 'uint8') assert.equal(made.operators[0].version, 2);
    });

  test('tensors that nobody uses are dropped, and the others renumbered', () => {
    const made = addConstant([0, 255], {});
    const small = dropUnusedTensors(made);
    assert.equal(small.tensors.length, made.tensors.length - 1);
    assert.ok(
      small.tensors.every(({ name, type, data }) => !(data && type === TYPE.float32 && name === 'c')),
    );
    const [{ inputs, outputs }] = small.operators.filter(({ code }) => code === OPERATORS.ADD.code);
    assert.deepEqual(
      [...inputs, ...outputs].map((i) => small.tensors[i].type),
      [TYPE.int8, TYPE.int8, TYPE.int8],
    );
    assert.equal(small.tensors[small.outputs[0]].name, 'y');
    assert.deepEqual(small.signatures[0].outputs, [['out', small.outputs[0]]]);
  });
});

test('versions of 8-bit operators: half-pixel centres of either resize need 3', () => {
  for (const [kind, at] of /** @type {[string, number][]} */ ([
    ['RESIZE_BILINEAR', 3],
    ['RESIZE_NEAREST_NEIGHBOR', 1],
  ])) {
    const { code } = OPERATORS[kind];
    const rule = /** @type {import('../../../wasm/quantize/operators.js').Rule} */ (ruleOf(code));
    const versionOf = (/** @type {number[]} */ options) =>
      int8Version({ ...add, code, custom: '', version: 1, inputs: [], outputs: [], options }, rule);
    const options = [0, 0, 0, 0];
    assert.equal(versionOf(options), rule.version);
    assert.equal(versionOf(options.with(at, 1)), 3);
    assert.equal(versionOf(options.with(2, 1)), rule.version);
  }
  assert.equal(ruleOf(OPERATORS.SOFTMAX.code)?.outputScale?.zeroPoint, -128);
  assert.equal(ruleOf(-1), undefined);
});

test('floats of float32 constants', () => assert.deepEqual([...floatsOf(floats([1.5, -2]))], [1.5, -2]));
