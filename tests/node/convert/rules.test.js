// More rules of lowering, each with the forms that it takes: small graphs -> .tflite -> outputs, against formulas.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { base64, graphModel } from './graph_model.js';
import { assertNear, FLOAT, ints, list, noise, run, runSource } from './run_graph.js';

/**
 * @typedef {import('./graph_model.js').GraphNode} GraphNode
 * @typedef {import('./graph_model.js').Constant} Constant
 */

const number = (/** @type {number} */ value) => ({ shape: [], values: [value] });
/**
 * @param {string} name
 * @param {string} op
 * @param {string[]} input
 * @param {import('./graph_model.js').Attrs} [attr]
 * @returns {GraphNode}
 */
const node = (name, op, input, attr = FLOAT) => ({
  ...{ name, op, input, attr },
});

/**
 * A function of each number.
 * @param {string} name
 * @param {GraphNode[]} nodes
 * @param {Record<string, Constant>} constants
 * @param {(x: number, c: number) => number} f
 * @param {string} [operator] that the file must have
 */
const eachNumber = (name, nodes, constants, f, operator) =>
  test(name, async () => {
    const { x, data, operators } = await run([-1, 2, 4, 3], nodes, constants);
    assertNear(
      data,
      x.data.map((value, i) => f(value, i % 3)),
    );
    if (operator) assert.ok(operators.includes(operator), String(operators));
  });

const erf = (/** @type {number} */ x) => {
  let [total, term] = [0, x];
  for (let k = 0; k < 60; k++, term *= -(x * x) / k) total += term / (2 * k + 1);
  return (2 / Math.sqrt(Math.PI)) * total;
};
const gelu = (/** @type {number} */ x) => 0.5 * x * (1 + erf(x / Math.SQRT2));

describe('GELU', () => {
  const constants = {
    half: number(0.5),
    one: number(1),
    root: number(Math.SQRT1_2),
    sqrt2: number(Math.SQRT2),
  };
  const gate = (/** @type {string} */ x, isDivided = false, isTurned = false) => [
    isDivided
      ? node('scaled', 'RealDiv', [x, 'sqrt2'])
      : node('scaled', 'Mul', isTurned ? ['root', x] : [x, 'root']),
    node('erf', 'Erf', ['scaled']),
    node('gate', 'AddV2', isTurned ? ['one', 'erf'] : ['erf', 'one']),
  ];
  const last = (/** @type {string} */ x) => [
    node('halved', 'Mul', ['half', x]),
    node('y', 'Mul', ['halved', 'gate']),
  ];
  eachNumber('0.5 * x * (1 + erf(x / sqrt(2)))', [...gate('x', true), ...last('x')], constants, gelu, 'GELU');
  eachNumber('by a factor instead', [...gate('x'), ...last('x')], constants, gelu, 'GELU');
  eachNumber(
    'the other way round',
    [...gate('x', false, true), node('part', 'Mul', ['gate', 'half']), node('y', 'Mul', ['part', 'x'])],
    constants,
    gelu,
    'GELU',
  );
  eachNumber(
    'x is a product itself',
    [node('twice', 'Mul', ['x', 'two']), ...gate('twice'), ...last('twice')],
    { ...constants, two: number(2) },
    (x) => gelu(2 * x),
    'GELU',
  );
  eachNumber(
    'x is a quotient',
    [node('part', 'RealDiv', ['x', 'two']), ...gate('part', true), ...last('part')],
    { ...constants, two: number(2) },
    (x) => gelu(x / 2),
    'GELU',
  );
  eachNumber(
    'x is scaled channel by channel',
    [node('each', 'Mul', ['x', 'c']), ...gate('each'), ...last('each')],
    { ...constants, c: { shape: [3], values: [1, -1.5, 0.5] } },
    (x, c) => gelu(x * [1, -1.5, 0.5][c]),
    'GELU',
  );
  for (const [name, change] of /** @type {[string, object][]} */ ([
    ['another factor', { half: number(0.4) }],
    ['another sum', { one: number(1.5) }],
    ['another root', { root: number(0.7) }],
  ]))
    test(`${name} is none`, () =>
      assert.rejects(run([1, 2, 2, 3], [...gate('x'), ...last('x')], { ...constants, ...change }), {
        code: 'GRAPH_UNSUPPORTED',
        message: /Erf/,
      }));
  test('of another x is none', () =>
    assert.rejects(run([1, 2, 2, 3], [node('z', 'Neg', ['x']), ...gate('z'), ...last('x')], constants), {
      code: 'GRAPH_UNSUPPORTED',
      message: /Erf/,
    }));
});

