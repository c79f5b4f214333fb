// Operators that only move elements. Which element goes where is read off the engine: the operator runs on the numbers
// of its inputs' elements.
import { OPERATORS } from '../tflite/operators.js';
import { sizeOf } from '../shared/numbers.js';
import { TYPE } from '../quantize/file.js';
import { Runner } from '../quantize/runner.js';

/**
 * @typedef {import('../quantize/file.js').Model} Model
 * @typedef {import('../quantize/file.js').Operator} Operator
 * @typedef {import('../quantize/file.js').Tensor} Tensor
 */

/** Movers that fill in zeros or repeat pixels. */
const OTHERS = ['PAD', 'SPACE_TO_BATCH_ND', 'RESIZE_NEAREST_NEIGHBOR'];
/** A condition chooses their elements, so they are no fixed moves. */
const CHOOSING = ['SELECT', 'SELECT_V2'];
/** The elements' numbers must be exact in float32. */
const MAX_ELEMENTS = 2 ** 24;

/** @param {string} kind */
export function isMove(kind) {
  return (OPERATORS[kind]?.int8?.form === 'moves' && !CHOOSING.includes(kind)) || OTHERS.includes(kind);
}

/**
 * @param {Model} model
 * @param {Operator} operator whose inputs are float or constant
 * @returns {Promise<Float32Array[] | undefined>} for each output and each of its elements: 1 + the number of the input's
 *   element, where the numbers of one input follow on those of the input before it; 0: none. undefined: the inputs
 *   have too many elements
 */
export async function findMoves({ tensors }, operator) {
  const sources = movedInputs(tensors, operator);
  if (sources.reduce((sum, i) => sum + sizeOf(tensors[i].shape), 0) >= MAX_ELEMENTS) return undefined;
  const used = [...new Set([...operator.inputs.filter((i) => i >= 0), ...operator.outputs])];
  const place = (/** @type {number} */ tensor) => (tensor < 0 ? -1 : used.indexOf(tensor));
  /** @type {Model} */
  const single = {
    description: '',
    tensors: used.map((i) => (sources.includes(i) ? toPort(tensors[i]) : toFixed(tensors[i]))),
    operators: [{ ...operator, inputs: operator.inputs.map(place), outputs: operator.outputs.map(place) }],
    inputs: sources.map(place),
    outputs: operator.outputs.map(place),
    signatures: [],
    metadata: [],
  };
  const runner = await Runner.create(single, single.outputs);
  try {
    let next = 1;
    const numbers = sources.map((i) => Float32Array.from({ length: sizeOf(tensors[i].shape) }, () => next++));
    return Array.from(runner.run(...numbers), ({ values }) => values);
  } finally {
    runner.close();
  }
}

/** The distinct float inputs. @param {Tensor[]} tensors @param {Operator} operator */
export function movedInputs(tensors, { inputs }) {
  return [...new Set(inputs)].filter((i) => i >= 0 && tensors[i].type === TYPE.float32);
}

/** @param {Tensor} tensor @returns {Tensor} a tensor without values, of fixed shape */
function toPort(tensor) {
  return { ...tensor, data: undefined, signature: undefined };
}

/** @param {Tensor} tensor @returns {Tensor} */
function toFixed(tensor) {
  return { ...tensor, signature: undefined };
}
