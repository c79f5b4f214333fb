// ocelli evaluate: measures how good a detector or a classifier is on labelled images, or detections from a file.
import { basename, resolve } from 'node:path';
import { BOOTSTRAP, MEASURES, SEED, SHARE } from '../../wasm/evaluate/evaluate.js';
import { OPEN_IMAGES_RULES } from '../../wasm/evaluate/measure/open_images.js';
import { parseJson } from '../../wasm/evaluate/read/json.js';
import { makeEvaluationReport } from '../../wasm/evaluate/report/report.js';
import { differenceTo } from '../../wasm/evaluate/report/sections.js';
import { TILE_SIZE } from '../../wasm/tiles/index.js';
import { PRECISIONS } from '../../wasm/vision/vision_model.js';
import { safeJson } from '../../wasm/shared/text.js';
import { readText, UsageError } from '../common.js';
import { REPORT } from '../evaluate/files.js';
import { evaluateClassifier } from '../evaluate/classifier.js';
import { configurationsOf, evaluateDetectors } from '../evaluate/detector.js';
import { hasClassFolders, openDataset } from '../evaluate/files.js';
import { judge } from '../evaluate/judge.js';
import { toComparison, toJson, toText } from '../evaluate/print.js';
import { saveAll } from '../files.js';
import * as shared from '../options.js';
import { bold, print, printable, printNote } from '../output.js';

const options = /** @type {const} */ ({
  'ground-truth': {
    type: 'text',
    value: 'DATASET',
    about: 'without a model: the data set, or its annotation file, that --detections belong to',
  },
  detections: {
    type: 'file',
    value: 'FILE',
    about: "without a model: COCO's results, what ocelli detect --json prints, or predictions of Open Images",
  },
  annotations: { type: 'text', value: 'NAME', about: 'the annotation file, if the data set has several' },
  split: { type: 'text', value: 'NAME', about: 'the part of the data set, such as val or test' },
  'class-table': {
    type: 'text',
    value: 'FILE',
    about: 'which class of the data set is which class of the model: lines NAME,NAME, or a JSON object',
  },
  measures: {
    type: 'names',
    value: 'A,B',
    about: "what to measure besides COCO's figures",
    choices: MEASURES,
    defaultText: 'all',
  },
  agnostic: { type: 'flag', about: "ignore classes in COCO's figures" },
  'open-images': {
    type: 'choice',
    value: 'RULE',
    about: 'the rule for group-of boxes and verified labels',
    choices: OPEN_IMAGES_RULES,
    defaultText: 'challenge if the data set has verified labels, else v2',
  },
  hierarchy: {
    type: 'text',
    value: 'FILE',
    about: "Open Images' class hierarchy (JSON), by which the ground truth is expanded for its mAP",
    defaultText: 'the one in the data set, if any',
  },
  'min-precision': {
    type: 'number',
    value: 'N',
    about: 'also find the threshold with this precision for each class',
    range: SHARE,
  },
  bootstrap: {
    type: 'number',
    value: 'N',
    about: 'draw the images N times for the 95 % intervals of AP',
    range: BOOTSTRAP,
    defaultText: '0 without a model, 500 with one',
  },
  seed: { type: 'number', value: 'N', about: 'sets which images are drawn', range: SEED, default: 0 },
  compare: {
    type: 'names',
    value: 'A,B',
    about:
      'also run these detectors, and show all beside each other; default is the detector that comes with ocelli',
  },
  precision: {
    type: 'names',
    value: 'P,P',
    about: 'the forms of the default model to run',
    choices: PRECISIONS,
    defaultText: 'float',
  },
  tiles: {
    type: 'names',
    value: 'N,N',
    about:
      'also detect in overlapping tiles of N x N pixels, merged by suppression; auto: twice the size of the ' +
      "network's input; off: the whole image only",
    defaultText: 'off',
  },
  weights: { ...shared.ownWeights, type: 'names', value: 'W,W' },
  report: {
    type: 'text',
    value: 'DIR',
    about:
      'write report.html, report.md and report.json with curves and the images with most errors. An interrupted run ' +
      'with the same DIR is resumed',
    writes: ['directory'],
    report: REPORT,
  },
  'allow-missing': { type: 'flag', about: 'leave out images of the data set that have no picture' },
  labels: shared.labels,
  signature: shared.signature,
  input: shared.input,
  ssd: shared.ssd,
  threads: shared.threads,
  deterministic: shared.deterministic,
  ...shared.reading,
  strict: shared.strict,
  force: shared.force,
  decode: { ...shared.reading.decode, type: 'names', value: 'D,D' },
  json: { type: 'flag', about: 'print one JSON object: {coco: {AP, AP50, ...}, classes, ...}' },
});

