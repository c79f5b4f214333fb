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
/** 'a/b.jpg' -> 'b', 'b.1' -> 'b.1' @param {string} path */
const bareOf = (path) => baseOf(path).replace(PICTURE, '');

/**
 * One entry for each id: the last one counts, as in COCO's tool.
 * @template {{id: Id}} T
 * @param {T[]} images
 */
export const uniqueImages = (images) => [...new Map(images.map((image) => [image.id, image])).values()];

/**
 * The ways from a name to the pictures that it may mean, the most exact first: its path, the end of its path, its file
 * name, or its file name without extension.
 * @param {DataFiles} files
 * @param {string[]} pictures
 * @returns {((name: string) => string[])[]}
 */
export function waysToPictures(files, pictures) {
  const byBase = groupBy(pictures, baseOf);
  const byStem = groupBy(pictures, stemOf);
  const sameBase = (/** @type {string} */ name) => byBase.get(baseOf(name)) ?? [];
  return [
    (name) => (files.has(name) ? [name] : []),
    (name) => sameBase(name).filter((path) => path.endsWith(`/${name}`)),
    sameBase,
    (name) => byStem.get(bareOf(name)) ?? [],
    (name) => byStem.get(stemOf(name)) ?? [],
  ];
}

/**
 * Finds the picture of each image. A file that one image names more exactly is not the picture of another one. A name that
 * several files have, or a file that several names may mean, is refused. Of images with the same id, the last one counts.
 * @param {DataFiles} files
 * @param {{id: Id, names: string[]}[]} images
 * @param {string[]} [pictures] to choose from
 * @returns {Map<Id, string>} images without a picture are left out
 */
export function findPictures(files, images, pictures = files.matching(PICTURE)) {
  const namesOf = new Map(images.map(({ id, names }) => [id, names]));
  /** @type {Map<Id, string>} */
  const found = new Map();
  for (const way of waysToPictures(files, pictures)) {
    const taken = new Set(found.values());
    /** @type {Map<string, string>} by path */
    const nameOf = new Map();
    for (const [id, names] of namesOf) {
      if (found.has(id)) continue;
      for (const name of names) {
        const [path, second] = way(name).filter((candidate) => !taken.has(candidate));
        if (path === undefined) continue;
        if (second !== undefined) throw ambiguous(`the image '${name}' may be '${path}' or '${second}'`);
        const other = nameOf.get(path) ?? name;
        if (other !== name) throw ambiguous(`'${path}' may be the image '${other}' or '${name}'`);
        nameOf.set(path, name);
        found.set(id, path);
        break;
      }
    }
  }
  return found;
}

/** @param {string} how */
const ambiguous = (how) => failure('DATASET_AMBIGUOUS', how);

/** @param {string[]} names @param {(name: string) => string} keyOf */
export function groupBy(names, keyOf) {
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
