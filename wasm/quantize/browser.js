// The entry of ocelli/quantize in pages and workers.
import '../platform/browser.js';

export { OcelliError } from '../shared/errors.js';
export { quantize } from './index.js';
export { toMarkdown } from './report.js';
