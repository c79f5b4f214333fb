// Operations that Keras writes as layers, and how their calls are written: each against a formula.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { make } from '../../../wasm/convert/graph/graph.js';
import { evaluateGraph } from '../../../wasm/convert/prove/evaluate.js';
import { toCall } from '../../../wasm/convert/source/layer_calls.js';
import { OPERATIONS } from '../../../wasm/convert/source/layer_operations.js';
import { assertNear, noise } from './run_graph.js';

const SHAPE = [2, 3, 4];
const X = noise(24);
const Y = noise(24, 5);
const x = make('x', 'Placeholder', []);
const y = make('y', 'Placeholder', []);

/** Keras 3's way to name a value. @param {string} name */
const tensor = (name) => ({
  class_name: '__keras_tensor__',
  config: { shape: SHAPE, dtype: 'float32', keras_history: [name, 0, 0] },
});
const refOf = (/** @type {string} */ name) => (name === 'y' ? y : x);

/**
 * @param {string} operation
 * @param {any} node an entry of inbound_nodes
 * @param {object} [config]
 */
async function run(operation, node, config = {}) {
  const call = toCall(node, refOf);
  const weight = () => assert.fail('an operation has no weights');
  const layer = { name: 'layer', config, inputs: call.inputs, weight, call, kerasVersion: 3 };
  const ref = OPERATIONS[operation](layer);
  const given = new Map([
    [x.node, { shape: SHAPE, data: Float64Array.from(X) }],
    [y.node, { shape: SHAPE, data: Float64Array.from(Y) }],
  ]);
  const [result] = await evaluateGraph([ref], given);
  return result;
}

/**
 * @param {string} operation
 * @param {any} node
 * @param {(x: number, i: number) => number} f
 * @param {object} [config]
 */
const each = (operation, node, f, config) =>
  test(`${operation} ${JSON.stringify(node).slice(0, 60)}`, async () =>
    assertNear((await run(operation, node, config)).data, X.map(f)));

describe('of two operands', () => {
  /** @type {[string, string, (a: number, b: number) => number][]} Keras 3's, Keras 2's */
  const cases = [
    ['Add', 'math.add', (a, b) => a + b],
    ['Subtract', 'math.subtract', (a, b) => a - b],
    ['Multiply', 'math.multiply', (a, b) => a * b],
    ['Divide', 'math.divide', (a, b) => a / b],
    ['TrueDivide', 'math.truediv', (a, b) => a / b],
    ['Maximum', 'math.maximum', Math.max],
    ['Minimum', 'math.minimum', Math.min],
  ];
  for (const [three, two, f] of cases) {
    each(three, { args: [tensor('x'), tensor('y')] }, (value, i) => f(value, Y[i]));
    each(three, { args: [0.75, tensor('x')] }, (value) => f(0.75, value));
    each(three, { args: [tensor('x')], kwargs: { x2: -1.5 } }, (value) => f(value, -1.5));
    each(two, [['x', 0, 0, { y: 2.5 }]], (value) => f(value, 2.5));
    each(two, [['x', 0, 0, { y: ['y', 0, 0] }]], (value, i) => f(value, Y[i]));
    each(two, [['_CONSTANT_VALUE', -1, 0.75, { y: ['x', 0, 0] }]], (value) => f(0.75, value));
  }
  const rows = [1, -2, 3, 0.5];
  const array = { class_name: '__numpy__', config: { value: rows, dtype: 'float32' } };
  each('Subtract', { args: [tensor('x'), array] }, (value, i) => value - rows[i % 4]);
  each('math.subtract', [['x', 0, 0, { y: [rows] }]], (value, i) => value - rows[i % 4]);
  each('__operators__.add', [['x', 0, 0, { y: [[7]] }]], (value) => value + 7);
  each('nn.bias_add', [['x', 0, 0, { bias: rows }]], (value, i) => value + rows[i % 4]);

  const column = [[10], [20], [-1]];
  const columns = { class_name: '__tensor__', config: { value: column, dtype: 'int64' } };
  const ofColumn = (/** @type {number} */ value, /** @type {number} */ i) =>
    value * column[Math.floor(i / 4) % 3][0];
  each('Multiply', { args: [tensor('x'), columns] }, ofColumn);
  each('math.multiply', [['x', 0, 0, { y: column }]], ofColumn);

  for (const given of [
    [['x', 0, 0, {}]],
    [['x', 0, 0, { y: 'text' }]],
    [['x', 0, 0, { y: [1, 'text'] }]],
    [['x', 0, 0, { y: [[1, 2], [3]] }]],
    [['x', 0, 0, { y: [1, [2]] }]],
  ])
    test(`no number: ${JSON.stringify(given)}`, () =>
      assert.rejects(run('math.add', given), {
        code: 'GRAPH_UNSUPPORTED',
        message: /'layer' has no number as 'y'; save the model by export/,
      }));
});

