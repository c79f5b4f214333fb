// Operators that are recognized together: graphs of a few nodes -> network -> proof, by the evaluator that
// tensorflow.test.js compares with TensorFlow.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FREE_BATCH } from '../../../wasm/convert/graph/batch.js';
import { Facts } from '../../../wasm/convert/graph/facts.js';
import { constant, make } from '../../../wasm/convert/graph/graph.js';
import { fuse } from '../../../wasm/convert/lower/fuse.js';
import { lower } from '../../../wasm/convert/lower/lower.js';
import { prove } from '../../../wasm/convert/prove/prove.js';
import '../../../wasm/platform/node.js';
import { checkNetworkShapes, noise } from './run_graph.js';

/** @typedef {import('../../../wasm/convert/graph/graph.js').Ref} Ref */

const text = (/** @type {string} */ value) => ({ s: new TextEncoder().encode(value) });
const list = (/** @type {number[]} */ i) => ({ list: { i } });
let count = 0;
const ints = (/** @type {number[]} */ values, shape = [values.length]) =>
  constant(`c${count++}`, { dtype: 'int32', shape, data: Int32Array.from(values) });
const floats = (
  /** @type {number[]} */ shape,
  values = noise(
    shape.reduce((a, b) => a * b, 1),
    count,
  ),
) => constant(`c${count++}`, { dtype: 'float32', shape, data: Float32Array.from(values) });

/**
 * Lowers, fuses and proves.
 * @param {number[]} shape of the input; FREE_BATCH first: the batch is free
 * @param {(x: Ref) => Ref} build
 */
async function proven(shape, build) {
  const x = make('x', 'Placeholder', []);
  const y = build(x);
  const facts = new Facts([y], new Map([[x.node, shape]]));
  const { network, trace } = lower([{ name: 'x', ref: x }], [{ name: 'y', ref: y }], facts);
  fuse(network);
  const range = /** @type {[number, number]} */ ([-2, 2]);
  await prove(network, { inputs: [x], outputs: [{ ref: y }], trace, range }, { onProgress: () => {} });
  await checkNetworkShapes(network, shape[0] === FREE_BATCH);
  return network.ops;
}

/** @param {number[]} shape @param {(x: Ref) => Ref} build */
const kindsOf = async (shape, build) => (await proven(shape, build)).map(({ kind }) => kind);

describe('dilated convolutions of TensorFlow 1', () => {
  /**
   * @param {object} how
   * @param {number[]} [how.block]
   * @param {number[]} how.pads
   * @param {number[]} [how.crops]
   * @param {number[]} [how.kernel]
   * @param {string} [how.op]
   * @param {object} [how.attrs]
   */
  const dilated =
    ({ block = [2, 3], pads, crops = [0, 0, 0, 0], kernel = [3, 2, 3, 2], op = 'Conv2D', attrs = {} }) =>
    (/** @type {Ref} */ x) => {
      const blocks = make('blocks', 'SpaceToBatchND', [x, ints(block), ints(pads, [block.length, 2])]);
      const all = { strides: list([1, 1, 1, 1]), padding: text('VALID'), ...attrs };
      const conv = make('conv', op, [blocks, floats(kernel)], all);
      return make('y', 'BatchToSpaceND', [conv, ints(block), ints(crops, [block.length, 2])]);
    };
  // A window of 3 x 2 taps, 2 and 3 apart, reaches over 5 x 4 pixels: SAME pads by 2 and 2, 1 and 2.
  for (const op of ['Conv2D', 'DepthwiseConv2dNative'])
    for (const [
      name,
      padding,
      shape,
      pads,
      crops,
    ] of /** @type {[string, string, number[], number[], number[]][]} */ ([
      ['no padding', 'VALID', [1, 8, 9, 3], [0, 0, 0, 0], [0, 0, 0, 0]],
      ['no padding but for the blocks', 'VALID', [1, 9, 8, 3], [0, 1, 0, 1], [0, 1, 0, 1]],
      ['as SAME pads', 'SAME', [1, 6, 9, 3], [2, 2, 1, 2], [0, 0, 0, 0]],
      ['as SAME pads, and the blocks', 'SAME', [1, 7, 8, 3], [2, 3, 1, 3], [0, 1, 0, 1]],
    ]))
      test(`${op}, ${name}`, async () => {
        const [conv, ...others] = await proven(shape, dilated({ pads, crops, op }));
        assert.deepEqual([conv.kind, others], [op === 'Conv2D' ? 'CONV_2D' : 'DEPTHWISE_CONV_2D', []]);
        const { padding: found, dilationH, dilationW, strideH, strideW } = conv.options;
        assert.deepEqual([found, dilationH, dilationW, strideH, strideW], [padding, 2, 3, 1, 1]);
      });
  const pads = [0, 0, 0, 0];
  for (const [name, how] of /** @type {[string, Parameters<typeof dilated>[0]][]} */ ([
    ['a stride', { pads, attrs: { strides: list([1, 2, 2, 1]) } }],
    ['a convolution that pads itself', { pads, attrs: { padding: text('SAME') } }],
    ['other pads', { pads: [2, 0, 0, 0], crops: pads }],
    ['one axis only', { block: [2], pads: [0, 0], crops: [0, 0] }],
  ]))
    test(`${name} is refused`, () =>
      assert.rejects(proven([1, 8, 9, 3], dilated({ ...how })), {
        code: 'GRAPH_UNSUPPORTED',
        message: /expected a dilated convolution with stride 1/,
      }));
  test('an operator in between, and the parts alone', async () => {
    const blocks = (/** @type {Ref} */ x) =>
      make('blocks', 'SpaceToBatchND', [x, ints([2, 3]), ints(pads, [2, 2])]);
    const back = (/** @type {Ref} */ x) => make('y', 'BatchToSpaceND', [x, ints([2, 3]), ints(pads, [2, 2])]);
    await assert.rejects(
      proven([1, 8, 9, 3], (x) => back(make('neg', 'Neg', [blocks(x)]))),
      {
        code: 'GRAPH_UNSUPPORTED',
        message: /BatchToSpaceND at 'y': it does not follow a convolution/,
      },
    );
    await assert.rejects(proven([6, 8, 9, 3], back), {
      code: 'GRAPH_UNSUPPORTED',
      message: /BatchToSpaceND at 'y'/,
    });
  });
});

