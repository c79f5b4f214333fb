// Writes files, completely or not at all, and checks before a command runs whether it may write them.
import { randomBytes } from 'node:crypto';
import { constants, rmSync, statSync } from 'node:fs';
import { access, mkdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import { attempt, UsageError } from './common.js';
import { announce } from './output.js';
import { withRecord } from './written.js';

/** What an option or argument that names a place to write to takes: files with this extension, or a directory. */
/** @typedef {'.tflite' | '.gz' | '.npy' | '.png' | '.mp4' | 'directory'} Place */

/** The files that this run reads. @type {string[]} */
const inputs = [];
/** Their names by identity; made when it is needed, because a data set has many files. @type {Promise<Map<string, string>> | undefined} */
let identities;

/** @type {NodeJS.Signals[]} */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Writes a file and says so.
 * @param {string} out - is standard output
 * @param {Uint8Array | string} data
 * @returns {Promise<boolean>} false if that failed; the error is printed
 */
export async function save(out, data) {
  if (out === '-') {
    process.stdout.write(data);
    return true;
  }
  const isWritten = await attempt(out, () => writeWhole(out, data));
  if (isWritten) announce(out);
  return isWritten ?? false;
}

/**
 * Writes the files of a report into a directory, which is created.
 * @param {string} directory
 * @param {Record<string, Uint8Array | string>} files by name
 * @param {import('./written.js').ReportFiles} report
 */
export async function saveAll(directory, files, { record }) {
  const isThere = await attempt(directory, async () => {
    await makeDirectory(directory);
    return true;
  });
  if (!isThere) return;
  for (const [name, data] of Object.entries(withRecord(files, record)))
    await save(join(directory, name), data);
}

/**
 * Makes a directory and those that it is in. Node's own `recursive` never returns for places such as /proc/x, where nothing
 * can be made though all that it is in exists.
 * @param {string} path
 * @returns {Promise<void>}
 */
export async function makeDirectory(path) {
  try {
    await mkdir(path);
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
    const parent = dirname(resolve(path));
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code !== 'ENOENT' || statSync(parent, { throwIfNoEntry: false })) throw error;
    await makeDirectory(parent);
    await makeDirectory(path);
  }
}

/**
 * Whether a name ends so, in small letters or in capitals.
 * @param {string} path
 * @param {string} extension in small letters, with its dot
 */
export function hasExtension(path, extension) {
  return path.toLowerCase().endsWith(extension);
}

/**
 * Writes the file under another name and then renames it, so that OUT is never an incomplete file. Pipes and devices
 * are written to as they are.
 * @param {string} out
 * @param {Parameters<typeof writeFile>[1]} data
 */
export async function writeWhole(out, data) {
  const present = await stat(out).catch(() => undefined);
  if (present && !present.isFile()) {
    await writeFile(out, data);
    return true;
  }
  const input = present && (await inputAt(out));
  if (input !== undefined) throw new UsageError(`${out} would overwrite the input ${input}`);
  const target = present ? await realpath(out) : out;
  const partial = join(dirname(target), `.${randomBytes(6).toString('hex')}.partial`);
  const stopWatching = onEnding(() => rmSync(partial, { force: true }));
  try {
    await writeFile(partial, data, { flag: 'wx', mode: present?.mode });
    await rename(partial, target);
  } catch (error) {
    await rm(partial, { force: true });
    throw Object.assign(/** @type {Error} */ (error), { path: out });
  } finally {
    stopWatching();
  }
  return true;
}

/**
 * Cleans up if the program exits or a signal ends it. It still ends by that signal, as shells expect.
 * @param {() => void} cleanUp
 * @returns {() => void} no longer cleans up
 */
export function onEnding(cleanUp) {
  const stop = () => {
    process.off('exit', cleanUp);
    SIGNALS.forEach((name) => process.off(name, end));
  };
  /** @param {NodeJS.Signals} signal */
  const end = (signal) => {
    stop();
    cleanUp();
    process.kill(process.pid, signal);
  };
  process.on('exit', cleanUp);
  SIGNALS.forEach((name) => process.on(name, end));
  return stop;
}

