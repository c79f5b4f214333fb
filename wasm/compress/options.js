// The options of compress(): types, defaults and checks.
import { failure } from '../shared/errors.js';
import {
  checkBoolean,
  checkCallbacks,
  checkKeys,
  checkNumber,
  checkSignal,
  checkText,
} from '../shared/options.js';
import { resolveReading } from '../vision/reading.js';

/**
 * @typedef {import('../shared/platform.js').Global<'AbortSignal'>} WebSignal
 * @typedef {import('../engine/engine.js').InputSpec} InputSpec
 *
 * @typedef {object} CompressOptions
 * @property {Partial<InputSpec> | string} [input] how pixels become the network's input, if the file does not say it: the
 *   values that it takes ('[-1,1]', '[0,1]', '[0,255]' or 'imagenet'), or an object
 * @property {string} [signature] which of the file's signatures to compress; default: its first subgraph
 * @property {number} [targetBytes] the most bytes that the gzipped file may have
 * @property {number} [targetMatch] the least share of answers that stay, 0 to 1; the file is as small as that allows
 * @property {number} [maxPixels] images with more pixels throw IMAGE_TOO_LARGE; default 100 000 000
 * @property {(error: Error, index: number) => void} [onUnreadable] called with each image that cannot be read, which is
 *   then left out; without it the call throws
 * @property {boolean} [report] compare both networks and return a report; default true
 * @property {(progress: {stage: typeof STAGES[number], images?: number}) => void} [onProgress]
 * @property {WebSignal} [signal]
 */

export const STAGES = /** @type {const} */ (['measure', 'search', 'compare']);
export const TARGET_RANGES = { bytes: { min: 1, max: 2 ** 31, integer: true }, match: { min: 0, max: 1 } };

const KEYS = [
  ...['input', 'signature', 'targetBytes', 'targetMatch', 'maxPixels'],
  ...['report', 'onProgress', 'onUnreadable', 'signal'],
];

/** @param {CompressOptions} options */
export function checkOptions(options) {
  checkKeys('options', options, KEYS);
  const { signature, targetBytes, targetMatch, maxPixels, signal } = options;
  const { onProgress = () => {}, onUnreadable } = options;
  checkSignal(signal);
  checkCallbacks({ onProgress, onUnreadable });
  if (targetBytes !== undefined && targetMatch !== undefined)
    throw failure('INVALID_OPTION', 'pass targetBytes or targetMatch, not both');
  return {
    onProgress,
    onUnreadable,
    signal,
    input: options.input,
    signature: signature === undefined ? undefined : checkText('signature', signature),
    reading: resolveReading({ maxPixels }),
    report: checkBoolean('report', options.report ?? true),
    targetBytes:
      targetBytes === undefined ? undefined : checkNumber('targetBytes', targetBytes, TARGET_RANGES.bytes),
    targetMatch:
      targetMatch === undefined ? undefined : checkNumber('targetMatch', targetMatch, TARGET_RANGES.match),
  };
}
