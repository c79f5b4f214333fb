// Nodes as TensorFlow runs them -> a graph without cycles of what they compute for a batch of one image: identities and
// variable reads gone, TensorFlow 1's loops and conditions replaced by what they let through, the one entry of an array
// or list handed on as it is.
import { convertFailure } from '../errors.js';
import { constant, make } from './graph.js';

/**
 * @typedef {import('./graph.js').Node} Node
 * @typedef {import('./graph.js').Ref} Ref
 */

const IDENTITIES = new Set([
  ...['Identity', 'StopGradient', 'PreventGradient', 'Snapshot', 'CheckNumerics', 'EnsureShape', 'Print'],
  ...['ReadVariableOp', 'Enter', 'NextIteration', 'LoopCond', 'PlaceholderWithDefault', 'DisableCopyOnRead'],
]);
const READS = new Set(['TensorArrayReadV3', 'TensorListGetItem', 'TensorArrayReadV2']);
const GATHERS = new Set([
  'TensorArrayGatherV3',
  'TensorListStack',
  'TensorArrayGatherV2',
  'TensorListConcatV2',
]);
const MAX_STEPS = 100000;

/**
 * @param {Ref[]} outputs
 * @returns {Ref[]} the same outputs, simplified
 */
export function simplify(outputs) {
  /** @type {Map<Node, Node>} */
  const made = new Map();
  const seen = new Set();
  const resolved = outputs.map((ref) => resolve(ref, made));
  const pending = resolved.map(({ node }) => node);
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    node.inputs = node.inputs.map((input) => resolve(input, made));
    for (const input of node.inputs) if (!seen.has(input.node)) pending.push(input.node);
  }
  return resolved;
}

/**
 * @param {Ref} ref
 * @param {Map<Node, Node>} made what stands for a node
 * @returns {Ref}
 */
function resolve(ref, made) {
  for (let steps = 0; steps < MAX_STEPS; steps++) {
    const next = step(ref, made);
    if (next === undefined) return ref;
    ref = next;
  }
  throw convertFailure('GRAPH_BAD', `'${ref.node.name}' is part of a cycle`);
}

/**
 * @param {Ref} ref
 * @param {Map<Node, Node>} made
 * @returns {Ref | undefined} undefined: it stays
 */
function step({ node, index }, made) {
  const { op, inputs } = node;
  if (made.has(node)) return { node: /** @type {Node} */ (made.get(node)), index: 0 };
  if (IDENTITIES.has(op) && inputs.length > 0) return inputs[0];
  if (op === 'IdentityN') return inputs[index];
  if (op === 'Switch') return inputs[0];
  if (op === 'Merge') return mergeInput(node);
  if (op === 'Exit') return exitValue(node);
  if (READS.has(op)) return replace(node, made, firstEntry(node, made));
  if (GATHERS.has(op)) return replace(node, made, gathered(node, made));
  return undefined;
}

/**
 * @param {Node} node
 * @param {Map<Node, Node>} made
 * @param {Ref | undefined} by
 */
function replace(node, made, by) {
  if (by !== undefined) made.set(node, by.node);
  return by;
}

/** @param {Node} merge */
function isLoop({ inputs }) {
  return inputs.some(({ node }) => node.op === 'NextIteration');
}

/**
 * What enters a loop; of a condition, what the branch that is taken gives.
 * @param {Node} merge
 */
function mergeInput(merge) {
  if (isLoop(merge)) return merge.inputs.find(({ node }) => node.op !== 'NextIteration');
  const taken = merge.inputs.find((input) => isTaken(input));
  return taken;
}

/** @param {Ref} branch whether the nearest switch behind it lets its side through */
function isTaken(branch) {
  const seen = new Set();
  const pending = [branch];
  for (let ref = pending.shift(); ref && seen.size < 1000; ref = pending.shift()) {
    if (ref.node.op === 'Switch') {
      const predicate = resolve(ref.node.inputs[1], new Map()).node.tensor;
      return predicate !== undefined && Number(predicate.data[0]) === ref.index;
    }
    if (!seen.has(ref.node)) pending.push(...ref.node.inputs);
    seen.add(ref.node);
  }
  return false;
}

/** What a loop's value is after one round. @param {Node} exit */
function exitValue({ inputs: [{ node: out }] }) {
  const merge = out.op === 'Switch' ? out.inputs[0].node : undefined;
  return merge?.inputs.find(({ node }) => node.op === 'NextIteration');
}

/**
 * Through what an array or list goes on its way.
 * @param {Ref} ref
 * @param {Map<Node, Node>} made
 * @param {(op: string) => boolean} isFound
 */
function findBehind(ref, made, isFound) {
  const { node } = resolve(ref, made);
  return isFound(node.op) ? node : undefined;
}

/**
 * @param {Node} read
 * @param {Map<Node, Node>} made
 */
function firstEntry({ name, op, inputs }, made) {
  const isList = op === 'TensorListGetItem';
  const source = findBehind(inputs[isList ? 0 : 2], made, (o) =>
    /^TensorArrayScatter|^TensorListFromTensor$/.test(o),
  );
  if (!source) return undefined;
  const batch = source.inputs[isList ? 0 : 2];
  return make(name, 'Squeeze', [batch], { squeeze_dims: { list: { i: [0] } } });
}

/**
 * @param {Node} gather
 * @param {Map<Node, Node>} made
 */
function gathered({ name, op, inputs }, made) {
  const isList = op.startsWith('TensorList');
  const write = findBehind(inputs[isList ? 0 : 2], made, (o) =>
    /^TensorArrayWrite|^TensorListSetItem$/.test(o),
  );
  if (!write) return undefined;
  const axis = constant(`${name}/axis`, { dtype: 'int32', shape: [], data: new Int32Array(1) });
  return make(name, 'ExpandDims', [write.inputs[2], axis]);
}

/**
 * Inputs before those that take them.
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
