import { failures } from '../shared/errors.js';
import { SAFETENSORS_MESSAGES } from '../tflite/safetensors.js';

/** Codes that arise in training, with what they mean. */
export const MESSAGES = {
  ...SAFETENSORS_MESSAGES,
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
  STATE_MISMATCH: 'the saved state belongs to another model or other examples',
  TRAINING_DIVERGED: 'the loss is no longer a number; the weights are again what they were before',
};

export const failure = failures(MESSAGES);