describe('leaky ReLUs', () => {
  const product = (/** @type {string[]} */ input) => node('p', 'Mul', input);
  for (const slope of [0, 0.3, 1])
    for (const [i, nodes] of [
      [product(['x', 's']), node('y', 'Maximum', ['x', 'p'])],
      [product(['s', 'x']), node('y', 'Maximum', ['p', 'x'])],
    ].entries())
      eachNumber(
        `max(x, x * ${slope}), form ${i}`,
        nodes,
        { s: number(slope) },
        (x) => Math.max(x, slope * x),
        'PRELU',
      );
  for (const slope of [-0.5, 1.5])
    eachNumber(
      `max(x, x * ${slope}) is none`,
      [product(['x', 's']), node('y', 'Maximum', ['x', 'p'])],
      { s: number(slope) },
      (x) => Math.max(x, slope * x),
      'MAXIMUM',
    );
  eachNumber(
    'min(x, x * 0.3) is none',
    [product(['x', 's']), node('y', 'Minimum', ['x', 'p'])],
    { s: number(0.3) },
    (x) => Math.min(x, 0.3 * x),
    'MINIMUM',
  );
  const keras = (/** @type {string} */ from, sum = ['r', 'p']) => [
    ...[
      node('r', 'Relu', ['x']),
      node('n', 'Neg', [from]),
      node('q', 'Relu', ['n']),
      node('p', 'Mul', ['a', 'q']),
      node('y', 'AddV2', sum),
    ],
  ];
  const slopes = { a: { shape: [1, 1, 3], values: [-0.25, -2, 0.5] } };
  const prelu = (/** @type {number} */ x, /** @type {number} */ c) => (x > 0 ? x : x * [0.25, 2, -0.5][c]);
  eachNumber("Keras' PReLU", keras('x'), slopes, prelu, 'PRELU');
  eachNumber("Keras' PReLU, the other way round", keras('x', ['p', 'r']), slopes, prelu, 'PRELU');
  eachNumber(
    'of another x it is a sum',
    [node('z', 'Abs', ['x']), ...keras('z')],
    slopes,
    (x) => Math.max(x, 0),
    'ADD',
  );
});

describe('arithmetic', () => {
  eachNumber('a power of 2', [node('y', 'Pow', ['x', 'p'])], { p: number(2) }, (x) => x * x, 'MUL');
  eachNumber('a power of 3', [node('y', 'Pow', ['x', 'p'])], { p: number(3) }, (x) => x ** 3, 'POW');
  for (const [p, kind] of /** @type {[number, string][]} */ ([
    [0.5, 'SQRT'],
    [-0.5, 'RSQRT'],
    [1, 'ABS'],
  ]))
    eachNumber(
      `a power of ${p}`,
      [node('a', 'Abs', ['x']), node('b', 'AddV2', ['a', 'tenth']), node('y', 'Pow', ['b', 'p'])],
      { p: number(p), tenth: number(0.1) },
      (x) => (Math.abs(x) + Math.fround(0.1)) ** p,
      kind,
    );
  eachNumber(
    '(x - c) squared',
    [node('y', 'SquaredDifference', ['x', 'c'])],
    { c: { shape: [3], values: [1, -1, 0.5] } },
    (x, c) => (x - [1, -1, 0.5][c]) ** 2,
  );
  eachNumber(
    '(c - x) squared',
    [node('y', 'SquaredDifference', ['c', 'x'])],
    { c: number(2) },
    (x) => (2 - x) ** 2,
  );
  eachNumber(
    '1 / x',
    [node('a', 'Abs', ['x']), node('b', 'AddV2', ['a', 'one']), node('y', 'Reciprocal', ['b'])],
    { one: number(1) },
    (x) => 1 / (Math.abs(x) + 1),
  );
  eachNumber(
    'x / c where c may be 0',
    [node('y', 'DivNoNan', ['x', 'c'])],
    { c: { shape: [3], values: [2, 0, -4] } },
    (x, c) => [x / 2, 0, x / -4][c],
  );
  eachNumber(
    'c / x',
    [node('a', 'Abs', ['x']), node('b', 'AddV2', ['a', 'one']), node('y', 'RealDiv', ['two', 'b'])],
    { one: number(1), two: number(2) },
    (x) => 2 / (Math.abs(x) + 1),
  );
  eachNumber(
    'a sum of three',
    [node('a', 'Abs', ['x']), node('b', 'Neg', ['x']), node('y', 'AddN', ['x', 'a', 'b'])],
    {},
    Math.abs,
  );
  eachNumber(
    'two scales become one',
    [node('a', 'Mul', ['x', 'two']), node('y', 'Mul', ['three', 'a'])],
    { two: number(2), three: number(3) },
    (x) => 6 * x,
  );
  eachNumber(
    'two offsets become one',
    [node('a', 'Sub', ['x', 'two']), node('y', 'AddV2', ['three', 'a'])],
    { two: number(2), three: number(3) },
    (x) => x + 1,
  );
  eachNumber(
    'c - (c - x)',
    [node('a', 'Sub', ['two', 'x']), node('y', 'Sub', ['three', 'a'])],
    { two: number(2), three: number(3) },
    (x) => 1 + x,
  );
  eachNumber('softplus', [node('y', 'Softplus', ['x'])], {}, (x) => Math.log1p(Math.exp(x)));
  eachNumber(
    'selu',
    [node('y', 'Selu', ['x'])],
    {},
    (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (Math.exp(x) - 1)),
  );
  for (const [op, f] of /** @type {[string, (x: number) => number][]} */ ([
    ['Floor', Math.floor],
    ['Ceil', Math.ceil],
    ['Sign', Math.sign],
    ['Abs', Math.abs],
    ['Exp', Math.exp],
  ]))
    eachNumber(op, [node('y', op, ['x'])], {}, f);
});

