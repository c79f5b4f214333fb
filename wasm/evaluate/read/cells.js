// Flags and shares as data sets write them.
import { parseDecimal } from '../../shared/numbers.js';

/**
 * 0 and 1, as numbers of any spelling, or true and false. Open Images writes -1 for not known.
 * @param {string} text
 * @returns {boolean | undefined} undefined: it is no flag
 */
export function toFlag(text) {
  const value = text.toLowerCase();
  if (value === '' || value === 'false') return false;
  if (value === 'true') return true;
  const number = parseDecimal(value);
  return [-1, 0, 1].includes(number) ? number === 1 : undefined;
}

/** Coordinates of shares: a little less than 0 or more than 1 is rounding, much more are pixels. */
const ROUNDING = 0.01;

/** @param {number} value */
export const isShare = (value) => value >= -ROUNDING && value <= 1 + ROUNDING;
