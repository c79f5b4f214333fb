// Data sets on disk: a directory, a zip archive or an annotation file -> files by path.
import { stat } from 'node:fs/promises';
import { basename, relative, sep } from 'node:path';
import { findFiles, readWhole } from '../../wasm/platform/image_files.node.js';
import { readDataset } from '../../wasm/evaluate/read/dataset.js';
import { PICTURE } from '../../wasm/evaluate/read/pictures.js';
import { protect } from '../files.js';

/**
 * @typedef {import('../../wasm/evaluate/read/files.js').FileContent} FileContent
 * @typedef {import('../../wasm/evaluate/read/dataset.js').DatasetOptions} DatasetOptions
 */

/** The files of a report, and where an interrupted run keeps its results. */
export const REPORT = {
  record: 'report.json',
  names: /^(report\.(md|html|json)|(precision-recall|calibration)[-\d]*\.svg|worst[-\d]+\.png)$/,
};

/**
 * @param {string} path
 * @param {DatasetOptions} options
 */
export async function openDataset(path, options) {
  if ((await stat(path)).isDirectory()) return readDataset(await listDirectory(path), options);
  return readDataset(await readWhole(path), { ...options, name: basename(path) });
}

/**
 * @param {string} directory
 * @returns {Promise<Map<string, FileContent>>} files by path below the directory, with slashes
 */
async function listDirectory(directory) {
  const paths = await findFiles(directory);
  protect(paths);
  return new Map(
    paths.map((path) => [relative(directory, path).split(sep).join('/'), () => readWhole(path)]),
  );
}

/**
 * Whether a directory has nothing but folders of images, one for each class, as classifiers are evaluated on.
 * @param {string} path
 */
export async function hasClassFolders(path) {
  if (!(await stat(path)).isDirectory()) return false;
  const files = [...(await listDirectory(path)).keys()];
  const pictures = files.filter((name) => PICTURE.test(name));
  const hasAnnotations = files.some((name) => /\.(json|xml|ya?ml|csv)$/i.test(name));
  return !hasAnnotations && pictures.length > 0 && pictures.every((name) => name.includes('/'));
}

/**
 * Whether a path is a data set with boxes, or has several of them.
 * @param {string} path
 */
export function hasBoxes(path) {
  return openDataset(path, {}).then(
    () => true,
    ({ code }) => code === 'DATASET_AMBIGUOUS',
  );
}
