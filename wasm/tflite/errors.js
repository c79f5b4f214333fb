// Errors of reading model files. Conversion uses the same codes and more.
import { failures, OcelliError } from '../shared/errors.js';

export const GRAPH_MESSAGES = {
  GRAPH_BAD: 'the graph is malformed',
  GRAPH_UNSUPPORTED: 'ocelli cannot express a part of the graph in TFLite',
  SOURCE_DAMAGED: 'the source is damaged',
};

export const graphFailure = failures(GRAPH_MESSAGES);

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
