/**
 * @typedef {import('./detector.js').Detection} Detection
 * @typedef {import('./detector.js').DetectorOptions} DetectorOptions
 * @typedef {import('./detector.js').Head} Head
 * @typedef {import('./detector.js').RunInfo} RunInfo
 * @typedef {import('./detector.js').Thresholds} Thresholds
 * @typedef {import('./detector.js').VideoOptions} VideoOptions
 * @typedef {import('./detector.js').VideoRun} VideoRun
 * @typedef {import('./detector.js').ViewOptions} ViewOptions
 * @typedef {import('./input.js').ImageInput} ImageInput
 */

export { ObjectDetector } from './detector.js';
export { OcelliError } from './errors.js';
export { decodeImage } from './image.js';
