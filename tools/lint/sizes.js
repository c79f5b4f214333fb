// Lint rule: the most lines of a file and the most files of a folder in src/, wasm/ and bin/.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { listFiles } from './files.js';

const MAX_LINES = 500;
const MAX_FILES = 25;

/**
 * @param {string} root the repository
 * @returns {string[]} a message for each file and folder that is too large
 */
export function checkSizes(root) {
  const paths = ['src', 'wasm', 'bin'].flatMap((folder) =>
    listFiles(join(root, folder)).map((file) => join(folder, file)),
  );
  const longFiles = paths.flatMap((path) => {
    const lines = readFileSync(join(root, path), 'utf8').split('\n').length - 1;
    return lines > MAX_LINES
      ? [`${path} has ${lines} lines: split it, at most ${MAX_LINES} are allowed`]
      : [];
  });
  const fullFolders = [...new Set(paths.map((path) => dirname(path)))].flatMap((folder) => {
    const { length } = paths.filter((path) => dirname(path) === folder);
    return length > MAX_FILES
      ? [`${folder} has ${length} files at one level: split it, at most ${MAX_FILES} are allowed`]
      : [];
  });
  return [...longFiles, ...fullFolders];
}
