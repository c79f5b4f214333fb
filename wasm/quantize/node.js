// Entry point of ocelli/quantize in Node. Its types are those of all platforms.
/**
 * @typedef {import('./compare.js').Report} Report
 * @typedef {import('./detections.js').DetectionReport} DetectionReport
 * @typedef {import('../shared/errors.js').ErrorCode} ErrorCode
 * @typedef {import('../vision/input.js').ImageInput} ImageInput
 * @typedef {import('../engine/engine.js').InputSpec} InputSpec
 * @typedef {import('./index.js').Quantized} Quantized
 * @typedef {import('./options.js').QuantizeOptions} QuantizeOptions
 * @typedef {import('./ranges.js').RangeMethod} RangeMethod
 */
import '../platform/node.js';

export { OcelliError } from '../shared/errors.js';
export { quantize } from './index.js';
export { toHtml } from './page.js';
export { toMarkdown } from './report.js';
