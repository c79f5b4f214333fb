// Options of reading image files -> Reading, which the engine takes.
import { DEFAULT_MAX_PIXELS, IGNORE_ALPHA } from '../../dist/layout.js';
import { host } from '../engine/host.js';
import { checkBoolean, checkChoice, checkNumber } from '../shared/options.js';
import { failure } from '../shared/errors.js';

/**
 * @typedef {import('../engine/image.js').Reading} Reading
 *
 * @typedef {object} ReadingOptions
 * @property {number | undefined} [maxPixels] images with more pixels throw IMAGE_TOO_LARGE; 1 to 2 147 483 648, default 100 000 000
 *   (16 777 216 in edge workers)
 * @property {'full' | 'scaled' | undefined} [decode] the scale at which JPEG files are decoded: 'full', or 'scaled': 1/2, 1/4 or 1/8,
 *   as long as both sides of the image (or of `roi`) stay twice as large as the network's input. Grey inputs
 *   and those with `fit` always take the full size. Default: 'full' for images of up to 4 megapixels and with `exact` or
 *   `deterministic`, else 'scaled'
 * @property {boolean | undefined} [allowTruncated] accept files that are cut short: what is missing is grey, and the result says so.
 *   Default false: they throw IMAGE_CORRUPT
 * @property {string | undefined} [background] the colour behind transparent pixels, as '#rrggbb'; or 'ignore': drop their alpha, as
 *   TensorFlow does. Default: '#ffffff'; with `exact` or `deterministic` 'ignore'
 */

export const MAX_PIXELS = { min: 1, max: 2 ** 31, integer: true };
export const DECODES = /** @type {const} */ (['full', 'scaled']);
export const READING = /** @type {const} */ (['maxPixels', 'decode', 'allowTruncated', 'background']);

/** @param {unknown} maxPixels */
export function checkMaxPixels(maxPixels = host().maxPixels ?? DEFAULT_MAX_PIXELS) {
  return checkNumber('maxPixels', maxPixels, MAX_PIXELS);
}

/** @param {unknown} background */
function toNumber(background) {
  if (background === 'ignore') return IGNORE_ALPHA;
  if (typeof background === 'string' && /^#[0-9a-f]{6}$/i.test(background))
    return parseInt(background.slice(1), 16);
  throw failure('INVALID_OPTION', "background must be a colour like '#ffffff', or 'ignore'");
}

/**
 * @param {ReadingOptions} options
 * @param {boolean} [isExact] TensorFlow's pixels are wanted
 * @returns {Reading}
 */
export function resolveReading({ maxPixels, decode, allowTruncated = false, background }, isExact = false) {
  return {
    maxPixels: checkMaxPixels(maxPixels),
    decode: decode === undefined ? (isExact ? 'full' : 'auto') : checkChoice('decode', decode, DECODES),
    allowTruncated: checkBoolean('allowTruncated', allowTruncated),
    background: toNumber(background === undefined ? (isExact ? 'ignore' : '#ffffff') : background),
  };
}
