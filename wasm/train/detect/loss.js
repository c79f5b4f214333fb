// Checks the option `loss` and fills in its defaults. The names in brackets are those of TensorFlow's Object Detection API.
import { checkBoolean, checkChoice, checkKeys, checkNumber, withoutUndefined } from '../../shared/options.js';
import { failure } from '../../shared/errors.js';

/**
 * @typedef {object} HardExamples HardExampleMiner
 * @property {'class' | 'box' | 'both'} [by] the loss by which examples are chosen (loss_type); default class
 * @property {number | null} [count] the most examples of an image (num_hard_examples); default 3000; null: any number
 * @property {number} [iou] an example whose box overlaps a chosen one more is left out (iou_threshold); default 0.99
 * @property {number | null} [negativesPerPositive] (max_negatives_per_positive) default 3; null: any number
 * @property {number} [minNegatives] (min_negatives_per_image) default 3
 * @property {number} [classificationWeight] with both (cls_loss_weight); default 0.05
 * @property {number} [localizationWeight] with both (loc_loss_weight); default 0.06
 *
 * @typedef {object} LossOptions
 * @property {'sigmoid' | 'focal' | 'softmax'} [type] default: focal, or softmax if the model has it
 * @property {number | null} [alpha] focal; default 0.25; null: none
 * @property {number} [gamma] focal; default 2
 * @property {number} [logitScale] softmax; default 1
 * @property {number} [delta] of the Huber loss of boxes; default 1: smooth L1
 * @property {'anchor' | 'predicted'} [matchBy] whether an anchor is compared with the true boxes, as in the API, or the box that it
 *   predicts (as in YOLO, Redmon et al. 2016). Default anchor
 * @property {number} [matchedIou] (matched_threshold) default 0.5
 * @property {number} [unmatchedIou] (unmatched_threshold) default matchedIou
 * @property {boolean} [forceMatch] (force_match_for_each_row) default true
 * @property {boolean} [negativesBelowUnmatched] (negatives_lower_than_unmatched) default true
 * @property {number} [negativeWeight] (negative_class_weight) default 1
 * @property {number} [classificationWeight] default 1
 * @property {number} [localizationWeight] default 1
 * @property {boolean} [normalizeByMatches] (normalize_loss_by_num_matches) default true
 * @property {boolean} [normalizeByCodeSize] (normalize_loc_loss_by_codesize) default false
 * @property {HardExamples | boolean} [hardExamples] default false
 *
 * @typedef {Required<Omit<LossOptions, 'hardExamples'>> & {hardExamples: Required<HardExamples> | null}} Loss
 */

const WEIGHT = { min: 0, max: 1e6 };
const IOU = { min: 0, max: 1 };
const POSITIVE = { min: 1e-6, max: 1e6 };
const COUNT = { min: 0, max: 2 ** 31 - 1, integer: true };

const DEFAULTS = {
  ...{ alpha: 0.25, gamma: 2, logitScale: 1, delta: 1, matchedIou: 0.5, forceMatch: true },
  ...{ negativesBelowUnmatched: true, negativeWeight: 1, classificationWeight: 1, localizationWeight: 1 },
  ...{ normalizeByMatches: true, normalizeByCodeSize: false },
};
const RANGES = {
  ...{ alpha: IOU, gamma: { min: 0, max: 100 }, logitScale: POSITIVE, delta: POSITIVE, matchedIou: IOU },
  ...{ unmatchedIou: IOU, negativeWeight: WEIGHT, classificationWeight: WEIGHT, localizationWeight: WEIGHT },
};
const FLAGS = /** @type {const} */ ([
  'forceMatch',
  'negativesBelowUnmatched',
  'normalizeByMatches',
  'normalizeByCodeSize',
]);
const MINING_DEFAULTS = /** @type {const} */ ({
  ...{ by: 'class', count: 3000, iou: 0.99, negativesPerPositive: 3, minNegatives: 3 },
  ...{ classificationWeight: 0.05, localizationWeight: 0.06 },
});
const MINING_RANGES = {
  ...{ count: { ...COUNT, min: 1 }, iou: IOU, negativesPerPositive: WEIGHT, minNegatives: COUNT },
  ...{ classificationWeight: WEIGHT, localizationWeight: WEIGHT },
};

const MATCHES = /** @type {const} */ (['anchor', 'predicted']);
export const LOSS_TYPES = /** @type {const} */ (['sigmoid', 'focal', 'softmax']);

/**
 * @param {LossOptions} options
 * @param {{isSoftmax: boolean}} model
 * @returns {Loss}
 */
export function makeLoss(options, { isSoftmax }) {
  checkKeys('loss', options, ['type', 'matchBy', 'unmatchedIou', 'hardExamples', ...Object.keys(DEFAULTS)]);
  const { type: given = isSoftmax ? 'softmax' : 'focal', matchBy: by = 'anchor' } = options;
  const type = checkChoice('loss.type', given, LOSS_TYPES);
  if ((type === 'softmax') !== isSoftmax)
    throw failure(
      'INVALID_OPTION',
      `loss.type ${type} does not fit the model, whose scores are ${isSoftmax ? 'a softmax with background' : 'sigmoids'}`,
    );
  const matchBy = checkChoice('loss.matchBy', by, MATCHES);
  const matchedIou = options.matchedIou ?? DEFAULTS.matchedIou;
  const complete = { ...DEFAULTS, unmatchedIou: matchedIou, ...withoutUndefined(options), type, matchBy };
  for (const [key, range] of Object.entries(RANGES)) {
    const value = complete[/** @type {'alpha'} */ (key)];
    if (key !== 'alpha' || value !== null) checkNumber(`loss.${key}`, value, range);
  }
  for (const key of FLAGS) checkBoolean(`loss.${key}`, complete[key]);
  checkBands(complete);
  return { ...complete, hardExamples: checkMining(options.hardExamples ?? false) };
}

/** @param {Pick<Loss, 'matchedIou' | 'unmatchedIou' | 'negativesBelowUnmatched'>} loss */
function checkBands({ matchedIou, unmatchedIou, negativesBelowUnmatched }) {
  if (unmatchedIou > matchedIou)
    throw failure('INVALID_OPTION', 'loss.unmatchedIou must be at most loss.matchedIou');
  if (!negativesBelowUnmatched && unmatchedIou === matchedIou)
    throw failure(
      'INVALID_OPTION',
      'without loss.negativesBelowUnmatched, loss.unmatchedIou must be less than loss.matchedIou',
    );
}

/**
 * @param {HardExamples | boolean} option
 * @returns {Required<HardExamples> | null}
 */
function checkMining(option) {
  if (option === false) return null;
  const given = option === true ? {} : option;
  checkKeys('loss.hardExamples', given, Object.keys(MINING_DEFAULTS));
  const complete = { ...MINING_DEFAULTS, ...withoutUndefined(given) };
  checkChoice('loss.hardExamples.by', complete.by, /** @type {const} */ (['class', 'box', 'both']));
  for (const [key, range] of Object.entries(MINING_RANGES)) {
    const value = complete[/** @type {keyof typeof MINING_RANGES} */ (key)];
    const mayBeNull = key === 'count' || key === 'negativesPerPositive';
    if (!mayBeNull || value !== null) checkNumber(`loss.hardExamples.${key}`, value, range);
  }
  return /** @type {Required<HardExamples>} */ (complete);
}
