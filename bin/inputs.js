// From the arguments that name images to the files to read: directories and patterns become the files in them.
import { stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import picomatch from 'picomatch';
import { findFiles, findImages } from '../wasm/platform/image_files.node.js';
import { failures, isUnreadable } from '../wasm/shared/errors.js';
import { attempt, explain, readBytes, UsageError } from './common.js';
import { protect } from './files.js';
import { printable, printError, printNote, showProgress } from './output.js';

const failure = failures({
  NO_IMAGES: 'the directory has no PNG, JPEG, BMP or GIF files',
  NO_MATCH: 'no file matches the pattern',
  NOT_A_FILE: 'the command line reads files only; download the image first: curl -s URL | ocelli ... -',
});

/**
 * Prints an error for each argument that names nothing.
 * @param {string[]} args files, directories, patterns such as photos/*.jpg, and - for standard input
 * @param {string} [out] a directory to write into
 * @returns {Promise<string[]>} in the order of the arguments, the files of each sorted by path
 */
export async function findInputs(args, out) {
  const found = [];
  for (const arg of args) found.push((await attempt(arg, () => expand(arg, out))) ?? []);
  const files = found.flat();
  protect(files);
  return files;
}

/**
 * @param {string} arg
 * @param {string} [out]
 */
async function expand(arg, out) {
  if (arg === '-') return [arg];
  const entry = await stat(arg).catch((error) => /** @type {NodeJS.ErrnoException} */ (error));
  if (entry instanceof Error) {
    if (/^https?:\/\//i.test(arg)) throw failure('NOT_A_FILE');
    if (/^!(?!\()/.test(arg))
      throw new UsageError(
        `${arg}: a pattern says which images to read; to leave some out, write 'photos/!(*.jpg)', or ./${arg} for a name that begins with !`,
      );
    const pattern = sep === '\\' ? arg.replaceAll(sep, '/') : arg;
    if (!picomatch.scan(pattern).isGlob) throw entry;
    const { base } = picomatch.scan(pattern, { unescape: true });
    return without(out, base, await findMatches(pattern, base), 'NO_MATCH');
  }
  if (!entry.isDirectory()) return [arg];
  if (out !== undefined && resolve(out) === resolve(arg))
    throw new UsageError(`--out ${out} is the directory that the images come from; name another`);
  return without(out, arg, await findImages(arg, nameUnreadable), 'NO_IMAGES');
}

/** Names a directory that cannot be read; the other files are found. @param {Error} error */
async function nameUnreadable(error) {
  await attempt(undefined, () => {
    throw error;
  });
}

/**
 * The files that match a pattern. As in a shell, * and ** match no hidden files.
 * @param {string} pattern with / between directories
 * @param {string} base the directory that it begins with
 */
async function findMatches(pattern, base) {
  const { glob } = picomatch.scan(pattern);
  const isMatch = picomatch(glob, { windows: sep === '\\', nonegate: true });
  const depth = glob.includes('**') ? Infinity : glob.split('/').length - 1;
  const found = await stat(base || '.').catch(() => undefined);
  if (!found?.isDirectory()) return [];
  const files = await findFiles(base || '.', depth, nameUnreadable);
  return files
    .map((file) => relative(base, file))
    .filter((file) => isMatch(file))
    .map((file) => join(base, file));
}

/**
 * Leaves out what an earlier run has written, if it wrote into a directory below the one that is searched.
 * @param {string | undefined} out
 * @param {string} searched
 * @param {string[]} files
 * @param {'NO_IMAGES' | 'NO_MATCH'} code of the error if no file is left
 */
function without(out, searched, files, code) {
  const isBelow = out !== undefined && isInside(searched, out);
  const inputs = isBelow ? files.filter((file) => !isInside(out, file)) : files;
  if (inputs.length === 0) throw failure(code);
  return inputs;
}

/** @param {string} directory @param {string} path */
function isInside(directory, path) {
  return resolve(path) !== resolve(directory) && resolve(path).startsWith(join(resolve(directory), sep));
}

/** Images that cannot be read, of a command with --strict: names and counts them, or stops at the first. */
export class LeftOut {
  #isStrict;
  #count = 0;

  /** @param {{strict: boolean}} values */
  constructor({ strict }) {
    this.#isStrict = strict;
  }

  get count() {
    return this.#count;
  }

  /**
   * @param {string} file
   * @param {unknown} error it is thrown again if the command is to stop
   */
  add(file, error) {
    const reason = isUnreadable(error) ? explain(error, file) : undefined;
    if (this.#isStrict || reason === undefined) throw error;
    this.#count++;
    printNote(`ocelli: ${printable(file)}: ${reason}; left out`);
  }

  /** For the library, whose calls throw without it. @param {(at: any) => string} nameOf */
  callback(nameOf) {
    return this.#isStrict
      ? undefined
      : (/** @type {Error} */ error, /** @type {any} */ at) => this.add(nameOf(at), error);
  }

  /**
   * @param {number} total of images
   * @returns {boolean} whether any could be read
   */
  report(total) {
    if (this.#count === total) printError('none of the images can be read');
    else if (this.#count > 0) printNote(`images left out: ${this.#count} of ${total}`);
    return this.#count < total;
  }
}

/**
 * Reads images one after another and shows how many are done. Without --strict, an image that cannot be read is left out.
 * @param {string[]} files
 * @param {LeftOut} leftOut
 * @param {(file: string, bytes: Uint8Array) => Promise<unknown>} use
 * @returns {Promise<boolean>} false: the command stops
 */
export async function eachReadable(files, leftOut, use) {
  for (const [i, file] of files.entries()) {
    if (files.length > 1) showProgress('image', i + 1, files.length, file);
    const isDone = await attempt(file, async () => {
      try {
        await use(file, await readBytes(file));
      } catch (error) {
        leftOut.add(file, error);
      }
      return true;
    });
    if (!isDone) return false;
  }
  // As for detect and classify, a result is missing.
  if (leftOut.count > 0) process.exitCode = 1;
  return leftOut.report(files.length);
}

/**
 * Reads images one after another and shows how many are done. An image that fails is named, and the others are done.
 * @param {string[]} files
 * @param {(file: string, bytes: Uint8Array, index: number) => Promise<unknown>} use
 */
export async function eachImage(files, use) {
  for (const [i, file] of files.entries()) {
    if (files.length > 1) showProgress('image', i + 1, files.length, file);
    await attempt(file, async () => use(file, await readBytes(file), i));
  }
}

/**
 * Reads images one after another, for a function that takes them as an iterable.
 * @param {string[]} files
 * @param {LeftOut} leftOut
 * @returns {{read: () => AsyncGenerator<Uint8Array>, current: () => string | undefined}} `current`: the image that is
 *   in use, which is the one to blame if the function fails
 */
export function readImages(files, leftOut) {
  /** @type {string | undefined} */
  let current;
  async function* read() {
    for (current of files) {
      const bytes = await readBytes(current).catch((error) =>
        leftOut.add(/** @type {string} */ (current), error),
      );
      if (bytes) yield new Uint8Array(bytes);
    }
    current = undefined;
  }
  return { read, current: () => current };
}
