// Operators on constants, which the converter computes itself, by TensorFlow's definitions.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { make } from '../../../wasm/convert/graph/graph.js';
import { evaluate } from '../../../wasm/convert/graph/kernels.js';
import { evaluateGraph } from '../../../wasm/convert/prove/evaluate.js';
import { allocate } from '../../../wasm/tflite/tensor.js';
import { floats, ints as sizes } from './refs.js';

/** @typedef {import('../../../wasm/tflite/tensor.js').Dtype} Dtype */

/** @param {number[]} data @param {number[]} shape @param {Dtype} dtype */
const tensor = (data, shape = [data.length], dtype = 'float32') => ({
  ...{ dtype, shape },
  data: Object.assign(allocate(dtype, data.length), data),
});
const ints = (/** @type {number[]} */ ...data) => tensor(data, [data.length], 'int32');
const one = (/** @type {number} */ value, dtype = /** @type {Dtype} */ ('int32')) =>
  tensor([value], [], dtype);
const [A, B] = [
  [-3, 0, 2.5],
  [2, 4, 2.5],
];
const to = (/** @type {number} */ type) => ({ DstT: { type } });

/** @type {[op: string, inputs: ReturnType<typeof tensor>[], expected: number[], attrs?: object, dtype?: Dtype][]} */
const CASES = [
  ...Object.entries({
    ...{ AddV2: [-1, 4, 5], Sub: [-5, -4, 0], Mul: [-6, 0, 6.25], RealDiv: [-1.5, 0, 1] },
    ...{ DivNoNan: [-1.5, 0, 1], FloorDiv: [-2, 0, 1], FloorMod: [1, 0, 0], Maximum: [2, 4, 2.5] },
    ...{ Minimum: [-3, 0, 2.5], Pow: [9, 0, 2.5 ** 2.5], SquaredDifference: [25, 16, 0] },
    ...{ Less: [1, 1, 0], LessEqual: [1, 1, 1], Greater: [0, 0, 0], GreaterEqual: [0, 0, 1] },
    ...{ Equal: [0, 0, 1], NotEqual: [1, 1, 0] },
  }).map(([op, expected]) => /** @type {any} */ ([op, [tensor(A), tensor(B)], expected])),
  ['Pow', [tensor([1, 1, -1, 2]), tensor([Infinity, NaN, -Infinity, -Infinity])], [1, 1, 1, 0]],
  ['DivNoNan', [tensor([5, 0]), tensor([0, 0])], [0, 0]],
  ['LogicalAnd', [ints(0, 0, 1, 1), ints(0, 1, 0, 1)], [0, 0, 0, 1]],
  ['LogicalOr', [ints(0, 0, 1, 1), ints(0, 1, 0, 1)], [0, 1, 1, 1]],
  ['Round', [tensor([0.5, 1.5, 2.5, -1.5, 2.7])], [0, 2, 2, -2, 3]],
  ['Relu', [tensor(A)], [0, 0, 2.5]],
  ['Sign', [tensor(A)], [-1, 0, 1]],
  ['Reciprocal', [tensor([4])], [0.25]],
  ['Rsqrt', [tensor([4])], [0.5]],
  ['Sigmoid', [tensor([0])], [0.5]],
  ['OnesLike', [tensor(A)], [1, 1, 1]],
  ['ZerosLike', [tensor(A)], [0, 0, 0]],
  ['Cast', [tensor([1.7, -1.7, 0])], [1, -1, 0], to(3), 'int32'],
  ['Cast', [tensor([0.2, -1.7, 0])], [1, 1, 0], to(10), 'bool'],
  ['Cast', [tensor([1.75, -2])], [1.75, -2], to(2), 'float64'],
  ['Cast', [ints(3, -4)], [3, -4], to(1), 'float32'],
  ['AddN', [tensor([1, 2]), tensor([3, 4]), tensor([5, 6])], [9, 12]],
  ['Range', [one(2), one(9), one(3)], [2, 5, 8]],
  ['Range', [one(5), one(-1), one(-2)], [5, 3, 1]],
  ['Range', [one(2), one(8), one(3)], [2, 5]],
  ['Fill', [ints(2, 2), one(7)], [7, 7, 7, 7]],
  ['BroadcastTo', [tensor([1, 2], [2, 1]), ints(2, 3)], [1, 1, 1, 2, 2, 2]],
  ['ConcatV2', [tensor([1, 2], [2, 1]), tensor([3, 4], [2, 1]), one(-1)], [1, 3, 2, 4]],
  ['Pack', [tensor([1, 2]), tensor([3, 4])], [1, 3, 2, 4], { axis: { i: 1 } }],
  ['Pack', [tensor([1, 2]), tensor([3, 4])], [1, 2, 3, 4]],
  ['GatherV2', [tensor([1, 2, 3, 4, 5, 6], [2, 3]), ints(2, 0), one(1)], [3, 1, 6, 4]],
  ...Object.entries({
    Sum: [5, 7, 9],
    Mean: [2.5, 3.5, 4.5],
    Prod: [4, 10, 18],
    Max: [4, 5, 6],
    Min: [1, 2, 3],
  }).map(
    ([op, expected]) => /** @type {any} */ ([op, [tensor([1, 2, 3, 4, 5, 6], [2, 3]), ints(0)], expected]),
  ),
  ['Min', [tensor([3, 1, 2, 7], [2, 2], 'int32'), ints(1)], [1, 2], {}, 'int32'],
  ['Min', [tensor([2 ** 40, 2 ** 41], [2], 'int64'), ints(0)], [2 ** 40], {}, 'int64'],
  ['Max', [ints(-3, -1, -2), ints(0)], [-1], {}, 'int32'],
  ['Max', [tensor([-3, -1], [2], 'uint8'), ints(0)], [255], {}, 'uint8'],
  ['Mean', [ints(1, 2, 4), ints(0)], [2], {}, 'int32'],
  ['All', [ints(1, 0, 1, 1), ints(0)], [0]],
  ['Any', [ints(1, 0, 1, 1), ints(0)], [1]],
];

