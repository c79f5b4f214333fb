// What suits the training of a detector on so many photos; docs/training.md has what it is worth.
import { list, number, text } from '../../shared/fields.js';
import { failure } from '../../shared/errors.js';
import { checkFields } from '../../shared/options.js';
import { RANGES } from '../plan.js';
import { DetectorLearner, openLearner } from './learner.js';
import { checkOptions } from './options.js';
import { MAX_MEMORY, VIEWS } from './plan.js';

/**
 * @typedef {object} PhotosOptions what {@link planForPhotos} is not to choose
 * @property {number} [steps] of the training, about; default: 200, and at least 12 epochs of 15 photos or more
 * @property {number} [epochs] instead of steps
 * @property {number} [rows] so many views of photos in all, about, if they can be kept; default 1000
 * @property {number} [views] of each photo, instead of rows
 * @property {number} [batchSize] default: 4 for less than 15 photos, else 16
 * @property {number} [learningRate] of Adam, which falls to 0 by the end for 15 photos or more
 * @property {number} [validationSplit] default: 0 for less than 15 photos, else 0.2
 * @property {number} [maxMemory] bytes of feature maps to keep; default 1 GiB
 *
 * @typedef {{epochs: number, batchSize: number, views: number, validationSplit: number,
 *   optimizer: {type: 'adam', learningRate: number | {type: 'cosine', rate: number, decaySteps: number}}} &
 *   Pick<import('./types.js').DetectorFitOptions, 'earlyStopping' | 'maxMemory' | 'loss' | 'l2' | 'trainBoxes'>} PhotosPlan
 */

const WHOLE = { min: 1, max: Number.MAX_SAFE_INTEGER, integer: true };
const FIELDS = {
  ...{
    steps: number(RANGES.epochs),
    epochs: number(RANGES.epochs),
    rows: number(WHOLE),
    views: number(VIEWS),
  },
  ...{ batchSize: number(RANGES.batchSize), learningRate: number(RANGES.learningRate) },
  ...{ validationSplit: number(RANGES.validationSplit), maxMemory: number(MAX_MEMORY) },
};
const ABOUT = {
  photos: number({ min: 0, max: Number.MAX_SAFE_INTEGER, integer: true }),
  labels: list(text(1000), { max: 65_536 }),
};

/** Fewer photos than these are few. */
const FEW = 15;
/** Up to so many photos, joined maps are worth their memory. */
const FUSED = 500;
const MOST_VIEWS = 20;
/** With joined maps, a single view is better than several with the model's own layers. */
const LEAST_VIEWS = { fused: 1, own: 3 };
const DEFAULTS = {
  rows: 1000,
  steps: 200,
  leastEpochs: 12,
  batchSize: { few: 4, many: 16 },
  validationSplit: 0.2,
};
/** Of Adam: constant for a few photos, falling to 0 by the end for many. */
export const LEARNING_RATES = { fused: 0.003, own: 0.0015, many: 0.004 };
/** Of joined maps. */
const L2 = 0.01;
/**
 * Where the model's boxes stay, joined maps learn an object at the anchors whose boxes fit it well; those whose boxes fit a
 * little learn nothing.
 */
const BY_BOXES = { matchBy: /** @type {const} */ ('predicted'), matchedIou: 0.8, unmatchedIou: 0.5 };
/** Of a few photos, the model's own layers learn an object only at anchors that fit it well. */
const STRICT = { matchedIou: 0.6, unmatchedIou: 0.3 };

/**
 * A learner that joins the model's maps where that is better: for less than 15 photos, and for up to 500 of classes that the model
 * does not know; without unfrozen blocks, without kept classes of a softmax or that are learnt, too, and unless `fuseMaps` says it.
 * @param {{photos: number, labels: readonly string[]}} about how many photos there will be, and the classes to learn
 * @param {import('./types.js').DetectorLearnerOptions} [options]
 * @returns {Promise<DetectorLearner>} its `heads.areFused` tells
 */
