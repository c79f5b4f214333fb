// Error codes of conversion and their messages. docs/convert.md lists both; a test compares them.
import { failures } from '../shared/errors.js';
import { GRAPH_MESSAGES } from '../tflite/errors.js';

export const CONVERT_MESSAGES = {
  ...GRAPH_MESSAGES,
  ARCHIVE_DAMAGED: 'the archive is damaged',
  ARCHIVE_TOO_LARGE: 'the archive unpacks to more bytes than the limit',
  ARCHIVE_UNSAFE: 'the archive names a file outside of itself',
  CHECKPOINT_DAMAGED: 'the checkpoint is damaged',
  CHECKPOINT_INCOMPLETE: 'the checkpoint lacks a tensor or a file',
  DETECTOR_NOT_UNDERSTOOD: 'ocelli does not understand a part of this detector',
  RESULT_DIFFERS: 'the converted network gives other results than the source',
  RESULT_UNPROVEN: 'the file cannot be compared with the source',
  SIGNATURE_UNKNOWN: 'the source does not have this signature, input or output',
  SOURCE_INCOMPLETE: 'the source lacks a file',
  SOURCE_UNKNOWN: 'ocelli does not recognise the format of the source',
};

/** Carries what the caller's own code threw, its `cause`, past those who take other errors for damage of the source. */
export class CallerError extends Error {}

export const convertFailure = failures(CONVERT_MESSAGES);
