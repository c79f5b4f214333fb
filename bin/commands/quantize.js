// ocelli quantize: writes an 8-bit version of a float .tflite file, calibrated on a directory of images.
import { quantize, toHtml, toMarkdown } from '../../wasm/quantize/node.js';
import { INPUT_TYPES, OUTPUT_TYPES, RANGE_METHODS, STAGES } from '../../wasm/quantize/options.js';
import { formatBytes, plural, safeJson } from '../../wasm/shared/text.js';
import { toDecibels } from '../../wasm/quantize/report.js';
import { attempt, readBytes, shortName, UsageError } from '../common.js';
import { save, saveAll } from '../files.js';
import { findInputs, LeftOut, readImages } from '../inputs.js';
import { loadModel, readSpecs } from '../model.js';
import { force, input, maxPixels, MODEL_OPTIONS, outputModel, signature, strict } from '../options.js';
import { print, printable, showStages } from '../output.js';

const REPORT = { record: 'quantization.json', names: /^quantization\.(json|md|html)$/ };

const options = /** @type {const} */ ({
  images: {
    type: 'text',
    value: 'DIR',
    about:
      "a directory of PNG, JPEG, BMP or GIF files, or a pattern such as 'photos/**/*.jpg': images like those that the " +
      'network will run on; 100 are enough. The values that they cause in each tensor set its range',
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
  signature,
  input,
  'max-pixels': maxPixels,
  strict,
  report: {
    type: 'text',
    value: 'DIR',
    about:
      'also write quantization.html, quantization.md and quantization.json: the signal-to-noise ratio of each layer, size, speed, and ' +
      'how detections changed',
    writes: ['directory'],
    report: REPORT,
  },
  force,
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
    {
      name: 'MODEL.tflite',
      what: 'a float .tflite file',
      about: '- is standard input',
      optionNames: MODEL_OPTIONS,
    },
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
  const specs = await readSpecs({ input: values.input });
  const files = await findInputs([values.images]);
  if (!specs || files.length === 0) return;
  const leftOut = new LeftOut(values);
  const images = readImages(files, leftOut);
  const quantized = await attempt(
    () => images.current() ?? source,
    async () => {
      const model = new Uint8Array(await readBytes(source));
      const { float, signature } = values;
      return quantize(model, images.read(), {
        ...toOptions(values, files.length),
        keepFloat: float && (await findTensors(float, model, signature)),
        onUnreadable: leftOut.callback(() => images.current() ?? ''),
        ...specs,
      });
    },
  );
  if (quantized) leftOut.report(files.length);
  if (!quantized?.report || !(await save(out, quantized.model))) return;
  const { report } = quantized;
  if (values.report !== undefined) {
    const files = {
      'quantization.json': `${safeJson(report, 2)}\n`,
      'quantization.md': toMarkdown(report),
      'quantization.html': toHtml(report),
    };
    await saveAll(values.report, files, REPORT);
  }
  print(values.json ? safeJson(report) : toText(out, report));
}

/**
 * @param {readonly string[]} given
 * @param {Uint8Array} model
 * @param {string} [signature]
 */
async function findTensors(given, model, signature) {
  const { engine } = await loadModel(model, 1, { signature });
  const names = engine.operators.map(({ output }) => output);
  engine.close();
  return toFullNames(given, names);
}

/**
 * The full names of tensors that may be given as ocelli inspect --operators prints them.
 * @param {readonly string[]} given
 * @param {string[]} names of the operators' outputs
 */
export function toFullNames(given, names) {
  return given.map((name) => {
    if (names.includes(name)) return name;
    const [full = name, ...others] = new Set(names.filter((each) => shortName(each) === name));
    if (others.length === 0) return full;
    throw new UsageError(
      `--float ${name}: several tensors have this short name; ocelli inspect --json shows the full ones`,
    );
  });
}

/**
 * @param {Values} values
 * @param {number} total number of images
 * @returns {import('../../wasm/quantize/index.js').QuantizeOptions}
 */
function toOptions({ signature, ranges, takes, gives, uncorrected, 'max-pixels': maxPixels }, total) {
  return {
    maxPixels,
    signature,
    ranges,
    inputType: takes,
    outputType: gives,
    correctBias: !uncorrected,
    onProgress: showStages(STAGES, total),
  };
}

/**
 * @param {string} out
 * @param {import('../../wasm/quantize/compare.js').Report} report
 */
export function toText(out, { bytes, ms, layers, images, detections }) {
  const int8 = layers.filter(({ isInt8 }) => isInt8);
  const worst = int8.reduce((a, b) => (b.signalToNoise < a.signalToNoise ? b : a));
  const lines = [
    `${printable(out)}: ${formatBytes(bytes.quantized)} (${formatBytes(bytes.float)} before), calibrated on ${plural(images, 'image')}`,
    `  ${int8.length} of ${layers.length} tensors in 8 bits; the noisiest at ${toDecibels(worst.signalToNoise)}: ${printable(shortName(worst.name))}`,
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
