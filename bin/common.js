// What the commands share: how failures are told, numbers read, and results laid out.
import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { getSystemErrorMap } from 'node:util';
import { OcelliError } from '../wasm/shared/errors.js';

/** What was typed cannot be meant: exit status 2. */
export class UsageError extends Error {
  /** @type {string | undefined} */ command;
}

/** What a user of the command line can do about a failure. */
const HINTS = new Map([
  ['MODULE_NOT_FOUND', '`make` builds it'],
  ['MODEL_INPUT_UNKNOWN', '--input gives it'],
  ['SSD_UNKNOWN', '--ssd gives it'],
]);

/** @param {string} text */
export function print(text) {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/**
 * Tells a failure and makes the exit status 1; whatever else can be done is still done.
 * @param {string} text
 */
export function printError(text) {
  process.stderr.write(`ocelli: ${text}\n`);
  process.exitCode = 1;
}

/**
 * Runs `action`. If it fails for a reason that lies outside this program, tells it as `ocelli: FILE: CODE: message`.
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
 * @returns {string | undefined} undefined: a mistake in this program
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
 * Text from a file, harmless to a terminal.
 * @param {string} text
 */
export function printable(text) {
  return text.replace(/\p{Cc}/gu, '\ufffd');
}

/**
 * Of a tensor that several layers were fused into, whose name is all of theirs, the last one's.
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
 * @param {string} option
 * @param {string | undefined} text
 * @param {{min: number, max: number, integer?: boolean}} range
 */
export function readNumber(option, text, { min, max, integer = false }) {
  if (text === undefined) return undefined;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= min && value <= max && (!integer || Number.isInteger(value))) return value;
  const kind = integer ? 'a whole number' : 'a number';
  throw new UsageError(`--${option} takes ${kind} from ${min} to ${max}, not '${text}'`);
}

/** @param {string | undefined} text */
export function readThreads(text) {
  return readNumber('threads', text, { min: 1, max: 64, integer: true }) ?? 1;
}

/**
 * Rows of cells in columns, a line each.
 * @param {string[][]} rows
 * @param {string} alignment a letter for each column: l or r
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

/** @param {number} ms */
export function roundMs(ms) {
  return Math.round(ms * 1000) / 1000;
}

/** @param {string[]} lists */
export function splitNames(lists) {
  return lists.flatMap((list) => list.split(',')).map((name) => name.trim());
}

/** Progress goes to terminals only, on one line. @param {string} [text] */
export function clearLine(text = '') {
  return process.stderr.isTTY ? `\r\x1b[K${text}` : '';
}

/**
 * Under another name first, so that OUT is never half a file.
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
