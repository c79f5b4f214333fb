// Which classes a detector has after training, and which columns of its scores are trained.
import { failure as generalFailure } from '../../shared/errors.js';
import { failure } from '../errors.js';

/**
 * @typedef {import('./model.js').DetectorFile} DetectorFile
 * @typedef {import('./examples.js').Photo} Photo
 *
 * @typedef {{name: string, mid?: string, trained: number | null, source: number | null}} FinalClass a class of the trained
 *   detector: its column among those that are trained, or in the file
 */

/** An anchor fits a box from this IoU on. */
const FITS = 0.5;

/**
 * With sigmoids, the columns of classes that are only kept are not trained: they stay as they are. A softmax needs all.
 * @param {DetectorFile} file
 * @param {readonly string[]} labels the classes that are learnt
 * @param {boolean | readonly string[]} keepClasses
 */
export function chooseClasses(file, labels, keepClasses) {
  const kept = keptClasses(file.labels, keepClasses);
  if (kept.length > 0 && file.unfrozen.tail.length > 0)
    throw generalFailure(
      'INVALID_OPTION',
      'keepClasses needs unfreeze 0: unfrozen blocks change the maps that kept classes are found in. Learn those classes, too',
    );
  if (kept.length > 0 && file.fused.size > 0 && file.isSoftmax)
    throw generalFailure(
      'INVALID_OPTION',
      "keepClasses needs fuseMaps false with this model: the columns of a softmax can't be trained alone",
    );
  const offset = Number(file.background);
  const sourceOf = (/** @type {string} */ name) => {
    const index = file.labels.findIndex((label) => label.name === name);
    return index < 0 ? null : index + offset;
  };
  const all = [
    ...kept,
    ...labels
      .filter((name) => !kept.some((label) => label.name === name))
      .map((name) => ({ ...file.labels.find((l) => l.name === name), name })),
  ];
  const isTrained = (/** @type {string} */ name) => file.isSoftmax || labels.includes(name);
  const trained = all.filter(({ name }) => isTrained(name));
  const background = file.background ? [0] : [];
  const order = trained.map(({ name }) => name);
  return {
    keepsClasses: kept.length > 0,
    /** The classes of the file that are not learnt. */
    kept: kept.map(({ name }) => name).filter((name) => !labels.includes(name)),
    background: file.background,
    labels,
    /** For each trained column, its column in the file; null: a new class. */
    sources: [...background, ...trained.map(({ name }) => sourceOf(name))],
    final: all.map(({ name, mid }) => ({
      name,
      mid,
      trained: isTrained(name) ? order.indexOf(name) + offset : null,
      source: sourceOf(name),
    })),
    truths: labels.map((name) => order.indexOf(name)),
    found: labels.map((name) => order.indexOf(name) + offset),
    columns: trained.length + offset,
    warnings: (/** @type {readonly Photo[]} */ photos) => [
      ...nameWarnings(labels, file),
      ...anchorWarnings(photos, file),
    ],
  };
}

/**
 * @param {DetectorFile['labels']} labels
 * @param {boolean | readonly string[]} keepClasses
 */
function keptClasses(labels, keepClasses) {
  if (typeof keepClasses === 'boolean') return keepClasses ? labels : [];
  if (!Array.isArray(keepClasses) || !keepClasses.every((name) => typeof name === 'string'))
    throw failure('INVALID_LABEL', 'keepClasses must be true, false or a list of names');
  const unknown = keepClasses.find((name) => !labels.some((label) => label.name === name));
  if (unknown !== undefined)
    throw failure('INVALID_LABEL', `keepClasses: the model has no class '${unknown}'`);
  return labels.filter(({ name }) => keepClasses.includes(name));
}

/**
 * Of names that are probably meant to be those of the model.
 * @param {readonly string[]} labels
 * @param {DetectorFile} file
 */
function nameWarnings(labels, file) {
  const known = file.labels.map(({ name }) => name);
  const simple = (/** @type {string} */ name) => name.trim().toLowerCase();
  return labels.flatMap((label) => {
    const near = known.includes(label) ? [] : known.filter((name) => simple(name) === simple(label));
    return near.map((name) => `'${label}' is a new class; the model's is '${name}'`);
  });
}

/**
 * @param {readonly Photo[]} photos
 * @param {DetectorFile} file
 * @returns {string[]}
 */
function anchorWarnings(photos, { anchors }) {
  const boxes = photos.flatMap(({ targets }) => targets.map(({ box }) => box));
  const unfit = boxes.filter((box) => bestOverlap(box, anchors) < FITS);
  if (unfit.length === 0) return [];
  const sides = anchors.filter((_, i) => i % 4 === 2);
  const finest = unfit.filter(
    ([ymin, xmin, ymax, xmax]) => Math.max(ymax - ymin, xmax - xmin) < Math.min(...sides),
  );
  const percent = Math.round((100 * unfit.length) / boxes.length);
  const small = finest.length > 0 ? `; ${finest.length} are smaller than the finest anchor` : '';
  return [
    `${unfit.length} of ${boxes.length} boxes (${percent} %) overlap no anchor by an IoU of ${FITS} or more${small}`,
  ];
}

/** @param {readonly number[]} box @param {Float32Array} anchors */
function bestOverlap([ymin, xmin, ymax, xmax], anchors) {
  let best = 0;
  for (let i = 0; i < anchors.length; i += 4) {
    const [y, x, height, width] = anchors.subarray(i, i + 4);
    const high = Math.min(ymax, y + height / 2) - Math.max(ymin, y - height / 2);
    const wide = Math.min(xmax, x + width / 2) - Math.max(xmin, x - width / 2);
    if (high <= 0 || wide <= 0) continue;
    const union = (ymax - ymin) * (xmax - xmin) + height * width - high * wide;
    best = Math.max(best, (high * wide) / union);
  }
  return best;
}
