// The safetensors format: what is written, byte by byte, and what is refused.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  BATCH_NORM_ENTRY,
  readBatchNorm,
  toAffine,
  writeBatchNorm,
} from '../../../wasm/tflite/batch_norm.js';
import { readSafetensors, writeSafetensors } from '../../../wasm/tflite/safetensors.js';

/** A file of a header and data. @param {unknown} header @param {number} [bytes] of data @param {number} [length] that the file says */
function fileOf(header, bytes = 0, length = undefined) {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + bytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(length ?? text.length), true);
  file.set(text, 8);
  return file;
}

test('a file is the length of its header, the header padded to 8 bytes, and the data in order', () => {
  const tensors = {
    a: { shape: [2, 1], data: Float32Array.of(1, -2) },
    b: { shape: [3], data: Uint16Array.of(1, 2, 3) },
    c: { shape: [], data: Int32Array.of(-7) },
    d: { shape: [0], data: new Float32Array(0) },
  };
  const file = writeSafetensors(tensors, { key: 'value' });
  const view = new DataView(file.buffer);
  const length = Number(view.getBigUint64(0, true));
  assert.equal(length % 8, 0);
  const text = new TextDecoder().decode(file.subarray(8, 8 + length));
  assert.ok(text.length - text.trimEnd().length < 8);
  assert.deepEqual(JSON.parse(text), {
    __metadata__: { key: 'value' },
    a: { dtype: 'F32', shape: [2, 1], data_offsets: [0, 8] },
    b: { dtype: 'F16', shape: [3], data_offsets: [8, 14] },
    c: { dtype: 'I32', shape: [], data_offsets: [14, 18] },
    d: { dtype: 'F32', shape: [0], data_offsets: [18, 18] },
  });
  assert.equal(file.length, 8 + length + 18);
  assert.deepEqual([view.getFloat32(8 + length, true), view.getFloat32(12 + length, true)], [1, -2]);
  assert.deepEqual(
    [0, 1, 2].map((i) => view.getUint16(16 + length + 2 * i, true)),
    [1, 2, 3],
  );
  assert.equal(view.getInt32(22 + length, true), -7);
  assert.deepEqual(readSafetensors(file), { tensors, metadata: { key: 'value' } });
});

test('a part of a larger array is written as the part', () => {
  const data = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
  const { tensors } = readSafetensors(writeSafetensors({ a: { shape: [2], data } }, {}));
  assert.deepEqual(tensors.a.data, Float32Array.of(2, 3));
});

test('no metadata is none, and gaps between tensors are read from their places', () => {
  const entry = (/** @type {number} */ begin) => ({
    dtype: 'F32',
    shape: [1],
    data_offsets: [begin, begin + 4],
  });
  const file = fileOf({ late: entry(4), early: entry(0) }, 8);
  new DataView(file.buffer).setFloat32(file.length - 4, 5, true);
  const { tensors, metadata } = readSafetensors(file);
  assert.deepEqual([tensors.late.data[0], tensors.early.data[0], metadata], [5, 0, {}]);
});

describe('what is refused', () => {
  const entry = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };
  /** @type {[string, any, RegExp][]} */
  const corrupt = [
    ['no bytes', 'text', /it is not a Uint8Array/],
    ['nine bytes', new Uint8Array(9), /it is too short/],
    ['a header longer than the file', fileOf('{}', 0, 3), /its header is longer than the file/],
    ['no JSON', fileOf('{a}'), /its header is not JSON/],
    [
      'no UTF-8',
      (() => {
        const file = fileOf('{"a"}');
        file[10] = 255;
        return file;
      })(),
      /its header is not JSON/,
    ],
    ['data that no tensor has', fileOf({ a: entry }, 9), /its tensors have 8 bytes, its data 9/],
    [
      'data that two tensors have',
      fileOf({ a: entry, b: entry }, 8),
      /its tensors have 16 bytes, its data 8/,
    ],
    ['metadata that is a number', fileOf({ __metadata__: 1 }), /its metadata is not a map of strings/],
    ['metadata that is null', fileOf({ __metadata__: null }), /its metadata is not a map of strings/],
    [
      'metadata with a number',
      fileOf({ __metadata__: { a: 'x', b: 1 } }),
      /its metadata is not a map of strings/,
    ],
  ];
  for (const [name, change] of /** @type {[string, any][]} */ ([
    ['another type', { dtype: 'F64' }],
    ['a type of every object', { dtype: 'toString' }],
    ['a type that is no text', { dtype: ['F32'] }],
    ['a shape that is no list', { shape: 2 }],
    ['a size below 0', { shape: [-2] }],
    ['half a size', { shape: [0.5] }],
    ['one place', { data_offsets: [0] }],
    ['three places', { data_offsets: [0, 8, 8] }],
    ['places that are no list', { data_offsets: '0,8' }],
    ['a place below 0', { data_offsets: [-8, 0] }],
    ['half a place', { data_offsets: [0.5, 8.5] }],
    ['places beyond the data', { data_offsets: [4, 12] }],
    ['too few bytes', { data_offsets: [0, 4] }],
    ['too many bytes', { shape: [1] }],
  ]))
    corrupt.push([name, fileOf({ a: { ...entry, ...change } }, 8), /the entry of tensor 'a' is malformed/]);
  corrupt.push(['an entry that is null', fileOf({ a: null }, 8), /the entry of tensor 'a' is malformed/]);
  for (const [name, file, message] of corrupt)
    test(name, () => assert.throws(() => readSafetensors(file), { code: 'STATE_CORRUPT', message }));
  test('a long name is shortened', () =>
    assert.throws(() => readSafetensors(fileOf({ ['x'.repeat(200)]: null })), {
      message: /tensor 'x{100}' is/,
    }));
  test('another format', () => {
    for (const file of [fileOf('[]'), fileOf('{}', 0, (16 << 20) + 1)])
      assert.throws(() => readSafetensors(file), { code: 'STATE_FOREIGN', message: /no safetensors header/ });
    // A header of the largest size is only longer than this file.
    assert.throws(() => readSafetensors(fileOf('{}', 0, 16 << 20)), { code: 'STATE_CORRUPT' });
  });
});

