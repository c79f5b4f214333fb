// ocelli convert: converts a TensorFlow model to a .tflite file. Only this file reads and writes files; the converter
// itself takes and returns bytes.
import { readFileSync, statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { convert } from '../../wasm/convert/node.js';
import { BATCH, STAGES, WEIGHTS } from '../../wasm/convert/options.js';
import { formatBytes, safeJson } from '../../wasm/shared/text.js';
import { attempt, readBytes, UsageError } from '../common.js';
import { hasExtension, protect, save } from '../files.js';
import { force, MODEL_OPTIONS, outputModel } from '../options.js';
import { print, printable, printNote, showProgress } from '../output.js';

/** If SOURCE is this file or a .json file, the directory that it is in is converted. */
const SAVED_MODEL = 'saved_model.pb';
/** What the converter takes for a TensorFlow.js model, in a directory with several of them. */
const WEB_MODEL = 'model.json';
/** Beside it: files that may be other models, and one that has the names of its classes. */
const MODELS = /\.(json|pb|keras|h5|hdf5)$/i;
const METADATA = 'metadata.json';

const options = /** @type {const} */ ({
  weights: {
    type: 'choice',
    value: 'KIND',
    about:
      'how to store weights; int8 is per channel, and the network computes in float; hybrid is int8, and operators ' +
      'round their inputs to 8 bits too',
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
  size: {
    type: 'text',
    value: 'HxW',
    about:
      'height and width of the image that the network takes, such as 224x224, if the source leaves them open',
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
  input: {
    type: 'text',
    value: 'VALUES',
    about:
      'the values that the network takes, if the source does not say: [-1,1], [0,1], [0,255], imagenet, or JSON such as ' +
      '{"scale": 0.00784314, "offset": -1} with value = pixel * scale + offset',
  },
  'no-verify': {
    type: 'flag',
    about: 'do not compare the file with the source by running both on the same input',
  },
  force,
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
        'a SavedModel or hub module as a directory, .tar.gz or .zip; a Keras model as .keras or .h5; a .pb frozen graph; a ' +
        'TensorFlow.js folder or its .json; - is standard input',
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
  if (values.json) print(safeJson({ kind, bytes: model.length, operators, notes }));
  else print(toText(out, converted));
}

/**
 * @param {Values} values
 * @returns {import('../../wasm/convert/index.js').ConvertOptions}
 */
export function toOptions({ weights, batch, size, signature, outputs, classes, input, ...values }) {
  return {
    weights,
    batch,
    ...(size !== undefined && { size: parseSize(size) }),
    signature,
    outputs,
    classes,
    ...(input !== undefined && { input: input.startsWith('{') ? parseInput(input) : input }),
    keepBatchNorm: values['keep-batch-norm'],
    verify: !values['no-verify'],
    onProgress: progressPrinter(),
  };
}

/** @param {string} text @returns {[number, number]} */
function parseSize(text) {
  const match = /^(\d{1,5})x(\d{1,5})$/.exec(text);
  if (!match)
    throw new UsageError(`--size must be height and width, such as 224x224, not ${printable(text)}`);
  return [Number(match[1]), Number(match[2])];
}

/** @param {string} text */
function parseInput(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`--input: ${/** @type {Error} */ (error).message}`);
  }
}

/** When to say that the file need not be verified. */
const PATIENCE_MS = 30_000;

/** @returns {NonNullable<import('../../wasm/convert/index.js').ConvertOptions['onProgress']>} */
function progressPrinter() {
  /** @type {number | undefined} */
  let verifiedSince;
  let isHinted = false;
  return ({ stage, done = 0, total = 1 }) => {
    if (stage === 'verify') verifiedSince ??= performance.now();
    const isSlow = performance.now() - (verifiedSince ?? Number.POSITIVE_INFINITY) > PATIENCE_MS;
    if (isSlow && !isHinted)
      printNote('comparing the file with the source takes long; --no-verify leaves it out');
    isHinted ||= isSlow;
    const share = stage === 'verify' ? ` ${Math.floor((100 * done) / total)} %` : '';
    showProgress('step', STAGES.indexOf(stage) + 1, STAGES.length, stage + share);
  };
}

/** @param {string} path @returns {Promise<import('../../wasm/convert/index.js').Source>} */
async function openSource(path) {
  if (path === '-') return readBytes(path);
  const given = await stat(path);
  const isWebModel = given.isFile() && hasExtension(path, '.json');
  const isPart = isWebModel || (given.isFile() && basename(path) === SAVED_MODEL);
  if (!given.isDirectory() && !isPart) return readBytes(path);
  const directory = isPart ? dirname(path) : path;
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const isReadable = (/** @type {string} */ file) => statSync(file, { throwIfNoEntry: false })?.isFile();
  /** @type {Map<string, () => Buffer>} */
  const files = new Map(
    entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter(isReadable)
      .map((file) => [relative(directory, file).replaceAll(sep, '/'), () => readFileSync(file)]),
  );
  protect(Array.from(files.keys(), (name) => join(directory, name)));
  if (!isWebModel) return files;
  const others = [...files].filter(([name]) => name === METADATA || !MODELS.test(name));
  return new Map([...others, [WEB_MODEL, () => readFileSync(path)]]);
}

/**
 * @param {string} out
 * @param {import('../../wasm/convert/index.js').Converted} converted
 */
export function toText(out, { kind, model, operators, notes }) {
  const kinds = Object.entries(operators).map(([name, count]) => `${count} ${name}`);
  return [
    `${printable(out)}: ${kind === 'detector' ? 'a detector' : 'a network'}, ${formatBytes(model.length)}`,
    `  ${kinds.join(', ')}`,
    ...notes.map((note) => `  ${printable(note)}`),
  ].join('\n');
}
