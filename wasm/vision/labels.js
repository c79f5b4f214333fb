// Label list -> class names; names, MIDs and numbers that a user gives -> class numbers.
import { failure } from '../shared/errors.js';
import { nearest } from '../shared/spelling.js';

/** @typedef {{name: string, mid?: string}} Label `mid`: the class's id in Open Images and Freebase, "/m/…" */

const BACKGROUND = /^(\?\?\?|background|__background__)$/i;

/** @param {Label} label */
export function isBackground({ name }) {
  return BACKGROUND.test(name);
}

/**
 * Labels from a file's text or from a list. A first entry for the background is dropped unless `keepBackground`.
 * @param {string | readonly (string | Label)[]} source
 * @param {{keepBackground?: boolean}} [options]
 * @returns {Label[]}
 */
export function readLabels(source, { keepBackground = false } = {}) {
  const entries = typeof source === 'string' ? source.replace(/\s+$/, '').split(/\r?\n/) : source;
  if (!Array.isArray(entries)) throw failure('INVALID_OPTION', 'labels must be a list, a path or a URL');
  const labels = entries.map((entry) => (typeof entry === 'string' ? { name: entry.trim() } : entry));
  for (const label of labels) {
    if (typeof label?.name !== 'string' || typeof (label.mid ?? '') !== 'string')
      throw failure('INVALID_OPTION', 'each entry of labels must be a name or {name, mid}');
  }
  return !keepBackground && labels.length > 0 && isBackground(labels[0]) ? labels.slice(1) : labels;
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
 * @param {{allow?: (string | number)[], deny?: (string | number)[]}} classes names, MIDs or numbers
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
  const names = nearest(key, known).map((name) => `'${name}'`);
  throw failure(
    'UNKNOWN_CLASS',
    `'${String(wanted)}'${names.length > 0 ? `; nearest: ${names.join(', ')}` : ''}`,
  );
}