describe('of constants', () => {
  for (const [op, inputs, expected, attrs = {}, dtype] of CASES)
    test(`${op} of ${inputs.map(({ data }) => `[${data}]`).join(' and ')}`, () => {
      const outputs = evaluate(make('y', op, [], attrs).node, inputs);
      assert.deepEqual([...(outputs?.[0].data ?? [])], expected);
      if (dtype) assert.equal(outputs?.[0].dtype, dtype);
    });
});

test('FloorMod is exact where the quotient is not, for a constant and in a proof', async () => {
  const [a, b] = [
    [1, -1, 1, -1, 5, -6],
    [Math.fround(0.1), 2 ** -70, Infinity, Infinity, -3, 3],
  ];
  const expected = [1 % Math.fround(0.1), 0, 1, Infinity, -1, 0].map(Math.fround);
  const y = make('y', 'FloorMod', [floats(a), floats(b)]);
  const [folded] = evaluate(y.node, [tensor(a), tensor(b)]) ?? [];
  const [proved] = await evaluateGraph([y], new Map());
  for (const { data } of [folded, proved])
    assert.deepEqual(
      Array.from(data, (value) => Math.fround(value) + 0),
      expected,
    );
});

test('ResizeNearestNeighbor in a proof takes the pixels that floats find', async () => {
  const attrs = { align_corners: { b: true } };
  const y = make('y', 'ResizeNearestNeighbor', [floats([0, 1], [1, 2, 1, 1]), sizes([83, 1])], attrs);
  const [{ data }] = await evaluateGraph([y], new Map());
  // 41 / 82 is 0.5, but 41 times the float next to 1 / 82 lies below.
  assert.deepEqual(
    [...data],
    Array.from({ length: 83 }, (_, row) => Number(row > 41)),
  );
});
