// Arrays of the evaluator: shape and numbers in double precision, in C order; and walking them.
import { sizeOf } from '../../shared/numbers.js';

/**
 * @typedef {{shape: number[], data: Float64Array}} Numbers
 */

/** @param {number[]} shape @param {Float64Array} [data] @returns {Numbers} */
export const numbers = (shape, data = new Float64Array(sizeOf(shape))) => ({ shape, data });

/** @param {readonly number[]} shape */
export function stepsOf(shape) {
  const steps = new Array(shape.length).fill(1);
  for (let d = shape.length - 1; d > 0; d--) steps[d - 1] = steps[d] * shape[d];
  return steps;
}

/** @param {number} axis @param {number} rank */
export const axisFrom = (axis, rank) => (axis < 0 ? axis + rank : axis);

/**
 * Calls `visit` with the place of each element of `shape` in an array with these steps.
 * @param {readonly number[]} shape
 * @param {readonly number[]} steps
 * @param {number} start
 * @param {(to: number, from: number) => void} visit
 */
export function forEach(shape, steps, start, visit) {
  const total = sizeOf(shape);
  const at = new Array(shape.length).fill(0);
  let place = start;
  for (let to = 0; to < total; to++) {
    visit(to, place);
    let d = shape.length - 1;
    for (; d >= 0 && ++at[d] === shape[d]; d--) {
      place -= steps[d] * (shape[d] - 1);
      at[d] = 0;
    }
    if (d >= 0) place += steps[d];
  }
}

/**
 * A copy of the elements that a shape and steps pick.
 * @param {Numbers} x
 * @param {number[]} shape
 * @param {number[]} steps
 * @param {number} [start]
 */
export function pick({ data }, shape, steps, start = 0) {
  const picked = numbers(shape);
  forEach(shape, steps, start, (to, from) => {
    picked.data[to] = data[from];
  });
  return picked;
}

/** @param {readonly number[]} a @param {readonly number[]} b */
export function commonShape(a, b) {
  const rank = Math.max(a.length, b.length);
  const sizes = (/** @type {readonly number[]} */ shape) => [
    ...new Array(rank - shape.length).fill(1),
    ...shape,
  ];
  const [x, y] = [sizes(a), sizes(b)];
  return x.map((size, d) => {
    if (size !== y[d] && size !== 1 && y[d] !== 1) throw new Error(`[${a}] and [${b}] do not broadcast`);
    return size === 1 ? y[d] : size;
  });
}

/** @param {Numbers} x @param {number[]} shape */
export function expand(x, shape) {
  const missing = shape.length - x.shape.length;
  const own = stepsOf(x.shape);
  const steps = shape.map((_, d) => (d < missing || x.shape[d - missing] === 1 ? 0 : own[d - missing]));
  return pick(x, shape, steps);
}

/**
 * @param {Numbers} a
 * @param {Numbers} b
 * @param {(a: number, b: number) => number} f
 * @param {Float64Array} [into] the numbers of `a`; overwritten if the result has as many
 */
export function combine(a, b, f, into) {
  const shape = commonShape(a.shape, b.shape);
  const result = numbers(shape, into?.length === sizeOf(shape) ? into : undefined);
  const { data } = result;
  const periodA = repeats(a.shape, shape);
  const periodB = repeats(b.shape, shape);
  const x = periodA ? a.data : expand(a, shape).data;
  const y = periodB ? b.data : expand(b, shape).data;
  let [i, j] = [0, 0];
  for (let k = 0; k < data.length; k++) {
    data[k] = f(x[i], y[j]);
    if (++i === x.length) i = 0;
    if (++j === y.length) j = 0;
  }
  return result;
}

/** Whether broadcasting only repeats the whole array. @param {readonly number[]} from @param {readonly number[]} to */
function repeats(from, to) {
  const own = from.slice(from.findIndex((size) => size !== 1));
  return sizeOf(from) === 1 || String(to.slice(to.length - own.length)) === String(own);
}

/** @param {Numbers} x @param {(value: number) => number} f @param {Float64Array} [into] may be the numbers of `x` */
export function map({ shape, data }, f, into) {
  const result = numbers(shape, into);
  for (let i = 0; i < data.length; i++) result.data[i] = f(data[i]);
  return result;
}

/** @param {Numbers} x @param {number[]} shape with at most one -1 */
export function reshape(x, shape) {
  const known = sizeOf(shape.filter((size) => size !== -1));
  const full = shape.map((size) => (size === -1 ? x.data.length / known : size));
  if (sizeOf(full) !== x.data.length) throw new Error(`${x.data.length} elements do not fit [${shape}]`);
  return numbers(full, x.data);
}
