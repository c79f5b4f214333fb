// Detections from a file: COCO's results, the lines of `ocelli detect --json`, or predictions of Open Images' challenge.
import { checkGroundTruth, checkText } from '../arguments.js';
import * as check from '../../shared/fields.js';
import { failure } from '../errors.js';
import { placeOf } from './coco.js';
import { parseJson } from './json.js';
import { matchClasses } from './match.js';
import { kindOfCsv, readPredictions } from './open_images.js';
import { baseOf, stemOf } from './pictures.js';
import { plural } from '../../shared/text.js';

/**
 * @typedef {import('../types.js').GroundTruth} GroundTruth
 * @typedef {import('../types.js').Detection} Detection
 * @typedef {import('../types.js').Id} Id
 * @typedef {import('../types.js').Note} Note
 *
 * @typedef {object} OwnResult what `ocelli detect --json` prints for an image
 * @property {string} file
 * @property {{label: string, mid?: string, score: number, box: {x: number, y: number, width: number, height: number}}[]} detections
 *
 * @typedef {object} ReadDetections
 * @property {Detection[]} detections
 * @property {(i: number) => string | undefined} locate
 * @property {Note[]} notes
 */

/**
 * @param {string} text
 * @param {string} file
 * @param {GroundTruth} groundTruth
 * @param {Map<string, string>} [classTable] from names of the data set to names of the detections
 * @returns {ReadDetections}
 */
export function readDetections(text, file, groundTruth, classTable) {
  checkText(text, 'text');
  checkText(file, 'file');
  checkGroundTruth(groundTruth);
  if (kindOfCsv(text) === 'predictions') {
    const { detections, places } = readPredictions(text, file, sizesOf(groundTruth));
    return { detections, locate: (i) => places[i], notes: [] };
  }
  const lines = readLines(text, file);
  if (lines) return fromOwn(lines.results, (i) => `${file}:${lines.numbers[i]}`, groundTruth, classTable);
  const parsed = parseJson(text, file);
  if (Array.isArray(parsed) && parsed.every(isOwn))
    return fromOwn(parsed, (i) => `${file}${placeOf(text, [i])}`, groundTruth, classTable);
  if (!Array.isArray(parsed))
    throw failure(
      'DATASET_DAMAGED',
      `${file}: expected a list of {image_id, category_id, bbox, score}, or what ocelli detect --json prints`,
    );
  return { detections: parsed, locate: (i) => `${file}${placeOf(text, [i])}`, notes: [] };
}

const TEXT = check.text(10_000);
const isDetection = check.record({ label: TEXT, mid: TEXT, box: check.record({}) }, ['label']);
const areDetections = check.list(isDetection, { max: 1e6 });

/** @param {any} value @returns {value is OwnResult} */
function isOwn(value) {
  return typeof value?.file === 'string' && Array.isArray(value.detections);
}

/**
 * @param {string} text
 * @param {string} file
 * @returns {{results: OwnResult[], numbers: number[]} | undefined} undefined: these are no lines of ocelli detect
 */
function readLines(text, file) {
  if (!text.trimStart().startsWith('{')) return undefined;
  const rows = text
    .split('\n')
    .map((row, i) => ({ row, number: i + 1 }))
    .filter(({ row }) => row.trim() !== '');
  const isLine = (/** @type {string} */ row) => /^\s*\{.*\}\s*$/.test(row);
  if (!rows.every(({ row }) => isLine(row))) return undefined;
  const results = rows.map(({ row, number }) => {
    const result = parseJson(row, `${file}:${number}`);
    if (isOwn(result)) return result;
    throw failure('DATASET_DAMAGED', `${file}:${number}: it has no file and detections`);
  });
  return { results, numbers: rows.map(({ number }) => number) };
}

/**
 * @param {OwnResult[]} results
 * @param {(i: number) => string} locate
 * @param {GroundTruth} groundTruth
 * @param {Map<string, string>} [classTable]
 * @returns {ReadDetections}
 */
function fromOwn(results, locate, groundTruth, classTable) {
  for (const [i, { detections }] of results.entries()) {
    const fault = areDetections(detections, 'detections');
    if (fault) throw failure('INVALID_ENTRY', `${locate(i)}: ${fault}`);
  }
  const labels = new Map(
    results.flatMap(({ detections }) => detections).map(({ label, mid }) => [label, { name: label, mid }]),
  );
  const names = [...labels.keys()];
  const { labelOf, unmatchedLabels } = matchClasses(groundTruth.categories, [...labels.values()], classTable);
  const categoryOf = new Map([...labelOf].map(([id, label]) => [names[label], id]));
  const imageOf = indexImages(groundTruth);
  /** @type {Detection[]} */
  const found = [];
  /** @type {number[]} */
  const lines = [];
  let unmatched = 0;
  for (const [i, { file, detections }] of results.entries()) {
    const image = imageOf(file);
    if (image === undefined) throw failure('UNKNOWN_IMAGE', `${locate(i)}: '${file}'`);
    for (const { label, score, box } of detections) {
      const category = categoryOf.get(label);
      if (category === undefined) {
        unmatched++;
        continue;
      }
      found.push({
        image_id: image,
        category_id: category,
        bbox: [box?.x, box?.y, box?.width, box?.height],
        score,
      });
      lines.push(i);
    }
  }
  const message = `${plural(unmatched, 'detection')} of classes that the ground truth does not have: ${unmatchedLabels.slice(0, 5).join(', ')}`;
  return {
    detections: found,
    locate: (i) => locate(lines[i]),
    notes: unmatched > 0 ? [{ code: 'UNKNOWN_CATEGORY_detections', message, count: unmatched }] : [],
  };
}

/** Finds images by path, file name, name without extension, or id. @param {GroundTruth} groundTruth */
function indexImages({ images }) {
  /** @type {Map<string, Id | null>} null: several images have the name */
  const byName = new Map();
  const add = (/** @type {string} */ name, /** @type {Id} */ id) =>
    byName.set(name, byName.has(name) && byName.get(name) !== id ? null : id);
  for (const { id, file_name: file = String(id) } of images)
    for (const name of new Set([file, baseOf(file), stemOf(file), String(id)])) add(name, id);
  return (/** @type {string} */ file) =>
    [file, baseOf(file), stemOf(file)]
      .map((name) => byName.get(name))
      .find((id) => id !== undefined && id !== null) ?? undefined;
}

/** @param {GroundTruth} groundTruth */
function sizesOf({ images }) {
  return new Map(
    images.flatMap(({ id, width, height }) =>
      width && height ? [/** @type {const} */ ([id, { width, height }])] : [],
    ),
  );
}
