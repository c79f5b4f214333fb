// The picture files of a data set's images, and their sizes.
import { failure } from '../errors.js';

/**
 * @typedef {import('./files.js').DataFiles} DataFiles
 * @typedef {import('../types.js').Id} Id
 */

export const PICTURE = /\.(jpe?g|png|bmp|gif|webp)$/i;

/** 'a/b.jpg' -> 'b.jpg' @param {string} path */
export const baseOf = (path) => path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
/** 'a/b.jpg' -> 'b' @param {string} path */
export const stemOf = (path) => baseOf(path).replace(/\.[^.]*$/, '');

/**
 * Finds the picture of each image: by its path, by the end of its path, by its file name, or by its file name without
 * extension. A name that several files have is refused.
 * @param {DataFiles} files
 * @param {{id: Id, names: string[]}[]} images
 * @returns {Map<Id, string>} images without a picture are left out
 */
export function findPictures(files, images) {
  const pictures = files.matching(PICTURE);
  const byBase = groupBy(pictures, baseOf);
  const byStem = groupBy(pictures, stemOf);
  /** @type {Map<Id, string>} */
  const found = new Map();
  for (const { id, names } of images) {
    for (const name of names) {
      const path = files.has(name)
        ? name
        : choose(name, byBase.get(baseOf(name)) ?? byStem.get(stemOf(baseOf(name))));
      if (path === undefined) continue;
      found.set(id, path);
      break;
    }
  }
  return found;
}

/** @param {string} name @param {string[]} [candidates] */
function choose(name, candidates = []) {
  const closest = candidates.filter((path) => path === name || path.endsWith(`/${name}`));
  const [first, second] = closest.length > 0 ? closest : candidates;
  if (second !== undefined)
    throw failure('DATASET_AMBIGUOUS', `the image '${name}' may be '${first}' or '${second}'`);
  return first;
}

/** @param {string[]} names @param {(name: string) => string} keyOf */
function groupBy(names, keyOf) {
  /** @type {Map<string, string[]>} */
  const groups = new Map();
  for (const name of names) {
    const group = groups.get(keyOf(name));
    if (group) group.push(name);
    else groups.set(keyOf(name), [name]);
  }
  return groups;
}

/**
 * The size of each picture as it is shown: EXIF's orientation is applied, as the detectors do.
 * @param {DataFiles} files
 * @param {Map<Id, string>} pictures
 * @returns {Promise<Map<Id, {width: number, height: number}>>}
 */
export async function measurePictures(files, pictures) {
  const sizes = new Map();
  if (pictures.size === 0) return sizes;
  const { imageSize } = await import('image-size');
  for (const [id, path] of pictures) {
    try {
      const { width, height, orientation = 1 } = imageSize(await files.read(path));
      sizes.set(id, orientation >= 5 ? { width: height, height: width } : { width, height });
    } catch (error) {
      throw failure('DATASET_DAMAGED', `${path}: ${/** @type {Error} */ (error).message}`, error);
    }
  }
  return sizes;
}
