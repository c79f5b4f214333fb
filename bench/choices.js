// Network time with two threads and with the 8-bit model, compared with one thread in float. All three run in turns in
// one process (Node 20, which has no 8-bit dot products, and Node 24) or one page (Chromium, in a worker).
//   node bench/choices.js [--rounds N] [--json]
import { build } from 'esbuild';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ISOLATION } from '../tools/serve.js';
import { CHROMIUM, serveReports } from './browser.js';
import { median, min, ms, print, ratio, readArguments } from './measure.js';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const OUT = `${ROOT}build/bench/choices`;
const run = promisify(execFile);

/** @param {string} node */
async function measureNode(node) {
  const { stdout } = await run(`${ROOT}node_modules/${node}/bin/node`, [`${ROOT}bench/choices/process.js`]);
  return stdout;
}

async function openPage() {
  mkdirSync(OUT, { recursive: true });
  await build({
    entryPoints: [`${ROOT}bench/choices/page.js`],
    ...{ bundle: true, format: 'esm', outfile: `${OUT}/page.js`, external: ['ocelli'], logLevel: 'error' },
  });
  const imports = JSON.stringify({ imports: { ocelli: '/ocelli/dist/web/browser.js' } });
  writeFileSync(
    `${OUT}/index.html`,
    `<!doctype html><script type="importmap">${imports}</script><script type="module" src="page.js"></script>`,
  );
  const roots = { '/': OUT, '/ocelli/': `${ROOT}build/package` };
  const { visit, close } = await serveReports({ roots, headers: ISOLATION });
  return { measure: async () => decodeURIComponent((await visit('/'))[1]), close };
}

const { json, counts } = readArguments({ rounds: 5 });
const page = existsSync(CHROMIUM) ? await openPage() : undefined;
const hosts = [
  { title: 'Node 20', measure: () => measureNode('node-20') },
  { title: 'Node 24', measure: () => measureNode('node-24') },
  ...(page ? [{ title: 'Chromium', measure: page.measure }] : []),
].map((host) => ({ ...host, times: /** @type {number[][][]} */ ([]) }));
for (let round = 0; round < counts.rounds; round++)
  for (const host of hosts) host.times.push(JSON.parse(await host.measure()));
page?.close();

const rows = hosts.map(({ title, times }) => {
  const [one, two, int8] = [0, 1, 2].map((i) => times.flatMap((round) => round[i]));
  return {
    title,
    ...{ one: summarize(one), two: summarize(two), int8: summarize(int8) },
    gain_of_two: { median: median(one) / median(two), min: min(one) / min(two) },
    int8_of_float: { median: median(int8) / median(one), min: min(int8) / min(one) },
  };
});

/** @param {number[]} times */
function summarize(times) {
  return { median_ms: median(times), min_ms: min(times) };
}

/** @param {ReturnType<typeof summarize>} time */
const both = ({ median_ms, min_ms }) => `${ms(median_ms)} (${ms(min_ms)})`;
/** @param {{median: number, min: number}} gain */
const ratios = (gain) => `**${ratio(gain.median)}** (${ratio(gain.min)})`;
print(json, {
  title: 'Two threads, and 8 bits',
  columns: [
    'medians (minima)',
    'float, ms',
    'two threads, ms',
    'int8, ms',
    'gain of two threads',
    'int8 / float',
  ],
  rows: rows.map(({ title, one, two, int8, gain_of_two, int8_of_float }) => [
    title,
    ...[one, two, int8].map(both),
    ...[gain_of_two, int8_of_float].map(ratios),
  ]),
  notes: [
    'targets: a gain of at least 1.85; int8 / float at most 0.45 where 8-bit dot products are fast (not in Node 20)',
    `${counts.rounds} fresh processes and pages, runs interleaved; ${cpus().length} cores`,
  ],
  data: { rows },
});
