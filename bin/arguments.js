// Reads the arguments of a command after the command's declaration. help.js writes the help text from the same
// declaration, so that the two always agree.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FOREIGN_NAMES, suggest } from '../wasm/shared/spelling.js';
import { UsageError } from './common.js';
import { checkPlace, hasExtension, inputAt, protect } from './files.js';
import { checkReplaced, checkReport } from './written.js';

/**
 * @typedef {import('./files.js').Place} Place
 *
 * @typedef {object} Option
 * @property {'flag' | 'text' | 'file' | 'number' | 'choice' | 'names' | 'classes'} type a `file` is read, and - is
 *   standard input; `names` and `classes` are separated by commas and may be given several times
 * @property {string} about what the option does
 * @property {string} [value] the name of its value in the help text; a flag has no value
 * @property {string} [short] one letter
 * @property {string} [library] what the library calls this option, if not the same
 * @property {readonly Place[]} [writes] the value names a file or directory to write; - is standard output
 * @property {import('./written.js').ReportFiles} [report] what is written, if the value is the directory of a report
 * @property {boolean} [required]
 * @property {{min: number, max: number, integer?: boolean}} [range] of a number
 * @property {readonly string[]} [choices] of a choice or names; of a number, the words that may stand for it
 * @property {string} [otherwise] what to do instead, where none of the choices is given
 * @property {number | string} [default] the value if the option is not given; a flag is then false
 * @property {string} [defaultText] what the help text says about the default, if `default` cannot say it
 *
 * @typedef {object} Positional
 * @property {string} name as the help text shows it
 * @property {string} what a phrase that fits after "detect needs"
 * @property {string} [about] details for the help text
 * @property {boolean} [optional]
 * @property {boolean} [repeated] true only for the last one
 * @property {readonly string[]} [optionNames] what other tools call it, where it is an option
 * @property {readonly Place[]} [writes] as for options
 *
 * @typedef {Record<string, Option>} Options
 */

/**
 * @template {Option} O
 * @typedef {O extends {choices: readonly (infer C)[]} ? C : never} Choice
 */

/**
 * The type of an option's value.
 * @template {Option} O
 * @typedef {O['type'] extends 'flag' ? boolean
 *   : O['type'] extends 'number' ? number | Choice<O>
 *   : O['type'] extends 'choice' ? Choice<O>
 *   : O['type'] extends 'names' ? (O extends {choices: readonly string[]} ? Choice<O> : string)[]
 *   : O['type'] extends 'classes' ? (string | number)[]
 *   : string} Value
 */

/**
 * The values that a command's `run` receives: undefined for an option that was not given and has no default.
 * @template {Options} O
 * @typedef {{[Name in keyof O]: Value<O[Name]>
 *   | (O[Name] extends {type: 'flag'} | {required: true} | {default: unknown} ? never : undefined)}} Values
 */

/**
 * What each file in commands/ exports as `command`.
 * @template {Options} [O=any]
 * @typedef {object} Command
 * @property {string} summary for the list of commands
 * @property {string} about what the command does
 * @property {readonly Positional[]} positionals
 * @property {O} options
 * @property {readonly string[]} examples
 * @property {(values: Values<O>, positionals: string[]) => Promise<void>} run
 */

/** @type {Option} */
const HELP = { type: 'flag', short: 'h', about: 'show this text' };

const conjunction = new Intl.ListFormat('en-GB', { type: 'conjunction' });
const disjunction = new Intl.ListFormat('en-GB', { type: 'disjunction' });

/**
 * @param {string} name of the command
 * @param {Command} command
 * @param {string[]} args
 * @returns {{values: Values<any>, positionals: string[]} | undefined} undefined if the user asks for help
 */
export function readArguments(name, command, args) {
  const { values: texts, positionals } = parse(args, command);
  if (texts.help) return undefined;
  checkPositionals(name, command.positionals, positionals);
  const options = Object.entries(/** @type {Options} */ (command.options));
  checkRequired(name, options, texts);
  checkStandardInput(options, texts, inputsOf(command, positionals));
  const values = options.map(([key, option]) => [key, readValue(key, option, texts[key])]);
  return { values: Object.fromEntries(values), positionals };
}

/**
 * The options that a command accepts: its own and --help.
 * @param {Command} command
 * @returns {Options}
 */
export function optionsOf({ options }) {
  return { ...options, help: HELP };
}

/**
 * @param {string[]} args
 * @param {Command} command
 * @returns {{values: Record<string, any>, positionals: string[]}}
 */
