// Time of one epoch of a softmax head (1797 x 1280 features, 10 classes, batch 32): ocelli compared with
// TensorFlow.js's wasm backend, one thread each, runs interleaved.
//   node bench/train.js [--rounds N] [--json]
import { createRequire } from 'node:module';
import { TransferLearner } from '../wasm/train/node.js';
import { median, ms, print, readArguments } from './measure.js';

const TARGET = 5;
const EXAMPLES = 1797;
const LENGTH = 1280;
const CLASSES = 10;
const OPTIMIZERS = /** @type {const} */ (['sgd', 'momentum', 'adam', 'rmsprop']);

/** @type {any} */
let tf;

/** TensorFlow.js with its wasm backend, single-threaded SIMD. */
async function loadTensorFlow() {
  const require = createRequire(import.meta.url);
  const wasm = require('@tensorflow/tfjs-backend-wasm');
  const core = require('@tensorflow/tfjs-core');
  // The wasm backend has no operators to assign variables or draw random values; the CPU backend's are used.
  require('@tensorflow/tfjs-backend-cpu');
  const layers = require('@tensorflow/tfjs-layers');
  wasm.setWasmPaths(require.resolve('@tensorflow/tfjs-backend-wasm').replace(/[^/]*$/, ''));
  core.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  await core.setBackend('wasm');
  tf = { ...core, ...layers };
}

function makeData() {
  let state = 1;
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const features = Float32Array.from({ length: EXAMPLES * LENGTH }, () => 2 * next());
  return { features, ids: Array.from({ length: EXAMPLES }, () => Math.floor(next() * CLASSES)) };
}

/** @param {typeof OPTIMIZERS[number]} name */
function makeOptimizer(name) {
  if (name === 'sgd') return tf.train.sgd(0.01);
  if (name === 'momentum') return tf.train.momentum(0.01, 0.9);
  return name === 'adam' ? tf.train.adam(0.001) : tf.train.rmsprop(0.001, 0.9);
}

/**
 * @param {ReturnType<typeof makeData>} data
 * @param {typeof OPTIMIZERS[number]} optimizer
 */
function prepareTensorFlow({ features, ids }, optimizer) {
  const model = tf.sequential({
    layers: [tf.layers.dense({ units: CLASSES, activation: 'softmax', inputShape: [LENGTH] })],
  });
  model.compile({
    optimizer: makeOptimizer(optimizer),
    loss: 'categoricalCrossentropy',
    metrics: ['accuracy'],
  });
  const x = tf.tensor2d(features, [EXAMPLES, LENGTH]);
  const y = tf.oneHot(tf.tensor1d(ids, 'int32'), CLASSES);
  return () => model.fit(x, y, { epochs: 1, batchSize: 32, shuffle: true, yieldEvery: 'never', verbose: 0 });
}

/**
 * @param {ReturnType<typeof makeData>} data
 * @param {typeof OPTIMIZERS[number]} optimizer
 */
async function prepareOcelli({ features, ids }, optimizer) {
  const learner = await TransferLearner.create();
  learner.addFeatures(
    features,
    ids.map((id) => `class ${id}`),
  );
  return () => learner.fit({ epochs: 1, batchSize: 32, optimizer });
}

/** @param {() => Promise<unknown>} run */
async function time(run) {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

const { json, counts } = readArguments({ rounds: 15 });
await loadTensorFlow();
const data = makeData();
const results = [];
for (const optimizer of OPTIMIZERS) {
  const [ours, theirs] = [await prepareOcelli(data, optimizer), prepareTensorFlow(data, optimizer)];
  for (let i = 0; i < 3; i++) for (const run of [ours, theirs]) await run();
  /** @type {[number[], number[]]} */
  const times = [[], []];
  for (let round = 0; round < counts.rounds; round++) {
    const order = round % 2 === 0 ? [0, 1] : [1, 0];
    for (const side of order) times[side].push(await time(side === 0 ? ours : theirs));
  }
  const [ocelliMs, tensorFlowMs] = times.map(median);
  results.push({ optimizer, ocelliMs, tensorFlowMs, ratio: tensorFlowMs / ocelliMs });
}
print(json, {
  title: 'Training a softmax head, one epoch of 1797 x 1280, batch 32',
  columns: ['optimizer', 'TensorFlow.js wasm / ocelli', 'ocelli, ms', 'TensorFlow.js, ms'],
  rows: results.map(({ optimizer, ratio, ocelliMs, tensorFlowMs }) => [
    optimizer,
    `**${ratio.toFixed(1)}**`,
    ms(ocelliMs),
    ms(tensorFlowMs),
  ]),
  notes: [`target: a ratio of at least ${TARGET}`],
  data: { results },
});