/** @typedef {import('../arguments.js').Values<typeof options>} Values */

/** What only detectors take. */
const OF_DETECTORS = /** @type {const} */ (['precision', 'weights', 'tiles', 'allow-missing', 'ssd']);
/** What any model takes. */
const OF_MODELS = /** @type {const} */ ([
  ...['labels', 'signature', 'input', 'threads', 'deterministic', 'decode', 'max-pixels', 'strict'],
]);
/** What is about the boxes of a data set. */
const OF_BOXES = /** @type {const} */ ([
  ...['annotations', 'split', 'class-table', 'measures', 'agnostic', 'open-images', 'hierarchy'],
  ...['min-precision', 'bootstrap', 'seed'],
]);

/** @type {import('../arguments.js').Command<typeof options>} */
export const command = {
  summary: 'measure how good a detector or a classifier is',
  about:
    "Runs a detector on a data set (COCO, Pascal VOC, YOLO or Open Images; a directory or a zip archive) and prints COCO's " +
    'figures, kinds of errors and the best thresholds. Or measures detections from a file, without a model. Or runs a ' +
    'classifier on the images in DATASET/CLASS/.',
  positionals: [
    {
      name: 'MODEL',
      what: 'a model',
      about: 'a .tflite file; - is standard input; default: the detector that comes with ocelli',
      optional: true,
      optionNames: shared.MODEL_OPTIONS,
    },
    { name: 'DATASET', what: 'a data set', about: 'a directory or a zip archive', optional: true },
  ],
  options,
  examples: [
    'ocelli evaluate --ground-truth instances.json --detections results.json --json',
    'ocelli evaluate detector.tflite val2017/ --report report/',
    'ocelli evaluate photos.zip --precision float,int8 --report report/',
    'ocelli evaluate flowers.tflite photos/',
  ],
  run,
};

/**
 * @param {Values} values
 * @param {string[]} positionals
 */
async function run(values, positionals) {
  const { 'ground-truth': groundTruth, detections } = values;
  if (groundTruth === undefined && detections === undefined) return runModels(values, positionals);
  if (groundTruth === undefined || detections === undefined)
    throw new UsageError('evaluate needs both --ground-truth and --detections');
  if (positionals.length > 0 || values.compare)
    throw new UsageError('pass models and a data set, or --ground-truth and --detections, not both');
  refuse(values, [...OF_DETECTORS, ...OF_MODELS], 'needs a model');
  const { evaluation } = await judge(
    { groundTruth, detections, ...filesOf(values) },
    { ...(await optionsOf(values)), bootstrap: values.bootstrap ?? 0 },
  );
  const about = { dataset: basename(resolve(groundTruth)), date: new Date() };
  if (values.report !== undefined)
    await saveAll(
      values.report,
      makeEvaluationReport([{ name: basename(detections), evaluation }], about),
      REPORT,
    );
  printRuns(values, [{ name: basename(detections), evaluation }]);
}

/**
 * @param {Values} values
 * @param {string[]} positionals
 */
