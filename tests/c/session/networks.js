// Networks for test_session.c that pass on what is written to them, so that the test chooses heads, maps and images.
import { encode } from 'flatbuffers/js/flexbuffers.js';

/** @typedef {import('../../fuzz/tiny_models.js').TinyTensor} TinyTensor */
/** @typedef {Parameters<typeof import('../../fuzz/tiny_models.js').writeModel>[0]} TinyNetwork */

const [ADD, RESHAPE, CUSTOM, GATHER] = [0, 22, 32, 36];
const BOXES = { shape: [1, 3, 4] };
const SCORES = { shape: [1, 3, 2] };
const INDEX = /** @type {TinyTensor} */ ({ shape: [1], dtype: 'int32' });
const number = (/** @type {number} */ value) => ({ shape: [1], data: [value] });
const shape = (/** @type {number[]} */ data) =>
  /** @type {TinyTensor} */ ({ shape: [data.length], dtype: 'int32', data });
const add = (/** @type {number} */ from, /** @type {number} */ constant, /** @type {number} */ to) => ({
  ...{ code: ADD, inputs: [from, constant], outputs: [to] },
});

/**
 * @param {'int8' | 'uint8'} dtype
 * @param {{boxes: number, scores: number}} zeroPoints
 * @returns {TinyNetwork}
 */
function heads8(dtype, zeroPoints) {
  const boxes = /** @type {TinyTensor} */ ({ ...BOXES, dtype, scale: 0.25, zeroPoint: zeroPoints.boxes });
  const scores = /** @type {TinyTensor} */ ({
    ...SCORES,
    dtype,
    scale: 1 / 64,
    zeroPoint: zeroPoints.scores,
  });
  return {
    tensors: [boxes, scores, shape([1, 3, 4]), shape([1, 3, 2]), boxes, scores],
    operators: [
      { code: RESHAPE, inputs: [0, 2], outputs: [4] },
      { code: RESHAPE, inputs: [1, 3], outputs: [5] },
    ],
    inputs: [0, 1],
    outputs: [4, 5],
  };
}

/** @type {Record<string, TinyNetwork>} by file */
export const SESSION_NETWORKS = {
  'heads.tflite': {
    tensors: [
      ...[BOXES, SCORES, { shape: [1, 2, 2, 3] }, number(0)],
      ...[BOXES, SCORES, { shape: [1, 2, 2, 3] }],
    ],
    operators: [add(0, 3, 4), add(1, 3, 5), add(2, 3, 6)],
    inputs: [0, 1, 2],
    outputs: [4, 5],
  },
  'heads_int8.tflite': heads8('int8', { boxes: -20, scores: 20 }),
  'heads_uint8.tflite': heads8('uint8', { boxes: 3, scores: 7 }),
  'postprocess.tflite': {
    tensors: [
      BOXES,
      SCORES,
      { shape: [3, 4], data: [0.3, 0.3, 0.4, 0.2, 0.75, 0.5, 0.5, 0.5, 0, 0.875, 0.5, 0.25] },
      ...[{ shape: [1, 3, 4] }, { shape: [1, 3] }, { shape: [1, 3] }, { shape: [1] }],
    ],
    operators: [
      {
        ...{ code: CUSTOM, custom: 'TFLite_Detection_PostProcess', inputs: [0, 1, 2], outputs: [3, 4, 5, 6] },
        customOptions: encode({
          ...{ max_detections: 3, max_classes_per_detection: 1, num_classes: 2, nms_score_threshold: 0 },
          ...{ nms_iou_threshold: 1, y_scale: 1, x_scale: 1, h_scale: 1, w_scale: 1 },
        }),
      },
    ],
    inputs: [0, 1],
    outputs: [3, 4, 5, 6],
  },
  'index.tflite': {
    tensors: [
      ...[BOXES, SCORES, number(0), { shape: [3], data: [1, 2, 3] }, INDEX],
      ...[BOXES, SCORES, { shape: [1] }],
    ],
    operators: [add(0, 2, 5), add(1, 2, 6), { code: GATHER, inputs: [3, 4], outputs: [7] }],
    inputs: [0, 1, 4],
    outputs: [5, 6, 7],
  },
  'free.tflite': {
    tensors: [
      ...[{ shape: [1, 2, 2, 3], signature: [-1, 2, 2, 3] }, number(1), number(2)],
      ...[{ shape: [1, 2, 2, 3] }, { shape: [1, 2, 2, 3] }],
    ],
    operators: [add(0, 1, 3), add(3, 2, 4)],
    inputs: [0],
    outputs: [4],
  },
};
