// What Keras' layers do where their configuration says nothing: the same as where it says Keras' documented default, and
// something else where it says something else.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { constant, make } from '../../../wasm/convert/graph/graph.js';
import { evaluateGraph } from '../../../wasm/convert/prove/evaluate.js';
import { NORMS } from '../../../wasm/convert/source/layer_norms.js';
import { activated, LAYERS } from '../../../wasm/convert/source/layer_rules.js';
import { noise } from './run_graph.js';

const SHAPE = [2, 6, 7, 4];
const X = Float64Array.from(noise(2 * 6 * 7 * 4), (value) => 3 * value);
const PLACED = { shape: { shape: { dim: SHAPE.map((size) => ({ size })) } } };

/** @type {Record<string, number[]>} */
const WEIGHTS = {
  kernel: [3, 2, 4, 4],
  depthwise_kernel: [3, 2, 4, 1],
  pointwise_kernel: [1, 1, 4, 5],
  bias: [4],
  gamma: [4],
  beta: [4],
  moving_mean: [4],
  moving_variance: [4],
  mean: [4],
  variance: [4],
};
/** The names of layers whose weights have other shapes. @type {Record<string, Record<string, number[]>>} */
const OTHERS = { Dense: { kernel: [4, 4] }, SeparableConv2D: { bias: [5] } };

/** @param {string} kind @param {object} config @param {number} [kerasVersion] @param {number} [inputs] */
async function run(kind, config, kerasVersion = 3, inputs = 1) {
  const refs = Array.from({ length: inputs }, (_, i) => make(`x${i}`, 'Placeholder', [], PLACED));
  const weight = (/** @type {string[]} */ ...keys) => {
    const shape = OTHERS[kind]?.[keys[0]] ?? WEIGHTS[keys[0]];
    const data = Float32Array.from(
      noise(
        shape.reduce((a, b) => a * b, 1),
        keys[0].length,
      ),
      (value) => (/variance/.test(keys[0]) ? Math.abs(value) + 0.1 : value),
    );
    return constant(keys[0], { dtype: 'float32', shape, data });
  };
  const call = { inputs: refs, operands: [], named: {} };
  const layer = { name: 'layer', config, inputs: refs, weight, call, kerasVersion };
  const ref = activated((NORMS[kind] ?? LAYERS[kind])(layer), layer);
  const given = new Map(
    refs.map(({ node }, i) => [node, { shape: SHAPE, data: X.map((value) => value + i) }]),
  );
  const [{ shape, data }] = await evaluateGraph([ref], given);
  return { shape, data: [...data] };
}

