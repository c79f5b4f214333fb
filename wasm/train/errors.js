import { OcelliError } from '../shared/errors.js';

/** Codes that arise in training, with what they mean. */
export const MESSAGES = {
  BATCH_NORM_FOLDED:
    'batch norm was folded away in the file, and cannot be trained; keep it at conversion: keepBatchNorm, --keep-batch-norm',
  EMPTY_CLASS: 'a class has no examples',
  FIT_RUNNING: 'another fit is running',
  INVALID_FEATURES: 'the features are not finite numbers in rows of the right length',
  INVALID_LABEL: 'a label is not one of the classes, or there is not one for each example',
  NO_DIRECTORIES: 'directories are read in Node only',
  NO_EXAMPLES: 'there are no examples',
  NO_EXTRACTOR: 'images need a feature extractor, and the learner was made without one',
  NOT_INTERRUPTED: 'no training was interrupted',
  ONE_CLASS: 'training needs at least two classes',
  STATE_CORRUPT: 'the saved state is damaged',
  STATE_FOREIGN: 'the file was not saved by a learner of this package',
  STATE_MISMATCH: 'the saved state belongs to another model or other examples',
  TRAINING_DIVERGED: 'the loss is no longer a number; the weights are again what they were before',
};

/**
 * @param {keyof typeof MESSAGES} code
 * @param {string} [detail]
 * @param {unknown} [cause]
 */
export function failure(code, detail, cause) {
  const message = detail ? `${MESSAGES[code]}: ${detail}` : MESSAGES[code];
  return new OcelliError(code, message, cause === undefined ? undefined : { cause });
}
