// Finds files in directories, in the same order on every machine. Hidden files and directories are left out: no user
// means .ipynb_checkpoints or macOS' ._photo.png.
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { failure } from '../shared/errors.js';

/** The extensions of the formats that the module decodes. */
const EXTENSIONS = /\.(bmp|gif|jpe?g|png)$/i;

/** @typedef {(error: Error) => void | Promise<void>} OnUnreadable Called for a subdirectory that cannot be read. */

/**
 * The image files in a directory and its subdirectories, sorted by path.
 * @param {string} directory
 * @param {OnUnreadable} [onUnreadable] without it, the error is thrown
 */
export async function findImages(directory, onUnreadable) {
  return (await findFiles(directory, Infinity, onUnreadable)).filter((path) => EXTENSIONS.test(path));
}

/**
 * The files in a directory and its subdirectories, sorted by path. Links to directories are not followed, because they may
 * lead in a circle. A link that leads nowhere counts as a file, so that whoever reads it reports it.
 * @param {string} directory
 * @param {number} [maxDepth] how many levels of subdirectories to search
 * @param {OnUnreadable} [onUnreadable] without it, the error is thrown
 */
export async function findFiles(directory, maxDepth = Infinity, onUnreadable = rethrow) {
  return (await walk(await list(directory), directory, maxDepth, onUnreadable)).sort();
}

/** @type {OnUnreadable} */
function rethrow(error) {
  throw error;
}

/**
 * The subdirectories of a directory, links to directories among them, sorted by name.
 * @param {string} directory
 * @returns {Promise<string[]>} their names
 */
export async function findDirectories(directory) {
  const entries = await list(directory);
  return entries
    .filter(({ isDirectory }) => isDirectory)
    .map(({ name }) => name)
    .sort();
}

/**
 * @param {Awaited<ReturnType<typeof list>>} entries of the directory
 * @param {string} directory
 * @param {number} maxDepth
 * @param {OnUnreadable} onUnreadable
 * @returns {Promise<string[]>}
 */
async function walk(entries, directory, maxDepth, onUnreadable) {
  const files = [];
  for (const { name, isFile, isDirectory, isLink } of entries) {
    const path = join(directory, name);
    if (isFile) files.push(path);
    if (!isDirectory || isLink || maxDepth <= 0) continue;
    const below = await list(path).catch(onUnreadable);
    if (below) for (const file of await walk(below, path, maxDepth - 1, onUnreadable)) files.push(file);
  }
  return files;
}

/**
 * What is in a directory and not hidden. Pipes and devices are no files here: to read one may take for ever.
 * @param {string} directory
 */
async function list(directory) {
  const entries = await readdir(directory, { withFileTypes: true });
  const visible = entries.filter(({ name }) => !name.startsWith('.'));
  return Promise.all(
    visible.map(async (entry) => {
      const isLink = entry.isSymbolicLink();
      const target = isLink ? await stat(join(directory, entry.name)).catch(() => undefined) : entry;
      const isDirectory = target?.isDirectory() ?? false;
      return { name: entry.name, isLink, isDirectory, isFile: target?.isFile() ?? true };
    }),
  );
}

/** @param {import('node:fs').Stats} found */
export function isDevice(found) {
  return found.isCharacterDevice() || found.isBlockDevice();
}

/** The most bytes of a file that is read as a whole. */
export const MAX_BYTES = 2 ** 30;

/**
 * Reads a file. Pipes and devices are refused: to read one may take for ever.
 * @param {string} path
 * @param {number} [maxBytes]
 */
export async function readWhole(path, maxBytes = MAX_BYTES) {
  const found = await stat(path);
  if (found.isFIFO() || found.isSocket() || isDevice(found))
    throw failure('READ_FAILED', 'it is a pipe or a device, not a file; - is standard input');
  if (found.size > maxBytes)
    throw failure('INPUT_TOO_LARGE', `it has ${found.size} bytes; the limit is ${maxBytes}`);
  return readFile(path);
}
