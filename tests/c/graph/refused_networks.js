// Networks of few operators, each of which is refused for one reason: the status, what the message says, the network.
// test_hostile.c loads them. tests/fuzz/hostile_networks.js has those that damage or harm.
import { encode } from 'flatbuffers/js/flexbuffers.js';
import { OPERATORS } from '../../../wasm/tflite/operators.js';

/** @typedef {import('../../fuzz/tiny_models.js').TinyTensor} TinyTensor */
/** @typedef {import('../../fuzz/tiny_models.js').TinyOperator} TinyOperator */
/** @typedef {Parameters<typeof import('../../fuzz/tiny_models.js').writeModel>[0]} TinyNetwork */
/** @typedef {[status: string, message: string, network: TinyNetwork]} Refused */
/** @typedef {TinyTensor | number[] | number} Given a tensor; the shape of floats; the output: its number of them */

const [GRAPH, OPERATOR, OPTION, LARGE] = [
  ...['MODEL_BAD_GRAPH', 'UNSUPPORTED_OPERATOR', 'MODEL_BAD_OPTION', 'MODEL_TOO_LARGE'],
];
const FEATURE = 'MODEL_UNSUPPORTED_FEATURE';

/** @param {TinyTensor['dtype']} dtype @param {number[]} shape @param {number[]} [data] @returns {TinyTensor} */
const typed = (dtype, shape, data) => ({ shape, dtype, data });
/** @param {number[]} data */
const int32s = (...data) => typed('int32', [data.length], data);
/** @param {number[]} shape @param {number} [scale] @param {number[]} [data] @returns {TinyTensor} */
const int8s = (shape, scale = 1, data = undefined) => ({ ...typed('int8', shape, data), scale });
/** @param {number[]} shape @param {number | number[]} [scale] @param {number[]} [data] @returns {TinyTensor} */
const uint8s = (shape, scale = 1, data = undefined) => ({ ...typed('uint8', shape, data), scale });
/** @param {number[]} shape */
const ones = (shape) => ({ shape, data: Array(shape.reduce((product, size) => product * size, 1)).fill(1) });
/** @param {number[]} shape */
const int32 = (...shape) => typed('int32', shape);
/** @param {number[]} shape */
const int64 = (...shape) => typed('int64', shape);
/** @param {number[]} shape */
const bool = (...shape) => typed('bool', shape);

/**
 * One operator. Tensors without data are inputs of the network.
 * @param {keyof typeof OPERATORS} name
 * @param {(TinyTensor | number[])[]} inputs a shape: floats
 * @param {(TinyTensor | number[])[]} outputs
 * @param {TinyOperator['options']} [options]
 * @returns {TinyNetwork}
 */
function one(name, inputs, outputs, options) {
  const tensors = [...inputs, ...outputs].map((each) => (Array.isArray(each) ? { shape: each } : each));
  const indices = tensors.map((_, i) => i);
  const taken = indices.slice(0, inputs.length);
  const given = indices.slice(inputs.length);
  return {
    tensors,
    operators: [{ code: OPERATORS[name].code, inputs: taken, outputs: given, options }],
    inputs: taken.filter((i) => !tensors[i].data),
    outputs: given,
  };
}

/**
 * @param {TinyTensor[]} tensors input, kernel, bias, output
 * @param {Uint8Array} [customOptions]
 * @returns {TinyNetwork}
 */
function customTransposeConv(tensors, customOptions = new Uint8Array(Int32Array.of(1, 1, 1).buffer)) {
  return {
    tensors,
    operators: [
      { code: 32, custom: 'Convolution2DTransposeBias', customOptions, inputs: [0, 1, 2], outputs: [3] },
    ],
    inputs: [0],
    outputs: [3],
  };
}

