// Entry point of ocelli/convert in Node.
import '../platform/node.js';

export * from './index.js';
