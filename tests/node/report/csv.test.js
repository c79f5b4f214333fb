// Every cell of emissions.csv, of a run that is written down here.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CSV_COLUMNS, emissionsCsv } from '../../../wasm/report/csv.js';

/** @typedef {import('../../../wasm/report/metrics.js').Configuration} Configuration */

const ACCOUNT = {
  ...{ duration: 10, emissions: 0.25, emissions_rate: 0.025, cpu_power: 30, gpu_power: 0, ram_power: 6 },
  ...{ cpu_energy: 0.4, gpu_energy: 0, ram_energy: 0.1, energy_consumed: 0.5, water_consumed: 0.9 },
  ...{ pue: 1.2, wue: 1.8 },
};
const MACHINE = { os: 'Linux', threads: 8, cpuModel: '=CMD, "x"', memoryGb: 15.5 };
const DATE = new Date('2031-02-03T04:05:06.789Z');

/** @param {object} options @param {string} name */
const configuration = (options, name) =>
  /** @type {Configuration} */ (
    /** @type {unknown} */ ({ name, energy: { account: ACCOUNT, machine: MACHINE, options } })
  );

/** @param {string} line without line breaks in its cells */
const cellsOf = (line) =>
  Array.from(line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g), ([, quoted, plain]) =>
    quoted === undefined ? plain : quoted.replaceAll('""', '"'),
  );

test('cells', () => {
  const runs = [
    configuration({ country: 'DEU', region: 'hessen' }, 'first; "run"'),
    configuration({ country: 'USA', region: 'us-east-1', cloudProvider: 'aws' }, '-second'),
  ];
  const lines = emissionsCsv(runs, { project: '@home, 1', date: DATE }).split('\n');
  assert.equal(lines.length, 4);
  assert.equal(lines[0], CSV_COLUMNS.join(','));
  const rows = lines.slice(1, 3).map((line) => {
    const cells = cellsOf(line);
    assert.equal(cells.length, CSV_COLUMNS.length);
    return Object.fromEntries(CSV_COLUMNS.map((column, i) => [column, cells[i]]));
  });
  const same = {
    ...Object.fromEntries(Object.entries(ACCOUNT).map(([key, value]) => [key, String(value)])),
    ...{ timestamp: '2031-02-03T04:05:06', project_name: "'@home, 1", os: 'Linux', cpu_count: '8' },
    ...{ cpu_model: `'=CMD, "x"`, gpu_count: '0', ram_total_size: '15.5', tracking_mode: 'machine' },
  };
  const own = [
    {
      ...{ experiment_id: 'first; "run"', country_iso_code: 'DEU', region: 'hessen', on_cloud: 'N' },
    },
    {
      ...{ experiment_id: "'-second", country_iso_code: 'USA', region: 'us-east-1', on_cloud: 'Y' },
      ...{ cloud_provider: 'aws', cloud_region: 'us-east-1' },
    },
  ];
  const empty = Object.fromEntries(CSV_COLUMNS.map((column) => [column, '']));
  rows.forEach(({ run_id, ...row }, i) => {
    assert.match(run_id, /^[\da-f-]{36}$/);
    assert.deepEqual({ ...row, run_id: '' }, { ...empty, ...same, ...own[i] });
  });
  assert.notEqual(rows[0].run_id, rows[1].run_id);
});
