// A .tflite file that is written, field by field, as schema.fbs numbers them; and the network that is read back.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ints, scalar } from '../../../wasm/tflite/network.js';
import { TfliteFile } from '../../../wasm/tflite/read.js';
import { writeTflite } from '../../../wasm/tflite/write.js';
import { Fields } from './fields.js';

/**
 * @typedef {import('../../../wasm/tflite/network.js').Op} Op
 * @typedef {import('../../../wasm/tflite/network.js').Value} Value
 * @typedef {import('../../../wasm/tflite/weights.js').Precision} Precision
 */

const value = (
  /** @type {string} */ name,
  /** @type {number[]} */ shape,
  /** @type {Value['dtype']} */ dtype = undefined,
) => ({
  name,
  shape,
  ...(dtype && { dtype }),
});
const tensor = (/** @type {number[]} */ shape, /** @type {(i: number) => number} */ f = (i) => i) => ({
  dtype: /** @type {const} */ ('float32'),
  shape,
  data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => f(i)),
});
const x = value('x', [-1, 4, 5, 3]);
const window = { padding: 'VALID', strideH: 1, strideW: 2, dilationH: 1, dilationW: 1, activation: 'RELU6' };
/** A convolution of 2 x 1 taps to 2 channels. @param {object} [weights] @param {object} [options] @returns {Op} */
const conv = (weights = {}, options = window) => ({
  ...{ kind: 'CONV_2D', inputs: [x], output: value('y', [-1, 3, 3, 2]), options },
  weights: { kernel: tensor([2, 1, 3, 2]), isTransposed: false, bias: Float64Array.of(0.5, 1), ...weights },
});

/** @param {Op[]} ops @param {Precision} [precision] @param {Uint8Array} [metadata] */
function write(ops, precision = 'fp32', metadata = undefined) {
  const last = /** @type {Op} */ (ops.at(-1)).output;
  const network = { ops, inputs: [x], outputs: [{ name: 'out', value: last }] };
  const bytes = writeTflite(network, { precision, description: 'about', metadata });
  assert.equal(new TextDecoder().decode(bytes.subarray(4, 8)), 'TFL3');
  const model = Fields.root(bytes);
  const [graph] = model.tables(2);
  const buffers = model.tables(4);
  const codes = model.tables(1);
  const tensors = graph.tables(0);
  return {
    ...{ bytes, model, graph, codes, tensors },
    operators: graph.tables(3),
    /** @param {number} i the bytes of a constant */
    data: (i) => buffers[tensors[i].int(2) ?? 0].bytes(0),
    codeOf: (/** @type {Fields} */ operator) => codes[operator.int(0) ?? 0],
  };
}
/** @param {Uint8Array} bytes */
const floats = (bytes) => [...new Float32Array(bytes.slice().buffer)];

