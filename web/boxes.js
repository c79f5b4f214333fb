// Geometry of boxes in pixels of their picture. Every box lies inside the picture and has an area.

/**
 * @typedef {{x: number, y: number, width: number, height: number}} Rect
 * @typedef {{width: number, height: number}} Size
 * @typedef {{x: number, y: number}} Point
 * @typedef {{x: -1 | 0 | 1, y: -1 | 0 | 1}} Handle which edges are dragged: left or right, top or bottom
 */

/** No side of a box is shorter. */
export const MIN_PX = 4;

/** @param {number} value @param {number} low @param {number} high */
const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

/**
 * The box in whole pixels of the picture; a side may be as short as the picture's.
 * @param {Rect} box
 * @param {Size} size
 * @returns {Rect}
 */
export function fit({ x, y, width, height }, size) {
  const [left, right] = fitSide(x, x + width, size.width);
  const [top, bottom] = fitSide(y, y + height, size.height);
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** @param {number} from @param {number} to @param {number} length */
function fitSide(from, to, length) {
  const least = Math.min(MIN_PX, length);
  const start = clamp(Math.round(from), 0, length - least);
  return [start, clamp(Math.round(to), start + least, length)];
}

/**
 * The box between two points in any order.
 * @param {Point} a
 * @param {Point} b
 * @param {Size} size
 */
export function span(a, b, size) {
  const [x, y] = [Math.min(a.x, b.x), Math.min(a.y, b.y)];
  return fit({ x, y, width: Math.abs(a.x - b.x), height: Math.abs(a.y - b.y) }, size);
}

/**
 * Moves the box as far as the picture goes.
 * @param {Rect} box
 * @param {Point} by
 * @param {Size} size
 */
export function move({ x, y, width, height }, by, size) {
  const to = { x: clamp(x + by.x, 0, size.width - width), y: clamp(y + by.y, 0, size.height - height) };
  return fit({ ...to, width, height }, size);
}

/**
 * Moves edges of the box; an edge that passes the opposite one turns the box over.
 * @param {Rect} box
 * @param {Handle} handle
 * @param {Point} by
 * @param {Size} size
 */
export function resize({ x, y, width, height }, handle, by, size) {
  const a = { x: x + (handle.x < 0 ? by.x : 0), y: y + (handle.y < 0 ? by.y : 0) };
  const b = {
    x: x + width + (handle.x > 0 ? by.x : 0),
    y: y + height + (handle.y > 0 ? by.y : 0),
  };
  return span(a, b, size);
}

/**
 * A box in the middle of the picture, a third of its sides.
 * @param {Size} size
 */
export const middle = ({ width, height }) =>
  fit({ x: width / 3, y: height / 3, width: width / 3, height: height / 3 }, { width, height });

/** @param {Rect} box @param {Point} point */
export const contains = ({ x, y, width, height }, point) =>
  point.x >= x && point.x <= x + width && point.y >= y && point.y <= y + height;

/**
 * The edges near a point, as far outside as `reach`, and inside as far as leaves the middle third free.
 * @param {Rect} box
 * @param {Point} point
 * @param {number} reach
 * @returns {Handle | undefined} undefined: none
 */
export function handleAt(box, point, reach) {
  const x = edgeAt(point.x - box.x, box.width, reach);
  const y = edgeAt(point.y - box.y, box.height, reach);
  if (x === undefined || y === undefined || (x === 0 && y === 0)) return undefined;
  return { x, y };
}

/**
 * @param {number} at from the first edge
 * @param {number} length
 * @param {number} reach
 * @returns {-1 | 0 | 1 | undefined} undefined: farther outside
 */
function edgeAt(at, length, reach) {
  if (at < -reach || at > length + reach) return undefined;
  const inside = Math.min(reach, length / 3);
  if (at < inside) return -1;
  return at > length - inside ? 1 : 0;
}

/** Intersection over union. @param {Rect} a @param {Rect} b */
export function overlap(a, b) {
  const wide = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const high = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (wide <= 0 || high <= 0) return 0;
  return (wide * high) / (a.width * a.height + b.width * b.height - wide * high);
}
