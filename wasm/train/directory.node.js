// Lists a directory of images with one subdirectory per class, like Keras' image_dataset_from_directory.
import { join } from 'node:path';
import { findDirectories, findImages, readWhole } from '../platform/image_files.node.js';
import { failure } from './errors.js';
import { checkLabels } from './labels.js';

/**
 * Classes and files are sorted by name. Hidden files and directories are left out.
 * @param {string} directory
 * @returns {Promise<{sources: import('./extract.js').Source[], labels: string[]}>} one label for each source
 */
export async function openImageDirectory(directory) {
  const classes = await findDirectories(directory).catch((error) => {
    throw failure('NO_EXAMPLES', `${directory} cannot be read: ${error.code}`, error);
  });
  if (classes.length === 0)
    throw failure('NO_EXAMPLES', `${directory} has no subdirectories; expected one for each class`);
  checkLabels(classes);
  const sources = [];
  const labels = [];
  for (const label of classes) {
    const paths = await findImages(join(directory, label));
    if (paths.length === 0) throw failure('EMPTY_CLASS', join(directory, label));
    for (const path of paths) {
      sources.push({ name: path, read: () => readWhole(path) });
      labels.push(label);
    }
  }
  return { sources, labels };
}
