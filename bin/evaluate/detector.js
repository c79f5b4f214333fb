// ocelli evaluate MODEL DATASET with detectors: runs each on the data set, and writes a report.
import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { evaluateDetections } from '../../wasm/evaluate/evaluate.js';
import { drawWorst } from '../../wasm/evaluate/report/worst.js';
import { runDetector } from '../../wasm/evaluate/run.js';
import { decodeImage, ObjectDetector } from '../../wasm/platform/node.js';
import { host } from '../../wasm/engine/host.js';
import { readBytes, UsageError } from '../common.js';
import { clearProgress, printNote, showProgress } from '../output.js';
import { readLoading } from '../model.js';
import { readTableOf } from './judge.js';
import { openState } from './state.js';

/**
 * @typedef {import('../../wasm/evaluate/evaluate.js').EvaluateOptions} EvaluateOptions
 * @typedef {import('../../wasm/evaluate/report/report.js').EvaluatedRun} EvaluatedRun
 * @typedef {Awaited<ReturnType<typeof import('./files.js').openDataset>>} Dataset
 *
 * @typedef {object} Configuration
 * @property {string} name in the report
 * @property {string | undefined} model a file; - is standard input; undefined: the default model
 * @property {'float' | 'int8' | 'auto'} precision
 *
 * @typedef {object} Settings
 * @property {number} threads
 * @property {boolean} deterministic
 * @property {'full' | 'scaled'} [decode]
 * @property {number} max-pixels
 * @property {string} [labels]
 * @property {string} [input]
 * @property {string} [ssd]
 * @property {string} [classTable]
 * @property {boolean} allowMissing
 * @property {string} [report] a directory
 */

/** The word for the model that comes with ocelli. */
export const DEFAULT_NAME = 'default';

/**
 * Each model at each precision.
 * @param {(string | undefined)[]} models
 * @param {('float' | 'int8' | 'auto')[]} precisions
 * @returns {Configuration[]}
 */
export function configurationsOf(models, precisions) {
  const hasOwn = models.some((model) => model !== undefined && model !== DEFAULT_NAME);
  if (hasOwn && precisions.some((precision) => precision !== 'float'))
    throw new UsageError('--precision chooses a form of the default model; compare files with --compare');
  return models.flatMap((model) =>
    precisions.map((precision) => ({
      name: [model ?? DEFAULT_NAME, ...(precisions.length > 1 ? [precision] : [])].join(' '),
      model: model === DEFAULT_NAME ? undefined : model,
      precision,
    })),
  );
}

/**
 * @param {Configuration[]} configurations
 * @param {Dataset} dataset
 * @param {Settings} settings
 * @param {EvaluateOptions} options
 * @returns {Promise<EvaluatedRun[] | undefined>} undefined: the run was interrupted, or a file cannot be read
 */
export async function evaluateDetectors(configurations, dataset, settings, options) {
  const loading = await readLoading(settings);
  if (!loading) return undefined;
  if (settings.report !== undefined) await mkdir(settings.report, { recursive: true });
  const interrupt = new AbortController();
  const onSignal = () => interrupt.abort();
  process.once('SIGINT', onSignal);
  try {
    const runs = [];
    for (const configuration of configurations)
      runs.push(await evaluateOne(configuration, dataset, loading, settings, options, interrupt.signal));
    return runs;
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    const how =
      settings.report === undefined ? 'with --report DIR it could be resumed' : 'run it again to resume';
    clearProgress();
    printNote(`ocelli: interrupted; ${how}`);
    process.exitCode = 130;
    return undefined;
  } finally {
    process.removeListener('SIGINT', onSignal);
  }
}

/**
 * @param {Configuration} configuration
 * @param {Dataset} dataset
 * @param {object} loading
 * @param {Settings} settings
 * @param {EvaluateOptions} options
 * @param {AbortSignal} signal
 * @returns {Promise<EvaluatedRun>}
 */
async function evaluateOne({ name, model, precision }, dataset, loading, settings, options, signal) {
  const bytes =
    model === undefined
      ? await readFile(host().locateModel(undefined, formOf(precision)))
      : await readBytes(model);
  const detector = await ObjectDetector.create({
    ...loading,
    ...(model === undefined ? { precision } : { model: new Uint8Array(bytes) }),
  });
  try {
    const { classTable: tableFile, report, allowMissing } = settings;
    const classTable = await readTableOf(tableFile);
    const state =
      report === undefined
        ? undefined
        : await openState(join(report, `${fileNameOf(name)}.results.jsonl`), {
            model: createHash('sha256').update(bytes).digest('hex'),
            precision: detector.precision,
            loading,
            classTable: classTable && [...classTable],
            groundTruth: createHash('sha256').update(JSON.stringify(dataset.groundTruth)).digest('hex'),
            pictures: [...dataset.pictures],
          });
    const ran = await runDetector(detector, dataset, {
      classTable,
      allowMissing,
      done: state?.done,
      onImage: state?.add,
      onProgress: (progress) => follow(name, progress),
      signal,
    });
    clearProgress();
    const evaluation = evaluateDetections(ran.dataset.groundTruth, ran.detections, {
      ...(dataset.hierarchy && { hierarchy: dataset.hierarchy }),
      ...options,
      locate: (list, i) => (list === 'detections' ? undefined : ran.dataset.locate?.(list, i)),
    });
    evaluation.notes.unshift(...(dataset.notes ?? []), ...ran.notes);
    return {
      name,
      evaluation,
      msPerImage: ran.msPerImage,
      sizeBytes: bytes.length,
      unmatched: ran.unmatched,
      ...(report !== undefined && {
        worst: await drawWorst(evaluation, ran.dataset, ran.detections, (file) =>
          decodeImage(file, { maxPixels: settings['max-pixels'] }),
        ),
      }),
    };
  } finally {
    detector.close();
  }
}

/** @param {'float' | 'int8' | 'auto'} precision */
function formOf(precision) {
  return precision === 'int8' ? 'int8' : 'float';
}

/** @param {string} name */
function fileNameOf(name) {
  return basename(name).replace(/[^\w.-]+/g, '-');
}

/**
 * @param {string} name
 * @param {{done: number, total: number, secondsLeft: number | undefined}} progress
 */
function follow(name, { done, total, secondsLeft }) {
  const left = secondsLeft === undefined ? undefined : `${formatSeconds(secondsLeft)} left`;
  showProgress(`${name}: image`, done, total, left);
}

/** @param {number} seconds */
function formatSeconds(seconds) {
  const whole = Math.ceil(seconds);
  return whole < 90 ? `${whole} s` : `${Math.round(whole / 60)} min`;
}
