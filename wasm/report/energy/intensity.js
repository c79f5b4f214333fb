// In: a country. Out: the carbon intensity of its electricity.
import { host } from '../../engine/host.js';
import { failure } from '../../shared/errors.js';
import { WORLD_INTENSITY } from './codecarbon.js';

/**
 * @typedef {object} Intensity
 * @property {number} value g CO2e per kWh
 * @property {string} source
 */

/**
 * @param {{country?: string, intensity?: number}} where country: ISO 3166 code of three letters; intensity: g/kWh,
 *   replaces the country's
 * @returns {Promise<Intensity>}
 */
export async function findIntensity({ country, intensity }) {
  if (intensity !== undefined) return { value: intensity, source: 'given by the user' };
  if (country === undefined)
    return { value: WORLD_INTENSITY, source: 'world average, IEA 2019, as the country is not known' };
  const table = await loadTable();
  const value = Object.hasOwn(table, country) ? table[country] : undefined;
  if (value === undefined)
    throw failure(
      'INVALID_OPTION',
      `country '${country}' is not in the table of @tgwf/co2; use a code of three letters`,
    );
  return {
    value,
    source: `${country}, Ember's yearly averages, latest year (2024 for most), in @tgwf/co2`,
  };
}

async function loadTable() {
  /** @type {import('../../engine/host.js').Host & import('./estimate.js').MachineHost} */
  const { loadIntensities } = host();
  try {
    const { averageIntensity } = await /** @type {NonNullable<typeof loadIntensities>} */ (loadIntensities)();
    return averageIntensity.data;
  } catch (error) {
    throw failure(
      'INVALID_OPTION',
      'country: @tgwf/co2 cannot be loaded; install it or pass energy.intensity',
      error,
    );
  }
}
