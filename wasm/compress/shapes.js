// Which elements of an operator's input an element of its output comes from.
import { sizeOf } from '../shared/numbers.js';

/** Distance between neighbours along each dimension. @param {number[]} shape */
function stridesOf(shape) {
  const strides = shape.map(() => 1);
  for (let d = shape.length - 2; d >= 0; d--) strides[d] = strides[d + 1] * shape[d + 1];
  return strides;
}

/**
 * @param {number[]} shape walked in order
 * @param {number[]} steps the index's step along each dimension
 * @returns {Int32Array} the index at each element
 */
function walk(shape, steps) {
  const indices = new Int32Array(sizeOf(shape));
  const position = shape.map(() => 0);
  for (let i = 0, index = 0; i < indices.length; i++) {
    indices[i] = index;
    for (let d = shape.length - 1; d >= 0; d--) {
      index += steps[d];
      if (++position[d] < shape[d]) break;
      index -= steps[d] * shape[d];
      position[d] = 0;
    }
  }
  return indices;
}

/**
 * Broadcasting: for each element of `output`, the index of its element of `input`.
 * @param {number[]} input shape
 * @param {number[]} output shape
 */
export function broadcastMap(input, output) {
  const strides = stridesOf(input);
  const missing = output.length - input.length;
  const steps = output.map((_, d) => (d < missing || input[d - missing] === 1 ? 0 : strides[d - missing]));
  return walk(output, steps);
}

/**
 * Reduction: for each element of `input`, the index of the element of the output that it is part of.
 * @param {number[]} input shape
 * @param {number[]} axes that are reduced; negative ones count from the end
 */
export function reductionMap(input, axes) {
  const reduced = new Set(axes.map((axis) => (axis + input.length) % input.length));
  const strides = stridesOf(input.map((size, d) => (reduced.has(d) ? 1 : size)));
  return walk(
    input,
    strides.map((stride, d) => (reduced.has(d) ? 0 : stride)),
  );
}

/**
 * The padding before the first element, and the number of outputs, of a window that slides along one axis.
 * @param {'SAME' | 'VALID'} padding
 * @param {{size: number, out: number, window: number, stride: number}} axis window: taps with their dilation
 */
export function paddingBefore(padding, { size, out, window, stride }) {
  return padding === 'VALID' ? 0 : Math.max(0, Math.floor(((out - 1) * stride + window - size) / 2));
}
