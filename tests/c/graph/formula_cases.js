// Networks of few operators that tests/data has no case of, and what each gives by its definition: cases for test_golden.c.
import { encode } from 'flatbuffers/js/flexbuffers.js';
import { OPERATORS } from '../../../wasm/tflite/operators.js';
import { writeModel } from '../../fuzz/tiny_models.js';
import { makeNumbers } from '../../node/engine/convolution.js';

/** @typedef {import('../../fuzz/tiny_models.js').TinyTensor} TinyTensor */
/** @typedef {import('../../fuzz/tiny_models.js').TinyOperator} TinyOperator */
/** @typedef {import('../../golden_cases.js').Numbers} Numbers */
/** @typedef {['i8', id: number, value: number]} ByteField */
/**
 * Tensor 0 is the input.
 * @typedef {[input: Numbers, tensors: TinyTensor[], operators: TinyOperator[], outputs: Record<number, number[]>]} Formula
 */

/** @param {number[]} data @returns {TinyTensor} */
const int32s = (...data) => ({ shape: [data.length], dtype: 'int32', data });
/** @param {number[]} shape @param {number | number[]} scale @param {number[]} [data] @returns {TinyTensor} */
const int8s = (shape, scale, data = undefined) => ({ shape, dtype: 'int8', scale, data });
/**
 * @param {keyof typeof OPERATORS} name
 * @param {number[]} inputs
 * @param {number} output
 * @param {TinyOperator['options']} [options]
 */
const op = (name, inputs, output, options) => ({
  ...{ code: OPERATORS[name].code, inputs, outputs: [output], options },
});
/** @param {number} length */
const range = (length) => Array.from({ length }, (_, i) => i);

const FLAT = Float32Array.from(range(6), (i) => i + 0.5);
const SQUARE = Float32Array.of(1, 2, 3, 4);
const CONV = /** @type {TinyOperator['options']} */ ([1, ['i32', 1, 1], ['i32', 2, 1]]);

/** @returns {Record<string, Formula>} */
function moves() {
  const bytes = Int8Array.from(FLAT);
  const turned = [0, 3, 1, 4, 2, 5];
  return {
    transpose_floats: [
      FLAT,
      [{ shape: [2, 3] }, int32s(1, 0), { shape: [3, 2] }],
      [op('TRANSPOSE', [0, 1], 2)],
      { 2: turned.map((i) => FLAT[i]) },
    ],
    transpose_bytes: [
      bytes,
      [int8s([1, 2, 3], 1), int32s(0, -1, -2), int8s([1, 3, 2], 1)],
      [op('TRANSPOSE', [0, 1], 2)],
      { 2: turned },
    ],
    // No convolution reads it, though one comes first, which could pad.
    pad_of_an_output: [
      SQUARE,
      [
        { shape: [1, 2, 2, 1] },
        { shape: [1, 1, 1, 1], data: [3] },
        { shape: [1, 2, 2, 1] },
        { shape: [4, 2], dtype: 'int32', data: [0, 0, 1, 1, 0, 1, 0, 0] },
        { shape: [1, 4, 3, 1] },
      ],
      [op('CONV_2D', [0, 1], 2, [1, ['i8', 0, 1], ['i32', 1, 1], ['i32', 2, 1]]), op('PAD', [2, 3], 4)],
      { 4: [0, 0, 0, 3, 6, 0, 9, 12, 0, 0, 0, 0] },
    ],
    expand_dims: [
      FLAT,
      [{ shape: [2, 3] }, int32s(1), { shape: [2, 1, 3] }, int32s(-1), { shape: [2, 1, 3, 1] }],
      [op('EXPAND_DIMS', [0, 1], 2), op('EXPAND_DIMS', [2, 3], 4)],
      { 4: [...FLAT] },
    ],
    reshape_by_options: [
      FLAT,
      [{ shape: [2, 3] }, { shape: [3, 2] }],
      [op('RESHAPE', [0], 1, [17, ['ints', 0, [3, 2]]])],
      { 1: [...FLAT] },
    ],
    // The shape tensor is no vector.
    reshape_by_options_beside_a_scalar: [
      FLAT,
      [{ shape: [2, 3] }, { shape: [], dtype: 'int32', data: [6] }, { shape: [3, 2] }],
      [op('RESHAPE', [0, 1], 2, [17, ['ints', 0, [3, 2]]])],
      { 2: [...FLAT] },
    ],
    computed_with_a_shape_of_0: [
      FLAT,
      [{ shape: [2, 3] }, { shape: [0, 3] }, { shape: [2, 3] }],
      [op('ABS', [0], 1), op('ABS', [1], 2)],
      { 2: [...FLAT] },
    ],
    reshaped_constant: [
      FLAT,
      [
        { shape: [2, 3] },
        { shape: [3, 2], data: range(6) },
        int32s(2, 3),
        { shape: [2, 3] },
        { shape: [2, 3] },
      ],
      [op('RESHAPE', [1, 2], 3), op('ADD', [0, 3], 4)],
      { 4: [...FLAT].map((value, i) => value + i) },
    ],
    // Twice the number of the other scale; 8 bits end at 127.
    concatenation_of_scales: [
      Int8Array.of(-3, 5, 100),
      [int8s([1, 3], 2), int8s([1, 2], 1, [7, -7]), int8s([1, 5], 1)],
      [op('CONCATENATION', [0, 1], 2, [10, ['i32', 0, 1]])],
      { 2: [-6, 10, 127, 7, -7] },
    ],
  };
}

