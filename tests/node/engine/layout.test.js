// dist/layout.js, which is printed from C's headers: what JavaScript writes by it, the module reads, and the other way
// round.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as layout from '../../../dist/layout.js';
import { Bridge } from '../../../wasm/engine/bridge.js';
import { Engine } from '../../../wasm/engine/engine.js';
import { Memory } from '../../../wasm/engine/memory.js';
import { numberToHalf } from '../../../wasm/tflite/tensor.js';
import { checkOptimizer, optimizerStruct } from '../../../wasm/train/plan.js';
import { Trainer } from '../../../wasm/train/trainer.js';
import { writeModel } from '../../fuzz/tiny_models.js';
import { loadEngine, loadModel, maxDifference } from '../shared.js';
import { build, complete, INPUT, OUTPUT, toInt8 } from './convolution.js';

const RELU = 19;
const F32 = 2 ** -20;

/** @param {import('../../../wasm/engine/engine.js').TensorData | number[]} found @param {readonly number[]} expected */
function isClose(found, expected) {
  const actual = Array.from(found, Number);
  assert.equal(actual.length, expected.length);
  assert.ok(maxDifference(actual, [...expected]) <= F32, `${actual} is not ${expected}`);
}

/** A memory whose heap only grows, starting at `next`. */
function makeMemory(next = 64) {
  const freed = /** @type {number[]} */ ([]);
  const alloc = (/** @type {number} */ size) => (next += (size + 15) & ~15) - ((size + 15) & ~15);
  return {
    freed,
    memory: new Memory(new WebAssembly.Memory({ initial: 1 }), { alloc, free: (a) => freed.push(a) }),
  };
}

describe('a struct in memory', () => {
  const MIXED = /** @type {const} */ ({
    size: 48,
    fields: {
      flag: ['Bool', 1],
      count: ['Int32', 4],
      address: ['Uint32', 8],
      share: ['Float32', 12],
      sum: ['Float64', 16],
      sides: ['Float32', 24, 3, 4],
    },
  });

  test('is written where the layout says', () => {
    const { freed, memory } = makeMemory();
    const first = { flag: true, count: -2, address: 2 ** 31, share: 0.5, sum: -1e9, sides: [1, 2, 3] };
    const second = { ...first, flag: false, count: 7, sides: [4, 5, 6] };
    const address = memory.withArguments((put) => {
      const at = put.structs(MIXED, first, second);
      const view = new DataView(memory.bytes.buffer, at);
      assert.equal(view.getUint8(1), 1);
      assert.equal(view.getInt32(4, true), -2);
      assert.equal(view.getUint32(8, true), 2 ** 31);
      assert.equal(view.getFloat32(12, true), 0.5);
      assert.equal(view.getFloat64(16, true), -1e9);
      assert.deepEqual(
        [24, 28, 32].map((offset) => view.getFloat32(48 + offset, true)),
        [4, 5, 6],
      );
      assert.equal(view.getInt32(48 + 4, true), 7);
      assert.deepEqual(memory.readStruct(at, MIXED), first);
      assert.deepEqual(memory.readStruct(at + 48, MIXED), second);
      return at;
    });
    assert.deepEqual(freed, [address]);
  });

  test('is freed when the call throws', () => {
    const { freed, memory } = makeMemory();
    assert.throws(
      () =>
        memory.withArguments((put) => {
          put.space(8);
          put.data(Uint8Array.of(1));
          throw new Error('no');
        }),
      /no/,
    );
    assert.equal(freed.length, 2);
  });

  test('gives texts and large integers', () => {
    const { memory } = makeMemory();
    memory.write(100, new TextEncoder().encode('Äpfel\0'));
    memory.write(200, BigUint64Array.of(2n ** 40n));
    memory.write(208, Uint32Array.of(100));
    const fields = /** @type {const} */ ({ large: ['BigUint64', 0], text: ['Text', 8] });
    assert.deepEqual(memory.readStruct(200, { size: 12, fields }), { large: 2 ** 40, text: 'Äpfel' });
  });
});

