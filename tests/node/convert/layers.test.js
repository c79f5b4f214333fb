// Keras' layers, one at a time: a configuration -> .tflite -> outputs, against formulas written here.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { convert } from '../../../wasm/convert/node.js';
import { assertNear, noise, runSource } from './run_graph.js';

/** @typedef {{name: string, shape: number[], values: number[]}} Weight */

const [H, W, C] = [4, 6, 3];

/**
 * A layers model of one layer on images [H, W, C].
 * @param {string} kind
 * @param {object} config
 * @param {Weight[]} weights
 * @param {number[]} [shape] of the input, without the batch
 * @param {object[]} [before] layers in front of it
 * @param {string} [version] that Keras or TensorFlow.js writes, which writes no `model_config`
 */
function layerModel(kind, config, weights = [], shape = [H, W, C], before = [], version = '2.15.0') {
  const layers = [
    { class_name: 'InputLayer', config: { name: 'x', batch_input_shape: [null, ...shape] } },
    ...before,
    { class_name: kind, config: { name: 'layer', ...config } },
  ];
  const model = { class_name: 'Sequential', config: { name: 'model', layers } };
  const json = {
    format: 'layers-model',
    modelTopology: version.startsWith('tfjs')
      ? { ...model, keras_version: version }
      : { model_config: model, keras_version: version },
    weightsManifest: [
      {
        paths: ['w.bin'],
        weights: weights.map(({ name, shape: of }) => ({
          name: `layer/${name}`,
          shape: of,
          dtype: 'float32',
        })),
      },
    ],
  };
  const all = weights.flatMap(({ values }) => values);
  return {
    'model.json': () => new TextEncoder().encode(JSON.stringify(json)),
    'w.bin': () => new Uint8Array(Float32Array.from(all).buffer),
  };
}

/** @typedef {(n: number, y: number, x: number, c: number) => number} Image 0 outside */

/**
 * @param {string} kind
 * @param {object} config
 * @param {Weight[]} weights
 * @param {number[]} size of the output: height, width, channels
 * @param {(at: Image, n: number, y: number, x: number, c: number) => number} f
 * @param {string} [version]
 */
async function check(kind, config, weights, size, f, version) {
  const { x, data, shape } = await runSource(
    layerModel(kind, config, weights, undefined, undefined, version),
    true,
  );
  /** @type {Image} */
  const at = (n, y, z, c) => (y < 0 || y >= H || z < 0 || z >= W ? 0 : x.data[((n * H + y) * W + z) * C + c]);
  const [high, wide, deep] = size;
  const places = Array.from({ length: 2 * high * wide * deep }, (_, i) => [
    Math.floor(i / (high * wide * deep)),
    ...[Math.floor(i / (wide * deep)) % high, Math.floor(i / deep) % wide, i % deep],
  ]);
  const rank = shape.length;
  assert.deepEqual(shape, [2, ...size].slice(-rank).with(0, 2));
  assertNear(
    data,
    places.map(([n, y, z, c]) => f(at, n, y, z, c)),
  );
}

const same = [H, W, C];
const sum = (/** @type {number} */ count, /** @type {(i: number) => number} */ f) =>
  Array.from({ length: count }, (_, i) => f(i)).reduce((a, b) => a + b, 0);
const vector = (/** @type {string} */ name, /** @type {number[]} */ values) => ({
  name,
  shape: [values.length],
  values,
});

