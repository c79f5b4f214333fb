// In: the work of one run, and the machine. Out: energy and emissions, and how each figure was measured or estimated.
import { host } from '../../engine/host.js';
import { checkKeys, checkNumber } from '../../shared/options.js';
import { account, CONSTANT_FRACTION, GENERIC_TDP_WATTS, KWH_PER_JOULE, mlCo2Impact } from './codecarbon.js';
import { ramWatts, WATTS_PER_THREAD } from './codecarbon.js';
import { findIntensity } from './intensity.js';
import { carbonIntensity, modelTransfer } from './sci.js';

/**
 * @typedef {object} Work The work of one run.
 * @property {number} seconds measured by the clock
 * @property {number} multiplyAdds
 * @property {Joules} [joules] counted by a meter during the run
 * @property {Extraction} [extraction] what was done before a training, and not counted by the meter
 * @property {number} [images] that the network ran on; a training runs on each in each epoch
 *
 * @typedef {object} Extraction of features
 * @property {number} seconds
 * @property {number} [multiplyAdds]
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
 * @property {number} [embodied] kg CO2e of the making of the machine; default: a server's, 1 000
 * @property {number} [lifetimeYears] of the machine; 0.01 to 100, default 4
 * @property {number} [machineShare] share of the machine that the run uses; 0 to 1, default 1
 * @property {number} [modelBytes] size of the model's file: adds what one download of it takes
 * @property {number} [transferKwhPerGb] energy of the network; default 0.059
 *
 * @typedef {object} Figure
 * @property {string} name
 * @property {string} key
 * @property {number} value
 * @property {string} unit
 * @property {'measured' | 'estimated'} kind
 * @property {string} basis how the value was measured or estimated
 *
 * @typedef {object} Energy
 * @property {Figure[]} figures the rows of the card's table
 * @property {import('./codecarbon.js').Account} account CodeCarbon's columns
 * @property {import('./sci.js').Sci} [sci] if the number of images is known
 * @property {import('./sci.js').Transfer} [transfer] if the size of the model is known
 * @property {Extraction} [extraction] which the figures include
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
  'embodied',
  'lifetimeYears',
  'machineShare',
  'modelBytes',
  'transferKwhPerGb',
]);

/** The range of most numbers in EnergyOptions. */
export const QUANTITY = { min: 0, max: 1e6 };

const RANGES = {
  ...{ cpuTdp: QUANTITY, cpuPower: QUANTITY, ramPower: QUANTITY, intensity: QUANTITY, wue: QUANTITY },
  pue: { ...QUANTITY, min: 1 },
  ...{ embodied: QUANTITY, transferKwhPerGb: QUANTITY },
  lifetimeYears: { min: 0.01, max: 100 },
  machineShare: { min: 0, max: 1 },
  modelBytes: { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true },
};

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
  checkEnergy(options);
  const time = findTime(work);
  const intensity = await findIntensity(options);
  const tdp = findTdp(machine, options);
  const cpu = findCpu(work, time, tdp, machine, options);
  const ram = findRam(work, time, machine, options);
  const { pue, wue, modelBytes } = options;
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
  const { images = 0, extraction } = work;
  const { figures: sciFigures = [], ...sci } =
    images > 0 ? carbonIntensity({ images, seconds: time.value, emissions: sums.emissions }, options) : {};
  const { figures: transferFigures = [], ...transfer } =
    modelBytes === undefined ? {} : modelTransfer(modelBytes, intensity, options);
  return {
    figures: [...makeFigures(sums, { time, cpu, ram, intensity }), ...sciFigures, ...transferFigures],
    account: sums,
    ...sci,
    ...transfer,
    ...(extraction && { extraction }),
    intensity,
    mlCo2: { tdpWatts: tdp.value, hours, ...mlCo2Impact(tdp.value, hours, intensity.value) },
    machine,
    options,
  };
}

/** @param {EnergyOptions} options */
function checkEnergy(options) {
  checkKeys('energy', options, ENERGY_KEYS);
  for (const [key, range] of Object.entries(RANGES)) {
    const value = options[/** @type {keyof typeof RANGES} */ (key)];
    if (value !== undefined) checkNumber(`energy.${key}`, value, range);
  }
}

/**
 * @typedef {{value: number, kind: 'measured' | 'estimated', basis: string}} Quantity
 */

/**
 * @param {Work} work
 * @returns {Quantity & {run: number}} seconds, with the extraction of features; `run`: without it
 */
function findTime({ seconds, multiplyAdds, extraction }) {
  if (seconds > 0 && multiplyAdds / seconds < IMPOSSIBLE_RATE) {
    const more = extraction?.seconds ?? 0;
    const basis = more > 0 ? `by the clock, with ${rounded(more)} s of extracting features` : 'by the clock';
    return { value: seconds + more, run: seconds, kind: 'measured', basis };
  }
  const all = multiplyAdds + (extraction?.multiplyAdds ?? 0);
  const basis = `the clock stands still here: ${all} multiply-adds at ${ASSUMED_RATE} a second`;
  return { value: all / ASSUMED_RATE, run: multiplyAdds / ASSUMED_RATE, kind: 'estimated', basis };
}

/** @param {number} value */
const rounded = (value) => Number(value.toPrecision(3));

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
 * @param {ReturnType<typeof findTime>} time
 * @param {{value: number, basis: string}} tdp
 * @param {Machine} machine
 * @param {EnergyOptions} options
 * @returns {Quantity} watts
 */
function findCpu({ joules }, time, tdp, { noMeter }, { cpuPower }) {
  if (cpuPower !== undefined) return { value: cpuPower, kind: 'estimated', basis: 'given by the user' };
  if (joules && time.run > 0) return fromMeter(joules.cpu, joules.source, time);
  const why = noMeter ? `${noMeter}; ` : '';
  const basis = `${why}half of a ${tdp.basis}`;
  return { value: tdp.value * CONSTANT_FRACTION, kind: 'estimated', basis };
}

/**
 * @param {Work} work
 * @param {ReturnType<typeof findTime>} time
 * @param {Machine} machine
 * @param {EnergyOptions} options
 * @returns {Quantity} watts
 */
function findRam({ joules }, time, { memoryGb = 0, isArm = false }, { ramPower }) {
  if (ramPower !== undefined) return { value: ramPower, kind: 'estimated', basis: 'given by the user' };
  if (joules?.ram !== undefined && time.run > 0) return fromMeter(joules.ram, joules.source, time);
  const size = memoryGb > 0 ? `${memoryGb.toFixed(1)} GiB` : 'unknown size';
  const basis = `CodeCarbon's rule for memory of ${size}`;
  return { value: ramWatts(memoryGb, isArm), kind: 'estimated', basis };
}

/**
 * The meter counts the training alone: the extraction of features before it is taken to need the same power.
 * @param {number} joules
 * @param {string} source
 * @param {ReturnType<typeof findTime>} time
 * @returns {Quantity} watts
 */
function fromMeter(joules, source, { value, run }) {
  const watts = toWatts(joules, run);
  if (value === run) return { value: watts, kind: 'measured', basis: source };
  const basis = `${source}, during the training; taken for the extraction of features too`;
  return { value: watts, kind: 'estimated', basis };
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
  /** @type {[string, keyof typeof sums, string, Pick<Figure, 'kind' | 'basis'>][]} */
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
