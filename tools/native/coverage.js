// Whether the native tests run every line of src/: `make coverage`. In each width a line counts as run if a test of either
// flavour runs it. uncovered.json lists the lines that no test runs, with the reason. A line that is neither run nor
// listed is an error, and so is one that is listed and run. src/graph/threads.c is not measured: it is in the build for
// ThreadSanitizer only.
//   node tools/native/coverage.js FOLDER    FOLDER has WIDTH-FLAVOUR-coverage.info of each build, by llvm-cov
import { readdirSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @typedef {Map<string, Map<number, boolean>>} Lines by file and number: whether it is run */
/** @typedef {{file: string, lines: string[], reason: string}} Listed the lines, without indentation */

/**
 * Adds a report to those of the same width.
 * @param {Lines} lines
 * @param {string} report lcov's format
 * @param {string} root what its paths begin with
 */
export function addReport(lines, report, root) {
  /** @type {Map<number, boolean>} */
  let ofFile = new Map();
  for (const record of report.split('\n')) {
    if (record.startsWith('SF:')) {
      const file = relative(root, record.slice(3));
      ofFile = lines.get(file) ?? new Map();
      lines.set(file, ofFile);
    }
    if (!record.startsWith('DA:')) continue;
    const [number, count] = record.slice(3).split(',').map(Number);
    ofFile.set(number, ofFile.get(number) || count > 0);
  }
}

/**
 * @param {Lines} lines
 * @returns {{file: string, number: number}[]} those that are not run
 */
export function missedLines(lines) {
  return [...lines].flatMap(([file, ofFile]) =>
    [...ofFile].filter(([, isRun]) => !isRun).map(([number]) => ({ file, number })),
  );
}

/**
 * @param {{file: string, number: number, code: string}[]} missed
 * @param {Listed[]} listed
 * @returns {string[]} what is wrong with the list
 */
export function compare(missed, listed) {
  const keyOf = (/** @type {string} */ file, /** @type {string} */ code) => `${file}: ${code}`;
  const known = new Set(listed.flatMap(({ file, lines }) => lines.map((code) => keyOf(file, code))));
  const found = new Set(missed.map(({ file, code }) => keyOf(file, code)));
  return [
    ...missed
      .filter(({ file, code }) => !known.has(keyOf(file, code)))
      .map(({ file, number, code }) => `${file}:${number}: no test runs: ${code}`),
    ...[...known].filter((key) => !found.has(key)).map((key) => `a test runs, or it is gone: ${key}`),
  ];
}

/** @param {string} folder */
function main(folder) {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const listed = JSON.parse(readFileSync(new URL('uncovered.json', import.meta.url), 'utf8'));
  const reports = readdirSync(folder).filter((name) => name.endsWith('.info'));
  const missed = new Map();
  for (const width of [...new Set(reports.map((name) => name.split('-')[0]))]) {
    const lines = new Map();
    for (const name of reports.filter((each) => each.startsWith(`${width}-`)))
      addReport(lines, readFileSync(`${folder}/${name}`, 'utf8'), root);
    const count = [...lines.values()].reduce((sum, ofFile) => sum + ofFile.size, 0);
    const unrun = missedLines(lines);
    for (const each of unrun) missed.set(`${each.file}:${each.number}`, each);
    console.log(
      `  ${width} bits: ${(100 * (1 - unrun.length / count)).toFixed(2)} % of ${count} lines of src/, all but ${unrun.length}`,
    );
  }
  const codeOf = (/** @type {{file: string, number: number}} */ { file, number }) =>
    readFileSync(`${root}/${file}`, 'utf8').split('\n')[number - 1].trim();
  const faults = compare(
    [...missed.values()].map((each) => ({ ...each, code: codeOf(each) })),
    listed,
  );
  for (const fault of faults) console.error(fault);
  process.exitCode = faults.length > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv[2]);
