import { failures } from '../shared/errors.js';

/** Error codes of quantization and their messages. */
export const MESSAGES = {
  ALREADY_QUANTIZED: 'the model already has 8-bit activations; quantize needs a float model',
  NO_IMAGES: 'calibration needs at least one image',
  NOT_AN_IMAGE_MODEL: 'the model must have one input of shape [N, H, W, 3]',
  UNKNOWN_TENSOR: 'keepFloat names a tensor that is not an operator’s output',
  SPARSE_WEIGHTS: 'the model has sparse weights; quantize needs dense ones',
  NOTHING_TO_QUANTIZE: 'no operator of the model can be quantized to 8 bits',
};

export const failure = failures(MESSAGES);
