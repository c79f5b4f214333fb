// ISO/IEC 21031:2024, the Software Carbon Intensity: SCI = (O + M) per R, here per 1000 images. And what a network spends
// on the transfer of a model.
import { formatBytes, plural } from '../../shared/text.js';

/**
 * kg CO2e of the making of a rack server with one processor and little memory, by Teads' dataset of EC2 emissions (Davy
 * 2021). Most desktops, laptops and phones are below: a laptop has 200 to 300.
 */
export const EMBODIED_KG = 1000;
/** Years that a server is used, in the same data set, by Dell's life cycle assessment of the PowerEdge R740. */
export const LIFETIME_YEARS = 4;
/** Energy of a network's operation, by the Sustainable Web Design Model 4. */
export const NETWORK_KWH_PER_GB = 0.059;

const SECONDS_PER_YEAR = 365 * 24 * 3600;
/** The functional unit. */
const UNIT_IMAGES = 1000;

/**
 * @typedef {import('./estimate.js').EnergyOptions} EnergyOptions
 * @typedef {import('./estimate.js').Figure} Figure
 *
 * @typedef {object} Sci
 * @property {number} images R, before it is divided by the unit
 * @property {number} operational O, kg CO2e
 * @property {number} embodied M, kg CO2e
 * @property {number} value kg CO2e per 1000 images
 *
 * @typedef {object} Transfer of the model, once
 * @property {number} bytes
 * @property {number} energy kWh
 * @property {number} emissions kg CO2e
 */

/**
 * M = TE * TS * RS.
 * @param {number} seconds
 * @param {Required<Pick<EnergyOptions, 'embodied' | 'lifetimeYears' | 'machineShare'>>} machine
 */
export function embodiedEmissions(seconds, { embodied, lifetimeYears, machineShare }) {
  return embodied * (seconds / (lifetimeYears * SECONDS_PER_YEAR)) * machineShare;
}

/**
 * @param {{images: number, seconds: number, emissions: number}} work
 * @param {EnergyOptions} options
 * @returns {{sci: Sci, figures: Figure[]}}
 */
export function carbonIntensity({ images, seconds, emissions }, options) {
  const { embodied: total = EMBODIED_KG, lifetimeYears = LIFETIME_YEARS, machineShare = 1 } = options;
  const embodied = embodiedEmissions(seconds, { embodied: total, lifetimeYears, machineShare });
  const value = (emissions + embodied) / (images / UNIT_IMAGES);
  const made = sourceOf(options.embodied, "Teads' dataset of EC2 emissions, a server with one processor");
  const used = sourceOf(options.lifetimeYears, 'the same dataset');
  const basis = `${total} kg to make the machine (${made}) * time / ${plural(lifetimeYears, 'year')} (${used}) * ${machineShare} of the machine`;
  const formula = `ISO/IEC 21031: (emissions + embodied emissions) for ${plural(images, 'image')}`;
  return {
    sci: { images, operational: emissions, embodied, value },
    figures: [
      estimated('Embodied emissions', 'embodied', embodied, 'kg CO2e', basis),
      estimated('SCI', 'sci', value, 'kg CO2e per 1000 images', formula),
    ],
  };
}

/**
 * @param {number} bytes
 * @param {import('./intensity.js').Intensity} intensity
 * @param {EnergyOptions} options
 * @returns {{transfer: Transfer, figures: Figure[]}}
 */
export function modelTransfer(bytes, intensity, { transferKwhPerGb: given }) {
  const rate = given ?? NETWORK_KWH_PER_GB;
  const energy = (bytes / 1e9) * rate;
  const emissions = (energy * intensity.value) / 1000;
  const source = sourceOf(given, 'network, Sustainable Web Design Model 4');
  const basis = `${formatBytes(bytes)} * ${rate} kWh/GB (${source})`;
  const grid = `energy * ${intensity.value} g/kWh (${intensity.source})`;
  return {
    transfer: { bytes, energy, emissions },
    figures: [
      estimated('Transfer energy, one download', 'transfer_energy', energy, 'kWh', basis),
      estimated('Transfer emissions, one download', 'transfer_emissions', emissions, 'kg CO2e', grid),
    ],
  };
}

/** @param {number | undefined} given @param {string} source */
const sourceOf = (given, source) => (given === undefined ? source : 'given by the user');

/**
 * @param {string} name
 * @param {string} key
 * @param {number} value
 * @param {string} unit
 * @param {string} basis
 * @returns {Figure}
 */
const estimated = (name, key, value, unit, basis) => ({ name, key, value, unit, kind: 'estimated', basis });
