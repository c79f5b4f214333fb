// ocelli bench: measures how fast a model loads and runs on noise, and compares that with the peak of the machine.
import { availableParallelism, cpus } from 'node:os';
import {
  attempt,
  formatCount,
  formatPercent,
  layOut,
  median,
  roundMs,
  shortName,
  UsageError,
} from '../common.js';
import { sizeOf } from '../../wasm/shared/numbers.js';
import { precisionOf } from '../../wasm/vision/prepare.js';
import { plural, safeJson } from '../../wasm/shared/text.js';
import { DEFAULT_MODEL, loadModel, readModel } from '../model.js';
import { COUNT, optionalModel, ownWeights, precision, signature, threads } from '../options.js';
import { bold, dim, print, printable } from '../output.js';

/**
 * @typedef {import('../../wasm/engine/engine.js').Engine} Engine
 * @typedef {import('../../wasm/engine/engine.js').TensorInfo} TensorInfo
 * @typedef {Awaited<ReturnType<typeof measure>>} Report
 */

/** JavaScript engines recompile hot functions in the background: the first runs are slower. */
const WARM_UP_RUNS = 5;
const PROFILED_RUNS = 11;
const SHOWN_OPERATORS = 12;
const SEED = 20261123;
const DEFAULT_PRECISION = 'float';

const options = /** @type {const} */ ({
  runs: {
    type: 'number',
    value: 'N',
    about: 'measure N warm runs',
    range: COUNT,
    default: 50,
  },
  precision: {
    ...precision,
    about: `only for the default model: ${precision.about}`,
    defaultText: DEFAULT_PRECISION,
  },
  weights: ownWeights,
  signature,
  threads,
  baseline: {
    type: 'flag',
    about: "of a network in floats: also run it with XNNPACK's own kernels, in turns with ours",
  },
  operators: { type: 'flag', about: 'also list the operators that take the most time' },
  json: {
    type: 'flag',
    about:
      'print one JSON object: {variant, precision, threads, fma_gmacs, dot_gmacs, bound_ms, network: {median_ms, ' +
      'min_ms}, baseline: {median_ms, min_ms}, operators: [...], ...}. fma_gmacs (of floats) and dot_gmacs (of bytes) ' +
      'are 10^9 multiply-adds per second of one core',
  },
});

/** @typedef {import('../arguments.js').Values<typeof options>} Values */

/** @type {import('../arguments.js').Command<typeof options>} */
export const command = {
  summary: 'measure how fast a model runs on this machine',
  about:
    'Measures how long a model takes to load and to run on noise, and compares that with the peak of this machine: ' +
    'the most multiply-adds per second that it does in registers.',
  positionals: [optionalModel],
  options,
  examples: ['ocelli bench --threads 2 --operators'],
  run,
};

/**
 * @param {Values} values
 * @param {string[]} files
 */
async function run(values, [file]) {
  if (file === '-' && values.baseline)
    throw new UsageError('--baseline loads MODEL twice: MODEL cannot be standard input');
  if (file !== undefined && values.precision !== undefined)
    throw new UsageError('--precision is only for the default model');
  if (file !== undefined && values.weights !== undefined)
    throw new UsageError('--weights is only for the default model');
  const report = await attempt(file ?? DEFAULT_MODEL, () => measure(file, values));
  if (report) print(values.json ? safeJson(report) : toText(report, values.operators));
}

/**
 * @param {string | undefined} file
 * @param {Values} values
 */
