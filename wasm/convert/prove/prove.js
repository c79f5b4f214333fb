// Proves a conversion: runs the file in the engine, and the source's graph in the evaluator, on the same input.
import { Engine } from '../../engine/engine.js';
import { host } from '../../engine/host.js';
import { chooseVariant } from '../../engine/variant.js';
import { sizeOf } from '../../shared/numbers.js';
import { OcelliError } from '../../shared/errors.js';
import { writeTflite } from '../../tflite/write.js';
import { readSource } from '../../vision/input.js';
import { convertFailure } from '../errors.js';
import { numbers } from './arrays.js';
import { evaluateGraph, UNCHECKED } from './evaluate.js';
import { softmax } from './moves.js';

/**
 * @typedef {import('./arrays.js').Numbers} Numbers
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('../graph/graph.js').Ref} Ref
 * @typedef {import('../../tflite/network.js').Network} Network
 * @typedef {import('../../tflite/network.js').Value} Value
 *
 * @typedef {object} Claim What a network's output is said to be.
 * @property {Ref} ref
 * @property {number[]} [columns] which columns of it, in this order; default: all
 * @property {boolean} [isSoftmax] the softmax of it
 *
 * @typedef {object} Proof What a file is said to compute.
 * @property {Ref[]} inputs of the network
 * @property {Claim[]} outputs of the network
 * @property {Map<Value, Ref>} trace which value of the source an inner value of the network is
 * @property {Map<Node, number[]>} [others] shapes of placeholders whose numbers do not matter
 * @property {[number, number]} range of the input
 *
 * @typedef {object} Watch
 * @property {(done: number, total: number) => void} onProgress
 * @property {AbortSignal} [signal]
 */

/** Relative to the largest value. */
const TOLERANCE = 1e-4;
/** An engine rounds each sum, not only each tensor: it may be off this many times as far as the rounding of tensors is. */
const ROUNDINGS = 32;
/** How many images go through a network with a free batch, so that an operator that mixes them is noticed. */
const IMAGES = 2;
const PAUSE_MS = 50;

/**
 * @param {Network} network
 * @param {Proof} proof
 * @param {Watch} watch
 */
export async function prove(network, proof, watch) {
  try {
    await compare(network, proof, watch);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw convertFailure(
      'RESULT_UNPROVEN',
      `its tensors are too large: ${error.message}. ${UNCHECKED}`,
      error,
    );
  }
}

/**
 * @param {Network} network
 * @param {Proof} proof
 * @param {Watch} watch
 */
async function compare(network, proof, watch) {
  const inputs = network.inputs.map(({ shape }, i) => sampleInput(shape, proof.range, i));
  const given = new Map([
    ...proof.inputs.map(({ node }, i) => /** @type {const} */ ([node, inputs[i]])),
    ...Array.from(proof.others ?? [], ([node, shape]) => /** @type {const} */ ([node, numbers(shape)])),
  ]);
  const refs = proof.outputs.flatMap(({ ref }) =>
    ref.node.op === 'ArgMax' ? [ref, ref.node.inputs[0]] : [ref],
  );
  const pause = pauser(watch.signal);
  const values = await evaluateGraph(refs, given, { onNode: watch.onProgress, pause });
  const nothing = proof.outputs.find(({ ref }) => hasOnlyNaN(values[refs.indexOf(ref)]));
  if (nothing)
    throw convertFailure(
      'RESULT_UNPROVEN',
      `the source computes no numbers (NaN) for '${nothing.ref.node.name}'. ${UNCHECKED}`,
    );
  const computed = await runEngine(network, inputs);
  /** @param {(claim: Claim, wanted: Float64Array, at: number) => number} allow how far each output may be off */
  const isWrong = (allow) =>
    proof.outputs.some((claim, i) => {
      const at = refs.indexOf(claim.ref);
      if (claim.ref.node.op === 'ArgMax') return differsInChoice(computed[i], values[at], values[at + 1]);
      const wanted = expected(values[at], claim);
      return difference(computed[i], wanted, allow(claim, wanted, at)) !== undefined;
    });
  if (!isWrong((_, wanted) => tolerated(wanted))) return;
  // A network may magnify the rounding of float32, as MediaPipe's pose landmarks do: then no engine is closer.
  const rounded = await evaluateGraph(refs, given, {
    onValue: (_, made) => made.forEach(roundToFloat32),
    pause,
  });
  const allow = (/** @type {Claim} */ claim, /** @type {Float64Array} */ wanted, /** @type {number} */ at) =>
    Math.max(tolerated(wanted), ROUNDINGS * farthest(expected(rounded[at], claim), wanted));
  if (isWrong(allow)) throw await explain(network, proof, { inputs, given, pause });
}

/** @param {Numbers} numbers */
const hasOnlyNaN = ({ data }) => data.length > 0 && data.every(Number.isNaN);

/** @param {Numbers} numbers changed in place */
function roundToFloat32({ data }) {
  for (let i = 0; i < data.length; i++) data[i] = Math.fround(data[i]);
}

/** @param {Float64Array} a @param {Float64Array} b */
function farthest(a, b) {
  const distances = a.map((value, i) => Math.abs(value - b[i]) || 0);
  return distances.reduce((max, distance) => Math.max(max, distance), 0);
}

/** @param {Float64Array} wanted */
function tolerated(wanted) {
  return TOLERANCE * (wanted.reduce((max, value) => Math.max(max, Math.abs(value) || 0), 0) || 1e-2);
}