/** @typedef {(n: number, y: number, x: number, c: number) => number} Image */

/**
 * Graphs on images [2, 4, 6, 3].
 * @param {string} name
 * @param {GraphNode[]} nodes
 * @param {Record<string, Constant>} constants
 * @param {number[]} shape of the output
 * @param {(at: Image, place: number[]) => number} f
 */
const eachPlace = (name, nodes, constants, shape, f) =>
  test(name, async () => {
    const result = await run([-1, 4, 6, 3], nodes, constants);
    /** @type {Image} */
    const at = (n, y, x, c) =>
      y < 0 || y > 3 || x < 0 || x > 5 ? 0 : result.x.data[((n * 4 + y) * 6 + x) * 3 + c];
    const count = shape.reduce((a, b) => a * b);
    const places = Array.from({ length: count }, (_, i) =>
      shape.map((size, d) => Math.floor(i / shape.slice(d + 1).reduce((a, b) => a * b, 1)) % size),
    );
    assert.deepEqual(result.shape, shape);
    assertNear(
      result.data,
      places.map((place) => f(at, place)),
    );
  });

describe('pieces', () => {
  const split = (/** @type {number} */ axis, /** @type {number} */ count, /** @type {number} */ taken) => ({
    nodes: [
      node('s', 'Split', ['axis', 'x'], { ...FLOAT, num_split: { i: String(count) } }),
      node('y', 'Neg', [taken ? `s:${taken}` : 's']),
    ],
    constants: { axis: ints([axis], []) },
  });
  const height = split(1, 2, 1);
  eachPlace(
    'the lower half',
    height.nodes,
    height.constants,
    [2, 2, 6, 3],
    (at, [n, y, x, c]) => -at(n, y + 2, x, c),
  );
  const width = split(-2, 3, 2);
  eachPlace(
    'the right third',
    width.nodes,
    width.constants,
    [2, 4, 2, 3],
    (at, [n, y, x, c]) => -at(n, y, x + 4, c),
  );
  const first = split(3, 3, 0);
  eachPlace(
    'the first channel',
    first.nodes,
    first.constants,
    [2, 4, 6, 1],
    (at, [n, y, x]) => -at(n, y, x, 0),
  );
  test('of the free batch are refused', () => {
    const { nodes, constants } = split(0, 2, 1);
    return assert.rejects(run([-1, 4, 6, 3], nodes, constants), { code: 'GRAPH_UNSUPPORTED' });
  });
  for (const axis of [2, -2])
    eachPlace(
      `Unpack along axis ${axis}`,
      [
        node('u', 'Unpack', ['x'], { ...FLOAT, axis: { i: String(axis) }, num: { i: '6' } }),
        node('y', 'Neg', ['u:4']),
      ],
      {},
      [2, 4, 3],
      (at, [n, y, c]) => -at(n, y, 4, c),
    );
  eachPlace(
    'SplitV along height',
    [
      node('s', 'SplitV', ['x', 'sizes', 'axis'], { ...FLOAT, num_split: { i: '3' } }),
      node('y', 'Neg', ['s:1']),
    ],
    { sizes: ints([1, 2, 1]), axis: ints([1], []) },
    [2, 2, 6, 3],
    (at, [n, y, x, c]) => -at(n, y + 1, x, c),
  );
  eachPlace(
    'Slice',
    [node('y', 'Slice', ['x', 'begin', 'size'])],
    { begin: ints([0, 1, 2, 0]), size: ints([-1, 2, -1, 2]) },
    [2, 2, 4, 2],
    (at, [n, y, x, c]) => at(n, y + 1, x + 2, c),
  );
  test('Slice of the free batch is refused', () =>
    assert.rejects(
      run([-1, 4, 6, 3], [node('y', 'Slice', ['x', 'begin', 'size'])], {
        begin: ints([0, 0, 0, 0]),
        size: ints([1, 4, 6, 3]),
      }),
      { code: 'GRAPH_UNSUPPORTED', message: /free batch/ },
    ));
  for (const [places, isEven] of /** @type {[number[], boolean][]} */ ([
    [[4], true],
    [[0, 2, 4], true],
    [[5, 3, 1], true],
    [[-1, 0], false],
    [[0, 1, 3], false],
    [[2, 2], false],
  ]))
    eachPlace(
      `Gather of ${places}`,
      [node('y', 'GatherV2', ['x', 'places', 'axis'])],
      { places: ints(places), axis: ints([2], []) },
      [2, 4, places.length, 3],
      (at, [n, y, x, c]) => at(n, y, (places[x] + 6) % 6, c + (isEven ? 0 : 0)),
    );
  eachPlace(
    'Gather of one number drops its axis',
    [node('y', 'GatherV2', ['x', 'place', 'axis'])],
    { place: ints([-2], []), axis: ints([-1], []) },
    [2, 4, 6],
    (at, [n, y, x]) => at(n, y, x, 1),
  );
});

