// Single operators in files made here, against formulas: what a network asks for that the reference cases do not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode } from 'flatbuffers/js/flexbuffers.js';
import '../../../wasm/platform/node.js';
import { Engine } from '../../../wasm/engine/engine.js';
import { sourceOf } from '../../../wasm/engine/gather.js';
import { writeTflite } from '../../../wasm/tflite/write.js';
import { TINY_ANCHORS, writeModel } from '../../fuzz/tiny_models.js';
import { loadEngine } from '../shared.js';

/**
 * @typedef {import('../../../wasm/tflite/network.js').Op} Op
 * @typedef {import('../../../wasm/tflite/network.js').Value} Value
 */

/**
 * An engine with the file in it, built but not closed.
 * @param {Value[]} inputs
 * @param {Op[]} ops whose last one makes the output
 */
async function open(inputs, ops) {
  const outputs = [{ name: 'y', value: /** @type {Op} */ (ops.at(-1)).output }];
  const bytes = writeTflite({ inputs, ops, outputs }, { precision: 'fp32', description: '' });
  const engine = await Engine.create({ variant: 'simd', threads: 1 });
  await engine.receiveModel(sourceOf(bytes));
  engine.openModel();
  engine.buildModel({ keepFile: true });
  return engine;
}

/** @param {Engine} engine @param {(Float32Array | Int32Array)[]} inputs */
function run(engine, inputs) {
  inputs.forEach((input, i) => engine.writeInput(i, input));
  engine.run();
  return engine.readOutput(0);
}

/** Along the anchors. @type {import('../../fuzz/tiny_models.js').TinyOperator['options']} */
const CONCATENATION = [10, ['i32', 0, 1]];
const numbers = (/** @type {number} */ length) => Float32Array.from({ length }, (_, i) => i - length / 3);

for (const [kind, shape, options] of /** @type {[string, number[], Record<string, number[]>][]} */ ([
  ['RESHAPE', [-1, 6], { newShape: [-1, 6] }],
  ['SQUEEZE', [-1, 6], { squeezeDims: [1, 2] }],
]))
  test(`${kind} by its options, when the batch is set after the file is gone`, async () => {
    const input = { name: 'x', shape: [-1, 1, 1, 6] };
    const engine = await open([input], [{ kind, inputs: [input], output: { name: 'y', shape }, options }]);
    engine.closeModel();
    for (const batch of [2, 5, 1]) {
      engine.setBatch(batch);
      const { data, shape: found } = run(engine, [numbers(6 * batch)]);
      assert.deepEqual([found, data], [[batch, 6], numbers(6 * batch)]);
    }
    engine.close();
  });

/** @type {Record<string, (a: number, b: number) => number>} */
const BINARY = { ADD: (a, b) => a + b, SUB: (a, b) => a - b, MUL: (a, b) => a * b };
for (const kind of Object.keys(BINARY))
  test(`${kind} of integers broadcasts`, async () => {
    const dtype = /** @type {const} */ ('int32');
    const a = { name: 'a', shape: [2, 3, 1], dtype };
    const b = { name: 'b', shape: [1, 4], dtype };
    const output = { name: 'y', shape: [2, 3, 4], dtype };
    const engine = await open([a, b], [{ kind, inputs: [a, b], output, options: {} }]);
    engine.closeModel();
    const [x, y] = [Int32Array.of(1, -2, 3, 40, 50, 60), Int32Array.of(7, 8, -9, 10)];
    const { data } = run(engine, [x, y]);
    assert.deepEqual(
      Array.from(/** @type {Int32Array} */ (data)),
      Array.from({ length: 24 }, (_, i) => BINARY[kind](x[Math.floor(i / 4)], y[i % 4])),
    );
    engine.close();
  });

/** Numbers as text: a, b and the result; ∞ is Infinity. @param {string[]} lines */
const triples = (...lines) =>
  lines
    .join('; ')
    .replaceAll('∞', 'Infinity')
    .split('; ')
    .map((triple) => triple.split(' ').map(Number));
