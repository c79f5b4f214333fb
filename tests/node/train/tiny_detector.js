// A detector of two feature maps that trains in milliseconds: its file, and photos for it.
import { appendLabels, writeMetadata } from '../../../wasm/tflite/metadata.js';
import { ints } from '../../../wasm/tflite/network.js';
import { writeTflite } from '../../../wasm/tflite/write.js';
import { uniforms } from '../../../wasm/train/random.js';

/**
 * @typedef {import('../../../wasm/tflite/network.js').Op} Op
 * @typedef {import('../../../wasm/tflite/network.js').Value} Value
 * @typedef {{channels: number, size?: number, stride?: number, isDepthwise?: boolean, weights?: string, hasBias?: boolean}} Layer weights: layers
 *   with the same name have the same
 */

export const SIDE = 16;
const CHANNELS = 4;
/** Sides of the feature maps. At each of their pixels are two anchors. */
const MAP_SIDES = [8, 4];
const AT_PIXEL = 2;
/** [N, 4]: y center, x center, height, width. */
export const ANCHORS = MAP_SIDES.flatMap((side) =>
  Array.from({ length: side * side * AT_PIXEL }, (_, i) => {
    const pixel = Math.floor(i / AT_PIXEL);
    const [y, x] = [Math.floor(pixel / side), pixel % side].map((at) => (at + 0.5) / side);
    return [y, x, (1 + (i % AT_PIXEL)) / side, 2 / side];
  }),
);
const BOX_CODER = [10, 10, 5, 5];
/** What the file does not say of a detector with a softmax, whose first column is the background. */
export const SOFTMAX_OPTIONS = {
  input: { scale: 1 / 255, offset: 0, resize: /** @type {const} */ ('half-pixel') },
  ssd: { anchors: ANCHORS, boxCoder: BOX_CODER, scores: /** @type {const} */ ('softmax'), background: true },
};

/**
 * @param {{names?: string[], heads?: 'plain' | 'separable' | 'shared', scores?: 'sigmoid' | 'softmax', maps?: number, hasBias?: boolean, isSigmoid?: boolean,
 *   lastOperator?: 'SOFTMAX' | 'L2_NORMALIZATION', cutsFirst?: boolean, stem?: boolean}} [how] lastOperator: of the scores, whose first column cutsFirst
 *   then leaves out; hasBias: of the heads
 *   stem: layers before the first map: one of the image's size, and one of the map's size, which the map then has from it
 * @returns {Uint8Array} its raw boxes and scores are its outputs. With sigmoids, its metadata says all about it
 */
export function tinyDetector({
  names = ['cat', 'dog'],
  heads = 'plain',
  scores = 'sigmoid',
  maps = 2,
  hasBias = true,
  isSigmoid = true,
  lastOperator,
  cutsFirst = false,
  stem = false,
} = {}) {
  const layers = new Layers();
  const image = { name: 'image', shape: [1, SIDE, SIDE, 3] };
  const columns = { boxes: 4, scores: names.length + Number(scores === 'softmax') };
  /** @type {Record<string, Value[]>} */
  const parts = { boxes: [], scores: [] };
  let map = image;
  if (stem) {
    map = layers.add(map, 'stem0', { channels: 2, size: 3 });
    map = layers.add(map, 'stem1', { channels: 3, size: 3, stride: 2 });
  }
  for (let i = 0; i < maps; i++) {
    const isHalved = i > 0 || !stem;
    map = layers.add(map, `map${i}`, { channels: CHANNELS, size: 3, stride: isHalved ? 2 : 1 });
    for (const [kind, width] of Object.entries(columns)) {
      const input =
        heads === 'separable'
          ? layers.add(map, `${kind}${i}/depthwise`, { channels: CHANNELS, size: 3, isDepthwise: true })
          : map;
      const size = heads === 'plain' && i === 0 ? 3 : 1;
      const weights = heads === 'shared' ? kind : undefined;
      const layer = layers.add(input, `${kind}${i}`, { channels: AT_PIXEL * width, size, weights, hasBias });
      parts[kind].push(layers.reshape(layer, [1, AT_PIXEL * MAP_SIDES[i] ** 2, width]));
    }
  }
  const outputs = Object.entries(parts).map(([name, all]) => ({ name, value: layers.join(name, all) }));
  if (lastOperator) outputs[1].value = layers.addLast(outputs[1].value, lastOperator);
  if (cutsFirst) outputs[1].value = layers.cutFirst(outputs[1].value);
  const anchors = ANCHORS.slice(0, outputs[0].value.shape[1]);
  const metadata = writeMetadata({
    ...{ name: 'tiny', description: '', image: { name: 'image', mean: [0, 0, 0], std: [255, 255, 255] } },
    outputs: [
      { name: 'boxes', role: 'location' },
      { name: 'scores', role: 'score', labels: names },
    ],
    detector: {
      ...{ anchors: Float32Array.from(anchors.flat()), boxCoder: BOX_CODER },
      ...{ numClasses: names.length, isSigmoid },
    },
    own: { resize: 'half-pixel', suppression: { iouThreshold: 0.5 } },
  });
  const isDescribed = scores === 'sigmoid';
  const model = writeTflite(
    { ops: layers.ops, inputs: [image], outputs },
    { precision: 'fp32', description: '', ...(isDescribed && { metadata }) },
  );
  return isDescribed ? appendLabels(model, names) : model;
}

