// Operators of .tflite files by name and by number; converts their options to and from plain objects.
import { OPERATORS, OPTIONS } from '../../dist/operators.js';

export { OPERATORS };

const KINDS = new Map(Object.entries(OPERATORS).map(([kind, { code }]) => [code, kind]));
const TABLES = new Map(Object.values(OPTIONS).map((table) => [table.number, table]));

/** schema.fbs' Padding and ActivationFunctionType, by number. @type {Record<string, string[]>} */
const NAMES = {
  padding: ['SAME', 'VALID'],
  activation: ['NONE', 'RELU', 'RELU_N1_TO_1', 'RELU6'],
};

/**
 * Values of fields that must be in the file although a network's options omit them.
 * @type {Record<string, Record<string, number>>}
 */
const REQUIRED = { SOFTMAX: { beta: 1 } };

/** @param {number} code BuiltinOperator @returns {string | undefined} undefined: ocelli does not run it */
export function kindOf(code) {
  return KINDS.get(code);
}

/** The fields of an options table. @param {number} number in the union BuiltinOptions */
export function fieldsOf(number) {
  return TABLES.get(number)?.fields ?? [];
}

/** The options table of an operator. @param {string} kind */
export function optionsOf(kind) {
  const { options } = OPERATORS[kind];
  return options === undefined ? undefined : OPTIONS[options];
}

/**
 * @param {string} kind
 * @param {Record<string, any>} options by name; names that are not fields of the table are ignored
 * @returns {(number | number[] | undefined)[]} by field
 */
export function toFields(kind, options) {
  const given = { ...REQUIRED[kind], ...options };
  return (optionsOf(kind)?.fields ?? []).map(([name]) => {
    const value = given[name];
    return typeof value === 'string'
      ? NAMES[name].indexOf(value)
      : Array.isArray(value)
        ? value
        : toNumber(value);
  });
}

/** @param {number | boolean | undefined} value */
function toNumber(value) {
  return value === undefined ? undefined : Number(value);
}

/**
 * @param {string} kind
 * @param {(number | number[] | undefined)[]} values of the fields; undefined: absent in the file
 * @returns {Record<string, any>}
 */
export function fromFields(kind, values) {
  const fields = optionsOf(kind)?.fields ?? [];
  return Object.fromEntries(
    fields.map(([name, , absent = 0], id) => {
      const value = values[id] ?? absent;
      return [name, NAMES[name]?.[Number(value)] ?? value];
    }),
  );
}
