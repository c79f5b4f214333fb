#!/usr/bin/env node
// The command line: finds the command, reads its options, runs it. commands/NAME.js has each command.
//
// Exit status 0; 1: an input could not be used (named on stderr) or a bug (stack trace); 2: wrong usage.
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { attempt, print, printError, UsageError } from './common.js';
import { COMMANDS, HELP } from './usage.js';

const PACKAGE = new URL('../package.json', import.meta.url);
const BUILT = ['build.js', 'font.js', 'models/manifest.js'].map(
  (file) => new URL(`../dist/${file}`, import.meta.url),
);

/** @param {string[]} args */
async function main([name, ...args]) {
  if (name === '--help' || name === '-h') return print(HELP);
  if (name === '--version') return print(JSON.parse(readFileSync(PACKAGE, 'utf8')).version);
  if (name === undefined) throw new UsageError('which command?');
  if (!isCommand(name)) throw new UsageError(`there is no command '${name}'`);
  try {
    await runCommand(name, args);
  } catch (error) {
    if (error instanceof UsageError) error.command = name;
    throw error;
  }
}

/** @param {string} name @returns {name is keyof typeof COMMANDS} */
function isCommand(name) {
  return Object.hasOwn(COMMANDS, name);
}

/**
 * @param {keyof typeof COMMANDS} name
 * @param {string[]} args
 */
async function runCommand(name, args) {
  const { help, options, maxArguments } = COMMANDS[name];
  const { values, positionals } = readArguments(args, options);
  if (values.help) return print(help);
  if (positionals.length > maxArguments)
    throw new UsageError(`unexpected argument '${positionals[maxArguments]}'`);
  if (!BUILT.every((file) => existsSync(file))) {
    printError('dist/ is not built yet: run `make` first');
    return;
  }
  const { run } = await import(`./commands/${name}.js`);
  await attempt(undefined, () => run(values, positionals));
}

/**
 * @param {string[]} args
 * @param {import('node:util').ParseArgsOptionsConfig} options
 */
function readArguments(args, options) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    if (!code?.startsWith('ERR_PARSE_ARGS_')) throw error;
    const [reason] = message.split(/\.\s/);
    throw new UsageError(reason[0].toLowerCase() + reason.slice(1));
  }
}

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error) => {
  if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EPIPE') throw error;
  process.exit();
});

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  const command = error.command ? `ocelli ${error.command}` : 'ocelli';
  process.stderr.write(`ocelli: ${error.message}\n${command} --help says how it is used.\n`);
  process.exitCode = 2;
}
