// ocelli compress: stores a float .tflite file's weights in few bytes, by their sensitivity on a directory of images.
import { compress, toHtml, toMarkdown } from '../../wasm/compress/node.js';
import { STAGES, TARGET_RANGES } from '../../wasm/compress/options.js';
import { describeAnswers } from '../../wasm/compress/report.js';
import { toDecibels } from '../../wasm/quantize/report.js';
import { formatBytes, plural, safeJson } from '../../wasm/shared/text.js';
import { attempt, readBytes, shortName } from '../common.js';
import { hasExtension, save, saveAll } from '../files.js';
import { findInputs, LeftOut, readImages } from '../inputs.js';
import { readSpecs } from '../model.js';
import { force, input, maxPixels, MODEL_OPTIONS, outputModel, signature, strict } from '../options.js';
import { print, printable, showStages } from '../output.js';

const REPORT = { record: 'compression.json', names: /^compression\.(json|md|html)$/ };

const options = /** @type {const} */ ({
  images: {
    type: 'text',
    value: 'DIR',
    about:
      "a directory of PNG, JPEG, BMP or GIF files, or a pattern such as 'photos/**/*.jpg': images like those that the " +
      'network will run on; a hundred or more. They show which weights matter',
    required: true,
  },
  'target-bytes': {
    type: 'number',
    value: 'N',
    about: 'the file, gzipped, may have N bytes: make it as exact as fits',
    range: TARGET_RANGES.bytes,
    library: 'targetBytes',
  },
  'target-match': {
    type: 'number',
    value: 'P',
    about: 'P percent of the answers on the images must stay: make the file as small as that allows',
    range: { min: 100 * TARGET_RANGES.match.min, max: 100 * TARGET_RANGES.match.max },
    library: 'targetMatch',
  },
  input,
  signature,
  'max-pixels': maxPixels,
  strict,
  report: {
    type: 'text',
    value: 'DIR',
    about:
      'also write compression.html, compression.md and compression.json: the signal-to-noise ratio of each layer, the sizes, and how the ' +
      'answers changed',
    writes: ['directory'],
    report: REPORT,
  },
  force,
  json: { type: 'flag', about: 'print the report as one JSON object' },
});

/** @typedef {import('../arguments.js').Values<typeof options>} Values */

/** @type {import('../arguments.js').Command<typeof options>} */
export const command = {
  summary: 'make a float .tflite file a quarter as large to download',
  about:
    'Stores the weights of a float .tflite file in int8, in coarse steps where the answer hardly depends on them, and ' +
    'prints what changed. The network computes in float as before. If OUT ends in .gz, it is compressed with gzip; ' +
    'ocelli reads such files as they are.',
  positionals: [
    {
      name: 'MODEL.tflite',
      what: 'a float .tflite file',
      about: '- is standard input',
      optionNames: MODEL_OPTIONS,
    },
    { ...outputModel, what: 'a .tflite or .gz file to write', writes: ['.tflite', '.gz'] },
  ],
  options,
  examples: [
    'ocelli compress --images photos/ detector.tflite detector.tflite.gz',
    'ocelli compress --images photos/ --target-bytes 2000000 a.tflite b.tflite.gz',
  ],
  run,
};

/** @param {Values} values @param {string[]} files */
async function run(values, [source, out]) {
  const specs = await readSpecs({ input: values.input });
  const files = await findInputs([values.images]);
  if (!specs || files.length === 0) return;
  const leftOut = new LeftOut(values);
  const images = readImages(files, leftOut);
  const compressed = await attempt(
    () => images.current() ?? source,
    async () =>
      compress(new Uint8Array(await readBytes(source)), images.read(), {
        ...toOptions(values, files.length),
        onUnreadable: leftOut.callback(() => images.current() ?? ''),
        ...specs,
      }),
  );
  if (compressed) leftOut.report(files.length);
  if (!compressed?.report) return;
  const { report, model, gzip } = compressed;
  if (!(await save(out, hasExtension(out, '.gz') ? gzip : model))) return;
  if (values.report !== undefined) {
    const files = {
      'compression.json': `${safeJson(report, 2)}\n`,
      'compression.md': toMarkdown(report),
      'compression.html': toHtml(report),
    };
    await saveAll(values.report, files, REPORT);
  }
  print(values.json ? safeJson(report) : toText(out, report));
}

/**
 * @param {Values} values
 * @param {number} total number of images
 * @returns {import('../../wasm/compress/node.js').CompressOptions}
 */
function toOptions(
  { signature, 'target-bytes': bytes, 'target-match': match, 'max-pixels': maxPixels },
  total,
) {
  return {
    signature,
    maxPixels,
    targetBytes: bytes,
    targetMatch: match === undefined ? undefined : match / 100,
    onProgress: showStages(STAGES, total),
  };
}

/**
 * @param {string} out
 * @param {import('../../wasm/compress/node.js').Report} report
 */
export function toText(out, { bytes, weights, layers, images, task, answers }) {
  const worst = layers.reduce((a, b) => (b.signalToNoise < a.signalToNoise ? b : a));
  const total = weights.int8 + weights.float16 + weights.float32;
  return [
    `${printable(out)}: ${formatBytes(bytes.compressed)}, gzipped ${formatBytes(bytes.gzip)} (${formatBytes(bytes.float)} before), calibrated on ${plural(images, 'image')}`,
    `  ${((100 * weights.int8) / total).toFixed(1)} % of the weights in int8; the noisiest tensor at ${toDecibels(worst.signalToNoise)}: ${printable(shortName(worst.name))}`,
    ...describeAnswers(task, answers).map((line) => `  ${line}`),
  ].join('\n');
}
