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

/** @param {Network} network */
export const parameterSpecs = ({ input, layers }) =>
  layOut([input], layers, (index) => (index === layers.length - 1 ? 'dense' : `tail/${index}`));

/**
 * The layout of the parameters array; must agree with src/train/network.h.
 * @param {readonly number[][]} inputs [height, width, channels] of each
 * @param {readonly TrainLayer[]} layers
 * @param {(index: number) => string} nameOf
 */
export function layOut(inputs, layers, nameOf) {
  const depths = inputs.map(([, , channels]) => channels);
  /** @type {ParameterSpec[]} */
  const specs = [];
  let offset = 0;
  layers.forEach(
    ({ kind, channels, size: side = 3, norm = 'bias', from = depths.length - 1, shared = -1 }, index) => {
      const depth = depths[from];
      depths.push(channels);
      const kernel = {
        ...{ pointwise: [depth, channels], depthwise: [side, side, channels] },
        ...{ conv3: [3, 3, depth, channels], pool: undefined, gate: undefined },
      }[kind];
      if (!kernel || shared >= 0) return;
      const parts = norm === 'bias' ? ['bias'] : ['gamma', 'beta', 'moving_mean', 'moving_variance'];
      const shapes = { kernel, ...Object.fromEntries(parts.map((part) => [part, [channels]])) };
      for (const [part, shape] of Object.entries(shapes)) {
        specs.push({ name: `${nameOf(index)}/${part}`, shape, offset, size: sizeOf(shape) });
        offset += sizeOf(shape);
      }
    },
  );
  return specs;
}

/**
 * Multiply-adds of one row's forward pass.
 * @param {readonly number[][]} inputs [height, width, channels] of each
 * @param {readonly TrainLayer[]} layers
 */
export function countMultiplyAdds(inputs, layers) {
  const shapes = [...inputs];
  let total = 0;
  for (const layer of layers) {
    const { kind, channels, stride = 1, size = 3, added = -1, from = shapes.length - 1 } = layer;
    const [height, width, depth] = shapes[from];
    const strided = [Math.ceil(height / stride), Math.ceil(width / stride), channels];
    const shape = kind === 'pool' ? [1, 1, channels] : kind === 'gate' ? shapes[added] : strided;
    shapes.push(shape);
    const taps = { pointwise: depth, depthwise: size * size, pool: 0, gate: 1, conv3: 9 * depth }[kind];
    total += sizeOf(shape) * taps;
  }
  return total;
}
