// How pixels become the input of a network: by the option, by the graph, by a source whose rule is documented.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  describe as describeKnown,
  normalizationOption,
  readNormalization,
  unscaledRange,
} from '../../../wasm/convert/normalization.js';
import { convert } from '../../../wasm/convert/node.js';
import { make } from '../../../wasm/convert/graph/graph.js';
import { base64, graphModel } from './graph_model.js';
import { assertNear, FLOAT } from './run_graph.js';

const value = (/** @type {string} */ name) => ({ name, shape: [1, 8, 8, 3] });
const x = value('x');
/** An operator by a constant. @param {string} kind @param {any} input @param {any} output @param {number[]} numbers @param {object} [more] */
const by = (kind, input, output, numbers, more = {}) => ({
  ...{
    kind,
    output,
    options: {},
    inputs: [
      input,
      { ...value('c'), tensor: { dtype: 'float32', shape: [], data: Float64Array.from(numbers) } },
    ],
  },
  ...more,
});
/**
 * @param {any[]} ops
 * @param {{files?: Record<string, string>, name?: string, type?: number}} [how]
 */
function read(ops, { files = {}, name = 'x', type = 1 } = {}) {
  const ref = make('x', 'Placeholder', [], { dtype: { type } });
  const model = /** @type {any} */ ({
    inputs: [{ name, ref }],
    files: {
      has: (/** @type {string} */ path) => path in files,
      read: async (/** @type {string} */ path) => new TextEncoder().encode(files[path]),
    },
  });
  return readNormalization(
    model,
    /** @type {any} */ ({ ops, inputs: [x], outputs: [] }),
    ({ name: of }) => of,
  );
}
const conv = (/** @type {any} */ input, /** @type {string} */ name, kind = 'CONV_2D', more = {}) => ({
  ...{
    kind,
    inputs: [input],
    output: value(name),
    options: { strideH: 2 },
    weights: { kernel: { shape: [3, 3, 3, 8] } },
  },
  ...more,
});

describe('sources whose rule is documented', () => {
  test("Teachable Machine's models", async () => {
    const files = (/** @type {string} */ text) => ({ files: { 'metadata.json': text } });
    const image = files('{"packageName": "@teachablemachine/image"}');
    assert.deepEqual(await read([], image), {
      mean: [127],
      std: [127],
      from: "Teachable Machine's metadata.json",
      fit: 'crop',
    });
    for (const text of ['{"packageName": "@teachablemachine/pose"}', '{', 'null', '[]'])
      assert.equal(await read([], files(text)), undefined);
  });
  test('images of bytes', async () =>
    assert.deepEqual(await read([], { type: 4 }), { mean: [0], std: [1], from: "the input's type, uint8" }));
  test("TensorFlow's hub", async () => {
    const hub = { files: { 'tfhub_module.pb': '' } };
    assert.deepEqual(await read([], { ...hub, name: 'images' }), {
      mean: [0],
      std: [255],
      from: "the common signatures of TensorFlow's hub",
    });
    assert.equal(await read([], { ...hub, name: 'x' }), undefined);
    assert.equal(await read([], { name: 'images' }), undefined);
  });
});

