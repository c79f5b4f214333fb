// Networks that no converter would write, and how they are refused: what damaged files, or reading the code, have found.
// The module's tests and the native ones share them.
import { encode } from 'flatbuffers/js/flexbuffers.js';

/** @typedef {import('./tiny_models.js').TinyTensor} TinyTensor */
/** @typedef {import('./tiny_models.js').TinyOperator} TinyOperator */

/** @param {number[]} data @returns {TinyTensor} */
const int32s = (data) => ({ shape: [data.length], dtype: 'int32', data });
/** @param {Record<number, number>} values by field id @returns {import('../../wasm/tflite/flatbuffer.js').Field[]} */
const ints = (values) => Object.entries(values).map(([id, value]) => ['i32', Number(id), value]);
const CONV = {
  code: 3,
  options: /** @type {TinyOperator['options']} */ ([1, ...ints({ 1: 1, 2: 1, 4: 1, 5: 1 })]),
};

/**
 * One operator: tensor 0 is the network's input, the last one its output.
 * @param {TinyTensor[]} tensors
 * @param {Omit<TinyOperator, 'inputs' | 'outputs'>} operator
 * @param {number[]} [inputs] of the operator, by default all tensors but the output
 */
function single(tensors, operator, inputs = tensors.slice(0, -1).map((_, i) => i)) {
  const output = tensors.length - 1;
  return { tensors, operators: [{ ...operator, inputs, outputs: [output] }], inputs: [0], outputs: [output] };
}

/** @param {number} anchors @param {object} options @param {number} [classes] */
function postprocess(anchors, options, classes = 1) {
  const uint8 = /** @type {const} */ ({ dtype: 'uint8', scale: 0.1 });
  return {
    tensors: [
      { shape: [1, anchors, 4], ...uint8 },
      { shape: [1, anchors, classes], ...uint8 },
      int32s([anchors, 4]),
      { shape: [anchors, 4], ...uint8 },
      ...Array.from({ length: 4 }, () => ({ shape: [1] })),
    ],
    operators: [
      { code: 22, inputs: [0, 2], outputs: [3] },
      {
        code: 32,
        custom: 'TFLite_Detection_PostProcess',
        customOptions: encode({
          ...{ max_detections: 10, max_classes_per_detection: 1, num_classes: 1, nms_score_threshold: 0.5 },
          ...{ nms_iou_threshold: 0.5, y_scale: 1.5, x_scale: 1.5, h_scale: 1.5, w_scale: 1.5 },
          ...options,
        }),
        inputs: [0, 1, 3],
        outputs: [4, 5, 6, 7],
      },
    ],
    inputs: [0, 1],
    outputs: [4, 5, 6, 7],
  };
}

