// The mutants of a JavaScript file: what acorn's syntax tree lets one swap, negate or drop, so that every mutant parses.
import { parse } from 'acorn';
import { ancestor } from 'acorn-walk';

/**
 * @typedef {object} Mutant
 * @property {string} file
 * @property {number} start of what is replaced, in characters
 * @property {number} end
 * @property {string} text the replacement
 * @property {string} change what it does, in words
 */

/** @type {Record<string, string>} */
export const SWAPS = {
  ...{ '<': '<=', '<=': '<', '>': '>=', '>=': '>', '==': '!=', '!=': '==', '===': '!==', '!==': '===' },
  ...{ '+': '-', '-': '+', '*': '/', '/': '*', '%': '*', '<<': '>>', '>>': '<<', '>>>': '<<' },
  ...{ '&': '|', '|': '&', '^': '&', '&&': '||', '||': '&&' },
  ...{ '+=': '-=', '-=': '+=', '*=': '/=', '/=': '*=', '<<=': '>>=', '>>=': '<<=', '&=': '|=', '|=': '&=' },
  ...{ '++': '--', '--': '++', '**': '*' },
};
/** Methods, by their names, that are easily taken for each other. @type {Record<string, string>} */
const METHODS = {
  ...{ min: 'max', max: 'min', floor: 'ceil', ceil: 'floor', round: 'floor', some: 'every', every: 'some' },
  ...{ startsWith: 'endsWith', endsWith: 'startsWith', indexOf: 'lastIndexOf', find: 'findLast' },
};
/** Statements that may be dropped: the code still parses, and declares the same names. */
const DROPPED = new Set(['ExpressionStatement', 'ThrowStatement', 'BreakStatement', 'ContinueStatement']);
const TESTED = ['IfStatement', 'ConditionalExpression', 'WhileStatement'];

/**
 * @param {string} file
 * @param {string} code
 * @returns {Mutant[]}
 */
export function javascriptMutants(file, code) {
  /** @type {Mutant[]} */
  const mutants = [];
  const add = (
    /** @type {number} */ start,
    /** @type {number} */ end,
    /** @type {string} */ text,
    /** @type {string} */ change,
  ) => mutants.push({ file, start, end, text, change });
  const swap = (/** @type {string} */ operator, /** @type {number} */ from, /** @type {number} */ to) => {
    const at = from + code.slice(from, to).indexOf(operator);
    const other = SWAPS[operator];
    if (other && at >= from) add(at, at + operator.length, other, `${operator} becomes ${other}`);
  };
  /** @type {Record<string, (node: any, parents: any[]) => void>} */
  const visitors = {
    BinaryExpression: ({ operator, left, right }) => {
      if (operator === '+' && [left, right].some(isText)) return;
      swap(operator, left.end, right.start);
    },
    LogicalExpression: ({ operator, left, right, start, end }) => {
      // Without parentheses, ?? beside && or || does not parse.
      if (operator === '??')
        add(start, end, `(${code.slice(left.start, left.end)})`, 'the default behind ?? is dropped');
      else if (![left, right].some((side) => side.operator === '??')) swap(operator, left.end, right.start);
    },
    AssignmentExpression: ({ operator, left, right }) => swap(operator, left.end, right.start),
    UpdateExpression: ({ operator, start, end }) => swap(operator, start, end),
    UnaryExpression: ({ operator, start, argument }) => {
      if (operator === '!' || operator === '-') add(start, argument.start, '', `${operator} is dropped`);
    },
    Literal: ({ value, start, end, raw }, parents) => {
      const parent = parents.at(-2);
      if (typeof value === 'boolean') add(start, end, String(!value), `${raw} becomes ${!value}`);
      if (typeof value !== 'number' || (parent?.type === 'Property' && parent.key === parents.at(-1))) return;
      for (const other of [value + 1, value - 1]) {
        const text = other < 0 ? `(${other})` : String(other);
        add(start, end, text, `${raw} becomes ${other}`);
      }
    },
    MemberExpression: ({ property, computed }, parents) => {
      const other = !computed && Object.hasOwn(METHODS, property.name) && METHODS[property.name];
      if (!other || parents.at(-2)?.type !== 'CallExpression') return;
      add(property.start, property.end, other, `${property.name} becomes ${other}`);
    },
  };
  for (const type of TESTED)
    visitors[type] = ({ test: { start, end } }) =>
      add(start, end, `!(${code.slice(start, end)})`, 'its condition is negated');
  for (const type of DROPPED)
    visitors[type] = ({ start, end, directive, expression }) => {
      const isSuper = expression?.type === 'CallExpression' && expression.callee.type === 'Super';
      if (!directive && !isSuper) add(start, end, ';', 'the statement is dropped');
    };
  const tree = parse(code, { ecmaVersion: 'latest', sourceType: 'module' });
  ancestor(
    tree,
    Object.fromEntries(
      Object.entries(visitors).map(([type, visit]) => [
        type,
        (/** @type {any} */ node, /** @type {any} */ _, /** @type {any[]} */ parents) => visit(node, parents),
      ]),
    ),
  );
  return mutants;
}

/** Whether an operand of + is text. @param {any} node @returns {boolean} */
function isText(node) {
  if (node.type === 'BinaryExpression') return node.operator === '+' && [node.left, node.right].some(isText);
  return node.type === 'TemplateLiteral' || typeof node.value === 'string';
}
