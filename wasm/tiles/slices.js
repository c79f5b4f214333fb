// A picture -> overlapping tiles of one size. The last ones of a row and of a column are moved back into the picture.

/**
 * @typedef {{x: number, y: number, width: number, height: number}} Tile
 *
 * @param {{width: number, height: number}} picture
 * @param {number} size of a tile, in pixels
 * @param {number} overlap of neighbours, as a part of the size; below 1
 * @returns {Tile[]} row by row
 */
export function sliceTiles({ width, height }, size, overlap) {
  return starts(height, size, overlap).flatMap((y) =>
    starts(width, size, overlap).map((x) => ({
      x,
      y,
      width: Math.min(size, width),
      height: Math.min(size, height),
    })),
  );
}

/**
 * @param {number} length
 * @param {number} size
 * @param {number} overlap
 */
function starts(length, size, overlap) {
  const step = size - Math.trunc(overlap * size);
  const found = [];
  for (let start = 0; found.length === 0 || start - step + size < length; start += step)
    found.push(Math.max(0, Math.min(start, length - size)));
  return found;
}
