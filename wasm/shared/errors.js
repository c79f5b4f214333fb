/**
 * Every error of this package. `code` is stable and meant for programs, `message` is for people.
 *
 * Errors of the module (images, models, networks) have the codes of src/base/status.h, errors of JavaScript the keys of
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

/** The error codes of JavaScript and their messages. */
export const MESSAGES = {
  CLOSED: 'the object was closed',
  INVALID_INPUT: 'the image is neither bytes nor pixels nor a tensor',
  INVALID_OPTION: 'an option has a wrong type or is out of range',
  LABELS_NOT_FOUND: 'the labels could not be read',
  MODEL_HAS_NO_FEATURES: 'the model does not output a feature vector: name a tensor inside it with `layer`',
  MODEL_INPUT_UNKNOWN: 'the file does not say how to compute the model’s input from pixels',
  MODEL_IS_NOT_A_DETECTOR: 'the model’s inputs and outputs are not those of an SSD detector',
  MODEL_IS_NOT_A_CLASSIFIER: 'the model does not give one score for each class of an image',
  MODEL_NOT_FOUND: 'the model could not be read',
  MODULE_NOT_FOUND: 'the WebAssembly module could not be read',
  MODULE_TRAPPED: 'the WebAssembly module crashed; the next call creates a new one',
  NO_WASM_SIMD: 'this JavaScript engine does not support WebAssembly SIMD',
  QUEUE_FULL: 'too many calls are waiting',
  SSD_UNKNOWN: 'the file does not say how to decode its outputs: pass the `ssd` option',
  THREADS_UNAVAILABLE: 'threads cannot be started here',
  TIMEOUT: 'the call took longer than its time limit',
  WORKER_LOST: 'the worker that ran the call has ended; the next call starts a new one',
  WORKER_UNAVAILABLE: 'a worker cannot be started here',
  UNKNOWN_LAYER: 'no tensor of the model has that name',
  UNKNOWN_CLASS: 'a class in the allow or deny list is not one of the model’s',
};

/**
 * Returns a function that creates errors with one of these codes.
 * @template {string} Code
 * @param {Record<Code, string>} messages the message of each code
 * @returns {(code: Code, detail?: string, cause?: unknown) => OcelliError}
 */
export function failures(messages) {
  return (code, detail, cause) => {
    const message = detail ? `${messages[code]}: ${detail}` : messages[code];
    return new OcelliError(code, message, cause === undefined ? undefined : { cause });
  };
}

export const failure = failures(MESSAGES);

/** Prepares an error for postMessage(), which drops the class and code of an OcelliError. @param {unknown} error */
export function toPlainError(error) {
  return error instanceof OcelliError ? { code: error.code, message: error.message } : error;
}

/** The inverse of toPlainError(). @param {any} error */
export function reviveError(error) {
  return error.code ? new OcelliError(error.code, error.message) : error;
}