/** @param {(TinyTensor | number[])[]} inputs @param {TinyTensor | number[]} [count] @returns {TinyNetwork} */
function postprocess(inputs, count = [1]) {
  const outputs = [[1, 3, 4], [1, 3], [1, 3], count];
  const network = one('ADD', inputs, outputs);
  const customOptions = encode({
    ...{ max_detections: 3, max_classes_per_detection: 1, num_classes: 2, nms_score_threshold: 0 },
    ...{ nms_iou_threshold: 1, y_scale: 1, x_scale: 1, h_scale: 1, w_scale: 1 },
  });
  Object.assign(network.operators[0], { code: 32, custom: 'TFLite_Detection_PostProcess', customOptions });
  return network;
}

/** @param {(TinyTensor | number[])[]} inputs of a 1 x 1 convolution @param {TinyTensor | number[]} output */
const conv = (inputs, output) => one('CONV_2D', inputs, [output], [1, ['i32', 1, 1], ['i32', 2, 1]]);
const PIXEL = [1, 1, 1, 1];
const IMAGE = [1, 4, 4, 1];
const ONE = ones(PIXEL);
/** @param {(TinyTensor | number[])[]} inputs output shape, weights, input, bias @param {TinyTensor | number[]} [output] */
const transposeConv = (inputs, output = PIXEL) =>
  one('TRANSPOSE_CONV', inputs, [output], [49, ['i32', 1, 1], ['i32', 2, 1]]);
/** @param {number} rank @param {number[][]} begin_end_strides @param {[number, number][]} [masks] by id */
const stridedSlice = (rank, [begin, end, strides], masks = []) =>
  one(
    'STRIDED_SLICE',
    [Array(rank).fill(2), int32s(...begin), int32s(...end), int32s(...strides)],
    [[2]],
    [32, ...masks.map(([id, mask]) => /** @type {['i32', number, number]} */ (['i32', id, mask]))],
  );

/** @returns {TinyNetwork} of `count` operators, one after the other */
function chain(/** @type {number} */ count) {
  return {
    tensors: Array.from({ length: count + 1 }, () => ({ shape: [1] })),
    operators: Array.from({ length: count }, (_, i) => ({
      ...{ code: OPERATORS.ABS.code, inputs: [i], outputs: [i + 1] },
    })),
    inputs: [0],
    outputs: [count],
  };
}

/** @type {Refused[]} */
const WHOLE = [
  [
    GRAPH,
    "input 't0' has a free dimension; only the batch may be free",
    one('ABS', [{ shape: [1, 4], signature: [1, -1] }], [[1, 4]]),
  ],
  [LARGE, '4097 operators, at most 4096', chain(4097)],
  [
    LARGE,
    '65537 tensors and 0 operators, at most 65536 each',
    { tensors: Array(65537).fill({ shape: [1] }), operators: [], inputs: [0], outputs: [0] },
  ],
  [LARGE, '1025 inputs, at most 1024', one('ADD_N', Array(1025).fill([1]), [[1]])],
  [
    OPERATOR,
    'operator 0: ocelli does not know BuiltinOperator 220',
    { ...one('ABS', [[1]], [[1]]), operators: [{ code: 220, inputs: [0], outputs: [1] }] },
  ],
  [
    OPERATOR,
    'operator 0 (SIN): ocelli does not run this operator',
    { ...one('ABS', [[1]], [[1]]), operators: [{ code: 66, inputs: [0], outputs: [1] }] },
  ],
];

const SCALED = { ...typed('int32', [2], [1, 2]), scale: 0.5 };

