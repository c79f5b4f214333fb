// Each rule of lowering and fusion: small graphs -> .tflite -> outputs, against formulas written here.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { base64 } from './graph_model.js';
import { assertNear, FLOAT, ints, list, noise, run } from './run_graph.js';

/** @typedef {import('./run_graph.js').Numbers} Numbers */

/**
 * A convolution by its definition.
 * @param {Numbers} x
 * @param {{shape: number[], values: number[]}} kernel [H, W, I, O], depthwise [H, W, C, M]
 * @param {{strides: number[], dilations: number[], pads: number[], isDepthwise: boolean}} window pads: top, bottom, left,
 *   right
 */
function convolve(x, kernel, { strides, dilations, pads, isDepthwise }) {
  const [n, h, w, c] = x.shape;
  const [kh, kw, inputs, last] = kernel.shape;
  const outputs = isDepthwise ? inputs * last : last;
  const size = (
    /** @type {number} */ from,
    /** @type {number} */ k,
    /** @type {number} */ d,
    /** @type {number} */ s,
  ) => Math.floor((from - (k - 1) * d - 1) / s) + 1;
  const high = size(h + pads[0] + pads[1], kh, dilations[0], strides[0]);
  const wide = size(w + pads[2] + pads[3], kw, dilations[1], strides[1]);
  const data = [];
  for (let image = 0; image < n; image++)
    for (let y = 0; y < high; y++)
      for (let z = 0; z < wide; z++)
        for (let o = 0; o < outputs; o++) {
          let sum = 0;
          for (let ky = 0; ky < kh; ky++)
            for (let kx = 0; kx < kw; kx++) {
              const row = y * strides[0] + ky * dilations[0] - pads[0];
              const column = z * strides[1] + kx * dilations[1] - pads[2];
              if (row < 0 || row >= h || column < 0 || column >= w) continue;
              const at = ((image * h + row) * w + column) * c;
              if (isDepthwise)
                sum += x.data[at + Math.floor(o / last)] * kernel.values[(ky * kw + kx) * outputs + o];
              else
                for (let i = 0; i < c; i++)
                  sum += x.data[at + i] * kernel.values[((ky * kw + kx) * inputs + i) * last + o];
            }
          data.push(sum);
        }
  return { shape: [n, high, wide, outputs], data };
}

/** TensorFlow's SAME. @param {number} size @param {number} k @param {number} d @param {number} s */
function same(size, k, d, s) {
  const total = Math.max((Math.ceil(size / s) - 1) * s + (k - 1) * d + 1 - size, 0);
  return [Math.floor(total / 2), total - Math.floor(total / 2)];
}

const WINDOWS = [
  { padding: 'SAME', strides: [2, 1], dilations: [1, 1] },
  { padding: 'SAME', strides: [1, 3], dilations: [1, 1] },
  { padding: 'SAME', strides: [1, 1], dilations: [2, 3] },
  { padding: 'VALID', strides: [1, 2], dilations: [1, 1] },
  { padding: 'EXPLICIT', strides: [2, 2], dilations: [1, 1], pads: [0, 1, 0, 1] },
  { padding: 'EXPLICIT', strides: [1, 1], dilations: [1, 1], pads: [2, 0, 0, 3] },
  { padding: 'EXPLICIT', strides: [2, 1], dilations: [1, 1], pads: [1, 1, 2, 0] },
];

