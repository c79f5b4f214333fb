// soak.js [CASES]: so many damaged models and images (default 100 000), and half as many networks of few operators, in as
// many processes as there are cores.
// Prints how they ended; exit status 1 if anything trapped, hung, leaked or threw what is no OcelliError.
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { cpuMs, Fault, KINDS } from './cases.js';

/** Of all cases, through the public API; networks of few operators, which are no detectors, go to the layer below. */
const SHARES = { images: 0.45, detectors: 0.55, networks: 0.45 };
/** A process that says nothing for so long never will. */
const SILENCE_MS = 120000;
const PROGRESS_MS = 5000;

/**
 * @typedef {keyof typeof KINDS} KindName
 * @typedef {{number: number, start: true} | {number: number, code?: string, fault?: string, message?: string, ms: number}} Message
 */

// ---- a process: cases first, first + step, … below last

/** @param {KindName} kind @param {number} first @param {number} step @param {number} last */
async function work(kind, first, step, last) {
  let subject = await KINDS[kind]();
  for (let number = first; number < last; number += step) {
    process.send?.({ number, start: true });
    const start = cpuMs();
    const ms = () => Math.round(cpuMs() - start);
    try {
      const code = await subject.run(number);
      process.send?.({ number, code, ms: ms() });
    } catch (error) {
      const { message } = /** @type {Error} */ (error);
      process.send?.({ number, fault: error instanceof Fault ? error.fault : 'threw', message, ms: ms() });
      subject = await KINDS[kind]();
    }
  }
  subject.close();
}

// ---- the one that starts them and counts

class Tally {
  codes = /** @type {Record<string, number>} */ ({});
  faults = /** @type {string[]} */ ([]);
  faultCounts = /** @type {Record<string, number>} */ ({});
  done = 0;
  slowestMs = 0;
  slowest = 0;

  /** @param {string} fault @param {number} number @param {string} message */
  fault(fault, number, message) {
    this.faultCounts[fault] = (this.faultCounts[fault] ?? 0) + 1;
    this.faults.push(`case ${number} ${fault}: ${message}`);
  }
}

/**
 * Runs a process to its end; one that dies or hangs is replaced by one that goes on after the case that it died of.
 * @param {KindName} kind
 * @param {{first: number, step: number, last: number}} range
 * @param {Tally} tally
 */
async function supervise(kind, { first, step, last }, tally) {
  let next = first;
  while (next < last) {
    const child = fork(fileURLToPath(import.meta.url), ['--worker', kind, ...[next, step, last].map(String)]);
    const kill = () => child.kill('SIGKILL');
    let silence = setTimeout(kill, SILENCE_MS);
    child.on('message', (raw) => {
      clearTimeout(silence);
      silence = setTimeout(kill, SILENCE_MS);
      const message = /** @type {Message} */ (raw);
      if ('start' in message) return void (next = message.number + step);
      tally.done++;
      if (message.ms > tally.slowestMs) [tally.slowestMs, tally.slowest] = [message.ms, message.number];
      if (message.code) tally.codes[message.code] = (tally.codes[message.code] ?? 0) + 1;
      else tally.fault(message.fault ?? 'threw', message.number, message.message ?? '');
    });
    const [code, signal] = await new Promise((resolve) => child.on('exit', (...how) => resolve(how)));
    clearTimeout(silence);
    if (code === 0) break;
    tally.fault(
      signal === 'SIGKILL' ? 'hung' : 'threw',
      next - step,
      `its process ended by ${signal ?? code}`,
    );
  }
}

/** @param {KindName} kind @param {number} cases */
async function soak(kind, cases) {
  const tally = new Tally();
  const progress = setInterval(
    () => process.stderr.write(`  soak: ${kind}, ${tally.done} of ${cases}, ${tally.faults.length} faults\n`),
    PROGRESS_MS,
  );
  const cores = availableParallelism();
  await Promise.all(
    Array.from({ length: cores }, (_, first) => supervise(kind, { first, step: cores, last: cases }, tally)),
  );
  clearInterval(progress);
  return tally;
}

/** @param {KindName} kind @param {Tally} tally */
function print(kind, { done, codes, faults, faultCounts, slowest, slowestMs }) {
  const line = (/** @type {string} */ name, /** @type {number} */ count) =>
    console.log(`  ${name.padEnd(28)}${String(count).padStart(8)}`);
  console.log(`${kind}: ${done} cases; the slowest, ${slowest}, took ${slowestMs} ms of processor time`);
  for (const [code, count] of Object.entries(codes).toSorted((a, b) => b[1] - a[1])) line(code, count);
  for (const fault of ['trapped', 'threw', 'hung', 'leaked', 'changed']) line(fault, faultCounts[fault] ?? 0);
  for (const fault of faults.slice(0, 20)) console.log(`  ${fault}`);
}

const [mode, kind, ...numbers] = process.argv.slice(2);
if (mode === '--worker') {
  const [first, step, last] = numbers.map(Number);
  await work(/** @type {KindName} */ (kind), first, step, last);
} else {
  const kinds = /** @type {KindName[]} */ (Object.keys(KINDS)).filter((name) => !kind || name === kind);
  for (const name of kinds) {
    const tally = await soak(name, Math.round(Number(mode ?? 100000) * SHARES[name]));
    print(name, tally);
    if (tally.faults.length > 0) process.exitCode = 1;
  }
}
