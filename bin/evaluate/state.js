// Results of a run, line by line in a file, so that an interrupted run goes on where it was.
import { createHash } from 'node:crypto';
import { appendFile, readFile, writeFile } from 'node:fs/promises';

/** @typedef {import('../../wasm/evaluate/run.js').ImageResult} ImageResult */

/**
 * @param {string} file
 * @param {unknown} facts what the results depend on: results of other facts are not used
 * @returns {Promise<{done: ImageResult[], add: (result: ImageResult) => Promise<void>}>}
 */
export async function openState(file, facts) {
  const key = createHash('sha256').update(JSON.stringify(facts)).digest('hex');
  const head = JSON.stringify({ key });
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n');
  const isSame = lines[0] === head;
  // The last line may be incomplete.
  const kept = isSame ? lines.slice(1, -1) : [];
  await writeFile(file, [head, ...kept, ''].join('\n'));
  return {
    done: kept.map((line) => JSON.parse(line)),
    add: (result) => appendFile(file, `${JSON.stringify(result)}\n`),
  };
}
