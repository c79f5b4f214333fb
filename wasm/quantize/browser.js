// Entry point of ocelli/quantize in browsers (pages and Web Workers).
import '../platform/browser.js';

export { OcelliError } from '../shared/errors.js';
export { quantize } from './index.js';
export { toHtml } from './page.js';
export { toMarkdown } from './report.js';