describe('convolutions', () => {
  for (const op of ['Conv2D', 'DepthwiseConv2dNative'])
    for (const { padding, strides, dilations, pads } of WINDOWS)
      for (const [height, width] of [
        [7, 10],
        [8, 5],
      ])
        test(`${op} ${padding} ${pads ?? ''} strides ${strides} dilations ${dilations} on ${height} x ${width}`, async () => {
          const isDepthwise = op !== 'Conv2D';
          const kernel = {
            shape: isDepthwise ? [3, 2, 3, 2] : [3, 2, 3, 4],
            values: noise(isDepthwise ? 36 : 72, 5),
          };
          const attr = {
            ...FLOAT,
            strides: list([1, ...strides, 1]),
            dilations: list([1, ...dilations, 1]),
            padding: { s: base64(padding) },
            ...(pads && { explicit_paddings: list([0, 0, ...pads, 0, 0]) }),
          };
          const nodes = [{ name: 'y', op, input: ['x', 'k'], attr }];
          const { x, data, shape, padShape } = await run([-1, height, width, 3], nodes, { k: kernel });
          const all =
            pads ??
            (padding === 'SAME'
              ? [...same(height, 3, dilations[0], strides[0]), ...same(width, 2, dilations[1], strides[1])]
              : [0, 0, 0, 0]);
          const expected = convolve(x, kernel, { strides, dilations, pads: all, isDepthwise });
          assert.deepEqual(shape, expected.shape);
          assertNear(data, expected.data);
          if (pads && padShape)
            assert.deepEqual(padShape, [1, height + pads[0] + pads[1], width + pads[2] + pads[3], 3]);
        });

  for (const pads of [
    [1, 1, 1, 1],
    [0, 1, 0, 1],
    [1, 0, 1, 0],
    [0, 1, 1, 1],
  ])
    test(`a Pad of ${pads} before VALID convolutions of unequal strides and dilations`, async () => {
      for (const [height, width] of [
        [6, 9],
        [7, 8],
        [8, 7],
      ])
        for (const [strides, dilations] of [
          [
            [2, 1],
            [1, 1],
          ],
          [
            [1, 2],
            [1, 1],
          ],
          [
            [1, 1],
            [2, 1],
          ],
          [
            [1, 1],
            [1, 2],
          ],
        ])
          await checkPad(pads, [height, width], strides, dilations);
    });

  /**
   * @param {number[]} pads
   * @param {number[]} size
   * @param {number[]} strides
   * @param {number[]} dilations
   */
  async function checkPad(pads, [height, width], strides, dilations) {
    const kernel = { shape: [3, 3, 2, 3], values: noise(54, 3) };
    const attr = {
      ...FLOAT,
      strides: list([1, ...strides, 1]),
      dilations: list([1, ...dilations, 1]),
      padding: { s: base64('VALID') },
    };
    const nodes = [
      { name: 'p', op: 'Pad', input: ['x', 'pads'], attr: FLOAT },
      { name: 'y', op: 'Conv2D', input: ['p', 'k'], attr },
    ];
    const constants = { k: kernel, pads: ints([0, 0, ...pads, 0, 0], [4, 2]) };
    const { x, data, operators } = await run([1, height, width, 2], nodes, constants);
    const window = { strides, dilations, pads, isDepthwise: false };
    assertNear(data, convolve(x, kernel, window).data);
    const asSame = [
      ...same(height, 3, dilations[0], strides[0]),
      ...same(width, 3, dilations[1], strides[1]),
    ];
    assert.equal(operators.includes('PAD'), String(asSame) !== String(pads), `${[height, width, strides]}`);
  }
});

/** @type {[string, (x: number, c: number) => number][]} */
const BINARY = [
  ['AddV2', (x, c) => x + c],
  ['Sub', (x, c) => x - c],
  ['Mul', (x, c) => x * c],
  ['Maximum', Math.max],
  ['Minimum', Math.min],
];

