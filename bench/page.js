// Time from the start of a page to its first detections in Chromium: ocelli, LiteRT.js and TensorFlow.js (wasm) with
// the same network and photo, and the bytes that each loads; and ocelli with two threads. Each run has a fresh browser with
// an empty cache; runs are interleaved in random order.
//   node bench/page.js [--rounds N] [--json]
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { serveReports } from './browser.js';
import { ISOLATION } from '../tools/serve.js';
import { median, min, ms, print, ratio, readArguments, shuffle } from './measure.js';
import { buildSite, ENGINES, findMissing, NAMES, OUT, readReport, roots } from './site.js';

const TARGET = 0.5;
const THREADS_TARGET = 1.1;

/** @typedef {import('./site.js').Name} Name */

/**
 * @param {(path: string) => Promise<string[]>} visit
 * @param {Name} name
 * @param {string} [query] of its page
 */
async function start(visit, name, query = '') {
  return readReport(name, await visit(`/settle.html#/${name}.html${query}`));
}

const { json, counts } = readArguments({ rounds: 10 });
if (findMissing()) {
  console.log(json ? '{}' : `Page start: skipped, no ${findMissing()}`);
  process.exit();
}
await buildSite();
/** @type {Set<string>} */
const requested = new Set();
const { visit, close } = await serveReports({
  roots,
  headers: ISOLATION, // which threads need
  onRequest: (path) => requested.add(path),
});

/** @type {Record<Name, number>} gzipped, without the weights and the photo */
const codeBytes = { ocelli: 0, litert: 0, tfjs: 0 };
for (const name of ENGINES) {
  requested.clear();
  await start(visit, name);
  for (const path of requested) {
    if (/^\/(photo|model|settle.html)$|\.(bin|gz)$/.test(path)) continue;
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
/** @type {number[]} */
const threaded = [];
for (let round = 0; round < counts.rounds; round++) {
  for (const name of shuffle([...ENGINES, undefined])) {
    if (name) times[name].push(await start(visit, name));
    else threaded.push(await start(visit, 'ocelli', '?threads=2'));
  }
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
const threadRatios = {
  median: median(threaded) / median(times.ocelli),
  min: min(threaded) / min(times.ocelli),
};
const kilobytes = (/** @type {number} */ bytes) => `${(bytes / 1024).toFixed(0)} KB`;
print(json, {
  title: 'Page start to first detections, Chromium, nothing cached',
  columns: ['', 'median, ms', 'min, ms', 'code, gzipped'],
  rows: [
    ...peers.map((peer) => [
      `**ocelli / ${NAMES[peer]}**`,
      ...Object.values(ratios[peer]).map((value) => `**${ratio(value)}**`),
    ]),
    [
      '**two threads / one thread**',
      `**${ratio(threadRatios.median)}**`,
      `**${ratio(threadRatios.min)}**`,
      '',
    ],
    ...ENGINES.map((name) => [
      NAMES[name],
      ms(median(times[name])),
      ms(min(times[name])),
      kilobytes(codeBytes[name]),
    ]),
    ['ocelli, two threads', ms(median(threaded)), ms(min(threaded)), ''],
  ],
  notes: [
    `target: a ratio of at most ${TARGET} to each, and of at most ${THREADS_TARGET} for two threads (medians)`,
    `${counts.rounds} fresh browsers each; ocelli decodes the JPEG itself, for the others the browser decodes it, and plain JavaScript decodes their heads; each page is one script bundled by esbuild, with the engine's wasm and the weights (ocelli: 2.6 MB; the others: 10 MB, float16) as further files`,
  ],
  data: { ratios, threadRatios, times, threaded, codeBytes },
});
