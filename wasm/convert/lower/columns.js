// Chooses and reorders columns of heads, such as classes: walks from the concatenated scores back to the convolutions that compute
// them, and chooses their output channels, which are ordered anchor by anchor, column by column.
import { ints, numChannels, Wiring } from '../../tflite/network.js';

/**
 * @typedef {import('../../tflite/network.js').Network} Network
 * @typedef {import('../../tflite/network.js').Op} Op
 * @typedef {import('../../tflite/network.js').Value} Value
 */

/**
 * @param {Network} network changed in place
 * @param {Value} scores [1, N, C]
 * @param {number[]} columns to keep, in the new order
 * @returns {boolean} false if an operator in between does not keep columns separate; the network is then unchanged
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

/** @param {Op} op @param {number} total columns before slicing @param {number[]} columns to keep */
function keptChannels(op, total, columns) {
  const weights = /** @type {import('../../tflite/network.js').Weights} */ (op.weights);
  const channels = weights.channels ?? Array.from({ length: numChannels(weights, op.kind) }, (_, c) => c);
  const starts = Array.from({ length: channels.length / total }, (_, i) => i * total);
  return starts.flatMap((start) => columns.map((column) => channels[start + column]));
}

/**
 * Collects the operators from the scores back to the convolutions.
 * @param {Wiring} wiring
 * @param {Value} value
 * @param {number} total
 * @param {Op[]} path the operators are appended
 * @returns {boolean} whether all of them only concatenate and reshape complete rows of columns
 */
function collect(wiring, value, total, path) {
  const op = wiring.producer(value);
  const hasSingleUser = wiring.users(value).length + Number(wiring.isOutput(value)) === 1;
  if (!op || !hasSingleUser) return false;
  path.push(op);
  if (op.weights) return op.kind !== 'DEPTHWISE_CONV_2D' && value.shape[value.shape.length - 1] % total === 0;
  const hasAllColumns = value.shape[value.shape.length - 1] === total;
  if (op.kind === 'RESHAPE' && hasAllColumns) return collect(wiring, op.inputs[0], total, path);
  const joinsRows = op.kind === 'CONCATENATION' && op.options.axis < value.shape.length - 1;
  return joinsRows && hasAllColumns && op.inputs.every((input) => collect(wiring, input, total, path));
}
