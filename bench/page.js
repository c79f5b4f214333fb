// From a page's start to the first result in Chromium, nothing cached, a fresh browser each time: ocelli, LiteRT.js and
// TensorFlow.js (wasm), the same network and photo. Interleaved in random order, with the bytes that each loads.
//   node bench/page.js [--rounds N] [--json]
import { build } from 'esbuild';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { startServer } from '../tools/serve.js';
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
const CHROMIUM = '/usr/bin/chromium';
const ENGINES = /** @type {const} */ (['ocelli', 'litert', 'tfjs']);
const NAMES = { ocelli: 'ocelli', litert: 'LiteRT.js 2.5.3', tfjs: 'TensorFlow.js 4.22, wasm' };
/** What the photo shows: labels, or the numbers of the same classes. */
const EXPECTED = { ocelli: /^Dog/, litert: /\b20\b/, tfjs: /\b20\b/ };

/** @typedef {typeof ENGINES[number]} Name */

async function buildSite() {
  mkdirSync(`${OUT}/tfjs`, { recursive: true });
  cpSync(`${ROOT}build/package`, `${OUT}/ocelli`, { recursive: true });
  const { model, weights } = toTensorFlowJs(await readModel());
  writeFileSync(`${OUT}/tfjs/model.json`, JSON.stringify(model));
  writeFileSync(`${OUT}/tfjs/weights.bin`, weights);
  cpSync(PHOTO, `${OUT}/photo`);
  cpSync(MODEL, `${OUT}/model`);
  cpSync(`${ROOT}bench/pages/ocelli.js`, `${OUT}/ocelli.js`);
  await build({
    entryPoints: ['litert', 'tfjs'].map((name) => `${ROOT}bench/pages/${name}.js`),
    ...{ bundle: true, minify: true, format: 'esm', outdir: OUT, logLevel: 'error' },
    external: ['node:*', 'fs', 'path', 'worker_threads', 'perf_hooks', 'os', 'util', 'crypto'],
  });
  const map = '<script type="importmap">{"imports":{"ocelli":"/ocelli/dist/web/browser.js"}}</script>';
  for (const name of ENGINES) {
    const head = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">${name === 'ocelli' ? map : ''}`;
    writeFileSync(`${OUT}/${name}.html`, `${head}<script type="module" src="/${name}.js"></script>`);
  }
}

/**
 * @param {string} url
 * @param {Name} name
 */
async function start(url, name) {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  });
  try {
    const page = await browser.newPage();
    await page.goto(`${url}/${name}.html`);
    const handle = await page.waitForFunction(() => /** @type {any} */ (globalThis).report, null, {
      polling: 50,
    });
    const report = /** @type {{ms: number, result: string}} */ (await handle.jsonValue());
    if (!EXPECTED[name].test(report.result)) throw new Error(`${name} found ${report.result}`);
    return report;
  } finally {
    await browser.close();
  }
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
const server = await startServer({ roots, onRequest: (path) => requested.add(path) });

/** @type {Record<Name, number>} gzipped, without the weights and the photo */
const codeBytes = { ocelli: 0, litert: 0, tfjs: 0 };
for (const name of ENGINES) {
  requested.clear();
  await start(server.url, name);
  for (const path of requested) {
    if (/^\/(photo|model)$|\.bin$/.test(path)) continue;
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
  for (const name of shuffle(ENGINES)) times[name].push((await start(server.url, name)).ms);
}
server.close();

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
  title: 'Page start to first result, Chromium, nothing cached',
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
    `target: at most ${TARGET} of each (median)`,
    `${counts.rounds} fresh browsers each; ocelli decodes the JPEG itself and gives boxes, the others get it from the browser and stop at the raw heads; each loads 10 MB of float16 weights beside its code`,
  ],
  data: { ratios, times, codeBytes },
});
