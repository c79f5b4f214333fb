// Data sets on disk: a directory, a zip archive or an annotation file -> files by path.
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { readDataset } from '../../wasm/evaluate/read/dataset.js';

/**
 * @typedef {import('../../wasm/evaluate/read/files.js').FileContent} FileContent
 * @typedef {import('../../wasm/evaluate/read/dataset.js').DatasetOptions} DatasetOptions
 */

/**
 * @param {string} path
 * @param {DatasetOptions} options
 */
export async function openDataset(path, options) {
  if ((await stat(path)).isDirectory()) return readDataset(await listDirectory(path), options);
  return readDataset(await readFile(path), { ...options, name: basename(path) });
}

/**
 * @param {string} directory
 * @returns {Promise<Map<string, FileContent>>} files by path below the directory, with slashes
 */
async function listDirectory(directory) {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return new Map(
    entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return [relative(directory, path).split(sep).join('/'), () => readFile(path)];
      }),
  );
}
