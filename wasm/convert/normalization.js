// How pixels become the input of a network. Nothing is guessed: the option says it, or the graph, or a source whose rule is
// documented; otherwise the file does not say it, and a note says so.
import { pixelRange } from '../shared/pixel_range.js';
import { failure } from '../shared/errors.js';

/**
 * @typedef {import('./source/saved_model.js').Model} Model
 * @typedef {import('../tflite/network.js').Network} Network
 * @typedef {import('../tflite/network.js').Op} Op
 * @typedef {import('../tflite/network.js').Value} Value
 * @typedef {import('../shared/pixel_range.js').Normalization} Normalization
 *
 * @typedef {object} Known
 * @property {number[]} mean value = (pixel - mean) / std
 * @property {number[]} std
 * @property {string} from where it is known from
 * @property {'crop'} [fit] how the source makes images square
 */

export const UNKNOWN_NOTE =
  'the source does not say which values its input takes: classify, detect, embed and quantize need --input ' +
  '([-1,1], [0,1], [0,255], imagenet, or scale and offset); convert --input writes it into the file';

/** A scale below it takes pixels from 0 to 255: the result is of the order of 1. */
const MAX_BYTE_SCALE = 0.05;

/**
 * @param {string | Normalization} option
 * @returns {Known}
 */
export function normalizationOption(option) {
  const named = typeof option === 'string' ? pixelRange(option) : option;
  const { scale, offset } = Object(named);
  if (!areNumbers(scale) || !areNumbers(offset) || [scale].flat().includes(0))
    throw failure(
      'INVALID_OPTION',
      'input must be [-1,1], [0,1], [0,255], imagenet, or an object with scale and offset: ' +
        'one number, or one for each of R, G, B; the scale is not 0',
    );
  return { ...toMeanAndStd(scale, offset), from: 'the option input' };
}

/** @param {unknown} value */
function areNumbers(value) {
  const list = [value].flat();
  return (list.length === 1 || list.length === 3) && list.every((number) => Number.isFinite(number));
}

/** @param {number | number[]} scale @param {number | number[]} offset */
function toMeanAndStd(scale, offset) {
  const [scales, offsets] = [[scale].flat(), [offset].flat()];
  const length = Math.max(scales.length, offsets.length);
  const at = (/** @type {number[]} */ list, /** @type {number} */ c) => list[list.length === 1 ? 0 : c];
  const channels = Array.from({ length }, (_, c) => c);
  return {
    mean: channels.map((c) => 0 - at(offsets, c) / at(scales, c)),
    std: channels.map((c) => 1 / at(scales, c)),
  };
}

/** @param {Known} known */
export function describe({ mean, std, from }) {
  const text = (/** @type {number[]} */ values) => {
    const rounded = values.map((value) => Number(value.toPrecision(6)));
    return new Set(rounded).size === 1 ? String(rounded[0]) : `[${rounded.join(', ')}]`;
  };
  const centred = mean.every((value) => value === 0) ? 'pixel' : `(pixel - ${text(mean)})`;
  return `input: ${centred}${std.every((value) => value === 1) ? '' : ` / ${text(std)}`}, from ${from}`;
}

/**
 * @param {Model} model
 * @param {Network} network with one input
 * @param {(value: Value) => string} nameOf the name of a value in the source
 * @returns {Promise<Known | undefined>}
 */
export async function readNormalization(model, network, nameOf) {
  const [{ ref }] = model.inputs;
  if (await isTeachableMachine(model))
    return { mean: [127], std: [127], from: "Teachable Machine's metadata.json", fit: 'crop' };
  if (ref.node.dtype('dtype') === 'uint8') return { mean: [0], std: [1], from: "the input's type, uint8" };
  const { scale, offset, next } = leadingScale(network);
  const inGraph = unscaledRange(scale, offset);
  if (inGraph) return { ...inGraph, from: 'the rescaling in the graph' };
  if (scale.length > 0) return undefined;
  if (await isHubModule(model))
    return { mean: [0], std: [255], from: "the common signatures of TensorFlow's hub" };
  const published = next && publishedMobileNet(network, next, nameOf);
  return published ? { mean: [127.5], std: [127.5], from: `TensorFlow's ${published}` } : undefined;
}

/** @param {Model} model */
async function isTeachableMachine({ files }) {
  if (!files?.has('metadata.json')) return false;
  try {
    const metadata = JSON.parse(new TextDecoder().decode(await files.read('metadata.json')));
    return metadata?.packageName === '@teachablemachine/image';
  } catch {
    return false;
  }
}

/**
 * The marker of TensorFlow 1's hub modules. The documentation of the common signatures for images fixes values from 0 to
 * 1 for an input 'images'.
 * @param {Model} model
 */
async function isHubModule({ files, inputs }) {
  return Boolean(files?.has('tfhub_module.pb')) && inputs[0].name === 'images';
}