/** @type {Refused[]} */
const ELEMENTS = [
  // A constant as an input.
  ...[SCALED, { ...SCALED, data: undefined }].map(
    (input) =>
      /** @type {Refused} */ ([
        OPERATOR,
        'operator 0 (DEQUANTIZE): its input and output must be float or 8-bit',
        one('DEQUANTIZE', [input], [[2]]),
      ]),
  ),
  [
    OPERATOR,
    'the scales of its inputs and output are too far apart',
    one('ADD', [int8s([2], 1), int8s([2], 512)], [int8s([2])]),
  ],
  [
    OPERATOR,
    'the scales of its inputs and output are too far apart',
    one('MUL', [int8s([2], 16), int8s([2], 16)], [int8s([2])]),
  ],
  [
    GRAPH,
    'its inputs must have the same dtype, and its output must be bool',
    one('LESS', [[2], int32(2)], [bool(2)]),
  ],
  [OPERATOR, 'its inputs have an unsupported dtype', one('LOGICAL_AND', [[2], [2]], [bool(2)])],
  [GRAPH, 'the shapes of its inputs do not broadcast', one('ADD', [[2], [3]], [[3]])],
  [OPERATOR, 'its condition is not bool', one('SELECT', [[2], [2], [2]], [[2]])],
  [GRAPH, 'the shapes of its inputs do not broadcast', one('SELECT_V2', [bool(2), [2], [3]], [[3]])],
  [OPERATOR, 'it adds float32 and int32 only', one('ADD_N', [int8s([2]), int8s([2])], [int8s([2])])],
  [GRAPH, 'input 1 and its output have different dtypes', one('ADD_N', [[2], int32(2)], [[2]])],
  [GRAPH, 'inputs 0 and 1 have different shapes', one('ADD_N', [[2], [3]], [[2]])],
  [OPERATOR, 'its input and output must be float or 8-bit', one('RELU', [int32(2)], [int32(2)])],
  [OPERATOR, 'it has unsupported input and output dtypes', one('RELU', [[2]], [int8s([2])])],
  [OPERATOR, 'its input and output must be bool', one('LOGICAL_NOT', [[2]], [[2]])],
  [OPERATOR, "its input is not a constant of its output's dtype", one('DENSIFY', [[2]], [[2]])],
  [OPERATOR, 'its input or output is float16', one('CAST', [typed('float16', [2])], [[2]])],
  [GRAPH, 'its alpha does not broadcast to the shape of its input', one('PRELU', [[2], [3]], [[2]])],
];

/** @type {Refused[]} */
const DIVISIONS = /** @type {const} */ (['DIV', 'FLOOR_DIV', 'FLOOR_MOD']).flatMap((name) =>
  [int32, int64].map(
    (of) =>
      /** @type {Refused} */ ([
        ...[GRAPH, 'it divides by zero'],
        one(name, [of(2), { ...of(2), data: [1, 0] }], [of(2)]),
      ]),
  ),
);

/** @type {Refused[]} */
const BLOCKS = [
  [
    GRAPH,
    '3 x 4 pixels for blocks of 2 x 2',
    one('SPACE_TO_DEPTH', [[1, 3, 4, 1]], [IMAGE], [19, ['i32', 0, 2]]),
  ],
  [
    OPERATOR,
    '2 block sizes and 2 margins for 4 dimensions',
    one('SPACE_TO_BATCH_ND', [IMAGE, int32s(2, 2), int32s(0, 0)], [IMAGE]),
  ],
  [
    GRAPH,
    'a batch of 3 for blocks of 2 x 2, or too large crops',
    one('BATCH_TO_SPACE_ND', [[3, 1, 1, 1], int32s(2, 2), int32s(0, 0, 0, 0)], [IMAGE]),
  ],
  [
    GRAPH,
    '5 padded pixels for blocks of 2',
    one('SPACE_TO_BATCH_ND', [IMAGE, int32s(2, 2), int32s(0, 1, 0, 0)], [IMAGE]),
  ],
  [
    LARGE,
    'its output has more than 2^28 elements',
    one('SPACE_TO_BATCH_ND', [IMAGE, int32s(1, 1), int32s(65535, 65535, 65535, 65535)], [IMAGE]),
  ],
];

