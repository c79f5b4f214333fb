#!/usr/bin/env node
// The command line: finds the command, reads its arguments, runs it.
//
// Exit status: 0; 1 if something failed (stderr names it) or the program has a bug (stack trace); 2 if the command line
// is wrong. No signal is handled but while a file is written: Ctrl-C ends a computation at once, which shells report
// as 130.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { suggest } from '../wasm/shared/spelling.js';
import { outputsOf, readArguments } from './arguments.js';
import { attempt, explain, UsageError } from './common.js';
import { checkWritable } from './files.js';
import { formatCommandHelp, formatHelp } from './help.js';
import { clearProgress, print, printable, printError, printNote, reserveStdout } from './output.js';

const PACKAGE = new URL('../package.json', import.meta.url);
const DIST = new URL('../dist/', import.meta.url);

/** In the order of the help text. commands/NAME.js declares and runs each. */
const COMMANDS = [
  ...['detect', 'embed', 'similar', 'classify', 'inspect', 'bench'],
  ...['convert', 'quantize', 'compress', 'train', 'evaluate', 'track'],
];
const HELP = ['help', '--help', '-h'];
const VERSION = ['--version', '-v', '-V', 'version'];
/** What other tools call these commands. */
const FOREIGN_COMMANDS = {
  bench: ['benchmark', 'profile', 'measure', 'time'],
  classify: ['recognize', 'tag', 'classification'],
  compress: ['shrink', 'gzip', 'minify'],
  convert: ['export', 'import'],
  detect: ['predict', 'infer', 'inference', 'run', 'find', 'detection'],
  embed: ['features', 'extract', 'encode', 'vectorize', 'embedding'],
  evaluate: ['eval', 'test', 'val', 'validate', 'score'],
  inspect: ['info', 'show', 'describe', 'summary', 'view'],
  quantize: ['optimize', 'int8'],
  similar: ['compare', 'search', 'match', 'rank'],
  track: ['follow', 'bytetrack', 'mot'],
  train: ['fit', 'finetune', 'teach'],
};

/** @param {string[]} args */
async function main([first, ...rest]) {
  if (VERSION.includes(first)) return print(JSON.parse(readFileSync(PACKAGE, 'utf8')).version);
  const isHelp = first === undefined || HELP.includes(first);
  const name = isHelp ? rest.find((arg) => !HELP.includes(arg)) : first;
  if (name === undefined) return printHelp();
  if (!COMMANDS.includes(name)) throw unknownCommand(name);
  try {
    const asksHelp = isHelp || (rest.length === 1 && rest[0] === HELP[0] && !existsSync(rest[0]));
    await runCommand(name, asksHelp ? HELP.slice(1, 2) : rest);
  } catch (error) {
    if (error instanceof UsageError) error.command = name;
    throw error;
  }
}

/** @param {string} name */
function unknownCommand(name) {
  if (name.startsWith('-')) {
    const meant = suggest(name, ['--help', '--version']);
    return new UsageError(
      `there is no option '${name}' before a command; ` +
        (meant ? `did you mean ${meant}?` : 'options of a command follow its name'),
    );
  }
  const meant = existsSync(name) ? `detect ${name}` : suggest(name, COMMANDS, FOREIGN_COMMANDS);
  const hint = meant ? `did you mean 'ocelli ${meant}'?` : `the commands are ${COMMANDS.join(', ')}`;
  return new UsageError(`there is no command '${name}'; ${hint}`);
}

async function printHelp() {
  const commands = await Promise.all(COMMANDS.map(load));
  print(formatHelp(commands.map((command, i) => [COMMANDS[i], command])));
}

/**
 * @param {string} name
 * @param {string[]} args
 */
async function runCommand(name, args) {
  const command = await load(name);
  const given = readArguments(name, command, args);
  if (!given) return print(formatCommandHelp(name, command));
  const { values, positionals } = given;
  const outputs = await attempt(undefined, () => outputsOf(command, values, positionals));
  if (!outputs) return;
  if (values.json) reserveStdout('json');
  if (outputs.some(({ path }) => path === '-')) reserveStdout('file');
  for (const { path, places } of outputs) await attempt(path, () => checkWritable(path, places));
  if (process.exitCode) return;
  await attempt(undefined, () => command.run(values, positionals));
}

/**
 * @param {string} name
 * @returns {Promise<import('./arguments.js').Command>}
 */
async function load(name) {
  return (await import(`./commands/${name}.js`)).command;
}

/**
 * True in a checkout where `make` has not built what a command imports.
 * @param {unknown} error
 */
function isUnbuilt(error) {
  const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
  return code === 'ERR_MODULE_NOT_FOUND' && message.includes(fileURLToPath(DIST));
}

/** @param {UsageError} error */
function printUsageError({ message, command }) {
  const usage = command ? `ocelli ${command}` : 'ocelli';
  printNote(`ocelli: ${printable(message)}\n${usage} --help shows how to use it.`);
  process.exitCode = 2;
}

// When a reader such as `head` closes the pipe early, end quietly. A full disk is an error.
process.stdout.on('error', (error) => {
  if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EPIPE')
    printError(`standard output: ${explain(error) ?? error.message}`);
  clearProgress();
  process.exit();
});
// Nobody can be told that messages cannot be written: go on with the results.
process.stderr.on('error', () => {});

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof UsageError) printUsageError(error);
  else if (isUnbuilt(error)) printError('dist/ is not built yet: run `make` first');
  else throw error;
} finally {
  clearProgress();
}
