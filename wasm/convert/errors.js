// Failures of conversion: OcelliError with a stable code of this list.
import { OcelliError } from '../shared/errors.js';

export const CONVERT_MESSAGES = {
  ARCHIVE_DAMAGED: 'the archive is damaged',
  ARCHIVE_TOO_LARGE: 'the archive unpacks to more than is reasonable',
  ARCHIVE_UNSAFE: 'the archive names a file outside of itself',
  CHECKPOINT_DAMAGED: 'the checkpoint is damaged',
  CHECKPOINT_INCOMPLETE: 'the checkpoint lacks a tensor or a file',
  DETECTOR_NOT_UNDERSTOOD: 'a detector whose parts could not be recognised',
  GRAPH_BAD: 'the graph is malformed',
  GRAPH_UNSUPPORTED: 'the graph has something that TFLite cannot express here',
  SIGNATURE_UNKNOWN: 'no such signature, input or output',
  SOURCE_DAMAGED: 'the source is damaged',
  SOURCE_INCOMPLETE: 'the source lacks a file',
  SOURCE_UNKNOWN: 'the source is of no known kind',
};

/**
 * @param {keyof typeof CONVERT_MESSAGES} code
 * @param {string} [detail]
 * @param {unknown} [cause]
 */
export function convertFailure(code, detail, cause) {
  const message = detail ? `${CONVERT_MESSAGES[code]}: ${detail}` : CONVERT_MESSAGES[code];
  return new OcelliError(code, message, cause === undefined ? undefined : { cause });
}

/**
 * What a reader throws of its own (a range error, a bad varint) becomes a failure of that code.
 * @template T
 * @param {keyof typeof CONVERT_MESSAGES} code
 * @param {string} what
 * @param {() => T} read
 */
export function reading(code, what, read) {
  try {
    return read();
  } catch (error) {
    if (error instanceof OcelliError) throw error;
    throw convertFailure(code, `${what}: ${/** @type {Error} */ (error).message}`, error);
  }
}