/** @type {Refused[]} */
const CONVOLUTIONS = [
  [GRAPH, 'its kernel does not fit an input of 3 channels', conv([[1, 1, 1, 3], ones([1, 1, 1, 2])], PIXEL)],
  [
    GRAPH,
    'its input has 3 channels, but 4 in the file',
    {
      tensors: [
        { shape: [1, 3] },
        int32s(1, 1, 1, 3),
        { shape: [1, 1, 1, 4] },
        ones([1, 1, 1, 4]),
        { shape: PIXEL },
      ],
      operators: [
        { code: OPERATORS.RESHAPE.code, inputs: [0, 1], outputs: [2] },
        {
          code: OPERATORS.CONV_2D.code,
          inputs: [2, 3],
          outputs: [4],
          options: [1, ['i32', 1, 1], ['i32', 2, 1]],
        },
      ],
      inputs: [0],
      outputs: [4],
    },
  ],
  [OPERATOR, 'input 1 must be a constant', conv([PIXEL, PIXEL], PIXEL)],
  [OPERATOR, 'its weights are not float, float16 or 8-bit', conv([PIXEL, typed('int32', PIXEL, [1])], PIXEL)],
  [
    OPERATOR,
    'its int8 weights have a zero point other than 0',
    conv([PIXEL, { ...int8s(PIXEL, 1, [1]), zeroPoint: 1 }], PIXEL),
  ],
  [
    OPERATOR,
    'its tensors must all be quantized with the same 8-bit dtype, and its bias int32',
    conv([int8s(PIXEL), ONE], int8s(PIXEL)),
  ],
  [
    OPERATOR,
    'input scale * weight scale / output scale is 256 or more, or too small',
    conv([int8s(PIXEL, 256), int8s(PIXEL, 1, [1])], int8s(PIXEL)),
  ],
  [
    OPERATOR,
    'its uint8 weights have one scale per channel; only int8 weights may',
    conv([uint8s(PIXEL), uint8s([2, 1, 1, 1], [1, 2], [1, 1])], uint8s([1, 1, 1, 2])),
  ],
  [GRAPH, 'its bias has 2 elements for 1 output channels', conv([PIXEL, ONE, ones([2])], PIXEL)],
  [OPERATOR, 'its input and output must both be float or both be 8-bit', conv([int32(...PIXEL), ONE], PIXEL)],
  [
    FEATURE,
    'weights_format is 1',
    one('FULLY_CONNECTED', [[1, 4], ones([1, 4])], [[1, 1]], [8, ['i8', 1, 1]]),
  ],
  [
    GRAPH,
    'the size of its input is not a multiple of 4',
    one('FULLY_CONNECTED', [[1, 3], ones([2, 4])], [[1, 2]]),
  ],
  [
    GRAPH,
    'the last dimension of its input is not 4',
    one('FULLY_CONNECTED', [[1, 2, 2], ones([1, 4])], [[1, 1]], [8, ['i8', 2, 1]]),
  ],
  [
    GRAPH,
    'its bias has not one number for each of 1 channels',
    transposeConv([int32s(1, 1, 1, 1), ONE, PIXEL, ones([2])]),
  ],
  [OPERATOR, 'its bias has an unsupported dtype', transposeConv([int32s(1, 1, 1, 1), ONE, PIXEL, int32s(1)])],
  [
    OPERATOR,
    'its weights have an unsupported dtype',
    transposeConv([int32s(1, 1, 1, 1), typed('int32', PIXEL, [1]), PIXEL]),
  ],
  [
    OPERATOR,
    'its input and output must both be float or both be 8-bit',
    transposeConv([int32s(1, 1, 1, 1), ONE, PIXEL], int8s(PIXEL)),
  ],
  [
    GRAPH,
    'its kernel must have 4 dimensions and not be empty',
    transposeConv([int32s(1, 1, 1, 1), ones([1]), PIXEL]),
  ],
  [
    OPERATOR,
    'its weights have a scale for each index of dimension 3, not for each output channel',
    transposeConv([
      int32s(1, 1, 1, 1),
      { ...typed('int8', [1, 1, 1, 2], [1, 1]), scale: [1, 2], axis: 3 },
      [1, 1, 1, 2],
    ]),
  ],
  [GRAPH, 'its output shape is not [1, height, width, 1]', transposeConv([int32s(1, 1, 1, 2), ONE, PIXEL])],
  [GRAPH, 'its input is not [N, H, W, 1]', transposeConv([int32s(1, 1, 1, 1), ONE, [1, 1, 1, 2]])],
  [
    LARGE,
    'its output, or a row of products, is too large',
    transposeConv([int32s(1, 65536, 65536, 1), ONE, PIXEL]),
  ],
  [
    LARGE,
    'its output is too large',
    transposeConv(
      [int32s(1, 16384, 16384, 1), { ...ONE, ...int8s(PIXEL, 1, [1]) }, int8s(PIXEL)],
      int8s(PIXEL),
    ),
  ],
  [
    LARGE,
    'its output is too large',
    customTransposeConv(
      [{ shape: [1, 4100, 1, 1] }, ONE, ones([1]), { shape: PIXEL }],
      new Uint8Array(Int32Array.of(1, 1, 65535).buffer),
    ),
  ],
];

