// What the command line shows: results, messages and progress. Every text for the terminal passes through here.
import { toLine } from '../wasm/shared/text.js';

/** After so long without a line, a long run says how far it is where no terminal shows its progress. */
const SPARSE_MS = 30_000;
/** Of terminals that do not say how wide they are. */
const DEFAULT_COLUMNS = 80;

/**
 * Where results and messages about written files go; `reserveStdout` changes it.
 * @type {Record<'results' | 'messages', import('node:tty').WriteStream>}
 */
const streams = { results: process.stdout, messages: process.stdout };
const progress = { isShown: false, lastLine: performance.now() };

/**
 * Keeps standard output free for what another program reads.
 * @param {'json' | 'file'} content `json`: only results go to standard output; `file`: only the bytes of a file
 */
export function reserveStdout(content) {
  streams.messages = process.stderr;
  if (content === 'file') streams.results = process.stderr;
}

/** @param {string} text a result */
export function print(text) {
  write(streams.results, text.endsWith('\n') ? text : `${text}\n`);
}

/** @param {string} file that was written */
export function announce(file) {
  write(streams.messages, `written: ${printable(file)}\n`);
}

/** @param {string} text */
export function printNote(text) {
  write(process.stderr, `${text}\n`);
}

/**
 * Prints an error and sets the exit status to 1, but does not exit: the command goes on with its other inputs.
 * @param {string} text
 */
export function printError(text) {
  printNote(`ocelli: ${text}`);
  process.exitCode = 1;
}

/**
 * On a terminal, shows how far a run is, on one line that is overwritten. Elsewhere prints a line now and then.
 * @param {string} title
 * @param {number} done
 * @param {number} total
 * @param {string} [detail]
 */
export function showProgress(title, done, total, detail) {
  const text = printable(`${title} ${done} of ${total}${detail ? `: ${detail}` : ''}`);
  if (process.stderr.isTTY) {
    process.stderr.write(`\r${text.slice(0, (process.stderr.columns || DEFAULT_COLUMNS) - 1)}\x1b[K`);
    progress.isShown = true;
  } else if (performance.now() - progress.lastLine > SPARSE_MS) printNote(text);
}

/**
 * Shows the stages of a computation on images, one after the other.
 * @template {string} Stage
 * @param {readonly Stage[]} stages
 * @param {number} total number of images
 * @returns {(progress: {stage: Stage, images?: number}) => void} for the option onProgress
 */
export function showStages(stages, total) {
  return ({ stage, images }) => {
    const step = stages.indexOf(stage) + 1;
    if (images === undefined) showProgress('step', step, stages.length, stage);
    else showProgress(`step ${step} of ${stages.length}, ${stage}: image`, images, total);
  };
}

/** Removes the line that shows progress. */
export function clearProgress() {
  if (progress.isShown) process.stderr.write('\r\x1b[K');
  progress.isShown = false;
}

/**
 * @param {import('node:tty').WriteStream} stream
 * @param {string} text
 */
function write(stream, text) {
  clearProgress();
  progress.lastLine = performance.now();
  stream.write(toLines(text));
}

const ESCAPE = '\x1b';
/** The escape sequences of `highlight`, and line ends. */
const OWN = new RegExp(`(${ESCAPE}\\[(?:1|2|22)m|\\n)`);

/** What no caller has made safe is made safe here. @param {string} text */
function toLines(text) {
  return text
    .split(OWN)
    .map((part, i) => (i % 2 === 1 ? part : toLine(part)))
    .join('');
}

/**
 * Text from a file, or a file's name, as one line that cannot change the terminal.
 * @param {string} text
 */
export function printable(text) {
  return toLine(text);
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
  const { results } = streams;
  text = printable(text);
  return results.isTTY && results.hasColors() ? `\x1b[${code}m${text}\x1b[22m` : text;
}
