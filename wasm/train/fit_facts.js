// Describes a finished fit: Keras' History, and the facts that a report is made from.
import { estimateEnergy, loadMachine } from '../report/energy/estimate.js';

/**
 * @typedef {import('./plan.js').Plan} Plan
 * @typedef {import('./types.js').History} History
 *
 * @typedef {import('../report/metrics.js').Configuration & {plan: Plan, history: History}} Configuration
 *
 * @typedef {object} FitFacts
 * @property {Plan} plan
 * @property {History} history
 * @property {import('./fit.js').Progress} progress
 * @property {number} train number of training examples
 * @property {number} validation number of validation examples
 */

/**
 * @param {Pick<import('./fit.js').Progress, 'history'>} progress
 * @param {Pick<Plan, 'epochs' | 'batchSize'>} plan
 * @param {number} examples number of training examples
 * @returns {History}
 */
export function toHistory({ history }, { epochs, batchSize }, examples) {
  const epoch = history.loss.map((_, i) => i);
  return { history, epoch, params: { epochs, steps: Math.ceil(examples / batchSize) } };
}

/**
 * Adds energy and emissions to the facts of a fit.
 * @param {FitFacts} facts
 * @param {Omit<Configuration['data'], 'train' | 'validation'>} model
 * @param {{name?: string, energy?: import('../report/energy/estimate.js').EnergyOptions}} [options]
 * @returns {Promise<Configuration>}
 */
export async function describeFit(facts, model, { name = 'training', energy = {} } = {}) {
  const { plan, history, progress, train, validation } = facts;
  const { seconds, multiplyAdds, joules } = progress;
  const weightsEpoch = restoredEpoch(progress, plan);
  const machine = await (await loadMachine()).describeMachine();
  return {
    name,
    plan,
    history,
    ...(weightsEpoch !== undefined && { weightsEpoch }),
    seconds,
    multiplyAdds,
    energy: await estimateEnergy({ seconds, multiplyAdds, joules: joules ?? undefined }, machine, energy),
    data: { train, validation, ...model },
  };
}

/**
 * The epoch whose weights early stopping restored; undefined: the weights are those of the last epoch.
 * @param {import('./fit.js').Progress} progress
 * @param {Plan} plan
 */
function restoredEpoch({ best }, { earlyStopping }) {
  if (!earlyStopping?.restoreBestWeights || best === null) return undefined;
  const { epoch, wait } = best;
  return wait > 0 && wait >= earlyStopping.patience ? epoch : undefined;
}
