// JSON texts: parses them, and finds the line of an entry when a message needs it.
import { failure } from '../errors.js';

/** @typedef {(string | number)[]} Path of keys and indices */

const CONSTANTS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\bInfinity\b|\bNaN\b/g;

const LONG_ID = /("(?:id|image_id|category_id)"\s*:\s*)(-?\d{16,})(?![\d.eE])/g;

/**
 * @param {string} text
 * @param {string} file for messages
 * @returns {any}
 */
export function parseJson(text, file) {
  try {
    return JSON.parse(quoteLongIds(text));
  } catch (error) {
    const patient = parseWithConstants(text);
    if (patient !== undefined) return patient;
    const at = findFault(text);
    const found =
      at >= text.length ? 'the file ends too early' : `unexpected ${JSON.stringify(text.slice(at, at + 20))}`;
    throw failure('DATASET_DAMAGED', `${file}:${lineAt(text, at)}: this is not JSON: ${found}`, error);
  }
}

/**
 * Whole numbers above 2 ** 53 lose digits, so that two ids could become one: they become texts, which are ordered as
 * numbers (measure/table.js).
 * @param {string} text
 */
function quoteLongIds(text) {
  return text.replace(LONG_ID, (whole, key, digits) =>
    Number.isSafeInteger(Number(digits)) ? whole : `${key}"${digits}"`,
  );
}

/**
 * Python's json module writes NaN and Infinity, which JSON does not have. They become strings, so that a check can name the
 * entry that has them.
 * @param {string} text
 * @returns {unknown} undefined: something else is wrong
 */
function parseWithConstants(text) {
  let count = 0;
  const replaced = quoteLongIds(text).replace(CONSTANTS, (token) => {
    if (token.startsWith('"')) return token;
    count++;
    return `"${token}"`;
  });
  if (count === 0) return undefined;
  try {
    return JSON.parse(replaced);
  } catch {
    return undefined;
  }
}

const TOKEN =
  /("[^"\\\t\n\r]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\t\n\r]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[{}[\],:])/y;

/**
 * What may follow, by what was read last: `v` a value, `k` a key, `:` and `,` themselves, `e` the end of the list or object.
 * Engines do not all say where a text stops being JSON.
 * @param {string} text that is no JSON
 * @returns {number} where the fault is
 */
function findFault(text) {
  /** @type {string[]} */
  const open = [];
  let allowed = 'v';
  const afterValue = () => (open.length === 0 ? '' : ',e');
  TOKEN.lastIndex = 0;
  for (let at = skipSpace(text, 0); at < text.length; at = skipSpace(text, TOKEN.lastIndex)) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text)?.[1];
    if (token === undefined) return at;
    const isKey = allowed.includes('k') && token.startsWith('"');
    if (isKey) allowed = ':';
    else if (token === '{' && allowed.includes('v')) allowed = open.push('}') ? 'ke' : '';
    else if (token === '[' && allowed.includes('v')) allowed = open.push(']') ? 've' : '';
    else if (token === open.at(-1) && allowed.includes('e')) allowed = open.pop() ? afterValue() : '';
    else if (token === ':' && allowed === ':') allowed = 'v';
    else if (token === ',' && allowed.includes(',')) allowed = open.at(-1) === '}' ? 'k' : 'v';
    else if (!'{}[]:,'.includes(token) && allowed.includes('v')) allowed = afterValue();
    else return at;
  }
  return text.length;
}

/** @param {string} text @param {number} position @returns {number} counted from 1 */
export function lineAt(text, position) {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < position; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

/**
 * @param {string} text a valid JSON text
 * @param {Path} path
 * @returns {number | undefined} the line where the value starts; undefined: there is none
 */
export function lineOf(text, path) {
  let at = skipSpace(text, 0);
  for (const step of path) {
    const next = typeof step === 'number' ? findItem(text, at, step) : findKey(text, at, step);
    if (next === undefined) return undefined;
    at = next;
  }
  return lineAt(text, at);
}

/** @param {string} text @param {number} at */
function skipSpace(text, at) {
  while (' \t\r\n'.includes(text[at] ?? '.')) at++;
  return at;
}

/** @param {string} text @param {number} at of an array @param {number} index */
function findItem(text, at, index) {
  if (text[at] !== '[') return undefined;
  let item = skipSpace(text, at + 1);
  for (let i = 0; i < index; i++) {
    const end = skipSpace(text, skipValue(text, item));
    if (text[end] !== ',') return undefined;
    item = skipSpace(text, end + 1);
  }
  return item;
}

/** @param {string} text @param {number} at of an object @param {string} key */
function findKey(text, at, key) {
  if (text[at] !== '{') return undefined;
  let found;
  for (let name = skipSpace(text, at + 1); text[name] === '"';) {
    const nameEnd = skipValue(text, name);
    const value = skipSpace(text, skipSpace(text, nameEnd) + 1);
    if (JSON.parse(text.slice(name, nameEnd)) === key) found = value; // the last one counts
    const end = skipSpace(text, skipValue(text, value));
    if (text[end] !== ',') break;
    name = skipSpace(text, end + 1);
  }
  return found;
}

/** @param {string} text @param {number} at of a value @returns {number} behind it */
function skipValue(text, at) {
  let depth = 0;
  do {
    const char = text[at];
    if (char === '"') at = skipString(text, at);
    else if (char === '{' || char === '[') {
      depth++;
      at++;
    } else if (char === '}' || char === ']') {
      depth--;
      at++;
    } else {
      at++;
      while (at < text.length && !'{}[]",'.includes(text[at]) && (depth > 0 || !' \t\r\n'.includes(text[at])))
        at++;
    }
    if (depth > 0) while (text[at] === ',') at++;
  } while (depth > 0 && at < text.length);
  return at;
}

/** @param {string} text @param {number} at of the opening quote */
function skipString(text, at) {
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') return i + 1;
  }
  return text.length;
}