describe('a constant on either side', () => {
  for (const [op, f] of BINARY)
    for (const isFirst of [false, true])
      for (const values of [[0.7], [0.5, -1.5, 2]])
        for (const isAfterConvolution of [false, true])
          test(`${op}: ${isFirst ? 'c and x' : 'x and c'}, ${values.length} numbers${isAfterConvolution ? ', after a convolution' : ''}`, async () => {
            const kernel = { shape: [1, 1, 3, 3], values: noise(9, 2) };
            const attr = { ...FLOAT, strides: list([1, 1, 1, 1]), padding: { s: base64('VALID') } };
            const before = [
              { name: 'conv', op: 'Conv2D', input: ['x', 'k'], attr },
              { name: 'biased', op: 'BiasAdd', input: ['conv', 'bias'], attr: FLOAT },
            ];
            const from = isAfterConvolution ? 'biased' : 'x';
            const input = isFirst ? ['c', from] : [from, 'c'];
            const nodes = [...(isAfterConvolution ? before : []), { name: 'y', op, input, attr: FLOAT }];
            const c = { shape: values.length === 1 ? [] : [3], values };
            const bias = { shape: [3], values: [1, -2, 0.25] };
            const { x, data } = await run([1, 3, 4, 3], nodes, {
              c,
              ...(isAfterConvolution && { k: kernel, bias }),
            });
            const window = { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], isDepthwise: false };
            const values3 = isAfterConvolution
              ? convolve(x, kernel, window).data.map((value, i) => value + bias.values[i % 3])
              : x.data;
            const at = (/** @type {number} */ i) => values[i % values.length];
            assertNear(
              data,
              values3.map((value, i) => (isFirst ? f(at(i), value) : f(value, at(i)))),
            );
          });

  test('x / c', async () => {
    const nodes = [{ name: 'y', op: 'RealDiv', input: ['x', 'c'], attr: FLOAT }];
    const { x, data } = await run([1, 2, 2, 2], nodes, { c: { shape: [2], values: [4, -0.5] } });
    assertNear(
      data,
      x.data.map((value, i) => value / [4, -0.5][i % 2]),
    );
  });

  test('a scale, a bias, a scale and a clip after a convolution without a bias', async () => {
    const kernel = { shape: [1, 1, 2, 2], values: [1, -2, 0.5, 3] };
    const attr = { ...FLOAT, strides: list([1, 1, 1, 1]), padding: { s: base64('SAME') } };
    const nodes = [
      { name: 'conv', op: 'Conv2D', input: ['x', 'k'], attr },
      { name: 'first', op: 'Mul', input: ['ten', 'conv'], attr: FLOAT },
      { name: 'biased', op: 'AddV2', input: ['bias', 'first'], attr: FLOAT },
      { name: 'second', op: 'Mul', input: ['biased', 'factors'], attr: FLOAT },
      { name: 'y', op: 'Relu', input: ['second'], attr: FLOAT },
    ];
    const constants = {
      k: kernel,
      ten: { shape: [], values: [10] },
      bias: { shape: [2], values: [3, -4] },
      factors: { shape: [2], values: [0.5, -2] },
    };
    const { x, data, operators } = await run([-1, 2, 3, 2], nodes, constants);
    const window = { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], isDepthwise: false };
    const expected = convolve(x, kernel, window).data.map((value, i) =>
      Math.max((value * 10 + [3, -4][i % 2]) * [0.5, -2][i % 2], 0),
    );
    assertNear(data, expected);
    assert.deepEqual(operators, ['CONV_2D']);
  });
});