function parse(args, command) {
  const config = Object.entries(optionsOf(command)).map(([name, { type, short }]) => [
    name,
    {
      type: type === 'flag' ? 'boolean' : 'string',
      multiple: isList(type),
      ...(short && { short }),
    },
  ]);
  try {
    const given = parseArgs({
      args: joinNegatives(args, optionsOf(command)),
      options: Object.fromEntries(config),
      allowPositionals: true,
      tokens: true,
    });
    checkRepeated(given.tokens, optionsOf(command));
    return given;
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    if (!code?.startsWith('ERR_PARSE_ARGS_')) throw error;
    const [reason] = message.split(/\.\s/);
    const [, unknown] = (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' && /'--?([^']+)'/.exec(message)) || [];
    const hint = unknown === undefined ? '' : hintAt(unknown, command);
    throw new UsageError(reason[0].toLowerCase() + reason.slice(1) + hint);
  }
}

/**
 * With `--lr -1` as `--lr=-1`, which is not taken for an option.
 * @param {string[]} args
 * @param {Options} options
 */
function joinNegatives(args, options) {
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  const isNumber = (/** @type {number} */ i) =>
    i >= 0 && i < end && args[i].startsWith('--') && options[args[i].slice(2)]?.type === 'number';
  const isNegative = (/** @type {number} */ i) => i < end && isNumber(i - 1) && /^-[\d.]/.test(args[i]);
  return args.flatMap((arg, i) =>
    isNegative(i) ? [] : [i + 1 < end && isNegative(i + 1) ? `${arg}=${args[i + 1]}` : arg],
  );
}

/**
 * Refuses a second value of an option that has one: which of them is meant?
 * @param {{kind: string, name?: string}[]} tokens
 * @param {Options} options
 */
function checkRepeated(tokens, options) {
  const names = tokens.flatMap(({ kind, name }) => (kind === 'option' && name !== undefined ? [name] : []));
  const repeated = names.find(
    (name, i) => names.indexOf(name) < i && options[name].type !== 'flag' && !isList(options[name].type),
  );
  if (repeated !== undefined) throw new UsageError(`--${repeated} is given twice, but takes one value`);
}

/** What others call the options, also those that the library has not. */
const FOREIGN_OPTIONS = {
  ...FOREIGN_NAMES,
  json: ['format', 'outputFormat'],
  lr: ['learningRate', 'lr0'],
  out: ['output', 'o', 'outputDir', 'outputPath', 'outputFile', 'outDir', 'save', 'saveDir', 'dest'],
  top: ['topK', 'k', 'maxResults', 'limit', 'numResults'],
};

/**
 * What was probably meant by an option that is not known, also by the name that the library or another tool gives it.
 * @param {string} unknown
 * @param {Command} command
 */
function hintAt(unknown, command) {
  const positional = command.positionals.find((each) => each.optionNames?.includes(unknown));
  if (positional) return `; ${positional.name} is given without an option`;
  if (['v', 'V', 'version'].includes(unknown)) return '; ocelli --version shows the version';
  const options = Object.entries(optionsOf(command));
  const ours = new Map(options.map(([name, { library = name }]) => [library, name]));
  const known = [...ours.values(), ...Array.from(ours.keys(), (key) => key.split('.')[0])];
  const meant = suggest(unknown, known, FOREIGN_OPTIONS);
  return meant === undefined ? '' : `; did you mean --${ours.get(meant) ?? meant}?`;
}

/**
 * The files and directories that a command is to write. Refuses those that it cannot write as the user means it.
 * @param {Command} command
 * @param {Values<any>} values
 * @param {string[]} positionals
 */
export async function outputsOf(command, values, positionals) {
  const options = Object.entries(/** @type {Options} */ (command.options));
  const places = [
    ...options.map(([name, option]) => ({ ...option, term: `--${name}`, path: values[name] })),
    ...command.positionals.map((each, i) => ({ ...each, term: each.name, path: positionals[i] })),
  ];
  const outputs = places.flatMap(({ writes, term, path, ...place }) =>
    writes && path !== undefined
      ? [{ term, path: String(path), places: writes, report: 'report' in place ? place.report : undefined }]
      : [],
  );
  for (const { term, path, places } of outputs) checkPlace(term, path, places);
  const [first, second] = outputs.filter(({ path }) => path === '-');
  if (first && (second || values.json))
    throw new UsageError(`${first.term} - and ${second?.term ?? '--json'} would mix on standard output`);
  // A text may name a file, such as --input. One that does not is no harm.
  const texts = options.filter(([, { writes }]) => !writes).flatMap(([name]) => values[name]);
  protect([...texts, ...inputsOf(command, positionals)].filter((text) => typeof text === 'string'));
  await refuseOverwriting(outputs);
  await refuseReports(outputs);
  if (!values.force) await refuseForeign(outputs);
  return outputs;
}

/**
 * The positional arguments that are read.
 * @param {Command} command
 * @param {string[]} positionals
 */
function inputsOf(command, positionals) {
  return positionals.filter((_, i) => !command.positionals[i]?.writes);
}

/**
 * @param {{term: string, path: string}[]} outputs
 */
async function refuseOverwriting(outputs) {
  for (const { term, path } of outputs) {
    const input = await inputAt(path);
    if (input !== undefined) throw new UsageError(`${term} ${path} would overwrite the input ${input}`);
  }
}

/**
 * Refuses to replace files that ocelli did not write.
 * @param {{term: string, path: string, places: readonly Place[], report?: import('./written.js').ReportFiles}[]} outputs
 */
async function refuseForeign(outputs) {
  for (const { term, path, places, report } of outputs) {
    if (report) await checkReport(term, path, report);
    // A command whose outputs depend on its inputs checks them itself.
    else if (path !== '-' && !places.includes('directory'))
      await checkReplaced(term, path, places.find((place) => hasExtension(path, place)) ?? places[0]);
  }
}

/**
 * Refuses reports that would overwrite an input, --force or not.
 * @param {{term: string, path: string, report?: import('./written.js').ReportFiles}[]} outputs
 */
async function refuseReports(outputs) {
  for (const { term, path, report } of outputs) {
    if (!report) continue;
    const present = (await readdir(path).catch(() => [])).filter((name) => report.names.test(name));
    await refuseOverwriting(present.map((name) => ({ term, path: join(path, name) })));
  }
}

/**
 * @param {string} name
 * @param {readonly Positional[]} declared
 * @param {string[]} given
 */
function checkPositionals(name, declared, given) {
  const needed = declared.filter(({ optional }) => !optional);
  if (given.length < needed.length)
    throw new UsageError(`${name} needs ${conjunction.format(needed.map(({ what }) => what))}`);
  if (given.length > declared.length && !declared.at(-1)?.repeated)
    throw new UsageError(`unexpected argument '${given[declared.length]}'`);
}

/**
 * @param {string} name
 * @param {[string, Option][]} options
 * @param {Record<string, unknown>} texts
 */
function checkRequired(name, options, texts) {
  const missing = options.find(([key, { required }]) => required && texts[key] === undefined);
  if (missing) throw new UsageError(`${name} needs ${termOf(...missing)}`);
}

/**
 * @param {[string, Option][]} options
 * @param {Record<string, unknown>} texts
 * @param {string[]} inputs
 */
function checkStandardInput(options, texts, inputs) {
  const files = options.filter(([, { type }]) => type === 'file').map(([key]) => texts[key]);
  if ([...inputs, ...files].filter((file) => file === '-').length > 1)
    throw new UsageError('standard input can be read only once');
}

/**
 * @param {string} name
 * @param {Option} option
 * @param {any} given what parseArgs returns: true, a text, or a list of texts
 */
function readValue(name, option, given) {
  if (option.type === 'flag') return given ?? false;
  if (given === undefined) return option.default;
  if (option.type === 'number') return readNumber(name, option, given);
  if (option.type === 'choice') return readChoice(name, option, given);
  if (!isList(option.type)) return given;
  const names = readNames(name, option, given);
  return option.type === 'classes' ? names.map((each) => (/^\d+$/.test(each) ? Number(each) : each)) : names;
}

/** @param {Option['type']} type */
function isList(type) {
  return type === 'names' || type === 'classes';
}

/**
 * @param {string} name
 * @param {Option} option
 * @param {string} text
 */
function readNumber(name, option, text) {
  if (option.choices?.includes(text)) return text;
  const { min, max, integer } = /** @type {NonNullable<Option['range']>} */ (option.range);
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= min && value <= max && (!integer || Number.isInteger(value))) return value;
  throw badValue(name, `${integer ? 'a whole number' : 'a number'} from ${limitsOf(option)}`, text);
}

/**
 * @param {string} name
 * @param {Option} option
 * @param {string} text
 */
function readChoice(name, option, text) {
  if (option.choices?.includes(text)) return text;
  throw badValue(name, limitsOf(option), text, option.otherwise);
}

/**
 * @param {string} name
 * @param {Option} option
 * @param {string[]} lists
 */
function readNames(name, option, lists) {
  const names = lists
    .flatMap((list) => list.split(',').map((each) => each.trim()))
    .filter((each) => each !== '');
  if (names.length === 0) throw badValue(name, 'names separated by commas', lists.join());
  if (option.choices) names.forEach((each) => readChoice(name, option, each));
  return names;
}

/**
 * @param {string} name
 * @param {string} wanted
 * @param {string} text
 * @param {string} [otherwise]
 */
function badValue(name, wanted, text, otherwise) {
  const hint = otherwise === undefined ? '' : `; ${otherwise}`;
  return new UsageError(`--${name} takes ${wanted}, not '${text}'${hint}`);
}

/**
 * @param {Option} option
 * @returns {string} empty if any value is allowed
 */
export function limitsOf({ range, choices = [] }) {
  return disjunction.format([...(range ? [`${range.min} to ${range.max}`] : []), ...choices]);
}

/**
 * @param {string} name
 * @param {Option} option
 */
export function termOf(name, { value }) {
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}
