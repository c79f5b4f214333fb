// Networks of one convolution [1, 4, 4, 3] -> [1, 2, 2, 6], as scores [1, 8, 3] of two anchors for each pixel: for
// test_graph.c, which keeps some of the three columns. In every form that weights have.

/** @typedef {import('../../fuzz/tiny_models.js').TinyTensor} TinyTensor */

const [CONV_2D, RESHAPE] = [3, 22];
const [INPUTS, OUTPUTS, TAPS] = [3, 6, 4];

const whole = (/** @type {number} */ count, /** @type {number} */ least, /** @type {number} */ numbers) =>
  Array.from({ length: count }, (_, i) => least + ((i * 37 + 11) % numbers));
const scales = Array.from({ length: OUTPUTS }, (_, i) => (i + 2) / 128);

/**
 * @param {Omit<TinyTensor, 'shape'>} map of the input and of the output
 * @param {Omit<TinyTensor, 'shape'>} kernel
 * @param {Omit<TinyTensor, 'shape'>} bias
 */
const network = (map, kernel, bias) => ({
  tensors: /** @type {TinyTensor[]} */ ([
    { ...map, shape: [1, 4, 4, INPUTS] },
    { ...kernel, shape: [OUTPUTS, 2, 2, INPUTS] },
    { ...bias, shape: [OUTPUTS] },
    { ...map, shape: [1, 2, 2, OUTPUTS] },
    { shape: [3], dtype: 'int32', data: [1, 8, 3] },
    { ...map, shape: [1, 8, 3] },
  ]),
  operators: [
    {
      ...{ code: CONV_2D, inputs: [0, 1, 2], outputs: [3] },
      options: /** @type {any} */ ([1, ['i32', 1, 2], ['i32', 2, 2], ['i32', 4, 1], ['i32', 5, 1]]),
    },
    { code: RESHAPE, inputs: [3, 4], outputs: [5] },
  ],
  inputs: [0],
  outputs: [5],
});

const int8 = /** @type {const} */ ({ dtype: 'int8', data: whole(OUTPUTS * TAPS * INPUTS, -127, 255) });
const uint8 = /** @type {const} */ ({ dtype: 'uint8', data: whole(OUTPUTS * TAPS * INPUTS, 0, 256) });
const floats = { data: whole(OUTPUTS * TAPS * INPUTS, -50, 100).map((value) => value / 64) };
const sums = /** @type {const} */ ({ dtype: 'int32', data: whole(OUTPUTS, -900, 1800) });
const reals = { data: whole(OUTPUTS, -8, 16) };

export const COLUMN_NETWORKS = {
  float: network({}, floats, reals),
  hybrid: network({}, { ...int8, scale: scales }, reals),
  hybrid_of_one_scale: network({}, { ...int8, scale: 1 / 64 }, reals),
  int8: network({ dtype: 'int8', scale: 0.5, zeroPoint: 3 }, { ...int8, scale: scales }, sums),
  uint8: network(
    { dtype: 'uint8', scale: 0.5, zeroPoint: 120 },
    { ...uint8, scale: 1 / 64, zeroPoint: 128 },
    sums,
  ),
};
