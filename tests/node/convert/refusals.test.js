// Graphs that the converter refuses, each with its code, its operator and the reason; and their neighbours, which it takes.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { base64 } from './graph_model.js';
import { FLOAT, ints, list, run } from './run_graph.js';

/** @typedef {import('./graph_model.js').Attrs} Attrs */
/** @typedef {import('./graph_model.js').Constant} Constant */

const text = (/** @type {string} */ value) => ({ s: base64(value) });
const NCHW = { data_format: text('NCHW') };
const WINDOW = { strides: list([1, 1, 1, 1]), padding: text('VALID') };
const POOL = { ...WINDOW, ksize: list([1, 2, 2, 1]) };
const numbers = (/** @type {number[]} */ shape) => ({
  shape,
  values: Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (i % 7) / 4 - 0.5),
});
const scalar = (/** @type {number} */ value) => ({ shape: [], values: [value] });
const KERNEL = { k: numbers([2, 2, 3, 2]) };
const UP = { sizes: ints([1, 9, 11, 3]), k: numbers([3, 3, 3, 3]) };
const UP_ATTR = { strides: list([1, 2, 2, 1]), padding: text('VALID') };

/**
 * An operator of the image x [1, 4, 5, 3].
 * @type {[op: string, input: string[], constants: Record<string, Constant>, attr: Attrs, refused: Attrs, reason: RegExp][]}
 */
const byAttributes = [
  ['Conv2D', ['x', 'k'], KERNEL, WINDOW, NCHW, /not NHWC/],
  ['MaxPool', ['x'], {}, POOL, NCHW, /not NHWC/],
  ['AvgPool', ['x'], {}, POOL, NCHW, /not NHWC/],
  ['BiasAdd', ['x', 'b'], { b: numbers([3]) }, {}, NCHW, /not NHWC/],
  ['Conv2DBackpropInput', ['sizes', 'k', 'x'], UP, UP_ATTR, NCHW, /not NHWC/],
  ['SpaceToDepth', ['x'], {}, { block_size: { i: '1' } }, NCHW, /not NHWC/],
  ['MaxPool', ['x'], {}, POOL, { padding: text('EXPLICIT') }, /explicit paddings/],
  [
    'Conv2DBackpropInput',
    ['sizes', 'k', 'x'],
    UP,
    UP_ATTR,
    { padding: text('EXPLICIT') },
    /explicit paddings/,
  ],
  ['Conv2DBackpropInput', ['sizes', 'k', 'x'], UP, UP_ATTR, { dilations: list([1, 2, 1, 1]) }, /a dilation/],
  ['Conv2DBackpropInput', ['sizes', 'k', 'x'], UP, UP_ATTR, { dilations: list([1, 1, 2, 1]) }, /a dilation/],
  [
    'BatchMatMulV2',
    ['x', 'm'],
    { m: numbers([3, 2]) },
    {},
    { adj_x: { b: true } },
    /first operand is transposed/,
  ],
  [
    'BatchMatMulV2',
    ['x', 'm'],
    { m: numbers([3, 2]) },
    {},
    { transpose_a: { b: true } },
    /first operand is transposed/,
  ],
];

describe('an attribute', () => {
  for (const [op, input, constants, attr, refused, reason] of byAttributes)
    test(`${op}: ${Object.keys(refused)} ${reason}`, async () => {
      const nodeOf = (/** @type {Attrs} */ more) => [
        { name: 'y', op, input, attr: { ...FLOAT, ...attr, ...more } },
      ];
      const { data } = await run([1, 4, 5, 3], nodeOf({}), constants);
      assert.ok(data.some((value) => value !== 0));
      await assert.rejects(run([1, 4, 5, 3], nodeOf(refused), constants), {
        code: 'GRAPH_UNSUPPORTED',
        message: new RegExp(`${op} at 'y': .*${reason.source}`),
      });
    });
});

/**
 * Constants that are taken, and those that are not.
 * @type {[op: string, input: string[], taken: Record<string, Constant>, refused: Record<string, Constant>, code: string, reason: RegExp][]}
 */
const byConstants = [
  [
    ...['BatchMatMulV2', ['x', 'm'], { m: numbers([3, 2]) }, { m: numbers([1, 3, 2]) }],
    ...['GRAPH_UNSUPPORTED', /second operand has 3 dimensions instead of 2/],
  ],
  [
    ...[
      'ClipByValue',
      ['x', 'low', 'high'],
      { low: scalar(-1), high: scalar(1) },
      { low: scalar(1), high: scalar(1) },
    ],
    ...['GRAPH_UNSUPPORTED', /two numbers, the lower one first/],
  ],
  [
    ...[
      'ClipByValue',
      ['x', 'low', 'high'],
      { low: scalar(0), high: scalar(1) },
      { low: scalar(0), high: numbers([3]) },
    ],
    ...['GRAPH_UNSUPPORTED', /two numbers, the lower one first/],
  ],
  [
    ...['AddV2', ['x', 'c'], { c: numbers([5, 3]) }, { c: numbers([4, 3]) }],
    ...['GRAPH_BAD', /cannot broadcast/],
  ],
  [
    ...['Sum', ['x', 'axis'], { axis: ints([-4]) }, { axis: ints([-5]) }],
    ...['GRAPH_BAD', /axis -5 of a tensor with 4 dimensions/],
  ],
  [
    ...['Sum', ['x', 'axis'], { axis: ints([3]) }, { axis: ints([4]) }],
    ...['GRAPH_BAD', /axis 4 of a tensor with 4 dimensions/],
  ],
].map((row) => /** @type {any} */ (row));

describe('a constant', () => {
  for (const [op, input, taken, refused, code, message] of byConstants)
    test(`${op}: ${message}`, async () => {
      const nodes = [{ name: 'y', op, input, attr: FLOAT }];
      await run([1, 4, 5, 3], nodes, taken);
      await assert.rejects(run([1, 4, 5, 3], nodes, refused), { code, message });
    });
});

test('outputs depend on an input', async () => {
  const c = { c: numbers([1, 3]) };
  const last = [{ name: 'y', op: 'Neg', input: ['c'], attr: FLOAT }];
  await assert.rejects(run([1, 4, 5, 3], last, c), {
    code: 'GRAPH_UNSUPPORTED',
    message: /do not depend on any input|is a constant/,
  });
});

test('a clip without an upper limit that counts is a ReLU', async () => {
  for (const [high, expected] of /** @type {[number, string][]} */ ([
    [6, 'RELU6'],
    [1e30, 'RELU'],
    [3e38, 'RELU'],
  ])) {
    const nodes = [{ name: 'y', op: 'ClipByValue', input: ['x', 'low', 'high'], attr: FLOAT }];
    const { x, data, operators } = await run([1, 2, 2, 3], nodes, { low: scalar(0), high: scalar(high) });
    assert.deepEqual(operators, [expected]);
    x.data.forEach((value, i) => assert.ok(Math.abs(data[i] - Math.min(Math.max(value, 0), high)) < 1e-6));
  }
});
