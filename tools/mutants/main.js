// Puts faults into the code, one at a time, and runs the tests of its folder: `make mutants`. Environment: MUTANTS (how
// many; default 200), SEED, FOLDER (a path: only its mutants), AT_LEAST (of each folder), TEST_SECONDS (of tests for each
// mutant, the cheapest first; default: all). Results are kept in out/mutants/results.jsonl: a mutant that was killed is not
// tried again; a survivor is, when its folder's tests change.
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FOLDERS, folderOf } from './folders.js';
import { markdown, summarize } from './report.js';
import { allMutants, sample } from './sample.js';
import { build, copyTree, putIn, targetsOf } from './sandbox.js';
import { Baseline, cheapest, firstFailure, hashOf, testsFor, testsOf } from './tests.js';

/**
 * @typedef {import('./sample.js').Placed} Placed
 * @typedef {import('./report.js').Result} Result
 */

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const OUT = join(ROOT, 'out/mutants');
const RESULTS = join(OUT, 'results.jsonl');
const { MUTANTS = '200', SEED = '1', FOLDER = '', AT_LEAST = '0', SANDBOX = 'tree' } = process.env;
const TEST_MS = process.env.TEST_SECONDS ? 1000 * Number(process.env.TEST_SECONDS) : Infinity;
const TREE = join(ROOT, 'build/mutants', SANDBOX);

/** @returns {Map<string, Result>} */
function readResults() {
  if (!existsSync(RESULTS)) return new Map();
  const lines = readFileSync(RESULTS, 'utf8').split('\n').filter(Boolean);
  return new Map(lines.map((line) => JSON.parse(line)).map((result) => [result.id, result]));
}

/** Without a change: every one of the line. @type {{file: string, code: string, change?: string, reason: string}[]} */
const EQUIVALENT = JSON.parse(readFileSync(new URL('equivalent.json', import.meta.url), 'utf8'));

/** @param {Placed} mutant */
const equivalentTo = ({ file, code, change }) =>
  EQUIVALENT.find((each) => each.file === file && each.code === code && (each.change ?? change) === change);

/** The mutants of one entry of the table of folders. */
class Folder {
  #measured = new Map();
  #entry;
  /** @type {string} */ #hash;
  #tests;
  /** Tries what survives here. @type {Folder | undefined} */ #then;

  /** @param {import('./folders.js').Folder} entry */
  constructor(entry) {
    this.#entry = entry;
    this.#tests = testsOf(TREE, entry);
    this.#then = entry.then && new Folder({ path: entry.path, ...entry.then });
    this.#hash = hashOf(TREE, this.#tests) + (this.#then ? `+${this.#then.#hash}` : '');
  }

  /** Whether nothing new can be learnt. @param {Placed} mutant @param {Result} [result] */
  isKnown(mutant, result) {
    if (!result || (result.status === 'equivalent') !== (equivalentTo(mutant) !== undefined)) return false;
    return (
      result.status !== 'survived' || (result.tests === this.#hash && (!result.untried || TEST_MS < Infinity))
    );
  }

  /** @param {Baseline} baseline */
  async measure(baseline) {
    for (const test of this.#tests) this.#measured.set(test, await baseline.measure(this.#entry, test));
    await this.#then?.measure(baseline);
  }

  /** @param {Placed} mutant @returns {Promise<Result>} */
  async try(mutant) {
    const equivalent = equivalentTo(mutant);
    const result = { id: mutant.id, tests: this.#hash };
    if (equivalent) return { ...result, status: 'equivalent', reason: equivalent.reason };
    const first = await this.#run(mutant);
    if (first.status !== 'survived' || !this.#then) return { ...result, ...first };
    const second = await this.#then.#run(mutant);
    return { ...result, ...second, untried: (first.untried ?? 0) + (second.untried ?? 0) };
  }

  /** @param {Placed} mutant @returns {Promise<Pick<Result, 'status' | 'by' | 'untried'>>} */
  async #run(mutant) {
    const all = testsFor(this.#measured, mutant);
    const tests = cheapest(all, TEST_MS);
    const untried = all.length - tests.length;
    const putBack = putIn(TREE, mutant);
    try {
      const built = await build(
        TREE,
        targetsOf(
          this.#entry,
          tests.map(({ test }) => test),
        ),
      );
      if (!built.isEnded) return { status: 'invalid' };
      const by = await firstFailure(TREE, tests);
      return by ? { status: 'killed', by } : { status: 'survived', untried };
    } finally {
      putBack();
    }
  }
}

mkdirSync(OUT, { recursive: true });
copyTree(ROOT, TREE);
const results = readResults();
const chosen = sample(allMutants(ROOT), {
  ...{ count: Number(MUTANTS), seed: Number(SEED), atLeast: Number(AT_LEAST) },
}).filter(({ file }) => file.startsWith(FOLDER));
const baseline = new Baseline(TREE, OUT);
for (const entry of FOLDERS) {
  const folder = new Folder(entry);
  const mutants = chosen.filter((mutant) => folderOf(mutant.file) === entry);
  const open = mutants.filter((mutant) => !folder.isKnown(mutant, results.get(mutant.id)));
  if (open.length === 0) continue;
  await folder.measure(baseline);
  for (const mutant of open) {
    const result = await folder.try(mutant);
    results.set(mutant.id, result);
    appendFileSync(RESULTS, `${JSON.stringify(result)}\n`);
    console.log(`  ${result.status}: ${mutant.id}${result.by ? ` by ${result.by}` : ''}`);
  }
}
const summary = summarize(TREE, chosen, results);
writeFileSync(join(OUT, 'report.json'), `${JSON.stringify(summary, undefined, 2)}\n`);
const text = markdown(summary, { seed: Number(SEED) });
writeFileSync(join(OUT, 'report.md'), text);
console.log(text);