export async function createForPhotos(about, options = {}) {
  checkFields('about', about, ABOUT, ['photos', 'labels']);
  checkOptions(options);
  const { photos, labels } = about;
  const { keepClasses = false, unfreeze = 0, fuseMaps } = options;
  if (fuseMaps !== undefined || unfreeze > 0 || photos > FUSED) return DetectorLearner.create(options);
  const keeps = keepClasses === true || (keepClasses && keepClasses.length > 0);
  return openLearner(options, ({ labels: known, isSoftmax }) => {
    const knows = known.some(({ name }) => labels.includes(name));
    const goesOn = knows && (keeps || photos >= FEW);
    return !goesOn && !(keeps && isSoftmax);
  });
}

/**
 * Options of `fit` that suit a learner's photos: few get many views, small batches and no validation.
 * @param {Pick<DetectorLearner, 'examples' | 'heads' | 'planMemory'>} learner with its photos
 * @param {PhotosOptions} [options]
 * @returns {PhotosPlan}
 */
export function planForPhotos(learner, options = {}) {
  checkFields('options', options, FIELDS);
  if (typeof learner?.planMemory !== 'function')
    throw failure('INVALID_OPTION', 'learner must be a DetectorLearner');
  const { count: photos } = learner.examples;
  const { areFused, keepsClasses } = learner.heads;
  const isFew = photos < FEW;
  const { validationSplit = isFew ? 0 : DEFAULTS.validationSplit, maxMemory } = options;
  const training = Math.max(Math.floor(photos * (1 - validationSplit)), 1);
  const views = options.views ?? chooseViews(learner, { training, ...options });
  const batchSize = options.batchSize ?? (isFew ? DEFAULTS.batchSize.few : DEFAULTS.batchSize.many);
  const stepsOfEpoch = Math.ceil((training * views) / batchSize);
  const leastEpochs = isFew || options.steps !== undefined ? 1 : DEFAULTS.leastEpochs;
  const { steps = DEFAULTS.steps } = options;
  const epochs = options.epochs ?? Math.max(Math.ceil(steps / stepsOfEpoch), leastEpochs);
  const {
    learningRate = isFew ? (areFused ? LEARNING_RATES.fused : LEARNING_RATES.own) : LEARNING_RATES.many,
  } = options;
  const falling = {
    type: /** @type {const} */ ('cosine'),
    rate: learningRate,
    decaySteps: epochs * stepsOfEpoch,
  };
  const optimizer = { type: /** @type {const} */ ('adam'), learningRate: isFew ? learningRate : falling };
  const earlyStopping = validationSplit > 0 && { monitor: /** @type {const} */ ('val_AP'), patience: 5 };
  return {
    ...{ epochs, batchSize, views, validationSplit, optimizer, earlyStopping },
    ...(maxMemory !== undefined && { maxMemory }),
    ...(areFused ? planFused(isFew || keepsClasses) : isFew && { loss: STRICT }),
  };
}

/** @param {boolean} keepsBoxes */
const planFused = (keepsBoxes) => ({
  l2: L2,
  trainBoxes: !keepsBoxes,
  ...(keepsBoxes && { loss: BY_BOXES }),
});

/**
 * As many views of a photo as there should be, if they can be kept beside the photos that validate.
 * @param {Pick<DetectorLearner, 'examples' | 'heads' | 'planMemory'>} learner
 * @param {{training: number, rows?: number, maxMemory?: number}} given training: photos
 */
function chooseViews(learner, { training, rows = DEFAULTS.rows, maxMemory }) {
  const { keptRows } = learner.planMemory({
    views: MOST_VIEWS,
    ...(maxMemory !== undefined && { maxMemory }),
  });
  const kept = Math.floor((keptRows - (learner.examples.count - training)) / training);
  const least = learner.heads.areFused ? LEAST_VIEWS.fused : LEAST_VIEWS.own;
  return Math.min(Math.max(Math.min(Math.ceil(rows / training), kept), least), MOST_VIEWS);
}
