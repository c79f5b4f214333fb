// Loops are taken for one round (simplify.js, graph.js), which is what map_fn makes of a batch of one image. Of a network
// that is kept from end to end this checks that it is so.
import { convertFailure } from '../errors.js';

/**
 * @typedef {import('./graph.js').Ref} Ref
 * @typedef {import('./facts.js').Facts} Facts
 */

const MAX_DEPTH = 4;

/**
 * @param {Ref[]} conditions of the loops, simplified
 * @param {Facts} facts which know them
 */
export function checkSingleRounds(conditions, facts) {
  for (const condition of conditions) {
    const bounds = boundsOf(condition, facts, 0);
    if (!bounds.includes(1))
      throw convertFailure('GRAPH_UNSUPPORTED', `the loop of '${condition.node.name}'`);
  }
}

/**
 * The numbers that a loop's counters stay below.
 * @param {Ref} condition
 * @param {Facts} facts
 * @param {number} depth
 * @returns {number[]}
 */
function boundsOf({ node }, facts, depth) {
  if (node.op === 'Less') return [...(facts.value(node.inputs[1])?.data ?? [])];
  if (node.op !== 'LogicalAnd' || depth > MAX_DEPTH) return [];
  return node.inputs.flatMap((input) => boundsOf(input, facts, depth + 1));
}