describe('of one operand', () => {
  const sigmoid = (/** @type {number} */ value) => 1 / (1 + Math.exp(-value));
  /** @type {[string[], (value: number) => number][]} */
  const cases = [
    [['Absolute', 'math.abs'], Math.abs],
    [['Negative'], (value) => -value],
    [['Square'], (value) => value ** 2],
    [['Relu', 'nn.relu'], (value) => Math.max(value, 0)],
    [['Relu6', 'nn.relu6'], (value) => Math.min(Math.max(value, 0), 6)],
    [['Sigmoid', 'math.sigmoid'], sigmoid],
    [['Tanh', 'math.tanh'], Math.tanh],
    [['Silu', 'nn.silu'], (value) => value * sigmoid(value)],
    [['HardSigmoid'], (value) => Math.min(Math.max(value + 3, 0), 6) / 6],
    [['HardSilu'], (value) => (value * Math.min(Math.max(value + 3, 0), 6)) / 6],
  ];
  for (const [names, f] of cases)
    for (const name of names) {
      each(name, { args: [tensor('x')] }, f);
      each(name, [['x', 0, 0, {}]], f);
    }
  test('a call without operands', () => {
    const nothing = { inputs: [], operands: [], named: {} };
    for (const node of [{}, { args: [] }, { kwargs: {} }, [], undefined])
      assert.deepEqual(toCall(node, refOf), nothing);
  });
  test('Sqrt', async () => {
    const call = toCall({ args: [tensor('x')] }, refOf);
    const layer = { name: 'layer', config: {}, inputs: call.inputs, call };
    const ref = OPERATIONS.Sqrt(/** @type {any} */ (layer));
    const [{ data }] = await evaluateGraph(
      [ref],
      new Map([[x.node, { shape: [2], data: Float64Array.of(4, 9) }]]),
    );
    assert.deepEqual([...data], [2, 3]);
  });
  test('Softmax', async () => {
    const parts = X.map(
      (value, i) =>
        Math.exp(value) / X.slice(i - (i % 4), i - (i % 4) + 4).reduce((sum, v) => sum + Math.exp(v), 0),
    );
    for (const name of ['Softmax', 'nn.softmax'])
      assertNear((await run(name, { args: [tensor('x')] })).data, parts);
  });
});