/** Quotients that are not exact. @type {number[][]} */
const REMAINDERS = [1, 1e8, 5.3, -7, 7, 3e38, -1e30].flatMap((a) =>
  [0.1, 7, -3, 1e-30].map((b) => {
    const left = Math.fround(a) % Math.fround(b);
    return [a, b, left !== 0 && left < 0 !== b < 0 ? left + Math.fround(b) : left];
  }),
);
/** @type {Record<string, [code: number, options: number, values: number[][]]>} */
const SPECIAL = {
  // C's remainder, plus the divisor if the signs differ.
  FLOOR_MOD: [
    95,
    72,
    [
      ...REMAINDERS,
      ...triples(
        '1 ∞ 1; -1 ∞ ∞; 1 -∞ -∞; -1 -∞ -1; ∞ 3 NaN; 3 0 NaN',
        '6 3 0; -6 3 -0; 6 -3 0; NaN 3 NaN; 3 NaN NaN',
      ),
    ],
  ],
  // Annex F of C.
  POW: [
    78,
    56,
    triples(
      '1 ∞ 1; 1 -∞ 1; 1 NaN 1; -1 ∞ 1; -1 -∞ 1; NaN 0 1; ∞ 0 1',
      '-0 -1 -∞; -0 -2 ∞; 0 -1 ∞; -0 3 -0; -0 2 0; -0 0.5 0; -0 -0.5 ∞',
      '-∞ 3 -∞; -∞ 2 ∞; -∞ 0.5 ∞; -∞ -0.5 0; -∞ -1 -0; ∞ -2 0',
      '2 ∞ ∞; 0.5 ∞ 0; -0.5 -∞ ∞; -2 -∞ 0; -2 3 -8; -2 0.5 NaN',
      '-1 0.5 NaN; -1 3 -1; -1 NaN NaN; 0 NaN NaN; NaN 1 NaN; 4 0.5 2',
    ),
  ],
};
for (const [name, [code, options, values]] of Object.entries(SPECIAL))
  test(`${name} of special numbers`, async () => {
    const shape = [values.length];
    const data = values.map(([, b]) => b);
    const tensors = [{ shape }, { shape, data }, { shape }];
    const operators = [{ code, inputs: [0, 1], outputs: [2], options: /** @type {[number]} */ ([options]) }];
    const engine = await loadEngine('simd', writeModel({ tensors, operators, inputs: [0], outputs: [2] }));
    const found = run(engine, [Float32Array.from(values, ([a]) => a)]).data;
    values.forEach(([a, b, expected], i) => assert.equal(found[i], Math.fround(expected), `${a}, ${b}`));
    engine.close();
  });

for (const [name, code, f] of /** @type {[string, number, (x: number) => number][]} */ ([
  ['TANH', 28, Math.tanh],
  ['ELU', 111, (x) => (x < 0 ? Math.expm1(x) : x)],
]))
  test(`${name} has all digits of small numbers, and ends at its limits`, async () => {
    const magnitudes = Array.from({ length: 60 }, (_, i) => 1.3 * 10 ** ((i - 50) / 2));
    const values = [0, -0, Infinity, -Infinity, NaN, ...magnitudes, ...magnitudes.map((x) => -x)].map(
      Math.fround,
    );
    const shape = [values.length];
    const operators = [{ code, inputs: [0], outputs: [1] }];
    const network = { tensors: [{ shape }, { shape }], operators, inputs: [0], outputs: [1] };
    const engine = await loadEngine('simd', writeModel(network));
    const found = run(engine, [Float32Array.from(values)]).data;
    values.forEach((x, i) => {
      const [y, expected] = [Number(found[i]), Math.fround(f(x))];
      const isNear = x !== 0 && Math.abs(y - expected) <= 2 ** -23 * Math.abs(expected);
      if (!isNear) assert.equal(y, expected, `${x}`);
    });
    engine.close();
  });

for (const shape of [[], [1, 2]])
  test(`RESHAPE takes its options if its shape tensor has ${shape.length} dimensions, as in TFLite`, async () => {
    const tensors = [
      { shape: [6] },
      { shape, dtype: /** @type {const} */ ('int32'), data: [6, 1].slice(0, shape[1] ?? 1) },
      { shape: [2, 3] },
    ];
    const options = /** @type {const} */ ([17, ['ints', 0, [2, 3]]]);
    const operators = [{ code: 22, inputs: [0, 1], outputs: [2], options: /** @type {any} */ (options) }];
    const engine = await loadEngine('simd', writeModel({ tensors, operators, inputs: [0], outputs: [2] }));
    const found = run(engine, [numbers(6)]);
    assert.deepEqual([found.shape, found.data], [[2, 3], numbers(6)]);
    engine.close();
  });

