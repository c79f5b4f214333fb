// ocelli quantize: writes an 8-bit version of a float .tflite file, calibrated on a directory of images.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { quantize, toMarkdown } from '../../wasm/quantize/node.js';
import { INPUT_TYPES, OUTPUT_TYPES, RANGE_METHODS } from '../../wasm/quantize/options.js';
import {
  attempt,
  clearLine,
  formatBytes,
  print,
  printable,
  readBytes,
  shortName,
  writeWhole,
} from '../common.js';
import { readSpecs } from '../model.js';
import { input, outputModel } from '../options.js';

const IMAGES = /\.(png|jpe?g|bmp|gif)$/i;

const options = /** @type {const} */ ({
  images: {
    type: 'text',
    value: 'DIR',
    about:
      'PNG, JPEG, BMP or GIF files like those that the network will run on; 100 are enough. The values that they ' +
      'cause in each tensor set its range',
    required: true,
  },
  ranges: {
    type: 'choice',
    value: 'METHOD',
    about: "how to choose a tensor's range; mse has the least squared error",
    choices: RANGE_METHODS,
    default: 'mse',
  },
  float: {
    type: 'names',
    value: 'A,B',
    about: 'names of tensors (see ocelli inspect --operators): the operators that make them stay in float',
  },
  takes: {
    type: 'choice',
    value: 'TYPE',
    about: "the type of the network's input; uint8 takes pixels as they are",
    choices: INPUT_TYPES,
    default: 'float32',
  },
  gives: {
    type: 'choice',
    value: 'TYPE',
    about: "the type of the network's outputs",
    choices: OUTPUT_TYPES,
    default: 'float32',
  },
  uncorrected: { type: 'flag', about: 'do not correct the biases for the shift that rounding causes' },
  input,
  report: {
    type: 'text',
    value: 'DIR',
    about:
      'also write quantization.md and quantization.json: the signal-to-noise ratio of each layer, size, speed, and ' +
      'how detections changed',
  },
  json: { type: 'flag', about: 'print the report as one JSON object' },
});

/** @typedef {import('../arguments.js').Values<typeof options>} Values */

/** @type {import('../arguments.js').Command<typeof options>} */
export const command = {
  summary: 'convert a float .tflite file to one that computes in 8 bits',
  about:
    "Converts a float .tflite file to one that computes in 8 bits, by TFLite's 8-bit specification, and prints what " +
    'changed. OUT.tflite is written completely or not at all.',
  positionals: [
    { name: 'MODEL.tflite', what: 'a float .tflite file', about: '- is standard input' },
    outputModel,
  ],
  options,
  examples: ['ocelli quantize --images photos/ detector.tflite detector-int8.tflite'],
  run,
};

/**
 * @param {Values} values
 * @param {string[]} files
 */
async function run(values, [source, out]) {
  const { images: directory, report: reportDirectory } = values;
  const specs = await readSpecs({ input: values.input });
  if (!specs) return;
  const names = await attempt(directory, async () =>
    (await readdir(directory)).filter((name) => IMAGES.test(name)),
  );
  if (!names) return;
  const quantized = await attempt(source, async () =>
    quantize(new Uint8Array(await readBytes(source)), readImages(directory, names.sort()), {
      ...toOptions(values),
      ...specs,
    }),
  );
  process.stderr.write(clearLine());
  if (!quantized?.report || !(await attempt(out, () => writeWhole(out, quantized.model)))) return;
  const { report } = quantized;
  if (reportDirectory !== undefined)
    await attempt(reportDirectory, () => writeReport(reportDirectory, report));
  print(values.json ? JSON.stringify(report) : toText(out, report));
}

/** @param {string} directory @param {string[]} names */
async function* readImages(directory, names) {
  for (const name of names) yield new Uint8Array(await readFile(join(directory, name)));
}

/**
 * @param {Values} values
 * @returns {import('../../wasm/quantize/index.js').QuantizeOptions}
 */
function toOptions({ ranges, takes, gives, float, uncorrected }) {
  return {
    ranges,
    inputType: takes,
    outputType: gives,
    keepFloat: float,
    correctBias: !uncorrected,
    onProgress: ({ stage, images }) => process.stderr.write(clearLine(`${stage} ${images ?? ''} ...`)),
  };
}

/**
 * @param {string} directory
 * @param {import('../../wasm/quantize/compare.js').Report} report
 */
async function writeReport(directory, report) {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'quantization.json'), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(join(directory, 'quantization.md'), toMarkdown(report));
}

/**
 * @param {string} out
 * @param {import('../../wasm/quantize/compare.js').Report} report
 */
function toText(out, { bytes, ms, layers, images, detections }) {
  const int8 = layers.filter(({ isInt8 }) => isInt8);
  const worst = int8.reduce((a, b) => (b.signalToNoise < a.signalToNoise ? b : a));
  const lines = [
    `${printable(out)}: ${formatBytes(bytes.quantized)} (${formatBytes(bytes.float)} before), calibrated on ${images} images`,
    `  ${int8.length} of ${layers.length} tensors in 8 bits; the noisiest at ${worst.signalToNoise.toFixed(1)} dB: ${printable(shortName(worst.name))}`,
    `  ${ms.quantized.toFixed(1)} ms a run (${ms.float.toFixed(1)} before)`,
  ];
  if (detections) {
    const { before, after, scoreDifference } = detections;
    lines.push(
      `  detections: ${before.matched} of ${before.found} found again, ${after.matched} of ${after.found} found before, scores differ by ${scoreDifference.toFixed(4)}`,
    );
  }
  return lines.join('\n');
}
