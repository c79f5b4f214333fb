// Compares ocelli with other engines on the same network and input, one thread each, in Chromium, Firefox, WebKit and Node.
// Each instance has a browser or process of its own; they run interleaved in random order. --write puts table and chart into
// docs/benchmarks.md and docs/benchmarks.svg. With more threads: only the engines that take them, in Chromium.
//   node bench/peers.js [--rounds N] [--threads N] [--json] [--write]
import { build } from 'esbuild';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { ISOLATION } from '../tools/serve.js';
import { BROWSERS, CHROMIUM, serveReports } from './browser.js';
import { barPlot } from '../wasm/report/svg.js';
import { median, min, MODEL, ms, ratio, SHARED, shuffle } from './measure.js';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const OUT = `${ROOT}build/bench/peers`;
const NODE = `${ROOT}node_modules/node-24/bin/node`;
const HEADS = `${SHARED}/heads/pets`;
const PAGE = `${ROOT}docs/benchmarks.md`;
const CHART = `${ROOT}docs/benchmarks.svg`;
const MARKERS = ['<!-- peers: written by bench/peers.js -->', '<!-- peers: end -->'];
const PACKAGES = `${ROOT}node_modules`;

/** `wasm`: folder of the engine's .wasm files; `inNode`: whether it runs in Node (tfjs-tflite needs a page). */
const ENGINES = {
  ocelli: { title: 'ocelli', wasm: `${ROOT}dist`, inNode: true },
  litert: { title: 'LiteRT.js', package: '@litertjs/core', wasm: '/wasm', inNode: true },
  tflite: { title: 'tfjs-tflite', package: '@tensorflow/tfjs-tflite', wasm: '/wasm', inNode: false },
  tfjs: {
    ...{ title: 'TensorFlow.js wasm', package: '@tensorflow/tfjs-backend-wasm' },
    ...{ wasm: '/dist', inNode: true },
  },
  onnx: { title: 'onnxruntime-web', package: 'onnxruntime-web', wasm: '/dist', inNode: true },
};
/** @typedef {keyof typeof ENGINES} Name */
const NAMES = /** @type {Name[]} */ (Object.keys(ENGINES));

/** @param {Name} name */
function wasmOf(name) {
  const engine = ENGINES[name];
  return 'package' in engine ? `${PACKAGES}/${engine.package}${engine.wasm}` : engine.wasm;
}

/** @param {Name} name */
function titleOf(name) {
  const engine = ENGINES[name];
  if (!('package' in engine)) return engine.title;
  const { version } = JSON.parse(readFileSync(`${PACKAGES}/${engine.package}/package.json`, 'utf8'));
  return `${engine.title} ${version}`;
}

async function buildPages() {
  for (const name of NAMES) {
    await build({
      entryPoints: [`${ROOT}bench/pages/peer.js`],
      alias: {
        engine: `${ROOT}bench/peers/${name}.js`,
        ocelli: `${ROOT}build/package/dist/web/browser.js`,
        // Its ES modules lack one file; this bundle contains it.
        '@tensorflow/tfjs-tflite': `${PACKAGES}/@tensorflow/tfjs-tflite/dist/tf-tflite.fesm.js`,
      },
      ...{ bundle: true, minify: true, format: 'esm', outfile: `${OUT}/${name}/page.js`, logLevel: 'error' },
      external: [
        ...['@tgwf/co2/data', 'node:*', 'fs', 'path', 'worker_threads', 'perf_hooks', 'os'],
        ...['util', 'crypto'],
      ],
    });
    const head = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">';
    writeFileSync(`${OUT}/${name}/index.html`, `${head}<script type="module" src="page.js"></script>`);
  }
}

/**
 * @param {string} report
 * @returns {number[]}
 */
function readTimes(report) {
  const times = JSON.parse(report);
  if (!Array.isArray(times)) throw new Error(times);
  return times;
}

/** Runs before it is timed: what JavaScriptCore compiles is fast only after many. */
const WARM_UP_RUNS = { chromium: 8, firefox: 8, webkit: 300 };

/** @type {Name[]} */
const THREADED = ['ocelli', 'litert'];

/**
 * @param {keyof typeof BROWSERS} name
 * @param {number} [threads]
 */
async function openBrowser(name, threads = 1) {
  const wasm = NAMES.map((name) => [`/wasm/${name}/`, wasmOf(name)]);
  const { visit, close } = await serveReports({
    roots: { '/': OUT, '/dist/': `${ROOT}build/package/dist`, ...Object.fromEntries(wasm) },
    browser: BROWSERS[name],
    headers: threads > 1 ? ISOLATION : {},
  });
  return {
    title: BROWSERS[name].title,
    names: threads > 1 ? THREADED : NAMES,
    /** @param {Name} engine */
    measure: async (engine) =>
      readTimes((await visit(`/${engine}/index.html?${WARM_UP_RUNS[name]},${threads}`)).join('/')),
    close,
  };
}

