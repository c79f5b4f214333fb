// soak.js [CASES]: so many damaged models and images (default 100 000), in as many processes as there are cores.
// Prints how each kind ended; exit status 1 if anything trapped, hung, leaked or threw what is no OcelliError.
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { availableKinds, KINDS } from './cases.js';

/** Of all cases: detectors are whole networks, and slow. */
const SHARES = { images: 0.5, detectors: 0.05, networks: 0.45 };

/** @typedef {{kind: keyof typeof KINDS, codes: Record<string, number>, failures: string[]}} Report */

/** @param {keyof typeof KINDS} kind @param {number} first @param {number} step @param {number} last */
async function work(kind, first, step, last) {
  /** @type {Report} */
  const report = { kind, codes: {}, failures: [] };
  let subject = await KINDS[kind]();
  let sent = Date.now();
  for (let number = first; number < last; number += step) {
    try {
      const code = await subject.run(number);
      report.codes[code] = (report.codes[code] ?? 0) + 1;
    } catch (error) {
      report.failures.push(`${kind} ${number}: ${/** @type {Error} */ (error).message}`);
      subject = await KINDS[kind]();
    }
    if (Date.now() - sent > 5000) {
      sent = Date.now();
      process.send?.({ kind, share: (number - first) / (last - first) });
    }
  }
  subject.close();
  process.send?.(report);
}

/** @param {number} cases */
async function supervise(cases) {
  const kinds = availableKinds();
  const total = kinds.reduce((sum, kind) => sum + SHARES[kind], 0);
  const cores = availableParallelism();
  /** @type {Report[]} */
  const reports = [];
  for (const kind of kinds) {
    const last = Math.round((cases * SHARES[kind]) / total);
    const children = Array.from({ length: cores }, (_, core) =>
      fork(fileURLToPath(import.meta.url), ['--worker', kind, String(core), String(cores), String(last)]),
    );
    await Promise.all(
      children.map(
        (child, core) =>
          new Promise((resolve) => {
            child.on('message', (message) => {
              const { share } = /** @type {{share?: number}} */ (message);
              if (share === undefined) reports.push(/** @type {Report} */ (message));
              else if (core === 0) process.stderr.write(`  soak: ${kind} ${Math.round(share * 100)} %\n`);
            });
            child.on('exit', (code) => {
              if (code !== 0)
                reports.push({ kind, codes: {}, failures: [`${kind}: a process ended with ${code}`] });
              resolve(undefined);
            });
          }),
      ),
    );
  }
  return reports;
}

/** @param {Report[]} reports */
function print(reports) {
  for (const kind of new Set(reports.map((report) => report.kind))) {
    /** @type {Record<string, number>} */
    const sums = {};
    for (const { codes } of reports.filter((report) => report.kind === kind))
      for (const [code, count] of Object.entries(codes)) sums[code] = (sums[code] ?? 0) + count;
    const rows = Object.entries(sums).toSorted((a, b) => b[1] - a[1]);
    console.log(`${kind}: ${rows.reduce((sum, [, count]) => sum + count, 0)} cases`);
    for (const [code, count] of rows) console.log(`  ${code.padEnd(28)}${String(count).padStart(8)}`);
  }
  const failures = reports.flatMap((report) => report.failures);
  console.log(`failures: ${failures.length}`);
  for (const failure of failures.slice(0, 50)) console.log(`  ${failure}`);
  return failures.length;
}

const [mode, kind, first, step, last] = process.argv.slice(2);
if (mode === '--worker') {
  await work(/** @type {keyof typeof KINDS} */ (kind), Number(first), Number(step), Number(last));
} else {
  process.exitCode = print(await supervise(Number(mode ?? 100000))) > 0 ? 1 : 0;
}
