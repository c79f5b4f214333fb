// Small graphs -> .tflite -> outputs, for tests that compare with formulas.
import assert from 'node:assert/strict';
import { convert } from '../../../wasm/convert/node.js';
import { readFile } from '../../../wasm/quantize/file.js';
import { OPERATORS } from '../../../wasm/tflite/operators.js';
import { writeTflite } from '../../../wasm/tflite/write.js';
import { loadEngine } from '../shared.js';
import { graphModel } from './graph_model.js';

/**
 * @typedef {import('./graph_model.js').GraphNode} GraphNode
 * @typedef {import('./graph_model.js').Constant} Constant
 * @typedef {{shape: number[], data: number[]}} Numbers
 */

export const FLOAT = { T: { type: 'DT_FLOAT' } };
export const list = (/** @type {number[]} */ values) => ({ list: { i: values.map(String) } });
export const ints = (/** @type {number[]} */ values, shape = [values.length]) => ({
  ...{ shape, values },
  dtype: /** @type {const} */ ('int32'),
});
/** Numbers that are neither sorted nor symmetric. @param {number} count @param {number} [seed] */
export const noise = (count, seed = 1) =>
  Array.from({ length: count }, (_, i) => (((i + seed) * 7919) % 201) / 50 - 1.97);

/**
 * Converts without the converter's own proof, and runs two images, also as a batch where the batch is free.
 * @param {number[]} shape of the input; -1: the batch is free
 * @param {GraphNode[]} nodes
 * @param {Record<string, Constant>} constants
 */
export async function run(shape, nodes, constants) {
  const output = /** @type {GraphNode} */ (nodes.at(-1)).name;
  return runSource(graphModel(shape, nodes, constants, [output]), shape[0] < 0);
}

/**
 * @param {Record<string, () => Uint8Array>} source
 * @param {boolean} isBatchFree
 */
export async function runSource(source, isBatchFree) {
  const { model } = await convert(source, { verify: false });
  const file = readFile(model);
  const pad = file.operators.find(({ code }) => code === OPERATORS.PAD.code);
  const engine = await loadEngine('simd', model);
  checkShapes(file, engine, isBatchFree ? 1 : 0);
  if (isBatchFree) engine.setBatch(2);
  const { shape: given } = engine.inputs[0];
  const x = noise(given.reduce((a, b) => a * b));
  engine.writeInput(0, Float32Array.from(x));
  engine.run();
  const result = engine.readOutput(0);
  const operators = engine.operators.map(({ operator }) => operator);
  engine.close();
  return {
    x: { shape: given, data: x },
    data: Array.from(result.data, Number),
    shape: result.shape,
    operators,
    padShape: pad && file.tensors[pad.outputs[0]].shape,
  };
}

/**
 * Loads a network and compares its shapes.
 * @param {import('../../../wasm/tflite/network.js').Network} network
 * @param {boolean} isBatchFree
 */
export async function checkNetworkShapes(network, isBatchFree) {
  const model = writeTflite(network, { precision: 'fp32', description: '' });
  const engine = await loadEngine('simd', model);
  checkShapes(readFile(model), engine, isBatchFree ? 1 : 0);
  engine.close();
}

/**
 * The shapes in the file are those that a run gives.
 * @param {ReturnType<typeof readFile>} file
 * @param {import('../../../wasm/engine/engine.js').Engine} engine
 * @param {number} from the dimension behind the batch, where that is free: it may be a factor of the first one
 */
function checkShapes(file, { operators }, from) {
  const written = new Map(file.tensors.map(({ name, shape }) => [name, shape]));
  for (const { operator, output, shape } of operators) {
    // If a convolution pads, the PAD before it does nothing.
    if (operator === 'PAD') continue;
    assert.deepEqual(written.get(output)?.slice(from), shape.slice(from), `the shape of '${output}'`);
  }
}

/** @param {ArrayLike<number>} actual @param {ArrayLike<number>} expected */
export function assertNear(actual, expected) {
  assert.equal(actual.length, expected.length);
  const largest = Array.from(expected, Math.abs).reduce((a, b) => Math.max(a, b), 0);
  Array.from(expected).forEach((value, i) =>
    assert.ok(Math.abs(actual[i] - value) <= 2e-6 * Math.max(largest, 1), `${i}: ${actual[i]}, not ${value}`),
  );
}