test('fields are aligned, apart and inside of their struct', () => {
  const SIZES = { Bool: 1, Int32: 4, Uint32: 4, Text: 4, Float32: 4, Float64: 8, BigUint64: 8 };
  const structs = Object.entries(layout).filter(([, value]) => Object(value).fields);
  assert.ok(structs.length > 20);
  for (const [
    name,
    { size, fields },
  ] of /** @type {[string, import('../../../wasm/engine/memory.js').Layout][]} */ (
    /** @type {unknown} */ (structs)
  )) {
    const ends = Object.values(fields).map(([type, offset, length = 1, stride]) => {
      const bytes = SIZES[/** @type {keyof typeof SIZES} */ (type)];
      assert.equal(offset % bytes, 0, name);
      if (stride !== undefined) assert.equal(stride, bytes, name);
      return [offset, offset + length * bytes];
    });
    ends.sort(([a], [b]) => a - b);
    for (const [i, [, end]] of ends.entries()) assert.ok(end <= (ends[i + 1]?.[0] ?? size), name);
  }
});

test('a .wasm of another build is refused', () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  /** @param {Record<string, () => number>} exports */
  const open = (exports) => new Bridge(exports, memory);
  assert.ok(open({ ocl_abi: () => layout.ABI }));
  assert.throws(() => open({ ocl_abi: () => layout.ABI + 1 }), /from another version of this package/);
  assert.throws(() => open({}), /from another version of this package/);
});

