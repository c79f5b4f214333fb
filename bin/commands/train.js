// ocelli train: trains a classifier on a directory of images, and writes it as .tflite with a report of its training.
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Backbone, extractFeatures, openImageDirectory, TransferLearner } from '../../wasm/train/node.js';
import { describeUnfrozen } from '../../wasm/report/metrics.js';
import { QUANTITY } from '../../wasm/report/energy/estimate.js';
import { BATCH_NORM_MODES, MOMENTUM, UNFREEZE } from '../../wasm/train/tail.js';
import { failure } from '../../wasm/train/errors.js';
import { VIEWS } from '../../wasm/train/detect/plan.js';
import { LEARNING_RATES } from '../../wasm/train/detect/photos.js';
import { NAMED_OPTIMIZERS, OPTIMIZER_NAMES, RANGES } from '../../wasm/train/plan.js';
import { attempt, UsageError } from '../common.js';
import { hasBoxes } from '../evaluate/files.js';
import { protect } from '../files.js';
import { LeftOut } from '../inputs.js';
import { trainDetectors } from '../train/detector.js';
import { writeResults } from '../train/results.js';
import { noteBatchNorm, toUnfreeze } from '../train/unfreeze.js';
import { DEFAULT_MODEL, readLoading, readModel } from '../model.js';
import {
  classDirectory,
  deterministic,
  force,
  input,
  reading,
  signature,
  ssd,
  strict,
  threads,
  weights,
} from '../options.js';
import { showProgress } from '../output.js';

/** @typedef {import('../../wasm/train/plan.js').PlanOptions & {name: string}} Fit */

/**
 * The configurations of the model card. Keras' default optimizer is RMSprop, so that the card's "Batch 32" may have used
 * RMSprop too.
 * @type {Record<string, {name: string, batchSize: number, optimizer?: import('../../wasm/train/plan.js').OptimizerName}>}
 */
const CARD = {
  batch32: { name: 'Batch 32', batchSize: 32 },
  batch64: { name: 'Batch 64', batchSize: 64 },
  adam: { name: 'Batch 32 Adam', batchSize: 32, optimizer: 'adam' },
  rmsprop: { name: 'Batch 32 RMSprop', batchSize: 32, optimizer: 'rmsprop' },
};

const TASKS = /** @type {const} */ (['classify', 'detect']);
const DEFAULT_BATCH = 32;
const DEFAULT_EPOCHS = 20;
const DEFAULT_VALIDATION = 0.2;
const DEFAULT_OPTIMIZER = 'rmsprop';

const REPORT = {
  record: 'report.json',
  names: /^((README|tables)\.md|emissions\.csv|report\.(json|html)|(loss|accuracy|ap50|emissions)\.svg)$/,
};

