// Parts of the quantizer beside its arithmetic: reports, options, images that are left out, and what stays open.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { convert } from '../../../wasm/convert/node.js';
import { compareLayers } from '../../../wasm/quantize/compare.js';
import { compareDetections } from '../../../wasm/quantize/detections.js';
import { readFile, TYPE } from '../../../wasm/quantize/file.js';
import { floatsOf, int32sOf, readFloatModel } from '../../../wasm/quantize/float_model.js';
import { quantize, toMarkdown } from '../../../wasm/quantize/node.js';
import { checkOptions } from '../../../wasm/quantize/options.js';
import { dequantize, featureMaps } from '../../../wasm/quantize/runner.js';
import { ObjectDetector } from '../../../wasm/vision/detector.js';
import { base64, graphModel } from '../convert/graph_model.js';
import { enginesLeftBy } from '../open_engines.js';
import '../shared.js';

const INPUT = { scale: 1, offset: 0, resize: /** @type {const} */ ('legacy') };
const FLOAT = { T: { type: 'DT_FLOAT' } };
const window = { strides: { list: { i: ['1', '1', '1', '1'] } }, padding: { s: base64('SAME') } };

/** A network of pixels: a convolution by these numbers, ReLU. @param {number[]} kernel */
async function networkOf(kernel) {
  const nodes = [
    { name: 'z', op: 'Conv2D', input: ['x', 'k'], attr: { ...FLOAT, ...window } },
    { name: 'y', op: 'Relu', input: ['z'], attr: FLOAT },
  ];
  const source = graphModel([-1, 2, 2, 3], nodes, { k: { shape: [1, 1, 3, 2], values: kernel } }, ['y']);
  return (await convert(source, { input: '[0,1]' })).model;
}
const UNREADABLE = { name: 'OcelliError', message: /unknown format/ };
const KERNEL = [1, 0.5, -0.25, 1, 2, -1];
const image = (/** @type {number} */ first) => ({
  ...{ data: Uint8Array.from({ length: 12 }, (_, i) => (first + 23 * i) % 256), width: 2, height: 2 },
  channels: /** @type {const} */ (3),
});
const images = [image(0), image(100), image(200)];

describe('nothing stays open', () => {
  test('after a quantization with its report', async () => {
    const model = await networkOf(KERNEL);
    const { left, opened } = await enginesLeftBy(() => quantize(model, images));
    assert.equal(left, 0);
    assert.ok(opened >= 5, String(opened));
  });
  test('after one that fails', async () => {
    const model = await networkOf(KERNEL);
    const broken = new Uint8Array([1, 2, 3]);
    const { left, opened } = await enginesLeftBy(() =>
      assert.rejects(quantize(model, [images[0], broken]), UNREADABLE),
    );
    assert.equal(left, 0);
    assert.ok(opened >= 1);
    const none = await enginesLeftBy(() => assert.rejects(quantize(new Uint8Array(100), images)));
    assert.equal(none.left, 0);
  });
});

