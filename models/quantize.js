// The default model -> its 8-bit twin, beside it in dist/models.
//
//   node models/quantize.js DIR       DIR holds the photos to calibrate on (tools/samples.sh)
//
// Each photo is seen whole and in parts, so that what is in it comes in several sizes. The same file comes out everywhere.
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { quantize } from '../wasm/quantize/node.js';
import { decodeImage } from '../wasm/vision/image.js';

/** Corners of a part and its size, in parts of the photo's. */
const PARTS = [
  [0, 0, 1],
  [0.05, 0.3, 0.6],
  [0.35, 0.05, 0.6],
];

/** @param {string} directory */
async function* views(directory) {
  for (const name of readdirSync(directory).sort()) {
    const { data, width, height } = await decodeImage(new Uint8Array(readFileSync(join(directory, name))));
    for (const [left, top, size] of PARTS) {
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
const { model } = await quantize(source, views(directory), { report: false });
writeFileSync(`${out}.partial`, model);
renameSync(`${out}.partial`, out);
console.log(`models: ${out} written, ${model.length} bytes`);