const options = /** @type {const} */ ({
  task: {
    type: 'choice',
    value: 'TASK',
    about: 'detect: train a detector on a data set with boxes (COCO, Pascal VOC, YOLO or Open Images)',
    choices: TASKS,
    default: 'classify',
  },
  out: {
    type: 'text',
    value: 'FILE',
    about:
      'write the trained model and its labels as one .tflite file, - is standard output; with --compare, the best',
    writes: ['.tflite'],
  },
  report: {
    type: 'text',
    value: 'DIR',
    about:
      'write a model card, report.html (a page with tables and plots), the plots, emissions.csv and JSON',
    writes: ['directory'],
    report: REPORT,
  },
  epochs: {
    type: 'number',
    value: 'N',
    about: 'train for N epochs',
    range: RANGES.epochs,
    defaultText: `${DEFAULT_EPOCHS}; with --task detect it depends on the number of photos`,
  },
  batch: {
    type: 'number',
    value: 'N',
    about: 'images in a step',
    range: RANGES.batchSize,
    defaultText: `${DEFAULT_BATCH}; with --task detect 4 for a few photos, else 16`,
  },
  optimizer: {
    type: 'choice',
    value: 'NAME',
    about: 'the optimizer',
    choices: OPTIMIZER_NAMES,
    defaultText: `${DEFAULT_OPTIMIZER}, as in Keras; with --task detect adam with a falling rate, for a few photos a constant one`,
  },
  lr: {
    type: 'number',
    value: 'N',
    about: 'the learning rate',
    range: RANGES.learningRate,
    defaultText: `0.01 for sgd, momentum and nesterov, 0.001 for the others; with --task detect and no --optimizer ${LEARNING_RATES.many}, for a few photos ${LEARNING_RATES.fused} or ${LEARNING_RATES.own}`,
  },
  validation: {
    type: 'number',
    value: 'N',
    about: 'the share of the images to keep for validation',
    range: RANGES.validationSplit,
    defaultText: `${DEFAULT_VALIDATION}; with --task detect none of a few photos`,
  },
  'no-stratify': {
    type: 'flag',
    about: 'choose validation images from all images, as Keras does, not the same share of each class',
  },
  seed: {
    type: 'number',
    value: 'N',
    about: 'sets the first weights, the order of the images and the choice of validation images',
    range: RANGES.seed,
    default: 0,
  },
  unfreeze: {
    type: 'number',
    value: 'N',
    about:
      'also train the last N blocks of the network, a MobileNet or EfficientNet, and the layers after them',
    range: UNFREEZE,
    default: 0,
  },
  'batch-norm': {
    type: 'choice',
    value: 'MODE',
    about:
      'what to do with the batch norm of unfrozen blocks; training needs a file converted with --keep-batch-norm. If ' +
      'the file has only folded batch norm, the folded kernels and their biases are trained',
    choices: BATCH_NORM_MODES,
    default: 'frozen',
  },
  'batch-norm-momentum': {
    type: 'number',
    value: 'N',
    about: 'the momentum of the moving statistics with --batch-norm training',
    range: MOMENTUM,
    defaultText: "the file's own, if convert found it, otherwise 0.99, as in Keras",
  },
  'keep-classes': { type: 'flag', about: "with --task detect: keep the model's classes beside the new ones" },
  views: {
    type: 'number',
    value: 'N',
    about: 'with --task detect: augmented views of each photo, with the photo itself',
    range: VIEWS,
    defaultText: 'from 3 for many photos to 20 for a few',
  },
  annotations: {
    type: 'text',
    value: 'NAME',
    about: 'with --task detect: the annotation file, if the data set has several',
  },
  split: {
    type: 'text',
    value: 'NAME',
    about: 'with --task detect: the part of the data set, such as train',
  },
  compare: {
    type: 'names',
    value: 'A,B',
    about:
      'train several times; unless --optimizer is given, batch32 and batch64 use sgd, with --task detect its default',
    choices: Object.keys(CARD),
  },
  model: {
    type: 'file',
    value: 'FILE',
    about: 'take features from this .tflite file with float weights; - is standard input',
    defaultText: "the backbone of ocelli's detector",
  },
  weights,
  signature,
  input,
  ssd: { ...ssd, about: `with --task detect: ${ssd.about}` },
  license: {
    type: 'text',
    value: 'NAME',
    about: 'the license of the trained model, for its card, such as apache-2.0',
    defaultText: 'the card says that it is not given',
  },
  country: {
    type: 'text',
    value: 'CODE',
    about: 'the country whose electricity is used: three letters, such as FRA',
    defaultText: "the world's average",
  },
  intensity: {
    type: 'number',
    value: 'N',
    about: 'the emissions of the electricity, in g CO2e per kWh',
    range: QUANTITY,
    defaultText: 'the average of the country',
  },
  tdp: {
    type: 'number',
    value: 'N',
    about: 'the thermal design power of the processor, in watts',
    range: QUANTITY,
    defaultText: '4 for each hardware thread',
  },
  threads: { ...threads, about: 'compute features with N threads' },
  deterministic,
  ...reading,
  strict,
  force,
  json: { type: 'flag', about: 'print one JSON object instead of the table' },
});

/** @typedef {import('../arguments.js').Values<typeof options>} Values */

/** @type {import('../arguments.js').Command<typeof options>} */
export const command = {
  summary: 'train a classifier on folders of images, or a detector on photos with boxes',
  about:
    'Trains a classifier on the images in DIR/CLASS/: a softmax layer on the features of a network and, with ' +
    "--unfreeze, the network's last blocks. With --task detect it trains the heads of a detector, and its last blocks, on " +
    'a data set with boxes. Pass --out, --report or both.',
  positionals: [
    {
      ...classDirectory,
      about: `${classDirectory.about}; with --task detect a data set: a directory or a zip archive`,
    },
  ],
  options,
  examples: [
    'ocelli train photos/ --out flowers.tflite',
    'ocelli train photos/ --compare batch32,batch64,adam,rmsprop --report card/',
    'ocelli train dataset/ --task detect --out found.tflite --report card/',
  ],
  run,
};

