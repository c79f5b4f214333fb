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

const INT = { T: { type: 'DT_INT32' } };
const to = (/** @type {string} */ type) => ({ DstT: { type } });
const node = (
  /** @type {string} */ name,
  /** @type {string} */ op,
  /** @type {string[]} */ input,
  /** @type {import('./graph_model.js').Attrs} */ attr = FLOAT,
) => ({ name, op, input, attr });
/** The places of the largest numbers of each row of channels: [1, 3, 4]. */
const CHANNEL = node('channel', 'ArgMax', ['x', 'last'], { ...FLOAT, output_type: { type: 'DT_INT32' } });
const last = ints([3], []);
const chosen = Array.from({ length: 12 }, (_, i) => (X[2 * i + 1] > X[2 * i] ? 1 : 0));

test('a Cast of indices to floats', async () => {
  const nodes = [CHANNEL, node('y', 'Cast', ['channel'], { SrcT: { type: 'DT_INT32' }, ...to('DT_FLOAT') })];
  const { data, dtype, operators } = await run(nodes, { last }, 'y');
  assert.deepEqual([dtype, [...data]], ['float32', chosen]);
  assert.deepEqual(operators, ['ARG_MAX', 'CAST']);
});

test('a Cast of floats to integers cuts off', async () => {
  const { data, dtype } = await run([node('y', 'Cast', ['x'], to('DT_INT32'))], {}, 'y');
  assert.deepEqual([dtype, [...data]], ['int32', Array.from(X, (x) => Math.trunc(x) + 0)]);
});

/** @type {[string, (a: number, b: number) => number][]} */
const WHOLE = [
  ['FloorDiv', (a, b) => Math.floor(a / b)],
  ['FloorMod', (a, b) => a - Math.floor(a / b) * b],
  ['Div', (a, b) => Math.trunc(a / b)],
  ['AddV2', (a, b) => a + b],
  ['Sub', (a, b) => a - b],
  ['Mul', (a, b) => a * b],
  ['Maximum', Math.max],
  ['Minimum', Math.min],
  ['SquaredDifference', (a, b) => (a - b) ** 2],
];
for (const [op, f] of WHOLE)
  test(`${op} of integers that are computed`, async () => {
    const nodes = [node('whole', 'Cast', ['x'], to('DT_INT32')), node('y', op, ['whole', 'three'], INT)];
    const { data, dtype } = await run(nodes, { three: ints([3], []) }, 'y');
    assert.deepEqual([dtype, [...data]], ['int32', Array.from(X, (x) => f(Math.trunc(x), 3) + 0)]);
  });

/** @type {[string, (a: number, b: number) => boolean][]} */
const TESTS = [
  ['Less', (a, b) => a < b],
  ['LessEqual', (a, b) => a <= b],
  ['Greater', (a, b) => a > b],
  ['GreaterEqual', (a, b) => a >= b],
  ['Equal', (a, b) => a === b],
  ['NotEqual', (a, b) => a !== b],
];
for (const [op, f] of TESTS)
  test(`${op}, and SelectV2 by it`, async () => {
    const nodes = [node('is', op, ['x', 'one']), node('y', 'SelectV2', ['is', 'x', 'many'])];
    const { data } = await run(
      nodes,
      { one: { shape: [], values: [1] }, many: { shape: [], values: [99] } },
      'y',
    );
    assert.deepEqual(
      data,
      X.map((x) => (f(x, 1) ? x : 99)),
    );
  });

test('Select by a vector chooses rows', async () => {
  const nodes = [
    node('rows', 'Reshape', ['x', 'shape']),
    node('first', 'Max', ['rows', 'one']),
    node('is', 'Greater', ['first', 'limit']),
    node('other', 'Neg', ['rows']),
    node('y', 'Select', ['is', 'rows', 'other']),
  ];
  const constants = { shape: ints([6, 4]), one: ints([1]), limit: { shape: [], values: [4] } };
  const { data } = await run(nodes, constants, 'y');
  const isLarge = (/** @type {number} */ row) => Math.max(...X.slice(4 * row, 4 * row + 4)) > 4;
  assert.deepEqual(
    data,
    X.map((x, i) => (isLarge(Math.floor(i / 4)) ? x : -x)),
  );
});

