// ocelli train --task detect: trains the heads of a detector, and with --unfreeze its last blocks, on a labelled data set, and
// writes it with a report.
import { basename, resolve } from 'node:path';
import { bestOf } from '../../wasm/report/card.js';
import { finalValue, format, qualityOf } from '../../wasm/report/metrics.js';
import { makeReport } from '../../wasm/report/report.js';
import { safeJson } from '../../wasm/shared/text.js';
import { createForPhotos, FEW_PHOTOS } from '../../wasm/train/node.js';
import { NAMED_OPTIMIZERS } from '../../wasm/train/plan.js';
import { attempt, layOut } from '../common.js';
import { openDataset } from '../evaluate/files.js';
import { save, saveAll } from '../files.js';
import { LeftOut } from '../inputs.js';
import { readLoading, readModel } from '../model.js';
import { print, printNote, showProgress } from '../output.js';
import { noteBatchNorm, toUnfreeze } from './unfreeze.js';

/**
 * @typedef {import('../commands/train.js').Values} Values
 * @typedef {import('../../wasm/report/metrics.js').Configuration} Configuration
 * @typedef {import('../../wasm/train/index.js').DetectorFitOptions} DetectorFitOptions
 * @typedef {import('../../wasm/train/plan.js').OptimizerName} OptimizerName
 *
 * @typedef {{name: string, batchSize?: number, optimizer?: OptimizerName}} Chosen what --compare, --batch and --optimizer choose
 */

/** A data set should give a training about so many rows: views of photos. */
const ROWS = 1000;
/** With joined maps, a single one is better than these with the model's own layers. */
const VIEWS = { min: 3, max: 20 };
/** Steps of a training: few photos need no more, many get some epochs. */
const STEPS = 200;
const MIN_EPOCHS = 12;
const BATCH = 16;
/** Falls to 0 by the end. */
export const RATE = 0.004;

/**
 * @param {Values} values
 * @param {string} path
 * @param {Chosen[]} chosen
 * @param {{record: string, names: RegExp}} report
 */
export async function trainDetectors(values, path, chosen, report) {
  const loading = await readLoading(values);
  const dataset = loading && (await attempt(path, () => openDataset(path, pickDataset(values))));
  if (!dataset) return;
  /** @type {{configuration: Configuration, file: Uint8Array, extractionSeconds: number}[]} */
  const results = [];
  for (const one of chosen) {
    const result = await attempt(path, () => trainOnce(values, { dataset, loading }, one));
    if (!result) return;
    results.push(result);
  }
  const configurations = results.map(({ configuration }) => configuration);
  const best = bestOf(configurations);
  const file = results.find(({ configuration }) => configuration === best)?.file;
  if (values.out && file) await save(values.out, file);
  if (values.report) {
    const about = {
      project: basename(resolve(path)),
      date: new Date(),
      backbone: `the feature maps of ${values.model ? basename(values.model) : "ocelli's default SSD-MobileNetV2"}`,
      extractionSeconds: results.reduce((sum, { extractionSeconds }) => sum + extractionSeconds, 0),
    };
    await saveAll(values.report, makeReport(configurations, about), report);
  }
  print(values.json ? safeJson({ best: best.name, configurations }) : summarize(configurations));
}

/** @param {Values} values */
const pickDataset = ({ annotations, split }) => ({ annotations, split });

/**
 * @param {Values} values
 * @param {{dataset: Awaited<ReturnType<typeof openDataset>>, loading: any}} given
 * @param {Chosen} chosen
 */
async function trainOnce(values, { dataset, loading }, chosen) {
  const { seed, country, intensity, tdp: cpuTdp, 'keep-classes': keepClasses } = values;
  const model = await readModel(values.model);
  const options = { ...loading, ...toUnfreeze(values), model, seed, keepClasses };
  const learner = await createForPhotos(describe(dataset), options);
  try {
    noteBatchNorm(learner);
    const leftOut = new LeftOut(values);
    await learner.addDataset(dataset, { onUnreadable: leftOut.callback(String) });
    if (leftOut.count > 0 && !leftOut.report(dataset.groundTruth.images.length)) return undefined;
    for (const warning of learner.warnings) printNote(warning);
    const fit = toOptions(values, learner.examples.count, chosen, describeRows(learner));
    await learner.fit({ ...fit, callbacks: follow(chosen.name) });
    const energy = { country, intensity, cpuTdp };
    const configuration = await learner.describeFit({ name: chosen.name, energy });
    return { configuration, file: learner.export(), extractionSeconds: learner.extractionSeconds };
  } finally {
    learner.close();
  }
}

