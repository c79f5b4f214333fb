// The calls of a layer in a Keras configuration: which values it takes, and its other arguments.

/**
 * @typedef {import('../graph/graph.js').Ref} Ref
 * @typedef {{ref: Ref} | {value: unknown}} Operand
 * @typedef {object} Call
 * @property {Ref[]} inputs all values that the call takes, in order
 * @property {Operand[]} operands its arguments by position
 * @property {Record<string, Operand>} named its arguments by name
 */

/** @param {unknown} value @returns {value is [string, number, number]} Keras 2's reference to a value */
function isReference(value) {
  return (
    Array.isArray(value) &&
    value.length >= 3 &&
    typeof value[0] === 'string' &&
    Number.isInteger(value[1]) &&
    Number.isInteger(value[2])
  );
}

/** Keras 2's place of a number in a call. @param {any} entry */
const isConstant = (entry) => Array.isArray(entry) && entry[0] === '_CONSTANT_VALUE';

/** The numbers of an array in a configuration; any other value as it is. @param {any} value @returns {unknown} */
export const numbersOf = (value) =>
  value?.class_name === '__numpy__' || value?.class_name === '__tensor__' ? value.config.value : value;

/** Whether an argument is more than Python's None. @param {Operand} operand */
export const isGiven = (operand) => 'ref' in operand || (operand.value ?? null) !== null;

/** The parts of a list or a dictionary, whose keys Keras sorts. @param {unknown} value @returns {any[]} */
export function partsOf(value) {
  if (Array.isArray(value)) return value;
  const entries = value && typeof value === 'object' ? Object.entries(value) : [];
  return entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, part]) => part);
}

/**
 * @param {any} node an entry of inbound_nodes: Keras 3's {args, kwargs}, or Keras 2's list or dictionary of [layer, call,
 *   output, arguments by name]
 * @param {(layer: string, call: number, output: number) => Ref} refOf
 * @returns {Call}
 */
export function toCall(node, refOf) {
  /** @type {Ref[]} */
  const inputs = [];
  const take = (/** @type {[string, number, number]} */ [layer, call, output]) => {
    const ref = refOf(String(layer), Number(call ?? 0), Number(output ?? 0));
    inputs.push(ref);
    return { ref };
  };
  /** @param {any} value @returns {any} */
  const operand = (value) => {
    if (value?.class_name === '__keras_tensor__') return take(value.config.keras_history);
    if (isConstant(value)) return { value: value[2] };
    if (isReference(value)) return take(value);
    const parts = partsOf(value);
    if (parts.some((each) => each?.class_name === '__keras_tensor__' || isReference(each)))
      return { value: parts.map(operand) };
    return { value: numbersOf(value) };
  };
  const named = (/** @type {Record<string, unknown>} */ values) =>
    Object.fromEntries(Object.entries(values ?? {}).map(([key, value]) => [key, operand(value)]));
  if (node?.args || node?.kwargs)
    return { inputs, operands: (node.args ?? []).map(operand), named: named(node.kwargs) };
  const list = isReference(node) || isConstant(node) ? [node] : partsOf(node);
  const operands = list.map((/** @type {any} */ entry) => (isConstant(entry) ? operand(entry) : take(entry)));
  const values = list.flatMap((/** @type {any} */ entry) =>
    entry[3] && typeof entry[3] === 'object' ? [entry[3]] : [],
  );
  return { inputs, operands, named: named(Object.assign({}, ...values)) };
}
