// Runs a detector on the pictures of a data set.
import { checkDataset, checkDetector, checkDone, checkObject } from './arguments.js';
import { isUnreadable } from '../shared/errors.js';
import { checkCallbacks, checkSignal } from '../shared/options.js';
import { failure } from './errors.js';
import { matchClasses, withLabels } from './read/match.js';
import { uniqueImages } from './read/pictures.js';
import { plural } from '../shared/text.js';

/**
 * @typedef {import('../shared/platform.js').Global<'AbortSignal'>} WebSignal
 * @typedef {import('./types.js').Detection} Detection
 * @typedef {import('./types.js').Id} Id
 * @typedef {import('./types.js').Note} Note
 * @typedef {import('./read/dataset.js').Dataset} Dataset
 * @typedef {import('./read/files.js').DataFiles} DataFiles
 * @typedef {import('../tiles/index.js').TileOptions} TileOptions
 *
 * @typedef {object} Detector an ObjectDetector, or anything like it
 * @property {{name: string, mid?: string}[]} labels
 * @property {(image: any, options: object) => Promise<DetectorResult>} detect
 *
 * @typedef {object} DetectorResult
 * @property {{labelId: number, score: number, box: {x: number, y: number, width: number, height: number}}[]} detections
 * @property {{width: number, height: number}} size
 * @property {Record<string, number>} ms
 *
 * @typedef {object} ImageResult what is kept of one image, to resume later
 * @property {Id} image
 * @property {number} width
 * @property {number} height
 * @property {number} ms
 * @property {number[][]} found labelId, score, x, y, width, height
 *
 * @typedef {object} RunOptions
 * @property {Map<string, string>} [classTable] from names of the data set to names of the model
 * @property {TileOptions | 'auto'} [tiles] also detect in tiles, as `detect` does
 * @property {number} [scoreThreshold] default 0.001: the judge needs detections of every score
 * @property {ImageResult[]} [done] results of an interrupted run
 * @property {boolean} [allowMissing] leave out images without a picture
 * @property {(error: Error, path: string) => void} [onUnreadable] called with each picture that cannot be read, which is
 *   then left out; without it the call throws
 * @property {(result: ImageResult) => void | Promise<void>} [onImage] called with each result, to keep it
 * @property {(progress: {done: number, total: number, secondsLeft: number | undefined}) => void} [onProgress]
 * @property {WebSignal} [signal]
 *
 * @typedef {object} Ran
 * @property {Dataset & {files: DataFiles}} dataset with the model's classes
 * @property {Detection[]} detections
 * @property {number | null} msPerImage the median
 * @property {{categories: string[], labels: string[]}} unmatched
 * @property {Note[]} notes
 */

/** So many of each image are kept; COCO counts at most so many of each class. */
const MOST = 100;
/** So many are asked for, because those of classes that the data set does not have are left out. */
const MOST_OF_ALL = 1000;

/**
 * @param {Detector} detector
 * @param {Dataset & {files: DataFiles}} dataset
 * @param {RunOptions} [options]
 * @returns {Promise<Ran>}
 */
export async function runDetector(detector, dataset, options = {}) {
  checkDetector(detector);
  checkDataset(dataset);
  checkRunOptions(options);
  const match = matchClasses(dataset.groundTruth.categories, detector.labels, options.classTable);
  const labelled = { ...withLabels(dataset, detector.labels, match), files: dataset.files };
  const { images: chosen, notes } = choosePictures(labelled, options.allowMissing ?? false);
  const isKnown = new Set(match.labelOf.values());
  const results = await detectAll(detector, labelled, chosen, isKnown, options);
  const isMeasured = new Set(results.map(({ image }) => image));
  const images = chosen.filter(({ id }) => isMeasured.has(id));
  if (images.length === 0 && chosen.length > 0)
    throw failure('DATASET_INCOMPLETE', 'none of its pictures can be read');
  return {
    dataset: { ...labelled, groundTruth: onlyImages(labelled.groundTruth, isMeasured) },
    detections: results.flatMap((result) => toDetections(result, dataset.isNormalized)),
    msPerImage: median(results.map(({ ms }) => ms)),
    unmatched: {
      categories: match.unmatchedCategories.map(({ name }) => name),
      labels: match.unmatchedLabels,
    },
    notes: [...notes, ...noteUnreadable(chosen.length - images.length), ...compareSizes(images, results)],
  };
}

/** @param {RunOptions} options */
function checkRunOptions(options) {
  checkObject(options, 'options', 'an object');
  const { done = [], onImage, onProgress, onUnreadable, signal } = options;
  checkDone(done);
  checkCallbacks({ onImage, onProgress, onUnreadable });
  checkSignal(signal);
}

/**
 * @param {Dataset} dataset
 * @param {boolean} allowMissing
 */