test('a computed tensor, or an input with a free batch, whose shape in the file has a 0', async () => {
  const tensors = [{ shape: [0, 4], signature: [-1, 4] }, { shape: [0, 4] }, { shape: [0] }];
  const operators = [
    { code: 19, inputs: [0], outputs: [1] },
    { code: 19, inputs: [1], outputs: [2] },
  ];
  const engine = await loadEngine('simd', writeModel({ tensors, operators, inputs: [0], outputs: [2] }));
  const found = run(engine, [Float32Array.of(-1, 2, -3, 4)]);
  assert.deepEqual([found.shape, found.data], [[1, 4], Float32Array.of(0, 2, 0, 4)]);
  engine.close();
});

for (const kind of ['CONV_2D', 'DEPTHWISE_CONV_2D'])
  test(`${kind} pads by the shape that its input has, not by the one that the file says`, async () => {
    const channels = kind === 'CONV_2D' ? [2, 3] : [2, 1];
    const kernel = { dtype: /** @type {const} */ ('float32'), shape: [2, 2, ...channels], data: numbers(24) };
    const options = { padding: 'SAME', strideH: 3, strideW: 3, dilationH: 1, dilationW: 1 };
    const input = { name: 'x', shape: [1, 4, 7, 2] };
    /** @param {number[]} said the shape of the convolution's input, in the file */
    const outputFor = async (said) => {
      const same = { kind: 'RELU', inputs: [input], output: { name: 'same', shape: said }, options: {} };
      const conv = {
        kind,
        inputs: [same.output],
        output: { name: 'y', shape: [1, 2, 3, channels[0] * channels[1]] },
        options: { ...options, ...(kind === 'CONV_2D' ? {} : { depthMultiplier: 1 }) },
        weights: {
          kernel: { ...kernel, data: kernel.data.slice(0, 4 * channels[0] * channels[1]) },
          isTransposed: false,
        },
      };
      const engine = await open([input], [same, conv]);
      engine.closeModel();
      const { data } = run(engine, [numbers(56)]);
      engine.close();
      return data;
    };
    // SAME takes no padding of 6 and 6 (a stride is larger than the window), and one row and one column of 4 and 7.
    assert.deepEqual(await outputFor([1, 6, 6, 2]), await outputFor([1, 4, 7, 2]));
  });

test('a convolution whose columns are chosen keeps its SAME padding where a stride is larger than the window', async () => {
  const input = { name: 'x', shape: [1, 5, 7, 2] };
  const output = { name: 'y', shape: [1, 5, 3, 4] };
  const kernel = { dtype: /** @type {const} */ ('float32'), shape: [3, 1, 2, 4], data: numbers(24) };
  const options = { padding: 'SAME', strideH: 1, strideW: 3, dilationH: 1, dilationW: 1 };
  const conv = {
    kind: 'CONV_2D',
    inputs: [input],
    output,
    options,
    weights: { kernel, isTransposed: false },
  };
  const engine = await open([input], [conv]);
  engine.closeModel();
  const whole = /** @type {Float32Array} */ (run(engine, [numbers(70)]).data);
  engine.close();
  const chosen = await open([input], [conv]);
  assert.equal(chosen.keepColumns(0, Int32Array.of(1, 3)), true);
  chosen.closeModel();
  const { data, shape } = run(chosen, [numbers(70)]);
  assert.deepEqual(shape, [1, 5, 3, 2]);
  assert.deepEqual(
    data,
    whole.filter((_, i) => i % 2 === 1),
  );
  chosen.close();
});

test('SQUEEZE of every dimension of 1 keeps the columns when one is chosen', async () => {
  const input = { name: 'x', shape: [1, 1, 2, 2] };
  const conv = { name: 'c', shape: [1, 1, 2, 3] };
  const kernel = { dtype: /** @type {const} */ ('float32'), shape: [1, 1, 2, 3], data: numbers(6) };
  const options = { padding: 'SAME', strideH: 1, strideW: 1, dilationH: 1, dilationW: 1 };
  const ops = [
    {
      kind: 'CONV_2D',
      inputs: [input],
      output: conv,
      options,
      weights: { kernel, isTransposed: false },
    },
    { kind: 'SQUEEZE', inputs: [conv], output: { name: 'y', shape: [2, 3] }, options: { squeezeDims: [] } },
  ];
  const engine = await open([input], ops);
  engine.closeModel();
  const whole = /** @type {Float32Array} */ (run(engine, [numbers(4)]).data);
  engine.close();
  const chosen = await open([input], ops);
  assert.equal(chosen.keepColumns(0, Int32Array.of(1)), true);
  chosen.closeModel();
  const { data, shape } = run(chosen, [numbers(4)]);
  assert.deepEqual([shape, data], [[2, 1], whole.filter((_, i) => i % 3 === 1)]);
  chosen.close();
});