/** @returns {Record<string, Formula>} */
function numbers() {
  const wholes = Int32Array.of(-3, 0, 5, 70000);
  const int32 = /** @type {TinyTensor} */ ({ shape: [4], dtype: 'int32' });
  return {
    square_of_integers: [
      wholes,
      [int32, int32],
      [op('SQUARE', [0], 1)],
      { 1: [9, 0, 25, Math.imul(70000, 70000)] },
    ],
    sign_of_integers: [wholes, [int32, int32], [op('SIGN', [0], 1)], { 1: [-1, 0, 1, 1] }],
    fully_connected_that_keeps_dimensions: [
      FLAT,
      [
        { shape: [1, 2, 3] },
        { shape: [2, 3], data: [1, 0, 0, 1, 1, 1] },
        { shape: [2], data: [0.25, -1] },
        { shape: [1, 2, 2] },
      ],
      [op('FULLY_CONNECTED', [0, 1, 2], 3, [8, ['i8', 2, 1]])],
      { 3: [FLAT[0] + 0.25, 4.5 - 1, FLAT[3] + 0.25, 13.5 - 1] },
    ],
    floor_mod_of_floats: [
      Float32Array.of(5.25, -5.25, 7, -6),
      [{ shape: [4] }, { shape: [4], data: [2, 2, -2.5, 3] }, { shape: [4] }],
      [op('FLOOR_MOD', [0, 1], 2)],
      { 2: [1.25, 0.75, -0.5, 0] },
    ],
    power_of_negative_numbers: [
      Float32Array.of(-2, -2, -1, 1),
      [{ shape: [4] }, { shape: [4], data: [3, -2, 5, 1e30] }, { shape: [4] }],
      [op('POW', [0, 1], 2)],
      { 2: [-8, 0.25, -1, 1] },
    ],
    detections_of_bytes: detectionsOfBytes(),
    weights_of_a_scale_for_each_channel: storedWeights(),
  };
}

/** The encodings are 0, so the boxes are the anchors. @returns {Formula} */
function detectionsOfBytes() {
  const uint8 = (/** @type {number[]} */ shape, /** @type {number} */ scale, /** @type {number[]} */ data) =>
    /** @type {TinyTensor} */ ({ shape, dtype: 'uint8', scale, data });
  const options = {
    ...{ max_detections: 3, max_classes_per_detection: 1, num_classes: 2, nms_score_threshold: 0 },
    ...{ nms_iou_threshold: 1, y_scale: 1, x_scale: 1, h_scale: 1, w_scale: 1 },
  };
  return [
    new Uint8Array(12).fill(128),
    [
      { shape: [1, 3, 4], dtype: 'uint8', scale: 0.25, zeroPoint: 128 },
      uint8([1, 3, 2], 1 / 256, [192, 0, 0, 128, 64, 32]),
      uint8([3, 4], 1 / 8, [2, 2, 2, 4, 4, 4, 8, 8, 6, 6, 4, 2]),
      ...[{ shape: [1, 3, 4] }, { shape: [1, 3] }, { shape: [1, 3] }, { shape: [1] }],
    ],
    [
      {
        ...{ code: 32, custom: 'TFLite_Detection_PostProcess', customOptions: encode(options) },
        ...{ inputs: [0, 1, 2], outputs: [3, 4, 5, 6] },
      },
    ],
    {
      3: [0.125, 0, 0.375, 0.5, 0, 0, 1, 1, 0.5, 0.625, 1, 0.875],
      4: [0, 1, 0],
      5: [0.75, 0.5, 0.25],
      6: [3],
    },
  ];
}

