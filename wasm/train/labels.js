// Checks class names and turns them into class ids.
import { safeJson } from '../shared/text.js';
import { failure } from './errors.js';

/** A file of labels has one name a line, and readers trim the lines. */
const MAX_LENGTH = 500;
const MAX_CLASSES = 65_536;
const UNFIT = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

/** @param {readonly string[]} labels one for each example, or the classes */
export function checkLabels(labels) {
  if (!Array.isArray(labels)) throw failure('INVALID_LABEL', 'labels must be an array of non-empty strings');
  const known = new Set();
  for (const label of labels) {
    if (known.has(label)) continue;
    const fault = faultOf(label);
    if (fault) throw failure('INVALID_LABEL', fault);
    known.add(label);
  }
  if (known.size > MAX_CLASSES)
    throw failure('INVALID_LABEL', `there are ${known.size} classes; the limit is ${MAX_CLASSES}`);
}

/** What keeps a name from surviving in a file. @param {unknown} label */
function faultOf(label) {
  if (typeof label !== 'string' || label === '') return 'labels must be an array of non-empty strings';
  if (label.length > MAX_LENGTH)
    return `the class ${safeJson(label.slice(0, 20))}… has ${label.length} characters; the limit is ${MAX_LENGTH}`;
  const shown = safeJson(label);
  if (label.trim() !== label) return `the class ${shown} begins or ends with a blank`;
  if (UNFIT.test(label))
    return `the class ${shown} has a line end, another control character or half a character`;
  return undefined;
}

/**
 * @param {readonly string[] | Float32Array} labels
 * @param {string[]} classes
 * @returns {number[] | Float32Array} class ids; distributions are returned unchanged
 */
export function toClassIds(labels, classes) {
  if (labels instanceof Float32Array) return labels;
  checkLabels(labels);
  const ids = new Map(classes.map((label, id) => [label, id]));
  return labels.map((label) => {
    const id = ids.get(label);
    if (id === undefined) throw failure('INVALID_LABEL', `'${label}' is not a class`);
    return id;
  });
}
