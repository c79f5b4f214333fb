// Which files ocelli has written. Only those are replaced without --force: each kind of file has a mark.
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { UsageError } from './common.js';

/**
 * @typedef {object} ReportFiles The files of a report.
 * @property {string} record the JSON file that lists the others with their sha256
 * @property {RegExp} names of all of them
 */

/** The text in our PNG files. */
export const PNG_TEXT = { Software: 'ocelli' };
/** The text in our .mp4 files, near their end. */
export const VIDEO_TEXT = 'Boxes drawn by ocelli.';
/** Of NumPy's header: enough for any numbers and 64 spaces. A multiple of 64, as NumPy aligns the data. */
export const NPY_HEADER_BYTES = 192;
/** A header of ours, with as much padding as numbers of any length need. */
const NPY_HEADER =
  /^\x93NUMPY\x01\0..\{'descr': '<f4', 'fortran_order': False, 'shape': \(\d+, \d+\), \} {64,}\n/s; // eslint-disable-line no-control-regex
const DESCRIPTION = /by ocelli\.$/;
const GENERATOR = 'ocelli';

/** @type {Record<string, (bytes: Buffer) => boolean | Promise<boolean>>} */
const MARKS = {
  '.png': (bytes) => bytes.subarray(-64).includes('tEXtSoftware\0ocelli'),
  '.mp4': (bytes) => bytes.subarray(-1024).includes(VIDEO_TEXT),
  '.npy': (bytes) => NPY_HEADER.test(bytes.toString('latin1', 0, 512)),
  '.tflite': hasOwnDescription,
  '.gz': (bytes) => hasOwnDescription(inflate(bytes)),
};

/** @param {Buffer} bytes @returns {Buffer} empty if they are no gzip file, or a very large one */
function inflate(bytes) {
  try {
    return gunzipSync(bytes, { maxOutputLength: 2 ** 30 });
  } catch {
    return Buffer.alloc(0);
  }
}

/** @param {Buffer} bytes */
async function hasOwnDescription(bytes) {
  if (bytes.toString('latin1', 4, 8) !== 'TFL3') return false;
  try {
    // Imported here, because it needs what `make` builds.
    const { Table } = await import('../wasm/tflite/read.js');
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return DESCRIPTION.test(new Table(view, view.getUint32(0, true)).text(3));
  } catch {
    return false; // It is damaged.
  }
}

/**
 * Refuses to replace a file that ocelli did not write.
 * @param {string} term the option, as messages name it
 * @param {string} path may be no file
 * @param {import('./files.js').Place} kind of file
 */
export async function checkReplaced(term, path, kind) {
  await checkPresent(term, path, (bytes) => MARKS[kind]?.(bytes));
}

/**
 * Nothing is lost with a file that is empty.
 * @param {string} term
 * @param {string} path
 * @param {(bytes: Buffer) => boolean | undefined | Promise<boolean>} isOurs
 */
async function checkPresent(term, path, isOurs) {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile() || found.size === 0) return;
  // What cannot be read, or is too large, is none of ours.
  const bytes = await readFile(path).catch(() => undefined);
  if (bytes && (await isOurs(bytes))) return;
  throw new UsageError(
    `${term}: ${path} exists, and ocelli did not write it; name another place, or pass --force to overwrite it`,
  );
}

/**
 * Refuses to replace files in a directory that are not of an earlier report.
 * @param {string} term
 * @param {string} directory
 * @param {ReportFiles} files
 */
export async function checkReport(term, directory, { record, names }) {
  const present = (await readdir(directory).catch(() => [])).filter((name) => names.test(name));
  const hashes = await readRecord(join(directory, record));
  for (const name of present)
    await checkPresent(term, join(directory, name), (bytes) =>
      name === record ? hashes !== undefined : hashes?.[name] === digest(bytes),
    );
}

/** @param {string} file @returns {Promise<Record<string, string> | undefined>} undefined: it is none of ours */
async function readRecord(file) {
  try {
    const { generator, files } = JSON.parse(await readFile(file, 'utf8'));
    return generator === GENERATOR && typeof files === 'object' && files !== null ? files : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The files of a report, with the sha256 of each in `record`.
 * @param {Record<string, Uint8Array | string>} files by name
 * @param {string} record
 * @returns {Record<string, Uint8Array | string>}
 */
export function withRecord(files, record) {
  const others = Object.entries(files).filter(([name]) => name !== record);
  const hashes = Object.fromEntries(others.map(([name, content]) => [name, digest(content)]));
  const text = String(files[record]).trimEnd();
  // The text ends in }: it keeps its layout and escapes.
  const ending = JSON.stringify({ generator: GENERATOR, files: hashes }).slice(1);
  return { ...files, [record]: `${text.slice(0, -1).trimEnd()},\n${ending}\n` };
}

/** @param {Uint8Array | string} content */
function digest(content) {
  return createHash('sha256').update(content).digest('hex');
}
