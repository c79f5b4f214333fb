// Edits of a backbone's network: cuts off its frozen part, and adds pool and softmax head to make a classifier.
import { convertFailure } from '../convert/errors.js';
import { dropUnused } from '../convert/lower/fuse.js';
import { ints } from '../tflite/network.js';
import { sizeOf } from '../shared/numbers.js';

/**
 * @typedef {import('../tflite/network.js').Network} FileNetwork
 * @typedef {import('../tflite/network.js').Op} Op
 * @typedef {import('../tflite/network.js').Value} Value
 */

/**
 * Finds the feature map that is pooled to features: the input of the last global pool, or what a file without a head gives,
 * or, in a detector, the output of the backbone's last layer, Conv_1.
 * @param {import('../tflite/read.js').TfliteFile} file
 * @returns {number} index of the tensor
 */
export function findFeatureMap({ operators, outputs }) {
  const [output, ...others] = operators.filter((operator) => outputs.includes(operator.output));
  if (output && others.length === 0 && isMap(output.shape)) return output.output;
  const pool = operators.findLast(
    ({ kind, shape, inputShape, output: pooled }) =>
      (kind === 'MEAN' || kind === 'AVERAGE_POOL_2D') &&
      inputShape.length === 4 &&
      sizeOf(shape) === shape[0] * inputShape[3] &&
      !isSqueeze(operators, pooled),
  );
  if (pool) return pool.inputs[0];
  const last = operators.findLast(({ name }) => /(^|\/)Conv_1\//.test(name));
  if (!last) throw convertFailure('GRAPH_UNSUPPORTED', 'found neither a global pool nor a layer Conv_1');
  return last.output;
}

/** Whether a tensor has more than one pixel. @param {number[]} shape */
const isMap = ([, ...sizes]) => sizes.length === 3 && sizes[0] * sizes[1] > 1;

/**
 * Whether the mean of a map scales that map, as in squeeze and excitation: an operator after it gives a map.
 * @param {import('../tflite/read.js').TfliteFile['operators']} operators in the order in which they run
 * @param {number} pooled
 */
function isSqueeze(operators, pooled) {
  const after = new Set([pooled]);
  for (const { inputs, output, shape } of operators) {
    if (!inputs.some((input) => after.has(input))) continue;
    if (isMap(shape)) return true;
    after.add(output);
  }
  return false;
}

/**
 * Cuts the network at a value: keeps the operators that compute it, and flattens it to [N, length].
 * @param {FileNetwork} network
 * @param {Value} value
 * @returns {FileNetwork}
 */
export function cutAt({ ops, inputs }, value) {
  const length = sizeOf(value.shape.slice(1));
  const output = { name: 'features', shape: [value.shape[0], length] };
  const shape = ints('features/shape', [-1, length]);
  const network = {
    ops: [...ops, { kind: 'RESHAPE', inputs: [value, shape], output, options: {} }],
    ...{ inputs, outputs: [{ name: 'features', value: output }] },
  };
  dropUnused(network);
  return network;
}

/**
 * Adds a global average pool: [N, height, width, channels] -> [N, channels].
 * @param {FileNetwork} network
 * @param {Value} featureMap
 * @returns {FileNetwork}
 */
export function addPool({ ops, inputs }, featureMap) {
  const axes = { dtype: /** @type {const} */ ('int32'), shape: [2], data: Int32Array.of(1, 2) };
  /** @type {Value} */
  const output = { name: 'features', shape: [featureMap.shape[0], featureMap.shape[3]] };
  /** @type {Op} */
  const mean = {
    kind: 'MEAN',
    inputs: [featureMap, { name: 'features/axes', shape: [2], tensor: axes }],
    output,
    options: { keepDims: false },
  };
  return { ops: [...ops, mean], inputs, outputs: [{ name: 'features', value: output }] };
}

/**
 * Adds a dense layer and softmax on the features.
 * @param {FileNetwork} network
 * @param {Float32Array} kernel [length, classes]
 * @param {Float32Array} bias [classes]
 * @returns {FileNetwork}
 */
export function addHead({ ops, inputs, outputs: [{ value: features }] }, kernel, bias) {
  const [batch, length] = features.shape;
  const shape = [batch, bias.length];
  /** @type {Value} */
  const logits = { name: 'logits', shape };
  /** @type {Value} */
  const output = { name: 'probabilities', shape };
  /** @type {Op} */
  const dense = {
    kind: 'FULLY_CONNECTED',
    inputs: [features],
    output: logits,
    options: { activation: 'NONE' },
    weights: {
      kernel: { dtype: 'float32', shape: [length, bias.length], data: kernel },
      isTransposed: false,
      bias: Float64Array.from(bias),
    },
  };
  /** @type {Op} */
  const softmax = { kind: 'SOFTMAX', inputs: [logits], output, options: {} };
  return { ops: [...ops, dense, softmax], inputs, outputs: [{ name: 'probabilities', value: output }] };
}
