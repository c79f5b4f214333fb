// ocelli convert: converts a TensorFlow model to a .tflite file. Only this file reads and writes files; the converter
// itself takes and returns bytes.
import { readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { convert } from '../../wasm/convert/index.js';
import { BATCH, STAGES, WEIGHTS } from '../../wasm/convert/options.js';
import { attempt, formatBytes, readBytes } from '../common.js';
import { save } from '../files.js';
import { MODEL_OPTIONS, outputModel } from '../options.js';
import { print, printable, showProgress } from '../output.js';

/** If SOURCE is one of these files, the directory that it is in is converted. */
const PARTS_OF_A_DIRECTORY = /(^|[/\\])(saved_model\.pb|model\.json)$/;

const options = /** @type {const} */ ({
  weights: {
    type: 'choice',
    value: 'KIND',
    about: 'how to store weights; int8 is per channel, and activations stay float',
    choices: WEIGHTS,
    default: 'fp32',
  },
  batch: {
    type: 'number',
    value: 'N',
    about: 'how many images a run takes; always 1 for a detector',
    defaultText: 'dynamic if the source leaves it open',
    range: BATCH,
    choices: ['dynamic'],
  },
  signature: {
    type: 'text',
    value: 'NAME',
    about: 'the signature of a SavedModel to convert',
    defaultText: 'serving_default, otherwise default, otherwise the first',
  },
  outputs: {
    type: 'names',
    value: 'A,B',
    about: 'outputs of the signature, or names of any nodes',
    defaultText: "the signature's outputs",
  },
  classes: {
    type: 'classes',
    value: 'A,B',
    library: 'classes.allow',
    about: 'keep only these classes of a detector: names, MIDs (/m/...) or numbers',
  },
  'keep-batch-norm': {
    type: 'flag',
    about:
      'store batch norm in the metadata after folding it into convolutions: ocelli train can then train it',
  },
  json: { type: 'flag', about: 'print one JSON object: {kind, bytes, operators, notes}' },
});

/** @typedef {import('../arguments.js').Values<typeof options>} Values */

/** @type {import('../arguments.js').Command<typeof options>} */
export const command = {
  summary: 'convert a TensorFlow model to a .tflite file',
  about:
    'Converts a TensorFlow model to a .tflite file. For a detector of the Object Detection API, the steps before and ' +
    'after the network are written as metadata, so that the file works without further options. OUT.tflite is ' +
    'written completely or not at all.',
  positionals: [
    {
      name: 'SOURCE',
      what: 'a model to convert',
      about:
        'a SavedModel or hub module as a directory, .tar.gz or .zip; a .pb frozen graph; a TensorFlow.js folder or its ' +
        'model.json; - is standard input',
      optionNames: MODEL_OPTIONS,
    },
    outputModel,
  ],
  options,
  examples: [
    'ocelli convert openimages_v4_ssd_mobilenet_v2_1.tar.gz detector.tflite',
    'ocelli convert --weights fp16 --classes Dog,Cat saved_model/ pets.tflite',
  ],
  run,
};

/**
 * @param {Values} values
 * @param {string[]} files
 */
async function run(values, [source, out]) {
  const converted = await attempt(source, async () => convert(await openSource(source), toOptions(values)));
  if (!converted || !(await save(out, converted.model))) return;
  const { kind, operators, notes, model } = converted;
  if (values.json) print(JSON.stringify({ kind, bytes: model.length, operators, notes }));
  else print(toText(out, converted));
}

/**
 * @param {Values} values
 * @returns {import('../../wasm/convert/index.js').ConvertOptions}
 */
function toOptions({ weights, batch, signature, outputs, classes, 'keep-batch-norm': keepBatchNorm }) {
  return {
    weights,
    batch,
    signature,
    outputs,
    classes,
    keepBatchNorm,
    onProgress: ({ stage }) => showProgress('step', STAGES.indexOf(stage) + 1, STAGES.length, stage),
  };
}

/** @param {string} path @returns {Promise<import('../../wasm/convert/index.js').Source>} */
async function openSource(path) {
  if (path === '-') return readBytes(path);
  const directory = PARTS_OF_A_DIRECTORY.test(path) ? dirname(path) : path;
  if (!(await stat(path)).isDirectory() && directory === path) return readBytes(path);
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return new Map(
    entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [
        file.slice(join(directory, sep).length).replaceAll(sep, '/'),
        () => readFileSync(file),
      ]),
  );
}

/**
 * @param {string} out
 * @param {import('../../wasm/convert/index.js').Converted} converted
 */
function toText(out, { kind, model, operators, notes }) {
  const kinds = Object.entries(operators).map(([name, count]) => `${count} ${name}`);
  return [
    `${printable(out)}: ${kind === 'detector' ? 'a detector' : 'a network'}, ${formatBytes(model.length)}`,
    `  ${kinds.join(', ')}`,
    ...notes.map((note) => `  ${printable(note)}`),
  ].join('\n');
}