describe('the rescaling in a graph', () => {
  const [a, b, c] = ['a', 'b', 'c'].map(value);
  const end = (/** @type {any} */ input) => ({
    kind: 'CONV_2D',
    inputs: [input],
    output: value('end'),
    options: {},
    weights: { kernel: { shape: [1, 1, 3, 8] } },
  });
  const fromGraph = { mean: [0], std: [1], from: 'the rescaling in the graph' };
  test('one factor, also behind what changes no range', async () => {
    assert.deepEqual(await read([by('MUL', x, a, [1 / 255]), end(a)]), fromGraph);
    for (const kind of ['PAD', 'RESHAPE', 'RESIZE_BILINEAR', 'RESIZE_NEAREST_NEIGHBOR'])
      assert.deepEqual(
        await read([{ kind, inputs: [x], output: a, options: {} }, by('MUL', a, b, [0.01]), end(b)]),
        fromGraph,
      );
  });
  test('a factor and a sum, of each channel', async () => {
    assert.deepEqual((await read([by('MUL', x, a, [2]), by('ADD', a, b, [-1]), end(b)]))?.std, [255]);
    assert.deepEqual((await read([by('ADD', x, a, [-0.5]), by('MUL', a, b, [2]), end(b)]))?.std, [255]);
    assert.deepEqual(
      (await read([by('MUL', x, a, [2, 3, 4]), by('ADD', a, b, [-1, -2, -3]), end(b)]))?.std,
      [255],
    );
    assert.equal(await read([by('MUL', x, a, [2, 3, 4]), by('ADD', a, b, [-1, -2, 0]), end(b)]), undefined);
    assert.deepEqual(await read([by('ADD', x, a, [-103.9, -116.8, -123.7]), end(a)]), fromGraph);
    assert.deepEqual(
      (await read([by('MUL', x, a, [0.5]), by('MUL', a, b, [0.5]), by('MUL', b, c, [0.1]), end(c)]))?.std,
      [1],
    );
  });
  test('is none, if something else is there', async () => {
    for (const ops of [
      [end(x)],
      [by('MUL', x, a, [1 / 255], { options: { activation: 'RELU' } }), end(a)],
      [by('MUL', x, a, [1 / 255], { batchNorm: {} }), end(a)],
      [by('MUL', x, a, [0.01, 0.01, 0.01, 0.01, 0.01]), end(a)],
      [by('SUB', x, a, [0.01]), end(a)],
      [by('MUL', x, a, [0.01]), by('MUL', x, b, [0.02]), end(a)],
      [{ kind: 'MUL', inputs: [x, x], output: a, options: {} }, end(a)],
    ])
      assert.equal(await read(ops), undefined);
  });
  test('ranges of scales and offsets', () => {
    const bytes = { mean: [0], std: [1] };
    const ones = { mean: [0], std: [255] };
    /** @type {[number[], number[], object | undefined][]} */
    const cases = [
      [[], [], undefined],
      [[0.05], [0], bytes],
      [[0.0501], [0], undefined],
      [[-0.01], [3], bytes],
      [[0], [0], undefined],
      [[0.01, 0], [0, 0], undefined],
      [[1.5], [-0.5], ones],
      [[1.49], [-0.5], undefined],
      [[8], [-8], ones],
      [[8], [-8.1], undefined],
      [[8.1], [-1], undefined],
      [[2], [-0.49], undefined],
      [[2], [1], undefined],
      [[1], [-50], bytes],
      [[1], [-49], undefined],
      [[1], [-200], bytes],
      [[1], [-201], undefined],
      [[1, 1.1], [-100, -100], undefined],
    ];
    for (const [scale, offset, expected] of cases)
      assert.deepEqual(unscaledRange(scale, offset), expected, `${scale} ${offset}`);
  });
});

