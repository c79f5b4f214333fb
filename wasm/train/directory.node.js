// Lists a directory of images with one subdirectory per class, like Keras' image_dataset_from_directory.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { failure } from './errors.js';

const EXTENSIONS = /\.(bmp|gif|jpe?g|png)$/i;

/**
 * Classes and files are sorted by name.
 * @param {string} directory
 * @returns {Promise<{sources: import('./extract.js').Source[], labels: string[]}>} one label for each source
 */
export async function openImageDirectory(directory) {
  const entries = await readdir(directory, { withFileTypes: true });
  const classes = entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
  if (classes.length === 0)
    throw failure('NO_EXAMPLES', `${directory} has no subdirectories; expected one for each class`);
  const sources = [];
  const labels = [];
  for (const label of classes) {
    const paths = await findImages(join(directory, label));
    if (paths.length === 0) throw failure('EMPTY_CLASS', join(directory, label));
    sources.push(...paths.map((path) => ({ name: path, read: () => readFile(path) })));
    labels.push(...paths.map(() => label));
  }
  return { sources, labels };
}

/** @param {string} directory */
async function findImages(directory) {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && EXTENSIONS.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
