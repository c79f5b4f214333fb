// Entry point of ocelli/convert in browsers (pages and Web Workers).
import '../platform/browser.js';

export * from './index.js';