describe('arguments beside the operands', () => {
  const alone = { args: [tensor('x')] };
  const leaky = (/** @type {number} */ value) => Math.max(value, 0.01 * value);
  each('LeakyRelu', alone, leaky, { negative_slope: 0.01 });
  each('LeakyRelu', alone, (value) => Math.max(value, 0.2 * value));
  for (const type of ['float32', 'float16', 'bfloat16']) {
    each('Cast', alone, (value) => value, { dtype: type });
    each('cast', [['x', 0, 0, { dtype: type, name: 'as' }]], (value) => value, { dtype: 'float32' });
  }
  each('nn.silu', [['x', 0, 0, { beta: 1 }]], (value) => value / (1 + Math.exp(-value)));
  each('Max', alone, (value) => value, { axis: [], initial: null });

  /** @type {[string, any, object, RegExp][]} */
  const refused = [
    ['LeakyRelu', alone, { negative_slope: 'a' }, /no number as 'negative_slope'/],
    ['Softmax', alone, { axis: 1 }, /axis 1/],
    ['nn.softmax', [['x', 0, 0, { axis: 1 }]], {}, /axis 1/],
    ['nn.softmax', [['x', 0, 0, { axis: ['y', 0, 0] }]], {}, /no number as 'axis'/],
    ['nn.silu', [['x', 0, 0, { beta: 2 }]], {}, /beta 2/],
    ['Cast', alone, { dtype: 'int32' }, /the type int32/],
    ['cast', [['x', 0, 0, { dtype: 'uint8' }]], { dtype: 'float32' }, /the type uint8/],
    ['Max', alone, { axis: 1, initial: 0 }, /the argument 'initial'/],
    ['Relu', { args: [tensor('x'), 6] }, {}, /the argument 'number 2'/],
    ['nn.bias_add', [['x', 0, 0, { bias: [1], data_format: 'NCHW' }]], {}, /NCHW/],
    ['math.abs', [['x', 0, 0, { other: ['y', 0, 0] }]], {}, /the argument 'other'/],
  ];
  for (const [operation, node, config, message] of refused)
    test(`${operation} refuses ${message}`, () =>
      assert.rejects(run(operation, node, config), { code: 'GRAPH_UNSUPPORTED', message }));
});

describe('bounds', () => {
  const clipped = (/** @type {number} */ value) => Math.min(Math.max(value, -0.5), 1.25);
  each('Clip', { args: [tensor('x')], kwargs: { x_min: -0.5, x_max: 1.25 } }, clipped);
  each('Clip', { args: [tensor('x'), -0.5, 1.25] }, clipped);
  each('Clip', { args: [tensor('x')] }, clipped, { x_min: -0.5, x_max: 1.25 });
  each('clip_by_value', [['x', 0, 0, { clip_value_min: -0.5, clip_value_max: 1.25 }]], clipped);
  for (const kwargs of [
    { x_min: 1 },
    { x_min: 2, x_max: 1 },
    { x_min: 1, x_max: 1 },
    { x_min: 'a', x_max: 1 },
  ])
    test(`no bounds: ${JSON.stringify(kwargs)}`, () =>
      assert.rejects(run('Clip', { args: [tensor('x')], kwargs }), {
        code: 'GRAPH_UNSUPPORTED',
        message: /no two numbers as bounds/,
      }));
});

describe('reductions', () => {
  /** @type {[string, string, (list: number[]) => number][]} */
  const cases = [
    ['Max', 'math.reduce_max', (list) => Math.max(...list)],
    ['Mean', 'math.reduce_mean', (list) => list.reduce((a, b) => a + b) / list.length],
    ['Sum', 'math.reduce_sum', (list) => list.reduce((a, b) => a + b)],
  ];
  const at = (/** @type {number} */ n, /** @type {number} */ r, /** @type {number} */ c) =>
    X[(n * 3 + r) * 4 + c];
  for (const [three, two, f] of cases) {
    const last = [0, 1].flatMap((n) => [0, 1, 2].map((r) => f([0, 1, 2, 3].map((c) => at(n, r, c)))));
    const first = [0, 1, 2, 3].map((c) => f([0, 1].flatMap((n) => [0, 1, 2].map((r) => at(n, r, c)))));
    /** @type {[string, any, object, number[], number[]][]} */
    const calls = [
      [three, { args: [tensor('x')] }, { axis: -1, keepdims: false }, [2, 3], last],
      [three, { args: [tensor('x')] }, { axis: [2], keepdims: true }, [2, 3, 1], last],
      [three, { args: [tensor('x')], kwargs: { axis: [0, 1] } }, {}, [4], first],
      [two, [['x', 0, 0, { axis: [0, 1] }]], {}, [4], first],
      [two, [['x', 0, 0, { axis: 2, keepdims: true }]], {}, [2, 3, 1], last],
      [two, [['x', 0, 0, { axis: 2, keepdims: false }]], {}, [2, 3], last],
    ];
    for (const [name, node, config, shape, expected] of calls)
      test(`${name} ${JSON.stringify(node).slice(-40)} ${JSON.stringify(config)}`, async () => {
        const result = await run(name, node, config);
        assert.deepEqual(result.shape, shape);
        assertNear(result.data, expected);
      });
  }
  for (const axis of [null, ['a'], undefined])
    test(`axis ${JSON.stringify(axis)}`, () =>
      assert.rejects(run('Mean', { args: [tensor('x')] }, { axis }), {
        code: 'GRAPH_UNSUPPORTED',
        message: /no numbers as axis/,
      }));
});

