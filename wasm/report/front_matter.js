// The YAML at the top of a model card, as the Hugging Face hub reads it.
import { escapeYaml } from '../shared/text.js';
import { areDetectors, finalValue } from './metrics.js';

/** Licences that the hub knows; it takes any other as `other`, with a name. */
const LICENSES = new Set(
  (
    'afl-3.0 agpl-3.0 apache-2.0 apple-amlr apple-ascl artistic-2.0 bigcode-openrail-m bigscience-bloom-rail-1.0 ' +
    'bigscience-openrail-m bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear bsl-1.0 c-uda cc cc-by-2.0 cc-by-2.5 cc-by-3.0 ' +
    'cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 ' +
    'cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc0-1.0 cdla-permissive-1.0 cdla-permissive-2.0 ' +
    'cdla-sharing-1.0 creativeml-openrail-m ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 gfdl gpl gpl-2.0 gpl-3.0 ' +
    'isc lgpl lgpl-2.1 lgpl-3.0 lgpl-lr lppl-1.3c mit mpl-2.0 ms-pl ncsa odbl odc-by ofl-1.1 openrail openrail++ osl-3.0 ' +
    'other pddl postgresql unknown unlicense wtfpl zlib'
  ).split(' '),
);

/** What validation measures: the hub's type, and what it is called. @type {[key: string, type: string, name: string][]} */
const MEASURED = [
  ['val_AP', 'mean_average_precision', 'AP at IoU 0.50 to 0.95'],
  ['val_AP50', 'mean_average_precision', 'AP at IoU 0.5'],
  ['val_accuracy', 'accuracy', 'Accuracy'],
];

/**
 * @param {import('./metrics.js').Configuration} best
 * @param {import('./card.js').About} about
 */
export function frontMatter(best, about) {
  const task = areDetectors([best]) ? 'object-detection' : 'image-classification';
  const metrics = MEASURED.flatMap(([key, type, name]) => {
    const value = finalValue(best, key);
    return Number.isFinite(value) ? [{ type, name, value: Number(value) }] : [];
  });
  return [
    '---',
    ...licenseLines(about.license),
    ...(about.baseModel
      ? [`base_model: ${escapeYaml(about.baseModel)}`, 'base_model_relation: finetune']
      : []),
    'library_name: ocelli',
    `pipeline_tag: ${task}`,
    `tags: [${task}, ocelli, tflite, transfer-learning]`,
    ...(metrics.length > 0 ? [`metrics: [${metrics[0].type}]`, ...modelIndex(task, metrics, about)] : []),
    ...emissionsLines(best),
    '---',
  ].join('\n');
}

/** @param {string | undefined} license */
function licenseLines(license) {
  if (!license) return [];
  const known = license.trim().toLowerCase();
  if (LICENSES.has(known)) return [`license: ${known}`];
  return ['license: other', `license_name: ${escapeYaml(license)}`];
}

/**
 * @param {string} task
 * @param {{type: string, name: string, value: number}[]} metrics
 * @param {import('./card.js').About} about
 */
function modelIndex(task, metrics, { project, dataset = 'not given' }) {
  return [
    'model-index:',
    `  - name: ${escapeYaml(project)}`,
    '    results:',
    '      - task:',
    `          type: ${task}`,
    '        dataset:',
    '          type: custom',
    `          name: ${escapeYaml(dataset)}`,
    '          split: validation',
    '        metrics:',
    ...metrics.flatMap(({ type, name, value }) => [
      `          - type: ${type}`,
      `            name: ${name}`,
      `            value: ${toYaml(value)}`,
    ]),
  ];
}

/** @param {import('./metrics.js').Configuration} best */
function emissionsLines({ energy: { account, machine, options } }) {
  const place = options.region ?? options.country;
  return [
    'co2_eq_emissions:',
    `  emissions: ${toYaml(account.emissions * 1000)}`,
    '  source: CodeCarbon\'s model, see "Environmental Impact"',
    '  training_type: fine-tuning',
    ...(place === undefined ? [] : [`  geographical_location: ${escapeYaml(place)}`]),
    ...(machine.cpuModel === undefined ? [] : [`  hardware_used: ${escapeYaml(machine.cpuModel)}`]),
  ];
}

/**
 * A number that readers of YAML 1.1 take as one too: they need a point before an exponent.
 * @param {number} value
 */
function toYaml(value) {
  return String(value).replace(/^(-?\d+)e/, '$1.0e');
}
