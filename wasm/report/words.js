// Facts about trainings -> sentences, which the model card and the page share.
import { plural } from '../shared/text.js';
import { areDetectors, describeUnfrozen, format } from './metrics.js';
import { readableUnit } from './ticks.js';

/**
 * @typedef {import('./metrics.js').Configuration} Configuration
 * @typedef {import('./metrics.js').Schedule} Schedule
 */

/**
 * `0.004, falling to 0 by a cosine over 408 steps`.
 * @param {number | Schedule} rate
 */
export function describeRate(rate) {
  if (typeof rate === 'number') return String(rate);
  const { rate: start, warmupSteps = 0, warmupFrom = 0 } = rate;
  const decay = describeDecay(rate);
  if (warmupSteps === 0) return `${start}${decay}`;
  return `rising from ${warmupFrom} to ${start} over ${plural(warmupSteps, 'step')}${decay && `, then${decay.slice(1)}`}`;
}

/** @param {Schedule} rate */
function describeDecay({ type, rate, every = 1, factor = 0.1, decaySteps = 1, alpha = 0 }) {
  if (type === 'constant') return '';
  if (type === 'step')
    return `, multiplied by ${factor} after every ${every === 1 ? 'step' : `${every} steps`}`;
  return `, falling to ${format(alpha * rate)} by a cosine over ${plural(decaySteps, 'step')}`;
}

/**
 * The epochs that the figures are of.
 * @param {Configuration[]} configurations
 * @returns {string[]} sentences
 */
export function describeEpochs(configurations) {
  const restored = configurations.filter(({ weightsEpoch }) => weightsEpoch !== undefined);
  const sentences = restored.map(({ name, weightsEpoch = 0, history: { epoch } }) => {
    const figures = configurations.length === 1 ? 'Figures' : `Figures of "${name}"`;
    return `${figures} are of epoch ${weightsEpoch + 1}, whose weights the file has; the training stopped after epoch ${epoch.length}.`;
  });
  if (restored.length === configurations.length) return sentences;
  return [...sentences, `${restored.length > 0 ? 'Other figures' : 'Figures'} are of the last epoch.`];
}

/**
 * How the best configuration was chosen.
 * @param {Configuration[]} configurations
 * @param {Configuration} best
 */
export function describeBest(configurations, best) {
  const isValidated = configurations.some(({ history: { history } }) => 'val_loss' in history);
  const validated = `validation ${areDetectors(configurations) ? 'AP' : 'accuracy'}, then validation loss`;
  const trained = areDetectors(configurations) ? 'training loss' : 'training accuracy, then training loss';
  return `The best is "${best.name}", by ${isValidated ? validated : `${trained}, as nothing was validated`}.`;
}

/** The classes that were learned. @param {Configuration['data']} data */
export const trainedClasses = ({ classes, kept = [] }) => classes.filter((name) => !kept.includes(name));

/**
 * `3 classes (2 trained, 1 kept from the base model)`.
 * @param {Configuration['data']} data
 */
export function countClasses(data) {
  const { classes, kept = [] } = data;
  const all = plural(classes.length, 'class', 'classes');
  if (kept.length === 0) return all;
  return `${all} (${trainedClasses(data).length} trained, ${kept.length} kept from the base model)`;
}

/**
 * The network that the trained layers are on.
 * @param {Configuration} configuration
 * @param {string | undefined} backbone
 */
export function describeNetwork({ data }, backbone) {
  const name = backbone ?? 'a network that is not named here';
  return `${name}${data.unfrozen ? describeUnfrozen(data.unfrozen) : ''}`;
}

/**
 * `30 photos; 10 others for validation`.
 * @param {Configuration} configuration
 */
export function countExamples(configuration) {
  const { train, validation } = configuration.data;
  const noun = areDetectors([configuration]) ? 'photo' : 'example';
  return `${plural(train, noun)}; ${validation === 0 ? 'none' : validation === 1 ? '1 other' : `${validation} others`} for validation`;
}

/**
 * What the features took, and whether the figures of energy include it.
 * @param {Configuration[]} configurations
 */
export function describeExtraction(configurations) {
  const times = configurations.map(({ energy }) => energy.extraction?.seconds);
  if (times.every((seconds) => seconds === undefined))
    return 'ocelli did not extract the features, so the figures of energy are without their extraction.';
  const list = configurations.map(({ name }, i) => {
    const time = times[i] === undefined ? 'not known' : inSeconds(times[i]);
    return configurations.length > 1 ? `"${name}" ${time}` : time;
  });
  return `Extracting the features took: ${list.join(', ')}. Energy, emissions and SCI include it.`;
}

/** With three digits, for reading: report.json has them all. @param {number} value */
export function short(value) {
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

/** @param {number} seconds */
export function inSeconds(seconds) {
  if (seconds >= 1) return `${short(seconds)} s`;
  const { factor, unit } = readableUnit(seconds, 's');
  return `${short(seconds / factor)} ${unit}`;
}
