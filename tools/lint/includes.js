// Which C file may include which: files of its own folder and of lower floors.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { listFiles } from './files.js';

/** The folders of src/, from the ground floor up; '.' holds ocelli.[ch]. */
const FLOORS = [
  ['base'],
  ['image', 'tflite', 'train'],
  ['detect', 'kernels'],
  ['graph', 'graph/operators'],
  ['.'],
];

/**
 * What two folders on one floor may include of each other: graph runs operators by their table only.
 * @type {Record<string, string[]>}
 */
const DOORS = { graph: ['graph/operators/table.h'], 'graph/operators': ['graph/step.h'] };

/**
 * @param {string} root the repository
 * @returns {string[]} a message for each include that is not allowed
 */
export function checkIncludes(root) {
  const source = join(root, 'src');
  return listFiles(source).flatMap((file) => {
    const folder = dirname(file);
    const level = FLOORS.findIndex((floor) => floor.includes(folder));
    if (level < 0) return [`src/${file}: give its folder a floor in tools/lint/includes.js`];
    const others = [...FLOORS.slice(0, level).flat(), ...(DOORS[folder] ?? [])];
    return readIncludes(source, file)
      .filter(({ path }) => ![folder, ...others].some((name) => name === dirname(path) || name === path))
      .map(
        ({ path, line }) =>
          `src/${file}:${line}: ${path} is not below src/${folder}, which may include ${others.join(', ') || 'itself only'}`,
      );
  });
}

/**
 * The repository's files that a file includes; headers of others are left out.
 * @param {string} source the folder src
 * @param {string} file
 * @returns {{path: string, line: number}[]} paths in src
 */
function readIncludes(source, file) {
  const lines = readFileSync(join(source, file), 'utf8').split('\n');
  return lines.flatMap((text, i) => {
    const name = /^\s*#\s*include\s*["<]([^">]+)[">]/.exec(text)?.[1];
    if (!name) return [];
    const path = [normalize(join(dirname(file), name)), normalize(name)].find((candidate) =>
      existsSync(join(source, candidate)),
    );
    return path ? [{ path, line: i + 1 }] : [];
  });
}
