// The converter takes every loop for a single iteration (simplify.js, graph.js). This holds for map_fn on a batch of
// one image. This checks that every loop of the network that is converted has one iteration.
import { convertFailure } from '../errors.js';
import { make, Node } from './graph.js';
import { simplify } from './simplify.js';

/**
 * @typedef {import('./graph.js').Ref} Ref
 * @typedef {import('./graph.js').Loop} Loop
 * @typedef {import('./facts.js').Facts} Facts
 * @typedef {{isSingle: Ref, body: Set<Node>}} CheckedLoop whether it has exactly one iteration; the nodes that are computed
 *   in each iteration
 */

/**
 * @param {Loop[]} loops before they are simplified
 * @returns {CheckedLoop[]} simplified
 */
export function readLoops(loops) {
  const bodies = loops.map(bodyOf);
  const single = simplify(loops.map(singleIteration));
  return single.map((isSingle, i) => ({ isSingle, body: bodies[i] }));
}

/** @param {Loop} loop */
function bodyOf({ results }) {
  /** @type {Set<Node>} */
  const body = new Set();
  const pending = results.map(({ node }) => node);
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (node.op === 'Enter' || body.has(node)) continue;
    body.add(node);
    for (const input of node.inputs) pending.push(input.node);
  }
  return body;
}

/** Its condition holds first, and no more after one iteration. @param {Loop} loop */
function singleIteration({ condition, next = afterIteration(condition) }) {
  const { name } = condition.node;
  return make(name, 'LogicalAnd', [condition, make(`${name}/over`, 'LogicalNot', [next])]);
}

/**
 * Copies the condition of a TensorFlow 1 loop, for the values that the loop's variables have after one iteration.
 * @param {Ref} condition
 */
function afterIteration(condition) {
  /** @type {Map<Node, Node>} */
  const copies = new Map();
  const next = (/** @type {Ref} */ { node, index }) => {
    const { name, op, inputs, attrs } = node;
    const value = op === 'Merge' && inputs.find((input) => input.node.op === 'NextIteration');
    if (value) return value;
    if (op === 'Enter' || inputs.length === 0) return { node, index };
    const copy = copies.get(node) ?? new Node(name, op, attrs);
    copies.set(node, copy);
    return { node: copy, index };
  };
  const copied = next(condition);
  for (const [node, copy] of copies) copy.inputs = node.inputs.map(next); // grows while it runs
  return copied;
}

/**
 * @param {CheckedLoop[]} loops
 * @param {Facts} facts that include them
 */
export function checkSingleIterations(loops, facts) {
  for (const { isSingle } of loops)
    if (!facts.value(isSingle)?.data[0])
      throw convertFailure(
        'GRAPH_UNSUPPORTED',
        `the loop of '${isSingle.node.name}' may run more than once, or not at all`,
      );
}
