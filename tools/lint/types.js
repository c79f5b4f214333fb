// Lint rule: a @property must not import a type from another folder of wasm/; name the type with @typedef first. The
// reason: dependency-cruiser sees imports in @typedef, @param, @returns and @type, but not in @property.
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { listFiles } from './files.js';

/** A @property with its text, up to the next tag or the end of the comment. */
const PROPERTY = /@property\b(?:(?!\*\/|\n\s*\*\s*@)[^])*/g;
const IMPORT = /import\('(\.[^']+)'\)/g;

/**
 * @param {string} root the repository
 * @returns {string[]} a message for each such import
 */
export function checkTypes(root) {
  return listFiles(join(root, 'wasm'))
    .filter((file) => file.endsWith('.js'))
    .flatMap((file) =>
      findHidden(readFileSync(join(root, 'wasm', file), 'utf8'))
        .filter(({ path }) => topFolder(join(dirname(file), path)) !== topFolder(file))
        .map(({ path, line }) => `wasm/${file}:${line}: give the type of ${path} a name by @typedef first`),
    );
}

/** @param {string} path in wasm/ */
const topFolder = (path) => normalize(path).split('/')[0];

/** @param {string} text of a file */
function findHidden(text) {
  return [...text.matchAll(PROPERTY)].flatMap((property) =>
    [...property[0].matchAll(IMPORT)].map((found) => ({
      path: found[1],
      line: text.slice(0, property.index + found.index).split('\n').length,
    })),
  );
}
