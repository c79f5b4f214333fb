// The default model -> the same with its weights in few bytes, gzipped, beside it in dist/models.
//
//   node models/compress.js DIR       DIR holds the calibration photos (tools/samples.sh)
//
// The output is the same on every machine: it is checked by its sha256.
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compress } from '../wasm/compress/node.js';
import { calibrationImages } from './calibration.js';

/** Renew it if the compression is changed on purpose. */
const SHA256 = '1e236786bc2569f14b6809b642488923718dbf9b49762633e797df5ade41c6d9';

const [directory] = process.argv.slice(2);
const models = fileURLToPath(new URL('../dist/models', import.meta.url));
const source = new Uint8Array(readFileSync(join(models, 'ssd_mobilenet_v2_oidv4.bin')));
const out = join(models, 'ssd_mobilenet_v2_oidv4.gz');
const { gzip } = await compress(source, calibrationImages(directory), { report: false });
const found = createHash('sha256').update(gzip).digest('hex');
writeFileSync(`${out}.partial`, gzip);
if (found !== SHA256) {
  console.error(`models: sha256 of ${out}.partial is ${found}, not ${SHA256}`);
  process.exit(1);
}
renameSync(`${out}.partial`, out);
console.log(`models: ${out} written, ${gzip.length} bytes, sha256 matches`);
