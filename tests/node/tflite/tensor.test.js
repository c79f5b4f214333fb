// Constants from bytes and from TensorFlow's TensorProto, against numbers that are written here and DataView's.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  allocate,
  dtypeOf,
  fromBytes,
  halfToNumber,
  isFloat,
  numberToHalf,
  shapeFromProto,
  tensorFromProto,
} from '../../../wasm/tflite/tensor.js';

/** @typedef {import('../../../wasm/tflite/tensor.js').Dtype} Dtype */

/** The numbers of types.proto, and 100 more for references. @type {[number | undefined, Dtype][]} */
const NUMBERS = [
  ...[
    [1, 'float32'],
    [2, 'float64'],
    [3, 'int32'],
    [4, 'uint8'],
    [5, 'int16'],
    [6, 'int8'],
  ],
  ...[
    [7, 'string'],
    [9, 'int64'],
    [10, 'bool'],
    [14, 'bfloat16'],
    [17, 'uint16'],
    [19, 'float16'],
  ],
  ...[
    [20, 'resource'],
    [21, 'variant'],
    [22, 'uint32'],
    [23, 'uint64'],
    [101, 'float32'],
    [120, 'resource'],
  ],
  ...[
    [0, 'other'],
    [8, 'other'],
    [undefined, 'other'],
  ],
].map((pair) => /** @type {[number | undefined, Dtype]} */ (pair));

test('dtypes', () => {
  for (const [number, dtype] of NUMBERS) assert.equal(dtypeOf(number), dtype, String(number));
  const floats = NUMBERS.map(([, dtype]) => dtype).filter(isFloat);
  assert.deepEqual([...new Set(floats)].sort(), ['bfloat16', 'float16', 'float32', 'float64']);
});

describe('bytes', () => {
  const view = new DataView(new ArrayBuffer(16));
  [0x80, 0x3f, 0x80, 0xbf, 0x01, 0xc0, 0x00, 0x40, 0xff, 0, 0x7f, 0, 0, 0, 0, 0].forEach((byte, i) =>
    view.setUint8(i, byte),
  );
  /** @type {[Dtype, number, Function, (at: number) => number][]} */
  const cases = [
    ['float32', 4, Float32Array, (at) => view.getFloat32(at, true)],
    ['float64', 8, Float64Array, (at) => view.getFloat64(at, true)],
    ['int32', 4, Int32Array, (at) => view.getInt32(at, true)],
    ['uint32', 4, Int32Array, (at) => view.getInt32(at, true)],
    ['int16', 2, Int16Array, (at) => view.getInt16(at, true)],
    ['uint16', 2, Uint16Array, (at) => view.getUint16(at, true)],
    ['int8', 1, Int8Array, (at) => view.getInt8(at)],
    ['uint8', 1, Uint8Array, (at) => view.getUint8(at)],
    ['bool', 1, Uint8Array, (at) => view.getUint8(at)],
    ['int64', 8, Float64Array, (at) => Number(view.getBigInt64(at, true))],
    ['uint64', 8, Float64Array, (at) => Number(view.getBigInt64(at, true))],
    ['float16', 2, Float32Array, (at) => halfToNumber(view.getUint16(at, true))],
    [
      'bfloat16',
      2,
      Float32Array,
      (at) => {
        const word = new DataView(new ArrayBuffer(4));
        word.setUint16(2, view.getUint16(at, true), true);
        return word.getFloat32(0, true);
      },
    ],
  ];
  for (const [dtype, size, type, at] of cases)
    test(dtype, () => {
      const expected = Array.from({ length: 16 / size }, (_, i) => at(i * size));
      const shifted = new Uint8Array(17);
      shifted.set(new Uint8Array(view.buffer), 1);
      for (const bytes of [new Uint8Array(view.buffer), shifted.subarray(1)]) {
        const numbers = fromBytes(dtype, bytes);
        assert.ok(numbers instanceof type);
        assert.deepEqual([...numbers], expected);
      }
      if (size > 1)
        assert.throws(() => fromBytes(dtype, new Uint8Array(size + 1)), { code: 'SOURCE_DAMAGED' });
    });
  test('dtypes without elements of one size', () => {
    for (const dtype of /** @type {const} */ (['string', 'resource', 'variant', 'other']))
      assert.throws(() => fromBytes(dtype, new Uint8Array(8)), { code: 'SOURCE_DAMAGED' });
  });
});

test('half floats', () => {
  /** @type {[number, number][]} */
  const cases = [
    [0, 0],
    [1, 2 ** -24],
    [0x3ff, 1023 * 2 ** -24],
    [0x400, 2 ** -14],
    [0x3c00, 1],
    [0x3c01, 1 + 2 ** -10],
    [0xc000, -2],
    [0x7bff, 65504],
  ];
  for (const [half, value] of cases) {
    assert.equal(halfToNumber(half), value);
    assert.equal(numberToHalf(value), half);
  }
  assert.deepEqual([0x7c00, 0xfc00, 0x7c01].map(halfToNumber), [Infinity, -Infinity, NaN]);
  // Halfway to the next one: to the even one. What is too large becomes the largest.
  const [half, more] = [2 ** -11, 3 * 2 ** -11];
  assert.deepEqual(
    [1 + half, 1 + more, 1e9, -1e9, NaN].map(numberToHalf),
    [0x3c00, 0x3c02, 0x7bff, 0xfbff, 0x7bff],
  );
});

