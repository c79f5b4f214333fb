// ocelli train: a directory of photos -> a classifier as .tflite, and the report of its training.
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import {
  Backbone,
  extractFeatures,
  makeReport,
  openImageDirectory,
  TransferLearner,
} from '../../wasm/train/node.js';
import { bestOf } from '../../wasm/report/card.js';
import { format, QUALITY, finalValue } from '../../wasm/report/metrics.js';
import { OPTIMIZER_NAMES } from '../../wasm/train/plan.js';
import { layOut, print, readBytes, readNumber, readThreads, UsageError } from '../common.js';

/** @typedef {import('../usage.js').Values<'train'>} Values */
/** @typedef {import('../../wasm/train/plan.js').PlanOptions} PlanOptions */

/**
 * The card's four configurations. Keras' own default is RMSprop, so that its "Batch 32" may have been its "RMSprop".
 * @type {Record<string, {name: string, batchSize: number, optimizer?: import('../../wasm/train/plan.js').OptimizerName}>}
 */
const CARD = {
  batch32: { name: 'Batch 32', batchSize: 32 },
  batch64: { name: 'Batch 64', batchSize: 64 },
  adam: { name: 'Batch 32 Adam', batchSize: 32, optimizer: 'adam' },
  rmsprop: { name: 'Batch 32 RMSprop', batchSize: 32, optimizer: 'rmsprop' },
};

/** What becomes of the batch norm of blocks that are trained. */
const BATCH_NORM = {
  folded: 'the file has it folded; folded kernels and their biases are trained',
  frozen: 'frozen; kernels are trained',
  training: 'in training mode, its moving averages with it',
};

const BAR_LENGTH = 24;

/**
 * @param {Values} values
 * @param {string[]} positionals
 */
export async function run(values, [directory]) {
  if (!directory) throw new UsageError('which directory of photos?');
  if (!values.out && !values.report) throw new UsageError('--out or --report says where the result goes');
  const fits = readFits(values);
  const energy = readEnergy(values);
  const backbone = await openBackbone(values);
  if (backbone.batchNorm) process.stderr.write(`batch norm: ${BATCH_NORM[backbone.batchNorm]}\n`);
  const { sources, labels } = await openImageDirectory(directory);
  const start = performance.now();
  const features = await extractFeatures(backbone, sources, {
    onProgress: ({ done, total }) => showBar('features', done, total, ''),
  });
  endBar();
  const extractionSeconds = (performance.now() - start) / 1000;
  const results = [];
  for (const { name, ...options } of fits) {
    const learner = await TransferLearner.create({
      extractor: backbone,
      deterministic: values.deterministic,
      seed: options.seed,
    });
    learner.addFeatures(features, labels);
    await learner.fit({ ...options, callbacks: showProgress(name) });
    endBar();
    const configuration = await learner.describeFit({ name, energy });
    results.push({ configuration, file: values.out ? learner.export() : undefined });
    learner.close();
  }
  backbone.close();
  const configurations = results.map(({ configuration }) => configuration);
  const best = bestOf(configurations);
  const file = results.find(({ configuration }) => configuration === best)?.file;
  if (values.out && file) await writeFile(values.out, file);
  if (values.report) {
    await writeReport(values.report, configurations, {
      project: basename(resolve(directory)),
      date: new Date(),
      backbone: `features of ${describeBackbone(values, backbone)}`,
      extractionSeconds,
    });
  }
  print(values.json ? JSON.stringify({ best: best.name, configurations }) : summarize(configurations));
}

/**
 * @param {Values} values
 * @returns {(PlanOptions & {name: string})[]}
 */
function readFits(values) {
  const batch = readNumber('batch', values.batch, { min: 1, max: 65536, integer: true });
  const rate = readNumber('lr', values.lr, { min: 0, max: 1000 });
  const common = {
    epochs: readNumber('epochs', values.epochs, { min: 1, max: 1e6, integer: true }) ?? 20,
    validationSplit: readNumber('validation', values.validation, { min: 0, max: 0.99 }) ?? 0.2,
    seed: readNumber('seed', values.seed, { min: 0, max: 2 ** 32 - 1, integer: true }) ?? 0,
  };
  const chosen = readOptimizer(values.optimizer);
  const optimizerOf = (/** @type {import('../../wasm/train/plan.js').OptimizerName} */ name) =>
    rate === undefined ? name : withRate(name, rate);
  if (values.compare === undefined) {
    const optimizer = optimizerOf(chosen ?? 'rmsprop');
    return [{ ...common, name: 'training', batchSize: batch ?? 32, optimizer }];
  }
  if (batch !== undefined) throw new UsageError('--compare has batch sizes of its own');
  return values.compare.split(',').map((key) => {
    if (!Object.hasOwn(CARD, key))
      throw new UsageError(`--compare knows ${Object.keys(CARD).join(', ')}, not '${key}'`);
    const { optimizer = chosen ?? 'sgd', ...rest } = CARD[key];
    return { ...common, ...rest, optimizer: optimizerOf(optimizer) };
  });
}

