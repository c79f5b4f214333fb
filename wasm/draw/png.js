// In: pixels. Out: the bytes of a PNG file.
import { encode } from 'fast-png';

/**
 * @param {import('./draw.js').Pixels} pixels
 * @returns {Uint8Array} a PNG file with 8 bits per channel
 */
export function encodePng({ data, width, height, channels }) {
  return encode({ data, width, height, channels, depth: 8 });
}
