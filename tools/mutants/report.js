// The report: how many mutants of each folder the tests notice, and what the others would do.
import { basename, dirname } from 'node:path';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderOf } from './folders.js';
import { testsOf } from './tests.js';

/**
 * @typedef {import('./sample.js').Placed} Placed
 * @typedef {object} Result of a mutant
 * @property {string} id
 * @property {'killed' | 'survived' | 'equivalent' | 'invalid'} status invalid: it does not compile
 * @property {string} tests a hash of the tests that were there
 * @property {string} [by] the test that failed
 * @property {number} [untried] tests that were left out for their time
 * @property {string} [reason] why nobody can notice it
 */

/**
 * The test file that should see a fault of this file: the one that is named like it, that imports it, or the folder's.
 * @param {string} tree
 * @param {string} file
 */
function testToExtend(tree, file) {
  const folder = folderOf(file);
  const tests = folder ? testsOf(tree, folder).filter((test) => !test.includes(':')) : [];
  const name = basename(file).replace(/\.\w+$/, '');
  const named = tests.find((test) => basename(test).replace(/^test_|\.test|\.\w+$/g, '') === name);
  const importing = tests.find((test) =>
    readFileSync(join(tree, test), 'utf8').includes(`${name}.${file.endsWith('.c') ? 'h' : 'js'}'`),
  );
  const near = tests.find((test) => basename(dirname(test)) === basename(dirname(file)));
  return named ?? importing ?? near ?? tests[0] ?? 'a new file';
}

/**
 * @param {string} tree
 * @param {Placed[]} mutants
 * @param {Map<string, Result>} results
 */
export function summarize(tree, mutants, results) {
  const tried = mutants.flatMap((mutant) => {
    const result = results.get(mutant.id);
    return result ? [{ ...mutant, ...result }] : [];
  });
  const folders = [...new Set(tried.map(({ folder }) => folder))].toSorted();
  const count = (/** @type {string} */ folder, /** @type {Result['status']} */ status) =>
    tried.filter((each) => each.folder === folder && each.status === status).length;
  return {
    folders: folders.map((folder) => {
      const [killed, survived, equivalent] = [
        count(folder, 'killed'),
        count(folder, 'survived'),
        count(folder, 'equivalent'),
      ];
      return { folder, run: killed + survived, killed, survived, equivalent };
    }),
    survivors: tried
      .filter(({ status }) => status === 'survived')
      .map(({ file, line, change, code, folder, untried }) => ({
        ...{ folder, file, line, change, code, untried },
        shouldBeSeenBy: testToExtend(tree, file),
      })),
    equivalent: tried
      .filter(({ status }) => status === 'equivalent')
      .map(({ file, line, change, code, reason }) => ({ file, line, change, code, reason })),
  };
}

/** @param {ReturnType<typeof summarize>} summary @param {{seed: number}} about */
export function markdown({ folders, survivors, equivalent }, { seed }) {
  const sum = (/** @type {'run' | 'killed'} */ key) => folders.reduce((total, each) => total + each[key], 0);
  const percent = (/** @type {{run: number, killed: number}} */ { run, killed }) =>
    run === 0 ? '' : `${Math.round((100 * killed) / run)} %`;
  const code = (/** @type {string} */ text) => `\`${text.replaceAll('`', "'").replaceAll('|', '\\|')}\``;
  return `# Mutants, seed ${seed}

| folder | run | killed | rate | equivalent |
| --- | --- | --- | --- | --- |
${folders.map((each) => `| ${each.folder} | ${each.run} | ${each.killed} | ${percent(each)} | ${each.equivalent} |`).join('\n')}
| all | ${sum('run')} | ${sum('killed')} | ${percent({ run: sum('run'), killed: sum('killed') })} | ${equivalent.length} |

## Survivors

${survivors.map(({ file, line, change, code: text, shouldBeSeenBy, untried }) => `- ${file}:${line}: ${change} in ${code(text)}. To be seen by ${shouldBeSeenBy}${untried ? `; ${untried} slow tests were left out` : ''}`).join('\n')}

## Equivalent

${equivalent.map(({ file, line, change, code: text, reason }) => `- ${file}:${line}: ${change} in ${code(text)}: ${reason}`).join('\n')}
`;
}
