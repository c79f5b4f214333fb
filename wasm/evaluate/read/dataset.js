// Opens a data set in any of the formats, and says which one it is.
import { checkObject } from '../arguments.js';
import { failure } from '../errors.js';
import { isCoco, readCoco } from './coco.js';
import { DataFiles, decodeText, openFiles } from './files.js';
import { parseJson } from './json.js';
import { kindOfCsv, readOpenImages } from './open_images.js';
import { findPictures } from './pictures.js';
import { readVoc } from './voc.js';
import { readYolo } from './yolo.js';
import { plural } from '../../shared/text.js';

/**
 * @typedef {import('./files.js').Source} Source
 * @typedef {import('../types.js').GroundTruth} GroundTruth
 *
 * @typedef {object} DatasetOptions
 * @property {string} [annotations] the name of the annotation file, if there are several: a path, or its end
 * @property {string} [split] which part of a data set that has several: `val`, `test`, `train` …
 * @property {string} [name] of the source, if it is one file
 *
 * @typedef {object} Dataset
 * @property {'COCO' | 'Pascal VOC' | 'YOLO' | 'Open Images'} format
 * @property {GroundTruth} groundTruth
 * @property {Map<import('../types.js').Id, string>} pictures path by image; images without a picture are left out
 * @property {boolean} isNormalized whether corners are shares of the image
 * @property {import('../types.js').Locate} [locate]
 * @property {import('../measure/open_images.js').Hierarchy} [hierarchy] Open Images' class hierarchy
 * @property {import('../types.js').Note[]} [notes]
 */

/**
 * @param {Source | DataFiles} source
 * @param {DatasetOptions} [options]
 * @returns {Promise<Dataset & {files: DataFiles}>}
 */
export async function readDataset(source, options = {}) {
  checkObject(options, 'options', 'an object');
  const files = source instanceof DataFiles ? source : await openFiles(source, options.name);
  const found = await findFormats(files, options);
  const [first, second] = found;
  if (!first) throw failure('DATASET_UNKNOWN', describe(files, options));
  if (second)
    throw failure(
      'DATASET_AMBIGUOUS',
      `${first.name} (${first.format}) or ${second.name} (${second.format}); name the annotation file`,
    );
  return { ...(await first.read()), files };
}

/**
 * @typedef {{format: string, name: string, read: () => Promise<Dataset>}} Candidate
 *
 * @param {DataFiles} files
 * @param {DatasetOptions} options
 * @returns {Promise<Candidate[]>}
 */
async function findFormats(files, { annotations, split }) {
  const isWanted = (/** @type {string} */ name) =>
    annotations === undefined || name === annotations || name.endsWith(`/${annotations}`);
  const inSplit = (/** @type {Candidate[]} */ found) =>
    found.filter(({ name }) => split === undefined || name.includes(split));
  const coco = inSplit(await findCoco(files, jsonFilesOf(files).filter(isWanted)));
  const yolo = files
    .matching(/(^|\/)(data|dataset|[^/]*)\.ya?ml$/i)
    .filter(isWanted)
    .map((name) => ({ format: 'YOLO', name, read: () => readYolo(files, name, split) }));
  const openImages = inSplit(await findOpenImages(files, isWanted));
  const xml = files
    .matching(/\.xml$/i)
    .filter((name) => annotations === undefined || name.startsWith(annotations));
  const voc =
    xml.length > 0 ? [{ format: 'Pascal VOC', name: xml[0], read: () => readVoc(files, xml, split) }] : [];
  return [...coco, ...yolo, ...openImages, ...voc];
}

/** A single file may have any name. @param {DataFiles} files */
function jsonFilesOf(files) {
  const isSingle = files.names.length === 1 && !/\.(xml|ya?ml|csv|txt)$/i.test(files.names[0]);
  return isSingle ? files.names : files.matching(/\.json$/i);
}

/** @param {DataFiles} files @param {string[]} names @returns {Promise<Candidate[]>} */
async function findCoco(files, names) {
  const found = [];
  for (const name of names) {
    const text = await files.readText(name);
    const isOnly = names.length === 1 && files.names.length === 1;
    if (!isOnly && !text.includes('"annotations"')) continue;
    const parsed = parseJson(text, name);
    if (!isOnly && !isCoco(parsed)) continue;
    found.push({ format: 'COCO', name, read: async () => openCoco(files, text, name, parsed) });
  }
  return found;
}

/** @param {DataFiles} files @param {string} text @param {string} name @param {any} parsed @returns {Dataset} */
function openCoco(files, text, name, parsed) {
  const { groundTruth, locate } = readCoco(text, name, parsed);
  const images = groundTruth.images.filter((image) => typeof image?.file_name === 'string');
  return {
    format: 'COCO',
    groundTruth,
    pictures: findPictures(
      files,
      images.map(({ id, file_name: file }) => ({ id, names: [/** @type {string} */ (file)] })),
    ),
    isNormalized: false,
    locate,
  };
}

/** @param {DataFiles} files @param {(name: string) => boolean} isWanted @returns {Promise<Candidate[]>} */
async function findOpenImages(files, isWanted) {
  /** @type {Record<string, string[]>} */
  const kinds = { boxes: [], labels: [], names: [] };
  for (const name of files.matching(/\.csv$/i)) {
    const bytes = await files.read(name);
    const start = decodeText(bytes.subarray(0, 4000), name);
    const kind = kindOfCsv(start) ?? (/^\/[mg]\/\w+,/.test(start) ? 'names' : undefined);
    if (kind && kind in kinds) kinds[kind].push(name);
  }
  const hierarchies = files.matching(/hierarchy[^/]*\.json$/i);
  return kinds.boxes.filter(isWanted).map((boxes) => ({
    format: 'Open Images',
    name: boxes,
    read: () =>
      readOpenImages(files, {
        boxes,
        labels: closestTo(boxes, kinds.labels),
        names: closestTo(boxes, kinds.names),
        // The challenge's files are expanded already.
        hierarchy: /expanded/.test(boxes) ? undefined : closestTo(boxes, hierarchies),
      }),
  }));
}

/**
 * The file whose name starts most alike: validation-annotations-bbox.csv goes with validation-annotations-human-imagelabels.csv.
 * @param {string} name
 * @param {string[]} candidates
 * @returns {string | undefined}
 */
function closestTo(name, candidates) {
  const common = (/** @type {string} */ other) => {
    let length = 0;
    while (length < name.length && name[length] === other[length]) length++;
    return length;
  };
  return [...candidates].sort((a, b) => common(b) - common(a))[0];
}

/** @param {DataFiles} files @param {DatasetOptions} options */
function describe(files, { annotations, split }) {
  const named = annotations === undefined ? '' : ` named '${annotations}'`;
  const wanted = split === undefined ? named : `${named} of the split '${split}'`;
  const shown = files.names.slice(0, 3).join(', ');
  return (
    `there is no annotation file${wanted}: COCO's .json, Pascal VOC's .xml, YOLO's data.yaml or Open Images' .csv; ` +
    `it has ${plural(files.names.length, 'file')}${shown ? `: ${shown}${files.names.length > 3 ? ' …' : ''}` : ''}`
  );
}
