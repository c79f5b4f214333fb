// Runs cases of a part and measures: memory after the warm-up and at the end, threads and files before and after.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { median } from '../../bench/measure.js';

const MAX_SAMPLES = 64;
const HEAP_MIB = 8;
/** Enough for one case of each kind. */
const FIRST_CASES = 8;
/** Garbage goes and threads end when they come to it. */
const SETTLE_MS = 10_000;

/**
 * @typedef {object} Outcome
 * @property {number} cases that were run
 * @property {number} seconds
 * @property {number} firstMiB resident memory after the warm-up
 * @property {number} lastMiB resident memory at the end
 * @property {number[]} samplesMiB at even distances
 * @property {number} heapMiB by which the heap grew
 * @property {number} handles threads and files left over
 */

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

const countHandles = () =>
  ['task', 'fd'].reduce((sum, kind) => sum + readdirSync(`/proc/self/${kind}`).length, 0);

function heapMiB() {
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

/**
 * Measurements at growing distances: a run of any length has MAX_SAMPLES at most.
 * @param {() => number} measure
 */
function createSampler(measure) {
  /** @type {number[]} */ let samples = [];
  let distance = 1;
  let cases = 0;
  return {
    next() {
      if (cases++ % distance > 0) return;
      samples.push(measure());
      if (samples.length < MAX_SAMPLES) return;
      samples = samples.filter((_, i) => i % 2 === 0);
      distance *= 2;
    },
    samples: () => samples.map(Math.round),
    /** Medians of the first and of the last quarter. */
    ends() {
      const quarter = Math.max(1, Math.floor(samples.length / 4));
      return [median(samples.slice(0, quarter)), median(samples.slice(-quarter))];
    },
  };
}

/**
 * Loads and starts what stays for the process's life.
 * @param {import('./parts.js').Part['open']} open
 * @param {number} from
 * @param {number} cases
 */
async function runOnce(open, from, cases) {
  const subject = await open();
  for (let i = 0; i < cases; i++) await subject.run(from + i);
  await subject.close();
}

/**
 * @param {import('./parts.js').Part} part
 * @param {number} from the number of its first case
 * @param {{cases?: number, seconds?: number, settleMs?: number}} limits whichever comes first
 * @returns {Promise<Outcome>}
 */
export async function runPart(
  { warmUp, open },
  from,
  { cases = Infinity, seconds = Infinity, settleMs = SETTLE_MS },
) {
  await runOnce(open, from, Math.min(warmUp, FIRST_CASES));
  const handles = countHandles();
  const subject = await open();
  const measure = () => {
    collect();
    return subject.residentBytes() / 2 ** 20;
  };
  const sampler = createSampler(measure);
  const step = Math.max(1, Math.floor(warmUp / 4));
  const start = performance.now();
  const elapsed = () => (performance.now() - start) / 1000;
  /** @type {unknown} */ let fixed;
  /** @type {number | undefined} */ let heap;
  let number = from;
  for (; number - from < cases && elapsed() < seconds; number++) {
    await subject.run(number);
    const done = number + 1 - from;
    if (done < warmUp || done % step > 0) continue;
    fixed ??= subject.fixed?.();
    heap ??= heapMiB();
    assert.deepEqual(subject.fixed?.(), fixed, `after case ${number}`);
    sampler.next();
  }
  sampler.next();
  const [firstMiB, lastMiB] = sampler.ends();
  const grown = heapMiB() - (heap ?? heapMiB());
  const taken = elapsed();
  await subject.close();
  return {
    ...{ cases: number - from, seconds: taken, firstMiB, lastMiB, heapMiB: grown },
    ...{ samplesMiB: sampler.samples(), handles: await countLeft(handles, settleMs) },
  };
}

/** @param {number} before @param {number} settleMs */
async function countLeft(before, settleMs) {
  const end = Date.now() + settleMs;
  while (countHandles() > before && Date.now() < end) {
    collect();
    await sleep(50);
  }
  return Math.max(0, countHandles() - before);
}

/** Heaps breathe, and threads that come and go. @param {Outcome} outcome @param {number} [flatMiB] */
export function assertFlat({ firstMiB, lastMiB, heapMiB: heap, handles }, flatMiB = 16) {
  assert.ok(heap < HEAP_MIB, `the heap grew by ${heap.toFixed(1)} MiB`);
  assert.ok(
    lastMiB - firstMiB < flatMiB,
    `memory grew from ${firstMiB.toFixed(0)} to ${lastMiB.toFixed(0)} MiB`,
  );
  assert.equal(handles, 0, 'threads or files are left');
}
