// The evaluator's operators that move, repeat, reduce or resize elements.
import { sizeOf } from '../../shared/numbers.js';
import { axisFrom, forEach, numbers, pick, reshape, stepsOf } from './arrays.js';

/**
 * @typedef {import('./arrays.js').Numbers} Numbers
 * @typedef {import('../graph/graph.js').Node} Node
 */

/** @param {Numbers} x @param {ArrayLike<number>} order */
export function transpose(x, order) {
  const steps = stepsOf(x.shape);
  const axes = Array.from(order);
  return pick(
    x,
    axes.map((d) => x.shape[d]),
    axes.map((d) => steps[d]),
  );
}

/** @param {Numbers} x @param {number} axis @param {number} start @param {number} length */
export function part(x, axis, start, length) {
  const steps = stepsOf(x.shape);
  return pick(x, x.shape.with(axis, length), steps, start * steps[axis]);
}

/** @param {Numbers[]} parts @param {number} axis */
export function join(parts, axis) {
  const at = axisFrom(axis, parts[0].shape.length);
  const shape = parts[0].shape.with(
    at,
    parts.reduce((sum, { shape: { [at]: size } }) => sum + size, 0),
  );
  const result = numbers(shape);
  const outer = sizeOf(shape.slice(0, at));
  let to = 0;
  for (let i = 0; i < outer; i++) {
    for (const { data } of parts) {
      const length = data.length / outer;
      result.data.set(data.subarray(i * length, (i + 1) * length), to);
      to += length;
    }
  }
  return result;
}

/** @param {Numbers} x @param {ArrayLike<number>} axes @returns {number[]} */
const axesIn = (x, axes) => Array.from(axes, (axis) => axisFrom(axis, x.shape.length));

/**
 * @param {Node} node
 * @param {Numbers} x
 * @param {Numbers} along
 * @param {(a: number, b: number) => number} f
 * @param {number} start
 */
export function reduce(node, x, along, f, start) {
  const axes = axesIn(x, along.data);
  const kept = x.shape.map((size, d) => (axes.includes(d) ? 1 : size));
  const steps = stepsOf(kept).map((step, d) => (axes.includes(d) ? 0 : step));
  const result = numbers(kept);
  result.data.fill(start);
  forEach(x.shape, steps, 0, (from, to) => {
    result.data[to] = f(result.data[to], x.data[from]);
  });
  if (node.bool('keep_dims') || node.bool('keepdims')) return result;
  return numbers(
    x.shape.filter((_, d) => !axes.includes(d)),
    result.data,
  );
}

/** @param {Numbers} x @param {number} at */
export function argMax(x, at) {
  const axis = axisFrom(at, x.shape.length);
  const inner = sizeOf(x.shape.slice(axis + 1));
  const length = x.shape[axis];
  const result = numbers(x.shape.toSpliced(axis, 1));
  result.data.forEach((_, i) => {
    const first = Math.floor(i / inner) * length * inner + (i % inner);
    for (let k = 1; k < length; k++)
      if (x.data[first + k * inner] > x.data[first + result.data[i] * inner]) result.data[i] = k;
  });
  return result;
}

/** @param {Numbers} x @param {(row: Float64Array) => void} change a row of the last axis, in place */
export function perRow(x, change) {
  const result = numbers(x.shape, x.data.slice());
  const length = /** @type {number} */ (x.shape.at(-1));
  for (let at = 0; at < result.data.length; at += length) change(result.data.subarray(at, at + length));
  return result;
}

/** @param {Float64Array} row */
export function softmax(row) {
  const largest = row.reduce((a, b) => Math.max(a, b));
  row.forEach((value, i) => {
    row[i] = Math.exp(value - largest);
  });
  const sum = row.reduce((a, b) => a + b);
  row.forEach((value, i) => {
    row[i] = value / sum;
  });
}

/**
 * @param {Numbers} x
 * @param {ArrayLike<number>} pads before and after for each axis
 * @param {(at: number, size: number) => number} place of an element that lies outside the axis; -1: `fill`
 * @param {number} fill
 */
export function pad(x, pads, place, fill) {
  const shape = x.shape.map((size, d) => size + pads[2 * d] + pads[2 * d + 1]);
  const own = stepsOf(x.shape);
  const result = numbers(shape);
  const steps = stepsOf(shape);
  result.data.forEach((_, i) => {
    let from = 0;
    for (let d = 0; d < shape.length; d++) {
      const at = (Math.floor(i / steps[d]) % shape[d]) - pads[2 * d];
      const inside = at >= 0 && at < x.shape[d] ? at : place(at, x.shape[d]);
      from = inside < 0 || from < 0 ? -1 : from + inside * own[d];
    }
    result.data[i] = from < 0 ? fill : x.data[from];
  });
  return result;
}

/** Where MirrorPad finds an element outside the axis. @param {boolean} isSymmetric repeats the border */
export const mirror = (isSymmetric) => (/** @type {number} */ at, /** @type {number} */ size) => {
  const border = Number(isSymmetric);
  return at < 0 ? -at - border : 2 * size - 2 - at + border;
};