function openNode() {
  const run = promisify(execFile);
  return {
    title: 'Node 24',
    names: NAMES.filter((name) => ENGINES[name].inNode),
    /** @param {Name} name */
    async measure(name) {
      const wasm = name === 'onnx' ? `file://${wasmOf(name)}/` : `${wasmOf(name)}/`;
      const { stdout } = await run(NODE, [`${ROOT}bench/peers/process.js`, name, wasm]);
      return readTimes(stdout.trim().split('\n').at(-1) ?? '');
    },
    close: () => {},
  };
}

/**
 * An instance of another engine may fail, as some do now and then in WebKit: it is counted and left out.
 * @param {Awaited<ReturnType<typeof openBrowser>>} host
 * @param {number} rounds
 */
async function measureHost({ title, names, measure, close }, rounds) {
  const instances = names.map((name) => ({ name, times: /** @type {number[][]} */ ([]) }));
  try {
    for (let round = 0; round < rounds; round++) {
      process.stderr.write(`  ${title}: round ${round + 1} of ${rounds}\n`);
      for (const { name, times } of shuffle(instances)) {
        try {
          times.push(await measure(name));
        } catch (error) {
          if (name === 'ocelli') throw error;
          process.stderr.write(`  ${titleOf(name)}: ${error}\n`);
        }
      }
    }
  } finally {
    close();
  }
  const rows = instances
    .filter(({ times }) => times.length > 0)
    .map(({ name, times }) => ({
      engine: titleOf(name),
      failed: rounds - times.length,
      median_ms: median(times.map(median)),
      min_ms: min(times.flat()),
    }));
  return { title, rows };
}

/** @param {{engine: string, failed: number}} row */
const nameRow = ({ engine, failed }) => (failed > 0 ? `${engine} (${failed} of ${rounds} failed)` : engine);

/** @param {Awaited<ReturnType<typeof measureHost>>} host */
function toTable({ title, rows }) {
  const [ours] = rows;
  return [
    `| ${title} | median, ms | min, ms | ocelli / engine, medians | ocelli / engine, minima |`,
    '| --- | --- | --- | --- | --- |',
    ...rows.map(
      (row) =>
        `| ${nameRow(row)} | ${ms(row.median_ms)} | ${ms(row.min_ms)} | ${ratio(ours.median_ms / row.median_ms)} | ${ratio(ours.min_ms / row.min_ms)} |`,
    ),
    '',
  ];
}

/** @param {Awaited<ReturnType<typeof measureHost>>[]} hosts the first row of each is ocelli's */
function drawChart(hosts) {
  const groups = hosts.map(({ title, rows }) => ({
    title,
    bars: rows.map(({ engine, min_ms }) => ({ name: engine, value: min_ms })),
  }));
  return barPlot('One detection, ms (minimum)', groups, { accent: 0 });
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '8' },
    threads: { type: 'string', default: '1' },
    json: { type: 'boolean' },
    write: { type: 'boolean' },
  },
});
const rounds = Number(values.rounds);
const threads = Number(values.threads);
for (const [name, count] of Object.entries({ rounds, threads }))
  if (!(Number.isInteger(count) && count > 0)) throw new Error(`--${name} must be an integer above 0`);
if (threads > 1 && values.write) throw new Error('--write is for one thread');
if (![CHROMIUM, `${HEADS}.input.bin`].every(existsSync)) {
  console.log(values.json ? '{}' : `Peers: skipped, no ${CHROMIUM} or ${HEADS}.input.bin`);
  process.exit();
}
for (const name of NAMES) mkdirSync(`${OUT}/${name}`, { recursive: true });
writeFileSync(`${OUT}/model`, readFileSync(MODEL));
for (const part of ['input', 'boxes', 'scores'])
  writeFileSync(`${OUT}/${part}`, readFileSync(`${HEADS}.${part}.bin`));

const [loadBefore] = loadavg();
await buildPages();
const hosts = [];
if (threads > 1) hosts.push(await measureHost(await openBrowser('chromium', threads), rounds));
else {
  for (const name of /** @type {(keyof typeof BROWSERS)[]} */ (Object.keys(BROWSERS)))
    if (existsSync(BROWSERS[name].program)) hosts.push(await measureHost(await openBrowser(name), rounds));
  hosts.push(await measureHost(openNode(), rounds));
}
const date = new Date().toISOString().slice(0, 10);
const cpu = cpus()[0]?.model ?? 'unknown';
const markdown = [
  `${date}, ${cpu}, ${threads > 1 ? `${threads} threads` : 'one thread'}, ${rounds} fresh instances of each, interleaved. The median is that of the instances' medians. ${cpus().length} cores; load average ${loadBefore.toFixed(1)} before and ${loadavg()[0].toFixed(1)} after, of which the benchmark causes ${threads}.`,
  '',
  ...hosts.flatMap(toTable),
].join('\n');
console.log(values.json ? JSON.stringify({ date, cpu, rounds, hosts }) : markdown);
if (values.write) {
  const [before, after] = [0, 1].map((side) => readFileSync(PAGE, 'utf8').split(MARKERS[side])[side]);
  writeFileSync(PAGE, `${before}${MARKERS[0]}\n\n${markdown}\n${MARKERS[1]}${after}`);
  writeFileSync(CHART, drawChart(hosts));
}
