// Error codes of evaluation and their messages. docs/evaluate.md lists both; a test compares them.
import { failures } from '../shared/errors.js';

export const MESSAGES = {
  ARCHIVE_DAMAGED: 'the zip archive is damaged',
  DATASET_AMBIGUOUS: 'the data set can be read in more than one way',
  DATASET_DAMAGED: 'a file of the data set does not have its format',
  DATASET_INCOMPLETE: 'the data set lacks a file',
  DATASET_UNKNOWN: 'ocelli does not recognise the format of the data set',
  DUPLICATE_IMAGE: 'two images have the same name or id',
  INVALID_BOX: 'a box is not four finite numbers with a width and a height of 0 or more',
  INVALID_ENTRY: 'an entry of the ground truth or of the detections lacks a value or has one of a wrong type',
  INVALID_SCORE: 'a score is not a finite number',
  NO_BOX: 'an entry has no bounding box',
  NO_CLASSES_MATCH: 'no class of the data set is a class of the model',
  STATE_MISMATCH: 'the saved state belongs to another model or another data set',
  UNKNOWN_IMAGE: 'a detection names an image that is not in the ground truth',
};

export const failure = failures(MESSAGES);
