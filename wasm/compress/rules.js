// The backward pass of each operator: the gradient of its inputs from that of its output.
import { int32sOf } from '../quantize/float_model.js';
import { BINARY, UNARY } from './derivatives.js';
import { broadcastMap, paddingBefore, reductionMap } from './shapes.js';

/**
 * @typedef {import('../quantize/file.js').Tensor} Tensor
 *
 * @typedef {object} Call An operator in the backward pass.
 * @property {string} kind
 * @property {Record<string, any>} options
 * @property {Tensor[]} inputs without absent ones
 * @property {Tensor[]} outputs
 * @property {(input: number) => Float32Array} x values of an input
 * @property {Float32Array} y values of the first output
 * @property {Float32Array} gradient of the loss by the first output, before its activation
 * @property {(input: number) => boolean} wants whether the gradient of an input is needed
 * @property {(input: number, gradient: Float32Array) => void} give adds to the gradient of an input
 * @property {(window: import('./backward.js').Window) => void} runWindow gives the gradients of a layer with weights
 */

/** @typedef {(call: Call) => void} Rule */

/** @param {Call} call */
function unary({ kind, options, x, y, gradient, give }) {
  const derivative = UNARY[kind];
  const input = x(0);
  give(
    0,
    gradient.map((value, i) => value * derivative(input[i], y[i], options.alpha)),
  );
}

/** @param {Call} call */
function binary({ kind, inputs, outputs, x, gradient, wants, give }) {
  const [a, b] = [x(0), x(1)];
  const maps = inputs.map(({ shape }) => broadcastMap(shape, outputs[0].shape));
  for (const side of [0, 1]) {
    if (!wants(side)) continue;
    const derivative = BINARY[kind][side];
    const sums = new Float64Array([a, b][side].length);
    for (let i = 0; i < gradient.length; i++)
      sums[maps[side][i]] += gradient[i] * derivative(a[maps[0][i]], b[maps[1][i]]);
    give(side, Float32Array.from(sums));
  }
}

/** MEAN and SUM. @param {Call} call */
function reduce({ kind, inputs: [input, axes], x, y, gradient, give }) {
  const map = reductionMap(input.shape, int32sOf(axes));
  const share = kind === 'MEAN' ? y.length / map.length : 1;
  give(
    0,
    x(0).map((_, i) => gradient[map[i]] * share),
  );
}

/** REDUCE_MAX and REDUCE_MIN. @param {Call} call */
function pick({ inputs: [input, axes], x, y, gradient, give }) {
  const map = reductionMap(input.shape, int32sOf(axes));
  give(
    0,
    x(0).map((value, i) => (value === y[map[i]] ? gradient[map[i]] : 0)),
  );
}

/**
 * Operators on vectors along the last dimension.
 * @param {(x: Float32Array, y: Float32Array, gradient: Float32Array, call: Call) => Float32Array} derive
 * @returns {Rule}
 */
function byVectors(derive) {
  return (call) => {
    const { x, y, gradient, outputs, give } = call;
    const length = outputs[0].shape.at(-1) ?? 1;
    const result = new Float32Array(y.length);
    for (let at = 0; at < y.length; at += length) {
      const [vx, vy, vg] = [x(0), y, gradient].map((values) => values.subarray(at, at + length));
      result.set(derive(vx, vy, vg, call), at);
    }
    give(0, result);
  };
}

/** @param {Float32Array} a @param {Float32Array} b */
function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

const softmax = byVectors((x, y, gradient, { options }) => {
  const mean = dot(y, gradient);
  return y.map((value, i) => options.beta * value * (gradient[i] - mean));
});

const normalize = byVectors((x, y, gradient) => {
  const length = Math.sqrt(dot(x, x)) || 1;
  const along = dot(y, gradient);
  return gradient.map((value, i) => (value - y[i] * along) / length);
});

/** @param {Call} call AVERAGE_POOL_2D or MAX_POOL_2D */
function pool({ kind, options, inputs: [input], outputs: [output], x, y, gradient, give }) {
  const values = x(0);
  const result = new Float32Array(values.length);
  const [, height, width, channels] = input.shape;
  const rows = spans(options.padding, height, output.shape[1], options.filterH, options.strideH);
  const columns = spans(options.padding, width, output.shape[2], options.filterW, options.strideW);
  for (let i = 0; i < y.length; i++) {
    const pixel = Math.floor(i / channels);
    const [top, bottom] = rows[Math.floor(pixel / columns.length) % rows.length];
    const [left, right] = columns[pixel % columns.length];
    const image = Math.floor(pixel / columns.length / rows.length);
    const share = gradient[i] / ((bottom - top) * (right - left));
    for (let row = top; row < bottom; row++) {
      for (let column = left; column < right; column++) {
        const at = ((image * height + row) * width + column) * channels + (i % channels);
        result[at] += kind === 'AVERAGE_POOL_2D' ? share : values[at] === y[i] ? gradient[i] : 0;
      }
    }
  }
  give(0, result);
}