describe('the engine', () => {
  test('tensors, operators and the network', async () => {
    const convolution = complete({ size: [5, 7], channels: 3, outputs: 6, stride: 2 });
    const engine = await loadEngine('simd', toInt8(build(convolution).model).int8);
    const { isConstant, ...output } = engine.outputs[0];
    assert.deepEqual(engine.inputs, [
      { name: 'input', dtype: 'int8', shape: [1, 5, 7, 3], quantization: INPUT },
    ]);
    assert.deepEqual(output, { name: 'output', dtype: 'int8', shape: [1, 3, 4, 6], quantization: OUTPUT });
    assert.equal(isConstant, false);
    const multiplyAdds = 3 * 4 * 6 * (3 * 3 * 3);
    const { ms, ...operator } = engine.operators[0];
    const expected = {
      operator: 'CONV_2D',
      output: 'output',
      shape: [1, 3, 4, 6],
      dtype: 'int8',
      multiplyAdds,
    };
    assert.deepEqual(operator, expected);
    assert.equal(ms, 0);
    assert.equal(engine.network.multiplyAdds, multiplyAdds);
    assert.equal(engine.network.parameters, 3 * 3 * 3 * 6 + 6);
    engine.close();
  });

  test('the dtypes of tensors', async () => {
    const engine = await Engine.create({ variant: 'simd', threads: 1 });
    for (const dtype of /** @type {const} */ (['float32', 'int8'])) {
      const tensor = { shape: [1, 4], dtype, scale: dtype === 'int8' ? 0.5 : undefined };
      const operators = [{ code: RELU, inputs: [0], outputs: [1] }];
      await loadModel(
        engine,
        writeModel({ tensors: [tensor, tensor], operators, inputs: [0], outputs: [1] }),
      );
      assert.equal(engine.inputs[0].dtype, dtype);
    }
    engine.close();
  });

  test('pixels, their size, a region, scales and offsets', async () => {
    const [width, height, channels, stride] = /** @type {const} */ ([5, 4, 4, 23]);
    const data = Uint8Array.from({ length: stride * height }, (_, i) => (i * 37) % 251);
    const tensors = [{ shape: [1, 2, 3, 3] }, { shape: [1, 2, 3, 3] }];
    const operators = [{ code: RELU, inputs: [0], outputs: [1] }];
    const engine = await loadEngine('simd', writeModel({ tensors, operators, inputs: [0], outputs: [1] }));
    engine.image.setPixels({ data, width, height, channels, stride });
    assert.deepEqual(engine.image.size, { width, height });
    /** @param {number} x @param {number} y */
    const rgb = (x, y) => Array.from(data.subarray(y * stride + x * channels).subarray(0, 3));
    const all = Array.from({ length: width * height }, (_, i) => rgb(i % width, Math.floor(i / width)));
    assert.deepEqual(Array.from(engine.image.read(layout.IGNORE_ALPHA).data), all.flat());
    const [scale, offset] = [
      [1, 2, 0.5],
      [10, 0, 3],
    ];
    for (const resize of /** @type {const} */ (['legacy', 'half-pixel'])) {
      const roi = { x: 1, y: 2, width: 3, height: 2 };
      engine.image.preprocess({ scale, offset, resize }, roi, 0, 0, layout.IGNORE_ALPHA);
      engine.run();
      const region = [2, 3].flatMap((y) => [1, 2, 3].flatMap((x) => rgb(x, y)));
      isClose(
        engine.readOutput(0).data,
        region.map((value, i) => value * scale[i % 3] + offset[i % 3]),
      );
    }
    engine.image.drop();
    assert.deepEqual(engine.image.size, { width: 0, height: 0 });
    engine.close();
  });

  test('the ways to resize', async () => {
    // Two pixels to four: the sample points are 0, 0.5, 1, 1.5, or half-pixel centres: -0.25, 0.25, 0.75, 1.25.
    const tensors = [{ shape: [1, 1, 4, 3] }, { shape: [1, 1, 4, 3] }];
    const operators = [{ code: RELU, inputs: [0], outputs: [1] }];
    const engine = await loadEngine('simd', writeModel({ tensors, operators, inputs: [0], outputs: [1] }));
    engine.image.setPixels({ data: Uint8Array.of(0, 100), width: 2, height: 1, channels: 1, stride: 2 });
    for (const [resize, expected] of /** @type {const} */ ([
      ['legacy', [0, 50, 100, 100]],
      ['half-pixel', [0, 25, 75, 100]],
    ])) {
      engine.image.preprocess({ scale: 1, offset: 0, resize }, undefined, 0);
      engine.run();
      const values = /** @type {Float32Array} */ (engine.readOutput(0).data);
      isClose(
        values.filter((_, i) => i % 3 === 0),
        expected,
      );
    }
    engine.close();
  });

  test('generators of anchors', async () => {
    const engine = await Engine.create({ variant: 'simd', threads: 1 });
    const image = { width: 16, height: 8 };
    // Level 2 has cells of 4 pixels and boxes of 1.5 cells; a box of ratio 4 has the same area. Each side of the image is
    // a multiple of the cells', so that centres are in the middle of the cells.
    const settings = { minLevel: 2, maxLevel: 2, anchorScale: 1.5, aspectRatios: [1, 4], scalesPerOctave: 1 };
    const multiscale = engine.heads.generateAnchors({ type: 'multiscale', ...settings }, image);
    const centres = [0, 1].flatMap((row) =>
      [0, 1, 2, 3].map((column) => [(row + 0.5) / 2, (column + 0.5) / 4]),
    );
    isClose(
      multiscale,
      centres.flatMap(([y, x]) => [...[y, x, 6 / 8, 6 / 16], ...[y, x, 3 / 8, 12 / 16]]),
    );
    const ssd = engine.heads.generateAnchors(
      {
        type: 'ssd',
        featureMaps: [
          [1, 2],
          [1, 1],
        ],
        scales: [0.25, 0.5],
        aspectRatios: [4],
        interpolatedScaleAspectRatio: 0,
        reduceBoxesInLowestLayer: false,
      },
      { width: 8, height: 8 },
    );
    isClose(ssd, [...[0.5, 0.25, 0.125, 0.5], ...[0.5, 0.75, 0.125, 0.5], ...[0.5, 0.5, 0.25, 1]]);
    engine.close();
  });
});