test('logic of comparisons', async () => {
  const nodes = [
    node('low', 'Greater', ['x', 'minus']),
    node('high', 'Less', ['x', 'one']),
    node('both', 'LogicalAnd', ['low', 'high']),
    node('not', 'LogicalNot', ['both']),
    node('any', 'LogicalOr', ['not', 'high']),
    node('y', 'LogicalAnd', ['not', 'any']),
  ];
  const constants = { minus: { shape: [], values: [-1] }, one: { shape: [], values: [1] } };
  const { data, dtype } = await run(nodes, constants, 'y');
  assert.deepEqual(
    [dtype, Array.from(data, Number)],
    ['bool', Array.from(X, (x) => Number(x <= -1 || x >= 1))],
  );
});

test('GatherNd by computed places', async () => {
  const nodes = [
    CHANNEL,
    node('column', 'ExpandDims', ['channel', 'last'], INT),
    node('places', 'ConcatV2', ['rest', 'column', 'last'], INT),
    node('y', 'GatherNd', ['x', 'places'], { Tparams: { type: 'DT_FLOAT' } }),
  ];
  const rest = ints(Array.from({ length: 12 }, (_, i) => [0, Math.floor(i / 4), i % 4]).flat(), [1, 3, 4, 3]);
  const { data, operators } = await run(nodes, { last, rest }, 'y');
  assert.deepEqual(
    [...data],
    chosen.map((c, i) => X[2 * i + c]),
  );
  assert.ok(operators.includes('GATHER_ND'));
});

test('GatherV2 by computed indices, with and without batch dimensions', async () => {
  const nodes = (/** @type {number} */ batchDims) => [
    node('rows', 'Reshape', ['x', 'shape']),
    node('best', 'ArgMax', ['rows', 'one'], { ...FLOAT, output_type: { type: 'DT_INT32' } }),
    node(
      'list',
      batchDims === 0 ? 'Identity' : 'ExpandDims',
      ['best', ...(batchDims === 0 ? [] : ['one'])],
      INT,
    ),
    node('y', 'GatherV2', ['rows', 'list', 'one'], { batch_dims: { i: String(batchDims) } }),
  ];
  const constants = { shape: ints([4, 6]), one: ints([1], []) };
  const row = (/** @type {number} */ r) => Array.from(X.subarray(6 * r, 6 * r + 6));
  const best = [0, 1, 2, 3].map((r) => row(r).indexOf(Math.max(...row(r))));
  const each = await run(nodes(1), constants, 'y');
  assert.deepEqual([each.shape, [...each.data]], [[4, 1], best.map((at, r) => row(r)[at])]);
  const all = await run(nodes(0), constants, 'y');
  assert.deepEqual(
    [all.shape, [...all.data]],
    [[4, 4], [0, 1, 2, 3].flatMap((r) => best.map((i) => row(r)[i]))],
  );
});

test('TopKV2: values, and places that only are used', async () => {
  const nodes = [node('rows', 'Reshape', ['x', 'shape']), node('top', 'TopKV2', ['rows', 'three'])];
  const constants = { shape: ints([2, 12]), three: ints([3], []) };
  const sorted = [0, 1].map((r) =>
    Array.from({ length: 12 }, (_, i) => i).sort((a, b) => X[12 * r + b] - X[12 * r + a] || a - b),
  );
  const values = await run([...nodes, node('y', 'Neg', ['top:0'])], constants, 'y');
  assert.deepEqual(
    [...values.data],
    sorted.flatMap((order, r) => order.slice(0, 3).map((i) => -X[12 * r + i])),
  );
  const cast = node('y', 'Cast', ['top:1'], to('DT_FLOAT'));
  const places = await run([...nodes, cast], constants, 'y');
  assert.deepEqual(
    [...places.data],
    sorted.flatMap((order) => order.slice(0, 3)),
  );
});

