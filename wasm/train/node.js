// Entry point of ocelli/train in Node.
import '../platform/node.js';
import { host, installHost } from '../engine/host.js';
import { openImageDirectory } from './directory.node.js';

/** @type {import('../engine/host.js').Host & import('./types.js').DirectoryHost} */
const node = { ...host(), openImageDirectory };
installHost(node);

export * from './index.js';
export { openImageDirectory };
export { extractFeatures } from './extract.js';
