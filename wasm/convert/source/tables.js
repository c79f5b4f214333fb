// Reads lookup tables from integers to texts, from the operators or text files that initialize them.
import { convertFailure } from '../errors.js';
import { Facts } from '../graph/facts.js';
import { simplify } from '../graph/simplify.js';

/**
 * @typedef {import('../graph/graph.js').GraphBuilder} GraphBuilder
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('../graph/graph.js').Ref} Ref
 */

const INITIALIZERS = /^InitializeTable(FromTextFile)?(V2)?$/;
const WHOLE_LINE = -2;
const LINE_NUMBER = -1;

/**
 * @param {GraphBuilder} builder
 * @param {Node} table a HashTable
 * @param {(node: Node) => Promise<string | undefined>} readAsset
 * @returns {Promise<Map<number, string> | undefined>}
 */
export async function readTable(builder, table, readAsset) {
  for (const def of builder.definitions) {
    if (!INITIALIZERS.test(def.op) || def.input?.[0]?.split(':')[0] !== table.name) continue;
    const node = builder.output(def.name).node;
    const [, first, second] = simplify(node.inputs);
    if (!def.op.includes('TextFile')) return zipTable(first, second);
    const text = await readAsset(first.node);
    if (text === undefined)
      throw convertFailure('SOURCE_INCOMPLETE', `found no text file for the table '${table.name}'`);
    if (
      node.int('key_index', LINE_NUMBER) !== LINE_NUMBER ||
      node.int('value_index', WHOLE_LINE) !== WHOLE_LINE
    )
      return undefined;
    return new Map(
      text
        .trimEnd()
        .split(/\r?\n/)
        .map((line, i) => [i, line]),
    );
  }
  return undefined;
}

/** @param {Ref} keys @param {Ref} values */
function zipTable(keys, values) {
  const numbers = new Facts([keys], new Map()).value(keys)?.data;
  const texts = values.node.tensor?.strings;
  if (!numbers || !texts || numbers.length !== texts.length) return undefined;
  const decoder = new TextDecoder();
  return new Map(Array.from(numbers, (number, i) => [number, decoder.decode(texts[i])]));
}
