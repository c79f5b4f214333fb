// In: the configurations of a training. Out: the two tables of its model card.
import { escapeMarkdown } from '../shared/text.js';

/**
 * @typedef {object} Configuration One training run.
 * @property {string} name
 * @property {{batchSize: number, seed: number, optimizer: {type: string, learningRate: number | Schedule}}} plan
 * @property {{history: Record<string, number[]>, epoch: number[]}} history Keras' History
 * @property {number} [weightsEpoch] the epoch whose weights early stopping restored, from 0; default: the last
 * @property {number} seconds
 * @property {number} multiplyAdds
 * @property {Record<string, number>} [before] what validation measured before the training, by the history's keys
 * @property {import('./energy/estimate.js').Energy} energy
 * @property {Data} data
 *
 * @typedef {object} Data
 * @property {number} train number of training examples
 * @property {number} validation
 * @property {string[]} classes of the trained model
 * @property {string[]} [kept] those of them that the base model had and that were not trained
 * @property {number} parameters that were trained
 * @property {Unfrozen} [unfrozen]
 *
 * @typedef {{blocks: number, batchNorm: keyof typeof BATCH_NORM}} Unfrozen the last blocks of a network, which were trained
 *
 * @typedef {object} Schedule of a learning rate, as a training's plan has it
 * @property {'constant' | 'step' | 'cosine'} type
 * @property {number} rate
 * @property {number} [every]
 * @property {number} [factor]
 * @property {number} [decaySteps]
 * @property {number} [alpha]
 * @property {number} [warmupSteps]
 * @property {number} [warmupFrom]
 *
 * @typedef {{name: string, key: string}} Metric
 */

/** How the batch norm of blocks that are trained is treated. */
export const BATCH_NORM = {
  folded: 'the file has it folded; folded kernels and their biases are trained',
  frozen: 'frozen; kernels are trained',
  training: 'in training mode, its moving averages with it',
};

/** What follows the name of a network. @param {Unfrozen} unfrozen */
export const describeUnfrozen = ({ blocks, batchNorm }) =>
  `, whose last blocks (${blocks}) were trained as well (batch norm: ${BATCH_NORM[batchNorm]})`;

/** @type {Metric[]} */
export const QUALITY = [
  { name: 'Train accuracy', key: 'accuracy' },
  { name: 'Train validation accuracy', key: 'val_accuracy' },
  { name: 'Train loss', key: 'loss' },
  { name: 'Train validation loss', key: 'val_loss' },
];

/** Of detectors. @type {Metric[]} */
const DETECTION_QUALITY = [
  { name: 'Validation AP', key: 'val_AP' },
  { name: 'Validation AP at IoU 0.5', key: 'val_AP50' },
  { name: 'Train loss', key: 'loss' },
  { name: 'Validation loss', key: 'val_loss' },
];

/** Whether these are trainings of a detector. @param {Configuration[]} configurations */
export const areDetectors = ([{ history }]) => 'box_loss' in history.history;

/**
 * The metrics that a table of these trainings shows.
 * @param {Configuration[]} configurations
 */
export const qualityOf = (configurations) => (areDetectors(configurations) ? DETECTION_QUALITY : QUALITY);

/**
 * The value of the epoch whose weights the file has; undefined if there was no validation.
 * @param {Pick<Configuration, 'history' | 'weightsEpoch'>} configuration
 * @param {string} key
 */
export function finalValue({ history, weightsEpoch = -1 }, key) {
  return history.history[key]?.at(weightsEpoch);
}

/**
 * The configuration with the highest validation accuracy or AP, and among equals with the lowest validation loss. Without
 * validation: with the highest training accuracy, and then the lowest training loss; of detectors by the loss alone.
 * @param {Configuration[]} configurations
 */
export function bestOf(configurations) {
  return configurations.reduce((best, other) => {
    const [mine, theirs] = [rankOf(other), rankOf(best)];
    const first = mine.findIndex((value, i) => value !== theirs[i]);
    return mine[first] > theirs[first] ? other : best;
  });
}

/** Numbers of which higher ones are better, the most important first. @param {Configuration} configuration */
function rankOf(configuration) {
  const keys = areDetectors([configuration]) ? ['val_AP'] : ['val_accuracy', 'accuracy'];
  const [quality = 0] = keys
    .map((key) => finalValue(configuration, key))
    .filter((value) => value !== undefined);
  const loss = finalValue(configuration, 'val_loss') ?? finalValue(configuration, 'loss') ?? 0;
  return [quality, -loss];
}

/**
 * What a table of results compares: each training, and before it the model as it was, if that was measured.
 * @param {Configuration[]} configurations
 * @returns {{name: string, isBefore: boolean, valueOf: (key: string) => number | undefined}[]}
 */
export function resultsOf(configurations) {
  return configurations.flatMap((configuration) => {
    const { name, before } = configuration;
    const after = {
      name,
      isBefore: false,
      valueOf: (/** @type {string} */ key) => finalValue(configuration, key),
    };
    if (before === undefined) return [after];
    const first = `${configurations.length > 1 ? `${name}, ` : ''}before the training`;
    return [{ name: first, isBefore: true, valueOf: (key) => before[key] }, after];
  });
}

/**
 * Accuracy or AP, and loss of the epoch whose weights the file has.
 * @param {Configuration[]} configurations
 */
export function qualityTable(configurations) {
  const results = resultsOf(configurations);
  const rows = qualityOf(configurations).map(({ name, key }) => [
    name,
    ...results.map(({ isBefore, valueOf }) =>
      format(valueOf(key), isBefore ? 'not measured' : 'not validated'),
    ),
  ]);
  return markdownTable(['', ...results.map(({ name }) => name)], rows);
}

/**
 * The same figure of all configurations, for each figure that one of them has.
 * @param {Configuration[]} configurations
 */
export function energyRows(configurations) {
  const keys = new Set(configurations.flatMap(({ energy }) => energy.figures.map(({ key }) => key)));
  return Array.from(keys, (key) => {
    const figures = configurations.map(({ energy }) => energy.figures.find((figure) => figure.key === key));
    const [{ name, unit }] = figures.filter((figure) => figure !== undefined);
    const bases = new Set(figures.flatMap((figure) => (figure ? [`${figure.kind}: ${figure.basis}`] : [])));
    return { name, unit, values: figures.map((figure) => figure?.value), basis: [...bases].join('; ') };
  });
}

/**
 * Energy and emissions of the training. The last column says how each figure was measured or estimated.
 * @param {Configuration[]} configurations
 */
export function energyTable(configurations) {
  const rows = energyRows(configurations).map(({ name, unit, values, basis }) => [
    `${name} (${unit})`,
    ...values.map((value) => format(value, 'not known')),
    basis,
  ]);
  return markdownTable(['', ...configurations.map(({ name }) => name), 'measured or estimated'], rows);
}

/** @param {number | undefined} value @param {string} [missing] */
export function format(value, missing = 'not validated') {
  if (value === undefined) return missing;
  return value === 0 || Math.abs(value) >= 1e-4
    ? String(Number(value.toPrecision(5)))
    : value.toExponential(3);
}

/**
 * @param {string[]} columns not escaped, as the rows
 * @param {string[][]} rows
 */
export function markdownTable(columns, rows) {
  const line = (/** @type {string[]} */ cells) => `| ${cells.map(escapeMarkdown).join(' | ')} |`;
  return [line(columns), `|${' --- |'.repeat(columns.length)}`, ...rows.map(line), ''].join('\n');
}