describe('a convolution', () => {
  test('the file, its tensors and its operator', () => {
    const { model, graph, tensors, operators, codes, data } = write([conv()]);
    assert.deepEqual([model.int(0), model.text(3), graph.text(4)], [3, 'about', 'main']);
    assert.deepEqual([graph.ints(1), graph.ints(2)], [[0], [3]]);
    assert.deepEqual(
      tensors.map((each) => [each.text(3), each.ints(0), each.ints(7), each.byte(1)]),
      [
        ['x', [1, 4, 5, 3], [-1, 4, 5, 3], undefined],
        ['y/weights', [2, 2, 1, 3], [], undefined],
        ['y/bias', [2], [], undefined],
        ['y', [1, 3, 3, 2], [-1, 3, 3, 2], undefined],
      ],
    );
    assert.deepEqual(floats(data(1)), [0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11]);
    assert.deepEqual(floats(data(2)), [0.5, 1]);
    assert.deepEqual([tensors[0].int(2), tensors[3].int(2)], [undefined, undefined]);
    assert.equal(operators.length, 1);
    const [operator] = operators;
    assert.deepEqual([operator.ints(1), operator.ints(2)], [[0, 1, 2], [3]]);
    // Conv2DOptions is 1: padding VALID is 1, strides w and h, RELU6 is 3, dilations w and h.
    assert.equal(operator.byte(3), 1);
    const options = operator.table(4);
    assert.deepEqual(
      [
        options?.byte(0),
        options?.int(1),
        options?.int(2),
        options?.byte(3),
        options?.int(4),
        options?.int(5),
      ],
      [1, 2, 1, 3, 1, 1],
    );
    assert.deepEqual(
      codes.map((code) => [code.byte(0), code.int(2), code.int(3)]),
      [[3, 1, 3]],
    );
  });
  test('the signature names inputs and outputs', () => {
    const [signature] = write([conv()]).model.tables(7);
    const named = (/** @type {Fields[]} */ maps) => maps.map((map) => [map.text(0), map.int(1)]);
    assert.deepEqual(
      [named(signature.tables(0)), named(signature.tables(1)), signature.text(2)],
      [[['x', undefined]], [['out', 3]], 'serving_default'],
    );
  });
  test('metadata lies in a buffer of its own', () => {
    const { model } = write([conv()], 'fp32', Uint8Array.of(5, 6));
    const [entry] = model.tables(6);
    assert.equal(entry.text(0), 'TFLITE_METADATA');
    assert.deepEqual([...model.tables(4)[entry.int(1) ?? 0].bytes(0)], [5, 6]);
    assert.equal(write([conv()]).model.tables(6).length, 0);
  });
  test('no bias is zeros; a scale, and chosen channels, in their order', () => {
    const plain = write([conv({ bias: undefined })]);
    assert.deepEqual(floats(plain.data(2)), [0, 0]);
    const scaled = write([conv({ scale: Float64Array.of(2, -1) })]);
    assert.deepEqual(floats(scaled.data(1)), [0, 4, 8, 12, 16, 20, -1, -3, -5, -7, -9, -11]);
    const chosen = write([conv({ scale: Float64Array.of(2, -1), channels: [1, 0, 1] })]);
    assert.deepEqual(chosen.tensors[1].ints(0), [3, 2, 1, 3]);
    assert.deepEqual(floats(chosen.data(1)).slice(0, 7), [-1, -3, -5, -7, -9, -11, 0]);
    assert.deepEqual(floats(chosen.data(2)), [1, 0.5, 1]);
  });
  test('of depth: channels last, with their multiplier', () => {
    const weights = {
      kernel: tensor([2, 1, 3, 2]),
      isTransposed: false,
      scale: Float64Array.of(1, 2, 3, 4, 5, 6),
    };
    const op = { ...conv(), kind: 'DEPTHWISE_CONV_2D', output: value('y', [-1, 3, 3, 6]), weights };
    const { tensors, data, operators } = write([op]);
    assert.deepEqual(tensors[1].ints(0), [1, 2, 1, 6]);
    assert.deepEqual(floats(data(1)), [0, 2, 6, 12, 20, 30, 6, 14, 24, 36, 50, 66]);
    assert.deepEqual(floats(data(2)), new Array(6).fill(0));
    // DepthwiseConv2DOptions is 2: depth_multiplier is its field 3.
    assert.deepEqual([operators[0].byte(3), operators[0].table(4)?.int(3)], [2, 2]);
  });
});