test('layers are compared number by number', async () => {
  const product = async (/** @type {number[]} */ values) => {
    const nodes = [{ name: 'y', op: 'Mul', input: ['x', 'c'], attr: FLOAT }];
    const source = graphModel([1, 1, 1, 4], nodes, { c: { shape: [4], values } }, ['y']);
    return readFile((await convert(source)).model);
  };
  const [float, first, last, same] = await Promise.all(
    [
      [1, 2, 3, 4],
      [1.5, 2, 3, 4],
      [1, 2, 3, 4.5],
      [1, 2, 3, 4],
    ].map(product),
  );
  const inputs = [Float32Array.of(1, 1, 1, 1), Float32Array.of(2, 0, 0, 2)];
  const tensor = float.operators[0].outputs[0];
  const ratio = async (/** @type {typeof float} */ other) => {
    const [layer, ...rest] = await compareLayers(float, other, inputs, new Set([tensor]));
    assert.deepEqual([layer.name, layer.isInt8, rest.length], [float.tensors[tensor].name, true, 0]);
    return layer.signalToNoise;
  };
  // Squares of y: 1 + 4 + 9 + 16, and 4 + 64; of the differences: 0.25 + 1.
  assert.ok(Math.abs((await ratio(first)) - 10 * Math.log10(98 / 1.25)) < 1e-9);
  assert.ok(Math.abs((await ratio(last)) - 10 * Math.log10(98 / 1.25)) < 1e-9);
  assert.equal(await ratio(same), Infinity);
  const many = Array.from({ length: 9 }, (_, i) => Float32Array.of(i < 8 ? 1 : 1000, 0, 0, 0));
  const [layer] = await compareLayers(float, first, many, new Set());
  assert.ok(Math.abs(layer.signalToNoise - 10 * Math.log10(8 / 2)) < 1e-9);
  assert.equal(layer.isInt8, false);
});

test('a report says what it knows', async () => {
  const report = {
    layers: [
      { name: 'a|b', isInt8: true, signalToNoise: 12.345 },
      { name: 'c', isInt8: false, signalToNoise: Infinity },
    ],
    ...{ bytes: { float: 1000, quantized: 300 }, ms: { float: 2.04, quantized: 1.06 }, images: 1 },
  };
  const text = toMarkdown(report);
  for (const line of [
    'Calibrated on 1 image.',
    '| bytes | 1000 | 300 |',
    '| ms per run (median, one thread) | 2.0 | 1.1 |',
  ])
    assert.ok(text.includes(line), text);
  assert.match(text, /\| a.*b \| int8 \| 12\.3 dB \|/);
  assert.ok(!text.includes('## Detections'));
  const detections = {
    before: { found: 4, matched: 3 },
    after: { found: 5, matched: 5 },
    scoreDifference: 0.01234,
  };
  const more = toMarkdown({ ...report, images: 7, detections });
  assert.match(more, /Calibrated on 7 images\./);
  assert.match(more, /also finds: .*3.*4/);
  assert.match(more, /also finds: .*5.*5/);
  assert.match(more, /mean score difference: 0\.0123/);
});

describe('options', () => {
  test('have defaults', () => {
    const { keepFloat, ranges, correctBias, report, inputType, outputType } = checkOptions({});
    assert.deepEqual(
      [keepFloat, ranges, correctBias, report, inputType, outputType],
      [[], 'mse', true, true, 'float32', 'float32'],
    );
    assert.deepEqual(
      [checkOptions({ correctBias: false }).correctBias, checkOptions({ report: false }).report],
      [false, false],
    );
  });
  for (const options of [
    { keepFloat: 'a' },
    { keepFloat: [1] },
    { ranges: 'max' },
    { correctBias: 1 },
    { report: 'no' },
    { inputType: 'float16' },
    { outputType: 'uint8' },
    { signature: 7 },
    { maxPixels: 0 },
    { signal: {} },
    { onProgress: 1 },
    { onUnreadable: 1 },
    { other: 1 },
  ])
    test(`${JSON.stringify(options)} is refused`, () =>
      assert.throws(() => checkOptions(/** @type {any} */ (options)), { code: 'INVALID_OPTION' }));
});

