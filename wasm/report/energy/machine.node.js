// Describes the machine on Node: processor, memory and, on Linux, the processor's energy counters (RAPL).
import { readdir, readFile } from 'node:fs/promises';
import os from 'node:os';

const POWERCAP = '/sys/class/powercap';

/** @returns {Promise<import('./estimate.js').Machine>} */
export async function describeMachine() {
  return {
    threads: os.availableParallelism(),
    memoryGb: os.totalmem() / 2 ** 30,
    isArm: /^arm/.test(process.arch),
    cpuModel: os.cpus()[0]?.model,
    os: `${os.type()}-${os.release()}-${os.machine()}`,
    noMeter: (await findCounters(POWERCAP)).length > 0 ? undefined : `no readable counters in ${POWERCAP}`,
  };
}

/**
 * @typedef {object} Counter
 * @property {'cpu' | 'ram'} part
 * @property {string} file
 * @property {number} range the value at which it wraps, in microjoules
 */

/**
 * Zones called "package…" are the processor, "dram" is the memory. "core" and "uncore" are parts of a package, and
 * "psys" includes all of them; both would be counted twice.
 * @param {string} directory
 * @returns {Promise<Counter[]>}
 */
async function findCounters(directory) {
  const zones = await readdir(directory).catch(() => []);
  const counters = await Promise.all(
    zones.map(async (zone) => {
      try {
        const name = (await readFile(`${directory}/${zone}/name`, 'utf8')).trim();
        const part = name.startsWith('package') ? 'cpu' : name === 'dram' ? 'ram' : undefined;
        const file = `${directory}/${zone}/energy_uj`;
        if (part === undefined) return [];
        await readFile(file, 'utf8');
        const range = Number(await readFile(`${directory}/${zone}/max_energy_range_uj`, 'utf8'));
        return [{ part: /** @type {'cpu' | 'ram'} */ (part), file, range }];
      } catch {
        // Not a zone, or this user may not read it.
        return [];
      }
    }),
  );
  return counters.flat();
}

/**
 * Starts measuring energy; undefined: the system has no readable energy counters.
 * @param {string} [directory]
 * @returns {Promise<(() => Promise<import('./estimate.js').Joules | undefined>) | undefined>} stops measuring
 */
export async function startMeter(directory = POWERCAP) {
  const counters = await findCounters(directory);
  if (!counters.some(({ part }) => part === 'cpu')) return undefined;
  const read = () => Promise.all(counters.map(async ({ file }) => Number(await readFile(file, 'utf8'))));
  const before = await read();
  return async () => {
    const after = await read();
    const joules = { cpu: 0, ram: 0 };
    counters.forEach(({ part, range }, i) => {
      const difference = after[i] - before[i];
      joules[part] += (difference < 0 ? difference + range : difference) / 1e6;
    });
    const hasRam = counters.some(({ part }) => part === 'ram');
    return { cpu: joules.cpu, ram: hasRam ? joules.ram : undefined, source: 'RAPL, of the whole machine' };
  };
}