/**
 * How many photos it has, and the classes of its boxes.
 * @param {Awaited<ReturnType<typeof openDataset>>} dataset
 */
function describe({ groundTruth: { images, annotations, categories } }) {
  const shown = new Set(annotations.map(({ category_id: id }) => id));
  const labels = categories.filter(({ id }) => shown.has(id)).map(({ name }) => name);
  return { photos: images.length, labels };
}

/**
 * What its rows are made of, and how many can be kept.
 * @param {Awaited<ReturnType<typeof createForPhotos>>} learner
 */
function describeRows(learner) {
  const { fusesMaps } = learner;
  return { fusesMaps, most: learner.planMemory({ views: VIEWS.max }).keptRows };
}

/**
 * Defaults that depend on the number of photos: few photos get many views and small batches.
 * @param {Values} values
 * @param {number} photos
 * @param {Chosen} chosen
 * @param {ReturnType<typeof describeRows>} rows
 * @returns {DetectorFitOptions}
 */
export function toOptions({ epochs, lr, validation, seed, views: givenViews }, photos, chosen, rows) {
  const { fusesMaps, most } = rows;
  const isFew = photos < FEW_PHOTOS.below;
  const validationSplit = validation ?? (isFew ? 0 : 0.2);
  const training = Math.max(Math.floor(photos * (1 - validationSplit)), 1);
  const fitting = Math.floor((most - (photos - training)) / training);
  const wanted = Math.min(Math.ceil(ROWS / training), fitting);
  const views = givenViews ?? Math.min(Math.max(wanted, fusesMaps ? 1 : VIEWS.min), VIEWS.max);
  const batchSize = chosen.batchSize ?? (isFew ? FEW_PHOTOS.fit.batchSize : BATCH);
  const steps = Math.ceil((training * views) / batchSize);
  const length = epochs ?? Math.max(Math.ceil(STEPS / steps), isFew ? 1 : MIN_EPOCHS);
  const falling = {
    type: /** @type {const} */ ('cosine'),
    rate: lr ?? RATE,
    decaySteps: length * steps,
  };
  const { l2 } = FEW_PHOTOS.fit;
  const { loss, optimizer: few } = fusesMaps ? FEW_PHOTOS.fit : FEW_PHOTOS.ownLayers;
  const learningRate = isFew ? (lr ?? few.learningRate) : falling;
  const optimizer = chosen.optimizer
    ? { ...NAMED_OPTIMIZERS[chosen.optimizer], ...(lr !== undefined && { learningRate: lr }) }
    : { type: /** @type {const} */ ('adam'), learningRate };
  const earlyStopping = validationSplit > 0 && { monitor: /** @type {const} */ ('val_AP'), patience: 5 };
  return {
    ...{ epochs: length, batchSize, views, seed, validationSplit, optimizer, earlyStopping },
    ...{ loss: isFew ? loss : undefined, ...(fusesMaps && { l2, trainBoxes: !isFew }) },
  };
}

/** @param {string} name @returns {import('../../wasm/train/index.js').DetectorCallbacks} */
function follow(name) {
  return {
    onView: ({ done, total }) => showProgress('feature maps: view', done, total),
    onBatch: ({ epoch, epochs, batch, batches, loss }) =>
      showProgress(
        `${name}: epoch ${epoch + 1} of ${epochs}, batch`,
        batch + 1,
        batches,
        `loss ${loss.toFixed(4)}`,
      ),
  };
}

/** @param {Configuration[]} configurations */
function summarize(configurations) {
  const rows = [
    ['', ...configurations.map(({ name }) => name)],
    ...qualityOf(configurations).map(({ name, key }) => [
      name,
      ...configurations.map((configuration) => format(finalValue(configuration, key))),
    ]),
    ['Energy (kWh)', ...configurations.map(({ energy }) => format(energy.account.energy_consumed))],
    ['Emissions (kg CO2e)', ...configurations.map(({ energy }) => format(energy.account.emissions))],
    ['Seconds', ...configurations.map(({ seconds }) => format(seconds))],
  ];
  return layOut(rows, `l${'r'.repeat(configurations.length)}`).join('\n');
}
