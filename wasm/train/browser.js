// The entry of ocelli/train in pages and workers.
import '../platform/browser.js';

export { OcelliError } from '../errors.js';
export { makeReport } from '../report/report.js';
export { Backbone } from './backbone.js';
export { TransferLearner } from './learner.js';
