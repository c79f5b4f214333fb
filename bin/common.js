// What the commands share: how they report errors, read files, and lay out results.
import { getSystemErrorMap } from 'node:util';
import { MAX_BYTES, readWhole } from '../wasm/platform/image_files.node.js';
import { failure, OcelliError } from '../wasm/shared/errors.js';
import { printable, printError } from './output.js';

/** The command line is wrong: exit status 2. */
export class UsageError extends Error {
  /** @type {string | undefined} */ command;
}

/** What the user can do about an error, by its code. */
const HINTS = new Map([
  ['MODULE_NOT_FOUND', 'build it with `make`'],
  ['SSD_UNKNOWN', 'pass it with --ssd'],
]);

/**
 * Runs `action`. If that fails for a reason outside this program, prints `ocelli: FILE: CODE: message`.
 * @template T
 * @param {string | undefined | (() => string)} file as the user named it; a function is called after a failure
 * @param {() => T | Promise<T>} action
 * @returns {Promise<T | undefined>} undefined if it failed
 */
export async function attempt(file, action) {
  try {
    return await action();
  } catch (error) {
    const name = nameOf(typeof file === 'function' ? file() : file, error);
    const reason = explain(error, name);
    if (reason === undefined) throw error;
    printError(name === undefined ? reason : `${printable(name)}: ${reason}`);
    return undefined;
  }
}

/**
 * The file that an error is about: `file`, or a file in that directory.
 * @param {string | undefined} file
 * @param {unknown} error
 */
function nameOf(file, error) {
  const { path } = /** @type {NodeJS.ErrnoException} */ (error);
  const isNearer = typeof path === 'string' && path.startsWith(file ?? '');
  const name = isNearer ? path : file;
  return name === '' ? "''" : name;
}

/**
 * @param {unknown} error
 * @param {string} [file] that it is about
 * @returns {string | undefined} undefined if the error is a bug of this program
 */
export function explain(error, file) {
  if (error instanceof OcelliError) {
    if (error.code === 'INVALID_OPTION')
      throw new UsageError(file === undefined ? error.message : `${file}: ${error.message}`);
    const hint = HINTS.get(error.code);
    return printable(`${error.code}: ${error.message}${hint ? ` (${hint})` : ''}`);
  }
  const { code = '', message, errno, syscall } = /** @type {NodeJS.ErrnoException} */ (error);
  if (code.startsWith('ERR_FS_')) return `${code}: ${message}`;
  const [name, text] = (syscall && errno !== undefined && getSystemErrorMap().get(errno)) || [];
  return name && `${name}: ${text}`;
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
  return file === '-' ? readInput(MAX_BYTES) : readWhole(file);
}

/** The most bytes of what says something about a model or a data set. */
const MAX_TEXT_BYTES = 64 << 20;

/** @param {string} file */
export async function readText(file) {
  return (await readWhole(file, MAX_TEXT_BYTES)).toString('utf8');
}

/** Standard input as text. */
export async function readInputText() {
  return (await readInput(MAX_TEXT_BYTES)).toString('utf8');
}

/** Standard input as a whole. @param {number} maxBytes */
async function readInput(maxBytes) {
  const parts = [];
  let size = 0;
  for await (const part of process.stdin) {
    size += part.length;
    if (size > maxBytes)
      throw failure('INPUT_TOO_LARGE', `standard input has more than ${maxBytes} bytes, the limit`);
    parts.push(part);
  }
  return Buffer.concat(parts, size);
}

/** Longer texts would make a table unreadable. */
const MAX_CELL = 400;

/** @param {string} text */
function toCell(text) {
  return printable(text.length > MAX_CELL ? `${text.slice(0, MAX_CELL)}…` : text);
}

/**
 * Lays out rows of cells in columns, one line for each row. Cells may come from files.
 * @param {string[][]} cells
 * @param {string} alignment one letter for each column: l or r
 */
export function layOut(cells, alignment) {
  const rows = cells.map((row) => row.map(toCell));
  const columns = Array.from(alignment, (side, column) => ({
    side,
    width: rows.reduce((most, row) => Math.max(most, row[column].length), 0),
  }));
  return rows.map((row) => {
    const padded = columns.map(({ side, width }, i) =>
      side === 'l' ? row[i].padEnd(width) : row[i].padStart(width),
    );
    return `  ${padded.join('  ').trimEnd()}`;
  });
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

/** 0.8123 -> "81.2 %". @param {number} share */
export function formatPercent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * What a line of JSON says about a run.
 * @param {Pick<import('../wasm/vision/types.js').RunResult, 'precision' | 'decode' | 'ms'>} result
 */
export function factsOf({ precision, decode, ms }) {
  const rounded = Object.fromEntries(Object.entries(ms).map(([stage, time]) => [stage, roundMs(time)]));
  return { precision, decode, ms: rounded };
}

/** @param {number} ms */
export function roundMs(ms) {
  return Math.round(ms * 1000) / 1000;
}