describe('inputs of pixels as they are', () => {
  const resize = /** @type {const} */ ('half-pixel');
  /** @type {[string, import('../../../wasm/quantize/index.js').QuantizeOptions['input']][]} */
  const refused = [
    ['channels that differ', 'imagenet'],
    ['channels that differ in one number', { scale: [1 / 255, 1 / 255, 1 / 254], offset: 0, resize }],
    ['values above 0 only', { scale: 1 / 255, offset: 0.002, resize }],
    ['values below 0 only', { scale: 1 / 255, offset: -1.002, resize }],
    ['values that fall', { scale: -1 / 255, offset: 1, resize }],
    ['one value', { scale: 0, offset: 0, resize }],
  ];
  for (const [name, input] of refused)
    test(`${name} are refused as bytes, and quantized as they are`, async () => {
      const model = await networkOf(KERNEL);
      await assert.rejects(quantize(model, images, { input, inputType: 'uint8', report: false }), {
        code: 'INVALID_OPTION',
        message: /inputType 'uint8'/,
      });
      for (const inputType of /** @type {const} */ (['float32', 'int8'])) {
        const { model: quantized } = await quantize(model, images, { input, inputType, report: false });
        for (const scale of readFile(quantized).tensors.flatMap(
          ({ quantization }) => quantization?.scales ?? [],
        ))
          assert.ok(scale > 0 && scale < Infinity, String(scale));
      }
    });

  /** @type {[number, number][]} scale and offset */
  const taken = [
    [1 / 255, 0],
    [1 / 127.5, -1],
    [1, 0],
    [1 / 255, 0.0019],
    [1 / 255, -1.0019],
    [1 / 255, -0.3],
  ];
  for (const [scale, offset] of taken)
    test(`pixels * ${scale} + ${offset} are right within half a step`, async () => {
      const model = await networkOf(KERNEL);
      const input = { scale, offset, resize };
      const made = readFile(
        (await quantize(model, images, { input, inputType: 'uint8', report: false })).model,
      );
      const { scales, zeroPoints } = /** @type {any} */ (made.tensors[made.inputs[0]].quantization);
      for (const pixel of [0, 1, 128, 255]) {
        const error = (pixel - Number(zeroPoints[0])) * scales[0] - (pixel * scale + offset);
        assert.ok(Math.abs(error) <= 0.5001 * scale, `${pixel}: ${error}`);
      }
    });
});

test('a moving average covers each tensor of those that share a scale', async () => {
  const pool = { ksize: { list: { i: ['1', '2', '2', '1'] } }, padding: { s: base64('VALID') } };
  const nodes = [
    { name: 'z', op: 'Conv2D', input: ['x', 'k'], attr: { ...FLOAT, ...window } },
    { name: 'p', op: 'AvgPool', input: ['z'], attr: { ...FLOAT, ...pool, strides: window.strides } },
    { name: 'y', op: 'Conv2D', input: ['p', 'l'], attr: { ...FLOAT, ...window } },
  ];
  const one = { shape: [1, 1, 3, 3], values: [1, 0, 0, 0, 1, 0, 0, 0, 1] };
  const source = graphModel([-1, 2, 2, 3], nodes, { k: one, l: one }, ['y']);
  const { model } = await convert(source, { input: '[0,255]' });
  // One white pixel of four: 255 in the feature map, 63.75 in its mean, in every image.
  const white = { ...image(0), data: Uint8Array.from({ length: 12 }, (_, i) => (i < 3 ? 255 : 0)) };
  const given = Array(20).fill(white);
  const { tensors } = readFile((await quantize(model, given, { ranges: 'average', report: false })).model);
  const map = tensors.find(({ name }) => name === 'z');
  assert.deepEqual([map?.quantization?.scales, map?.quantization?.zeroPoints], [[1], [-128]]);
});

test('a signal ends the call before the next stage', async () => {
  const model = await networkOf(KERNEL);
  for (const [last, seen] of /** @type {[string, string[]][]} */ ([
    ['calibrate', ['calibrate', 'calibrate', 'calibrate']],
    ['correct', ['calibrate', 'calibrate', 'calibrate', 'correct']],
  ])) {
    const controller = new AbortController();
    /** @type {string[]} */
    const stages = [];
    const onProgress = (/** @type {{stage: string}} */ { stage }) => {
      stages.push(stage);
      if (stage === last && stages.length === seen.length) controller.abort(new Error('enough'));
    };
    await assert.rejects(quantize(model, images, { signal: controller.signal, onProgress }), /enough/);
    assert.deepEqual(stages, seen);
  }
});

