// Class columns that nobody asks for, taken out of the class heads for good: from the joined scores back to the
// convolutions that make them, whose output channels are anchors by classes.
import { ints, numChannels, Wiring } from '../../tflite/network.js';

/**
 * @typedef {import('../../tflite/network.js').Network} Network
 * @typedef {import('../../tflite/network.js').Op} Op
 * @typedef {import('../../tflite/network.js').Value} Value
 */

/**
 * @param {Network} network changed in place
 * @param {Value} scores [1, N, C]
 * @param {number[]} columns to keep
 * @returns {boolean} false: something stands between, and the network is as it was
 */
export function sliceColumns(network, scores, columns) {
  const total = scores.shape[scores.shape.length - 1];
  /** @type {Op[]} */
  const path = [];
  if (!collect(new Wiring(network), scores, total, path)) return false;
  for (const op of path) {
    if (op.weights) op.weights.channels = keptChannels(op, total, columns);
    const { shape } = op.output;
    op.output.shape = shape.with(
      -1,
      op.weights ? (shape[shape.length - 1] / total) * columns.length : columns.length,
    );
    if (op.kind === 'RESHAPE') op.inputs = [op.inputs[0], ints(op.inputs[1].name, op.output.shape)];
  }
  return true;
}

/** @param {Op} op @param {number} total @param {number[]} columns */
function keptChannels(op, total, columns) {
  const weights = /** @type {import('../../tflite/network.js').Weights} */ (op.weights);
  const channels = weights.channels ?? Array.from({ length: numChannels(weights, op.kind) }, (_, c) => c);
  return channels.filter((_, i) => columns.includes(i % total));
}

/**
 * The operators from the scores back to the convolutions, if they only join and reshape whole columns.
 * @param {Wiring} wiring
 * @param {Value} value
 * @param {number} total
 * @param {Op[]} path
 * @returns {boolean}
 */
function collect(wiring, value, total, path) {
  const op = wiring.producer(value);
  const isOwn = wiring.users(value).length + Number(wiring.isOutput(value)) === 1;
  if (!op || !isOwn) return false;
  path.push(op);
  if (op.weights) return op.kind !== 'DEPTHWISE_CONV_2D' && value.shape[value.shape.length - 1] % total === 0;
  const isWhole = value.shape[value.shape.length - 1] === total;
  if (op.kind === 'RESHAPE' && isWhole) return collect(wiring, op.inputs[0], total, path);
  const joinsRows = op.kind === 'CONCATENATION' && op.options.axis < value.shape.length - 1;
  return joinsRows && isWhole && op.inputs.every((input) => collect(wiring, input, total, path));
}
