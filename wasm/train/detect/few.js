// What suits the training of a detector on few photos; docs/training.md has what it is worth.
import { list, number, text } from '../../shared/fields.js';
import { checkFields } from '../../shared/options.js';
import { DetectorLearner } from './learner.js';
import { checkOptions } from './options.js';

const ABOUT = {
  photos: number({ min: 0, max: Number.MAX_SAFE_INTEGER, integer: true }),
  labels: list(text(1000), { max: 65_536 }),
};

/** 100 steps for five photos. */
const STEPS = { batchSize: 4, views: 20, epochs: 4 };

/**
 * Options of {@link DetectorLearner}'s `fit` for fewer photos than `below`: `fit` with joined maps, `ownLayers` without them.
 * Joined maps are worth their memory up to `fusesUpTo` photos; from `below` photos on with this `l2`, and boxes are trained.
 */
export const FEW_PHOTOS = {
  below: 15,
  fusesUpTo: 500,
  fit: {
    ...STEPS,
    // The model's own boxes fit new objects, too, though not at every anchor: those whose boxes fit an object well learn it, and
    // those whose boxes fit it a little learn nothing.
    trainBoxes: false,
    loss: { matchBy: /** @type {const} */ ('predicted'), matchedIou: 0.8, unmatchedIou: 0.5 },
    optimizer: { type: /** @type {const} */ ('adam'), learningRate: 0.003 },
    l2: 0.01,
  },
  ownLayers: {
    ...STEPS,
    // Only anchors that fit an object well learn it, and those that fit it a little learn nothing.
    loss: { matchedIou: 0.6, unmatchedIou: 0.3 },
    optimizer: { type: /** @type {const} */ ('adam'), learningRate: 0.0015 },
  },
};

/**
 * A learner that joins the model's maps where that is better: for few photos, and for up to 500 of classes that the model does not
 * know; without unfrozen blocks and kept classes, and unless `fuseMaps` says it.
 * @param {{photos: number, labels: readonly string[]}} about how many photos there will be, and the classes to learn
 * @param {import('./types.js').DetectorLearnerOptions} [options]
 * @returns {Promise<DetectorLearner>} its `fusesMaps` tells
 */
export async function createForPhotos(about, options = {}) {
  checkFields('about', about, ABOUT, ['photos', 'labels']);
  checkOptions(options);
  const { photos, labels } = about;
  const { keepClasses = false, unfreeze = 0, fuseMaps } = options;
  const keepsOwn = keepClasses === true || (keepClasses && keepClasses.length > 0);
  const isChosen = fuseMaps !== undefined || keepsOwn || unfreeze > 0;
  if (isChosen || photos > FEW_PHOTOS.fusesUpTo) return DetectorLearner.create(options);
  const learner = await DetectorLearner.create({ ...options, fuseMaps: true });
  const isFew = photos < FEW_PHOTOS.below;
  if (isFew || !labels.some((label) => learner.modelLabels.includes(label))) return learner;
  learner.close();
  return DetectorLearner.create(options);
}
