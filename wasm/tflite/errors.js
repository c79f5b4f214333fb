// Errors of reading model files. Conversion uses the same codes and more.
import { failures } from '../shared/errors.js';

export const GRAPH_MESSAGES = {
  GRAPH_BAD: 'the graph is malformed',
  GRAPH_UNSUPPORTED: 'ocelli cannot express a part of the graph in TFLite',
  SOURCE_DAMAGED: 'the source is damaged',
};

export const graphFailure = failures(GRAPH_MESSAGES);