test('the trainer: rows as float16 or as floats, and their softmax', async () => {
  const trainer = await Trainer.create();
  const network = {
    input: [1, 1, 3],
    layers: /** @type {import('../../../wasm/train/trainer.js').TrainLayer[]} */ ([
      { kind: 'pointwise', channels: 2 },
    ]),
  };
  trainer.open(network, optimizerStruct(checkOptimizer({ type: 'sgd' })), 4);
  const [kernel, bias] = [[0.5, -1, 2, 0.25, -0.75, 1], [0.125, -0.5]]; // prettier-ignore
  trainer.write('parameters', Float32Array.of(...kernel, ...bias));
  // What float16 has.
  const rows = [[1, -2, 0.5], [0.25, 3, -1], [-0.125, 0, 2]]; // prettier-ignore
  const expected = rows.flatMap((row) => {
    const logits = bias.map((each, k) => row.reduce((sum, x, i) => sum + x * kernel[2 * i + k], each));
    return logits.map((logit) => 1 / logits.reduce((sum, other) => sum + Math.exp(other - logit), 0));
  });
  const writeHalves = () => trainer.writeHalfRows(rows.map((row) => Uint16Array.from(row, numberToHalf)));
  const writeFloats = () => rows.forEach((row, i) => trainer.writeRow(i, Float32Array.from(row)));
  for (const write of [writeHalves, writeFloats]) {
    trainer.writeHalfRows(rows.map((row) => new Uint16Array(row.length)));
    write();
    isClose(trainer.predict(rows.length), expected);
  }
  trainer.close();
});

test('the trainer: layers, an optimizer, a batch and its result', async () => {
  const trainer = await Trainer.create({ deterministic: true });
  const network = {
    input: [4, 4, 2],
    layers: /** @type {import('../../../wasm/train/trainer.js').TrainLayer[]} */ ([
      { kind: 'depthwise', channels: 2, stride: 2, norm: 'frozen' },
      { kind: 'pool', channels: 2 },
      { kind: 'pointwise', channels: 3 },
    ]),
  };
  const [rate, momentum, rows] = [0.5, 0.75, 2];
  trainer.open(network, optimizerStruct(checkOptimizer({ type: 'sgd', momentum })), rows);
  const [kernel, norm, head] = [9 * 2, 4 * 2, 2 * 3 + 3];
  assert.equal(trainer.read('parameters').length, kernel + norm + head);
  trainer.write('labels', Int32Array.of(0, 1));
  trainer.write('weights', Float32Array.of(1, 3));
  for (const row of [0, 1]) trainer.writeRow(row, new Float32Array(4 * 4 * 2).fill(1));
  const step = (/** @type {number} */ number) =>
    trainer.run(rows, { targets: false, weights: true }, { labelSmoothing: 0, l2: 0.25, step: number, rate });

  // With parameters of 0 every class has probability 1/3, and class 0 is the first maximum.
  const { loss, ...result } = step(1);
  isClose([loss], [4 * Math.log(3)]);
  assert.deepEqual(result, { weight: 4, hits: 1, weightedHits: 1, regularizer: 0 });
  // The gradient of a class's bias: weight * (1/3 - whether the row is of that class), summed, by the number of rows.
  const gradient = [4 / 3 - 1, 4 / 3 - 3, 4 / 3].map((sum) => sum / rows);
  isClose(trainer.read('gradients').slice(-3), gradient);
  isClose(
    trainer.read('slots').slice(-3),
    gradient.map((value) => -value * rate),
  );
  isClose(
    trainer.read('parameters').slice(-3),
    gradient.map((value) => -value * rate),
  );
  const before = trainer.read('slots').slice(-3);
  step(2);
  const second = trainer.read('gradients').slice(-3);
  isClose(
    trainer.read('slots').slice(-3),
    Array.from(second, (value, i) => before[i] * momentum - value * rate),
  );
  assert.throws(
    () =>
      trainer.open(
        { ...network, layers: [{ kind: /** @type {'pool'} */ ('constructor'), channels: 2 }] },
        optimizerStruct(checkOptimizer('sgd')),
        1,
      ),
    { code: 'INVALID_OPTION' },
  );
  trainer.close();
});