class Layers {
  /** @type {Op[]} */ ops = [];
  /** @type {Map<string, import('../../../wasm/tflite/network.js').Weights>} */ #weights = new Map();
  #random = uniforms(7);

  /** @param {Value} input @param {string} name @param {Layer} layer */
  add(input, name, { channels, size = 1, stride = 1, isDepthwise = false, weights = name, hasBias = true }) {
    const [, height, width, depth] = input.shape;
    const shape = [size, size, depth, isDepthwise ? 1 : channels];
    const known = this.#weights.get(weights) ?? this.#newWeights(shape, hasBias ? channels : 0);
    this.#weights.set(weights, known);
    return this.#push({
      kind: isDepthwise ? 'DEPTHWISE_CONV_2D' : 'CONV_2D',
      ...{ inputs: [input], output: { name, shape: [1, height / stride, width / stride, channels] } },
      options: {
        ...{ strideW: stride, strideH: stride, dilationW: 1, dilationH: 1, padding: 'SAME' },
        activation: stride > 1 || isDepthwise ? 'RELU6' : 'NONE',
      },
      weights: known,
    });
  }

  /** @param {number[]} shape @param {number} biases 0: none */
  #newWeights(shape, biases) {
    const numbers = (/** @type {number} */ length) =>
      Float32Array.from({ length }, () => 2 * this.#random() - 1);
    const data = numbers(shape.reduce((a, b) => a * b));
    const kernel = { dtype: /** @type {const} */ ('float32'), shape, data };
    const bias = biases > 0 ? { bias: Float64Array.from(numbers(biases)) } : {};
    return { kernel, isTransposed: false, ...bias };
  }

  /** @param {Value} input @param {number[]} shape */
  reshape(input, shape) {
    const name = `${input.name}/rows`;
    const inputs = [input, ints(`${name}/shape`, shape)];
    return this.#push({ kind: 'RESHAPE', inputs, output: { name, shape }, options: {} });
  }

  /** @param {string} name @param {Value[]} parts */
  join(name, parts) {
    if (parts.length === 1) return parts[0];
    const [{ shape }] = parts;
    const rows = parts.reduce((sum, part) => sum + part.shape[1], 0);
    const options = { axis: 1, activation: 'NONE' };
    const output = { name, shape: shape.with(1, rows) };
    return this.#push({ kind: 'CONCATENATION', inputs: parts, output, options });
  }

  /** @param {Value} input @param {string} kind */
  addLast(input, kind) {
    const options = kind === 'SOFTMAX' ? {} : { activation: 'NONE' };
    const output = { name: `${input.name}/last`, shape: input.shape };
    return this.#push({ kind, inputs: [input], output, options });
  }

  /** Without its first column. @param {Value} input */
  cutFirst(input) {
    const name = `${input.name}/cut`;
    const shape = input.shape.with(-1, input.shape[2] - 1);
    const inputs = [input, ints(`${name}/begin`, [0, 0, 1]), ints(`${name}/size`, shape)];
    return this.#push({ kind: 'SLICE', inputs, output: { name, shape }, options: {} });
  }

  /** @param {Op} op */
  #push(op) {
    this.ops.push(op);
    return op.output;
  }
}

/** Photos of a bright box on black, each elsewhere, and where it is. @param {readonly string[]} labels of the boxes */
export function brightBoxes(labels) {
  return labels.map((label, i) => {
    const box = { x: 2 + ((3 * i) % 8), y: 1 + ((5 * i) % 9), width: 4, height: 6 };
    const data = new Uint8Array(SIDE * SIDE * 3);
    for (let y = box.y; y < box.y + box.height; y++)
      data.fill(255, 3 * (y * SIDE + box.x), 3 * (y * SIDE + box.x + box.width));
    return { image: { data, width: SIDE, height: SIDE }, boxes: [{ label, box }] };
  });
}
