// Time from the start of a page to its first detections in Chromium: ocelli, LiteRT.js and TensorFlow.js (wasm) with
// the same network and photo, and the bytes that each loads. Each run has a fresh browser with an empty cache; runs are
// interleaved in random order.
//   node bench/page.js [--rounds N] [--json]
import { build } from 'esbuild';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { CHROMIUM, serveReports } from './browser.js';
import {
  median,
  min,
  MODEL,
  ms,
  print,
  ratio,
  readArguments,
  readModel,
  SHARED,
  shuffle,
} from './measure.js';
import { toTensorFlowJs } from './tfjs_model.js';

const TARGET = 0.5;
const ROOT = fileURLToPath(new URL('../', import.meta.url));
const OUT = `${ROOT}build/bench/page`;
const PHOTO = `${SHARED}/photos/pets.jpg`;
const SETTLE_MS = 1500;
const ENGINES = /** @type {const} */ (['ocelli', 'litert', 'tfjs']);
const NAMES = { ocelli: 'ocelli', litert: 'LiteRT.js 2.5.3', tfjs: 'TensorFlow.js 4.22, wasm' };
/** The expected detections, two dogs: labels, or column numbers. */
const EXPECTED = { ocelli: 'Dog,Dog', litert: '20,20', tfjs: '20,20' };

/** @typedef {typeof ENGINES[number]} Name */

async function buildSite() {
  mkdirSync(`${OUT}/tfjs`, { recursive: true });
  cpSync(`${ROOT}build/package/dist`, `${OUT}/dist`, { recursive: true });
  const { model, weights } = toTensorFlowJs(await readModel());
  writeFileSync(`${OUT}/tfjs/model.json`, JSON.stringify(model));
  writeFileSync(`${OUT}/tfjs/weights.bin`, weights);
  cpSync(PHOTO, `${OUT}/photo`);
  cpSync(MODEL, `${OUT}/model`);
  await build({
    entryPoints: ENGINES.map((name) => `${ROOT}bench/pages/${name}.js`),
    alias: { ocelli: `${ROOT}build/package/dist/web/browser.js` },
    ...{ bundle: true, minify: true, format: 'esm', outdir: OUT, logLevel: 'error' },
    external: [
      '@tgwf/co2/data',
      'node:*',
      'fs',
      'path',
      'worker_threads',
      'perf_hooks',
      'os',
      'util',
      'crypto',
    ],
  });
  const head = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">';
  // Wait until the browser has started before opening the page.
  const settle = `<script>setTimeout(() => location.replace(location.hash.slice(1)), ${SETTLE_MS})</script>`;
  writeFileSync(`${OUT}/settle.html`, `${head}${settle}`);
  for (const name of ENGINES)
    writeFileSync(`${OUT}/${name}.html`, `${head}<script type="module" src="/${name}.js"></script>`);
}

/**
 * @param {(path: string) => Promise<string[]>} visit
 * @param {Name} name
 */
async function start(visit, name) {
  const [ms, result] = await visit(`/settle.html#/${name}.html`);
  if (result !== EXPECTED[name]) throw new Error(`${name} found ${result}`);
  return Number(ms);
}

const { json, counts } = readArguments({ rounds: 10 });
if (![PHOTO, CHROMIUM].every(existsSync)) {
  console.log(json ? '{}' : `Page start: skipped, no ${PHOTO} or ${CHROMIUM}`);
  process.exit();
}
await buildSite();
/** @type {Set<string>} */
const requested = new Set();
const roots = {
  '/': OUT,
  '/litert/': `${ROOT}node_modules/@litertjs/core/wasm`,
  '/tfjs-wasm/': `${ROOT}node_modules/@tensorflow/tfjs-backend-wasm/dist`,
};
const { visit, close } = await serveReports({ roots, onRequest: (path) => requested.add(path) });

/** @type {Record<Name, number>} gzipped, without the weights and the photo */
const codeBytes = { ocelli: 0, litert: 0, tfjs: 0 };
for (const name of ENGINES) {
  requested.clear();
  await start(visit, name);
  for (const path of requested) {
    if (/^\/(photo|model|settle.html)$|\.bin$/.test(path)) continue;
    const mount = Object.entries(roots).find(([prefix]) => prefix !== '/' && path.startsWith(prefix)) ?? [
      '/',
      OUT,
    ];
    codeBytes[name] += gzipSync(readFileSync(`${mount[1]}/${path.slice(mount[0].length)}`), {
      level: 9,
    }).length;
  }
}
/** @type {Record<Name, number[]>} */
const times = { ocelli: [], litert: [], tfjs: [] };
for (let round = 0; round < counts.rounds; round++) {
  for (const name of shuffle(ENGINES)) times[name].push(await start(visit, name));
}
close();

const peers = /** @type {const} */ (['litert', 'tfjs']);
const ratios = Object.fromEntries(
  peers.map((peer) => [
    peer,
    {
      median: median(times.ocelli) / median(times[peer]),
      min: min(times.ocelli) / min(times[peer]),
      gzipped: codeBytes.ocelli / codeBytes[peer],
    },
  ]),
);
const kilobytes = (/** @type {number} */ bytes) => `${(bytes / 1024).toFixed(0)} KB`;
print(json, {
  title: 'Page start to first detections, Chromium, nothing cached',
  columns: ['', 'median, ms', 'min, ms', 'code, gzipped'],
  rows: [
    ...peers.map((peer) => [
      `**ocelli / ${NAMES[peer]}**`,
      ...Object.values(ratios[peer]).map((value) => `**${ratio(value)}**`),
    ]),
    ...ENGINES.map((name) => [
      NAMES[name],
      ms(median(times[name])),
      ms(min(times[name])),
      kilobytes(codeBytes[name]),
    ]),
  ],
  notes: [
    `target: a ratio of at most ${TARGET} to each (medians)`,
    `${counts.rounds} fresh browsers each; ocelli decodes the JPEG itself, for the others the browser decodes it, and plain JavaScript decodes their heads; each page is one script bundled by esbuild, with the engine's wasm and 10 MB of float16 weights as further files`,
  ],
  data: { ratios, times, codeBytes },
});
