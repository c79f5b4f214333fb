// The network that is trained: a softmax head, or the last layers of a backbone followed by that head.
import { sizeOf } from '../shared/numbers.js';
import { failure } from './errors.js';
import { glorotUniform } from './random.js';

/**
 * @typedef {import('./trainer.js').Network} Network
 * @typedef {import('./trainer.js').TrainLayer} TrainLayer
 *
 * @typedef {object} Tail The last layers of a backbone before its global pool.
 * @property {number[]} input [height, width, channels]
 * @property {TrainLayer[]} layers
 * @property {Float32Array} parameters in the trainer's order
 *
 * @typedef {object} ParameterSpec
 * @property {string} name
 * @property {number[]} shape
 * @property {number} offset of the first value in the parameters array
 * @property {number} size
 */

/** The trainer has at most 1 GiB for weights, gradients and the optimizer's state. */
const MAX_PARAMETERS = 1 << 27;

/**
 * @param {number} length number of features
 * @param {number} numClasses
 * @returns {Network}
 */
export function headNetwork(length, numClasses) {
  return { input: [1, 1, length], layers: [{ kind: 'pointwise', channels: numClasses }] };
}

/**
 * @param {Tail} tail
 * @param {number} numClasses
 * @returns {Network}
 */
export function tailNetwork({ input, layers }, numClasses) {
  const { channels } = layers[layers.length - 1];
  return {
    input,
    layers: [...layers, { kind: 'pool', channels }, { kind: 'pointwise', channels: numClasses }],
  };
}

/**
 * The tail's parameters, then the initial head: a Glorot uniform kernel and a zero bias, as Keras' Dense.
 * @param {Network} network
 * @param {Tail | undefined} tail
 * @param {number} seed
 */
export function initialParameters(network, tail, seed) {
  const specs = parameterSpecs(network);
  const [kernel, bias] = specs.slice(-2);
  const count = bias.offset + bias.size;
  if (count > MAX_PARAMETERS)
    throw failure('INVALID_FEATURES', `${count} weights would be trained; the limit is ${MAX_PARAMETERS}`);
  const parameters = new Float32Array(count);
  if (tail) parameters.set(tail.parameters);
  parameters.set(glorotUniform(kernel.shape[0], kernel.shape[1], seed), kernel.offset);
  return parameters;
}

/**
 * The layout of the parameters array; must agree with src/train/trainer.h.
 * @param {Network} network
 */
export function parameterSpecs({ input, layers }) {
  /** @type {ParameterSpec[]} */
  const specs = [];
  let offset = 0;
  let inputChannels = input[2];
  layers.forEach(({ kind, channels, size: side = 3, norm = 'bias' }, index) => {
    const name = index === layers.length - 1 ? 'dense' : `tail/${index}`;
    const add = (/** @type {string} */ part, /** @type {number[]} */ shape) => {
      const size = sizeOf(shape);
      specs.push({ name: `${name}/${part}`, shape, offset, size });
      offset += size;
    };
    if (kind !== 'pool' && kind !== 'gate') {
      add('kernel', kind === 'depthwise' ? [side, side, channels] : [inputChannels, channels]);
      const parts = norm === 'bias' ? ['bias'] : ['gamma', 'beta', 'moving_mean', 'moving_variance'];
      parts.forEach((part) => add(part, [channels]));
    }
    inputChannels = channels;
  });
  return specs;
}

/**
 * Multiply-adds of one row's forward pass.
 * @param {Network} network
 */
export function countMultiplyAdds({ input, layers }) {
  const shapes = [input];
  let total = 0;
  layers.forEach(({ kind, channels, stride = 1, size = 3, added = -1 }, i) => {
    const [height, width, depth] = shapes[i];
    const strided = [Math.ceil(height / stride), Math.ceil(width / stride), channels];
    const shape = kind === 'pool' ? [1, 1, channels] : kind === 'gate' ? shapes[added] : strided;
    shapes.push(shape);
    const taps = { pointwise: depth, depthwise: size * size, pool: 0, gate: 1, conv3: 9 * depth }[kind];
    total += sizeOf(shape) * taps;
  });
  return total;
}
