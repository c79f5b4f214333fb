// The default model -> the same with its weights in few bytes, gzipped, beside it in dist/models.
//
//   node models/compress.js DIR       DIR holds the calibration photos (tools/samples.sh)
import { compress } from '../wasm/compress/node.js';
import { calibrationImages } from './calibration.js';
import { readForm, writeForm } from './made.js';

const [directory] = process.argv.slice(2);
const { gzip } = await compress(readForm('full'), calibrationImages(directory), { report: false });
writeForm('compressed', gzip);
