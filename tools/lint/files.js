import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

/**
 * @param {string} folder
 * @returns {string[]} paths of all files in it, relative to it, in order
 */
export function listFiles(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}
