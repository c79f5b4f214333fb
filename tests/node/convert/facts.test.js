// The shapes of every operator's outputs, by TensorFlow's definitions: uneven sizes, a free batch, sizes that are not known.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  areSizes,
  dependsOnBatch,
  FREE_BATCH as N,
  toNetworkShape,
} from '../../../wasm/convert/graph/batch.js';
import { Facts } from '../../../wasm/convert/graph/facts.js';
import { make } from '../../../wasm/convert/graph/graph.js';
import { ints } from './refs.js';

/** @typedef {import('../../../wasm/convert/graph/graph.js').Ref} Ref */
/** @typedef {number[] | Ref | undefined} Input a shape; undefined: not known; or constants */

const list = (/** @type {number[]} */ ...i) => ({ list: { i } });
const text = (/** @type {string} */ value) => ({ s: new TextEncoder().encode(value) });
const one = (/** @type {number} */ value) => ints([value], []);

/**
 * @param {string} op
 * @param {Input[]} inputs
 * @param {object} attrs
 * @param {number} count of outputs
 */
function shapesOf(op, inputs, attrs, count) {
  const feeds = new Map();
  const refs = inputs.map((input, i) => {
    if (input && !Array.isArray(input)) return input;
    const ref = make(`x${i}`, 'Placeholder', []);
    feeds.set(ref.node, input);
    return ref;
  });
  const { node } = make('y', op, refs, attrs);
  const outputs = Array.from({ length: Math.max(count, 1) }, (_, index) => ({ node, index }));
  const facts = new Facts(outputs, feeds);
  return outputs.map((ref) => facts.shape(ref));
}

const window = (/** @type {string} */ padding, more = {}) => ({
  ...{ strides: list(1, 2, 3, 1), padding: text(padding), ...more },
});
const pool = { ...window('VALID'), ksize: list(1, 3, 2, 1) };
const keep = { keep_dims: { b: true } };
const reduced = ['All', 'Any', 'Max', 'Mean', 'Min', 'Prod', 'Sum'];
const IMAGE = [N, 9, 11, 4];

