// What a network answers, and the gradient of a sum of its answers with random signs: of a detector the scores and
// boxes, of a classifier the probabilities, of a feature extractor the features.
import { endsInProbabilities } from '../vision/prepare_classifier.js';
import { findVector } from '../vision/prepare_features.js';
import { resolveLabels } from '../vision/model_spec.js';
import { findHeads, makeAnchors, resolveSsd } from '../vision/spec/ssd.js';
import { TYPE } from '../quantize/file.js';
import { exp, randomSigns, sigmoid } from './exact.js';

/**
 * @typedef {import('../engine/engine.js').Engine} Engine
 * @typedef {import('../quantize/file.js').Model} Model
 * @typedef {import('./sensitivity.js').Values} Values
 *
 * @typedef {object} Task
 * @property {'detector' | 'classifier' | 'features'} kind
 * @property {number[]} outputs tensors of the answers
 * @property {(values: Values, image: number) => Values} lossGradients values of the network's tensors, and the number of
 *   the image -> gradients of the loss
 */

const POSTPROCESS = 'TFLite_Detection_PostProcess';
/** By how much a box moves for one unit of each of its encodings, in parts of its anchor: the usual box coder. */
const BOX_SHARES = [0.1, 0.1, 0.2, 0.2];
/** How much a box's error counts beside that of a probability: AP, too, counts boxes that are a little off as wrong. */
const BOX_WEIGHT = 2;

/**
 * @param {Engine} engine with the model
 * @param {Model} model the same
 * @param {Omit<import('../vision/prepare.js').LabelSource, 'labels'>} source
 * @returns {Promise<Task>}
 */
export async function findTask(engine, model, { metadata, entry }) {
  const postprocess = model.operators.find(({ custom }) => custom === POSTPROCESS);
  if (postprocess) {
    const [boxes, scores] = postprocess.inputs;
    return detectorTask({ boxes, scores, shares: BOX_SHARES, activation: 'none', background: 0 }, model);
  }
  const heads = await findRawHeads(engine, { metadata, entry });
  if (heads)
    return detectorTask(
      { ...heads, boxes: model.outputs[heads.boxes], scores: model.outputs[heads.scores] },
      model,
    );
  const vector = findVector(engine, 1);
  if (vector === undefined) return featuresTask(floatOutputs(model));
  const output = model.outputs[vector];
  if (endsInProbabilities(engine, vector))
    return classifierTask(output, (values, signs) => values.map(signs));
  const hasLabels = resolveLabels(undefined, metadata, entry).length > 0;
  return hasLabels ? classifierTask(output, softmaxGradient) : featuresTask([output]);
}

/** The outputs that the network computes as floats. @param {Model} model */
function floatOutputs({ tensors, operators, outputs }) {
  const computed = new Set(operators.flatMap((operator) => operator.outputs));
  return outputs.filter((output) => computed.has(output) && tensors[output].type === TYPE.float32);
}

/** Error codes of models that are no detectors with raw heads. */
const NO_HEADS = ['SSD_UNKNOWN', 'MODEL_IS_NOT_A_DETECTOR'];

/**
 * @param {Engine} engine
 * @param {Omit<import('../vision/prepare.js').LabelSource, 'labels'>} source
 */
async function findRawHeads(engine, { metadata, entry }) {
  try {
    const ssd = resolveSsd(undefined, metadata, entry);
    const anchors = await makeAnchors(ssd, engine);
    const heads = findHeads(engine.outputs, anchors.length / 4);
    return {
      ...heads,
      shares: ssd.boxCoder.map((scale) => 1 / scale),
      activation: ssd.scores,
      background: Number(ssd.background),
    };
  } catch (error) {
    if (NO_HEADS.includes(/** @type {any} */ (error).code)) return undefined;
    throw error;
  }
}

/**
 * @typedef {object} DetectorHeads
 * @property {number} boxes tensor of the box encodings
 * @property {number} scores tensor of the scores
 * @property {number[]} shares of the four encodings
 * @property {'sigmoid' | 'softmax' | 'none'} activation that turns scores into probabilities
 * @property {number} background how many of the columns are no classes, the first ones
 */

