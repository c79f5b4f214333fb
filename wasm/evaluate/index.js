// Entry point of ocelli/evaluate: pure JavaScript, for Node, pages, workers and edge workers.

/**
 * @typedef {import('./evaluate.js').Evaluation} Evaluation
 * @typedef {import('./evaluate.js').EvaluateOptions} EvaluateOptions
 * @typedef {import('./types.js').GroundTruth} GroundTruth
 * @typedef {import('./types.js').Detection} Detection
 * @typedef {import('./read/dataset.js').Dataset} Dataset
 * @typedef {import('./read/dataset.js').DatasetOptions} DatasetOptions
 * @typedef {import('./read/files.js').FileContent} FileContent
 * @typedef {import('./run.js').Detector} Detector
 * @typedef {import('./run.js').DetectorResult} DetectorResult
 * @typedef {import('./run.js').ImageResult} ImageResult
 * @typedef {import('./run.js').Ran} Ran
 * @typedef {import('./run.js').RunOptions} RunOptions
 * @typedef {import('../shared/errors.js').ErrorCode} ErrorCode
 */

export { OcelliError } from '../shared/errors.js';
export { evaluateClassification } from './classification.js';
export { evaluateDetections, MEASURES } from './evaluate.js';
export { expandHierarchy } from './measure/open_images.js';
export { readDataset } from './read/dataset.js';
export { readDetections } from './read/detections.js';
export { matchClasses, readClassTable, withLabels } from './read/match.js';
export { makeClassifierReport } from './report/classifier.js';
export { makeEvaluationReport } from './report/report.js';
export { drawMisclassified, drawWorst } from './report/worst.js';
export { runDetector } from './run.js';