describe('activations', () => {
  const sigmoid = (/** @type {number} */ x) => 1 / (1 + Math.exp(-x));
  const relu6 = (/** @type {number} */ x) => Math.min(Math.max(x, 0), 6);
  const softplus = (/** @type {number} */ x) => Math.log1p(Math.exp(x));
  /** By its series, which needs few terms where it is not yet 1. @param {number} x */
  const erf = (x) => {
    if (Math.abs(x) > 3.5) return Math.sign(x);
    let term = x;
    return (
      (2 / Math.sqrt(Math.PI)) *
      sum(60, (k) => {
        if (k > 0) term *= -(x * x) / k;
        return term / (2 * k + 1);
      })
    );
  };
  const [scale, alpha] = [1.0507009873554805, 1.6732632423543772];
  /** @type {Record<string, (x: number) => number>} */
  const functions = {
    elu: (x) => (x > 0 ? x : Math.exp(x) - 1),
    exponential: Math.exp,
    gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
    hard_sigmoid: (x) => Math.min(Math.max(0.2 * x + 0.5, 0), 1),
    hard_silu: (x) => (x * relu6(x + 3)) / 6,
    leaky_relu: (x) => (x > 0 ? x : 0.2 * x),
    linear: (x) => x,
    mish: (x) => x * Math.tanh(softplus(x)),
    relu: (x) => Math.max(x, 0),
    relu6,
    selu: (x) => scale * (x > 0 ? x : alpha * (Math.exp(x) - 1)),
    sigmoid,
    silu: (x) => x * sigmoid(x),
    softplus,
    softsign: (x) => x / (Math.abs(x) + 1),
    swish: (x) => x * sigmoid(x),
    tanh: Math.tanh,
  };
  for (const [activation, f] of Object.entries(functions))
    test(activation, async () => {
      // A factor of 4 reaches the ends of what is clipped.
      const weights = [{ name: 'gamma', shape: [C], values: [4, -4, 4] }];
      const source = layerModel('LayerScale', { activation }, weights);
      const { x, data } = await runSource(source, true);
      assertNear(
        data,
        x.data.map((value, i) => f(value * [4, -4, 4][i % 3])),
      );
    });

  for (const max of [5, 5.5, 6, 7])
    test(`ReLU up to ${max}, of numbers beyond it`, async () => {
      const fivefold = { class_name: 'Rescaling', config: { name: 'fivefold', scale: 5 } };
      const { x, data } = await runSource(
        layerModel('ReLU', { max_value: max }, [], [H, W, C], [fivefold]),
        true,
      );
      assertNear(
        data,
        x.data.map((value) => Math.min(Math.max(5 * value, 0), max)),
      );
    });

  /** @type {[string, object, (x: number) => number][]} */
  const layers = [
    ['ReLU', {}, (x) => Math.max(x, 0)],
    ['ReLU', { max_value: 6 }, relu6],
    ['ReLU', { max_value: 1 }, (x) => Math.min(Math.max(x, 0), 1)],
    ['ReLU', { negative_slope: 0.5 }, (x) => (x > 0 ? x : 0.5 * x)],
    ['ReLU', { negative_slope: 0.5, max_value: 0.75 }, (x) => Math.min(x > 0 ? x : 0.5 * x, 0.75)],
    ['LeakyReLU', {}, (x) => (x > 0 ? x : 0.3 * x)],
    ['LeakyReLU', { alpha: 0.1 }, (x) => (x > 0 ? x : 0.1 * x)],
    ['LeakyReLU', { negative_slope: 0.25, alpha: 0.1 }, (x) => (x > 0 ? x : 0.25 * x)],
    ['ELU', { alpha: 1 }, (x) => (x > 0 ? x : Math.exp(x) - 1)],
    ['ELU', { alpha: 0.7 }, (x) => (x > 0 ? x : 0.7 * (Math.exp(x) - 1))],
    ['ReLU', { threshold: 0.5 }, (x) => (x > 0.5 ? x : 0)],
    ['ReLU', { threshold: 0.26, max_value: 1 }, (x) => (x > 0.26 ? Math.min(x, 1) : 0)],
    [
      'ReLU',
      { threshold: 0.5, negative_slope: 0.1, max_value: 1.5 },
      (x) => (x > 0.5 ? Math.min(x, 1.5) : 0.1 * (x - 0.5)),
    ],
    ['Rescaling', { scale: 3, offset: -1 }, (x) => 3 * x - 1],
    ['Rescaling', { scale: 0.5 }, (x) => x / 2],
    ['Dropout', { rate: 0.5 }, (x) => x],
  ];
  for (const [kind, config, f] of layers)
    test(`${kind} ${JSON.stringify(config)}`, () =>
      kind === 'Dropout'
        ? assert.rejects(check(kind, config, [], same, (at, ...place) => f(at(...place))))
        : check(kind, config, [], same, (at, ...place) => f(at(...place))));

  test('Softmax and Rescaling of each channel', async () => {
    const config = { scale: [1, 2, 4], offset: [0.5, 0, -1] };
    await check(
      'Rescaling',
      config,
      [],
      same,
      (at, n, y, x, c) => at(n, y, x, c) * [1, 2, 4][c] + [0.5, 0, -1][c],
    );
    await check('Softmax', {}, [], same, (at, n, y, x, c) => {
      const total = sum(C, (i) => Math.exp(at(n, y, x, i)));
      return Math.exp(at(n, y, x, c)) / total;
    });
  });
});