describe("TensorFlow's published networks", () => {
  /** MobileNetV1 of Keras, by its layers. @param {{layers?: number, last?: string, classes?: number, stride?: number, kernel?: number[]}} [how] */
  const mobileNet = ({
    layers = 13,
    last = 'conv_preds',
    classes = 1000,
    stride = 2,
    kernel = [3, 3, 3, 8],
  } = {}) => {
    const ops = [
      conv(x, 'conv1', 'CONV_2D', { options: { strideH: stride }, weights: { kernel: { shape: kernel } } }),
    ];
    const add = (/** @type {string} */ name, kind = 'CONV_2D') =>
      ops.push(conv(/** @type {any} */ (ops.at(-1)).output, name, kind));
    for (let i = 1; i <= layers; i++) {
      add(`conv_dw_${i}`, 'DEPTHWISE_CONV_2D');
      add(`conv_pw_${i}`);
    }
    if (last) add(last);
    /** @type {any} */ (ops.at(-1)).output.shape = [1, 1, 1, classes];
    return ops;
  };
  const known = { mean: [127.5], std: [127.5], from: "TensorFlow's MobileNetV1 (Keras)" };
  test('are known by their layers and classes', async () => {
    assert.deepEqual(await read(mobileNet()), known);
    assert.deepEqual(await read(mobileNet({ classes: 1001 })), known);
    assert.deepEqual(await read(mobileNet({ last: '' })), known);
  });
  for (const [name, how] of /** @type {[string, Parameters<typeof mobileNet>[0]][]} */ ([
    ['fewer layers', { layers: 12 }],
    ['a layer of another name', { last: 'mine' }],
    ['other classes', { classes: 10 }],
    ['another stride', { stride: 1 }],
    ['grey images', { kernel: [3, 3, 1, 8] }],
    ['another window', { kernel: [5, 5, 3, 8] }],
  ]))
    test(`are not those with ${name}`, async () => assert.equal(await read(mobileNet(how)), undefined));

  const slim = (/** @type {string} */ name) => `${name}/${name}/Conv`;
  /** @type {[name: string, first: string, blocks: number, block: (i: number) => string, last: string][]} */
  const published = [
    ['MobileNetV1 (Keras)', 'conv1', 13, (i) => `conv_dw_${i}`, 'conv_preds'],
    ['MobileNetV2 (Keras)', 'Conv1', 17, (i) => `block_${i}_depthwise`, 'predictions'],
    ['MobileNetV1 (Slim)', slim('MobilenetV1'), 13, (i) => `MobilenetV1/b${i}`, 'MobilenetV1/Logits/Conv'],
    ['MobileNetV2 (Slim)', slim('MobilenetV2'), 17, (i) => `MobilenetV2/b${i}`, 'MobilenetV2/Logits/Conv'],
  ];
  for (const [name, first, blocks, block, last] of published)
    test(`${name} has ${blocks} depthwise layers, and ImageNet's classes if any`, async () => {
      const from = async (/** @type {number} */ count, /** @type {number} */ classes) => {
        const stem = conv(x, first, 'CONV_2D', {
          options: { strideH: 2 },
          weights: { kernel: { shape: [3, 3, 3, 8] } },
        });
        const ops = [stem];
        for (let i = 1; i <= count; i++)
          ops.push(conv(/** @type {any} */ (ops.at(-1)).output, block(i), 'DEPTHWISE_CONV_2D'));
        ops.push(conv(/** @type {any} */ (ops.at(-1)).output, last, 'CONV_2D'));
        /** @type {any} */ (ops.at(-1)).output.shape = [1, 1, 1, classes];
        return (await read(ops))?.from;
      };
      assert.equal(await from(blocks, 1000), `TensorFlow's ${name}`);
      assert.equal(await from(blocks - 1, 1000), undefined);
      assert.equal(await from(blocks + 1, 1000), undefined);
      assert.equal(await from(blocks, 999), undefined);
    });
});

test('what the option says, in words', () => {
  const words = (/** @type {any} */ option) => describeKnown(normalizationOption(option));
  assert.equal(words('[0,255]'), 'input: pixel, from the option input');
  assert.equal(words({ scale: 0.25, offset: 0 }), 'input: pixel / 4, from the option input');
  assert.equal(
    words({ scale: 1, offset: [-1, -2, -3] }),
    'input: (pixel - [1, 2, 3]), from the option input',
  );
  assert.equal(
    words({ scale: [0.5, 0.25, 1], offset: 1 }),
    'input: (pixel - [-2, -4, -1]) / [2, 4, 1], from the option input',
  );
  const { mean, std } = normalizationOption({ scale: [2, 4, 8], offset: [2, 4, 16] });
  assertNear(mean, [-1, -1, -2]);
  assertNear(std, [0.5, 0.25, 0.125]);
});

describe('the option of a conversion', () => {
  const window = { strides: { list: { i: ['1', '1', '1', '1'] } }, padding: { s: base64('SAME') } };
  const network = (/** @type {number} */ channels) =>
    graphModel(
      [-1, 4, 4, channels],
      [{ name: 'y', op: 'Conv2D', input: ['x', 'k'], attr: { ...FLOAT, ...window } }],
      { k: { shape: [1, 1, channels, 2], values: new Array(2 * channels).fill(1) } },
      ['y'],
    );
  test('is for images', async () => {
    await assert.rejects(convert(network(2), { input: '[0,1]' }), {
      code: 'INVALID_OPTION',
      message: /does not take one image \[N, H, W, 3\]/,
    });
    const vectors = graphModel([-1, 4], [{ name: 'y', op: 'Neg', input: ['x'], attr: FLOAT }], {}, ['y']);
    await assert.rejects(convert(vectors, { input: '[0,1]' }), { code: 'INVALID_OPTION' });
    assert.deepEqual((await convert(vectors)).notes, []);
  });
  test('has one number for grey images', async () => {
    await assert.rejects(convert(network(1), { input: 'imagenet' }), {
      code: 'INVALID_OPTION',
      message: /grey images, so it has one scale/,
    });
    assert.match(
      (await convert(network(1), { input: '[0,1]' })).notes.join(),
      /^input: pixel \/ 255, from the option input$/,
    );
  });
});
