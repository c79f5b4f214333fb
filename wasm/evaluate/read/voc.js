// Pascal VOC's XML files, one for each image.
import { failure } from '../errors.js';
import { parseDecimal } from '../../shared/numbers.js';
import { toFlag } from './cells.js';
import { baseOf, findPictures, groupBy, PICTURE, stemOf, waysToPictures } from './pictures.js';
import { plural } from '../../shared/text.js';

/**
 * @typedef {import('./files.js').DataFiles} DataFiles
 * @typedef {import('./dataset.js').Dataset} Dataset
 * @typedef {import('@xmldom/xmldom').Element} Element
 */

const MASK = /(^|\/)Segmentation(Class|Object)\//;

/**
 * @param {DataFiles} files
 * @param {string[]} names of the XML files
 * @param {string} [split] of ImageSets/Main
 * @returns {Promise<Dataset>}
 */
export async function readVoc(files, names, split) {
  const chosen = split === undefined ? names : await chooseSplit(files, names, split);
  /** @type {import('../types.js').GroundTruth} */
  const groundTruth = { images: [], categories: [], annotations: [] };
  /** @type {string[]} */
  const places = [];
  const classes = new Set();
  const ids = new Set();
  /** @type {Map<string, string>} <filename> by XML file */
  const stated = new Map();
  for (const file of chosen) {
    const root = await parseXml(await files.readText(file), file);
    const id = stemOf(file);
    if (ids.has(id)) throw duplicate(file, id);
    ids.add(id);
    const name = nameOf(root, file);
    stated.set(file, name);
    groundTruth.images.push({ id, file_name: name, ...sizeOf(root) });
    for (const object of childrenOf(root, 'object')) {
      const label = textOf(object, 'name');
      if (label === '') throw damaged(file, object, 'the object has no name');
      classes.add(label);
      places.push(placeOf(file, object));
      groundTruth.annotations.push({
        id: places.length,
        image_id: id,
        category_id: label,
        ...boxOf(object, file),
        difficult: flagOf(object, file),
      });
    }
  }
  groundTruth.categories = [...classes].sort().map((name) => ({ id: name, name }));
  const { pictures, notes } = await choosePictures(files, names, stated);
  for (const image of groundTruth.images)
    image.file_name = baseOf(pictures.get(image.id) ?? /** @type {string} */ (image.file_name));
  return {
    format: 'Pascal VOC',
    groundTruth,
    pictures,
    isNormalized: false,
    locate: (list, i) => (list === 'annotations' ? places[i] : undefined),
    notes,
  };
}

/**
 * The picture that <filename> names. If there is none, or if several files name it, as copied ones do, it is the picture
 * with the file's own name, as in the VOC devkit, unless another file names that one.
 * @param {DataFiles} files
 * @param {string[]} names of all XML files
 * @param {Map<string, string>} stated <filename> by XML file, of those that are wanted
 */
async function choosePictures(files, names, stated) {
  const pictures = files.matching(PICTURE).filter((path) => !MASK.test(path));
  const ways = waysToPictures(files, pictures);
  const find = (/** @type {string} */ name) => ways.flatMap((way) => way(name))[0];
  const byStem = groupBy(pictures, stemOf);
  const entries = [...stated].map(([file, name]) => {
    const id = stemOf(file);
    return { file, name, id, path: find(name), own: byStem.get(id) ?? [] };
  });
  const doubtful = entries.filter(({ path, own }) => own.length > 0 && !own.includes(path));
  const all = new Map(stated);
  if (doubtful.length > 0)
    // The original of a copied file may be in another split.
    for (const file of names)
      if (!all.has(file)) all.set(file, nameOf(await parseXml(await files.readText(file), file), file));
  const namings = groupBy([...all.values()], find);
  const withOwn = new Set(
    doubtful.filter(
      ({ path, own }) =>
        (path === undefined || namings.get(path)?.length !== 1) && !own.some((other) => namings.has(other)),
    ),
  );
  const wanted = entries.map((entry) => {
    const { id, name, path } = entry;
    const [extension = ''] = PICTURE.exec(path ?? name) ?? [];
    return { id, names: withOwn.has(entry) ? [id + extension, id] : [name] };
  });
  const differing = [...withOwn].filter(({ path }) => path !== undefined);
  return {
    pictures: findPictures(files, wanted, pictures),
    notes: noteDiffering(differing.map(({ file, name }) => `'${file}' names '${name}'`)),
  };
}

/** <filename>, or the name of the file itself. @param {Element} root @param {string} file */
const nameOf = (root, file) => textOf(root, 'filename') || stemOf(file);

