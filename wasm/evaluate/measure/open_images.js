// Open Images' average precision: the class hierarchy is expanded, group-of boxes are treated apart, and labels that
// nobody verified do not count.
import { checkGroundTruth } from '../arguments.js';
import { failure } from '../errors.js';
import { areaUnderCurve, averagePrecisions, elevenPoints, labelDetections } from './average_precision.js';

/**
 * @typedef {import('./table.js').Table} Table
 * @typedef {import('../types.js').GroundTruth} GroundTruth
 * @typedef {{LabelName: string, Subcategory?: Hierarchy[], Part?: Hierarchy[]}} Hierarchy Open Images'
 *   bbox_labels_600_hierarchy.json; its root stands for no class
 */

export const OPEN_IMAGES_RULES = /** @type {const} */ (['v2', 'challenge']);

/**
 * v2 is the metric of 2018's OpenImagesDetectionEvaluator: detections in a group-of box do not count. In the challenge
 * they count as one object, and detections of a class that nobody verified in an image do not count.
 * @param {Table} table
 * @param {{rule?: typeof OPEN_IMAGES_RULES[number], groupWeight?: number}} [options]
 */
export function measureOpenImages(table, { rule = 'v2', groupWeight = rule === 'challenge' ? 1 : 0 } = {}) {
  const isEvaluated = rule === 'challenge' ? verified(table) : undefined;
  const labelled = labelDetections(table, { groupWeight, hasDifficult: false, isEvaluated });
  return averagePrecisions(labelled, areaUnderCurve);
}

/** @param {Table} table */
export function measureVoc(table) {
  const labelled = labelDetections(table, {
    groupWeight: undefined,
    hasDifficult: true,
    isEvaluated: undefined,
  });
  return {
    voc2007: averagePrecisions(labelled, elevenPoints),
    voc2010: averagePrecisions(labelled, areaUnderCurve),
  };
}

/** @param {Table} table */
function verified({ truth, imageLabels = [], listedCategories }) {
  const key = (/** @type {number} */ image, /** @type {number} */ category) =>
    image * listedCategories + category;
  const known = new Set(imageLabels.map(({ image, category }) => key(image, category)));
  for (let row = 0; row < truth.count; row++)
    if (truth.image[row] >= 0 && truth.category[row] < listedCategories)
      known.add(key(truth.image[row], truth.category[row]));
  return (/** @type {number} */ image, /** @type {number} */ category) => known.has(key(image, category));
}

/**
 * Adds a copy of each annotation for every class above its own. A verified label also holds for the classes above it, and
 * an absent class for those below it. A class is named in the hierarchy by its MID, or else by its name or id.
 * @param {GroundTruth} groundTruth
 * @param {Hierarchy} hierarchy
 * @returns {GroundTruth}
 */
export function expandHierarchy(groundTruth, hierarchy) {
  checkGroundTruth(groundTruth);
  const { annotations, categories, imageLabels } = groundTruth;
  const { above, below } = readHierarchy(hierarchy);
  /** @type {Map<string, import('../types.js').Id>} */
  const idOf = new Map();
  for (const { id, mid, name } of categories)
    for (const key of [String(id), name, mid ?? name]) idOf.set(key, id);
  const nameOf = new Map(
    categories.map(({ id, mid, name }) => [
      id,
      [mid, name, String(id)].find((n) => n !== undefined && above.has(n)),
    ]),
  );
  const expand = (
    /** @type {import('../types.js').Id} */ id,
    /** @type {Map<string, Set<string>>} */ relatives,
  ) => {
    if (!nameOf.has(id)) return [];
    const name = nameOf.get(id);
    if (name === undefined)
      throw failure(
        'DATASET_INCOMPLETE',
        `the hierarchy does not have the class with id ${JSON.stringify(id)}`,
      );
    return [.../** @type {Set<string>} */ (relatives.get(name))].flatMap((other) => idOf.get(other) ?? []);
  };
  return {
    ...groundTruth,
    annotations: annotations.flatMap((annotation) => [
      annotation,
      ...expand(annotation.category_id, above).map((id) => ({ ...annotation, category_id: id })),
    ]),
    ...(imageLabels && {
      imageLabels: imageLabels.flatMap((label) => [
        label,
        ...expand(label.category_id, (label.positive ?? true) ? above : below).map((id) => ({
          ...label,
          category_id: id,
        })),
      ]),
    }),
  };
}

/**
 * @param {Hierarchy} root
 * @returns {{above: Map<string, Set<string>>, below: Map<string, Set<string>>}} the ancestors and descendants of each class
 */
function readHierarchy(root) {
  /** @type {Map<string, Set<string>>} */
  const above = new Map();
  /** @type {Map<string, Set<string>>} */
  const below = new Map();
  const visit = (/** @type {Hierarchy} */ node, /** @type {string[]} */ path) => {
    const name = node?.LabelName;
    if (typeof name !== 'string')
      throw failure('DATASET_DAMAGED', 'a node of the hierarchy has no LabelName');
    if (path.length > 100) throw failure('DATASET_DAMAGED', 'the hierarchy is deeper than 100 classes');
    const ancestors = above.get(name) ?? new Set();
    above.set(name, ancestors);
    if (!below.has(name)) below.set(name, new Set());
    for (const ancestor of path) {
      ancestors.add(ancestor);
      /** @type {Set<string>} */ (below.get(ancestor)).add(name);
    }
    for (const child of childrenOf(node)) visit(child, [...path, name]);
  };
  if (typeof root !== 'object' || root === null || Array.isArray(root))
    throw failure('DATASET_DAMAGED', 'the hierarchy is not an object');
  for (const child of childrenOf(root)) visit(child, []);
  return { above, below };
}

/** @param {Hierarchy} node @returns {Hierarchy[]} */
function childrenOf(node) {
  const children = node?.Subcategory ?? [];
  if (Array.isArray(children)) return children;
  throw failure('DATASET_DAMAGED', 'a Subcategory of the hierarchy is not a list');
}