describe('shapes', () => {
  eachPlace(
    'Pack along a new axis',
    [node('z', 'Neg', ['x']), node('y', 'Pack', ['x', 'z'], { ...FLOAT, N: { i: '2' }, axis: { i: '-2' } })],
    {},
    [2, 4, 6, 2, 3],
    (at, [n, y, x, i, c]) => (i === 0 ? 1 : -1) * at(n, y, x, c),
  );
  eachPlace(
    'concatenation along width',
    [node('z', 'Neg', ['x']), node('y', 'ConcatV2', ['x', 'z', 'axis'], { ...FLOAT, N: { i: '2' } })],
    { axis: ints([-2], []) },
    [2, 4, 12, 3],
    (at, [n, y, x, c]) => (x < 6 ? at(n, y, x, c) : -at(n, y, x - 6, c)),
  );
  eachPlace(
    'Tile',
    [node('y', 'Tile', ['x', 'times'])],
    { times: ints([1, 2, 1, 3]) },
    [2, 8, 6, 9],
    (at, [n, y, x, c]) => at(n, y % 4, x, c % 3),
  );
  eachPlace(
    'Transpose',
    [node('y', 'Transpose', ['x', 'order'])],
    { order: ints([0, 2, 3, 1]) },
    [2, 6, 3, 4],
    (at, [n, x, c, y]) => at(n, y, x, c),
  );
  eachPlace(
    'PadV2',
    [node('y', 'PadV2', ['x', 'pads', 'fill'])],
    { pads: ints([0, 0, 1, 0, 0, 2, 0, 0], [4, 2]), fill: number(9) },
    [2, 5, 8, 3],
    (at, [n, y, x, c]) => (y < 1 || x > 5 ? 9 : at(n, y - 1, x, c)),
  );
  for (const [mode, edge] of /** @type {[string, number][]} */ ([
    ['REFLECT', 0],
    ['SYMMETRIC', 1],
  ]))
    eachPlace(
      `MirrorPad ${mode}`,
      [node('y', 'MirrorPad', ['x', 'pads'], { ...FLOAT, mode: { s: base64(mode) } })],
      { pads: ints([0, 0, 2, 0, 0, 1, 0, 0], [4, 2]) },
      [2, 6, 7, 3],
      (at, [n, y, x, c]) => at(n, y < 2 ? 2 - y - edge : y - 2, x > 5 ? 10 - x + edge : x, c),
    );
  eachPlace(
    'BroadcastTo, of fewer axes',
    [node('wide', 'BroadcastTo', ['channels', 'shape']), node('y', 'AddV2', ['x', 'wide'])],
    { channels: { shape: [3], values: [1, 2, 4] }, shape: ints([4, 6, 3]) },
    [2, 4, 6, 3],
    (at, [n, y, x, c]) => at(n, y, x, c) + [1, 2, 4][c],
  );
  eachPlace(
    'BroadcastTo of what is computed',
    [
      node('m', 'Max', ['x', 'axis'], { ...FLOAT, keep_dims: { b: true } }),
      node('wide', 'BroadcastTo', ['m', 'shape']),
      node('y', 'Sub', ['wide', 'x']),
    ],
    { axis: ints([2]), shape: ints([1, 4, 6, 3]) },
    [2, 4, 6, 3],
    (at, [n, y, x, c]) => Math.max(...[0, 1, 2, 3, 4, 5].map((i) => at(n, y, i, c))) - at(n, y, x, c),
  );
  eachPlace(
    'a mean, broadcast',
    [node('m', 'Mean', ['x', 'axes'], { ...FLOAT, keep_dims: { b: true } }), node('y', 'AddV2', ['x', 'm'])],
    { axes: ints([1, 2]) },
    [2, 4, 6, 3],
    (at, [n, y, x, c]) => {
      let total = 0;
      for (let i = 0; i < 24; i++) total += at(n, Math.floor(i / 6), i % 6, c);
      return at(n, y, x, c) + total / 24;
    },
  );
  eachPlace(
    'rows and columns repeated, as the Object Detection API does it',
    [
      node('columns', 'Pack', ['x', 'x', 'x'], { ...FLOAT, N: { i: '3' }, axis: { i: '3' } }),
      node('rows', 'Pack', ['columns', 'columns'], { ...FLOAT, N: { i: '2' }, axis: { i: '2' } }),
      node('y', 'Reshape', ['rows', 'shape']),
    ],
    { shape: ints([-1, 8, 18, 3]) },
    [2, 8, 18, 3],
    (at, [n, y, x, c]) => at(n, y >> 1, Math.floor(x / 3), c),
  );
  for (const op of ['MaxPool', 'AvgPool'])
    for (const padding of ['SAME', 'VALID'])
      eachPlace(
        `${op} ${padding} of 3 x 2, strides 1 x 2`,
        [
          node('y', op, ['x'], {
            ...FLOAT,
            ksize: list([1, 3, 2, 1]),
            strides: list([1, 1, 2, 1]),
            padding: { s: base64(padding) },
          }),
        ],
        {},
        [2, padding === 'SAME' ? 4 : 2, 3, 3],
        (at, [n, y, x, c]) => {
          const top = padding === 'SAME' ? 1 : 0;
          const rows = [0, 1, 2].map((i) => y + i - top).filter((row) => row >= 0 && row < 4);
          const values = rows.flatMap((row) => [at(n, row, 2 * x, c), at(n, row, 2 * x + 1, c)]);
          return op === 'MaxPool' ? Math.max(...values) : values.reduce((a, b) => a + b) / values.length;
        },
      );
});

