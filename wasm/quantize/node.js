// Entry point of ocelli/quantize in Node.
import '../platform/node.js';

export { OcelliError } from '../shared/errors.js';
export { quantize } from './index.js';
export { toMarkdown } from './report.js';
