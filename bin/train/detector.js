// ocelli train --task detect: trains the heads of a detector, and with --unfreeze its last blocks, on a labelled data set, and
// writes it with a report.
import { basename } from 'node:path';
import { createForPhotos, planForPhotos } from '../../wasm/train/node.js';
import { NAMED_OPTIMIZERS } from '../../wasm/train/plan.js';
import { attempt } from '../common.js';
import { openDataset } from '../evaluate/files.js';
import { LeftOut } from '../inputs.js';
import { readLoading, readModel } from '../model.js';
import { printable, printNote, showProgress } from '../output.js';
import { writeResults } from './results.js';
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
  for (const { message } of dataset.notes ?? []) printNote(`note: ${printable(message)}`);
  // Read once: standard input has its bytes once.
  const model = await readModel(values.model);
  /** @type {{configuration: Configuration, file: Uint8Array}[]} */
  const results = [];
  for (const one of chosen) {
    const result = await attempt(path, () => trainOnce(values, { dataset, loading, model }, one));
    if (!result) return;
    results.push(result);
  }
  const network = values.model ? basename(values.model) : "ocelli's default SSD-MobileNetV2";
  await writeResults(values, results, { path, backbone: `the feature maps of ${network}`, report });
}

/** @param {Values} values */
const pickDataset = ({ annotations, split }) => ({ annotations, split });

/**
 * @param {Values} values
 * @param {{dataset: Awaited<ReturnType<typeof openDataset>>, loading: any, model: Awaited<ReturnType<typeof readModel>>}} given
 * @param {Chosen} chosen
 */
async function trainOnce(values, { dataset, loading, model }, chosen) {
  const { seed, country, intensity, tdp: cpuTdp, 'keep-classes': keepClasses } = values;
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