/** @type {[op: string, inputs: Input[], attrs: object, ...outputs: (number[] | undefined)[]][]} */
const CASES = [
  ['Conv2D', [IMAGE, [3, 2, 4, 5]], window('VALID'), [N, 4, 4, 5]],
  ['Conv2D', [IMAGE, [3, 2, 4, 5]], window('SAME'), [N, 5, 4, 5]],
  ['Conv2D', [IMAGE, [3, 2, 4, 5]], window('VALID', { dilations: list(1, 2, 4, 1) }), [N, 3, 3, 5]],
  [
    ...['Conv2D', [IMAGE, [3, 2, 4, 5]]],
    ...[window('EXPLICIT', { explicit_paddings: list(0, 0, 1, 2, 3, 4, 0, 0) }), [N, 5, 6, 5]],
  ],
  [
    'Conv2D',
    [
      [N, -1, 11, 4],
      [3, 2, 4, 5],
    ],
    window('SAME'),
    [N, -1, 4, 5],
  ],
  ['Conv2D', [IMAGE, undefined], window('SAME'), undefined],
  ['DepthwiseConv2dNative', [IMAGE, [3, 2, 4, 5]], window('SAME'), [N, 5, 4, 20]],
  ['AvgPool', [IMAGE], pool, [N, 4, 4, 4]],
  ['MaxPool', [IMAGE], { ...pool, padding: text('SAME') }, [N, 5, 4, 4]],
  ['Conv2DBackpropInput', [ints([2, 7, 8, 3]), [3, 3, 3, 4], IMAGE], {}, [2, 7, 8, 3]],
  ['Conv2DBackpropInput', [[4], [3, 3, 3, 4], IMAGE], {}, [N, -1, -1, 3]],
  ['Conv2DBackpropInput', [[4], undefined, IMAGE], {}, undefined],
  ['Conv2DBackpropInput', [[4], [3, 3, 3, 4], undefined], {}, undefined],
  [
    'MatMul',
    [
      [N, 3],
      [3, 5],
    ],
    {},
    [N, 5],
  ],
  [
    'MatMul',
    [
      [3, N],
      [5, 3],
    ],
    { transpose_a: { b: true }, transpose_b: { b: true } },
    [N, 5],
  ],
  [
    'BatchMatMulV2',
    [
      [N, 7, 3],
      [3, 5],
    ],
    {},
    [N, 7, 5],
  ],
  [
    'BatchMatMulV2',
    [
      [N, 7, 3],
      [5, 3],
    ],
    { adj_y: { b: true } },
    [N, 7, 5],
  ],
  [
    'BatchMatMulV2',
    [
      [N, 7, 3],
      [N, 3, 5],
    ],
    {},
    undefined,
  ],
  ...reduced.flatMap((op) => [
    /** @type {any} */ ([op, [IMAGE, ints([1, -1])], {}, [N, 11]]),
    /** @type {any} */ ([op, [IMAGE, ints([1, -1])], keep, [N, 1, 11, 1]]),
    /** @type {any} */ ([op, [IMAGE, [2]], {}, undefined]),
  ]),
  ['ArgMax', [IMAGE, one(-1)], {}, [N, 9, 11]],
  ['ArgMin', [IMAGE, one(1)], {}, [N, 11, 4]],
  ['BroadcastTo', [[1, 4], ints([3, 4])], {}, [3, 4]],
  ['DepthToSpace', [[N, 2, 3, 12]], { block_size: { i: 2 } }, [N, 4, 6, 3]],
  ['SpaceToDepth', [[N, 4, 6, 3]], { block_size: { i: 2 } }, [N, 2, 3, 12]],
  [
    'Gather',
    [
      [5, 6],
      [2, 3],
    ],
    {},
    [2, 3, 6],
  ],
  ['GatherV2', [[N, 5, 6], [2, 3], one(1)], {}, [N, 2, 3, 6]],
  ['GatherV2', [[N, 5, 6], [N, 3], one(1)], { batch_dims: { i: 1 } }, [N, 3, 6]],
  ['GatherV2', [[N, 5, 6], undefined, one(1)], {}, undefined],
  [
    'GatherNd',
    [
      [4, 5, 6],
      [7, 2],
    ],
    {},
    [7, 6],
  ],
  [
    'GatherNd',
    [
      [4, 5, 6],
      [2, 7, 3],
    ],
    {},
    [2, 7],
  ],
  ['Split', [one(2), [N, 9, 12]], { num_split: { i: 3 } }, [N, 9, 4], [N, 9, 4], [N, 9, 4]],
  ['Split', [one(2), undefined], { num_split: { i: 3 } }, undefined],
  ['SplitV', [[N, 9], ints([2, -1, 4]), one(1)], {}, [N, 2], [N, 3], [N, 4]],
  ['SplitV', [[N, 9], [3], one(1)], {}, undefined],
  ['Select', [[3], [3, 4], [3, 4]], {}, [3, 4]],
  [
    'Select',
    [
      [3, 4],
      [3, 4],
      [3, 4],
    ],
    {},
    [3, 4],
  ],
  ['SelectV2', [[3, 1], [1, 4], []], {}, [3, 4]],
  ['SelectV2', [[3, 1], [1, 4], undefined], {}, undefined],
  ['TopKV2', [[N, 9], one(4)], {}, [N, 4], [N, 4]],
  ['Pad', [[N, 2, 3], ints([0, 0, 1, 2, 3, 4], [3, 2])], {}, [N, 5, 10]],
  ['PadV2', [[N, 2, -1], ints([0, 0, 1, 2, 3, 4], [3, 2]), one(0)], {}, [N, 5, -1]],
  ['MirrorPad', [[2, 3], ints([1, 1, 2, 0], [2, 2])], {}, [4, 5]],
  ['Reshape', [[N, 4, 6], ints([-1, 24])], {}, [N, 24]],
  ['Reshape', [[N, 4, 6], ints([-1, 8])], {}, [3 * N, 8]],
  ['Reshape', [[2, 4, 6], ints([3, -1])], {}, [3, 16]],
  ['Reshape', [[2, -1, 6], ints([3, -1])], {}, [3, -1]],
  ['Reshape', [[2, 4, 6], [2]], {}, undefined],
  ['Flatten', [[N, 4, 6]], {}, [N, 24]],
  ['Flatten', [[N, -1, -1, 3]], {}, [N, -1]],
  ['Squeeze', [[1, 4, 1, 6]], {}, [4, 6]],
  ['Squeeze', [[1, 4, 1, 6]], { squeeze_dims: list(-2) }, [1, 4, 6]],
  ['ExpandDims', [[N, 4], one(1)], {}, [N, 1, 4]],
  ['ExpandDims', [[N, 4], one(-1)], {}, [N, 4, 1]],
  ['Transpose', [[N, 4, 6], ints([2, 0, 1])], {}, [6, N, 4]],
  ['Tile', [[N, 4], ints([1, 3])], {}, [N, 12]],
  ['Tile', [[-1, 4], ints([2, 3])], {}, [-1, 12]],
  ['ResizeBilinear', [IMAGE, ints([5, 6])], {}, [N, 5, 6, 4]],
  ['ResizeNearestNeighbor', [IMAGE, ints([5, 6])], {}, [N, 5, 6, 4]],
  ['ResizeBilinear', [IMAGE, [2]], {}, [N, -1, -1, 4]],
  ['ResizeNearestNeighbor', [IMAGE, [2]], {}, [N, -1, -1, 4]],
  ['ConcatV2', [[N, 4], [N, 5], [N, 6], one(1)], {}, [N, 15]],
  ['ConcatV2', [[N, 4], [N, -1], one(-1)], {}, [N, -1]],
  ['ConcatV2', [[N, 4], undefined, one(1)], {}, undefined],
  ['SpaceToBatchND', [[2, 5, 7, 3], ints([2, 3]), ints([1, 0, 1, 1], [2, 2])], {}, [12, 3, 3, 3]],
  ['SpaceToBatchND', [[N, 5, -1, 3], ints([2, 3]), ints([1, 0, 1, 1], [2, 2])], {}, [N, 3, -1, 3]],
  ['BatchToSpaceND', [[12, 3, 3, 3], ints([2, 3]), ints([1, 0, 1, 1], [2, 2])], {}, [2, 5, 7, 3]],
  [
    'Pack',
    [
      [N, 4],
      [N, 4],
      [N, 4],
    ],
    { axis: { i: 1 } },
    [N, 3, 4],
  ],
  ['Pack', [[4], [4]], { axis: { i: -1 } }, [4, 2]],
  ['Unpack', [[2, 3, 4]], { axis: { i: 1 }, num: { i: 3 } }, [2, 4], [2, 4], [2, 4]],
  ['Slice', [[N, 9, 5], ints([0, 2, 1]), ints([-1, 3, -1])], {}, [N, 3, 4]],
  ['Slice', [[-1, 9], ints([1, 0]), ints([-1, -1])], {}, [-1, 9]],
  [
    'StridedSlice',
    [[N, 9, 5], ints([0, 8, 1]), ints([0, 0, 4]), ints([1, -3, 1])],
    { begin_mask: { i: 1 }, end_mask: { i: 1 } },
    [N, 3, 3],
  ],
  ['StridedSlice', [[9, 5], ints([2, 0]), ints([3, 5]), ints([1, 2])], { shrink_axis_mask: { i: 1 } }, [3]],
  [
    'AddV2',
    [
      [N, 1, 5],
      [4, 1],
    ],
    {},
    [N, 4, 5],
  ],
  ['AddV2', [[N, 5], undefined], {}, undefined],
  ['Relu', [[N, 5]], {}, [N, 5]],
  ['Mine', [[N, 5]], {}, undefined],
];

