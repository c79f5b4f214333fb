// Pictures that are easy to tell apart: stripes, across or along, in colours that differ.
export const SIDE = 96;

/**
 * @param {number} seed even: across
 * @param {number} [side]
 */
export function makeImage(seed, side = SIDE) {
  const data = new Uint8Array(side * side * 3);
  for (let i = 0; i < data.length; i++) {
    const [pixel, channel] = [Math.floor(i / 3), i % 3];
    const along = seed % 2 === 0 ? Math.floor(pixel / side) : pixel % side;
    data[i] = 128 + 100 * Math.sin((along * (3 + (seed % 5))) / 16 + channel + seed);
  }
  return { data, width: side, height: side, channels: /** @type {const} */ (3) };
}

export const IMAGES = Array.from({ length: 24 }, (_, i) => makeImage(i));
export const LABELS = IMAGES.map((_, i) => (i % 2 === 0 ? 'across' : 'along'));
