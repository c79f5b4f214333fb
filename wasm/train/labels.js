// Checks class names and turns them into class ids.
import { failure } from './errors.js';

/** @param {readonly string[]} labels */
export function checkLabels(labels) {
  const isLabel = (/** @type {unknown} */ label) => typeof label === 'string' && label !== '';
  if (!Array.isArray(labels) || !labels.every(isLabel))
    throw failure('INVALID_LABEL', 'labels must be an array of non-empty strings');
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