/**
 * @param {Values} values
 * @param {string[]} positionals
 */
async function run(values, [directory]) {
  if (!values.out && !values.report)
    throw new UsageError('train needs --out or --report to write its result');
  checkTask(values);
  if (values.validation === 1) throw new UsageError('--validation 1 leaves no images to train on; pass less');
  if (values.task === 'detect') return trainDetectors(values, directory, toChosen(values), REPORT);
  const fits = toFits(values);

  if (!(await attempt(directory, () => stat(directory)))) return;
  const examples = await attemptFolders(directory, () => openClasses(directory));
  const backbone = examples && (await openBackbone(values));
  if (!backbone) return;
  noteBatchNorm(backbone);
  protect(examples.sources.map(({ name }) => name));
  const trained = await attemptFolders(directory, () => trainAll(values, backbone, examples, fits)).finally(
    () => backbone.close(),
  );
  if (!trained) return;

  const network = `features of ${describeBackbone(values, backbone)}`;
  await writeResults(values, trained, { path: directory, backbone: network, report: REPORT });
}

/** Folders of a data set that are no classes. */
const PARTS = /^(train|training|val|valid|validation|test|images)$/i;

/** @param {string} directory */
async function openClasses(directory) {
  const examples = await openImageDirectory(directory);
  const folders = [...new Set(examples.labels)];
  if (folders.every((name) => PARTS.test(name)) && (await hasBoxes(directory)))
    throw failure('NO_EXAMPLES', `its folders are parts of a data set: ${folders.join(', ')}`);
  return examples;
}

/** Folders that are no classes fail by one of these. */
const NO_CLASSES = ['EMPTY_CLASS', 'NO_EXAMPLES', 'ONE_CLASS'];

/**
 * Names the task of a data set with boxes, if its folders are no classes.
 * @template T
 * @param {string} directory
 * @param {() => Promise<T>} action
 */
function attemptFolders(directory, action) {
  return attempt(directory, () =>
    action().catch(async (error) => {
      if (NO_CLASSES.includes(error.code) && (await hasBoxes(directory)))
        error.message += '; it has boxes: pass --task detect to train a detector';
      throw error;
    }),
  );
}

/**
 * @param {Values} values
 * @param {Backbone} backbone
 * @param {Awaited<ReturnType<typeof openImageDirectory>>} examples
 * @param {Fit[]} fits
 */
async function trainAll(values, backbone, examples, fits) {
  const start = performance.now();
  const extracted = await extractAll(values, backbone, examples);
  if (!extracted) return undefined;
  const extractionSeconds = (performance.now() - start) / 1000;
  const results = [];
  for (const fit of fits)
    results.push(await trainOnce(values, backbone, { ...extracted, extractionSeconds }, fit));
  return results;
}

/**
 * @param {Values} values
 * @param {Backbone} backbone
 * @param {Awaited<ReturnType<typeof openImageDirectory>>} examples
 * @returns {Promise<{features: Float32Array, labels: string[]} | undefined>} of the images that can be read; undefined: none
 *   can
 */
async function extractAll(values, backbone, { sources, labels }) {
  const leftOut = new LeftOut(values);
  const unreadable = new Set();
  const name = leftOut.callback((i) => sources[i].name);
  const features = await extractFeatures(backbone, sources, {
    onProgress: ({ done, total }) => showProgress('features: image', done, total),
    onUnreadable:
      name &&
      ((error, i) => {
        name(error, i);
        unreadable.add(i);
      }),
  });
  if (!leftOut.report(sources.length)) return undefined;
  const found = labels.filter((_, i) => !unreadable.has(i));
  const empty = labels.find((label) => !found.includes(label));
  if (empty !== undefined) throw failure('EMPTY_CLASS', `none of the images of '${empty}' can be read`);
  return { features, labels: found };
}