function choosePictures({ groundTruth, pictures }, allowMissing) {
  const images = uniqueImages(groundTruth.images);
  const missing = images.filter(({ id }) => !pictures.has(id));
  const count = missing.length;
  if (count === 0) return { images, notes: [] };
  const names = missing.slice(0, 3).map(({ id, file_name: name = id }) => `'${name}'`);
  const message = `${count} of ${plural(images.length, 'image')} without a picture, such as ${names.join(', ')}`;
  if (!allowMissing || count === images.length) throw failure('DATASET_INCOMPLETE', message);
  return {
    images: images.filter(({ id }) => pictures.has(id)),
    notes: [{ code: 'NO_PICTURE', message: `${message}; they are left out`, count }],
  };
}

/**
 * @param {import('./types.js').GroundTruth} groundTruth
 * @param {Set<Id>} ids
 */
function onlyImages(groundTruth, ids) {
  if (groundTruth.images.every(({ id }) => ids.has(id))) return groundTruth;
  return {
    ...groundTruth,
    images: groundTruth.images.filter(({ id }) => ids.has(id)),
    annotations: groundTruth.annotations.filter(({ image_id: id }) => ids.has(id)),
    ...(groundTruth.imageLabels && {
      imageLabels: groundTruth.imageLabels.filter(({ image_id: id }) => ids.has(id)),
    }),
  };
}

/**
 * @param {Detector} detector
 * @param {Dataset & {files: DataFiles}} dataset
 * @param {import('./types.js').Image[]} images
 * @param {Set<number>} isKnown the classes that count
 * @param {RunOptions} options
 */
async function detectAll(detector, { files, pictures }, images, isKnown, options) {
  const { done = [], onImage, onProgress, signal } = options;
  const known = new Map(done.map((result) => [result.image, result]));
  const total = images.length;
  const start = performance.now();
  let fresh = 0;
  /** @type {ImageResult[]} */
  const results = [];
  for (const [i, { id }] of images.entries()) {
    signal?.throwIfAborted();
    let result = known.get(id);
    if (!result) {
      const path = /** @type {string} */ (pictures.get(id));
      result = await detectIn(detector, id, { files, path }, isKnown, options);
      if (result) await onImage?.(result);
      fresh++;
    }
    if (result) results.push(result);
    const left = total - i - 1;
    const secondsLeft = fresh > 0 ? ((performance.now() - start) / 1000 / fresh) * left : undefined;
    onProgress?.({ done: i + 1, total, secondsLeft });
  }
  return results;
}

/**
 * @param {Detector} detector
 * @param {Id} image
 * @param {{files: DataFiles, path: string}} picture
 * @param {Set<number>} isKnown
 * @param {RunOptions} options
 * @returns {Promise<ImageResult | undefined>} undefined: it cannot be read
 */
async function detectIn(
  detector,
  image,
  { files, path },
  isKnown,
  { scoreThreshold = 0.001, tiles, onUnreadable },
) {
  try {
    const { detections, size, ms } = await detector.detect(await files.read(path), {
      scoreThreshold,
      maxResults: MOST_OF_ALL,
      maxPerClass: MOST,
      ...(tiles && { tiles }),
    });
    return {
      image,
      ...size,
      ms: Object.values(ms).reduce((sum, time) => sum + time, 0),
      found: detections
        .filter(({ labelId }) => isKnown.has(labelId))
        .slice(0, MOST)
        .map(({ labelId, score, box }) => [labelId, score, box.x, box.y, box.width, box.height]),
    };
  } catch (error) {
    if (onUnreadable && isUnreadable(error)) {
      onUnreadable(/** @type {Error} */ (error), path);
      return undefined;
    }
    if (error instanceof Error) error.message = `${path}: ${error.message}`;
    throw error;
  }
}

/**
 * @param {ImageResult} result
 * @param {boolean} isNormalized whether the ground truth has corners as shares of the image
 * @returns {Detection[]}
 */
function toDetections({ image, width, height, found }, isNormalized) {
  return found.map(([labelId, score, x, y, w, h]) => ({
    image_id: image,
    category_id: labelId,
    score,
    bbox: [x, y, w, h],
    ...(isNormalized && { corners: [x / width, y / height, (x + w) / width, (y + h) / height] }),
  }));
}

/** @param {number} count @returns {Note[]} */
function noteUnreadable(count) {
  return count === 0
    ? []
    : [{ code: 'UNREADABLE', message: `${plural(count, 'picture')} left out: unreadable`, count }];
}

/**
 * Boxes of another size than the picture are probably wrong.
 * @param {import('./types.js').Image[]} images
 * @param {ImageResult[]} results
 * @returns {Note[]}
 */
function compareSizes(images, results) {
  const different = images.filter(({ width, height }, i) => {
    const isKnown = width !== undefined && height !== undefined;
    return isKnown && (width !== results[i].width || height !== results[i].height);
  });
  if (different.length === 0) return [];
  const [{ id, file_name: name = id }] = different;
  return [
    {
      code: 'SIZE_DIFFERS',
      message: `${plural(different.length, 'picture')} of another size than the data set says, such as '${name}'`,
      count: different.length,
    },
  ];
}

/** @param {number[]} values */
function median(values) {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}
