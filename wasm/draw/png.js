// In: pixels. Out: the bytes of a PNG file.
import { encode } from 'fast-png';
import { checkPixels } from './draw.js';

/** @typedef {import('./draw.js').Pixels} Pixels */

/**
 * @param {Pixels} pixels
 * @param {Record<string, string>} [text] by keyword, such as Software
 * @returns {Uint8Array} a PNG file with 8 bits per channel
 */
export function encodePng(pixels, text) {
  checkPixels(pixels, 'encode');
  const { data, width, height, channels } = pixels;
  return encode({ data, width, height, channels, depth: 8, ...(text && { text }) });
}
