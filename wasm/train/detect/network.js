// The heads of a detector, and the unfrozen layers before them, as a network to train, and its first weights: those of the file,
// and new columns for new classes.
import { MAX_LAYERS } from '../../../dist/layout.js';
import { failure } from '../errors.js';
import { layOut } from '../network.js';
import { uniforms } from '../random.js';
import { toTail } from '../tail.js';
import { isNew } from './fuse.js';

/**
 * @typedef {import('./heads.js').Head} Head
 * @typedef {import('./heads.js').Predictor} Predictor
 * @typedef {import('../../tflite/network.js').Op} Op
 * @typedef {import('../trainer.js').TrainLayer} TrainLayer
 *
 * @typedef {object} HeadNetwork
 * @property {number[][]} inputs [height, width, channels] of each map that is computed before the training
 * @property {TrainLayer[]} layers those of the tail, then those of the heads
 * @property {number} tail the number of unfrozen layers before the heads
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
 * @param {import('../tail.js').Unfrozen} before the heads
 * @param {readonly (number | null)[]} sources for each column that is trained, its column in the file; null: a new class
 * @returns {{network: HeadNetwork, members: HeadLayer[]}}
 */
export function toHeadNetwork(heads, { inputs, tail }, sources) {
  const maps = [...inputs, ...tail.map(({ value }) => value)];
  const columns = sources.length;
  /** @type {TrainLayer[]} */
  const layers = tail.map(({ layer }, i) => ({ ...layer, from: i === 0 ? 0 : inputs.length + i - 1 }));
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
        from: i === 0 ? maps.indexOf(op.inputs[0]) : inputs.length + layers.length - 1,
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
  if (layers.length > MAX_LAYERS)
    throw failure(
      'BLOCK_UNSUPPORTED',
      `${layers.length} layers would be trained; the limit is ${MAX_LAYERS}: unfreeze fewer blocks`,
    );
  const shapes = inputs.map(({ shape }) => shape.slice(1));
  return { network: { inputs: shapes, layers, tail: tail.length, heads: ends, columns }, members };
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
  if (isNew(a) || isNew(b)) return false;
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
 * The layout of the parameters: those of the tail, then those of the heads.
 * @param {HeadNetwork} network
 */
export const headParameterSpecs = ({ inputs, layers, tail }) =>
  layOut(inputs, layers, (index) => (index < tail ? `tail/${index}` : `head/${index - tail}`));

/**
 * @param {HeadNetwork} network
 * @param {import('../tail.js').Unfrozen} before the heads
 * @param {HeadLayer[]} members
 * @param {{sources: readonly (number | null)[], background: boolean}} classes sources: as for {@link toHeadNetwork}
 * @param {number} seed of the kernels of new classes
 */
export function initialHeads(network, { inputs, tail }, members, { sources, background }, seed) {
  const specs = headParameterSpecs(network);
  const last = specs[specs.length - 1];
  const parameters = new Float32Array(last.offset + last.size);
  parameters.set(toTail(tail, inputs[0]).parameters);
  const own = specs.slice(-2 * members.length);
  const random = uniforms(seed);
  members.forEach(({ op, isScores }, i) => {
    const [kernel, bias] = own.slice(2 * i, 2 * i + 2);
    const weights = /** @type {import('../../tflite/network.js').Weights} */ (op.weights);
    const channels = channelsOf(op);
    const fileBias = weights.bias ?? new Float64Array(channels);
    if (!isScores) {
      parameters.set(weights.kernel.data, kernel.offset);
      parameters.set(fileBias, bias.offset);
      return;
    }
    const of = columnSources(bias.size, channels, isNew(op) ? sources.map(() => null) : sources);
    for (let at = 0; at < kernel.size; at++) {
      const source = of[at % bias.size];
      const row = Math.floor(at / bias.size) * channels;
      parameters[kernel.offset + at] =
        source === null ? (2 * random() - 1) * DEVIATION * Math.sqrt(3) : weights.kernel.data[row + source];
    }
    of.forEach((source, c) => {
      const isBackground = background && c % sources.length === 0;
      const prior = isBackground ? 1 - PRIOR : PRIOR;
      parameters[bias.offset + c] = source === null ? -Math.log((1 - prior) / prior) : fileBias[source];
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