describe('batch norms that a file keeps', () => {
  const vector = (/** @type {number[]} */ ...values) => Float64Array.from(values);
  const batchNorm = {
    gamma: vector(1, 2),
    beta: vector(3, 4),
    mean: vector(5, 6),
    variance: vector(7, 8),
    epsilon: 0.5,
  };
  const kernel = { dtype: /** @type {const} */ ('float32'), shape: [1, 1, 1, 2], data: vector(1, 1) };
  /** @param {string} name @param {object} weights */
  const conv = (name, weights) => ({
    kind: 'CONV_2D',
    inputs: [],
    output: { name, shape: [1, 1, 1, 2] },
    options: {},
    weights: { kernel, isTransposed: false, ...weights },
  });
  /** @param {import('../../../wasm/tflite/network.js').Op[]} ops */
  const write = (...ops) => writeBatchNorm({ ops, inputs: [], outputs: [] });

  test('by the names of their convolutions, with a momentum if it is known', () => {
    const { file, count } = write(
      conv('a', { batchNorm }),
      conv('b', { batchNorm: { ...batchNorm, momentum: 0.25 } }),
      conv('none', {}),
      conv('sliced', { batchNorm, channels: [0] }),
    );
    assert.equal(count, 2);
    const names = ['gamma', 'beta', 'moving_mean', 'moving_variance', 'epsilon'];
    const { tensors } = readSafetensors(file);
    assert.deepEqual(Object.keys(tensors), [
      ...names.map((name) => `a/${name}`),
      ...names.map((name) => `b/${name}`),
      'b/momentum',
    ]);
    assert.deepEqual([tensors['a/gamma'].shape, tensors['a/epsilon'].shape], [[2], []]);
    const read = readBatchNorm(file);
    assert.deepEqual([...read.keys()], ['a', 'b']);
    assert.deepEqual(read.get('a'), batchNorm);
    assert.deepEqual(read.get('b'), { ...batchNorm, momentum: 0.25 });
    assert.equal(BATCH_NORM_ENTRY, 'OCELLI_BATCH_NORM');
  });
  test('none, and two of one name', () => {
    assert.deepEqual(readBatchNorm(undefined), new Map());
    assert.throws(() => write(conv('a', {})), { code: 'INVALID_OPTION', message: /no batch norm to keep/ });
    assert.throws(() => write(conv('a', { batchNorm }), conv('a', { batchNorm })), {
      code: 'GRAPH_UNSUPPORTED',
      message: /two convolutions have an output called 'a'/,
    });
  });
  test('damaged', () => {
    assert.throws(() => readBatchNorm(new Uint8Array(20)), {
      code: 'SOURCE_DAMAGED',
      message: /the batch norm in its metadata cannot be read/,
    });
    const { tensors } = readSafetensors(write(conv('a', { batchNorm: { ...batchNorm, momentum: 1 } })).file);
    for (const [name, data] of /** @type {[string, any][]} */ ([
      ['a/gamma', undefined],
      ['a/moving_mean', new Float32Array(0)],
      ['a/beta', Float32Array.of(1, NaN)],
      ['a/moving_variance', Int32Array.of(1, 2)],
      ['a/epsilon', Float32Array.of(Infinity)],
      ['a/momentum', Float32Array.of(NaN)],
    ])) {
      const { [name]: _, ...others } = tensors;
      const changed = data ? { ...others, [name]: { shape: [data.length], data } } : others;
      assert.throws(() => readBatchNorm(writeSafetensors(changed, {})), {
        code: 'SOURCE_DAMAGED',
        message: new RegExp(`'${name}' is missing or not finite`),
      });
    }
  });
  test('as scale and offset', () => {
    const { scale, offset } = toAffine({ ...batchNorm, variance: vector(3.5, 15.5) });
    assert.deepEqual(
      [[...scale], [...offset]],
      [
        [0.5, 0.5],
        [0.5, 1],
      ],
    );
  });
});
