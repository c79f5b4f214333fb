// Facts about trainings -> sentences, which the model card and the page share.
import { plural } from '../shared/text.js';
import { areDetectors, format } from './metrics.js';

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
