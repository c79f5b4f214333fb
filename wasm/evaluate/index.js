// Entry point of ocelli/evaluate: pure JavaScript, for Node, pages, workers and edge workers.

/**
 * @typedef {import('./evaluate.js').Evaluation} Evaluation
 * @typedef {import('./evaluate.js').EvaluateOptions} EvaluateOptions
 * @typedef {import('./types.js').GroundTruth} GroundTruth
 * @typedef {import('./types.js').Detection} Detection
 * @typedef {import('./read/dataset.js').Dataset} Dataset
 * @typedef {import('./read/dataset.js').DatasetOptions} DatasetOptions
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
export { drawWorst } from './report/worst.js';
export { runDetector } from './run.js';
