// The shapes of what layers take: some layers depend on its rank, or name one of its axes.
import { FREE_BATCH } from '../graph/batch.js';
import { Facts } from '../graph/facts.js';
import { inOrder } from '../graph/simplify.js';

/**
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('../graph/graph.js').Ref} Ref
 * @typedef {import('../graph/batch.js').Shape} Shape
 */

/** Shapes that were asked for: those behind them follow without the graph before. @type {WeakMap<Node, Shape>} */
const known = new WeakMap();

/**
 * The shape of a layer's output, for a free batch. Sizes that the source leaves open are -1.
 * @param {Ref} x
 * @returns {Shape}
 */
export function shapeOf(x) {
  const nodes = inOrder([x]);
  for (const node of nodes)
    if (node.op === 'Placeholder') known.set(node, withFreeBatch(node.shape('shape')));
  const feeds = nodes
    .filter((node) => known.has(node))
    .map((node) => /** @type {const} */ ([node, known.get(node)]));
  const shape = new Facts([x], new Map(feeds)).shape(x);
  known.set(x.node, shape);
  return shape;
}

/** @param {Shape} shape */
const withFreeBatch = (shape) => shape?.map((size, axis) => (axis === 0 ? FREE_BATCH : size));

/** Whether the channels are the only axis of `axes`. @param {Ref} x @param {number[]} axes */
export const isLastAxis = (x, axes) =>
  axes.length === 1 && (axes[0] === -1 || axes[0] === (shapeOf(x)?.length ?? 0) - 1);