test('images that cannot be read are left out by their places, or end the call', async () => {
  const model = await networkOf(KERNEL);
  const broken = new Uint8Array([1, 2, 3]);
  /** @type {number[]} */
  const places = [];
  /** @type {any[]} */
  const progress = [];
  const given = [broken, images[0], broken, images[1]];
  const { model: made } = await quantize(model, given, {
    ...{
      report: false,
      onUnreadable: (_, index) => places.push(index),
      onProgress: (each) => progress.push(each),
    },
  });
  assert.deepEqual(places, [0, 2]);
  assert.deepEqual(
    progress.filter(({ stage }) => stage === 'calibrate').map(({ images: count }) => count),
    [1, 2],
  );
  const { model: without } = await quantize(model, [images[0], images[1]], { report: false });
  assert.deepEqual(made, without);
  await assert.rejects(quantize(model, given, { report: false }), UNREADABLE);
});

describe('float models', () => {
  test('of fewer bits are read as floats, without DEQUANTIZE', async () => {
    const shape = [8, 8, 4, 4];
    const nodes = [{ name: 'y', op: 'Conv2D', input: ['x', 'k'], attr: { ...FLOAT, ...window } }];
    const values = Array.from({ length: 1024 }, (_, i) => (((i * 37) % 255) - 127) * (i % 4 === 0 ? 1 : 0.5));
    for (const weights of /** @type {const} */ (['fp16', 'int8'])) {
      const { model } = await convert(graphModel([1, 8, 8, 4], nodes, { k: { shape, values } }, ['y']), {
        weights,
      });
      const read = readFloatModel(model);
      assert.equal(read.operators.length, 1);
      const kernel = read.tensors[read.operators[0].inputs[1]];
      assert.deepEqual([kernel.type, kernel.quantization], [TYPE.float32, undefined]);
      const found = floatsOf(kernel);
      // [H, W, I, O] became [O, H, W, I].
      values.forEach((value, i) => {
        const [o, rest] = [i % 4, Math.floor(i / 4)];
        assert.ok(Math.abs(found[o * 256 + rest] - value) < 0.51, `${i}: ${found[o * 256 + rest]} ${value}`);
      });
    }
  });
  test('numbers of bytes', () => {
    const tensor = (/** @type {ArrayBufferView} */ array) => ({
      name: '',
      shape: [],
      type: 0,
      data: new Uint8Array(array.buffer),
    });
    assert.deepEqual([...floatsOf(tensor(Float32Array.of(1.5, -2)))], [1.5, -2]);
    assert.deepEqual(int32sOf(tensor(Int32Array.of(-7, 3))), [-7, 3]);
    assert.deepEqual(int32sOf({ name: '', shape: [], type: 0 }), []);
  });
});

test('int8 numbers become real ones by scale and zero point', () => {
  const int8 = Int8Array.of(-128, 0, 127);
  assert.deepEqual([...dequantize(int8, { scale: 0.5, zeroPoint: -1 })], [-63.5, 0.5, 64]);
  const floats = Float32Array.of(1);
  assert.equal(dequantize(floats, { scale: 0.5, zeroPoint: 0 }), floats);
  assert.equal(dequantize(int8, null), int8);
});

test('feature maps are the inputs and all that is computed, in floats or int8', () => {
  const tensor = (/** @type {number} */ type) => ({ name: '', shape: [1], type });
  const tensors = [TYPE.float32, TYPE.int32, TYPE.int8, TYPE.float32, TYPE.float32].map(tensor);
  const operators = [{ outputs: [1, 2] }, { outputs: [3] }];
  assert.deepEqual(featureMaps(/** @type {any} */ ({ tensors, operators, inputs: [0] })), [0, 2, 3]);
});

