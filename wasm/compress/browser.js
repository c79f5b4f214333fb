// Entry point of ocelli/compress in browsers (pages and Web Workers).
import '../platform/browser.js';

export { OcelliError } from '../shared/errors.js';
export { compress } from './index.js';
export { toHtml } from './page.js';
export { toMarkdown } from './report.js';