/** @type {Refused[]} */
const JOINS = [
  [GRAPH, 'input 1 and its output have different dtypes', one('CONCATENATION', [[2], int32(2)], [[4]])],
  [
    OPERATOR,
    'it has a fused activation; only NONE runs',
    one('CONCATENATION', [[2], [2]], [[4]], [10, ['i8', 1, 1]]),
  ],
  [GRAPH, 'axis 1 of 1 dimensions', one('CONCATENATION', [[2], [2]], [[4]], [10, ['i32', 0, 1]])],
  [
    GRAPH,
    'the shape of input 1 does not fit input 0',
    one(
      'CONCATENATION',
      [
        [2, 2],
        [2, 3],
      ],
      [[4, 2]],
    ),
  ],
  [
    LARGE,
    'dimension 0 of its output is too large',
    {
      tensors: [{ shape: [1 << 28] }, { shape: [1] }],
      operators: [{ code: OPERATORS.CONCATENATION.code, inputs: Array(8).fill(0), outputs: [1] }],
      inputs: [0],
      outputs: [1],
    },
  ],
  [
    OPTION,
    'its values_count is 3, but it has 2 inputs',
    one('PACK', [[2], [2]], [[2, 2]], [59, ['i32', 0, 3]]),
  ],
  [
    GRAPH,
    'axis 2 for inputs of 1 dimensions',
    one('PACK', [[2], [2]], [[2, 2]], [59, ['i32', 0, 2], ['i32', 1, 2]]),
  ],
  [GRAPH, 'inputs 0 and 1 have different shapes', one('PACK', [[2], [3]], [[2, 2]], [59, ['i32', 0, 2]])],
  [
    GRAPH,
    'it splits a dimension of 3 into 2',
    one('SPLIT', [int32s(0), [3]], [[1], [2]], [35, ['i32', 0, 2]]),
  ],
  [
    OPERATOR,
    "its sizes must be integers that do not depend on the model's inputs",
    one('SPLIT_V', [[3], int32(1), int32s(0)], [[3]], [79, ['i32', 0, 1]]),
  ],
  [
    GRAPH,
    'it has not one size for each of its 1 outputs',
    one('SPLIT_V', [[3], int32s(1, 2), int32s(0)], [[3]], [79, ['i32', 0, 1]]),
  ],
  [
    GRAPH,
    'size 5 does not fit a dimension of 3',
    one('SPLIT_V', [[3], int32s(5), int32s(0)], [[3]], [79, ['i32', 0, 1]]),
  ],
  [
    GRAPH,
    'its output is empty',
    one('SPLIT_V', [[3], int32s(0, 3), int32s(0)], [[1], [3]], [79, ['i32', 0, 2]]),
  ],
  [GRAPH, '1 outputs for a dimension of 2', one('UNPACK', [[2]], [[1]], [64, ['i32', 0, 1]])],
];

