// In: the configurations of a training. Out: what its page says, as tables and plots.
import { plural } from '../shared/text.js';
import { areDetectors, bestOf, energyRows, qualityOf, resultsOf } from './metrics.js';
import { NEUTRAL } from './palette.js';
import { barPlot, linePlot } from './svg.js';
import { readableUnit } from './ticks.js';
import * as words from './words.js';
import { inSeconds, short } from './words.js';

/**
 * @typedef {import('./metrics.js').Configuration} Configuration
 * @typedef {import('./html.js').Section} Section
 * @typedef {{file: string, title: string, svg: string}} Plot
 */

/**
 * @param {Configuration[]} configurations
 * @param {import('./card.js').About} about
 * @returns {Section[]}
 */
export function sectionsOf(configurations, about) {
  const { date } = about;
  const [first] = configurations;
  const { data } = first;
  const what = areDetectors(configurations) ? 'a detector' : 'a classifier';
  return [
    {
      title: 'Overview',
      texts: [
        `${date.toISOString().slice(0, 10)}: ${what} of ${words.countClasses(data)} on ${words.describeNetwork(first, about.backbone)}, trained with ocelli. ${words.countExamples(first)}. ${plural(data.parameters, 'trained parameter')}.`,
        `Trained classes: ${words.trainedClasses(data).join(', ')}.`,
        ...(data.kept?.length
          ? [`Classes kept from the base model, not trained: ${data.kept.join(', ')}.`]
          : []),
        `Data set: ${about.dataset ?? 'not named'}. License: ${about.license || 'not given'}.`,
        ...words.describeEpochs(configurations),
        ...(configurations.length > 1 ? [words.describeBest(configurations, bestOf(configurations))] : []),
      ],
      tables: [results(configurations)],
    },
    { title: 'Curves', plots: curvesOf(configurations) },
    {
      title: 'Settings',
      texts: [words.describeExtraction(configurations)],
      tables: [settings(configurations)],
    },
    {
      title: 'Energy and emissions',
      tables: [energy(configurations)],
      plots: [emissionsPlot(configurations)],
    },
  ];
}

/** @param {Configuration[]} configurations @returns {import('./html.js').Table} */
function results(configurations) {
  const metrics = qualityOf(configurations);
  return {
    title: 'Training figures are means over the batches of the epoch.',
    columns: [
      '',
      ...metrics.map(({ name }) =>
        name.replace('Train validation', 'Validation').replace('Train ', 'Training '),
      ),
    ],
    rows: resultsOf(configurations).map(({ name, valueOf }) => [
      name,
      ...metrics.map(({ key }) => valueOf(key)?.toFixed(3) ?? '–'),
    ]),
  };
}

/** @param {Configuration[]} configurations @returns {import('./html.js').Table} */
function settings(configurations) {
  return {
    columns: ['', 'optimizer', 'learning rate', 'batch size', 'epochs', 'seed', 'time'],
    rows: configurations.map(({ name, plan, history, seconds }) => {
      const { type, learningRate } = plan.optimizer;
      return [
        name,
        type,
        words.describeRate(learningRate),
        String(plan.batchSize),
        String(history.epoch.length),
        String(plan.seed),
        inSeconds(seconds),
      ];
    }),
  };
}

/** @param {Configuration[]} configurations @returns {import('./html.js').Table} */
function energy(configurations) {
  return {
    columns: ['', ...configurations.map(({ name }) => name), 'measured or estimated'],
    rows: energyRows(configurations).map(({ name, unit: given, values, basis }) => {
      const { unit, scale } = withoutKilo(given, Math.max(...values.map((value = 0) => value)));
      return [
        `${name}, ${unit}`,
        ...values.map((value) => (value === undefined ? '–' : short(value * scale))),
        basis,
      ];
    }),
    isNoted: true,
  };
}

/** @param {Configuration[]} configurations @returns {Plot[]} */
export function curvesOf(configurations) {
  const lines = linesOf(configurations, 'loss');
  const svg = linePlot('Loss', lines, { key: keyOf(configurations, lines) });
  return [{ file: 'loss.svg', title: 'Loss', svg }, ...qualityPlots(configurations)];
}

/** @param {Configuration[]} configurations @returns {Plot[]} */
function qualityPlots(configurations) {
  const [file, title, lines] = areDetectors(configurations)
    ? ['ap50.svg', 'AP at IoU 0.5', linesOf(configurations, 'AP50')]
    : ['accuracy.svg', 'Accuracy', linesOf(configurations, 'accuracy')];
  if (lines.length === 0) return [];
  return [{ file, title, svg: linePlot(title, lines, { isShare: true, key: keyOf(configurations, lines) }) }];
}

/**
 * A legend that explains colours and dashes once each.
 * @param {Configuration[]} configurations
 * @param {import('./svg.js').Line[]} lines
 * @returns {import('./svg.js').Key[]}
 */
function keyOf(configurations, lines) {
  const styles = [
    { name: 'training', isDashed: false },
    { name: 'validation', isDashed: true },
  ].filter(({ isDashed }) => lines.some((line) => Boolean(line.isDashed) === isDashed));
  if (configurations.length === 1) return styles.map((style) => ({ ...style, color: 0 }));
  return [
    ...configurations.map(({ name }, color) => ({ name, color })),
    ...styles.map((style) => ({ ...style, color: NEUTRAL })),
  ];
}

/**
 * Solid lines for training, dashed lines for validation.
 * @param {Configuration[]} configurations
 * @param {string} key
 */
function linesOf(configurations, key) {
  return configurations.flatMap(({ name, history: { history } }, color) =>
    [
      { name: `${name}, training`, values: history[key], color },
      { name: `${name}, validation`, values: history[`val_${key}`], isDashed: true, color },
    ].filter(({ values }) => values !== undefined),
  );
}

/**
 * Of several configurations beside each other, of one by what uses the energy.
 * @param {Configuration[]} configurations
 * @returns {Plot}
 */
export function emissionsPlot(configurations) {
  const bars =
    configurations.length > 1
      ? configurations.map(({ name, energy: { account } }, color) => ({
          name,
          value: account.emissions,
          color,
        }))
      : partsOf(configurations[0]);
  const { unit, scale } = withoutKilo('kg CO2e', Math.max(...bars.map(({ value }) => value)));
  const scaled = bars.map((bar) => ({ ...bar, value: bar.value * scale }));
  return {
    file: 'emissions.svg',
    title: 'Emissions',
    svg: barPlot(`Emissions, ${unit}`, [{ bars: scaled }]),
  };
}

/**
 * The unit that makes a value of a given unit easy to read.
 * @param {string} given such as kWh or W
 * @param {number} most
 */
function withoutKilo(given, most) {
  const [base, kilo] = given.startsWith('k') ? [given.slice(1), 1000] : [given, 1];
  const { factor, unit } = readableUnit(kilo * most, base.replace('CO2', 'CO₂'));
  return { unit, scale: kilo / factor };
}

/** @param {Configuration} configuration */
function partsOf({ energy: { account } }) {
  const { emissions, energy_consumed: whole } = account;
  const parts = { CPU: account.cpu_energy, GPU: account.gpu_energy, RAM: account.ram_energy };
  return Object.entries(parts)
    .filter(([name, energy]) => name !== 'GPU' || energy > 0)
    .map(([name, energy]) => ({ name, value: whole > 0 ? (emissions * energy) / whole : 0 }));
}