async function runModels(values, positionals) {
  const path = positionals.at(-1);
  if (path === undefined)
    throw new UsageError('evaluate needs a model and a data set, or --ground-truth and --detections');
  const [model] = positionals.slice(0, -1);
  if (model !== undefined && (await hasClassFolders(path))) {
    const [decode, ...others] = values.decode ?? [];
    if (others.length > 0) throw new UsageError('a classifier runs with one --decode');
    refuse(values, ['compare', ...OF_DETECTORS, ...OF_BOXES], 'is for detectors');
    return evaluateClassifier({ ...values, decode, weights: undefined }, [model, path]);
  }
  const dataset = await openDataset(path, filesOf(values));
  const { decode: decodes = [undefined], weights, precision, ...settings } = values;
  const models = [...(model === undefined && values.compare ? [] : [model]), ...(values.compare ?? [])];
  const runs = await evaluateDetectors(
    configurationsOf(models, { precision, weights, decodes, tiles: tilesOf(values.tiles) }),
    dataset,
    { ...settings, classTable: values['class-table'], allowMissing: values['allow-missing'] },
    { ...(await optionsOf(values)), bootstrap: values.bootstrap ?? 500 },
  );
  if (!runs) return;
  const about = { dataset: basename(resolve(path)), format: dataset.format, date: new Date() };
  if (values.report !== undefined) await saveAll(values.report, makeEvaluationReport(runs, about), REPORT);
  printRuns(values, runs);
}

/**
 * Refuses options that would be ignored.
 * @param {Values} values
 * @param {(keyof Values)[]} names
 * @param {string} reason
 */
function refuse(values, names, reason) {
  const given = names.find((name) => {
    const { default: usual } = /** @type {import('../arguments.js').Option} */ (options[name]);
    return ![undefined, false, usual].includes(/** @type {any} */ (values[name]));
  });
  if (given) throw new UsageError(`--${given} ${reason}`);
}

/** @param {string[] | undefined} texts @returns {(import('../evaluate/detector.js').Tiles | undefined)[]} */
export function tilesOf(texts) {
  return (
    texts?.map((text) => {
      if (text === 'off' || text === 'auto') return text;
      const size = Number(text);
      if (Number.isInteger(size) && size >= TILE_SIZE.min && size <= TILE_SIZE.max) return size;
      throw new UsageError(
        `--tiles ${printable(text)}: expected off, auto or a size from ${TILE_SIZE.min} to ${TILE_SIZE.max} pixels`,
      );
    }) ?? [undefined]
  );
}

/**
 * @param {Values} values
 * @param {import('../../wasm/evaluate/report/report.js').EvaluatedRun[]} runs
 */
function printRuns({ json }, runs) {
  const [first, ...others] = runs;
  const figuresOf = (/** @type {typeof first} */ { name, evaluation, msPerImage, sizeBytes, unmatched }) => ({
    ...toJson(evaluation),
    model: { name, msPerImage, sizeBytes, unmatched },
  });
  if (json)
    return print(
      safeJson({
        ...figuresOf(first),
        ...(others.length > 0 && {
          others: others.map((run) => ({ ...figuresOf(run), difference: differenceTo(first, run) })),
        }),
      }),
    );
  if (runs.length > 1) print([bold('Comparison'), ...toComparison(runs), '', ''].join('\n'));
  for (const { name, evaluation, unmatched } of runs) {
    printNotes(evaluation.notes, unmatched);
    print([...(runs.length > 1 ? [bold(name), ''] : []), toText(evaluation), ''].join('\n'));
  }
}

/** @param {Values} values */
function filesOf({ annotations, split, 'class-table': classTable }) {
  return { annotations, split, classTable };
}

/**
 * @param {Values} values
 * @returns {Promise<import('../../wasm/evaluate/evaluate.js').EvaluateOptions>}
 */
async function optionsOf({ measures, agnostic, 'open-images': openImagesRule, hierarchy: file, ...values }) {
  const hierarchy = file === undefined ? undefined : parseJson(await readText(file), basename(file));
  const { 'min-precision': precision, seed } = values;
  return { measures, agnostic, openImagesRule, precision, seed, ...(hierarchy && { hierarchy }) };
}

/**
 * @param {import('../../wasm/evaluate/types.js').Note[]} notes
 * @param {import('../../wasm/evaluate/report/report.js').EvaluatedRun['unmatched']} unmatched
 */
function printNotes(notes, unmatched) {
  const lines = notes.map(({ message }) => message);
  if (unmatched && unmatched.categories.length > 0)
    lines.push(`the model does not have these classes of the data set: ${unmatched.categories.join(', ')}`);
  if (unmatched && unmatched.labels.length > 0)
    lines.push(`the data set does not have these classes of the model: ${unmatched.labels.join(', ')}`);
  for (const line of lines) printNote(`note: ${printable(line)}`);
}
