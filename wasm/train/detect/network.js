// The heads of a detector as a network to train, and its first weights: those of the file, and new columns for new
// classes.
import { sizeOf } from '../../shared/numbers.js';
import { uniforms } from '../random.js';
import { mapOf } from './heads.js';

/**
 * @typedef {import('./heads.js').Head} Head
 * @typedef {import('./heads.js').Predictor} Predictor
 * @typedef {import('../../tflite/network.js').Op} Op
 * @typedef {import('../../tflite/network.js').Value} Value
 * @typedef {import('../trainer.js').TrainLayer} TrainLayer
 *
 * @typedef {object} HeadNetwork
 * @property {number[][]} inputs [height, width, channels] of each map
 * @property {TrainLayer[]} layers
 * @property {{boxes: number, scores: number}[]} heads for each map of the anchors, the layers that give boxes and scores
 * @property {number} columns of the scores that are trained
 *
 * @typedef {object} HeadLayer a layer of the file that is trained
 * @property {Op} op
 * @property {number} layer its index
 * @property {boolean} isScores whether it gives scores
 */

/** The share of anchors that a new class claims at first: p of the initial bias -log((1 - p) / p). */
const PRIOR = 0.01;
/** The standard deviation of new kernels. */
const DEVIATION = 0.01;

/**
 * @param {Head[]} heads
 * @param {readonly (number | null)[]} sources for each column that is trained, its column in the file; null: a new class
 * @returns {{network: HeadNetwork, maps: Value[], members: HeadLayer[]}}
 */
export function toHeadNetwork(heads, sources) {
  const predictors = heads.flatMap(({ boxes, scores }) => [boxes, scores]);
  const maps = [...new Set(predictors.map(mapOf))];
  const columns = sources.length;
  /** @type {TrainLayer[]} */
  const layers = [];
  /** @type {HeadLayer[]} */
  const members = [];
  const add = (
    /** @type {Predictor} */ predictor,
    /** @type {number} */ atPixel,
    /** @type {boolean} */ isScores,
  ) => {
    predictor.forEach((op, i) => {
      const isLast = i === predictor.length - 1;
      const shared = members.find(
        (member) => isSame(member.op, op) && member.isScores === (isScores && isLast),
      );
      layers.push({
        kind: kindOf(op),
        channels: isScores && isLast ? atPixel * columns : channelsOf(op),
        activation: op.options.activation === 'RELU6' ? 'relu6' : 'linear',
        from: i === 0 ? maps.indexOf(op.inputs[0]) : maps.length + layers.length - 1,
        shared: shared ? shared.layer : -1,
      });
      if (!shared) members.push({ op, layer: layers.length - 1, isScores: isScores && isLast });
    });
    return layers.length - 1;
  };
  const ends = heads.map(({ boxes, scores }) => {
    const atPixel = channelsOf(boxes[boxes.length - 1]) / 4;
    return { boxes: add(boxes, atPixel, false), scores: add(scores, atPixel, true) };
  });
  const network = { inputs: maps.map(({ shape }) => shape.slice(1)), layers, heads: ends, columns };
  return { network, maps, members };
}

/** @param {Op} op */
const channelsOf = ({ output }) => output.shape[3];

/** @param {Op} op @returns {TrainLayer['kind']} */
function kindOf({ kind, weights }) {
  if (kind === 'DEPTHWISE_CONV_2D') return 'depthwise';
  return weights?.kernel.shape[0] === 3 ? 'conv3' : 'pointwise';
}

/** Whether two layers of a file have the same weights, as those of a shared predictor have. @param {Op} a @param {Op} b */
function isSame(a, b) {
  const [first, second] = [a.weights, b.weights];
  if (a.kind !== b.kind || !first || !second || a.options.activation !== b.options.activation) return false;
  return areEqual(first.kernel.data, second.kernel.data) && areEqual(first.bias ?? [], second.bias ?? []);
}

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
function areEqual(a, b) {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/**
 * The layout of the parameters; it must agree with src/train/network.h.
 * @param {HeadNetwork} network
 */
export function headParameterSpecs({ inputs, layers }) {
  const channels = inputs.map((shape) => shape[2]);
  let offset = 0;
  /** @type {import('../network.js').ParameterSpec[]} */
  const specs = [];
  for (const [layer, { kind, channels: out, from = 0, shared = -1 }] of layers.entries()) {
    const input = channels[from];
    channels.push(out);
    if (shared >= 0) continue;
    const shapes = { pointwise: [input, out], depthwise: [3, 3, out], conv3: [3, 3, input, out] };
    for (const [part, shape] of Object.entries({
      kernel: shapes[/** @type {keyof shapes} */ (kind)],
      bias: [out],
    })) {
      specs.push({ name: `head/${layer}/${part}`, shape, offset, size: sizeOf(shape) });
      offset += sizeOf(shape);
    }
  }
  return specs;
}

/**
 * @param {HeadNetwork} network
 * @param {HeadLayer[]} members
 * @param {readonly (number | null)[]} sources
 * @param {number} seed of the kernels of new classes
 */
export function initialHeads(network, members, sources, seed) {
  const specs = headParameterSpecs(network);
  const last = specs[specs.length - 1];
  const parameters = new Float32Array(last.offset + last.size);
  const random = uniforms(seed);
  members.forEach(({ op, isScores }, i) => {
    const [kernel, bias] = specs.slice(2 * i, 2 * i + 2);
    const weights = /** @type {import('../../tflite/network.js').Weights} */ (op.weights);
    const channels = channelsOf(op);
    const fileBias = weights.bias ?? new Float64Array(channels);
    if (!isScores) {
      parameters.set(weights.kernel.data, kernel.offset);
      parameters.set(fileBias, bias.offset);
      return;
    }
    const of = columnSources(bias.size, channels, sources);
    for (let at = 0; at < kernel.size; at++) {
      const source = of[at % bias.size];
      const row = Math.floor(at / bias.size) * channels;
      parameters[kernel.offset + at] =
        source === null ? (2 * random() - 1) * DEVIATION * Math.sqrt(3) : weights.kernel.data[row + source];
    }
    of.forEach((source, c) => {
      parameters[bias.offset + c] = source === null ? -Math.log((1 - PRIOR) / PRIOR) : fileBias[source];
    });
  });
  return parameters;
}

/**
 * For each output channel of scores, the channel of the file that it begins as; null: none.
 * @param {number} size channels to train
 * @param {number} channels of the file
 * @param {readonly (number | null)[]} sources
 */
export function columnSources(size, channels, sources) {
  const columns = channels / (size / sources.length);
  return Array.from({ length: size }, (_, c) => {
    const source = sources[c % sources.length];
    return source === null ? null : Math.floor(c / sources.length) * columns + source;
  });
}

/**
 * Multiply-adds of one image's forward pass.
 * @param {HeadNetwork} network
 */
export function countHeadMultiplyAdds({ inputs, layers }) {
  const shapes = inputs.map((shape) => [...shape]);
  let total = 0;
  for (const { kind, channels, from = 0 } of layers) {
    const [height, width, input] = shapes[from];
    shapes.push([height, width, channels]);
    const taps = { pointwise: input, depthwise: 9, conv3: 9 * input, pool: 0, gate: 0 }[kind];
    total += height * width * channels * taps;
  }
  return total;
}
