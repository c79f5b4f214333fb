// The classes of a data set and the classes of a model: which are the same.
import { checkClassTable, checkDataset, checkMatch, checkNamed, checkText } from '../arguments.js';
import { failure as optionFailure } from '../../shared/errors.js';
import { nearest } from '../../shared/spelling.js';
import { failure } from '../errors.js';
import { readRows } from './csv.js';
import { parseJson } from './json.js';

/**
 * @typedef {import('../types.js').Category} Category
 * @typedef {import('../types.js').GroundTruth} GroundTruth
 * @typedef {import('../types.js').Id} Id
 * @typedef {{name: string, mid?: string}} Label
 *
 * @typedef {object} ClassMatch
 * @property {Map<Id, number>} labelOf the model's class number, by category; several categories may be one class
 * @property {Category[]} unmatchedCategories
 * @property {string[]} unmatchedLabels
 */

/**
 * Matches by MID, then by name: case, spaces, hyphens and underscores do not matter.
 * @param {Category[]} categories
 * @param {Label[]} labels of the model, by class number
 * @param {Map<string, string>} [table] from names of the data set to names or MIDs of the model
 * @returns {ClassMatch}
 */
export function matchClasses(categories, labels, table = new Map()) {
  checkNamed(categories, 'categories');
  checkNamed(labels, 'labels');
  checkClassTable(table);
  const byKey = new Map();
  for (const [i, { name, mid }] of labels.entries())
    for (const key of [normalize(name), ...(mid ? [mid.toLowerCase()] : [])])
      if (!byKey.has(key)) byKey.set(key, i);
  const find = (/** @type {string | undefined} */ name) =>
    name === undefined ? undefined : (byKey.get(name.toLowerCase()) ?? byKey.get(normalize(name)));
  for (const target of table.values()) {
    if (find(target) !== undefined) continue;
    const [close] = nearest(
      target,
      labels.map(({ name }) => name),
    );
    throw optionFailure('UNKNOWN_CLASS', `'${target}' in the table of classes; nearest: '${close}'`);
  }
  const named = new Map([...table].map(([from, to]) => [normalize(from), to]));
  /** @type {Map<Id, number>} */
  const labelOf = new Map();
  for (const { id, mid, name } of categories) {
    const target = named.get(normalize(name)) ?? named.get(normalize(String(id)));
    const label = target === undefined ? (find(mid) ?? find(name)) : find(target);
    if (label !== undefined) labelOf.set(id, label);
  }
  const matched = new Set(labelOf.values());
  return {
    labelOf,
    unmatchedCategories: categories.filter(({ id }) => !labelOf.has(id)),
    unmatchedLabels: labels.filter((_, i) => !matched.has(i)).map(({ name }) => name),
  };
}

/**
 * The ground truth with the model's classes: the ids of categories are class numbers. Annotations of other categories are
 * left out.
 * @param {import('./dataset.js').Dataset} dataset
 * @param {Label[]} labels
 * @param {ClassMatch} match
 * @returns {import('./dataset.js').Dataset}
 */
export function withLabels(dataset, labels, match) {
  checkDataset(dataset);
  checkNamed(labels, 'labels');
  checkMatch(match);
  const { labelOf } = match;
  const { groundTruth, locate } = dataset;
  if (labelOf.size === 0) throw failure('NO_CLASSES_MATCH');
  const { annotations, imageLabels } = groundTruth;
  const midOf = new Map(groundTruth.categories.map(({ id, mid }) => [labelOf.get(id), mid]));
  const classes = new Map(
    Array.from(labelOf.values(), (id) => [id, { mid: midOf.get(id), ...labels[id], id }]),
  );
  const isMatched = (/** @type {{category_id: Id}} */ { category_id: id }) => labelOf.has(id);
  const kept = annotations.flatMap((annotation, i) => (isMatched(annotation) ? [i] : []));
  const matched = {
    ...groundTruth,
    annotations: kept.map((i) => annotations[i]),
    ...(imageLabels && { imageLabels: imageLabels.filter(isMatched) }),
  };
  return {
    ...dataset,
    groundTruth: recategorize(
      matched,
      new Map(Array.from(labelOf, ([id, label]) => [id, /** @type {Category} */ (classes.get(label))])),
    ),
    locate: (list, i) => locate?.(list, list === 'annotations' ? kept[i] : i),
  };
}

/**
 * The ground truth in which the categories of one class are one: the first of them, with the class's name.
 * @param {GroundTruth} groundTruth
 * @param {Label[]} labels
 * @param {ClassMatch['labelOf']} labelOf of all categories
 * @returns {{groundTruth: GroundTruth, notes: import('../types.js').Note[]}}
 */
export function mergeCategories(groundTruth, labels, labelOf) {
  /** @type {Map<number, Map<Id, Category>>} categories by id, by class */
  const classes = new Map();
  for (const category of groundTruth.categories) {
    const label = /** @type {number} */ (labelOf.get(category.id));
    classes.set(label, (classes.get(label) ?? new Map()).set(category.id, category));
  }
  /** @type {Map<Id, Category>} */
  const categoryOf = new Map();
  /** @type {import('../types.js').Note[]} */
  const notes = [];
  for (const [label, members] of classes) {
    const [first] = members.values();
    const isMerged = members.size > 1;
    const { name } = labels[label];
    const category = isMerged ? { ...first, name } : first;
    for (const id of members.keys()) categoryOf.set(id, category);
    const shown = Array.from(members.values(), (member) => member.name).slice(0, 5);
    const message = `${members.size} categories are one class, '${name}': ${shown.join(', ')}`;
    if (isMerged) notes.push({ code: 'MERGED_CATEGORIES', message, count: members.size });
  }
  return { groundTruth: notes.length > 0 ? recategorize(groundTruth, categoryOf) : groundTruth, notes };
}

/**
 * The ground truth with other categories.
 * @param {GroundTruth} groundTruth
 * @param {Map<Id, Category>} categoryOf the new category of each one
 * @returns {GroundTruth}
 */
function recategorize(groundTruth, categoryOf) {
  /** @template {{category_id: Id}} T @param {T} entry @returns {T} */
  const change = (entry) => ({
    ...entry,
    category_id: categoryOf.get(entry.category_id)?.id ?? entry.category_id,
  });
  const { annotations, imageLabels } = groundTruth;
  return {
    ...groundTruth,
    categories: [...new Set(categoryOf.values())],
    annotations: annotations.map(change),
    ...(imageLabels && { imageLabels: imageLabels.map(change) }),
  };
}

/** @param {string} name */
function normalize(name) {
  return name
    .trim()
    .toLowerCase()
    .replace(/[\s_-]+/g, ' ');
}

/**
 * A user's table of classes: JSON `{"name in the data set": "name in the model"}`, or lines `name,name`.
 * @param {string} text
 * @param {string} file
 * @returns {Map<string, string>}
 */
export function readClassTable(text, file) {
  checkText(text, 'text');
  if (text.trimStart().startsWith('{')) {
    const entries = Object.entries(parseJson(text, file));
    const wrong = entries.find(([, to]) => typeof to !== 'string');
    if (wrong) throw failure('DATASET_DAMAGED', `${file}: the class of '${wrong[0]}' is not a text`);
    return new Map(/** @type {[string, string][]} */ (entries));
  }
  return new Map(
    Array.from(readRows(text, file), ({ cells, line }) => {
      if (cells.length !== 2)
        throw failure('DATASET_DAMAGED', `${file}:${line}: expected two names and a comma`);
      return /** @type {[string, string]} */ (cells.map((cell) => cell.trim()));
    }),
  );
}