/** More channels than a packed tile, each of its own scale. @returns {Formula} */
function storedWeights() {
  const [pixels, inputs, outputs] = [4, 2, 10];
  const x = makeNumbers(pixels * inputs);
  const stored = range(outputs * inputs).map((i) => ((i * 37) % 255) - 127);
  const scales = range(outputs).map((i) => 2 ** -(i % 5) / 16);
  const kernel = stored.map((value, i) => value * scales[Math.floor(i / inputs)]);
  const sums = range(pixels * outputs).map((i) =>
    range(inputs).reduce(
      (sum, from) => sum + x[Math.floor(i / outputs) * inputs + from] * kernel[(i % outputs) * inputs + from],
      0,
    ),
  );
  return [
    x,
    [
      { shape: [1, 2, 2, inputs] },
      int8s([outputs, 1, 1, inputs], scales, stored),
      { shape: [outputs, 1, 1, inputs] },
      { shape: [1, 2, 2, outputs] },
    ],
    [op('DEQUANTIZE', [1], 2), op('CONV_2D', [0, 2], 3, CONV)],
    { 3: sums },
  ];
}

/**
 * A transposed convolution of stride 2 over a map that is a constant, and may be the kernel, too: each of its numbers times the
 * kernel is a block of the output, to which the input is added.
 * @param {number[]} map [2, 2]
 * @param {number[]} [kernel] [2, 2]; default: the same tensor
 * @returns {Formula}
 */
function constantMap(map, kernel = undefined) {
  const input = Float32Array.from(range(16), (i) => i / 8);
  const block = { shape: [1, 2, 2, 1], data: map };
  const expected = range(16).map((i) => {
    const [y, x] = [i >> 2, i & 3];
    return input[i] + map[(y >> 1) * 2 + (x >> 1)] * (kernel ?? map)[(y & 1) * 2 + (x & 1)];
  });
  return [
    input,
    [
      ...[{ shape: [1, 4, 4, 1] }, int32s(1, 4, 4, 1), block, { ...block, data: kernel ?? map }],
      ...[{ shape: [1, 4, 4, 1] }, { shape: [1, 4, 4, 1] }],
    ],
    [
      op('TRANSPOSE_CONV', [1, kernel ? 3 : 2, 2], 4, [49, ['i32', 1, 2], ['i32', 2, 2]]),
      op('ADD', [0, 4], 5),
    ],
    { 5: expected },
  ];
}

/** @returns {Record<string, Formula>} */
function images() {
  const image = { shape: [1, 2, 2, 1] };
  const row = (/** @type {'int8' | 'uint8'} */ dtype, /** @type {number} */ width) =>
    /** @type {TinyTensor} */ ({ shape: [1, 1, width, 1], dtype, scale: 1 });
  const [aligned, centred] = [2, 3].map((id) => /** @type {ByteField} */ (['i8', id, 1]));
  const shapeOf = /** @type {TinyTensor} */ ({ shape: [4], dtype: 'int32' });
  // An operator that ignores values makes TFLite use its built-in kernels, which round halves away from zero.
  const builtIn = (
    /** @type {number} */ to,
    /** @type {number[]} */ expected,
    /** @type {ByteField[]} */ ...options
  ) =>
    /** @type {Formula} */ ([
      Int8Array.of(-3, 0),
      [row('int8', 2), int32s(1, to), row('int8', to), shapeOf],
      [op('RESIZE_BILINEAR', [0, 1], 2, [15, ...options]), op('SHAPE', [0], 3)],
      { 2: expected, 3: [1, 1, 2, 1] },
    ]);
  const nearest = (
    /** @type {number} */ from,
    /** @type {number[]} */ expected,
    /** @type {ByteField[]} */ ...options
  ) =>
    /** @type {Formula} */ ([
      Float32Array.from(range(from)),
      [{ shape: [1, 1, from, 1] }, int32s(1, expected.length), { shape: [1, 1, expected.length, 1] }],
      [op('RESIZE_NEAREST_NEIGHBOR', [0, 1], 2, [74, ...options])],
      { 2: expected },
    ]);
  return {
    transpose_conv_of_a_constant: constantMap([1, -2, 3, 0.5], [0.25, 4, -1, 2]),
    transpose_conv_of_its_kernel: constantMap([1, -2, 3, 0.5]),
    bilinear_bytes: [
      Uint8Array.of(10, 20),
      [row('uint8', 2), int32s(1, 4), row('uint8', 4)],
      [op('RESIZE_BILINEAR', [0, 1], 2)],
      { 2: [10, 15, 20, 20] },
    ],
    bilinear_built_in: builtIn(4, [-3, -2, 0, 0]),
    bilinear_built_in_aligned: builtIn(3, [-3, -2, 0], aligned),
    bilinear_built_in_centred: builtIn(4, [-3, -2, -1, 0], centred),
    nearest: [
      SQUARE,
      [image, int32s(4, 4), { shape: [1, 4, 4, 1] }],
      [op('RESIZE_NEAREST_NEIGHBOR', [0, 1], 2)],
      { 2: range(16).map((i) => SQUARE[2 * (i >> 3) + ((i >> 1) & 1)]) },
    ],
    nearest_aligned: nearest(2, [0, 1, 1], ['i8', 0, 1]),
    nearest_centred: nearest(3, [0, 2], ['i8', 1, 1]),
    transposed_same: transposedConvolution(1, 2, 4),
    transposed_valid: transposedConvolution(2, 3, 5),
    // The crops are computed, so the convolution is not dilated: it runs between the two, of blocks as they are.
    convolution_of_blocks: [
      SQUARE,
      [
        ...[image, int32s(2, 2), int32s(0, 0, 0, 0), { shape: [4, 1, 1, 1] }],
        ...[{ shape: [1, 1, 1, 1], data: [3] }, { shape: [4, 1, 1, 1] }],
        ...[/** @type {TinyTensor} */ ({ shape: [4], dtype: 'int32' }), image],
      ],
      [
        op('ADD', [2, 2], 6),
        op('SPACE_TO_BATCH_ND', [0, 1, 2], 3),
        op('CONV_2D', [3, 4], 5, [1, ['i8', 0, 1], ['i32', 1, 1], ['i32', 2, 1]]),
        op('BATCH_TO_SPACE_ND', [5, 1, 6], 7),
      ],
      { 7: [...SQUARE].map((value) => 3 * value) },
    ],
  };
}