async function measure(
  file,
  { runs, threads, baseline, weights, signature: name, precision: wanted = DEFAULT_PRECISION },
) {
  const model = await readModel(file);
  const {
    engine,
    variant,
    ms: load,
  } = await loadModel(model, threads, { weights, precision: wanted, signature: name });
  const precision = precisionOf(engine);
  const engines = [engine];
  try {
    if (baseline && precision === 'int8')
      throw new UsageError("--baseline is for floats: 8 bits have no kernels but ocelli's");
    writeNoise(engine);
    const first = timeRun(engine);
    if (baseline)
      engines.push(
        (await loadModel(model, threads, { baseline, weights, precision, signature: name })).engine,
      );
    engines.slice(1).forEach(writeNoise);
    const before = measurePeaks(engine);
    for (let i = 0; i < WARM_UP_RUNS; i++) for (const each of engines) each.run();
    const times = takeTurns(engines, runs, timeRun);
    const after = measurePeaks(engine);
    const operators = profile(engines);
    const [fma, dot] = before.map((peak, i) => Math.max(peak, after[i]));
    const { multiplyAdds } = engine.network;
    const cores = Math.min(threads, availableParallelism());
    const peak = precision === 'int8' ? dot : fma;
    return {
      file,
      variant,
      precision,
      threads,
      node: process.version,
      cpu: cpus()[0]?.model ?? 'unknown',
      runs,
      load: { module_ms: roundMs(load.module), model_ms: roundMs(load.model), first_ms: roundMs(first) },
      multiply_adds: multiplyAdds,
      cores,
      fma_gmacs: roundMs(fma),
      dot_gmacs: roundMs(dot),
      bound_ms: roundMs(multiplyAdds / (peak * cores * 1e6)),
      network: summarizeTimes(times[0]),
      ...(baseline && { baseline: summarizeTimes(times[1]) }),
      operators,
    };
  } finally {
    for (const each of engines) each.close();
  }
}

/** @param {Engine} engine */
function writeNoise(engine) {
  engine.inputs.forEach((info, index) => {
    engine.writeInput(index, makeNoise(info));
  });
}

/** @param {Engine} engine */
function timeRun(engine) {
  const start = performance.now();
  engine.run();
  return performance.now() - start;
}

/**
 * Runs the engines in turns and collects what `take` returns. The order is reversed every time. With several engines,
 * each turn starts with a run that is not counted: the other engine's run has displaced the weights from the cache.
 * @template T
 * @param {Engine[]} engines
 * @param {number} rounds
 * @param {(engine: Engine) => T} take
 */
export function takeTurns(engines, rounds, take) {
  const results = engines.map(() => /** @type {T[]} */ ([]));
  const order = engines.map((engine, i) => ({ engine, taken: results[i] }));
  for (let round = 0; round < rounds; round++) {
    for (const { engine, taken } of order) {
      if (engines.length > 1) engine.run();
      taken.push(take(engine));
    }
    order.reverse();
  }
  return results;
}

/**
 * 10^9 multiply-adds per second on one thread: of floats, and of bytes.
 * @param {Engine} engine
 */
function measurePeaks(engine) {
  const measure = () => [engine.measurePeak(), engine.measurePeak('int8')];
  measure(); // so that the engine compiles the loops with optimizations
  return measure();
}

/**
 * The median time of each operator, with our kernels and XNNPACK's own, the slowest first.
 * @param {Engine[]} engines
 */
function profile(engines) {
  const [ours, theirs] = takeTurns(engines, PROFILED_RUNS, (engine) => {
    engine.run(true);
    return engine.operators;
  });
  /** @param {typeof ours} rounds @param {number} i */
  const medianOf = (rounds, i) => roundMs(median(rounds.map((round) => round[i].ms)));
  return ours[0]
    .map(({ operator, output, shape, multiplyAdds }, i) => ({
      operator,
      output,
      shape,
      multiply_adds: multiplyAdds,
      ms: medianOf(ours, i),
      ...(theirs && { baseline_ms: medianOf(theirs, i) }),
    }))
    .sort((a, b) => b.ms - a.ms);
}

/** @param {number[]} times */
export function summarizeTimes(times) {
  return { median_ms: roundMs(median(times)), min_ms: roundMs(times.reduce((a, b) => Math.min(a, b))) };
}

/**
 * Reproducible noise in an input's dtype: [-1, 1) for floats, any byte for 8-bit integers. Other inputs are zero, because
 * they may be indices or sizes.
 * @param {TensorInfo} info
 */
export function makeNoise({ dtype, shape }) {
  const length = sizeOf(shape);
  const random = xorshift(SEED);
  switch (dtype) {
    case 'float32':
      return Float32Array.from({ length }, () => random() / 2 ** 31 - 1);
    case 'float16': // random sign and fraction, exponent -1: absolute values from 0.5 to 1
      return Uint16Array.from({ length }, () => 0x3800 | (random() & 0x83ff));
    case 'int8':
      return Int8Array.from({ length }, random);
    case 'uint8':
      return Uint8Array.from({ length }, random);
    case 'bool':
      return new Uint8Array(length);
    case 'int32':
      return new Int32Array(length);
    case 'int64':
      return new BigInt64Array(length);
  }
}

