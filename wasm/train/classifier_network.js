// The networks that are cut out of a backbone's file and built on it: what stays as it is, and the trained classifier.
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
 * The map that is pooled to features: what the last global pool takes or, in a detector, the backbone's last layer.
 * @param {import('../tflite/read.js').TfliteFile} file
 * @returns {number} tensor
 */
export function findMap({ operators }) {
  const pool = operators.findLast(
    ({ kind, shape, inputShape }) =>
      (kind === 'MEAN' || kind === 'AVERAGE_POOL_2D') &&
      inputShape.length === 4 &&
      sizeOf(shape) === shape[0] * inputShape[3],
  );
  if (pool) return pool.inputs[0];
  const last = operators.findLast(({ name }) => /(^|\/)Conv_1\//.test(name));
  if (!last) throw convertFailure('GRAPH_UNSUPPORTED', 'a network without a global pool and without Conv_1');
  return last.output;
}

/**
 * What leads to a value, and nothing else; the value's numbers in a row for each image.
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
 * @param {FileNetwork} network
 * @param {Value} map
 * @returns {FileNetwork}
 */
export function addPool({ ops, inputs }, map) {
  const axes = { dtype: /** @type {const} */ ('int32'), shape: [2], data: Int32Array.of(1, 2) };
  /** @type {Value} */
  const output = { name: 'features', shape: [map.shape[0], map.shape[3]] };
  /** @type {Op} */
  const mean = {
    kind: 'MEAN',
    inputs: [map, { name: 'features/axes', shape: [2], tensor: axes }],
    output,
    options: { keepDims: false },
  };
  return { ops: [...ops, mean], inputs, outputs: [{ name: 'features', value: output }] };
}

/**
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
