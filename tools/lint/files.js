import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

/**
 * @param {string} folder
 * @returns {string[]} paths of all files below it, relative to it, sorted
 */
export function listFiles(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}
