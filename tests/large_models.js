// Files that are too large for the repository: tests/large-models.txt lists them with the tests that need them. Where one
// is missing, those tests are skipped; tests/reporter.js lets no other test be skipped.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const LARGE = process.env.OCELLI_SHARED ?? fileURLToPath(new URL('../../shared/data', import.meta.url));
const REASON = /^needs (\S+) of tests\/large-models\.txt$/;

/** @param {string} path as the list has it */
export const large = (path) => `${LARGE}/${path}`;

/** @returns {Map<string, string[]>} the test files that need each path */
export function readList() {
  const text = readFileSync(new URL('large-models.txt', import.meta.url), 'utf8');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const [path, ...tests] = line.split(/\s+/);
      return [path, tests];
    }),
  );
}

/**
 * For a test's options: skips it where one of the files is missing.
 * @param {...string} paths of the list
 * @returns {{skip?: string}}
 */
export function needsLarge(...paths) {
  const list = readList();
  const unlisted = paths.find((path) => !list.has(path));
  if (unlisted) throw new Error(`tests/large-models.txt does not list ${unlisted}`);
  const missing = paths.find((path) => !existsSync(large(path)));
  return missing ? { skip: `needs ${missing} of tests/large-models.txt` } : {};
}

/**
 * Whether the list says that a test may be skipped for this reason.
 * @param {string} file below the root of the repository
 * @param {string} reason
 * @param {Map<string, string[]>} list
 */
export const isListed = (file, reason, list) =>
  list.get(reason.match(REASON)?.[1] ?? '')?.includes(file) ?? false;
