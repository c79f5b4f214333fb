// Time from import to first result in fresh Node processes, interleaved in random order: ocelli with a photo's bytes
// compared with LiteRT.js, which decodes no images and gets a prepared tensor.
//   node bench/startup.js [--rounds N] [--json]
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { median, min, ms, print, ratio, readArguments, SHARED, shuffle } from './measure.js';

/**
 * @typedef {object} Start
 * @property {number} ms from import to first result
 * @property {number} processMs from spawn to exit
 * @property {number} memoryBytes
 * @property {unknown} result
 */

const TARGET = 0.5;
const NODE = fileURLToPath(new URL('../node_modules/node-24/bin/node', import.meta.url));
const PHOTO = `${SHARED}/photos/pets.jpg`;
const ENGINES = /** @type {const} */ (['ocelli', 'litert']);
const run = promisify(execFile);

/**
 * @param {typeof ENGINES[number]} name
 * @returns {Promise<Start>}
 */
async function start(name) {
  const script = fileURLToPath(new URL(`startup/${name}.js`, import.meta.url));
  const before = performance.now();
  const { stdout } = await run(NODE, [script, PHOTO]);
  const processMs = performance.now() - before;
  return { ...JSON.parse(stdout), processMs };
}

/**
 * URLs of a module and of everything it imports by relative specifiers.
 * @param {URL} url
 * @param {Set<string>} [seen]
 */
async function withImports(url, seen = new Set()) {
  if (seen.has(url.href)) return seen;
  seen.add(url.href);
  const imports = (await readFile(url, 'utf8')).matchAll(/^(?:import|export|\}) .*?'(\.[^']+)';/gm);
  for (const [, specifier] of imports) await withImports(new URL(specifier, url), seen);
  return seen;
}

/** Gzipped size of the code that each engine loads, without the model. */
async function codeBytes() {
  const root = new URL('../', import.meta.url);
  const litert = new URL('node_modules/@litertjs/', root);
  const files = {
    ocelli: [
      new URL('dist/ocelli-relaxed.wasm', root).href,
      ...(await withImports(new URL('wasm/platform/node.js', root))),
    ],
    litert: [
      'core/wasm/litert_wasm_internal.wasm',
      'core/wasm/litert_wasm_internal.js',
      'core/dist/index.js',
      'wasm-utils/dist/index.js',
    ].map((name) => new URL(name, litert).href),
  };
  const size = async (/** @type {string[]} */ urls) => {
    const sizes = urls.map(async (url) => gzipSync(await readFile(new URL(url)), { level: 9 }).length);
    return (await Promise.all(sizes)).reduce((sum, bytes) => sum + bytes, 0);
  };
  return { ocelli: await size(files.ocelli), litert: await size(files.litert) };
}

const { json, counts } = readArguments({ rounds: 10 });
if (!existsSync(PHOTO)) {
  console.log(json ? '{}' : `Start-up: skipped, no ${PHOTO}`);
  process.exit();
}
/** @type {Record<typeof ENGINES[number], Start[]>} */
const starts = { ocelli: [], litert: [] };
for (const name of ENGINES) await start(name); // put both engines' files into the system's cache
for (let round = 0; round < counts.rounds; round++) {
  for (const name of shuffle(ENGINES)) starts[name].push(await start(name));
}

const bytes = await codeBytes();
/** @param {typeof ENGINES[number]} name */
const summarize = (name) => ({
  median: median(starts[name].map(({ ms }) => ms)),
  min: min(starts[name].map(({ ms }) => ms)),
  processMedian: median(starts[name].map(({ processMs }) => processMs)),
  gzippedBytes: bytes[name],
  memoryBytes: starts[name][0].memoryBytes,
});
const ocelli = summarize('ocelli');
const litert = summarize('litert');
const ratios = {
  median: ocelli.median / litert.median,
  min: ocelli.min / litert.min,
  process: ocelli.processMedian / litert.processMedian,
  gzipped: ocelli.gzippedBytes / litert.gzippedBytes,
  memory: ocelli.memoryBytes / litert.memoryBytes,
};
/**
 * @param {string} name
 * @param {ReturnType<typeof summarize>} figures
 */
const row = (name, figures) => [
  name,
  ms(figures.median),
  ms(figures.min),
  ms(figures.processMedian),
  `${(figures.gzippedBytes / 1024).toFixed(0)} KB`,
  `${(figures.memoryBytes / 2 ** 20).toFixed(1)} MiB`,
];
print(json, {
  title: 'Load to first result, fresh Node 24 processes',
  columns: ['', 'median, ms', 'min, ms', 'whole process, median, ms', 'code, gzipped', 'wasm memory'],
  rows: [
    ['**ocelli / LiteRT.js**', ...Object.values(ratios).map((value) => `**${ratio(value)}**`)],
    row('ocelli', ocelli),
    row('LiteRT.js 2.5.3', litert),
  ],
  notes: [
    `target: at most ${TARGET} (from import to first result)`,
    `${counts.rounds} processes each; ocelli: JPEG to boxes; LiteRT.js: prepared tensor to raw heads`,
  ],
  data: { ratios, ocelli, litert },
});