/**
 * George Marsaglia's xorshift32.
 * @param {number} seed
 * @returns {() => number} 32 random bits
 */
function xorshift(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/**
 * @param {Report} report
 * @param {boolean} withOperators
 */
export function toText(report, withOperators) {
  const { file = DEFAULT_MODEL, variant, precision, threads, node, cpu, runs, load, network } = report;
  /** @param {number} time */
  const share = (time) => `${((100 * report.bound_ms) / time).toFixed(0)} % of the bound`;
  const peak = report.multiply_adds / (report.bound_ms * report.cores * 1e6);
  const rows = [
    [
      'load',
      formatMs(load.module_ms + load.model_ms),
      `module ${formatMs(load.module_ms)}, model ${formatMs(load.model_ms)}`,
    ],
    ['first run', formatMs(load.first_ms), ''],
    ['median', formatMs(network.median_ms), `${share(network.median_ms)}; ${plural(runs, 'warm run')}`],
    ['min', formatMs(network.min_ms), share(network.min_ms)],
    [
      'bound',
      formatMs(report.bound_ms),
      `${formatCount(report.multiply_adds)} multiply-adds at ${peak.toFixed(1)} G/s,`,
    ],
    ['', '', `the ${precision} peak measured on one core, times ${report.cores}`],
    ...(report.baseline ? baselineRows(report, report.baseline) : []),
  ];
  return [
    `${bold(printable(file))}  ${variant}, ${precision}, ${plural(threads, 'thread')}, Node ${node}, ${cpu}`,
    ...layOut(rows, 'lrl'),
    ...(withOperators ? ['', ...operatorLines(report.operators)] : []),
  ].join('\n');
}

/**
 * The times of XNNPACK's own kernels, and ours as fractions of them.
 * @param {Report} report
 * @param {Report['network']} baseline
 */
function baselineRows({ network, operators }, baseline) {
  const depthwise = operators.filter(({ operator }) => operator === 'DEPTHWISE_CONV_2D');
  const ours = depthwise.reduce((sum, { ms }) => sum + ms, 0);
  const theirs = depthwise.reduce((sum, { baseline_ms = 0 }) => sum + baseline_ms, 0);
  const fraction = (network.median_ms / baseline.median_ms).toFixed(3);
  return [
    ['baseline', formatMs(baseline.median_ms), `XNNPACK's own kernels: the median is ${fraction} of it`],
    ['', formatMs(baseline.min_ms), `min: ${(network.min_ms / baseline.min_ms).toFixed(3)} of it`],
    ...(theirs > 0
      ? [['depthwise', formatMs(ours), `${(ours / theirs).toFixed(3)} of the baseline's ${formatMs(theirs)}`]]
      : []),
  ];
}

/** @param {Report['operators']} operators */
function operatorLines(operators) {
  const total = operators.reduce((sum, { ms }) => sum + ms, 0);
  const rows = operators
    .slice(0, SHOWN_OPERATORS)
    .map(({ operator, output, shape, multiply_adds, ms, baseline_ms }) => [
      operator,
      `[${shape.join(', ')}]`,
      formatMs(ms),
      formatPercent(ms / total),
      ms > 0 && multiply_adds > 0 ? `${(multiply_adds / ms / 1e6).toFixed(1)} G/s` : '',
      baseline_ms === undefined ? '' : formatMs(baseline_ms),
      printable(shortName(output)),
    ]);
  const baseline = operators.some((operator) => 'baseline_ms' in operator) ? 'baseline' : '';
  const [head, ...lines] = layOut(
    [['operator', 'output', 'time', 'share', 'speed', baseline, 'name'], ...rows],
    'llrrrrl',
  );
  return [dim(head), ...lines];
}

/** @param {number} ms */
function formatMs(ms) {
  return `${ms.toFixed(ms < 100 ? 2 : 0)} ms`;
}
