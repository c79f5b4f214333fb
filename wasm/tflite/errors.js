// Failures of reading model files; conversion has the same codes, and more.
import { failures, OcelliError } from '../shared/errors.js';

export const GRAPH_MESSAGES = {
  GRAPH_BAD: 'the graph is malformed',
  GRAPH_UNSUPPORTED: 'the graph has something that TFLite cannot express here',
  SOURCE_DAMAGED: 'the source is damaged',
};

export const graphFailure = failures(GRAPH_MESSAGES);

/**
 * What a reader throws of its own (a range error, a bad varint) becomes a failure of that code.
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
