#!/usr/bin/env node
// The command line: finds the command, reads its arguments, runs it.
//
// Exit status: 0; 1 if an input could not be used (stderr names it) or the program has a bug (stack trace); 2 if the
// command line is wrong.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nearest } from '../wasm/shared/spelling.js';
import { readArguments } from './arguments.js';
import { attempt, print, printError, UsageError } from './common.js';
import { formatCommandHelp, formatHelp } from './help.js';

const PACKAGE = new URL('../package.json', import.meta.url);
const DIST = new URL('../dist/', import.meta.url);

/** In the order of the help text. commands/NAME.js declares and runs each. */
const COMMANDS = [
  ...['detect', 'embed', 'similar', 'classify', 'inspect', 'bench'],
  ...['convert', 'quantize', 'train', 'evaluate'],
];

/** @param {string[]} args */
async function main([name, ...args]) {
  if (name === '--version') return print(JSON.parse(readFileSync(PACKAGE, 'utf8')).version);
  if (name === '--help' || name === '-h') return printHelp();
  if (name === undefined) throw new UsageError(`ocelli needs a command: ${COMMANDS.join(', ')}`);
  if (!COMMANDS.includes(name))
    throw new UsageError(`there is no command '${name}'; nearest: ${nearest(name, COMMANDS)[0]}`);
  try {
    await runCommand(name, args);
  } catch (error) {
    if (error instanceof UsageError) error.command = name;
    throw error;
  }
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
  await attempt(undefined, () => command.run(given.values, given.positionals));
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
  process.stderr.write(`ocelli: ${message}\n${usage} --help shows how to use it.\n`);
  process.exitCode = 2;
}

// When a reader such as `head` closes the pipe early, end quietly.
process.stdout.on('error', (error) => {
  if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EPIPE') throw error;
  process.exit();
});

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof UsageError) printUsageError(error);
  else if (isUnbuilt(error)) printError('dist/ is not built yet: run `make` first');
  else throw error;
}