test('8-bit PRELU saturates where the ratio of its scales is past the range of floats', async () => {
  for (const [inputScale, outputScale] of [
    [1e30, 1e-30],
    [1e30, 1e-5],
  ]) {
    const dtype = /** @type {const} */ ('int8');
    const shape = [1, 5];
    const engine = await loadEngine(
      'simd',
      writeModel({
        tensors: [
          { shape, dtype, scale: inputScale },
          { shape, dtype, scale: 1, data: [1, 1, -1, 0, 1] },
          { shape, dtype, scale: outputScale },
        ],
        operators: [{ code: 54, inputs: [0, 1], outputs: [2] }],
        inputs: [0],
        outputs: [2],
      }),
    );
    engine.writeInput(0, Int8Array.of(1, -1, -1, -1, 0));
    engine.run();
    assert.deepEqual(engine.readOutput(0).data, Int8Array.of(127, -128, 127, 0, 0));
    engine.close();
  }
});

test('detections of a network that does not give them as outputs are those of one that does', async () => {
  const anchors = TINY_ANCHORS.flat();
  const scores = Array.from({ length: 32 }, (_, i) => (i % 2 === 0 ? 0.9 - i / 100 : 0.1));
  const float = (/** @type {number[]} */ shape) => ({ shape });
  const tensors = [
    float([1, 16, 4]),
    { shape: [1, 16, 2], data: scores },
    { shape: [16, 4], data: anchors },
    ...[[1, 4, 4], [1, 4], [1, 4], [1]].map(float),
    ...[float([1, 16, 4]), float([1, 128, 4])],
  ];
  const customOptions = encode({
    ...{ max_detections: 4, max_classes_per_detection: 1, num_classes: 2, nms_score_threshold: 0.25 },
    ...{ nms_iou_threshold: 0.5, y_scale: 10.5, x_scale: 10.5, h_scale: 5.5, w_scale: 5.5 },
  });
  const operators = [
    {
      code: 32,
      custom: 'TFLite_Detection_PostProcess',
      customOptions,
      inputs: [0, 1, 2],
      outputs: [3, 4, 5, 6],
    },
    { code: 19, inputs: [0], outputs: [7] },
    { code: 2, options: CONCATENATION, inputs: Array(8).fill(7), outputs: [8] },
  ];
  /** @param {number[]} outputs */
  const detect = async (outputs) => {
    const engine = await loadEngine('simd', writeModel({ tensors, operators, inputs: [0], outputs }));
    engine.closeModel();
    engine.writeInput(
      0,
      numbers(64).map((x) => x / 8),
    );
    engine.run();
    const thresholds = {
      scoreThreshold: 0.2,
      iouThreshold: 1,
      maxResults: 9,
      maxPerClass: 9,
      classAgnostic: false,
    };
    const found = engine.heads.detect(thresholds, undefined, { x: 0, y: 0, width: 9, height: 9 }, 0);
    engine.close();
    return found;
  };
  const found = await detect([8]);
  assert.ok(found.length > 6);
  assert.deepEqual(found, await detect([8, 3, 4, 5, 6]));
});

test('a batch applies only to the inputs that leave it free', async () => {
  const free = { shape: [1, 4], signature: [-1, 4] };
  const engine = await loadEngine(
    'simd',
    writeModel({
      tensors: [free, { shape: [2, 1, 4] }, free],
      operators: [{ code: 0, inputs: [0, 1], outputs: [2], options: [11, ['i8', 0, 0]] }],
      inputs: [0, 1],
      outputs: [2],
    }),
  );
  for (const batch of [1, 3]) {
    engine.setBatch(batch);
    assert.deepEqual(
      engine.inputs.map(({ shape }) => shape),
      [
        [batch, 4],
        [2, 1, 4],
      ],
    );
    const { shape, data } = run(engine, [numbers(4 * batch), Float32Array.of(0, 0, 0, 0, 5, 5, 5, 5)]);
    assert.deepEqual(shape, [2, batch, 4]);
    assert.deepEqual(
      data,
      Float32Array.from([0, 5].flatMap((by) => Array.from(numbers(4 * batch), (x) => x + by))),
    );
  }
  engine.close();
});

