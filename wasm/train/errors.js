import { failures } from '../shared/errors.js';
import { SAFETENSORS_MESSAGES } from '../tflite/safetensors.js';

/** Error codes of training and their messages. */
export const MESSAGES = {
  ...SAFETENSORS_MESSAGES,
  BATCH_NORM_FOLDED:
    'the file has no separate batch norm to train; convert it with keepBatchNorm, --keep-batch-norm',
  BLOCK_UNSUPPORTED:
    'unfreeze trains blocks of MobileNetV1, V2 and V3 and of EfficientNet, and a chain of convolutions after them',
  EMPTY_CLASS: 'a class has no examples',
  FIT_RUNNING: 'another fit is running',
  HEADS_UNSUPPORTED: 'the heads of this detector cannot be trained',
  INVALID_EXAMPLE: 'a photo or its boxes cannot be used',
  INVALID_FEATURES: 'features must be finite numbers in rows of the expected length',
  INVALID_LABEL: 'labels must name known classes, one label for each example',
  NO_DIRECTORIES: 'directories can be read in Node only',
  NO_EXAMPLES: 'there are no examples',
  NO_EXTRACTOR: 'the learner has no feature extractor; pass `extractor` to TransferLearner.create',
  NOT_INTERRUPTED: 'there is no interrupted fit to resume',
  ONE_CLASS: 'training needs at least two classes',
  STATE_MISMATCH: 'the saved state belongs to another model or other examples',
  TRAINING_DIVERGED:
    'the loss or a weight became infinite or NaN; the weights from before this call were restored',
};

export const failure = failures(MESSAGES);