/**
 * The inputs inside each position of a window along one axis.
 * @param {'SAME' | 'VALID'} padding
 * @param {number} size
 * @param {number} out
 * @param {number} window
 * @param {number} stride
 * @returns {[number, number][]} first, and one past the last
 */
function spans(padding, size, out, window, stride) {
  const before = paddingBefore(padding, { size, out, window, stride });
  return Array.from({ length: out }, (_, i) => {
    const first = i * stride - before;
    return [Math.max(first, 0), Math.min(first + window, size)];
  });
}

/** @param {Call} call */
function resizeBilinear({ options, inputs: [input], outputs: [output], x, gradient, give }) {
  const result = new Float32Array(x(0).length);
  const [, height, width, channels] = input.shape;
  const rows = blends(options, height, output.shape[1]);
  const columns = blends(options, width, output.shape[2]);
  for (let i = 0; i < gradient.length; i++) {
    const pixel = Math.floor(i / channels);
    const image = Math.floor(pixel / columns.length / rows.length);
    for (const [row, rowShare] of rows[Math.floor(pixel / columns.length) % rows.length])
      for (const [column, columnShare] of columns[pixel % columns.length])
        result[((image * height + row) * width + column) * channels + (i % channels)] +=
          gradient[i] * rowShare * columnShare;
  }
  give(0, result);
}

/**
 * The two inputs that each output of a bilinear resize blends along one axis, and their shares.
 * @param {Record<string, any>} options
 * @param {number} size
 * @param {number} out
 * @returns {[number, number][][]}
 */
function blends({ alignCorners, halfPixelCenters }, size, out) {
  const scale = alignCorners && out > 1 ? (size - 1) / (out - 1) : size / out;
  return Array.from({ length: out }, (_, i) => {
    const place = halfPixelCenters ? (i + 0.5) * scale - 0.5 : i * scale;
    const low = Math.max(0, Math.floor(place));
    const share = Math.max(0, place) - low;
    return [
      [Math.min(low, size - 1), 1 - share],
      [Math.min(low + 1, size - 1), share],
    ];
  });
}

/** @param {Call} call */
function convolution({ kind, options, inputs: [input, kernel], outputs: [output], runWindow }) {
  const [images, height, width, channels] = input.shape;
  const [, outHeight, outWidth, outChannels] = output.shape;
  const [, kernelHeight, kernelWidth, depth] = kernel.shape;
  const isDepthwise = kind === 'DEPTHWISE_CONV_2D';
  const { strideH: strideY, strideW: strideX, dilationH: dilationY, dilationW: dilationX, padding } = options;
  runWindow({
    ...{ images, height, width, channels, outHeight, outWidth, outChannels, kernelHeight, kernelWidth },
    ...{ strideY, strideX, dilationY, dilationX, isDepthwise },
    paddingTop: paddingBefore(padding, {
      ...{ size: height, out: outHeight, stride: strideY },
      window: (kernelHeight - 1) * dilationY + 1,
    }),
    paddingLeft: paddingBefore(padding, {
      ...{ size: width, out: outWidth, stride: strideX },
      window: (kernelWidth - 1) * dilationX + 1,
    }),
    groups: isDepthwise ? channels : channels / depth,
  });
}

/** @param {Call} call */
function fullyConnected({ inputs: [, kernel], y, runWindow }) {
  const [outChannels, channels] = kernel.shape;
  runWindow({
    ...{ images: y.length / outChannels, height: 1, width: 1, channels, outHeight: 1, outWidth: 1 },
    ...{ outChannels, kernelHeight: 1, kernelWidth: 1, strideY: 1, strideX: 1, dilationY: 1, dilationX: 1 },
    ...{ paddingTop: 0, paddingLeft: 0, groups: 1, isDepthwise: false },
  });
}

/** @param {string[]} kinds @param {Rule} rule */
const all = (kinds, rule) => Object.fromEntries(kinds.map((kind) => [kind, rule]));

/** By operator. Those that only move elements need no rule: see moves.js. @type {Record<string, Rule>} */
export const RULES = {
  ...all(Object.keys(UNARY), unary),
  ...all(Object.keys(BINARY), binary),
  ...all(['MEAN', 'SUM'], reduce),
  ...all(['REDUCE_MAX', 'REDUCE_MIN'], pick),
  ...all(['AVERAGE_POOL_2D', 'MAX_POOL_2D'], pool),
  ...all(['CONV_2D', 'DEPTHWISE_CONV_2D'], convolution),
  FULLY_CONNECTED: fullyConnected,
  SOFTMAX: softmax,
  L2_NORMALIZATION: normalize,
  RESIZE_BILINEAR: resizeBilinear,
};

/** Operators whose output does not change when their input changes a little. */
export const FLAT = ['FLOOR', 'CEIL', 'ROUND', 'SIGN', 'SHAPE', 'RANK', 'ZEROS_LIKE', 'ARG_MAX', 'ARG_MIN'];
