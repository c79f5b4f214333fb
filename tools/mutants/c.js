// The mutants of a C file, from its tokens. clang-format puts spaces around binary operators and none behind unary ones,
// pointers' stars and references, which tells them apart.
import { SWAPS } from './javascript.js';

/** @typedef {import('./javascript.js').Mutant} Mutant */

const TOKEN =
  /\/\/[^\n]*|\/\*[^]*?\*\/|^[ \t]*#(?:[^\n\\]|\\.|\\\n)*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\b0[xX][\da-fA-F]+[uUlL]*|\b\d[\d.]*(?:[eE][-+]?\d+)?[uUlLfF]*|\w+|<<=|>>=|->|\+\+|--|<<|>>|[-+*/%&|^<>=!]=|&&|\|\||[^\s\w]/gm;
const IGNORED = /^(?:\/\/|\/\*|[ \t]*#|["'])/;
const INTEGER = /^(0[xX][\da-fA-F]+|\d+)([uUlL]*)$/;
const REAL = /^(\d+\.\d*(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)([fF]?)$/;
/** @type {Record<string, string>} */
const NAMES = { true: 'false', false: 'true', fmin: 'fmax', fmax: 'fmin', floor: 'ceil', ceil: 'floor' };
/** What a statement that does something, and declares nothing, starts with: a name, and then one of these. */
const ACTS = /^(?:[-+*/%&|^]?=|<<=|>>=|\+\+|--|\(|\[|\.|->)$/;
const KEYWORDS = new Set(
  'if else for while do switch case default return goto sizeof typedef static const enum struct'.split(' '),
);

/**
 * @param {string} file
 * @param {string} code
 * @returns {Mutant[]}
 */
export function cMutants(file, code) {
  const tokens = Array.from(code.matchAll(TOKEN), ({ 0: text, index }) => ({
    ...{ text, start: index, end: index + text.length },
  })).filter(({ text }) => !IGNORED.test(text));
  /** @type {Mutant[]} */
  const mutants = [];
  const add = (
    /** @type {number} */ start,
    /** @type {number} */ end,
    /** @type {string} */ text,
    /** @type {string} */ change,
  ) => mutants.push({ file, start, end, text, change });
  const isSpaced = (/** @type {{start: number, end: number}} */ { start, end }) =>
    /\s/.test(code[start - 1]) && /\s/.test(code[end]);
  tokens.forEach((token, i) => {
    const { text, start, end } = token;
    const before = tokens[i - 1]?.text ?? '';
    const after = tokens[i + 1]?.text ?? '';
    const isUpdate = text === '++' || text === '--';
    if (Object.hasOwn(SWAPS, text) && (isUpdate || isSpaced(token)))
      add(start, end, SWAPS[text], `${text} becomes ${SWAPS[text]}`);
    if (Object.hasOwn(NAMES, text) && before !== '.' && before !== '->')
      add(start, end, NAMES[text], `${text} becomes ${NAMES[text]}`);
    if ((text === '!' || text === '-') && !isSpaced(token)) add(start, end, '', `${text} is dropped`);
    for (const number of constantsNear(text))
      if (before !== 'case' && !isParameterSize(tokens, i))
        add(start, end, number, `${text} becomes ${number}`);
    if ((text === 'if' || text === 'while') && after === '(') {
      const close = closing(tokens, i + 1);
      const [from, to] = [tokens[i + 1].end, tokens[close]?.start ?? 0];
      if (to > from) add(from, to, `!(${code.slice(from, to)})`, 'its condition is negated');
    }
    const statement = isStatement(tokens, i) ? endOfStatement(tokens, i) : undefined;
    if (statement !== undefined) add(start, tokens[statement].end, ';', 'the statement is dropped');
  });
  return mutants;
}

/** The constants beside a constant. @param {string} text @returns {string[]} */
function constantsNear(text) {
  const [, digits, suffix] = text.match(INTEGER) ?? text.match(REAL) ?? [];
  if (digits === undefined) return [];
  const isReal = !INTEGER.test(text);
  return [Number(digits) + 1, Number(digits) - 1].map((value) => {
    const number = isReal && Number.isInteger(value) ? `${value}.0` : String(value);
    return value < 0 ? `(${number}${suffix})` : `${number}${suffix}`;
  });
}

/** @typedef {{text: string, start: number, end: number}} Token */

/** Whether a number is the size of an array that a function takes, which C ignores. @param {Token[]} tokens @param {number} i */
function isParameterSize(tokens, i) {
  if (i < 4 || tokens[i - 1].text !== '[') return false;
  const [before, type, name] = tokens.slice(i - 4, i - 1);
  const isPointer = type.text === '*' && type.start === before.end && name.start > type.end;
  return (isPointer || /^\w+$/.test(type.text)) && /^\w+$/.test(name.text) && isInParentheses(tokens, i);
}

/** The index of the parenthesis that closes the one at `open`. @param {Token[]} tokens @param {number} open */
function closing(tokens, open) {
  let depth = 0;
  return tokens.findIndex(({ text }, i) => {
    if (i < open) return false;
    if (text === '(') depth++;
    if (text === ')') depth--;
    return depth === 0;
  });
}

/** Whether a statement that does something starts here. @param {Token[]} tokens @param {number} i */
function isStatement(tokens, i) {
  if (!isStart(tokens, i)) return false;
  const { text } = tokens[i];
  if (/^(?:continue|break)$/.test(text)) return true;
  const at = text === '*' ? i + 1 : i;
  const name = tokens[at]?.text ?? '';
  return /^[a-zA-Z_]\w*$/.test(name) && !KEYWORDS.has(name) && ACTS.test(tokens[at + 1]?.text ?? '');
}

/** Whether any statement starts here. @param {Token[]} tokens @param {number} i */
function isStart(tokens, i) {
  const before = tokens[i - 1]?.text;
  if (before === '{' || before === '}' || before === 'else') return true;
  if (before === ':') return tokens[i - 3]?.text === 'case' || tokens[i - 2]?.text === 'default';
  if (before === ')') return /^(?:if|for|while)$/.test(tokens[opening(tokens, i - 1) - 1]?.text);
  return before === ';' && !isInParentheses(tokens, i);
}

/** The index of the parenthesis that the one at `close` closes. @param {Token[]} tokens @param {number} close */
function opening(tokens, close) {
  let depth = 0;
  for (let i = close; i > 0; i--) {
    if (tokens[i].text === ')') depth++;
    if (tokens[i].text === '(' && --depth === 0) return i;
  }
  return 0;
}

/** Whether a token lies in parentheses: a semicolon there is one of a for's. @param {Token[]} tokens @param {number} i */
function isInParentheses(tokens, i) {
  let depth = 0;
  for (let at = i - 1; at >= 0 && tokens[at].text !== '{' && tokens[at].text !== '}'; at--) {
    if (tokens[at].text === '(') depth++;
    if (tokens[at].text === ')') depth--;
  }
  return depth > 0;
}

/** The index of the semicolon that ends the statement. @param {Token[]} tokens @param {number} from */
function endOfStatement(tokens, from) {
  for (let i = from, depth = 0; i < tokens.length; i++) {
    const { text } = tokens[i];
    if (text === '(' || text === '{' || text === '[') depth++;
    if (text === ')' || text === '}' || text === ']') depth--;
    if (depth < 0) return undefined;
    if (depth === 0 && text === ';') return i;
  }
  return undefined;
}
