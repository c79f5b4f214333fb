// The entry of ocelli/train in Node.
import '../platform/node.js';

export { OcelliError } from '../errors.js';
export { makeReport } from '../report/report.js';
export { Backbone } from './backbone.js';
export { openImageDirectory } from './directory.node.js';
export { extractFeatures } from './extract.js';
export { TransferLearner } from './learner.js';