describe('clips', () => {
  for (const [low, high] of [
    [0, 6],
    [0, 1],
    [-1, 1],
    [-0.3, 0.7],
    [0.2, 0.9],
    [-1.5, -0.5],
    [-100, 0.25],
    [-Infinity, 0.4],
    [0.4, Infinity],
    [-Infinity, Infinity],
  ])
    test(`ClipByValue to ${low} and ${high}`, async () => {
      const nodes = [{ name: 'y', op: 'ClipByValue', input: ['x', 'low', 'high'], attr: FLOAT }];
      const constants = { low: { shape: [], values: [low] }, high: { shape: [], values: [high] } };
      if (low === -Infinity && high === Infinity)
        nodes.push({ name: 'z', op: 'Square', input: ['y'], attr: FLOAT });
      const { x, data } = await run([-1, 3, 4, 2], nodes, constants);
      const clipped = x.data.map((value) => Math.min(Math.max(value, low), high));
      assertNear(data, nodes.length === 1 ? clipped : clipped.map((value) => value * value));
    });

  for (const [ops, name] of /** @type {[string[], string][]} */ ([
    [['Minimum', 'Maximum'], 'max(min(x, 0.7), -0.3)'],
    [['Maximum', 'Minimum'], 'min(max(x, -0.3), 0.7)'],
  ]))
    test(`${name}, as tf.clip_by_value writes it`, async () => {
      const bound = (/** @type {string} */ op) => (op === 'Minimum' ? 'high' : 'low');
      const nodes = [
        { name: 'inner', op: ops[0], input: ['x', bound(ops[0])], attr: FLOAT },
        { name: 'y', op: ops[1], input: [bound(ops[1]), 'inner'], attr: FLOAT },
      ];
      const constants = { low: { shape: [], values: [-0.3] }, high: { shape: [], values: [0.7] } };
      const { x, data } = await run([1, 3, 4, 2], nodes, constants);
      assertNear(
        data,
        x.data.map((value) => Math.min(Math.max(value, -0.3), 0.7)),
      );
    });

  for (const high of [6, 1, 4])
    test(`min(relu(x), ${high}), of another value than ReLU6's too`, async () => {
      const nodes = [
        { name: 'scaled', op: 'Mul', input: ['x', 'five'], attr: FLOAT },
        { name: 'positive', op: 'Relu', input: ['scaled'], attr: FLOAT },
        { name: 'y', op: 'Minimum', input: ['positive', 'high'], attr: FLOAT },
      ];
      const constants = { five: { shape: [], values: [5] }, high: { shape: [], values: [high] } };
      const { x, data } = await run([1, 3, 4, 2], nodes, constants);
      assertNear(
        data,
        x.data.map((value) => Math.min(Math.max(5 * value, 0), high)),
      );
    });

  test('a maximum with a constant for each channel stays one', async () => {
    const nodes = [{ name: 'y', op: 'Maximum', input: ['x', 'c'], attr: FLOAT }];
    const { x, data } = await run([1, 2, 3, 2], nodes, { c: { shape: [2], values: [-1, 0.5] } });
    assertNear(
      data,
      x.data.map((value, i) => Math.max(value, [-1, 0.5][i % 2])),
    );
  });
});

describe('activations', () => {
  /** @type {Record<string, (x: number) => number>} */
  const unary = {
    Tanh: Math.tanh,
    Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
    Square: (x) => x * x,
    Neg: (x) => -x,
  };
  for (const [op, f] of Object.entries(unary))
    test(op, async () => {
      const { x, data } = await run([-1, 2, 3, 2], [{ name: 'y', op, input: ['x'], attr: FLOAT }], {});
      assertNear(data, x.data.map(f));
    });

  test('LeakyRelu, with its default slope and with another one', async () => {
    for (const [attr, slope] of /** @type {[any, number][]} */ ([
      [FLOAT, 0.2],
      [{ ...FLOAT, alpha: { f: 0.35 } }, 0.35],
    ])) {
      const nodes = [{ name: 'y', op: 'LeakyRelu', input: ['x'], attr }];
      const { x, data } = await run([1, 2, 3, 2], nodes, {});
      assertNear(
        data,
        x.data.map((value) => (value < 0 ? slope * value : value)),
      );
    }
  });

  for (const [name, place] of [
    ['at the gate', 0],
    ['at x', 1],
    ['at the product', 2],
  ])
    for (const factor of [1 / 6, 0.16])
      test(`x * relu6(x + 3) * ${factor.toFixed(2)}, the factor ${name}`, async () => {
        const at = (/** @type {number} */ here, /** @type {string} */ from, /** @type {string} */ to) =>
          place === here ? [{ name: to, op: 'Mul', input: [from, 'factor'], attr: FLOAT }] : [];
        const nodes = [
          { name: 'shifted', op: 'AddV2', input: ['x', 'three'], attr: FLOAT },
          { name: 'relu6', op: 'Relu6', input: ['shifted'], attr: FLOAT },
          ...at(0, 'relu6', 'gate'),
          ...at(1, 'x', 'part'),
          {
            name: place === 2 ? 'product' : 'y',
            op: 'Mul',
            input: [place === 1 ? 'part' : 'x', place === 0 ? 'gate' : 'relu6'],
            attr: FLOAT,
          },
          ...at(2, 'product', 'y'),
        ];
        const constants = { three: { shape: [], values: [3] }, factor: { shape: [], values: [factor] } };
        const { x, data, operators } = await run([1, 3, 4, 2], nodes, constants);
        assertNear(
          data,
          x.data.map((value) => value * Math.min(Math.max(value + 3, 0), 6) * Math.fround(factor)),
        );
        assert.equal(operators.includes('HARD_SWISH'), factor === 1 / 6);
      });
});