for (const [what, batch] of /** @type {[string, number][]} */ ([
  ['a fixed batch', 1],
  ['a free batch', -1],
]))
  test(`Conv2DBackpropInput is a transposed convolution, with ${what}`, async () => {
    const attr = {
      ...FLOAT,
      strides: { list: { i: ['1', '2', '2', '1'] } },
      padding: { s: base64('SAME') },
    };
    const nodes = [
      node('sizes', 'Shape', ['x'], INT),
      node('batch', 'StridedSlice', ['sizes', 'zero', 'one', 'one'], { shrink_axis_mask: { i: '1' } }),
      node('size', 'Pack', ['batch', 'six', 'eight', 'channels'], INT),
      node('y', 'Conv2DBackpropInput', ['size', 'kernel', 'x'], attr),
    ];
    const kernel = Array.from({ length: 2 * 2 * 3 * 2 }, (_, i) => ((i * 5) % 11) / 4 - 1);
    const constants = {
      ...{ zero: ints([0]), one: ints([1]), six: ints([6], []), eight: ints([8], []) },
      ...{ channels: ints([3], []), kernel: { shape: [2, 2, 3, 2], values: kernel } },
    };
    const { model } = await convert(graphModel([batch, 3, 4, 2], nodes, constants, ['y']));
    const engine = await loadEngine('simd', model);
    engine.writeInput(0, X);
    engine.run();
    const { data, shape } = engine.readOutput(0);
    engine.close();
    assert.deepEqual(shape, [1, 6, 8, 3]);
    for (let h = 0; h < 6; h++)
      for (let w = 0; w < 8; w++)
        for (let o = 0; o < 3; o++) {
          const tap = (((h % 2) * 2 + (w % 2)) * 3 + o) * 2;
          const sum = [0, 1].reduce((s, i) => s + at(h >> 1, w >> 1, i) * kernel[tap + i], 0);
          assert.equal(data[(h * 8 + w) * 3 + o], sum);
        }
  });

/** By Simpson's rule. @param {number} x */
function normal(x) {
  const [steps, from] = [2000, -12];
  const width = (x - from) / steps;
  const density = (/** @type {number} */ t) => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI);
  let sum = density(from) + density(x);
  for (let i = 1; i < steps; i++) sum += density(from + i * width) * (i % 2 === 0 ? 2 : 4);
  return (sum * width) / 3;
}

/** @type {[string, import('./graph_model.js').GraphNode[]][]} */
const GELUS = [
  ['halved first', [node('half', 'Mul', ['x', 'h']), node('y', 'Mul', ['half', 'shifted'])]],
  ['halved last', [node('product', 'Mul', ['shifted', 'x']), node('y', 'Mul', ['h', 'product'])]],
  ['its factor halved', [node('half', 'Mul', ['h', 'shifted']), node('y', 'Mul', ['x', 'half'])]],
];
for (const [what, nodes] of GELUS)
  for (const op of ['Mul', 'RealDiv'])
    test(`GELU by Erf, ${what}, ${op}`, async () => {
      const before = [
        node('scaled', op, ['x', 'root']),
        node('erf', 'Erf', ['scaled']),
        node('shifted', 'AddV2', ['erf', 'one']),
      ];
      const number = (/** @type {number} */ value) => ({ shape: [], values: [value] });
      const root = number(op === 'Mul' ? Math.SQRT1_2 : Math.SQRT2);
      const { data, operators } = await run(
        [...before, ...nodes],
        { root, one: number(1), h: number(0.5) },
        'y',
      );
      assert.deepEqual(operators, ['GELU']);
      Array.from(data, Number).forEach((value, i) => assert.ok(Math.abs(value - X[i] * normal(X[i])) < 5e-6));
    });

