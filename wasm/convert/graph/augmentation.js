// Removes layers that change images at random. Keras 3's export() writes them as in training. A layer is recognized by its
// scope: the part of the names of its nodes that has one image as its only input, and one result.
import { inOrder } from './simplify.js';

/**
 * @typedef {import('./graph.js').Node} Node
 * @typedef {import('./graph.js').Ref} Ref
 */

const RANDOM = /^(Stateless)?(Random(Uniform|StandardNormal|Normal)|TruncatedNormal)/;

/**
 * @param {Ref[]} outputs simplified; the nodes are changed in place
 * @returns {{outputs: Ref[], dropped: string[]}} the outputs without these layers, and the layers' names
 */
export function dropAugmentation(outputs) {
  /** @type {string[]} */
  const dropped = [];
  for (let scope = findScope(outputs); scope; scope = findScope(outputs)) {
    const { path, from, nodes, leaving } = scope;
    const isLeaving = (/** @type {Ref} */ { node, index }) =>
      leaving.some((ref) => ref.node === node && ref.index === index);
    const redirect = (/** @type {Ref} */ ref) => (isLeaving(ref) ? from : ref);
    for (const node of inOrder(outputs)) if (!nodes.has(node)) node.inputs = node.inputs.map(redirect);
    outputs = outputs.map(redirect);
    dropped.push(/** @type {string} */ (path.split('/').at(-1)));
  }
  return { outputs, dropped };
}

/**
 * The innermost scope around a random operator that takes one image and gives one value.
 * @param {Ref[]} outputs
 */
function findScope(outputs) {
  const order = inOrder(outputs);
  const random = order.find(({ op }) => RANDOM.test(op));
  if (!random) return undefined;
  const images = fromPlaceholders(order);
  const parts = random.name.split('/');
  for (let length = parts.length - 1; length > 0; length--) {
    const path = parts.slice(0, length).join('/');
    const nodes = new Set(order.filter(({ name }) => name.startsWith(`${path}/`)));
    const entering = distinct(
      [...nodes].flatMap(({ inputs }) => inputs).filter(({ node }) => !nodes.has(node) && images.has(node)),
    );
    const outside = order.filter((node) => !nodes.has(node)).flatMap(({ inputs }) => inputs);
    const leaving = distinct([...outside, ...outputs].filter(({ node }) => nodes.has(node)));
    const isLayer = entering.length === 1 && leaving.length === 1 && images.has(leaving[0].node);
    if (isLayer) return { path, from: entering[0], nodes, leaving };
  }
  return undefined;
}

/** Operators whose result does not depend on the values of their input. */
const VALUE_FREE = new Set(['Shape', 'ShapeN', 'Size', 'Rank', 'ZerosLike', 'OnesLike']);

/** The nodes whose values depend on those of a placeholder. @param {Node[]} order */
function fromPlaceholders(order) {
  /** @type {Set<Node>} */
  const found = new Set();
  for (const node of order) {
    const depends = !VALUE_FREE.has(node.op) && node.inputs.some((input) => found.has(input.node));
    if (node.op === 'Placeholder' || depends) found.add(node);
  }
  return found;
}

/** @param {Ref[]} refs */
function distinct(refs) {
  return refs.filter(
    (ref, i) => refs.findIndex(({ node, index }) => node === ref.node && index === ref.index) === i,
  );
}
