// The evaluator's convolutions, matrix products and pooling.
import { numbers } from './arrays.js';

/**
 * @typedef {import('./arrays.js').Numbers} Numbers
 * @typedef {import('../graph/graph.js').Node} Node
 *
 * @typedef {object} Axis How a window moves along height or width.
 * @property {number} size of the input
 * @property {number} output
 * @property {number} stride
 * @property {number} dilation
 * @property {number} before padding
 */

/**
 * @param {Node} node
 * @param {number} d 1: height, 2: width
 * @param {number} size
 * @param {number} kernel
 * @returns {Axis}
 */
function axisOf(node, d, size, kernel) {
  const stride = node.ints('strides')[d] ?? 1;
  const dilation = node.ints('dilations')[d] ?? 1;
  const reach = (kernel - 1) * dilation + 1;
  const padding = node.string('padding', 'VALID');
  if (padding === 'SAME') {
    const output = Math.ceil(size / stride);
    const total = Math.max((output - 1) * stride + reach - size, 0);
    return { size, output, stride, dilation, before: Math.floor(total / 2) };
  }
  const pads = padding === 'EXPLICIT' ? node.ints('explicit_paddings').slice(2 * d, 2 * d + 2) : [0, 0];
  const output = Math.floor((size + pads[0] + pads[1] - reach) / stride) + 1;
  return { size, output, stride, dilation, before: pads[0] };
}

/**
 * @param {Node} node
 * @param {Numbers} x
 * @param {number[]} kernel height and width
 */
function axesOf(node, { shape }, kernel) {
  if (shape.length !== 4 || node.string('data_format', 'NHWC') !== 'NHWC')
    throw new Error('only NHWC images are evaluated');
  return [axisOf(node, 1, shape[1], kernel[0]), axisOf(node, 2, shape[2], kernel[1])];
}

/**
 * Calls `visit` for each output place and each tap of its window that lies in the image.
 * @param {[number, number[]]} batch number of images, and height and width of the kernel
 * @param {Axis[]} axes
 * @param {(output: number, input: number, tap: number) => void} visit numbers of pixels and of the tap
 */
function forEachTap([images, [height, width]], [rows, columns], visit) {
  for (let n = 0; n < images; n++) {
    for (let y = 0; y < rows.output; y++) {
      for (let x = 0; x < columns.output; x++) {
        const to = (n * rows.output + y) * columns.output + x;
        for (let ky = 0; ky < height; ky++) {
          const row = y * rows.stride + ky * rows.dilation - rows.before;
          if (row < 0 || row >= rows.size) continue;
          for (let kx = 0; kx < width; kx++) {
            const column = x * columns.stride + kx * columns.dilation - columns.before;
            if (column < 0 || column >= columns.size) continue;
            visit(to, (n * rows.size + row) * columns.size + column, ky * width + kx);
          }
        }
      }
    }
  }
}

/**
 * sums[to + o] += sum over i of x[from + i] * w[at + i * outputs + o]
 * @param {Float64Array} sums @param {number} to @param {number} outputs
 * @param {Float64Array} x @param {number} from @param {number} inputs
 * @param {Float64Array} w @param {number} at
 */
function accumulate(sums, to, outputs, x, from, inputs, w, at) {
  let i = 0;
  for (; i + 3 < inputs; i += 4) {
    const [x0, x1, x2, x3] = [x[from + i], x[from + i + 1], x[from + i + 2], x[from + i + 3]];
    const w0 = at + i * outputs;
    const w1 = w0 + outputs;
    const w2 = w1 + outputs;
    const w3 = w2 + outputs;
    for (let o = 0; o < outputs; o++)
      sums[to + o] += x0 * w[w0 + o] + x1 * w[w1 + o] + x2 * w[w2 + o] + x3 * w[w3 + o];
  }
  for (; i < inputs; i++)
    for (let o = 0; o < outputs; o++) sums[to + o] += x[from + i] * w[at + i * outputs + o];
}

/** @param {Node} node @param {Numbers} x @param {Numbers} kernel [H, W, I, O] */
export function convolve(node, x, kernel) {
  const [height, width, inputs, outputs] = kernel.shape;
  const channels = x.shape[3];
  const groups = channels / inputs;
  if (groups > 1) return convolveGroups(node, x, kernel, groups);
  const axes = axesOf(node, x, kernel.shape);
  const result = numbers([x.shape[0], axes[0].output, axes[1].output, outputs]);
  forEachTap([x.shape[0], [height, width]], axes, (to, from, tap) =>
    accumulate(
      result.data,
      to * outputs,
      outputs,
      x.data,
      from * channels,
      inputs,
      kernel.data,
      tap * inputs * outputs,
    ),
  );
  return result;
}

