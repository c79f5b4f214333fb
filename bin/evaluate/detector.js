// ocelli evaluate MODEL DATASET with detectors: runs each on the data set, and writes a report.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { drawWorst } from '../../wasm/evaluate/report/worst.js';
import { runDetector } from '../../wasm/evaluate/run.js';
import { decodeImage, ObjectDetector } from '../../wasm/platform/node.js';
import { host } from '../../wasm/engine/host.js';
import { readBytes, UsageError } from '../common.js';
import { makeDirectory } from '../files.js';
import { printNote, showProgress } from '../output.js';
import { LeftOut } from '../inputs.js';
import { formOf } from '../../wasm/vision/spec/forms.js';
import { blamingLabels, readLoading } from '../model.js';
import { evaluateDataset, readTableOf } from './judge.js';
import { openState } from './state.js';

/**
 * @typedef {import('../../wasm/evaluate/evaluate.js').EvaluateOptions} EvaluateOptions
 * @typedef {import('../../wasm/evaluate/report/report.js').EvaluatedRun} EvaluatedRun
 * @typedef {Awaited<ReturnType<typeof import('./files.js').openDataset>>} Dataset
 *
 * @typedef {import('../../wasm/vision/spec/forms.js').Weights} Weights
 * @typedef {{precision: 'float' | 'int8' | 'auto', weights?: Weights}} Form of the default model
 *
 * @typedef {object} Configuration
 * @property {string} name in the report
 * @property {string | undefined} model a file; - is standard input; undefined: the default model
 * @property {Form} form
 * @property {Decode} [decode]
 * @property {Tiles} [tiles]
 *
 * @typedef {'full' | 'scaled'} Decode
 * @typedef {'off' | 'auto' | number} Tiles the size of tiles, in pixels
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
 * Each model, the default one in each form, with each way to decode JPEG files, with each size of tiles.
 * @param {(string | undefined)[]} models
 * @param {object} ways
 * @param {Form['precision'][]} [ways.precision]
 * @param {Weights[]} [ways.weights]
 * @param {readonly (Decode | undefined)[]} ways.decodes
 * @param {readonly (Tiles | undefined)[]} ways.tiles
 * @returns {Configuration[]}
 */
export function configurationsOf(
  models,
  { precision: precisions = ['float'], weights, decodes, tiles: sizes },
) {
  const hasOwn = models.some((model) => model !== undefined && model !== DEFAULT_NAME);
  const given = weights
    ? '--weights'
    : precisions.some((precision) => precision !== 'float') && '--precision';
  if (hasOwn && given)
    throw new UsageError(`${given} chooses a form of the default model; compare files with --compare`);
  const forms = formsOf(precisions, weights);
  const ways = forms.flatMap((form) =>
    decodes.flatMap((decode) => sizes.map((tiles) => ({ form, decode, tiles }))),
  );
  const nameOf = (/** @type {typeof ways[number]} */ { form, decode, tiles }) => [
    ...(forms.length > 1 ? [form.weights ?? form.precision] : []),
    ...(decodes.length > 1 ? [decode] : []),
    ...(sizes.length > 1 ? [`tiles ${tiles}`] : []),
  ];
  return models.flatMap((model) =>
    ways.map((way) => ({
      name: [model ?? DEFAULT_NAME, ...nameOf(way)].join(' '),
      model: model === DEFAULT_NAME ? undefined : model,
      ...way,
    })),
  );
}

/**
 * Weights are those of floats: 8 bits have their own.
 * @param {Form['precision'][]} precisions
 * @param {Weights[]} [weights]
 * @returns {Form[]}
 */
function formsOf(precisions, weights) {
  return precisions.flatMap((precision) =>
    weights && precision === 'float'
      ? weights.map((each) => ({ precision, weights: each }))
      : [{ precision }],
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
  const models = await readModels(configurations);
  if (settings.report !== undefined) await makeDirectory(settings.report);
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
  const task = { dataset, models, loading, settings, options, classTable, facts, signal: interrupt.signal };
  const fileNames = fileNamesOf(configurations.map(({ name }) => name));
  try {
    const runs = [];
    for (const [i, configuration] of configurations.entries())
      runs.push(await evaluateOne(configuration, fileNames[i], task));
    return runs;
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    const how =
      settings.report === undefined ? 'with --report DIR it could be resumed' : 'run it again to resume';
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
 * @property {Map<string | undefined, Uint8Array>} models by file; the default model is not there
 * @property {object} loading
 * @property {Settings} settings
 * @property {EvaluateOptions} options
 * @property {Map<string, string>} [classTable]
 * @property {object} facts what kept results depend on, beside the model
 * @property {AbortSignal} signal
 */

/**
 * Reads each file once and before the first run: standard input has its bytes once, and a file that is missing must not end a
 * long computation.
 * @param {Configuration[]} configurations
 * @returns {Promise<Task['models']>}
 */
async function readModels(configurations) {
  const models = new Map();
  for (const { model } of configurations)
    if (model !== undefined && !models.has(model)) models.set(model, new Uint8Array(await readBytes(model)));
  return models;
}

/**
 * @param {Configuration} configuration
 * @param {string} fileName of the results that are kept
 * @param {Task} task
 * @returns {Promise<EvaluatedRun>}
 */
async function evaluateOne({ name, model, form, decode, tiles = 'off' }, fileName, task) {
  const { dataset, models, loading, settings, options, classTable, facts, signal } = task;
  const given = models.get(model);
  const source = given ? { model: given } : form;
  const detector = await blamingLabels(task.settings.labels, () =>
    ObjectDetector.create({ ...loading, ...(decode && { decode }), ...source }),
  );
  try {
    const bytes =
      given ??
      (await readFile(host().locateModel(undefined, formOf({ ...form, precision: detector.precision }))));
    const { report, allowMissing, force } = settings;
    const file = report === undefined ? undefined : join(report, `${fileName}.results.jsonl`);
    const state =
      file === undefined
        ? undefined
        : await openState(
            file,
            { ...facts, model: digest(bytes), precision: detector.precision, decode, tiles },
            force,
          );
    const leftOut = new LeftOut(settings);
    const ran = await runDetector(detector, dataset, {
      onUnreadable: leftOut.callback(String),
      classTable,
      allowMissing,
      // Joining takes in what scores next to nothing, of which an evaluation asks for all.
      tiles: tiles === 'off' ? undefined : { size: tiles, merge: 'suppress' },
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

/**
 * NAME, or NAME-2 and so on if that is taken, also where capitals do not count. The same names have the same files in the next
 * run, which resumes.
 * @param {string[]} names
 */
function fileNamesOf(names) {
  /** @type {Set<string>} */
  const taken = new Set();
  return names.map((name) => {
    const plain = basename(name).replace(/[^\w.-]+/g, '-');
    let file = plain;
    for (let i = 2; taken.has(file.toLowerCase()); i++) file = `${plain}-${i}`;
    taken.add(file.toLowerCase());
    return file;
  });
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
