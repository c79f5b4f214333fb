// ocelli bench: a model file -> its load time, first run and warm runs on noise, beside what the machine can do at best.
import { availableParallelism, cpus } from 'node:os';
import {
  attempt,
  bold,
  dim,
  formatCount,
  layOut,
  plural,
  print,
  printable,
  readNumber,
  readThreads,
  roundMs,
  shortName,
} from './common.js';
import { DEFAULT_MODEL, loadModel } from './model.js';

/**
 * @typedef {import('../wasm/engine.js').Engine} Engine
 * @typedef {import('../wasm/engine.js').TensorInfo} TensorInfo
 * @typedef {Awaited<ReturnType<typeof measure>>} Report
 */

/** Engines compile hot functions anew in the background; the first runs are on the way there. */
const WARM_UP_RUNS = 5;
const PROFILED_RUNS = 11;
const SHOWN_OPERATORS = 12;
const SEED = 20261123;

/**
 * @param {import('./usage.js').Values<'bench'>} values
 * @param {string[]} files
 */
export async function run(values, [file]) {
  const options = {
    runs: readNumber('runs', values.runs, { min: 1, max: 1e6, integer: true }) ?? 50,
    threads: readThreads(values.threads),
    operators: values.operators ?? false,
  };
  const report = await attempt(file ?? DEFAULT_MODEL, () => measure(file, options));
  if (report) print(values.json ? JSON.stringify(report) : toText(report));
}

/**
 * @param {string | undefined} file
 * @param {{runs: number, threads: number, operators: boolean}} options
 */
async function measure(file, { runs, threads, operators }) {
  const { engine, variant, ms: load } = await loadModel(file, threads);
  try {
    engine.inputs.forEach((info, index) => {
      engine.writeInput(index, makeNoise(info));
    });
    const first = timeRun(engine);
    // The first measurement only gets the loop compiled well
    engine.measurePeak();
    for (let i = 0; i < WARM_UP_RUNS; i++) engine.run();
    const peakBefore = engine.measurePeak();
    const times = Array.from({ length: runs }, () => timeRun(engine));
    const peak = Math.max(peakBefore, engine.measurePeak()) * 1e9;
    const { multiplyAdds } = engine.network;
    const cores = Math.min(threads, availableParallelism());
    const bound = (multiplyAdds / (peak * cores)) * 1000;
    return {
      file,
      variant,
      threads,
      node: process.version,
      cpu: cpus()[0]?.model ?? 'unknown',
      runs,
      ms: {
        module: roundMs(load.module),
        model: roundMs(load.model),
        first: roundMs(first),
        median: roundMs(median(times)),
        min: roundMs(Math.min(...times)),
        bound: roundMs(bound),
      },
      multiplyAdds,
      peakMultiplyAddsPerSecond: Math.round(peak),
      cores,
      fractionOfBound: bound / median(times),
      ...(operators && { operators: profile(engine) }),
    };
  } finally {
    engine.close();
  }
}

/** @param {Engine} engine */
function timeRun(engine) {
  const start = performance.now();
  engine.run();
  return performance.now() - start;
}

/**
 * Each operator's median time, slowest first.
 * @param {Engine} engine
 */
function profile(engine) {
  const rounds = Array.from({ length: PROFILED_RUNS }, () => {
    engine.run(true);
    return engine.operators;
  });
  return rounds[0]
    .map((operator, i) => ({ ...operator, ms: roundMs(median(rounds.map((round) => round[i].ms))) }))
    .sort((a, b) => b.ms - a.ms);
}

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Reproducible noise in an input's dtype: [-1, 1) for floats, any byte for small integers, zero for others, which may
 * be indices or sizes.
 * @param {TensorInfo} info
 */
function makeNoise({ dtype, shape }) {
  const length = shape.reduce((product, size) => product * size, 1);
  const random = xorshift(SEED);
  switch (dtype) {
    case 'float32':
      return Float32Array.from({ length }, () => random() / 2 ** 31 - 1);
    case 'float16': // sign and fraction at random, exponent -1: of size 0.5 to 1
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

/** @param {Report} report */
function toText(report) {
  const {
    file = DEFAULT_MODEL,
    variant,
    threads,
    node,
    cpu,
    runs,
    ms,
    multiplyAdds,
    cores,
    operators,
  } = report;
  const peak = (report.peakMultiplyAddsPerSecond / 1e9).toFixed(1);
  /** @param {number} time */
  const share = (time) => `${((100 * ms.bound) / time).toFixed(0)} % of the bound`;
  const rows = [
    ['load', formatMs(ms.module + ms.model), `module ${formatMs(ms.module)}, model ${formatMs(ms.model)}`],
    ['first run', formatMs(ms.first), ''],
    ['median', formatMs(ms.median), `${share(ms.median)}; ${plural(runs, 'warm run')}`],
    ['min', formatMs(ms.min), share(ms.min)],
    ['bound', formatMs(ms.bound), `${formatCount(multiplyAdds)} multiply-adds at ${peak} G/s,`],
    ['', '', `the float peak measured on one core, times ${cores}`],
  ];
  return [
    `${bold(file)}  ${variant}, ${plural(threads, 'thread')}, Node ${node}, ${cpu}`,
    ...layOut(rows, 'lrl'),
    ...(operators ? ['', ...operatorLines(operators)] : []),
  ].join('\n');
}

/** @param {NonNullable<Report['operators']>} operators */
function operatorLines(operators) {
  const total = operators.reduce((sum, { ms }) => sum + ms, 0);
  const rows = operators
    .slice(0, SHOWN_OPERATORS)
    .map(({ operator, output, shape, multiplyAdds, ms }) => [
      operator,
      `[${shape.join(', ')}]`,
      formatMs(ms),
      `${((100 * ms) / total).toFixed(1)} %`,
      ms > 0 && multiplyAdds > 0 ? `${(multiplyAdds / ms / 1e6).toFixed(1)} G/s` : '',
      printable(shortName(output)),
    ]);
  const [head, ...lines] = layOut(
    [['operator', 'output', 'time', 'share', 'speed', 'name'], ...rows],
    'llrrrl',
  );
  return [dim(head), ...lines];
}

/** @param {number} ms */
function formatMs(ms) {
  return `${ms.toFixed(ms < 100 ? 2 : 0)} ms`;
}
