// Time from the start of a page to its first detections on lines of 9, 20 and 50 Mbit/s with 40 ms of latency (DevTools'
// throttling), from a server that compresses everything with gzip and from one that compresses nothing: ocelli,
// LiteRT.js and TensorFlow.js (wasm), interleaved in random order, each time with an empty cache.
//   node bench/line.js [--rounds N] [--json]
import { chromium } from 'playwright-core';
import { startServer } from '../tools/serve.js';
import { CHROMIUM } from './browser.js';
import { median, print, ratio, readArguments, shuffle } from './measure.js';
import { buildSite, ENGINES, findMissing, NAMES, readReport, roots } from './site.js';

/** @typedef {import('./site.js').Name} Name */

const LINES_MBIT = [9, 20, 50];
const LATENCY_MS = 40;
const TIMEOUT_MS = 120_000;
const SERVERS = { gzip: true, plain: false };
/** The most that ocelli's time may be of another's at 20 Mbit/s. */
const TARGETS = { gzip: { tfjs: 0.5, litert: 0.4 }, plain: { tfjs: 0.35, litert: 0.25 } };

/** @param {boolean} gzips */
async function serve(gzips) {
  /** @type {(parts: string[]) => void} */
  let onReport = () => {};
  const server = await startServer({
    roots,
    compresses: gzips && 'everything',
    keeps: true,
    onRequest(path) {
      const [, kind, ...parts] = path.split('/');
      if (kind === 'report') onReport(parts);
    },
  });
  const nextReport = () =>
    new Promise((/** @type {(parts: string[]) => void} */ resolve, reject) => {
      onReport = resolve;
      setTimeout(reject, TIMEOUT_MS, new Error(`no report within ${TIMEOUT_MS} ms`)).unref();
    });
  return { ...server, nextReport };
}

/**
 * @param {Awaited<ReturnType<typeof serve>>} server
 * @param {Name} name
 * @param {number} mbit
 */
async function start({ url, nextReport }, name, mbit) {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
  });
  try {
    const page = await browser.newPage();
    const session = await page.context().newCDPSession(page);
    const throughput = (mbit * 1e6) / 8;
    await session.send('Network.enable');
    await session.send('Network.emulateNetworkConditions', {
      ...{ offline: false, latency: LATENCY_MS },
      ...{ downloadThroughput: throughput, uploadThroughput: throughput },
    });
    const [report] = await Promise.all([nextReport(), page.goto(`${url}/${name}.html`)]);
    return readReport(name, report);
  } finally {
    await browser.close();
  }
}

const { json, counts } = readArguments({ rounds: 3 });
if (findMissing()) {
  console.log(json ? '{}' : `Page start on a line: skipped, no ${findMissing()}`);
  process.exit();
}
await buildSite();
const servers = { gzip: await serve(SERVERS.gzip), plain: await serve(SERVERS.plain) };
const cases = LINES_MBIT.flatMap((mbit) =>
  /** @type {(keyof typeof SERVERS)[]} */ (Object.keys(SERVERS)).map((server) => ({
    ...{ mbit, server },
    times: /** @type {Record<Name, number[]>} */ ({ ocelli: [], litert: [], tfjs: [] }),
  })),
);
// Compresses each file once.
for (const server of Object.values(servers)) for (const name of ENGINES) await start(server, name, 1000);
for (let round = 0; round < counts.rounds; round++)
  for (const { mbit, server, times } of shuffle(cases))
    for (const name of shuffle(ENGINES)) times[name].push(await start(servers[server], name, mbit));
for (const { close } of Object.values(servers)) close();

const seconds = (/** @type {number[]} */ times) => `${(median(times) / 1000).toFixed(2)} s`;
const ratioTo = (/** @type {Record<Name, number[]>} */ times, /** @type {Name} */ peer) =>
  ratio(median(times.ocelli) / median(times[peer]));
print(json, {
  title: `Page start to first detections on a line with ${LATENCY_MS} ms`,
  columns: [
    'server, line',
    ...ENGINES.map((name) => NAMES[name]),
    'ocelli / TensorFlow.js',
    'ocelli / LiteRT.js',
  ],
  rows: cases.map(({ mbit, server, times }) => [
    `${server === 'gzip' ? 'gzip for everything' : 'no compression'}, ${mbit} Mbit/s`,
    ...ENGINES.map((name) => seconds(times[name])),
    ratioTo(times, 'tfjs'),
    ratioTo(times, 'litert'),
  ]),
  notes: [
    `medians of ${counts.rounds} fresh browsers each`,
    `targets at 20 Mbit/s: ${Object.entries(TARGETS)
      .map(([server, { tfjs, litert }]) => `${server} ${tfjs} and ${litert}`)
      .join('; ')}`,
  ],
  data: { cases },
});