test('every half float is its formula, and what lies between two goes to the nearer one', () => {
  const toFloat = (/** @type {number} */ half) =>
    half < 1024 ? half * 2 ** -24 : (1024 + (half % 1024)) * 2 ** (Math.floor(half / 1024) - 25);
  for (let half = 0; half < 0x7bff; half++) {
    const [value, next] = [toFloat(half), toFloat(half + 1)];
    const middle = (value + next) / 2;
    const even = half % 2 === 0 ? half : half + 1;
    const near = [middle - middle * 2 ** -20, middle, middle + middle * 2 ** -20].map(numberToHalf);
    assert.deepEqual([halfToNumber(half), ...near], [value, half, even, half + 1]);
    assert.equal(numberToHalf(-middle), even | 0x8000);
  }
});

describe('a TensorProto', () => {
  const shape = (/** @type {number[]} */ ...sizes) => ({
    dim: sizes.map((size) => ({ size: BigInt(size) })),
  });
  const text = (/** @type {string} */ content) => Buffer.from(content);
  /** @type {[string, any, any][]} */
  const cases = [
    ['a scalar', { dtype: 1, floatVal: [2] }, ['float32', [], [2]]],
    [
      'the last value fills',
      { dtype: 3, tensorShape: shape(2, 2), intVal: [1, 2] },
      ['int32', [2, 2], [1, 2, 2, 2]],
    ],
    ['no values are zeros', { dtype: 2, tensorShape: shape(2) }, ['float64', [2], [0, 0]]],
    ['none of none', { dtype: 9, tensorShape: shape(0), int64Val: [] }, ['int64', [0], []]],
    [
      'bytes',
      { dtype: 3, tensorShape: shape(1), tensorContent: Uint8Array.of(1, 1, 0, 0) },
      ['int32', [1], [257]],
    ],
    ['int64', { dtype: 9, tensorShape: shape(1), int64Val: [-5n] }, ['int64', [1], [-5]]],
    ['bool', { dtype: 10, tensorShape: shape(2), boolVal: [true, false] }, ['bool', [2], [1, 0]]],
    ['uint32', { dtype: 22, uint32Val: [7] }, ['uint32', [], [7]]],
    ['uint64', { dtype: 23, uint64Val: [7n] }, ['uint64', [], [7]]],
    ['float64', { dtype: 2, doubleVal: [0.1] }, ['float64', [], [0.1]]],
    ['float16', { dtype: 19, tensorShape: shape(2), halfVal: [0x3c00] }, ['float16', [2], [1, 1]]],
    ['bfloat16', { dtype: 14, halfVal: [0x3fc0] }, ['bfloat16', [], [1.5]]],
    ['a size that is not written', { dtype: 1, tensorShape: { dim: [{}] } }, ['float32', [0], []]],
  ];
  for (const [name, proto, expected] of cases)
    test(name, () => {
      const { dtype, shape: sizes, data } = tensorFromProto(proto);
      assert.deepEqual([dtype, sizes, [...data]], expected);
    });
  test('strings', () => {
    const { data, strings } = tensorFromProto({
      dtype: 7,
      tensorShape: shape(3),
      stringVal: [text('a'), text('b')],
    });
    assert.equal(data.length, 0);
    assert.deepEqual(
      strings?.map((each) => String(each)),
      ['a', 'b', 'b'],
    );
    const none = tensorFromProto({ dtype: 7, tensorShape: shape(1) });
    assert.deepEqual(none.strings, [new Uint8Array(0)]);
    assert.deepEqual(tensorFromProto({ dtype: 7, tensorShape: shape(0) }).strings, []);
  });
  /** @type {[string, any][]} */
  const refused = [
    ['too many values', { dtype: 1, tensorShape: shape(1), floatVal: [1, 2] }],
    ['too many bytes', { dtype: 4, tensorShape: shape(1), tensorContent: Uint8Array.of(1, 2) }],
    ['too few bytes', { dtype: 4, tensorShape: shape(2), tensorContent: Uint8Array.of(1) }],
    ['too many elements', { dtype: 1, tensorShape: shape(2 ** 25 + 1) }],
    ['an unknown size', { dtype: 1, tensorShape: shape(-1) }],
    ['an unknown size in bytes', { dtype: 4, tensorShape: shape(-1), tensorContent: Uint8Array.of(1) }],
    ['an unknown number of strings', { dtype: 7, tensorShape: shape(-1) }],
    ['too many strings', { dtype: 7, tensorShape: shape(2 ** 20 + 1) }],
  ];
  for (const [name, proto] of refused)
    test(name, () => assert.throws(() => tensorFromProto(proto), { code: 'GRAPH_BAD' }));
  test('shapes', () => {
    assert.deepEqual(shapeFromProto(shape(2, -1)), [2, -1]);
    assert.deepEqual(shapeFromProto({}), []);
    assert.equal(shapeFromProto(undefined), undefined);
    assert.equal(shapeFromProto({ unknownRank: true, dim: [] }), undefined);
  });
  test('room for results', () => {
    for (const [dtype, type] of /** @type {[Dtype, Function][]} */ ([
      ['float16', Float64Array],
      ['int64', Float64Array],
      ['uint64', Float64Array],
      ['bool', Uint8Array],
      ['uint8', Uint8Array],
      ['int8', Int32Array],
    ]))
      assert.ok(allocate(dtype, 3) instanceof type && allocate(dtype, 3).length === 3);
    assert.equal(allocate('bool', 0).length, 0);
    for (const count of [-1, 2 ** 25 + 1, NaN])
      assert.throws(() => allocate('bool', count), { code: 'GRAPH_BAD' });
  });
});