describe('windows', () => {
  const kernel = { shape: [2, 3, C, 2], values: noise(36, 3) };
  const bias = vector('bias', [0.5, -1]);
  /** @type {(at: Image, n: number, y: number, x: number, o: number, window?: number[]) => number} */
  const dot = (at, n, y, x, o, [sy, sx, py, px, dy, dx] = [1, 1, 0, 0, 1, 1]) =>
    sum(2, (ky) =>
      sum(3, (kx) =>
        sum(
          C,
          (i) =>
            at(n, y * sy + ky * dy - py, x * sx + kx * dx - px, i) *
            kernel.values[((ky * 3 + kx) * C + i) * 2 + o],
        ),
      ),
    );

  test('Conv2D: defaults', () =>
    check(
      'Conv2D',
      {},
      [{ name: 'kernel', ...kernel }, bias],
      [3, 4, 2],
      (at, n, y, x, o) => dot(at, n, y, x, o) + bias.values[o],
    ));
  test('Conv2D: same, unequal strides, no bias, relu', () =>
    check(
      'Conv2D',
      { strides: [1, 2], padding: 'same', use_bias: false, activation: 'relu' },
      [{ name: 'kernel', ...kernel }],
      [4, 3, 2],
      (at, n, y, x, o) => Math.max(dot(at, n, y, x, o, [1, 2, 0, 0, 1, 1]), 0),
    ));
  test('Conv2D: unequal dilations', () =>
    check(
      'Conv2D',
      { dilation_rate: [3, 2] },
      [{ name: 'kernel', ...kernel }, bias],
      [1, 2, 2],
      (at, n, y, x, o) => dot(at, n, y, x, o, [1, 1, 0, 0, 3, 2]) + bias.values[o],
    ));

  test('DepthwiseConv2D', () => {
    const own = { name: 'depthwise_kernel', shape: [2, 2, C, 2], values: noise(24, 4) };
    return check('DepthwiseConv2D', { use_bias: false, strides: 2 }, [own], [2, 3, 6], (at, n, y, x, o) =>
      sum(2, (ky) =>
        sum(2, (kx) => at(n, 2 * y + ky, 2 * x + kx, o >> 1) * own.values[(ky * 2 + kx) * 6 + o]),
      ),
    );
  });
  test('SeparableConv2D', () => {
    const depthwise = { name: 'depthwise_kernel', shape: [1, 2, C, 1], values: noise(6, 5) };
    const pointwise = { name: 'pointwise_kernel', shape: [1, 1, C, 2], values: noise(6, 6) };
    return check(
      'SeparableConv2D',
      {},
      [depthwise, pointwise, bias],
      [4, 5, 2],
      (at, n, y, x, o) =>
        bias.values[o] +
        sum(
          C,
          (c) =>
            pointwise.values[c * 2 + o] * sum(2, (kx) => at(n, y, x + kx, c) * depthwise.values[kx * C + c]),
        ),
    );
  });
  test('Conv2DTranspose', async () => {
    const own = { name: 'kernel', shape: [3, 2, 2, C], values: noise(36, 7) };
    for (const [padding, size, pads] of /** @type {[string, number[], number[]][]} */ ([
      ['valid', [9, 12, 2], [0, 0]],
      ['same', [8, 12, 2], [0, 0]],
    ]))
      await check(
        'Conv2DTranspose',
        { strides: [2, 2], padding },
        [own, bias],
        size,
        (at, n, y, x, o) =>
          bias.values[o] +
          sum(3, (ky) =>
            sum(2, (kx) => {
              const [fromY, fromX] = [(y + pads[0] - ky) / 2, (x + pads[1] - kx) / 2];
              if (!Number.isInteger(fromY) || !Number.isInteger(fromX)) return 0;
              return sum(C, (i) => at(n, fromY, fromX, i) * own.values[((ky * 2 + kx) * 2 + o) * C + i]);
            }),
          ),
      );
  });
  test('pooling: defaults, and strides of their own', async () => {
    /** @type {(at: Image, n: number, y: number, x: number, c: number) => number[]} */
    const four = (at, n, y, x, c) => [
      at(n, y, x, c),
      at(n, y, x + 1, c),
      at(n, y + 1, x, c),
      at(n, y + 1, x + 1, c),
    ];
    await check('MaxPooling2D', {}, [], [2, 3, C], (at, n, y, x, c) =>
      Math.max(...four(at, n, 2 * y, 2 * x, c)),
    );
    await check(
      'AveragePooling2D',
      {},
      [],
      [2, 3, C],
      (at, n, y, x, c) => four(at, n, 2 * y, 2 * x, c).reduce((a, b) => a + b) / 4,
    );
    await check('MaxPooling2D', { pool_size: [1, 3] }, [], [4, 2, C], (at, n, y, x, c) =>
      Math.max(...[0, 1, 2].map((i) => at(n, y, 3 * x + i, c))),
    );
    await check(
      'AveragePooling2D',
      { pool_size: [3, 1], strides: [1, 2] },
      [],
      [2, 3, C],
      (at, n, y, x, c) => sum(3, (i) => at(n, y + i, 2 * x, c)) / 3,
    );
  });
  test('ZeroPadding2D and Cropping2D', async () => {
    await check('ZeroPadding2D', {}, [], [6, 8, C], (at, n, y, x, c) => at(n, y - 1, x - 1, c));
    await check(
      'ZeroPadding2D',
      {
        padding: [
          [0, 2],
          [1, 0],
        ],
      },
      [],
      [6, 7, C],
      (at, n, y, x, c) => at(n, y, x - 1, c),
    );
    await check('ZeroPadding2D', { padding: [2, 1] }, [], [8, 8, C], (at, n, y, x, c) =>
      at(n, y - 2, x - 1, c),
    );
    for (const [cropping, [top, left], size] of /** @type {[any, number[], number[]][]} */ ([
      [1, [1, 1], [2, 4, C]],
      [
        [1, 2],
        [1, 2],
        [2, 2, C],
      ],
      [
        [
          [1, 0],
          [0, 3],
        ],
        [1, 0],
        [3, 3, C],
      ],
      [
        [
          [0, 3],
          [2, 0],
        ],
        [0, 2],
        [1, 4, C],
      ],
    ]))
      await check('Cropping2D', { cropping }, [], size, (at, n, y, x, c) => at(n, y + top, x + left, c));
  });
});