/** @param {string[]} differing @returns {import('../types.js').Note[]} */
function noteDiffering(differing) {
  const count = differing.length;
  if (count === 0) return [];
  const message = `${plural(count, 'annotation file')} with the <filename> of another picture; the picture named like the annotation file is used: ${differing[0]}`;
  return [{ code: 'FILENAME_DIFFERS', message, count }];
}

/** @param {DataFiles} files @param {string[]} names @param {string} split */
async function chooseSplit(files, names, split) {
  const [list] = files
    .matching(/(^|\/)ImageSets\/Main\/[^/]*\.txt$/)
    .filter((name) => stemOf(name) === split);
  if (list === undefined) throw failure('DATASET_INCOMPLETE', `there is no ImageSets/Main/${split}.txt`);
  const byStem = groupBy(names, stemOf);
  return (await files.readText(list)).split(/\r?\n/).flatMap((line, i) => {
    const [id] = line.trim().split(/\s+/);
    if (id === '') return [];
    const [name, other] = byStem.get(id) ?? [];
    if (name === undefined) throw failure('DATASET_INCOMPLETE', `${list}:${i + 1}: there is no ${id}.xml`);
    if (other !== undefined) throw duplicate(other, id);
    return [name];
  });
}

/** @param {string} text @param {string} file @returns {Promise<Element>} */
async function parseXml(text, file) {
  // The default export: bundlers may leave out the named ones of a CommonJS module.
  const { DOMParser } = (await import('@xmldom/xmldom')).default;
  /** @type {import('../../shared/errors.js').OcelliError | undefined} */
  let fault;
  const refuse = (
    /** @type {string} */ _level,
    /** @type {string} */ message,
    /** @type {any} */ context,
  ) => {
    const line = context?.locator?.lineNumber;
    fault ??= failure('DATASET_DAMAGED', `${file}${line ? `:${line}` : ''}: ${message.split('\n')[0]}`);
  };
  let root;
  try {
    root = new DOMParser({ onError: refuse }).parseFromString(text, 'text/xml').documentElement;
  } catch (error) {
    throw fault ?? failure('DATASET_DAMAGED', `${file}: ${/** @type {Error} */ (error).message}`, error);
  }
  if (fault) throw fault;
  if (root?.nodeName !== 'annotation')
    throw failure('DATASET_DAMAGED', `${file}: the root is not <annotation>`);
  return root;
}

/** @param {Element} element @param {string} name @returns {Element[]} */
function childrenOf(element, name) {
  return Array.from(element.childNodes)
    .filter((node) => node.nodeName === name)
    .map((node) => /** @type {Element} */ (node));
}

/** @param {Element} element @param {string} name */
function textOf(element, name) {
  return childrenOf(element, name)[0]?.textContent?.trim() ?? '';
}

/** @param {Element} root */
function sizeOf(root) {
  const [size] = childrenOf(root, 'size');
  const [width, height] = size ? ['width', 'height'].map((side) => Number(textOf(size, side))) : [];
  return width > 0 && height > 0 ? { width, height } : {};
}

/** @param {Element} object @param {string} file */
function boxOf(object, file) {
  const [box] = childrenOf(object, 'bndbox');
  if (!box) throw failure('NO_BOX', `${placeOf(file, object)}: the object has no bndbox`);
  const corners = ['xmin', 'ymin', 'xmax', 'ymax'].map((name) => {
    const text = textOf(box, name);
    const value = parseDecimal(text);
    if (Number.isFinite(value)) return value;
    throw failure('INVALID_BOX', `${placeOf(file, box)}: ${name} is '${text}'`);
  });
  const [xmin, ymin, xmax, ymax] = corners;
  if (xmin > xmax || ymin > ymax)
    throw failure(
      'INVALID_BOX',
      `${placeOf(file, box)}: xmin ${xmin}, ymin ${ymin}, xmax ${xmax}, ymax ${ymax}`,
    );
  return { bbox: [xmin, ymin, xmax - xmin, ymax - ymin], corners };
}

/** @param {Element} object @param {string} file */
function flagOf(object, file) {
  const text = textOf(object, 'difficult');
  const value = toFlag(text);
  if (value !== undefined) return value;
  throw failure('INVALID_ENTRY', `${placeOf(file, object)}: difficult is '${text}'`);
}

/** @param {string} file @param {Element} element */
function placeOf(file, element) {
  return `${file}:${/** @type {any} */ (element).lineNumber}`;
}

/** @param {string} file @param {string} id of the image */
function duplicate(file, id) {
  return failure('DUPLICATE_IMAGE', `${file}: another file describes the image '${id}', too`);
}

/** @param {string} file @param {Element} element @param {string} problem */
function damaged(file, element, problem) {
  return failure('DATASET_DAMAGED', `${placeOf(file, element)}: ${problem}`);
}
