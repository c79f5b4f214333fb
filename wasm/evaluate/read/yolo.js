// YOLO's data sets: data.yaml, pictures, and a text file of labels for each picture.
import { reading } from '../../shared/errors.js';
import { parseDecimal } from '../../shared/numbers.js';
import { failure } from '../errors.js';
import { isShare } from './cells.js';
import { measurePictures, PICTURE } from './pictures.js';
import { plural } from '../../shared/text.js';

/**
 * @typedef {import('./files.js').DataFiles} DataFiles
 * @typedef {import('./dataset.js').Dataset} Dataset
 * @typedef {{width: number, height: number}} Size
 */

const SPLITS = ['val', 'test', 'train'];

/**
 * @param {DataFiles} files
 * @param {string} yamlName
 * @param {string} [split] default: the first of val, test and train
 * @returns {Promise<Dataset>}
 */
export async function readYolo(files, yamlName, split) {
  const data = await parseYaml(await files.readText(yamlName), yamlName);
  const names = readNames(data.names, yamlName);
  if (data.nc !== undefined && data.nc !== null && data.nc !== names.length)
    throw failure(
      'DATASET_DAMAGED',
      `${yamlName}: 'nc' is ${JSON.stringify(data.nc)?.slice(0, 40)}, but there are ${names.length} names`,
    );
  const wanted = split ?? SPLITS.find((key) => data[key]);
  if (wanted === undefined || !data[wanted])
    throw failure(
      'DATASET_DAMAGED',
      `${yamlName}: it has no ${split === undefined ? 'val, test or train' : `'${split}'`}`,
    );
  const paths = await listPictures(files, yamlName, data, wanted);
  const pictures = new Map(paths.map((path) => [path, path]));
  const sizes = await measurePictures(files, pictures);
  /** @type {import('../types.js').GroundTruth} */
  const groundTruth = {
    images: paths.map((path) => ({ id: path, file_name: path, .../** @type {Size} */ (sizes.get(path)) })),
    categories: names.map((name, id) => ({ id, name })),
    annotations: [],
  };
  /** @type {string[]} */
  const places = [];
  let unlabelled = 0;
  const orphans = findOrphans(files, paths);
  for (const path of paths) {
    const file = labelsOf(path);
    if (!files.has(file)) {
      unlabelled++;
      continue;
    }
    for (const { label, bbox, line } of readLabels(await files.readText(file), file, names.length)) {
      const { width, height } = /** @type {Size} */ (sizes.get(path));
      const [x, y, w, h] = bbox;
      places.push(`${file}:${line}`);
      groundTruth.annotations.push({
        id: places.length,
        image_id: path,
        category_id: label,
        bbox: [x * width, y * height, w * width, h * height],
      });
    }
  }
  return {
    format: 'YOLO',
    groundTruth,
    pictures,
    isNormalized: false,
    locate: (list, i) => (list === 'annotations' ? places[i] : undefined),
    notes: [
      ...noteOf(
        'NO_LABEL_FILE',
        unlabelled,
        `${plural(unlabelled, 'image')} without a label file: they show no object`,
      ),
      ...noteOf(
        'NO_PICTURE',
        orphans.length,
        `${orphans.length} label files belong to no picture: ${orphans.slice(0, 3).join(', ')}${orphans.length > 3 ? ' …' : ''}`,
      ),
    ],
  };
}

/** @param {string} code @param {number} count @param {string} message @returns {import('../types.js').Note[]} */
const noteOf = (code, count, message) => (count === 0 ? [] : [{ code, message, count }]);

/**
 * The label files that belong to no picture, also of another split, in the folders of those that do.
 * @param {DataFiles} files
 * @param {string[]} paths of pictures
 */
function findOrphans(files, paths) {
  const folderOf = (/** @type {string} */ path) => path.slice(0, path.lastIndexOf('/') + 1);
  const folders = new Set(paths.map((path) => folderOf(labelsOf(path))));
  const known = new Set(files.matching(PICTURE).map(labelsOf));
  return files
    .matching(/\.txt$/)
    .filter((name) => /(^|\/)labels\//.test(name) && folders.has(folderOf(name)) && !known.has(name))
    .filter((name) => !/(^|\/)classes\.txt$/.test(name));
}

/** @param {string} text @param {string} file */
async function parseYaml(text, file) {
  // The default export: bundlers may leave out the named ones of a CommonJS module.
  const { LineCounter, parseDocument } = (await import('yaml')).default;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error)
    throw failure(
      'DATASET_DAMAGED',
      `${file}:${lines.linePos(error.pos[0]).line}: ${error.message.split('\n')[0]}`,
    );
  const data = reading(failure, 'DATASET_DAMAGED', file, () => document.toJS({ maxAliasCount: 100 }));
  if (typeof data !== 'object' || data === null) throw failure('DATASET_DAMAGED', `${file}: it is not a map`);
  return /** @type {Record<string, any>} */ (data);
}

/**
 * A list, or a map from numbers.
 * @param {unknown} names
 * @param {string} file
 * @returns {string[]}
 */
