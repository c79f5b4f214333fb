// Describes a finished fit: Keras' History, and the facts that a report is made from.
import { estimateEnergy, loadMachine } from '../report/energy/estimate.js';
import { makeReport } from '../report/report.js';
import { failure } from '../shared/errors.js';
import { checkKeys, checkNumber, checkText } from '../shared/options.js';

/**
 * @typedef {import('../report/energy/estimate.js').EnergyOptions} EnergyOptions
 * @typedef {import('../report/energy/estimate.js').Extraction} Extraction
 * @typedef {import('./plan.js').Plan} Plan
 * @typedef {import('./types.js').History} History
 *
 * @typedef {import('../report/metrics.js').Configuration & {plan: Plan, history: History}} Configuration
 *
 * @typedef {object} FitFacts
 * @property {Plan & {views?: number}} plan views: of each photo of a detector's training
 * @property {History} history
 * @property {import('./fit.js').Progress} progress
 * @property {number} train number of training examples
 * @property {number} validation number of validation examples
 * @property {Extraction} [extraction] of the features, if ocelli did it
 *
 * @typedef {object} DescribeOptions
 * @property {string} [name] of the run; default 'training'
 * @property {EnergyOptions} [energy]
 * @property {number} [extractionSeconds] time to extract the features, which the figures of energy include; default: what
 *   the learner took
 *
 * @typedef {DescribeOptions & Partial<import('../report/card.js').About>} ReportOptions
 */

// prettier-ignore
const TEXTS = /** @type {const} */ (['name', 'project', 'dataset', 'backbone', 'baseModel', 'license', 'file']);
const FIGURES = /** @type {const} */ (['energy', 'extractionSeconds']);

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
 * @param {DescribeOptions} [options]
 * @returns {Promise<Configuration>}
 */
export async function describeFit(facts, model, options = {}) {
  checkKeys('options', options, ['name', ...FIGURES]);
  const { name = 'training', energy = {}, extractionSeconds } = options;
  if (extractionSeconds !== undefined) checkNumber('extractionSeconds', extractionSeconds, { min: 0 });
  const { plan, history, progress, train, validation } = facts;
  const { seconds, multiplyAdds, joules } = progress;
  const weightsEpoch = restoredEpoch(progress, plan);
  const work = {
    ...{ seconds, multiplyAdds, joules: joules ?? undefined },
    images: train * (plan.views ?? 1) * history.epoch.length,
    extraction: extractionSeconds === undefined ? facts.extraction : { seconds: extractionSeconds },
  };
  const machine = await (await loadMachine()).describeMachine();
  return {
    name,
    plan,
    history,
    ...(weightsEpoch !== undefined && { weightsEpoch }),
    seconds,
    multiplyAdds,
    energy: await estimateEnergy(work, machine, energy),
    data: { train, validation, ...model },
  };
}

/**
 * The report of one fit.
 * @param {(options: DescribeOptions) => Promise<Configuration>} describe
 * @param {string} model what its project is called by default
 * @param {ReportOptions} [options]
 */
export async function reportFit(describe, model, options = {}) {
  checkReport(options);
  const { name, energy, extractionSeconds, project = model, date = new Date(), ...about } = options;
  return makeReport([await describe({ name, energy, extractionSeconds })], { project, date, ...about });
}

/** @param {ReportOptions} options */
function checkReport(options) {
  checkKeys('options', options, [...TEXTS, 'date', ...FIGURES]);
  for (const key of TEXTS) if (options[key] !== undefined) checkText(key, options[key]);
  const { date, baseModel } = options;
  if (baseModel !== undefined && !/^[\w.-]+(\/[\w.-]+)?$/.test(baseModel))
    throw failure('INVALID_OPTION', "baseModel must be a name on the Hugging Face hub, such as 'owner/name'");
  if (date !== undefined && !(date instanceof Date && Number.isFinite(date.getTime())))
    throw failure('INVALID_OPTION', 'date must be a valid Date');
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
