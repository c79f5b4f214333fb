// What ocelli/train is everywhere.
export { OcelliError } from '../errors.js';
export { makeReport } from '../report/report.js';
export { Backbone } from './backbone.js';
export { TransferLearner } from './learner.js';
