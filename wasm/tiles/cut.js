// A tile as a picture of its own: a worker is sent the tile's pixels, not the whole picture's for each tile.

/**
 * @typedef {import('./slices.js').Tile} Tile
 *
 * @param {any} pixels `{data, width, height}`, which the detector has accepted
 * @param {Tile} tile in whole pixels
 * @returns {{data: Uint8Array, width: number, height: number} | undefined} undefined: the pixels are no bytes
 */
export function cutTile({ data, width, height, channels, stride }, tile) {
  if (!(data instanceof Uint8Array || data instanceof Uint8ClampedArray)) return undefined;
  const depth = channels ?? Math.floor(data.length / (width * height));
  const rowBytes = stride ?? width * depth;
  const cut = new Uint8Array(tile.width * tile.height * depth);
  for (let y = 0; y < tile.height; y++) {
    const start = (tile.y + y) * rowBytes + tile.x * depth;
    cut.set(data.subarray(start, start + tile.width * depth), y * tile.width * depth);
  }
  return { data: cut, width: tile.width, height: tile.height };
}

/**
 * @template {{detections: any[]}} T
 * @param {T} found in a tile
 * @param {Tile} tile
 * @returns {T} with boxes in the picture
 */
export function moveBoxes(found, { x, y }) {
  const detections = found.detections.map(({ box, ...rest }) => ({
    ...rest,
    box: { ...box, x: box.x + x, y: box.y + y },
  }));
  return { ...found, detections };
}
