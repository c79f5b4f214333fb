// Checks of option values. Each error names the option and says which values it accepts.
import { failure, OcelliError } from './errors.js';
import { boolean, choice, number, record } from './fields.js';
import { tagOf } from './platform.js';
import { NOT_NEEDED, suggest } from './spelling.js';

/** @typedef {Record<string, readonly string[]>} Advice What to do instead, and the options that it is about. */

/** More names would hide the first ones. */
const SHOWN = 60;

/**
 * @param {string} name
 * @param {unknown} value
 * @param {{min?: number, max?: number, integer?: boolean}} range
 */
export function checkNumber(name, value, range) {
  refuse(number(range)(value, name));
  return /** @type {number} */ (value);
}

/** @param {string | undefined} fault */
function refuse(fault) {
  if (fault) throw failure('INVALID_OPTION', fault);
}

/**
 * @template {string} T
 * @param {string} name
 * @param {unknown} value
 * @param {readonly T[]} choices
 * @returns {T}
 */
export function checkChoice(name, value, choices) {
  refuse(choice(choices)(value, name));
  return /** @type {T} */ (value);
}

/**
 * @param {string} name
 * @param {unknown} value
 * @returns {boolean}
 */
export function checkBoolean(name, value) {
  refuse(boolean(value, name));
  return /** @type {boolean} */ (value);
}

/**
 * @param {string} name
 * @param {unknown} value
 * @returns {string}
 */
export function checkText(name, value) {
  if (typeof value === 'string') return value;
  throw failure('INVALID_OPTION', `${name} must be a string`);
}

/** @param {Record<string, unknown>} callbacks by name of the option; undefined: not given */
export function checkCallbacks(callbacks) {
  for (const [name, value] of Object.entries(callbacks))
    if (value !== undefined && typeof value !== 'function')
      throw failure('INVALID_OPTION', `${name} must be a function`);
}

/**
 * Those of the keys that are given.
 * @template {object} Options
 * @template {keyof Options} Key
 * @param {Options} options
 * @param {readonly Key[]} keys
 * @returns {Pick<Options, Key>}
 */
export function pick(options, keys) {
  const given = keys.filter((key) => options[key] !== undefined);
  return /** @type {Pick<Options, Key>} */ (Object.fromEntries(given.map((key) => [key, options[key]])));
}

/**
 * The fields of all layers. Those of later layers win; a field that is undefined is not given.
 * @template {object} Fields
 * @param {(Fields | undefined)[]} layers
 * @returns {Fields}
 */
export const merge = (...layers) =>
  /** @type {Fields} */ (
    Object.fromEntries(
      layers.flatMap((layer) => Object.entries(layer ?? {})).filter(([, value]) => value !== undefined),
    )
  );

/**
 * The options that are given: one that is undefined must not replace a default.
 * @template {object} Options
 * @param {Options} options
 */
export const withoutUndefined = (options) => merge(options);

/**
 * `count` finite numbers, or one number for all of them.
 * @param {string} name
 * @param {unknown} value
 * @param {number} count
 * @returns {number[]}
 */
export function checkNumbers(name, value, count) {
  const list = typeof value === 'number' ? Array(count).fill(value) : value;
  if (Array.isArray(list) && list.length === count && list.every((n) => Number.isFinite(n))) return list;
  throw failure('INVALID_OPTION', `${name} must be a number or a list of ${count} numbers`);
}

/**
 * @param {string} name
 * @param {unknown} options
 * @param {readonly string[]} known
 * @param {Advice} [advice] for options that are no options of this call
 */
export function checkKeys(name, options, known, advice = {}) {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw failure('INVALID_OPTION', `${name} must be an object`);
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const shown = unknown.slice(0, 200);
  const term = name === 'options' ? shown : `${name}.${shown}`;
  throw new OcelliError('INVALID_OPTION', `unknown option '${term}'; ${instead(unknown, known, advice)}`);
}

/**
 * @param {string} unknown
 * @param {readonly string[]} known
 * @param {Advice} advice
 */
function instead(unknown, known, advice) {
  const exact = Object.keys(advice).find((what) => advice[what].includes(unknown));
  if (exact !== undefined) return exact;
  const meant = suggest(unknown, known);
  if (meant !== undefined) return `did you mean '${meant}'?`;
  if (NOT_NEEDED.includes(unknown)) return 'it is not needed: leave it out';
  const other = Object.keys(advice).find((what) => suggest(unknown, advice[what]) !== undefined);
  if (other === undefined)
    return `the options are ${known.slice(0, SHOWN).join(', ')}${known.length > SHOWN ? ' …' : ''}`;
  const name = suggest(unknown, advice[other]);
  return `did you mean '${name}'? ${other}`;
}

/** @param {unknown} signal */
export function checkSignal(signal) {
  if (signal !== undefined && tagOf(signal) !== 'AbortSignal')
    throw failure('INVALID_OPTION', 'signal must be an AbortSignal');
}

/**
 * An object with known fields, each checked.
 * @param {string} name
 * @param {unknown} options
 * @param {Record<string, import('./fields.js').Check>} fields
 * @param {readonly string[]} [needed]
 */
export function checkFields(name, options, fields, needed) {
  checkKeys(name, options, Object.keys(fields));
  refuse(record(fields, needed)(options, name));
}
