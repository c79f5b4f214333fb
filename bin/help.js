// Help texts, made from the declarations of the commands.
import { limitsOf, optionsOf, termOf } from './arguments.js';

/**
 * @typedef {import('./arguments.js').Command} Command
 * @typedef {import('./arguments.js').Option} Option
 * @typedef {import('./arguments.js').Positional} Positional
 */

const WIDTH = 80;
/** The column where descriptions start. */
const INDENT = 21;

/** @param {[string, Command][]} commands by name */
export function formatHelp(commands) {
  return [
    'Usage: ocelli COMMAND [options] [files]',
    '',
    ...wrap(
      'Finds objects in images, and classifies and compares images, with MobileNetV2 in one small WebAssembly module.',
    ),
    ...section(
      'Commands',
      commands.map(([name, { summary }]) => [name, summary]),
    ),
    ...section('Options', [
      ['-h, --help', 'show this text; after a command, the help of the command'],
      ['-v, --version', 'show the version'],
    ]),
    ...examples([
      'ocelli detect photo.jpg --out found.png',
      'ocelli detect --json photos/ > found.jsonl',
      'ocelli help detect',
    ]),
    ...section('Files', [
      ['FILE', 'a file; - is standard input, or standard output where a file is written'],
      ['DIRECTORY', 'where images are read: the images in it and in its subdirectories, but hidden ones'],
      ["'PATTERN'", "the files that it matches: 'photos/**/*.jpg'"],
    ]),
    ...section('Exit status', [
      ['0', 'everything worked'],
      ['1', 'something failed, such as an image that cannot be read; the others are done'],
      ['2', 'the command line is wrong'],
      ['130', 'ended by Ctrl-C'],
    ]),
  ].join('\n');
}

/**
 * @param {string} name
 * @param {Command} command
 */
export function formatCommandHelp(name, command) {
  const options = Object.entries(optionsOf(command));
  const required = options
    .filter(([, option]) => option.required)
    .map(([key, option]) => termOf(key, option));
  const words = [name, ...required, '[options]', ...command.positionals.map(showPositional)];
  return [
    `Usage: ocelli ${words.join(' ')}`,
    '',
    ...wrap(command.about),
    ...section('Arguments', command.positionals.map(describePositional)),
    ...section('Options', options.map(describeOption)),
    ...examples(command.examples),
  ].join('\n');
}

/** @param {Positional} positional */
function showPositional({ name, optional, repeated }) {
  if (optional) return `[${name}]`;
  return repeated ? `${name}...` : name;
}

/**
 * @param {Positional} positional
 * @returns {[string, string]}
 */
function describePositional(positional) {
  const { what, about } = positional;
  return [showPositional(positional), withFacts(what, [about])];
}

/**
 * @param {[string, Option]} option
 * @returns {[string, string]}
 */
function describeOption([name, option]) {
  const { short, about, defaultText = option.default } = option;
  const term = termOf(name, option);
  const facts = [limitsOf(option), defaultText === undefined ? '' : `default: ${defaultText}`];
  return [short ? `-${short}, ${term}` : term, withFacts(about, facts)];
}

/**
 * @param {string} text
 * @param {(string | undefined)[]} facts
 */
function withFacts(text, facts) {
  const known = facts.filter(Boolean);
  return known.length > 0 ? `${text} (${known.join('; ')})` : text;
}

/**
 * @param {string} title
 * @param {[string, string][]} rows
 */
function section(title, rows) {
  return ['', `${title}:`, ...rows.flatMap(([term, text]) => layOutRow(term, text))];
}

/**
 * @param {string} term
 * @param {string} text
 */
function layOutRow(term, text) {
  const lines = wrap(text, WIDTH - INDENT).map((line) => ' '.repeat(INDENT) + line);
  const start = `  ${term}`;
  if (start.length + 2 > INDENT) return [start, ...lines];
  return [start + lines[0].slice(start.length), ...lines.slice(1)];
}

/** @param {readonly string[]} commands */
function examples(commands) {
  return ['', 'Examples:', ...commands.map((command) => `  ${command}`)];
}

/**
 * Breaks a text between words.
 * @param {string} text
 * @param {number} [width]
 */
function wrap(text, width = WIDTH) {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines[lines.length - 1];
    if (line.length + word.length + 1 > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}
