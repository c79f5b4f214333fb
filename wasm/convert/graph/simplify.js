// Simplifies a graph to an acyclic one that computes the same for a batch of one image: removes identities and variable
// reads, takes one iteration of each TensorFlow 1 loop and the chosen branch of each condition, and passes the single
// entry of a TensorArray or TensorList on directly.
import { convertFailure } from '../errors.js';
import { constant, IDENTITIES, make } from './graph.js';

/**
 * @typedef {import('./graph.js').Node} Node
 * @typedef {import('./graph.js').Ref} Ref
 */

const READS = new Set(['TensorArrayReadV3', 'TensorListGetItem', 'TensorArrayReadV2']);
const GATHERS = new Set([
  'TensorArrayGatherV3',
  'TensorListStack',
  'TensorArrayGatherV2',
  'TensorListConcatV2',
]);

/**
 * @param {Ref[]} outputs
 * @returns {Ref[]} the same outputs, simplified
 */
export function simplify(outputs) {
  /** @type {Map<Node, Node>} */
  const replacements = new Map();
  const seen = new Set();
  const resolved = outputs.map((ref) => resolve(ref, replacements));
  const pending = resolved.map(({ node }) => node);
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    node.inputs = node.inputs.map((input) => resolve(input, replacements));
    for (const input of node.inputs) if (!seen.has(input.node)) pending.push(input.node);
  }
  return resolved;
}

/**
 * @param {Ref} ref
 * @param {Map<Node, Node>} replacements by the replaced node
 * @returns {Ref}
 */
function resolve(ref, replacements) {
  for (const seen = new Set(); !seen.has(ref.node);) {
    seen.add(ref.node);
    const next = resolveOnce(ref, replacements);
    if (next === undefined) return ref;
    ref = next;
  }
  throw convertFailure('GRAPH_BAD', `'${ref.node.name}' is part of a cycle`);
}

/**
 * @param {Ref} ref
 * @param {Map<Node, Node>} replacements
 * @returns {Ref | undefined} the value that replaces it, or undefined if it stays
 */
function resolveOnce({ node, index }, replacements) {
  const { op, inputs } = node;
  if (replacements.has(node)) return { node: /** @type {Node} */ (replacements.get(node)), index: 0 };
  if (IDENTITIES.has(op) && inputs.length > 0) return inputs[0];
  if (op === 'IdentityN') return inputs[index];
  if (op === 'Switch') return inputs[0];
  if (op === 'Merge') return mergeInput(node);
  if (op === 'Exit') return exitValue(node);
  if (READS.has(op)) return replace(node, replacements, firstEntry(node, replacements));
  if (GATHERS.has(op)) return replace(node, replacements, stackedEntry(node, replacements));
  return undefined;
}

/**
 * @param {Node} node
 * @param {Map<Node, Node>} replacements
 * @param {Ref | undefined} by
 */
function replace(node, replacements, by) {
  if (by !== undefined) replacements.set(node, by.node);
  return by;
}

/** @param {Node} merge */
function isLoop({ inputs }) {
  return inputs.some(({ node }) => node.op === 'NextIteration');
}

/**
 * The initial value of a loop variable, or the value of the branch that a condition takes.
 * @param {Node} merge
 */
function mergeInput(merge) {
  if (isLoop(merge)) return merge.inputs.find(({ node }) => node.op !== 'NextIteration');
  return merge.inputs.find((input) => isTaken(input));
}

/** Whether the nearest Switch before the branch takes it, but for those of conditions within. @param {Ref} branch */
function isTaken(branch) {
  const seen = new Set();
  const pending = [{ ref: branch, depth: 0 }];
  for (let next = pending.shift(); next && seen.size < 1000; next = pending.shift()) {
    const { node, index } = next.ref;
    const isSwitch = node.op === 'Switch';
    if (isSwitch && next.depth === 0) {
      const predicate = resolve(node.inputs[1], new Map()).node.tensor;
      return predicate !== undefined && Number(predicate.data[0]) === index;
    }
    const depth = next.depth + Number(node.op === 'Merge') - Number(isSwitch);
    const inputs = isSwitch ? node.inputs.slice(0, 1) : node.inputs;
    if (!seen.has(node)) for (const ref of inputs) pending.push({ ref, depth });
    seen.add(node);
  }
  return false;
}

/** The value of a loop variable after one iteration. @param {Node} exit */
function exitValue({ inputs: [{ node: out }] }) {
  const merge = out.op === 'Switch' ? out.inputs[0].node : undefined;
  return merge?.inputs.find(({ node }) => node.op === 'NextIteration');
}

/**
 * The node that filled a TensorArray or TensorList, if it is of the expected kind.
 * @param {Ref} ref
 * @param {Map<Node, Node>} replacements
 * @param {(op: string) => boolean} isFound
 */
function findSource(ref, replacements, isFound) {
  const { node } = resolve(ref, replacements);
  return isFound(node.op) ? node : undefined;
}

/**
 * The entry that is read from a TensorArray or TensorList that holds a batch of one.
 * @param {Node} read
 * @param {Map<Node, Node>} replacements
 */
function firstEntry({ name, op, inputs }, replacements) {
  const isList = op === 'TensorListGetItem';
  const source = findSource(inputs[isList ? 0 : 2], replacements, (o) =>
    /^TensorArrayScatter|^TensorListFromTensor$/.test(o),
  );
  if (!source) return undefined;
  const batch = source.inputs[isList ? 0 : 2];
  return make(name, 'Squeeze', [batch], { squeeze_dims: { list: { i: [0] } } });
}

/**
 * The entry that was written to a TensorArray or TensorList, as a batch of one.
 * @param {Node} gather
 * @param {Map<Node, Node>} replacements
 */
function stackedEntry({ name, op, inputs }, replacements) {
  const isList = op.startsWith('TensorList');
  const write = findSource(inputs[isList ? 0 : 2], replacements, (o) =>
    /^TensorArrayWrite|^TensorListSetItem$/.test(o),
  );
  if (!write) return undefined;
  const axis = constant(`${name}/axis`, { dtype: 'int32', shape: [], data: new Int32Array(1) });
  return make(name, 'ExpandDims', [write.inputs[2], axis]);
}

/**
 * Topological order: each node comes after its inputs.
 * @param {Ref[]} outputs
 * @returns {Node[]}
 */
export function inOrder(outputs) {
  /** @type {Node[]} */
  const order = [];
  /** @type {Map<Node, 'open' | 'done'>} */
  const state = new Map();
  const stack = outputs.map(({ node }) => ({ node, next: 0 })).reverse();
  while (stack.length > 0) {
    const top = stack[stack.length - 1];
    if (top.next === 0 && state.get(top.node) === 'done') {
      stack.pop();
    } else if (top.next < top.node.inputs.length) {
      state.set(top.node, 'open');
      const { node } = top.node.inputs[top.next++];
      if (state.get(node) === 'open') throw convertFailure('GRAPH_BAD', `'${node.name}' is part of a cycle`);
      if (!state.has(node)) stack.push({ node, next: 0 });
    } else {
      if (state.get(top.node) !== 'done') order.push(top.node);
      state.set(top.node, 'done');
      stack.pop();
    }
  }
  return order;
}