/**
 * @param {Values} values
 * @param {Backbone} backbone
 * @param {{features: Float32Array, labels: string[], extractionSeconds: number}} examples
 * @param {Fit} fit
 */
async function trainOnce(values, backbone, { features, labels, extractionSeconds }, { name, ...plan }) {
  const { deterministic, country, intensity, tdp: cpuTdp } = values;
  const learner = await TransferLearner.create({ extractor: backbone, deterministic, seed: plan.seed });
  try {
    learner.addFeatures(features, labels);
    await learner.fit({ ...plan, callbacks: followFit(name) });
    const file = values.out ? learner.export() : undefined;
    const energy = { country, intensity, cpuTdp, modelBytes: file?.length };
    return { configuration: await learner.describeFit({ name, energy, extractionSeconds }), file };
  } finally {
    learner.close();
  }
}

const DETECTOR_OPTIONS = /** @type {const} */ (['keep-classes', 'views', 'annotations', 'split', 'ssd']);

/** Refuses options of the other task. @param {Values} values */
function checkTask(values) {
  const isDetector = values.task === 'detect';
  const given = DETECTOR_OPTIONS.find((name) => values[name]);
  if (!isDetector && given) throw new UsageError(`--${given} needs --task detect`);
  if (values['keep-classes'] && values.unfreeze > 0)
    throw new UsageError(
      '--keep-classes needs --unfreeze 0: unfrozen blocks change the maps of the classes that are kept',
    );
  if (isDetector && values['no-stratify']) throw new UsageError('--no-stratify is for --task classify');
}

/** @param {Values} values @returns {import('../train/detector.js').Chosen[]} */
export function toChosen({ batch, optimizer, compare }) {
  if (compare === undefined) return [{ name: 'training', batchSize: batch, optimizer }];
  if (batch !== undefined) throw new UsageError('pass --compare or --batch, not both');
  return compare.map((key) => ({ optimizer, ...CARD[key] }));
}

/**
 * @param {Values} values
 * @returns {Fit[]}
 */
export function toFits({ batch, lr: rate, seed, optimizer: chosen, compare, ...values }) {
  const { epochs = DEFAULT_EPOCHS, validation = DEFAULT_VALIDATION } = values;
  const common = { epochs, validationSplit: validation, seed, stratify: !values['no-stratify'] };
  const optimizerOf = (/** @type {import('../../wasm/train/plan.js').OptimizerName} */ name) =>
    rate === undefined ? name : { ...NAMED_OPTIMIZERS[name], learningRate: rate };
  if (compare === undefined) {
    const optimizer = optimizerOf(chosen ?? DEFAULT_OPTIMIZER);
    return [{ ...common, name: 'training', batchSize: batch ?? DEFAULT_BATCH, optimizer }];
  }
  if (batch !== undefined) throw new UsageError('pass --compare or --batch, not both');
  return compare.map((key) => {
    const { optimizer = chosen ?? 'sgd', ...rest } = CARD[key];
    return { ...common, ...rest, optimizer: optimizerOf(optimizer) };
  });
}

/**
 * @param {Values} values
 * @returns {Promise<Backbone | undefined>} undefined if a file cannot be used
 */
async function openBackbone(values) {
  const loading = await readLoading(values);
  if (!loading) return undefined;
  return attempt(values.model ?? DEFAULT_MODEL, async () =>
    Backbone.create({
      ...loading,
      model: await readModel(values.model),
      ...toUnfreeze(values),
    }),
  );
}

/** @param {string} name @returns {import('../../wasm/train/fit.js').Callbacks} */
function followFit(name) {
  return {
    onBatch: ({ epoch, epochs, batch, batches, loss, accuracy }) =>
      showProgress(
        `${name}: epoch ${epoch + 1} of ${epochs}, batch`,
        batch + 1,
        batches,
        `loss ${loss.toFixed(4)}, accuracy ${accuracy.toFixed(4)}`,
      ),
  };
}

/**
 * @param {Values} values
 * @param {Backbone} backbone
 */
function describeBackbone({ model, unfreeze }, { batchNorm }) {
  const name = model ? basename(model) : "ocelli's default SSD-MobileNetV2";
  return batchNorm ? `${name}${describeUnfrozen({ blocks: unfreeze, batchNorm })}` : name;
}