describe('slices, with a free batch', () => {
  const strided = (/** @type {Record<string, number>} */ masks) => ({
    ...FLOAT,
    ...Object.fromEntries(Object.entries(masks).map(([key, i]) => [`${key}_mask`, { i: String(i) }])),
  });
  const at = (/** @type {Numbers} */ { shape: [, h, w, c], data }, /** @type {number[]} */ [n, y, x, z]) =>
    data[((n * h + y) * w + x) * c + z];
  const whole = (/** @type {number} */ length) => Array.from({ length }, (_, i) => i);
  /** @type {[string, number[], number[], number[], Record<string, number>, (shape: number[]) => number[][], number[]][]} */
  const cases = [
    [
      'x[:, ::-1]',
      [0, 0],
      [0, 0],
      [1, -1],
      { begin: 3, end: 3 },
      ([, h, w, c]) => [whole(h).reverse(), whole(w), whole(c)],
      [5, 4, 3],
    ],
    [
      'x[..., ::-1]',
      [0, 0],
      [0, 0],
      [1, -1],
      { begin: 2, end: 2, ellipsis: 1 },
      ([, h, w, c]) => [whole(h), whole(w), whole(c).reverse()],
      [5, 4, 3],
    ],
    [
      'x[:, -2::-2, 1:-1]',
      [0, -2, 1],
      [0, 0, -1],
      [1, -2, 1],
      { begin: 1, end: 3 },
      ([, , , c]) => [[3, 1], [1, 2], whole(c)],
      [2, 2, 3],
    ],
    [
      'x[:, 1:100:2, ..., 2]',
      [0, 1, 0, 2],
      [0, 100, 0, 3],
      [1, 2, 1, 1],
      { begin: 1, end: 1, ellipsis: 4, shrink_axis: 8 },
      ([, , w]) => [[1, 3], whole(w), [2]],
      [2, 4],
    ],
    [
      'x[:, newaxis, 4, :, newaxis]',
      [0, 0, 4, 0, 0],
      [0, 0, 5, 0, 0],
      [1, 1, 1, 1, 1],
      { begin: 9, end: 9, new_axis: 18, shrink_axis: 4 },
      ([, , w, c]) => [[4], whole(w), whole(c)],
      [1, 4, 1, 3],
    ],
  ];
  for (const [name, begin, end, by, masks, pick, shape] of cases)
    test(name, async () => {
      const nodes = [{ name: 'y', op: 'StridedSlice', input: ['x', 'b', 'e', 's'], attr: strided(masks) }];
      const result = await run([-1, 5, 4, 3], nodes, { b: ints(begin), e: ints(end), s: ints(by) });
      const [rows, columns, channels] = pick(result.x.shape);
      const expected = [0, 1].flatMap((n) =>
        rows.flatMap((y) => columns.flatMap((x) => channels.map((z) => at(result.x, [n, y, x, z])))),
      );
      assert.deepEqual(result.shape, [2, ...shape]);
      assertNear(result.data, expected);
    });

  test('SplitV and Gather of indices at even and uneven places', async () => {
    const nodes = [
      {
        name: 'parts',
        op: 'SplitV',
        input: ['x', 'sizes', 'last'],
        attr: { ...FLOAT, num_split: { i: '2' } },
      },
      { name: 'picked', op: 'GatherV2', input: ['parts:1', 'even', 'last'], attr: FLOAT },
      { name: 'y', op: 'Neg', input: ['picked'], attr: FLOAT },
    ];
    const constants = { sizes: ints([1, -1]), last: ints([-1], []), even: ints([3, 1]) };
    const { x, data, shape } = await run([-1, 2, 2, 5], nodes, constants);
    assert.deepEqual(shape, [2, 2, 2, 2]);
    assertNear(
      data,
      whole(8).flatMap((row) => [-x.data[row * 5 + 4], -x.data[row * 5 + 2]]),
    );
  });
});

