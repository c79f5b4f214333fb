// COCO's JSON files: ground truth (instances_*.json) and results.
import * as check from '../../shared/fields.js';
import { failure } from '../errors.js';
import { lineOf, parseJson } from './json.js';

/**
 * @typedef {import('../types.js').GroundTruth} GroundTruth
 * @typedef {import('../types.js').Locate} Locate
 * @typedef {{groundTruth: GroundTruth, locate: Locate}} Read
 */

/** @param {any} value @returns {value is GroundTruth} */
export function isCoco(value) {
  return typeof value === 'object' && value !== null && 'images' in value && 'annotations' in value;
}

/**
 * @param {string} text
 * @param {string} file
 * @param {any} [parsed]
 * @returns {Read}
 */
export function readCoco(text, file, parsed = parseJson(text, file)) {
  if (!isCoco(parsed))
    throw failure('DATASET_DAMAGED', `${file}: it has no images and annotations, as COCO's files do`);
  for (const list of /** @type {const} */ (['images', 'annotations', 'categories'])) {
    if (Array.isArray(parsed[list])) continue;
    const problem = list in parsed ? 'is not a list' : 'is missing';
    throw failure('DATASET_DAMAGED', `${file}${placeOf(text, [list])}: '${list}' ${problem}`);
  }
  /** @type {Locate} */
  const locate = (list, i) => `${file}${placeOf(text, [list, i])}`;
  checkTexts(parsed.images, { file_name: TEXT }, (i) => locate('images', i) ?? file);
  checkTexts(
    parsed.categories,
    { name: TEXT, mid: TEXT },
    (i) => `${file}${placeOf(text, ['categories', i])}`,
  );
  return { groundTruth: parsed, locate };
}

const TEXT = check.text(10_000);

/**
 * Checks the texts of entries. Their ids and numbers are checked where they are measured.
 * @param {unknown[]} entries
 * @param {Record<string, check.Check>} fields
 * @param {(i: number) => string} locate
 */
function checkTexts(entries, fields, locate) {
  const isEntry = check.record(fields);
  for (const [i, entry] of entries.entries()) {
    const fault = isEntry(entry, '');
    if (fault) throw failure('INVALID_ENTRY', `${locate(i)}: ${fault.trim()}`);
  }
}

/**
 * `:LINE`, or nothing if the value is not in the text.
 * @param {string} text
 * @param {import('./json.js').Path} path
 */
export function placeOf(text, path) {
  const line = lineOf(text, path);
  return line === undefined ? '' : `:${line}`;
}
