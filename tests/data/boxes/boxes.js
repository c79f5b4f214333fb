// The labelled photos of this folder: tables -> objects, and COCO's format.
import { readFileSync } from 'node:fs';

/**
 * @typedef {object} Photo
 * @property {string} file
 * @property {number} width
 * @property {number} height
 * @property {string} package `npm:NAME@VERSION` or `deb:NAME`
 * @property {string} licence
 * @property {string} path in the package
 * @property {string} sha256
 *
 * @typedef {object} Box
 * @property {string} file
 * @property {string} name of the class
 * @property {[left: number, top: number, width: number, height: number]} box in pixels
 * @property {boolean} isIgnored what is found here is neither right nor wrong
 */

/** What an object of a class also is, by Open Images' hierarchy of classes. */
const PARENTS = new Map([
  ['Bicycle', 'Vehicle'],
  ['Car', 'Vehicle'],
  ['Boot', 'Footwear'],
  ['High heels', 'Footwear'],
]);

/** @param {string} name of a file of this folder @returns {Record<string, string>[]} its rows, by column */
function readTable(name) {
  const text = readFileSync(new URL(name, import.meta.url), 'utf8');
  const [columns, ...rows] = text
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
  return rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i] ?? ''])));
}

/** @param {string} name boxes.tsv, or one of the two passes @returns {Box[]} */
export function readBoxTable(name) {
  return readTable(name).map(({ file, class: label, left, top, width, height, note }) => ({
    file,
    name: label,
    box: [Number(left), Number(top), Number(width), Number(height)],
    isIgnored: note === 'ignore',
  }));
}

/** @returns {{photos: Photo[], boxes: Box[]}} */
export function readBoxes() {
  const photos = readTable('photos.tsv').map(
    ({ width, height, ...rest }) =>
      /** @type {Photo} */ ({ ...rest, width: Number(width), height: Number(height) }),
  );
  return { photos, boxes: readBoxTable('boxes.tsv') };
}

/**
 * @param {{photos: Photo[], boxes: Box[]}} data
 * @returns {import('../../../wasm/evaluate/types.js').GroundTruth}
 */
export function toCoco({ photos, boxes }) {
  const names = [...new Set(boxes.flatMap(({ name }) => [name, PARENTS.get(name) ?? name]))].sort();
  const idOf = new Map(photos.map(({ file }, i) => [file, i + 1]));
  const expanded = boxes.flatMap((box) => {
    const parent = PARENTS.get(box.name);
    return parent === undefined ? [box] : [box, { ...box, name: parent }];
  });
  return {
    images: photos.map(({ file, width, height }, i) => ({ id: i + 1, file_name: file, width, height })),
    categories: names.map((name, i) => ({ id: i + 1, name })),
    annotations: expanded.map(({ file, name, box, isIgnored }, i) => ({
      id: i + 1,
      image_id: /** @type {number} */ (idOf.get(file)),
      category_id: names.indexOf(name) + 1,
      bbox: box,
      area: box[2] * box[3],
      iscrowd: Number(isIgnored),
    })),
  };
}

/**
 * How well the two passes agree: the boxes of one class in one photo are paired, those first that overlap most, down to an
 * IoU of 0.5.
 * @returns {{paired: number, firstOnly: number, secondOnly: number, meanIou: number, over90: number}} over90: the share of
 *   pairs with an IoU of at least 0.9
 */
export function agreement() {
  const { photos } = readBoxes();
  const passes = ['pass-1.tsv', 'pass-2.tsv'].map((name) =>
    readBoxTable(name).filter((box) => !box.isIgnored),
  );
  /** @type {number[]} */
  const ious = [];
  for (const { file } of photos) {
    const [first, second] = passes.map((boxes) => boxes.filter((box) => box.file === file));
    const pairs = first.flatMap((a) =>
      second.filter((b) => b.name === a.name).map((b) => ({ a, b, iou: overlap(a.box, b.box) })),
    );
    const used = new Set();
    for (const { a, b, iou } of pairs.sort((x, y) => y.iou - x.iou)) {
      if (iou < 0.5 || used.has(a) || used.has(b)) continue;
      used.add(a).add(b);
      ious.push(iou);
    }
  }
  return {
    paired: ious.length,
    firstOnly: passes[0].length - ious.length,
    secondOnly: passes[1].length - ious.length,
    meanIou: ious.reduce((sum, iou) => sum + iou, 0) / ious.length,
    over90: ious.filter((iou) => iou >= 0.9).length / ious.length,
  };
}

/** Intersection over union. @param {Box['box']} a @param {Box['box']} b */
function overlap(a, b) {
  const side = (/** @type {0 | 1} */ axis) =>
    Math.min(a[axis] + a[axis + 2], b[axis] + b[axis + 2]) - Math.max(a[axis], b[axis]);
  const [width, height] = [side(0), side(1)];
  if (width <= 0 || height <= 0) return 0;
  return (width * height) / (a[2] * a[3] + b[2] * b[3] - width * height);
}