describe('shapes with a free batch', () => {
  test('Permute and Reshape(-1), and a matrix product on planes', async () => {
    const nodes = [
      { name: 'moved', op: 'Transpose', input: ['x', 'order'], attr: FLOAT },
      { name: 'rows', op: 'Reshape', input: ['moved', 'to'], attr: FLOAT },
      { name: 'product', op: 'MatMul', input: ['rows', 'k'], attr: FLOAT },
      { name: 'shape', op: 'Shape', input: ['x'], attr: FLOAT },
      {
        name: 'batch',
        op: 'StridedSlice',
        input: ['shape', 'zero', 'one', 'one'],
        attr: { shrink_axis_mask: { i: '1' } },
      },
      { name: 'all', op: 'Pack', input: ['batch', 'minus', 'two'], attr: { N: { i: '3' } } },
      { name: 'back', op: 'Reshape', input: ['product', 'all'], attr: FLOAT },
      { name: 'y', op: 'BiasAdd', input: ['back', 'bias'], attr: FLOAT },
    ];
    const kernel = noise(8, 4);
    const constants = {
      order: ints([0, 3, 1, 2]),
      to: ints([-1, 4]),
      zero: ints([0]),
      one: ints([1]),
      minus: ints([-1], []),
      two: ints([2], []),
      k: { shape: [4, 2], values: kernel },
      bias: { shape: [2], values: [0.5, -3] },
    };
    const { x, data, shape, operators } = await run([-1, 2, 4, 3], nodes, constants);
    assert.deepEqual(shape, [2, 6, 2]);
    const expected = [0, 1].flatMap((n) =>
      [0, 1, 2].flatMap((c) =>
        [0, 1].flatMap((h) =>
          [0, 1].map((o) =>
            [0, 1, 2, 3].reduce(
              (sum, w) => sum + x.data[((n * 2 + h) * 4 + w) * 3 + c] * kernel[w * 2 + o],
              [0.5, -3][o],
            ),
          ),
        ),
      ),
    );
    assertNear(data, expected);
    assert.ok(!operators.includes('ADD'), 'the bias is folded');
  });

  for (const keepDims of [false, true])
    for (const [op, f, start] of /** @type {[string, (a: number, b: number) => number, number][]} */ ([
      ['Sum', (a, b) => a + b, 0],
      ['Min', (a, b) => Math.min(a, b), Infinity],
      ['Max', (a, b) => Math.max(a, b), -Infinity],
    ]))
      test(`${op} over height and channels, keep_dims: ${keepDims}`, async () => {
        const nodes = [
          { name: 'y', op, input: ['x', 'axes'], attr: { ...FLOAT, keep_dims: { b: keepDims } } },
        ];
        const { x, data, shape } = await run([-1, 3, 2, 4], nodes, { axes: ints([-1, 1]) });
        const expected = [0, 1].flatMap((n) =>
          [0, 1].map((w) =>
            [0, 1, 2]
              .flatMap((h) => [0, 1, 2, 3].map((c) => x.data[((n * 3 + h) * 2 + w) * 4 + c]))
              .reduce(f, start),
          ),
        );
        assert.deepEqual(shape, keepDims ? [2, 1, 2, 1] : [2, 2]);
        assertNear(data, expected);
      });

  test('DepthToSpace and back', async () => {
    const attr = { ...FLOAT, block_size: { i: '2' } };
    const to = [{ name: 'y', op: 'DepthToSpace', input: ['x'], attr }];
    const { x, data, shape } = await run([-1, 2, 3, 8], to, {});
    assert.deepEqual(shape, [2, 4, 6, 2]);
    const expected = [0, 1].flatMap((n) =>
      [0, 1, 2, 3].flatMap((h) =>
        [0, 1, 2, 3, 4, 5].flatMap((w) =>
          [0, 1].map(
            (c) => x.data[((n * 2 + (h >> 1)) * 3 + (w >> 1)) * 8 + ((h % 2) * 2 + (w % 2)) * 2 + c],
          ),
        ),
      ),
    );
    assertNear(data, expected);
    const back = [
      ...to.map((node) => ({ ...node, name: 'm' })),
      { name: 'y', op: 'SpaceToDepth', input: ['m'], attr },
    ];
    const again = await run([-1, 2, 3, 8], back, {});
    assertNear(again.data, again.x.data);
  });
});

