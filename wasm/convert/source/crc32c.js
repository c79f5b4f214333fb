// CRC-32C (Castagnoli), and the mask that LevelDB and TensorFlow apply to stored checksums.
import { crcBy } from '../../shared/crc.js';

const MASK = 0xa282ead8;

export const crc32c = crcBy(0x82f63b78);

/** @param {number} masked */
export function unmask(masked) {
  const rotated = (masked - MASK) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}
