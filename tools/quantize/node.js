// The entry of ocelli/quantize in Node.
import '../../wasm/platform/node.js';

export { OcelliError } from '../../wasm/errors.js';
export { quantize } from './index.js';
export { toMarkdown } from './report.js';
