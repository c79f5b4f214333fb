// The names of common normalizations. value = pixel * scale + offset, pixel from 0 to 255.

/** @typedef {{scale: number | number[], offset: number | number[]}} Normalization */

const DEVIATIONS = [0.229, 0.224, 0.225];
const MEANS = [0.485, 0.456, 0.406];

/** @type {Record<string, Normalization>} */
export const PIXEL_RANGES = {
  '[-1,1]': { scale: 1 / 127.5, offset: -1 },
  '[0,1]': { scale: 1 / 255, offset: 0 },
  '[0,255]': { scale: 1, offset: 0 },
  imagenet: {
    scale: DEVIATIONS.map((deviation) => 1 / (255 * deviation)),
    offset: MEANS.map((mean, c) => -mean / DEVIATIONS[c]),
  },
};

/** The normalization of a name; blanks do not matter. @param {string} name @returns {Normalization | undefined} */
export function pixelRange(name) {
  const key = name.replaceAll(/\s/g, '').toLowerCase();
  return Object.hasOwn(PIXEL_RANGES, key) ? PIXEL_RANGES[key] : undefined;
}