for (const isNegatedFirst of [true, false])
  test(`GELU by Erfc, as Keras 3 exports it, ${isNegatedFirst ? 'x' : 'its product'} negated`, async () => {
    const nodes = isNegatedFirst
      ? [node('minus', 'Neg', ['x']), node('scaled', 'Mul', ['minus', 'root'])]
      : [node('product', 'Mul', ['root', 'x']), node('scaled', 'Neg', ['product'])];
    const rest = [
      node('half', 'Mul', ['h', 'x']),
      node('erfc', 'Erfc', ['scaled']),
      node('y', 'Mul', ['half', 'erfc']),
    ];
    const constants = { root: { shape: [], values: [Math.SQRT1_2] }, h: { shape: [], values: [0.5] } };
    const { data, operators } = await run([...nodes, ...rest], constants, 'y');
    assert.deepEqual(operators, ['GELU']);
    Array.from(data, Number).forEach((value, i) => assert.ok(Math.abs(value - X[i] * normal(X[i])) < 5e-6));
  });

for (const op of ['Erf', 'Erfc'])
  test(`an ${op} elsewhere is refused by name`, async () => {
    const code = 'GRAPH_UNSUPPORTED';
    await assert.rejects(run([node('y', op, ['x'])], {}, 'y'), { code, message: new RegExp(`${op} at 'y'`) });
    // x * erfc(+x / sqrt(2)) is no GELU.
    const nodes = [
      node('scaled', 'Mul', ['x', 'root']),
      node('erf', op, ['scaled']),
      node('half', 'Mul', ['h', 'x']),
      node('y', 'Mul', ['half', 'erf']),
    ];
    const constants = { root: { shape: [], values: [Math.SQRT1_2] }, h: { shape: [], values: [0.5] } };
    await assert.rejects(run(nodes, constants, 'y'), { code, message: new RegExp(`${op} at 'erf'`) });
  });

/** @type {[string, (x: number) => number][]} */
const SMOOTH = [
  ['Softplus', (x) => Math.log(1 + Math.exp(x))],
  ['Selu', (x) => 1.0507009873554805 * (x < 0 ? 1.6732632423543772 * (Math.exp(x) - 1) : x)],
  ['Sign', (x) => Math.sign(x)],
  ['Softsign', (x) => x / (1 + Math.abs(x))],
  ['Ceil', (x) => Math.ceil(x)],
];
for (const [op, f] of SMOOTH)
  test(op, async () => {
    const { data } = await run([node('y', op, ['x'])], {}, 'y');
    Array.from(data, Number).forEach((value, i) =>
      assert.ok(Math.abs(value - f(X[i])) < 2e-6, `${X[i]}: ${value}`),
    );
  });

for (const [op, f] of /** @type {[string, (a: number, b: number) => number][]} */ ([
  ['Prod', (a, b) => a * b],
  ['Min', Math.min],
]))
  test(`${op} over channels`, async () => {
    const { data } = await run([node('y', op, ['x', 'axis'])], { axis: ints([3]) }, 'y');
    assert.deepEqual(
      [...data],
      Array.from({ length: 12 }, (_, i) => f(X[2 * i], X[2 * i + 1])),
    );
  });

test('the size of an image that the source leaves open', async () => {
  const source = () => graphModel([-1, -1, -1, 2], [node('y', 'Abs', ['x'])], {}, ['y']);
  await assert.rejects(convert(source()), {
    code: 'GRAPH_UNSUPPORTED',
    message: /no fixed size.*--size 224x224/,
  });
  const { model } = await convert(source(), { size: [3, 4] });
  const engine = await loadEngine('simd', model);
  assert.deepEqual(engine.inputs[0].shape, [1, 3, 4, 2]);
  engine.close();
  for (const size of [[3], [0, 4], [3, 5000], '3x4', [1.5, 2]])
    await assert.rejects(convert(source(), { size: /** @type {any} */ (size) }), { code: 'INVALID_OPTION' });
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
