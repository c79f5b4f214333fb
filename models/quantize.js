// The default model -> its 8-bit version, beside it in dist/models.
//
//   node models/quantize.js DIR       DIR holds the calibration photos (tools/samples.sh)
//
// The output is the same on every machine.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { quantize } from '../wasm/quantize/node.js';
import { calibrationImages } from './calibration.js';

const [directory] = process.argv.slice(2);
const models = fileURLToPath(new URL('../dist/models', import.meta.url));
const source = new Uint8Array(readFileSync(join(models, 'ssd_mobilenet_v2_oidv4.bin')));
const out = join(models, 'ssd_mobilenet_v2_oidv4-int8.bin');
const { model } = await quantize(source, calibrationImages(directory), { report: false });
writeFileSync(`${out}.partial`, model);
renameSync(`${out}.partial`, out);
console.log(`models: ${out} written, ${model.length} bytes`);