/** @param {Numbers} x @param {ArrayLike<number>} times */
export function tile(x, times) {
  return Array.from(times).reduce(
    (tiled, repeat, d) =>
      join(
        Array.from({ length: repeat }, () => tiled),
        d,
      ),
    x,
  );
}

/**
 * @param {Numbers} x
 * @param {Numbers} indices
 * @param {number} at
 * @param {number} batchDims so many first dimensions are the same for both
 * @returns {Numbers}
 */
export function gather(x, indices, at, batchDims) {
  const axis = axisFrom(at, x.shape.length);
  const shape = [...x.shape.slice(0, axis), ...indices.shape.slice(batchDims), ...x.shape.slice(axis + 1)];
  if (batchDims === 0) {
    const parts = Array.from(indices.data, (index) => part(x, axis, axisFrom(index, x.shape[axis]), 1));
    return reshape(join(parts, axis), shape);
  }
  const rows = Array.from({ length: x.shape[0] }, (_, i) => {
    const [row, list] = [x, indices].map((each) => reshape(part(each, 0, i, 1), each.shape.slice(1)));
    const { shape: of, data } = gather(row, list, axis - 1, batchDims - 1);
    return numbers([1, ...of], data);
  });
  return reshape(join(rows, 0), shape);
}

/** @param {Numbers} x @param {Numbers} indices */
export function gatherNd(x, indices) {
  const depth = /** @type {number} */ (indices.shape.at(-1));
  const steps = stepsOf(x.shape);
  const block = sizeOf(x.shape.slice(depth));
  const result = numbers([...indices.shape.slice(0, -1), ...x.shape.slice(depth)]);
  for (let i = 0; i < indices.data.length / depth; i++) {
    let from = 0;
    for (let d = 0; d < depth; d++) {
      const index = indices.data[i * depth + d];
      if (index < 0 || index >= x.shape[d]) throw new Error(`index ${index} of ${x.shape[d]}`);
      from += index * steps[d];
    }
    result.data.set(x.data.subarray(from, from + block), i * block);
  }
  return result;
}

/** The k largest of each row, the first of equal ones first, and their places. @param {Numbers} x @param {number} k */
export function topK(x, k) {
  const length = /** @type {number} */ (x.shape.at(-1));
  const values = numbers(x.shape.with(-1, k));
  const places = numbers(x.shape.with(-1, k));
  for (let row = 0; row < x.data.length / length; row++) {
    const numbersOf = x.data.subarray(row * length, (row + 1) * length);
    const order = Array.from(numbersOf, (_, i) => i).sort((a, b) => numbersOf[b] - numbersOf[a] || a - b);
    for (let i = 0; i < k; i++) {
      values.data[row * k + i] = numbersOf[order[i]];
      places.data[row * k + i] = order[i];
    }
  }
  return [values, places];
}

/** @param {Numbers[]} inputs places, the shape, the values, and the value of all other places */
export function sparseToDense([places, shape, values, fill]) {
  const result = numbers([...shape.data]);
  result.data.fill(fill.data[0]);
  const depth = shape.data.length;
  const steps = stepsOf(result.shape);
  for (let i = 0; i < places.data.length / depth; i++) {
    const to = steps.reduce((sum, step, d) => sum + step * places.data[i * depth + d], 0);
    result.data[to] = values.data[values.data.length === 1 ? 0 : i];
  }
  return result;
}

/**
 * Python's x[begin:end:step, ..., newaxis], as TensorFlow's masks write it.
 * @param {Node} node
 * @param {Numbers} x
 * @param {Float64Array[]} bounds begin, end and step
 */
export function stridedSlice(node, x, [begin, end, by]) {
  const bit = (/** @type {string} */ name, /** @type {number} */ i) => (node.int(`${name}_mask`, 0) >> i) & 1;
  const specs = Array.from(begin, (_, i) => i);
  const given = specs.filter((i) => !bit('ellipsis', i) && !bit('new_axis', i)).length;
  const own = stepsOf(x.shape);
  /** @type {number[]} */ const shape = [];
  /** @type {number[]} */ const steps = [];
  let axis = 0;
  let start = 0;
  const takeWhole = (/** @type {number} */ axes) => {
    for (; axes > 0; axes--, axis++) {
      shape.push(x.shape[axis]);
      steps.push(own[axis]);
    }
  };
  for (const i of specs) {
    if (bit('ellipsis', i)) takeWhole(x.shape.length - given);
    else if (bit('new_axis', i)) {
      shape.push(1);
      steps.push(0);
    } else {
      const size = x.shape[axis];
      const index = (/** @type {number} */ value) => (value < 0 ? value + size : value);
      if (bit('shrink_axis', i)) start += index(begin[i]) * own[axis];
      else {
        const indices = Array.from({ length: size }, (_, k) => k);
        const from = bit('begin', i) ? (by[i] > 0 ? 0 : size - 1) : index(begin[i]);
        const to = bit('end', i) ? (by[i] > 0 ? size : -1) : index(end[i]);
        const taken =
          by[i] > 0
            ? indices.filter((k) => k >= from && k < to && (k - Math.max(from, 0)) % by[i] === 0)
            : indices.filter((k) => k <= from && k > to && (Math.min(from, size - 1) - k) % -by[i] === 0);
        start += (by[i] > 0 ? (taken[0] ?? 0) : (taken.at(-1) ?? 0)) * own[axis];
        shape.push(taken.length);
        steps.push(own[axis] * by[i]);
      }
      axis++;
    }
  }
  takeWhole(x.shape.length - axis);
  const result = pick(x, shape, steps, start);
  return result;
}

