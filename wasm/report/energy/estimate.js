// In: the work of one run, and the machine. Out: energy and emissions, and how each figure was measured or estimated.
import { host } from '../../engine/host.js';
import { checkKeys, checkNumber } from '../../shared/options.js';
import { account, CONSTANT_FRACTION, GENERIC_TDP_WATTS, KWH_PER_JOULE, mlCo2Impact } from './codecarbon.js';
import { ramWatts, WATTS_PER_THREAD } from './codecarbon.js';
import { findIntensity } from './intensity.js';

/**
 * @typedef {object} Work The work of one run.
 * @property {number} seconds measured by the clock
 * @property {number} multiplyAdds
 * @property {Joules} [joules] counted by a meter during the run
 *
 * @typedef {object} Joules
 * @property {number} cpu
 * @property {number} [ram]
 * @property {string} source of the figures
 *
 * @typedef {object} Machine Facts that the system reports.
 * @property {number} [threads] hardware threads
 * @property {number} [memoryGb]
 * @property {boolean} [isArm]
 * @property {string} [cpuModel]
 * @property {string} [os]
 * @property {string} [noMeter] the reason why there is no meter
 *
 * @typedef {object} EnergyOptions Facts from the user, which replace estimates.
 * @property {number} [cpuTdp] W
 * @property {number} [cpuPower] W; default: half the TDP
 * @property {number} [ramPower] W
 * @property {string} [country] ISO 3166, three letters
 * @property {number} [intensity] g CO2e per kWh
 * @property {number} [pue]
 * @property {number} [wue]
 * @property {string} [cloudProvider]
 * @property {string} [region]
 *
 * @typedef {object} Figure
 * @property {string} name
 * @property {keyof import('./codecarbon.js').Account} key
 * @property {number} value
 * @property {string} unit
 * @property {'measured' | 'estimated'} kind
 * @property {string} basis how the value was measured or estimated
 *
 * @typedef {object} Energy
 * @property {Figure[]} figures the rows of the card's table
 * @property {import('./codecarbon.js').Account} account CodeCarbon's columns
 * @property {import('./intensity.js').Intensity} intensity
 * @property {{tdpWatts: number, hours: number, energy: number, emissions: number}} mlCo2
 * @property {Machine} machine
 * @property {EnergyOptions} options
 */

export const ENERGY_KEYS = /** @type {const} */ ([
  'cpuTdp',
  'cpuPower',
  'ramPower',
  'country',
  'intensity',
  'pue',
  'wue',
  'cloudProvider',
  'region',
]);

/** The range of every number in EnergyOptions; the minimum of `pue` is 1. */
export const QUANTITY = { min: 0, max: 1e6 };

/**
 * @typedef {object} MachineHost The part of a platform's host that this folder uses.
 * @property {() => Promise<{averageIntensity: {data: Record<string, number>}}>} [loadIntensities] imports `@tgwf/co2/data`
 * @property {() => Promise<typeof import('./machine.js')>} [loadMachine] loads the platform's machine module; default:
 *   machine.js, for web pages
 */

/** Loads the functions that describe this machine and measure its energy. */
export async function loadMachine() {
  /** @type {import('../../engine/host.js').Host & MachineHost} */
  const { loadMachine } = host();
  return (await loadMachine?.()) ?? import('./machine.js');
}

/** Multiply-adds per second that are assumed if the clock does not advance (edge workers). */
const ASSUMED_RATE = 1e10;
/** If the computed rate is higher than this, the clock did not advance. */
const IMPOSSIBLE_RATE = 1e13;

/**
 * @param {Work} work
 * @param {Machine} machine
 * @param {EnergyOptions} [options]
 * @returns {Promise<Energy>}
 */
export async function estimateEnergy(work, machine, options = {}) {
  checkKeys('energy', options, ENERGY_KEYS);
  for (const key of /** @type {const} */ (['cpuTdp', 'cpuPower', 'ramPower', 'intensity', 'pue', 'wue'])) {
    const min = key === 'pue' ? 1 : QUANTITY.min;
    if (options[key] !== undefined) checkNumber(`energy.${key}`, options[key], { ...QUANTITY, min });
  }
  const time = findTime(work);
  const intensity = await findIntensity(options);
  const tdp = findTdp(machine, options);
  const cpu = findCpu(work, time.value, tdp, machine, options);
  const ram = findRam(work, time.value, machine, options);
  const { pue, wue } = options;
  const durations = [time.value];
  const sums = account({
    cpu: cpu.value,
    ram: ram.value,
    gpu: null,
    durations,
    intensity: intensity.value,
    pue,
    wue,
  });
  const hours = time.value / 3600;
  return {
    figures: makeFigures(sums, { time, cpu, ram, intensity }),
    account: sums,
    intensity,
    mlCo2: { tdpWatts: tdp.value, hours, ...mlCo2Impact(tdp.value, hours, intensity.value) },
    machine,
    options,
  };
}

/**
 * @typedef {{value: number, kind: 'measured' | 'estimated', basis: string}} Quantity
 */