describe('versions', () => {
  const versionsOf = (/** @type {Op[]} */ ops, /** @type {Precision} */ precision = 'fp32') => {
    const { operators, codeOf } = write(ops, precision);
    return operators.map((operator) => [codeOf(operator).int(3), codeOf(operator).int(2)]);
  };
  const large = { kernel: tensor([8, 8, 4, 4], (i) => (i % 255) - 127), isTransposed: false };
  const resize = (/** @type {string} */ kind, /** @type {boolean} */ halfPixelCenters) => ({
    ...{ kind, inputs: [x, ints('size', [8, 10])], output: value('y', [-1, 8, 10, 3]) },
    options: { alignCorners: false, halfPixelCenters },
  });
  test('of convolutions', () => {
    const depthwise = (options = {}) => ({
      ...conv(large, { ...window, ...options }),
      kind: 'DEPTHWISE_CONV_2D',
    });
    const matrix = { ...conv({ kernel: tensor([60, 20]), isTransposed: true }, {}), kind: 'FULLY_CONNECTED' };
    assert.deepEqual(versionsOf([conv(large)]), [[3, 1]]);
    assert.deepEqual(versionsOf([conv(large)], 'hybrid'), [[3, 5]]);
    assert.deepEqual(versionsOf([conv()], 'hybrid'), [[3, 1]]);
    assert.deepEqual(versionsOf([depthwise()]), [[4, 1]]);
    assert.deepEqual(versionsOf([depthwise({ dilationW: 2 })]), [[4, 2]]);
    assert.deepEqual(versionsOf([depthwise({ dilationH: 2 })]), [[4, 2]]);
    assert.deepEqual(versionsOf([depthwise({ dilationH: 2 })], 'hybrid'), [[4, 6]]);
    assert.deepEqual(versionsOf([matrix]), [[9, 1]]);
    assert.deepEqual(versionsOf([matrix], 'hybrid'), [[9, 12]]);
  });
  test('of DEQUANTIZE', () => {
    assert.deepEqual(versionsOf([conv(large)], 'fp16'), [
      [6, 3],
      [6, 3],
      [3, 1],
    ]);
    assert.deepEqual(versionsOf([conv(large)], 'int8'), [
      [6, 5],
      [3, 1],
    ]);
  });
  test('of resizes', () => {
    for (const [kind, code] of /** @type {[string, number][]} */ ([
      ['RESIZE_BILINEAR', 23],
      ['RESIZE_NEAREST_NEIGHBOR', 97],
    ]))
      for (const isHalf of [false, true])
        assert.deepEqual(versionsOf([resize(kind, isHalf)]), [[code, isHalf ? 3 : 1]]);
  });
  test('a code above 127 is in its own field, and once in the file for each version', () => {
    const gelu = (/** @type {Value} */ from, /** @type {string} */ to) => ({
      kind: 'GELU',
      inputs: [from],
      output: value(to, x.shape),
      options: { approximate: false },
    });
    const first = gelu(x, 'a');
    const { codes, operators } = write([first, gelu(first.output, 'b')]);
    assert.deepEqual(
      codes.map((code) => [code.byte(0), code.int(3)]),
      [[127, 150]],
    );
    assert.deepEqual(
      operators.map((operator) => operator.int(0) ?? 0),
      [0, 0],
    );
  });
});

describe('weights in fewer bits', () => {
  // 1024 numbers in two channels: the first up to 127, the second up to 254.
  const data = tensor([16, 16, 2, 2], (i) =>
    i % 2 === 0 ? ((i / 2) % 255) - 127 : 2 * (((i - 1) / 2) % 128),
  );
  test('int8: a scale for each channel, and zero points of 0', () => {
    const { tensors, data: bytes, operators } = write([conv({ kernel: data })], 'int8');
    const [stored, widened] = [tensors[1], tensors[2]];
    assert.deepEqual(
      [stored.byte(1), stored.text(3), widened.text(3), widened.byte(1)],
      [9, 'y/weights', 'y/weights/dequantize', undefined],
    );
    const quantization = stored.table(4);
    assert.deepEqual(quantization?.floats(2), [1, 2]);
    assert.deepEqual(quantization?.ints(3), [0, 0]);
    assert.equal(quantization?.int(6), undefined);
    const numbers = new Int8Array(bytes(1).slice().buffer);
    assert.deepEqual(
      [...numbers.subarray(0, 4)],
      [-127, -126, -125, -124].map((_, i) => data.data[2 * i]),
    );
    assert.deepEqual([...numbers.subarray(512, 516)], [0, 1, 2, 3]);
    assert.deepEqual([operators[0].ints(1), operators[0].ints(2)], [[1], [2]]);
  });
  test('the last axis of a depthwise kernel; a channel of zeros has the scale 1', () => {
    const kernel = tensor([16, 32, 2, 1], (i) => (i % 2 === 0 ? 0 : -381));
    const { tensors, data: bytes } = write([{ ...conv({ kernel }), kind: 'DEPTHWISE_CONV_2D' }], 'int8');
    assert.deepEqual([tensors[1].table(4)?.int(6), tensors[1].table(4)?.floats(2)], [3, [1, 3]]);
    assert.deepEqual([...new Int8Array(bytes(1).slice().buffer).subarray(0, 4)], [0, -127, 0, -127]);
  });
  test('fewer than 1024 stay floats', () => {
    const types = (/** @type {number[]} */ shape) =>
      write([conv({ kernel: tensor(shape) })], 'int8').tensors[1].byte(1);
    assert.deepEqual([types([16, 32, 1, 2]), types([1, 1, 341, 3])], [9, undefined]);
  });
  test('float16, with biases', () => {
    const { tensors, data: bytes } = write([conv()], 'fp16');
    assert.deepEqual([tensors[1].byte(1), tensors[3].byte(1)], [1, 1]);
    // 0, 2, 4 in binary16.
    assert.deepEqual([...new Uint16Array(bytes(1).slice().buffer)].slice(0, 3), [0, 0x4000, 0x4400]);
    assert.deepEqual([...new Uint16Array(bytes(3).slice().buffer)], [0x3800, 0x3c00]);
  });
});