/** @type {[string, object, Record<string, [unknown, unknown]>][]} kind, what is needed, and defaults and others by key */
const TABLE = [
  [
    'Conv2D',
    {},
    {
      strides: [
        [1, 1],
        [2, 1],
      ],
      padding: ['valid', 'same'],
      dilation_rate: [
        [1, 1],
        [2, 2],
      ],
      use_bias: [true, false],
      activation: ['linear', 'relu'],
    },
  ],
  [
    'DepthwiseConv2D',
    {},
    {
      strides: [
        [1, 1],
        [2, 2],
      ],
      padding: ['valid', 'same'],
      dilation_rate: [
        [1, 1],
        [2, 2],
      ],
      use_bias: [true, false],
      activation: [null, 'relu'],
    },
  ],
  [
    'SeparableConv2D',
    {},
    {
      strides: [
        [1, 1],
        [2, 2],
      ],
      padding: ['valid', 'same'],
      use_bias: [true, false],
    },
  ],
  [
    'Conv2DTranspose',
    {},
    {
      strides: [
        [1, 1],
        [2, 2],
      ],
      padding: ['valid', 'same'],
      use_bias: [true, false],
    },
  ],
  [
    'MaxPooling2D',
    {},
    {
      pool_size: [
        [2, 2],
        [3, 3],
      ],
      strides: [
        [2, 2],
        [1, 1],
      ],
      padding: ['valid', 'same'],
    },
  ],
  [
    'AveragePooling2D',
    {},
    {
      pool_size: [
        [2, 2],
        [3, 2],
      ],
      strides: [null, [1, 1]],
      padding: ['valid', 'same'],
    },
  ],
  [
    'MaxPooling2D',
    { pool_size: [3, 2] },
    {
      strides: [
        [3, 2],
        [2, 2],
      ],
    },
  ],
  ['BatchNormalization', {}, { epsilon: [0.001, 0.1], scale: [true, false], center: [true, false] }],
  [
    'LayerNormalization',
    {},
    { axis: [-1, -1], epsilon: [0.001, 0.1], scale: [true, false], center: [true, false] },
  ],
  ['UnitNormalization', {}, { axis: [-1, 1] }],
  ['LeakyReLU', {}, { negative_slope: [0.3, 0.1] }],
  ['LeakyReLU', {}, { alpha: [0.3, 0.1] }],
  ['ELU', {}, { alpha: [1, 0.5] }],
  ['ReLU', {}, { max_value: [null, 2], negative_slope: [0, 0.1], threshold: [0, 1] }],
  ['Softmax', {}, { axis: [-1, -1] }],
  ['Rescaling', {}, { scale: [1, 2], offset: [0, 1] }],
  [
    'UpSampling2D',
    {},
    {
      size: [
        [2, 2],
        [3, 2],
      ],
      interpolation: ['nearest', 'bilinear'],
    },
  ],
  ['Resizing', { height: 3, width: 5 }, { interpolation: ['bilinear', 'nearest'] }],
  [
    'ZeroPadding2D',
    {},
    {
      padding: [
        [
          [1, 1],
          [1, 1],
        ],
        [
          [0, 1],
          [2, 0],
        ],
      ],
    },
  ],
  [
    'Cropping2D',
    {},
    {
      cropping: [
        [
          [0, 0],
          [0, 0],
        ],
        [
          [1, 0],
          [0, 2],
        ],
      ],
    },
  ],
  ['GlobalAveragePooling2D', {}, { keepdims: [false, true] }],
  ['GlobalMaxPooling2D', {}, { keepdims: [false, true] }],
  ['Dense', {}, { use_bias: [true, false], activation: ['linear', 'tanh'] }],
];

for (const [kind, needed, keys] of TABLE)
  describe(`${kind} ${JSON.stringify(needed)}`, () => {
    for (const [key, [usual, other]] of Object.entries(keys))
      test(key, async () => {
        const plain = await run(kind, needed);
        assert.deepEqual(await run(kind, { ...needed, [key]: usual }), plain);
        if (JSON.stringify(other) !== JSON.stringify(usual))
          assert.notDeepEqual(await run(kind, { ...needed, [key]: other }), plain);
      });
  });

test('what does nothing when a network runs', async () => {
  for (const kind of [
    'Activation',
    'ActivityRegularization',
    'Dropout',
    'GaussianDropout',
    'GaussianNoise',
    'SpatialDropout2D',
  ])
    assert.deepEqual(await run(kind, { rate: 0.5 }), { shape: SHAPE, data: [...X] });
});

describe('of several inputs', () => {
  /** @type {[string, (values: number[]) => number][]} */
  const cases = [
    ['Add', (values) => values.reduce((a, b) => a + b)],
    ['Average', (values) => values.reduce((a, b) => a + b) / values.length],
    ['Maximum', (values) => Math.max(...values)],
    ['Minimum', (values) => Math.min(...values)],
    ['Multiply', (values) => values.reduce((a, b) => a * b)],
    ['Subtract', ([a, b]) => a - b],
  ];
  for (const [kind, f] of cases)
    test(kind, async () => {
      for (const inputs of kind === 'Subtract' ? [2] : [2, 3, 4]) {
        const { data } = await run(kind, {}, 3, inputs);
        data.forEach((value, i) =>
          assert.ok(Math.abs(value - f(Array.from({ length: inputs }, (_, k) => X[i] + k))) < 1e-9),
        );
      }
    });
  test('Concatenate joins the last axis, or the one that it names', async () => {
    assert.deepEqual((await run('Concatenate', {}, 3, 3)).shape, [2, 6, 7, 12]);
    assert.deepEqual(await run('Concatenate', { axis: -1 }, 3, 3), await run('Concatenate', {}, 3, 3));
    assert.deepEqual((await run('Concatenate', { axis: 1 }, 3, 3)).shape, [2, 18, 7, 4]);
  });
});

