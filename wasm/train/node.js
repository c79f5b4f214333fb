// The entry of ocelli/train in Node.
import '../platform/node.js';

export * from './index.js';
export { openImageDirectory } from './directory.node.js';
export { extractFeatures } from './extract.js';