describe('matrix products', () => {
  for (const [op, attr, isTurned] of /** @type {[string, object, boolean][]} */ ([
    ['MatMul', {}, false],
    ['MatMul', { transpose_b: { b: true } }, true],
    ['BatchMatMulV2', { adj_y: { b: true } }, true],
    ['BatchMatMul', {}, false],
  ]))
    test(`${op} ${JSON.stringify(attr)}`, async () => {
      const values = noise(8, 9);
      const k = { shape: isTurned ? [2, 4] : [4, 2], values };
      const nodes = [node('y', op, ['x', 'k'], { ...FLOAT, ...attr })];
      const { x, data, shape } = await run([-1, 4], nodes, { k });
      assert.deepEqual(shape, [2, 2]);
      const expected = [0, 1].flatMap((n) =>
        [0, 1].map((o) =>
          [0, 1, 2, 3].reduce(
            (sum, i) => sum + x.data[n * 4 + i] * values[isTurned ? o * 4 + i : i * 2 + o],
            0,
          ),
        ),
      );
      assertNear(data, expected);
    });
  for (const attr of [{ transpose_a: { b: true } }, { adj_x: { b: true } }])
    test(`${Object.keys(attr)} is refused`, () =>
      assert.rejects(
        run([1, 4], [node('y', 'MatMul', ['x', 'k'], { ...FLOAT, ...attr })], {
          k: { shape: [4, 2], values: noise(8) },
        }),
        { code: 'GRAPH_UNSUPPORTED', message: /first operand is transposed/ },
      ));

  test('what is fused into a node: bias, and every activation', async () => {
    const [values, bias] = [noise(8, 9), [0.5, -0.25]];
    for (const [ops, attr, f] of /** @type {[string[], object, (x: number, o: number) => number][]} */ ([
      [['BiasAdd'], {}, (x) => x],
      [['BiasAdd', 'Relu'], {}, (x) => Math.max(x, 0)],
      [['BiasAdd', 'Relu6'], {}, (x) => Math.min(Math.max(x, 0), 6)],
      [['BiasAdd', 'Sigmoid'], {}, (x) => 1 / (1 + Math.exp(-x))],
      [['BiasAdd', 'Elu'], {}, (x) => (x > 0 ? x : Math.exp(x) - 1)],
      [['BiasAdd', 'Tanh'], {}, Math.tanh],
      [['BiasAdd', 'LeakyRelu'], { leakyrelu_alpha: { f: 0.4 } }, (x) => (x > 0 ? x : Math.fround(0.4) * x)],
      [['BiasAdd', 'LeakyRelu'], {}, (x) => (x > 0 ? x : Math.fround(0.2) * x)],
      [['BiasAdd', 'Prelu'], {}, (x, o) => (x > 0 ? x : [0.5, 2][o] * x)],
    ])) {
      const fused = { list: { s: ops.map(base64) } };
      const inputs = ['x', 'k', 'b', ...(ops.includes('Prelu') ? ['a'] : [])];
      const nodes = [node('y', '_FusedMatMul', inputs, { ...FLOAT, fused_ops: fused, ...attr })];
      const constants = {
        k: { shape: [4, 2], values },
        b: { shape: [2], values: bias },
        a: { shape: [2], values: [0.5, 2] },
      };
      const { x, data } = await run([-1, 4], nodes, constants);
      const expected = [0, 1].flatMap((n) =>
        [0, 1].map((o) =>
          f(
            [0, 1, 2, 3].reduce((sum, i) => sum + x.data[n * 4 + i] * values[i * 2 + o], bias[o]),
            o,
          ),
        ),
      );
      assertNear(data, expected);
    }
    const nodes = [
      node('y', '_FusedMatMul', ['x', 'k'], { ...FLOAT, fused_ops: { list: { s: [base64('Cube')] } } }),
    ];
    await assert.rejects(run([-1, 4], nodes, { k: { shape: [4, 2], values } }), {
      code: 'GRAPH_UNSUPPORTED',
      message: /Cube/,
    });
  });
});