test('constants of every type, and values of integers', () => {
  const constant = (/** @type {any} */ dtype, /** @type {number[]} */ numbers) => ({
    name: dtype,
    shape: [numbers.length],
    tensor: { dtype, shape: [numbers.length], data: Float64Array.from(numbers) },
  });
  const op = {
    kind: 'PACK',
    inputs: [
      constant('int32', [-1, 2]),
      constant('int64', [-3, 4]),
      constant('bool', [1, 0]),
      constant('float32', [0.5, 1]),
    ],
    output: value('y', [2], /** @type {any} */ ('int64')),
    options: { axis: 0, valuesCount: 4 },
  };
  const { tensors, data } = write([op]);
  assert.deepEqual(
    tensors.map((each) => each.byte(1)),
    [undefined, 2, 4, 6, undefined, 4],
  );
  assert.deepEqual([...new Int32Array(data(1).slice().buffer)], [-1, 2]);
  assert.deepEqual([...new BigInt64Array(data(2).slice().buffer)], [-3n, 4n]);
  assert.deepEqual([...data(3)], [1, 0]);
  assert.deepEqual(floats(data(4)), [0.5, 1]);
});

test('an operator of two outputs', () => {
  const op = {
    kind: 'TOPK_V2',
    inputs: [x, ints('k', [2])],
    output: value('y', [-1, 4, 5, 2]),
    others: [value('places', [-1, 4, 5, 2], /** @type {any} */ ('int32'))],
    options: {},
  };
  const { operators, tensors } = write([op]);
  assert.deepEqual(operators[0].ints(2), [2, 3]);
  assert.equal(tensors[3].byte(1), 2);
});