describe('norms', () => {
  /** A number of `values`, normalized by their mean and variance. @param {number[]} values @param {number} value */
  const normal = (values, value) => {
    const middle = sum(values.length, (i) => values[i]) / values.length;
    const spread = sum(values.length, (i) => (values[i] - middle) ** 2) / values.length;
    return (value - middle) / Math.sqrt(spread + 1e-3);
  };
  const [gamma, beta] = [vector('gamma', [1, 2, -0.5]), vector('beta', [0.25, 0, 3])];
  const [mean, variance] = [vector('moving_mean', [0.1, -0.3, 1]), vector('moving_variance', [1, 4, 0.25])];
  test('BatchNormalization, with and without scale and centre', async () => {
    for (const [config, weights] of /** @type {[any, Weight[]][]} */ ([
      [{}, [gamma, beta, mean, variance]],
      [{ scale: false, epsilon: 0.1 }, [beta, mean, variance]],
      [{ center: false, momentum: 0.9 }, [gamma, mean, variance]],
    ]))
      await check('BatchNormalization', config, weights, same, (at, n, y, x, c) => {
        const normal =
          (at(n, y, x, c) - mean.values[c]) / Math.sqrt(variance.values[c] + (config.epsilon ?? 1e-3));
        return (
          normal * (config.scale === false ? 1 : gamma.values[c]) +
          (config.center === false ? 0 : beta.values[c])
        );
      });
  });
  test('LayerNormalization', async () => {
    for (const [config, weights] of /** @type {[any, Weight[]][]} */ ([
      [{}, [gamma, beta]],
      [{ scale: false, epsilon: 0.5 }, [beta]],
      [{ center: false }, [gamma]],
    ]))
      await check('LayerNormalization', config, weights, same, (at, n, y, x, c) => {
        const middle = sum(C, (i) => at(n, y, x, i)) / C;
        const spread = sum(C, (i) => (at(n, y, x, i) - middle) ** 2) / C;
        const normal = (at(n, y, x, c) - middle) / Math.sqrt(spread + (config.epsilon ?? 1e-3));
        return (
          normal * (config.scale === false ? 1 : gamma.values[c]) +
          (config.center === false ? 0 : beta.values[c])
        );
      });
  });
  test('LayerNormalization over other axes, whose weights have one number for each place', async () => {
    const wide = { name: 'gamma', shape: [H, W], values: noise(H * W, 3) };
    const high = { name: 'beta', shape: [H, W], values: noise(H * W, 5) };
    for (const axis of [
      [1, 2],
      [-3, 2],
    ])
      await check('LayerNormalization', { axis }, [wide, high], same, (at, n, y, x, c) => {
        const plane = Array.from({ length: H * W }, (_, i) => at(n, Math.floor(i / W), i % W, c));
        return normal(plane, at(n, y, x, c)) * wide.values[y * W + x] + high.values[y * W + x];
      });
    const turned = { name: 'gamma', shape: [C, H], values: noise(C * H, 7) };
    const config = { axis: [3, 1], center: false };
    await check('LayerNormalization', config, [turned], same, (at, n, y, x, c) => {
      const plane = Array.from({ length: H * C }, (_, i) => at(n, Math.floor(i / C), x, i % C));
      return normal(plane, at(n, y, x, c)) * turned.values[c * H + y];
    });
  });
  test('LayerNormalization and GroupNormalization of rows whose number a Reshape computes', async () => {
    const rows = { class_name: 'Reshape', config: { name: 'rows', target_shape: [-1, C] } };
    for (const [kind, config] of /** @type {[string, object][]} */ ([
      ['LayerNormalization', { axis: [2] }],
      ['GroupNormalization', { groups: 1 }],
    ])) {
      const source = layerModel(kind, config, [gamma, beta]);
      const json = JSON.parse(new TextDecoder().decode(source['model.json']()));
      json.modelTopology.model_config.config.layers.splice(1, 0, rows);
      source['model.json'] = () => new TextEncoder().encode(JSON.stringify(json));
      const { x, data, shape } = await runSource(source, true);
      assert.deepEqual(shape, [2, H * W, C]);
      const size = kind === 'LayerNormalization' ? C : H * W * C;
      const expected = x.data.map((value, i) => {
        const first = i - (i % size);
        return normal(x.data.slice(first, first + size), value) * gamma.values[i % C] + beta.values[i % C];
      });
      assertNear(data, expected);
    }
  });
  test('GroupNormalization: all channels in one group, and each in its own', async () => {
    for (const groups of [1, 3, -1])
      await check('GroupNormalization', { groups }, [gamma, beta], same, (at, n, y, x, c) => {
        const channels = groups === 1 ? [0, 1, 2] : [c];
        const group = channels.flatMap((k) =>
          Array.from({ length: H * W }, (_, i) => at(n, Math.floor(i / W), i % W, k)),
        );
        return normal(group, at(n, y, x, c)) * gamma.values[c] + beta.values[c];
      });
    const bad = layerModel('GroupNormalization', { groups: 2 }, [gamma, beta]);
    await assert.rejects(runSource(bad, true), {
      code: 'GRAPH_UNSUPPORTED',
      message: /3 channels in 2 groups/,
    });
  });
  test('UnitNormalization', () =>
    check(
      'UnitNormalization',
      {},
      [],
      same,
      (at, n, y, x, c) => at(n, y, x, c) / Math.hypot(...[0, 1, 2].map((i) => at(n, y, x, i))),
    ));
  test('Normalization, of the configuration', async () => {
    await check(
      'Normalization',
      { mean: [1, 2, 3], variance: [4, 1, 0.25] },
      [],
      same,
      (at, n, y, x, c) => (at(n, y, x, c) - [1, 2, 3][c]) / [2, 1, 0.5][c],
    );
    await check(
      'Normalization',
      { mean: 1, variance: 0.25 },
      [],
      same,
      (at, n, y, x, c) => (at(n, y, x, c) - 1) * 2,
    );
  });
});

