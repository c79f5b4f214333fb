// The network with two threads against one, in turns in the same process (Node 20 and 24) or page (Chromium, in a worker).
//   node bench/threads.js [--rounds N] [--json]
import { build } from 'esbuild';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ISOLATION } from '../tools/serve.js';
import { CHROMIUM, serveReports } from './browser.js';
import { median, min, ms, print, ratio, readArguments } from './measure.js';

const TARGET = 1.85;
const ROOT = fileURLToPath(new URL('../', import.meta.url));
const OUT = `${ROOT}build/bench/threads`;
const run = promisify(execFile);

/** @param {string} node */
async function measureNode(node) {
  const { stdout } = await run(`${ROOT}node_modules/${node}/bin/node`, [`${ROOT}bench/threads/process.js`]);
  return stdout;
}

async function openPage() {
  mkdirSync(OUT, { recursive: true });
  await build({
    entryPoints: [`${ROOT}bench/threads/page.js`],
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
  const [one, two] = [0, 1].map((i) => times.flatMap((round) => round[i]));
  return {
    title,
    one: { median_ms: median(one), min_ms: min(one) },
    two: { median_ms: median(two), min_ms: min(two) },
    gain: { median: median(one) / median(two), min: min(one) / min(two) },
  };
});
print(json, {
  title: 'Two threads against one',
  columns: ['', 'one: median, ms', 'min, ms', 'two: median, ms', 'min, ms', 'gain, medians', 'gain, minima'],
  rows: rows.map(({ title, one, two, gain }) => [
    title,
    ...[one, two].flatMap(({ median_ms, min_ms }) => [ms(median_ms), ms(min_ms)]),
    ...[gain.median, gain.min].map((value) => `**${ratio(value)}**`),
  ]),
  notes: [
    `target: at least ${TARGET}`,
    `${counts.rounds} fresh processes and pages, runs in turns; ${cpus().length} cores`,
  ],
  data: { rows },
});
