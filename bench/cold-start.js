// Cold start of a Cloudflare Worker: time from starting workerd to the first detection, compared with an empty Worker
// and with warm detections in the same process.
//   node bench/cold-start.js [--rounds N] [--json]
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Miniflare } from 'miniflare';
import { COMPATIBILITY_DATE, dryRun, readModules } from '../tools/edge.js';
import { median, min, ms, print, readArguments, readShared, shuffle } from './measure.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const WARM_RUNS = 20;
const RUNS_ALLOWED = 6;
const ALLOWED_MS = 200;
const SOURCES = {
  empty: `export default { fetch: async (request) => Response.json((await request.arrayBuffer()).byteLength) };`,
  ocelli: `
import { ObjectDetector } from 'ocelli';
const detector = await ObjectDetector.create();
export default { fetch: async (request) => Response.json(await detector.detect(await request.arrayBuffer())) };`,
};

/** @typedef {keyof typeof SOURCES} Name */

/** @param {Name} name */
async function bundle(name) {
  const folder = join(ROOT, 'build/bench/cold-start', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  symlinkSync(join(ROOT, 'build/package'), join(folder, 'node_modules/ocelli'));
  writeFileSync(join(folder, 'index.js'), SOURCES[name]);
  const config = { name, main: 'index.js', compatibility_date: COMPATIBILITY_DATE };
  writeFileSync(join(folder, 'wrangler.json'), JSON.stringify(config));
  return readModules((await dryRun(folder)).out);
}

/**
 * @param {Awaited<ReturnType<typeof bundle>>} modules
 * @param {Uint8Array} photo
 */
async function measure(modules, photo) {
  const start = performance.now();
  const worker = new Miniflare({ modules, compatibilityDate: COMPATIBILITY_DATE });
  const ask = async () => {
    const response = await fetch(await worker.ready, { method: 'POST', body: new Uint8Array(photo) });
    return response.json();
  };
  await ask();
  const cold = performance.now() - start;
  const warm = [];
  for (let i = 0; i < WARM_RUNS; i++) {
    const before = performance.now();
    await ask();
    warm.push(performance.now() - before);
  }
  await worker.dispose();
  return { cold, warm: median(warm.slice(WARM_RUNS / 2)) };
}

const { json, counts } = readArguments({ rounds: 7 });
const photo = await readShared('photos/pets.jpg');
if (!photo) {
  console.log(json ? '{}' : 'Cold start: skipped, no photo');
  process.exit();
}
const names = /** @type {Name[]} */ (Object.keys(SOURCES));
const modules = { empty: await bundle('empty'), ocelli: await bundle('ocelli') };
/** @type {Record<Name, Awaited<ReturnType<typeof measure>>[]>} */
const rounds = { empty: [], ocelli: [] };
for (let round = 0; round < counts.rounds; round++)
  for (const name of shuffle(names)) rounds[name].push(await measure(modules[name], photo));

const [empty, cold, warm] = [
  rounds.empty.map((round) => round.cold),
  rounds.ocelli.map((round) => round.cold),
  rounds.ocelli.map((round) => round.warm),
];
const own = median(cold) - median(empty);
const allowed = RUNS_ALLOWED * median(warm) + ALLOWED_MS;
const row = (/** @type {string} */ name, /** @type {number[]} */ times) => [
  name,
  ms(median(times)),
  ms(min(times)),
];
print(json, {
  title: 'Cold start in workerd',
  columns: ['', 'median, ms', 'min, ms'],
  rows: [
    row('start of workerd to the first answer, empty Worker', empty),
    row('start of workerd to the first detections, ocelli', cold),
    row('a warm request, photo to detections', warm),
    ['**cold start: ocelli minus empty Worker**', `**${ms(own)}**`, ms(min(cold) - min(empty))],
  ],
  notes: [
    `target: at most ${RUNS_ALLOWED} warm runs + ${ALLOWED_MS} ms = ${ms(allowed)} ms`,
    `${counts.rounds} fresh processes each, photo pets.jpg; times are measured by the client`,
  ],
  data: { empty, cold, warm, own, allowed },
});