/** @type {Refused[]} */
const MOVES = [
  [
    GRAPH,
    'its paddings have 2 elements, not 2 for each dimension',
    one('PAD', [[2, 2], int32s(0, 0)], [[2, 2]]),
  ],
  [GRAPH, 'padding -1 is not from 0 to 65535', one('PAD', [[2], int32s(0, -1)], [[1]])],
  [OPERATOR, 'its elements are not of 1 or 4 bytes', one('PAD', [int64(2), int32s(0, 1)], [int64(3)])],
  [OPERATOR, 'its value must be one constant number', one('PADV2', [[2], int32s(0, 1), [1]], [[3]])],
  [
    OPERATOR,
    'its elements are not of 1 or 4 bytes',
    one('TRANSPOSE', [int64(2, 2), int32s(1, 0)], [int64(2, 2)]),
  ],
  [GRAPH, 'its permutation has 1 elements for 2 dimensions', one('TRANSPOSE', [[2, 2], int32s(0)], [[2, 2]])],
  [
    GRAPH,
    'its permutation repeats or exceeds a dimension (1)',
    one('TRANSPOSE', [[2, 2], int32s(1, 1)], [[2, 2]]),
  ],
  [GRAPH, 'its begin, end and strides have 1, 2 and 1 elements', stridedSlice(1, [[0], [1, 1], [1]])],
  [GRAPH, 'stride 0 is 0', stridedSlice(1, [[0], [1], [0]])],
  [GRAPH, 'index 2 of a dimension of 2', stridedSlice(1, [[2], [3], [1]], [[4, 1]])],
  [
    GRAPH,
    'its 2 slices do not fit 1 dimensions',
    stridedSlice(1, [
      [0, 0],
      [1, 1],
      [1, 1],
    ]),
  ],
  [
    GRAPH,
    'its begin and size have 1 and 1 elements for 2 dimensions',
    one('SLICE', [[2, 2], int32s(0), int32s(1)], [[1]]),
  ],
  [GRAPH, '1 multiples for 2 dimensions', one('TILE', [[2, 2], int32s(1)], [[2, 2]])],
  [GRAPH, 'multiple 0 is below 1 or too large', one('TILE', [[2], int32s(0)], [[2]])],
  [GRAPH, 'dimension 0 of its new shape is -1', one('BROADCAST_TO', [[2], int32s(-1)], [[2]])],
  [GRAPH, 'its input does not broadcast to its new shape', one('BROADCAST_TO', [[2], int32s(3)], [[3]])],
  [GRAPH, 'its value is not one number', one('FILL', [int32s(2), [2]], [[2]])],
  [OPERATOR, 'its output has 7 dimensions', one('GATHER', [[2, 1, 1, 1], int32(1, 1, 1, 1)], [[1]], [23])],
  [OPERATOR, 'its indices are neither int32 nor int64', one('GATHER', [[2], [1]], [[1]], [23])],
  [
    GRAPH,
    '1 batch dimensions do not fit its indices',
    one('GATHER', [[2, 2], int32(3)], [[1]], [23, ['i32', 0, 1], ['i32', 1, 1]]),
  ],
  [GRAPH, 'indices of 2 numbers for 1 dimensions', one('GATHER_ND', [[2], int32(1, 2)], [[1]])],
  [GRAPH, '2 paddings for 2 dimensions', one('MIRROR_PAD', [[2, 2], int32s(0, 0)], [[2, 2]], [77])],
  [
    GRAPH,
    'its options list 7 dimensions, at most 6',
    one('RESHAPE', [[1]], [[1]], [17, ['ints', 0, Array(7).fill(1)]]),
  ],
  [GRAPH, 'it has a new shape neither as input 1 nor in its options', one('RESHAPE', [[1]], [[1]])],
  [
    GRAPH,
    'dimension 1 of its new shape is -1; only one may be -1',
    one('RESHAPE', [[4], int32s(-1, -1)], [[4]]),
  ],
  [GRAPH, 'its new shape is too large', one('RESHAPE', [[1], int32s(...Array(3).fill(0x7fffffff))], [[1]])],
  [GRAPH, 'its new shape does not hold 4 elements', one('RESHAPE', [[4], int32s(3)], [[3]])],
  [GRAPH, 'it removes dimension 1, which is not 1', one('SQUEEZE', [[1, 2]], [[2]], [30, ['ints', 0, [1]]])],
  [GRAPH, 'its axis does not fit an input of 1 dimensions', one('EXPAND_DIMS', [[2], int32s(2)], [[2, 1]])],
  [GRAPH, 'its output must be int32 or int64', one('SHAPE', [[2]], [[1]])],
  [GRAPH, 'its output must be int32', one('RANK', [[2]], [[1]])],
];

