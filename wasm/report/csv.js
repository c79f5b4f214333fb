// Writes CodeCarbon's emissions.csv, with one row for each run.
import { escapeCsv } from '../shared/text.js';

/** The columns of CodeCarbon 3.3, in order. */
export const CSV_COLUMNS = /** @type {const} */ ([
  'timestamp',
  'project_name',
  'run_id',
  'experiment_id',
  'duration',
  'emissions',
  'emissions_rate',
  'cpu_power',
  'gpu_power',
  'ram_power',
  'cpu_energy',
  'gpu_energy',
  'ram_energy',
  'energy_consumed',
  'water_consumed',
  'country_name',
  'country_iso_code',
  'region',
  'cloud_provider',
  'cloud_region',
  'os',
  'python_version',
  'codecarbon_version',
  'cpu_count',
  'cpu_model',
  'gpu_count',
  'gpu_model',
  'longitude',
  'latitude',
  'ram_total_size',
  'tracking_mode',
  'cpu_utilization_percent',
  'gpu_utilization_percent',
  'ram_utilization_percent',
  'ram_used_gb',
  'on_cloud',
  'pue',
  'wue',
]);

/**
 * Columns that do not apply or are not known stay empty, and so does the location of the machine, for privacy.
 * @param {import('./metrics.js').Configuration[]} configurations
 * @param {{project: string, date: Date}} about
 */
export function emissionsCsv(configurations, { project, date }) {
  const rows = configurations.map(({ name, energy: { account, machine, options } }) => {
    /** @type {Partial<Record<typeof CSV_COLUMNS[number], string | number>>} */
    const row = {
      ...account,
      timestamp: date.toISOString().slice(0, 19),
      project_name: project,
      run_id: globalThis.crypto.randomUUID(),
      experiment_id: name,
      country_iso_code: options.country,
      region: options.region,
      cloud_provider: options.cloudProvider,
      cloud_region: options.cloudProvider && options.region,
      os: machine.os,
      cpu_count: machine.threads,
      cpu_model: machine.cpuModel,
      gpu_count: 0,
      ram_total_size: machine.memoryGb,
      tracking_mode: 'machine',
      on_cloud: options.cloudProvider ? 'Y' : 'N',
    };
    return CSV_COLUMNS.map((column) => escapeCsv(row[column])).join(',');
  });
  return [CSV_COLUMNS.join(','), ...rows, ''].join('\n');
}
