// The entry of ocelli/quantize in pages and workers.
import '../../wasm/platform/browser.js';

export { OcelliError } from '../../wasm/errors.js';
export { quantize } from './index.js';
export { toMarkdown } from './report.js';
