// Small graphs of one operator each -> .tflite -> outputs, against formulas.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { convert } from '../../../wasm/convert/node.js';
import { loadEngine } from '../shared.js';
import { base64, graphModel } from './graph_model.js';

const SHAPE = [1, 3, 4, 2];
/** Neither sorted nor without equal elements: halves from -5 to 5. */
const X = Float32Array.from({ length: 24 }, (_, i) => ((i * 7) % 21) / 2 - 5);
const at = (/** @type {number} */ h, /** @type {number} */ w, /** @type {number} */ c) =>
  X[(h * 4 + w) * 2 + c];
const FLOAT = { T: { type: 'DT_FLOAT' } };

/**
 * @param {import('./graph_model.js').GraphNode[]} nodes
 * @param {Record<string, import('./graph_model.js').Constant>} constants
 * @param {string} output
 */
async function run(nodes, constants, output) {
  const { model } = await convert(graphModel(SHAPE, nodes, constants, [output]), { weights: 'fp32' });
  const engine = await loadEngine('simd', model);
  engine.writeInput(0, X);
  engine.run();
  const operators = engine.operators.map(({ operator }) => operator);
  const result = engine.readOutput(0);
  engine.close();
  return { ...result, operators };
}

const ints = (/** @type {number[]} */ values, shape = [values.length]) => ({
  ...{ shape, values },
  dtype: /** @type {const} */ ('int32'),
});

for (const keepDims of [false, true])
  test(`Max over height and width, keep_dims: ${keepDims}`, async () => {
    const node = {
      name: 'y',
      op: 'Max',
      input: ['x', 'axes'],
      attr: { ...FLOAT, keep_dims: { b: keepDims } },
    };
    const { data, shape, operators } = await run([node], { axes: ints([-3, 2]) }, 'y');
    const expected = [0, 1].map((c) =>
      Math.max(...[0, 1, 2].flatMap((h) => [0, 1, 2, 3].map((w) => at(h, w, c)))),
    );
    assert.deepEqual([...data], expected);
    assert.deepEqual(shape, keepDims ? [1, 1, 1, 2] : [1, 2]);
    assert.deepEqual(operators, ['REDUCE_MAX']);
  });

for (const [type, dtype] of [
  ['DT_INT32', 'int32'],
  ['DT_INT64', 'int64'],
])
  test(`ArgMax over width, ${dtype}`, async () => {
    const attr = { ...FLOAT, output_type: { type } };
    const node = { name: 'y', op: 'ArgMax', input: ['x', 'axis'], attr };
    const result = await run([node], { axis: ints([2], []) }, 'y');
    const expected = [0, 1, 2].flatMap((h) =>
      [0, 1].map((c) => [0, 1, 2, 3].reduce((best, w) => (at(h, w, c) > at(h, best, c) ? w : best), 0)),
    );
    assert.deepEqual(Array.from(result.data, Number), expected);
    assert.deepEqual([result.dtype, result.shape], [dtype, [1, 3, 2]]);
  });

const ALPHA = [0.25, -2];
const prelu = X.map((x, i) => (x >= 0 ? x : x * ALPHA[i % 2]));

test('Prelu of TensorFlow.js', async () => {
  const node = { name: 'y', op: 'Prelu', input: ['x', 'alpha'], attr: FLOAT };
  const { data, operators } = await run([node], { alpha: { shape: [1, 1, 2], values: ALPHA } }, 'y');
  assert.deepEqual(data, prelu);
  assert.deepEqual(operators, ['PRELU']);
});

for (const isSwapped of [false, true])
  test(`PReLU as Keras spells it out${isSwapped ? ', its parts in another order' : ''}`, async () => {
    const order = (/** @type {string[]} */ names) => (isSwapped ? names.toReversed() : names);
    const nodes = [
      { name: 'positive', op: 'Relu', input: ['x'], attr: FLOAT },
      { name: 'flipped', op: 'Neg', input: ['x'], attr: FLOAT },
      { name: 'negative', op: 'Relu', input: ['flipped'], attr: FLOAT },
      { name: 'slope', op: 'Neg', input: ['alpha'], attr: FLOAT },
      { name: 'product', op: 'Mul', input: order(['slope', 'negative']), attr: FLOAT },
      { name: 'y', op: 'AddV2', input: order(['positive', 'product']), attr: FLOAT },
    ];
    const { data, operators } = await run(nodes, { alpha: { shape: [1, 1, 2], values: ALPHA } }, 'y');
    assert.deepEqual(data, prelu);
    assert.deepEqual(operators, ['PRELU']);
  });

