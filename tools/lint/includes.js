// Lint rule: a C file may include files of its own folder and of folders on lower floors.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { listFiles } from './files.js';

/** The folders of src/, the lowest floor first; '.' contains ocelli.[ch]. */
const FLOORS = [
  ['base'],
  ['image', 'tflite', 'train'],
  ['detect', 'kernels'],
  ['graph', 'graph/operators'],
  ['.'],
];

/**
 * Files that a folder may include from another folder on its floor: graph runs operators through their table only.
 * @type {Record<string, string[]>}
 */
const SAME_FLOOR = { graph: ['graph/operators/table.h'], 'graph/operators': ['graph/step.h'] };

/**
 * @param {string} root the repository
 * @returns {string[]} a message for each forbidden include
 */
export function checkIncludes(root) {
  const source = join(root, 'src');
  return listFiles(source).flatMap((file) => {
    const folder = dirname(file);
    const level = FLOORS.findIndex((floor) => floor.includes(folder));
    if (level < 0) return [`src/${file}: give its folder a floor in tools/lint/includes.js`];
    const others = [...FLOORS.slice(0, level).flat(), ...(SAME_FLOOR[folder] ?? [])];
    return readIncludes(source, file)
      .filter(({ path }) => ![folder, ...others].some((name) => name === dirname(path) || name === path))
      .map(
        ({ path, line }) =>
          `src/${file}:${line}: src/${folder} may not include ${path}; it may include ${others.join(', ') || 'itself only'}`,
      );
  });
}

/**
 * Lint rule: generic graph code asks a row of operators.def for its flags, and never which operator it has.
 * @param {string} root the repository
 * @returns {string[]} a message for each operator that is named
 */
export function checkOperators(root) {
  const source = join(root, 'src');
  return listFiles(source)
    .filter((file) => dirname(file) === 'graph')
    .flatMap((file) =>
      readFileSync(join(source, file), 'utf8')
        .split('\n')
        .flatMap((text, i) => {
          const name = /\bOCL_(OP|OPERATOR_ROW)_\w+/.exec(text)?.[0];
          return name
            ? [
                `src/${file}:${i + 1}: ${name}: only graph/operators/ may name an operator; add a flag to operators.def`,
              ]
            : [];
        }),
    );
}

/**
 * The files of src/ that a file includes. Third-party and system headers are skipped.
 * @param {string} source the folder src
 * @param {string} file
 * @returns {{path: string, line: number}[]} paths relative to src
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
