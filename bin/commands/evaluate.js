// ocelli evaluate: measures how good a detector or a classifier is on labelled images, or detections from a file.
import { BOOTSTRAP, MEASURES, SEED, SHARE } from '../../wasm/evaluate/evaluate.js';
import { OPEN_IMAGES_RULES } from '../../wasm/evaluate/measure/open_images.js';
import { print, UsageError } from '../common.js';
import { evaluateClassifier } from '../evaluate/classifier.js';
import { judge } from '../evaluate/judge.js';
import { toJson, toText } from '../evaluate/print.js';
import { threads } from '../options.js';

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
  threads,
  json: { type: 'flag', about: 'print one JSON object: {coco: {AP, AP50, ...}, classes, ...}' },
});

/** @typedef {import('../arguments.js').Values<typeof options>} Values */

/** @type {import('../arguments.js').Command<typeof options>} */
export const command = {
  summary: 'measure how good a detector or a classifier is',
  about:
    "Runs a detector on a data set (COCO, Pascal VOC, YOLO or Open Images; a directory or a zip archive) and prints COCO's " +
    'figures, kinds of errors and the best thresholds. Or measures detections from a file, without a model. Or runs a ' +
    'classifier on the images in DATASET/CLASS/.',
  positionals: [
    { name: 'MODEL', what: 'a model', about: 'a .tflite file; - is standard input', optional: true },
    { name: 'DATASET', what: 'a data set', about: 'a directory or a zip archive', optional: true },
  ],
  options,
  examples: [
    'ocelli evaluate --ground-truth instances.json --detections results.json --json',
    'ocelli evaluate flowers.tflite photos/',
  ],
  run,
};

/**
 * @param {Values} values
 * @param {string[]} positionals
 */
async function run(values, [model, dataset]) {
  const { 'ground-truth': groundTruth, detections } = values;
  if (groundTruth === undefined && detections === undefined) {
    if (model === undefined || dataset === undefined)
      throw new UsageError('evaluate needs a model and a data set, or --ground-truth and --detections');
    return evaluateClassifier(values, [model, dataset]);
  }
  if (groundTruth === undefined || detections === undefined)
    throw new UsageError('evaluate needs both --ground-truth and --detections');
  if (model !== undefined) throw new UsageError('pass a model, or --ground-truth and --detections, not both');
  const { evaluation } = await judge(
    { groundTruth, detections, ...filesOf(values) },
    { ...optionsOf(values), bootstrap: values.bootstrap ?? 0 },
  );
  if (values.json) return print(JSON.stringify(toJson(evaluation)));
  printNotes(evaluation.notes);
  print(toText(evaluation));
}

/** @param {Values} values */
function filesOf({ annotations, split, 'class-table': classTable }) {
  return { annotations, split, classTable };
}

/** @param {Values} values @returns {import('../../wasm/evaluate/evaluate.js').EvaluateOptions} */
function optionsOf({ measures, agnostic, 'open-images': openImagesRule, 'min-precision': precision, seed }) {
  return { measures, agnostic, openImagesRule, precision, seed };
}

/** @param {import('../../wasm/evaluate/types.js').Note[]} notes */
function printNotes(notes) {
  for (const { message } of notes) process.stderr.write(`note: ${message}\n`);
}
