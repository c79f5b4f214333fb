// Entry point of ocelli/compress in Node. Its types are those of all platforms.
/**
 * @typedef {import('./answers.js').Answers} Answers
 * @typedef {import('./index.js').Compressed} Compressed
 * @typedef {import('./index.js').Report} Report
 * @typedef {import('./options.js').CompressOptions} CompressOptions
 * @typedef {import('../quantize/compare.js').LayerReport} LayerReport
 * @typedef {import('../quantize/detections.js').DetectionReport} DetectionReport
 * @typedef {import('../shared/errors.js').ErrorCode} ErrorCode
 * @typedef {import('../vision/input.js').ImageInput} ImageInput
 * @typedef {import('../engine/engine.js').InputSpec} InputSpec
 */
import '../platform/node.js';

export { OcelliError } from '../shared/errors.js';
export { compress } from './index.js';
export { toHtml } from './page.js';
export { toMarkdown } from './report.js';
