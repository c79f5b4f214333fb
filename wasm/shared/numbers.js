/**
 * Rounds to the nearest integer, halves to even.
 * @param {number} value
 */
export function roundEven(value) {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/** @param {string} text @returns {number} NaN if it is no decimal number: JavaScript also takes '' and '0x1' for numbers */
export const parseDecimal = (text) => (DECIMAL.test(text) ? Number(text) : Number.NaN);

/**
 * The number of elements of a tensor.
 * @param {readonly number[]} shape
 */
export function sizeOf(shape) {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * The numbers as a list that JSON keeps: JSON has no -0.
 * @param {Float32Array} values
 * @returns {number[]}
 */
export function toNumbers(values) {
  return Array.from(values, (value) => value + 0);
}

/** @param {Float32Array[]} parts */
export function concatenate(parts) {
  return joinInto(new Float32Array(parts.reduce((sum, part) => sum + part.length, 0)), parts);
}

/**
 * Copies parts into one array, one after the other.
 * @template {Uint8Array | Float32Array} T
 * @param {T} whole
 * @param {T[]} parts
 */
export function joinInto(whole, parts) {
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
