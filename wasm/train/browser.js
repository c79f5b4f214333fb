// Entry point of ocelli/train in browsers (pages and Web Workers).
import '../platform/browser.js';

export * from './index.js';
