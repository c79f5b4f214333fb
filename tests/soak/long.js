// `make soak-long`: goes on with the parts that are not complete, for SOAK_S seconds in all (default 600), each part in a process
// of its own. What was done is in out/soak-long/state.json; what it says is printed, and written to report.md beside it.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PARTS } from './parts.js';
import { assertFlat, runPart } from './run.js';

const OUT = fileURLToPath(new URL('../../out/soak-long/', import.meta.url));
const STATE = `${OUT}state.json`;
const SECONDS = Number(process.env.SOAK_S ?? 600);

/** @typedef {{cases: number, seconds: number, sittings: import('./run.js').Outcome[]}} Progress */

/** @returns {Record<string, Progress>} */
const readState = () => (existsSync(STATE) ? JSON.parse(readFileSync(STATE, 'utf8')) : {});

/** @param {string} path @param {string} text written completely or not at all */
function write(path, text) {
  mkdirSync(OUT, { recursive: true });
  writeFileSync(`${path}.partial`, text);
  renameSync(`${path}.partial`, path);
}

/** @param {string} name @param {number} from @param {number} seconds @returns {Promise<import('./run.js').Outcome>} */
async function runInProcess(name, from, seconds) {
  const child = fork(fileURLToPath(import.meta.url), [name, String(from), String(seconds)], {
    // V8 lets the heap's young part grow to 3 x 16 MiB in steps, which looks like a leak. The processes of a part inherit it.
    env: { ...process.env, NODE_OPTIONS: '--max-semi-space-size=1' },
  });
  const exit = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`${name} ended with ${signal ?? code}`);
  });
  const [outcome] = await Promise.race([once(child, 'message'), exit]);
  exit.catch(() => {});
  return outcome;
}

/** @param {Record<string, Progress>} state */
function describe(state) {
  const rows = Object.entries(PARTS).map(([name, { total }]) => {
    const { cases = 0, seconds = 0, sittings = [] } = state[name] ?? {};
    const growth = sittings
      .map(({ firstMiB, lastMiB }) => `${firstMiB.toFixed(0)} → ${lastMiB.toFixed(0)}`)
      .join(', ');
    const handles = Math.max(0, ...sittings.map((sitting) => sitting.handles));
    const rate = seconds > 0 ? (cases / seconds).toFixed(1) : '';
    const heap = sittings.map(({ heapMiB }) => heapMiB.toFixed(1)).join(', ');
    return `| ${name} | ${cases} of ${total} | ${rate} | ${growth} | ${heap} | ${handles} |`;
  });
  const head = [
    '| part | cases | a second | resident MiB in each sitting | heap grew by MiB | handles left |',
    '| --- | --- | --- | --- | --- | --- |',
  ];
  return `${[...head, ...rows].join('\n')}\n`;
}

async function sit() {
  const state = readState();
  const left = Object.keys(PARTS).filter((name) => (state[name]?.cases ?? 0) < PARTS[name].total);
  for (const name of left) {
    const { cases, seconds, sittings } = state[name] ?? { cases: 0, seconds: 0, sittings: [] };
    console.log(`soak-long: ${name}, from case ${cases}`);
    const outcome = await runInProcess(name, cases, SECONDS / left.length);
    state[name] = {
      cases: cases + outcome.cases,
      seconds: seconds + outcome.seconds,
      sittings: [...sittings, outcome],
    };
    write(STATE, JSON.stringify(state, null, 1));
    write(`${OUT}report.md`, describe(state));
    assertFlat(outcome);
  }
  console.log(describe(state));
}

const [name, from, seconds] = process.argv.slice(2);
if (name) {
  const rest = PARTS[name].total - Number(from);
  process.send?.(await runPart(PARTS[name], Number(from), { cases: rest, seconds: Number(seconds) }));
  process.disconnect?.();
} else await sit();