test("hard_sigmoid is Keras 2's or Keras 3's", async () => {
  const two = await run('Activation', { activation: 'hard_sigmoid' }, 2);
  const three = await run('Activation', { activation: 'hard_sigmoid' }, 3);
  X.forEach((x, i) => {
    assert.ok(Math.abs(two.data[i] - Math.min(Math.max(0.2 * x + 0.5, 0), 1)) < 1e-7);
    assert.ok(Math.abs(three.data[i] - Math.min(Math.max(x + 3, 0), 6) / 6) < 1e-7);
  });
});

test('an activation may be an object', async () => {
  const relu = await run('Activation', { activation: 'relu' });
  for (const activation of [
    { class_name: 'ReLU', config: {} },
    { class_name: 'ReLU' },
    { class_name: 'relu', config: {} },
    { class_name: 'relu', config: { name: 'own', trainable: true, dtype: 'float32' } },
    { class_name: 'function', config: 'relu' },
  ])
    assert.deepEqual(await run('Activation', { activation }), relu);
  assert.deepEqual(
    await run('Activation', { activation: { class_name: 'Swish', config: {} } }),
    await run('Activation', { activation: 'swish' }),
  );
  await assert.rejects(run('Activation', { activation: 'mine' }), {
    code: 'GRAPH_UNSUPPORTED',
    message: /the activation mine/,
  });
  await assert.rejects(run('Activation', { activation: 'toString' }), { code: 'GRAPH_UNSUPPORTED' });
});

describe('an activation that is a layer keeps its options', () => {
  /** @type {[string, object, (x: number) => number][]} */
  const cases = [
    [
      'ReLU',
      { max_value: 0.5, negative_slope: 0.1, threshold: 0 },
      (x) => Math.min(x > 0 ? x : 0.1 * x, 0.5),
    ],
    ['LeakyReLU', { alpha: 0.3 }, (x) => (x > 0 ? x : 0.3 * x)],
    ['ELU', { alpha: 0.5 }, (x) => (x > 0 ? x : 0.5 * Math.expm1(x))],
    ['Activation', { activation: 'tanh' }, Math.tanh],
  ];
  for (const [kind, config, f] of cases)
    test(kind, async () => {
      const activation = { module: 'keras.layers', class_name: kind, config: { name: 'own', ...config } };
      const { data } = await run('Activation', { activation });
      data.forEach((value, i) => assert.ok(Math.abs(value - f(X[i])) < 1e-6, `${value}, not ${f(X[i])}`));
    });
  for (const [kind, config, message] of /** @type {[string, any, RegExp][]} */ ([
    ['Softmax', { axis: 1 }, /Softmax along axis 1/],
    ['PReLU', {}, /the activation PReLU, which has weights/],
    ['Mine', {}, /the activation mine/],
    ['Swish', { beta: 2 }, /the activation Swish with the option 'beta'/],
  ]))
    test(`${kind} ${JSON.stringify(config)} is refused`, () =>
      assert.rejects(run('Activation', { activation: { class_name: kind, config } }), {
        code: 'GRAPH_UNSUPPORTED',
        message,
      }));
});