/** @param {Node} node @param {Numbers} x @param {Numbers} kernel @param {number} groups */
function convolveGroups(node, x, { shape, data }, groups) {
  const [height, width, inputs, outputs] = shape;
  const channels = x.shape[3];
  const each = outputs / groups;
  const axes = axesOf(node, x, shape);
  const result = numbers([x.shape[0], axes[0].output, axes[1].output, outputs]);
  forEachTap([x.shape[0], [height, width]], axes, (to, from, tap) => {
    for (let o = 0; o < outputs; o++) {
      const first = from * channels + Math.floor(o / each) * inputs;
      let sum = 0;
      for (let i = 0; i < inputs; i++) sum += x.data[first + i] * data[(tap * inputs + i) * outputs + o];
      result.data[to * outputs + o] += sum;
    }
  });
  return result;
}

/** @param {Node} node @param {Numbers} x @param {Numbers} kernel [H, W, C, M] */
export function convolveDepthwise(node, x, { shape, data }) {
  const [height, width, channels, multiplier] = shape;
  const outputs = channels * multiplier;
  const axes = axesOf(node, x, shape);
  const result = numbers([x.shape[0], axes[0].output, axes[1].output, outputs]);
  forEachTap([x.shape[0], [height, width]], axes, (to, from, tap) => {
    let o = to * outputs;
    let w = tap * outputs;
    for (let c = from * channels; c < (from + 1) * channels; c++)
      for (let m = 0; m < multiplier; m++) result.data[o++] += x.data[c] * data[w++];
  });
  return result;
}

/**
 * The gradient of a convolution with respect to its input, which is a transposed convolution.
 * @param {Node} node
 * @param {number[]} shape of the result
 * @param {Numbers} kernel [H, W, O, I]
 * @param {Numbers} x
 */
export function convolveTransposed(node, shape, kernel, x) {
  const [height, width, outputs, inputs] = kernel.shape;
  const result = numbers(shape);
  const axes = axesOf(node, result, kernel.shape);
  forEachTap([shape[0], [height, width]], axes, (from, to, tap) => {
    for (let o = 0; o < outputs; o++) {
      let sum = 0;
      for (let i = 0; i < inputs; i++)
        sum += x.data[from * inputs + i] * kernel.data[(tap * outputs + o) * inputs + i];
      result.data[to * outputs + o] += sum;
    }
  });
  return result;
}

/** @param {Node} node @param {Numbers} x @param {boolean} isMax */
export function pool(node, x, isMax) {
  const kernel = node.ints('ksize').slice(1);
  const channels = x.shape[3];
  const axes = axesOf(node, x, kernel);
  const result = numbers([x.shape[0], axes[0].output, axes[1].output, channels]);
  if (isMax) result.data.fill(Number.NEGATIVE_INFINITY);
  const taps = new Float64Array(result.data.length / channels);
  forEachTap([x.shape[0], kernel], axes, (to, from) => {
    taps[to]++;
    for (let c = 0; c < channels; c++) {
      const [at, value] = [to * channels + c, x.data[from * channels + c]];
      result.data[at] = isMax ? Math.max(result.data[at], value) : result.data[at] + value;
    }
  });
  if (!isMax) for (let i = 0; i < result.data.length; i++) result.data[i] /= taps[Math.floor(i / channels)];
  return result;
}

/**
 * [..., I] x [I, O], or [O, I] if the second operand is transposed.
 * @param {Numbers} x
 * @param {Numbers} w
 * @param {boolean} isTransposed
 */
export function product(x, w, isTransposed) {
  if (w.shape.length !== 2) throw new Error('only products with one matrix are evaluated');
  const [inputs, outputs] = isTransposed ? w.shape.toReversed() : w.shape;
  if (x.shape.at(-1) !== inputs) throw new Error(`[${x.shape}] times [${w.shape}]`);
  const result = numbers([...x.shape.slice(0, -1), outputs]);
  const rows = x.data.length / inputs;
  for (let row = 0; row < rows; row++) {
    if (!isTransposed) {
      accumulate(result.data, row * outputs, outputs, x.data, row * inputs, inputs, w.data, 0);
      continue;
    }
    for (let o = 0; o < outputs; o++) {
      let sum = 0;
      for (let i = 0; i < inputs; i++) sum += x.data[row * inputs + i] * w.data[o * inputs + i];
      result.data[row * outputs + o] = sum;
    }
  }
  return result;
}