/** Operators before or after the rescaling that do not change the range. */
const TRANSPARENT = new Set(['PAD', 'RESHAPE', 'RESIZE_BILINEAR', 'RESIZE_NEAREST_NEIGHBOR']);

/**
 * What the operators after the input multiply it by and add to it, up to the first that does something else.
 * @param {Network} network
 */
function leadingScale({ ops, inputs: [input] }) {
  /** @type {number[]} empty: nothing is multiplied or added */
  let scale = [];
  /** @type {number[]} */
  let offset = [];
  let value = input;
  for (;;) {
    const users = ops.filter(({ inputs }) => inputs.includes(value));
    const [op] = users;
    if (users.length !== 1 || op.options.activation) return { scale, offset, next: op };
    const constant = op.inputs[1]?.tensor?.data;
    const isAffine =
      (op.kind === 'MUL' || op.kind === 'ADD') && !op.batchNorm && constant && constant.length <= 4;
    if (!isAffine && !TRANSPARENT.has(op.kind)) return { scale, offset, next: op };
    if (isAffine) {
      const length = Math.max(scale.length, constant.length);
      const at = (/** @type {ArrayLike<number>} */ list, /** @type {number} */ c) =>
        list[list.length === 1 ? 0 : c];
      const channels = Array.from({ length }, (_, c) => c);
      const factors = channels.map((c) => (op.kind === 'MUL' ? at(constant, c) : 1));
      const sums = channels.map((c) => (op.kind === 'MUL' ? 0 : at(constant, c)));
      const [scales, offsets] = [scale.length > 0 ? scale : [1], offset.length > 0 ? offset : [0]];
      scale = factors.map((factor, c) => at(scales, c) * factor);
      offset = factors.map((factor, c) => at(offsets, c) * factor + sums[c]);
    }
    value = op.output;
  }
}

/**
 * The range of pixels that a rescaling is made for: its result is of the order of 1.
 * @param {number[]} scale
 * @param {number[]} offset
 */
export function unscaledRange(scale, offset) {
  if (scale.length === 0) return undefined;
  if (scale.every((factor) => Math.abs(factor) <= MAX_BYTE_SCALE && factor !== 0))
    return { mean: [0], std: [1] };
  const isCentred = scale.every(
    (factor, c) => factor >= 1.5 && factor <= 8 && offset[c] <= -0.5 && -offset[c] <= factor,
  );
  if (isCentred) return { mean: [0], std: [255] };
  const isShiftOfBytes = scale.every((factor, c) => factor === 1 && offset[c] <= -50 && offset[c] >= -200);
  return isShiftOfBytes ? { mean: [0], std: [1] } : undefined;
}

/**
 * TensorFlow's published networks that take values from -1 to 1, by the names of their layers and their structure.
 * `last` names the layer with one output for each of ImageNet's classes.
 */
const PUBLISHED = [
  {
    name: 'MobileNetV1 (Keras)',
    layers: /(^|\/)(conv1|conv_dw_\d+|conv_pw_\d+|conv_preds)(_|\/|$)/,
    last: /(^|\/)conv_preds(_|\/|$)/,
    depthwise: 13,
  },
  {
    name: 'MobileNetV2 (Keras)',
    layers:
      /(^|\/)(Conv1|expanded_conv_(depthwise|project)|block_\d+_\w+|Conv_1|out_relu|predictions)(_|\/|$)/,
    last: /(^|\/)predictions(_|\/|$)/,
    depthwise: 17,
  },
  { name: 'MobileNetV1 (Slim)', layers: /(^|\/)MobilenetV1\//, last: /MobilenetV1\/Logits/, depthwise: 13 },
  { name: 'MobileNetV2 (Slim)', layers: /(^|\/)MobilenetV2\//, last: /MobilenetV2\/Logits/, depthwise: 17 },
];
const IMAGENET_CLASSES = [1000, 1001];

/**
 * Recognizes a published network: each of its layers has the name that it has there, and its classes are ImageNet's, or
 * it has none. A network that only begins with its layers may have been trained on other values.
 * @param {Network} network
 * @param {Op} first
 * @param {(value: Value) => string} nameOf
 */
function publishedMobileNet({ ops }, first, nameOf) {
  const kernel = first.weights?.kernel.shape;
  if (first.kind !== 'CONV_2D' || first.options.strideH !== 2 || kernel?.slice(0, 3).join() !== '3,3,3')
    return undefined;
  const weighted = ops.filter(({ weights }) => weights);
  const depthwise = weighted.filter(({ kind }) => kind === 'DEPTHWISE_CONV_2D').length;
  return PUBLISHED.find(({ layers, last, depthwise: count }) => {
    const classes = weighted.filter(({ output }) => last.test(nameOf(output)));
    return (
      depthwise === count &&
      weighted.every(({ output }) => layers.test(nameOf(output))) &&
      classes.every(({ output }) => IMAGENET_CLASSES.includes(/** @type {number} */ (output.shape.at(-1))))
    );
  })?.name;
}
