// The compressed default model -> its 8-bit version, gzipped, beside it in dist/models.
//
//   node models/quantize.js DIR       DIR holds the calibration photos (tools/samples.sh)
import { zip } from '../wasm/compress/gzip.js';
import { quantize } from '../wasm/quantize/node.js';
import { calibrationImages } from './calibration.js';
import { readForm, writeForm } from './made.js';

const [directory] = process.argv.slice(2);
const { model } = await quantize(readForm('compressed'), calibrationImages(directory), { report: false });
writeForm('int8', zip(model));