for (const kind of ['GATHER', 'GATHER_ND'])
  test(`${kind} by an index that the tensor does not have ends the run, and the next one works`, async () => {
    const dtype = /** @type {const} */ ('int32');
    const x = { name: 'x', shape: [3, 2] };
    const places = { name: 'places', shape: kind === 'GATHER' ? [2] : [2, 1], dtype };
    const output = { name: 'y', shape: [2, 2] };
    const engine = await open([x, places], [{ kind, inputs: [x, places], output, options: { axis: 0 } }]);
    engine.closeModel();
    const rows = Float32Array.of(1, 2, 3, 4, 5, 6);
    for (const index of [3, -1, 2 ** 31 - 1, -(2 ** 31)]) {
      assert.throws(() => run(engine, [rows, Int32Array.of(0, index)]), { code: 'INDEX_OUT_OF_RANGE' });
      assert.deepEqual([...run(engine, [rows, Int32Array.of(2, 0)]).data], [5, 6, 1, 2]);
    }
    engine.close();
  });

test('a convolution between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND is one dilated convolution, also of a batch', async () => {
  const ints = (/** @type {number[]} */ values, shape = [values.length]) => ({
    ...{ name: `ints${values}`, shape },
    tensor: { dtype: /** @type {const} */ ('int32'), shape, data: Int32Array.from(values) },
  });
  const x = { name: 'x', shape: [-1, 6, 6, 2] };
  const spread = { name: 'spread', shape: [-1, 5, 5, 2] };
  const sums = { name: 'sums', shape: [-1, 3, 3, 2] };
  const y = { name: 'y', shape: [-1, 6, 6, 2] };
  const kernel = { dtype: /** @type {const} */ ('float32'), shape: [3, 3, 2, 2], data: numbers(36) };
  const options = { strideH: 1, strideW: 1 };
  const weights = { kernel, isTransposed: false };
  const ops = [
    {
      ...{ kind: 'SPACE_TO_BATCH_ND', options: {} },
      ...{ inputs: [x, ints([2, 2]), ints([2, 2, 2, 2], [2, 2])], output: spread },
    },
    { kind: 'CONV_2D', inputs: [spread], output: sums, options: { ...options, padding: 'VALID' }, weights },
    {
      ...{ kind: 'BATCH_TO_SPACE_ND', options: {} },
      ...{ inputs: [sums, ints([2, 2]), ints([0, 0, 0, 0], [2, 2])], output: y },
    },
  ];
  const dilated = {
    ...{ kind: 'CONV_2D', inputs: [x], output: y, weights },
    options: { ...options, padding: 'SAME', dilationH: 2, dilationW: 2 },
  };
  const [three, one] = [await open([x], ops), await open([x], [dilated])];
  for (const engine of [three, one]) engine.closeModel();
  for (const batch of [1, 3]) {
    const found = [three, one].map((engine) => {
      engine.setBatch(batch);
      return run(engine, [numbers(72 * batch)]);
    });
    assert.deepEqual(found[0].shape, [batch, 6, 6, 2]);
    assert.deepEqual(found[0].data, found[1].data);
  }
  const convolution = three.operators.find(({ operator }) => operator === 'CONV_2D');
  assert.deepEqual(convolution?.shape, [3, 6, 6, 2]);
  three.close();
  one.close();
});

for (const [name, code, shape, options] of /** @type {[string, number, number[], any][]} */ ([
  ['CONCATENATION', 2, [2, 9], [10, ['i32', 0, 1]]],
  ['PACK', 83, [2, 3, 3], [59, ['i32', 0, 3], ['i32', 1, 1]]],
]))
  test(`${name} of 8-bit tensors with other scales than its output rounds each to the output's`, async () => {
    const dtype = /** @type {const} */ ('int8');
    const scales = [0.5, 0.25, 2];
    const tensors = [...scales.map((scale) => ({ shape: [2, 3], dtype, scale })), { shape, dtype, scale: 1 }];
    const operators = [{ code, inputs: [0, 1, 2], outputs: [3], options }];
    const engine = await loadEngine(
      'simd',
      writeModel({ tensors, operators, inputs: [0, 1, 2], outputs: [3] }),
    );
    const inputs = scales.map((_, k) => Int8Array.from({ length: 6 }, (_value, i) => (i - 2) * (31 + k) - k));
    inputs.forEach((input, i) => engine.writeInput(i, input));
    engine.run();
    const expected = [0, 1].flatMap((row) =>
      inputs.flatMap((input, k) =>
        Array.from(input.subarray(3 * row, 3 * row + 3), (value) => {
          const real = value * scales[k];
          return Math.min(Math.max(Math.sign(real) * Math.round(Math.abs(real)), -128), 127);
        }),
      ),
    );
    assert.deepEqual(
      Array.from(engine.readOutput(0).data, Number),
      expected.map((value) => value + 0),
    );
    engine.close();
  });
