// The entry of ocelli/train in pages and workers.
import '../platform/browser.js';

export * from './index.js';