describe('detections of two networks', () => {
  const square = (/** @type {number} */ side) => ({ x: 10, y: 20, width: side, height: 10 });
  const box = (/** @type {number} */ score, side = 10, labelId = 1) => ({
    box: square(side),
    score,
    labelId,
  });
  /** @typedef {{before: number[], after: number[], difference: number}} Expected found, matched */
  /** @type {Record<string, [before: ReturnType<typeof box>[][], after: ReturnType<typeof box>[][], Expected]>} */
  const cases = {
    'the same': [[[box(0.9)]], [[box(0.8)]], { before: [1, 1], after: [1, 1], difference: 0.1 }],
    'a score at the limit': [[[box(0.4)]], [[box(0.4)]], { before: [0, 0], after: [0, 0], difference: 0 }],
    'a match below the limit': [
      [[box(0.5)]],
      [[box(0.3)]],
      { before: [1, 1], after: [0, 0], difference: 0.2 },
    ],
    'an overlap of 0.8': [[[box(0.9)]], [[box(0.9, 8)]], { before: [1, 1], after: [1, 1], difference: 0 }],
    'less overlap': [[[box(0.9)]], [[box(0.9, 7.9)]], { before: [1, 0], after: [1, 0], difference: 0 }],
    'another class': [[[box(0.9)]], [[box(0.9, 10, 2)]], { before: [1, 0], after: [1, 0], difference: 0 }],
    'another image': [[[box(0.9)], []], [[], [box(0.9)]], { before: [1, 0], after: [1, 0], difference: 0 }],
    'the nearest score of several': [
      [[box(0.9)]],
      [[box(0.5), box(0.7), box(0.8, 7)]],
      { before: [1, 1], after: [3, 2], difference: (0.2 + 0.4 + 0.2) / 3 },
    ],
  };
  for (const [name, [before, after, expected]] of Object.entries(cases))
    test(name, async (t) => {
      let closed = 0;
      t.mock.method(ObjectDetector, 'create', async (/** @type {any} */ { model, input, scoreThreshold }) => {
        assert.deepEqual([input, scoreThreshold], [INPUT, 0.2]);
        const left = model.slice();
        return { detect: async () => ({ detections: left.shift() }), close: () => closed++ };
      });
      const files = /** @type {any} */ ([{ model: before }, { model: after }]);
      const report = await compareDetections(files, /** @type {any} */ (before.map(() => 'image')), INPUT);
      const [found, matched] = expected.before;
      assert.deepEqual(report?.before, { found, matched });
      assert.deepEqual(report.after, { found: expected.after[0], matched: expected.after[1] });
      assert.ok(
        Math.abs(report.scoreDifference - expected.difference) < 1e-9,
        String(report.scoreDifference),
      );
      assert.equal(closed, 2);
    });

  test('boxes that lie apart in both directions do not overlap', async (t) => {
    const far = { box: { x: 50, y: 60, width: 10, height: 10 }, score: 0.9, labelId: 1 };
    t.mock.method(ObjectDetector, 'create', async (/** @type {any} */ { model }) => ({
      detect: async () => ({ detections: [model] }),
      close: () => {},
    }));
    const files = /** @type {any} */ ([{ model: box(0.9) }, { model: far }]);
    const report = await compareDetections(files, /** @type {any} */ (['image']), INPUT);
    assert.deepEqual(report?.before, { found: 1, matched: 0 });
  });

  test('there are none of other models, and other errors are thrown', async (t) => {
    const files = /** @type {any} */ ([{}, {}]);
    for (const code of ['MODEL_IS_NOT_A_DETECTOR', 'SSD_UNKNOWN', 'MODEL_TRUNCATED']) {
      const error = Object.assign(new Error(code), { code });
      t.mock.method(ObjectDetector, 'create', async () => {
        throw error;
      });
      const comparison = compareDetections(files, [], INPUT);
      if (code === 'MODEL_TRUNCATED') await assert.rejects(comparison, error);
      else assert.equal(await comparison, undefined);
    }
  });
});