describe('read back', () => {
  const one = { ...conv(), output: value('one', [-1, 3, 3, 2]) };
  const depthwise = {
    ...{
      kind: 'DEPTHWISE_CONV_2D',
      inputs: [one.output],
      output: value('two', [-1, 3, 2, 2]),
      options: { ...window, activation: 'NONE' },
    },
    weights: { kernel: tensor([1, 2, 2, 1]), isTransposed: false, bias: Float64Array.of(3, 4) },
  };
  const doubled = {
    kind: 'MUL',
    inputs: [depthwise.output, scalar('two times', 2)],
    output: value('three', [-1, 3, 2, 2]),
    options: {},
  };
  const flat = {
    kind: 'RESHAPE',
    inputs: [doubled.output, ints('shape', [-1, 12])],
    output: value('flat', [-1, 12]),
    options: {},
  };
  const matrix = {
    kind: 'FULLY_CONNECTED',
    inputs: [flat.output],
    output: value('four', [-1, 2]),
    options: {},
    weights: { kernel: tensor([2, 12]), isTransposed: true },
  };
  const other = { kind: 'NEG', inputs: [x], output: value('other', x.shape), options: {} };
  const ops = [other, one, depthwise, doubled, flat, matrix];

  for (const precision of /** @type {Precision[]} */ (['fp32', 'fp16', 'int8']))
    test(precision, () => {
      const file = new TfliteFile(write(ops, precision).bytes);
      const at = file.operators.find(({ name }) => name === 'four')?.output ?? 0;
      const network = file.networkTo(at);
      assert.deepEqual(
        network.ops.map(({ kind }) => kind),
        ['CONV_2D', 'DEPTHWISE_CONV_2D', 'MUL', 'RESHAPE', 'FULLY_CONNECTED'],
      );
      assert.deepEqual(
        network.inputs.map(({ name, shape }) => [name, shape]),
        [['x', [-1, 4, 5, 3]]],
      );
      assert.deepEqual(
        network.outputs.map(({ name, value: { shape } }) => [name, shape]),
        [['four', [-1, 2]]],
      );
      const [first, second, product, reshape, last] = network.ops;
      assert.deepEqual(
        [first.weights?.kernel.shape, [...(first.weights?.kernel.data ?? [])]],
        [[2, 1, 3, 2], Array.from({ length: 12 }, (_, i) => i)],
      );
      assert.deepEqual([...(first.weights?.bias ?? [])], [0.5, 1]);
      assert.deepEqual(
        [first.options.padding, first.options.strideW, first.options.strideH, first.options.activation],
        ['VALID', 2, 1, 'RELU6'],
      );
      assert.deepEqual(
        [second.weights?.kernel.shape, [...(second.weights?.kernel.data ?? [])]],
        [
          [1, 2, 2, 1],
          [0, 1, 2, 3],
        ],
      );
      assert.deepEqual([...(product.inputs[1].tensor?.data ?? [])], [2]);
      assert.deepEqual(
        [reshape.inputs[1].tensor?.dtype, [...(reshape.inputs[1].tensor?.data ?? [])]],
        ['int32', [-1, 12]],
      );
      assert.deepEqual([last.weights?.kernel.shape, last.weights?.isTransposed], [[2, 12], true]);
      assert.equal(first.inputs[0], network.inputs[0]);
      assert.equal(second.inputs[0], first.output);
      assert.deepEqual([file.input.name, file.inputs], ['x', [0]]);
    });
  test('weights in int8 are multiplied by the scales of their channels', () => {
    const kernel = tensor([16, 16, 2, 2], (i) =>
      i % 2 === 0 ? ((i / 2) % 255) - 127 : 2 * (((i - 1) / 2) % 128),
    );
    const large = { ...conv({ kernel }) };
    const [found] = new TfliteFile(write([large], 'int8').bytes).networkTo(4).ops;
    assert.deepEqual([...(found.weights?.kernel.data ?? [])], [...kernel.data]);
  });
  test('an operator with very many inputs', () => {
    const joined = value('joined', [-1, 4, 5, 600_000]);
    const join = { kind: 'CONCATENATION', inputs: new Array(200_000).fill(x), output: joined, options: {} };
    const [op] = new TfliteFile(write([join]).bytes).networkTo(1).ops;
    assert.deepEqual([op.kind, op.inputs.length], ['CONCATENATION', 200_000]);
  });
  test('what it says of its operators', () => {
    const { operators } = new TfliteFile(write([other, one]).bytes);
    assert.deepEqual(operators, [
      { kind: 'NEG', name: 'other', inputs: [0], output: 1, shape: [1, 4, 5, 3], inputShape: [1, 4, 5, 3] },
      {
        kind: 'CONV_2D',
        name: 'one',
        inputs: [0, 2, 3],
        output: 4,
        shape: [1, 3, 3, 2],
        inputShape: [1, 4, 5, 3],
      },
    ]);
  });
});
