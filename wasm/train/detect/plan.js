// Checks the options of a detector's fit and fills in defaults. The resulting plan is plain data; it is saved with an
// interrupted fit.
import { failure } from '../../shared/errors.js';
import { checkBoolean, checkKeys, checkNumber, withoutUndefined } from '../../shared/options.js';
import { split } from '../fit.js';
import { makePlan, PLAN_KEYS } from '../plan.js';
import { makeLoss } from './loss.js';

/**
 * @typedef {import('../plan.js').Plan} BasePlan
 *
 * @typedef {Partial<import('./augment.js').Augmentation>} AugmentationOptions
 *
 * @typedef {object} DetectorOnlyOptions
 * @property {import('./loss.js').LossOptions} [loss]
 * @property {number} [views] views of each photo: the photo itself and augmented ones; 1 to 1000, default 8
 * @property {boolean} [freshViews] compute new augmented views in each epoch; default false: each view once
 * @property {AugmentationOptions | false} [augmentation] default {flip: true, crop: true, pad: true, paste: true, brightness: 0.2,
 *   contrast: 0.2, saturation: 0.2, hue: 0.02}
 * @property {number} [maxMemory] bytes of feature maps to keep; what exceeds them is computed again in each epoch. Default
 *   1 GiB
 * @property {boolean} [trainBoxes] whether the heads of boxes are trained too; default: only if no old class is kept
 *
 * @typedef {Omit<import('../plan.js').PlanOptions, 'labelSmoothing'> & DetectorOnlyOptions} DetectorPlanOptions
 *
 * @typedef {BasePlan & import('./rows.js').ViewPlan & {loss: import('./loss.js').Loss, trainBoxes: boolean}} DetectorPlan
 */

const BASE_KEYS = PLAN_KEYS.filter((key) => key !== 'labelSmoothing' && key !== 'stratify');
export const DETECTOR_PLAN_KEYS = [
  ...BASE_KEYS,
  ...['loss', 'views', 'freshViews', 'augmentation', 'maxMemory', 'trainBoxes'],
];

const AUGMENTATION = {
  flip: true,
  crop: true,
  pad: true,
  paste: true,
  brightness: 0.2,
  contrast: 0.2,
  saturation: 0.2,
  hue: 0.02,
};
const NO_AUGMENTATION = {
  flip: false,
  crop: false,
  pad: false,
  paste: false,
  brightness: 0,
  contrast: 0,
  saturation: 0,
  hue: 0,
};
const SHARE = { min: 0, max: 1 };
export const VIEWS = { min: 1, max: 1000, integer: true };
export const MAX_MEMORY = { min: 0, max: 2 ** 40 };
const DEFAULTS = {
  batchSize: 8,
  epochs: 10,
  optimizer: /** @type {const} */ ({ type: 'adam', learningRate: 0.0015 }),
};
export const MONITORS = /** @type {const} */ (['loss', 'val_loss', 'val_AP', 'val_AP50']);

/**
 * @param {DetectorPlanOptions} options
 * @param {{labels: readonly string[], isSoftmax: boolean, keepsClasses: boolean}} model
 * @returns {DetectorPlan}
 */
export function makeDetectorPlan(options, { labels, isSoftmax, keepsClasses }) {
  const {
    loss = {},
    views = 8,
    freshViews = false,
    augmentation,
    maxMemory = 2 ** 30,
    trainBoxes,
    ...base
  } = options;
  checkNumber('views', views, VIEWS);
  checkBoolean('freshViews', freshViews);
  checkNumber('maxMemory', maxMemory, MAX_MEMORY);
  if (trainBoxes !== undefined) checkBoolean('trainBoxes', trainBoxes);
  const plan = {
    ...makePlan({ ...DEFAULTS, ...withoutUndefined(base) }, labels, MONITORS),
    ...{ views, freshViews, maxMemory, augmentation: checkAugmentation(augmentation) },
    ...{ loss: makeLoss(loss, { isSoftmax }), trainBoxes: trainBoxes ?? !keepsClasses },
  };
  if (plan.trainBoxes && plan.loss.matchBy === 'predicted' && !plan.loss.forceMatch)
    throw failure(
      'INVALID_OPTION',
      "loss.matchBy 'predicted' without loss.forceMatch needs trainBoxes false: boxes that leave their objects would have no loss",
    );
  if (freshViews && views === 1)
    throw failure(
      'INVALID_OPTION',
      'freshViews needs views of 2 or more: the first view is the photo itself',
    );
  return plan;
}

/** @param {AugmentationOptions | false | undefined} option */
function checkAugmentation(option) {
  if (option === false) return NO_AUGMENTATION;
  const given = option ?? {};
  checkKeys('augmentation', given, Object.keys(AUGMENTATION));
  const complete = { ...AUGMENTATION, ...withoutUndefined(given) };
  for (const [key, value] of Object.entries(complete)) {
    if (typeof AUGMENTATION[/** @type {'flip'} */ (key)] === 'boolean')
      checkBoolean(`augmentation.${key}`, value);
    else checkNumber(`augmentation.${key}`, value, key === 'hue' ? { min: 0, max: 0.2 } : SHARE);
  }
  return complete;
}

/**
 * Photos have boxes of several classes, so that none is chosen by its class.
 * @param {Pick<import('../plan.js').Plan, 'validationSplit' | 'shuffle' | 'seed'>} plan
 * @param {number} count of photos
 */
export function splitPhotos(plan, count) {
  return split({ ...plan, stratify: false }, Array(count).fill(0));
}
