// Constants of graphs, by numbers of their own.
import { constant } from '../../../wasm/convert/graph/graph.js';

/** @typedef {import('../../../wasm/convert/graph/graph.js').Ref} Ref */

let count = 0;
export const floats = (/** @type {number[]} */ values, shape = [values.length]) =>
  constant(`f${count++}`, { dtype: 'float32', shape, data: Float32Array.from(values) });
export const ints = (/** @type {number[]} */ values, shape = [values.length]) =>
  constant(`i${count++}`, { dtype: 'int32', shape, data: Int32Array.from(values) });
export const number = (/** @type {number} */ value) => floats([value], []);
/** Another output of a node. @param {Ref} ref @param {number} index */
export const at = ({ node }, index) => ({ node, index });