describe('batch norm by its own moments', () => {
  const first = { data_format: text('NCHW'), is_training: { b: true }, epsilon: { f: 0.01 } };
  /** @param {Ref} gamma @param {Ref} beta @param {object} [attrs] */
  const norm =
    (gamma, beta, attrs = first) =>
    (/** @type {Ref} */ x) =>
      make('y', 'FusedBatchNormV3', [x, gamma, beta, floats([0]), floats([0])], attrs);
  const fill = (/** @type {number} */ value) => make('fill', 'Fill', [ints([3]), floats([], [value])]);
  test('scaled and shifted, channel by channel', async () => {
    const kinds = await kindsOf([2, 3, 4, 5], norm(floats([3]), floats([3])));
    assert.deepEqual(kinds, ['MEAN', 'SUB', 'MUL', 'MEAN', 'ADD', 'RSQRT', 'MUL', 'MUL', 'ADD']);
  });
  test('neither scaled nor shifted: one operator less for each', async () => {
    const plain = ['MEAN', 'SUB', 'MUL', 'MEAN', 'ADD', 'RSQRT', 'MUL'];
    assert.deepEqual(await kindsOf([2, 3, 4, 5], norm(fill(1), fill(0))), plain);
    assert.deepEqual(await kindsOf([2, 3, 4, 5], norm(floats([3], [1, 1, 1]), fill(2))), [...plain, 'ADD']);
    assert.deepEqual(await kindsOf([2, 3, 4, 5], norm(fill(3), floats([3], [0, 0, 0]))), [...plain, 'MUL']);
  });
  test('is what TensorFlow does if nothing says otherwise, with an epsilon of 1e-4', async () => {
    const ops = await proven([2, 3, 4, 5], norm(floats([3]), floats([3]), { data_format: text('NCHW') }));
    const sum = ops.find(({ output }) => output.name === 'y/variance');
    assert.deepEqual([...(sum?.inputs[1].tensor?.data ?? [])], [1e-4]);
    assert.equal(ops.length, 9);
  });
  test('of channels that come last is refused: it mixes the images', () =>
    assert.rejects(proven([2, 4, 5, 3], norm(floats([3]), floats([3]), { is_training: { b: true } })), {
      code: 'GRAPH_UNSUPPORTED',
      message: /all images of a batch/,
    }));
});

