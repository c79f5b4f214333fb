// Detections from a file: COCO's results, the lines of `ocelli detect --json`, or predictions of Open Images' challenge.
import { checkClassTable, checkGroundTruth, checkText } from '../arguments.js';
import * as check from '../../shared/fields.js';
import { failure } from '../errors.js';
import { placeOf } from './coco.js';
import { parseJson } from './json.js';
import { matchClasses, mergeCategories } from './match.js';
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
 * @property {GroundTruth} groundTruth to measure them against: categories that are one class of the detections are one
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
export function readDetections(text, file, groundTruth, classTable = new Map()) {
  checkText(text, 'text');
  checkText(file, 'file');
  checkGroundTruth(groundTruth);
  checkClassTable(classTable);
  if (kindOfCsv(text) === 'predictions') {
    const { detections, places } = readPredictions(text, file, sizesOf(groundTruth));
    return { detections, groundTruth, locate: (i) => places[i], notes: [] };
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
  return { detections: parsed, groundTruth, locate: (i) => `${file}${placeOf(text, [i])}`, notes: [] };
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
 * @param {Map<string, string>} classTable
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
  const { categoryOf, ...merged } = matchLabels([...labels.values()], groundTruth, classTable);
  const imageOf = indexImages(groundTruth);
  /** @type {Map<Id, string>} */
  const fileOf = new Map();
  /** @type {Detection[]} */
  const found = [];
  /** @type {number[]} */
  const lines = [];
  /** @type {string[]} */
  const unmatched = [];
  for (const [i, { file, detections }] of results.entries()) {
    const image = imageOf(file);
    if (image === undefined) throw failure('UNKNOWN_IMAGE', `${locate(i)}: '${file}'`);
    const other = fileOf.get(image) ?? file;
    if (other !== file)
      throw failure(
        'DUPLICATE_IMAGE',
        `${locate(i)}: '${file}' and '${other}' are one image of the ground truth`,
      );
    fileOf.set(image, file);
    for (const { label, score, box } of detections) {
      const category = categoryOf.get(label);
      if (category === undefined) {
        unmatched.push(label);
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
  const count = unmatched.length;
  const shown = [...new Set(unmatched)].slice(0, 5);
  const message = `${plural(count, 'detection')} of classes that the ground truth does not have: ${shown.join(', ')}`;
  return {
    detections: found,
    groundTruth: merged.groundTruth,
    locate: (i) => locate(lines[i]),
    notes: [...merged.notes, ...(count > 0 ? [{ code: 'UNKNOWN_CATEGORY_detections', message, count }] : [])],
  };
}

/**
 * Matches the classes of the detections with the categories of the ground truth. A class that is not found counts, too: it
 * has a name in the table or in the ground truth.
 * @param {{name: string, mid?: string}[]} labels of the detections
 * @param {GroundTruth} groundTruth
 * @param {Map<string, string>} classTable
 */
function matchLabels(labels, groundTruth, classTable) {
  const { categories } = groundTruth;
  const others = [...classTable.values(), ...categories.map(({ name }) => name)];
  const classes = [...labels, ...others.map((name) => ({ name }))];
  const { labelOf } = matchClasses(categories, classes, classTable);
  // The first category of a class stands for all of them.
  const categoryOf = new Map([...labelOf].reverse().map(([id, label]) => [classes[label].name, id]));
  return { categoryOf, ...mergeCategories(groundTruth, classes, labelOf) };
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
