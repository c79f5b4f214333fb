// ocelli train --task detect: trains the heads of a detector, and with --unfreeze its last blocks, on a labelled data set, and
// writes it with a report.
import { basename, resolve } from 'node:path';
import { bestOf, finalValue, format, qualityOf } from '../../wasm/report/metrics.js';
import { makeReport } from '../../wasm/report/report.js';
import { safeJson } from '../../wasm/shared/text.js';
import { createForPhotos, planForPhotos } from '../../wasm/train/node.js';
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
  /** @type {{configuration: Configuration, file: Uint8Array}[]} */
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
    const network = values.model ? basename(values.model) : "ocelli's default SSD-MobileNetV2";
    const about = aboutOf(values, path, `the feature maps of ${network}`);
    await saveAll(values.report, makeReport(configurations, about), report);
  }
  print(values.json ? safeJson({ best: best.name, configurations }) : summarize(configurations));
  if (values.out && configurations.length > 1) printNote(`${values.out} is of ${best.name}, the best`);
}

/**
 * What the card says beside the figures.
 * @param {Values} values
 * @param {string} path of the data set
 * @param {string} backbone
 * @returns {import('../../wasm/report/card.js').About}
 */
export function aboutOf({ license, out }, path, backbone) {
  const dataset = basename(resolve(path));
  const file = out === undefined || out === '-' ? undefined : basename(out);
  return { project: dataset, date: new Date(), backbone, license, dataset, file };
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
    const fit = toOptions(values, learner, chosen);
    await learner.fit({ ...fit, callbacks: follow(chosen.name) });
    const file = learner.export();
    const energy = { country, intensity, cpuTdp, modelBytes: file.length };
    return { configuration: await learner.describeFit({ name: chosen.name, energy }), file };
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
 * What the options say, and else what suits the photos.
 * @param {Values} values
 * @param {Parameters<typeof planForPhotos>[0]} learner
 * @param {Chosen} chosen
 * @returns {DetectorFitOptions}
 */
export function toOptions({ epochs, lr, validation, seed, views }, learner, { batchSize, optimizer }) {
  const plan = planForPhotos(learner, {
    epochs,
    learningRate: lr,
    validationSplit: validation,
    views,
    batchSize,
  });
  const named = optimizer && {
    ...NAMED_OPTIMIZERS[optimizer],
    ...(lr !== undefined && { learningRate: lr }),
  };
  return { ...plan, ...(named && { optimizer: named }), seed };
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
  const [{ before }] = configurations;
  const valueBefore = (/** @type {string} */ key) => (before && key in before ? format(before[key]) : '');
  const rows = [
    ['', 'before', ...configurations.map(({ name }) => name)],
    ...qualityOf(configurations).map(({ name, key }) => [
      ...[name, valueBefore(key)],
      ...configurations.map((configuration) => format(finalValue(configuration, key))),
    ]),
    ['Energy (kWh)', '', ...configurations.map(({ energy }) => format(energy.account.energy_consumed))],
    ['Emissions (kg CO2e)', '', ...configurations.map(({ energy }) => format(energy.account.emissions))],
    ['Seconds', '', ...configurations.map(({ seconds }) => format(seconds))],
  ];
  const shown = before ? rows : rows.map((row) => row.toSpliced(1, 1));
  return layOut(shown, `l${'r'.repeat(shown[0].length - 1)}`).join('\n');
}