describe('batch norm by constants is kept with the convolution that it becomes part of', () => {
  const conv = (/** @type {Ref} */ x) =>
    make('conv', 'Conv2D', [x, floats([1, 1, 3, 2])], { strides: list([1, 1, 1, 1]), padding: text('SAME') });
  const numbers = { gamma: [2, -1], beta: [0.5, 3], mean: [1, -2], variance: [4, 0.25] };
  const vector = (/** @type {keyof typeof numbers} */ key) => floats([2], numbers[key]);
  /** @param {Awaited<ReturnType<typeof proven>>} ops @param {number} epsilon @param {number[]} [gamma] */
  const check = (ops, epsilon, gamma = numbers.gamma) => {
    assert.deepEqual(
      ops.map(({ kind }) => kind),
      ['CONV_2D'],
    );
    const norm = ops[0].weights?.batchNorm;
    assert.ok(norm);
    const found = [norm.gamma, norm.beta, norm.mean, norm.variance].map((values) => [...values]);
    assert.deepEqual(found, [gamma, numbers.beta, numbers.mean, numbers.variance]);
    assert.equal(norm.epsilon, Math.fround(epsilon));
  };
  test('FusedBatchNorm', async () => {
    const build = (/** @type {Ref} */ x) =>
      make(
        'y',
        'FusedBatchNormV3',
        [conv(x), vector('gamma'), vector('beta'), vector('mean'), vector('variance')],
        {
          ...{ is_training: { b: false }, epsilon: { f: Math.fround(0.01) } },
        },
      );
    check(await proven([1, 2, 2, 3], build), 0.01);
  });
  for (const isTurned of [false, true])
    for (const hasGamma of [true, false])
      test(`as Keras 3 writes it, ${isTurned ? 'turned' : 'in order'}, gamma: ${hasGamma}`, async () => {
        const turn = (/** @type {Ref[]} */ ...refs) => (isTurned ? refs.toReversed() : refs);
        const build = (/** @type {Ref} */ x) => {
          const sum = make('sum', 'AddV2', [vector('variance'), floats([], [0.01])]);
          const root = make('root', 'Rsqrt', [sum]);
          const factor = hasGamma ? make('factor', 'Mul', turn(root, vector('gamma'))) : root;
          const shift = make('shift', 'Mul', turn(vector('mean'), factor));
          return make('y', 'AddV2', [
            make('scaled', 'Mul', turn(conv(x), factor)),
            make('offset', 'Sub', [vector('beta'), shift]),
          ]);
        };
        check(await proven([1, 2, 2, 3], build), 0.01, hasGamma ? undefined : [1, 1]);
      });
  for (const [name, sum, root] of [
    ['another sum', 'Sub', 'Rsqrt'],
    ['another root', 'AddV2', 'Sqrt'],
  ])
    test(`${name} is folded, but no batch norm`, async () => {
      const build = (/** @type {Ref} */ x) => {
        const factor = make('factor', 'Mul', [
          make('root', root, [make('sum', sum, [vector('variance'), floats([], [0.01])])]),
          vector('gamma'),
        ]);
        return make('y', 'AddV2', [
          make('scaled', 'Mul', [conv(x), factor]),
          make('offset', 'Sub', [vector('beta'), make('shift', 'Mul', [vector('mean'), factor])]),
        ]);
      };
      const ops = await proven([1, 2, 2, 3], build);
      assert.deepEqual(
        ops.map(({ kind, weights }) => [kind, weights?.batchNorm]),
        [['CONV_2D', undefined]],
      );
    });
});

describe('rows and columns that are repeated', () => {
  /** @param {number[]} axes @param {number[]} size @param {(x: Ref) => Ref} [other] */
  const upsampled =
    (axes, size, other = (x) => x) =>
    (/** @type {Ref} */ x) => {
      const columns = make('columns', 'Pack', [x, other(x)], { axis: { i: axes[0] } });
      const rows = make('rows', 'Pack', [columns, columns, columns], { axis: { i: axes[1] } });
      return make('y', 'Reshape', [rows, ints(size)]);
    };
  test('become one operator', async () => {
    assert.deepEqual(await kindsOf([1, 2, 3, 4], upsampled([3, 2], [1, 6, 6, 4])), [
      'RESIZE_NEAREST_NEIGHBOR',
    ]);
    assert.deepEqual(await kindsOf([FREE_BATCH, 2, 3, 4], upsampled([3, 2], [-1, 6, 6, 4])), [
      'RESIZE_NEAREST_NEIGHBOR',
    ]);
  });
  for (const [name, build] of /** @type {[string, (x: Ref) => Ref][]} */ ([
    ['other axes', upsampled([2, 2], [1, 6, 6, 4])],
    ['another shape', upsampled([3, 2], [1, 4, 9, 4])],
    ['another input', upsampled([3, 2], [1, 6, 6, 4], (x) => make('neg', 'Neg', [x]))],
  ]))
    test(`${name}: the operators stay`, async () => {
      const kinds = await kindsOf([1, 2, 3, 4], build);
      assert.ok(kinds.includes('PACK') && !kinds.includes('RESIZE_NEAREST_NEIGHBOR'), String(kinds));
    });
});

