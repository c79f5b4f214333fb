// The end of ocelli train: writes the best of the trainings and the report of all, and prints their figures.
import { basename, resolve } from 'node:path';
import { bestOf, finalValue, format, qualityOf } from '../../wasm/report/metrics.js';
import { makeReport } from '../../wasm/report/report.js';
import { safeJson } from '../../wasm/shared/text.js';
import { layOut } from '../common.js';
import { save, saveAll } from '../files.js';
import { print, printNote } from '../output.js';

/**
 * @typedef {import('../commands/train.js').Values} Values
 * @typedef {import('../../wasm/report/metrics.js').Configuration} Configuration
 */

/**
 * @param {Values} values
 * @param {{configuration: Configuration, file?: Uint8Array}[]} results
 * @param {{path: string, backbone: string, report: import('../written.js').ReportFiles}} about path: of the data set
 */
export async function writeResults(values, results, { path, backbone, report }) {
  const configurations = results.map(({ configuration }) => configuration);
  const best = bestOf(configurations);
  const file = results.find(({ configuration }) => configuration === best)?.file;
  if (values.out && file) await save(values.out, file);
  if (values.report)
    await saveAll(values.report, makeReport(configurations, aboutOf(values, path, backbone)), report);
  print(values.json ? safeJson({ best: best.name, configurations }) : summarize(configurations));
  if (values.out && configurations.length > 1) printNote(`${values.out} is of ${best.name}, the best`);
}

/**
 * What the card says beside the figures.
 * @param {Values} values
 * @param {string} path of the data set
 * @param {string} backbone
 * @returns {import('../../wasm/report/card.js').About}
 */
function aboutOf({ license, out }, path, backbone) {
  const dataset = basename(resolve(path));
  const file = out === undefined || out === '-' ? undefined : basename(out);
  return { project: dataset, date: new Date(), backbone, license, dataset, file };
}

/** @param {Configuration[]} configurations */
export function summarize(configurations) {
  const [{ before }] = configurations;
  const valueBefore = (/** @type {string} */ key) => (before && key in before ? format(before[key]) : '');
  const rows = [
    ['', 'before', ...configurations.map(({ name }) => name)],
    ...qualityOf(configurations).map(({ name, key }) => [
      ...[name, valueBefore(key)],
      ...configurations.map((configuration) => format(finalValue(configuration, key))),
    ]),
    ['Energy (kWh)', '', ...configurations.map(({ energy }) => format(energy.account.energy_consumed))],
    ['Emissions (kg CO2e)', '', ...configurations.map(({ energy }) => format(energy.account.emissions))],
    ['Seconds', '', ...configurations.map(({ seconds }) => format(seconds))],
  ];
  const shown = before ? rows : rows.map((row) => row.toSpliced(1, 1));
  return layOut(shown, `l${'r'.repeat(shown[0].length - 1)}`).join('\n');
}