describe('shapes', () => {
  test('UpSampling2D and Resizing', async () => {
    await check('UpSampling2D', {}, [], [8, 12, C], (at, n, y, x, c) => at(n, y >> 1, x >> 1, c));
    await check('UpSampling2D', { size: [1, 3] }, [], [4, 18, C], (at, n, y, x, c) =>
      at(n, y, Math.floor(x / 3), c),
    );
    await check(
      'Resizing',
      { height: 2, width: 12, interpolation: 'nearest' },
      [],
      [2, 12, C],
      (at, n, y, x, c) => at(n, 2 * y + 1, x >> 1, c),
    );
    // To half the size, half-pixel centres lie between four pixels.
    await check(
      'Resizing',
      { height: 2, width: 3 },
      [],
      [2, 3, C],
      (at, n, y, x, c) => sum(2, (i) => sum(2, (j) => at(n, 2 * y + i, 2 * x + j, c))) / 4,
    );
  });
  test("TensorFlow.js' own layers align corners, or the upper left edges of pixels", async () => {
    /** @type {(at: Image, of: number[], from: number[]) => number} between the four pixels around a place */
    const between = (at, [n, c], [y, x]) => {
      const [top, left] = [Math.floor(y), Math.floor(x)];
      const row = (/** @type {number} */ r) =>
        (1 - (x - left)) * at(n, r, left, c) + (x - left) * at(n, r, Math.min(left + 1, W - 1), c);
      return (1 - (y - top)) * row(top) + (y - top) * row(Math.min(top + 1, H - 1));
    };
    /** @type {[string, object, number[], (y: number, x: number) => number[]][]} where an output pixel is from */
    const cases = [
      ['UpSampling2D', { interpolation: 'bilinear' }, [8, 12], (y, x) => [y / 2, x / 2]],
      ['UpSampling2D', {}, [8, 12], (y, x) => [y >> 1, x >> 1]],
      ['Resizing', { height: 7, width: 11 }, [7, 11], (y, x) => [y / 2, x / 2]],
      ['Resizing', { height: 2, width: 3, crop_to_aspect_ratio: true }, [2, 3], (y, x) => [2 * y, 2 * x]],
      [
        'Resizing',
        { height: 2, width: 3, crop_to_aspect_ratio: false, interpolation: 'nearest' },
        [2, 3],
        (y, x) => [3 * y, Math.round(2.5 * x)],
      ],
    ];
    for (const [kind, config, [high, wide], from] of cases)
      await check(
        kind,
        config,
        [],
        [high, wide, C],
        (at, n, y, x, c) => between(at, [n, c], from(y, x)),
        'tfjs-layers 4.22.0',
      );
  });
  test('Permute, Reshape and Flatten', async () => {
    await check('Permute', { dims: [3, 1, 2] }, [], [C, H, W], (at, n, y, x, c) => at(n, x, c, y));
    await check('Reshape', { target_shape: [W, H, C] }, [], [W, H, C], (at, n, y, x, c) => {
      const i = y * H + x;
      return at(n, Math.floor(i / W), i % W, c);
    });
    await check('Flatten', {}, [], [1, 1, H * W * C], (at, n, y, x, c) =>
      at(n, Math.floor(c / (W * C)), Math.floor(c / C) % W, c % C),
    );
  });
  test('global pooling, with and without the axes', async () => {
    for (const keepdims of [false, true]) {
      await check(
        'GlobalAveragePooling2D',
        { keepdims },
        [],
        [1, 1, C],
        (at, n, _, __, c) => sum(H * W, (i) => at(n, Math.floor(i / W), i % W, c)) / (H * W),
      );
      await check('GlobalMaxPooling2D', { keepdims }, [], [1, 1, C], (at, n, _, __, c) =>
        Math.max(...Array.from({ length: H * W }, (_, i) => at(n, Math.floor(i / W), i % W, c))),
      );
    }
  });
  test('global pooling of rows', async () => {
    for (const [kind, f] of /** @type {[string, (values: number[]) => number][]} */ ([
      ['GlobalAveragePooling1D', (values) => sum(W, (i) => values[i]) / W],
      ['GlobalMaxPooling1D', (values) => Math.max(...values)],
    ])) {
      const { x, data } = await runSource(layerModel(kind, {}, [], [W, C]), true);
      const columns = Array.from({ length: 2 * C }, (_, i) =>
        Array.from({ length: W }, (__, k) => x.data[(Math.floor(i / C) * W + k) * C + (i % C)]),
      );
      assertNear(data, columns.map(f));
    }
  });
  test('Dense on planes', () => {
    const kernel = { name: 'kernel', shape: [C, 2], values: noise(6, 8) };
    return check(
      'Dense',
      {},
      [kernel, vector('bias', [1, -2])],
      [H, W, 2],
      (at, n, y, x, o) => [1, -2][o] + sum(C, (i) => at(n, y, x, i) * kernel.values[i * 2 + o]),
    );
  });
});

