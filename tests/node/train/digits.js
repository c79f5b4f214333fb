// scikit-learn's digits as photos: 1797 images of 8x8, enlarged.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { encodePng } from '../../../wasm/draw/png.js';

const DIGITS = fileURLToPath(new URL('../../../tools/digits.sh', import.meta.url));

const SIDE = 96;

/** @typedef {{pixels: number[], label: string}} Digit pixels: 8x8 in 0..16 */

/** @returns {Digit[]} */
export function readDigits() {
  const file = execFileSync(DIGITS, { encoding: 'utf8' }).trim();
  const lines = gunzipSync(readFileSync(file)).toString().trim().split('\n');
  return lines.map((line) => {
    const numbers = line.split(',').map(Number);
    return { pixels: numbers.slice(0, 64), label: String(numbers[64]) };
  });
}

/** @param {Digit} digit */
export function toPhoto(digit) {
  return encodePng({ data: enlarge(digit, SIDE), width: SIDE, height: SIDE, channels: 3 });
}

/**
 * As RGB.
 * @param {Digit} digit
 * @param {number} side in pixels
 */
export function enlarge({ pixels }, side) {
  const data = new Uint8Array(side * side * 3);
  for (let i = 0; i < side * side; i++) {
    const [y, x] = [Math.floor((Math.floor(i / side) * 8) / side), Math.floor(((i % side) * 8) / side)];
    data.fill(Math.min(16 * pixels[8 * y + x], 255), 3 * i, 3 * i + 3);
  }
  return data;
}
