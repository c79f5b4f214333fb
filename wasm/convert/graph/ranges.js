// Resolves the masks and negative indices of a StridedSlice to a range for each axis.

/** @typedef {import('./graph.js').Node} Node */

/**
 * Returns for each axis its start, step and count, and whether it is kept, removed ('shrink') or new.
 * @param {Node} node
 * @param {number[]} shape
 * @param {number[][]} bounds begin, end and strides
 */
export function sliceRanges(node, shape, [begin, end, by]) {
  const mask = (/** @type {string} */ key, /** @type {number} */ d) => (node.int(key, 0) >> d) & 1;
  const ranges = [];
  let axis = 0;
  for (let d = 0; d < begin.length; d++) {
    if (mask('ellipsis_mask', d)) {
      const rest = begin.slice(d + 1).filter((_, k) => !mask('new_axis_mask', d + 1 + k)).length;
      while (axis < shape.length - rest)
        ranges.push({ start: 0, step: 1, count: shape[axis++], kind: 'keep' });
    } else if (mask('new_axis_mask', d)) {
      ranges.push({ start: 0, step: 1, count: 1, kind: 'new' });
    } else {
      ranges.push(
        sliceRange(shape[axis++], begin[d], end[d], by[d], {
          from: mask('begin_mask', d),
          to: mask('end_mask', d),
          shrink: mask('shrink_axis_mask', d),
        }),
      );
    }
  }
  while (axis < shape.length) ranges.push({ start: 0, step: 1, count: shape[axis++], kind: 'keep' });
  return ranges;
}

/**
 * @param {number} size below 0 if unknown or free; the count is then unknown (-1), unless the slice is the whole axis or
 *   both bounds are given
 * @param {number} begin
 * @param {number} end
 * @param {number} step
 * @param {{from: number, to: number, shrink: number}} mask
 */
function sliceRange(size, begin, end, step, mask) {
  const clamp = (/** @type {number} */ at) =>
    Math.min(Math.max(at < 0 ? at + size : at, step > 0 ? 0 : -1), step > 0 ? size : size - 1);
  if (mask.shrink) return { start: begin < 0 ? begin + size : begin, step: 1, count: 1, kind: 'shrink' };
  if (size < 0) {
    const isWhole = mask.from && mask.to && step === 1;
    if (isWhole) return { start: 0, step, count: size, kind: 'keep' };
    const isFixed = !mask.from && !mask.to && begin >= 0 && end >= 0;
    return { start: begin, step, count: isFixed ? Math.ceil((end - begin) / step) : -1, kind: 'keep' };
  }
  const start = mask.from ? (step > 0 ? 0 : size - 1) : clamp(begin);
  const stop = mask.to ? (step > 0 ? size : -1) : clamp(end);
  return { start, step, count: Math.max(0, Math.ceil((stop - start) / step)), kind: 'keep' };
}
