import { failures } from '../shared/errors.js';

/** Codes that arise in quantization, with what they mean. */
export const MESSAGES = {
  ALREADY_QUANTIZED: 'the model’s activations are 8-bit already',
  NO_IMAGES: 'calibration needs images, and there are none',
  NOT_AN_IMAGE_MODEL: 'the model does not take one image [N, H, W, 3]',
  UNKNOWN_TENSOR: 'no operator of the model makes a tensor of that name',
  NOTHING_TO_QUANTIZE: 'no operator of the model can work in 8 bits',
};

export const failure = failures(MESSAGES);