/**
 * @param {Work} work
 * @returns {Quantity} seconds
 */
function findTime({ seconds, multiplyAdds }) {
  if (seconds > 0 && multiplyAdds / seconds < IMPOSSIBLE_RATE)
    return { value: seconds, kind: 'measured', basis: 'by the clock' };
  const basis = `the clock stands still here: ${multiplyAdds} multiply-adds at ${ASSUMED_RATE} a second`;
  return { value: multiplyAdds / ASSUMED_RATE, kind: 'estimated', basis };
}

/**
 * @param {Machine} machine
 * @param {EnergyOptions} options
 */
function findTdp({ threads }, { cpuTdp }) {
  if (cpuTdp !== undefined) return { value: cpuTdp, basis: `TDP of ${cpuTdp} W, given by the user` };
  if (threads === undefined)
    return { value: GENERIC_TDP_WATTS, basis: `CodeCarbon's generic TDP of ${GENERIC_TDP_WATTS} W` };
  const value = threads * WATTS_PER_THREAD;
  return {
    value,
    basis: `TDP of ${value} W: CodeCarbon's ${WATTS_PER_THREAD} W for each of ${threads} hardware threads`,
  };
}

/**
 * @param {Work} work
 * @param {number} seconds
 * @param {{value: number, basis: string}} tdp
 * @param {Machine} machine
 * @param {EnergyOptions} options
 * @returns {Quantity} watts
 */
function findCpu({ joules }, seconds, tdp, { noMeter }, { cpuPower }) {
  if (cpuPower !== undefined) return { value: cpuPower, kind: 'estimated', basis: 'given by the user' };
  if (joules && seconds > 0)
    return { value: toWatts(joules.cpu, seconds), kind: 'measured', basis: joules.source };
  const why = noMeter ? `${noMeter}; ` : '';
  const basis = `${why}half of a ${tdp.basis}`;
  return { value: tdp.value * CONSTANT_FRACTION, kind: 'estimated', basis };
}

/**
 * @param {Work} work
 * @param {number} seconds
 * @param {Machine} machine
 * @param {EnergyOptions} options
 * @returns {Quantity} watts
 */
function findRam({ joules }, seconds, { memoryGb = 0, isArm = false }, { ramPower }) {
  if (ramPower !== undefined) return { value: ramPower, kind: 'estimated', basis: 'given by the user' };
  if (joules?.ram !== undefined && seconds > 0)
    return { value: toWatts(joules.ram, seconds), kind: 'measured', basis: joules.source };
  const size = memoryGb > 0 ? `${memoryGb.toFixed(1)} GiB` : 'unknown size';
  const basis = `CodeCarbon's rule for memory of ${size}`;
  return { value: ramWatts(memoryGb, isArm), kind: 'estimated', basis };
}

/**
 * The mean power for which CodeCarbon's formula gives the energy `joules`.
 * @param {number} joules
 * @param {number} seconds
 */
function toWatts(joules, seconds) {
  return (joules * KWH_PER_JOULE * 3.6e6) / seconds;
}

/**
 * @param {import('./codecarbon.js').Account} sums
 * @param {{time: Quantity, cpu: Quantity, ram: Quantity, intensity: import('./intensity.js').Intensity}} from
 * @returns {Figure[]}
 */
function makeFigures(sums, { time, cpu, ram, intensity }) {
  const noGpu = { kind: /** @type {const} */ ('estimated'), basis: '0: no GPU is used' };
  /** @param {Quantity} power @returns {Pick<Figure, 'kind' | 'basis'>} */
  const energy = (power) => ({
    kind: power.kind === 'measured' && time.kind === 'measured' ? 'measured' : 'estimated',
    basis: power.kind === 'measured' ? power.basis : `power * time; time ${time.kind}, ${time.basis}`,
  });
  const grid = `energy * ${intensity.value} g/kWh (${intensity.source})`;
  /** @type {[string, Figure['key'], string, Pick<Figure, 'kind' | 'basis'>][]} */
  const rows = [
    ['Emissions', 'emissions', 'kg CO2e', { kind: 'estimated', basis: grid }],
    ['Emissions rate', 'emissions_rate', 'kg CO2e/s', { kind: 'estimated', basis: 'emissions / time' }],
    ['CPU power', 'cpu_power', 'W', cpu],
    ['GPU power', 'gpu_power', 'W', noGpu],
    ['RAM power', 'ram_power', 'W', ram],
    ['CPU energy', 'cpu_energy', 'kWh', energy(cpu)],
    ['GPU energy', 'gpu_energy', 'kWh', noGpu],
    ['RAM energy', 'ram_energy', 'kWh', energy(ram)],
    ['Energy consumed', 'energy_consumed', 'kWh', { kind: 'estimated', basis: 'CPU + GPU + RAM energy' }],
  ];
  return rows.map(([name, key, unit, { kind, basis }]) => ({
    name,
    key,
    value: sums[key],
    unit,
    kind,
    basis,
  }));
}