describe('sizes that depend on a free batch', () => {
  const half = (/** @type {Ref} */ x) =>
    make('half', 'StridedSlice', [make('sizes', 'Shape', [x]), ints([0]), ints([1]), ints([1])], {
      shrink_axis_mask: { i: 1 },
    });
  /** @type {[string, (x: Ref) => Ref, number[]][]} the shape for a batch of 2 */
  const cases = [
    [
      'its size packed',
      (x) => make('to', 'Pack', [half(x), ints([6], []), ints([4], [])], { axis: { i: 0 } }),
      [6, 4],
    ],
    [
      'its size joined',
      (x) =>
        make('to', 'ConcatV2', [
          make('one', 'ExpandDims', [half(x), ints([0], [])]),
          ints([24]),
          ints([0], []),
        ]),
      [24],
    ],
    [
      'twice its size',
      (x) =>
        make('to', 'Pack', [make('twice', 'Mul', [half(x), ints([2], [])]), ints([12], [])], {
          axis: { i: 0 },
        }),
      [12],
    ],
    [
      'its size by one',
      (x) =>
        make('to', 'Pack', [make('same', 'FloorDiv', [half(x), ints([1], [])]), ints([-1], [])], {
          axis: { i: 0 },
        }),
      [24],
    ],
    [
      'all of it',
      (x) =>
        make('to', 'Pack', [make('whole', 'Prod', [make('sizes', 'Shape', [x]), ints([0])])], {
          axis: { i: 0 },
        }),
      [],
    ],
  ];
  for (const [name, build, rest] of cases)
    test(name, async () => {
      const ops = await proven([FREE_BATCH, 2, 3, 4], (x) =>
        make('y', 'Reshape', [make('neg', 'Neg', [x]), build(x)]),
      );
      assert.deepEqual(ops.at(-1)?.output.shape, [-1, ...rest]);
    });
});

test('convolutions of groups of channels', async () => {
  for (const [padding, strides] of /** @type {[string, number[]][]} */ ([
    ['SAME', [1, 1, 1, 1]],
    ['VALID', [1, 2, 2, 1]],
  ])) {
    const attrs = { strides: list(strides), padding: text(padding) };
    for (const groups of [1, 2, 3]) {
      const kernel = floats([2, 3, 6 / groups, 12]);
      const kinds = await kindsOf([2, 4, 5, 6], (x) => make('y', 'Conv2D', [x, kernel], attrs));
      assert.deepEqual(kinds, ['CONV_2D']);
    }
  }
});

describe('x * relu6(x + 3) / 6 is hard-swish, and what is near it is none', () => {
  /**
   * @param {{shift?: number, factor?: number, clip?: string, other?: (x: Ref) => Ref}} [how]
   * @returns {(x: Ref) => Ref}
   */
  const product =
    ({ shift = 3, factor = 1 / 6, clip = 'Relu6', other = (x) => x } = {}) =>
    (x) => {
      const sum = make('sum', 'AddV2', [x, floats([], [shift])]);
      const gate = make('gate', 'Mul', [make('clip', clip, [sum]), floats([], [factor])]);
      return make('y', 'Mul', [other(x), gate]);
    };
  test('hard-swish', async () => assert.deepEqual(await kindsOf([1, 2, 3, 4], product()), ['HARD_SWISH']));
  for (const [name, how] of /** @type {[string, Parameters<typeof product>[0]][]} */ ([
    ['another shift', { shift: 2 }],
    ['another factor', { factor: 0.2 }],
    ['another clip', { clip: 'Relu' }],
    ['another x', { other: (x) => make('neg', 'Neg', [x]) }],
  ]))
    test(name, async () => {
      const kinds = await kindsOf([1, 2, 3, 4], product(how));
      assert.ok(!kinds.includes('HARD_SWISH') && kinds.length > 2, String(kinds));
    });
});
