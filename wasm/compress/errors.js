import { failures } from '../shared/errors.js';

/** Error codes of compression and their messages. */
export const MESSAGES = {
  NO_DERIVATIVE:
    'the model has an operator through which ocelli cannot tell how much the weights before it matter',
  TARGET_NOT_REACHED: 'the target cannot be reached',
  NOTHING_TO_COMPRESS: 'the model has no convolution or fully connected layer with constant float weights',
};

export const failure = failures(MESSAGES);