/** @type {Record<string, [code: string, network: Parameters<typeof import('./tiny_models.js').writeModel>[0]]>} */
export const REFUSED = {
  'a kernel of one dimension': [
    'MODEL_BAD_GRAPH',
    single([{ shape: [1, 4, 4, 3] }, { shape: [3], data: [1, 2, 3] }, { shape: [1, 4, 4, 3] }], CONV),
  ],
  'scales per input channel of a square kernel': [
    'UNSUPPORTED_OPERATOR',
    single(
      [
        { shape: [1, 4, 4, 2] },
        { shape: [2, 1, 1, 2], dtype: 'int8', scale: [1, 2], axis: 3, data: [1, 2, 3, 4] },
        { shape: [1, 4, 4, 2] },
      ],
      CONV,
    ),
  ],
  'softmax of nothing': [
    'MODEL_BAD_GRAPH',
    single(
      [{ shape: [1] }, { shape: [1, 0] }, { shape: [1, 1] }],
      { code: 25, options: [9, ['f32', 0, 1]] },
      [1],
    ),
  ],
  'the mean of nothing': [
    'MODEL_BAD_GRAPH',
    single([{ shape: [1] }, { shape: [1, 0, 3] }, int32s([1]), { shape: [1, 3] }], { code: 40 }, [1, 2]),
  ],
  'nothing, enlarged': [
    'MODEL_BAD_GRAPH',
    single(
      [{ shape: [1] }, { shape: [1, 0, 4, 3] }, int32s([3, 3]), { shape: [1, 3, 3, 3] }],
      { code: 97 },
      [1, 2],
    ),
  ],
  // 24 bytes for each pixel: 2^32 and a few.
  'an enlargement whose workspace does not fit 32 bits': [
    'MODEL_TOO_LARGE',
    single([{ shape: [1, 2, 2, 1] }, int32s([13378, 13377]), { shape: [1, 1, 1, 1] }], { code: 23 }),
  ],
  // 68 bytes for each anchor: 2^32 and a few.
  'detections whose workspace does not fit 32 bits': ['MODEL_TOO_LARGE', postprocess(63161284, {})],
  'detections compared for hours': [
    'MODEL_TOO_LARGE',
    postprocess(1000000, { max_detections: 1000000, nms_iou_threshold: 1 }),
  ],
  'groups of one output each, padded to tiles': [
    'MODEL_TOO_LARGE',
    single(
      [
        { shape: [1, 1, 1, 1 << 22] },
        { shape: [1 << 22, 1, 1, 1], dtype: 'int8', scale: 1, data: Array(1 << 22).fill(1) },
        { shape: [1, 1, 1, 1 << 22] },
      ],
      CONV,
    ),
  ],
  'a convolution of minutes': [
    'MODEL_TOO_LARGE',
    single(
      [
        { shape: [1, 1000, 1000, 16] },
        { shape: [16, 15, 15, 16], data: Array(16 * 15 * 15 * 16).fill(1) },
        { shape: [1, 1, 1, 1] },
      ],
      CONV,
    ),
  ],
  // Its input is known at load, so it would be run there.
  'a convolution of minutes at load': [
    'MODEL_TOO_LARGE',
    {
      tensors: [
        { shape: [1] },
        { shape: [1, 1, 1, 16], data: Array(16).fill(1) },
        int32s([1, 512, 512, 1]),
        { shape: [1, 512, 512, 16] },
        { shape: [8, 45, 45, 16], data: Array(8 * 45 * 45 * 16).fill(1) },
        { shape: [1, 1, 1, 8] },
      ],
      operators: [
        { code: 69, inputs: [1, 2], outputs: [3] },
        { ...CONV, inputs: [3, 4], outputs: [5] },
      ],
      inputs: [0],
      outputs: [5],
    },
  ],
  'windows added up for minutes': [
    'MODEL_TOO_LARGE',
    single([{ shape: [1, 300, 300, 512] }, { shape: [1, 300, 300, 512] }], {
      code: 1,
      options: [5, ...ints({ 1: 1, 2: 1, 3: 30, 4: 30 })],
    }),
  ],
  // Rows that wrap 32 bits: 65 538 * 65 535 + 1 is 65 535 less than 2^32.
  'a window of rows farther apart than 32 bits': [
    'MODEL_TOO_LARGE',
    single(
      [
        { shape: [1, 9, 1, 1] },
        { shape: [1, 65539, 1, 1], data: Array(65539).fill(1) },
        { shape: [1, 9, 1, 1] },
      ],
      { code: 3, options: [1, ...ints({ 1: 1, 2: 1, 4: 1, 5: 65535 })] },
    ),
  ],
  'nothing, joined for minutes': [
    'MODEL_TOO_LARGE',
    {
      tensors: [{ shape: [1 << 22, 1] }, { shape: [1 << 22, 0] }, { shape: [1 << 22, 1] }],
      operators: [
        { code: 2, options: [10, ['i32', 0, 1]], inputs: [0, ...Array(4000).fill(1)], outputs: [2] },
      ],
      inputs: [0],
      outputs: [2],
    },
  ],
  'a division of shapes by zero': [
    'MODEL_BAD_GRAPH',
    single([{ shape: [1], dtype: 'int32' }, int32s([0]), { shape: [1], dtype: 'int32' }], {
      code: 42,
      options: [29],
    }),
  ],
  'a gathered index past the end': [
    'MODEL_BAD_GRAPH',
    single([{ shape: [4, 3] }, int32s([1, 4]), { shape: [2, 3] }], { code: 36, options: [23] }),
  ],
  'a gathered index before the start': [
    'MODEL_BAD_GRAPH',
    single([{ shape: [4, 3] }, int32s([-1]), { shape: [1, 3] }], { code: 36, options: [23] }),
  ],
  'a slice past the end': [
    'MODEL_BAD_GRAPH',
    single([{ shape: [4] }, int32s([3]), int32s([2]), { shape: [2] }], { code: 65 }),
  ],
  'a mirror wider than the input': [
    'MODEL_BAD_GRAPH',
    single([{ shape: [3] }, int32s([3, 0]), { shape: [6] }], { code: 100, options: [77] }),
  ],
  'splits that do not add up': [
    'MODEL_BAD_GRAPH',
    single([{ shape: [4] }, int32s([2]), int32s([0]), { shape: [2] }], {
      code: 102,
      options: [79, ['i32', 0, 1]],
    }),
  ],
  'more parts than the options say': [
    'MODEL_BAD_OPTION',
    single([{ shape: [4] }, { shape: [4] }], { code: 88, options: [64, ...ints({ 0: 4 })] }),
  ],
  'blocks of 65535 x 65535': [
    'MODEL_BAD_GRAPH',
    single([{ shape: [1, 4, 4, 4] }, { shape: [1, 4, 4, 4] }], { code: 5, options: [94, ['i32', 0, 65535]] }),
  ],
  'blocks of no pixels': [
    'MODEL_BAD_GRAPH',
    single([{ shape: [4, 4, 4, 4] }, int32s([2, 0]), int32s([0, 0, 0, 0]), { shape: [1, 8, 8, 4] }], {
      code: 37,
    }),
  ],
  'a copy of 2^31 elements': [
    'MODEL_TOO_LARGE',
    single([{ shape: [1] }, int32s([1 << 16, 1 << 15]), { shape: [1, 1] }], { code: 130 }),
  ],
  'the largest half of a million, for minutes': [
    'MODEL_TOO_LARGE',
    {
      tensors: [
        { shape: [1, 1 << 20] },
        int32s([1 << 19]),
        { shape: [1, 1 << 19] },
        { shape: [1, 1 << 19], dtype: 'int32' },
      ],
      operators: [{ code: 48, inputs: [0, 1], outputs: [2, 3] }],
      inputs: [0],
      outputs: [2],
    },
  ],
  'a transposed convolution of minutes': [
    'MODEL_TOO_LARGE',
    single(
      [
        { shape: [1, 1000, 1000, 16] },
        { shape: [16, 15, 15, 16], data: Array(16 * 15 * 15 * 16).fill(1) },
        int32s([1, 1000, 1000, 16]),
        { shape: [1, 1000, 1000, 16] },
      ],
      { code: 67, options: [49, ...ints({ 1: 1, 2: 1 })] },
      [2, 1, 0],
    ),
  ],
  'a transposed convolution without options': [
    'MODEL_BAD_OPTION',
    single(
      [
        { shape: [1, 2, 2, 1] },
        { shape: [1, 1, 1, 1], data: [1] },
        { shape: [1], data: [0] },
        { shape: [1, 2, 2, 1] },
      ],
      {
        code: 32,
        custom: 'Convolution2DTransposeBias',
      },
    ),
  ],
  'classes ranked for minutes': [
    'MODEL_TOO_LARGE',
    postprocess(1000, { max_detections: 1000, max_classes_per_detection: 20000, num_classes: 20000 }, 20000),
  ],
};