// ---- checks before a command runs ----

/**
 * Refuses places that the command cannot write to as the user means it.
 * @param {string} term the option or argument, as messages name it
 * @param {string} path
 * @param {readonly Place[]} places
 */
export function checkPlace(term, path, places) {
  const extensions = places.filter((place) => place !== 'directory');
  const [extension] = extensions;
  const isDirectory = places.includes('directory');
  if (path === '') throw new UsageError(`${term} is empty`);
  if (path === '-') {
    if (extension === undefined) throw new UsageError(`${term} takes a directory, not standard output`);
    if (!process.stdout.isTTY) return;
    throw new UsageError(`${term} -: standard output is a terminal; send it to a file with > FILE`);
  }
  const present = statSync(path, { throwIfNoEntry: false });
  if (/[/\\]$/.test(path) || present?.isDirectory()) {
    if (isDirectory) return;
    throw new UsageError(`${term} ${path}: that is a directory; name a ${extension} file`);
  }
  if (extension === '.mp4' && present && !present.isFile())
    throw new UsageError(`${term} ${path}: that is not a file; name a ${extension} file`);
  const given = extname(path).toLowerCase();
  if (isDirectory && present && (given === '' || extension === undefined)) {
    if (extension !== undefined && !present.isFile()) return;
    const files = extension === undefined ? '' : ` or a ${extension} file`;
    throw new UsageError(`${term} ${path}: that is not a directory; name a directory${files}`);
  }
  if (given === '' || extensions.some((known) => known === given)) return;
  const takes =
    extension === undefined
      ? 'this option takes a directory'
      : `ocelli writes ${extensions.join(' and ')} files, not ${given}`;
  const hint = isDirectory ? `; for a directory with this name, write ${path}/` : '';
  throw new UsageError(`${term} ${path}: ${takes}${hint}`);
}

/**
 * Fails if a place cannot be written to, so that a command does not compute for an hour in vain.
 * @param {string} path
 * @param {readonly Place[]} places
 * @returns {Promise<void>}
 */
export async function checkWritable(path, places) {
  if (path === '-') return;
  const extensions = places.filter((place) => place !== 'directory');
  const [extension] = extensions;
  const isFile = !places.includes('directory') || (extension && hasExtension(path, extension));
  const present = await stat(path).catch(() => undefined);
  if (present) await access(path, constants.W_OK);
  if (present && !present.isFile()) return;
  // writeWhole puts a new file in the place of one that is there.
  const parent = dirname(present ? await realpath(path) : resolve(path));
  const isNew = !(await stat(parent).catch(() => undefined));
  if (!isFile && isNew) return checkWritable(parent, ['directory']);
  // The dot: a file is no place to write into.
  return access(`${parent}/.`, constants.W_OK).catch((error) => {
    throw Object.assign(error, { path });
  });
}

/**
 * Notes files that this run reads: it does not write to them, whatever their names.
 * @param {readonly string[]} files
 */
export function protect(files) {
  for (const file of files) inputs.push(file);
  identities = undefined;
}

/**
 * @param {string} path
 * @returns {Promise<string | undefined>} the name of the input that would be overwritten there
 */
export async function inputAt(path) {
  const key = await identify(path);
  if (key === undefined) return undefined;
  identities ??= identifyAll(inputs);
  return (await identities).get(key);
}

/** @param {string[]} files @returns {Promise<Map<string, string>>} names by identity */
async function identifyAll(files) {
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const file of files) {
    const key = await identify(file);
    if (key !== undefined) found.set(key, file);
  }
  return found;
}

/**
 * A key that is the same for every name of a file, links included.
 * @param {string} file
 * @returns {Promise<string | undefined>} undefined if there is no such file, or it is a directory, a pipe or a device
 */
export async function identify(file) {
  const found = await stat(file, { bigint: true }).catch(() => undefined);
  return found?.isFile() ? `${found.dev}:${found.ino}` : undefined;
}
