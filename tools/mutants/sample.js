// All mutants of the sources, and a seeded sample of them that is spread over the folders by their lines.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { shuffled } from '../../wasm/train/random.js';
import { listFiles } from '../lint/files.js';
import { cMutants } from './c.js';
import { folderOf, rateOf } from './folders.js';
import { javascriptMutants } from './javascript.js';

/** @typedef {import('./javascript.js').Mutant & {line: number, code: string, id: string, folder: string}} Placed */

const ROOTS = ['src', 'wasm', 'bin', 'examples/service'];
/** Programs that print tables, whose every letter is compared by the build. */
const PRINTERS = new Set(['wasm/bridge/layout.c', 'wasm/bridge/operators.c']);

/**
 * Every mutant, by folder and line.
 * @param {string} root
 * @returns {Map<string, Map<string, Placed[]>>}
 */
export function allMutants(root) {
  /** @type {Map<string, Map<string, Placed[]>>} */
  const folders = new Map();
  for (const file of ROOTS.flatMap((folder) =>
    listFiles(join(root, folder)).map((name) => `${folder}/${name}`),
  )) {
    const mutate = file.endsWith('.js') ? javascriptMutants : file.endsWith('.c') ? cMutants : undefined;
    if (!mutate || !folderOf(file) || PRINTERS.has(file)) continue;
    const folder = rateOf(file);
    const lines = folders.get(folder) ?? new Map();
    folders.set(folder, lines);
    for (const mutant of placed(file, readFileSync(join(root, file), 'utf8'), mutate)) {
      const key = `${file}:${mutant.line}`;
      lines.set(key, [...(lines.get(key) ?? []), { ...mutant, folder }]);
    }
  }
  return folders;
}

/**
 * @param {string} file
 * @param {string} text
 * @param {typeof cMutants} mutate
 */
function placed(file, text, mutate) {
  const lines = text.split('\n');
  const content = createHash('sha256').update(text).digest('hex').slice(0, 8);
  return mutate(file, text).map((mutant) => {
    const before = text.slice(0, mutant.start);
    const line = before.split('\n').length;
    const column = mutant.start - before.lastIndexOf('\n');
    const id = `${file}:${line}:${column} ${mutant.change} (${content})`;
    return { ...mutant, line, code: lines[line - 1].trim(), id };
  });
}

/**
 * A sample: some lines of each folder, and one mutant of each. A larger sample of the same seed contains a smaller one.
 * @param {Map<string, Map<string, Placed[]>>} folders
 * @param {{count: number, seed: number, atLeast: number}} how atLeast: of each folder, if it has so many lines
 */
export function sample(folders, { count, seed, atLeast }) {
  const total = [...folders.values()].reduce((sum, lines) => sum + lines.size, 0);
  return Array.from(folders, ([folder, lines]) => {
    const share = Math.max(Math.round((count * lines.size) / total), atLeast);
    const picked = Array.from(shuffled(lines.size, seed, hash(folder)).slice(0, share));
    const all = [...lines.values()];
    return picked.map((at) => all[at][shuffled(all[at].length, seed, at)[0]]);
  }).flat();
}

/** @param {string} text */
const hash = (text) => createHash('sha256').update(text).digest().readUInt32LE();
