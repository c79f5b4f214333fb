// The default model -> its 8-bit version, beside it in dist/models.
//
//   node models/quantize.js DIR       DIR holds the calibration photos (tools/samples.sh)
//
// Calibration uses each photo whole and two crops of it, so that its objects appear in several sizes. The output is the
// same on every machine.
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { quantize } from '../wasm/quantize/node.js';
import { decodeImage } from '../wasm/vision/image.js';

/** Crops of a photo: left, top, size, as fractions of its width and height. */
const CROPS = [
  [0, 0, 1],
  [0.05, 0.3, 0.6],
  [0.35, 0.05, 0.6],
];

/** @param {string} directory with photos */
async function* calibrationImages(directory) {
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

const [directory] = process.argv.slice(2);
const models = fileURLToPath(new URL('../dist/models', import.meta.url));
const source = new Uint8Array(readFileSync(join(models, 'ssd_mobilenet_v2_oidv4.bin')));
const out = join(models, 'ssd_mobilenet_v2_oidv4-int8.bin');
const { model } = await quantize(source, calibrationImages(directory), { report: false });
writeFileSync(`${out}.partial`, model);
renameSync(`${out}.partial`, out);
console.log(`models: ${out} written, ${model.length} bytes`);
