// ocelli evaluate MODEL DATASET with detectors: runs each on the data set, and writes a report.
import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { drawWorst } from '../../wasm/evaluate/report/worst.js';
import { runDetector } from '../../wasm/evaluate/run.js';
import { decodeImage, ObjectDetector } from '../../wasm/platform/node.js';
import { host } from '../../wasm/engine/host.js';
import { readBytes, UsageError } from '../common.js';
import { clearProgress, printNote, showProgress } from '../output.js';
import { LeftOut } from '../inputs.js';
import { blamingLabels, readLoading } from '../model.js';
import { evaluateDataset, readTableOf } from './judge.js';
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
 * @property {Decode} [decode]
 *
 * @typedef {'full' | 'scaled'} Decode
 *
 * @typedef {object} Settings
 * @property {number} threads
 * @property {boolean} deterministic
 * @property {number} max-pixels
 * @property {string} [labels]
 * @property {string} [input]
 * @property {string} [ssd]
 * @property {string} [classTable]
 * @property {boolean} allowMissing
 * @property {boolean} strict
 * @property {string} [report] a directory
 * @property {boolean} force replace files that are none of ours
 */

/** The word for the model that comes with ocelli. */
export const DEFAULT_NAME = 'default';

/**
 * Each model at each precision, with each way to decode JPEG files.
 * @param {(string | undefined)[]} models
 * @param {('float' | 'int8' | 'auto')[]} precisions
 * @param {readonly (Decode | undefined)[]} decodes
 * @returns {Configuration[]}
 */
export function configurationsOf(models, precisions, decodes) {
  const hasOwn = models.some((model) => model !== undefined && model !== DEFAULT_NAME);
  if (hasOwn && precisions.some((precision) => precision !== 'float'))
    throw new UsageError('--precision chooses a form of the default model; compare files with --compare');
  return models.flatMap((model) =>
    precisions.flatMap((precision) =>
      decodes.map((decode) => ({
        name: [
          model ?? DEFAULT_NAME,
          ...(precisions.length > 1 ? [precision] : []),
          ...(decodes.length > 1 ? [decode] : []),
        ].join(' '),
        model: model === DEFAULT_NAME ? undefined : model,
        precision,
        decode,
      })),
    ),
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
  const classTable = await readTableOf(settings.classTable);
  const facts = {
    loading,
    classTable: classTable && [...classTable],
    groundTruth: digest(JSON.stringify(dataset.groundTruth)),
    pictures: [...dataset.pictures],
  };
  const interrupt = new AbortController();
  const onSignal = () => interrupt.abort();
  process.once('SIGINT', onSignal);
  const task = { dataset, loading, settings, options, classTable, facts, signal: interrupt.signal };
  try {
    const runs = [];
    for (const configuration of configurations) runs.push(await evaluateOne(configuration, task));
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
 * @typedef {object} Task What all configurations share.
 * @property {Dataset} dataset
 * @property {object} loading
 * @property {Settings} settings
 * @property {EvaluateOptions} options
 * @property {Map<string, string>} [classTable]
 * @property {object} facts what kept results depend on, beside the model
 * @property {AbortSignal} signal
 */

/**
 * @param {Configuration} configuration
 * @param {Task} task
 * @returns {Promise<EvaluatedRun>}
 */
async function evaluateOne({ name, model, precision, decode }, task) {
  const { dataset, loading, settings, options, classTable, facts, signal } = task;
  const given = model === undefined ? undefined : new Uint8Array(await readBytes(model));
  const source = given ? { model: given } : { precision };
  const detector = await blamingLabels(task.settings.labels, () =>
    ObjectDetector.create({ ...loading, ...(decode && { decode }), ...source }),
  );
  try {
    const bytes = given ?? (await readFile(host().locateModel(undefined, detector.precision)));
    const { report, allowMissing, force } = settings;
    const file = report === undefined ? undefined : join(report, `${fileNameOf(name)}.results.jsonl`);
    const state =
      file === undefined
        ? undefined
        : await openState(
            file,
            { ...facts, model: digest(bytes), precision: detector.precision, decode },
            force,
          );
    const leftOut = new LeftOut(settings);
    const ran = await runDetector(detector, dataset, {
      onUnreadable: leftOut.callback(String),
      classTable,
      allowMissing,
      done: state?.done,
      onImage: state?.add,
      onProgress: (progress) => follow(name, progress),
      signal,
    });
    leftOut.report(ran.dataset.groundTruth.images.length + leftOut.count);
    const { notes } = ran;
    const evaluation = evaluateDataset(ran.dataset, ran.detections, options, { notes });
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

/** @param {string | Uint8Array} content */
function digest(content) {
  return createHash('sha256').update(content).digest('hex');
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
