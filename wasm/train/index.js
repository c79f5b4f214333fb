// The exports of ocelli/train that are the same on every platform.
/**
 * @typedef {import('./backbone.js').BackboneOptions} BackboneOptions
 * @typedef {import('./fit.js').Callbacks} Callbacks
 * @typedef {import('./fit.js').Logs} Logs
 * @typedef {import('./types.js').Evaluation} Evaluation
 * @typedef {import('./types.js').Extractor} Extractor
 * @typedef {import('./types.js').ExtractOptions} ExtractOptions
 * @typedef {import('./types.js').FeatureSet} FeatureSet
 * @typedef {import('./types.js').FitOptions} FitOptions
 * @typedef {import('./types.js').History} History
 * @typedef {import('./types.js').ImageSet} ImageSet
 * @typedef {import('./types.js').LearnerOptions} LearnerOptions
 * @typedef {import('./types.js').Prediction} Prediction
 */
export { OcelliError } from '../shared/errors.js';
export { makeReport } from '../report/report.js';
export { Backbone } from './backbone.js';
export { TransferLearner } from './learner.js';
