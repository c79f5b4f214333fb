// What the commands share: how they report errors, read and write files, and lay out results.
import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { getSystemErrorMap } from 'node:util';
import { OcelliError } from '../wasm/shared/errors.js';

/** The command line is wrong: exit status 2. */
export class UsageError extends Error {
  /** @type {string | undefined} */ command;
}

/** What the user can do about an error, by its code. */
const HINTS = new Map([
  ['MODULE_NOT_FOUND', 'build it with `make`'],
  ['MODEL_INPUT_UNKNOWN', 'pass it with --input'],
  ['SSD_UNKNOWN', 'pass it with --ssd'],
]);

/** @param {string} text */
export function print(text) {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/**
 * Prints an error and sets the exit status to 1, but does not exit: the command goes on with its other inputs.
 * @param {string} text
 */
export function printError(text) {
  process.stderr.write(`ocelli: ${text}\n`);
  process.exitCode = 1;
}

/**
 * Runs `action`. If that fails for a reason outside this program, prints `ocelli: FILE: CODE: message`.
 * @template T
 * @param {string | undefined} file as the user named it
 * @param {() => T | Promise<T>} action
 * @returns {Promise<T | undefined>} undefined if it failed
 */
export async function attempt(file, action) {
  try {
    return await action();
  } catch (error) {
    const reason = explain(error);
    if (reason === undefined) throw error;
    printError(file === undefined ? reason : `${file}: ${reason}`);
    return undefined;
  }
}

/**
 * @param {unknown} error
 * @returns {string | undefined} undefined if the error is a bug of this program
 */
function explain(error) {
  if (error instanceof OcelliError) {
    if (error.code === 'INVALID_OPTION') throw new UsageError(error.message);
    const hint = HINTS.get(error.code);
    return printable(`${error.code}: ${error.message}${hint ? ` (${hint})` : ''}`);
  }
  const { errno, syscall } = /** @type {NodeJS.ErrnoException} */ (error);
  const [code, message] = (syscall && errno !== undefined && getSystemErrorMap().get(errno)) || [];
  return code && `${code}: ${message}`;
}

/**
 * Text from a file without control characters, which could change the terminal.
 * @param {string} text
 */
export function printable(text) {
  return text.replace(/\p{Cc}/gu, '\ufffd');
}

/**
 * The name of a tensor that several layers were fused into lists them all, the last layer first: returns the last layer's.
 * @param {string} name
 */
export function shortName(name) {
  return name.split(';')[0];
}

/**
 * @param {string} file - is standard input
 * @returns {Promise<Uint8Array>}
 */
export function readBytes(file) {
  return file === '-' ? buffer(process.stdin) : readFile(file);
}

/**
 * Lays out rows of cells in columns, one line for each row.
 * @param {string[][]} rows
 * @param {string} alignment one letter for each column: l or r
 */
export function layOut(rows, alignment) {
  const columns = Array.from(alignment, (side, column) => ({
    side,
    width: Math.max(...rows.map((row) => row[column].length)),
  }));
  return rows.map((row) => {
    const cells = columns.map(({ side, width }, i) =>
      side === 'l' ? row[i].padEnd(width) : row[i].padStart(width),
    );
    return `  ${cells.join('  ').trimEnd()}`;
  });
}

/** @param {string} text */
export const bold = (text) => highlight(1, text);
/** @param {string} text */
export const dim = (text) => highlight(2, text);

/**
 * @param {1 | 2} code
 * @param {string} text
 */
function highlight(code, text) {
  const hasColors = process.stdout.isTTY && process.stdout.hasColors();
  return hasColors ? `\x1b[${code}m${text}\x1b[22m` : text;
}

/**
 * 672954000 -> "673 M".
 * @param {number} count
 */
export function formatCount(count) {
  for (const [unit, name] of /** @type {const} */ ([
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ])) {
    if (count >= unit) return `${Number((count / unit).toPrecision(3))} ${name}`;
  }
  return String(count);
}

/** @param {number} value */
export function shorten(value) {
  return String(Number(value.toPrecision(6)));
}

/** @param {number} bytes */
export function formatBytes(bytes) {
  return bytes < 2 ** 20 ? `${(bytes / 2 ** 10).toFixed(1)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/**
 * @param {number} count
 * @param {string} noun
 * @param {string} [nouns]
 */
export function plural(count, noun, nouns = `${noun}s`) {
  return `${count} ${count === 1 ? noun : nouns}`;
}

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @param {number} ms */
export function roundMs(ms) {
  return Math.round(ms * 1000) / 1000;
}

/**
 * Replaces the line that shows progress. Only terminals show progress.
 * @param {string} [text]
 */
export function clearLine(text = '') {
  return process.stderr.isTTY ? `\r\x1b[K${text}` : '';
}

/**
 * Writes the file under another name and then renames it, so that OUT is never an incomplete file.
 * @param {string} out
 * @param {Uint8Array} bytes
 */
export async function writeWhole(out, bytes) {
  const partial = join(dirname(out), `.${randomBytes(6).toString('hex')}.partial`);
  try {
    await writeFile(partial, bytes, { flag: 'wx' });
    await rename(partial, out);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  return true;
}