/** @param {AbortSignal | undefined} signal @returns {() => Promise<void>} gives way to other tasks now and then */
function pauser(signal) {
  let last = performance.now();
  return async () => {
    signal?.throwIfAborted();
    if (performance.now() - last < PAUSE_MS) return;
    await new Promise((resolve) => setTimeout(resolve));
    last = performance.now();
    signal?.throwIfAborted();
  };
}

/**
 * Noise that is the same in every run.
 * @param {number[]} shape
 * @param {[number, number]} range
 * @param {number} seed
 */
function sampleInput(shape, [low, high], seed) {
  const image = numbers(shape.map((size) => (size < 0 ? IMAGES : size)));
  let state = 0x2545f491 + seed;
  for (let i = 0; i < image.data.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    image.data[i] = Math.fround(low + ((state >>> 0) / 2 ** 32) * (high - low));
  }
  return image;
}

/**
 * @param {Numbers} value
 * @param {Claim} claim
 */
function expected({ shape, data }, { columns, isSoftmax }) {
  const width = /** @type {number} */ (shape.at(-1));
  const result = data.slice();
  if (isSoftmax) for (let at = 0; at < result.length; at += width) softmax(result.subarray(at, at + width));
  if (!columns) return result;
  const { length } = columns;
  return Float64Array.from(
    { length: (result.length / width) * length },
    (_, i) => result[Math.floor(i / length) * width + columns[i % length]],
  );
}

/**
 * The place of the largest difference, if it is too large.
 * @param {ArrayLike<number | bigint>} computed
 * @param {Float64Array} wanted
 * @param {number} [allowed] how far they may be apart
 */
function difference(computed, wanted, allowed = tolerated(wanted)) {
  if (computed.length !== wanted.length) return { at: 0, error: Number.POSITIVE_INFINITY };
  let worst = { at: 0, error: 0 };
  for (let at = 0; at < wanted.length; at++) {
    const value = Number(computed[at]);
    const isSame = value === wanted[at] || (Number.isNaN(value) && Number.isNaN(wanted[at]));
    const distance = Math.abs(value - wanted[at]);
    const error = isSame ? 0 : Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance;
    if (error > worst.error) worst = { at, error };
  }
  return worst.error > allowed ? worst : undefined;
}

/**
 * Whether an index does not point to a largest value.
 * @param {ArrayLike<number | bigint>} computed
 * @param {Numbers} indices
 * @param {Numbers} values that the indices choose from
 */
function differsInChoice(computed, { shape, data }, values) {
  const axis = values.shape.findIndex((size, d) => size !== shape[d]);
  const inner = sizeOf(values.shape.slice(axis + 1));
  const length = values.shape[axis];
  const largest = values.data.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  return data.some((index, i) => {
    const first = Math.floor(i / inner) * length * inner + (i % inner);
    const [best, chosen] = [index, Number(computed[i])].map((k) => values.data[first + k * inner]);
    return !(chosen >= best - TOLERANCE * largest);
  });
}

/**
 * The network's outputs.
 * @param {Network} network
 * @param {Numbers[]} inputs
 */
async function runEngine(network, inputs) {
  const bytes = writeTflite(network, { precision: 'fp32', description: '' });
  const variant = chooseVariant({ threads: 1, deterministic: false, trustsRelaxed: host().trustsRelaxed });
  try {
    const engine = await Engine.create({ variant, threads: 1 });
    try {
      await engine.receiveModel(await readSource(bytes));
      engine.openModel();
      engine.buildModel();
      if (engine.network.dynamicBatch) engine.setBatch(IMAGES);
      inputs.forEach(({ data }, i) => engine.writeInput(i, Float32Array.from(data)));
      engine.run();
      return network.outputs.map(
        (_, i) => /** @type {ArrayLike<number | bigint>} */ (engine.readOutput(i).data),
      );
    } finally {
      engine.close();
    }
  } catch (error) {
    if (!(error instanceof OcelliError)) throw error;
    throw convertFailure(
      'RESULT_UNPROVEN',
      `ocelli does not run the file: ${error.message}. ${UNCHECKED}`,
      error,
    );
  }
}

/**
 * The error that names the first tensor that differs.
 * @param {Network} network
 * @param {Proof} proof
 * @param {{inputs: Numbers[], given: Map<Node, Numbers>, pause: () => Promise<void>}} run
 */
async function explain(network, { trace, outputs }, { inputs, given, pause }) {
  const values = network.ops.map(({ output }) => output).filter((value) => trace.has(value));
  const traced = { ...network, outputs: values.map((value) => ({ name: value.name, value })) };
  const computed = await runEngine(traced, inputs);
  /** @type {Map<Node, Numbers[]>} */
  const wanted = new Map();
  const nodes = new Set(values.map((value) => trace.get(value)?.node));
  const onValue = (/** @type {Node} */ node, /** @type {Numbers[]} */ made) => {
    if (nodes.has(node)) wanted.set(node, made);
  };
  await evaluateGraph(
    outputs.map(({ ref }) => ref),
    given,
    { onValue, pause },
  );
  for (const [i, value] of values.entries()) {
    const { node, index } = /** @type {Ref} */ (trace.get(value));
    const reference = wanted.get(node)?.[index]?.data;
    const found = reference && node.op !== 'ArgMax' ? difference(computed[i], reference) : undefined;
    if (!reference || !found || computed[i].length !== reference.length) continue;
    return convertFailure(
      'RESULT_DIFFERS',
      `'${node.name}' (${node.op}) is the first tensor that differs: ` +
        `${Number(computed[i][found.at])} instead of ${reference[found.at]}`,
    );
  }
  return convertFailure('RESULT_DIFFERS', 'its outputs differ');
}
