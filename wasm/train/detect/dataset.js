// A data set as `ocelli evaluate` reads them -> photos with boxes.
import { checkDataset } from '../../evaluate/arguments.js';
import { failure as datasetFailure } from '../../evaluate/errors.js';
import { readDataset } from '../../evaluate/read/dataset.js';
import { uniqueImages } from '../../evaluate/read/pictures.js';
import { failure, isUnreadable } from '../../shared/errors.js';
import { measure, toRgb } from './examples.js';

/**
 * @typedef {import('../../evaluate/read/dataset.js').DatasetOptions} DatasetOptions
 * @typedef {Awaited<ReturnType<typeof readDataset>>} ReadDataset
 * @typedef {Parameters<typeof readDataset>[0] | ReadDataset} DatasetSource files, or what readDataset() returned
 */

/**
 * @param {DatasetSource} source
 * @param {DatasetOptions} [options]
 * @returns {Promise<ReadDataset>}
 */
export async function openDataset(source, options) {
  if (typeof source !== 'object' || source === null || !('groundTruth' in source))
    return readDataset(/** @type {any} */ (source), options);
  checkDataset(source);
  return /** @type {ReadDataset} */ (source);
}

/**
 * Adds every picture with its boxes. Pictures are read now for their sizes, and again when they are needed.
 * @param {import('./examples.js').Photos} photos
 * @param {ReadDataset} dataset
 * @param {import('../../vision/image.js').DecodeOptions} reading
 * @param {(error: Error, path: string) => void} [onUnreadable]
 */
export async function addPictures(photos, { groundTruth, pictures, files, locate }, reading, onUnreadable) {
  const names = new Map(groundTruth.categories.map(({ id, name }) => [id, name]));
  /** @type {Map<import('../../evaluate/types.js').Id, import('./examples.js').ExampleBox[]>} */
  const byImage = new Map();
  for (const [i, annotation] of groundTruth.annotations.entries()) {
    const box = toBox(annotation, names, () => {
      const place = locate?.('annotations', i);
      return `${place === undefined ? '' : `${place}: `}annotations[${i}]`;
    });
    const list = byImage.get(annotation.image_id);
    if (list) list.push(box);
    else byImage.set(annotation.image_id, [box]);
  }
  for (const { id, file_name: listed = String(id), ...stated } of uniqueImages(groundTruth.images)) {
    const found = pictures.get(id);
    const path = found ?? listed;
    const read = () => files.read(path);
    try {
      if (found === undefined) throw failure('IMAGE_NOT_FOUND', 'the data set has no such picture');
      const photo = measure(await toRgb(await read(), reading));
      const { width, height } = photo;
      const isOtherSize = (stated.width ?? width) !== width || (stated.height ?? height) !== height;
      photos.add({ name: path, read, ...photo, isOtherSize }, byImage.get(id) ?? []);
    } catch (error) {
      if (onUnreadable && isUnreadable(error)) onUnreadable(/** @type {Error} */ (error), path);
      else throw withPath(error, path);
    }
  }
}

/** @param {unknown} error @param {string} path */
function withPath(error, path) {
  if (error instanceof Error && !error.message.includes(path)) error.message = `${path}: ${error.message}`;
  return error;
}

/**
 * @param {import('../../evaluate/types.js').Annotation} annotation
 * @param {Map<import('../../evaluate/types.js').Id, string>} names
 * @param {() => string} place for messages
 * @returns {import('./examples.js').ExampleBox}
 */
function toBox({ bbox, category_id, ...flags }, names, place) {
  // A file may have anything in the place of a list.
  const [x, y, width, height] = bbox?.[Symbol.iterator] ? bbox : [];
  if (x === undefined)
    throw datasetFailure(
      'NO_BOX',
      `${place()} has ${'segmentation' in flags ? 'a segmentation only' : 'no bbox'}`,
    );
  return {
    label: /** @type {string} */ (names.get(category_id)),
    box: { x, y, width, height },
    ignore: Boolean(flags.iscrowd || flags.difficult || flags.isGroupOf),
  };
}