/** @param {string | undefined} name */
function readOptimizer(name) {
  if (name === undefined) return undefined;
  const optimizer = OPTIMIZER_NAMES.find((candidate) => candidate === name);
  if (!optimizer) throw new UsageError(`--optimizer takes ${OPTIMIZER_NAMES.join(', ')}, not '${name}'`);
  return optimizer;
}

/**
 * @param {import('../../wasm/train/plan.js').OptimizerName} name
 * @param {number} learningRate
 * @returns {import('../../wasm/train/plan.js').OptimizerOptions}
 */
function withRate(name, learningRate) {
  if (name === 'momentum' || name === 'nesterov')
    return { type: 'sgd', momentum: 0.9, nesterov: name === 'nesterov', learningRate };
  return { type: name, learningRate };
}

/** @param {Values} values */
function readEnergy(values) {
  const watts = { min: 0, max: 1e6 };
  return {
    country: values.country,
    intensity: readNumber('intensity', values.intensity, watts),
    cpuTdp: readNumber('tdp', values.tdp, watts),
  };
}

/** @param {Values} values */
async function openBackbone(values) {
  return Backbone.create({
    model: values.model === '-' ? await readBytes('-') : values.model,
    input: values.input === undefined ? undefined : readJson(values.input),
    unfreeze: readNumber('unfreeze', values.unfreeze, { min: 0, max: 16, integer: true }),
    batchNorm: readBatchNorm(values['batch-norm']),
    threads: readThreads(values.threads),
    deterministic: values.deterministic,
  });
}

/** @param {string | undefined} mode */
function readBatchNorm(mode) {
  if (mode === undefined || mode === 'frozen' || mode === 'training') return mode;
  throw new UsageError(`--batch-norm takes frozen or training, not '${mode}'`);
}

/** @param {string} text */
function readJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError('--input takes JSON');
  }
}

/** @param {string} name @returns {import('../../wasm/train/fit.js').Callbacks} */
function showProgress(name) {
  return {
    onBatch: ({ epoch, epochs, batch, batches, loss, accuracy }) =>
      showBar(
        `${name}: epoch ${epoch + 1}/${epochs}`,
        batch + 1,
        batches,
        `loss ${loss.toFixed(4)} accuracy ${accuracy.toFixed(4)}`,
      ),
  };
}

/**
 * On a terminal only: one line that is written over.
 * @param {string} title
 * @param {number} done
 * @param {number} total
 * @param {string} text
 */
function showBar(title, done, total, text) {
  if (!process.stderr.isTTY) return;
  const filled = Math.round((BAR_LENGTH * done) / total);
  const bar = `${'#'.repeat(filled)}${'.'.repeat(BAR_LENGTH - filled)}`;
  process.stderr.write(`\r${title} [${bar}] ${done}/${total} ${text}\x1b[K`);
}

function endBar() {
  if (process.stderr.isTTY) process.stderr.write('\n');
}

/**
 * @param {Values} values
 * @param {Backbone} backbone
 */
function describeBackbone({ model, unfreeze }, { batchNorm }) {
  const name = model ? basename(model) : "ocelli's default SSD-MobileNetV2";
  if (!batchNorm) return name;
  return `${name}, whose last blocks (${unfreeze}) were trained as well (batch norm: ${BATCH_NORM[batchNorm]})`;
}

/**
 * @param {string} directory
 * @param {import('../../wasm/report/metrics.js').Configuration[]} configurations
 * @param {import('../../wasm/report/card.js').About} about
 */
async function writeReport(directory, configurations, about) {
  await mkdir(directory, { recursive: true });
  const files = Object.entries(makeReport(configurations, about));
  await Promise.all(files.map(([name, text]) => writeFile(join(directory, name), text)));
}

/** @param {import('../../wasm/report/metrics.js').Configuration[]} configurations */
function summarize(configurations) {
  const rows = [
    ['', ...configurations.map(({ name }) => name)],
    ...QUALITY.map(({ name, key }) => [name, ...configurations.map((c) => format(finalValue(c, key)))]),
    ['Energy (kWh)', ...configurations.map(({ energy }) => format(energy.account.energy_consumed))],
    ['Emissions (kg CO2e)', ...configurations.map(({ energy }) => format(energy.account.emissions))],
    ['Seconds', ...configurations.map(({ seconds }) => format(seconds))],
  ];
  return layOut(rows, `l${'r'.repeat(configurations.length)}`).join('\n');
}
