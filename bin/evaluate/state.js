// Results of a run, line by line in a file, so that an interrupted run goes on where it was.
import { createHash } from 'node:crypto';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { UsageError } from '../common.js';
import { inputAt } from '../files.js';

const HEAD = /^\{"key":"[0-9a-f]{64}"\}$/;

/** @typedef {import('../../wasm/evaluate/run.js').ImageResult} ImageResult */

/**
 * @param {string} file
 * @param {unknown} facts what the results depend on: results of other facts are not used
 * @param {boolean} force replace a file that is none of ours
 * @returns {Promise<{done: ImageResult[], add: (result: ImageResult) => Promise<void>}>}
 */
export async function openState(file, facts, force) {
  const input = await inputAt(file);
  if (input !== undefined) throw new UsageError(`--report: ${file} would overwrite the input ${input}`);
  const key = createHash('sha256').update(JSON.stringify(facts)).digest('hex');
  const head = JSON.stringify({ key });
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n');
  if (!force && lines.join('') !== '' && !HEAD.test(lines[0]))
    throw new UsageError(`--report: ocelli did not write ${file}; pass --force to overwrite it`);
  const isSame = lines[0] === head;
  // The last line may be incomplete.
  const kept = isSame ? lines.slice(1, -1) : [];
  await writeFile(file, [head, ...kept, ''].join('\n'));
  return {
    done: kept.map((line) => JSON.parse(line)),
    add: (result) => appendFile(file, `${JSON.stringify(result)}\n`),
  };
}
