// Network time of ocelli's graph compared with bare XNNPACK (bench/bare), which runs the same network on the same
// kernels.
//   node bench/network.js [--rounds N] [--instances N] [--variant simd|relaxed] [--json]
// There are several instances of each, because an instance sometimes takes twice the usual time in all its runs. Every
// round runs all of them in a new random order. The median of an engine is the median of its instances' medians; the
// minimum is that of all runs.
import { BareXnnpack } from './bare.js';
import {
  median,
  min,
  ms,
  percent,
  print,
  ratio,
  readArguments,
  readInput,
  readModel,
  shuffle,
  time,
} from './measure.js';
import '../wasm/platform/node.js';
import { Engine } from '../wasm/engine/engine.js';
import { sourceOf } from '../wasm/engine/gather.js';

/**
 * @typedef {object} Contender
 * @property {'ocelli' | 'bare'} name
 * @property {() => void} run
 * @property {(index: number) => Float32Array} readOutput
 * @property {number[]} times in ms
 */

const TARGETS = { simd: 1, relaxed: 0.91 };
const WARM_UP_RUNS = 5;
const RUNS_PER_TURN = 2;

/**
 * @param {'simd' | 'relaxed'} variant
 * @param {Uint8Array} model
 * @param {Float32Array} input
 */
async function createOurs(variant, model, input) {
  const engine = await Engine.create({ variant, threads: 1 });
  await engine.receiveModel(sourceOf(model));
  engine.openModel();
  engine.buildModel();
  engine.writeInput(0, input);
  /** @type {Contender} */
  const contender = {
    name: 'ocelli',
    run: () => engine.run(),
    readOutput: (index) => /** @type {Float32Array} */ (engine.readOutput(index).data),
    times: [],
  };
  return { engine, contender };
}

/**
 * @param {'simd' | 'relaxed'} variant
 * @param {Uint8Array} model
 * @param {Float32Array} input
 * @returns {Promise<Contender>}
 */
async function createBare(variant, model, input) {
  const bare = await BareXnnpack.create(variant, model);
  bare.writeInput(input);
  return {
    name: 'bare',
    run: () => bare.run(),
    readOutput: (index) => bare.readOutput(index),
    times: [],
  };
}

/**
 * Runs a contender several times. The first run is not timed, because the caches have no weights of this instance.
 * @param {Contender} contender
 */
function takeTurn({ run, times }) {
  run();
  for (let i = 0; i < RUNS_PER_TURN; i++) times.push(time(run));
}

/**
 * @param {Contender} a
 * @param {Contender} b
 * @param {number} numOutputs
 */
function largestDifference(a, b, numOutputs) {
  let largest = 0;
  for (let i = 0; i < numOutputs; i++) {
    const expected = b.readOutput(i);
    a.readOutput(i).forEach((value, k) => {
      const difference = Math.abs(value - expected[k]);
      if (!(difference <= largest)) largest = difference;
    });
  }
  return largest;
}

/** @param {Contender[]} contenders */
function summarize(contenders) {
  const medians = contenders.map(({ times }) => median(times));
  return { median: median(medians), min: min(contenders.flatMap(({ times }) => times)), instances: medians };
}

const { json, variant, counts } = readArguments({ rounds: 10, instances: 4 });
const model = await readModel();
const input = await readInput();
const created = [];
/** @type {Contender[]} */
const bare = [];
for (let i = 0; i < counts.instances; i++) {
  created.push(await createOurs(variant, model, input));
  bare.push(await createBare(variant, model, input));
}
const { engine } = created[0];
const ours = created.map(({ contender }) => contender);
const all = [...ours, ...bare];
for (let i = 0; i < WARM_UP_RUNS; i++) for (const { run } of shuffle(all)) run();

let peak = 0;
for (let round = 0; round < counts.rounds; round++) {
  peak = Math.max(peak, engine.measurePeak());
  for (const contender of shuffle(all)) takeTurn(contender);
}

const difference = largestDifference(ours[0], bare[0], engine.outputs.length);
const oursMs = summarize(ours);
const bareMs = summarize(bare);
const boundMs = engine.network.multiplyAdds / peak / 1e6;
const ratios = { median: oursMs.median / bareMs.median, min: oursMs.min / bareMs.min };
/** @param {number[]} values */
const list = (values) => values.map(ms).join(', ');
print(json, {
  title: `Network, one thread, ${variant}`,
  columns: ['', 'median', 'min', 'bound / min'],
  rows: [
    ['**ocelli / bare XNNPACK**', `**${ratio(ratios.median)}**`, `**${ratio(ratios.min)}**`, ''],
    ['ocelli, ms', ms(oursMs.median), ms(oursMs.min), percent(boundMs / oursMs.min)],
    ['bare XNNPACK, ms', ms(bareMs.median), ms(bareMs.min), percent(boundMs / bareMs.min)],
  ],
  notes: [
    `target: at most ${TARGETS[variant]}`,
    `bound: ${ms(boundMs)} ms, ${(engine.network.multiplyAdds / 1e6).toFixed(0)} M multiply-adds at the measured peak of ${peak.toFixed(1)} G/s`,
    `largest difference between their heads: ${difference.toExponential(1)}`,
    `medians of the instances, ms: ocelli ${list(oursMs.instances)}; bare ${list(bareMs.instances)}`,
  ],
  data: { variant, ratios, ocelliMs: oursMs, bareMs, boundMs, peak, headsDifference: difference },
});
