/**
 * @typedef {import('./types.js').Classification} Classification
 * @typedef {import('./types.js').ClassifierOptions} ClassifierOptions
 * @typedef {import('./types.js').Detection} Detection
 * @typedef {import('./types.js').Detections} Detections
 * @typedef {import('./types.js').DetectorOptions} DetectorOptions
 * @typedef {import('./types.js').Head} Head
 * @typedef {import('./types.js').Thresholds} Thresholds
 * @typedef {import('./types.js').VideoOptions} VideoOptions
 * @typedef {import('./types.js').VideoRun} VideoRun
 * @typedef {import('./types.js').ExtractorOptions} ExtractorOptions
 * @typedef {import('./types.js').ExtractOptions} ExtractOptions
 * @typedef {import('./types.js').FloatImages} FloatImages
 * @typedef {import('./input.js').ImageInput} ImageInput
 * @typedef {import('./types.js').RunInfo} RunInfo
 * @typedef {import('./types.js').ViewOptions} ViewOptions
 */

export { ImageClassifier } from './classifier.js';
export { ObjectDetector } from './detector.js';
export { OcelliError } from '../shared/errors.js';
export { cosineSimilarity, FeatureExtractor } from './features.js';
export { decodeImage } from './image.js';