describe('slices', () => {
  const slice = (
    /** @type {number | null} */ start,
    /** @type {number | null} */ stop,
    /** @type {number | null} */ step = null,
  ) => ({
    ...{ class_name: '__slice__', config: { start, stop, step } },
  });
  const legacy = (
    /** @type {number | null} */ start,
    /** @type {number | null} */ stop,
    /** @type {number | null} */ step = null,
  ) => ({ start, stop, step });
  const all = [0, 1].flatMap((n) => [0, 1, 2].flatMap((r) => [0, 1, 2, 3].map((c) => [n, r, c])));
  /** @type {[string, any[], any[], number[], (at: number[]) => boolean][]} Keras 3's, Keras 2's */
  const cases = [
    ['[1:]', [slice(1, null)], [legacy(1, null)], [1, 3, 4], ([n]) => n === 1],
    [
      '[:, 1:3]',
      [slice(null, null), slice(1, 3)],
      [legacy(null, null), legacy(1, 3)],
      [2, 2, 4],
      ([, r]) => r >= 1,
    ],
    [
      '[:, :2]',
      [slice(null, null), slice(null, 2)],
      [legacy(null, null), legacy(null, 2)],
      [2, 2, 4],
      ([, r]) => r < 2,
    ],
    [
      '[..., 1:4:2]',
      ['Ellipsis', slice(1, 4, 2)],
      [{ class_name: '__ellipsis__' }, legacy(1, 4, 2)],
      [2, 3, 2],
      ([, , c]) => c % 2 === 1,
    ],
    ['[:, 2]', [slice(null, null), 2], [legacy(null, null), 2], [2, 4], ([, r]) => r === 2],
    ['[0]', [0], [0], [3, 4], ([n]) => n === 0],
    ['[..., -1]', ['Ellipsis', -1], ['Ellipsis', -1], [2, 3], ([, , c]) => c === 3],
  ];
  for (const [name, three, two, shape, isTaken] of cases)
    test(name, async () => {
      const expected = X.filter((_, i) => isTaken(all[i]));
      for (const result of [
        await run('GetItem', { args: [tensor('x'), three] }),
        await run('GetItem', { args: [tensor('x')], kwargs: { key: three } }),
        await run('__operators__.getitem', [['x', 0, 0, { slice_spec: two }]]),
      ]) {
        assert.deepEqual(result.shape, shape);
        assertNear(result.data, expected);
      }
    });
  for (const key of [[null], ['text'], [true], [slice(null, /** @type {any} */ (tensor('y')))]])
    test(`[${JSON.stringify(key)}] is refused`, () =>
      assert.rejects(run('GetItem', { args: [tensor('x'), key] }), {
        code: 'GRAPH_UNSUPPORTED',
        message: /an index that is not known/,
      }));
});

