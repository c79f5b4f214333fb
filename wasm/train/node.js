// The entry of ocelli/train in Node.
import '../platform/node.js';

export { TransferLearner } from './learner.js';
export { OcelliError } from '../errors.js';