test('a Cast that would round is refused', async () => {
  const node = {
    name: 'y',
    op: 'Cast',
    input: ['x'],
    attr: { SrcT: { type: 'DT_FLOAT' }, DstT: { type: 'DT_UINT8' } },
  };
  await assert.rejects(run([1, 2, 2, 3], [node], {}), {
    code: 'GRAPH_UNSUPPORTED',
    message: /it rounds to uint8/,
  });
});

test('batch norm with channels first', async () => {
  const attr = {
    ...FLOAT,
    data_format: { s: base64('NCHW') },
    is_training: { b: false },
    epsilon: { f: 0.01 },
  };
  const nodes = [{ name: 'y', op: 'FusedBatchNormV3', input: ['x', 'g', 'b', 'm', 'v'], attr }];
  const each = (/** @type {number[]} */ values) => ({ shape: [3], values });
  const [g, b, m, v] = [
    [1, 2, -1],
    [0.5, 0, 3],
    [0.1, -0.2, 0.3],
    [1, 0.25, 4],
  ];
  const { x, data } = await run([-1, 3, 2, 2], nodes, { g: each(g), b: each(b), m: each(m), v: each(v) });
  assertNear(
    data,
    x.data.map((value, i) => {
      const c = Math.floor(i / 4) % 3;
      return ((value - m[c]) / Math.sqrt(v[c] + 0.01)) * g[c] + b[c];
    }),
  );
});

test("Keras 2's LayerNormalization in TensorFlow.js: batch norm whose mean and variance are empty", async () => {
  const attr = {
    ...FLOAT,
    data_format: { s: base64('NCHW') },
    is_training: { b: true },
    epsilon: { f: 0.01 },
  };
  const names = ['x', 'g', 'b', 'm', 'v'];
  const nodes = [{ name: 'y', op: 'FusedBatchNormV3', input: names, attr }];
  const two = (/** @type {number[]} */ values) => ({ shape: [values.length], values });
  const constants = { g: two([1, 2]), b: two([0.5, -1]) };
  const shape = [1, 2, 4, 3];
  const { x, data } = await run(shape, nodes, { ...constants, m: two([]), v: two([]) });
  const moments = [0, 1].map((c) => {
    const row = x.data.slice(c * 12, c * 12 + 12);
    const mean = row.reduce((a, b) => a + b) / 12;
    return { mean, variance: row.reduce((a, b) => a + (b - mean) ** 2, 0) / 12 };
  });
  const normed = (/** @type {{mean: number, variance: number}[]} */ of) =>
    x.data.map((value, i) => {
      const c = Math.floor(i / 12);
      return ((value - of[c].mean) / Math.sqrt(of[c].variance + 0.01)) * [1, 2][c] + [0.5, -1][c];
    });
  assertNear(data, normed(moments));
  // Where it has mean and variance, TensorFlow.js takes these.
  const given = await run(shape, nodes, { ...constants, m: two([0.5, 1]), v: two([4, 0.25]) });
  assertNear(
    given.data,
    normed([
      { mean: 0.5, variance: 4 },
      { mean: 1, variance: 0.25 },
    ]),
  );
});

