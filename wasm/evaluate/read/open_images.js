// Open Images' CSV files: boxes, labels of images, names of classes, and predictions in the challenge's format.
import { failure } from '../errors.js';
import { isShare } from './cells.js';
import { readRows, readTable } from './csv.js';
import { parseJson } from './json.js';
import { findPictures, measurePictures } from './pictures.js';
import { plural } from '../../shared/text.js';

/**
 * @typedef {import('../types.js').GroundTruth} GroundTruth
 * @typedef {import('../types.js').Detection} Detection
 * @typedef {import('./files.js').DataFiles} DataFiles
 * @typedef {import('./dataset.js').Dataset} Dataset
 * @typedef {{width: number, height: number}} Size
 */

const BOX = ['XMin', 'XMax', 'YMin', 'YMax'];

/** @param {string} text the start of a file @returns {'boxes' | 'labels' | 'predictions' | undefined} */
export function kindOfCsv(text) {
  const header = text
    .slice(0, 2000)
    .split(/\r?\n/)[0]
    .split(',')
    .map((name) => name.trim().replace(/^"(.*)"$/, '$1'));
  const has = (/** @type {string[]} */ ...names) => names.every((name) => header.includes(name));
  if (!has('ImageID', 'LabelName')) return undefined;
  if (has('Score', ...BOX)) return 'predictions';
  if (has(...BOX)) return 'boxes';
  return has('Confidence') ? 'labels' : undefined;
}

/**
 * @param {DataFiles} files
 * @param {{boxes: string, labels?: string, names?: string, hierarchy?: string}} chosen names of files
 * @returns {Promise<Dataset>}
 */
export async function readOpenImages(files, { boxes, labels, names, hierarchy }) {
  const nameOf = names === undefined ? new Map() : readNames(await files.readText(names), names);
  /** @type {GroundTruth} */
  const groundTruth = { images: [], categories: [], annotations: [] };
  const images = new Set();
  const classes = new Set();
  /** @type {string[]} */
  const places = [];
  for (const { row, line } of readTable(await files.readText(boxes), boxes, [
    'ImageID',
    'LabelName',
    ...BOX,
  ])) {
    const [image, label] = [row.id('ImageID'), row.id('LabelName')];
    images.add(image);
    classes.add(label);
    places.push(`${boxes}:${line}`);
    groundTruth.annotations.push({
      id: groundTruth.annotations.length + 1,
      image_id: image,
      category_id: label,
      ...boxOf(row),
      isGroupOf: row.flag('IsGroupOf'),
    });
  }
  if (labels !== undefined) {
    groundTruth.imageLabels = [];
    for (const { row } of readTable(await files.readText(labels), labels, [
      'ImageID',
      'LabelName',
      'Confidence',
    ])) {
      const [image, label] = [row.id('ImageID'), row.id('LabelName')];
      images.add(image);
      classes.add(label);
      const positive = row.number('Confidence', 'INVALID_ENTRY') > 0;
      groundTruth.imageLabels.push({ image_id: image, category_id: label, positive });
    }
  }
  const pictures = findPictures(
    files,
    [...images].map((id) => ({ id, names: [id] })),
  );
  const sizes = await measurePictures(files, pictures);
  groundTruth.images = [...images].map((id) => ({
    id,
    file_name: pictures.get(id) ?? id,
    ...sizes.get(id),
  }));
  for (const [i, annotation] of groundTruth.annotations.entries()) {
    const size = sizes.get(annotation.image_id);
    if (size && !annotation.bbox.every(isShare))
      throw failure(
        'INVALID_BOX',
        `${places[i]}: the box is ${annotation.corners?.join(', ')}: expected shares of the image, from 0 to 1`,
      );
    scale(annotation, size);
  }
  groundTruth.categories = [...classes].map((mid) => ({ id: mid, mid, name: nameOf.get(mid) ?? mid }));
  const unknown = images.size - sizes.size;
  const message = `the size of ${plural(unknown, 'image')} is not known: their boxes are shares of the image, and their areas mean nothing`;
  return {
    format: 'Open Images',
    groundTruth,
    pictures,
    isNormalized: true,
    locate: (list, i) => (list === 'annotations' ? places[i] : undefined),
    notes: unknown > 0 ? [{ code: 'SIZE_UNKNOWN', message, count: unknown }] : [],
    ...(hierarchy !== undefined && { hierarchy: readTree(await files.readText(hierarchy), hierarchy) }),
  };
}

/**
 * Predictions of Open Images' challenge.
 * @param {string} text
 * @param {string} file
 * @param {Map<import('../types.js').Id, Size>} sizes
 */
export function readPredictions(text, file, sizes) {
  /** @type {Detection[]} */
  const detections = [];
  /** @type {string[]} */
  const places = [];
  for (const { row, line } of readTable(text, file, ['ImageID', 'LabelName', 'Score', ...BOX])) {
    const detection = {
      image_id: row.id('ImageID'),
      category_id: row.id('LabelName'),
      score: row.number('Score', 'INVALID_SCORE'),
      ...boxOf(row),
    };
    scale(detection, sizes.get(detection.image_id));
    detections.push(detection);
    places.push(`${file}:${line}`);
  }
  return { detections, places };
}

/** @param {{place: string, number: (name: string, code: 'INVALID_BOX') => number}} row */
function boxOf(row) {
  const [xmin, xmax, ymin, ymax] = BOX.map((name) => row.number(name, 'INVALID_BOX'));
  if (xmin > xmax || ymin > ymax)
    throw failure('INVALID_BOX', `${row.place}: XMin ${xmin}, XMax ${xmax}, YMin ${ymin}, YMax ${ymax}`);
  return { bbox: [xmin, ymin, xmax - xmin, ymax - ymin], corners: [xmin, ymin, xmax, ymax] };
}

/**
 * From shares of the image to pixels. The corners stay shares, as TensorFlow's tool reads them.
 * @param {{bbox: readonly number[]}} entry
 * @param {Size | undefined} size undefined: not known
 */
function scale(entry, size) {
  if (!size) return;
  const [x, y, width, height] = entry.bbox;
  entry.bbox = [x * size.width, y * size.height, width * size.width, height * size.height];
}

/** @param {string} text @param {string} file @returns {import('../measure/open_images.js').Hierarchy} */
function readTree(text, file) {
  const tree = parseJson(text, file);
  if (typeof tree === 'object' && tree !== null && !Array.isArray(tree)) return tree;
  throw failure('DATASET_DAMAGED', `${file}: the hierarchy is not an object`);
}

/**
 * class-descriptions-boxable.csv: MID,name.
 * @param {string} text
 * @param {string} file
 * @returns {Map<string, string>}
 */
function readNames(text, file) {
  const names = new Map();
  for (const { cells, line } of readRows(text, file)) {
    if (cells.length !== 2) throw failure('DATASET_DAMAGED', `${file}:${line}: expected MID,name`);
    if (cells[0] !== 'LabelName') names.set(cells[0].trim(), cells[1].trim());
  }
  return names;
}
