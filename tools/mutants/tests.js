// Runs tests in the sandbox, and measures them without a mutant: how long each takes, and what of the JavaScript it runs.
import { createHash } from 'node:crypto';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { binaryOf, build, execute, targetsOf } from './sandbox.js';

/**
 * @typedef {[number, number]} Span characters of a file: from, up to
 * @typedef {object} Measured
 * @property {string} key of the test's text, and of the sources that it runs, as far as known
 * @property {number} ms
 * @property {Record<string, Span[]>} [runs] what the test runs, by file; absent: not known
 */

const NODE = 'node_modules/node-24/bin/node';

/** @param {string} tree @param {import('./folders.js').Folder} folder */
export const testsOf = (tree, { tests }) =>
  tests.flatMap((pattern) => {
    const [glob, build] = pattern.split(':').toReversed();
    const files = globSync(glob, { cwd: tree }).toSorted();
    return build ? files.map((file) => `${build}:${file}`) : files;
  });

/**
 * @param {string} tree
 * @param {string} test
 * @param {{limitMs: number, env?: Record<string, string>}} options
 */
function runTest(tree, test, options) {
  const isNative = test.endsWith('.c');
  const command = isNative ? [binaryOf(test)] : [NODE, '--test', '--test-reporter=./tests/reporter.js', test];
  return execute(tree, command, options);
}

/** A hash of files' contents. @param {string} tree @param {string[]} files */
export function hashOf(tree, files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(join(tree, file.replace(/^.*:/, ''))));
  return hash.digest('hex').slice(0, 12);
}

/** Keeps what was measured in a file, so that tests that did not change are not run again. */
export class Baseline {
  #tree;
  #directory;

  /** @param {string} tree @param {string} directory */
  constructor(tree, directory) {
    this.#tree = tree;
    this.#directory = join(directory, 'tests');
    mkdirSync(this.#directory, { recursive: true });
  }

  /**
   * @param {import('./folders.js').Folder} folder
   * @param {string} test
   * @returns {Promise<Measured>}
   */
  async measure(folder, test) {
    const path = join(this.#directory, `${test.replaceAll(/[/:]/g, '-')}.json`);
    const known = readJson(path);
    const isNode = folder.kind === 'node';
    // What a test runs of the JavaScript says nothing of the modules that it loads.
    if (known && known.key === this.#keyOf(test, known) && (known.runs || !isNode))
      return isNode ? known : { ...known, runs: undefined };
    const built = await build(this.#tree, targetsOf(folder, [test]));
    const coverage = mkdtempSync(join(tmpdir(), 'mutants-'));
    const env = { NODE_V8_COVERAGE: coverage };
    const start = performance.now();
    const { isEnded, output } = await runTest(this.#tree, test, {
      ...{ limitMs: 600_000, env: isNode ? env : {} },
    });
    const ms = performance.now() - start;
    // Otherwise every mutant would count as killed.
    if (!built.isEnded || !isEnded)
      throw new Error(`${test} fails without a mutant:\n${built.output}${output}`);
    /** @type {Measured} */
    const measured = { key: '', ms };
    if (isNode) measured.runs = readCoverage(coverage, this.#tree);
    measured.key = this.#keyOf(test, measured);
    rmSync(coverage, { recursive: true });
    writeFileSync(path, JSON.stringify(measured));
    return measured;
  }

  /** @param {string} test @param {Measured} measured */
  #keyOf(test, { runs = {} }) {
    const sources = Object.keys(runs).filter((file) => existsSync(join(this.#tree, file)));
    return hashOf(this.#tree, [test, ...sources.toSorted()]);
  }
}

/** @param {string} path */
function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * What of the tree's files ran in any of a test's processes.
 * @param {string} directory of V8's reports
 * @param {string} tree
 */
function readCoverage(directory, tree) {
  const prefix = `${pathToFileURL(tree)}/`;
  /** @type {Map<string, Uint8Array>} */
  const marks = new Map();
  for (const name of readdirSync(directory)) {
    const { result = [] } = readJson(join(directory, name)) ?? {};
    for (const { url, functions } of result) {
      if (!url.startsWith(prefix) || !/^(wasm|bin|examples)\//.test(url.slice(prefix.length))) continue;
      const file = url.slice(prefix.length).replace(/[?#].*/, '');
      const length = readFileSync(join(tree, file), 'utf8').length;
      const all = marks.get(file) ?? new Uint8Array(length);
      marks.set(file, all);
      markRuns(all, functions);
    }
  }
  return Object.fromEntries(Array.from(marks, ([file, all]) => [file, spansOf(all)]));
}

/**
 * Ranges lie inside each other, and an inner one counts more than its outer one.
 * @param {Uint8Array} all 1 for each character that ran
 * @param {{ranges: {startOffset: number, endOffset: number, count: number}[]}[]} functions
 */
function markRuns(all, functions) {
  const own = new Uint8Array(all.length);
  const ranges = functions.flatMap((each) => each.ranges);
  const size = (/** @type {{startOffset: number, endOffset: number}} */ range) =>
    range.endOffset - range.startOffset;
  for (const range of ranges.toSorted((a, b) => size(b) - size(a)))
    own.fill(Math.min(range.count, 1), range.startOffset, range.endOffset);
  own.forEach((mark, i) => (all[i] |= mark));
}

/** @param {Uint8Array} marks */
function spansOf(marks) {
  /** @type {Span[]} */
  const spans = [];
  for (let i = 0; i < marks.length; i++) {
    if (marks[i] === 0) continue;
    const from = i;
    while (i < marks.length && marks[i] === 1) i++;
    spans.push([from, i]);
  }
  return spans;
}

/**
 * The tests that a mutant may fail, the cheapest first.
 * @param {Map<string, Measured>} measured
 * @param {import('./javascript.js').Mutant} mutant
 */
export function testsFor(measured, { file, start }) {
  const isRun = (/** @type {Measured} */ { runs }) =>
    !runs || (runs[file] ?? []).some(([from, to]) => from <= start && start < to);
  return Array.from(measured)
    .filter(([, each]) => isRun(each))
    .toSorted(([, a], [, b]) => a.ms - b.ms)
    .map(([test, { ms }]) => ({ test, ms }));
}

/**
 * The first of them that take so long together; one at least.
 * @param {{test: string, ms: number}[]} tests
 * @param {number} limitMs
 */
export function cheapest(tests, limitMs) {
  let sum = 0;
  return tests.filter(({ ms }, i) => (sum += ms) <= limitMs || i === 0);
}

/**
 * Tries a mutant that is built: the first test that fails, or undefined.
 * @param {string} tree
 * @param {{test: string, ms: number}[]} tests
 */
export async function firstFailure(tree, tests) {
  for (const { test, ms } of tests) {
    const { isEnded } = await runTest(tree, test, { limitMs: 5 * ms + 20_000 });
    if (!isEnded) return test;
  }
  return undefined;
}