test('OnesLike and ZerosLike of a known shape are constants, as in the weighted moments of Keras 2', async () => {
  const nodes = [
    { name: 'ones', op: 'OnesLike', input: ['x'], attr: FLOAT },
    { name: 'zeros', op: 'ZerosLike', input: ['x'], attr: FLOAT },
    { name: 'count', op: 'Sum', input: ['ones', 'axes'], attr: { ...FLOAT, keep_dims: { b: true } } },
    { name: 'shifted', op: 'AddV2', input: ['x', 'zeros'], attr: FLOAT },
    { name: 'weighted', op: 'Mul', input: ['ones', 'shifted'], attr: FLOAT },
    { name: 'y', op: 'DivNoNan', input: ['weighted', 'count'], attr: FLOAT },
  ];
  const { x, data, operators } = await run([1, 2, 2, 3], nodes, { axes: ints([1, 2]) });
  assert.equal(operators.filter((each) => each === 'MUL').length, 1); // by 1 / count, not by the ones
  assertNear(
    data,
    x.data.map((value) => value / 4),
  );
  await assert.rejects(run([-1, 2, 2, 3], nodes, { axes: ints([1, 2]) }), {
    code: 'GRAPH_UNSUPPORTED',
    message: /--batch 1/,
  });
});

test('a product with ones has the shape of the larger one', async () => {
  const nodes = [
    { name: 'product', op: 'Mul', input: ['x', 'ones'], attr: FLOAT },
    { name: 'y', op: 'Abs', input: ['product'], attr: FLOAT },
  ];
  for (const [shape, repeated] of /** @type {[number[], number][]} */ ([
    [[1, 1, 2, 3], 1],
    [[2, 3], 1],
    [[1, 1, 1, 1], 1],
    [[1, 4, 2, 3], 4],
    [[1, 4, 1, 3], 4],
  ])) {
    const ones = { shape, values: new Array(shape.reduce((a, b) => a * b)).fill(1) };
    const { x, data } = await run([1, 1, 2, 3], nodes, { ones });
    assertNear(data, new Array(repeated).fill(x.data.map(Math.abs)).flat());
  }
});

test('an output that is the input is refused', async () => {
  const nodes = [
    { name: 'ones', op: 'OnesLike', input: ['x'], attr: FLOAT },
    { name: 'y', op: 'Mul', input: ['x', 'ones'], attr: FLOAT },
  ];
  const message = /the output 'y' is the input 'x'/;
  await assert.rejects(run([1, 2, 2, 3], nodes, {}), { code: 'GRAPH_UNSUPPORTED', message });
  const same = [{ name: 'y', op: 'Identity', input: ['x'], attr: FLOAT }];
  await assert.rejects(run([-1, 2, 2, 3], same, {}), { code: 'GRAPH_UNSUPPORTED' });
});

test('what only a fixed batch makes possible is told', async () => {
  const nodes = [
    { name: 'parts', op: 'Unpack', input: ['x'], attr: { ...FLOAT, num: { i: '1' } } },
    { name: 'y', op: 'Relu', input: ['parts'], attr: FLOAT },
  ];
  await assert.rejects(run([-1, 2, 2, 3], nodes, {}), { code: 'GRAPH_UNSUPPORTED', message: /--batch 1/ });
  const { x, data } = await run([1, 2, 2, 3], nodes, {});
  assertNear(
    data,
    x.data.map((value) => Math.max(value, 0)),
  );
});