/**
 * A box counts in proportion to its best class's probability.
 * @param {DetectorHeads} heads
 * @param {Model} model
 * @returns {Task}
 */
function detectorTask({ boxes, scores, shares, activation, background }, model) {
  const columns = model.tensors[scores].shape.at(-1) ?? 1;
  return {
    kind: 'detector',
    outputs: [boxes, scores],
    lossGradients(values, image) {
      const sign = randomSigns(image);
      const logits = /** @type {Float32Array} */ (values.get(scores));
      const scoreGradients = new Float32Array(logits.length);
      const boxGradients = new Float32Array((logits.length / columns) * 4);
      for (let row = 0, at = 0; at < logits.length; row++, at += columns) {
        const found = rowGradients(logits.subarray(at, at + columns), activation, background, sign);
        scoreGradients.set(found.gradients, at);
        for (let k = 0; k < 4; k++) boxGradients[4 * row + k] = sign() * BOX_WEIGHT * found.best * shares[k];
      }
      return new Map([
        [scores, scoreGradients],
        [boxes, boxGradients],
      ]);
    },
  };
}

/**
 * @param {Float32Array} logits of one box
 * @param {DetectorHeads['activation']} activation
 * @param {number} background
 * @param {() => number} sign
 */
function rowGradients(logits, activation, background, sign) {
  const signs = Float32Array.from(logits, (_, c) => (c < background ? 0 : sign()));
  const { probabilities, gradients } = ACTIVATIONS[activation](logits, signs);
  return { gradients, best: probabilities.subarray(background).reduce((a, b) => Math.max(a, b), 0) };
}

/**
 * Logits, and the loss's gradient by each probability -> probabilities, and the gradient by each logit.
 * @type {Record<DetectorHeads['activation'], (logits: Float32Array, signs: Float32Array) =>
 *   {probabilities: Float32Array, gradients: Float32Array}>}
 */
const ACTIVATIONS = {
  sigmoid(logits, signs) {
    const probabilities = logits.map(sigmoid);
    return { probabilities, gradients: probabilities.map((p, i) => signs[i] * p * (1 - p)) };
  },
  softmax(logits, signs) {
    const top = logits.reduce((a, b) => Math.max(a, b));
    const powers = logits.map((logit) => exp(logit - top));
    const sum = powers.reduce((a, b) => a + b, 0);
    const probabilities = powers.map((power) => power / sum);
    const mean = probabilities.reduce((total, p, i) => total + p * signs[i], 0);
    return { probabilities, gradients: probabilities.map((p, i) => p * (signs[i] - mean)) };
  },
  none: (logits, signs) => ({ probabilities: logits, gradients: signs }),
};

/** @param {Float32Array} logits @param {() => number} sign */
function softmaxGradient(logits, sign) {
  return ACTIVATIONS.softmax(logits, logits.map(sign)).gradients;
}

/**
 * @param {number} output tensor of the class scores
 * @param {(values: Float32Array, sign: () => number) => Float32Array} gradientOf
 * @returns {Task}
 */
function classifierTask(output, gradientOf) {
  return {
    kind: 'classifier',
    outputs: [output],
    lossGradients(values, image) {
      const scores = /** @type {Float32Array} */ (values.get(output));
      return new Map([[output, gradientOf(scores, randomSigns(image))]]);
    },
  };
}

/**
 * Features count in parts of their vector's length.
 * @param {number[]} outputs tensors
 * @returns {Task}
 */
function featuresTask(outputs) {
  return {
    kind: 'features',
    outputs,
    lossGradients(values, image) {
      const sign = randomSigns(image);
      return new Map(
        outputs.map((output) => {
          const features = /** @type {Float32Array} */ (values.get(output));
          const length = Math.sqrt(features.reduce((sum, value) => sum + value * value, 0)) || 1;
          return [output, features.map(() => sign() / length)];
        }),
      );
    },
  };
}