describe("TensorFlow.js' weights in fewer bits", () => {
  /** @type {[string, object, ArrayBufferView, number[]][]} quantization, stored, values */
  const cases = [
    ['float16', {}, Uint16Array.of(0x3c00, 0xc000, 0x3800), [1, -2, 0.5]],
    ['uint8', { scale: 0.5, min: -1 }, Uint8Array.of(0, 2, 255), [-1, 0, 126.5]],
    ['uint16', { scale: 2, min: 3 }, Uint16Array.of(1, 0, 1000), [5, 3, 2003]],
    ['uint8', {}, Uint8Array.of(1, 2, 3), [1, 2, 3]],
  ];
  for (const [dtype, quantization, stored, values] of cases)
    test(`${dtype} ${JSON.stringify(quantization)}, behind another weight`, async () => {
      const nodes = [node('a', 'AddV2', ['x', 'first']), node('y', 'AddV2', ['a', 'c'])];
      const first = { shape: [3], values: [1, 2, 3] };
      const source = graphModel([-1, 2, 3], nodes, { first, c: { shape: [3], values: [0, 0, 0] } }, ['y']);
      const json = JSON.parse(new TextDecoder().decode(source['model.json']()));
      json.weightsManifest[0].weights[1].quantization = { dtype, ...quantization };
      const bytes = Buffer.concat([source['weights.bin']().subarray(0, 12), Buffer.from(stored.buffer)]);
      const changed = {
        'model.json': () => new TextEncoder().encode(JSON.stringify(json)),
        'weights.bin': () => new Uint8Array(bytes),
      };
      const { x, data } = await runSource(changed, true);
      assertNear(
        data,
        x.data.map((value, i) => value + [1, 2, 3][i % 3] + values[i % 3]),
      );
    });
});