describe('what would compute something else is refused', () => {
  /** @type {[string, object, RegExp][]} */
  const cases = [
    ['Softmax', { axis: 1 }, /axis 1/],
    ['Softmax', { axis: [1, 2] }, /axis 1,2/],
    ['Resizing', { height: 2, width: 2, crop_to_aspect_ratio: true }, /aspect ratio/],
    ['Resizing', { height: 2, width: 2, interpolation: 'bicubic' }, /bicubic/],
    ['Normalization', { invert: true, mean: 1, variance: 1 }, /invert/],
    ['Activation', { activation: 'glu' }, /glu/],
  ];
  for (const [kind, config, message] of cases)
    test(`${kind} ${JSON.stringify(config)}`, () =>
      assert.rejects(convert(layerModel(kind, config), { verify: false }), {
        code: 'GRAPH_UNSUPPORTED',
        message,
      }));
  test('Conv2DTranspose with a dilation, or with an output padding', async () => {
    const kernel = { name: 'kernel', shape: [3, 2, 2, C], values: noise(36, 7) };
    for (const config of [{ dilation_rate: [1, 2] }, { output_padding: 1 }])
      await assert.rejects(
        convert(layerModel('Conv2DTranspose', { ...config, use_bias: false }, [kernel]), { verify: false }),
        { code: 'GRAPH_UNSUPPORTED', message: /output_padding or dilation/ },
      );
  });
});

test('a topology may be the model itself', async () => {
  const source = layerModel('ReLU', {});
  const json = JSON.parse(new TextDecoder().decode(source['model.json']()));
  json.modelTopology = json.modelTopology.model_config;
  const { x, data } = await runSource(
    { ...source, 'model.json': () => new TextEncoder().encode(JSON.stringify(json)) },
    true,
  );
  assertNear(
    data,
    x.data.map((value) => Math.max(value, 0)),
  );
});
