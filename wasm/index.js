export { ObjectDetector } from './detector.js';
export { OcelliError } from './errors.js';
export { decodeImage } from './image.js';
