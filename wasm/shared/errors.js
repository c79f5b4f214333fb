/// <reference path="../shared/globals.d.ts" preserve="true" />
/**
 * @typedef {Exclude<import('../../dist/layout.js').StatusCode, 'OK'>} StatusCode
 *
 * @typedef {'GRAPH_BAD' | 'GRAPH_UNSUPPORTED' | 'SOURCE_DAMAGED' | 'STATE_CORRUPT' | 'STATE_FOREIGN'} FileCode
 * @typedef {'ARCHIVE_DAMAGED' | 'ARCHIVE_TOO_LARGE' | 'ARCHIVE_UNSAFE' | 'CHECKPOINT_DAMAGED' | 'CHECKPOINT_INCOMPLETE' | 'DETECTOR_NOT_UNDERSTOOD' | 'RESULT_DIFFERS' | 'RESULT_UNPROVEN' | 'SIGNATURE_UNKNOWN' | 'SOURCE_INCOMPLETE' | 'SOURCE_UNKNOWN'} ConvertCode
 * @typedef {'DATASET_AMBIGUOUS' | 'DATASET_DAMAGED' | 'DATASET_INCOMPLETE' | 'DATASET_UNKNOWN' | 'DUPLICATE_IMAGE' | 'INVALID_BOX'
 *   | 'INVALID_ENTRY' | 'INVALID_SCORE' | 'NO_BOX' | 'NO_CLASSES_MATCH' | 'UNKNOWN_IMAGE'} EvaluateCode
 * @typedef {'ALREADY_QUANTIZED' | 'NO_IMAGES' | 'NOT_AN_IMAGE_MODEL' | 'SPARSE_WEIGHTS' | 'UNKNOWN_TENSOR' | 'NOTHING_TO_QUANTIZE'} QuantizeCode
 * @typedef {'NO_DERIVATIVE' | 'NOTHING_TO_COMPRESS' | 'TARGET_NOT_REACHED'} CompressCode
 *
 * @typedef {'BATCH_NORM_FOLDED' | 'BLOCK_UNSUPPORTED' | 'EMPTY_CLASS' | 'FIT_RUNNING' | 'HEADS_UNSUPPORTED' | 'INVALID_EXAMPLE' | 'INVALID_FEATURES' | 'INVALID_LABEL' | 'NO_DIRECTORIES' | 'NO_EXAMPLES' | 'NO_EXTRACTOR' | 'NOT_INTERRUPTED' | 'ONE_CLASS' | 'STATE_MISMATCH' | 'TRAINING_DIVERGED'} TrainCode
 *
 * @typedef {StatusCode | keyof typeof MESSAGES | FileCode | ConvertCode | EvaluateCode | QuantizeCode | CompressCode | TrainCode} ErrorCode The codes of
 *   all entries of the package. Folders above this one have their messages in their own `errors.js`; here are their
 *   codes, because this folder imports nothing from them.
 */

/**
 * Every error of this package. `code` is stable and meant for programs, `message` is for people.
 *
 * Errors of the module (images, models, networks) have the codes of src/base/status.h, errors of JavaScript the keys of
 * {@link MESSAGES} and its like.
 */
export class OcelliError extends Error {
  /**
   * @param {ErrorCode} code
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
  BODY_USED: 'it was read before',
  CLOSED: 'the object was closed',
  IMAGE_NOT_FOUND: 'the image could not be read',
  INPUT_TOO_LARGE: 'the input has more bytes than the limit',
  INVALID_INPUT: 'the input cannot be used',
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
  READ_FAILED: 'the source of the bytes failed',
  SSD_UNKNOWN: 'the file does not say how to decode its outputs: pass the `ssd` option',
  THREADS_UNAVAILABLE: 'threads cannot be started here',
  TIMEOUT: 'the call took longer than its time limit',
  WORKER_LOST: 'the worker that ran the call has ended; the next call starts a new one',
  WORKER_UNAVAILABLE: 'a worker cannot be started here',
  UNKNOWN_LAYER: 'no tensor of the model has that name',
  UNKNOWN_CLASS: 'a class in the allow or deny list is not one of the model’s',
};

/** Names and shapes from files may be of any length. */
const MAX_DETAIL = 2000;

/**
 * Returns a function that creates errors with one of these codes.
 * @template {string} Code
 * @param {Record<Code, string>} messages the message of each code
 * @returns {(code: Code, detail?: string, cause?: unknown) => OcelliError}
 */
export function failures(messages) {
  return (code, detail, cause) => {
    const shown = detail && detail.length > MAX_DETAIL ? `${detail.slice(0, MAX_DETAIL)}…` : detail;
    const message = shown ? `${messages[code]}: ${shown}` : messages[code];
    return new OcelliError(/** @type {any} */ (code), message, cause === undefined ? undefined : { cause });
  };
}

export const failure = failures(MESSAGES);

/**
 * Calls `read`. Any error that is not an OcelliError (a RangeError, a bad varint) becomes an error with this code.
 * @template {string} Code
 * @template T
 * @param {ReturnType<typeof failures<Code>>} failure
 * @param {Code} code
 * @param {string} what
 * @param {() => T} read
 */
export function reading(failure, code, what, read) {
  try {
    return read();
  } catch (error) {
    if (error instanceof OcelliError) throw error;
    throw failure(code, `${what}: ${/** @type {Error} */ (error).message}`, error);
  }
}

const UNREADABLE = [
  'IMAGE_CORRUPT',
  'IMAGE_EMPTY',
  'IMAGE_NOT_FOUND',
  'IMAGE_TOO_LARGE',
  'READ_FAILED',
  'UNSUPPORTED_IMAGE_FORMAT',
];

/**
 * Whether the error says that one image cannot be read, so that the others may still be.
 * @param {any} error an OcelliError or one of the file system
 */
export function isUnreadable(error) {
  return error instanceof OcelliError ? UNREADABLE.includes(error.code) : error?.syscall !== undefined;
}

/** Prepares an error for postMessage(), which drops the class and code of an OcelliError. @param {unknown} error */
export function toPlainError(error) {
  return error instanceof OcelliError ? { code: error.code, message: error.message } : error;
}

/** The inverse of toPlainError(). @param {any} error */
export function reviveError(error) {
  return error.code ? new OcelliError(error.code, error.message) : error;
}