test('a sum of other parts stays a sum', async () => {
  const nodes = [
    { name: 'positive', op: 'Relu', input: ['x'], attr: FLOAT },
    { name: 'other', op: 'Relu', input: ['x'], attr: FLOAT },
    { name: 'product', op: 'Mul', input: ['slope', 'other'], attr: FLOAT },
    { name: 'y', op: 'AddV2', input: ['positive', 'product'], attr: FLOAT },
  ];
  const { data } = await run(nodes, { slope: { shape: [2], values: ALPHA } }, 'y');
  assert.deepEqual(
    data,
    X.map((x, i) => (x >= 0 ? x + x * ALPHA[i % 2] : 0)),
  );
});

test('a convolution with PReLU fused into it', async () => {
  const attr = {
    ...FLOAT,
    strides: { list: { i: ['1', '1', '1', '1'] } },
    padding: { s: base64('VALID') },
    fused_ops: { list: { s: [base64('BiasAdd'), base64('Prelu')] } },
  };
  const node = { name: 'y', op: '_FusedConv2D', input: ['x', 'kernel', 'bias', 'alpha'], attr };
  const constants = {
    kernel: { shape: [1, 1, 2, 2], values: [1, 0, 0, 1] },
    bias: { shape: [2], values: [1, -1] },
    alpha: { shape: [2], values: ALPHA },
  };
  const { data, operators } = await run([node], constants, 'y');
  const expected = X.map((x, i) => {
    const sum = x + (i % 2 === 0 ? 1 : -1);
    return sum >= 0 ? sum : sum * ALPHA[i % 2];
  });
  assert.deepEqual(data, expected);
  assert.deepEqual(operators, ['CONV_2D', 'PRELU']);
});

test('Abs', async () => {
  const { data, operators } = await run([{ name: 'y', op: 'Abs', input: ['x'], attr: FLOAT }], {}, 'y');
  assert.deepEqual(
    data,
    X.map((x) => (x < 0 ? -x : x)),
  );
  assert.deepEqual(operators, ['ABS']);
});

test('a Neg by itself', async () => {
  const { data } = await run([{ name: 'y', op: 'Neg', input: ['x'], attr: FLOAT }], {}, 'y');
  assert.deepEqual(
    data,
    X.map((x) => -x),
  );
});

test('a Cast of indices is refused by name', async () => {
  const nodes = [
    { name: 'index', op: 'ArgMax', input: ['x', 'axis'], attr: FLOAT },
    { name: 'y', op: 'Cast', input: ['index'], attr: { DstT: { type: 'DT_FLOAT' } } },
  ];
  await assert.rejects(run(nodes, { axis: ints([3], []) }, 'y'), {
    code: 'GRAPH_UNSUPPORTED',
    message: /Cast at 'y': it takes int64/,
  });
});

test('PReLU and GlobalMaxPooling2D of a TensorFlow.js layers model', async () => {
  const layers = [
    { class_name: 'InputLayer', config: { name: 'x', batch_input_shape: [null, 3, 4, 2] } },
    { class_name: 'PReLU', config: { name: 'prelu', shared_axes: [1, 2] } },
    { class_name: 'GlobalMaxPooling2D', config: { name: 'pool' } },
  ];
  const json = {
    format: 'layers-model',
    modelTopology: { model_config: { class_name: 'Sequential', config: { name: 'model', layers } } },
    weightsManifest: [
      { paths: ['w.bin'], weights: [{ name: 'prelu/alpha', shape: [1, 1, 2], dtype: 'float32' }] },
    ],
  };
  const source = {
    'model.json': () => new TextEncoder().encode(JSON.stringify(json)),
    'w.bin': () => new Uint8Array(Float32Array.from(ALPHA).buffer),
  };
  const { model } = await convert(source, { weights: 'fp32' });
  const engine = await loadEngine('simd', model);
  engine.writeInput(0, X);
  engine.run();
  const { data, shape } = engine.readOutput(0);
  const expected = [0, 1].map((c) => Math.max(...prelu.filter((_, i) => i % 2 === c)));
  assert.deepEqual([shape, [...data]], [[1, 2], expected]);
  engine.close();
});