function readNames(names, file) {
  const isMap = typeof names === 'object' && names !== null;
  const byNumber = new Map(isMap ? Object.entries(names) : []);
  const list = Array.from({ length: byNumber.size }, (_, i) => byNumber.get(String(i)));
  if (list.length === 0 || list.includes(undefined))
    throw failure(
      'DATASET_DAMAGED',
      `${file}: 'names' must be a list of class names, or a map from 0, 1, 2 … to names`,
    );
  if (!list.every((name) => ['string', 'number', 'boolean'].includes(typeof name)))
    throw failure('DATASET_DAMAGED', `${file}: one of 'names' is not a text`);
  return list.map(String);
}

/**
 * @param {DataFiles} files
 * @param {string} yamlName
 * @param {Record<string, any>} data
 * @param {string} split
 */
async function listPictures(files, yamlName, data, split) {
  const directory = yamlName.slice(0, yamlName.lastIndexOf('/') + 1);
  const { path = '' } = data;
  if (typeof path !== 'string') throw failure('DATASET_DAMAGED', `${yamlName}: 'path' is not a text`);
  const roots = [join(directory, path), directory];
  /** @type {Set<string>} */
  const found = new Set();
  for (const entry of [data[split]].flat()) {
    if (typeof entry !== 'string')
      throw failure(
        'DATASET_DAMAGED',
        `${yamlName}: '${split}' must be a folder, a list of pictures, or a list of those`,
      );
    // Roboflow writes ../valid/images for a folder beside data.yaml.
    const candidates = roots.flatMap((root) => [
      join(root, entry),
      join(root, entry.replace(/^(\.\.\/)+/, '')),
    ]);
    const list = candidates.find((name) => /\.txt$/.test(name) && files.has(name));
    const pictures = list
      ? await readList(files, list, roots)
      : candidates
          .map((folder) =>
            files.matching(PICTURE).filter((name) => name.startsWith(folder === '' ? '' : `${folder}/`)),
          )
          .find((names) => names.length > 0);
    if (!pictures || pictures.length === 0)
      throw failure('DATASET_INCOMPLETE', `${yamlName}: there are no pictures in '${entry}' (${split})`);
    for (const picture of pictures) found.add(picture);
  }
  return [...found].sort();
}

/** @param {DataFiles} files @param {string} list @param {string[]} roots */
async function readList(files, list, roots) {
  return (await files.readText(list)).split(/\r?\n/).flatMap((line, i) => {
    const entry = line.trim();
    if (entry === '') return [];
    const name = roots.map((root) => join(root, entry)).find((candidate) => files.has(candidate));
    if (name === undefined)
      throw failure('DATASET_INCOMPLETE', `${list}:${i + 1}: there is no file '${entry}'`);
    return [name];
  });
}

/** Joins two relative paths. @param {string} root @param {string} path */
function join(root, path) {
  /** @type {string[]} */
  const parts = [];
  for (const part of `${root}/${path}`.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** images/val/a.jpg -> labels/val/a.txt @param {string} path */
function labelsOf(path) {
  const text = path.replace(/\.[^./]*$/, '.txt');
  const at = `/${text}`.lastIndexOf('/images/');
  return at < 0 ? text : `${text.slice(0, at)}labels${text.slice(at + 'images'.length)}`;
}

/**
 * `class x y width height` in shares of the picture, x and y being the centre; or `class x1 y1 x2 y2 …`, a polygon, whose
 * bounding box counts.
 * @param {string} text
 * @param {string} file
 * @param {number} numClasses
 */
function* readLabels(text, file, numClasses) {
  for (const [i, row] of text.split(/\r?\n/).entries()) {
    const cells = row.trim().split(/\s+/);
    if (cells[0] === '') continue;
    const place = `${file}:${i + 1}`;
    const [label, ...values] = cells.map(parseDecimal);
    if (!Number.isInteger(label) || label < 0 || label >= numClasses)
      throw failure(
        'INVALID_ENTRY',
        `${place}: the class is '${cells[0]}', but classes are 0 to ${numClasses - 1}`,
      );
    const isPolygon = values.length >= 6 && values.length % 2 === 0;
    if (values.length !== 4 && !isPolygon)
      throw failure('INVALID_BOX', `${place}: expected 4 numbers, or a polygon, behind the class`);
    const bbox = isPolygon
      ? boundsOf(values)
      : [values[0] - values[2] / 2, values[1] - values[3] / 2, values[2], values[3]];
    if (!values.every(Number.isFinite) || bbox[2] < 0 || bbox[3] < 0)
      throw failure('INVALID_BOX', `${place}: ${row.trim().slice(0, 100)}`);
    if (!values.every(isShare))
      throw failure(
        'INVALID_BOX',
        `${place}: ${row.trim().slice(0, 100)}: expected shares of the image, from 0 to 1`,
      );
    yield { label, bbox, line: i + 1 };
  }
}

/** @param {number[]} points x and y in turn */
function boundsOf(points) {
  const xs = points.filter((_, i) => i % 2 === 0);
  const ys = points.filter((_, i) => i % 2 === 1);
  const least = (/** @type {number[]} */ values) => values.reduce((a, b) => Math.min(a, b));
  const most = (/** @type {number[]} */ values) => values.reduce((a, b) => Math.max(a, b));
  const [x, y] = [least(xs), least(ys)];
  return [x, y, most(xs) - x, most(ys) - y];
}
