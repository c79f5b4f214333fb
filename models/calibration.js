// Photos for calibration: each photo whole, and two crops of it, so that its objects appear in several sizes.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeImage } from '../wasm/vision/image.js';

/** Crops of a photo: left, top, size, as fractions of its width and height. */
const CROPS = [
  [0, 0, 1],
  [0.05, 0.3, 0.6],
  [0.35, 0.05, 0.6],
];

/** @param {string} directory with photos */
export async function* calibrationImages(directory) {
  for (const name of readdirSync(directory).sort()) {
    const { data, width, height } = await decodeImage(new Uint8Array(readFileSync(join(directory, name))));
    for (const [left, top, size] of CROPS) {
      const corner = Math.floor(top * height) * width + Math.floor(left * width);
      yield {
        data: data.subarray(3 * corner),
        width: Math.floor(size * width),
        height: Math.floor(size * height),
        channels: /** @type {const} */ (3),
        stride: 3 * width,
      };
    }
  }
}