/** @param {Numbers} x @param {number} block @param {boolean} isToSpace */
export function moveBlocks(x, block, isToSpace) {
  const [n, h, w, c] = x.shape;
  const shape = isToSpace
    ? [n, h * block, w * block, c / block ** 2]
    : [n, h / block, w / block, c * block ** 2];
  const result = numbers(shape);
  const [space, depth] = isToSpace ? [shape, x.shape] : [x.shape, shape];
  for (let i = 0; i < x.data.length; i++) {
    const at = stepsOf(space).map((step, d) => Math.floor(i / step) % space[d]);
    const channel = ((at[1] % block) * block + (at[2] % block)) * space[3] + at[3];
    const there =
      ((at[0] * depth[1] + Math.floor(at[1] / block)) * depth[2] + Math.floor(at[2] / block)) * depth[3] +
      channel;
    if (isToSpace) result.data[i] = x.data[there];
    else result.data[there] = x.data[i];
  }
  return result;
}

/** @param {Numbers} x @param {ArrayLike<number>} block @param {ArrayLike<number>} pads */
export function spaceToBatch(x, block, pads) {
  const [bh, bw] = [block[0], block[1] ?? 1];
  const padded = pad(x, [0, 0, ...Array.from(pads), ...new Array(8).fill(0)].slice(0, 8), () => -1, 0);
  const [n, h, w, c] = padded.shape;
  const blocks = numbers([n, h / bh, bh, w / bw, bw, c], padded.data);
  return reshape(transpose(blocks, [2, 4, 0, 1, 3, 5]), [n * bh * bw, h / bh, w / bw, c]);
}

/** @param {Numbers} x @param {ArrayLike<number>} block @param {ArrayLike<number>} crops */
export function batchToSpace(x, block, crops) {
  const [bh, bw] = [block[0], block[1] ?? 1];
  const [n, h, w, c] = x.shape;
  const blocks = numbers([bh, bw, n / (bh * bw), h, w, c], x.data);
  const whole = reshape(transpose(blocks, [2, 3, 0, 4, 1, 5]), [n / (bh * bw), h * bh, w * bw, c]);
  const rows = part(whole, 1, crops[0], h * bh - crops[0] - crops[1]);
  return part(rows, 2, crops[2] ?? 0, w * bw - (crops[2] ?? 0) - (crops[3] ?? 0));
}

/**
 * @param {Node} node
 * @param {Numbers} x
 * @param {ArrayLike<number>} size
 * @param {boolean} isBilinear
 */
export function resize(node, x, size, isBilinear) {
  const [n, h, w, c] = x.shape;
  const [rows, columns] = [taps(node, h, size[0], isBilinear), taps(node, w, size[1], isBilinear)];
  const result = numbers([n, size[0], size[1], c]);
  let to = 0;
  for (let image = 0; image < n; image++) {
    for (const row of rows) {
      for (const column of columns) {
        for (let channel = 0; channel < c; channel++) {
          let sum = 0;
          for (const [y, v] of row)
            for (const [z, u] of column) sum += u * v * x.data[((image * h + y) * w + z) * c + channel];
          result.data[to++] = sum;
        }
      }
    }
  }
  return result;
}

/**
 * The source pixels and their weights, for each pixel of one axis.
 * @param {Node} node
 * @param {number} from
 * @param {number} to
 * @param {boolean} isBilinear
 * @returns {[number, number][][]}
 */
function taps(node, from, to, isBilinear) {
  const alignsCorners = node.bool('align_corners');
  const isHalf = node.bool('half_pixel_centers');
  const scale = alignsCorners && to > 1 ? (from - 1) / (to - 1) : from / to;
  return Array.from({ length: to }, (_, i) => {
    if (!isBilinear) {
      // In floats, as TensorFlow computes it: what lies between two pixels depends on how it is rounded.
      const place = Math.fround((i + (isHalf ? 0.5 : 0)) * Math.fround(scale));
      return [[Math.min(alignsCorners ? Math.round(place) : Math.floor(place), from - 1), 1]];
    }
    const inside = Math.max(isHalf ? (i + 0.5) * scale - 0.5 : i * scale, 0);
    const first = Math.min(Math.floor(inside), from - 1);
    const weight = inside - Math.floor(inside);
    return [
      [first, 1 - weight],
      [Math.min(first + 1, from - 1), weight],
    ];
  });
}