/**
 * MediaPipe's operator, with a stride of 2: each input times the kernel, added where the windows overlap.
 * @param {1 | 2} padding same, valid
 * @param {number} size of the kernel
 * @param {number} side of the output
 * @returns {Formula}
 */
function transposedConvolution(padding, size, side) {
  const kernel = range(size * size).map((i) => i + 1);
  const sums = Array(side * side).fill(0.5);
  SQUARE.forEach((value, i) => {
    const [top, left] = [2 * (i >> 1), 2 * (i & 1)];
    kernel.forEach((weight, tap) => {
      sums[(top + Math.floor(tap / size)) * side + left + (tap % size)] += value * weight;
    });
  });
  return [
    SQUARE,
    [
      ...[{ shape: [1, 2, 2, 1] }, { shape: [1, size, size, 1], data: kernel }, { shape: [1], data: [0.5] }],
      { shape: [1, side, side, 1] },
    ],
    [
      {
        ...{ code: 32, custom: 'Convolution2DTransposeBias', inputs: [0, 1, 2], outputs: [3] },
        customOptions: new Uint8Array(Int32Array.of(padding, 2, 2).buffer),
      },
    ],
    { 3: sums },
  ];
}

/**
 * Resized images, alone and in one batch: for each number of images the operator is planned again.
 * @returns {import('../../golden_cases.js').GoldenCase[]}
 */
function batches() {
  const images = [
    [1, 3],
    [-7, 9],
  ];
  /** @type {Record<string, [NodeJS.ArrayBufferView & {constructor: any}, Partial<TinyTensor>, keyof typeof OPERATORS, (a: number, b: number) => number[]]>} */
  const kinds = {
    bilinear: [new Float32Array(), {}, 'RESIZE_BILINEAR', (a, b) => [a, (a + b) / 2, b, b]],
    bilinear_int8: [
      new Int8Array(),
      { dtype: 'int8', scale: 1 },
      'RESIZE_BILINEAR',
      (a, b) => [a, (a + b) / 2, b, b],
    ],
    nearest: [new Float32Array(), {}, 'RESIZE_NEAREST_NEIGHBOR', (a, b) => [a, a, b, b]],
  };
  return Object.entries(kinds).map(([name, [{ constructor: View }, type, kind, resized]]) => ({
    ...{ name: `free_batch_${name}`, hasDetections: false, isBatchFree: true },
    inputs: images.map((image) => View.from(image)),
    model: writeModel({
      tensors: [
        { ...type, shape: [1, 1, 2, 1], signature: [-1, 1, 2, 1] },
        int32s(1, 4),
        { ...type, shape: [1, 1, 4, 1], signature: [-1, 1, 4, 1] },
      ],
      ...{ operators: [op(kind, [0, 1], 2)], inputs: [0], outputs: [2] },
    }),
    outputs: [
      {
        name: 't2',
        shape: [1, 1, 4, 1],
        values: images.flatMap(([a, b]) => resized(a, b)),
        limit: 1e-5,
        cosine: -1,
      },
    ],
  }));
}

/** @returns {import('../../golden_cases.js').GoldenCase[]} */
export function formulaCases() {
  const formulas = { ...moves(), ...numbers(), ...images() };
  const alone = Object.entries(formulas).map(([name, [input, tensors, operators, expected]]) => ({
    ...{ name, inputs: [input], hasDetections: false, isBatchFree: false },
    model: writeModel({ tensors, operators, inputs: [0], outputs: Object.keys(expected).map(Number) }),
    outputs: Object.entries(expected).map(([tensor, values]) => ({
      ...{ name: `t${tensor}`, shape: tensors[Number(tensor)].shape, values, limit: 1e-5, cosine: -1 },
    })),
  }));
  return [...alone, ...batches()];
}