describe('axes', () => {
  const [, H, W, C] = SHAPE;
  const placeOf = (/** @type {number} */ i) => [
    Math.floor(i / (W * C * H)),
    ...[Math.floor(i / (W * C)) % H, Math.floor(i / C) % W, i % C],
  ];
  test('the last one by its number', async () => {
    for (const [kind, axis] of /** @type {[string, any][]} */ ([
      ['BatchNormalization', 3],
      ['BatchNormalization', [3]],
      ['Softmax', 3],
      ['Normalization', 3],
    ]))
      assert.deepEqual(await run(kind, { axis }), await run(kind, {}));
  });
  const scalars = { mean: 2, variance: 4 };
  const list = { mean: [0, 1, 2, 3, 4, 5], variance: [1, 4, 9, 16, 25, 36] };
  const table = (/** @type {(h: number, c: number) => number} */ f) =>
    Array.from({ length: H }, (_, h) => Array.from({ length: C }, (__, c) => f(h, c)));
  const tables = { mean: table((h, c) => h - c), variance: table((h, c) => (1 + h + c) ** 2) };
  /** @type {[object, (x: number, place: number[]) => number][]} */
  const cases = [
    [{ axis: null, ...scalars }, (x) => (x - 2) / 2],
    [{ axis: [], ...scalars }, (x) => (x - 2) / 2],
    [{ axis: [1], ...scalars }, (x) => (x - 2) / 2],
    [{ axis: [1], ...list }, (x, [, h]) => (x - h) / (h + 1)],
    [{ axis: [-3], ...list }, (x, [, h]) => (x - h) / (h + 1)],
    [{ axis: [3, 1], ...tables }, (x, [, h, , c]) => (x - (h - c)) / (1 + h + c)],
  ];
  for (const [config, f] of cases)
    test(`Normalization ${JSON.stringify(config).slice(0, 40)}`, async () => {
      const { shape, data } = await run('Normalization', config);
      assert.deepEqual(shape, SHAPE);
      data.forEach((value, i) => assert.ok(Math.abs(value - f(X[i], placeOf(i))) < 1e-6));
    });
});

test('an array in the configuration of Keras 3', async () => {
  const scale = { class_name: '__tensor__', config: { value: [1, 2, 3, 4], dtype: 'float64' } };
  assert.deepEqual(await run('Rescaling', { scale }), await run('Rescaling', { scale: scale.config.value }));
});

describe('what is not read', () => {
  /** @type {[string, object, RegExp][]} */
  const cases = [
    ['Softmax', { axis: 1 }, /Softmax along axis 1/],
    ['Softmax', { axis: [1, 2] }, /Softmax along axis 1,2/],
    ['Normalization', { invert: true }, /Normalization with invert/],
    ['UpSampling2D', { interpolation: 'bicubic' }, /bicubic interpolation/],
    ['Resizing', { height: 1, width: 1, crop_to_aspect_ratio: true }, /keeps the aspect ratio/],
    ['Resizing', { height: 1, width: 1, pad_to_aspect_ratio: true }, /keeps the aspect ratio/],
    ['Resizing', { height: 1, width: 1, antialias: true }, /smooths/],
    ['Conv2DTranspose', { output_padding: 1 }, /output_padding or dilation/],
    ['Conv2DTranspose', { dilation_rate: [1, 2] }, /output_padding or dilation/],
    ['BatchNormalization', { axis: 1 }, /BatchNormalization along axis 1/],
    ['BatchNormalization', { axis: [1, 2] }, /BatchNormalization along axis 1,2/],
    ['LayerNormalization', { rms_scaling: true }, /rms_scaling/],
    ['Rescaling', { scale: ['a'] }, /Rescaling whose scale is no number/],
    ['Normalization', { mean: [[1, 2], [3]], variance: 1 }, /Normalization whose mean is no number/],
  ];
  for (const [kind, config, message] of cases)
    test(`${kind} ${JSON.stringify(config)}`, () =>
      assert.rejects(run(kind, config), { code: 'GRAPH_UNSUPPORTED', message }));
});
