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
