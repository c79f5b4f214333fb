// Reads the arguments of a command after the command's declaration. help.js writes the help text from the same
// declaration, so that the two always agree.
import { parseArgs } from 'node:util';
import { nearest } from '../wasm/shared/spelling.js';
import { UsageError } from './common.js';

/**
 * @typedef {object} Option
 * @property {'flag' | 'text' | 'file' | 'number' | 'choice' | 'names' | 'classes'} type a `file` is read, and - is
 *   standard input; `names` and `classes` are separated by commas and may be given several times
 * @property {string} about what the option does
 * @property {string} [value] the name of its value in the help text; a flag has no value
 * @property {string} [short] one letter
 * @property {boolean} [required]
 * @property {{min: number, max: number, integer?: boolean}} [range] of a number
 * @property {readonly string[]} [choices] of a choice or names; of a number, the words that may stand for it
 * @property {number | string} [default] the value if the option is not given; a flag is then false
 * @property {string} [defaultText] what the help text says about the default, if `default` cannot say it
 *
 * @typedef {object} Positional
 * @property {string} name as the help text shows it
 * @property {string} what a phrase that fits after "detect needs"
 * @property {string} [about] details for the help text
 * @property {boolean} [optional]
 * @property {boolean} [repeated] true only for the last one
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
  const { values: texts, positionals } = parse(args, optionsOf(command));
  if (texts.help) return undefined;
  checkPositionals(name, command.positionals, positionals);
  const options = Object.entries(/** @type {Options} */ (command.options));
  checkRequired(name, options, texts);
  checkStandardInput(options, texts, positionals);
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
 * @param {Options} options
 * @returns {{values: Record<string, any>, positionals: string[]}}
 */
function parse(args, options) {
  const config = Object.entries(options).map(([name, { type, short }]) => [
    name,
    {
      type: type === 'flag' ? 'boolean' : 'string',
      multiple: isList(type),
      ...(short && { short }),
    },
  ]);
  try {
    return parseArgs({ args, options: Object.fromEntries(config), allowPositionals: true });
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    if (!code?.startsWith('ERR_PARSE_ARGS_')) throw error;
    const [reason] = message.split(/\.\s/);
    throw new UsageError(reason[0].toLowerCase() + reason.slice(1) + suggest(code, message, options));
  }
}

/**
 * @param {string} code
 * @param {string} message
 * @param {Options} options
 */
function suggest(code, message, options) {
  const [, unknown] = (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' && /'--([^']+)'/.exec(message)) || [];
  return unknown === undefined ? '' : `; nearest: --${nearest(unknown, Object.keys(options))[0]}`;
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
 * @param {string[]} positionals
 */
function checkStandardInput(options, texts, positionals) {
  const files = options.filter(([, { type }]) => type === 'file').map(([key]) => texts[key]);
  if ([...positionals, ...files].filter((file) => file === '-').length > 1)
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
  throw badValue(name, limitsOf(option), text);
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
 */
function badValue(name, wanted, text) {
  return new UsageError(`--${name} takes ${wanted}, not '${text}'`);
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