describe('shapes', () => {
  for (const [op, inputs, attrs, ...outputs] of CASES)
    test(`${op} ${JSON.stringify(inputs.map((input) => (Array.isArray(input) ? input : 'constants')))}: ${JSON.stringify(outputs)}`, () =>
      assert.deepEqual(shapesOf(op, inputs, attrs, outputs.length), outputs));
});

test('sizes: known, not known, and multiples of the batch', () => {
  // Whether it is a multiple of the batch, and whether it is a size.
  const cases = /** @type {[number, boolean, boolean][]} */ ([
    [0, false, true],
    [7, false, true],
    [-N, false, true],
    [-1, false, true],
    [-2, false, false],
    [N, true, true],
    [3 * N, true, true],
    [N - 1, false, false],
    [N + 1, false, false],
    [0.5, false, false],
    [NaN, false, false],
    [-Infinity, false, false],
  ]);
  for (const [size, isOfBatch, isSize] of cases) {
    assert.equal(dependsOnBatch(size), isOfBatch, String(size));
    assert.equal(areSizes([5, size]), isSize, String(size));
  }
  assert.ok(areSizes([]));
  for (const [shape, expected] of /** @type {[number[] | undefined, number[] | undefined][]} */ ([
    [undefined, undefined],
    [[], []],
    [
      [N, 4, 0],
      [-1, 4, 0],
    ],
    [
      [4, 2 * N],
      [4, -1],
    ],
    [[N, N], undefined],
    [[N, -1], undefined],
    [[-1, 4], undefined],
  ]))
    // prettier-ignore
    assert.deepEqual(toNetworkShape(shape), expected, String(shape));
});
