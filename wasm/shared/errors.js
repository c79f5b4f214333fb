/**
 * Every failure of this package: `code` is stable and meant for programs, `message` for people.
 *
 * Codes of the module (images, models, networks) are the names in src/base/status.h. JavaScript's own are the keys of
 * {@link MESSAGES}.
 */
export class OcelliError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {ErrorOptions} [options]
   */
  constructor(code, message, options) {
    super(message, options);
    this.name = 'OcelliError';
    this.code = code;
  }
}

/** Codes that arise in JavaScript, with what they mean. */
export const MESSAGES = {
  CLOSED: 'the object was closed',
  INVALID_INPUT: 'the image is neither bytes nor pixels nor a tensor',
  INVALID_OPTION: 'an option has a wrong type or is out of range',
  LABELS_NOT_FOUND: 'the labels could not be read',
  MODEL_HAS_NO_FEATURES: 'the model gives no feature vector; `layer` may name a tensor inside it',
  MODEL_INPUT_UNKNOWN: 'nothing says how pixels become the model’s input',
  MODEL_IS_NOT_A_DETECTOR: 'the model’s inputs and outputs are not those of an SSD detector',
  MODEL_IS_NOT_A_CLASSIFIER: 'the model does not give one score for each class of an image',
  MODEL_NOT_FOUND: 'the model could not be read',
  MODULE_NOT_FOUND: 'the WebAssembly module could not be read',
  MODULE_TRAPPED: 'the WebAssembly module stopped; it is built anew for the next call',
  NO_WASM_SIMD: 'this engine has no WebAssembly SIMD',
  SSD_UNKNOWN: 'nothing says how the model’s heads become boxes',
  THREADS_UNAVAILABLE: 'threads cannot be started here',
  WORKER_UNAVAILABLE: 'a worker cannot be started here',
  UNKNOWN_LAYER: 'no tensor of the model has that name',
  UNKNOWN_CLASS: 'a class in the allow or deny list is not one of the model’s',
};

/**
 * A function that makes an error with one of these codes.
 * @template {string} Code
 * @param {Record<Code, string>} messages what each code means
 * @returns {(code: Code, detail?: string, cause?: unknown) => OcelliError}
 */
export function failures(messages) {
  return (code, detail, cause) => {
    const message = detail ? `${messages[code]}: ${detail}` : messages[code];
    return new OcelliError(code, message, cause === undefined ? undefined : { cause });
  };
}

export const failure = failures(MESSAGES);

/** @param {unknown} error to be sent from worker to page: an OcelliError would lose its class and code on the way */
export function toPlainError(error) {
  return error instanceof OcelliError ? { code: error.code, message: error.message } : error;
}

/** @param {any} error as it was sent */
export function reviveError(error) {
  return error.code ? new OcelliError(error.code, error.message) : error;
}
