// ocelli evaluate --ground-truth --detections: measures detections from a file.
import { basename } from 'node:path';
import { evaluateDetections } from '../../wasm/evaluate/evaluate.js';
import { decodeText } from '../../wasm/evaluate/read/files.js';
import { readClassTable } from '../../wasm/evaluate/read/match.js';
import { readDetections } from '../../wasm/evaluate/read/detections.js';
import { readBytes, readText } from '../common.js';
import { openDataset } from './files.js';

/**
 * @typedef {import('../../wasm/evaluate/evaluate.js').EvaluateOptions} EvaluateOptions
 * @typedef {import('../../wasm/evaluate/evaluate.js').Evaluation} Evaluation
 */

/**
 * @param {{groundTruth: string, detections: string, classTable?: string, annotations?: string, split?: string}} files
 * @param {EvaluateOptions} options
 * @returns the evaluation, and the data set with the detections for a report
 */
export async function judge(
  { groundTruth: truthFile, detections: file, classTable, annotations, split },
  options,
) {
  const dataset = await openDataset(truthFile, { annotations, split });
  const table = await readTableOf(classTable);
  const text = decodeText(await readBytes(file), file);
  const read = readDetections(text, basename(file), dataset.groundTruth, table);
  const { groundTruth, detections, locate, notes } = read;
  const measured = { ...dataset, groundTruth };
  return {
    evaluation: evaluateDataset(measured, detections, options, { notes, locate }),
    dataset: measured,
    detections,
  };
}

/**
 * Measures detections against a data set.
 * @param {Awaited<ReturnType<typeof openDataset>>} dataset
 * @param {import('../../wasm/evaluate/types.js').Detection[]} detections
 * @param {EvaluateOptions} options
 * @param {object} about
 * @param {import('../../wasm/evaluate/types.js').Note[]} about.notes on the detections
 * @param {(i: number) => string | undefined} [about.locate] the place of a detection in its file
 */
export function evaluateDataset(dataset, detections, options, { notes, locate }) {
  const evaluation = evaluateDetections(dataset.groundTruth, detections, {
    ...(dataset.hierarchy && { hierarchy: dataset.hierarchy }),
    ...options,
    locate: (list, i) => (list === 'detections' ? locate?.(i) : dataset.locate?.(list, i)),
  });
  return { ...evaluation, notes: [...(dataset.notes ?? []), ...notes, ...evaluation.notes] };
}

/** @param {string | undefined} file a table of classes */
export async function readTableOf(file) {
  return file === undefined ? undefined : readClassTable(await readText(file), basename(file));
}
