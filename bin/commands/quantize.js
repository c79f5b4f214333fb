// ocelli quantize: a float .tflite file and a directory of photos -> a .tflite file that computes in 8 bits.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { quantize, toMarkdown } from '../../wasm/quantize/node.js';
import {
  attempt,
  clearLine,
  formatBytes,
  print,
  printable,
  readBytes,
  splitNames,
  UsageError,
  writeWhole,
} from '../common.js';

/** @typedef {import('../../wasm/quantize/index.js').QuantizeOptions} QuantizeOptions */

const IMAGES = /\.(png|jpe?g|bmp|gif)$/i;

/**
 * @param {import('../usage.js').Values<'quantize'>} values
 * @param {string[]} files
 */
export async function run(values, [source, out]) {
  if (source === undefined || out === undefined)
    throw new UsageError('which MODEL.tflite, and which OUT.tflite?');
  if (values.images === undefined) throw new UsageError('--images DIR: photos like those that it is to see');
  const directory = values.images;
  const options = readOptions(values);
  const names = await attempt(directory, async () =>
    (await readdir(directory)).filter((name) => IMAGES.test(name)),
  );
  if (!names) return;
  const quantized = await attempt(source, async () =>
    quantize(new Uint8Array(await readBytes(source)), readImages(directory, names.sort()), options),
  );
  process.stderr.write(clearLine());
  if (!quantized?.report || !(await attempt(out, () => writeWhole(out, quantized.model)))) return;
  const { report } = quantized;
  if (values.report !== undefined)
    await attempt(values.report, () => writeReport(`${values.report}`, report));
  print(values.json ? JSON.stringify(report) : toText(out, report));
}

/** @param {string} directory @param {string[]} names */
async function* readImages(directory, names) {
  for (const name of names) yield new Uint8Array(await readFile(join(directory, name)));
}

/** @param {import('../usage.js').Values<'quantize'>} values @returns {QuantizeOptions} */
function readOptions(values) {
  const choices = {
    ranges: values.ranges,
    inputType: values.takes,
    outputType: values.gives,
  };
  return {
    .../** @type {QuantizeOptions} */ (
      Object.fromEntries(Object.entries(choices).filter(([, value]) => value !== undefined))
    ),
    ...(values.input !== undefined && { input: readJson(values.input) }),
    ...(values.float && { keepFloat: splitNames(values.float) }),
    correctBias: !values.uncorrected,
    onProgress: ({ stage, images }) => process.stderr.write(clearLine(`${stage} ${images ?? ''} ...`)),
  };
}

/** @param {string} text */
function readJson(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`--input: ${/** @type {Error} */ (error).message}`);
  }
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
    `  ${int8.length} of ${layers.length} tensors in 8 bits; the noisiest at ${worst.signalToNoise.toFixed(1)} dB: ${printable(worst.name.split(';')[0])}`,
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