/** @type {Refused[]} */
const REDUCTIONS = [
  [OPERATOR, 'its input and output must both be float or 8-bit', one('MEAN', [[2], int32s(0)], [int8s([1])])],
  [
    OPERATOR,
    'input scale / output scale is not from 2^-10 to 2^8',
    one('MEAN', [int8s([2], 256), int32s(0)], [int8s([1])]),
  ],
  [OPERATOR, 'its input has an unsupported dtype', one('REDUCE_MAX', [bool(2), int32s(0)], [bool(1)])],
  [OPERATOR, 'its input must be float or 8-bit', one('ARG_MAX', [int32(2), int32s(0)], [int32(1)])],
  [GRAPH, 'its output must be int32 or int64', one('ARG_MAX', [[2], int32s(0)], [[1]])],
  [OPERATOR, 'its indices are not int32', one('TOPK_V2', [[2], int32s(1)], [[1], [1]])],
  [
    OPERATOR,
    'its input and output have different or unsupported dtypes or quantizations',
    one('TOPK_V2', [[2], int32s(1)], [int32(1), int32(1)]),
  ],
  [
    GRAPH,
    'it asks for more or fewer elements than a row has',
    one('TOPK_V2', [[2], int32s(3)], [[3], int32(3)]),
  ],
  [
    OPERATOR,
    'its input and output must both be float or 8-bit',
    one('SOFTMAX', [[2]], [int8s([2])], [9, ['f32', 0, 1]]),
  ],
  [
    OPERATOR,
    'it has a fused activation; only NONE runs',
    one('L2_NORMALIZATION', [[2]], [[2]], [12, ['i8', 0, 1]]),
  ],
  [
    LARGE,
    'its 4096 x 1025 window is too large',
    one(
      'MAX_POOL_2D',
      [PIXEL],
      [PIXEL],
      [5, ['i32', 1, 1], ['i32', 2, 1], ['i32', 3, 1025], ['i32', 4, 4096]],
    ),
  ],
  [
    GRAPH,
    'align_corners and half_pixel_centers are both set',
    one('RESIZE_BILINEAR', [IMAGE, int32s(2, 2)], [[1, 2, 2, 1]], [15, ['i8', 2, 1], ['i8', 3, 1]]),
  ],
  [OPERATOR, 'input 0 must be float or 8-bit', postprocess([int32(1, 3, 4), [1, 3, 2], ones([3, 4])])],
  [OPERATOR, 'output 3 must be float', postprocess([[1, 3, 4], [1, 3, 2], ones([3, 4])], int32(1))],
  [
    GRAPH,
    'its inputs must have shapes [1,N,4], [1,N,C] and [N,4]',
    postprocess([[1, 3, 4], [1, 4, 2], ones([3, 4])]),
  ],
];

/** @type {Refused[]} */
export const REFUSED_NETWORKS = [
  WHOLE,
  ELEMENTS,
  DIVISIONS,
  BLOCKS,
  CONVOLUTIONS,
  JOINS,
  MOVES,
  REDUCTIONS,
].flat();
