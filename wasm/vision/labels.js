// Label list -> class names; names, MIDs and numbers that a user gives -> class numbers.
import { failure } from '../shared/errors.js';
import { either, list, record, text } from '../shared/fields.js';
import { isNear, nearest } from '../shared/spelling.js';

/** The most labels of a model, and the most characters of one. */
export const MAX_LABELS = 200_000;
const MAX_LENGTH = 1000;
/** The most characters of all labels. */
export const MAX_TEXT = 8 << 20;

const label = record({ name: text(MAX_LENGTH), mid: text(MAX_LENGTH) }, ['name']);
const labelList = list(either(label, text(MAX_LENGTH)), { max: MAX_LABELS });

/** @typedef {{name: string, mid?: string}} Label `mid`: the class's id in Open Images and Freebase, "/m/…" */

const BACKGROUND = /^(\?\?\?|background|__background__)$/i;

/** @param {Label} label */
export function isBackground({ name }) {
  return BACKGROUND.test(name);
}

/**
 * Labels from a file's text or from a list, as they are.
 * @param {string | readonly (string | Label)[]} source
 * @param {string} [name] of the source, for errors
 * @returns {Label[]}
 */
export function readLabels(source, name = 'labels') {
  const entries = typeof source === 'string' ? toLines(source, name) : source;
  if (!Array.isArray(entries)) throw failure('INVALID_OPTION', `${name} must be a list, a path or a URL`);
  const fault = labelList(entries, name);
  if (fault) throw failure('INVALID_OPTION', `${fault}; a label is a name or {name, mid}`);
  return entries.map((entry) => (typeof entry === 'string' ? { name: entry.trim() } : entry));
}

/** @param {string} text @param {string} name */
function toLines(text, name) {
  if (text.length > MAX_TEXT)
    throw failure('INVALID_OPTION', `${name} has ${text.length} characters; the limit is ${MAX_TEXT}`);
  return text.trimEnd().split(/\r?\n/);
}

/**
 * The labels of a model's classes. Lists of other tools may have one more in front, for a background that is no class.
 * @param {Label[]} labels
 * @param {number} numClasses
 */
export function withoutBackground(labels, numClasses) {
  return labels.length > numClasses && isBackground(labels[0]) ? labels.slice(1) : labels;
}

/**
 * What a result says about a class.
 * @param {Label[]} labels
 * @param {number} labelId
 */
export function describeClass(labels, labelId) {
  const { name, mid } = labels[labelId] ?? { name: `class ${labelId}` };
  return { label: name, labelId, ...(mid && { mid }) };
}

/**
 * The classes to report, as one byte per class: 1 reported, 0 not.
 * @param {import('./types.js').ClassSelection} classes names, MIDs or numbers
 * @param {Label[]} labels
 * @param {number} numClasses
 */
export function selectClasses({ allow, deny }, labels, numClasses) {
  const mask = new Uint8Array(numClasses).fill(allow ? 0 : 1);
  for (const wanted of allow ?? []) for (const id of findClasses(wanted, labels, numClasses)) mask[id] = 1;
  for (const unwanted of deny ?? []) for (const id of findClasses(unwanted, labels, numClasses)) mask[id] = 0;
  return mask;
}

/**
 * The numbers of the classes with this name, MID or number. Several classes may have the same name.
 * @param {string | number} wanted
 * @param {Label[]} labels
 * @param {number} numClasses
 */
export function findClasses(wanted, labels, numClasses) {
  if (typeof wanted === 'number') {
    if (Number.isInteger(wanted) && wanted >= 0 && wanted < numClasses) return [wanted];
    throw failure('UNKNOWN_CLASS', `${wanted}; class numbers are 0 to ${numClasses - 1}`);
  }
  const key = String(wanted).trim().toLowerCase();
  const found = labels.flatMap(({ name, mid }, id) =>
    id < numClasses && (name.toLowerCase() === key || mid?.toLowerCase() === key) ? [id] : [],
  );
  if (found.length > 0) return found;
  const known = labels.map(({ name }) => name);
  throw failure('UNKNOWN_CLASS', `'${String(wanted)}'${hintAt(key, known)}`);
}

/** The most classes that an error lists. */
const LISTED = 30;

/** @param {string} key @param {string[]} known */
function hintAt(key, known) {
  const near = nearest(key, known).filter((name) => isNear(key, name));
  if (near.length > 0) return `; nearest: ${near.map((name) => `'${name}'`).join(', ')}`;
  if (known.length > LISTED) return `; the model has ${known.length} classes, which \`labels\` lists`;
  return known.length > 0 ? `; the classes are ${known.join(', ')}` : '; the model has no names of classes';
}

/**
 * @param {number} given how many labels
 * @param {number} count of classes
 */
export function wrongCount(given, count) {
  const counted = (/** @type {number} */ number, /** @type {string} */ one, /** @type {string} */ more) =>
    `${number} ${number === 1 ? one : more}`;
  return failure(
    'INVALID_OPTION',
    `labels has ${counted(given, 'name', 'names')}, but the model has ${counted(count, 'class', 'classes')}`,
  );
}