describe('joins', () => {
  const at = (/** @type {number[]} */ of, /** @type {number} */ n, /** @type {number} */ r) =>
    of.slice((n * 3 + r) * 4, (n * 3 + r) * 4 + 4);
  const both = { args: [[tensor('x'), tensor('y')]] };
  test('Concatenate by its default axis, and by others', async () => {
    const last = [0, 1].flatMap((n) => [0, 1, 2].flatMap((r) => [...at(X, n, r), ...at(Y, n, r)]));
    for (const [node, config] of [
      [both, { axis: 2 }],
      [{ ...both, kwargs: { axis: -1 } }, {}],
    ]) {
      const result = await run('Concatenate', node, config);
      assert.deepEqual(result.shape, [2, 3, 8]);
      assertNear(result.data, last);
    }
    for (const config of [{}, { axis: 0 }]) {
      const first = await run('Concatenate', both, config);
      assert.deepEqual(first.shape, [4, 3, 4]);
      assertNear(first.data, [...X, ...Y]);
    }
  });
  test('a constant among what is joined is refused', async () => {
    const array = { class_name: '__numpy__', config: { value: [[[1, 2, 3, 4]]], dtype: 'float32' } };
    for (const operation of ['Concatenate', 'Stack'])
      await assert.rejects(run(operation, { args: [[tensor('x'), array]] }), {
        code: 'GRAPH_UNSUPPORTED',
        message: /a constant among/,
      });
  });
  test('Stack by its default axis, and by another', async () => {
    const first = await run('Stack', both);
    assert.deepEqual(first.shape, [2, 2, 3, 4]);
    assertNear(first.data, [...X, ...Y]);
    const second = await run('Stack', both, { axis: 1 });
    assertNear(
      second.data,
      [0, 1].flatMap((n) => [X, Y].flatMap((of) => of.slice(12 * n, 12 * n + 12))),
    );
  });
});

describe('calls', () => {
  const seen = (/** @type {any} */ node) => {
    /** @type {any[]} */
    const asked = [];
    const call = toCall(node, (...place) => {
      asked.push(place);
      return x;
    });
    return { asked, count: call.inputs.length, operands: call.operands, named: call.named };
  };
  test('Keras 2 names layer, call and output, in a list or alone', () => {
    assert.deepEqual(
      seen([
        ['a', 1, 2, {}],
        ['b', 0, 3, {}],
      ]).asked,
      [
        ['a', 1, 2],
        ['b', 0, 3],
      ],
    );
    assert.deepEqual(seen(['a', 1, 2, {}]).asked, [['a', 1, 2]]);
    assert.deepEqual(seen([['a']]).asked, [['a', 0, 0]]);
    assert.deepEqual(seen(undefined).asked, []);
  });
  test('Keras 2 numbers', () => {
    assert.deepEqual(seen(['_CONSTANT_VALUE', -1, 5, {}]).operands, [{ value: 5 }]);
    assert.deepEqual(seen([['_CONSTANT_VALUE', -1, 5, { y: ['a', 0, 1] }]]).named, { y: { ref: x } });
  });
  test('Keras 3 values anywhere', () => {
    const { asked, operands, named } = seen({
      args: [[tensor('x'), 7], 'text', [1, 2]],
      kwargs: { other: tensor('y'), array: { class_name: '__tensor__', config: { value: [3] } } },
    });
    assert.deepEqual(asked, [
      ['x', 0, 0],
      ['y', 0, 0],
    ]);
    assert.deepEqual(operands, [{ value: [{ ref: x }, { value: 7 }] }, { value: 'text' }, { value: [1, 2] }]);
    assert.deepEqual(named, { other: { ref: x }, array: { value: [3] } });
  });
  test('dictionaries are read in the order of their keys', () => {
    const keras3 = seen({
      args: [{ q: tensor('a'), p: tensor('b') }],
      kwargs: { mask: { q: null, p: null } },
    });
    const keras2 = seen({ q: ['a', 0, 0, {}], p: ['b', 0, 0, {}] });
    for (const { asked } of [keras3, keras2])
      assert.deepEqual(asked, [
        ['b', 0, 0],
        ['a', 0, 0],
      ]);
  });
  test('lists that are like references, and are none', () => {
    for (const value of [
      ['a', 0],
      ['a', 0.5, 0],
      ['a', 0, 0.5],
      [1, 0, 0],
    ])
      assert.deepEqual(seen({ args: [value] }), { asked: [], count: 0, operands: [{ value }], named: {} });
  });
});
