// CodeCarbon 3.3's formulas. In: watts and seconds. Out: kWh and kg of CO2 equivalents.

/** CodeCarbon's rounding of 1 / 3.6e6 (relative error 8e-7), kept so that results equal CodeCarbon's. */
export const KWH_PER_JOULE = 2.77778e-7;
/** World average in g/kWh (IEA 2019), for an unknown country. */
export const WORLD_INTENSITY = 475;
/** Assumed power of a processor as a fraction of its TDP, if neither a meter nor its load is known. */
export const CONSTANT_FRACTION = 0.5;
/** Assumed TDP for each hardware thread, if the processor model is not known. */
export const WATTS_PER_THREAD = 4;
/** Assumed TDP, if the number of threads is not known either. */
export const GENERIC_TDP_WATTS = 85;

/**
 * @typedef {object} Usage Power in watts, before PUE: one number, or one for each interval.
 * @property {number | number[]} cpu
 * @property {number | number[]} ram
 * @property {number | number[] | null} gpu null: no GPU
 * @property {number[]} durations of the intervals, in seconds
 * @property {number} intensity of the grid, g CO2e per kWh
 * @property {number} [pue] power usage effectiveness of the data centre; default 1
 * @property {number} [wue] litres of water per kWh; default 0
 *
 * @typedef {object} Account
 * @property {number} duration s
 * @property {number} emissions kg
 * @property {number} emissions_rate kg/s
 * @property {number} cpu_power W, like the next two; the mean over all measurements, including one at the start
 * @property {number} gpu_power
 * @property {number} ram_power
 * @property {number} cpu_energy kWh
 * @property {number} gpu_energy
 * @property {number} ram_energy
 * @property {number} energy_consumed kWh, the sum of the three
 * @property {number} water_consumed L
 * @property {number} pue
 * @property {number} wue
 */

/**
 * @param {Usage} usage
 * @returns {Account}
 */
export function account({ cpu, ram, gpu, durations, intensity, pue = 1, wue = 0 }) {
  const duration = sum(durations);
  /** @param {number | number[] | null} watts */
  const part = (watts) => {
    const list = Array.isArray(watts) ? watts : durations.map(() => watts ?? 0);
    return {
      power: (pue * (list[0] + sum(list))) / (list.length + 1),
      energy: pue * sum(list.map((value, i) => toKwh(value, durations[i]))),
    };
  };
  const [c, g, r] = [part(cpu), part(gpu), part(ram)];
  const energy = c.energy + g.energy + r.energy;
  const emissions = (energy * intensity) / 1000;
  return {
    duration,
    emissions,
    emissions_rate: duration > 0 ? emissions / duration : 0,
    cpu_power: c.power,
    gpu_power: g.power,
    ram_power: r.power,
    cpu_energy: c.energy,
    gpu_energy: g.energy,
    ram_energy: r.energy,
    energy_consumed: energy,
    water_consumed: energy * wue,
    pue,
    wue,
  };
}

/** @param {number[]} list */
function sum(list) {
  return list.reduce((a, b) => a + b, 0);
}

/**
 * @param {number} watts
 * @param {number} seconds
 */
export function toKwh(watts, seconds) {
  return ((watts / 1000) * seconds) / 3600;
}

/**
 * Power of a machine's memory: 5 W for each module (ARM: 1.5 W), less for further modules. The number of modules is
 * estimated from the size.
 * @param {number} gigabytes
 * @param {boolean} [isArm]
 */
export function ramWatts(gigabytes, isArm = false) {
  const modules = countModules(gigabytes);
  let watts = 0;
  for (let i = 0; i < modules; i++) {
    const share = i < 4 ? 1 : i < 8 ? 0.9 : i < 16 ? 0.8 : 0.7;
    watts += share * (isArm ? 1.5 : 5);
  }
  return Math.max(watts, isArm ? 3 : 10);
}

/** @param {number} gigabytes */
export function countModules(gigabytes) {
  const [, small] = [
    [2, 1],
    [16, 2],
    [64, 4],
    [128, 8],
  ].find(([most]) => gigabytes <= most) ?? [0, 0];
  if (small > 0) return small;
  const size = [128, 64, 32, 16, 8, 4].find((candidate) => candidate <= gigabytes / 8) ?? 4;
  return Math.min(Math.ceil(gigabytes / size), 32);
}

/**
 * Power of a processor at the given load of the machine.
 * @param {number} tdpWatts
 * @param {number} load 0 to 1
 */
export function loadWatts(tdpWatts, load) {
  return tdpWatts * (0.1 + 0.9 * load ** 3);
}

/**
 * The ML CO2 Impact calculator (Lacoste et al. 2019): the processor uses its TDP for the whole time; nothing else is
 * counted.
 * @param {number} tdpWatts
 * @param {number} hours
 * @param {number} intensity g/kWh
 * @returns {{energy: number, emissions: number}} kWh, kg
 */
export function mlCo2Impact(tdpWatts, hours, intensity) {
  const energy = (tdpWatts * hours) / 1000;
  return { energy, emissions: (energy * intensity) / 1000 };
}
