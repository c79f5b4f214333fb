// The exports of ocelli/train that are the same on every platform.
/**
 * @typedef {import('../report/card.js').About} About
 * @typedef {import('./backbone.js').BackboneOptions} BackboneOptions
 * @typedef {import('./fit.js').Callbacks} Callbacks
 * @typedef {import('./metrics.js').ClassMetrics} ClassMetrics
 * @typedef {import('./fit_facts.js').Configuration} Configuration
 * @typedef {import('./fit_facts.js').DescribeOptions} DescribeOptions
 * @typedef {import('./detect/fit.js').DetectorCallbacks} DetectorCallbacks
 * @typedef {import('./detect/types.js').DetectorEvaluation} DetectorEvaluation
 * @typedef {import('./detect/types.js').DetectorFitOptions} DetectorFitOptions
 * @typedef {import('./detect/types.js').DetectorLearnerOptions} DetectorLearnerOptions
 * @typedef {import('./detect/types.js').DetectorRunOptions} DetectorRunOptions
 * @typedef {import('./plan.js').EarlyStopping} EarlyStopping
 * @typedef {import('./detect/examples.js').ExampleBox} ExampleBox
 * @typedef {import('../report/energy/estimate.js').EnergyOptions} EnergyOptions
 * @typedef {import('../shared/errors.js').ErrorCode} ErrorCode
 * @typedef {import('./types.js').Evaluation} Evaluation
 * @typedef {import('./types.js').ExtractOptions} ExtractOptions
 * @typedef {import('./types.js').Extractor} Extractor
 * @typedef {import('./types.js').FeatureSet} FeatureSet
 * @typedef {import('./types.js').FitOptions} FitOptions
 * @typedef {import('./types.js').History} History
 * @typedef {import('../vision/input.js').ImageInput} ImageInput
 * @typedef {import('./types.js').ImageSet} ImageSet
 * @typedef {import('../vision/types.js').Input} Input
 * @typedef {import('../engine/engine.js').InputSpec} InputSpec
 * @typedef {import('./types.js').LearnerOptions} LearnerOptions
 * @typedef {import('./fit.js').Logs} Logs
 * @typedef {import('./detect/loss.js').LossOptions} LossOptions
 * @typedef {import('../vision/input.js').ModelInput} ModelInput
 * @typedef {import('./plan.js').OptimizerName} OptimizerName
 * @typedef {import('./plan.js').OptimizerOptions} OptimizerOptions
 * @typedef {import('./detect/photos.js').PhotosOptions} PhotosOptions
 * @typedef {import('./detect/photos.js').PhotosPlan} PhotosPlan
 * @typedef {import('./types.js').Prediction} Prediction
 * @typedef {import('./fit_facts.js').ReportOptions} ReportOptions
 * @typedef {import('./types.js').RunOptions} RunOptions
 * @typedef {import('./plan.js').Schedule} Schedule
 * @typedef {import('./extract.js').Source} Source
 * @typedef {import('./network.js').Tail} Tail
 */
export { OcelliError } from '../shared/errors.js';
export { makeReport } from '../report/report.js';
export { Backbone } from './backbone.js';
export { DetectorLearner } from './detect/learner.js';
export { createForPhotos, planForPhotos } from './detect/photos.js';
export { TransferLearner } from './learner.js';
