// Checks of what a program passes to the functions of this entry. What files say is checked where they are read.
import { failure } from '../shared/errors.js';

/** @param {unknown} value @returns {value is Record<string, any>} */
const isObject = (value) => typeof value === 'object' && value !== null;

/** @param {unknown} value */
const isListOfObjects = (value) => Array.isArray(value) && value.every(isObject);

/** @param {unknown} value */
const isListOfNames = (value) =>
  isListOfObjects(value) && /** @type {any[]} */ (value).every(({ name }) => typeof name === 'string');

/**
 * @param {boolean} isRight
 * @param {string} name of the argument
 * @param {string} what it must be
 * @param {'INVALID_INPUT' | 'INVALID_OPTION'} [code]
 */
function demand(isRight, name, what, code = 'INVALID_INPUT') {
  if (!isRight) throw failure(code, `${name} must be ${what}`);
}

/** @param {unknown} value @param {string} name */
export function checkText(value, name) {
  demand(typeof value === 'string', name, 'a string');
}

/** @param {unknown} value @param {string} name */
export function checkFunction(value, name) {
  demand(typeof value === 'function', name, 'a function');
}

/** @param {unknown} value */
export function checkMeasures(value) {
  demand(Array.isArray(value), 'measures', 'a list', 'INVALID_OPTION');
}

/** @param {unknown} value */
export function checkDone(value) {
  demand(isListOfObjects(value), 'done', 'a list of what onImage was called with', 'INVALID_OPTION');
}

/** @param {unknown} value @param {string} name @param {string} what it must be */
export function checkObject(value, name, what) {
  demand(isObject(value), name, what);
}

/** @param {unknown} value */
export function checkGroundTruth(value) {
  const { images, annotations, categories } = /** @type {any} */ (isObject(value) ? value : {});
  const isRight = [images, annotations].every(isListOfObjects) && isListOfNames(categories);
  demand(isRight, 'groundTruth', '{ images, annotations, categories }, as in what readDataset returns');
}

/** @param {unknown} value */
export function checkDataset(value) {
  demand(isObject(value), 'dataset', 'what readDataset returns');
  checkGroundTruth(/** @type {any} */ (value).groundTruth);
}

/** @param {unknown} value @param {string} name */
export function checkNamed(value, name) {
  demand(isListOfNames(value), name, 'a list of { name, mid? }');
}

/** @param {unknown} value */
export function checkClassTable(value) {
  const isRight = value instanceof Map && [...value].flat().every((text) => typeof text === 'string');
  demand(isRight, 'table', 'a Map from names to names');
}

/** @param {unknown} value */
export function checkMatch(value) {
  demand(isObject(value) && value.labelOf instanceof Map, 'match', 'what matchClasses returns');
}

/** @param {unknown} value */
export function checkLabels(value) {
  const isRight =
    Array.isArray(value) && value.length > 0 && value.every((label) => typeof label === 'string');
  demand(isRight, 'labels', 'a list of the names of the classes');
}

/**
 * @param {unknown} rows
 * @param {unknown} truth
 * @param {number} classes
 */
export function checkProbabilities(rows, truth, classes) {
  const isClass = (/** @type {unknown} */ label) =>
    Number.isInteger(label) && Number(label) >= 0 && Number(label) < classes;
  demand(
    Array.isArray(truth) && truth.length > 0 && truth.every(isClass),
    'truth',
    `a list of numbers of classes, 0 to ${classes - 1}, at least one`,
  );
  const isRow = (/** @type {any} */ row) =>
    isObject(row) && row.length === classes && Array.from(/** @type {any} */ (row)).every(Number.isFinite);
  const isRight =
    Array.isArray(rows) && rows.length === /** @type {any[]} */ (truth).length && rows.every(isRow);
  demand(isRight, 'probabilities', `a list with ${classes} finite numbers for each image of truth`);
}

/** @param {unknown} value */
export function checkClassified(value) {
  const isRight = (/** @type {any} */ { truth, probabilities, read }) =>
    Number.isInteger(truth) && isObject(probabilities) && typeof read === 'function';
  const areRight = isListOfObjects(value) && /** @type {any[]} */ (value).every(isRight);
  demand(areRight, 'images', 'a list of { name, truth, probabilities, read }');
}

/** @param {unknown} value */
export function checkClassification(value) {
  const isRight = isObject(value) && isListOfObjects(value.classes) && Array.isArray(value.confusion);
  demand(isRight, 'evaluation', 'what evaluateClassification returns');
}

/** @param {unknown} value */
export function checkAbout(value) {
  const { dataset, date } = /** @type {any} */ (isObject(value) ? value : {});
  const isRight = typeof dataset === 'string' && typeof date?.toISOString === 'function';
  demand(isRight, 'about', 'an object with dataset, a string, and date, a Date');
}

/** @param {unknown} value */
export function checkRuns(value) {
  const isRight =
    isListOfNames(value) &&
    /** @type {any[]} */ (value).every(({ evaluation }) => isListOfObjects(evaluation?.classes));
  demand(
    isRight && /** @type {any[]} */ (value).length > 0,
    'runs',
    'a list of { name, evaluation, … }, at least one',
  );
}

/** @param {unknown} value */
export function checkDetector(value) {
  demand(isObject(value) && typeof value.detect === 'function', 'detector', 'an ObjectDetector');
  checkNamed(/** @type {any} */ (value).labels, 'labels of the detector');
}
