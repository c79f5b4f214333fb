// Parts of a photo, and how much of a box they show.

/**
 * @typedef {{left: number, top: number, right: number, bottom: number}} Region as shares of the photo
 */

/**
 * @param {() => number} random
 * @param {number} low
 * @param {number} high
 */
export const between = (random, low, high) => low + random() * (high - low);

/**
 * The share of a box that is inside.
 * @param {import('./examples.js').Target['box']} box
 * @param {Region} region
 */
export function coverage([ymin, xmin, ymax, xmax], { left, top, right, bottom }) {
  const wide = Math.max(Math.min(xmax, right) - Math.max(xmin, left), 0);
  const high = Math.max(Math.min(ymax, bottom) - Math.max(ymin, top), 0);
  return (wide * high) / ((xmax - xmin) * (ymax - ymin));
}
