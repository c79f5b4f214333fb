// The converter takes every loop for a single iteration (simplify.js, graph.js). This holds for map_fn on a batch of
// one image. For networks that are converted completely, this checks that every loop has one iteration.
import { convertFailure } from '../errors.js';

/**
 * @typedef {import('./graph.js').Ref} Ref
 * @typedef {import('./facts.js').Facts} Facts
 */

const MAX_DEPTH = 4;

/**
 * @param {Ref[]} conditions the loops' conditions, simplified
 * @param {Facts} facts that include the conditions
 */
export function checkSingleIterations(conditions, facts) {
  for (const condition of conditions) {
    const bounds = boundsOf(condition, facts, 0);
    if (!bounds.includes(1))
      throw convertFailure(
        'GRAPH_UNSUPPORTED',
        `the loop of '${condition.node.name}' may run more than once`,
      );
  }
}

/**
 * The upper bounds that a loop's condition compares its counters with.
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
